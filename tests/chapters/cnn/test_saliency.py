"""Mapas de saliencia y de oclusión: contra diferencias finitas y contra la definición."""

import sys

import numpy as np
import pytest

from chapters.cnn import occlusion, saliency
from chapters.mlp import Activation, Dense, Flatten, Input, Sequential


@pytest.fixture
def model():
    layers = [Input((4, 5, 2)), Flatten(), Dense(7, "tanh"), Activation("tanh"), Dense(3)]
    return Sequential(layers, seed=0, dtype="float64")


@pytest.fixture
def x():
    return np.random.default_rng(0).normal(size=(3, 4, 5, 2))


def test_saliency_is_the_derivative_of_the_score(model, x):
    maps = saliency(model, x, [0, 2, 1])
    assert maps.shape == (3, 4, 5)
    step = 1e-6
    for k, c in enumerate([0, 2, 1]):
        slope = np.zeros(x.shape[1:])
        for index in np.ndindex(slope.shape):
            up, down = x[k : k + 1].copy(), x[k : k + 1].copy()
            up[(0, *index)] += step
            down[(0, *index)] -= step
            slope[index] = (model(up)[0, c] - model(down)[0, c]) / (2 * step)
        np.testing.assert_allclose(maps[k], np.abs(slope).max(axis=-1), atol=1e-8)


def test_without_a_class_they_ask_for_the_answer(model, x):
    answer = model.predict(x).argmax(axis=1)
    assert (saliency(model, x) == saliency(model, x, answer)).all()
    assert (occlusion(model, x) == occlusion(model, x, classes=answer)).all()
    assert (saliency(model, x, 1) == saliency(model, x, [1, 1, 1])).all()


@pytest.mark.parametrize("size", [1, 3, 9])
def test_occlusion_covers_a_square_and_asks_again(model, x, size):
    before = x.copy()
    maps = occlusion(model, x, size, fill_value=0.5, classes=2)
    half = size // 2
    for k, i, j in [(0, 0, 0), (1, 2, 3), (2, 3, 4)]:
        covered = x[k : k + 1].copy()
        covered[0, max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1] = 0.5
        assert maps[k, i, j] == pytest.approx(model(x[k : k + 1])[0, 2] - model(covered)[0, 2], abs=1e-12)
    assert (x == before).all(), "las imágenes de quien pregunta no se tocan"


def test_the_memory_of_occlusion_does_not_grow_with_the_square_of_the_image(model, x, monkeypatch):
    whole, asked, predict = occlusion(model, x, classes=2), [], Sequential.predict
    monkeypatch.setattr(sys.modules["chapters.cnn.saliency"], "LARGEST_BATCH", 7 * x[0].size)
    monkeypatch.setattr(Sequential, "predict", lambda self, batch: asked.append(len(batch)) or predict(self, batch))
    np.testing.assert_allclose(occlusion(model, x, classes=2), whole, rtol=0, atol=1e-12)
    assert asked == [7, 7, 6] * 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: saliency(m, x, 3), "classes: se esperaba un entero entre 0 y 2"),
        (lambda m, x: saliency(m, x, [0, 1]), r"classes: se esperaba la forma \(n=3\)"),
        (lambda m, x: saliency(m, x[0]), r"x: se esperaba la forma \(n, h, w, c\)"),
        (lambda m, x: saliency(m, x[..., :1]), "se esperaba la forma"),
        (lambda m, x: saliency(m, np.full_like(x, np.nan)), "números finitos"),
        (lambda m, x: occlusion(m, x, 2), "size: se esperaba un entero impar"),
        (lambda m, x: occlusion(m, x, 0), "size: se esperaba un entero de al menos 1"),
        (lambda m, x: occlusion(m, x, fill_value=np.inf), "fill_value"),
        (lambda m, x: saliency(Sequential([Activation("relu")]), x), "se esperaba un puntaje por clase"),
    ],
)
def test_nonsense_is_rejected(model, x, call, message):
    with pytest.raises(ValueError, match=message):
        call(model, x)


@pytest.mark.parametrize("ask", [saliency, occlusion])
@pytest.mark.parametrize("bad", [None, "red", 3, [], [Dense(3)], Dense(3), Sequential])
def test_what_is_no_model_is_said_so(x, ask, bad):
    with pytest.raises(TypeError, match="model: se esperaba un modelo, pero llegó"):
        ask(bad, x)


@pytest.mark.parametrize("ask", [saliency, occlusion])
@pytest.mark.parametrize("bad", [[[0], [1, 2]], [[0, 1, 2]], [], ["a", "b", "c"], "a", 1.5, {0: 1}, [0, None, 1]])
def test_classes_that_are_not(model, x, ask, bad):
    with pytest.raises((TypeError, ValueError), match="classes: se esperaba"):
        ask(model, x, classes=bad)
