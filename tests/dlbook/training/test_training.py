"""Entrenar: los mismos bits, lo mismo con otros hilos, continuar donde se dejó y errores que se entienden."""

import copy
import inspect
import os
import signal
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp import metrics
from chapters.mlp.activation import Activation
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.flatten import Flatten
from chapters.mlp.losses import BinaryCrossentropy, SparseCategoricalCrossentropy
from chapters.mlp.model import Model
from chapters.mlp.optimizers import SGD, Adam
from chapters.mlp.preprocessing import class_weights
from chapters.mlp.schedules import ExponentialDecay
from chapters.mlp.sequential import Input, Sequential
from dlbook import callbacks
from dlbook.gradcheck import check_gradients
from dlbook.numeric import parallel
from dlbook.training import engine as engines

N, D, K = 60, 7, 3


@pytest.fixture(autouse=True)
def _settings():
    yield
    parallel.set_threads(None)


@pytest.fixture
def shards(monkeypatch):
    """Hace que hasta un lote pequeño se reparta entre los hilos, y en trozos."""

    def force(threads, cache=1 << 20):
        parallel.set_threads(threads)
        monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
        monkeypatch.setattr(engines, "CACHE", cache)

    return force


def data(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, D))
    return x, (x[:, :K] + 0.3 * rng.normal(size=(N, K))).argmax(axis=1)


def network(*middle, dtype="float64", seed=0, optimizer=None, **compiled):
    layers = [Input((D,)), Dense(16, "tanh"), *middle, Dense(K)]
    model = Sequential(layers, dtype=dtype, seed=seed)
    loss = SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or Adam(0.01), loss, **compiled)
    return model


def fit(model, **options):
    return model.fit(*data(), **({"epochs": 4, "batch_size": 13, "verbose": 0} | options))


# --- Los mismos bits ---


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_same_seed_and_threads_same_bits(shards, threads, dtype):
    shards(threads, cache=2000)
    runs = []
    for _ in range(3):
        model = network(Dropout(0.4), dtype=dtype)
        runs.append((fit(model).history, model.theta))
    for history, theta in runs[1:]:
        assert np.array_equal(theta, runs[0][1])
        assert history == runs[0][0]


@pytest.mark.parametrize("cache", [1 << 20, 1500, 1])
def test_the_number_of_threads_only_changes_the_rounding(shards, cache):
    results = []
    for threads in (1, 2, 3, 4):
        shards(threads, cache)
        model = network()
        history = fit(model)
        results.append((model.theta.copy(), history.history["loss"]))
    for theta, loss in results[1:]:
        assert np.allclose(theta, results[0][0], rtol=1e-9, atol=1e-11)
        assert np.allclose(loss, results[0][1], rtol=1e-12)


@pytest.mark.parametrize("threads", [1, 3])
def test_evaluate_and_predict_do_not_depend_on_threads_nor_on_company(shards, threads):
    shards(threads)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(1000, D)), rng.integers(0, K, 1000)
    model = network(metrics=["accuracy"])
    prediction = model.predict(x)
    assert np.array_equal(prediction, np.concatenate([model.predict(x[i : i + 1]) for i in range(1000)]))
    assert np.array_equal(prediction, model.forward(x))
    loss, accuracy = model.evaluate(x, y)
    parallel.set_threads(1)
    assert [loss, accuracy] == model.evaluate(x, y)
    assert loss == pytest.approx(model.loss(y, prediction), rel=1e-12)
    assert accuracy == (prediction.argmax(axis=1) == y).mean()


def test_the_step_is_the_gradient_of_the_whole_batch(shards):
    shards(3, cache=700)
    x, y = data()
    model = network(optimizer=SGD(0.5))
    _, gradient = model.loss_and_gradient(x, y)
    before = model.theta.copy()
    model.fit(x, y, batch_size=N, shuffle=False, verbose=0)
    assert np.allclose(before - model.theta, 0.5 * gradient, rtol=1e-12, atol=1e-14)
    assert np.allclose(model.gradient, gradient, rtol=1e-12, atol=1e-14)


def test_a_batch_is_cut_in_the_same_way_every_time():
    assert parallel.cut(10, 4) == [(0, 2), (2, 5), (5, 7), (7, 10)]
    model = network()
    engine = engines.Engine(model)
    engine.team.size, engine.work = 4, engines.WORK_PER_THREAD
    plan = engine._plan(10)
    assert [rows for part in plan for rows in part] == [(0, 2), (2, 5), (5, 7), (7, 10)]
    engine.work = 1
    assert engine._plan(10) == [[(0, 10)]]


# --- Continuar ---


@pytest.mark.parametrize("threads", [1, 2])
def test_a_resumed_fit_ends_with_the_same_bits_as_one_never_stopped(shards, threads):
    shards(threads)
    whole = network(Dropout(0.3))
    fit(whole, epochs=6)

    first = network(Dropout(0.3))
    fit(first, epochs=2)
    state = copy.deepcopy(first.get_state())
    fit(first, epochs=3, initial_epoch=2)  # lo que pase después no toca lo guardado

    second = network(Dropout(0.3), seed=99)
    second.set_state(state)
    assert second.epoch == 2
    fit(second, epochs=6, initial_epoch=second.epoch)
    assert np.array_equal(whole.theta, second.theta)
    assert whole.epoch == second.epoch == 6


def test_fits_in_a_row_are_one_long_fit():
    whole, parts = network(Dropout(0.3)), network(Dropout(0.3))
    fit(whole, epochs=4)
    for epoch in range(4):
        fit(parts, epochs=epoch + 1, initial_epoch=epoch)
    assert np.array_equal(whole.theta, parts.theta)


@pytest.mark.parametrize(
    "damage",
    [
        lambda s: s.pop("weights"),
        lambda s: s.update(weights=s["weights"][:-1]),
        lambda s: s.update(weights=[w * np.nan for w in s["weights"]]),
        lambda s: s.update(random=s["random"][:-1]),
        lambda s: s.update(random=["no"] * len(s["random"])),
        lambda s: s.update(random=[{"bit_generator": "Generator"}] * len(s["random"])),
        lambda s: s.update(random=[{"bit_generator": "BitGenerator"}] * len(s["random"])),
        lambda s: s.update(random=[{"bit_generator": "PCG64"}] * len(s["random"])),
        lambda s: s.update(random=[{**r, "state": {"state": -1, "inc": 2**200}} for r in s["random"]]),
        lambda s: s.update(epoch=-1),
        lambda s: s.update(optimizer={"m": 3}),
    ],
)
def test_a_damaged_state_changes_nothing(damage):
    model = network()
    fit(model)
    state = model.get_state()
    damage(state)
    before, epoch = model.theta.copy(), model.epoch
    momentum, random = model.optimizer.get_state()["momentum"], model.generator.bit_generator.state
    with pytest.raises((TypeError, ValueError)):
        model.set_state(state)
    assert np.array_equal(model.theta, before)
    assert np.array_equal(model.optimizer.get_state()["momentum"], momentum)
    assert model.generator.bit_generator.state == random
    assert model.epoch == epoch


# --- Lo que significa cada argumento ---


def test_class_weight_is_a_sample_weight():
    _, y = data()
    weights = {0: 2.0, 2: 0.5}
    a, b = network(), network()
    fit(a, class_weight=weights)
    fit(b, sample_weight=[weights.get(int(c), 1.0) for c in y])
    assert np.array_equal(a.theta, b.theta)
    c, d = network(), network()
    fit(c, class_weight=weights, sample_weight=np.full(N, 3.0))
    fit(d, class_weight={k: 3 * v for k, v in {**weights, 1: 1.0}.items()})
    assert np.allclose(c.theta, d.theta)


def test_class_weight_does_not_change_the_validation():
    x, y = data()
    model = network()
    history = fit(model, class_weight={0: 5.0}, validation_split=0.25)
    assert history.history["val_loss"][-1] == model.evaluate(x[45:], y[45:])


def test_class_weight_reads_one_hot_and_binary_targets():
    x, y = data()
    for target, units, loss in ((np.eye(K)[y], K, "categorical_crossentropy"), (y == 0, 1, "binary_crossentropy")):
        thetas = []
        for options in (
            {"class_weight": {1: 4.0}},
            {"sample_weight": np.where((y == 1) if units == K else y == 0, 4.0, 1.0)},
        ):
            model = Sequential([Input((D,)), Dense(units, "softmax" if units == K else "sigmoid")], seed=0)
            model.compile("sgd", loss)
            model.fit(x, target, verbose=0, **options)
            thetas.append(model.theta)
        assert np.array_equal(*thetas)


def test_a_zero_weight_is_an_absent_observation():
    x, y = data()
    weight = np.ones(N)
    weight[40:] = 0
    model, other = network(optimizer=SGD(0.3)), network(optimizer=SGD(0.3 * 40 / N))
    model.fit(x, y, batch_size=N, sample_weight=weight, shuffle=False, verbose=0)
    other.fit(x[:40], y[:40], batch_size=40, shuffle=False, verbose=0)
    assert np.allclose(model.theta, other.theta)


def test_validation_split_takes_the_end_and_does_not_train_on_it():
    x, y = data()
    model, other = network(metrics=["accuracy"]), network(metrics=["accuracy"])
    history = fit(model, validation_split=0.25)
    again = other.fit(x[:45], y[:45], epochs=4, batch_size=13, verbose=0, validation_data=(x[45:], y[45:]))
    assert np.array_equal(model.theta, other.theta)
    assert history.history == again.history
    assert list(history.history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history.history["val_loss"][-1] == model.evaluate(x[45:], y[45:])[0]
    assert history.epoch == [0, 1, 2, 3]


def test_validation_with_weights():
    x, y = data()
    weight = np.linspace(0, 1, N)
    model = network()
    history = fit(model, validation_data=(x, y, weight))
    assert history.history["val_loss"][-1] == model.evaluate(x, y, sample_weight=weight)
    assert history.history["val_loss"][-1] == pytest.approx(model.loss(y, model.forward(x), weight), rel=1e-12)


def test_without_shuffling_the_order_is_the_order():
    x, y = data()
    model, by_hand = network(), network()
    fit(model, shuffle=False, epochs=1)
    optimizer = Adam(0.01)
    for start in range(0, N, 13):
        _, gradient = by_hand.loss_and_gradient(x[start : start + 13], y[start : start + 13])
        optimizer.step(by_hand.theta, gradient)
    assert np.allclose(model.theta, by_hand.theta, rtol=1e-9, atol=1e-12)


def test_every_observation_is_seen_once_per_epoch():
    seen = []

    class Spy(Dense):
        def forward(self, x, training=False):
            if training:
                seen.extend(x[:, 0].tolist())
            return super().forward(x, training)

    x = np.arange(50.0).reshape(50, 1)
    model = Sequential([Input((1,)), Spy(1)], dtype="float64", seed=0)
    model.compile(SGD(0.0), "mse")
    parallel.set_threads(1)
    model.fit(x, x, epochs=2, batch_size=8, verbose=0)
    first, second = seen[:50], seen[50:]
    assert sorted(first) == sorted(second) == x[:, 0].tolist()
    assert first != second


def test_penalties_are_part_of_the_loss_and_of_the_gradient(shards):
    shards(3)
    x, y = data()
    model = Sequential(
        [
            Input((D,)),
            Sequential([Dense(5, "tanh", kernel_regularizer="l2", bias_regularizer="l1")]),
            Dense(K, kernel_regularizer="l1"),
        ],
        dtype="float64",
        seed=0,
    )
    model.compile(SGD(0.1), SparseCategoricalCrossentropy(from_logits=True))
    model.theta[:] = np.random.default_rng(1).normal(size=model.theta.size)
    loss, gradient = model.loss_and_gradient(x, y)
    report = check_gradients(lambda: model.evaluate(x, y), {"theta": model.theta}, {"theta": gradient})
    assert report.ok, str(report)
    assert loss == pytest.approx(model.evaluate(x, y), rel=1e-12)
    hidden, output = model.layers[0].layers[0], model.layers[1]
    penalty = 0.01 * ((hidden.kernel**2).sum() + np.abs(hidden.bias).sum() + np.abs(output.kernel).sum())
    assert loss - model.loss(y, model.forward(x)) == pytest.approx(penalty)
    before = model.theta.copy()
    history = model.fit(x, y, batch_size=N, verbose=0)
    assert history.history["loss"][0] == pytest.approx(loss, rel=1e-12)
    assert np.allclose(before - model.theta, 0.1 * gradient)


@given(
    st.integers(1, 12),
    st.integers(1, 9),
    st.integers(1, 20),
    st.sampled_from(["float32", "float64"]),
    st.integers(1, 4),
    st.booleans(),
)
@settings(max_examples=30)
def test_any_size_trains(n, d, batch_size, dtype, threads, shuffle):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2 * n, d + 1))[::2, :d], rng.integers(0, 2, n)
    parallel.set_threads(threads)
    before, engines.WORK_PER_THREAD = engines.WORK_PER_THREAD, 1
    try:
        model = Sequential([Dense(3, "relu"), Dense(1)], dtype=dtype, seed=0)
        model.compile("adam", BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
        history = model.fit(x, y, batch_size=batch_size, shuffle=shuffle, epochs=2, verbose=0)
    finally:
        engines.WORK_PER_THREAD = before
    assert np.isfinite(model.theta).all()
    assert model.theta.dtype == dtype
    assert len(history.history["loss"]) == 2
    assert 0 <= history.history["accuracy"][0] <= 1


def test_images_autoencoders_and_layers_without_weights(shards):
    shards(2)
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(40, 4, 4)).astype(np.float32)
    model = Sequential([Activation("linear"), Flatten(), Dropout(0.1), Dense(16, "relu"), Dense(16)], seed=0)
    model.compile(Adam(0.01), "mse")
    history = model.fit(images, images.reshape(40, 16), epochs=20, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]
    flat = images.reshape(40, 16)
    same = Sequential([Dense(16)], seed=0)
    same.compile(Adam(0.01), "mse")
    copy_of = Sequential([Dense(16)], seed=0)
    copy_of.compile(Adam(0.01), "mse")
    same.fit(flat, flat, verbose=0)
    copy_of.fit(flat, flat.copy(), verbose=0)
    assert np.array_equal(same.theta, copy_of.theta)


def test_memory_that_cannot_be_written_is_read():
    x, y = data()
    thetas = []
    for frozen in (False, True):
        a, b = x.copy(), y.copy()
        a.flags.writeable = b.flags.writeable = not frozen
        for shuffle in (False, True):
            model = network()
            model.fit(a, b, shuffle=shuffle, verbose=0)
            model.predict(a)
            thetas.append(model.theta)
    assert np.array_equal(thetas[0], thetas[2])
    assert np.array_equal(thetas[1], thetas[3])


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({"verbose": False}, {"verbose": 0}),
        ({"verbose": np.False_}, {"verbose": 0}),
        ({"verbose": np.int64(0)}, {"verbose": 0}),
        ({"verbose": True}, {"verbose": 1}),
        ({"batch_size": None}, {"batch_size": 32}),
        ({"batch_size": np.int32(7)}, {"batch_size": 7}),
        ({"epochs": np.uint8(2)}, {"epochs": 2}),
        ({"shuffle": 1}, {"shuffle": True}),
        ({"shuffle": 0}, {"shuffle": False}),
        ({"shuffle": np.True_}, {"shuffle": True}),
        ({"sample_weight": np.linspace(0, 1, N)[:, None]}, {"sample_weight": np.linspace(0, 1, N)}),
        ({"class_weight": {np.int64(1): 2}}, {"class_weight": {1: 2}}),
        ({"class_weight": {True: 2, False: 3}}, {"class_weight": {1: 2, 0: 3}}),
        ({"class_weight": {1.0: np.float32(2)}}, {"class_weight": {1: 2}}),
    ],
)
def test_what_means_the_same_does_the_same(options, same):
    a, b = network(), network()
    fit(a, **options)
    fit(b, **same)
    assert np.array_equal(a.theta, b.theta)


def test_no_epochs_do_nothing():
    model = network()
    before = model.theta.copy()
    history = fit(model, epochs=0)
    assert (history.history, history.epoch, model.epoch) == ({}, [], 0)
    assert np.array_equal(model.theta, before)


def test_the_weights_of_the_classes_are_those_that_fit_asks_for():
    x, y = data()
    for labels, loss, units in (
        (y == 0, BinaryCrossentropy(from_logits=True), 1),
        ((y == 0).astype(np.int8), BinaryCrossentropy(from_logits=True), 1),
        (y.astype(np.uint8), SparseCategoricalCrossentropy(from_logits=True), K),
        (list(map(int, y)), SparseCategoricalCrossentropy(from_logits=True), K),
    ):
        model = Sequential([Input((D,)), Dense(units)], seed=0)
        model.compile("sgd", loss)
        model.fit(x, labels, class_weight=class_weights(labels), verbose=0)


@pytest.mark.parametrize("target", ["enteros", "one-hot", "binario"])
def test_a_class_that_does_not_exist_is_named(target):
    x, y = data()
    units, loss = (1, "binary_crossentropy") if target == "binario" else (K, "categorical_crossentropy")
    model = Sequential([Input((D,)), Dense(units, "sigmoid" if units == 1 else "softmax")], seed=0)
    model.compile("sgd", "sparse_categorical_crossentropy" if target == "enteros" else loss)
    y = {"enteros": y, "one-hot": np.eye(K)[y], "binario": y == 0}[target]
    expected = f"class_weight: se esperaba una clase entre 0 y {max(units, 2) - 1}, pero llegó la 7"
    with pytest.raises(ValueError, match=expected):
        model.fit(x, y, class_weight={0: 1, 7: 9}, verbose=0)


def test_an_optimizer_with_memory_is_not_shared():
    optimizer = Adam(0.01)
    first, second = network(optimizer=optimizer), network(optimizer=optimizer, seed=1)
    fit(first)
    before = second.theta.copy()
    with pytest.raises(ValueError, match=r"optimizer: este Adam lleva la cuenta de los 20 pasos de otra red"):
        fit(second)
    assert np.array_equal(second.theta, before)
    # El mismo modelo sigue, también si se compila otra vez; una copia sigue con su copia.
    first.compile(optimizer, first.loss)
    fit(first)
    twin = copy.deepcopy(first)
    fit(twin)
    fit(first)
    assert np.array_equal(twin.theta, first.theta)
    assert optimizer.iterations == 60
    with pytest.raises(ValueError, match="de otra red"):
        fit(network(optimizer=copy.deepcopy(optimizer)))
    # Sin memoria no hay nada que mezclar; y quien le pone otro estado sabe lo que hace.
    plain = SGD(0.1)
    for _ in range(2):
        fit(network(optimizer=plain))
    optimizer.set_state(Adam(0.01).get_state())
    fit(second)
    scheduled = SGD(ExponentialDecay(0.1, 10, 0.5))
    fit(network(optimizer=scheduled))
    with pytest.raises(ValueError, match="de otra red"):
        fit(network(optimizer=scheduled))


def test_fit_and_company_take_the_arguments_of_keras_in_its_order():
    keras = pytest.importorskip("keras")
    for name in ("compile", "fit", "evaluate", "predict"):
        ours, theirs = (list(inspect.signature(getattr(m, name)).parameters) for m in (Model, keras.Model))
        assert ours == [p for p in theirs if p != "kwargs"]


# --- Métricas ---


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("accuracy", lambda y, p: (p.argmax(1) == y).mean()),
        ("acc", lambda y, p: (p.argmax(1) == y).mean()),
        ("sparse_categorical_accuracy", lambda y, p: (p.argmax(1) == y).mean()),
    ],
)
def test_metrics_of_the_epoch(name, expected):
    x, y = data()
    model = network(metrics=[name], optimizer=SGD(0.0))
    history = fit(model, epochs=1)
    assert history.history[name][0] == pytest.approx(expected(y, model.predict(x)))
    assert model.evaluate(x, y, return_dict=True)[name] == pytest.approx(expected(y, model.predict(x)))


@given(st.integers(1, 30), st.integers(2, 6))
def test_metrics_agree_with_numpy(n, classes):
    rng = np.random.default_rng(n)
    p, y = rng.normal(size=(n, classes)), rng.integers(0, classes, n)
    t = rng.normal(size=(n, classes))
    assert metrics.SparseCategoricalAccuracy()(y, p) == pytest.approx((p.argmax(1) == y).mean())
    assert metrics.CategoricalAccuracy()(np.eye(classes)[y], p) == pytest.approx((p.argmax(1) == y).mean())
    assert metrics.BinaryAccuracy(threshold=0.1)(t > 0, p) == pytest.approx(((t > 0) == (p > 0.1)).mean())
    assert metrics.MeanSquaredError()(t, p) == pytest.approx(((t - p) ** 2).mean())
    assert metrics.MeanAbsoluteError()(t, p) == pytest.approx(np.abs(t - p).mean())


def test_accuracy_of_logits_is_cut_at_zero():
    x, y = data()
    model = Sequential([Input((D,)), Dense(1)], dtype="float64", seed=0)
    model.compile("sgd", BinaryCrossentropy(from_logits=True), metrics=["accuracy"])
    assert model.evaluate(x, y == 0)[1] == ((model.predict(x)[:, 0] > 0) == (y == 0)).mean()


# --- Ctrl-C, NaN y otras desgracias ---


class Interrupt(callbacks.Callback):
    def __init__(self, epoch, batch):
        self.when, self.now = (epoch, batch), None

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.now, batch) == self.when:
            os.kill(os.getpid(), signal.SIGINT)


def alive():
    return [t for t in threading.enumerate() if t.name.startswith("dlbook")]


def test_an_interruption_leaves_whole_steps_and_the_history_so_far(shards):
    shards(2)
    model = network()
    with pytest.raises(KeyboardInterrupt):
        fit(model, callbacks=[Interrupt(2, 3)])
    assert len(model.history.history["loss"]) == 2
    assert model.epoch == 2
    assert np.isfinite(model.theta).all()
    assert not alive()
    fit(model, epochs=3, initial_epoch=2)
    assert model.epoch == 3


def test_an_interruption_in_the_middle_of_a_step_waits_for_its_end(shards):
    shards(2)
    other = network()
    fit(other, epochs=1, batch_size=20, shuffle=False)

    class Signal(Dense):
        steps = 0

        def forward(self, x, training=False):
            if training and threading.current_thread() is threading.main_thread():
                Signal.steps += 1
                if Signal.steps == 2:
                    os.kill(os.getpid(), signal.SIGINT)
            return super().forward(x, training)

    model = Sequential([Input((D,)), Signal(16, "tanh"), Dense(K)], dtype="float64", seed=0)
    model.compile(Adam(0.01), SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(KeyboardInterrupt):
        fit(model, epochs=1, batch_size=20, shuffle=False)
    # Se dieron dos pasos enteros de tres: el tercero los deja iguales.
    assert model.optimizer.iterations == 2
    x, y = data()
    model.fit(x[40:], y[40:], batch_size=20, shuffle=False, verbose=0)
    assert np.array_equal(model.theta, other.theta)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_in_a_worker_reaches_the_user_and_leaves_nothing_behind(shards):
    shards(3)

    class Broken(Dense):
        def backward(self, dy):
            if threading.current_thread() is not threading.main_thread():
                raise RuntimeError("se rompió")
            return super().backward(dy)

    model = network(Broken(4))
    before = model.theta.copy()
    with pytest.raises(RuntimeError, match="se rompió"):
        fit(model)
    assert np.array_equal(model.theta, before)
    assert not alive()


@pytest.mark.parametrize(
    ("scale", "rate", "message"),
    [
        (1.0, 1e300, r"en la época [12], lote [12] de 5: .*(tasa de aprendizaje|desbordó los pesos)"),
        (1e30, 1.0, r"en la época 1, lote \d de 5: hay entradas de hasta .*; normalízalas"),
    ],
)
def test_a_loss_that_is_not_finite_stops_with_the_cause(scale, rate, message):
    x, y = data()
    model = Sequential([Input((D,)), Dense(8, "relu"), Dense(K)], dtype="float64" if rate > 1 else "float32", seed=0)
    model.compile(SGD(rate), "mse")
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match=message):
        model.fit(scale * x, np.eye(K)[y] * scale, batch_size=13, epochs=3, verbose=0)
    assert not alive()


def test_a_regression_that_runs_away_is_told_to_lower_its_rate():
    # Lo más común: el cuadrado se desborda cuando la salida todavía es finita.
    x, y = data()
    model = Sequential([Input((D,)), Dense(1)], seed=0)
    model.compile(SGD(2.0), "mse")
    with pytest.raises(FloatingPointError, match=r"contesta números de hasta .*; baja la tasa"):
        model.fit(x, y, batch_size=13, epochs=100, verbose=0)


def test_weights_that_are_not_finite_are_noticed_even_if_the_loss_is():
    class Poison(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.layers[0].kernel[0, 0] = np.nan

    x, y = data()
    x[:, 0] = 0
    model = Sequential([Input((D,)), Dense(4), Dense(K)], dtype="float64", seed=0)
    model.compile("sgd", "mse")
    with pytest.raises(FloatingPointError, match="época 1"):
        model.fit(x, np.eye(K)[y], verbose=0, callbacks=[Poison()])


# --- Disparates ---

X, Y = data()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": X[:, :-1]}, r"x: se esperaba la forma \(n, 7\), pero llegó \(60, 6\)"),
        ({"x": X[:0], "y": Y[:0]}, "x: se esperaba al menos una observación"),
        ({"x": None}, "x: se esperaban números reales"),
        ({"x": "datos"}, "x: se esperaban números reales"),
        ({"x": [[1.0], [2.0, 3.0]]}, "filas de distinto largo"),
        ({"x": np.where(X > 2, np.nan, X)}, "x: se esperaban números finitos, pero hay un nan"),
        ({"x": np.full_like(X, np.inf)}, "x: se esperaban números finitos, pero hay un"),
        ({"y": Y[:-1]}, "y: se esperaban 60 observaciones, como en x, pero llegaron 59"),
        ({"y": Y + 1}, "y_true: se esperaba un entero entre 0 y 2, pero hay un 3"),
        ({"y": Y - 0.5}, "y_true: se esperaba un entero entre 0 y 2"),
        ({"y": np.where(Y == 0, np.nan, Y)}, "y_true: se esperaban números finitos"),
        ({"y": None}, "y: falta lo correcto"),
        ({"y": "gatos"}, "y_true"),
        ({"batch_size": 0}, "batch_size: se esperaba un entero de al menos 1"),
        ({"batch_size": 2.5}, "batch_size: se esperaba un entero"),
        ({"batch_size": "todo"}, "batch_size: se esperaba un entero"),
        ({"epochs": -1}, "epochs: se esperaba un entero de al menos 0"),
        ({"steps_per_epoch": 0}, "steps_per_epoch: se esperaba un entero de al menos 1"),
        ({"validation_freq": "siempre"}, "validation_freq: se esperaba un entero"),
        ({"epochs": None}, "epochs: se esperaba un entero"),
        ({"initial_epoch": -1}, "initial_epoch: se esperaba un entero de al menos 0"),
        ({"verbose": 7}, "verbose: se esperaba"),
        ({"shuffle": "sí"}, "shuffle: se esperaba"),
        ({"callbacks": [print]}, "callbacks: se esperaban objetos Callback"),
        ({"callbacks": 3}, "callbacks: se esperaba"),
        ({"validation_split": 1}, "validation_split: se esperaba un número de al menos 0 y menor que 1"),
        ({"validation_split": 0.999}, "validation_split: con 60 observaciones, 0.999 no deja datos"),
        ({"validation_split": "un cuarto"}, "validation_split: se esperaba un número real"),
        ({"validation_data": X}, "validation_data: se esperaba"),
        ({"validation_data": (X,)}, "validation_data: se esperaba"),
        ({"validation_data": (X[:, :2], Y)}, "validation_data, x: se esperaba la forma"),
        ({"validation_data": (X, Y + 9)}, "validation_data, y_true: se esperaba un entero entre 0 y 2"),
        ({"sample_weight": np.ones(3)}, r"sample_weight: se esperaba la forma \(n=60\), pero llegó \(3,\)"),
        ({"sample_weight": -np.ones(N)}, "sample_weight: se esperaban pesos de al menos 0"),
        ({"sample_weight": "pesos"}, "sample_weight: se esperaban números reales"),
        ({"class_weight": [1, 2, 3]}, "class_weight: se esperaba un diccionario"),
        ({"class_weight": {"gato": 1}}, "class_weight: se esperaba un entero por clase, pero llegó 'gato'"),
        ({"class_weight": {0.5: 1}}, "class_weight: se esperaba un entero"),
        ({"class_weight": {np.inf: 1}}, "class_weight: se esperaba un entero"),
        ({"shuffle": 2}, "shuffle: se esperaba"),
        ({"class_weight": {0: -1}}, r"class_weight\[0\]: se esperaba un número de al menos 0"),
    ],
)
def test_bad_arguments_of_fit_move_nothing(arguments, message):
    model = network()
    before = model.theta.copy()
    with pytest.raises((TypeError, ValueError), match=message):
        model.fit(**({"x": X, "y": Y, "verbose": 0} | arguments))
    assert np.array_equal(model.theta, before)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Sequential([Dense(2)]).fit(X, Y), "llama antes a compile"),
        (lambda: Sequential([Dense(2)]).evaluate(X, Y), "llama antes a compile"),
        (lambda: Sequential([Dense(2)]).loss_and_gradient(X, Y), "llama antes a compile"),
        (lambda: network().compile(loss="error"), "loss: se esperaba"),
        (lambda: network().compile("adán", "mse"), "optimizer"),
        (lambda: network().compile(loss="mse", metrics="accuracy"), "metrics: se esperaba una lista"),
        (lambda: fit(network(metrics=["exactitud"])), "metrics: se esperaba 'accuracy'"),
        (lambda: fit(network(metrics=[3])), "metrics: se esperaba"),
        (lambda: fit(network(metrics=["mse"])), "metrics: mean_squared_error no sirve"),
        (lambda: network().predict(X[:, :2]), r"x: se esperaba la forma \(n, 7\)"),
        (lambda: network().predict(X * np.nan), "x: se esperaban números finitos"),
        (lambda: network().evaluate(X, Y[:3]), "y: se esperaban 60 observaciones"),
        (lambda: setattr(network(), "theta", np.zeros(3)), "theta: se esperaba la forma"),
        (lambda: network(dtype="float32").predict(X * 1e200), "que no cabe en float32"),
        (lambda: network().set_state({}), "falta 'weights'"),
    ],
)
def test_other_nonsense_gets_one_spanish_sentence(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


@pytest.mark.parametrize("options", [{}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0, "weight_decay": 0.1}])
def test_a_model_without_anything_to_train_runs_and_trains_nothing(options):
    frozen = Sequential([Input((D,)), Dense(4, "tanh"), Dense(K)], seed=0)
    frozen.trainable = False
    for model, y in ((Sequential([Activation("tanh")]), X), (frozen, np.eye(K)[Y])):
        model.compile(Adam(**options), "mse", metrics=["mae"])
        before = model.get_weights()
        history = model.fit(X, y, epochs=2, verbose=0)
        assert history.history["loss"] == pytest.approx([model.evaluate(X, y)[0]] * 2, rel=1e-5)
        assert all(map(np.array_equal, before, model.get_weights()))


# --- Modelos ---


def test_theta_and_gradient_are_the_weights_of_the_layers():
    model = network()
    assert all(np.shares_memory(w, model.theta) for w in model.weights)
    assert all(np.shares_memory(g, model.gradient) for g in model.gradients)
    assert np.array_equal(model.theta, np.concatenate([w.ravel() for w in model.weights]))
    model.theta *= 2
    assert np.array_equal(model.theta, np.concatenate([w.ravel() for w in model.weights]))


def test_the_gradient_of_the_whole_model():
    x, y = data()
    model = network(Dropout(0.5))
    _, gradient = model.loss_and_gradient(x, y, sample_weight=np.linspace(0, 2, N))
    report = check_gradients(
        lambda: model.evaluate(x, y, sample_weight=np.linspace(0, 2, N)), {"theta": model.theta}, {"theta": gradient}
    )
    assert report.ok, str(report)
    kept = gradient.copy()
    model.loss_and_gradient(2 * x, y)
    assert np.array_equal(gradient, kept)


def test_adding_and_removing_layers_keeps_the_others():
    model = Sequential([Input((4,)), Dense(3)], seed=0)
    kernel = model.layers[0].kernel.copy()
    model.add(Dense(2))
    assert np.array_equal(model.layers[0].kernel, kernel)
    assert model.theta.size == 4 * 3 + 3 + 3 * 2 + 2
    assert np.shares_memory(model.layers[0].kernel, model.theta)
    assert [layer.name for layer in model.layers] == ["dense", "dense_1"]
    removed = model.pop()
    assert model.theta.size == 4 * 3 + 3
    assert removed.kernel.shape == (3, 2)
    assert np.array_equal(model.layers[0].kernel, kernel)


def test_a_model_that_cannot_be_built_says_so_and_stays_unbuilt():
    from chapters.mlp.reshape import Reshape

    model = Sequential([Reshape((2, 2)), Dense(3)])
    with pytest.raises(ValueError, match="se esperaba una forma con 5 números"):
        model.forward(np.zeros((1, 5)))
    assert model.forward(np.zeros((1, 4))).shape == (1, 2, 3)


def test_seeds_make_layers_different_and_models_equal():
    a, b = (Sequential([Input((4,)), Dense(4), Dense(4)], seed=7) for _ in range(2))
    assert np.array_equal(a.theta, b.theta)
    assert not np.array_equal(a.layers[0].kernel, a.layers[1].kernel)
    assert not np.array_equal(a.theta, Sequential([Input((4,)), Dense(4), Dense(4)], seed=8).theta)


class TwoTowers(Model):
    """Un modelo que no es una fila: dos ramas que se suman."""

    def __init__(self, **options):
        super().__init__(**options)
        self.left, self.right = Dense(K, "tanh"), Dense(K)
        self.layers = [self.left, self.right]

    def build(self, input_shape):
        super().build(input_shape)
        for layer in self.layers:
            layer.inherit(self)
            layer.build(input_shape)

    def compute_output_shape(self, input_shape):
        return self.left.compute_output_shape(input_shape)

    def forward(self, x, training=False):
        x = self.ready(x)
        self.y = self.left.forward(x, training) + self.right.forward(x, training)
        return self.y

    def backward(self, dy):
        return self.left.backward(dy) + self.right.backward(dy)


def test_a_model_of_ones_own_trains_like_any_other(shards):
    shards(2)
    x, y = data()
    model = TwoTowers(dtype="float64", seed=0)
    model.compile(Adam(0.05), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = fit(model, epochs=30)
    assert history.history["loss"][-1] < 0.7 * history.history["loss"][0]
    _, gradient = model.loss_and_gradient(x, y)
    assert check_gradients(lambda: model.evaluate(x, y)[0], {"theta": model.theta}, {"theta": gradient}).ok


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_callback_changes_in_a_layer_holds_from_that_epoch_on(threads):
    class Quiet(callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.layers[0].rate = (0.5, 0.0)[epoch]

    parallel.set_threads(threads)
    x, y = np.ones((64, 6)), np.ones((64, 1))
    model = Sequential([Input((6,)), Dropout(0.1), Dense(1)], seed=0)
    model.compile(SGD(0.0), "mse")
    first, second = model.fit(x, y, batch_size=16, epochs=2, verbose=0, callbacks=[Quiet()]).history["loss"]
    assert first != second == pytest.approx(model.evaluate(x, y))
