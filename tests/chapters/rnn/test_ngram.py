"""Los modelos de n-gramas: probabilidades de verdad, lo mismo contado con un diccionario, y los bordes."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.rnn import NGram, witten_bell
from dlbook.data import small_text


def by_dictionary(text, order, symbol, context, base):
    """La fórmula, contada a mano, del contexto vacío al más largo."""
    p = base
    for k in range(order):
        if k > len(context):
            break
        h = context[len(context) - k :]
        followers = Counter(text[i + k] for i in range(len(text) - k) if text[i : i + k] == h)
        n, kinds = sum(followers.values()), len(followers)
        if n:
            p = (followers[symbol] + kinds * p) / (n + kinds)
    return p


@settings(deadline=None, max_examples=40)
@given(
    text=st.text("abñ ", min_size=1, max_size=30),
    other=st.text("abñ x", max_size=12),
    order=st.integers(1, 4),
)
def test_the_same_as_counting_with_a_dictionary(text, other, order):
    model = NGram(order)
    model.fit(text)
    expected = [
        by_dictionary(text, order, c, other[max(i - order + 1, 0) : i], 1 / 0x110000) for i, c in enumerate(other)
    ]
    np.testing.assert_allclose(2.0 ** -model.bits(other), expected, rtol=1e-9)
    p, tail = model.probabilities(other), other[max(len(other) - order + 1, 0) :]
    for symbol, value in zip([*model.alphabet, "x"], [*p, None], strict=True):
        expected = by_dictionary(text, order, symbol, tail, 1 / 0x110000)
        if value is not None:
            assert value == pytest.approx(expected)
    # Con lo que les toca a los que nunca se vieron, todo suma uno.
    assert p.sum() + (0x110000 - len(p)) * expected == pytest.approx(1)


@given(counts=st.lists(st.integers(0, 20), min_size=1, max_size=8), data=st.data())
def test_a_mixture_is_a_distribution_and_keeps_nothing_at_zero(counts, data):
    shorter = data.draw(st.lists(st.floats(0.1, 1), min_size=len(counts), max_size=len(counts)))
    shorter = np.array(shorter) / sum(shorter)
    p = witten_bell(counts, shorter)
    assert p.sum() == pytest.approx(1)
    assert (p > 0).all()


def test_a_symbol_never_seen_costs_a_lot_but_not_everything():
    model = NGram(3)
    model.fit(small_text())
    bits = model.bits("a🙂a")
    assert np.isfinite(bits).all()
    assert bits[1] > math.log2(0x110000)
    assert model.bits_per_character("日本") > 20


def test_the_first_symbol_only_has_the_empty_context():
    text = small_text()
    one, five = NGram(1), NGram(5)
    one.fit(text)
    five.fit(text)
    assert one.bits("hidalgo")[0] == pytest.approx(five.bits("hidalgo")[0])
    assert five.bits_per_character("En un lugar de la Mancha") < one.bits_per_character("En un lugar de la Mancha")


def test_next_letter_and_next_word():
    model = NGram(5)
    model.fit("un texto de contexto, pretexto de un contexto")
    assert model.predict("TEXT".lower()) == "o"
    words = NGram(3)
    words.fit(
        [
            "voy",
            "a",
            "visitar",
            "a",
            "mi",
            "abuela",
            ".",
            "voy",
            "a",
            "visitar",
            "el",
            "museo",
            ".",
            "voy",
            "a",
            "visitar",
            "a",
            "mi",
            "tía",
        ]
    )
    assert words.predict(["voy", "a", "visitar"]) == "a"
    assert words.predict(["no", "sé", "qué"]) in words.alphabet
    assert words.probabilities(["voy"]).sum() < 1


def test_generating_is_reproducible_and_uses_only_known_symbols():
    model = NGram(4)
    model.fit(small_text())
    text = model.generate(80, "En un ", seed=3)
    assert text == model.generate(80, "En un ", seed=3)
    assert text != model.generate(80, "En un ", seed=4)
    assert len(text) == 80
    assert set(text) <= set(model.alphabet)
    assert model.generate(0) == ""
    words = NGram(2)
    words.fit(small_text().split())
    assert len(words.generate(7, seed=0)) == 7


def test_a_text_shorter_than_the_order():
    model = NGram(9)
    model.fit("ab")
    assert model.predict("a") == "b"
    assert model.bits("").shape == (0,)
    model.fit("a")
    assert model.predict("") == "a"
    assert model.predict("aaaaaaaaaaaa") == "a"


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: NGram(0), ValueError, "order"),
        (lambda: NGram(2).fit(""), ValueError, "sequence: se esperaba al menos un símbolo"),
        (lambda: NGram(2).bits("a"), ValueError, "llama antes a fit"),
        (lambda: NGram(2).generate(3), ValueError, "llama antes a fit"),
        (lambda: fitted().bits_per_character(""), ValueError, "al menos un símbolo"),
        (lambda: fitted().bits(["a"]), TypeError, "sequence: se esperaba un texto, pero llegó list"),
        (lambda: fitted().predict(3), TypeError, "context"),
        (lambda: fitted().generate(-1), ValueError, "n: se esperaba"),
        (lambda: fitted().generate(3, prompt=3), TypeError, "prompt: se esperaba"),
        (lambda: fitted().generate(3, prompt=None), TypeError, "prompt: se esperaba"),
        (lambda: NGram(2).fit([1, "a"]), TypeError, "sequence: se esperaban símbolos de una sola clase"),
        (lambda: NGram(2).fit([["a"], ["b"]]), TypeError, "sequence: se esperaban símbolos, como palabras"),
        (lambda: NGram(2).fit([1.0, np.nan, 2.0]), ValueError, "iguales a sí mismos, pero hay un nan"),
        (lambda: NGram(2).fit(np.array([1.0, np.nan, np.nan])), ValueError, "iguales a sí mismos, pero hay un nan"),
        (lambda: NGram(2).fit([np.datetime64("NaT")] * 2), ValueError, "iguales a sí mismos, pero hay un NaT"),
        (lambda: numbered().bits([1.0, np.nan]), ValueError, "sequence: .*, pero hay un nan"),
        (lambda: numbered().predict([np.nan]), ValueError, "context: .*, pero hay un nan"),
        (lambda: numbered().generate(2, [np.nan]), ValueError, "prompt: .*, pero hay un nan"),
        (lambda: witten_bell([1, 0], [2.0, 0.5]), ValueError, "shorter: se esperaban probabilidades, de 0 a 1"),
    ],
)
def test_nonsense_is_answered_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


def fitted():
    model = NGram(2)
    model.fit("abc")
    return model


def numbered():
    model = NGram(2)
    model.fit([1.0, 2.0, 1.0])
    return model
