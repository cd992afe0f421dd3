r"""Escribe ``blocks.json``: lo que dan y derivan los bloques del transformer, hechos con las capas de Keras.

KerasHub no hace falta: aquí se arman como él, con ``MultiHeadAttention``, ``LayerNormalization`` y ``Dense``. Se
ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_blocks_reference.py
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.reference import oracle

HIDDEN, HEADS, WIDTH, STEPS, SOURCES = 5, 2, 4, 3, 6
# Qué bloque y si se normaliza antes; con «cross», el decodificador recibe además otra secuencia.
CASES = [(name, first) for name in ("encoder", "decoder", "cross") for first in (False, True)]


def data(shapes=()):
    """Las secuencias, qué se puede mirar, el gradiente de la salida y unos pesos."""
    rng = np.random.default_rng(0)
    x, memory, share = (rng.normal(size=(2, n, WIDTH)) for n in (STEPS, SOURCES, STEPS))
    seen, other = np.arange(STEPS) < [[3], [2]], np.arange(SOURCES) < [[4], [6]]
    return x, memory, share, seen, other, [0.5 * rng.normal(size=shape) for shape in shapes]


def built(name, first):
    """Las capas de Keras, en el orden de KerasHub, y lo que hacen con las secuencias."""
    layers, options = oracle.keras().layers, {"dtype": "float64"}
    mine, cross = (layers.MultiHeadAttention(HEADS, WIDTH // HEADS, **options) for _ in range(2))
    mine_norm, cross_norm, feed_norm = (layers.LayerNormalization(epsilon=1e-5, **options) for _ in range(3))
    inner, outer = layers.Dense(HIDDEN, "gelu", **options), layers.Dense(WIDTH, **options)

    def part(x, norm, change):
        return x + change(norm(x)) if first else norm(x + change(x))

    def run(x, memory, seen, other):
        own = {"attention_mask": seen[:, None, :], "use_causal_mask": name != "encoder"}
        y = part(x, mine_norm, lambda x: mine(x, x, **own))
        if name == "cross":
            y = part(y, cross_norm, lambda y: cross(y, memory, attention_mask=other[:, None, :]))
        return part(y, feed_norm, lambda y: outer(inner(y)))

    own = [mine, mine_norm, *([cross, cross_norm] if name == "cross" else [])]
    return [*own, *([feed_norm, inner, outer] if name == "encoder" else [inner, outer, feed_norm])], run


def numbers(name, first):
    """Lo que sale, y los gradientes de las secuencias y de los pesos."""
    import tensorflow as tf

    layers, run = built(name, first)
    x, memory, share, seen, other, _ = data()
    run(x, memory, seen, other)
    variables = [v for layer in layers for v in layer.trainable_variables]
    for variable, value in zip(variables, data([v.shape for v in variables])[-1], strict=True):
        variable.assign(value)
    sources = [tf.constant(x), tf.constant(memory)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        y = run(*sources, seen, other)
        loss = tf.reduce_sum(y * share)
    slopes = tape.gradient(loss, [*sources, *(v.value for v in variables)])
    found = [y, *(s for s in slopes if s is not None)]
    return [[float(f"{v:.12g}") for v in np.ravel(a)] for a in found]


if __name__ == "__main__":
    found = {f"{name} {first}": numbers(name, first) for name, first in CASES}
    path = Path(__file__).with_name("blocks.json")
    path.write_text(json.dumps({"keras": oracle.keras().__version__, **found}) + "\n", encoding="utf-8")
