"""Lo que cuesta la atención, el softmax en una pasada y los mosaicos."""

import tracemalloc

import numpy as np
import pytest

from chapters.attention import (
    MultiHeadAttention,
    layer_costs,
    online_softmax,
    tiled_attention_backward,
    tiled_attention_forward,
)
from chapters.cnn import Conv1D
from chapters.mlp import Dense, Flatten, Input, Model, Sequential
from chapters.rnn import SimpleRNN
from dlbook.gradcheck import check_gradients

SIZES = [(13, 7, False, 4), (13, 13, True, 4), (130, 130, True, 64), (5, 9, True, 3), (9, 5, True, 3), (1, 1, True, 64)]


def drawn(steps, sources, dtype=np.float64):
    rng = np.random.default_rng(0)
    shapes = (2, 3, steps, 6), (2, 3, sources, 6), (2, 3, sources, 5), (2, 3, steps, 5)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def whole(query, key, value, dy, causal):
    # La atención con su matriz entera, y su vuelta.
    scale = query.shape[-1] ** -0.5
    scores = scale * query @ key.swapaxes(-1, -2)
    if causal:
        seen = np.arange(key.shape[-2]) <= np.arange(query.shape[-2])[:, None]
        scores = np.where(seen, scores, -np.inf)
    a = np.exp(scores - scores.max(-1, keepdims=True))
    a /= a.sum(-1, keepdims=True)
    da = dy @ value.swapaxes(-1, -2)
    ds = scale * a * (da - (a * da).sum(-1, keepdims=True))
    return a @ value, (ds @ key, ds.swapaxes(-1, -2) @ query, a.swapaxes(-1, -2) @ dy)


@pytest.mark.parametrize(("steps", "sources", "causal", "block"), SIZES)
@pytest.mark.parametrize(("dtype", "near"), [(np.float32, 1e-5), (np.float64, 1e-12)])
def test_tiles_give_the_same_as_the_whole_matrix(steps, sources, causal, block, dtype, near):
    query, key, value, dy = drawn(steps, sources, dtype)
    z, right = whole(query, key, value, dy, causal)
    tiled, logsumexp = tiled_attention_forward(query, key, value, block, causal)
    assert tiled.dtype == dtype
    assert np.allclose(tiled, z, atol=near)
    found = tiled_attention_backward(query, key, value, tiled, logsumexp, dy, block, causal)
    for ours, exact in zip(found, right, strict=True):
        assert ours.dtype == dtype
        assert np.allclose(ours, exact, atol=20 * near)


def test_the_gradients_of_the_tiles_are_those_of_finite_differences():
    query, key, value, dy = (a[0, :1] for a in drawn(7, 7))
    values = {"query": query, "key": key, "value": value}

    def loss():
        return (tiled_attention_forward(query, key, value, 3, True)[0] * dy).sum()

    out = tiled_attention_forward(query, key, value, 3, True)
    slopes = tiled_attention_backward(query, key, value, *out, dy, 3, True)
    assert check_gradients(loss, values, dict(zip(values, slopes, strict=True))).ok


def test_the_tiles_never_hold_the_matrix():
    query, key, value = np.random.default_rng(0).normal(size=(3, 1024, 8)).astype(np.float32)
    tiled_attention_forward(query[:2], key[:2], value[:2])
    tracemalloc.start()
    z, logsumexp = tiled_attention_forward(query, key, value)
    tiled_attention_backward(query, key, value, z, logsumexp, z)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1024 * 1024 * 4 / 8


def test_huge_scores_do_not_overflow():
    query = np.full((3, 4), 1e4)
    z, logsumexp = tiled_attention_forward(query, query, np.arange(3.0)[:, None], 2)
    assert np.allclose(z, 1)
    assert np.isfinite(logsumexp).all()
    scores = np.array([[-1e300, 0.0, 1e300]])
    assert np.allclose(online_softmax(scores, [[1.0], [2.0], [3.0]], 1)[0], 3)


@pytest.mark.parametrize("block", [1, 2, 3, 100])
def test_the_size_of_the_block_does_not_matter(block):
    rng = np.random.default_rng(1)
    scores, value = rng.normal(size=(2, 4, 7)), rng.normal(size=(7, 3))
    z, m, total = online_softmax(scores, value, block)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    assert np.allclose(z, weights @ value / weights.sum(-1, keepdims=True))
    assert np.array_equal(m, scores.max(-1))
    assert np.allclose(total, weights.sum(-1))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": np.ones((3, 4))}, r"key: se esperaba"),
        ({"value": np.ones((2, 5, 4))}, r"mismos ejes"),
        ({"block": 0}, r"block: se esperaba un entero de al menos 1"),
        ({"query": np.full((5, 6), np.nan)}, r"query: se esperaban números finitos"),
    ],
)
def test_wrong_arguments_are_said(change, said):
    good = {"query": np.ones((5, 6)), "key": np.ones((5, 6)), "value": np.ones((5, 4))}
    with pytest.raises(ValueError, match=said):
        tiled_attention_forward(**good | change)


def test_the_way_back_needs_what_came_out():
    x = np.ones((5, 6))
    z, logsumexp = tiled_attention_forward(x, x, x)
    with pytest.raises(ValueError, match="se esperaban z y dy de forma"):
        tiled_attention_backward(x, x, x, z, logsumexp[:-1], z)


@pytest.mark.parametrize(("length", "width", "size"), [(10, 4, 3), (7, 5, 5), (1, 2, 3)])
def test_the_costs_are_those_of_the_layers(length, width, size):
    layers = {
        "densa": Sequential([Input((length, width)), Flatten(), Dense(length * width)]),
        "convolución": Sequential([Input((length, width)), Conv1D(width, size, padding="same")]),
        "recurrente": Sequential([Input((length, width)), SimpleRNN(width, return_sequences=True)]),
    }
    costs = layer_costs(length, width, size)
    for name, model in layers.items():
        assert costs[name]["parameters"] == model.count_params(), name
    x = Input((length, width))
    attention = Model(x, MultiHeadAttention(1, width)(x, x))
    assert costs["atención"]["parameters"] == attention.count_params()
