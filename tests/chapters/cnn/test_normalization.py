"""Normalización por lotes y por vecindad: la cuenta, su gradiente, y lo que pasa cuando el lote se reparte."""

import copy
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.cnn.blocks.branches import Branches
from chapters.cnn.blocks.residual import Residual
from chapters.cnn.normalization.batch_normalization import BatchNormalization, batch_norm_backward, batch_norm_forward
from chapters.cnn.normalization.local_response import (
    LocalResponseNormalization,
    local_response_backward,
    local_response_forward,
)
from chapters.mlp.activation import Activation
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.layer import Layer
from chapters.mlp.sequential import Input, Sequential
from dlbook import callbacks, saving
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import get_threads, set_threads
from dlbook.training import engine as engines

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    # Que hasta los modelos diminutos se repartan entre los hilos.
    monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
    yield
    set_threads(None)


# --- La cuenta ---


@given(
    st.integers(1, 200),
    st.integers(1, 9),
    st.sampled_from([np.float32, np.float64]),
    st.sampled_from([0.0, 1.0, 300.0]),
)
@settings(max_examples=40, deadline=None)
def test_forward_and_backward_agree_with_numpy(n, d, dtype, center):
    rng = np.random.default_rng(n * d)
    x, dy = (center + rng.normal(size=(n, d))).astype(dtype), rng.normal(size=(n, d)).astype(dtype)
    gamma, beta = rng.normal(size=d).astype(dtype), rng.normal(size=d).astype(dtype)
    y, mean, variance = batch_norm_forward(x, gamma, beta)
    tolerance = 2e-3 if dtype == np.float32 else 1e-9
    exact = x.astype(np.float64)
    assert np.allclose(mean, exact.mean(axis=0), rtol=1e-6, atol=tolerance)
    assert np.allclose(variance, exact.var(axis=0), rtol=tolerance, atol=1e-9 if dtype == np.float64 else 1e-6)
    s = np.sqrt(exact.var(axis=0) + 1e-3)
    hat = (exact - exact.mean(axis=0)) / s
    assert np.allclose(y, gamma * hat + beta, atol=tolerance)
    dgamma, dbeta, dx = batch_norm_backward(x, gamma, dy)
    assert np.allclose(dbeta, dy.sum(axis=0), atol=tolerance)
    assert np.allclose(dgamma, (dy * hat).sum(axis=0), atol=100 * tolerance)
    expected = gamma / s * (dy - dy.mean(axis=0) - hat * (dy * hat).mean(axis=0))
    assert np.allclose(dx, expected, rtol=tolerance, atol=20 * tolerance)
    assert y.dtype == dx.dtype == dgamma.dtype == dtype


def test_a_large_mean_leaves_the_variance_its_digits():
    x = (RNG.normal(size=(100_000, 2)) + 1000).astype(np.float32)
    _, mean, variance = batch_norm_forward(x, np.ones(2), np.zeros(2))
    exact = x.astype(np.float64)
    assert np.allclose(variance, exact.var(axis=0), rtol=1e-5)
    assert np.allclose(mean, exact.mean(axis=0), rtol=1e-7)
    # Con la cuenta de una sola pasada no queda ninguna cifra.
    naive = (x * x).mean(axis=0, dtype=np.float32) - x.mean(axis=0, dtype=np.float32) ** 2
    assert (np.abs(naive - variance) > 0.01).all()


def test_any_axis_is_the_last_one_moved():
    x, dy = RNG.normal(size=(5, 2, 3, 4)), RNG.normal(size=(5, 2, 3, 4))
    for axis in (1, 2, -2):
        ours, last = (BatchNormalization(axis=a, dtype="float64") for a in (axis, -1))
        y = ours.forward(x, training=True)
        expected = last.forward(np.moveaxis(x, axis, -1), training=True)
        assert np.allclose(np.moveaxis(y, axis, -1), expected, rtol=1e-12)
        assert np.allclose(np.moveaxis(ours.backward(dy), axis, -1), last.backward(np.moveaxis(dy, axis, -1)))
        assert y.flags.c_contiguous


def test_a_batch_of_one_gives_beta():
    layer = BatchNormalization(beta_initializer="ones")
    assert (layer.forward([[3.0, -2.0]], training=True) == 1).all()
    assert np.allclose(layer.backward([[1.0, 5.0]]), 0)


def test_the_moving_variance_is_the_biased_one_as_in_keras():
    # Los números de Keras 3.15 con x = [[0, 1], [4, 9], [16, 25]] y momentum=0.5.
    layer = BatchNormalization(momentum=0.5)
    layer.forward([[0, 1], [4, 9], [16, 25]], training=True)
    assert np.allclose(layer.moving_mean, [3.3333333, 5.8333335])
    assert np.allclose(layer.moving_variance, [23.611113, 50.277782])


def test_damaged_data_do_not_damage_the_averages():
    layer = BatchNormalization()
    layer.build((2,))
    x = np.full((4, 2), np.nan, np.float32)
    x[:, 1] = 1
    layer.forward(x, training=True)
    assert np.array_equal(layer.moving_mean, [0, np.float32(0.01)])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BatchNormalization(epsilon=0), "epsilon: se esperaba un número mayor que 0"),
        (lambda: BatchNormalization(momentum="alta"), "momentum: se esperaba un número real"),
        (lambda: BatchNormalization(axis=1.5), "axis: se esperaba un entero"),
        (lambda: BatchNormalization(axis=0).build((3,)), "axis: se esperaba un eje que no sea"),
        (lambda: BatchNormalization(axis=2).build((3,)), "axis: se esperaba un eje que no sea"),
        (lambda: BatchNormalization(axis=-3).build((3,)), "axis: se esperaba un eje que no sea"),
        (lambda: BatchNormalization().forward([1.0, 2.0]), "axis: se esperaba un eje"),
        (lambda: BatchNormalization(trainable="no"), "trainable: se esperaba"),
        (lambda: batch_norm_forward([[1.0, 2.0]], [1.0], [0.0]), "gamma: se esperaba la forma"),
        (lambda: batch_norm_forward([[np.nan]], [1.0], [0.0]), "x: se esperaban números finitos"),
        (lambda: batch_norm_backward([[1.0]], [1.0], [1.0]), "dy: se esperaba la forma de x"),
        (lambda: batch_norm_backward([[1.0]], [1.0], [[1.0]], epsilon=-1), "epsilon: se esperaba un número mayor"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


# --- El lote repartido ---

X = RNG.normal(size=(70, 6)) * 3 + 5
Y = np.stack([X[:, 0] * X[:, 1], np.sin(X[:, 2])], axis=1)


def network(*extra, dtype="float64", **options):
    layers = [Dense(8), BatchNormalization(momentum=0.8), Activation("relu"), *extra, Dense(8)]
    layers += [BatchNormalization(scale=False), Activation("relu"), Dense(2)]
    model = Sequential([Input((6,)), *layers], dtype=dtype, seed=0, **options)
    model.compile("adam", "mse")
    return model


def fit(model, epochs=3, batch_size=32, **options):
    # 70 no es múltiplo de 32: el último lote tiene 6.
    return model.fit(X, Y, batch_size, epochs, verbose=0, **options).history["loss"]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [32, 34])
def test_the_same_threads_give_the_same_bits_with_dropout_too(count, batch_size):
    # Con 34, al último lote le quedan 2 observaciones: menos que hilos.
    set_threads(count)
    runs = []
    for _ in range(3):
        model = network(Dropout(0.3))
        loss = fit(model, batch_size=batch_size, sample_weight=np.linspace(0, 1, 70))
        runs.append((loss, model.get_weights()))
    for loss, weights in runs[1:]:
        assert loss == runs[0][0]
        assert all(np.array_equal(a, b) for a, b in zip(weights, runs[0][1], strict=True))


def test_the_weight_of_an_observation_does_not_touch_the_statistics():
    a, b = network(), network()
    weight = np.zeros(70)
    weight[:3] = 1
    fit(a, epochs=1, batch_size=70)
    fit(b, epochs=1, batch_size=70, sample_weight=weight)
    assert np.array_equal(a.layers[1].moving_mean, b.layers[1].moving_mean)
    assert not np.array_equal(a.theta, b.theta)


def test_inside_composite_layers_too():
    results = []
    for count in (1, 3):
        set_threads(count)
        block = Residual([Dense(8), BatchNormalization(), Activation("relu"), Dense(6)], activation="relu")
        model = Sequential(
            [Input((6,)), block, Branches([Dense(2), [Dense(2), BatchNormalization()]]), Dense(2)],
            dtype="float64",
            seed=0,
        )
        model.compile("adam", "mse")
        results.append((fit(model), model.get_weights()))
    # En float64: el sesgo de antes de normalizar tiene por gradiente puro redondeo, y Adam lo agranda.
    assert np.allclose(results[0][0], results[1][0], rtol=1e-9)
    for a, b in zip(results[0][1], results[1][1], strict=True):
        assert np.allclose(a, b, rtol=1e-7, atol=1e-9)


class Fails(Layer):
    """Deja pasar todo, hasta que un hilo falla."""

    def __init__(self, after=4, error=ZeroDivisionError, **options):
        super().__init__(**options)
        self.after, self.error, self.count = after, error, 0

    def forward(self, x, training=False):
        self.y = self.ready(x)
        self.count += 1
        if training and self.part == get_threads() - 1 and self.count > self.after:
            raise self.error
        return self.y

    def backward(self, dy):
        return dy


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_when_one_thread_fails_the_others_do_not_wait_for_it(count, error):
    set_threads(count)
    model = network(Fails(error=error))
    result = []

    def train():
        try:
            fit(model)
        except BaseException as caught:
            result.append(type(caught))

    thread = threading.Thread(target=train, daemon=True)
    thread.start()
    thread.join(60)
    assert result == [error]
    model = network()
    fit(model)
    assert np.isfinite(model.theta).all()


def test_evaluating_uses_the_averages_and_moves_nothing():
    model = network()
    fit(model)
    before = model.get_weights()
    whole = model.predict(X)
    assert np.allclose(np.concatenate([model.predict(X[k : k + 1]) for k in range(70)]), whole, rtol=1e-12)
    model.evaluate(X, Y)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_a_loss_that_is_not_finite_leaves_the_averages_finite():
    model = network(dtype="float32")
    model.compile("sgd", "mse")
    model.layers[-1].kernel[:] = 1e30
    with pytest.raises(FloatingPointError):
        fit(model)
    model = network(dtype="float32")
    model.fit(X * 1e30, 0 * Y, verbose=0)
    assert all(np.isfinite(w).all() for w in model.get_weights())


# --- El estado viaja con los pesos ---


def test_the_state_is_in_everything_that_carries_weights(tmp_path):
    model = network()
    fit(model)
    shapes = [(6, 8), (8,), (8,), (8,), (8,), (8,), (8, 8), (8,), (8,), (8,), (8,), (8, 2), (2,)]
    assert [w.shape for w in model.get_weights()] == shapes
    assert model.count_params() == sum(int(np.prod(s)) for s in shapes)
    assert model.theta.size == model.count_params() - 32
    assert [w is v for w, v in zip(model.non_trainable_weights, [model.layers[1].moving_mean], strict=False)] == [True]
    y = model.predict(X)
    other = network()
    other.set_weights(model.get_weights())
    path = tmp_path / "red.safetensors"
    model.save(path)
    copies = [other, saving.load(path), copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for one in copies:
        assert np.array_equal(one.predict(X), y)
        assert np.array_equal(one.layers[1].moving_variance, model.layers[1].moving_variance)
        assert not np.shares_memory(one.layers[1].moving_variance, model.layers[1].moving_variance)
    assert "batch_normalization/moving_mean" in saving.weight_names(model)


def test_a_resumed_training_has_the_same_bits(tmp_path):
    whole = network(Dropout(0.2))
    fit(whole, epochs=4)
    half = network(Dropout(0.2))
    fit(half, epochs=2)
    half.save(tmp_path / "mitad.safetensors")
    fresh = network(Dropout(0.2))
    fresh.set_state(copy.deepcopy(half.get_state()))
    for model in (saving.load(tmp_path / "mitad.safetensors"), fresh):
        fit(model, epochs=4, initial_epoch=2)
        assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), whole.get_weights(), strict=True))


def test_callbacks_keep_the_state(tmp_path):
    model = network()
    path = str(tmp_path / "{epoch}.safetensors")
    stop = callbacks.EarlyStopping("loss", restore_best_weights=True, mode="max")
    fit(model, epochs=5, callbacks=[callbacks.ModelCheckpoint(path), stop])
    best = saving.load(path.format(epoch=stop.best_epoch + 1))
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), best.get_weights(), strict=True))


def test_summary_tells_how_many_are_learned(capsys):
    network().summary()
    assert capsys.readouterr().out.splitlines()[-1] == "Total: 202 parámetros, 170 de ellos entrenables"


# --- Congelar ---


def test_a_frozen_normalization_uses_its_averages_and_keeps_them():
    model = network()
    fit(model)
    frozen = model.layers[1]
    frozen.trainable = False
    before = [w.copy() for w in frozen.weights]
    model.compile("adam", "mse")
    fit(model)
    assert all(np.array_equal(a, b) for a, b in zip(before, frozen.weights, strict=True))
    x = RNG.normal(size=(3, 8))
    assert np.array_equal(frozen.forward(x, training=True), frozen.forward(x))


@pytest.mark.parametrize("frozen_before", [False, True])
def test_backward_is_that_of_the_forward_that_was_done(frozen_before):
    # Congelar o descongelar entre la ida y la vuelta no cambia la función que ya se calculó.
    layer, same = (BatchNormalization(dtype="float64") for _ in range(2))
    x, dy = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3))
    for one in (layer, same):
        one.build((3,))
        one.trainable = not frozen_before
        one.forward(x, training=True)
    layer.trainable = frozen_before
    assert np.array_equal(layer.backward(dy), same.backward(dy))
    if not frozen_before:
        *_, dx = batch_norm_backward(x, layer.gamma, dy)
        np.testing.assert_allclose(layer.backward(dy), dx, atol=1e-12)
    else:
        # Descongelada, sus pesos reciben el gradiente de lo que hicieron.
        np.testing.assert_allclose(layer.gradients[1], dy.sum(axis=0), atol=1e-12)


# --- Por respuesta local ---


def lrn_by_definition(x, r, k, alpha, beta):
    d = x.shape[-1]
    y = np.empty_like(x)
    for i in range(d):
        near = x[..., max(0, i - r) : i + r + 1]
        y[..., i] = x[..., i] / (k + alpha * (near**2).sum(axis=-1)) ** beta
    return y


@given(st.integers(1, 12), st.integers(0, 15), st.sampled_from([0.75, 0.5, 1.0]), st.floats(0, 2))
@settings(max_examples=40, deadline=None)
def test_local_response_is_its_definition_and_has_its_gradient(d, r, beta, alpha):
    rng = np.random.default_rng(d)
    x, dy = 3 * rng.normal(size=(2, 3, d)), rng.normal(size=(2, 3, d))
    y = local_response_forward(x, r, 2.0, alpha, beta)
    assert np.allclose(y, lrn_by_definition(x, r, 2.0, alpha, beta), rtol=1e-12)
    dx = local_response_backward(x, dy, r, 2.0, alpha, beta)
    report = check_gradients(lambda: (local_response_forward(x, r, 2.0, alpha, beta) * dy).sum(), {"x": x}, {"x": dx})
    assert report.ok, str(report)
    small = local_response_forward(x.astype(np.float32), r, 2.0, alpha, beta)
    assert small.dtype == np.float32
    assert np.allclose(small, y, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("radius", [3, 2**31, 2**62, 2**63 - 1, 10**30])
def test_a_radius_beyond_all_channels_is_that_of_all_of_them(radius):
    x, dy = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 3, 4))
    assert np.array_equal(local_response_forward(x, radius), local_response_forward(x, 4))
    assert np.array_equal(local_response_backward(x, dy, radius), local_response_backward(x, dy, 4))
    layer = LocalResponseNormalization(radius, dtype="float64")
    assert np.array_equal(layer.forward(x), local_response_forward(x, 4))
    assert np.array_equal(layer.backward(dy), local_response_backward(x, dy, 4))
    assert layer.work() < 1000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LocalResponseNormalization(-1), "depth_radius: se esperaba un entero de al menos 0"),
        (lambda: LocalResponseNormalization(bias=0), "bias: se esperaba un número mayor que 0"),
        (lambda: LocalResponseNormalization(alpha=-1), "alpha: se esperaba"),
        (lambda: LocalResponseNormalization(beta=np.inf), "beta: se esperaba"),
        (lambda: LocalResponseNormalization().forward([1.0]), "con un eje para los canales"),
        (lambda: local_response_forward(3.0), "x: se esperaba la forma"),
        (lambda: local_response_backward([[1.0]], [[1.0, 2.0]]), "dy: se esperaba la forma de x"),
    ],
)
def test_bad_arguments_of_local_response_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
