r"""LeNet-5 con MNIST entero; deja los resultados en ``docs/resultados/mnist_cnn.json``.

Se ejecuta con ``python -m benchmarks.mnist_cnn`` y tarda unos minutos. La misma semilla, en la misma máquina y con los
mismos hilos, da los mismos pesos; en otra, las sumas se redondean distinto y cambian unas cuantas imágenes.
"""

import time
from pathlib import Path

import numpy as np

from benchmarks.mnist_mlp import examine
from benchmarks.record import as_hex, curves, header, store
from chapters.cnn import RandomRotation, RandomTranslation, affine_transform, lenet5
from chapters.mlp import Adam, CosineDecay, Dense, Flatten, Input, Sequential, SparseCategoricalCrossentropy
from dlbook.data import load_mnist

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "mnist_cnn.json"
SEEDS = range(3)
BATCH = 64
RATE = 2e-3
# Con imágenes que se mueven se puede entrenar más tiempo sin memorizar.
AUGMENTED = 15
# Las últimas 5000 imágenes de entrenamiento se apartan para elegir; las de prueba solo se usan al final.
VALIDATION = 5000
# Cuántas imágenes hay para entrenar, cuando son pocas.
FEW = (100, 300, 1000, 3000, 10_000)
# Cuántos pasos se entrena con pocas imágenes.
STEPS = 1000
SHIFTS = range(9)
# Cuántas imágenes se miran para buscar los pedazos que más encienden a cada filtro, y cuántos se guardan.
LOOKED, PATCHES = 3000, 6


def main():
    started = time.perf_counter()
    data = images()
    results = {
        **header("benchmarks.mnist_cnn", SEEDS[0]),
    }
    for name, build, epochs in (("mlp", mlp, 5), ("lenet", lenet, 5), ("augmented", augmented, AUGMENTED)):
        # La primera vez se compila: eso no es entrenar, y se hace antes de tomar el tiempo.
        train(build, [(x[:BATCH], y[:BATCH]) for x, y in data], 1, SEEDS[0], validation=BATCH // 2)
        models, runs = zip(*(train(build, data, epochs, seed) for seed in SEEDS), strict=True)
        results[name] = runs[0] | {"accuracy_by_seed": [run["test_accuracy"] for run in runs]}
        if name == "lenet":
            results["network"] = network(models[0], *data[1])
        print(name, runs[0]["seconds"], results[name]["accuracy_by_seed"], flush=True)
    del results["mlp"]["wrong"], results["mlp"]["wrong_images"]
    results["few"] = few(data)
    results["seconds"] = round(time.perf_counter() - started, 1)
    store(RESULTS, results)


def images():
    """Carga MNIST con un canal y los píxeles entre 0 y 1."""
    return [(x[..., None] / np.float32(255), y) for x, y in load_mnist()]


def mlp(seed=SEEDS[0]):
    """Arma 784-78-10, que tiene casi los mismos parámetros que LeNet-5."""
    layers = [Flatten(), Dense(78, activation="relu", kernel_initializer="he_normal"), Dense(10)]
    return Sequential([Input((28, 28, 1)), *layers], seed=seed)


def lenet(seed=SEEDS[0]):
    """Arma LeNet-5."""
    return lenet5(seed=seed)


def augmented(seed=SEEDS[0]):
    """Arma LeNet-5 con imágenes que se mueven hasta dos píxeles y giran hasta nueve grados."""
    moves = [RandomTranslation(0.07, 0.07, "constant"), RandomRotation(0.025, "constant")]
    return Sequential([Input((28, 28, 1)), *moves, *lenet5(seed=seed).layers], seed=seed)


def train(build, data, epochs, seed, validation=VALIDATION):
    """Entrena una red; la da, con todo lo que la página dibuja."""
    (x_train, y_train), (x_test, y_test) = data
    model = build(seed)
    x, y, held = x_train[:-validation], y_train[:-validation], (x_train[-validation:], y_train[-validation:])
    compile_for(model, epochs * -(-len(x) // BATCH))
    start = time.perf_counter()
    history = model.fit(x, y, BATCH, epochs, verbose=0, validation_data=held).history
    seconds = time.perf_counter() - start
    return model, {
        "parameters": model.count_params(),
        "batch_size": BATCH,
        "epochs": epochs,
        "learning_rate": RATE,
        "seconds": round(seconds, 1),
        "history": curves(history),
        **examine(model, x_test, y_test),
        "shifted": shifted(model, x_test, y_test),
    }


def compile_for(model, steps):
    """Deja la red lista para tantos pasos de Adam, con una tasa que baja como un coseno."""
    model.compile(Adam(CosineDecay(RATE, steps)), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])


def shifted(model, x, y):
    """Mide la exactitud con las imágenes de prueba corridas hacia la derecha, píxel por píxel."""
    moved = (affine_transform(x, [[1, 0, -pixels], [0, 1, 0]]) for pixels in SHIFTS)
    return [float((model.predict(z).argmax(axis=1) == y).mean()) for z in moved]


def few(data):
    """Mide el error de las dos redes cuando hay pocas imágenes para entrenar."""
    (x_train, y_train), (x_test, y_test) = data
    errors = {"images": list(FEW), "steps": STEPS, "mlp": [], "lenet": []}
    for n in FEW:
        for name, build in (("mlp", mlp), ("lenet", lenet)):
            runs = []
            for seed in SEEDS:
                rows = np.random.default_rng(seed).choice(len(x_train) - VALIDATION, n, replace=False)
                model = build(seed)
                compile_for(model, STEPS)
                per_epoch = -(-n // BATCH)
                model.fit(x_train[rows], y_train[rows], BATCH, max(1, STEPS // per_epoch), verbose=0)
                runs.append(round(1 - float((model.predict(x_test).argmax(axis=1) == y_test).mean()), 4))
            errors[name].append(runs)
    return errors


def network(model, x, y):
    """Guarda la red con los pesos redondeados a 8 bits, una imagen de cada dígito y lo que busca cada filtro."""
    rounded, weights = [], []
    for weight in model.get_weights():
        scale = float(np.abs(weight).max()) / 127
        values = np.rint(weight / scale).astype(np.int8)
        rounded.append(values * np.float32(scale))
        weights.append({"shape": weight.shape, "scale": scale, "values": values.tobytes().hex()})
    model.set_weights(rounded)
    rows = [int(np.flatnonzero(y == digit)[0]) for digit in range(10)]
    return {
        "weights": weights,
        "test_accuracy": float((model.predict(x).argmax(axis=1) == y).mean()),
        "images": [as_hex(x[row]) for row in rows],
        "patches": patches(model, x[:LOOKED]),
    }


def patches(model, x):
    """Busca los pedazos de imagen que más encienden a cada filtro de las dos convoluciones, uno por imagen."""
    padded = np.pad(x, ((0, 0), (2, 14), (2, 14), (0, 0)))
    found = []
    # Cada neurona de la primera ve 5 × 5 píxeles; cada una de la segunda, 14 × 14, y la de al lado, dos más allá.
    for depth, size, step in ((1, 5, 1), (3, 14, 2)):
        maps = x
        for layer in model.layers[:depth]:
            maps = layer.forward(maps)
        width = maps.shape[2]
        flat = maps.reshape(len(x), -1, maps.shape[3])
        filters = []
        for k in range(flat.shape[2]):
            places = flat[:, :, k].argmax(axis=1)
            best = np.argsort(-flat[np.arange(len(x)), places, k], kind="stable")[:PATCHES]
            corners = [(step * (places[i] // width), step * (places[i] % width)) for i in best]
            filters.append(
                [as_hex(padded[i, r : r + size, c : c + size]) for i, (r, c) in zip(best, corners, strict=True)]
            )
        found.append({"size": size, "filters": filters})
    return found


if __name__ == "__main__":
    main()
