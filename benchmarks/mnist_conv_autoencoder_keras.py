r"""El mismo programa en Keras: se ejecuta, donde Keras esté instalado, antes que ``mnist_conv_autoencoder``."""

import json
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras

from benchmarks.mnist_conv_autoencoder import PEER, train

VERSIONS = {"keras": keras.__version__, "backend": keras.backend.backend()}


def keep(result):
    """Guarda lo que va hasta esta época."""
    own = {name: value for name, value in result.items() if name != "originals"}
    PEER.write_text(json.dumps(own | {"versions": VERSIONS}), encoding="utf-8")


if __name__ == "__main__":
    PEER.parent.mkdir(exist_ok=True)
    train(keras, keep)
