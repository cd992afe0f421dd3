"""Redes construidas sin entrenar y la silla de la red más pequeña."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp.dense import Dense
from chapters.mlp.gradient_descent import gradient_descent
from chapters.mlp.saddle import linear_chain, linear_chain_hessian
from chapters.mlp.sequential import Sequential
from chapters.mlp.universal import relu_interpolation, tanh_staircase

POINTS = st.lists(
    st.tuples(st.integers(-50, 50), st.floats(-100, 100)), min_size=2, max_size=12, unique_by=lambda p: p[0]
)


def network(weights, activation, dtype="float64"):
    model = Sequential([Dense(weights[0].shape[1], activation), Dense(1)], dtype=dtype)
    model.build((1,))
    model.set_weights(weights)
    return model


@given(POINTS)
def test_the_relu_network_is_the_interpolation(points):
    knots, values = np.array(sorted(points), dtype=float).T
    x = np.linspace(knots[0], knots[-1], 101)
    W1, b1, W2, b2 = relu_interpolation(knots, values)
    y = np.maximum(x[:, None] @ W1 + b1, 0) @ W2 + b2
    np.testing.assert_allclose(y[:, 0], np.interp(x, knots, values), atol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_weights_fit_a_model(dtype):
    knots = np.linspace(-1, 1, 9)
    x = np.linspace(-1, 1, 50, dtype=dtype)[:, None]
    model = network(relu_interpolation(knots, knots**2), "relu", dtype)
    assert np.abs(model.predict(x) - x**2).max() <= 0.25**2 / 4 + 1e-5


def test_the_staircase_stays_within_one_step_of_the_function():
    knots = np.linspace(0, 3, 61)
    x = np.linspace(0, 3, 1000)[:, None]
    model = network(tanh_staircase(knots, np.sin(2 * knots), 2000), "tanh")
    # El seno cambia a lo más 2·0.05 de un nudo al siguiente, y la escalera está a menos de un escalón.
    assert np.abs(model.predict(x) - np.sin(2 * x)).max() < 0.1


def test_the_staircase_starts_and_ends_at_the_end_values():
    W1, b1, W2, b2 = tanh_staircase([0, 1, 3], [5, -2, 4], 50)
    ends = np.tanh(np.array([[-10.0], [10.0]]) @ W1 + b1) @ W2 + b2
    np.testing.assert_allclose(ends[:, 0], [5, 4])


@pytest.mark.parametrize("function", [relu_interpolation, lambda k, v: tanh_staircase(k, v, 10)])
@pytest.mark.parametrize(
    ("knots", "values", "message"),
    [
        ([0], [1], r"knots: se esperaban al menos dos nudos"),
        ([0, 0], [1, 2], r"knots: se esperaban al menos dos nudos"),
        ([0, 1], [1], r"values: se esperaba la forma"),
        ([0, np.inf], [1, 2], r"knots: se esperaban números finitos"),
        ([[0, 1]], [1, 2], r"knots: se esperaba la forma"),
    ],
)
def test_bad_knots_are_refused(function, knots, values, message):
    with pytest.raises(ValueError, match=message):
        function(knots, values)


def test_what_does_not_fit_in_a_float_is_refused():
    with pytest.raises(ValueError, match=r"cambios de pendiente: se esperaban números finitos"):
        relu_interpolation([0, 1e-320], [0, 1e300])
    with pytest.raises(ValueError, match=r"escalera: se esperaban números finitos"):
        tanh_staircase([0, 1e200], [0, 1], 1e200)
    with pytest.raises(ValueError, match=r"steepness: se esperaba un número mayor que 0"):
        tanh_staircase([0, 1], [0, 1], 0)


@given(st.floats(-3, 3), st.floats(-3, 3))
def test_the_derivatives_of_the_saddle_are_its_derivatives(w1, w2):
    h, theta = 1e-5, np.array([w1, w2])
    for j, e in enumerate(np.eye(2)):
        up, down = linear_chain(theta + h * e), linear_chain(theta - h * e)
        assert np.isclose((up[0] - down[0]) / (2 * h), linear_chain(theta)[1][j], atol=1e-6, rtol=1e-6)
        np.testing.assert_allclose((up[1] - down[1]) / (2 * h), linear_chain_hessian(theta)[j], atol=1e-6, rtol=1e-6)


def test_the_only_critical_points_are_the_origin_and_the_valley():
    assert np.linalg.eigvalsh(linear_chain_hessian([0, 0])).tolist() == [-2, 2]
    rng = np.random.default_rng(0)
    for start in rng.uniform(-1.5, 1.5, size=(30, 2)):
        end = gradient_descent(linear_chain, start, learning_rate=0.05, tolerance=1e-9)[-1]
        assert np.isclose(end[0] * end[1], 1, atol=1e-6)


@pytest.mark.parametrize("theta", [[1.0], [1.0, np.nan], [[1.0, 2.0]]])
def test_bad_weights_are_refused(theta):
    for function in (linear_chain, linear_chain_hessian):
        with pytest.raises(ValueError, match=r"theta: se esperaba"):
            function(theta)
