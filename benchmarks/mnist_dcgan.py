r"""Una DCGAN con MNIST, juzgada por LeNet-5; deja los resultados en ``docs/resultados/mnist_dcgan.json``.

Se ejecuta con ``python -m benchmarks.mnist_dcgan`` y tarda varios minutos.
"""

import time
from pathlib import Path

import numpy as np

from benchmarks.record import as_hex, curves, header, store
from chapters.autoencoder import GAN, dcgan
from chapters.cnn import lenet5
from chapters.mlp import Adam, SparseCategoricalCrossentropy
from chapters.mlp.activations import softmax
from dlbook.data import load_mnist

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "mnist_dcgan.json"
SEED = 0
BATCH, EPOCHS = 64, 6
# En qué épocas se guardan imágenes, siempre del mismo ruido.
STAGES = (0, 1, 3, 6)
SHOWN, LAST = 8, 40
# Cuántas imágenes se juzgan, y desde qué probabilidad se dice que el juez está seguro.
JUDGED, SURE = 5000, 0.9
# Cuántas se comparan, píxel por píxel, con todas las de entrenamiento.
COMPARED = 500


def main():
    started = time.perf_counter()
    (x, y), (x_test, y_test) = ((x[..., None] / np.float32(255), y) for x, y in load_mnist())
    judge = lenet5(seed=SEED)
    judge.compile(Adam(1e-3), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    judge.fit(x, y, 64, 3, verbose=0)
    gan = GAN(*dcgan(seed=SEED), seed=SEED)
    gan.compile(Adam(2e-4, beta_1=0.5), Adam(2e-4, beta_1=0.5))
    noise, stages, history, training = gan.noise(LAST), {}, {"d_loss": [], "g_loss": []}, 0.0
    for epoch in range(EPOCHS + 1):
        if epoch:
            began = time.perf_counter()
            for name, values in gan.fit(x, BATCH).items():
                history[name] += values
            training += time.perf_counter() - began
        fake = gan.sample(JUDGED)
        drawn = gan.generator.predict(noise, verbose=0)
        if epoch in STAGES:
            shown = drawn[: LAST if epoch == EPOCHS else SHOWN]
            stages[epoch] = {"images": [as_hex(image) for image in shown], **verdict(judge, fake)}
        print(epoch, round(time.perf_counter() - started), {k: v[-1:] for k, v in history.items()}, flush=True)
    results = {
        **header("benchmarks.mnist_dcgan", SEED),
        "parameters": {"generator": gan.generator.count_params(), "discriminator": count(gan.discriminator)},
        "batch_size": BATCH,
        "epochs": EPOCHS,
        "sure": SURE,
        "judge_accuracy": judge.evaluate(x_test, y_test, verbose=0)[1],
        "real": verdict(judge, x_test[:JUDGED]),
        "noise": verdict(judge, np.random.default_rng(SEED).random(x_test[:JUDGED].shape, np.float32)),
        "stages": stages,
        "history": curves(history),
        "nearest": {"samples": nearest(fake[:COMPARED], x), "test": nearest(x_test[:COMPARED], x)},
        "training_seconds": round(training, 1),
        "seconds": round(time.perf_counter() - started, 1),
    }
    store(RESULTS, results)


def count(model):
    """Cuenta los parámetros de una red que quizá esté congelada."""
    return sum(weight.size for weight in model.get_weights())


def verdict(judge, images):
    """Da la fracción de imágenes de las que el juez está seguro, y cuántas de esas son de cada dígito."""
    p = softmax(judge.predict(images, verbose=0).astype(np.float64))
    sure = p.max(axis=1) >= SURE
    counts = np.bincount(p[sure].argmax(axis=1), minlength=10)
    share = counts[counts > 0] / max(counts.sum(), 1)
    return {
        "sure": round(float(sure.mean()), 4),
        "counts": counts.tolist(),
        "entropy_bits": round(float(-(share * np.log2(share)).sum()), 4),
    }


def nearest(images, x):
    """Da la distancia mediana de cada imagen a la de entrenamiento que más se le parece."""
    a, b = images.reshape(len(images), -1), x.reshape(len(x), -1)
    squared = (b**2).sum(axis=1) - 2 * a @ b.T
    return round(float(np.median(np.sqrt(squared.min(axis=1) + (a**2).sum(axis=1)))), 3)


if __name__ == "__main__":
    main()
