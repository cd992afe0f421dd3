"""El agrupamiento frente a su definición, ventana por ventana."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters import cnn

seeds = st.integers(0, 2**32 - 1)
sides = st.integers(1, 8)
windows = st.tuples(st.integers(1, 4), st.integers(1, 4))
paddings = st.sampled_from(["valid", "same"])


def positions(size, length, stride, padding):
    """Los índices de cada ventana a lo largo de un eje, sin los que caen fuera."""
    outputs = (size - length) // stride + 1 if padding == "valid" else -(-size // stride)
    before = 0 if padding == "valid" else max((outputs - 1) * stride + length - size, 0) // 2
    return [
        [i for i in range(u * stride - before, u * stride - before + length) if 0 <= i < size] for u in range(outputs)
    ]


def summarize(x, pool_size, strides, padding, statistic):
    rows, columns = (positions(x.shape[k + 1], pool_size[k], strides[k], padding) for k in (0, 1))
    return np.stack(
        [np.stack([statistic(x[:, r][:, :, c], axis=(1, 2)) for c in columns], axis=1) for r in rows], axis=1
    )


@given(
    seed=seeds,
    n=st.integers(1, 3),
    height=sides,
    width=sides,
    channels=st.sampled_from([1, 3, 6, 16, 17]),
    pool_size=windows,
    strides=st.none() | windows,
    padding=paddings,
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_every_window_by_hand(seed, n, height, width, channels, pool_size, strides, padding, dtype):
    x = np.random.default_rng(seed).normal(size=(n, height, width, channels)).round(1).astype(dtype)
    fits = padding == "same" or (pool_size[0] <= height and pool_size[1] <= width)
    for make, statistic in ((cnn.MaxPooling2D, np.max), (cnn.MinPooling2D, np.min), (cnn.AveragePooling2D, np.mean)):
        layer = make(pool_size, strides, padding, dtype=dtype)
        if not fits:
            with pytest.raises(ValueError, match=f"quepa en {height}×{width}, pero llegó"):
                layer.forward(x)
            continue
        y = layer.forward(x)
        np.testing.assert_allclose(
            y, summarize(x, pool_size, strides or pool_size, padding, statistic), rtol=1e-5, atol=1e-6
        )
        # Toda la culpa llega, salvo que ninguna ventana la reciba: la suma se conserva.
        dy = np.random.default_rng(seed).normal(size=y.shape).astype(dtype)
        np.testing.assert_allclose(layer.backward(dy).sum(axis=(1, 2)), dy.sum(axis=(1, 2)), rtol=1e-3, atol=1e-3)


@given(seed=seeds, height=st.integers(2, 9), width=st.integers(2, 9), channels=st.sampled_from([1, 5, 16, 40]))
def test_the_two_by_two_shortcut_is_the_same_operation(seed, height, width, channels):
    from chapters.cnn.pooling import max_pooling
    from chapters.cnn.pooling.base import window_spans

    x = np.random.default_rng(seed).integers(-2, 3, (2, height, width, channels)).astype(np.float64)
    layer = cnn.MaxPooling2D(dtype="float64")
    y = layer.forward(x)
    assert layer._tiles_2x2(x)
    spans = window_spans(x.shape[1:], (2, 2), (2, 2), "valid")
    slow, dy = np.empty_like(y), np.random.default_rng(seed).normal(size=y.shape)
    max_pooling._max_pooling_forward(x, spans, slow)
    assert np.array_equal(y, slow)
    dx = np.empty_like(x)
    max_pooling._max_pooling_backward(x, y, dy, spans, dx)
    assert np.array_equal(layer.backward(dy), dx)


def test_a_tie_goes_to_the_first_of_the_window_and_is_counted_once():
    x = np.zeros((1, 4, 4, 2))
    for pool_size, strides in (((2, 2), None), ((3, 3), (1, 1))):
        layer = cnn.MaxPooling2D(pool_size, strides, dtype="float64")
        dx = layer.forward(x) * 0 + 1
        assert layer.backward(dx)[0, 0, 0].tolist() == [1, 1]
        assert layer.backward(dx).sum() == dx.size


def test_a_nan_is_not_hidden():
    for place in np.ndindex(2, 2):
        x = np.ones((1, 2, 2, 3), np.float32)
        x[(0, *place, 1)] = np.nan
        for layer in (cnn.MaxPooling2D(), cnn.MaxPooling2D(2, 1), cnn.AveragePooling2D(), cnn.GlobalMaxPooling2D()):
            layer.build((2, 2, 3))
            assert np.isnan(layer.forward(x)).ravel().tolist() == [False, True, False]


def test_padding_never_wins_and_never_counts():
    x = np.full((1, 3, 3, 1), -5.0)
    assert (cnn.max_pooling_forward(x, 2, padding="same") == -5).all()
    assert (cnn.average_pooling_forward(x, 2, padding="same") == -5).all()
    assert (cnn.MinPooling2D(2, padding="same", dtype="float64").forward(-x) == 5).all()


def test_global_pooling_is_pooling_with_a_window_as_large_as_the_image():
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 2))
    for whole, local in (
        (cnn.GlobalAveragePooling2D, cnn.AveragePooling2D),
        (cnn.GlobalMaxPooling2D, cnn.MaxPooling2D),
    ):
        one, other = whole(dtype="float64"), local((4, 5), dtype="float64")
        assert np.array_equal(one.forward(x), other.forward(x)[:, 0, 0])
        dy = np.random.default_rng(1).normal(size=(3, 2))
        assert np.array_equal(one.backward(dy), other.backward(dy[:, np.newaxis, np.newaxis]))


def test_moving_by_the_stride_moves_the_answer_one_place():
    x = np.zeros((1, 12, 12, 3))
    x[:, 4:8, 4:8] = np.random.default_rng(0).normal(size=(4, 4, 3))
    for f in (cnn.max_pooling_forward, cnn.average_pooling_forward):
        assert np.array_equal(f(np.roll(x, 2, axis=2)), np.roll(f(x), 1, axis=2))
        assert not np.allclose(f(np.roll(x, 1, axis=2)), f(x))
    moved = cnn.GlobalMaxPooling2D(dtype="float64").forward(np.roll(x, 3, axis=1))
    assert np.array_equal(moved, cnn.GlobalMaxPooling2D(dtype="float64").forward(x))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: cnn.MaxPooling2D(0), ValueError, "pool_size"),
        (lambda: cnn.MaxPooling2D(2.0), TypeError, "pool_size"),
        (lambda: cnn.MaxPooling2D((2, 2, 2)), ValueError, "pool_size"),
        (lambda: cnn.MaxPooling2D(strides=0), ValueError, "strides"),
        (lambda: cnn.MaxPooling2D(strides=(1, -1)), ValueError, "strides"),
        (lambda: cnn.AveragePooling2D(padding="causal"), ValueError, "padding"),
        (lambda: cnn.MaxPooling2D(5).build((4, 8, 1)), ValueError, "quepa en 4×8"),
        (lambda: cnn.max_pooling_forward(np.ones((4, 4))), ValueError, "x: se esperaba la forma"),
        (lambda: cnn.max_pooling_forward(np.ones((1, 0, 4, 1))), ValueError, "al menos un elemento"),
        (lambda: cnn.max_pooling_backward(np.ones((1, 4, 4, 1)), np.ones((1, 4, 4, 1))), ValueError, "dy: se esperaba"),
        (lambda: cnn.average_pooling_backward(np.ones((1, 2, 2, 1)), (4, 4, 1)), ValueError, "x: se esperaba la forma"),
        (lambda: cnn.average_pooling_backward(np.ones((1, 2, 2, 1)), (1, -4, 4, 1)), ValueError, "input_shape"),
        (lambda: cnn.average_pooling_backward(np.ones((1, 2, 2, 1)), 4), TypeError, "input_shape"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize("arguments", [(10**30,), (2, 10**30), (10**12, 1, "same")])
def test_huge_numbers_do_not_reach_the_compiled_code(arguments):
    with pytest.raises(ValueError, match="se esperaba"):
        cnn.max_pooling_forward(np.ones((1, 3, 3, 1)), *arguments)
