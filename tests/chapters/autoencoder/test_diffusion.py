"""El proceso de difusión: el salto, la regla de Bayes y las muestras de un campo exacto."""

import numpy as np
import pytest

from chapters.autoencoder import (
    cosine_schedule,
    diffuse,
    implicit_step,
    linear_schedule,
    posterior,
    reverse_step,
    sample,
)

SCHEDULES = {"linear": linear_schedule(50, 1e-3, 0.3), "cosine": cosine_schedule(50)}


@pytest.mark.parametrize("alpha_bar", SCHEDULES.values(), ids=SCHEDULES)
def test_the_jump_has_the_mean_and_the_variance_of_the_steps(alpha_bar):
    mean, variance = 1.0, 0.0
    for t in range(1, len(alpha_bar)):
        alpha = alpha_bar[t] / alpha_bar[t - 1]
        mean, variance = np.sqrt(alpha) * mean, alpha * variance + 1 - alpha
        assert np.isclose(diffuse([[1.0]], t, alpha_bar, [[0.0]])[0, 0], mean)
        assert np.isclose(diffuse([[0.0]], t, alpha_bar, [[1.0]])[0, 0] ** 2, variance)


@pytest.mark.parametrize("alpha_bar", SCHEDULES.values(), ids=SCHEDULES)
@pytest.mark.parametrize("t", [2, 10, 49])
def test_the_posterior_is_the_one_of_bayes_rule(alpha_bar, t):
    x, start, u = 0.7, -0.4, np.linspace(-12, 12, 200_001)
    alpha = alpha_bar[t] / alpha_bar[t - 1]
    exponent = (x - np.sqrt(alpha) * u) ** 2 / (1 - alpha)
    exponent += (u - np.sqrt(alpha_bar[t - 1]) * start) ** 2 / (1 - alpha_bar[t - 1])
    q = np.exp(-(exponent - exponent.min()) / 2)
    q /= q.sum()
    mean, variance = posterior([[x]], [[start]], t, alpha_bar)
    assert np.isclose((q * u).sum(), mean[0, 0], atol=1e-6)
    assert np.isclose((q * u**2).sum() - (q * u).sum() ** 2, variance, atol=1e-6)


@pytest.mark.parametrize("alpha_bar", SCHEDULES.values(), ids=SCHEDULES)
def test_a_step_back_with_the_right_noise_is_the_posterior(alpha_bar):
    rng = np.random.default_rng(0)
    start, noise, new = rng.normal(size=(3, 8, 2))
    for t in (1, 2, 25, 50):
        x = diffuse(start, t, alpha_bar, noise)
        mean, variance = posterior(x, start, t, alpha_bar)
        assert np.allclose(reverse_step(x, t, noise, alpha_bar, new), mean + np.sqrt(variance) * new)
        assert np.allclose(implicit_step(x, t, 0, noise, alpha_bar), start)
        assert np.allclose(implicit_step(x, t, t - 1, noise, alpha_bar), diffuse(start, t - 1, alpha_bar, noise))


def test_each_row_goes_to_its_own_step():
    alpha_bar, x, noise = SCHEDULES["linear"], np.ones((3, 2)), np.full((3, 2), 0.5)
    together = diffuse(x, [0, 7, 50], alpha_bar, noise)
    assert np.array_equal(together[0], x[0])
    for row, t in zip(together, (0, 7, 50), strict=True):
        assert np.allclose(row, diffuse(x[:1], t, alpha_bar, noise[:1])[0])


def test_with_the_exact_noise_the_samples_are_the_data():
    """Con un dato normal de desviación s, el ruido esperado es lineal y se sabe exactamente."""
    alpha_bar, s, mu = cosine_schedule(200), 0.5, 2.0

    def exact(x, t):
        kept = alpha_bar[t]
        return np.sqrt(1 - kept) * (x - np.sqrt(kept) * mu) / (kept * s**2 + 1 - kept)

    rng = np.random.default_rng(0)
    path = sample(exact, rng.normal(size=(20_000, 1)), alpha_bar, seed=1)
    assert path.shape == (201, 20_000, 1)
    assert abs(path[0].mean() - mu) < 0.02
    assert abs(path[0].std() - s) < 0.02


def test_the_schedules_go_down_from_one():
    for alpha_bar in SCHEDULES.values():
        assert alpha_bar[0] == 1
        assert (np.diff(alpha_bar) < 0).all()
        assert alpha_bar[-1] > 0
    with pytest.raises(ValueError, match="alpha_bar: se esperaba que bajara de 1"):
        diffuse([[1.0]], 1, [1.0, 1.2], [[0.0]])
    with pytest.raises(ValueError, match="t: se esperaba un entero entre 0 y 2"):
        diffuse([[1.0]], 3, [1.0, 0.6, 0.3], [[0.0]])
    with pytest.raises(TypeError, match="t: se esperaba un entero, pero llegó True"):
        diffuse([[1.0]], True, [1.0, 0.6, 0.3], [[0.0]])
    with pytest.raises(ValueError, match=r"predicted: se esperaba la forma"):
        sample(lambda x, t: x[:1], np.ones((2, 1)), [1.0, 0.5])


def test_a_network_that_writes_on_its_input_does_not_spoil_the_path():
    def careless(x, t):
        x[:] = 7
        return x

    start = np.ones((2, 1))
    assert np.array_equal(sample(careless, start, [1.0, 0.6, 0.3], seed=0)[-1], start)
