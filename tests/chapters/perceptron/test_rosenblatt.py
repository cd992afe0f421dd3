"""La regla de Rosenblatt corrige, converge cuando se puede y da lo mismo venga como venga el arreglo."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.perceptron.rosenblatt import Perceptron, perceptron_rule
from dlbook.data import apples_and_oranges, load_digits, logic_gate

seeds = st.integers(0, 10_000)


def textbook_epoch(x, y, w, b, learning_rate):
    w, mistakes = list(w), 0
    for row, target in zip(x, y, strict=True):
        z = 0.0
        for w_j, x_j in zip(w, row, strict=True):
            z += w_j * x_j
        error = target - (z + b >= 0)
        if error:
            w = [w_j + learning_rate * error * x_j for w_j, x_j in zip(w, row, strict=True)]
            b += learning_rate * error
            mistakes += 1
    return w, b, mistakes


@given(seeds, st.integers(1, 20), st.integers(1, 8), st.sampled_from([1.0, 0.5, 0.1, 3.0]))
def test_an_epoch_is_the_loop_of_the_book(seed, n, d, learning_rate):
    rng = np.random.default_rng(seed)
    x, y, w, b = rng.normal(size=(n, d)), rng.integers(0, 2, n), rng.normal(size=d), rng.normal()
    got = perceptron_rule(x, y, w, b, learning_rate)
    expected = textbook_epoch(x.tolist(), y.tolist(), w.tolist(), float(b), learning_rate)
    assert (got[0].tolist(), *got[1:]) == expected


def test_or_takes_four_epochs():
    x, y = logic_gate("or")
    model = Perceptron().fit(x, y)
    assert model.history == {"mistakes": [2, 2, 1, 0]}
    assert (model.b, *model.w) == (-1, 1, 1)
    assert model.predict(x).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("name", ["and", "or", "nand", "nor"])
def test_separable_gates_are_learned(name):
    x, y = logic_gate(name)
    assert Perceptron().fit(x, y).score(x, y) == 1.0


def test_xor_never_settles_and_repeats_itself():
    x, y = logic_gate("xor")
    history = Perceptron(epochs=50).fit(x, y).history["mistakes"]
    assert len(history) == 50
    assert set(history[2:]) == {4}


def test_apples_and_oranges():
    model = Perceptron().fit(*apples_and_oranges())
    np.testing.assert_allclose((model.b, *model.w), (0, -0.4, 1.1), atol=1e-12)
    assert len(model.history["mistakes"]) == 3
    x, y = apples_and_oranges(500, seed=1)
    assert Perceptron(epochs=2000).fit(x, y).score(x, y) == 1.0


@given(seeds, st.integers(1, 30), st.integers(1, 6), st.booleans())
def test_an_epoch_without_mistakes_means_a_perfect_score(seed, n, d, shuffle):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.integers(0, 2, n)
    model = Perceptron(learning_rate=0.1, epochs=40, shuffle=shuffle, seed=seed).fit(x, y)
    assert (model.history["mistakes"][-1] == 0) <= (model.score(x, y) == 1.0)


@given(seeds, st.integers(2, 20), st.integers(1, 6))
def test_layout_and_precision_do_not_change_the_answer(seed, n, d):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)).astype(np.float32), rng.integers(0, 2, n)
    plain = Perceptron(epochs=20).fit(x.astype(float), y)
    wide = np.zeros((2 * n, 3 * d), np.float32)
    wide[::2, ::3] = x
    readonly = x.copy()
    readonly.flags.writeable = False
    for same in (x, np.asfortranarray(x), wide[::2, ::3], readonly, x.tolist()):
        model = Perceptron(epochs=20).fit(same, y.astype(bool))
        assert (model.w == plain.w).all()
        assert (model.b, model.history) == (plain.b, plain.history)
        assert (model.predict(same) == plain.predict(x)).all()


def test_integers_are_not_truncated():
    (x, y), _ = load_digits()
    x, y = x[:200].reshape(200, -1), (y[:200] == 3).astype(np.uint8)
    whole, real = Perceptron().fit(x, y), Perceptron().fit(x.astype(float), y)
    assert (whole.w == real.w).all()


@given(seeds, st.sampled_from([2.0, 0.25, 64.0]))
def test_the_learning_rate_only_scales_weights_that_start_at_zero(seed, learning_rate):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-5, 6, (12, 3)), rng.integers(0, 2, 12)
    one, other = Perceptron(epochs=30).fit(x, y), Perceptron(learning_rate, epochs=30).fit(x, y)
    assert one.history == other.history
    assert (one.w * learning_rate == other.w).all()
    assert one.b * learning_rate == other.b


def test_shuffling_is_reproducible_and_depends_on_the_seed():
    (x, y), _ = load_digits()
    x, y = x.reshape(len(x), -1), y == 8
    runs = [Perceptron(epochs=5, shuffle=True, seed=seed).fit(x, y) for seed in (0, 0, 1)]
    assert (runs[0].w == runs[1].w).all()
    assert (runs[0].w != runs[2].w).any()


def test_fit_starts_from_zero_each_time():
    x, y = logic_gate("or")
    model = Perceptron()
    first = model.fit(x, y).w.copy()
    assert (model.fit(x, y).w == first).all()


def test_the_arguments_are_left_alone():
    x, y = logic_gate("or")
    w = np.zeros(2)
    perceptron_rule(x, y, w, 0.0)
    assert not w.any()
    assert (x == logic_gate("or")[0]).all()


@pytest.mark.parametrize("label", [0, 1])
def test_a_single_class_is_learned_too(label):
    x = np.random.default_rng(0).normal(size=(10, 3))
    y = np.full(10, label)
    assert Perceptron(epochs=1000).fit(x, y).score(x, y) == 1.0
