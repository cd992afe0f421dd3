r"""Cuánto tarda un paso de las redes del capítulo 5; deja ``docs/resultados/rnn_velocidad.json``.

Se ejecuta con ``python -m benchmarks.rnn``; :mod:`benchmarks.harness` cuenta cómo se mide.
"""

from benchmarks.harness import main

# Un paso desde que arranca el intérprete: importar, construir, compilar y entrenar un lote.
FIRST = """
import time; began = time.perf_counter()
import numpy as np
from chapters.mlp.dense import Dense
from chapters.mlp.losses import SparseCategoricalCrossentropy
from chapters.mlp.optimizers import Adam
from chapters.mlp.sequential import Input, Sequential
from chapters.rnn.embeddings.embedding import Embedding
from chapters.rnn.recurrent.lstm import LSTM
x = np.zeros((32, 64), int)
network = Sequential([Input((64,)), Embedding(96, 32), LSTM(128, return_sequences=True), Dense(96)], seed=0)
network.compile(Adam(), SparseCategoricalCrossentropy(from_logits=True))
network.fit(x, x, batch_size=32, verbose=0)
print(time.perf_counter() - began)
"""
# Cada red, con el lote con que se usa.
BATCHES = {f"{kind}_{units}": [batch] for units, batch in ((128, 32), (256, 64)) for kind in ("rnn", "gru", "lstm")}

if __name__ == "__main__":
    main("rnn", BATCHES, FIRST)
