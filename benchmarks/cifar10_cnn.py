r"""Una red convolucional pequeña con CIFAR-10; deja los resultados en ``docs/resultados/cifar10_cnn.json``.

Se ejecuta con ``python -m benchmarks.cifar10_cnn`` y tarda unos minutos por semilla. Con ``--jpeg ARCHIVO`` usa, en vez
de los datos originales, una copia comprimida con pérdida: un ``.npz`` con ``train_jpeg`` y ``test_jpeg`` (los JPEG, uno
tras otro), ``*_offsets`` (dónde empieza cada uno) y ``*_labels``. Lo que se mide con ella no se compara con lo
publicado, y los resultados dicen con cuál se hicieron.
"""

import argparse
import io
import itertools
import time
from pathlib import Path

import numpy as np

from benchmarks.mnist_mlp import examine
from benchmarks.record import curves, header, store
from chapters.cnn import BatchNormalization, Conv2D, MaxPooling2D, RandomFlip, RandomTranslation
from chapters.mlp import (
    Activation,
    Adam,
    CosineDecay,
    Dense,
    Dropout,
    Flatten,
    Input,
    Sequential,
    SparseCategoricalCrossentropy,
)
from dlbook.data import load_cifar10

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "cifar10_cnn.json"
SEEDS = range(2)
BATCH = 128
VALIDATION = 5000
IMAGES = 16


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--jpeg", help="copia comprimida con pérdida, en vez de los datos originales")
    jpeg = parser.parse_args().jpeg
    started = time.perf_counter()
    data = images(read_jpeg(jpeg) if jpeg else load_cifar10())
    results = {
        **header("benchmarks.cifar10_cnn" + (" --jpeg ARCHIVO" if jpeg else ""), SEEDS[0]),
        "lossy": bool(jpeg),
    }
    for name, build, epochs, rate in (("mlp", mlp, 8, 1e-3), ("cnn", cnn, 8, 3e-3)):
        train(build, [(x[: 2 * BATCH], y[: 2 * BATCH]) for x, y in data], 1, rate, SEEDS[0], validation=BATCH)
        runs = [train(build, data, epochs, rate, seed) for seed in SEEDS]
        results[name] = runs[0] | {"accuracy_by_seed": [run["test_accuracy"] for run in runs]}
        print(name, runs[0]["seconds"], results[name]["accuracy_by_seed"], flush=True)
    results["seconds"] = round(time.perf_counter() - started, 1)
    store(RESULTS, results)


def read_jpeg(path):
    """Lee la copia comprimida."""
    from PIL import Image

    def decode(part):
        content, offsets = file[f"{part}_jpeg"].tobytes(), file[f"{part}_offsets"]
        pictures = [np.array(Image.open(io.BytesIO(content[a:b]))) for a, b in itertools.pairwise(offsets)]
        return np.stack(pictures), file[f"{part}_labels"].astype(np.int64)

    with np.load(path, allow_pickle=False) as file:
        return decode("train"), decode("test")


def images(data):
    """Normaliza cada canal con la media y la desviación de las imágenes de entrenamiento."""
    pixels = data[0][0] / np.float32(255)
    mean, deviation = pixels.mean(axis=(0, 1, 2), dtype=np.float64), pixels.std(axis=(0, 1, 2), dtype=np.float64)
    return [(((x / np.float32(255) - mean) / deviation).astype(np.float32), y) for x, y in data]


def mlp(seed=SEEDS[0]):
    """Arma 3072-128-10, con once veces más parámetros que la red convolucional."""
    layers = [Flatten(), Dense(128, activation="relu", kernel_initializer="he_normal"), Dense(10)]
    return Sequential([Input((32, 32, 3)), *layers], seed=seed)


def cnn(seed=SEEDS[0]):
    """Arma tres bloques de convolución, normalización, ReLU y máximo."""
    layers = [Input((32, 32, 3)), RandomFlip("horizontal"), RandomTranslation(0.1, 0.1)]
    for filters in (16, 32, 64):
        convolution = Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")
        layers += [convolution, BatchNormalization(), Activation("relu"), MaxPooling2D()]
    return Sequential([*layers, Flatten(), Dropout(0.3), Dense(10)], seed=seed)


def train(build, data, epochs, rate, seed, validation=VALIDATION):
    """Entrena una red y anota todo lo que la página dibuja."""
    (x_train, y_train), (x_test, y_test) = data
    model = build(seed)
    x, y, held = x_train[:-validation], y_train[:-validation], (x_train[-validation:], y_train[-validation:])
    schedule = CosineDecay(rate, epochs * -(-len(x) // BATCH))
    model.compile(Adam(schedule), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    start = time.perf_counter()
    history = model.fit(x, y, BATCH, epochs, verbose=0, validation_data=held).history
    seconds = time.perf_counter() - start
    results = examine(model, x_test, y_test)
    # Las imágenes falladas se guardan tal como se ven, no normalizadas.
    wrong = [i for i, *_ in results["wrong"][:IMAGES]]
    low, high = x_test.min(axis=(0, 1, 2)), x_test.max(axis=(0, 1, 2))
    pictures = np.rint(255 * (x_test[wrong] - low) / (high - low)).astype(np.uint8)
    return {
        "parameters": model.count_params(),
        "batch_size": BATCH,
        "epochs": epochs,
        "learning_rate": rate,
        "seconds": round(seconds, 1),
        "history": curves(history),
        **results,
        "wrong": results["wrong"][:IMAGES],
        "wrong_images": [picture.tobytes().hex() for picture in pictures],
    }


if __name__ == "__main__":
    main()
