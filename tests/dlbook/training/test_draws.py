"""El azar no depende de cuántos hilos haya: solo cambia la última cifra."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.cnn import RandomFlip, RandomRotation, RandomTranslation, SpatialDropout2D
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.flatten import Flatten
from chapters.mlp.gaussian_noise import GaussianDropout, GaussianNoise
from chapters.mlp.layer import Layer
from chapters.mlp.optimizers import Adam
from chapters.mlp.sequential import Input, Sequential
from dlbook import callbacks
from dlbook.numeric.draws import MULTIPLIER, Draws, _jump
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine as engines

RNG = np.random.default_rng(0)
X, Y = RNG.uniform(size=(70, 5, 5, 1)), RNG.integers(0, 3, 70)


class Noise(Layer):
    """Una capa de quien lee, que sortea dos números por observación."""

    random = True

    def forward(self, x, training=False):
        self.y = x = self.ready(x)
        if training:
            noise = self.uniform(np.empty((len(x), 2), self.dtype))
            self.y = x + noise.sum(axis=1).reshape(-1, 1, 1, 1)
        return self.y

    def backward(self, dy):
        return dy


def network(*layers, dtype="float64"):
    model = Sequential([Input((5, 5, 1)), *layers, Dense(3, "softmax")], dtype=dtype, seed=3)
    model.compile(Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


MODELS = {
    "dropout": lambda: [Flatten(), Dense(9, "tanh"), Dropout(0.5), Dense(7, "tanh"), Dropout(0.2)],
    "imágenes": lambda: [RandomTranslation(0.2, 0.3), RandomRotation(0.1), RandomFlip(), Flatten(), Dense(4)],
    "adentro": lambda: [Sequential([Flatten(), Dropout(0.3), Sequential([Dense(5), Dropout(0.5)])])],
    "canales": lambda: [SpatialDropout2D(0.3), GaussianNoise(0.3), Flatten(), Dense(5), GaussianDropout(0.2)],
    "propia": lambda: [Noise(), Flatten(), Dropout(0.5)],
}


@pytest.fixture(autouse=True)
def _settings():
    yield
    set_threads(None)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("cache", [1 << 20, 4000, 1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_number_of_threads_only_changes_the_last_digits(monkeypatch, name, cache, dtype):
    monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
    monkeypatch.setattr(engines, "CACHE", cache)
    histories, thetas = [], []
    for threads in (1, 2, 3, 4):
        set_threads(threads)
        model = network(*MODELS[name](), dtype=dtype)
        histories.append(model.fit(X, Y, batch_size=16, epochs=3, verbose=0).history)
        thetas.append(model.theta.copy())
    rtol = 1e-9 if dtype == "float64" else 2e-4
    for history, theta in zip(histories[1:], thetas[1:], strict=True):
        assert np.allclose(history["loss"], histories[0]["loss"], rtol=rtol)
        assert np.allclose(theta, thetas[0], rtol=100 * rtol, atol=100 * rtol)


def test_a_training_resumed_with_other_threads_goes_on_alike(monkeypatch):
    monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
    whole, parts = network(*MODELS["dropout"]()), network(*MODELS["dropout"]())
    set_threads(1)
    whole.fit(X, Y, epochs=4, verbose=0)
    for epoch, threads in enumerate((2, 1, 3, 4)):
        set_threads(threads)
        other = network(*MODELS["dropout"]())
        other.set_state(parts.get_state())
        other.fit(X, Y, epochs=epoch + 1, initial_epoch=epoch, verbose=0)
        parts = other
    assert np.allclose(whole.theta, parts.theta, rtol=1e-9)


def test_steps_epochs_and_layers_draw_different_numbers():
    seen = []

    class Keeps(Dropout):
        def forward(self, x, training=False):
            y = super().forward(x, training)
            if training:
                seen.append(self.factor.copy())
            return y

    model = network(Flatten(), Keeps(0.5), Keeps(0.5))
    model.fit(X, Y, batch_size=35, epochs=2, verbose=0, shuffle=False)
    assert len(seen) == 8
    for a in range(8):
        for b in range(a):
            assert 0.4 < (seen[a] == seen[b]).mean() < 0.6
    # Tampoco se parecen entre sí las filas de un lote.
    assert len(np.unique(seen[0], axis=0)) == 35


def test_layers_alone_draw_from_their_own_generator():
    layer, generator = Dropout(0.5, seed=4), np.random.default_rng(4)
    y = layer.forward(np.ones((3, 8)), training=True)
    assert np.array_equal(y > 0, generator.random((3, 8), np.float32) >= 0.5)
    layer, generator = RandomRotation(0.1, seed=4), np.random.default_rng(4)
    assert np.array_equal(np.arccos(layer.draw(3, 5, 5)[:, 0, 0]).shape, (3,))
    assert np.allclose(layer.generator.random(), [generator.random() for _ in range(4)][-1])


def test_after_a_fit_the_layer_is_as_it_was():
    model = network(*MODELS["dropout"]())

    class Looks(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert all(layer.draws is None for layer in self.model.layers)

    model.fit(X, Y, verbose=0, callbacks=[Looks()])


@given(
    seed=st.integers(0, 2**64),
    step=st.integers(0, 2**40),
    n=st.integers(1, 9),
    start=st.integers(0, 8),
    sizes=st.lists(st.integers(1, 70), min_size=1, max_size=4),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_the_bits_are_those_of_numpy(seed, step, n, start, sizes, dtype):
    """Los de PCG64, adelantado hasta el paso, hasta lo que ya usó el lote y hasta las observaciones que vienen."""
    start = min(start, n - 1)
    draws = Draws(np.random.SeedSequence(seed))
    draws.place(step, start, n, n)
    used = step << 64
    for each in sizes:
        bits = np.random.PCG64(np.random.SeedSequence(seed))
        bits.advance(used)
        whole = np.random.Generator(bits).random((n, each), dtype)
        np.testing.assert_array_equal(draws.uniform(np.empty((n - start, each), dtype)), whole[start:])
        used += n * each


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**40))
def test_a_jump_is_as_many_steps(state, increment, distance, far):
    jumped = state, increment
    halves = [np.uint64(half) for number in jumped for half in (number >> 64, number & 2**64 - 1)]
    distance = distance if far % 2 else far % 50
    with np.errstate(over="ignore"):
        found = _jump(*halves, np.uint64(distance), 0)
    a = pow(MULTIPLIER, distance, 2**128)
    # 1 + a + … + a^(k-1), con el módulo más grande que deja dividir exactamente.
    total = (pow(MULTIPLIER, distance, 2**128 * (MULTIPLIER - 1)) - 1) // (MULTIPLIER - 1)
    expected = (a * state + increment * total) % 2**128
    assert (int(found[0]) << 64) + int(found[1]) == expected


@given(
    st.integers(1, 40),
    st.lists(st.integers(0, 40), max_size=5),
    st.integers(1, 7),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 2**40),
    st.integers(1, 3),
)
def test_any_cut_of_a_batch_gets_the_numbers_of_the_whole(n, cuts, each, dtype, step, calls):
    def drawn(draws, start, stop):
        draws.place(step, start, stop, n)
        return [draws.uniform(np.empty((stop - start, each), dtype)) for _ in range(calls)]

    seed = np.random.SeedSequence(1)
    whole = drawn(Draws(seed), 0, n)
    edges = sorted({0, n, *(c for c in cuts if c < n)})
    one = Draws(seed)
    for start, stop in pairwise(edges):
        for expected, part, alone in zip(whole, drawn(one, start, stop), drawn(Draws(seed), start, stop), strict=True):
            assert np.array_equal(expected[start:stop], part)
            assert np.array_equal(part, alone)
    assert all(((a >= 0) & (a < 1)).all() for a in whole)
    assert calls == 1 or not np.array_equal(whole[0], whole[1])
