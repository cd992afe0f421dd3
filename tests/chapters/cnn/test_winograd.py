"""Winograd frente al núcleo directo, a la identidad exacta y a la definición de derivada, y cuándo se elige."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.cnn.convolution import conv2d
from chapters.cnn.convolution.conv2d import Conv2D, Places, conv2d_backward, conv2d_forward
from chapters.cnn.convolution.im2col import find_windows
from chapters.cnn.convolution.winograd import (
    POINTS,
    Winograd,
    winograd_backward,
    winograd_forward,
    winograd_matrices,
)
from chapters.mlp.activations import LeakyReLU, ReLU
from chapters.mlp.dense import Dense
from chapters.mlp.flatten import Flatten
from chapters.mlp.sequential import Input, Sequential
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads
from dlbook.numeric.vectors import BYTES

LANES = BYTES // 4
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}

layers = st.fixed_dictionaries(
    {
        "n": st.integers(1, 4),
        "size": st.tuples(st.integers(6, 19), st.integers(6, 19)),
        "channels": st.sampled_from([1, 2, 3, 5, 8, 16, 24, 32]),
        "filters": st.sampled_from([1, 2, 7, 8, 16, 33, 48]),
        "padding": st.sampled_from(["valid", "same"]),
        "dtype": st.sampled_from(["float32", "float64"]),
    }
)


def draw(given, seed):
    rng = np.random.default_rng(seed)
    shapes = (given["n"], *given["size"], given["channels"]), (3, 3, given["channels"], given["filters"])
    return rng, *(rng.normal(size=shape).astype(given["dtype"]) for shape in (*shapes, given["filters"]))


def assert_close(found, right, dtype):
    """El error, relativo al mayor de los números, es del tamaño del redondeo."""
    assert found.dtype == dtype
    assert np.abs(found - right).max() <= TOLERANCE[dtype] * np.abs(right).max()


@settings(max_examples=40)
@given(layers, st.integers(0, 2**32 - 1))
def test_forward_is_the_convolution(given, seed):
    _, x, kernel, bias = draw(given, seed)
    right = conv2d_forward(x, kernel, bias, padding=given["padding"])
    assert_close(winograd_forward(x, kernel, bias, given["padding"]), right, given["dtype"])


@settings(max_examples=40)
@given(layers, st.integers(0, 2**32 - 1))
def test_backward_is_that_of_the_convolution(given, seed):
    rng, x, kernel, _ = draw(given, seed)
    dy = rng.normal(size=conv2d_forward(x, kernel, padding=given["padding"]).shape).astype(given["dtype"])
    right = conv2d_backward(x, kernel, dy, padding=given["padding"])
    for a, b in zip(winograd_backward(x, kernel, dy, given["padding"]), right, strict=True):
        assert_close(a, b, given["dtype"])


@given(st.lists(st.sampled_from([0, 1, -1, 2, -2, 0.5, -0.5, 3, -3]), min_size=1, max_size=6, unique=True), st.data())
def test_the_identity_is_exact(points, data):
    # Las dos partes son lineales en los datos y en el filtro: basta con los que tienen un solo 1.
    taps = data.draw(st.integers(1, len(points) + 1))
    exact = [
        [[Fraction(v).limit_denominator(10**6) for v in row] for row in m] for m in winograd_matrices(points, taps)
    ]
    a, g, b = exact
    size = len(points) + 1
    for u, i, j in product(range(size - taps + 1), range(size), range(taps)):
        assert sum(a[k][u] * b[k][i] * g[k][j] for k in range(size)) == (i == u + j)


def test_the_points_of_the_book_are_the_precise_ones():
    # Con 1/2 y -2 el error es menos de la mitad que con 2 y -2.
    def error(points, seed):
        rng = np.random.default_rng(seed)
        a, g, b = (m.astype(np.float32) for m in winograd_matrices(points))
        d, w = rng.normal(size=(300, 6, 6, 16)).astype("f"), rng.normal(size=(3, 3, 16)).astype("f")
        v, u = np.einsum("ka,nabc,lb->nklc", b, d, b), np.einsum("ka,abc,lb->klc", g, w, g)
        y = np.einsum("ka,nkl,lb->nab", a, (v * u).sum(axis=-1), a)
        right = conv2d_forward(d.astype(float), w.astype(float)[..., np.newaxis])[..., 0]
        return np.abs(y - right).max()

    own, usual = (np.median([error(p, seed) for seed in range(5)]) for p in (POINTS, (0, 1, -1, 2, -2)))
    assert own < usual / 2


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("side", [6, 7])
def test_gradients_by_finite_differences(padding, side):
    layer = Conv2D(LANES // 2, 3, padding=padding, activation="tanh", dtype="float64", seed=0)
    x = np.random.default_rng(0).normal(size=(2, side, side + 2, LANES // 2))
    y = layer.forward(x)
    assert isinstance(layer.at(x.shape[1:]), Winograd)
    direction = np.random.default_rng(1).normal(size=y.shape)
    dx = layer.backward(direction)
    names = "x", "kernel", "bias"
    parameters = dict(zip(names, (x, layer.kernel, layer.bias), strict=True))
    gradients = dict(zip(names, (dx, *layer.gradients), strict=True))
    assert check_gradients(lambda: float((layer.forward(x) * direction).sum()), parameters, gradients).ok


def used(layer, shape):
    layer.build(shape)
    return isinstance(layer.at(shape), Winograd)


def test_it_is_chosen_when_it_pays():
    wide = 2 * LANES
    assert used(Conv2D(wide, 3, padding="same"), (14, 14, LANES))
    assert used(Conv2D(LANES, 3), (6, 6, wide))
    assert used(Conv2D(LANES // 2, 3, dtype="float64"), (6, 6, LANES // 2))
    # Un solo canal, canales a medio vector, mapas pequeños o que desperdician, otro filtro, paso, dilatación o grupos.
    for layer, shape in (
        (Conv2D(wide, 3), (14, 14, 1)),
        (Conv2D(wide, 3), (14, 14, LANES + 1)),
        (Conv2D(LANES + 1, 3), (14, 14, LANES)),
        (Conv2D(wide, 3), (5, 5, LANES)),
        (Conv2D(wide, 3), (7, 7, LANES)),
        (Conv2D(wide, 5), (14, 14, LANES)),
        (Conv2D(wide, 3, strides=2), (14, 14, LANES)),
        (Conv2D(wide, 3, dilation_rate=2), (14, 14, LANES)),
        (Conv2D(wide, 3, groups=2), (14, 14, wide)),
    ):
        assert not used(layer, shape)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("use_bias", [True, False])
def test_the_layer_gives_the_same_as_without_it(monkeypatch, padding, use_bias):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 13, 10, LANES)).astype("f")
    found = []
    for pays in (conv2d.pays, lambda *sizes: False):
        monkeypatch.setattr(conv2d, "pays", pays)
        layer = Conv2D(2 * LANES, 3, padding=padding, activation="relu", use_bias=use_bias, seed=0)
        y = layer(x)
        dx = layer.backward(np.random.default_rng(1).normal(size=y.shape).astype("f"))
        found.append((y, dx, *layer.gradients, layer.at(x.shape[1:])))
    assert [type(parts[-1]) for parts in found] == [Winograd, Places]
    for a, b in zip(*(parts[:-1] for parts in found), strict=True):
        assert_close(a, b, "float32")


def test_the_fused_relu_is_the_relu():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 9, 9, LANES))
    fused, apart = (Conv2D(LANES, 3, activation=f, seed=0) for f in (ReLU(), LeakyReLU(0.0)))
    assert (fused.forward(x) == apart.forward(x)).all()
    dy = rng.normal(size=fused.y.shape)
    assert (fused.backward(dy) == apart.backward(dy)).all()
    assert all((a == b).all() for a, b in zip(fused.gradients, apart.gradients, strict=True))


def test_an_image_does_not_depend_on_who_is_with_it():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 14, 14, LANES)).astype("f")
    layer = Conv2D(2 * LANES, 3, padding="same", seed=0)
    whole = layer(x)
    for some in (slice(0, 1), slice(3, 10), slice(39, 40)):
        assert (layer(x[some]) == whole[some]).all()


def test_training_gives_the_same_bits_again():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(64, 12, 12, LANES)).astype("f"), rng.integers(0, 4, 64)
    weights = []
    for threads in (1, 2, 2):
        set_threads(threads)
        parts = [Conv2D(LANES, 3, padding="same", activation="relu"), Conv2D(LANES, 3), Flatten(), Dense(4)]
        model = Sequential([Input((12, 12, LANES)), *parts], seed=0)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=32, epochs=2, verbose=0)
        weights.append(model.theta.copy())
    set_threads(None)
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-4)
    assert (weights[1] == weights[2]).all()


def test_a_step_asks_for_no_memory():
    layer = Conv2D(2 * LANES, 3, padding="same", activation="relu", seed=0)
    layer.build((14, 14, LANES))
    layer = layer.replica()
    x = np.random.default_rng(0).normal(size=(4, 14, 14, LANES)).astype("f")
    asked = []
    for _ in range(3):
        y = layer.forward(x)
        layer.backward(y)
        asked.append({name: array.ctypes.data for name, array in layer.buffers.items()})
    assert asked[0] == asked[1] == asked[2]


def test_what_was_in_the_memory_before_does_not_matter():
    layer = Conv2D(LANES, 3, padding="same", seed=0)
    layer.build((13, 14, LANES))
    layer = layer.replica()
    x = np.random.default_rng(0).normal(size=(3, 13, 14, LANES)).astype("f")
    found = []
    for garbage in (0.0, 1e30, np.nan):
        y = layer.forward(x)
        layer.backward(x)
        for array in layer.buffers.values():
            array.fill(garbage)
        y, dx = layer.forward(x).copy(), layer.backward(x).copy()
        found.append((y, dx, *(g.copy() for g in layer.gradients)))
    for other in found[1:]:
        assert all((a == b).all() for a, b in zip(found[0], other, strict=True))


def test_a_nan_is_seen():
    layer = Conv2D(LANES, 3, activation="relu", seed=0)
    layer.build((8, 8, LANES))
    layer.kernel[1, 1, 0, 1] = np.nan
    y = layer.forward(np.ones((1, 8, 8, LANES)))
    assert np.isnan(y[..., 1]).all()
    assert not np.isnan(y[..., 0]).any()


def test_the_memory_does_not_grow_with_the_batch():
    windows = find_windows((64, 64, LANES), 3, padding="same")
    asked = {}
    for n in (1, 9):
        x, kernel = np.zeros((n, 64, 64, LANES), "f"), np.zeros((3, 3, LANES, LANES), "f")

        def buffer(name, shape, n=n):
            asked[n, name] = int(np.prod(shape))
            return np.zeros(shape, "f")

        Winograd(windows, LANES, np.dtype("f")).forward(x, kernel, None, -np.inf, buffer)
    assert asked[1, "winograd"] == asked[9, "winograd"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: winograd_matrices([0, 1, 1]), ValueError, "1.0 está repetido"),
        (lambda: winograd_matrices([0]), ValueError, "al menos 2 puntos"),
        (lambda: winograd_matrices([1e300, -1e300]), ValueError, "desbordan"),
        (lambda: winograd_matrices([0, 1], taps=0), ValueError, "taps"),
        (lambda: winograd_matrices("cero"), TypeError, "números reales"),
        (lambda: winograd_forward(np.ones((1, 5, 9, 1)), np.ones((3, 3, 1, 1))), ValueError, "4 × 4 o más"),
        (lambda: winograd_forward(np.ones((1, 9, 9, 2)), np.ones((3, 3, 1, 1))), ValueError, "kernel"),
        (lambda: winograd_forward(np.ones((1, 9, 9, 1)), np.ones((5, 5, 1, 1))), ValueError, "kernel"),
        (lambda: winograd_forward(np.ones((1, 9, 9, 1)), np.ones((3, 3, 1, 1)), np.ones(2)), ValueError, "bias"),
        (lambda: winograd_forward(np.ones((1, 9, 9, 1)), np.ones((3, 3, 1, 1)), None, "full"), ValueError, "padding"),
        (
            lambda: winograd_backward(np.ones((1, 9, 9, 1)), np.ones((3, 3, 1, 1)), np.ones((1, 9, 9, 1))),
            ValueError,
            r"\(1, 7, 7, 1\)",
        ),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
