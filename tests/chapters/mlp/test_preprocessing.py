"""Escalar, codificar, balancear y repartir: contra scikit-learn, con datos al azar y con datos absurdos."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.class_weight import compute_class_weight

from chapters.mlp.preprocessing import (
    class_proportions,
    class_weights,
    min_max,
    one_hot,
    train_validation_test_split,
)

REALS = st.floats(-1e6, 1e6, width=32)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_min_max_is_scikit_learns(dtype):
    rng = np.random.default_rng(0)
    x, new = rng.normal([5, -3e4, 1e-3], [1, 1e4, 1e-4], size=(2, 40, 3)).astype(dtype)
    scaler = MinMaxScaler((-1, 1)).fit(x)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(min_max(x), scaler.transform(x), atol=tolerance)
    np.testing.assert_allclose(min_max(new, x), scaler.transform(new), rtol=tolerance, atol=tolerance)
    assert min_max(x).dtype == dtype


@given(arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=REALS))
def test_min_max_fills_the_interval_and_keeps_the_order(x):
    y = min_max(x)
    assert np.abs(y).max() <= 1
    for j in range(x.shape[1]):
        if np.ptp(x[:, j]) == 0:
            assert (y[:, j] == 0).all()
        else:
            assert y[:, j].min() == -1
            assert y[:, j].max() == 1
            assert (np.diff(y[np.argsort(x[:, j], kind="stable"), j]) >= 0).all()


def test_min_max_does_not_touch_its_argument_and_takes_any_layout():
    x = np.asfortranarray(np.random.default_rng(0).normal(size=(6, 4)))[::-2, 1:]
    before = x.copy()
    np.testing.assert_array_equal(min_max(x), min_max(before.copy()))
    np.testing.assert_array_equal(x, before)


def test_min_max_survives_the_largest_numbers():
    np.testing.assert_array_equal(min_max([[-1.7e308], [0.0], [1.7e308]]), [[-1], [0], [1]])


@pytest.mark.parametrize(
    ("x", "reference", "message"),
    [
        ([1, 2], None, r"x: se esperaba la forma"),
        ([[np.nan]], None, r"x: se esperaban números finitos"),
        (np.empty((0, 2)), None, r"x: se esperaba al menos un elemento"),
        ([[1.0]], [[1.0, 2.0]], r"reference: se esperaba la forma"),
        ([[1e308]], [[0.0], [1e-300]], r"x, ya normalizado: se esperaban números finitos"),
    ],
)
def test_min_max_says_what_is_wrong(x, reference, message):
    with pytest.raises(ValueError, match=message):
        min_max(x, reference)


def test_min_max_rejects_what_is_not_a_number():
    with pytest.raises(TypeError, match=r"x: se esperaban números reales"):
        min_max([["a"]])


@given(st.lists(st.integers(0, 8), min_size=1, max_size=20))
def test_one_hot_has_a_single_one_and_can_be_undone(labels):
    y = one_hot(labels)
    assert y.shape == (len(labels), max(labels) + 1)
    assert (y.sum(axis=1) == 1).all()
    assert set(np.unique(y)) <= {0, 1}
    assert y.argmax(axis=1).tolist() == labels


@pytest.mark.parametrize(
    "animals",
    [
        ["Gato", "Perro", "Gato", "Caballo"],
        np.array(["Gato", "Perro", "Gato", "Caballo"]),
        np.array(["Gato", "Perro", "Gato", "Caballo"], dtype=object),
    ],
)
def test_the_animals_of_the_course(animals):
    expected = [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    assert one_hot(animals, ["Gato", "Perro", "Caballo"]).tolist() == expected


def test_one_hot_takes_categories_that_are_numbers_but_not_positions():
    assert one_hot([-1, 7, -1], [-1, 7]).tolist() == [[1, 0], [0, 1], [1, 0]]
    assert one_hot(np.array([1.0, 0.0], "float32"), 2).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    ("values", "categories", "error", "message"),
    [
        ([3], 3, ValueError, r"values: se esperaba un entero entre 0 y 2, pero hay un 3"),
        ([-1], None, ValueError, r"values: se esperaba un entero"),
        ([0.5], 2, ValueError, r"values: se esperaba un entero"),
        ([], 2, ValueError, r"values: se esperaba al menos un elemento"),
        ([[0, 1]], 2, ValueError, r"values: se esperaba la forma"),
        ([0], 0, ValueError, r"categories: se esperaba un entero de al menos 1"),
        ([0], [], ValueError, r"categories: se esperaba al menos un elemento"),
        ([0], [0, 0], ValueError, r"categories: se esperaban categorías distintas"),
        (["a"], None, TypeError, r"values: se esperaban números reales"),
        ("rojo", ["rojo"], TypeError, r"values: se esperaba una lista"),
        ([None], ["a"], TypeError, r"values: se esperaban textos o enteros"),
        ([["a"]], ["a"], TypeError, r"values: se esperaban textos o enteros"),
    ],
)
def test_one_hot_says_what_is_wrong(values, categories, error, message):
    with pytest.raises(error, match=message):
        one_hot(values, categories)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=40))
def test_class_weights_are_scikit_learns_and_level_the_classes(labels):
    weights, classes = class_weights(labels), np.unique(labels)
    expected = compute_class_weight("balanced", classes=classes, y=labels)
    np.testing.assert_allclose(list(weights.values()), expected)
    assert list(weights) == classes.tolist()
    totals = [weights[c] * labels.count(c) for c in weights]
    np.testing.assert_allclose(totals, len(labels) / len(classes))
    assert np.isclose(sum(class_proportions(labels).values()), 1)


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        ([], ValueError, r"y: se esperaba al menos un elemento"),
        ([0, "a"], TypeError, r"y: se esperaban solo textos o solo enteros"),
        (3, TypeError, r"y: se esperaba una lista"),
        (np.array(3), TypeError, r"y: se esperaba una lista"),
        ([[0], [1]], TypeError, r"y: se esperaban textos o enteros"),
        ([np.nan], TypeError, r"y: se esperaban textos o enteros"),
    ],
)
@pytest.mark.parametrize("function", [class_proportions, class_weights])
def test_balance_says_what_is_wrong(function, y, error, message):
    with pytest.raises(error, match=message):
        function(y)


@pytest.mark.parametrize("y", [[True, False, True], np.array([1, 0, 1], bool), np.array([1.0, 0.0, 1.0])])
def test_a_boolean_is_a_zero_or_a_one(y):
    assert repr(class_weights(y)) == "{0: 1.5, 1: 0.75}"
    assert repr(list(class_proportions(y))) == "[0, 1]"


@given(st.integers(5, 200), st.integers(0, 2**32))
def test_the_split_loses_nobody_and_repeats_nobody(n, seed):
    x, y = np.arange(2 * n).reshape(n, 2), np.arange(n)
    parts = train_validation_test_split(x, y, seed=seed)
    assert sorted(np.concatenate([part[1] for part in parts])) == list(range(n))
    for fraction, (x_part, y_part) in zip((0.6, 0.2, 0.2), parts, strict=True):
        assert abs(len(y_part) - fraction * n) <= 1
        assert (x_part[:, 0] == 2 * y_part).all()


def test_the_split_depends_only_on_the_seed():
    x = np.arange(50)
    first, again, other = (train_validation_test_split(x, x, seed=seed)[0][0].tolist() for seed in (3, 3, 4))
    assert first == again != other


def test_the_split_gives_copies_and_takes_images_and_texts():
    x, y = np.zeros((10, 4, 4, 1), np.uint8), np.array(list("abcdefghij"))
    (x_train, y_train), *_ = train_validation_test_split(x, y, fractions=(0.5, 0.3, 0.2), seed=0)
    x_train[:] = 1
    assert not x.any()
    assert x_train.dtype == np.uint8
    assert y_train.shape == (5,)


@pytest.mark.parametrize(
    ("x", "y", "fractions", "message"),
    [
        ([1, 2, 3], [1, 2], (0.6, 0.2, 0.2), r"y: se esperaban tantos ejemplos"),
        (5, 5, (0.6, 0.2, 0.2), r"y: se esperaban tantos ejemplos"),
        ([1, 2], [1, 2], (0.6, 0.2, 0.2), r"x: se esperaban ejemplos para las tres partes"),
        ([[1], [2, 3]], [1, 2], (0.6, 0.2, 0.2), r"x: se esperaba un arreglo, pero llegaron filas de distinto largo"),
        ([1, 2], [[1], [2, 3]], (0.6, 0.2, 0.2), r"y: se esperaba un arreglo, pero llegaron filas de distinto largo"),
        (range(10), range(10), (0.6, 0.2), r"fractions: se esperaba la forma"),
        (range(10), range(10), (0.6, 0.2, 0.3), r"fractions: se esperaban tres fracciones"),
        (range(10), range(10), (0.8, 0.2, 0.0), r"fractions: se esperaban tres fracciones"),
    ],
)
def test_the_split_says_what_is_wrong(x, y, fractions, message):
    with pytest.raises(ValueError, match=message):
        train_validation_test_split(x, y, fractions)


@pytest.mark.parametrize(("values", "categories"), [([0, 2**40], None), ([0, 1], 2**40)])
def test_one_hot_counts_its_columns_before_asking_for_memory(values, categories):
    with pytest.raises(ValueError, match="harían falta"):
        one_hot(values, categories)
