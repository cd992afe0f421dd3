"""El teorema de Novikoff, comprobado: ningún orden ni ninguna tasa rebasan la cota."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.perceptron.convergence import mistake_bound
from chapters.perceptron.rosenblatt import Perceptron

seeds = st.integers(0, 10_000)


def separable(seed, n, d, margin):
    rng = np.random.default_rng(seed)
    w, b = rng.normal(size=d), rng.normal()
    x = rng.normal(size=(40 * n, d))
    z = x @ w + b
    keep = np.flatnonzero(np.abs(z) > margin * np.linalg.norm(np.append(w, b)))[:n]
    return x[keep], (z[keep] > 0).astype(int), w, b


@given(seeds, st.integers(1, 25), st.integers(1, 5), st.sampled_from([0.3, 0.1, 0.05]), st.sampled_from([1.0, 0.01]))
def test_corrections_never_exceed_the_bound(seed, n, d, margin, learning_rate):
    x, y, w, b = separable(seed, n, d, margin)
    if not len(x):
        return
    bound = mistake_bound(x, y, w, b)
    for shuffle in (False, True):
        history = Perceptron(learning_rate, 10**6, shuffle, seed).fit(x, y).history["mistakes"]
        assert history[-1] == 0
        assert sum(history) <= bound


@given(seeds, st.sampled_from([1e-200, 1e-3, 7.0, 1e200]))
def test_the_scale_of_the_hyperplane_does_not_matter(seed, scale):
    x, y, w, b = separable(seed, 10, 3, 0.1)
    np.testing.assert_allclose(mistake_bound(x, y, w * scale, b * scale), mistake_bound(x, y, w, b), rtol=1e-9)


def test_half_the_margin_is_four_times_the_bound():
    points = lambda gap: [[-gap], [gap], [1.0], [-1.0]]  # noqa: E731
    wide, narrow = (mistake_bound(points(gap), [0, 1, 1, 0], [1], 0) for gap in (0.2, 0.1))
    assert narrow == pytest.approx(4 * wide)


def test_a_margin_too_small_for_a_double_gives_infinity():
    assert mistake_bound([[1e-200], [-1e-200], [1.0]], [1, 0, 1], [1], 0) == np.inf


@pytest.mark.parametrize(("w", "b"), [([0, 0], 0), ([1, 1], -1), ([-1, -1], 1)])
def test_a_hyperplane_that_does_not_separate_is_refused(w, b):
    with pytest.raises(ValueError, match="no está del lado correcto"):
        mistake_bound([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 1], w, b)
