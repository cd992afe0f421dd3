r"""Escribe ``masks.json``: lo que miden y aprenden unas redes de Keras por las que pasa una máscara.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_masks_reference.py
"""

import importlib
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.reference import oracle

NAMES = [
    "denses",
    "masking",
    "recurrent",
    "normalized",
    "averaged",
    "added",
    "multiplied",
    "merged",
    "least",
    "concatenated",
    "flattened",
]


def network(name, where):
    """Una de las redes, hecha con las capas de Keras o con las del libro."""
    if where == "keras":
        layers = oracle.keras().layers
        made, model = (lambda kind, *a, **b: getattr(layers, kind)(*a, **b)), oracle.keras().Model
    else:
        houses = [importlib.import_module(f"chapters.{house}") for house in ("mlp", "cnn", "rnn")]

        def made(kind, *a, **b):
            return getattr(next(house for house in houses if hasattr(house, kind)), kind)(*a, **b)

        model = houses[0].Model
    x = made("Input", (5, 3) if name == "masking" else (5,))
    e = made("Masking")(x) if name == "masking" else made("Embedding", 7, 3, mask_zero=True)(x)
    ways = {
        "denses": lambda: made("Dense", 4, activation="tanh")(e),
        "masking": lambda: made("Dropout", 0.0)(made("Dense", 4, activation="tanh")(e)),
        "recurrent": lambda: made("SimpleRNN", 4, return_sequences=True)(e),
        "normalized": lambda: made("BatchNormalization", momentum=0.5)(e),
        "averaged": lambda: made("GlobalAveragePooling1D")(e),
        "merged": lambda: made("Maximum")([made("SimpleRNN", 3, return_sequences=True)(e), e]),
        "added": lambda: made("Add")([made("SimpleRNN", 3, return_sequences=True)(e), e]),
        "multiplied": lambda: made("Multiply")([made("SimpleRNN", 3, return_sequences=True)(e), e]),
        "least": lambda: made("Minimum")([e, made("Dense", 3)(e)]),
        "concatenated": lambda: made("Concatenate", axis=1)([e, made("Embedding", 7, 3)(x)]),
        "flattened": lambda: made("Flatten")(e),
    }
    return model(x, made("Dense", 2)(ways[name]()))


def numbers(name, weighed):
    """Los datos de un caso y lo que da Keras: lo que predice, lo que mide y lo que aprende en tres épocas."""
    keras = oracle.keras()
    rng = np.random.default_rng([int(weighed), *name.encode()])
    x = rng.integers(1, 7, (6, 5))
    for k, length in enumerate([5, 3, 1, 4, 2, 5] if name == "averaged" else [5, 3, 0, 4, 1, 5]):
        x[k, length:] = 0
    if name == "masking":
        x = np.where((x != 0)[..., np.newaxis], rng.normal(size=(6, 5, 3)).round(3), 0)
    model = network(name, "keras")
    weights = [rng.normal(size=w.shape).round(3) for w in model.get_weights()]
    weights = [np.abs(w) if "moving_variance" in v.path else w for w, v in zip(weights, model.weights, strict=True)]
    model.set_weights(weights)
    shape = tuple(model.output_shape[1:])
    y = rng.normal(size=(6, *shape)).round(3)
    s = rng.random((6, *shape[:-1])).round(3) if weighed else None
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"], weighted_metrics=["mse"])
    predicted = model.predict(x, verbose=0)
    measured = model.evaluate(x, y, batch_size=4, sample_weight=s, verbose=0)
    history = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, sample_weight=s, verbose=0).history
    return {
        **{"name": name, "x": x.tolist(), "y": y.tolist(), "sample_weight": None if s is None else s.tolist()},
        **{"weights": [w.tolist() for w in weights], "predicted": _plain(predicted), "measured": _plain(measured)},
        **{
            "history": {key: _plain(v) for key, v in history.items()},
            "after": [_plain(w) for w in model.get_weights()],
        },
    }


def _plain(values):
    return np.vectorize(lambda v: float(f"{v:.9g}"))(np.asarray(values, float)).tolist()


if __name__ == "__main__":
    cases = [numbers(name, weighed) for name in NAMES for weighed in (False, True)]
    rows = ",\n".join(map(json.dumps, cases))
    path = Path(__file__).with_name("masks.json")
    path.write_text(f'{{"keras": "{oracle.keras().__version__}", "cases": [\n{rows}\n]}}\n', encoding="utf-8")
