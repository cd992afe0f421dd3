"""Dar trabajo a un hilo que vigila, y varios pasos sin Python entre ellos."""

import sys
import threading
import time

import numpy as np
import pytest

from chapters.autoencoder import Sampling
from chapters.mlp import SGD, Adam, Dense, Dropout, GaussianDropout, Input, Model, Sequential
from dlbook.callbacks import Callback
from dlbook.numeric import mailbox, parallel
from dlbook.numeric.kernel import kernel
from dlbook.numeric.parallel import Team, set_threads
from dlbook.numeric.rehearsal import Rehearsal
from dlbook.numeric.replay import Call, Replay
from dlbook.numeric.stretch import Stretch
from dlbook.training import engine as engines


@pytest.fixture(autouse=True)
def _settings(monkeypatch):
    monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
    monkeypatch.setattr(engines, "NUMBERS_PER_THREAD", 50)
    yield
    set_threads(None)


@kernel
def add(x, amount):
    for i in range(x.size):
        if x[i] < 0:
            raise ValueError("negativo")
        x[i] += amount


def replays(x):
    found = []
    for one in x:
        add(one, 0.0)
        found.append(Replay([Call(add, (one, 1.0), None)]))
    return found


# --- El equipo ---


def test_every_part_of_what_is_recorded_is_done_once_awake_or_asleep(monkeypatch):
    posted = []
    post = mailbox.Mailbox.post
    monkeypatch.setattr(mailbox.Mailbox, "post", lambda self, one: posted.append(post(self, one)) or posted[-1])
    x = np.zeros((3, 2))
    with Team(3) as team:
        works = replays(x)
        for k in range(200):
            # Unas veces vigilan; otras, ya se durmieron.
            if k % 20 == 0:
                time.sleep(0.02)
            team.replay(works)
            assert (x == k + 1).all()
            if k % 7 == 0:
                team.run(lambda k: None, 3)
    assert {True, False} <= set(posted)


def test_an_error_in_what_is_recorded_is_that_of_the_first_part_and_the_team_goes_on():
    x = np.zeros((3, 2))
    with Team(3) as team:
        works = replays(x)
        for _ in range(3):
            team.replay(works)
            x[1:] = -1
            with pytest.raises(ValueError, match="negativo"):
                team.replay(works)
            x[:] = 0
        team.replay(works)
    assert (x == 1).all()


def test_threads_that_watch_leave_with_the_team():
    before = threading.active_count()
    for _ in range(20):
        with Team(4) as team:
            team.replay(replays(np.zeros((4, 1))))
    assert threading.active_count() == before


def test_a_thread_gets_tired_of_watching():
    with Team(2) as team:
        team.replay(replays(np.zeros((2, 1))))
        (box,) = team._boxes
        deadline = time.perf_counter() + 5
        while box.box[mailbox.STATE] != mailbox.ASLEEP and time.perf_counter() < deadline:
            time.sleep(0.01)
        assert box.box[mailbox.STATE] == mailbox.ASLEEP


# --- El ensayo ---


def test_a_rehearsal_that_does_not_fit_is_done_as_always():
    x, other = np.zeros(4), np.zeros(4)
    rehearsal, pieces = Rehearsal(), [(0, 2), (2, 4)]
    with Team(2) as team:
        for k in range(4):
            rehearsal.run(team, lambda a, b, k=k: add(x[a:b], float(k)), pieces)
        assert rehearsal.ready
        # Otro arreglo, otro tipo de número, una llamada más, otros pedazos.
        rehearsal.run(team, lambda a, b: add(other[a:b], 1.0), pieces)
        for amounts in ((1,), (1.0,), (1.0, 1.0), (1.0,), ()):
            for _ in range(3):
                rehearsal.run(team, lambda a, b, amounts=amounts: [add(x[a:b], one) for one in amounts], pieces)
        rehearsal.run(team, lambda a, b: add(x[a:b], 1.0), [(0, 4)])
    assert (other == 1).all()
    assert (x == 6 + 3 * 5 + 1).all()


def test_what_gives_a_number_is_never_rehearsed():
    @kernel
    def total(x):
        return x.sum()

    found, rehearsal = [], Rehearsal()
    with Team(1) as team:
        for _ in range(5):
            rehearsal.run(team, lambda a, b: found.append(total(np.ones(3)[a:b])), [(0, 3)])
    assert not rehearsal.ready
    assert found == [3.0] * 5


# --- Los tramos ---

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(90, 6)), RNG.normal(size=(90, 2))


class Watches(Callback):
    """Mira entre un lote y otro: así no hay tramos."""

    def on_train_batch_end(self, batch, logs=None):
        """No hace nada con lo que ve."""


def network(*between, optimizer=None, dtype="float64", **options):
    layers = [Dense(16, "tanh", **options), *between, Dense(2)]
    model = Sequential([Input((6,)), *layers], dtype=dtype, seed=0)
    model.compile(optimizer or Adam(0.01), "mse", metrics=["mae"])
    return model


@pytest.fixture
def given(monkeypatch):
    """Cuántos pasos dio cada tramo."""
    found = []
    run = Stretch.run

    def watch(self, *arguments):
        found.append(run(self, *arguments))
        return found[-1]

    monkeypatch.setattr(Stretch, "run", watch)
    return found


def fit(model, x=X, y=Y, callbacks=(), **options):
    options = {"batch_size": 4, "epochs": 3, "verbose": 0} | options
    history = model.fit(x, y, callbacks=list(callbacks), **options).history
    return model.theta, history, model.optimizer.iterations


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_stretch_gives_the_bits_of_its_steps(threads, dtype, given):
    set_threads(threads)
    many = fit(network(dtype=dtype))
    assert sum(given) > 50
    count = len(given)
    one_by_one = fit(network(dtype=dtype), callbacks=[Watches()])
    assert len(given) == count
    np.testing.assert_array_equal(many[0], one_by_one[0])
    assert many[1:] == one_by_one[1:]


def drawing():
    x = Input((6,))
    mean, spread = Dense(4)(Dropout(0.2)(x)), Dense(4, "tanh")(x)
    model = Model(x, Dense(2)(GaussianDropout(0.1)(Sampling(0.5)([mean, spread]))), dtype="float64", seed=0)
    model.compile(Adam(0.01), "mse")
    return model


@pytest.mark.parametrize("threads", [1, 2])
def test_a_stretch_draws_and_adds_what_its_steps_would(threads, given):
    set_threads(threads)
    found = []
    for callbacks in ([], [Watches()]):
        model = drawing()
        found += [[fit(model, X[:n], Y[:n], callbacks) for n in (90, 50, 90)]]
    assert len(given) > 3
    for many, one_by_one in zip(*found, strict=True):
        np.testing.assert_array_equal(many[0], one_by_one[0])
        assert many[1:] == one_by_one[1:]


def test_a_stretch_respects_the_limit_and_the_last_batch(given):
    found = []
    for callbacks in ([], [Watches()]):
        model = network()
        fit(model, callbacks=callbacks, batch_size=7)
        fit(model, callbacks=callbacks, steps_per_epoch=5, shuffle=False)
        found.append(fit(model, X[:41], Y[:41], callbacks))
    assert given
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1:] == found[1][1:]


def test_what_happens_between_steps_keeps_them_apart(given):
    fit(network(kernel_regularizer="l2"))
    fit(network(kernel_constraint="max_norm"))
    fit(network(optimizer=Adam(0.01, clipnorm=1.0)))
    fit(network(optimizer=Adam(0.01, use_ema=True, ema_overwrite_frequency=3)))
    fit(network(optimizer=SGD(0.01, gradient_accumulation_steps=2)))
    assert not given


def test_a_loss_that_is_not_finite_stops_the_stretch_where_it_should(given):
    x = X.copy()
    # Cabe en el tipo, pero el cuadrado de lo que sale no.
    y = Y.copy()
    y[60] = 1e200
    found = []
    for callbacks in ([], [Watches()]):
        model = network(optimizer=SGD(0.01))
        fit(model, x[:32], Y[:32], callbacks)
        with pytest.raises(FloatingPointError) as error:
            fit(model, x, y, callbacks, shuffle=False)
        found.append((str(error.value), model.theta.copy(), model.optimizer.iterations))
    assert given
    assert found[0][0] == found[1][0]
    assert "época 1, lote 16" in found[0][0]
    np.testing.assert_array_equal(found[0][1], found[1][1])
    assert found[0][2] == found[1][2]


def test_a_changed_rate_and_a_changed_argument_are_those_of_the_next_epoch(given):
    class Changes(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.01 / (epoch + 1)
            self.model.optimizer.beta_1 = 0.9 - 0.1 * epoch

    plain = fit(network(), callbacks=[Changes(), Watches()], epochs=5)
    many = fit(network(), callbacks=[Changes()], epochs=5)
    assert given
    np.testing.assert_array_equal(plain[0], many[0])


def test_a_stretch_moves_what_the_optimizer_remembers_now(given):
    found = []
    for callbacks in ([], [Watches()]):
        model = network()
        fit(model, callbacks=callbacks)
        # Otra memoria, y unos pasos sueltos que la conocen antes que el tramo.
        model.optimizer.set_state(model.optimizer.get_state())
        for _ in range(5):
            model.train_on_batch(X[:4], Y[:4])
        found.append(fit(model, callbacks=callbacks)[0].copy())
    assert len(given) > 1
    np.testing.assert_array_equal(*found)


def test_nothing_is_allocated_in_a_stretch(given):
    import tracemalloc

    model = network()
    fit(model)
    tracemalloc.start()
    fit(model, epochs=2)
    before = tracemalloc.get_traced_memory()[0]
    fit(model, epochs=20)
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert after - before < 20_000


def test_ctrl_c_waits_for_the_stretch():
    import signal

    model = network()
    fit(model)
    before = model.optimizer.iterations
    run = Stretch.run

    def interrupted(self, *arguments):
        signal.raise_signal(signal.SIGINT)
        return run(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stretch, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(model)
    assert model.optimizer.iterations > before
    assert np.isfinite(model.theta).all()
    fit(model)


@pytest.mark.skipif(sys.platform == "win32", reason="no hay fork")
def test_a_forked_process_trains_with_its_own_threads():
    import os

    set_threads(2)
    model = network(Dropout(0.1))
    fit(model)
    pid = os.fork()
    if not pid:
        try:
            fit(model)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0
    assert len(parallel._resting) <= 1
