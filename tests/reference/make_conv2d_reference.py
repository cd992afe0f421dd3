"""Escribe en ``conv2d.json`` lo que calcula Keras 3 para varias convoluciones, con los gradientes de TensorFlow.

Se ejecuta con ``python tests/reference/make_conv2d_reference.py`` donde Keras y TensorFlow estén instalados.
"""

import json
from pathlib import Path

import numpy as np

# Forma de la entrada, filtros, tamaño, paso, relleno, dilatación y grupos.
CASES = [
    ((2, 5, 6, 3), 4, (3, 3), (1, 1), "valid", (1, 1), 1),
    ((2, 5, 6, 3), 4, (3, 2), (1, 1), "same", (1, 1), 1),
    ((1, 8, 7, 2), 3, (3, 4), (2, 2), "same", (1, 1), 1),
    ((1, 9, 9, 1), 9, (2, 5), (3, 3), "valid", (1, 1), 1),
    ((2, 9, 8, 2), 2, (3, 2), (1, 1), "same", (2, 2), 1),
    ((1, 9, 8, 2), 2, (3, 3), (1, 1), "valid", (3, 2), 1),
    ((2, 6, 5, 4), 6, (3, 3), (1, 1), "same", (1, 1), 2),
    ((1, 4, 4, 2), 3, (5, 5), (1, 1), "same", (1, 1), 1),
]


def compute(case, seed):
    """Devuelve entrada, pesos, culpa y, calculados por Keras, la salida y los gradientes."""
    import keras
    import tensorflow as tf

    shape, filters, size, strides, padding, dilation, groups = case
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    kernel, bias = rng.normal(size=(*size, shape[-1] // groups, filters)), rng.normal(size=filters)
    options = {"strides": strides, "padding": padding, "dilation_rate": dilation, "groups": groups}
    layer = keras.layers.Conv2D(filters, size, **options, dtype="float64")
    layer.build(shape)
    layer.set_weights([kernel, bias])
    given = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(given)
        y = layer(given)
        dy = rng.normal(size=y.shape)
        total = tf.reduce_sum(y * dy)
    dx, dkernel, dbias = tape.gradient(total, [given, layer.kernel.value, layer.bias.value])
    return [np.asarray(a) for a in (x, kernel, bias, dy, y, dkernel, dbias, dx)]


def main():
    cases = [
        {"case": case, "values": [a.round(12).tolist() for a in compute(case, seed)]} for seed, case in enumerate(CASES)
    ]
    path = Path(__file__).with_name("conv2d.json")
    path.write_text(json.dumps(cases, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
