"""El puntaje de anomalía y su umbral."""

import numpy as np
import pytest

from chapters.autoencoder import anomaly_threshold, reconstruction_error

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(5,), (5, 3), (5, 4, 4, 2)])
def test_the_score_is_one_number_per_observation_and_averages_to_the_loss(shape):
    x, again = RNG.normal(size=shape), RNG.normal(size=shape)
    scores = reconstruction_error(x, again)
    assert scores.shape == (5,)
    assert np.isclose(scores.mean(), ((x - again) ** 2).mean())


def test_the_score_of_a_projection_is_what_is_left_out():
    x = RNG.normal(size=(50, 6)) * np.arange(1, 7)
    centered = x - x.mean(axis=0)
    v = np.linalg.svd(centered, full_matrices=False)[2][:2].T
    left = (centered**2).sum(axis=1) - ((centered @ v) ** 2).sum(axis=1)
    assert np.allclose(6 * reconstruction_error(centered, centered @ v @ v.T), left)


@pytest.mark.parametrize("percentile", [0, 50, 95, 100])
def test_the_asked_share_stays_below_the_threshold(percentile):
    scores = RNG.random(1000)
    assert abs((scores <= anomaly_threshold(scores, percentile)).mean() - percentile / 100) <= 0.001


@pytest.mark.parametrize("nothing", [1.0, [], np.zeros((0, 3)), np.zeros((3, 0))])
def test_without_observations_there_is_no_score(nothing):
    with pytest.raises(ValueError, match="al menos una observación"):
        reconstruction_error(nothing, nothing)
