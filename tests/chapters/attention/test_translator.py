"""El traductor y lo que hace falta para entrenarlo: la pérdida suavizada, la tasa, y cómo escribe y se mide."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.attention import SmoothedCrossentropy, TransformerSchedule, bleu, transformer_translator, translate
from chapters.mlp import Adam, CategoricalCrossentropy, load_model, one_hot
from chapters.rnn import encoder_decoder
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads

STORED = json.loads((Path(__file__).parents[3] / "docs/resultados/traduccion.json").read_text("utf-8"))


@given(st.integers(2, 9), st.integers(1, 5), st.floats(0, 1), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_it_is_the_one_of_the_one_hot(classes, n, smoothing, seed):
    rng = np.random.default_rng(seed)
    labels, z, weight = rng.integers(0, classes, n), 3 * rng.normal(size=(n, classes)), rng.random(n)
    mine = SmoothedCrossentropy(smoothing)
    theirs = CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    wide = one_hot(labels, classes)
    np.testing.assert_allclose(mine(labels, z, weight), theirs(wide, z, weight), atol=1e-12)
    np.testing.assert_allclose(mine.gradient(labels, z, weight), theirs.gradient(wide, z, weight), atol=1e-12)


def test_a_mask_and_an_ignored_class_leave_the_rest_as_if_alone():
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=(2, 4, 5)), np.array([[1, 2, 3, 0], [4, 1, 0, 0]])
    rest = labels != 0
    alone = SmoothedCrossentropy(0.2)(labels[rest], z[rest])
    assert SmoothedCrossentropy(0.2, ignore_class=0)(labels, z) == pytest.approx(alone, rel=1e-12)
    assert SmoothedCrossentropy(0.2)(labels, z, mask=rest) == pytest.approx(alone, rel=1e-12)
    assert not SmoothedCrossentropy(0.2).gradient(labels, z, mask=rest)[~rest].any()


def test_the_rate_rises_to_its_peak_and_halves_at_four_times_it():
    schedule = TransformerSchedule(16, 50, scale=2.0)
    rates = [schedule(t) for t in range(400)]
    assert np.argmax(rates) == 49
    assert rates[49] == pytest.approx(2 / np.sqrt(16 * 50))
    assert rates[199] == pytest.approx(rates[49] / 2)
    # Con una subida que no llega a un paso, solo se baja.
    assert TransformerSchedule(16, 1e-300)(3) == pytest.approx(1 / 8)


# --- El modelo ---


def small(dtype="float64", seed=0, **options):
    return transformer_translator(9, 8, 2, 2, 12, seed=seed, dtype=dtype, **options)


SOURCE, WRITTEN = np.array([[3, 4, 5, 0], [6, 7, 0, 0]]), np.array([[1, 6, 7], [1, 8, 0]])


def test_differences_agree_with_padding_in_both_sides():
    whole, _, _ = small()
    rng = np.random.default_rng(0)
    dy = rng.normal(size=(2, 3, 9)) * (WRITTEN != 0)[..., np.newaxis]
    whole.forward([SOURCE, WRITTEN])
    whole.backward(dy)
    chosen = [0, 4, len(whole.trainable_weights) - 1]
    weights = {f"w{k}": whole.trainable_weights[k] for k in chosen}
    found = {f"w{k}": whole.gradients[k].copy() for k in chosen}
    report = check_gradients(lambda: float((whole.forward([SOURCE, WRITTEN]) * dy).sum()), weights, found)
    assert report.ok, str(report)


def test_nobody_looks_ahead_nor_at_the_padding():
    whole, _, _ = small()
    z = whole.predict([SOURCE, WRITTEN])
    later = WRITTEN.copy()
    later[0, 2] = 3
    np.testing.assert_allclose(whole.predict([SOURCE, later])[0, :2], z[0, :2], atol=1e-12)
    longer = np.pad(SOURCE, ((0, 0), (0, 3)))
    np.testing.assert_allclose(whole.predict([longer, WRITTEN])[WRITTEN != 0], z[WRITTEN != 0], atol=1e-12)


def test_what_is_written_is_the_most_likely_at_each_step_of_the_whole():
    whole, encoder, decoder = small()
    # Con estos pesos la primera frase cambia de palabra y la segunda termina antes.
    whole.theta[...] = 0.3 * np.random.default_rng(5).normal(size=whole.theta.shape)
    found = translate(encoder, decoder, SOURCE, 1, 2, 6)
    written = np.c_[np.ones((2, 1), int), found]
    best = whole.predict([SOURCE, written[:, :-1]]).argmax(-1)
    going = np.cumprod(found != 0, axis=1).astype(bool)
    assert found.shape == (2, 6)
    assert len(set(found[0])) > 1
    assert (best[going] == found[going]).all()
    ended = going[1].sum()
    assert best[1, ended] == 2
    assert not found[1, ended:].any()


def test_models_that_do_not_translate_are_refused():
    _, encoder, decoder = small()
    _, _, recurrent = encoder_decoder(9, 9, 8, seed=0)
    for other in (encoder, recurrent):
        with pytest.raises(ValueError, match="decoder: se esperaba el tercero de transformer_translator"):
            translate(encoder, other, SOURCE, 1, 2)
    for bad in ({"start": 9}, {"end": 9}, {"max_length": 0}, {"source": [3, 4]}, {"source": [[0, 0]]}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            translate(encoder, decoder, **{"source": SOURCE, "start": 1, "end": 2} | bad)


def test_it_trains_the_same_with_one_thread_and_two_and_is_saved(tmp_path):
    rng = np.random.default_rng(0)
    source, target = rng.integers(3, 9, (32, 4)), np.c_[np.ones(32, int), rng.integers(3, 9, (32, 3))]
    found = []
    for threads in (1, 2):
        set_threads(threads)
        whole, *_ = small()
        whole.compile(Adam(0.01), SmoothedCrossentropy(ignore_class=0))
        x, y = [source, target[:, :-1]], target[:, 1:]
        found.append(whole.fit(x, y, batch_size=8, epochs=3, verbose=0).history["loss"])
    assert found[0][-1] < found[0][0]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-8)
    whole.save(tmp_path / "whole.keras")
    other = load_model(tmp_path / "whole.keras")
    np.testing.assert_allclose(other.predict(x), whole.predict(x), atol=1e-12)


@pytest.mark.parametrize("wrong", [{"heads": 9}, {"blocks": 0}, {"tokens": 1}, {"dropout": 2}, {"dtype": "int8"}])
def test_sizes_that_do_not_fit_are_said(wrong):
    with pytest.raises((TypeError, ValueError)):
        transformer_translator(**{"tokens": 9, "width": 8, "heads": 2, "blocks": 1, "intermediate": 4} | wrong)


# --- BLEU ---


def test_the_same_is_a_hundred_and_nothing_in_common_is_zero():
    assert bleu(["a b c d e"], [["a b c d e"]])[0] == pytest.approx(100)
    assert bleu(["a b c d e"], [["v w x y z"]])[0] == 0
    assert bleu([""], [["a"]])[0] == 0


def test_the_stored_ones_are_those_of_their_own_counts():
    for side in ("ours", "torch"):
        one = STORED[side]["bleu"]
        p = np.array(one["counts"]) / one["totals"]
        brevity = min(1, np.exp(1 - one["reference"] / one["written"]))
        assert one["score"] == pytest.approx(100 * brevity * np.prod(p) ** 0.25, abs=0.01)


def test_both_sides_started_with_the_same_weights_and_took_the_same_steps():
    a, b = (np.array(STORED[side]["loss"]) for side in ("ours", "torch"))
    assert len(a) == len(b) == STORED["steps"]
    assert np.abs(a / b - 1)[:50].max() < 1e-3
    noise = sum(STORED[side]["bleu"]["noise"] for side in ("ours", "torch"))
    assert abs(STORED["ours"]["bleu"]["score"] - STORED["torch"]["bleu"]["score"]) < noise


def test_queries_keys_and_values_start_as_large_as_the_rest():
    whole, _, _ = transformer_translator(9, 64, 4, 1, 64, seed=0)
    for block in whole.layers:
        for w in block.get_weights():
            if w.ndim > 1 and w.any():
                assert w.std() == pytest.approx(1 / 8, rel=0.1)
