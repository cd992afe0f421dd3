"""Los dígitos de scikit-learn y los conjuntos de juguete."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlbook import data

SEEDED = [data.apples_and_oranges, data.circles, data.spirals, data.students, data.ages_and_salaries]
CLASSIFIED = [data.apples_and_oranges, data.circles, data.spirals, data.students]


def test_import_leaves_heavy_libraries_for_later():
    heavy = {"sklearn", "scipy", "matplotlib", "requests", "tqdm", "numba"}
    code = f"import sys, dlbook.data; print(*({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


def test_all_public_names_exist():
    assert [name for name in data.__all__ if not hasattr(data, name)] == []


# Dígitos


def test_digits_have_the_form_of_keras_and_keep_every_image():
    (x_train, y_train), (x_test, y_test) = data.load_digits()
    assert x_train.dtype == x_test.dtype == np.uint8
    assert y_train.dtype == y_test.dtype == np.int64
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    assert x.shape == (1797, 8, 8)
    assert np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]

    from sklearn import datasets

    original = datasets.load_digits()
    pairs = sorted((image.tobytes(), label) for image, label in zip(x, y, strict=True))
    images = original.images.astype(np.uint8)
    assert pairs == sorted((image.tobytes(), label) for image, label in zip(images, original.target, strict=True))


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.2, 0.5, 0.99])
def test_digits_split_is_stratified(fraction):
    (_, y_train), (_, y_test) = data.load_digits(fraction)
    share = np.bincount(y_test, minlength=10) / (np.bincount(y_test, minlength=10) + np.bincount(y_train, minlength=10))
    assert np.abs(share - fraction).max() < 0.01
    assert (np.bincount(y_train, minlength=10) > 0).all()
    assert (np.bincount(y_test, minlength=10) > 0).all()


def test_digits_split_depends_only_on_the_seed():
    first, again, other = data.load_digits(), data.load_digits(), data.load_digits(seed=1)
    for (x, y), (x_again, y_again) in zip(first, again, strict=True):
        assert (x == x_again).all()
        assert (y == y_again).all()
    assert (first[1][1] != other[1][1]).any()
    assert (data.load_digits(seed=np.random.default_rng(1))[1][1] == other[1][1]).all()


@given(st.one_of(st.floats(max_value=0.009), st.floats(min_value=0.991), st.text(), st.none(), st.lists(st.floats())))
def test_digits_reject_a_bad_fraction(fraction):
    with pytest.raises((TypeError, ValueError), match="test_fraction: se esperaba un número"):
        data.load_digits(fraction)


@pytest.mark.parametrize("seed", [-1, 1.5, "0", [0], True])
def test_seed_must_be_an_integer_or_a_generator(seed):
    for function in [data.load_digits, *SEEDED]:
        with pytest.raises((TypeError, ValueError), match="seed: se esperaba un entero"):
            function(seed=seed)


# Juguetes


@pytest.mark.parametrize(
    ("name", "gate"),
    [
        ("and", lambda a, b: a and b),
        ("or", lambda a, b: a or b),
        ("xor", lambda a, b: a != b),
        ("nand", lambda a, b: not (a and b)),
        ("nor", lambda a, b: not (a or b)),
    ],
)
def test_logic_gates(name, gate):
    x, y = data.logic_gate(name)
    assert x.dtype == np.float64
    assert y.dtype == np.int64
    assert x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert y.tolist() == [int(gate(a, b)) for a, b in x]


@given(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text()), st.floats()))
def test_logic_gate_rejects_other_names(name):
    if name in ("and", "or", "xor", "nand", "nor"):
        return
    with pytest.raises(ValueError, match="name: se esperaba 'and' o 'or'"):
        data.logic_gate(name)


@pytest.mark.parametrize("function", SEEDED)
def test_toys_depend_only_on_the_seed(function):
    x, y = function(n=50, seed=3)
    x_again, y_again = function(n=50, seed=np.random.default_rng(3))
    assert (x == x_again).all()
    assert (y == y_again).all()
    assert (x != function(n=50, seed=4)[0]).any()


@pytest.mark.parametrize("function", CLASSIFIED)
@given(n=st.integers(2, 300), seed=st.integers(0, 2**40))
def test_toys_have_their_shape(function, n, seed):
    x, y = function(n, seed=seed)
    assert x.shape == (n, 2)
    assert x.dtype == np.float64
    assert np.isfinite(x).all()
    assert y.shape == (n,)
    assert y.dtype == np.int64
    assert set(y) <= {0, 1}
    if function is not data.students:
        assert np.bincount(y).tolist() == [n // 2, n - n // 2]


@pytest.mark.parametrize("function", SEEDED)
@given(n=st.one_of(st.integers(max_value=0), st.integers(min_value=10_000_001), st.floats(), st.text(), st.booleans()))
def test_toys_reject_a_bad_size(function, n):
    with pytest.raises((TypeError, ValueError), match="n: se esperaba un entero"):
        function(n)


@pytest.mark.parametrize("function", [data.circles, data.spirals, data.ages_and_salaries])
@given(noise=st.one_of(st.floats(max_value=0, exclude_max=True), st.floats(101), st.just(float("nan")), st.text()))
def test_toys_reject_a_bad_noise(function, noise):
    with pytest.raises((TypeError, ValueError), match="noise: se esperaba un número"):
        function(noise=noise)


@given(st.one_of(st.floats(max_value=0), st.floats(100, exclude_min=True), st.none(), st.text()))
def test_spirals_reject_bad_turns(turns):
    with pytest.raises((TypeError, ValueError), match="turns: se esperaba un número"):
        data.spirals(turns=turns)


@given(n=st.integers(2, 500), seed=st.integers(0, 1000))
def test_apples_and_oranges_leave_a_margin(n, seed):
    for x, y in (data.apples_and_oranges(n, seed), data.apples_and_oranges()):
        assert ((x[:, 1] - 0.5) * (2 * y - 1) >= 0.1 - 1e-12).all()
        assert (x[:, 0] >= 1.2).all()
        assert (x[:, 0] <= 1.8).all()
        assert (x[:, 1] >= 0).all()
        assert (x[:, 1] <= 1).all()


def test_circles_fill_disc_and_ring_evenly():
    x, y = data.circles(20_000)
    radius = np.hypot(*x.T)
    assert radius[y == 1].max() < 1
    assert radius[y == 0].min() >= 1.5
    assert radius[y == 0].max() < 2
    # Dentro de la mitad del radio cabe un cuarto del área del disco.
    assert (radius[y == 1] < 0.5).mean() == pytest.approx(0.25, abs=0.02)
    inner = (1.75**2 - 1.5**2) / (2**2 - 1.5**2)
    assert (radius[y == 0] < 1.75).mean() == pytest.approx(inner, abs=0.02)
    assert np.abs(x.mean(axis=0)).max() < 0.03


def test_noise_has_the_stated_deviation():
    for function in (data.circles, data.spirals):
        clean, noisy = function(20_000, noise=0.0)[0], function(20_000, noise=0.3)[0]
        assert (noisy - clean).std() == pytest.approx(0.3, rel=0.02)


def test_spirals_lie_on_their_arms():
    x, y = data.spirals(500, turns=2)
    t = (np.hypot(*x.T) - 0.2) / 1.8
    assert t.min() >= -1e-12
    assert t.max() < 1
    angle = 4 * np.pi * t + np.pi * y
    assert np.allclose(x, np.hypot(*x.T)[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]))


def test_eight_students_are_separable_and_many_follow_the_sigmoid():
    x, y = data.students()
    assert ((x.sum(axis=1) > 8) == (y == 1)).all()
    x, y = data.students(100_000)
    assert (x[:, 0] == x[:, 0].round()).all()
    assert x.min() >= 0
    assert x.max() <= 8
    total = x.sum(axis=1)
    for low in (6, 7, 8, 9):
        near = (total >= low) & (total < low + 1)
        assert y[near].mean() == pytest.approx(1 / (1 + np.exp(7.5 - low)), abs=0.03)


@pytest.mark.parametrize("seed", range(20))
def test_least_squares_recovers_the_line(seed):
    x, y = data.ages_and_salaries(seed=seed)
    assert x.shape == (30, 1)
    assert y.shape == (30,)
    assert x.min() >= 20
    assert x.max() <= 65
    slope, intercept = np.polyfit(x[:, 0], y, 1)
    assert slope == pytest.approx(0.036, abs=0.006)
    assert intercept == pytest.approx(4.51, abs=0.3)


def test_salaries_without_noise_are_the_line():
    x, y = data.ages_and_salaries(noise=0)
    assert np.allclose(y, 4.51 + 0.036 * x[:, 0])
