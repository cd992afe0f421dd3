r"""Cuánto tarda un paso de entrenamiento de una red convolucional; deja ``docs/resultados/cnn_velocidad.json``.

Se ejecuta con ``python -m benchmarks.cnn``; :mod:`benchmarks.harness` cuenta cómo se mide.
"""

from benchmarks.harness import main

# Un paso desde que arranca el intérprete: importar, construir, compilar y entrenar un lote.
FIRST = """
import time; began = time.perf_counter()
import numpy as np
from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.mlp.dense import Dense
from chapters.mlp.flatten import Flatten
from chapters.mlp.losses import SparseCategoricalCrossentropy
from chapters.mlp.optimizers import Adam
from chapters.mlp.sequential import Input, Sequential
x, y = np.zeros((64, 28, 28, 1), np.float32), np.zeros(64, int)
layers = [Conv2D(6, 5, padding="same", activation="relu"), MaxPooling2D(), Conv2D(16, 5, activation="relu")]
layers += [MaxPooling2D(), Flatten(), Dense(120, activation="relu"), Dense(84, activation="relu"), Dense(10)]
network = Sequential([Input((28, 28, 1)), *layers], seed=0)
network.compile(Adam(), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
network.fit(x, y, batch_size=64, verbose=0)
print(time.perf_counter() - began)
"""
BATCHES = dict.fromkeys(("lenet", "cnn"), (32, 64, 128, 256))

if __name__ == "__main__":
    main("cnn", BATCHES, FIRST, whole=list(BATCHES))
