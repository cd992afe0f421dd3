"""Subpalabras: los mismos pares que la biblioteca ``tokenizers``, y ningún texto se pierde."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.rnn import BytePairEncoding, learn_merges
from chapters.rnn.text.byte_pairs import ALPHABET, PIECES, plain_learn_merges
from dlbook.data import small_text
from tests.reference.text_cases import TRICKY, VOCABULARIES

THEIRS = json.loads((Path(__file__).resolve().parents[2] / "reference" / "text.json").read_text("utf-8"))["byte_pairs"]
TEXTS = st.text(st.characters())


@pytest.fixture(scope="module")
def trained():
    bpe = BytePairEncoding(600)
    bpe.train(small_text())
    return bpe


@pytest.mark.parametrize("case", range(len(VOCABULARIES)))
def test_the_same_pairs_and_numbers_as_tokenizers(case):
    merges, ids = THEIRS[case]
    bpe = BytePairEncoding(VOCABULARIES[case])
    bpe.train([small_text(), *TRICKY])
    assert bpe.merges == [tuple(pair) for pair in merges]
    assert [bpe.encode(text) for text in [small_text()[:2000], *TRICKY]] == ids
    again = BytePairEncoding(merges=bpe.merges)
    assert again.encode(small_text()) == bpe.encode(small_text())


@settings(deadline=None)
@given(text=TEXTS)
def test_no_text_is_lost(trained, text):
    ids = trained.encode(text)
    assert trained.decode(ids) == text
    assert all(0 <= i < len(trained.vocabulary) for i in ids)
    assert len(ids) <= len(text.encode("utf-8", "surrogatepass"))
    assert "".join(PIECES.findall(text)) == text


@settings(deadline=None, max_examples=50)
@given(words=st.dictionaries(st.text("abcñ", max_size=8), st.integers(1, 5), max_size=8), tokens=st.integers(0, 12))
def test_counting_only_what_changed_is_counting_everything(words, tokens):
    assert learn_merges(words, tokens) == plain_learn_merges(words, tokens)


def test_training_again_forgets():
    bpe = BytePairEncoding(260)
    bpe.train("aaaa bbbb")
    first = bpe.merges
    bpe.encode("bbbb")
    bpe.train("cccc dddd")
    assert bpe.merges != first
    assert bpe.decode(bpe.encode("bbbb cccc")) == "bbbb cccc"
    bpe.train("aaaa bbbb")
    assert bpe.merges == first


def test_nothing_to_learn_from():
    bpe = BytePairEncoding(1000)
    bpe.train("")
    assert bpe.merges == []
    assert len(bpe.vocabulary) == 256
    assert bpe.encode("") == []
    assert bpe.decode([]) == ""
    assert len(bpe.encode("ñ")) == 2
    bpe.train("ab")
    assert bpe.merges == [("a", "b")]


def test_a_pair_too_rare_is_not_joined():
    words = Counter({"ab": 5, "cd": 2, "ef": 1})
    assert learn_merges(words, 9) == [("a", "b"), ("c", "d"), ("e", "f")]
    assert learn_merges(words, 9, min_frequency=2) == [("a", "b"), ("c", "d")]
    bpe = BytePairEncoding(300, min_frequency=2)
    bpe.train("ab ab cd")
    assert bpe.merges[:1] == [("a", "b")]
    assert all("c" not in a + b for a, b in bpe.merges)


def test_broken_bytes_are_shown_as_broken(trained):
    first, second = BytePairEncoding().encode("ñ")
    assert trained.decode([first]) == "�"
    assert trained.decode([first, second]) == "ñ"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: BytePairEncoding(255), ValueError, "vocab_size"),
        (lambda: BytePairEncoding(merges=[("a",)]), ValueError, r"merges\[0\]"),
        (lambda: BytePairEncoding(merges=[("a", " ")]), ValueError, r"merges\[0\]"),
        (lambda: BytePairEncoding().encode(3), TypeError, "text: se esperaba un texto"),
        (lambda: BytePairEncoding().decode([256]), ValueError, "entre 0 y 255, pero llegó 256 en la posición 0"),
        (lambda: BytePairEncoding().decode([0, -1]), ValueError, "pero llegó -1 en la posición 1"),
        (lambda: BytePairEncoding().train([1]), TypeError, "texts"),
        (lambda: learn_merges(["a"], 1), TypeError, "words: se esperaba un diccionario"),
    ],
)
def test_nonsense_is_answered_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_alphabet_is_every_byte_once():
    assert len(set(ALPHABET)) == 256


def test_a_thousand_merges_take_seconds():
    started = time.process_time()
    bpe = BytePairEncoding(1256)
    bpe.train(small_text())
    assert len(bpe.vocabulary) == 1256
    assert time.process_time() - started < 5
