r"""El detector del capítulo 3; deja los pesos y las curvas en ``docs/resultados/detector.*``.

Se ejecuta con ``python -m benchmarks.detector`` y tarda unos minutos. Las escenas se dibujan con la misma semilla, así
que no hay nada que descargar.
"""

import json
import time
from pathlib import Path

from benchmarks.record import curves, header
from chapters.cnn import BatchNormalization, Conv2D, GridDetectionLoss, grid_encode
from chapters.mlp import Activation, Adam, CosineDecay, Input, Sequential
from dlbook.data import shape_scenes

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "resultados"
SEED = 0
SCENES, TEST = 4000, 300
GRID, BOXES, CLASSES = 6, 2, 3
EPOCHS, BATCH, RATE = 30, 16, 8e-3


def detector(boxes=BOXES, seed=SEED):
    """Cinco convoluciones: tres de paso 2 llevan de 48 × 48 a la rejilla de 6 × 6."""
    layers = [Input(shape=(48, 48, 1))]
    for filters, kernel_size, strides in ((16, 5, 2), (24, 3, 2), (32, 3, 2), (64, 3, 1)):
        layers += [
            Conv2D(filters, kernel_size, strides=strides, padding="same", use_bias=False),
            BatchNormalization(momentum=0.9),
            Activation("relu"),
        ]
    return Sequential([*layers, Conv2D(5 * boxes + CLASSES, 1)], seed=seed)


def scenes(n, seed):
    """Da las imágenes, centradas en cero, y lo que la rejilla debería contestar."""
    x, boxes, classes = shape_scenes(n, seed=seed)
    return x - 0.5, grid_encode(boxes, classes, GRID, CLASSES)


def train(boxes, data, validation):
    """Entrena una red con tantas cajas por celda; da la red, las curvas y los segundos."""
    model = detector(boxes)
    model.compile(Adam(CosineDecay(RATE, EPOCHS * -(-SCENES // BATCH))), GridDetectionLoss(boxes))
    start = time.perf_counter()
    history = model.fit(*data, BATCH, EPOCHS, validation_data=validation, verbose=0).history
    seconds = round(time.perf_counter() - start, 1)
    return model, curves(history), seconds


def main():
    data, validation = scenes(SCENES, SEED), scenes(TEST, SEED + 1)
    model, history, seconds = train(BOXES, data, validation)
    _, one_box, _ = train(1, data, validation)
    results = {
        **header("benchmarks.detector", SEED),
        "scenes": SCENES,
        "epochs": EPOCHS,
        "batch_size": BATCH,
        "learning_rate": RATE,
        "seconds": seconds,
        "history": history,
        "one_box_history": one_box,
    }
    FOLDER.mkdir(exist_ok=True)
    model.save(FOLDER / "detector.safetensors", include_optimizer=False)
    (FOLDER / "detector.json").write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(seconds, history["val_loss"][-1], one_box["val_loss"][-1])


if __name__ == "__main__":
    main()
