r"""El mismo programa en Keras: se ejecuta, donde Keras esté instalado, antes que ``benchmarks.mnist_conv_autoencoder``."""

import json
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import keras

from benchmarks.mnist_conv_autoencoder import PEER, train

if __name__ == "__main__":
    PEER.parent.mkdir(exist_ok=True)
    result = train(keras)
    del result["originals"]
    versions = {"keras": keras.__version__, "backend": keras.backend.backend()}
    PEER.write_text(json.dumps(result | {"versions": versions}), encoding="utf-8")
