"""La capa Maxout frente a NumPy, frente a la definición de derivada y frente a quien la usa mal."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp.dense import Dense
from chapters.mlp.maxout import Maxout


def reference(x, kernel, bias, units):
    z = x @ kernel + bias
    return z.reshape(*z.shape[:-1], -1, units).max(axis=-2)


@given(
    shape=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    units=st.integers(1, 5),
    pieces=st.integers(1, 4),
    dtype=st.sampled_from(["float32", "float64"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_is_the_largest_of_its_pieces(shape, units, pieces, dtype, seed):
    rng = np.random.default_rng(seed)
    layer = Maxout(units, pieces, dtype=dtype, seed=0)
    layer.build(tuple(shape[1:]))
    layer.set_weights([rng.standard_normal(w.shape) for w in layer.weights])
    x = rng.standard_normal(shape).astype(dtype)
    y = layer.forward(x)
    assert y.dtype == dtype
    assert y.shape[1:] == layer.compute_output_shape(x.shape[1:])
    np.testing.assert_allclose(y, reference(x, *layer.weights, units), rtol=1e-4, atol=1e-5)


def test_one_piece_is_a_dense_layer():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((7, 3)), rng.standard_normal((7, 4))
    maxout, dense = Maxout(4, pieces=1, dtype="float64"), Dense(4, dtype="float64")
    for layer in (maxout, dense):
        layer.build((3,))
        layer.set_weights([np.arange(12.0).reshape(3, 4), np.arange(4.0)])
    assert (maxout.forward(x) == dense.forward(x)).all()
    assert (maxout.backward(dy) == dense.backward(dy)).all()
    assert all((a == b).all() for a, b in zip(maxout.gradients, dense.gradients, strict=True))


def test_a_zero_piece_recovers_relu_and_a_fraction_recovers_the_leak():
    z = np.linspace(-3, 3, 25)[:, np.newaxis]
    layer = Maxout(1, dtype="float64")
    layer.build((1,))
    for alpha in (0.0, 0.1, 0.9):
        layer.set_weights([[[1, alpha]], [0, 0]])
        np.testing.assert_allclose(layer.forward(z), np.where(z > 0, z, alpha * z), atol=1e-15)
        slope = layer.backward(np.ones_like(z))
        away = z != 0
        np.testing.assert_allclose(slope[away], np.where(z > 0, 1, alpha)[away], atol=1e-15)


def test_ties_go_to_the_first_piece_and_the_gradient_is_not_counted_twice():
    layer = Maxout(1, pieces=3, dtype="float64")
    layer.build((1,))
    layer.set_weights([[[2, 2, 2]], [0, 0, 0]])
    layer.forward([[1.0]])
    assert layer.backward([[1.0]]).tolist() == [[2.0]]
    assert layer.gradients[0].tolist() == [[1.0, 0.0, 0.0]]


def test_theta_is_adopted():
    layer = Maxout(2, seed=0)
    layer.build((3,))
    before = layer.forward(np.ones((1, 3)))
    theta, gradient = np.zeros(16, np.float32), np.zeros(16, np.float32)
    rest, _ = layer.adopt(theta, gradient)
    assert rest.size == 0
    assert (layer.forward(np.ones((1, 3))) == before).all()
    theta[:] = 0
    assert not layer.forward(np.ones((1, 3))).any()


def test_a_nan_is_not_hidden_by_the_maximum():
    for bad in (0, 1, 2):
        layer = Maxout(1, pieces=3)
        layer.build((1,))
        layer.set_weights([[[3.0, 2.0, 1.0]], [0, 0, 0]])
        layer.kernel[0, bad] = np.nan
        assert np.isnan(layer.forward(np.ones((1, 1), np.float32))).all()


def test_regularizers_reach_the_weights():
    layer = Maxout(1, kernel_regularizer="l2", dtype="float64")
    layer.build((1,))
    layer.set_weights([[[1, 2]], [0, 0]])
    assert layer.penalty() > 0


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Maxout(0), ValueError),
        (lambda: Maxout(2.5), TypeError),
        (lambda: Maxout(2, pieces=True), TypeError),
        (lambda: Maxout(2, kernel_initializer="nada"), ValueError),
        (lambda: Maxout(2).forward(np.ones(3)), ValueError),
        (lambda: Maxout(2).forward(np.ones((0, 3))), ValueError),
        (lambda: Maxout(2).forward([["a"]]), TypeError),
        (lambda: Maxout(2).forward([[np.inf]]), ValueError),
        (lambda: Maxout(2).backward(np.ones((1, 2))), ValueError),
    ],
)
def test_nonsense_gets_a_clear_error(make, error):
    with pytest.raises(error, match=r"se esperaba|hacia delante|números finitos"):
        make()
