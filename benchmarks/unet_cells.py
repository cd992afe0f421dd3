r"""La U-Net con células dibujadas: con ramas y sin ellas, y con cada pérdida; en ``docs/resultados/unet_celulas.json``.

Se ejecuta con ``python -m benchmarks.unet_cells`` y tarda unos minutos.
"""

import time
from pathlib import Path

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
# Muchas células grandes, o una sola y chica.
KINDS = {"many": {"cells": 6}, "few": {"cells": 1, "radius": (0.06, 0.1)}}


def main():
    started = time.perf_counter()
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
            name: [train(data["many"], BinaryCrossentropy(), seed, skips=skips) for seed in SEEDS]
            for name, skips in (("without", False), ("with", True))
        },
    }
    print(results["skips"], flush=True)
    results["losses"] = {"many": {"bce": results["skips"]["with"]}, "few": {}}
    for kind in KINDS:
        for name, make in LOSSES.items():
            if name not in results["losses"][kind]:
                runs = [train(data[kind], make(), seed) for seed in SEEDS]
                results["losses"][kind][name] = runs
                print(kind, name, [run["iou"] for run in runs], flush=True)
    results["seconds"] = round(time.perf_counter() - started, 1)
    store(RESULTS, results)


def train(data, loss, seed, skips=True):
    """Entrena una red y la mide con imágenes que no vio."""
    (x, y), (x_test, y_test) = data
    model = unet(x.shape[1:], FILTERS, skips=skips, seed=seed)
    model.compile(Adam(CosineDecay(RATE, EPOCHS * -(-len(x) // BATCH))), loss)
    losses = model.fit(x, y, BATCH, EPOCHS, verbose=0).history["loss"]
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


if __name__ == "__main__":
    main()
