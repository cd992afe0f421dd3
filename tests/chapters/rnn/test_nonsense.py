"""Los métodos del capítulo 5, llamados mal: una frase en español o una respuesta, y nada más."""

import numpy as np
import pytest

from chapters.mlp import Dense
from chapters.rnn import (
    GRU,
    LSTM,
    Alphabet,
    Autoregression,
    Bidirectional,
    BytePairEncoding,
    Embedding,
    Masking,
    NGram,
    SimpleRNN,
    TextVectorization,
    TimeDistributed,
    Tokenizer,
    Word2Vec,
    index_words,
    inverse_document_frequency,
    jacobian_spectrum,
    mase,
    shifted_windows,
    timeseries_dataset_from_array,
)
from tests.contract.hostile import WRONG, attempt, bounded_memory  # noqa: F401

STRANGE = WRONG | {
    "texto en texto": [["a", ["b"]]],
    "lista de nada": [None],
    "mezcla": [1, "a"],
    "medio carácter": "\ud800",
    "enmascarado": np.ma.masked_array([1.0, 2.0], [True, False]),
    "con nombres": np.zeros(2, [("a", int)]),
    "sin pasos": np.ones((2, 0, 1)),
    "sin observaciones": np.ones((0, 2, 1)),
    "negativos": [[-1, -2]],
    "palabras enormes": [[2**62, 1]],
    "palabras sin signo": np.array([[2**64 - 1]], np.uint64),
    "media palabra": [[0.5, 1.0]],
    "nan de su forma": np.full((1, 2, 1), np.nan),
}
ONE = np.ones((1, 2, 1))


def fitted(model, *given):
    getattr(model, "fit", getattr(model, "adapt", getattr(model, "train", None)))(*given)
    return model


def letters():
    return fitted(NGram(3), "abcab")


def words():
    return fitted(NGram(2), ["a", "b", "a"])


def vectors():
    return Word2Vec(2, min_count=1, sample=0, epochs=1, seed=0).fit([["a", "b", "c"]])


def tokenizer():
    made = Tokenizer()
    made.fit_on_texts(["a b", "b c"])
    return made


def table(**options):
    return fitted(TextVectorization(**options), ["a b", "b c"])


def pairs():
    return fitted(BytePairEncoding(258), "abab abab")


def line():
    return Autoregression(2).fit([1.0, 2.0, 4.0, 7.0, 9.0, 1.0])


def back(layer, dy):
    layer.forward(np.ones((1, 2), int) if isinstance(layer, Embedding) else ONE)
    layer.backward(dy)


METHODS = {
    "Alphabet.encode": lambda v: Alphabet("abc").encode(v),
    "Alphabet.decode": lambda v: Alphabet("abc").decode(v),
    "NGram.fit": lambda v: NGram(2).fit(v),
    "NGram.probabilities": lambda v: letters().probabilities(v),
    "NGram.predict": lambda v: words().predict(v),
    "NGram.bits": lambda v: words().bits(v),
    "NGram.bits_per_character": lambda v: letters().bits_per_character(v),
    "NGram.generate": lambda v: words().generate(2, v),
    "Word2Vec.fit": lambda v: Word2Vec(2, min_count=1, sample=0, epochs=1, seed=0).fit(v),
    "Word2Vec.__contains__": lambda v: v in vectors(),
    "Word2Vec.__getitem__": lambda v: vectors()[v],
    "Word2Vec.similarity": lambda v: vectors().similarity("a", v),
    "Word2Vec.most_similar": lambda v: vectors().most_similar("a", v),
    "Word2Vec.analogy": lambda v: vectors().analogy("a", v, "b"),
    "Tokenizer.words": lambda v: Tokenizer().words(v),
    "Tokenizer.fit_on_texts": lambda v: Tokenizer().fit_on_texts(v),
    "Tokenizer.texts_to_sequences": lambda v: tokenizer().texts_to_sequences(v),
    "Tokenizer.sequences_to_texts": lambda v: tokenizer().sequences_to_texts(v),
    "BytePairEncoding.train": lambda v: BytePairEncoding(258).train(v),
    "BytePairEncoding.encode": lambda v: pairs().encode(v),
    "BytePairEncoding.decode": lambda v: pairs().decode(v),
    "BytePairEncoding.tokens": lambda v: pairs().tokens(v),
    "TextVectorization.adapt": lambda v: TextVectorization().adapt(v),
    "TextVectorization.tokens": lambda v: TextVectorization().tokens(v),
    "TextVectorization.set_vocabulary": lambda v: table().set_vocabulary(v),
    "TextVectorization.set_vocabulary, pesos": lambda v: table(output_mode="tf_idf").set_vocabulary(["a"], v),
    "TextVectorization.__call__": lambda v: table()(v),
    "TextVectorization.__call__, cuentas": lambda v: table(output_mode="tf_idf")(v),
    "TextVectorization.standardize": lambda v: TextVectorization(standardize=v),
    "TextVectorization.split": lambda v: TextVectorization(split=v),
    "Autoregression.fit": lambda v: Autoregression(2).fit(v),
    "Autoregression.predict": lambda v: line().predict(v),
    "Autoregression.forecast": lambda v: line().forecast(v),
    "windows": lambda v: timeseries_dataset_from_array(np.arange(9.0), None, 3)[v],
    "SimpleRNN, estado": lambda v: SimpleRNN(2).forward(ONE, initial_state=v),
    "LSTM, estados": lambda v: LSTM(2).forward(ONE, initial_state=[v, v]),
    "Bidirectional, estados": lambda v: Bidirectional(GRU(2)).forward(ONE, initial_state=[v, v]),
    "Bidirectional.backward": lambda v: back(Bidirectional(GRU(2), None), v),
    "Bidirectional.backward, dos": lambda v: back(Bidirectional(GRU(2), None), [v, v]),
    "Bidirectional.from_config": Bidirectional.from_config,
    "LSTM.backward": lambda v: back(LSTM(2, return_state=True), [v, v, v]),
    "Embedding.forward": lambda v: Embedding(3, 2).forward(v),
    "Embedding.backward": lambda v: back(Embedding(3, 2), v),
    "Embedding.weights": lambda v: Embedding(3, 2, weights=v).forward([[1]]),
    "Masking.forward": lambda v: Masking().forward(v),
    "TimeDistributed.forward": lambda v: TimeDistributed(Dense(2)).forward(v),
    "Bidirectional.forward": lambda v: Bidirectional(LSTM(2)).forward(v),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_called_wrong_says_why(name):
    for what, value in STRANGE.items():
        if name == "Bidirectional.from_config" and what in ("diccionario", "sin elementos", "lista vacía"):
            continue  # «le falta su argumento», dice
        attempt(f"{name}({what})", lambda v=value: METHODS[name](v))


def test_what_is_not_a_word_is_not_in_the_vocabulary():
    model = vectors()
    assert "a" in model
    assert ["a"] not in model
    assert np.array(["a"]) not in model


def test_half_a_character_is_also_a_word():
    layer = table()
    layer.adapt(["\ud800 b", "b"])
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "\ud800"]


def test_a_product_of_jacobians_that_overflows_says_so():
    # Con dos unidades, además, el algoritmo de los valores singulares no acaba.
    for kernel in ([[3.0]], [[2.0, 1.0], [1.0, 2.0]]):
        with pytest.raises(ValueError, match="pero con 2000 se desborda"):
            jacobian_spectrum(kernel, np.zeros((2000, len(kernel))))


def test_an_error_that_overflows_says_so():
    with pytest.raises(ValueError, match="y_true: se esperaba un error que cupiera en un número, pero se desborda"):
        mase([1e308], [-1e308], [1.0, 2.0])


def test_one_line_and_one_step_are_singular():
    with pytest.raises(ValueError, match="para 1 fila de 3 pasos se esperaban al menos 4 números"):
        shifted_windows([1, 2], 3)
    with pytest.raises(ValueError, match="para 3 filas de 1 paso se esperaban al menos 4 números"):
        shifted_windows([1, 2], 1, 3)


def test_two_words_cannot_have_the_same_first_place():
    with pytest.raises(ValueError, match="first: se esperaban palabras distintas, pero llegó"):
        index_words({"a": 2}, ["b", "b"])


def test_a_total_too_large_is_refused():
    with pytest.raises(ValueError, match="total: se esperaba un entero entre 1 y"):
        inverse_document_frequency([0], 10**400)
