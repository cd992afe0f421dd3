"""Las capas en fila y el colapso de las lineales."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp.dense import Dense
from chapters.mlp.feedforward import feedforward
from chapters.mlp.linear_collapse import collapse

seeds = st.integers(0, 10_000)
widths = st.lists(st.integers(1, 6), min_size=2, max_size=6)


def random_network(seed, widths):
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=(m, n)) for m, n in itertools.pairwise(widths)]
    return rng.normal(size=(4, widths[0])), weights, [rng.normal(size=n) for n in widths[1:]]


@given(seeds, widths)
def test_feedforward_is_a_row_of_dense_layers(seed, widths):
    x, weights, biases = random_network(seed, widths)
    outputs = feedforward(x, weights, biases, [np.tanh] * len(weights))
    assert [h.shape for h in outputs] == [(4, n) for n in widths]
    h = x
    for W, b, found in zip(weights, biases, outputs[1:], strict=True):
        layer = Dense(W.shape[1], "tanh", dtype="float64")
        layer.build(W.shape[:1])
        layer.set_weights([W, b])
        h = layer.forward(h)
        np.testing.assert_allclose(found, h, rtol=1e-12, atol=1e-14)


@given(seeds, widths)
def test_one_observation_gives_the_row_of_the_batch(seed, widths):
    x, weights, biases = random_network(seed, widths)
    phi = [np.tanh] * (len(weights) - 1) + [None]
    batch = feedforward(x, weights, biases, phi)[-1]
    np.testing.assert_allclose(feedforward(x[2], weights, biases, phi)[-1], batch[2], rtol=1e-12, atol=1e-14)
    standing = np.stack([W.T @ x[0] + b for W, b in zip(weights[:1], biases[:1], strict=True)])[0]
    np.testing.assert_allclose(feedforward(x[0], weights[:1], biases[:1], [None])[1], standing, atol=1e-12)


@given(seeds, widths)
def test_a_stack_of_linear_layers_is_one_layer(seed, widths):
    x, weights, biases = random_network(seed, widths)
    W, b = collapse(weights, biases)
    linear = feedforward(x, weights, biases, [None] * len(weights))[-1]
    np.testing.assert_allclose(linear, x @ W + b, rtol=1e-9, atol=1e-9)
    assert np.linalg.matrix_rank(W) <= min(widths)


def test_erratum_14_the_bias_goes_inside():
    x, weights, biases = random_network(0, [4, 3, 2, 1])
    hidden, output = feedforward(x, weights, biases, [np.tanh] * 3)[2:]
    np.testing.assert_allclose(output, np.tanh(hidden @ weights[2] + biases[2]))
    assert not np.allclose(output, np.tanh(hidden @ weights[2]) + biases[2])


def test_erratum_45_the_first_layer_receives_the_input_as_it_is():
    x, W, b = [0.5, -1.0], [[2.0], [1.0]], [0.1]
    assert feedforward(x, [W], [b], [None])[1] == pytest.approx([0.1])
    assert feedforward(np.tanh(x), [W], [b], [None])[1].round(4) == pytest.approx([0.2626])


def test_worked_example_11():
    W1, b1 = [[0.2, 0.5, 0.2], [0.2, 0.5, 0.6]], [-0.1, 0.1, 0.3]
    W2, b2 = [[0.1, 0.2], [-0.1, 0.3], [-0.1, 0.4]], [0.2, 0.1]
    _, v, y = feedforward([0.1, 0.7], [W1, W2], [b1, b2], [np.tanh, None])
    assert v.round(2).tolist() == [0.06, 0.46, 0.63]
    # La segunda salida es la de nuestros pesos; la del curso, 0.614, no se puede comprobar.
    np.testing.assert_allclose(y, [0.0968666, 0.5022789], atol=1e-7)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: feedforward([1], [], [], []), ValueError, "weights: se esperaba al menos un elemento"),
        (lambda: feedforward([1], [[[1]]], [[0]], [None, None]), ValueError, "tantas matrices"),
        (lambda: feedforward([1, 2], [[[1]]], [[0]], [None]), ValueError, r"weights\[0\]"),
        (lambda: feedforward([1], [[[1]]], [[0, 0]], [None]), ValueError, r"biases\[0\]"),
        (lambda: feedforward([1], [[[1]]], [[0]], ["tanh"]), TypeError, r"activations\[0\]"),
        (lambda: feedforward([np.nan], [[[1]]], [[0]], [None]), ValueError, "x"),
        (lambda: feedforward(["a"], [[[1]]], [[0]], [None]), TypeError, "x"),
        (lambda: collapse([], []), ValueError, "weights: se esperaba al menos un elemento"),
        (lambda: collapse([[[1]]], [[0], [0]]), ValueError, "un sesgo por matriz"),
        (lambda: collapse([[[1]], [[1], [1]]], [[0], [0]]), ValueError, r"weights\[1\]"),
        (lambda: collapse([[1]], [[0]]), ValueError, r"weights\[0\]"),
    ],
)
def test_nonsense_gets_a_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
