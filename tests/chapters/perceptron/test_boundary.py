"""La geometría de la frontera de decisión."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.perceptron import neuron, signed_distance

WEIGHTS = st.lists(st.floats(-5, 5).filter(lambda v: v == 0 or abs(v) > 0.01), min_size=2, max_size=5).filter(any)


def test_course_boundary():
    w, b = np.array([3.0, -2.0]), 1.0
    assert signed_distance([[0, 0.5], [-1 / 3, 0]], w, b) == pytest.approx([0, 0], abs=1e-15)
    assert signed_distance([-1, 2], w, b) == pytest.approx(-6 / np.sqrt(13))
    assert neuron([-1, 2], w, b) < 0.5 < neuron([1, 0], w, b)


@given(WEIGHTS, st.floats(-5, 5), st.integers(0, 1000))
def test_the_foot_is_on_the_boundary_and_nothing_on_it_is_closer(w, b, seed):
    rng = np.random.default_rng(seed)
    w = np.array(w)
    x = rng.standard_normal(w.size)
    distance = signed_distance(x, w, b)
    unit = w / np.linalg.norm(w)
    foot = x - distance * unit
    assert signed_distance(foot, w, b) == pytest.approx(0, abs=1e-9)
    along = rng.standard_normal((20, w.size))
    along -= np.outer(along @ unit, unit)
    assert signed_distance(foot + along, w, b) == pytest.approx(np.zeros(20), abs=1e-9)
    assert along @ w == pytest.approx(np.zeros(20), abs=1e-9)
    assert (np.linalg.norm(foot + along - x, axis=1) >= abs(distance) - 1e-9).all()


@given(WEIGHTS, st.floats(-5, 5), st.floats(0.01, 100))
def test_positive_scaling_keeps_the_boundary_and_negative_swaps_the_sides(w, b, c):
    x = np.random.default_rng(0).standard_normal((30, len(w)))
    distance = signed_distance(x, w, b)
    np.testing.assert_allclose(signed_distance(x, c * np.array(w), c * b), distance, atol=1e-10)
    np.testing.assert_allclose(signed_distance(x, -np.array(w), -b), -distance, atol=1e-10)


def test_raising_the_bias_moves_the_boundary_against_the_weights():
    w, x = np.array([3.0, 4.0]), np.zeros(2)
    assert signed_distance(x, w, 5) == 1
    assert signed_distance(x, w, 10) == 2


def test_half_planes_are_convex():
    rng = np.random.default_rng(0)
    w, b = np.array([3.0, -2.0]), 1.0
    p, q = rng.standard_normal((2, 500, 2))
    t = rng.random((500, 1))
    both = (signed_distance(p, w, b) > 0) & (signed_distance(q, w, b) > 0)
    assert both.any()
    assert (signed_distance((1 - t) * p + t * q, w, b)[both] > 0).all()
