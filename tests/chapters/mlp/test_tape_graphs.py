"""La cinta y las redes con ramas: lo que suman las capas a la pérdida, y las capas de quien lee con varias entradas."""

import numpy as np
import pytest

from chapters.mlp import (
    SGD,
    Dense,
    Flatten,
    GradientTape,
    Input,
    Lambda,
    Layer,
    MeanSquaredError,
    Model,
    Sequential,
    load_model,
    ops,
)
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


CODES = np.array([[0, 1], [2, 3], [4, 0]])


class OneHot(Layer):
    def call(self, x):
        return ops.one_hot(x, 5)


class Table(Layer):
    def build(self, input_shape):
        self.rows = self.add_weight((5, 3), "uniform")

    def call(self, x):
        return ops.take(self.rows, x, axis=0)


@pytest.mark.parametrize(
    "take",
    [
        lambda x: ops.one_hot(x, 5),
        lambda x: ops.take(np.eye(5), x, axis=0),
        lambda x: Lambda(lambda z: ops.one_hot(z, 5))(x),
        lambda x: OneHot()(x),
        lambda x: Table()(x),
    ],
)
def test_an_input_of_integers_is_rehearsed_with_integers_and_received_as_such(take):
    x = Input((2,), dtype="int32")
    model = Model(x, Dense(1)(Flatten()(take(x))), seed=0)
    model.compile(SGD(0.1), "mse")
    losses = model.fit(CODES, np.ones((3, 1)), epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.predict(CODES, verbose=0).shape == (3, 1)


@pytest.mark.parametrize("end", ["safetensors", "keras"])
@pytest.mark.parametrize("graph", [False, True])
def test_a_layer_of_integers_is_saved(graph, end, tmp_path):
    if graph:
        x = Input((2,), dtype="int32")
        model = Model(x, Dense(1)(Flatten()(Table()(x))))
    else:
        model = Sequential([Input((2,), dtype="int32"), Table(), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    model.fit(CODES, np.ones((3, 1)), verbose=0)
    model.save(tmp_path / f"a.{end}")
    other = load_model(tmp_path / f"a.{end}", custom_objects={"Table": Table})
    np.testing.assert_array_equal(other.predict(CODES, verbose=0), model.predict(CODES, verbose=0))


def test_integers_have_no_gradient():
    layer = OneHot(dtype="float64")
    np.testing.assert_array_equal(layer(CODES), np.eye(5)[CODES])
    np.testing.assert_array_equal(layer.backward(np.ones((3, 2, 5))), np.zeros((3, 2)))


class Scaled(Layer):
    def call(self, x, k):
        return x * k


class Product(Layer):
    def call(self, a, b):
        return a * b


class Weighted(Layer):
    def call(self, x, scale=None):
        return x if scale is None else x * scale


def test_an_array_that_may_be_missing_is_an_option():
    layer, x, scale = Weighted(), np.ones((2, 3)), np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(layer(x, scale=scale), x * scale)
    np.testing.assert_array_equal(layer(x), x)
    entries = Input((3,)), Input((3,))
    model = Model(entries, Dense(1)(Weighted()(entries[0], scale=entries[1])))
    model.compile("sgd", "mse")
    model.fit([x, x], np.zeros((2, 1)), verbose=0)


class Named(Layer):
    def call(self, a, x):
        return a * x


class Total(Layer):
    def call(self, *xs):
        return sum(xs)


@pytest.mark.parametrize("call", [lambda x: Scaled()(x, k=3), lambda x: Scaled()(x, 3)])
def test_a_required_option_is_in_the_rehearsal(call):
    x, entry = np.ones((2, 3)), Input((3,))
    np.testing.assert_array_equal(call(x), 3 * x)
    np.testing.assert_array_equal(Model(entry, call(entry)).predict(x, verbose=0), 3 * x)


@pytest.mark.parametrize(
    ("call", "value"),
    [
        (lambda a, b: Product()(a, b), 6),
        (lambda a, b: Product()(a, b=b), 6),
        (lambda a, b: Product()(a=a, b=b), 6),
        (lambda a, b: Named()(a, x=b), 6),
        (lambda a, b: Total()(a, b), 5),
        (lambda a, b: Total()(a, b, a), 7),
    ],
)
def test_several_inputs_are_rehearsed_as_they_were_given(call, value):
    a, b = np.full((2, 3), 2.0), np.full((2, 3), 3.0)
    np.testing.assert_array_equal(call(a, b), np.full((2, 3), value))
    entries = Input((3,)), Input((3,))
    model = Model(entries, Dense(1)(call(*entries)))
    model.compile("sgd", "mse")
    model.fit([a, b], np.zeros((2, 1)), verbose=0)
    inner = Model(entries, call(*entries))
    np.testing.assert_array_equal(inner.predict([a, b], verbose=0), np.full((2, 3), value))


class Repeated(Layer):
    def call(self, x, times=1):
        return ops.concatenate([x] * times, axis=-1)


def test_an_option_may_change_the_shape_of_what_comes_out():
    layer, x = Repeated(), Input((3,))
    twice, thrice = layer(x, times=2), layer(x, times=3)
    assert (twice.shape, thrice.shape) == ((None, 6), (None, 9))
    model = Model(x, [Dense(2)(twice), thrice], dtype="float64")
    model.compile(SGD(0.1), "mse")
    targets = [Y, np.tile(X, 3)]
    assert [y.shape for y in model.predict(X, verbose=0)] == [(6, 2), (6, 9)]
    losses = model.fit(X, targets, epochs=3, batch_size=3, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    alone = Repeated()
    assert [alone(X, times=k).shape for k in (2, 3, 2)] == [(6, 6), (6, 9), (6, 6)]
