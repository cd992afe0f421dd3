r"""Un ViT con dígitos, al lado de una convolucional, y uno con CIFAR-10; deja ``docs/resultados/vit.json``.

Se ejecuta con ``python -m benchmarks.vit`` y, con ``--jpeg ARCHIVO``, usa la copia comprimida de CIFAR-10, como
``benchmarks.cifar10_cnn``. Tarda unos minutos.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from benchmarks.cifar10_cnn import images, read_jpeg
from benchmarks.record import curves, header, store
from chapters.attention import vit
from chapters.cnn import Conv2D, MaxPooling2D, RandomFlip, RandomTranslation
from chapters.mlp import AdamW, CosineDecay, Dense, Flatten, Input, Sequential, SparseCategoricalCrossentropy
from dlbook.data import load_cifar10, load_digits

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "vit.json"
# El ViT de CIFAR-10 tiene casi los parámetros de la red de cifar10_cnn, y sus lotes, sus épocas y sus transformaciones.
CIFAR = {"patch_size": 8, "width": 32, "heads": 4, "blocks": 3, "intermediate": 96}
EPOCHS, BATCH, LEARNING_RATE, WARMUP, DECAY, SEED, VALIDATION = 8, 128, 3e-3, 100, 0.01, 0, 5000
DIGITS = {"patch_size": 2, "width": 32, "heads": 4, "blocks": 2, "intermediate": 64}
SEEDS, COUNTS, STEPS, SMALL, RATE = range(3), (50, 100, 200, 400, 1437), 250, 32, 3e-3


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jpeg", help="copia comprimida con pérdida, en vez de los datos originales")
    jpeg = parser.parse_args().jpeg
    started = time.perf_counter()
    results = {
        **header("benchmarks.vit" + (" --jpeg ARCHIVO" if jpeg else ""), SEED),
        "lossy": bool(jpeg),
        "digits": {name: digits(name) for name in ("vit", "cnn")},
        "cifar10": cifar10(images(read_jpeg(jpeg) if jpeg else load_cifar10())),
    }
    results["seconds"] = round(time.perf_counter() - started, 1)
    store(RESULTS, results)


def compiled(model, steps, rate, warmup):
    schedule = CosineDecay(0.0, steps - warmup, warmup_target=rate, warmup_steps=warmup)
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model.compile(AdamW(schedule, weight_decay=DECAY), loss, metrics=["accuracy"])
    return model


def cifar10(data):
    """Entrena el ViT con lo mismo que la convolucional: épocas, lotes y transformaciones."""
    (x, y), (x_test, y_test) = data
    held, x, y = (x[-VALIDATION:], y[-VALIDATION:]), x[:-VALIDATION], y[:-VALIDATION]
    reader = vit((32, 32, 3), 10, **CIFAR, seed=SEED)
    layers = [Input((32, 32, 3)), RandomFlip("horizontal"), RandomTranslation(0.1, 0.1), reader]
    model = compiled(Sequential(layers, seed=SEED), EPOCHS * -(-len(x) // BATCH), LEARNING_RATE, WARMUP)
    started = time.perf_counter()
    history = model.fit(x, y, BATCH, EPOCHS, verbose=0, validation_data=held).history
    seconds = time.perf_counter() - started
    table = reader.layers[[layer.name for layer in reader.layers].index("position_embedding")].position_embeddings
    about = {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": LEARNING_RATE, "warmup": WARMUP, **CIFAR}
    return about | {
        "parameters": model.count_params(),
        "history": curves(history),
        "seconds": round(seconds, 1),
        "test_accuracy": round(float(model.evaluate(x_test, y_test, verbose=0)[1]), 4),
        "positions": likeness(table[1:]).round(2).tolist(),
    }


def likeness(table):
    """El coseno entre cada dos filas de la tabla de posiciones."""
    unit = table / np.linalg.norm(table, axis=1, keepdims=True)
    return (unit @ unit.T).astype(float)


def digits(name):
    """Aciertos del ViT o de una convolucional según cuántos dígitos vieron, y con los trozos revueltos."""
    (x, y), test = load_digits()
    x, x_test = ((part / 16 - 0.3)[..., np.newaxis].astype("float32") for part in (x, test[0]))
    order = np.random.default_rng(SEED).permutation(len(x))
    x, y = x[order], y[order]

    def made(seed):
        return vit((8, 8, 1), 10, **DIGITS, seed=seed) if name == "vit" else convolutional(seed)

    def right(count, seed, x, x_test):
        model = compiled(made(seed), STEPS, RATE, 50)
        for rows in np.random.default_rng(seed).integers(count, size=(STEPS, SMALL)):
            model.train_on_batch(x[rows], y[rows])
        return round(float((model.predict(x_test, verbose=0).argmax(axis=1) == test[1]).mean()), 4)

    found = []
    for count in COUNTS:
        found.append([right(count, seed, x, x_test) for seed in SEEDS])
        print(name, count, found[-1], flush=True)
    stirred = [right(len(x), seed, stir(x), stir(x_test)) for seed in SEEDS]
    print(name, stirred, flush=True)
    about = {"counts": COUNTS, "steps": STEPS, "batch_size": SMALL, "learning_rate": RATE}
    return about | {"parameters": made(0).count_params(), "accuracy": found, "stirred": stirred}


def convolutional(seed):
    """Dos convoluciones con su máximo, y una densa."""
    layers = [Input((8, 8, 1))]
    for filters in (24, 64):
        layers += [Conv2D(filters, 3, padding="same", activation="relu"), MaxPooling2D()]
    return Sequential([*layers, Flatten(), Dense(10)], seed=seed)


def stir(x, side=2):
    """Cambia de lugar los trozos de cada imagen, igual en todas."""
    n, height, width, channels = x.shape
    grid = x.reshape(n, height // side, side, width // side, side, channels).swapaxes(2, 3)
    rows = grid.reshape(n, -1, side, side, channels)
    rows = rows[:, np.random.default_rng(1).permutation(rows.shape[1])]
    return rows.reshape(grid.shape).swapaxes(2, 3).reshape(x.shape)


if __name__ == "__main__":
    main()
