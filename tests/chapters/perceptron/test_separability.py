"""Qué se puede separar con un hiperplano: el programa lineal contra la regla, la rejilla y el recuento."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.perceptron.rosenblatt import Perceptron
from chapters.perceptron.separability import is_separable, search_weights
from dlbook.data import logic_gate

seeds = st.integers(0, 10_000)


@pytest.mark.parametrize(("d", "separable"), [(1, 4), (2, 14), (3, 104)])
def test_boolean_functions_that_one_unit_computes(d, separable):
    x = np.array(list(itertools.product([0, 1], repeat=d)))
    assert sum(is_separable(x, y) for y in itertools.product([0, 1], repeat=2**d)) == separable


@given(seeds, st.integers(1, 12), st.integers(1, 3))
def test_agrees_with_the_rule(seed, n, d):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-2, 3, (n, d)), rng.integers(0, 2, n)
    # Con enteros tan pequeños el margen no puede ser diminuto: 20 000 épocas sobran.
    converged = Perceptron(epochs=20_000).fit(x, y).history["mistakes"][-1] == 0
    assert is_separable(x, y) == converged


@given(seeds, st.floats(-1e6, 1e6), st.sampled_from([1e-200, 1e-9, 1.0, 1e9, 1e200]))
def test_moving_and_scaling_the_data_changes_nothing(seed, shift, scale):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-3, 4, (8, 2)), rng.integers(0, 2, 8)
    assert is_separable((x + shift) * scale, y) == is_separable(x, y)


def test_repeated_points_with_different_labels_are_not_separable():
    assert not is_separable([[1, 2], [1, 2], [0, 0]], [0, 1, 0])


@pytest.mark.parametrize("y", [[0, 0, 0], [1, 1, 1]])
def test_one_class_is_always_separable(y):
    assert is_separable([[1, 2], [1, 2], [0, 0]], y)


def test_the_answer_is_a_plain_bool():
    x, y = logic_gate("or")
    assert is_separable(x, y) is True
    assert is_separable(x, 1 - y) is True
    assert is_separable(*logic_gate("xor")) is False


def test_no_unit_of_the_grid_computes_xor():
    x, y = logic_gate("xor")
    w, b = search_weights(x, y, np.linspace(-2, 2, 41))
    assert w.shape == (0, 2)
    assert b.shape == (0,)


@given(seeds, st.integers(1, 3), st.integers(1, 5))
def test_the_search_finds_exactly_the_units_that_solve_it(seed, d, k):
    rng = np.random.default_rng(seed)
    x, y, values = rng.integers(-2, 3, (5, d)), rng.integers(0, 2, 5), rng.integers(-3, 4, k)
    expected = [u for u in itertools.product(values, repeat=d + 1) if ((x @ u[1:] + u[0] >= 0) == y).all()]
    w, b = search_weights(x, y, values)
    assert np.column_stack([b, w]).tolist() == np.array(expected, float).reshape(-1, d + 1).tolist()
