"""La sigmoide y la neurona completa."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.perceptron import neuron, sigmoid, step
from dlbook.data import ages_and_salaries

Z = np.linspace(-8, 8, 161)


def test_derivative_of_the_sigmoid():
    h = 1e-5
    numeric = (sigmoid(Z + h) - sigmoid(Z - h)) / (2 * h)
    np.testing.assert_allclose(sigmoid(Z) * (1 - sigmoid(Z)), numeric, atol=1e-10)
    assert sigmoid(0.0) * (1 - sigmoid(0.0)) == 0.25 == (sigmoid(Z) * (1 - sigmoid(Z))).max()


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_sigmoid_is_symmetric_increasing_and_never_overflows(z, other):
    assert sigmoid(-z) == pytest.approx(1 - sigmoid(z), abs=1e-15)
    assert 0 <= sigmoid(z) <= 1
    assert (sigmoid(z) <= sigmoid(other)) or z >= other


def test_sigmoid_keeps_shape_and_type():
    z = np.zeros((2, 3, 4), np.float32)
    assert sigmoid(z).shape == z.shape
    assert sigmoid(z).dtype == np.float32
    assert sigmoid(np.float32([-200, 200])).tolist() == [0, 1]


def test_sigmoid_is_the_definition():
    np.testing.assert_allclose(sigmoid(Z), 1 / (1 + np.exp(-Z)), rtol=1e-15)


def test_log_odds_are_the_preactivation():
    p = sigmoid(Z)
    np.testing.assert_allclose(np.log(p / (1 - p)), Z, atol=1e-11)


def test_course_example():
    assert neuron([-1, 2], [3, -2], 1, "linear") == -6
    assert neuron([-1, 2], [3, -2], 1) == pytest.approx(0.0024726232, abs=1e-10)
    assert round(float(neuron([-1, 2], [3, -2], 1)), 3) == 0.002


def test_sum_vector_and_augmented_forms_agree():
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal((20, 4)), rng.standard_normal(4), 0.3
    augmented = np.column_stack([np.ones(20), x])
    for activation, phi in {"linear": lambda z: z, "step": step, "sigmoid": sigmoid}.items():
        y = neuron(x, w, b, activation)
        np.testing.assert_allclose(y, phi(x @ w + b), rtol=1e-13)
        np.testing.assert_allclose(y, neuron(augmented, [b, *w], 0, activation), rtol=1e-13)


def test_salary_line():
    ages = np.array([[20], [25], [30], [35]])
    np.testing.assert_allclose(neuron(ages, [0.036], 4.51, "linear"), [5.23, 5.41, 5.59, 5.77], rtol=1e-15)


def test_least_squares_recovers_the_salary_line():
    x, y = ages_and_salaries(n=300, noise=0.1, seed=0)
    age = x[:, 0]
    w = np.cov(age, y, bias=True)[0, 1] / age.var()
    b = y.mean() - w * age.mean()
    assert w == pytest.approx(0.036, abs=2e-3)
    assert b == pytest.approx(4.51, abs=0.08)

    # Es el mínimo: moverse a cualquier lado empeora.
    def error(w, b):
        return ((neuron(x, [w], b, "linear") - y) ** 2).mean()

    for dw, db in [(1e-3, 0), (-1e-3, 0), (0, 1e-2), (0, -1e-2), (1e-4, -5e-3)]:
        assert error(w + dw, b + db) > error(w, b)
