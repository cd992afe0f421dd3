r"""Los programas de ``autoencoder_programs`` en Keras sobre TensorFlow.

Lee de la entrada una línea de JSON con el archivo de las imágenes, y por cada línea más, con un programa, una
semilla y cuántas épocas, contesta otra con lo medido.
"""

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import numpy as np
import tensorflow as tf
from autoencoder_programs import PROGRAMS, train

print(json.dumps({"keras": keras.__version__, "tensorflow": tf.__version__}), flush=True)
with np.load(json.loads(sys.stdin.readline())) as images:
    x, x_test = images["train"], images["test"]
for line in sys.stdin:
    question = json.loads(line)
    name, seed = question["program"], question["seed"]
    keras.utils.set_random_seed(seed)
    models = PROGRAMS[name](keras)
    print(json.dumps(train(keras, models, x, x_test, question["epochs"], seed)), flush=True)
