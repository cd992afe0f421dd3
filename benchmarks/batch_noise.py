r"""Cuánto se aprenden de memoria etiquetas falsas, con y sin normalización; deja ``docs/resultados/ruido_lote.json``.

Se ejecuta con ``python -m benchmarks.batch_noise`` y tarda unos minutos. A 400 dígitos se les cambia una de cada cinco
etiquetas por otra al azar. La misma red de dos capas ocultas, normalizada o sin normalizar, da mil pasos con lotes
de tres tamaños (con los de cinco, 960: doce épocas justas). Después se cuenta qué fracción de las etiquetas falsas se
aprendió, qué fracción de las buenas y cuánto acierta con dígitos que no vio.
"""

from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.cnn import BatchNormalization
from chapters.mlp import SGD, Activation, Dense, Input, Sequential, SparseCategoricalCrossentropy
from dlbook.data import load_digits

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "ruido_lote.json"
EXAMPLES, FALSE, STEPS, RATE, WIDTH, SEEDS = 400, 0.2, 1000, 0.1, 64, 8
BATCHES = 5, 20, 100


def network(normalized, seed):
    """Arma la red de dos capas, con normalización por lotes o sin ella."""
    layers = [Input((64,))]
    for _ in range(2):
        layers.append(Dense(WIDTH, use_bias=not normalized, kernel_initializer="he_normal"))
        layers += [BatchNormalization(momentum=0.9)] if normalized else []
        layers.append(Activation("relu"))
    model = Sequential([*layers, Dense(10)], seed=seed)
    model.compile(SGD(RATE), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


def measure(normalized, batch, seed):
    """Entrena con etiquetas falsas, y da los aciertos con ellas, con las buenas y con dígitos nuevos."""
    (x, y), (x_test, y_test) = load_digits()
    x, x_test = (images.reshape(-1, 64).astype(np.float32) / 16 for images in (x, x_test))
    rng = np.random.default_rng(seed)
    some = rng.permutation(len(x))[:EXAMPLES]
    x, y = x[some], y[some]
    false = rng.random(EXAMPLES) < FALSE
    y = np.where(false, (y + rng.integers(1, 10, EXAMPLES)) % 10, y)
    model = network(normalized, seed)
    model.fit(x, y, batch_size=batch, epochs=STEPS * batch // EXAMPLES, verbose=0)
    parts = (x[false], y[false]), (x[~false], y[~false]), (x_test, y_test)
    return [round(model.evaluate(*part, verbose=0)[1], 4) for part in parts]


def main():
    settings = {"examples": EXAMPLES, "false": FALSE, "steps": STEPS, "learning_rate": RATE, "width": WIDTH}
    results = {}
    for name, normalized in (("sin normalizar", False), ("normalizada", True)):
        results[name] = {}
        for batch in BATCHES:
            runs = [measure(normalized, batch, seed) for seed in range(SEEDS)]
            found = zip(("false_labels", "true_labels", "test"), zip(*runs, strict=True), strict=True)
            results[name][str(batch)] = {part: list(values) for part, values in found}
            print(name, batch, np.mean(runs, axis=0).round(3), flush=True)
    store(RESULTS, header("benchmarks.batch_noise", 0) | settings | {"seeds": SEEDS, "accuracy": results})


if __name__ == "__main__":
    main()
