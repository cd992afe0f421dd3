r"""Números en palabras, a cifras: cuánto cabe en un vector; los resultados, en ``docs/resultados/numeros.json``.

Se ejecuta con ``python -m benchmarks.spelled_numbers``. Tarda unos minutos. Si se le dan tamaños, como en
``python -m benchmarks.spelled_numbers 16 32``, hace solo esos y conserva los demás.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.record import header, store
from chapters.mlp import Adam
from chapters.rnn import encoder_decoder, greedy_decode
from dlbook.data import spanish_number

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "resultados" / "numeros.json"
SEEDS, UNITS = range(3), (16, 32, 64, 128)
TRAIN, TEST, BATCH, EPOCHS, RATE = 6000, 2000, 64, 20, 5e-3
START, END, DIGITS = 1, 2, 6


def main():
    numbers = drawn()
    words = sorted({word for n in numbers for word in spanish_number(n).split()})
    train, test = numbers[:TRAIN], numbers[TRAIN : TRAIN + TEST]
    source, target = written(numbers[: TRAIN + TEST], words)
    # Cuántas cifras tiene cada número de la prueba: sin el inicio ni el fin.
    lengths = (target[TRAIN:] != 0).sum(axis=1) - 2
    results = {
        **header("benchmarks.spelled_numbers", list(SEEDS)),
        **{"train": TRAIN, "test": TEST, "batch_size": BATCH, "epochs": EPOCHS, "learning_rate": RATE},
        **{"words": len(words), "lengths": np.bincount(lengths).tolist(), "runs": {}},
    }
    assert not set(train) & set(test)
    asked = list(map(int, sys.argv[1:])) or UNITS
    if sys.argv[1:] and RESULTS.exists():
        results["runs"] = json.loads(RESULTS.read_text("utf-8"))["runs"]
    for units in asked:
        runs = results["runs"][str(units)] = []
        for seed in SEEDS:
            start = time.perf_counter()
            whole, encoder, decoder = encoder_decoder(len(words) + 1, 13, units, seed=seed)
            whole.compile(Adam(RATE), "sparse_categorical_crossentropy")
            whole.fit([source[:TRAIN], target[:TRAIN, :-1]], target[:TRAIN, 1:], BATCH, EPOCHS, verbose=0)
            seconds = time.perf_counter() - start
            free = right(greedy_decode(encoder, decoder, source[TRAIN:], START, END, DIGITS + 1), target[TRAIN:, 1:])
            forced = whole.predict([source[TRAIN:], target[TRAIN:, :-1]], verbose=0).argmax(axis=-1)
            true = target[TRAIN:, 1:]
            hits = np.bincount(lengths, free) / np.maximum(np.bincount(lengths), 1)
            runs.append(
                {
                    "accuracy": round(float(free.mean()), 4),
                    # De las cifras que se escriben oyendo las anteriores correctas, cuántas son buenas.
                    "forced_digits": round(float((forced == true)[true > 0].mean()), 5),
                    "by_length": hits.round(4).tolist(),
                    "parameters": whole.count_params(),
                    "seconds": round(seconds, 1),
                }
            )
            print(units, seed, runs[-1], flush=True)
        results["runs"] = {n: results["runs"][n] for n in sorted(results["runs"], key=int)}
        store(RESULTS, results)


def drawn():
    """Números de una a seis cifras, con tantos de unas como de otras mientras los haya, sin repetir y barajados."""
    rng = np.random.default_rng(0)
    numbers = np.unique(rng.integers(0, 10 ** rng.integers(1, DIGITS + 1, 4 * TRAIN)))
    return rng.permutation(numbers).tolist()


def written(numbers, words):
    """Las palabras y las cifras, como tablas de tokens con ceros detrás."""
    index = {word: k for k, word in enumerate(words, start=1)}
    read = [[index[word] for word in spanish_number(n).split()] for n in numbers]
    source = np.zeros((len(numbers), max(map(len, read))), np.int64)
    target = np.zeros((len(numbers), DIGITS + 2), np.int64)
    for k, (n, tokens) in enumerate(zip(numbers, read, strict=True)):
        source[k, : len(tokens)] = tokens
        digits = [START, *(int(d) + 3 for d in str(n)), END]
        target[k, : len(digits)] = digits
    return source, target


def right(tokens, true):
    """Si se escribió todo, y nada más."""
    padded = np.zeros_like(true)
    padded[:, : tokens.shape[1]] = tokens
    return (padded == np.where(true == END, 0, true)).all(axis=1)


if __name__ == "__main__":
    main()
