"""Sortear de unos puntajes: la temperatura, los mejores y el sorteo."""

import numpy as np
import pytest

from chapters.rnn import sample_logits, temper, top_k

LOGITS = np.random.default_rng(0).normal(size=(5, 7)) * 3


def entropy(p):
    return -(p * np.log(np.maximum(p, 1e-300))).sum(axis=-1)


def test_a_cold_draw_tends_to_the_largest_and_a_hot_one_to_an_even_draw():
    largest = np.eye(7)[LOGITS.argmax(axis=1)]
    np.testing.assert_allclose(temper(LOGITS, 1e-3), largest, atol=1e-12)
    np.testing.assert_array_equal(temper(LOGITS, 0), largest)
    np.testing.assert_allclose(temper(LOGITS, 1e9), 1 / 7, rtol=1e-7)


@pytest.mark.parametrize("temperature", [0, 5e-324, 1e-300, 1e300])
def test_no_temperature_overflows(temperature):
    p = temper([[1000.0, -1000.0, 3.0], [0.0, 0.0, -np.inf]], temperature)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert p[1, 2] == 0


def test_huge_scores_do_not_overflow():
    assert (temper([1e308, -1e308]) == [1, 0]).all()


def test_the_entropy_grows_as_derived():
    step = 1e-5
    for temperature in (0.3, 1.0, 4.0):
        p = temper(LOGITS, temperature)
        mean = (p * LOGITS).sum(axis=1, keepdims=True)
        variance = (p * (LOGITS - mean) ** 2).sum(axis=1)
        higher, lower = (entropy(temper(LOGITS, temperature + s)) for s in (step, -step))
        np.testing.assert_allclose((higher - lower) / (2 * step), variance / temperature**3, rtol=1e-5)


def test_float32_and_whole_numbers_are_admitted():
    assert temper(np.float32([1, 2])).dtype == np.float64
    np.testing.assert_allclose(temper([1, 2]), temper([1.0, 2.0]))


def test_ties_keep_exactly_k():
    np.testing.assert_array_equal(top_k([1.0, 1.0, 1.0, 0.0], 2), [1, 1, -np.inf, -np.inf])
    kept = top_k(LOGITS, 3)
    assert (np.isfinite(kept).sum(axis=1) == 3).all()
    np.testing.assert_array_equal(top_k(LOGITS, 7), LOGITS)


def test_top_k_keeps_the_ratios():
    p, q = temper(LOGITS), temper(top_k(LOGITS, 3))
    kept = q > 0
    ratios = q[kept].reshape(5, 3) / p[kept].reshape(5, 3)
    np.testing.assert_allclose(ratios, ratios[:, :1].repeat(3, axis=1))


def test_it_draws_with_the_probabilities():
    p = np.array([0.5, 0.3, 0.15, 0.05])
    drawn = sample_logits(np.broadcast_to(np.log(p), (20_000, 4)), seed=0)
    counts = np.bincount(drawn, minlength=4)
    # Ji cuadrada con tres grados de libertad: pasa de 16.3 una vez de cada mil.
    assert ((counts - 20_000 * p) ** 2 / (20_000 * p)).sum() < 16.3


def test_what_is_impossible_is_never_drawn():
    drawn = sample_logits(np.tile([-np.inf, 0.0, -np.inf], (10_000, 1)), seed=0)
    assert set(drawn) == {1}


def test_the_same_seed_draws_the_same_and_a_generator_goes_on():
    assert (sample_logits(LOGITS, seed=3) == sample_logits(LOGITS, seed=3)).all()
    generator = np.random.default_rng(3)
    many = np.tile(LOGITS, (20, 1))
    assert (sample_logits(many, seed=generator) != sample_logits(many, seed=generator)).any()


def test_greedy_and_top_1_agree():
    expected = LOGITS.argmax(axis=1)
    np.testing.assert_array_equal(sample_logits(LOGITS, temperature=0), expected)
    np.testing.assert_array_equal(sample_logits(LOGITS, top_k=1), expected)


def test_one_row_gives_one_index_and_several_axes_keep_theirs():
    assert np.shape(sample_logits(LOGITS[0], seed=0)) == ()
    assert sample_logits(np.zeros((2, 3, 4)), seed=0).shape == (2, 3)


@pytest.mark.parametrize("wrong", [[np.nan, 1.0], [np.inf, 1.0], [-np.inf, -np.inf]])
@pytest.mark.parametrize("function", [temper, lambda z: top_k(z, 1), sample_logits])
def test_scores_that_are_none_are_rejected(function, wrong):
    with pytest.raises(ValueError, match="logits: se esperaba al menos un puntaje finito"):
        function(wrong)
    with pytest.raises(ValueError, match=r"\(1,\)"):
        function([[0.0, 0.0], wrong])


def test_more_than_there_are_cannot_be_kept():
    with pytest.raises(ValueError, match="k: se esperaba un entero entre 1 y 7"):
        top_k(LOGITS, 8)
    with pytest.raises(ValueError, match="top_k: se esperaba un entero entre 1 y 7"):
        sample_logits(LOGITS, top_k=0)
