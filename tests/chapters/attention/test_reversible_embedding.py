"""La tabla que se lee en los dos sentidos: su gradiente es la suma de los dos usos, y hace lo que hace Keras."""

import numpy as np
import pytest

from chapters.attention import ReversibleEmbedding, tied_logits, tied_logits_backward
from chapters.mlp import Adam, Dense, Input, Model, SparseCategoricalCrossentropy, load_model
from chapters.rnn import embedding_backward
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads


def network(rows=7, width=3, steps=None, seed=0, **options):
    words = Input((steps,))
    table = ReversibleEmbedding(rows, width, **options)
    h = Dense(width, "tanh", name="middle")(table(words))
    return Model(words, table(h, reverse=True), seed=seed, dtype="float64"), table


def test_the_gradient_of_the_shared_table_is_the_sum_of_its_two_uses():
    model, table = network()
    tokens, dy = np.array([[1, 4, 1], [0, 6, 2]]), np.random.default_rng(0).normal(size=(2, 3, 7))
    model.forward(tokens)
    model.backward(dy)
    dense = next(layer for layer in model.layers if layer.name == "middle")
    written, dh = tied_logits_backward(dense.y, table.embeddings, dy)
    read = embedding_backward(tokens, table.embeddings, dense.backward(dh))
    assert np.abs(read).max() > 0.01
    np.testing.assert_allclose(table.gradients[0], read + written, rtol=1e-12)
    assert len(model.trainable_weights) == 3


@pytest.mark.parametrize("options", [{}, {"tie_weights": False}, {"logit_soft_cap": 0.1}, {"mask_zero": True}])
def test_differences_agree_one_layer_deeper(options):
    model, _ = network(**options)
    tokens, dy = np.array([[1, 4, 1, 3], [2, 6, 2, 5]]), np.random.default_rng(1).normal(size=(2, 4, 7))
    for w in model.trainable_weights:
        w *= 5
    model.forward(tokens)
    model.backward(dy)
    names = [f"w{k}" for k in range(len(model.trainable_weights))]
    weights = dict(zip(names, model.trainable_weights, strict=True))
    found = {name: g.copy() for name, g in zip(names, model.gradients, strict=True)}
    report = check_gradients(lambda: float((model.forward(tokens) * dy).sum()), weights, found)
    assert report.ok, str(report)


def test_alone_backwards_it_gives_the_gradient_of_the_vectors():
    for options in ({}, {"tie_weights": False}, {"logit_soft_cap": 1.5}):
        layer = ReversibleEmbedding(5, 3, embeddings_initializer="random_normal", dtype="float64", seed=0, **options)
        x, dy = np.random.default_rng(2).normal(size=(2, 4, 3)), np.random.default_rng(3).normal(size=(2, 4, 5))
        layer.forward(x, reverse=True)
        dx = layer.backward(dy)
        weights = dict(enumerate(layer.weights))
        found = {k: g.copy() for k, g in enumerate(layer.gradients)}
        report = check_gradients(
            lambda layer=layer, x=x, dy=dy: float((layer.forward(x, reverse=True) * dy).sum()),
            {"x": x, **{f"w{k}": w for k, w in weights.items()}},
            {"x": dx, **{f"w{k}": g for k, g in found.items()}},
        )
        assert report.ok, str(report)


def test_many_rows_go_the_same_way():
    rng = np.random.default_rng(0)
    layer = ReversibleEmbedding(9, 4, embeddings_initializer="random_normal", dtype="float64", seed=0)
    x, dy = rng.normal(size=(3, 400, 4)), rng.normal(size=(3, 400, 9))
    np.testing.assert_allclose(layer.forward(x, reverse=True), tied_logits(x, layer.embeddings), atol=1e-12)
    dx = layer.backward(dy)
    dtable, expected = tied_logits_backward(x, layer.embeddings, dy)
    np.testing.assert_allclose(dx, expected, atol=1e-12)
    np.testing.assert_allclose(layer.gradients[0], dtable, atol=1e-11)


@pytest.mark.parametrize("options", [{}, {"tie_weights": False}, {"mask_zero": True}])
def test_it_trains_the_same_in_one_thread_and_in_two(options):
    rng = np.random.default_rng(0)
    tokens = rng.integers(1, 7, (48, 6))
    tokens[::3, 4:] = 0
    found = []
    for threads in (1, 2):
        set_threads(threads)
        model, _ = network(steps=6, **options)
        model.compile(Adam(0.01), SparseCategoricalCrossentropy(from_logits=True))
        history = model.fit(tokens, tokens, batch_size=16, epochs=3, verbose=0).history["loss"]
        found.append((history, model.get_weights()))
    assert found[0][0][-1] < found[0][0][0]
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-9)
    for a, b in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12)


def test_the_mask_that_is_made_when_reading_reaches_the_logits():
    model, _ = network(mask_zero=True)
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    model.forward(tokens)
    np.testing.assert_array_equal(model.output_masks()[0], tokens != 0)
    np.testing.assert_array_equal(model.foreseen_masks([tokens])[0], tokens != 0)


def test_a_model_may_only_write(tmp_path):
    h = Input((None, 3))
    table = ReversibleEmbedding(5, 3)
    writer = Model(h, table(h, reverse=True), seed=0)
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    np.testing.assert_allclose(writer.predict(x), x @ table.embeddings.T, rtol=1e-5)
    words = Input((None,))
    reader = Model(words, table(words))
    np.testing.assert_array_equal(reader.predict([[1, 4]])[0], table.embeddings[[1, 4]])


def test_it_is_saved_and_loaded(tmp_path):
    model, _ = network(logit_soft_cap=3.0)
    model.save(tmp_path / "model.keras")
    other = load_model(tmp_path / "model.keras")
    tokens = np.array([[1, 2, 3]])
    np.testing.assert_array_equal(model.predict(tokens), other.predict(tokens))


@pytest.mark.parametrize("cap", [None, 0.5])
def test_the_cap_keeps_every_score_below(cap):
    layer = ReversibleEmbedding(5, 3, logit_soft_cap=cap, embeddings_initializer="ones")
    assert layer.forward(np.full((1, 3), 10.0), reverse=True).max() == (30 if cap is None else np.float32(0.5))


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 4)), r"x: se esperaba la forma \(n, ..., 3\), pero llegó \(2, 4\)"),
        (np.zeros((0, 3)), r"x: se esperaba la forma \(n, ..., 3\)"),
        (np.zeros((2, 0, 3)), r"x: se esperaba la forma \(n, ..., 3\)"),
        (np.zeros(3), r"x: se esperaba la forma \(n, ..., 3\)"),
        ([["a", "b", "c"]], "x: "),
        ([[np.nan, 0, 0]], "x: "),
    ],
)
def test_what_does_not_fit_backwards_is_said(x, message):
    layer = ReversibleEmbedding(5, 3)
    with pytest.raises((TypeError, ValueError), match=message):
        layer.forward(x, reverse=True)


def test_a_graph_of_the_wrong_width_is_refused():
    table = ReversibleEmbedding(5, 3)
    with pytest.raises(ValueError, match=r"x: se esperaba la forma \(n, ..., 3\), pero llegó \(n, \?, 4\)"):
        table(Input((None, 4)), reverse=True)
