r"""Escribe ``recurrent.json``: lo que dan las capas recurrentes de Keras con máscaras, estados y opciones al azar.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_recurrent_reference.py

Solo calcula lo que falta.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.reference import oracle

# Por cada clase, cuántos estados tiene y qué opciones se le sortean además de las de todas.
CLASSES = {
    "GRU": (
        1,
        {
            "activation": ["tanh", "tanh", "relu"],
            "recurrent_activation": ["sigmoid", "sigmoid", "hard_sigmoid"],
            "reset_after": [True, False],
        },
    ),
    "LSTM": (2, {"activation": ["tanh", "tanh", "softsign"], "recurrent_activation": ["sigmoid", "sigmoid", "tanh"]}),
    "SimpleRNN": (1, {"activation": ["tanh", "relu", "sigmoid", "softsign"]}),
}
PER_CLASS = 12
COMMON = {
    "use_bias": [True, True, False],
    "return_sequences": [False, True],
    "return_state": [False, True],
    "go_backwards": [False, True],
}


def drawn(name, k):
    """Los argumentos y los datos del caso ``k`` de una clase."""
    states, own = CLASSES[name]
    rng = np.random.default_rng([k, *name.encode()])
    n, steps, d, units = (int(rng.integers(1, top)) for top in (4, 6, 4, 5))
    options = {key: values[int(rng.integers(len(values)))] for key, values in (COMMON | own).items()}
    mask = (rng.random((n, steps)) < 0.6).tolist() if rng.random() < 0.7 else None
    initial = rng.normal(size=(states, n, units)).round(3).tolist() if rng.random() < 0.5 else None
    x = rng.normal(size=(n, steps, d)).round(3).tolist()
    return {"arguments": {"units": units} | options, "x": x, "mask": mask, "initial_state": initial, "seed": k}


def numbers(name, case):
    """Lo que da Keras: los pesos que se le pusieron, lo que sale, y los gradientes de todo."""
    import tensorflow as tf

    layer = getattr(oracle.keras().layers, name)(**case["arguments"], dtype="float64")
    x = tf.constant(case["x"], "float64")
    layer.build(x.shape)
    rng = np.random.default_rng(case["seed"])
    weights = [rng.normal(size=w.shape).round(3) for w in layer.get_weights()]
    layer.set_weights(weights)
    initial = None if case["initial_state"] is None else [tf.constant(s, "float64") for s in case["initial_state"]]
    mask = None if case["mask"] is None else tf.constant(case["mask"])
    with tf.GradientTape() as tape:
        tape.watch([x, *(initial or [])])
        found = layer(x, mask=mask, initial_state=initial)
        found = list(found) if isinstance(found, (list, tuple)) else [found]
        share = [rng.normal(size=y.shape).round(3) for y in found]
        loss = sum(tf.reduce_sum(y * s) for y, s in zip(found, share, strict=True))
    sources = [x, *(initial or []), *(v.value for v in layer.trainable_variables)]
    gradients = tape.gradient(loss, sources, unconnected_gradients="zero")

    def plain(arrays):
        return [np.vectorize(lambda v: float(f"{v:.12g}"))(np.asarray(a)).tolist() for a in arrays]

    return {"weights": plain(weights), "dy": plain(share), "y": plain(found), "gradients": plain(gradients)}


if __name__ == "__main__":
    path = Path(__file__).with_name("recurrent.json")
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found = {}
    for name in CLASSES:
        for k in range(PER_CLASS):
            key, case = f"{name} {k}", drawn(name, k)
            old = known.get(key)
            same = old is not None and all(old[part] == value for part, value in case.items())
            found[key] = old if same else case | numbers(name, case)
    rows = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in found.items())
    path.write_text("{\n" + rows + "\n}\n", encoding="utf-8")
