"""La cinta: bucles propios, capas y modelos que solo definen ``call``, y funciones corrientes como pérdidas."""

import copy
import pickle

import numpy as np
import pytest

from chapters.cnn import BatchNormalization, Conv2D, MaxPooling2D
from chapters.mlp import (
    SGD,
    Adam,
    Dense,
    Dropout,
    Flatten,
    GradientTape,
    Input,
    Lambda,
    Layer,
    MeanSquaredError,
    Model,
    Sequential,
    SparseCategoricalCrossentropy,
    Variable,
    activations,
    load_model,
    losses,
    ops,
)
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))


# --- La cinta ---


def test_what_does_not_matter_has_no_gradient():
    a, b = np.ones(2), np.ones(2)
    with GradientTape() as tape:
        y = ops.sum(a * tape.watch(a)) + ops.sum(ops.stop_gradient(ops.square(b)))
    assert tape.gradient(y, [b]) == [None]
    assert tape.gradient(y, {"b": b}, unconnected_gradients="zero")["b"].tolist() == [0, 0]


def test_a_variable_keeps_its_identity_through_a_loop():
    w = Variable(np.array([3.0, -2.0]))
    for _ in range(100):
        with GradientTape() as tape:
            loss = ops.sum(ops.square(w - 1))
        SGD(0.1).apply([tape.gradient(loss, w)], [w])
    np.testing.assert_allclose(w.numpy(), 1, atol=1e-8)


def test_what_another_tape_recorded_is_only_data():
    w = Variable(np.array(2.0))
    with GradientTape():
        state = w * w
    with GradientTape() as tape:
        y = state * w
    assert tape.gradient(y, w) == 4.0


def test_a_tape_inside_another_also_records_for_the_outer():
    w = Variable(np.array(2.0))
    with GradientTape() as outer:
        with GradientTape():
            y = w * w
        z = y * w
    assert outer.gradient(z, w) == 12.0


def test_second_derivatives_are_refused_and_not_wrong():
    w = Variable(np.array(2.0))
    with GradientTape():
        with GradientTape() as inner:
            y = w * w
        with pytest.raises(ValueError, match="las segundas derivadas no existen"):
            inner.gradient(y, w)


def test_a_long_chain_does_not_exhaust_the_stack():
    w = Variable(np.array(1.0))
    with GradientTape() as tape:
        y = w * 1
        for _ in range(20_000):
            y = y + w
    assert tape.gradient(y, w) == 20_001
    del y


def test_a_function_the_tape_does_not_know_is_refused_in_spanish():
    with GradientTape() as tape:
        t = tape.watch(np.ones((2, 2)))
        with pytest.raises(TypeError, match="la cinta no sabe derivar"):
            np.linalg.inv(t)
        with pytest.raises(TypeError, match="la cinta no sabe derivar"):
            np.add(t, 1, out=np.ones((2, 2)))
    np.testing.assert_array_equal(np.linalg.det(2 * t), np.linalg.det(2 * t.numpy()))


@pytest.mark.parametrize("value", [None, "x", 1j, np.ones(2), [1.0]])
def test_a_target_that_was_not_recorded_is_refused(value):
    with pytest.raises(TypeError, match="target: se esperaba"):
        GradientTape().gradient(value, [])


def test_operators_are_those_of_arrays():
    a, b = RNG.normal(size=(3, 3)), 1 + RNG.random((3, 3))

    def every(a, b):
        return (a + b) * 2 - a / b + (-a) @ b.T + b**3 + abs(a) + 1 / b - (1 - a) + 2**a + a[:, [0, 0, 1]] % 5

    with GradientTape() as tape:
        s, t = tape.watch(a), tape.watch(b)
        y = every(s, t)
        y += 1
    np.testing.assert_allclose(y, every(a, b) + 1)
    da, db = tape.gradient(y, [s, t])
    assert check_gradients(lambda: float(every(a, b).sum()), {"a": a, "b": b}, {"a": da, "b": db}).ok
    assert [len(y), y.shape, y.ndim, y.size, y.dtype] == [3, (3, 3), 2, 9, np.float64]
    assert y.mean(axis=0).shape == (3,)
    assert y.reshape((-1,)).sum() == y.numpy().sum()
    assert float(y[0, 0]) == y.numpy()[0, 0]
    assert len(list(y)) == 3


# --- Capas y modelos del libro en un bucle propio ---


def network(seed=0):
    return Sequential(
        [Input((8, 8, 1)), Conv2D(2, 3, activation="relu"), BatchNormalization(), MaxPooling2D(), Flatten(), Dense(3)],
        seed=seed,
        dtype="float64",
    )


def test_a_loop_of_ones_own_takes_the_steps_of_fit():
    x, y = RNG.normal(size=(20, 8, 8, 1)), RNG.integers(0, 3, 20)
    loss, mine, theirs = SparseCategoricalCrossentropy(from_logits=True), network(), network()
    theirs.compile(Adam(0.01), loss)
    theirs.fit(x, y, batch_size=10, epochs=3, shuffle=False, verbose=0)
    optimizer = Adam(0.01)
    for step in range(6):
        rows = slice(10 * (step % 2), 10 * (step % 2) + 10)
        with GradientTape() as tape:
            value = loss(y[rows], mine(x[rows], training=True))
        optimizer.apply_gradients(
            zip(tape.gradient(value, mine.trainable_weights), mine.trainable_weights, strict=True)
        )
    for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_a_layer_called_twice_remembers_each_call():
    layer, x = Dense(3, "tanh", dtype="float64", seed=0), X.copy()

    def loss():
        return ops.sum(ops.sin(layer(layer(x) * 2)) + layer(x))

    with GradientTape() as tape:
        y = loss()
    found = tape.gradient(y, [x, *layer.trainable_weights])
    names = ["x", "kernel", "bias"]
    given = dict(zip(names, [x, *layer.trainable_weights], strict=True))
    assert check_gradients(lambda: float(loss()), given, dict(zip(names, found, strict=True))).ok


def test_a_frozen_layer_lets_the_gradient_through():
    layer, x = Dense(3, dtype="float64", seed=0), X.copy()
    layer.trainable = False
    with GradientTape() as tape:
        y = ops.sum(layer(x))
    assert layer.trainable_weights == []
    np.testing.assert_allclose(tape.gradient(y, x), np.tile(layer.kernel.sum(axis=1), (6, 1)))


def test_the_functions_of_losses_and_activations_are_recorded():
    y_pred = Y.copy()
    for function in (losses.mean_squared_error, losses.mean_absolute_error):
        with GradientTape() as tape:
            value = ops.sum(function(X[:, :2], tape.watch(y_pred)) * np.arange(6.0))
        slope = tape.gradient(value, y_pred)
        measured = lambda f=function: float(np.sum(f(X[:, :2], y_pred) * np.arange(6.0)))  # noqa: E731
        assert check_gradients(measured, {"y": y_pred}, {"y": slope}).ok
    with GradientTape() as tape:
        value = ops.sum(activations.tanh(tape.watch(y_pred)))
    np.testing.assert_allclose(tape.gradient(value, y_pred), 1 - np.tanh(y_pred) ** 2)


# --- Capas y modelos de quien lee ---


class Scale(Layer):
    """Sin capas adentro, con un peso que nace al construirse y otro al crearse."""

    def __init__(self, **options):
        super().__init__(**options)
        self.power = self.add_weight((1,), "ones", name="power")

    def build(self, input_shape):
        super().build(input_shape)
        assert input_shape[0] is None
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        self.built = True

    def call(self, x):
        return self.scale * 2.0 * ops.tanh(x) * self.power + ops.square(self.scale)


class Block(Layer):
    """Con capas adentro, en un atributo y en una lista, y otra de quien lee."""

    def __init__(self, units, rate=0.0, **options):
        super().__init__(**options)
        self.units, self.rate = units, rate
        self.first = Dense(units, activation="tanh")
        self.more = []
        for _ in range(2):
            self.more.append(Dense(units))
        self.scale = Scale()
        self.dropout = Dropout(rate)

    def call(self, x, training=False):
        h = self.first(x)
        for layer in self.more:
            h = h + layer(h)
        return ops.concatenate([self.dropout(self.scale(h)), x], axis=-1)


class Tower(Model):
    def __init__(self, **options):
        super().__init__(**options)
        self.block = Block(4)
        self.norm = BatchNormalization()
        self.out = Dense(2)

    def call(self, inputs):
        return self.out(self.norm(self.block(inputs)))


def model(kind, seed=0, dtype="float64"):
    if kind == "model":
        return Tower(seed=seed, dtype=dtype)
    return Sequential(
        [Input((3,)), Dense(5), Scale() if kind == "layer" else Block(4), Dense(2)], seed=seed, dtype=dtype
    )


KINDS = ["layer", "block", "model"]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_what_only_defines_call_is_right(kind, training):
    one = model(kind)
    one.compile(SGD(0.1), "mse")
    one(X)
    one.theta += 0.3 * np.random.default_rng(1).normal(size=one.theta.size)
    if kind == "model":
        one.norm.momentum = 1.0
    _, gradient = one.loss_and_gradient(X, Y, training=training)
    report = check_gradients(
        lambda: one.loss_and_gradient(X, Y, training=training)[0], {"theta": one.theta}, {"theta": gradient}
    )
    assert report.ok, f"\n{report}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_of_the_input_is_right(kind):
    one, x = model(kind), X.copy()
    dy = RNG.normal(size=one(x).shape)
    one.forward(x)
    dx = one.backward(dy)
    assert check_gradients(lambda: float((one.forward(x) * dy).sum()), {"x": x}, {"x": dx}).ok


@pytest.mark.parametrize("kind", KINDS)
def test_it_trains_is_copied_pickled_and_saved(kind, tmp_path):
    one = model(kind, dtype="float32")
    one.compile(Adam(0.02), "mse")
    history = one.fit(X, Y, epochs=40, batch_size=3, verbose=0).history["loss"]
    assert history[-1] < 0.7 * history[0]
    expected = one.predict(X)
    one.save(tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors", custom_objects={c.__name__: c for c in (Scale, Block, Tower)})
    for other in (copy.deepcopy(one), pickle.loads(pickle.dumps(one)), loaded):
        np.testing.assert_allclose(other.predict(X), expected, rtol=1e-6)
    one.evaluate(X, Y, verbose=0)
    one.summary(expand_nested=True)


def test_a_class_that_inherits_from_another_keeps_its_weights():
    class Twice(Scale):
        def call(self, x):
            return 2 * super().call(x)

    class Shifted(Twice):
        def build(self, input_shape):
            super().build(input_shape)
            self.shift = self.add_weight((input_shape[-1],), "ones")

        def call(self, x):
            return super().call(x) + self.shift

    one, two = Scale(dtype="float64"), Shifted(dtype="float64")
    np.testing.assert_allclose(two(X), 2 * one(X) + 1)
    assert two.weight_names == ["power", "scale", "shift"]


def test_the_inner_layers_may_be_built_by_hand_as_in_keras():
    class Wraps(Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.inner = Sequential([Dense(4), Scale()])

        def build(self, input_shape):
            self.inner.build(input_shape)

        def call(self, x):
            return self.inner(x)

    one = Wraps(seed=0)
    assert one(X).shape == (6, 4)
    assert one.inner.input_shape == (3,)
    assert len(one.weights) == 4


def test_what_a_layer_adds_to_the_loss_also_pulls():
    class Adds(Layer):
        def __init__(self, each, **options):
            super().__init__(**options)
            self.each, self.added = each, ()
            self.inner = Dense(2)

        def call(self, x):
            y = self.inner(x)
            extra = ops.sum(ops.square(y), axis=-1)
            self.added = [extra if self.each else ops.mean(extra)]
            return y

    x, found = X.copy(), []
    for each in (False, True):
        one = Adds(each, seed=0, dtype="float64")

        def total(one=one):
            return float(one.forward(x).sum() + np.mean(one.added[0]))

        total()
        dx = one.backward(np.ones((6, 2)))
        found.append([dx, *(g.copy() for g in one.gradients)])
        assert check_gradients(total, {"x": x, "w": one.inner.kernel}, {"x": dx, "w": found[-1][1]}).ok
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b)


def test_the_weights_are_in_the_order_of_keras():
    one = Block(4)
    one(X)
    assert [w.shape for w in one.weights] == [(3, 4), (4,), (4, 4), (4,), (4, 4), (4,), (1,), (4,)]
    assert [layer.name for layer in one.layers] == ["dense", "dense", "dense", "scale", "dropout"]


def test_the_inner_layers_train_only_when_training():
    class Noisy(Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.dropout = Dropout(0.5)
            self.always_off = Dropout(0.5)

        def call(self, x):
            return self.dropout(x) + self.always_off(x, training=False)

    one = Noisy(seed=0)
    assert (one(np.ones((4, 50))) == 2).all()
    assert set(np.unique(one(np.ones((4, 50)), training=True))) == {1.0, 3.0}


def test_the_whole_batch_is_seen_at_once():
    class Centered(Layer):
        def call(self, x):
            return x - ops.mean(x, axis=0)

    one = Sequential([Input((3,)), Dense(3), Centered(), Dense(1)], seed=0, dtype="float64")
    one.compile(SGD(0.1), "mse")
    assert Centered.alone
    assert one.layers[1](X).mean(axis=0) == pytest.approx(0)


def test_a_state_is_assigned_inside_call():
    class Counter(Layer):
        def build(self, input_shape):
            self.total = self.add_weight((), "zeros", trainable=False)

        def call(self, x):
            self.total.assign_add(1.0)
            return x * 1.0

    one = Counter()
    for _ in range(3):
        one(X)
    assert float(one.total) == 3.0


def test_a_call_that_returns_nothing_says_so():
    class Forgets(Layer):
        def call(self, x):
            ops.square(x)

    with pytest.raises(TypeError, match=r"falta el return"):
        Forgets()(X)


def test_lambda_is_a_layer_with_any_function():
    one = Sequential(
        [Input((3,)), Dense(4), Lambda(lambda x, k: ops.sum(x * k, axis=1, keepdims=True), arguments={"k": 2.0})]
    )
    assert one.predict(X).shape == (6, 1)
    with pytest.raises(TypeError, match="no se sabe guardar"):
        one.save("nada.safetensors")


def test_a_reader_model_is_trained_in_a_loop_of_ones_own():
    mine, theirs = Tower(seed=0, dtype="float64"), Tower(seed=0, dtype="float64")
    theirs.compile(SGD(0.1), "mse")
    theirs.fit(X, Y, batch_size=6, epochs=3, shuffle=False, verbose=0)
    optimizer = SGD(0.1)
    for _ in range(3):
        with GradientTape() as tape:
            value = MeanSquaredError()(Y, mine(X, training=True))
        optimizer.apply(tape.gradient(value, mine.trainable_variables), mine.trainable_variables)
    for a, b in zip(mine.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


# --- Funciones ---


def per_row(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def scalar(y_true, y_pred):
    return np.mean(np.square(y_true - y_pred))


def per_number(y_true, y_pred):
    return (y_true - y_pred) ** 2


def with_gradient(y_true, y_pred):
    return np.square(y_true - y_pred).mean(axis=-1)


with_gradient.gradient = lambda y_true, y_pred: 2 * (y_pred - y_true) / y_pred.shape[-1]


class OnlyCall(losses.Loss):
    def call(self, y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


@pytest.mark.parametrize("function", [per_row, scalar, per_number, with_gradient, OnlyCall(), OnlyCall])
def test_a_function_as_loss_trains_as_the_class_that_does_the_same(function):
    found = []
    for loss in ("mse", function):
        one = Sequential([Input((3,)), Dense(4, "tanh"), Dense(2)], seed=0, dtype="float64")
        one.compile(SGD(0.1), loss, metrics=[per_row])
        history = one.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0).history
        found.append((one.get_weights(), history["loss"], one.evaluate(X, Y, verbose=0)))
    for a, b in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    np.testing.assert_allclose(found[0][1], found[1][1])
    np.testing.assert_allclose(found[1][2][0], found[1][2][1])


@pytest.mark.parametrize("function", [per_row, per_number, with_gradient, OnlyCall()])
def test_the_weights_of_the_observations_count(function):
    weight = np.arange(6.0)
    loss, known = losses.get(function), MeanSquaredError()
    np.testing.assert_allclose(loss(Y, X[:, :2], weight), known(Y, X[:, :2], weight))
    np.testing.assert_allclose(loss.gradient(Y, X[:, :2], weight), known.gradient(Y, X[:, :2], weight), atol=1e-12)


@pytest.mark.parametrize(
    "function",
    [
        lambda y_true, y_pred: np.sort(np.asarray(y_pred)).sum(axis=-1),
        lambda y_true, y_pred: np.linalg.svd(y_pred),
        lambda y_true, y_pred: None,
        lambda y_true, y_pred: y_pred[:3],
    ],
)
def test_a_loss_that_cannot_be_derived_says_so(function):
    with pytest.raises(ValueError, match="se esperaba"):
        losses.get(function).gradient(Y, X[:, :2])


def test_a_loss_may_receive_labels():
    def surprise(y_true, y_pred):
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)

    labels, found = np.array([0, 1, 1, 0, 1, 0]), []
    for loss in (surprise, SparseCategoricalCrossentropy(from_logits=True)):
        one = Sequential([Input((3,)), Dense(2)], seed=0, dtype="float64")
        one.compile(SGD(0.1), loss, metrics=["accuracy"])
        found.append(one.fit(X, labels, epochs=2, batch_size=3, shuffle=False, verbose=0).history)
    for name in ("loss", "accuracy"):
        np.testing.assert_allclose(found[0][name], found[1][name])


def test_a_function_as_activation_gives_the_gradient_of_its_twin():
    one, other = (Dense(4, activation, seed=0, dtype="float64") for activation in (lambda z: ops.tanh(z), "tanh"))
    np.testing.assert_allclose(one(X), other(X))
    dy = RNG.normal(size=(6, 4))
    np.testing.assert_allclose(one.backward(dy), other.backward(dy))
    with pytest.raises(ValueError, match="de la activación se esperaba la forma"):
        Dense(4, lambda z: ops.sum(z))(X)


def test_a_metric_that_gives_one_number_sees_the_whole_batch(monkeypatch):
    # La mayor diferencia de un lote no es la media de las mayores de sus partes.
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)
    x, y = np.random.default_rng(0).normal(size=(24, 3)), np.random.default_rng(1).normal(size=(24, 1))

    def far(y_true, y_pred):
        return np.max(np.abs(y_true - y_pred))

    def each(y_true, y_pred):
        return np.abs(y_true - y_pred)[:, 0]

    found = []
    for count in (1, 2, 3):
        set_threads(count)
        model = Sequential([Input((3,)), Dense(1)], dtype="float64", seed=0)
        model.compile(SGD(0.0), "mse", metrics=[far, each])
        found.append(model.fit(x, y, batch_size=24, verbose=0).history)
    set_threads(None)
    error = np.abs(model.predict(x) - y)
    for history in found:
        assert history["far"] == pytest.approx([error.max()])
        assert history["each"] == pytest.approx([error.mean()])


class Reversible(Layer):
    def call(self, x, reverse=False):
        return -x if reverse else x


def test_an_option_given_by_position_is_the_one_python_says():
    x, entry = np.ones((2, 3)), Input((3,))
    assert (Reversible()(x, True) == -x).all()
    assert (Model(entry, Reversible()(entry, True)).predict(x, verbose=0) == -x).all()
    assert (Model(entry, Dropout(0.9, seed=0)(entry, True)).predict(x, verbose=0) == 0).any()
    with GradientTape():
        assert (Dropout(0.9, seed=0)(x, True).numpy() == 0).any()
