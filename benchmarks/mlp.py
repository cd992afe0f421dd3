r"""Cuánto tarda un paso de entrenamiento de una red densa; deja ``docs/resultados/mlp_velocidad.json``.

Se ejecuta con ``python -m benchmarks.mlp``; :mod:`benchmarks.harness` cuenta cómo se mide.
"""

from benchmarks.harness import PEERS, main

# Un paso desde que arranca el intérprete: importar, construir, compilar y entrenar un lote.
FIRST = """
import time; began = time.perf_counter()
import numpy as np
from chapters.mlp.dense import Dense
from chapters.mlp.losses import SparseCategoricalCrossentropy
from chapters.mlp.optimizers import Adam
from chapters.mlp.sequential import Input, Sequential
x, y = np.zeros((64, 784), np.float32), np.zeros(64, int)
network = Sequential([Input((784,)), Dense(128, activation="relu"), Dense(10)], seed=0)
network.compile(Adam(), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
network.fit(x, y, batch_size=64, verbose=0)
print(time.perf_counter() - began)
"""
BATCHES = dict.fromkeys(("mlp", "autoencoder"), (32, 64, 128, 256))

if __name__ == "__main__":
    peers = PEERS | {"scikit-learn": ("peers_sklearn.py", {"partial_fit": []})}
    main("mlp", BATCHES, FIRST, peers, whole=["mlp"])
