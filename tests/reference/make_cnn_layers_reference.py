r"""Escribe ``cnn_layers.json``, los números de Keras para el agrupamiento y las variantes de la convolución.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_cnn_layers_reference.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.reference.make_engine_reference import layer
from tests.reference.make_mlp_reference import text
from tests.reference.oracle import keras

# Clase, argumentos, forma de una observación y formas de los pesos.
LAYERS = [
    ["MaxPooling2D", {}, [4, 6, 2], []],
    ["MaxPooling2D", {"pool_size": 3, "strides": 2, "padding": "same"}, [5, 4, 2], []],
    ["MaxPooling2D", {"pool_size": [2, 3], "strides": 1}, [4, 4, 1], []],
    ["AveragePooling2D", {"pool_size": 2}, [5, 4, 2], []],
    ["AveragePooling2D", {"pool_size": [3, 2], "strides": [2, 3], "padding": "same"}, [4, 5, 2], []],
    ["GlobalAveragePooling2D", {}, [3, 2, 3], []],
    ["GlobalMaxPooling2D", {"keepdims": True}, [3, 2, 3], []],
    ["ZeroPadding2D", {"padding": [[1, 0], [0, 2]]}, [2, 3, 2], []],
    ["UpSampling2D", {"size": [2, 3]}, [2, 2, 2], []],
    ["UpSampling2D", {"size": [3, 2], "interpolation": "bilinear"}, [2, 3, 1], []],
    ["Conv1D", {"filters": 2, "kernel_size": 3}, [5, 2], [[3, 2, 2], [2]]],
    ["Conv1D", {"filters": 2, "kernel_size": 2, "padding": "causal", "dilation_rate": 2}, [6, 1], [[2, 1, 2], [2]]],
    ["Conv1D", {"filters": 2, "kernel_size": 3, "padding": "causal", "strides": 2}, [6, 2], [[3, 2, 2], [2]]],
    ["Conv1D", {"filters": 4, "kernel_size": 2, "padding": "same", "groups": 2}, [4, 2], [[2, 1, 4], [4]]],
    ["DepthwiseConv2D", {"kernel_size": 3, "padding": "same"}, [4, 3, 2], [[3, 3, 2, 1], [2]]],
    ["DepthwiseConv2D", {"kernel_size": 2, "strides": 2, "depth_multiplier": 3}, [4, 5, 2], [[2, 2, 2, 3], [6]]],
    ["Conv2DTranspose", {"filters": 2, "kernel_size": 3}, [2, 2, 2], [[3, 3, 2, 2], [2]]],
    [
        "Conv2DTranspose",
        {"filters": 1, "kernel_size": 3, "strides": 2, "padding": "same"},
        [2, 3, 2],
        [[3, 3, 1, 2], [1]],
    ],
    [
        "Conv2DTranspose",
        {"filters": 1, "kernel_size": 2, "strides": 3, "output_padding": [0, 2], "use_bias": False},
        [2, 2, 2],
        [[2, 2, 1, 2]],
    ],
    [
        "Conv2DTranspose",
        {"filters": 1, "kernel_size": [4, 3], "strides": [3, 2], "padding": "same", "output_padding": 1},
        [2, 2, 1],
        [[4, 3, 1, 1], [1]],
    ],
]


def case(name, arguments, input_shape, weight_shapes, rng):
    """Entradas, pesos y lo que da Keras."""
    x = rng.normal(size=(2, *input_shape)).round(3)
    weights = [rng.normal(size=shape).round(3) for shape in weight_shapes]
    machine = getattr(keras().layers, name)(**arguments)
    dy = rng.normal(size=(2, *machine.compute_output_shape((2, *input_shape))[1:])).round(3)
    values = layer(name, arguments, weights, x, dy)
    return {"name": name, "arguments": arguments, "x": x, "dy": dy, "weights": weights, "values": values}


if __name__ == "__main__":
    rng = np.random.default_rng(20261121)
    found = {"keras": keras().__version__, "layers": [case(*one, rng) for one in LAYERS]}
    Path(__file__).with_name("cnn_layers.json").write_text(text(found), encoding="utf-8")
