"""El equipo de hilos, BLAS con un hilo, las interrupciones y la memoria."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.optimizers import Adam
from chapters.mlp.sequential import Input, Sequential
from dlbook import callbacks
from dlbook.numeric import parallel
from dlbook.numeric.interruptions import Interrupts
from dlbook.numeric.parallel import Team, get_threads, set_threads, single_thread_blas
from dlbook.training import engine as engines
from dlbook.training.data import prepare


@pytest.fixture(autouse=True)
def _settings(monkeypatch):
    monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
    yield
    set_threads(None)


def blas_threads():
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def network(seed=0, layers=()):
    model = Sequential([Input((20,)), Dense(16, "relu"), *layers, Dense(4)], seed=seed)
    model.compile(Adam(), "mse")
    return model


RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(64, 20)).astype(np.float32), RNG.normal(size=(64, 4)).astype(np.float32)


def fit(model, **options):
    return model.fit(X, Y, **({"epochs": 2, "batch_size": 16, "verbose": 0} | options))


# --- El equipo ---


def test_every_part_is_done_once_in_its_own_thread():
    with Team(4) as team:
        for parts in (1, 2, 4, 3, 4):
            done = [None] * parts
            team.run(lambda k, done=done: done.__setitem__(k, threading.current_thread().name), parts)
            assert None not in done
            assert len(set(done)) == parts


def test_threads_are_born_when_needed_and_leave_with_the_team():
    before = threading.active_count()
    with Team(8) as team:
        team.run(lambda k: None, 1)
        assert threading.active_count() == before
        team.run(lambda k: None, 3)
        assert threading.active_count() == before + 2
    assert threading.active_count() == before


def test_the_first_error_wins_and_the_team_goes_on():
    def work(k):
        time.sleep(0.01 * (3 - k))
        if k:
            raise ValueError(f"parte {k}")

    with Team(3) as team:
        for _ in range(3):
            with pytest.raises(ValueError, match="parte 1"):
                team.run(work, 3)
        done = []
        team.run(done.append, 3)
        assert sorted(done) == [0, 1, 2]


def test_an_error_in_the_first_part_waits_for_the_others():
    finished = []

    def work(k):
        if k == 0:
            raise KeyError("0")
        time.sleep(0.05)
        finished.append(k)

    with Team(2) as team, pytest.raises(KeyError):
        team.run(work, 2)
    assert finished == [1]


def test_a_team_inside_a_team():
    with Team(2) as outer, Team(2) as inner:
        done = []

        def work(k):
            if k == 0:
                inner.run(done.append, 2)

        outer.run(work, 2)
        assert sorted(done) == [0, 1]


def test_a_thread_that_fell_asleep_wakes_up():
    with Team(2) as team:
        for pause in (0, 0.05, 0.2):
            done = []
            time.sleep(pause)
            team.run(done.append, 2)
            assert sorted(done) == [0, 1]


# --- Cuántos hilos ---


def test_the_number_of_threads_is_a_setting(monkeypatch):
    monkeypatch.setenv("DLBOOK_THREADS", "3")
    assert get_threads() == 3
    set_threads(2)
    assert get_threads() == 2
    set_threads(None)
    assert get_threads() == 3
    monkeypatch.delenv("DLBOOK_THREADS")
    assert get_threads() >= 1


@pytest.mark.parametrize("text", ["0", "-1", "dos", "1.5", "x", "1025", "9" * 30, "9" * 5000])
def test_a_bad_setting_says_so(monkeypatch, text):
    monkeypatch.setenv("DLBOOK_THREADS", text)
    with pytest.raises(ValueError, match="DLBOOK_THREADS: se esperaba un entero entre 1 y 1024, pero llegó '") as error:
        get_threads()
    assert len(str(error.value)) < 150
    for value in (0, 2.5, "tres", 1025, 10**30):
        with pytest.raises((TypeError, ValueError), match="threads: se esperaba un entero"):
            set_threads(value)


# --- BLAS ---


class Spy(callbacks.Callback):
    def __init__(self):
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(blas_threads())


def test_an_empty_setting_is_none(monkeypatch):
    monkeypatch.setenv("DLBOOK_THREADS", " ")
    assert get_threads() >= 1


def test_a_system_without_room_for_more_threads_says_so(monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with Team(1000) as team, pytest.raises(RuntimeError, match="no deja crear el hilo 2 de 1000; pide menos"):
        team.run(lambda k: None, 3)


def test_blas_has_one_thread_while_training_and_its_own_afterwards():
    # Entrenar carga bibliotecas con su propio BLAS: las que cuentan son las que haya después de la primera vez.
    fit(network())
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        spy = Spy()
        fit(network(), callbacks=[spy])
        assert all(set(seen) == {1} for seen in spy.seen)
        assert blas_threads() == before

        class Fails(callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                raise RuntimeError

        with pytest.raises(RuntimeError):
            fit(network(), callbacks=[Fails()])
        assert blas_threads() == before


def test_blas_comes_back_when_the_last_training_ends():
    with threadpool_limits(2, "blas"):
        before = blas_threads()
        with single_thread_blas:
            single_thread_blas.refresh()
            with single_thread_blas:
                assert set(blas_threads()) == {1}
            assert set(blas_threads()) == {1}
        assert blas_threads() == before


# --- Varios a la vez ---


def test_two_models_trained_at_once_are_the_two_trained_apart():
    set_threads(2)
    apart = [network(seed) for seed in (1, 2)]
    together = [network(seed) for seed in (1, 2)]
    for model in apart:
        fit(model, epochs=20)
    threads = [threading.Thread(target=fit, args=(model,), kwargs={"epochs": 20}) for model in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for a, b in zip(apart, together, strict=True):
        assert np.array_equal(a.theta, b.theta)
    assert not single_thread_blas.users


def test_a_fit_inside_a_callback_of_another():
    set_threads(2)
    inner = network(5)

    class Nested(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            fit(inner, epochs=1)
            self.model.predict(X)

    outer, alone = network(), network()
    fit(outer, callbacks=[Nested()])
    fit(alone)
    assert np.array_equal(outer.theta, alone.theta)
    assert inner.optimizer.iterations == 8 * 4


@pytest.mark.skipif(not hasattr(os, "fork"), reason="este sistema no tiene fork")
def test_a_process_forked_in_the_middle_can_train():
    # En otro proceso, para no bifurcar el de las pruebas.
    code = """
import os, sys, numpy as np
from chapters.mlp.dense import Dense
from chapters.mlp.sequential import Input, Sequential
from dlbook import callbacks
from dlbook.numeric import parallel
from dlbook.training import engine as engines
engines.WORK_PER_THREAD = 1
parallel.set_threads(2)
x = np.ones((64, 20), np.float32)
def network():
    model = Sequential([Input((20,)), Dense(8, "relu"), Dense(4)], seed=0)
    model.compile("adam", "mse")
    return model
class Fork(callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        child = os.fork()
        if not child:
            model = network()
            model.fit(x, x[:, :4], epochs=3, verbose=0)
            os._exit(0 if np.isfinite(model.theta).all() else 1)
        assert os.waitpid(child, 0)[1] == 0
network().fit(x, x[:, :4], epochs=2, verbose=0, callbacks=[Fork()])
print("bien")
"""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.stdout == "bien\n", result.stderr


# --- Interrupciones ---


def test_an_interruption_waits_while_held_and_only_the_first_one():
    with Interrupts() as interrupts:
        interrupts.hold()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.release()
        interrupts.release()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        interrupts.hold()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        interrupts.release()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_do_not_touch_the_signals():
    seen = []

    def other():
        with Interrupts() as interrupts:
            interrupts.hold()
            interrupts.release()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


# --- Memoria ---


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cache", [1 << 20, 500])
def test_a_step_reserves_nothing(monkeypatch, threads, cache):
    set_threads(threads)
    monkeypatch.setattr(engines, "CACHE", cache)
    model = network(layers=[Dropout(0.2), Dense(300, "tanh", kernel_regularizer="l2")])
    data = prepare(model, X, Y, sample_weight=np.ones(64))
    order = np.arange(64)
    with engines.Engine(model) as engine:
        engine.limit_blas()
        engine.start(data)

        def steps(count):
            for _ in range(count):
                engine._step(data, order, 0, 32)
                engine._update()

        steps(20)
        tracemalloc.start()
        try:
            start, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            steps(200)
            end, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    # Nada queda, y ni siquiera de paso se pide un arreglo: el menor de los intermedios mide 16 × 4 × 4 bytes.
    assert end - start < 10_000
    assert peak - start < 12_000


def test_a_long_training_keeps_nothing():
    model = network()
    fit(model)
    tracemalloc.start()
    try:
        # Empezar y acabar deja cosas sueltas que se recogen después; lo que crece con los pasos no se iría.
        fit(model, epochs=100)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        fit(model, epochs=100)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000


def test_the_cut_does_not_depend_on_what_other_threads_do():
    assert parallel.cut(5, 2) == [(0, 2), (2, 5)]
    assert parallel.cut(1, 1) == [(0, 1)]


def test_large_rows_are_predicted_in_small_chunks_whatever_the_threads(monkeypatch):
    model = network()
    whole, measured = model.predict(X), model.evaluate(X, Y)
    monkeypatch.setattr(engines, "MEMORY", 2000)
    sizes = []
    for threads in (1, 3):
        set_threads(threads)
        with engines.Engine(model) as engine:
            sizes.append(engine._chunk(len(X)))
        assert np.allclose(model.predict(X), whole, rtol=1e-5, atol=1e-6)
        assert np.allclose(model.evaluate(X, Y), measured, rtol=1e-5)
    assert sizes[0] == sizes[1] < len(X)
