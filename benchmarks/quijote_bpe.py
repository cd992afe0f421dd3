r"""Cuántos caracteres caben en una ficha, según el vocabulario; deja ``docs/resultados/quijote_bpe.json``.

Los pares se aprenden del primer 90 % de cada texto, y se mide, en caracteres por ficha, el último 10 % de los dos. Se
guardan también los pares aprendidos del Quijote y lo que se tardó en aprenderlos.

Se ejecuta con ``python -m benchmarks.quijote_bpe`` y tarda unos segundos.
"""

import time
from pathlib import Path

from benchmarks.record import header, store
from chapters.rnn import BytePairEncoding
from dlbook.data import load_quijote, load_tinyshakespeare

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "quijote_bpe.json"
SIZES = [256, 300, 400, 512, 768, 1024, 1536, 2048, 3072, 4096]


def main():
    texts = {"quijote": load_quijote(), "tinyshakespeare": load_tinyshakespeare()}
    parts = {name: (text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]) for name, text in texts.items()}
    results = {**header("benchmarks.quijote_bpe", None), "sizes": SIZES, "characters_per_token": {}}
    for name, (train, _) in parts.items():
        started = time.perf_counter()
        largest = BytePairEncoding(SIZES[-1])
        largest.train(train)
        seconds = time.perf_counter() - started
        rows = {other: [] for other in parts}
        for size in SIZES:
            # Los primeros pares de un vocabulario grande son los de uno pequeño.
            merges = largest.merges[: size - 256]
            bpe = BytePairEncoding(size, merges=merges)
            for other, (_, test) in parts.items():
                rows[other].append(round(len(test) / len(bpe.encode(test)), 4))
        results["characters_per_token"][name] = rows
        results[f"seconds_{name}"] = round(seconds, 2)
        print(name, rows, seconds, flush=True)
        if name == "quijote":
            results["merges"] = largest.merges
    store(RESULTS, results)


if __name__ == "__main__":
    main()
