"""Ruidos, medidas de parecido y quitadores de ruido."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from chapters.autoencoder import (
    NoisyPairs,
    gaussian_noise,
    masking_noise,
    optimal_denoiser,
    psnr,
    salt_and_pepper_noise,
    ssim,
    ssim_map,
)
from chapters.mlp import Dense, Input, Sequential

STORED = json.loads((Path(__file__).parents[2] / "reference" / "images.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", STORED, ids=range(len(STORED)))
def test_the_measures_are_those_of_scikit_image_and_tensorflow(case):
    a, b, largest, size = (case[name] for name in ("a", "b", "max_val", "filter_size"))
    assert psnr(a, b, largest) == pytest.approx(case["psnr"]["skimage"], rel=1e-12)
    # TensorFlow calcula en float32.
    assert psnr(a, b, largest) == pytest.approx(case["psnr"]["tensorflow"], rel=1e-6)
    assert ssim(a, b, largest, size) == pytest.approx(case["tensorflow"], abs=2e-6)
    every = ssim_map(a, b, largest, size)
    assert every.mean(axis=-1) == pytest.approx(np.array(case["tensorflow_map"]), abs=2e-5)
    sigma, k1, k2 = case["other"]["arguments"]
    assert ssim(a, b, largest, size, sigma, k1, k2) == pytest.approx(case["other"]["tensorflow"], abs=2e-6)
    if "skimage" in case:
        assert ssim(a, b, largest) == pytest.approx(case["skimage"]["ssim"], rel=1e-10)
        assert every == pytest.approx(np.array(case["skimage"]["map"]), rel=1e-8)


def test_the_measures_of_a_batch_are_those_of_each_image():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 3, 12, 13, 2))
    for measure in (psnr, ssim, ssim_map):
        alone = [measure(one, other, 1.0) for one, other in zip(a, b, strict=True)]
        assert np.allclose(measure(a, b, 1.0), alone)
        assert np.allclose(measure(a, b, 1.0), measure(b, a, 1.0))
        assert measure(a.astype("float32"), b.astype("float32"), 1.0).dtype == np.float32
    assert (psnr(a, a, 1.0) == np.inf).all()
    assert np.allclose(ssim_map(a, a, 1.0), 1)
    assert ssim_map(a, b, 1.0).max() <= 1
    assert psnr(255 * a, 255 * b, 255) == pytest.approx(psnr(a, b, 1))
    assert ssim(255 * a, 255 * b, 255) == pytest.approx(ssim(a, b, 1))


def test_a_similarity_that_divides_by_zero_says_so():
    black = np.zeros((11, 11, 1))
    assert ssim(black, black, 1.0) == 1
    with pytest.raises(ValueError, match="divida entre cero"):
        ssim(black, black, 1.0, k1=0)
    with pytest.raises(ValueError, match="desborden"):
        ssim(black + 1e200, black, 1.0)


X = np.random.default_rng(7).random((300, 400))


@pytest.mark.parametrize(
    ("noise", "expected"),
    [
        (lambda g: gaussian_noise(X, 0.2, g), 0.04),
        (lambda g: salt_and_pepper_noise(X, 0.3, g), 0.15 * (X**2 + (1 - X) ** 2).mean()),
        (lambda g: salt_and_pepper_noise(X, 0.3, g, -1, 2), 0.15 * ((X + 1) ** 2 + (X - 2) ** 2).mean()),
        (lambda g: masking_noise(X, 0.3, g), 0.3 * (X**2).mean()),
    ],
    ids=["gaussiano", "sal y pimienta", "otros negro y blanco", "tapado"],
)
def test_each_noise_spoils_as_much_as_was_derived(noise, expected):
    errors = (noise(np.random.default_rng(0)) - X) ** 2
    assert abs(errors.mean() - expected) < 5 * errors.std() / np.sqrt(X.size)
    assert np.array_equal(noise(3), noise(3))
    assert not np.array_equal(noise(3), noise(4))


@pytest.mark.parametrize("pixel", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize("sigma", [0.1, 0.5])
def test_the_bias_of_clipping(pixel, sigma):
    y = gaussian_noise(np.full((400, 500), pixel), sigma, 0, clip=(0, 1)) - pixel
    low, high = -pixel / sigma, (1 - pixel) / sigma
    mean = low * norm.cdf(low) + norm.pdf(low) - norm.pdf(high) + high * norm.sf(high)
    assert y.mean() == pytest.approx(sigma * mean, abs=5 * sigma / np.sqrt(y.size))
    assert y.min() >= -pixel
    assert y.max() <= 1 - pixel


def test_the_noises_keep_the_type_and_leave_the_original_alone():
    x = X.astype("float32")
    before = x.copy()
    for y in (gaussian_noise(x, 0.1, 0, (0, 1)), salt_and_pepper_noise(x, 0.5, 0), masking_noise(x, 0.5, 0)):
        assert y.dtype == np.float32
        assert y.shape == x.shape
        assert not np.shares_memory(x, y)
    assert np.array_equal(x, before)
    assert np.array_equal(gaussian_noise(x, 0, 0), x)
    assert np.array_equal(salt_and_pepper_noise(x, 0, 0), x)
    assert not masking_noise(x, 1, 0).any()
    with pytest.raises(ValueError, match="mayor que 1"):
        gaussian_noise(x, 0.1, 0, (1, 0))


@pytest.mark.filterwarnings("error")
def test_what_overflows_says_so():
    huge = np.full((11, 11, 1), 3e38, np.float32)
    with pytest.raises(ValueError, match="el error cuadrático medio"):
        psnr(huge, -huge, 1.0)
    with pytest.raises(ValueError, match="max_val"):
        ssim(huge, huge, 1e308)
    with pytest.raises(ValueError, match="k1"):
        ssim(huge, huge, 1.0, k1=1e300)
    for spoiled in (lambda: gaussian_noise(huge, 3e38, 0), lambda: salt_and_pepper_noise(huge, 1, 0, 0, 1e300)):
        with pytest.raises(ValueError, match="x con ruido"):
            spoiled()
    assert np.array_equal(gaussian_noise(huge, 0, 0, (-1e39, 1e39)), huge)


def test_a_batch_that_does_not_exist_and_a_corruption_in_place():
    x = np.arange(1.0, 9.0).reshape(4, 2)

    def erase(clean, generator):
        clean[:] = 0
        return clean

    pairs = NoisyPairs(x, erase, batch_size=2, shuffle=False)
    noisy, clean = pairs[1]
    assert not noisy.any()
    assert np.array_equal(clean, x[2:])
    for k in (2, -1, 1.5, "0"):
        with pytest.raises((TypeError, ValueError), match="k: se esperaba un entero"):
            pairs[k]
    with pytest.raises(ValueError, match="al menos"):
        NoisyPairs(np.zeros((0, 2)), erase)


def test_each_epoch_brings_new_noise():
    x = np.arange(40.0).reshape(10, 4)
    pairs = NoisyPairs(x, lambda clean, g: gaussian_noise(clean, 0.1, g), batch_size=4, seed=0)
    assert [len(clean) for _, clean in pairs] == [4, 4, 2]
    seen = np.concatenate([clean for _, clean in pairs])
    assert np.array_equal(np.sort(seen[:, 0]), x[:, 0])
    first, second = pairs[0], pairs[0]
    assert np.array_equal(first[1], second[1])
    assert not np.array_equal(first[0], second[0])
    again = NoisyPairs(x, lambda clean, g: gaussian_noise(clean, 0.1, g), batch_size=4, seed=0)
    assert np.array_equal(np.concatenate([clean for _, clean in again]), seen)
    pairs.on_epoch_end()
    assert not np.array_equal(np.concatenate([clean for _, clean in pairs]), seen)
    with pytest.raises(ValueError, match="corrupt"):
        NoisyPairs(x, lambda clean, g: clean[:1])[0]
    model = Sequential([Input((4,)), Dense(4)], seed=0)
    model.compile("adam", "mse")
    assert len(model.fit(pairs, epochs=2, verbose=0).history["loss"]) == 2


def test_the_best_denoiser_climbs_the_logarithm_of_the_density():
    rng = np.random.default_rng(0)
    data, x, sigma, step = rng.normal(size=(30, 3)), rng.normal(size=(5, 3)), 0.4, 1e-5

    def log_density(x):
        return logsumexp(-((x[:, None] - data) ** 2).sum(axis=-1) / (2 * sigma**2), axis=1)

    gradient = np.empty_like(x)
    for k in range(3):
        move = step * np.eye(3)[k]
        gradient[:, k] = (log_density(x + move) - log_density(x - move)) / (2 * step)
    assert optimal_denoiser(x, data, sigma) - x == pytest.approx(sigma**2 * gradient, abs=1e-8)


def test_nobody_denoises_better_than_the_best():
    rng = np.random.default_rng(0)
    data, sigma = rng.normal(size=(8, 2)), 0.5
    clean = data[rng.integers(8, size=40_000)]
    noisy = gaussian_noise(clean, sigma, rng)
    best = optimal_denoiser(noisy, data, sigma)
    nearest = data[((noisy[:, None] - data) ** 2).sum(axis=-1).argmin(axis=1)]
    errors = [((y - clean) ** 2).mean() for y in (best, nearest, noisy, best * 1.05, best + 0.05)]
    assert errors[0] == min(errors)
    # Lejos o con un ruido diminuto, gana el dato más cercano, y nada se desborda.
    assert np.allclose(optimal_denoiser(noisy[:9], data, 1e-3), nearest[:9])
    assert np.allclose(optimal_denoiser(noisy[:9], data, 1e6), data.mean(axis=0))
