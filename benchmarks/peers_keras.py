r"""Un paso de entrenamiento en Keras sobre TensorFlow, con ``fit``."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from protocol import SIZES, data, serve


def make(model, batch):
    keras.utils.set_random_seed(0)
    x, y = data(model)
    *hidden, output = SIZES[model][1:]
    layers = [keras.layers.Dense(n, activation="relu") for n in hidden]
    network = keras.Sequential([keras.layers.Input((784,)), *layers, keras.layers.Dense(output)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if model == "mlp" else "mse"
    network.compile(keras.optimizers.Adam(), loss)

    return lambda epochs: network.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)


if __name__ == "__main__":
    serve(make, {"keras": keras.__version__, "tensorflow": tf.__version__})
