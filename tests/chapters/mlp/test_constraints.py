"""Las restricciones: lo que miden los vectores, y lo que hace con ellas una capa."""

import numpy as np
import pytest

from chapters.mlp import (
    SGD,
    Dense,
    Input,
    Layer,
    MaxNorm,
    MinMaxNorm,
    NonNeg,
    Sequential,
    UnitNorm,
    constraints,
    shapes_only,
)

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(16, 3)), 10 * RNG.normal(size=(16, 1))


def trained(**options):
    model = Sequential([Input((3,)), Dense(5, "tanh", **options), Dense(1)], seed=0)
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=3, batch_size=4, verbose=0)
    return model


@pytest.mark.parametrize(("axis", "lengths"), [(0, (4,)), (1, (3,)), (-1, (3,)), ((0, 1), ()), ([0, 1], ())])
def test_lengths_are_those_allowed(axis, lengths):
    w = RNG.normal(size=(3, 4))

    def measured(v):
        return np.sqrt((v**2).sum(axis=tuple(axis) if isinstance(axis, list) else axis))

    assert measured(w).shape == lengths
    np.testing.assert_allclose(measured(UnitNorm(axis)(w)), 1, rtol=1e-6)
    np.testing.assert_allclose(measured(MaxNorm(1.5, axis)(w)), np.minimum(measured(w), 1.5), rtol=1e-6)
    np.testing.assert_allclose(measured(MinMaxNorm(1.2, 1.5, axis=axis)(w)), np.clip(measured(w), 1.2, 1.5), rtol=1e-6)


def test_a_model_with_constraints_obeys_them():
    model = trained(kernel_constraint="unit_norm", bias_constraint=NonNeg())
    kernel, bias = model.layers[0].get_weights()
    np.testing.assert_allclose((kernel**2).sum(axis=0), 1, rtol=1e-5)
    assert (bias >= 0).all()
    assert model.constrained
    assert not trained().constrained


def test_frozen_weights_are_left_alone():
    model = Sequential([Input((3,)), Dense(5, kernel_constraint="non_neg"), Dense(1)], seed=0)
    model.layers[0].trainable = False
    before = model.layers[0].get_weights()[0]
    model.compile("sgd", "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    assert (before < 0).any()
    np.testing.assert_array_equal(model.layers[0].kernel, before)


def test_a_function_of_the_reader_is_a_constraint_too_and_cannot_be_saved(tmp_path):
    def small(w):
        return np.clip(w, -0.1, 0.1)

    model = trained(kernel_constraint=small)
    assert abs(model.layers[0].kernel).max() == pytest.approx(0.1)
    with pytest.raises(TypeError, match="Dense, kernel_constraint: no se sabe guardar"):
        model.save(tmp_path / "red.safetensors")


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (MaxNorm(axis=2), "axis: se esperaban ejes distintos entre -2 y 1, los de w, pero llegó 2"),
        (MaxNorm(axis=(0, -2)), "axis: se esperaban ejes distintos"),
        (lambda w: w[0], r"dense, peso, restricción: se esperaba la forma \(3, 5\), pero llegó \(5,\)"),
        (lambda w: w * np.nan, "dense, peso, restricción: se esperaban números finitos"),
        (lambda w: None, "dense, peso, restricción: se esperaban números reales"),
    ],
)
def test_one_that_does_not_fit_is_refused_when_the_weight_is_made(constraint, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Dense(5, kernel_constraint=constraint).build((3,))


def test_without_weights_it_is_not_tried():
    with shapes_only():
        Dense(5, kernel_constraint="max_norm").build((1_000_000,))


def test_a_layer_of_the_reader_may_constrain_its_weights():
    class Scale(Layer):
        def build(self, input_shape):
            super().build(input_shape)
            self.scale = self.add_weight(input_shape, "ones", constraint=constraints.NonNeg())

        def forward(self, x, training=False):
            self.x = self.ready(x)
            self.y = self.x * self.scale
            return self.y

        def backward(self, dy):
            dy = self.output_gradient(dy)
            self.gradients[0][:] = (dy * self.x).sum(axis=0)
            return dy * self.scale

    model = Sequential([Input((3,)), Scale()], seed=0)
    model.compile(SGD(0.1), "mse")
    model.fit(X, X * [-1, 2, -3], epochs=200, verbose=0)
    np.testing.assert_allclose(model.layers[0].scale, [0, 2, 0], atol=0.1)
    assert (model.layers[0].scale == 0).sum() == 2


def test_overflow_is_told_by_the_loss_and_not_by_the_constraint():
    model = Sequential([Input((3,)), Dense(1, kernel_constraint="max_norm")], seed=0)
    model.compile(SGD(1e30), "mse")
    with pytest.raises(FloatingPointError):
        model.fit(X, Y, epochs=20, batch_size=4, verbose=0)
