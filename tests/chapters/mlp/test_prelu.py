"""La PReLU: lo que solo ella promete."""

import numpy as np
import pytest

from chapters.mlp import SGD, Dense, Input, Sequential
from chapters.mlp.activations import LeakyReLU
from chapters.mlp.activations.prelu import PReLU, prelu_backward, prelu_forward
from chapters.mlp.initializers import Constant
from dlbook.gradcheck import check_gradients

RNG = np.random.default_rng(0)


def test_a_new_one_is_a_relu_and_with_a_constant_a_leaky_relu():
    x = RNG.normal(size=(5, 4, 3))
    assert np.array_equal(PReLU(dtype="float64").forward(x), np.maximum(x, 0))
    leaky = PReLU(Constant(0.1), shared_axes=(1, 2), dtype="float64")
    assert np.allclose(leaky.forward(x), LeakyReLU(0.1)(x))


@pytest.mark.parametrize("axes", [None, 1, 3, (1, 2), [2, 3], (1, 2, 3)])
def test_shared_slopes_have_one_number_and_the_summed_gradient(axes):
    x, dy = RNG.normal(size=(2, 6, 2, 3, 4))
    shared = () if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)
    layer = PReLU(Constant(0.3), shared_axes=axes, dtype="float64")
    layer.forward(x)
    layer.backward(dy)
    assert layer.alpha.shape == tuple(1 if k in shared else n for k, n in enumerate((2, 3, 4), 1))
    each, _ = prelu_backward(x, np.full((2, 3, 4), 0.3), dy)
    together = each.sum(axis=tuple(k - 1 for k in shared), keepdims=True) if shared else each
    assert np.allclose(layer.gradients[0], together)


def test_the_facades_have_the_measured_gradients_when_slopes_are_shared():
    x, dy = RNG.normal(size=(2, 4, 3, 2))
    alpha = RNG.normal(size=(1, 2))
    dalpha, dx = prelu_backward(x, alpha, dy)
    report = check_gradients(
        lambda: float((prelu_forward(x, alpha) * dy).sum()), {"x": x, "alpha": alpha}, {"x": dx, "alpha": dalpha}
    )
    assert report.ok


def test_an_unknown_side_is_fine_if_it_is_shared():
    layer = PReLU(Constant(0.5), shared_axes=(1, 2))
    layer.build((None, None, 2))
    assert layer.compute_output_shape((None, 7, 2)) == (None, 7, 2)
    for side in (3, 5):
        assert np.allclose(layer.forward(np.full((1, side, side, 2), -1.0)), -0.5)


@pytest.mark.parametrize(
    ("axes", "shape"), [((1, 3), (4, 2)), (2, (None, 3)), ((1,), (None, None, 3))], ids=["missing", "first", "second"]
)
def test_what_build_refuses_compute_output_shape_refuses_with_the_same_sentence(axes, shape):
    with pytest.raises(ValueError, match="shared_axes: se esperaba") as one:
        PReLU(shared_axes=axes).build(shape)
    with pytest.raises(ValueError, match="shared_axes: se esperaba") as other:
        PReLU(shared_axes=axes).compute_output_shape(shape)
    assert str(one.value) == str(other.value)


@pytest.mark.parametrize("axes", [0, -1, (1, -2)])
def test_the_axis_of_observations_and_negative_axes_are_refused(axes):
    with pytest.raises(ValueError, match=r"shared_axes\[\d\]: se esperaba un entero entre 1 y 64"):
        PReLU(shared_axes=axes)


def test_a_constraint_keeps_the_slopes_where_they_should_be():
    x = RNG.normal(size=(40, 3))
    model = Sequential([Input((3,)), PReLU(alpha_constraint="non_neg"), Dense(1)], seed=0)
    model.compile(SGD(0.5), "mse")
    model.fit(x, np.abs(x).sum(axis=1), epochs=5, verbose=0)
    assert (model.layers[0].alpha >= 0).all()
