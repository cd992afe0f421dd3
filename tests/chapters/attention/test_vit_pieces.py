"""Trozos de imagen, ficha de clase y palabras tapadas."""

import numpy as np
import pytest

from chapters.attention import ClassToken, Patches, mask_words, patches
from chapters.cnn import Conv2D
from chapters.mlp import Dense, Input, Sequential


@pytest.mark.parametrize(("shape", "size"), [((4, 6, 3), 2), ((5, 5, 1), 5), ((3, 2, 4), 1), ((8, 4, 2), 4)])
def test_a_dense_layer_on_patches_is_a_convolution_with_its_gradients(shape, size):
    rng = np.random.default_rng(0)
    images, kernel, bias = (
        rng.normal(size=(3, *shape)),
        rng.normal(size=(size, size, shape[-1], 5)),
        rng.normal(size=5),
    )
    double = {"dtype": "float64"}
    one = Sequential([Input(shape), Patches(size), Dense(5)], **double)
    other = Conv2D(5, size, strides=size, **double)
    other.build(shape)
    one.set_weights([kernel.reshape(-1, 5), bias])
    other.set_weights([kernel, bias])
    y, z = one.forward(images), other.forward(images)
    np.testing.assert_allclose(y, z.reshape(y.shape), atol=1e-12)
    dy = rng.normal(size=y.shape)
    dx, dz = one.layers[0].backward(one.layers[1].backward(dy)), other.backward(dy.reshape(z.shape))
    np.testing.assert_allclose(dx, dz, atol=1e-12)
    np.testing.assert_allclose(one.layers[1].gradients[0], other.gradients[0].reshape(-1, 5), atol=1e-11)


def test_a_patch_is_a_window_of_the_image():
    images = np.random.default_rng(1).normal(size=(2, 6, 9, 2))
    found = patches(images, 3)
    for a, b in np.ndindex(2, 3):
        window = images[:, 3 * a : 3 * a + 3, 3 * b : 3 * b + 3]
        np.testing.assert_array_equal(found[:, 3 * a + b], window.reshape(2, -1))
    np.testing.assert_array_equal(Patches(3, dtype="float64").forward(images), found)


@pytest.mark.parametrize("shape", [(5, 4, 1), (4, 5, 1), (4, 4)])
def test_patches_that_do_not_fit_are_refused(shape):
    with pytest.raises(ValueError, match="se esperaba"):
        Patches(2).compute_output_shape(shape)
    with pytest.raises(ValueError, match="se esperaba"):
        patches(np.zeros((1, *shape)), 2)


def test_patches_of_unknown_size():
    assert Patches(2).compute_output_shape((None, None, 3)) == (None, 12)
    layer = Patches(2)
    assert layer.forward(np.zeros((1, 4, 4, 1))).shape == (1, 4, 4)
    assert layer.forward(np.zeros((1, 6, 4, 1))).shape == (1, 6, 4)
    with pytest.raises(ValueError, match="dividan entre 2"):
        layer.forward(np.zeros((1, 5, 4, 1)))


def test_the_class_token_takes_any_length_but_not_any_width():
    layer = ClassToken("ones")
    for length in (3, 1, 7):
        y = layer.forward(np.full((2, length, 4), 2.0))
        assert y.shape == (2, length + 1, 4)
        assert (y[:, 0] == 1).all()
        assert (y[:, 1:] == 2).all()
    with pytest.raises(ValueError, match="se esperaba"):
        layer.forward(np.zeros((2, 3, 5)))


def test_a_frozen_class_token_still_passes_the_gradient():
    layer = ClassToken(dtype="float64")
    layer.forward(np.zeros((2, 3, 4)))
    layer.trainable = False
    dy = np.random.default_rng(0).normal(size=(2, 4, 4))
    np.testing.assert_array_equal(layer.backward(dy), dy[:, 1:])


def test_masked_words_follow_the_rule():
    ids = np.random.default_rng(0).integers(2, 1000, (400, 200))
    ids[:, 150:] = 0
    x, y = mask_words(ids, 1000, mask=1, first=2, seed=3)
    asked = y != -1
    assert not asked[:, 150:].any()
    assert abs(asked[:, :150].mean() - 0.15) < 0.01
    np.testing.assert_array_equal(y[asked], ids[asked])
    np.testing.assert_array_equal(x[~asked], ids[~asked])
    hidden = (x == 1)[asked].mean()
    kept = (x == ids)[asked].mean()
    assert abs(hidden - 0.8) < 0.01
    assert abs(kept - 0.1) < 0.01
    drawn = x[asked & (x != 1) & (x != ids)]
    assert drawn.min() >= 2
    assert drawn.max() < 1000


def test_nothing_and_everything_can_be_asked():
    ids = np.array([[2, 3, 4]])
    x, y = mask_words(ids, 5, mask=1, first=2, rate=0)
    assert (x == ids).all()
    assert (y == -1).all()
    assert (mask_words(ids, 5, mask=1, first=2, rate=1, seed=0)[1] == ids).all()


def test_bad_words_are_refused():
    for options in ({"mask": 5}, {"first": 9}, {"rate": 1.5}, {"rate": float("nan")}):
        with pytest.raises(ValueError, match="se esperaba"):
            mask_words([[2, 3]], 5, **{"mask": 1, **options})
    with pytest.raises(ValueError, match="entre 0 y 4"):
        mask_words([[2, 7]], 5, mask=1)
