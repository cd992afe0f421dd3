"""Lo que un modelo guarda entre una llamada y la siguiente: no se nota, no estorba, no se acumula y se suelta."""

import copy
import gc
import os
import pickle
import statistics
import subprocess
import sys
import threading
import time
import tracemalloc
import weakref
from collections import OrderedDict

import numpy as np
import pytest

from chapters.mlp import Dense, Dropout, Input, Model, Sequential
from chapters.mlp.layer import Layer
from dlbook import callbacks, check
from dlbook.numeric import parallel
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine as engines
from dlbook.training import kept
from dlbook.training.data import prepare

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 20)).astype(np.float32), RNG.normal(size=(64, 4)).astype(np.float32)


@pytest.fixture(autouse=True)
def _settings(monkeypatch):
    monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
    set_threads(2)
    yield
    set_threads(None)


def network(*layers, seed=0):
    model = Sequential([Input((20,)), Dense(16, "relu"), *layers, Dense(4)], seed=seed)
    model.compile("adam", "mse")
    return model


def fit(model, **options):
    return model.fit(X, Y, **({"batch_size": 16, "verbose": 0} | options))


def members():
    return [t for t in threading.enumerate() if t.name.startswith("dlbook")]


CALLS = {
    "fit": fit,
    "evaluate": lambda model: model.evaluate(X, Y),
    "predict": lambda model: model.predict(X),
    "train_on_batch": lambda model: model.train_on_batch(X, Y),
    "test_on_batch": lambda model: model.test_on_batch(X, Y),
    "predict_on_batch": lambda model: model.predict_on_batch(X),
}


@pytest.mark.parametrize("second", CALLS)
@pytest.mark.parametrize("first", CALLS)
def test_the_second_call_works_with_the_replicas_and_threads_of_the_first(first, second):
    model = network()
    CALLS[first](model)
    before, hands = model.kept, members()
    assert len(before.replicas) >= 1
    CALLS[second](model)
    assert model.kept is before
    assert len(hands) <= 1
    assert members() == hands or not hands


# --- Cuánto tarda ---


def test_a_call_costs_little_more_than_its_step():
    set_threads(1)
    rng = np.random.default_rng(0)
    model = Sequential([Input((784,)), Dense(128, "relu"), Dense(10, "softmax")], seed=0)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = rng.random((64, 784), np.float32), rng.integers(0, 10, 64)
    data, order = prepare(model, x, y), np.arange(64)

    def clocked(function):
        start = time.thread_time()
        function()
        return time.thread_time() - start

    with engines.Engine(model) as engine:
        engine.limit_blas()
        engine.start(data)
        for _ in range(5):
            engine.train(data, order, 0, 64)
        step = statistics.median(clocked(lambda: engine.train(data, order, 0, 64)) for _ in range(60))

    def call(keeps):
        model.kept = model.kept if keeps else None
        return clocked(lambda: model.fit(x, y, batch_size=64, verbose=0))

    found = {True: [], False: []}
    for _ in range(6):
        for keeps, times in found.items():
            # Los tres primeros pasos se hacen y se graban.
            times += [call(keeps) for _ in range(13)][3:]
    kept_, alone = (statistics.median(times) for times in found.values())
    # En una máquina tranquila son unas décimas de milisegundo; aquí se pide que no sea otra clase de cosa.
    assert kept_ < 4 * step + 0.002
    assert kept_ < 1.25 * alone


# --- Nada se acumula ---


def test_two_hundred_dropped_models_leave_neither_threads_nor_memory():
    def live(seed):
        model = network(Dropout(0.2), Dense(300, "tanh"), seed=seed)
        for call in CALLS.values():
            call(model)
        return weakref.ref(model)

    live(0)
    gc.collect()
    threads = threading.active_count()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        alive = [live(seed) for seed in range(200)]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not any(one() for one in alive)
    assert threading.active_count() <= threads
    # Cada modelo, con sus réplicas, ocupa más de 100 KB. De lo que dejaron queda, a lo sumo, un bloque a medio usar.
    assert after - before < 300_000 + check.BLOCK + check.PAGE
    assert len(kept._sizes) < 200


def test_two_hundred_living_models_share_their_threads():
    before = len(members())
    models = [network(seed=seed) for seed in range(200)]
    for model in models:
        fit(model)
    assert all(model.kept is not None for model in models)
    assert len(members()) <= max(before, 1)


@pytest.mark.parametrize("size", ["the same", "another every time"])
def test_five_hundred_fits_keep_nothing_more(size):
    model = network(Dropout(0.2))

    def fits(count):
        for k in range(count):
            rows = 64 if size == "the same" else 16 + k % 20
            model.fit(X[:rows], Y[:rows], batch_size=64, verbose=0)

    fits(20)
    gc.collect()
    threads = threading.active_count()
    tracemalloc.start()
    try:
        fits(100)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        fits(400)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert threading.active_count() == threads
    assert after - before < 20_000


def test_what_is_kept_fits_and_the_oldest_goes_first(monkeypatch):
    monkeypatch.setattr(kept, "_sizes", OrderedDict())
    models = [network(seed=seed) for seed in range(4)]
    fit(models[0])
    monkeypatch.setattr(kept, "KEPT", int(2.5 * models[0].kept.nbytes))
    for model in (*models, models[2]):
        fit(model)
    assert [model.kept is not None for model in models] == [False, False, True, True]
    fit(models[1])
    assert [model.kept is not None for model in models] == [False, True, True, False]
    monkeypatch.setattr(kept, "KEPT", 10)
    fit(models[0])
    assert all(model.kept is None for model in models)


def test_batches_of_every_size_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(kept, "LITTLE", 0)
    model, sizes = network(), []
    for rows in range(1, 65):
        model.predict(X[:rows])
        sizes.append(model.kept.nbytes if model.kept else 0)
    model.kept = None
    model.predict(X)
    assert max(sizes) <= kept.GROWTH * model.kept.nbytes


def test_nobody_elses_things_are_held_while_it_rests():
    class Mine(callbacks.Callback):
        pass

    model = network()
    x, y, mine = X.copy(), Y.copy(), Mine()
    seen = [weakref.ref(one) for one in (x, y, mine)]
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[mine])
    assert model.kept.replicas
    del x, y, mine
    model.history.model = None
    gc.collect()
    assert not any(one() is not None for one in seen)


# --- Si el modelo cambia ---


class Scaled(Dense):
    """Una capa de quien lee, con algo que se puede cambiar."""

    factor = (1.0,)

    def forward(self, x, training=False):
        return super().forward(x, training) * self.dtype.type(self.factor[0])


def thaw(model):
    model.layers[0].trainable = not model.layers[0].trainable


CHANGES = {
    "compile": lambda model: model.compile("sgd", "mae"),
    "add": lambda model: model.add(Dense(4)),
    "add without weights": lambda model: model.add(Dropout(0.5)),
    "pop": lambda model: model.pop(),
    "trainable": thaw,
    "threads": lambda model: set_threads(3),
    "activation": lambda model: setattr(model.layers[0], "activation", "tanh"),
    "rate": lambda model: setattr(model.layers[1], "rate", 0.7),
    "an attribute": lambda model: setattr(model.layers[2], "factor", (3.0,)),
    "a new attribute": lambda model: setattr(model.layers[2], "other", (3.0,)),
    "another layer": lambda model: model.layers.__setitem__(1, Dropout(0.9, seed=4)),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("call", CALLS)
def test_a_changed_model_starts_again(change, call):
    def journey(keeps):
        set_threads(2)
        model = network(Dropout(0.3), Scaled(4))
        fit(model)
        before = list(model.kept.replicas)
        CHANGES[change](model)
        if not keeps:
            model.kept = None
        CALLS[call](model)
        assert not any(one is other for one in before for other in model.kept.replicas)
        return model.get_weights(), model.predict(X)

    (weights, y), (others, z) = journey(True), journey(False)
    assert all(map(np.array_equal, weights, others))
    np.testing.assert_array_equal(y, z)


@pytest.mark.parametrize("change", ["compile", "trainable"])
def test_what_no_longer_serves_is_released_at_once(change):
    model = network(Dropout(0.3))
    fit(model)
    CHANGES[change](model)
    model.check_compiled()
    assert model.kept is None


def test_another_type_of_data_does_not_find_the_memory_of_the_last_one():
    images = np.arange(64 * 20).reshape(64, 20) % 251
    for order in (("uint8", "float32", "float64"), ("float64", "int16", "uint8")):
        together, apart = network(), network()
        for dtype in order:
            together.fit(images.astype(dtype), Y, batch_size=16, verbose=0)
            apart.kept = None
            apart.fit(images.astype(dtype), Y, batch_size=16, verbose=0)
        np.testing.assert_array_equal(together.theta, apart.theta)


def test_a_layer_that_counts_starts_each_call_where_the_model_is():
    class Counts(Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.count = 0

        def forward(self, x, training=False):
            self.count += 1
            self.x = x = self.ready(x)
            return x * self.dtype.type(self.count)

        def backward(self, dy):
            return dy * self.dtype.type(self.count)

    set_threads(1)
    model = network(Counts())
    first = model.predict(X)
    np.testing.assert_array_equal(model.predict(X), first)
    model(X[:2])
    assert not np.array_equal(model.predict(X), first)


def test_the_same_layer_twice():
    def journey(keeps):
        shared, a, b = Dense(8, "tanh", name="shared"), Input((20,)), Input((20,))
        from chapters.mlp import Concatenate

        y = Dense(4)(Concatenate()([shared(a), Dropout(0.2)(shared(b))]))
        model = Model([a, b], y, seed=0)
        model.compile("adam", "mse")
        for _ in range(3):
            model.kept = model.kept if keeps else None
            model.fit([X, X[::-1]], Y, batch_size=16, verbose=0)
        return model.theta.copy()

    np.testing.assert_array_equal(journey(True), journey(False))


# --- Copias, errores, hilos y procesos ---


def test_copies_and_files_do_not_carry_it(tmp_path):
    model = network(Dropout(0.2))
    fit(model)
    model.train_on_batch(X, Y)
    for other in (copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))):
        assert other.kept is None
        assert other.ongoing is None
        fit(other)
    model.save(tmp_path / "red.safetensors")
    assert model.kept is not None


class Fails(callbacks.Callback):
    def __init__(self, error):
        self.error = error

    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            raise self.error


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_after_an_error_the_next_call_is_like_any_other(error):
    broken, whole = network(Dropout(0.2)), network(Dropout(0.2))
    fit(broken)
    fit(whole)
    with pytest.raises(error):
        fit(broken, callbacks=[Fails(error)])
    assert broken.kept is None
    broken.set_state(whole.get_state())
    fit(broken)
    fit(whole)
    np.testing.assert_array_equal(broken.theta, whole.theta)


def test_a_loss_that_is_not_finite_leaves_it_clean():
    model, x = network(), X * 1e30
    fit(model)
    before = model.get_weights()
    with pytest.raises(FloatingPointError):
        model.fit(x, Y, verbose=0)
    assert model.kept is None
    model.set_weights(before)
    assert np.isfinite(fit(model).history["loss"]).all()


def test_predicting_while_it_trains_takes_other_replicas():
    alone, model = network(Dropout(0.2)), network(Dropout(0.2))
    for one in (alone, model):
        fit(one)

    class Predicts(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            thread = threading.Thread(target=lambda: found.append(self.model.predict(X)))
            thread.start()
            found.append(self.model.predict(X))
            thread.join()

    found = []
    fit(model, epochs=3, callbacks=[Predicts()])
    fit(alone, epochs=3)
    np.testing.assert_array_equal(model.theta, alone.theta)
    assert all(map(np.array_equal, found[::2], found[1::2]))
    assert len(parallel._resting) <= 1


def test_many_threads_at_once_predict_the_same():
    model = network()
    fit(model)
    expected, found = model.predict(X), []

    def work():
        for _ in range(30):
            found.append(np.array_equal(model.predict(X), expected) and model.evaluate(X, Y))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 120
    assert set(found) == {model.evaluate(X, Y)}
    assert len(members()) <= 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="este sistema no tiene fork")
def test_a_child_process_makes_its_own_threads():
    # En otro proceso, para no bifurcar el de las pruebas.
    code = """
import os, threading, numpy as np
from chapters.mlp import Dense, Input, Sequential
from dlbook.numeric import parallel
from dlbook.training import engine as engines
engines.WORK_PER_THREAD = 1
parallel.set_threads(2)
x = np.random.default_rng(0).random((64, 20)).astype(np.float32)
def fit():
    model.fit(x, x[:, :4], batch_size=16, verbose=0)
model = Sequential([Input((20,)), Dense(8, "relu"), Dense(4)], seed=0)
model.compile("adam", "mse")
fit()
assert parallel._resting and model.kept is not None
read, write = os.pipe()
child = os.fork()
fit()
model.predict(x)
if not child:
    os.write(write, model.theta.tobytes())
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert os.read(read, 10000) == model.theta.tobytes()
print("bien", threading.active_count())
"""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    # Y el equipo que descansa no impide que el proceso acabe.
    assert result.stdout == "bien 2\n", result.stderr
