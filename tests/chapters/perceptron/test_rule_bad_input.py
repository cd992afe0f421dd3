"""Entradas sin sentido: de cada función pública solo sale un ValueError o un TypeError, en español."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.perceptron.convergence import mistake_bound
from chapters.perceptron.rosenblatt import Perceptron, perceptron_rule
from chapters.perceptron.separability import is_separable, search_weights
from chapters.perceptron.speed import one_vs_rest
from chapters.perceptron.threshold_curve import threshold_curve

X, Y, W = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 1]), np.array([2.0, 2.0])
FITTED = Perceptron().fit(X, Y)
# Cada función, con argumentos buenos que se irán cambiando por malos de uno en uno.
CALLS = {
    "perceptron_rule": (perceptron_rule, [X, Y, W, -1.0, 1.0]),
    "Perceptron": (Perceptron, [1.0, 10, False, 0]),
    "fit": (Perceptron().fit, [X, Y]),
    "decision_function": (FITTED.decision_function, [X]),
    "predict": (FITTED.predict, [X]),
    "score": (FITTED.score, [X, Y]),
    "mistake_bound": (mistake_bound, [X, Y, W, -1.0]),
    "is_separable": (is_separable, [X, Y]),
    "search_weights": (search_weights, [X, Y, np.arange(-2, 3)]),
    "threshold_curve": (threshold_curve, [Y, Y / 2]),
    "one_vs_rest": (one_vs_rest, [X, Y, 2, 3, "numba"]),
}
NONSENSE = [
    None,
    "texto",
    b"bytes",
    "",
    1j,
    {},
    {1, 2},
    object(),
    len,
    np.nan,
    np.inf,
    -np.inf,
    -1,
    0,
    2,
    7,
    10**400,
    -(10**400),
    1e308,
    True,
    np.int8(-3),
    np.array([]),
    np.empty((0, 2)),
    np.empty((4, 0)),
    np.array(3.0),
    np.zeros(4),
    np.zeros(5),
    np.zeros((4, 3)),
    np.zeros((3, 2)),
    np.zeros((2, 4)),
    np.zeros((4, 2, 1)),
    np.full((4, 2), np.nan),
    np.full((4, 2), np.inf),
    np.full((4, 2), 1e200),
    np.full((4, 2), 1e308),
    np.array([1e308, -1e308]),
    np.array([0, 1, 2, 1]),
    np.array([0, 1, -1, 1]),
    np.array([0, 1, 0.5, 1]),
    np.array([0, 1, np.nan, 1]),
    np.array([0, 1, 2**40, 1]),
    np.array(["0", "1", "1", "1"]),
    np.array([0, 1, 1, 1], object),
    np.array([0, 1, 1, 1], complex),
    X.astype(object),
    X.astype(complex),
    X.astype(str),
    X.astype("M8[s]"),
    np.zeros(4, [("a", float)]),
    [[0, 0], [0, 1], [1], [1, 1]],
    [[0, None]] * 4,
    [],
    [[]],
    "threads",
    -0.5,
    2.5,
]
LIMIT = "Exceeds the limit"


def survives(call, arguments):
    try:
        call(*arguments)
    except (ValueError, TypeError) as error:
        text = str(error)
        assert LIMIT not in text
        assert any(word in text for word in ("esper", "lleg", "valores y", "divídelos", "lado correcto")), text
        assert "numba" not in text.lower() or "rung" in text


@pytest.mark.parametrize("name", CALLS)
def test_one_wrong_argument(name):
    call, good = CALLS[name]
    call(*good)
    for position in range(len(good)):
        for bad in NONSENSE:
            survives(call, [*good[:position], bad, *good[position + 1 :]])


@pytest.mark.parametrize("name", CALLS)
@given(data=st.data())
def test_several_wrong_arguments(name, data):
    call, good = CALLS[name]
    survives(call, [data.draw(st.one_of(st.just(value), st.sampled_from(NONSENSE))) for value in good])


@pytest.mark.parametrize("y", [[0, 1, 2, 1], [-1, 1, 1, 1], [0, 0.5, 1, 1], [0, np.nan, 1, 1]])
def test_labels_outside_zero_and_one_are_refused(y):
    for call, arguments in (
        (perceptron_rule, [X, y, W, 0.0]),
        (Perceptron().fit, [X, y]),
        (FITTED.score, [X, y]),
        (mistake_bound, [X, y, W, -1.0]),
        (is_separable, [X, y]),
        (search_weights, [X, y, [0, 1]]),
        (threshold_curve, [y, X[:, 0]]),
    ):
        with pytest.raises(ValueError, match="y: se esperaba"):
            call(*arguments)


def test_predicting_before_training_says_what_to_do():
    for call in (Perceptron().predict, Perceptron().decision_function):
        with pytest.raises(ValueError, match="llama primero a fit"):
            call(X)


def test_data_that_would_overflow_is_refused_before_it_does():
    for call, arguments in ((perceptron_rule, [X * 1e200, Y, W, 0.0]), (Perceptron().fit, [X * 1e200, Y])):
        with pytest.raises(ValueError, match="desbordarse"):
            call(*arguments)


def test_weights_set_by_hand_are_checked_too():
    model = Perceptron().fit(X, Y)
    model.w = np.zeros(3)
    with pytest.raises(ValueError, match="forma"):
        model.predict(X)


@pytest.mark.parametrize("seed", [-1, 1.5, "a", [1]])
def test_seeds_that_are_not_seeds_are_refused(seed):
    with pytest.raises((TypeError, ValueError), match="seed"):
        Perceptron(shuffle=True, seed=seed)
