r"""Quitar ruido con MNIST entero; deja los resultados en ``docs/resultados/mnist_denoising.json``.

Se ejecuta con ``python -m benchmarks.mnist_denoising``, en un entorno que además tenga Keras 3 con TensorFlow, y tarda
un cuarto de hora o más. Es el programa de «Building Autoencoders in Keras» con menos épocas. Las dos redes empiezan
con los mismos pesos y ven las mismas imágenes estropeadas; cada una las baraja a su manera.
"""

import os
import time
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import numpy as np
import scipy.ndimage

import chapters.cnn
import chapters.mlp
from benchmarks.mnist_cnn import images
from benchmarks.record import as_hex, curves, header, store
from chapters.autoencoder import gaussian_noise, psnr, ssim

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "mnist_denoising.json"
SEED, STDDEV, BATCH, EPOCHS = 0, 0.5, 128, 3
# Con estas imágenes de entrenamiento se elige el tamaño de los filtros.
TUNING = 2000
SIZES, SIGMAS = (3, 5, 7), (0.5, 0.75, 1.0, 1.25, 1.5)
SHOWN = 6


def main():
    import keras
    import tensorflow

    started = time.perf_counter()
    (x, _), (x_test, y_test) = images()
    rng = np.random.default_rng(SEED)
    noisy, noisy_test = (gaussian_noise(clean, STDDEV, rng, clip=(0, 1)) for clean in (x, x_test))
    ours = network(chapters.mlp.Sequential, chapters.mlp.Input, chapters.cnn, seed=SEED)
    theirs = network(keras.Sequential, keras.layers.Input, keras.layers)
    theirs.set_weights(ours.get_weights())
    results = {
        **header("benchmarks.mnist_denoising", SEED),
        "keras": {"keras": keras.__version__, "tensorflow": tensorflow.__version__},
        **{"stddev": STDDEV, "batch_size": BATCH, "epochs": EPOCHS, "parameters": ours.count_params()},
        "noisy": quality(noisy_test, x_test),
    }
    answers = {"noisy": noisy_test}
    for name, model in (("network", ours), ("keras_network", theirs)):
        model.compile(optimizer="adam", loss="binary_crossentropy")
        keras.utils.set_random_seed(SEED)
        start = time.perf_counter()
        history = model.fit(
            noisy, x, batch_size=BATCH, epochs=EPOCHS, verbose=2, validation_data=(noisy_test, x_test)
        ).history
        results[name] = {"seconds": round(time.perf_counter() - start, 1), "history": curves(history)}
        answers[name] = np.asarray(model.predict(noisy_test, batch_size=500, verbose=0))
        results[name] |= quality(answers[name], x_test)
        print(name, results[name]["seconds"], history["val_loss"][-1], flush=True)
    filters = {"median": (median, SIZES), "gaussian": (gaussian, SIGMAS)}
    for name, (apply, options) in filters.items():
        scores = [float(psnr(apply(noisy[:TUNING], option), x[:TUNING], 1.0).mean()) for option in options]
        best = options[int(np.argmax(scores))]
        answers[name] = apply(noisy_test, best)
        results[name] = {"options": list(options), "tuning_psnr": scores, "chosen": best}
        results[name] |= quality(answers[name], x_test)
    rows = [int(np.flatnonzero(y_test == digit)[0]) for digit in range(SHOWN)]
    answers = {"clean": x_test} | answers
    del answers["keras_network"]
    results["images"] = {name: [as_hex(y[row]) for row in rows] for name, y in answers.items()}
    results["total_seconds"] = round(time.perf_counter() - started, 1)
    store(RESULTS, results)


def network(sequential, entry, layers, **options):
    """Arma la red del programa, con nuestras capas o con las de Keras."""

    def conv(filters=32, activation="relu"):
        return layers.Conv2D(filters, 3, activation=activation, padding="same")

    encoder = [conv(), layers.MaxPooling2D(2, padding="same"), conv(), layers.MaxPooling2D(2, padding="same")]
    decoder = [conv(), layers.UpSampling2D(2), conv(), layers.UpSampling2D(2), conv(1, "sigmoid")]
    return sequential([entry((28, 28, 1)), *encoder, *decoder], **options)


def median(x, size):
    """El filtro de la mediana, imagen por imagen."""
    return scipy.ndimage.median_filter(x, (1, size, size, 1))


def gaussian(x, sigma):
    """El filtro gaussiano, imagen por imagen."""
    return scipy.ndimage.gaussian_filter(x, (0, sigma, sigma, 0))


def quality(y, clean):
    """Mide el parecido con las limpias: la media de cada medida."""
    y = y.clip(0, 1)
    structure = np.concatenate([ssim(y[k : k + 500], clean[k : k + 500], 1.0) for k in range(0, len(y), 500)])
    return {"psnr": float(psnr(y, clean, 1.0).mean()), "ssim": float(structure.mean())}


if __name__ == "__main__":
    main()
