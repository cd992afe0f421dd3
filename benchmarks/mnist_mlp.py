r"""El perceptrón multicapa con MNIST entero; deja los resultados en ``docs/resultados/mnist_mlp.json``.

Se ejecuta con ``python -m benchmarks.mnist_mlp`` y tarda un par de minutos. La misma semilla, en la misma máquina y con
los mismos hilos, da los mismos pesos; en otra, las sumas se redondean distinto y cambian unas cuantas imágenes.
"""

import time
from pathlib import Path

import numpy as np

from benchmarks.record import curves, header, store
from chapters.mlp import Adam, CosineDecay, Dense, Dropout, Input, Sequential, SparseCategoricalCrossentropy
from dlbook.data import load_mnist

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "mnist_mlp.json"
SEEDS = range(5)
BATCH, EPOCHS = 128, 20
# Las últimas 5000 imágenes de entrenamiento se apartan para elegir; las de prueba solo se usan al final.
VALIDATION = 5000
# Cuántas neuronas se dibujan y cuántas imágenes falladas se guardan.
UNITS, IMAGES = 32, 20


def main():
    started = time.perf_counter()
    data = images()
    results = {
        **header("benchmarks.mnist_mlp", SEEDS[0]),
    }
    for name, build, rate in (("one_hidden", one_hidden, 3e-3), ("deep", deep, 1e-3)):
        results[name] = train(build, data, EPOCHS, rate)
        print(name, results[name]["test_accuracy"], flush=True)
    others = [train(one_hidden, data, EPOCHS, 3e-3, seed)["test_accuracy"] for seed in SEEDS[1:]]
    results["accuracy_by_seed"] = [results["one_hidden"]["test_accuracy"], *others]
    results["seconds"] = round(time.perf_counter() - started, 1)
    store(RESULTS, results)


def images():
    """Carga MNIST con las imágenes aplanadas y los píxeles entre 0 y 1."""
    return [(x.reshape(len(x), -1) / np.float32(255), y) for x, y in load_mnist()]


def one_hidden(seed=SEEDS[0]):
    """Arma 784-128-10, con dropout en las entradas."""
    return Sequential([Input((784,)), Dropout(0.1), hidden(128), Dense(10)], seed=seed)


def deep(seed=SEEDS[0]):
    """Arma 784-512-256-10, con dropout en las entradas y en las capas ocultas."""
    layers = [Input((784,)), Dropout(0.1), hidden(512), Dropout(0.3), hidden(256), Dropout(0.3), Dense(10)]
    return Sequential(layers, seed=seed)


def hidden(units):
    """Da una capa oculta."""
    return Dense(units, activation="relu", kernel_initializer="he_normal")


def train(build, data, epochs, rate, seed=SEEDS[0]):
    """Entrena una red y anota todo lo que la página dibuja."""
    (x_train, y_train), (x_test, y_test) = data
    model = build(seed)
    steps = -(-(len(x_train) - VALIDATION) // BATCH)
    model.compile(
        optimizer=Adam(CosineDecay(rate, epochs * steps)),
        loss=SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    start = time.perf_counter()
    x, y, validation = x_train[:-VALIDATION], y_train[:-VALIDATION], (x_train[-VALIDATION:], y_train[-VALIDATION:])
    history = model.fit(x, y, BATCH, epochs, verbose=0, validation_data=validation).history
    seconds = time.perf_counter() - start
    return {
        "layers": [layer.units for layer in model.layers if isinstance(layer, Dense)],
        "parameters": model.count_params(),
        "batch_size": BATCH,
        "epochs": epochs,
        "learning_rate": rate,
        "seconds": round(seconds, 1),
        "history": curves(history),
        **examine(model, x_test, y_test),
        "weights": first_weights(model),
    }


def examine(model, x, y):
    """Cuenta los aciertos, las confusiones y los fallos con las imágenes de prueba."""
    z = model.predict(x)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    answer = p.argmax(axis=1)
    confusion = np.zeros((10, 10), int)
    np.add.at(confusion, (y, answer), 1)
    # Los fallos, del más seguro de sí mismo al menos.
    wrong = np.flatnonzero(answer != y)
    wrong = wrong[np.argsort(-p[wrong, answer[wrong]], kind="stable")]
    return {
        "test_accuracy": float((answer == y).mean()),
        "confusion": confusion.tolist(),
        "wrong": [[int(i), int(y[i]), int(answer[i]), round(float(p[i, answer[i]]), 4)] for i in wrong],
        "wrong_images": [np.rint(255 * x[i]).astype(np.uint8).tobytes().hex() for i in wrong[:IMAGES]],
    }


def first_weights(model):
    """Guarda las primeras neuronas de la primera capa, redondeadas a enteros de -127 a 127, y la escala."""
    kernel = next(layer for layer in model.layers if isinstance(layer, Dense)).kernel[:, :UNITS]
    scale = float(np.abs(kernel).max()) / 127
    return {"scale": scale, "units": [w.astype(np.int8).tobytes().hex() for w in np.rint(kernel / scale).T]}


if __name__ == "__main__":
    main()
