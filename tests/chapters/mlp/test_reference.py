"""Las capas y el entrenamiento, contra los números de Keras 3: los guardados y, donde está instalado, los suyos."""

import json
from pathlib import Path

import numpy as np
import pytest

import chapters.mlp.activation
import chapters.mlp.dense
import chapters.mlp.dropout
import chapters.mlp.flatten
import chapters.mlp.reshape
from chapters.mlp import optimizers, regularizers
from chapters.mlp.losses import SparseCategoricalCrossentropy
from chapters.mlp.sequential import Input, Sequential

REFERENCE = json.loads((Path(__file__).resolve().parents[2] / "reference" / "engine.json").read_text(encoding="utf-8"))


def arrays(values):
    return [np.array(v) for v in values]


def our_layer(name, arguments, weights, x, dy):
    layer = getattr(getattr(chapters.mlp, name.lower()), name)(**arguments, dtype="float64")
    layer.build(x.shape[1:])
    layer.set_weights(weights)
    y = layer.forward(x)
    dx = layer.backward(dy)
    return [y, dx, *layer.gradients]


def our_fit(case):
    from tests.reference.make_engine_reference import data, options

    (optimizer, arguments), regularizer, given = case
    x, y, weights, _ = data()
    penalty = regularizer and getattr(regularizers, regularizer[0])(**regularizer[1])
    hidden = chapters.mlp.dense.Dense(16, "tanh", kernel_regularizer=penalty)
    model = Sequential([Input((7,)), hidden, chapters.mlp.dense.Dense(3)], dtype="float64")
    model.set_weights(weights)
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model.compile(getattr(optimizers, optimizer)(**arguments), loss, metrics=["accuracy"])
    return model.fit(x, y, **options(given)).history, model.theta


def compare_layers(ours, theirs):
    assert np.allclose(ours[0], theirs[0], rtol=1e-9, atol=1e-9)
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        assert np.allclose(a, b, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("case", REFERENCE["layers"], ids=lambda c: f"{c['name']}-{np.array(c['x']).shape}")
def test_a_layer_agrees_with_keras(case):
    given = arrays(case["weights"]), np.array(case["x"]), np.array(case["dy"])
    compare_layers(our_layer(case["name"], case["arguments"], *given), arrays(case["values"]))


@pytest.mark.parametrize("case", REFERENCE["fits"], ids=lambda c: c["case"][0][0])
def test_a_training_agrees_with_keras(case):
    history, theta = our_fit(case["case"])
    assert np.allclose(theta, case["theta"], rtol=1e-9, atol=1e-9)
    assert set(history) == set(case["history"])
    for name, values in history.items():
        assert np.allclose(values, case["history"][name], rtol=1e-9), name


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("index", range(len(REFERENCE["layers"])))
def test_a_layer_agrees_with_the_keras_installed_here(index, seed):
    pytest.importorskip("keras")
    from tests.reference import make_engine_reference as oracle

    rng = np.random.default_rng(seed)
    case = REFERENCE["layers"][index]
    shapes = [np.shape(case["values"][0])[1:], *(np.shape(w) for w in case["weights"])]
    n = int(rng.integers(1, 6))
    x = rng.normal(size=(n, *np.shape(case["x"])[1:]))
    dy, *weights = (rng.normal(size=s) for s in ((n, *shapes[0]), *shapes[1:]))
    given = case["name"], case["arguments"], weights, x, dy
    compare_layers(our_layer(*given), oracle.layer(*given))
