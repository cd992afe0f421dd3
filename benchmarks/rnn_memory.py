r"""Hasta dónde recuerda cada red: copia con retraso y suma; deja ``docs/resultados/rnn_memoria.json``.

Se ejecuta con ``python -m benchmarks.rnn_memory`` y tarda un cuarto de hora. Se puede hacer por partes, como
``copy:LSTM`` o
``adding:GRU``, que se escriben después.
"""

import json
import sys
from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.mlp import Adam, Dense, Input, Sequential, SparseCategoricalCrossentropy
from chapters.rnn import GRU, LSTM, SimpleRNN, adding_problem, delayed_copy
from dlbook.numeric.parallel import set_threads

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "rnn_memoria.json"
SEEDS, UNITS, BATCH, STEPS, RATE, TEST = range(3), 32, 64, 2400, 4e-3, 1000
SYMBOLS, CLIP = 8, 1.0
LENGTHS = [5, 10, 20, 50, 100]
# En cuántas partes se sortean los ejemplos: todos juntos serían un gigabyte.
PARTS = 12
NETWORKS = {
    "SimpleRNN": lambda: SimpleRNN(UNITS),
    "IRNN": lambda: SimpleRNN(UNITS, "relu", recurrent_initializer="identity"),
    "GRU": lambda: GRU(UNITS),
    "LSTM": lambda: LSTM(UNITS),
    # Con el sesgo del olvido, al empezar, en el logaritmo del largo.
    "LSTM log": lambda: LSTM(UNITS),
}


def main():
    set_threads(1)
    settings = {"units": UNITS, "batch_size": BATCH, "steps": STEPS, "learning_rate": RATE, "symbols": SYMBOLS}
    results = {**header("benchmarks.rnn_memory", SEEDS[0]), **settings, "lengths": LENGTHS, "clipnorm": CLIP}
    for part in sys.argv[1:] or [f"{task}:{name}" for task in ("copy", "adding") for name in NETWORKS]:
        task, _, name = part.partition(":")
        measure, rows = {"copy": copy, "adding": adding}[task], []
        for length in LENGTHS:
            forget = np.log(length) if name == "LSTM log" else None
            rows.append([measure(NETWORKS[name](), length, seed, forget) for seed in SEEDS])
        print(task, name, rows, flush=True)
        # Lo que ya estaba con los mismos números se conserva.
        old = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
        if any(old.get(key) != results[key] for key in (*settings, "lengths", "clipnorm")):
            old = {}
        found = {key: old.get(key, {}) for key in ("copy", "adding")}
        found[task][name] = rows
        store(RESULTS, results | found)


def copy(layer, delay, seed, forget):
    """Entrena con la copia; da la fracción de aciertos en ejemplos nuevos."""
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model = fit([layer, Dense(SYMBOLS)], lambda n, rng: delayed_copy(n, delay, SYMBOLS, rng), loss, seed, forget)
    x, y = delayed_copy(TEST, delay, SYMBOLS, 1000 + seed)
    return round(float((model.predict(x, verbose=0).argmax(axis=1) == y).mean()), 4)


def adding(layer, length, seed, forget):
    """Entrena con la suma; da el error cuadrático medio en ejemplos nuevos."""
    model = fit([layer, Dense(1)], lambda n, rng: adding_problem(n, length, rng), "mse", seed, forget)
    x, y = adding_problem(TEST, length, 1000 + seed)
    return round(float(((model.predict(x, verbose=0) - y) ** 2).mean()), 5)


def fit(layers, draw, loss, seed, forget):
    """Entrena; cada ejemplo se ve una sola vez."""
    rng = np.random.default_rng(seed)
    x, _ = draw(1, rng)
    model = Sequential([Input(x.shape[1:]), *layers], seed=seed)
    if forget is not None:
        layers[0].bias[UNITS : 2 * UNITS] = forget
    model.compile(Adam(RATE, global_clipnorm=CLIP), loss)
    for _ in range(PARTS):
        model.fit(*draw(STEPS * BATCH // PARTS, rng), BATCH, 1, shuffle=False, verbose=0)
    return model


if __name__ == "__main__":
    main()
