r"""La U-Net con las membranas de ISBI 2012; deja los resultados en ``docs/resultados/isbi2012.json``.

Se ejecuta con ``python -m benchmarks.isbi2012 CARPETA``, donde la carpeta es la de :func:`dlbook.data.load_isbi2012`, y
tarda unos minutos. Los datos no son del libro ni se guardan aquí: se guardan los números, y lo que la red contesta.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import scipy.ndimage

from benchmarks.record import header, store
from chapters.autoencoder import elastic_deformation, unet
from chapters.mlp import Adam, BinaryCrossentropy
from dlbook.data import load_isbi2012

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "isbi2012.json"
SEED = 0
# Las primeras 24 rebanadas enseñan; las últimas 6, que están en otra parte del cordón, examinan.
TRAIN = 24
FILTERS = (16, 32, 64)
CROP, BATCH, STEPS, RATE = 128, 4, 1000, 2e-3
ALPHA, SIGMA = 6.0, 12.0
# Cada cuántos pasos se mira cómo va, y se guarda.
EVERY = 100
THRESHOLDS = np.linspace(0, 1, 101)
BLURS = (1, 2, 3, 4)


def main():
    parser = argparse.ArgumentParser(description="Entrena la U-Net con ISBI 2012.")
    parser.add_argument("folder", help="la carpeta de las imágenes")
    parser.add_argument("--steps", type=int, default=STEPS, help="cuántos lotes")
    options = parser.parse_args()
    x, y = load_isbi2012(options.folder)
    started = time.perf_counter()
    net, whole = unet((CROP, CROP, 1), FILTERS, seed=SEED), unet(x.shape[1:], FILTERS, seed=SEED)
    net.compile(Adam(RATE), BinaryCrossentropy())
    results = {
        "train": TRAIN,
        "test": len(x) - TRAIN,
        "filters": FILTERS,
        "parameters": net.count_params(),
        "crop": CROP,
        "batch_size": BATCH,
        "learning_rate": RATE,
        "cell_share": float(y[TRAIN:].mean()),
        "history": [],
        **baselines(x, y),
    }
    rng, losses = np.random.default_rng(SEED), []
    for step in range(1, options.steps + 1):
        losses.append(float(net.train_on_batch(*crops(x[:TRAIN], y[:TRAIN], rng))))
        if step % EVERY == 0:
            whole.set_weights(net.get_weights())
            answer = np.concatenate([whole.predict(image[None], verbose=0) for image in x[TRAIN:]])
            found = scores(answer > 0.5, y[TRAIN:])
            results["history"].append({"step": step, "loss": round(float(np.mean(losses)), 5), **found})
            losses = []
            print(results["history"][-1], round(time.perf_counter() - started), flush=True)
            # Con una tasa constante, parar aquí es lo mismo que haber pedido estos pasos.
            results |= {
                **header(f"benchmarks.isbi2012 CARPETA --steps {step}", SEED),
                "steps": step,
                "unet": found,
                "by_slice": [scores(a > 0.5, b) for a, b in zip(answer, y[TRAIN:], strict=True)],
                # Lo que la red pinta en la última rebanada, un píxel de cada dos; es suyo, y no del concurso.
                "answer": np.packbits(answer[-1, ::2, ::2, 0] > 0.5).tobytes().hex(),
                "answer_side": x.shape[1] // 2,
                "seconds": round(time.perf_counter() - started, 1),
            }
            store(RESULTS, results)


def crops(x, y, rng):
    """Saca unos recortes al azar, girados, reflejados y estirados."""
    # Se recorta de más, para que la orilla estirada no se llene con su reflejo.
    margin = int(2 * ALPHA)
    side = CROP + 2 * margin
    images, masks = np.empty((BATCH, side, side, 1), x.dtype), np.empty((BATCH, side, side, 1), y.dtype)
    for k in range(BATCH):
        i, r, c = rng.integers(len(x)), *rng.integers(0, x.shape[1] - side + 1, 2)
        turns, flip = rng.integers(4), rng.integers(2)
        for source, target in ((x, images), (y, masks)):
            piece = np.rot90(source[i, r : r + side, c : c + side], turns)
            target[k] = piece[::-1] if flip else piece
    images, masks = elastic_deformation(images, masks, ALPHA, SIGMA, rng)
    inside = slice(margin, margin + CROP)
    return images[:, inside, inside], masks[:, inside, inside]


def scores(answer, y):
    """Mide una respuesta de sí o no: el error por píxel y las IoU de las dos clases."""
    answer, truth = np.asarray(answer, bool), y.astype(bool)
    return {
        "pixel_error": float((answer != truth).mean()),
        "iou_cell": overlap(answer, truth),
        "iou_membrane": overlap(~answer, ~truth),
        "dice_membrane": 2 * overlap(~answer, ~truth) / (1 + overlap(~answer, ~truth)),
    }


def overlap(a, b):
    """La IoU de dos máscaras."""
    return float((a & b).sum() / max(1, (a | b).sum()))


def baselines(x, y):
    """Mide lo que se consigue sin aprender: todo célula, un umbral, y un umbral tras desenfocar."""
    found = {"constant": scores(np.ones_like(y[TRAIN:], bool), y[TRAIN:])}
    truth = y[:TRAIN].astype(bool)

    def error(blurred, threshold):
        return float(((blurred[:TRAIN] > threshold) != truth).mean())

    blurs = {s: scipy.ndimage.gaussian_filter(x, (0, s, s, 0)) for s in BLURS}
    for name, options in (("threshold", {0: x}), ("gaussian", blurs)):
        # El umbral, y cuánto se desenfoca, se eligen con las rebanadas que enseñan.
        sigma, threshold = min(((s, t) for s in options for t in THRESHOLDS), key=lambda o: error(options[o[0]], o[1]))
        found[name] = {"sigma": sigma, "threshold": float(threshold)}
        found[name] |= scores(options[sigma][TRAIN:] > threshold, y[TRAIN:])
    return found


if __name__ == "__main__":
    main()
