"""La tabla que se aprende: lo que sale, su gradiente, lo que no cabe y lo que hace Keras."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp import SGD, Adam, Dense, Flatten, Input, Model, Sequential, load_model, one_hot
from chapters.rnn import Embedding, embedding_backward, embedding_forward
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine

REFERENCE = json.loads((Path(__file__).parents[2] / "reference/contract.json").read_text("utf-8"))["layer"]


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    v=st.integers(1, 9),
    d=st.integers(1, 5),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_it_is_the_product_of_the_one_hot_by_the_table_and_so_is_its_gradient(shape, v, d, seed):
    rng = np.random.default_rng(seed)
    tokens, table = rng.integers(0, v, shape), rng.normal(size=(v, d))
    dy = rng.normal(size=(*shape, d))
    rows = one_hot(tokens.reshape(-1), v)
    np.testing.assert_allclose(embedding_forward(tokens, table).reshape(-1, d), rows @ table)
    np.testing.assert_allclose(embedding_backward(tokens, table, dy), rows.T @ dy.reshape(-1, d), atol=1e-12)


def test_the_gradient_is_the_one_that_differences_measure():
    rng = np.random.default_rng(0)
    tokens, table = np.array([[1, 3, 1], [0, 1, 3]]), rng.normal(size=(5, 2))
    dy = rng.normal(size=(2, 3, 2))
    found = embedding_backward(tokens, table, dy * embedding_forward(tokens, table))
    report = check_gradients(lambda: (embedding_forward(tokens, table) ** 2 * dy).sum() / 2, {"e": table}, {"e": found})
    assert report.ok, str(report)
    assert not found[[2, 4]].any()


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([[0, 9]], r"tokens: se esperaba un entero entre 0 y 3, pero hay un 9 en la posición \(0, 1\)"),
        ([[0], [-1]], r"tokens: se esperaba un entero entre 0 y 3, pero hay un -1 en la posición \(1, 0\)"),
        ([[2**40]], "tokens: se esperaba un entero entre 0 y 3, pero hay un"),
        ([[0.5]], "tokens: se esperaba un entero entre 0 y 3, pero hay un 0.5 en la posición"),
        ([["a"]], "tokens: se esperaban números"),
        ([[1, 2], [3]], "tokens: "),
        ([np.nan], "tokens: "),
        (2, "tokens: se esperaba"),
        ([], "tokens: "),
    ],
)
def test_what_has_no_row_is_named_with_its_place(tokens, message):
    table = np.zeros((4, 2))
    with pytest.raises((TypeError, ValueError), match=message):
        embedding_forward(tokens, table)
    with pytest.raises((TypeError, ValueError), match=message):
        embedding_backward(tokens, table, np.zeros((1, 2, 2)))


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_nothing_out_of_the_table_is_ever_read(data):
    layer = Embedding(6, 2)
    layer.build((3,))
    tokens = np.array(data.draw(st.lists(st.integers(-(2**62), 2**62), min_size=3, max_size=3)))[np.newaxis]
    if tokens.min() >= 0 and tokens.max() < 6:
        layer.forward(tokens)
        return
    with pytest.raises(ValueError, match=r"x: se esperaba un entero entre 0 y 5, pero hay un -?\d+ en la posición"):
        layer.forward(tokens)


def test_in_a_model_a_word_without_a_row_is_also_named():
    model = Sequential([Input((3,)), Embedding(5, 2), Flatten(), Dense(1)])
    model.compile("sgd", "mse")
    x = np.array([[1, 2, 3], [0, 7, 1]])
    for call in (lambda: model.predict(x), lambda: model.fit(x, np.zeros((2, 1)), verbose=0)):
        with pytest.raises(ValueError, match="se esperaba un entero entre 0 y 4, pero hay un 7 en la posición"):
            call()


def test_sequences_of_any_length_go_through_the_same_table():
    layer = Embedding(5, 2, seed=0)
    assert layer.forward([[1, 2, 3]]).shape == (1, 3, 2)
    assert layer.forward([[1, 2, 3, 4, 0]]).shape == (1, 5, 2)
    model = Sequential([Input((None,)), Embedding(5, 2), Dense(3)])
    assert model.predict([[1, 2]]).shape == (1, 2, 3)
    assert model.predict([[1, 2, 3]]).shape == (1, 3, 3)
    assert Embedding(5, 2).compute_output_shape((None, 4)) == (None, 4, 2)


def test_the_table_with_which_it_starts():
    table = np.arange(6.0).reshape(3, 2)
    for given_table in (table, [table], table.tolist()):
        layer = Embedding(3, 2, weights=given_table, dtype="float64")
        np.testing.assert_array_equal(layer.forward([[2, 0]])[0], table[[2, 0]])
    with pytest.raises(ValueError, match="weights: se esperaba"):
        Embedding(4, 2, weights=table)
    with pytest.raises(AttributeError):
        Embedding(4, 2).weights = table


def test_only_what_was_read_moves_with_descent_and_the_frozen_table_does_not():
    x, y = np.array([[1, 2], [2, 2]]), np.ones((2, 1))
    for trainable in (True, False):
        model = Sequential([Input((2,)), Embedding(5, 3, trainable=trainable), Flatten(), Dense(1)], seed=0)
        before = model.layers[0].embeddings.copy()
        model.compile(SGD(0.1), "mse")
        model.fit(x, y, epochs=2, verbose=0)
        moved = (model.layers[0].embeddings != before).any(axis=1)
        assert moved.tolist() == [False, trainable, trainable, False, False]


def test_the_same_table_in_two_places_adds_its_two_gradients():
    rng = np.random.default_rng(0)
    shared = Embedding(6, 3)
    a, b = Input((4,)), Input((2,))
    out = Dense(1)(Flatten()(shared(a)))
    model = Model([a, b], [out, Dense(2)(Flatten()(shared(b)))], dtype="float64", seed=0)
    model.compile("sgd", "mse")
    x = [rng.integers(0, 6, (5, 4)), rng.integers(0, 6, (5, 2))]
    y = [rng.normal(size=(5, 1)), rng.normal(size=(5, 2))]
    gradient = model.loss_and_gradient(x, y)[1]
    report = check_gradients(lambda: model.loss_and_gradient(x, y)[0], {"theta": model.theta}, {"theta": gradient})
    assert report.ok, str(report)


def test_threads_do_not_change_what_it_learns(monkeypatch):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)
    rng, found = np.random.default_rng(0), []
    x, y = rng.integers(0, 50, (40, 6)), rng.normal(size=(40, 1))
    for threads in (1, 3):
        set_threads(threads)
        model = Sequential([Input((6,)), Embedding(50, 4), Flatten(), Dense(1)], dtype="float64", seed=0)
        model.compile(Adam(0.01), "mse")
        model.fit(x, y, batch_size=16, epochs=3, verbose=0)
        found.append(model.theta.copy())
    set_threads(None)
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize("suffix", ["safetensors", "keras", "h5"])
def test_it_comes_back_from_disk(suffix, tmp_path):
    model = Sequential([Input((3,)), Embedding(5, 2, mask_zero=True, embeddings_regularizer="l2"), Dense(2)], seed=0)
    model.save(tmp_path / f"m.{suffix}")
    back = load_model(tmp_path / f"m.{suffix}")
    x = [[1, 4, 0]]
    np.testing.assert_array_equal(back.predict(x), model.predict(x))
    assert back.layers[0].mask_zero
    np.testing.assert_array_equal(back.foreseen_masks([np.array(x)])[0], [[True, True, False]])


@pytest.mark.parametrize("key", [key for key in REFERENCE if key.startswith("Embedding(")])
def test_the_numbers_of_keras(key):
    case = REFERENCE[key]
    given_data = case["given"]
    (table,) = (np.array(w) for w in given_data["weights"])
    y = embedding_forward(np.array(given_data["x"]), table)
    np.testing.assert_allclose(y, case["keras"][0], rtol=1e-12)


def test_it_does_what_keras_does_with_the_keras_installed_here():
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Embedding(6, 3, mask_zero=True), keras.layers.Dense(2)])
    x = np.random.default_rng(0).integers(0, 6, (5, 4))
    np.testing.assert_allclose(Model.from_keras(model).predict(x), model.predict(x, verbose=0), atol=1e-6)
