"""Los cuatro peldaños dan lo mismo, y lo mismo que entrenar cada perceptrón por su lado."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.perceptron.rosenblatt import Perceptron
from chapters.perceptron.speed import RUNGS, one_vs_rest


@pytest.mark.parametrize("rung", list(RUNGS))
@given(st.integers(0, 10_000), st.integers(4, 12), st.integers(1, 9), st.integers(1, 4))
def test_every_rung_trains_the_same_weights(rung, seed, n, d, classes):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-8, 9, (n, d)), rng.integers(0, classes, n)
    w, b = one_vs_rest(x, y, classes, epochs=5, rung=rung)
    for k in range(classes):
        alone = Perceptron(epochs=5).fit(x, y == k)
        assert (w[k] == alone.w).all()
        assert b[k] == alone.b


@pytest.mark.parametrize("rung", ["python", "threads"])
def test_the_loops_agree_to_the_last_bit_on_any_numbers(rung):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 30)), rng.integers(0, 5, 60)
    expected = one_vs_rest(x, y, 5, rung="numba")
    for got, wanted in zip(one_vs_rest(x, y, 5, rung=rung), expected, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_an_unknown_rung_is_refused():
    with pytest.raises(ValueError, match="'python' o 'numpy' o 'numba' o 'threads'"):
        one_vs_rest([[1.0], [2.0]], [0, 1], 2, rung="gpu")
