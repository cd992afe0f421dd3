"""El entrenamiento, contra los números guardados de Keras 3."""

import json
from pathlib import Path

import numpy as np
import pytest

from chapters.mlp import Dense, Input, Sequential, optimizers, regularizers
from chapters.mlp.losses import SparseCategoricalCrossentropy

REFERENCE = json.loads((Path(__file__).resolve().parents[2] / "reference" / "engine.json").read_text(encoding="utf-8"))


def our_fit(case):
    from tests.reference.make_engine_reference import data, options

    (optimizer, arguments), regularizer, given = case
    x, y, weights, _ = data()
    penalty = regularizer and getattr(regularizers, regularizer[0])(**regularizer[1])
    hidden = Dense(16, "tanh", kernel_regularizer=penalty)
    model = Sequential([Input((7,)), hidden, Dense(3)], dtype="float64")
    model.set_weights(weights)
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model.compile(getattr(optimizers, optimizer)(**arguments), loss, metrics=["accuracy"])
    return model.fit(x, y, **options(given)).history, model.theta


@pytest.mark.parametrize("case", REFERENCE["fits"], ids=lambda c: c["case"][0][0])
def test_a_training_agrees_with_keras(case):
    history, theta = our_fit(case["case"])
    assert np.allclose(theta, case["theta"], rtol=1e-9, atol=1e-9)
    assert set(history) == set(case["history"])
    for name, values in history.items():
        assert np.allclose(values, case["history"][name], rtol=1e-9), name
