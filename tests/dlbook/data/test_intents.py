"""Las frases con intención: completas, sin repetir, y con una prueba que no es copia del entrenamiento."""

import re
from collections import Counter

import numpy as np

from dlbook.data import INTENT_NAMES, load_intents


def words(text):
    return frozenset(re.findall(r"\w+", text.lower()))


def test_every_intent_has_its_share():
    (x_train, y_train), (x_test, y_test) = load_intents()
    assert sorted(INTENT_NAMES) == list(INTENT_NAMES)
    assert len(x_train) == len(y_train) == 288
    assert len(x_test) == len(y_test) == 96
    assert np.bincount(y_train).tolist() == [24] * 12
    assert np.bincount(y_test).tolist() == [8] * 12
    assert y_train.dtype == y_test.dtype == np.int64


def test_no_sentence_is_there_twice():
    (x_train, _), (x_test, _) = load_intents()
    assert [text for text, count in Counter(map(words, x_train + x_test)).items() if count > 1] == []
    assert all(text == text.strip() and len(text) < 80 for text in x_train + x_test)


def test_questions_open_and_close():
    (x_train, _), (x_test, _) = load_intents()
    assert [text for text in x_train + x_test if text.count("¿") != text.count("?")] == []


def test_no_test_sentence_is_a_training_sentence_in_disguise():
    (x_train, _), (x_test, _) = load_intents()
    for text in x_test:
        for other in x_train:
            a, b = words(text), words(other)
            assert len(a & b) / len(a | b) <= 0.6, (text, other)


def test_what_is_given_belongs_to_who_asked():
    (x_train, y_train), _ = load_intents()
    x_train[0], y_train[0] = "otra", 5
    (again, labels), _ = load_intents()
    assert again[0] != "otra"
    assert labels[0] == 0
