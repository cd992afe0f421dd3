r"""Cuánto tarda un paso de las redes del capítulo 4; deja ``docs/resultados/autoencoder_velocidad.json``.

Se ejecuta con ``python -m benchmarks.autoencoder``; :mod:`benchmarks.harness` cuenta cómo se mide.
"""

from benchmarks.harness import main

# Un paso desde que arranca el intérprete: importar, construir, compilar y entrenar un lote.
FIRST = """
import time; began = time.perf_counter()
import numpy as np
from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.convolution.conv2d_transpose import Conv2DTranspose
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.mlp.losses import BinaryCrossentropy
from chapters.mlp.optimizers import Adam
from chapters.mlp.sequential import Input, Sequential
x = np.zeros((64, 28, 28, 1), np.float32)
layers = [Conv2D(16, 3, padding="same", activation="relu"), MaxPooling2D()]
layers += [Conv2D(8, 3, padding="same", activation="relu"), MaxPooling2D()]
layers += [Conv2DTranspose(size, 3, 2, "same", activation="relu") for size in (8, 16)]
network = Sequential([Input((28, 28, 1)), *layers, Conv2D(1, 3, padding="same", activation="sigmoid")], seed=0)
network.compile(Adam(), BinaryCrossentropy())
network.fit(x, x, batch_size=64, verbose=0)
print(time.perf_counter() - began)
"""
# Cada red, con el lote con que se usa.
BATCHES = {"cae": [64], "cae_transpose": [64], "unet": [8], "vae": [128], "dcgan": [64]}

if __name__ == "__main__":
    main("autoencoder", BATCHES, FIRST)
