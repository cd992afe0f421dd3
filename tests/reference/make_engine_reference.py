r"""Escribe ``engine.json``, los números de Keras con que se prueba el entrenamiento.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_engine_reference.py
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.reference import oracle

# Optimizador, regularizador de la primera capa y opciones de fit; los pesos son linspace(0, 2, n).
FITS = [
    [["Adam", {"learning_rate": 0.01}], None, {}],
    [["RMSprop", {"learning_rate": 0.01}], None, {"sample_weight": True}],
    [
        ["SGD", {"learning_rate": 0.1, "momentum": 0.9}],
        ["L2", {"l2": 0.01}],
        {"class_weight": {"0": 2.0, "2": 0.5}, "validation_split": 0.25},
    ],
    [["Adam", {"learning_rate": 0.02}], ["L1L2", {"l1": 0.01, "l2": 0.02}], {"validation_data": True}],
]


def data():
    """Los datos y los pesos iniciales con que se entrena."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 7))
    y = x[:, :3].argmax(axis=1)
    weights = [0.3 * rng.normal(size=s) for s in ((7, 16), (16,), (16, 3), (3,))]
    return x, y, weights, np.linspace(0, 2, 60)


def options(found):
    """Los argumentos de fit que describe un caso."""
    x, y, _, weight = data()
    found = dict(found)
    if "class_weight" in found:
        found["class_weight"] = {int(k): v for k, v in found["class_weight"].items()}
    if "sample_weight" in found:
        found["sample_weight"] = weight
    if "validation_data" in found:
        found["validation_data"] = x[:20], y[:20], weight[:20]
    return {"batch_size": 13, "epochs": 4, "shuffle": False, "verbose": 0} | found


def fit(optimizer, regularizer, arguments):
    """Los pesos finales y la historia de cuatro épocas."""
    k = oracle.keras()
    x, y, weights, _ = data()
    penalty = None
    if regularizer is not None:
        cls = getattr(k.regularizers, regularizer[0])
        penalty = cls(**oracle._in_float64(cls, regularizer[1]))
        # El regularizador vuelve sus números de Python, que TensorFlow redondearía.
        vars(penalty).update({name: np.float64(value) for name, value in regularizer[1].items()})
    hidden = k.layers.Dense(16, "tanh", kernel_regularizer=penalty)
    model = k.Sequential([k.layers.Input((7,)), hidden, k.layers.Dense(3)])
    model.set_weights(weights)
    cls = getattr(k.optimizers, optimizer[0])
    model.compile(
        cls(**oracle._in_float64(cls, optimizer[1])),
        k.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        run_eagerly=True,
    )
    history = model.fit(x, y, **options(arguments)).history
    return np.concatenate([w.ravel() for w in model.get_weights()]), history


def records():
    """Todos los casos, con lo que dice Keras."""
    found = {"keras": oracle.keras().__version__, "fits": []}
    for case in FITS:
        theta, history = fit(*case)
        found["fits"].append({"case": case, "theta": theta.tolist(), "history": history})
    return found


if __name__ == "__main__":
    Path(__file__).with_name("engine.json").write_text(json.dumps(records()) + "\n", encoding="utf-8")
