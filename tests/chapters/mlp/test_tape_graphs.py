"""La cinta y las redes con ramas: lo que suman las capas a la pérdida, y las capas de quien lee con varias entradas."""

import numpy as np
import pytest

from chapters.mlp import SGD, Dense, GradientTape, Input, Layer, MeanSquaredError, Model, ops
from dlbook.gradcheck import check_gradients

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))


class Sampling(Layer):
    """Una muestra con su media y su dispersión, y lo que se aparta de una normal."""

    def call(self, inputs):
        mean, spread = inputs
        self.add_loss(-0.5 * ops.mean(ops.sum(1 + spread - ops.square(mean) - ops.exp(spread), axis=1)))
        return mean + ops.exp(0.5 * spread) * 0.3


class Sum(Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.first = Dense(2, activity_regularizer="l2", kernel_regularizer="l2")
        self.second = Dense(2)

    def call(self, inputs):
        a, b = inputs
        return self.first(a) + self.second(b)


class Gate(Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.inner = Dense(2, activity_regularizer="l2")

    def call(self, a, b, training=False):
        return self.inner(a) * b


def variational():
    x = Input((3,))
    hidden = Dense(4, "tanh")(x)
    sample = Sampling()([Dense(2)(hidden), Dense(2)(hidden)])
    return Model(x, Dense(2, kernel_regularizer="l2")(sample), seed=0, dtype="float64"), X


def summed():
    return Sum(seed=0, dtype="float64"), [X, Y]


def gated():
    a, b = Input((3,)), Input((2,))
    return Model([a, b], Gate()(a, b), seed=0, dtype="float64"), [X, Y]


@pytest.mark.parametrize("make", [variational, summed, gated])
def test_it_has_the_right_gradient_by_fit_and_by_a_loop_of_ones_own(make):
    (model, x), (twin, _) = make(), make()
    for one in (model, twin):
        one.compile(SGD(0.1), "mse")
        one.loss_and_gradient(x, Y)
    loss, gradient = model.loss_and_gradient(x, Y)
    report = check_gradients(lambda: model.loss_and_gradient(x, Y)[0], {"theta": model.theta}, {"theta": gradient})
    assert report.ok, f"\n{report}"
    with GradientTape() as tape:
        value = model.compute_loss(y=Y, y_pred=model(x, training=True))
    found = tape.gradient(value, model.trainable_variables)
    assert float(value) == pytest.approx(loss)
    np.testing.assert_allclose(np.concatenate([g.ravel() for g in found]), gradient, atol=1e-12)
    SGD(0.1).apply(found, model.trainable_variables)
    history = twin.fit(x, Y, batch_size=6, verbose=0).history["loss"]
    assert history[0] == pytest.approx(loss)
    np.testing.assert_allclose(model.theta, twin.theta)


def test_what_a_layer_adds_counts_as_much_as_it_is_asked_to():
    layer, x = Dense(2, activity_regularizer="l2", dtype="float64", seed=0), X.copy()
    layer(x)
    for share in (0.0, 1.0, 3.0):
        with GradientTape() as tape:
            value = ops.sum(ops.sin(layer(x))) + share * sum(layer.losses)
        found = tape.gradient(value, [x, layer.kernel])

        def measured(share=share):
            y = x @ layer.kernel + layer.bias
            return float(np.sin(y).sum() + share * 0.01 * np.square(y).sum() / 6)

        given = {"x": x, "w": layer.kernel}
        assert check_gradients(measured, given, dict(zip(given, found, strict=True))).ok


def test_several_outputs_of_a_model_are_recorded():
    x = Input((3,))
    model = Model(x, [Dense(2)(x), Dense(3)(x)], seed=0, dtype="float64")
    with GradientTape() as tape:
        first, second = model(X)
        value = ops.sum(first) + ops.sum(ops.square(second))
    found = dict(enumerate(tape.gradient(value, model.trainable_weights)))
    given = dict(enumerate(model.trainable_weights))

    def measured():
        first, second = model(X)
        return float(first.sum() + np.square(second).sum())

    names = {str(k): w for k, w in given.items()}
    assert check_gradients(measured, names, {str(k): g for k, g in found.items()}).ok


@pytest.mark.parametrize("reduction", ["sum", "mean", None])
def test_the_reduction_of_a_loss_is_respected(reduction):
    y_pred, loss = X[:, :2].copy(), MeanSquaredError(reduction=reduction)
    with GradientTape() as tape:
        value = ops.sum(loss(Y, tape.watch(y_pred)) * np.arange(6.0))
    slope = tape.gradient(value, y_pred)
    assert check_gradients(lambda: float(np.sum(loss(Y, y_pred) * np.arange(6.0))), {"y": y_pred}, {"y": slope}).ok
