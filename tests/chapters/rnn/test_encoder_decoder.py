"""El codificador y el decodificador: la cuenta, el gradiente a través de los dos, las máscaras y lo que se escribe."""

import numpy as np
import pytest

from chapters.mlp import Adam, Dense, Input, Model, Sequential
from chapters.rnn import GRU, LSTM, Embedding, SimpleRNN, encoder_decoder, greedy_decode
from chapters.rnn.recurrent.lstm import lstm_forward
from dlbook.gradcheck import check_gradients

SOURCE = np.array([[1, 4, 2, 0], [3, 0, 0, 0], [2, 2, 5, 1]])
WRITTEN = np.array([[1, 3, 4], [1, 5, 0], [1, 2, 6]])
WANTED = np.array([[3, 4, 2], [5, 2, 0], [2, 6, 2]])


def made(**options):
    return encoder_decoder(6, 7, **{"units": 4, "seed": 0, "dtype": "float64"} | options)


def test_it_is_two_recurrences_one_after_the_other():
    whole, encoder, decoder = made()
    table, kernel, recurrent, bias = encoder.get_weights()
    h, c, _ = lstm_forward(table[[[1, 4, 2]]], kernel, recurrent, bias)
    table, kernel, recurrent, bias, w, b = decoder.get_weights()
    y = lstm_forward(table[[[1, 3, 4]]], kernel, recurrent, bias, [h[:, -1], c[:, -1]])[0]
    z = y[0] @ w + b
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(whole.predict([SOURCE[:1], WRITTEN[:1]])[0], p, rtol=1e-10)


def test_what_is_written_step_by_step_is_what_is_written_at_once():
    whole, encoder, decoder = made()
    at_once = whole.predict([SOURCE, WRITTEN])
    state = encoder.predict(SOURCE)
    for t in range(2):
        p, *state = decoder.predict([WRITTEN[:, t : t + 1], *state])
        np.testing.assert_allclose(p[:, 0], at_once[:, t], rtol=1e-10)


def test_padding_changes_nothing():
    whole, encoder, _ = made()
    longer = np.pad(SOURCE, ((0, 0), (0, 3)))
    for short, long in zip(encoder.predict(SOURCE), encoder.predict(longer), strict=True):
        np.testing.assert_allclose(short, long, rtol=1e-12)
    np.testing.assert_allclose(whole.predict([SOURCE, WRITTEN]), whole.predict([longer, WRITTEN]), rtol=1e-12)


def test_the_padding_of_the_answer_is_not_in_the_loss():
    whole, *_ = made()
    whole.compile(loss="sparse_categorical_crossentropy")
    p = whole.predict([SOURCE, WRITTEN])
    rows, steps = np.nonzero(WRITTEN)
    expected = -np.log(p[rows, steps, WANTED[rows, steps]]).mean()
    assert whole.evaluate([SOURCE, WRITTEN], WANTED, verbose=0) == pytest.approx(expected)


def test_the_gradient_goes_through_the_state():
    whole, encoder, _ = made()
    whole.compile("sgd", "sparse_categorical_crossentropy")
    _, gradient = whole.loss_and_gradient([SOURCE, WRITTEN], WANTED, training=True)
    report = check_gradients(
        lambda: whole.loss_and_gradient([SOURCE, WRITTEN], WANTED, training=True)[0],
        {"theta": whole.theta},
        {"theta": gradient},
    )
    assert report.ok, report
    assert all(np.abs(g).max() > 0 for layer in encoder.layers for g in layer.gradients)


@pytest.mark.parametrize("layer", [SimpleRNN, GRU, LSTM])
def test_what_was_not_a_sequence_learns_through_the_initial_state(layer):
    # Como al describir una foto: de un vector sale el estado en que empieza quien escribe.
    picture, written = Input((3,)), Input((None, 2))
    states = [Dense(4, "tanh")(picture) for _ in range(2 if layer is LSTM else 1)]
    y = layer(4, return_sequences=True)(written, initial_state=states)
    model = Model([picture, written], Dense(1)(y), dtype="float64", seed=0)
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    given, wanted = [rng.normal(size=(3, 3)), rng.normal(size=(3, 4, 2))], rng.normal(size=(3, 4, 1))
    _, gradient = model.loss_and_gradient(given, wanted, training=True)
    report = check_gradients(
        lambda: model.loss_and_gradient(given, wanted, training=True)[0],
        {"theta": model.theta},
        {"theta": gradient},
    )
    assert report.ok, report


def test_the_same_seed_gives_the_same_network():
    one, other, third = (made(seed=seed)[0] for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.theta, other.theta)
    assert not np.array_equal(one.theta, third.theta)


def copied(n, rng):
    source = np.zeros((n, 4), int)
    for row in source:
        length = rng.integers(1, 5)
        row[:length] = rng.integers(3, 6, length)
    target = np.zeros((n, 6), int)
    target[:, 0] = 1
    target[:, 1:5] = source
    target[np.arange(n), 1 + (source > 0).sum(axis=1)] = 2
    return source, target


def test_it_learns_to_copy_and_stops():
    rng = np.random.default_rng(0)
    source, target = copied(400, rng)
    whole, encoder, decoder = encoder_decoder(6, 6, 32, seed=0)
    whole.compile(Adam(1e-2), "sparse_categorical_crossentropy")
    whole.fit([source, target[:, :-1]], target[:, 1:], 32, 25, verbose=0)
    source, _ = copied(100, rng)
    written = greedy_decode(encoder, decoder, source, 1, 2, 6)
    padded = np.zeros((100, 6), int)
    padded[:, : written.shape[1]] = written
    assert (padded[:, :4] == source).all(axis=1).mean() > 0.9


class Scripted:
    """Un decodificador que escribe lo que se le dicta."""

    def __init__(self, monkeypatch, lines):
        _, self.encoder, self.decoder = made()
        self.lines, self.t = np.array(lines), 0
        monkeypatch.setattr(self.encoder, "predict", lambda x, verbose=0: [np.zeros((len(x), 4))] * 2)
        monkeypatch.setattr(self.decoder, "predict", self.predict)

    def predict(self, x, verbose=0):
        if len(x[0]) == 1:  # la prueba, con una sola secuencia
            return [np.eye(7)[:1, None], *x[1:]]
        p = np.eye(7)[self.lines[:, self.t]][:, None]
        self.t += 1
        return [p, *x[1:]]


def test_it_stops_when_everyone_has_finished(monkeypatch):
    script = Scripted(monkeypatch, [[3, 4, 2, 6], [5, 2, 6, 6]])
    written = greedy_decode(script.encoder, script.decoder, SOURCE[:2], 1, 2, 10)
    np.testing.assert_array_equal(written, [[3, 4], [5, 0]])
    assert script.t == 3


def test_it_stops_at_the_longest_it_may_write(monkeypatch):
    script = Scripted(monkeypatch, [[3, 4, 5, 6], [5, 2, 6, 6]])
    np.testing.assert_array_equal(
        greedy_decode(script.encoder, script.decoder, SOURCE[:2], 1, 2, 3), [[3, 4, 5], [5, 0, 0]]
    )


def test_nothing_written_is_an_empty_line(monkeypatch):
    script = Scripted(monkeypatch, [[2], [2]])
    assert greedy_decode(script.encoder, script.decoder, SOURCE[:2], 1, 2).shape == (2, 0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda e, d: greedy_decode(e, d, [[9, 1]], 1, 2), "9"),
        (lambda e, d: greedy_decode(e, d, [1, 2], 1, 2), "source"),
        (lambda e, d: greedy_decode(e, d, np.zeros((0, 3)), 1, 2), "source"),
        (lambda e, d: greedy_decode(e, d, SOURCE, 1, 2, 0), "max_length"),
        (lambda e, d: greedy_decode(e, d, SOURCE, -1, 2), "start"),
        (lambda e, d: greedy_decode(e, d, SOURCE, 30, 2), "start: se esperaba que .* admitiera el token 30"),
        (lambda e, d: greedy_decode(e, d, SOURCE, 1, 7), "end: se esperaba un entero entre 0 y 6, pero llegó 7"),
        (lambda e, d: greedy_decode(3, d, SOURCE, 1, 2), "encoder"),
        (lambda e, d: encoder_decoder(1, 7), "source_tokens"),
        (lambda e, d: encoder_decoder(5, 7, units=0), "units"),
    ],
)
def test_a_bad_call_is_answered_in_a_sentence(call, text):
    _, encoder, decoder = made()
    with pytest.raises((TypeError, ValueError), match=text):
        call(encoder, decoder)


def one_by_one(cls, count, out=7, units=4):
    """Un codificador y un decodificador parecidos a los del libro, con otra capa y otro tamaño."""
    source, written, before = Input((None,)), Input((None,)), [Input((units,)) for _ in range(count)]
    _, *state = cls(units, return_state=True)(Embedding(6, 4)(source))
    h, *after = cls(units, return_sequences=True, return_state=True)(Embedding(7, 4)(written), initial_state=before)
    given = [written, *before]
    return Model(source, state), Model(given, [Dense(out, "softmax")(h), *after]), Model(given, [after[0], *after])


LINE = Sequential([Input((None,)), Embedding(7, 4), LSTM(4), Dense(3)])


@pytest.mark.parametrize(
    ("pair", "text"),
    [
        (lambda e, d: (LINE, d), "encoder: se esperaba que diera una lista de estados.* un solo arreglo de forma"),
        (lambda e, d: (one_by_one(GRU, 1)[0], d), "encoder: se esperaba que diera una lista de estados"),
        (lambda e, d: (made()[0], d), "encoder: se esperaba que .* admitiera una secuencia, pero dice: x: se esperaba"),
        (lambda e, d: (made(units=5)[1], d), r"decoder: se esperaba que .* de forma \[\(1, 5\), \(1, 5\)\], pero dice"),
        (lambda e, d: (e, one_by_one(GRU, 1)[1]), "decoder: se esperaba que .* admitiera el token 0 y los estados"),
        (lambda e, d: (e, LINE), "decoder: se esperaba que .* admitiera el token 0"),
        (lambda e, d: (e, one_by_one(LSTM, 2)[2]), r"decoder: se esperaba que diera \[\(1, 1, V\), \(1, 4\)"),
        (lambda e, d: (e, Model(d.inputs, d.outputs[:1])), "decoder: se esperaba que diera.* un solo arreglo"),
    ],
)
def test_a_model_that_does_not_fit_the_other_is_named(pair, text):
    _, encoder, decoder = made()
    with pytest.raises(ValueError, match=text):
        greedy_decode(*pair(encoder, decoder), SOURCE, 1, 2)


def test_others_that_give_and_take_the_same_will_do():
    reads, says, _ = one_by_one(LSTM, 2, out=5)
    # El inicio se lee y nunca se escribe: no hace falta que esté entre las salidas.
    written = greedy_decode(reads, says, SOURCE, 6, 2, 3)
    assert len(written) == 3
    assert (written < 5).all()


def test_a_model_that_gives_no_number_is_not_read():
    _, encoder, decoder = made()
    decoder.theta[-1] = np.nan
    with pytest.raises(ValueError, match="decoder: se esperaban probabilidades finitas, pero dio un nan"):
        greedy_decode(encoder, decoder, SOURCE, 1, 2)


def test_trying_the_models_does_not_touch_what_they_remember():
    source = Input((None,))
    _, *state = LSTM(4, return_state=True, stateful=True)(Embedding(6, 4)(source))
    reads, (_, _, says) = Model(source, state, seed=0), made(dtype="float32")
    first = greedy_decode(reads, says, SOURCE, 1, 2, 3)
    kept = [layer.memory["states"][0].copy() for layer in reads.layers if isinstance(layer, LSTM)]
    reads.layers[-1].reset_state()
    reads.predict(SOURCE, verbose=0)
    np.testing.assert_array_equal(kept[0], reads.layers[-1].memory["states"][0])
    assert len(first) == len(SOURCE)
