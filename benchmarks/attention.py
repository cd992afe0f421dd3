r"""Cuánto tarda un paso de las redes del capítulo 6; deja ``docs/resultados/attention_velocidad.json``.

Se ejecuta con ``python -m benchmarks.attention``; :mod:`benchmarks.harness` cuenta cómo se mide.
"""

from benchmarks.harness import main

# Un paso desde que arranca el intérprete: importar, construir, compilar y entrenar un lote.
FIRST = """
import time; began = time.perf_counter()
import numpy as np
from chapters.attention.programs.gpt import gpt
from chapters.mlp.losses import SparseCategoricalCrossentropy
from chapters.mlp.optimizers import Adam
x = np.zeros((32, 64), int)
network = gpt(96, 64, 64, 4, 2, seed=0)
network.compile(Adam(), SparseCategoricalCrossentropy(from_logits=True))
network.fit(x, x, batch_size=32, verbose=0)
print(time.perf_counter() - began)
"""
# Cada red, con el lote con que se usa: el segundo, el de nanoGPT para un procesador.
BATCHES = {"gpt_64": [32], "gpt_128": [12]}

if __name__ == "__main__":
    main("attention", BATCHES, FIRST)
