r"""La U-Net con células dibujadas: con ramas y sin ellas, con cada pérdida, y para quitar ruido.

Lo que mide queda en ``docs/resultados/unet_celulas.json``.

Se ejecuta con ``python -m benchmarks.unet_cells`` y tarda unos minutos.
"""

from pathlib import Path

import numpy as np
import scipy.ndimage

from benchmarks.record import header, store
from chapters.autoencoder import Dice, IoULoss, unet
from chapters.mlp import Adam, BinaryCrossentropy, CosineDecay
from dlbook.data import cell_images

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "unet_celulas.json"
SEEDS = range(3)
SIZE, TRAIN, TEST = 48, 64, 64
FILTERS = (8, 16, 32)
BATCH, EPOCHS, RATE = 8, 25, 5e-3


def both():
    """La suma de las dos."""
    bce, dice = BinaryCrossentropy(), Dice()
    return lambda y_true, y_pred: bce(y_true, y_pred) + dice(y_true, y_pred)


LOSSES = {"bce": BinaryCrossentropy, "dice": Dice, "iou": IoULoss, "both": both}
# Para ver si era por los pesos de más o por entrenar poco.
WIDER, LONGER = (9, 18, 36), 75
# Muchas células grandes, o una sola y pequeña.
KINDS = {"many": {"cells": 6}, "few": {"cells": 1, "radius": (0.06, 0.1)}}


SKIPS = {
    "without": {"skips": False},
    "with": {"skips": True},
    "wider": {"skips": False, "filters": WIDER},
    "longer": {"skips": False, "epochs": LONGER},
    "with_longer": {"skips": True, "epochs": LONGER},
}


def main():
    data = {
        kind: [cell_images(n, SIZE, seed=s, **options) for n, s in ((TRAIN, 100), (TEST, 101))]
        for kind, options in KINDS.items()
    }
    results = {
        **header("benchmarks.unet_cells", SEEDS[0]),
        "seeds": list(SEEDS),
        "size": SIZE,
        "train": TRAIN,
        "test": TEST,
        "filters": FILTERS,
        "batch_size": BATCH,
        "epochs": EPOCHS,
        "share": {kind: float(test[1].mean()) for kind, (_, test) in data.items()},
        "skips": {
            name: [train(data["many"], BinaryCrossentropy(), seed, **options) for seed in SEEDS]
            for name, options in SKIPS.items()
        },
        "denoising": denoising(),
    }
    print(results["skips"], flush=True)
    results["losses"] = {"many": {"bce": results["skips"]["with"]}, "few": {}}
    for kind in KINDS:
        for name, make in LOSSES.items():
            if name not in results["losses"][kind]:
                runs = [train(data[kind], make(), seed) for seed in SEEDS]
                results["losses"][kind][name] = runs
                print(kind, name, [run["iou"] for run in runs], flush=True)
    store(RESULTS, results)


def train(data, loss, seed, skips=True, filters=FILTERS, epochs=EPOCHS):
    """Entrena una red y la mide con imágenes que no vio."""
    (x, y), (x_test, y_test) = data
    model = unet(x.shape[1:], filters, skips=skips, seed=seed)
    model.compile(Adam(CosineDecay(RATE, epochs * -(-len(x) // BATCH))), loss)
    losses = model.fit(x, y, BATCH, epochs, verbose=0).history["loss"]
    p, truth = model.predict(x_test, verbose=0), y_test.astype(bool)
    answer = p > 0.5
    both, either = (answer & truth).sum(), (answer | truth).sum()
    return {
        "parameters": model.count_params(),
        "loss": [round(value, 4) for value in losses],
        "pixel_error": float((answer != truth).mean()),
        "iou": float(both / max(1, either)),
        "dice": float(2 * both / max(1, both + either)),
        "found": float(both / truth.sum()),
        # Qué parte de los píxeles contesta con dudas, entre un décimo y nueve.
        "doubtful": float(((p > 0.1) & (p < 0.9)).mean()),
    }


def denoising():
    """La PSNR al quitar ruido: la gaussiana, la red que la corrige y la que empieza de cero."""

    def pairs(n, seed):
        clean = cell_images(n, SIZE, noise=0.0, seed=seed)[0]
        noise = np.random.default_rng(seed).normal(0, 0.2, clean.shape)
        return (clean + noise).astype("float32"), clean

    def smooth(images, width):
        return scipy.ndimage.gaussian_filter(images, (0, width, width, 0))

    def psnr(answer):
        return float(10 * np.log10(1 / ((answer - clean_test) ** 2).mean()))

    (noisy, clean), (noisy_test, clean_test) = pairs(TRAIN, 100), pairs(TEST // 2, 101)
    width = min(np.linspace(0.5, 3, 11), key=lambda s: ((smooth(noisy, s) - clean) ** 2).mean())
    base, base_test = smooth(noisy, width), smooth(noisy_test, width)
    found = {"width": float(width), "noisy": psnr(noisy_test), "gaussian": psnr(base_test), "over": [], "alone": []}
    for seed in SEEDS:
        for name, start, start_test in (("over", base, base_test), ("alone", 0, 0)):
            model = unet(clean.shape[1:], (8, 16), classifier_activation=None, seed=seed)
            if name == "over":
                *others, kernel, bias = model.get_weights()
                model.set_weights([*others, 0 * kernel, 0 * bias])
            model.compile(Adam(CosineDecay(RATE, EPOCHS * len(noisy) // BATCH)), "mse")
            model.fit(noisy - start, clean - start, BATCH, EPOCHS, verbose=0)
            found[name].append(psnr(start_test + model.predict(noisy_test - start_test, verbose=0)))
    return found


if __name__ == "__main__":
    main()
