r"""Números dictados: con un solo vector o con atención; los resultados, en ``docs/resultados/dictado.json``.

Se ejecuta con ``python -m benchmarks.dictation``. Tarda unos minutos. Si se le da el nombre de un modelo, hace solo ese
y conserva los demás.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from benchmarks.spelled_numbers import END, START, right
from chapters.attention import bahdanau_translator, reread_decode
from chapters.mlp import Adam
from chapters.rnn import encoder_decoder
from dlbook.data import spanish_number

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "dictado.json"
SEEDS = range(3)
MOST, TRAIN, TEST, BATCH, EPOCHS, RATE = 5, 6000, 1000, 64, 20, 5e-3
# Después del relleno, el inicio, el fin y las cifras.
COMMA = 13
# Con cuántas unidades.
MODELS = {"un vector": 32, "un vector, el doble": 64, "atención": 32}


def main():
    phrases = drawn(TRAIN + TEST)
    source, target, words = written(phrases)
    counts = np.array([len(numbers) for numbers in phrases[TRAIN:]])
    results = {
        **header("benchmarks.dictation", list(SEEDS)),
        **{"train": TRAIN, "test": TEST, "batch_size": BATCH, "epochs": EPOCHS, "learning_rate": RATE},
        **{"units": MODELS, "words": len(words), "longest": [source.shape[1], target.shape[1] - 1]},
        **{"counts": np.bincount(counts).tolist(), "runs": {}},
    }
    asked = sys.argv[1:] or MODELS
    if sys.argv[1:] and RESULTS.exists():
        results["runs"] = json.loads(RESULTS.read_text("utf-8"))["runs"]
    for name in asked:
        runs = results["runs"][name] = []
        for seed in SEEDS:
            start = time.perf_counter()
            sizes = len(words) + 1, COMMA + 1, MODELS[name], seed
            model = bahdanau_translator(*sizes) if name == "atención" else encoder_decoder(*sizes)[0]
            model.compile(Adam(RATE, global_clipnorm=1.0), "sparse_categorical_crossentropy")
            history = model.fit([source[:TRAIN], target[:TRAIN, :-1]], target[:TRAIN, 1:], BATCH, EPOCHS, verbose=0)
            seconds = time.perf_counter() - start
            free = right(reread_decode(model, source[TRAIN:], START, END, target.shape[1] - 1), target[TRAIN:, 1:])
            hits = np.bincount(counts, free) / np.maximum(np.bincount(counts), 1)
            run = {
                "accuracy": round(float(free.mean()), 4),
                "by_count": hits.round(4).tolist(),
                "loss": [round(loss, 4) for loss in history.history["loss"]],
                "parameters": model.count_params(),
                "seconds": round(seconds, 1),
            }
            runs.append(run)
            print(name, seed, run, flush=True)
        results["runs"] = {name: results["runs"][name] for name in MODELS if name in results["runs"]}
        store(RESULTS, results)


def drawn(n):
    """Listas de uno a cinco números menores que mil, sin repetir ninguna lista."""
    rng = np.random.default_rng(0)
    found = {tuple(rng.integers(0, 1000, rng.integers(1, MOST + 1)).tolist()): None for _ in range(2 * n)}
    # De un solo número hay mil listas: que no sean casi todas las de la prueba ni falten.
    return [list(found)[k] for k in rng.permutation(len(found))[:n]]


def written(phrases):
    """Las palabras y las cifras, como tablas de tokens con ceros detrás."""
    read = [" coma ".join(map(spanish_number, numbers)).split() for numbers in phrases]
    words = sorted({word for line in read for word in line})
    index = {word: k for k, word in enumerate(words, start=1)}
    source = np.zeros((len(read), max(map(len, read))), np.int64)
    answers = [
        [START, *(COMMA if c == "," else int(c) + 3 for c in ",".join(map(str, numbers))), END] for numbers in phrases
    ]
    target = np.zeros((len(read), max(map(len, answers))), np.int64)
    for k, (line, answer) in enumerate(zip(read, answers, strict=True)):
        source[k, : len(line)] = [index[word] for word in line]
        target[k, : len(answer)] = answer
    return source, target, words


if __name__ == "__main__":
    main()
