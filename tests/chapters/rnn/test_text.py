"""Las herramientas de texto: lo mismo que Keras en los casos guardados, el español y los disparates."""

import json
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp import pad_sequences
from chapters.rnn import SPANISH_FILTERS, TextVectorization, Tokenizer, inverse_document_frequency, normalize_text
from tests.reference.text_cases import SHOUTED, TEXTS, TOKENIZERS, UNSEEN, VECTORIZATIONS

THEIRS = json.loads((Path(__file__).resolve().parents[2] / "reference" / "text.json").read_text("utf-8"))
WORDS = st.text(st.characters(exclude_characters=" ", exclude_categories=["Cs"]), min_size=1, max_size=6)


# --- Formas normales ---


@given(text=st.text(), form=st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_normalizing_twice_is_normalizing_once(text, form):
    once = normalize_text(text, form)
    assert once == unicodedata.normalize(form, text)
    assert normalize_text(once, form) == once


def test_accents_go_only_where_they_are_asked_to():
    text = "El pingüino añejo comió canción, Ñandú"
    assert normalize_text(text, strip_accents=True) == "El pinguino anejo comio cancion, Nandu"
    decomposed = unicodedata.normalize("NFD", text)
    assert normalize_text(decomposed, strip_accents=True, keep="ñÑ") == "El pinguino añejo comio cancion, Ñandu"
    assert normalize_text(text, strip_accents=True, keep="n\u0303") == "El pinguino añejo comio cancion, Nandu"
    assert normalize_text("ﬁn Ⅷ ½") == "ﬁn Ⅷ ½"
    assert normalize_text("10²", "NFKC") == "102"
    assert normalize_text("ﬁn Ⅷ", "NFKC") == "fin VIII"
    assert normalize_text("", casefold=True) == ""
    assert normalize_text("Straße", casefold=True) == "strasse"


# --- Tokenizer ---


@pytest.mark.parametrize("case", range(len(TOKENIZERS)))
def test_the_tokenizer_is_the_one_of_keras(case):
    tokenizer = Tokenizer(**TOKENIZERS[case])
    tokenizer.fit_on_texts(TEXTS)
    index, sequences, texts = THEIRS["tokenizers"][case]
    assert list(tokenizer.word_index.items()) == list(index.items())
    assert tokenizer.texts_to_sequences(TEXTS + UNSEEN) == sequences
    assert tokenizer.sequences_to_texts(sequences) == texts


def test_the_padded_table_of_the_course():
    sentences = [*TEXTS[:3], TEXTS[3]]
    tokenizer = Tokenizer(oov_token="<OOV>")
    tokenizer.fit_on_texts(sentences)
    sequences = tokenizer.texts_to_sequences(sentences)
    assert sequences == [[2, 3, 4, 5, 6], [2, 3, 4, 7, 6], [3, 8, 5, 2], [9, 10, 11, 12, 13, 14, 15, 2]]
    table = pad_sequences(sequences)
    assert table.shape == (4, 8)
    assert table[2].tolist() == [0, 0, 0, 0, 3, 8, 5, 2]
    # El relleno no se escribe, y el camino de vuelta llega a las palabras.
    assert tokenizer.sequences_to_texts(table)[2] == "is it sunny today"


@settings(deadline=None)
@given(texts=st.lists(st.lists(WORDS, max_size=6), max_size=5))
def test_words_come_back(texts):
    tokenizer = Tokenizer(lower=False, filters="")
    tokenizer.fit_on_texts(texts)
    assert sorted(tokenizer.word_index.values()) == list(range(1, len(tokenizer.word_index) + 1))
    back = tokenizer.sequences_to_texts(tokenizer.texts_to_sequences(texts))
    assert back == [" ".join(words) for words in texts]


def test_spanish_marks_stick_to_their_words_unless_filtered():
    assert Tokenizer().words("¿Qué hora es?") == ["¿qué", "hora", "es"]
    assert Tokenizer(filters=SPANISH_FILTERS).words("¿Qué hora es? —dijo «él»…") == ["qué", "hora", "es", "dijo", "él"]


def test_fitting_again_goes_on_counting():
    one, two = Tokenizer(), Tokenizer()
    one.fit_on_texts(TEXTS[:2])
    one.fit_on_texts(TEXTS[2:])
    two.fit_on_texts(TEXTS)
    assert one.word_index == two.word_index
    assert one.document_count == two.document_count == len(TEXTS)


def test_nothing_to_read_is_nothing():
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts([""])
    assert tokenizer.word_index == {}
    assert tokenizer.texts_to_sequences(["", "hola"]) == [[], []]
    assert tokenizer.texts_to_sequences([]) == []
    assert tokenizer.sequences_to_texts([[], [0, 0]]) == ["", ""]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda t: t.fit_on_texts("un texto"), TypeError, "texts: se esperaba una lista"),
        (lambda t: t.fit_on_texts([3]), TypeError, "texts: se esperaba una lista"),
        (lambda t: t.texts_to_sequences([["hola", 3]]), TypeError, "texts: se esperaba un texto, pero llegó 3"),
        (lambda t: t.sequences_to_texts([[1], [-1]]), ValueError, r"sequences\[1\]: se esperaba un índice entre 0 y 2"),
        (lambda t: t.sequences_to_texts([[3]]), ValueError, "entre 0 y 2, pero llegó 3"),
        (lambda t: t.sequences_to_texts([[1.5]]), (TypeError, ValueError), "sequences"),
        (lambda t: setattr(t, "num_words", 0), ValueError, "num_words"),
        (lambda t: setattr(t, "split", ""), TypeError, "split"),
    ],
)
def test_the_tokenizer_complains_in_a_sentence(call, error, message):
    tokenizer = Tokenizer()
    tokenizer.fit_on_texts(["hola mundo"])
    with pytest.raises(error, match=message):
        call(tokenizer)


# --- TextVectorization ---


@pytest.mark.parametrize("case", range(len(VECTORIZATIONS)))
def test_the_vectorization_is_the_one_of_keras(case):
    layer = TextVectorization(**VECTORIZATIONS[case])
    layer.adapt(TEXTS)
    vocabulary, dtype, rows = THEIRS["vectorizations"][case]
    assert layer.get_vocabulary() == vocabulary
    found = layer(TEXTS + UNSEEN)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, rows, rtol=1e-6)
    if layer.output_mode == "tf_idf":
        again = TextVectorization(**VECTORIZATIONS[case] | {"vocabulary": vocabulary, "idf_weights": layer.idf_weights})
    else:
        again = TextVectorization(**VECTORIZATIONS[case] | {"vocabulary": vocabulary})
    assert (again(TEXTS + UNSEEN) == found).all()


def test_spanish_capitals_become_small_and_in_keras_they_do_not():
    layer = TextVectorization()
    layer.adapt(SHOUTED)
    assert layer.get_vocabulary() == ["", "[UNK]", "árbol", "año"]
    assert "aÑo" in THEIRS["shouted"]


def test_shapes_of_what_comes_in():
    layer = TextVectorization(vocabulary=["hola", "mundo"])
    assert layer("hola, mundo cruel").tolist() == [2, 3, 1]
    assert layer(np.array([["hola"], ["mundo mundo"]])).tolist() == [[2, 0], [3, 3]]
    assert layer([]).shape == (0, 0)
    assert layer(["", ""]).shape == (2, 0)
    assert layer.vocabulary_size() == 4
    assert layer.get_vocabulary(include_special_tokens=False) == ["hola", "mundo"]


def test_own_functions():
    layer = TextVectorization(standardize=lambda t: normalize_text(t, casefold=True).strip("¿?¡!"), split=str.split)
    layer.adapt(["¿Qué hora?", "qué HORA"])
    assert layer.get_vocabulary() == ["", "[UNK]", "qué", "hora"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 2}, "max_tokens"),
        ({"output_mode": "count", "output_sequence_length": 3}, "output_sequence_length"),
        ({"pad_to_max_tokens": True}, "pad_to_max_tokens"),
        ({"vocabulary": ["a", "b", "a"]}, "vocabulary: se esperaban palabras distintas, pero 'a' está de más"),
        ({"vocabulary": ["a", "[UNK]"]}, "está de más"),
        ({"vocabulary": ["a"], "idf_weights": [1.0]}, "idf_weights"),
        ({"vocabulary": ["a"], "output_mode": "tf_idf"}, "idf_weights"),
        ({"idf_weights": [1.0]}, "idf_weights"),
        ({"vocabulary": ["a", "b"], "max_tokens": 3}, "vocabulary: se esperaba un largo de a lo sumo 1, pero hay 2"),
        ({"ragged": True}, "ragged: esta opción de Keras no existe aquí"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(ValueError, match=message):
        TextVectorization(**options)


def test_texts_without_words_leave_no_vocabulary():
    layer = TextVectorization()
    with pytest.raises(ValueError, match="al menos una palabra"):
        layer.adapt(["", "..."])
    with pytest.raises(TypeError, match="texts: se esperaba un texto, pero llegó 3"):
        TextVectorization(vocabulary=["a"])([3])


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(50, 1000))
def test_a_rarer_word_weighs_more(documents, total):
    weights = inverse_document_frequency(sorted(documents), total)
    assert (np.diff(weights) <= 0).all()
    assert (weights > 0).all()
