r"""Un paso de entrenamiento en Keras sobre TensorFlow, con ``fit``."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# oneDNN, que TensorFlow apaga en algunos procesadores: con él las convoluciones tardan menos de la mitad.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras
import tensorflow as tf
from protocol import MODELS, data, serve

LAYERS = {
    "dense": lambda units, activation=None: keras.layers.Dense(units, activation=activation),
    "conv": lambda filters, size, padding: keras.layers.Conv2D(filters, size, padding=padding, activation="relu"),
    "pool": keras.layers.MaxPooling2D,
    "flatten": keras.layers.Flatten,
}


def make(model, batch):
    keras.utils.set_random_seed(0)
    x, y = data(model)
    layers = [LAYERS[kind](*arguments) for kind, *arguments in MODELS[model]["layers"]]
    network = keras.Sequential([keras.layers.Input(MODELS[model]["input"]), *layers])
    classes = MODELS[model]["target"] == "classes"
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True) if classes else "mse"
    network.compile(keras.optimizers.Adam(), loss)

    return lambda epochs: network.fit(x, y, batch_size=batch, epochs=epochs, verbose=0)


if __name__ == "__main__":
    serve(make, {"keras": keras.__version__, "tensorflow": tf.__version__})
