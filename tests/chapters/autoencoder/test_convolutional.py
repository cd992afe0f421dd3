"""El autocodificador convolucional: formas, pesos, gradientes y que correr la imagen corra la salida."""

import numpy as np
import pytest

from chapters.autoencoder import convolutional_autoencoder
from chapters.mlp import load_model
from dlbook.gradcheck import check_gradients

RNG = np.random.default_rng(0)
WAYS = [{}, {"strided": True}, {"code": 3}, {"code": 3, "strided": True, "kernel_size": 2}]


@pytest.mark.parametrize("way", WAYS)
def test_what_comes_out_is_an_image_like_the_one_that_went_in(way):
    autoencoder, encoder, decoder = convolutional_autoencoder((8, 12, 2), (3, 4), seed=0, **way)
    x = RNG.random((5, 8, 12, 2)).astype("float32")
    code = encoder.predict(x)
    assert code.shape == ((5, 3) if "code" in way else (5, 2, 3, 4))
    assert np.array_equal(decoder.predict(code), autoencoder.predict(x))
    assert autoencoder.predict(x).shape == x.shape


@pytest.mark.parametrize("way", WAYS)
def test_its_gradient_is_that_of_finite_differences(way):
    model = convolutional_autoencoder((4, 4, 1), (2,), dtype="float64", seed=1, **way)[0]
    model.compile(loss="mse")
    # Con los sesgos en cero, donde el código es cero la ReLU está justo en su pico.
    model.theta += RNG.normal(0, 0.1, model.theta.size)
    x = RNG.random((3, 4, 4, 1))
    _, gradient = model.loss_and_gradient(x, x, training=True)
    report = check_gradients(lambda: model.loss_and_gradient(x, x)[0], {"theta": model.theta}, {"theta": gradient})
    assert report.ok, report


def test_the_same_seed_gives_the_same_weights_and_no_layer_repeats_those_of_another():
    first, second, other = (convolutional_autoencoder((8, 8, 1), (4, 4), seed=seed)[0] for seed in (0, 0, 1))
    assert all(map(np.array_equal, first.get_weights(), second.get_weights()))
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])
    kernels = [w for w in first.get_weights() if w.shape == (3, 3, 4, 4)]
    assert len(kernels) == 3
    assert not any(np.array_equal(a, b) for k, a in enumerate(kernels) for b in kernels[:k])


def test_training_one_trains_the_three():
    autoencoder, encoder, decoder = convolutional_autoencoder((8, 8, 1), (4,), seed=0)
    x = RNG.random((20, 8, 8, 1)).astype("float32")
    autoencoder.compile("adam", "binary_crossentropy")
    history = autoencoder.fit(x, x, 10, 5, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert np.array_equal(decoder.predict(encoder.predict(x)), autoencoder.predict(x))


@pytest.mark.parametrize("strided", [False, True])
def test_moving_the_image_by_a_whole_step_moves_what_comes_out(strided):
    model = convolutional_autoencoder((48, 48, 1), (3, 2), strided=strided, seed=0)[0]
    x = np.zeros((1, 48, 48, 1), "float32")
    x[:, 18:26, 18:26] = RNG.random((1, 8, 8, 1))
    still, inside = model.predict(x), slice(14, -14)
    for pixels in (1, 4):
        gap = np.abs(model.predict(np.roll(x, pixels, 2)) - np.roll(still, pixels, 2))[:, inside, inside].max()
        assert (gap < 1e-6) == (pixels == 4)


def test_it_is_saved_and_read(tmp_path):
    model = convolutional_autoencoder((8, 8, 1), (4,), code=2, seed=0)[0]
    model.save(tmp_path / "one.safetensors")
    x = RNG.random((3, 8, 8, 1)).astype("float32")
    assert np.array_equal(load_model(tmp_path / "one.safetensors").predict(x), model.predict(x))


@pytest.mark.parametrize("shape", [(8, 6, 1), (8, 8), (2, 2, 1)])
def test_an_image_that_cannot_be_halved_is_refused(shape):
    with pytest.raises(ValueError, match="input_shape"):
        convolutional_autoencoder(shape, (4, 4))


def test_an_empty_code_is_refused_by_its_name():
    with pytest.raises(ValueError, match="code: se esperaba un entero de al menos 1, pero llegó 0"):
        convolutional_autoencoder((8, 8, 1), (4,), code=0)
