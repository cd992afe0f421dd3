r"""El word2vec de ``benchmarks/quijote_word2vec.py``, en gensim: el mismo texto y los mismos argumentos.

Recibe el archivo con las frases, una por línea; los argumentos, en JSON; y dónde dejar los vectores. Escribe las
palabras, los segundos y la versión, en JSON. Necesita gensim, y nada del libro.
"""

import json
import sys
import time

import gensim
import numpy as np


def main(text, settings, vectors):
    with open(text, encoding="utf-8") as file:
        sentences = [line.split() for line in file]
    started, used = time.perf_counter(), time.process_time()
    model = gensim.models.Word2Vec(sentences, sg=1, **json.loads(settings))
    times = {"seconds": time.perf_counter() - started, "cpu": time.process_time() - used}
    np.save(vectors, model.wv.vectors)
    print(json.dumps({"words": model.wv.index_to_key, "version": gensim.__version__, **times}))


if __name__ == "__main__":
    main(*sys.argv[1:])
