r"""Escribe ``ops.json``: lo que da cada operación de ``keras.ops`` en los casos de ``ops_cases.py``, y sus gradientes.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_ops_reference.py
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.reference import oracle
from tests.reference.ops_cases import CASES, reals, replaced, weights


def theirs(name, arguments, options):
    """Lo que sale en Keras, y los gradientes de lo que sale, con sus pesos."""
    import tensorflow as tf

    keras = oracle.keras()
    given = [tf.constant(x, tf.float64) for x in reals(arguments)]
    with tf.GradientTape() as tape:
        tape.watch(given)
        found = getattr(keras.ops, name)(*replaced(arguments, iter(given)), **options)
        found = list(found) if isinstance(found, (list, tuple)) else [found]
        found = [tf.convert_to_tensor(one) for one in found]
        total = sum(
            tf.reduce_sum(tf.cast(one, tf.float64) * weights(one.shape)) for one in found if one.dtype.is_floating
        )
    slopes = [None] * len(given)
    if isinstance(total, tf.Tensor):
        slopes = tape.gradient(total, given, unconnected_gradients="zero")
    return [one.numpy() for one in found], [tf.convert_to_tensor(s).numpy() for s in slopes if s is not None]


def plain(array):
    """Con las cifras que hacen falta."""
    return [array.dtype.name, list(array.shape), [float(f"{float(v):.13g}") for v in array.ravel()]]


def records():
    """Una línea por caso, en el mismo orden."""
    lines = []
    for name, arguments, options in CASES:
        values, slopes = theirs(name, arguments, options)
        lines.append(json.dumps([name, [plain(v) for v in values], [plain(s) for s in slopes]]))
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    Path(__file__).with_name("ops.json").write_text(records(), encoding="utf-8")
