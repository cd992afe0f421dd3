r"""Escribe ``cnn_architectures.json``, lo que contestan las redes de Keras con los mismos pesos que las nuestras.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_cnn_architectures_reference.py
"""

import json
import math
import re
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from chapters import cnn
from chapters.mlp import Dense
from dlbook.training import walk
from tests.reference import oracle

CLASSES = 7
# Cada red con la imagen más pequeña que admite la de Keras.
NETWORKS = {
    "VGG16": (lambda **options: cnn.vgg16((32, 32, 3), CLASSES, None, **options), (32, 32, 3)),
    "InceptionV3": (lambda **options: cnn.inception_v3((75, 75, 3), CLASSES, None, **options), (75, 75, 3)),
    "ResNet50": (lambda **options: cnn.resnet(50, (32, 32, 3), CLASSES, None, **options), (32, 32, 3)),
}


def fill(model):
    """Pone pesos que salen siempre iguales, y de un tamaño que no apague ni sature la red."""
    rng = np.random.default_rng(0)
    for layer in walk(model):
        if isinstance(layer, (cnn.Conv2D, Dense)):
            kernel = layer.kernel
            kernel[...] = rng.normal(size=kernel.shape) * np.sqrt(2 / math.prod(kernel.shape[:-1]))
            if layer.bias is not None:
                layer.bias[...] = rng.normal(scale=0.1, size=layer.bias.shape)
        elif isinstance(layer, cnn.BatchNormalization):
            for weight in layer.weights:
                weight[...] = rng.uniform(0.5, 1.5, size=weight.shape)
    return np.random.default_rng(1).random((2, *model.input_shape))


def main():
    keras = oracle.keras()
    results = {}
    for name, (build, shape) in NETWORKS.items():
        keras.utils.clear_session()
        whole = getattr(keras.applications, name)(weights=None)
        counts = whole.count_params(), sum(math.prod(w.shape) for w in whole.trainable_weights)
        keras.utils.clear_session()
        theirs = getattr(keras.applications, name)(
            weights=None, input_shape=shape, classes=CLASSES, classifier_activation=None
        )
        ours = build(dtype="float64")
        x = fill(ours)
        copy(ours, theirs, name)
        results[name] = {"parameters": counts, "y": np.asarray(theirs(x)).tolist()}
        print(name, counts, np.abs(np.asarray(theirs(x)) - ours.forward(x)).max())
    path = Path(__file__).with_suffix("").with_name("cnn_architectures.json")
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def copy(ours, theirs, name):
    """Lleva nuestros pesos a la red de Keras."""
    kinds = {"Conv2D": [], "BatchNormalization": [], "Dense": []}
    for layer in order(ours):
        if type(layer).__name__ in kinds:
            kinds[type(layer).__name__].append(layer)
    for kind, layers in kinds.items():
        others = [layer for layer in theirs.layers if type(layer).__name__ == kind]
        if name == "InceptionV3":
            # En el orden en que se crearon, que es el número del nombre.
            others.sort(key=lambda layer: int(re.search(r"(\d*)$", layer.name.removesuffix("2d"))[1] or 0))
        if name == "ResNet50":
            others.sort(key=lambda layer: [int(n) for n in re.findall(r"\d+", layer.name)])
        for one, other in zip(layers, others, strict=True):
            weights = one.get_weights()
            if name == "ResNet50" and kind == "Conv2D":
                # Las convoluciones de Keras llevan además un sesgo, que la normalización absorbe.
                weights.append(np.zeros(weights[0].shape[-1]))
            if name == "ResNet50" and kind == "BatchNormalization":
                one.epsilon = other.epsilon
            other.set_weights(weights)


def order(layer):
    """Las capas de adentro; de un bloque residual, primero el atajo, como las numera Keras."""
    yield layer
    inner = reversed(layer.layers) if isinstance(layer, cnn.Residual) else layer.layers
    for one in inner:
        yield from order(one)


if __name__ == "__main__":
    main()
