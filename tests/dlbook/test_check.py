"""Nada sin comprobar llega al código compilado."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dlbook import check

ANYTHING = st.one_of(
    st.none(),
    st.text(max_size=5),
    st.complex_numbers(),
    st.lists(st.one_of(st.floats(), st.text(max_size=2), st.lists(st.floats(), max_size=3)), max_size=4),
    hnp.arrays(
        dtype=st.sampled_from(
            [np.float16, np.float32, np.float64, np.int8, np.bool_, np.complex64, object, "U2", "M8[s]"]
        ),
        shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    ),
)


@given(ANYTHING)
def test_floats_returns_finite_contiguous_reals_or_says_why_not(value):
    try:
        array = check.floats(value, "x", "n d")
    except (TypeError, ValueError) as error:
        assert str(error).startswith("x: se esperaba")
        return
    assert array.ndim == 2
    assert array.flags.c_contiguous
    assert array.dtype in (np.float32, np.float64)
    assert np.isfinite(array).all()
    assert array.size


@given(ANYTHING, st.integers(1, 4))
def test_labels_are_inside_the_set_or_an_error_says_why_not(value, classes):
    try:
        y = check.labels(value, "y", classes)
    except (TypeError, ValueError) as error:
        assert str(error).startswith("y: se esperaba")
        return
    assert y.dtype == np.int64
    assert y.min() >= 0
    assert y.max() < classes


@pytest.mark.parametrize("value", [np.zeros((2, 0)), [], np.zeros((0, 3))])
def test_empty_arrays_are_refused(value):
    with pytest.raises(ValueError, match=r"x: se esperaba"):
        check.floats(value, "x", "n d")


def test_a_shared_letter_ties_two_arguments():
    sizes = {}
    check.floats(np.zeros((4, 3)), "x", "n d", sizes)
    assert sizes == {"n": 4, "d": 3}
    with pytest.raises(ValueError, match=r"y: se esperaba la forma \(n=4\), pero llegó \(5,\)"):
        check.floats(np.zeros(5), "y", "n", sizes)


def test_leading_axes_are_free_after_the_dots():
    assert check.floats(np.zeros((2, 5, 3)), "x", "... 3").shape == (2, 5, 3)
    with pytest.raises(ValueError, match=r"x: se esperaba la forma \(…, 3\), pero llegó \(2, 4\)"):
        check.floats(np.zeros((2, 4)), "x", "... 3")


def test_views_and_other_types_are_made_contiguous_without_touching_the_original():
    x = np.arange(12.0).reshape(3, 4)
    view = check.floats(x[:, ::2], "x", "n d")
    assert view.flags.c_contiguous
    view += 1
    assert x[0, 0] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check.number("3", "eta"), "eta: se esperaba un número real, pero llegó '3'"),
        (lambda: check.number(float("nan"), "eta"), "eta: se esperaba un número finito, pero llegó nan"),
        (lambda: check.number(2, "p", 0, 1), "p: se esperaba un número de al menos 0 y de a lo sumo 1, pero llegó 2"),
        (
            lambda: check.number(1, "p", 0, 1, open_high=True),
            "p: se esperaba un número de al menos 0 y menor que 1, pero llegó 1",
        ),
        (lambda: check.integer(True, "n"), "n: se esperaba un entero, pero llegó True"),
        (lambda: check.integer(0, "n", 1), "n: se esperaba un entero de al menos 1, pero llegó 0"),
        (lambda: check.integer(9, "n", 1, 5), "n: se esperaba un entero entre 1 y 5, pero llegó 9"),
        (
            lambda: check.number(np.timedelta64(3), "eta"),
            "eta: se esperaba un número real, pero llegó np.timedelta64(3)",
        ),
        (lambda: check.generator(-1), "seed: se esperaba un entero de al menos 0, pero llegó -1"),
        (
            lambda: check.labels([0.5], "y", 2),
            "y: se esperaba un entero entre 0 y 1, pero hay un 0.5 en la posición (0,)",
        ),
    ],
)
def test_one_sentence_says_what_was_expected_and_what_came(call, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("value", [10**400, float("inf")])
def test_a_number_that_overflows_is_not_finite(value):
    with pytest.raises(ValueError, match="eta: se esperaba un número finito"):
        check.number(value, "eta")


def test_masked_values_are_not_silently_used():
    with pytest.raises(ValueError, match="x: se esperaba un arreglo completo"):
        check.floats(np.ma.masked_array([1.0, 2.0], mask=[False, True]), "x")


def test_a_long_double_that_does_not_fit_is_refused_without_warnings():
    with pytest.raises(ValueError, match="x: se esperaban números finitos"):
        check.floats(np.array([np.longdouble("1e4000")]), "x")


def test_a_time_span_is_not_a_number():
    with pytest.raises(TypeError, match="n: se esperaba un entero"):
        check.integer(np.timedelta64(3, "s"), "n")
    with pytest.raises(TypeError, match="eta: se esperaba un número real"):
        check.number(np.timedelta64(3, "s"), "eta")
