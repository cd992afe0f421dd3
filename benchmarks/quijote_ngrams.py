r"""Bits por carácter de los n-gramas y de tres compresores; deja ``docs/resultados/quijote_ngramas.json``.

De cada texto se aprende con el primer 90 % y se mide en el último 10 %. Un n-grama da el promedio de menos el
logaritmo en base dos de la probabilidad de cada carácter; ``ngrams_seen`` es lo mismo, pero ajustado con el propio 10
%. Un compresor se mide de dos maneras: ``conditional``, lo que crece el archivo al pasar del primer 90 % al texto
entero, y ``alone``, lo que ocupa el último 10 % por su lado; en las dos, en bits, entre los caracteres de ese 10 %.
Los textos se comprimen en UTF-8.

Se ejecuta con ``python -m benchmarks.quijote_ngrams`` y tarda medio minuto.
"""

import bz2
import gzip
import lzma
import time
from pathlib import Path

from benchmarks.record import header, store
from chapters.rnn import NGram
from dlbook.data import load_quijote, load_tinyshakespeare

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "resultados" / "quijote_ngramas.json"
ORDERS = range(1, 9)
COMPRESSORS = {
    "gzip": lambda content: gzip.compress(content, 9),
    "bzip2": lambda content: bz2.compress(content, 9),
    "xz": lambda content: lzma.compress(content, preset=9 | lzma.PRESET_EXTREME),
}


def main():
    started = time.perf_counter()
    results = {**header("benchmarks.quijote_ngrams", None), "orders": list(ORDERS), "texts": {}}
    for name, load in (("quijote", load_quijote), ("tinyshakespeare", load_tinyshakespeare)):
        results["texts"][name] = measured(load())
        print(name, results["texts"][name], flush=True)
    store(RESULTS, results | {"seconds": round(time.perf_counter() - started, 1)})


def measured(text):
    """Los bits por carácter del último 10 %."""
    cut = len(text) * 9 // 10
    train, test = text[:cut], text[cut:]
    bits, seen, sizes = [], [], {}
    for order in ORDERS:
        model = NGram(order)
        model.fit(train)
        bits.append(round(model.bits_per_character(test), 4))
        model.fit(test)
        seen.append(round(model.bits_per_character(test), 4))
    for name, compress in COMPRESSORS.items():
        whole, first, last = (8 * len(compress(part.encode())) for part in (text, train, test))
        sizes[name] = {"conditional": round((whole - first) / len(test), 4), "alone": round(last / len(test), 4)}
    return {"train": len(train), "test": len(test), "ngrams": bits, "ngrams_seen": seen, "compressors": sizes}


if __name__ == "__main__":
    main()
