"""Un modelo de letras: lo que escribe, lo que le sorprende, su alfabeto y sus filas."""

import itertools

import numpy as np
import pytest

from chapters import rnn
from chapters.mlp import Dense, Dropout, Flatten, Input, Sequential
from chapters.rnn import (
    Alphabet,
    Embedding,
    adding_problem,
    bits_per_character,
    delayed_copy,
    sample_logits,
    shifted_windows,
    temper,
    write,
)

ALPHABET = Alphabet("abcdé ¿?ñ\n")
LETTERS = len(ALPHABET)
CELLS = ("SimpleRNN", "GRU", "LSTM")


def network(*cells, dtype="float64", **options):
    hidden = [getattr(rnn, cell)(6, return_sequences=True, **options) for cell in cells]
    layers = [Input((None,)), Embedding(LETTERS, 3), *hidden, Dense(LETTERS)]
    model = Sequential(layers, seed=0, dtype=dtype)
    # Que ningún sesgo esté en cero.
    rng = np.random.default_rng(1)
    model.set_weights([w + rng.normal(size=w.shape) / 2 for w in model.get_weights()])
    return model


def slowly(model, prompt, length, temperature, seed):
    rng, text = np.random.default_rng(seed), prompt
    for _ in range(length):
        logits = model.predict(ALPHABET.encode(text)[None], verbose=0)[0, -1]
        text += ALPHABET.decode([sample_logits(logits, temperature, seed=rng)])
    return text[len(prompt) :]


@pytest.mark.parametrize("cells", [*[(c,) for c in CELLS], ("GRU", "LSTM")])
def test_it_writes_the_same_as_reading_everything_again(cells):
    model = network(*cells)
    for seed in range(2):
        assert write(model, ALPHABET, "a¿", 20, 0.8, seed=seed) == slowly(model, "a¿", 20, 0.8, seed)


@pytest.mark.parametrize(
    ("cell", "options"),
    [
        ("SimpleRNN", {"activation": "relu", "use_bias": False}),
        ("LSTM", {"activation": "relu", "use_bias": False}),
        ("LSTM", {"recurrent_activation": "hard_sigmoid"}),
        ("GRU", {"reset_after": False}),
        ("GRU", {"use_bias": False}),
    ],
)
def test_with_every_option_too(cell, options):
    model = network(cell, **options)
    assert write(model, ALPHABET, "é", 20, seed=0) == slowly(model, "é", 20, 1.0, 0)


def test_dropout_is_off_when_writing():
    options = {"dropout": 0.5, "recurrent_dropout": 0.5}
    model = network("LSTM", **options)
    assert write(model, ALPHABET, "é", 20, seed=0) == slowly(model, "é", 20, 1.0, 0)


@pytest.mark.parametrize("cell", CELLS)
def test_one_step_alone_gives_the_same_as_the_first_of_several(cell):
    # Con un solo paso, los pesos del estado no se ponen en franjas.
    x = np.random.default_rng(0).normal(size=(3, 4, 2))
    layer = getattr(rnn, cell)(5, return_sequences=True, dtype="float64", seed=0)
    layer.build((None, 2))
    several = layer.forward(x).copy()
    np.testing.assert_allclose(layer.forward(x[:, :1]), several[:, :1], rtol=1e-13)
    dy = np.random.default_rng(1).normal(size=(3, 1, 5))
    alone = layer.backward(dy).copy(), [g.copy() for g in layer.gradients]
    layer.forward(x)
    dx = layer.backward(np.concatenate([dy, np.zeros((3, 3, 5))], axis=1))
    np.testing.assert_allclose(alone[0], dx[:, :1], rtol=1e-12)
    for one, other in zip(alone[1], layer.gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("cell", CELLS)
def test_a_model_that_remembers_between_calls_keeps_its_memory(cell):
    model = network(cell, stateful=True)
    ids = np.random.default_rng(0).integers(LETTERS, size=(2, 4))
    model.predict(ids[:1], verbose=0)
    kept = [state.copy() for state in model.layers[1].memory["states"]]
    assert write(model, ALPHABET, "a", 9, seed=0) == write(network(cell), ALPHABET, "a", 9, seed=0)
    bits_per_character(model, ids[0])
    for one, other in zip(kept, model.layers[1].memory["states"], strict=True):
        np.testing.assert_array_equal(one, other)


def test_writing_does_not_change_the_model():
    model = network("LSTM")
    before = [w.copy() for w in model.get_weights()]
    first = write(model, ALPHABET, "a", 30, seed=0)
    assert write(model, ALPHABET, "a", 30, seed=0) == first
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_greedy_writing_is_the_same_with_any_seed():
    model = network("GRU")
    greedy = {write(model, ALPHABET, "a", 30, temperature=0, seed=seed) for seed in range(3)}
    assert greedy == {write(model, ALPHABET, "a", 30, top_k=1)}


def test_nothing_can_be_written():
    assert write(network("SimpleRNN"), ALPHABET, "a", 0) == ""


@pytest.mark.parametrize("cell", CELLS)
def test_texts_longer_than_a_chunk_are_measured_whole(cell, monkeypatch):
    model = network(cell)
    ids = np.random.default_rng(0).integers(LETTERS, size=50)
    p = temper(model.predict(ids[None, :-1], verbose=0)[0])
    expected = -np.log2(p[np.arange(49), ids[1:]]).mean()
    for chunk in (1, 7, 49, 2048):
        monkeypatch.setattr("chapters.rnn.programs.writing.CHUNK", chunk)
        assert bits_per_character(model, ids) == pytest.approx(expected, rel=1e-12)


def test_bits_are_the_cross_entropy_in_another_base():
    model = network("LSTM")
    ids = np.random.default_rng(0).integers(LETTERS, size=33)
    model.compile(loss="sparse_categorical_crossentropy")
    model.layers[-1].activation = "softmax"
    nats = model.evaluate(ids[None, :-1], ids[None, 1:], verbose=0)
    model.layers[-1].activation = None
    assert bits_per_character(model, ids) == pytest.approx(nats / np.log(2), rel=1e-6)


def every(**options):
    return rnn.SimpleRNN(4, return_sequences=True, **options)


def test_a_tiny_probability_costs_finite_bits():
    model = network("GRU")
    kernel, bias = model.layers[-1].get_weights()
    bias[:] = 0
    bias[0] = 2000
    model.layers[-1].set_weights([0 * kernel, bias])
    assert np.isclose(bits_per_character(model, [0, 1, 1]), 2000 / np.log(2))


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_model_without_finite_scores_does_not_write(wrong):
    model = network("GRU")
    model.layers[-1].bias[0] = wrong
    with pytest.raises(ValueError, match="puntajes finitos"):
        write(model, ALPHABET, "a", 3)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (lambda: [every(), Dense(LETTERS)], "que empezara con un Embedding"),
        (lambda: [Embedding(LETTERS, 3), rnn.SimpleRNN(4), Dense(LETTERS)], "return_sequences=True"),
        (lambda: [Embedding(LETTERS, 3), every(go_backwards=True), Dense(LETTERS)], "go_backwards=False"),
        (lambda: [Embedding(LETTERS, 3), every(), Dense(LETTERS, "softmax")], "sin activación"),
        (lambda: [Embedding(LETTERS, 3), every()], "al final una Dense"),
        (lambda: [Embedding(LETTERS, 3), Flatten(), Dense(LETTERS)], "una Flatten"),
        (lambda: [Embedding(LETTERS, 3, mask_zero=True), every(), Dense(LETTERS)], "mask_zero=False"),
    ],
)
def test_models_that_do_not_read_step_by_step_are_rejected(layers, message):
    layers = layers()
    model = Sequential([Input((4,) if isinstance(layers[0], Embedding) else (4, 3)), *layers], seed=0)
    with pytest.raises(ValueError, match=message):
        write(model, ALPHABET, "a", 3)
    with pytest.raises(ValueError, match=message):
        bits_per_character(model, [0, 1])


def test_layers_in_between_are_admitted():
    layers = [Input((None,)), Embedding(LETTERS, 3), Dropout(0.5), rnn.SimpleRNN(4, return_sequences=True)]
    model = Sequential([*layers, Dropout(0.5), Dense(5, "relu"), Dense(LETTERS)], seed=0)
    assert len(write(model, ALPHABET, "a", 5, seed=0)) == 5


def test_letters_that_do_not_fit_are_rejected():
    model = network("SimpleRNN")
    with pytest.raises(ValueError, match="llegó 'x' en el lugar 1"):
        write(model, ALPHABET, "ax", 3)
    with pytest.raises(TypeError, match="prompt: se esperaba un texto"):
        write(model, ALPHABET, "", 3)
    with pytest.raises(ValueError, match="tantas letras"):
        write(model, Alphabet("abc"), "a", 3)
    with pytest.raises(ValueError, match=f"entre 0 y {LETTERS - 1}"):
        bits_per_character(model, [0, LETTERS])
    with pytest.raises(ValueError, match="al menos dos letras"):
        bits_per_character(model, [0])


def test_spanish_goes_and_comes_back():
    text = "¿Qué pingüino? ¡Ñandú, «sí»!\n\t—…"
    alphabet = Alphabet(text)
    assert alphabet.decode(alphabet.encode(text)) == text
    assert len(alphabet) == len(set(text)) == len(alphabet.characters)
    assert list(alphabet.characters) == sorted(set(text))


def test_a_letter_and_its_accent_are_one():
    apart = "cafe\u0301"
    assert len(Alphabet(apart)) == 4
    assert Alphabet(apart).decode(Alphabet("café").encode(apart)) == "café"


def test_the_empty_text_and_no_numbers():
    assert ALPHABET.encode("").shape == (0,)
    assert ALPHABET.decode([]) == ""
    with pytest.raises(TypeError, match="text: se esperaba un texto"):
        Alphabet("")
    with pytest.raises(ValueError, match="ids: se esperaba un entero entre"):
        ALPHABET.decode([LETTERS])


def test_letters_outside_of_the_plane_count_as_one():
    alphabet = Alphabet("a😀b")
    assert len(alphabet) == 3
    assert alphabet.encode("😀a").tolist() == [2, 0]


@pytest.mark.parametrize(("total", "length", "streams"), list(itertools.product((25, 31, 64), (1, 4), (1, 2, 3))))
def test_answers_are_the_next_and_streams_go_on(total, length, streams):
    ids = np.random.default_rng(total).permutation(total)
    x, y = shifted_windows(ids, length, streams)
    after = dict(itertools.pairwise(ids.tolist()))
    assert all(after[a] == b for a, b in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True))
    assert len(np.unique(x)) == x.size
    batches = x.reshape(-1, streams, length)
    for one, following in itertools.pairwise(batches):
        assert [after[a] for a in one[:, -1].tolist()] == following[:, 0].tolist()


def test_a_copy_shows_its_symbol_first_and_only_there():
    x, y = delayed_copy(200, 7, symbols=5, seed=0)
    assert x.shape == (200, 8, 7)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x.sum(axis=2), 1)
    np.testing.assert_array_equal(x[:, 0].argmax(axis=1), y)
    assert (x[:, 1:, :5] == 0).all()
    assert set(y) == set(range(5))


def test_a_sum_has_a_mark_in_each_half():
    x, y = adding_problem(300, 9, seed=0)
    np.testing.assert_array_equal(x[:, :4, 1].sum(axis=1), 1)
    np.testing.assert_array_equal(x[:, 4:, 1].sum(axis=1), 1)
    np.testing.assert_allclose(y[:, 0], (x[..., 0] * x[..., 1]).sum(axis=1), rtol=1e-6)
    x, y = adding_problem(200_000, 2, seed=0)
    assert y.mean() == pytest.approx(1, abs=5e-3)
    assert y.var() == pytest.approx(1 / 6, abs=2e-3)
