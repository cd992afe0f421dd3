"""La unidad de 1943, la unidad con umbral, el sesgo y las compuertas."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.perceptron import (
    binary_inputs,
    firing_rate,
    gate,
    gate_weights,
    mcculloch_pitts,
    step,
    threshold_unit,
    weighted_sum,
)
from dlbook.data import logic_gate

INTEGERS = st.integers(-5, 5)
VECTORS = st.integers(1, 6).flatmap(
    lambda d: st.tuples(st.lists(INTEGERS, min_size=d, max_size=d), st.lists(INTEGERS, min_size=d, max_size=d))
)


@given(VECTORS, INTEGERS)
def test_bias_minus_threshold_decides_the_same(vectors, threshold):
    x, w = vectors
    fired = threshold_unit(x, w, threshold)
    assert fired == (np.dot(w, x) >= threshold) == (np.dot(w, x) - threshold >= 0)
    assert fired == step(weighted_sum(x, w, -threshold))


def test_a_tie_fires_and_a_strict_inequality_would_leave_it_undefined():
    x, w, threshold = np.array([1, 0]), np.array([1, 1]), 1
    z = w @ x - threshold
    assert not z < 0
    assert not z > 0
    assert threshold_unit(x, w, threshold) == 1


@given(VECTORS)
def test_weighted_sum_is_the_loop_and_the_product(vectors):
    x, w = vectors
    assert weighted_sum(x, w) == sum(w_i * x_i for w_i, x_i in zip(w, x, strict=True)) == np.dot(w, x)


def test_many_observations_give_what_each_gives_alone():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 4, 5)), rng.standard_normal(5)
    z = weighted_sum(x, w, 0.5)
    assert z.shape == (3, 4)
    np.testing.assert_allclose(z, x @ w + 0.5, rtol=1e-13)
    assert z[2, 3] == weighted_sum(x[2, 3], w, 0.5)


def test_input_is_not_modified_and_order_of_memory_does_not_matter():
    rng = np.random.default_rng(0)
    x, w = np.asfortranarray(rng.standard_normal((7, 3))), rng.standard_normal(6)[::2]
    before = x.copy()
    np.testing.assert_allclose(weighted_sum(x, w), x @ w, rtol=1e-13)
    assert (x == before).all()


@given(st.integers(1, 4), st.integers(0, 3), st.integers(0, 5))
def test_one_inhibition_silences_the_1943_neuron(m, k, threshold):
    for e in itertools.product((0, 1), repeat=m):
        for h in itertools.product((0, 1), repeat=k):
            expected = int(sum(h) == 0 and sum(e) >= threshold)
            assert mcculloch_pitts(e, h or None, threshold) == expected


def test_1943_neuron_without_inhibition_is_monotone():
    x = binary_inputs(4)
    for threshold in range(6):
        fired = mcculloch_pitts(x, None, threshold)
        below = (x[:, np.newaxis] <= x).all(axis=-1)
        assert (fired[:, np.newaxis] <= fired)[below].all()


def test_weighted_unit_can_trade_what_absolute_inhibition_forbids():
    # Dos excitaciones contra una inhibición: la suma con signo dispara, el veto no.
    assert threshold_unit([1, 1, 1], [1, 1, -1], 1) == 1
    assert mcculloch_pitts([1, 1], [1], 1) == 0


@pytest.mark.parametrize("name", ["and", "or", "nand", "nor"])
def test_gates_are_the_truth_tables_of_the_data_sets(name):
    x, y = logic_gate(name)
    assert (gate(name, x) == y).all()


@given(st.integers(1, 7))
def test_gates_of_any_size(d):
    x = binary_inputs(d)
    s = x.sum(axis=1)
    expected = {"and": s == d, "or": s > 0, "majority": 2 * s > d, "nand": s < d, "nor": s == 0}
    for name, y in expected.items():
        assert (gate(name, x) == y).all()
        w, threshold = gate_weights(name, d)
        assert (threshold_unit(x, w, threshold) == y).all()


def test_julieta():
    x = binary_inputs(3)
    for b, goes_out in {
        -4: [(0, 1, 1), (1, 0, 1), (1, 1, 0), (1, 1, 1)],
        -3: [(0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)],
        -7: [(1, 1, 1)],
    }.items():
        assert [tuple(row) for row in x[threshold_unit(x, [3, 2, 2], -b) == 1].tolist()] == goes_out
        assert firing_rate([3, 2, 2], b) == len(goes_out) / 8


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=6), st.floats(-50, 50), st.floats(0, 50))
def test_firing_rate_never_falls_when_the_bias_rises(w, b, more):
    assert 0 <= firing_rate(w, b) <= firing_rate(w, b + more) <= 1


def test_binary_inputs_count():
    assert binary_inputs(5).tolist() == [list(row) for row in itertools.product((0, 1), repeat=5)]
