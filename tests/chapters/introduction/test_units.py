"""Las funciones de la introducción calculan lo que dicen."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chapters.introduction import (
    activity_from_speed,
    count_parameters,
    depth,
    grid_cells,
    hand_features,
    historical_layers,
    layer_parameters,
    nearest_mean,
    pca,
    sawtooth,
    shell_fraction,
)
from dlbook.data import load_digits

reals = st.floats(-1e6, 1e6)


def total(name):
    return sum(layer_parameters(fan_in, units, own) for _, fan_in, units, own in historical_layers(name))


def test_the_three_activities_come_in_order_of_speed():
    names = [activity_from_speed(v) for v in np.linspace(0, 40, 4001)]
    assert [name for name, _ in itertools.groupby(names)] == ["WALKING", "RUNNING", "BIKING"]


@pytest.mark.parametrize(
    ("name", "parameters", "layers"),
    [
        ("LeNet-5", 60_000, 8),
        ("AlexNet", 60_965_224, 8),
        ("VGG16", 138_357_544, 16),
        ("GoogLeNet", 6_998_552, 3 + 9 * 6 + 1),
        ("ResNet-152", 60_192_808, 152 + 4),  # y los cuatro atajos con filtros
    ],
)
def test_the_networks_that_made_history(name, parameters, layers):
    assert total(name) == parameters
    assert len(historical_layers(name)) == layers


def test_lenet_layer_by_layer():
    counted = {}
    for name, fan_in, units, own in historical_layers("LeNet-5"):
        counted[name] = counted.get(name, 0) + layer_parameters(fan_in, units, own)
    assert counted == {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48_120, "F6": 10_164}


def test_the_table_is_a_copy_each_time():
    historical_layers("LeNet-5").clear()
    assert total("LeNet-5") == 60_000


@given(st.lists(st.integers(1, 30), min_size=2, max_size=6))
def test_the_count_is_the_size_of_the_arrays(sizes):
    stored = [np.empty((b, a)).size + np.empty(b).size for a, b in itertools.pairwise(sizes)]
    assert count_parameters(sizes) == count_parameters(tuple(sizes)) == sum(stored)


def test_linear_layers_add_no_depth():
    assert depth([]) == depth(("linear",)) == 0
    assert depth(["relu", "linear"] * 3) == depth(["relu"] * 3) == 3


@given(st.integers(1, 6), st.integers(1, 4))
def test_the_cells_are_those_that_can_be_listed(dimension, per_axis):
    assert grid_cells(dimension, per_axis) == len(list(itertools.product(range(per_axis), repeat=dimension)))


def test_the_shell_grows_with_dimension_and_thickness():
    fractions = [shell_fraction(d, 0.05) for d in range(1, 200)]
    assert all(a < b for a, b in itertools.pairwise(fractions))
    assert shell_fraction(7, 1) == 1
    assert shell_fraction(10**9) == 1


@pytest.mark.parametrize("dimension", [1, 2, 3, 5])
def test_the_shell_agrees_with_points_at_random(dimension):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200_000, dimension))
    points *= (rng.random(200_000) ** (1 / dimension) / np.linalg.norm(points, axis=1))[:, None]
    measured = (np.linalg.norm(points, axis=1) > 0.9).mean()
    assert measured == pytest.approx(shell_fraction(dimension, 0.1), abs=0.005)


@given(st.integers(1, 40), arrays(float, 20, elements=st.floats(0, 1)))
def test_the_sawtooth_is_a_triangular_wave(k, x):
    before = x.copy()
    # Con potencias de dos y restas de números entre 0 y 1, las dos cuentas son casi exactas.
    phase = np.mod(x * 2.0 ** (k - 1), 1.0)
    assert np.allclose(sawtooth(x, k), 1 - abs(2 * phase - 1), rtol=0, atol=2.0 ** (k - 50))
    assert np.array_equal(x, before)


@pytest.mark.parametrize("k", range(1, 11))
def test_each_layer_doubles_the_pieces(k):
    slopes = np.sign(np.diff(sawtooth(np.linspace(0, 1, 2**12 + 1), k)))
    assert 1 + np.count_nonzero(np.diff(slopes)) == 2**k


@settings(deadline=None)
@given(st.integers(2, 8), st.integers(1, 5), st.data())
def test_pca_loses_what_it_says(n, d, draw):
    x = draw.draw(arrays(float, (n, d), elements=reals))
    k = draw.draw(st.integers(1, min(n, d)))
    mean, v, lost = pca(x, k)
    assert mean.shape == (d,)
    assert v.shape == (d, k)
    assert np.allclose(v.T @ v, np.eye(k))
    centered = x - mean
    total = (centered**2).sum()
    missing = ((centered - centered @ v @ v.T) ** 2).sum()
    assert 0 <= lost <= 1
    assert missing == pytest.approx(lost * total, abs=1e-9 * max(total, 1e-9) + 1e-15)


def test_pca_agrees_with_scikit_learn():
    from sklearn.decomposition import PCA

    (x, _), _ = load_digits()
    x = x.reshape(-1, 64) / 16
    oracle = PCA(8, svd_solver="full").fit(x)
    mean, v, lost = pca(x, 8)
    assert np.allclose(mean, oracle.mean_)
    assert np.allclose(abs(v.T @ oracle.components_.T), np.eye(8), atol=1e-8)
    assert lost == pytest.approx(1 - oracle.explained_variance_ratio_.sum())
    assert (v[abs(v).argmax(axis=0), range(8)] > 0).all()


def test_pca_of_equal_rows_loses_nothing():
    mean, _, lost = pca(np.full((5, 3), 7.0), 2)
    assert mean.tolist() == [7, 7, 7]
    assert lost == 0


def test_pca_does_not_care_about_the_scale():
    x = np.random.default_rng(0).normal(size=(9, 4))
    assert pca(1e-200 * x, 2)[2] == pytest.approx(pca(x, 2)[2])
    assert pca(1e140 * x, 2)[2] == pytest.approx(pca(x, 2)[2])


@given(arrays(float, (7, 3), elements=reals), arrays(float, (4, 3), elements=reals), st.data())
def test_the_nearest_mean_is_the_nearest(x_train, x_test, draw):
    y = np.array(draw.draw(st.lists(st.sampled_from([0, 2, 9]), min_size=7, max_size=7)))
    answer = nearest_mean(x_train, y, x_test)
    means = {int(c): x_train[y == c].mean(axis=0) for c in np.unique(y)}
    for x, c in zip(x_test, answer, strict=True):
        distance = {k: ((x - mean) ** 2).sum() for k, mean in means.items()}
        assert distance[int(c)] <= min(distance.values()) * (1 + 1e-9) + 1e-6


def test_a_tie_goes_to_the_smaller_class():
    assert nearest_mean([[0.0], [2.0]], [5, 3], [[1.0]]).tolist() == [3]


@given(arrays(float, (3, 8, 8), elements=st.floats(0, 1)))
def test_hand_features_of_an_image_and_its_reflection(images):
    features = hand_features(images)
    assert ((features >= -1e-12) & (features <= 1 + 1e-12)).all()
    assert np.allclose(features, hand_features(images[:, :, ::-1]))
    assert np.allclose(hand_features((images + images[:, :, ::-1]) / 2)[:, 1], 1)
