"""Nada sin comprobar llega al código compilado."""

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chapters.mlp import Dense, Dropout, Sequential
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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((np.int8(100), np.uint8(200)), (100, 200)),
        ([28, 28], (28, 28)),
        (np.array([3, 4], np.int8), (3, 4)),
        ((), ()),
    ],
)
def test_a_shape_is_a_tuple_of_python_integers(value, expected):
    shape = check.shape(value, "shape")
    assert shape == expected
    assert all(type(size) is int for size in shape)


@pytest.mark.parametrize(
    "value", [5, None, "33", {3, 4}, {3: 4}, np.array(3), np.zeros((2, 2), int), range(3), iter([3])]
)
def test_a_shape_that_is_no_tuple_is_refused(value):
    with pytest.raises(TypeError, match="shape: se esperaba una tupla de enteros, pero llegó"):
        check.shape(value, "shape")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((2**64,), "quepa en un arreglo"),
        ((2**40, 2**40), "quepa en un arreglo"),
        ((10**400, 3), "quepa en un arreglo"),
        ((3, 0), r"shape\[1\]: se esperaba un entero de al menos 1"),
        ((3, None), r"shape\[1\]: se esperaba un entero, pero llegó None"),
        ((3, 2.0), r"shape\[1\]: se esperaba un entero"),
        ((True,), r"shape\[0\]: se esperaba un entero"),
        (([3], [3, 4]), r"shape\[0\]: se esperaba un entero"),
    ],
)
def test_a_shape_with_a_size_that_cannot_be_is_refused(value, message):
    with pytest.raises((TypeError, ValueError), match=message):
        check.shape(value, "shape")


def test_a_size_may_be_unknown_where_it_is_allowed():
    assert check.shape((None, np.int8(3)), "shape", unknown=True) == (None, 3)


def test_memory_is_counted_before_it_is_asked_for():
    check.memory(2**20, "kernel")
    for numbers in (2**60, 10**400):
        with pytest.raises(ValueError, match=r"kernel: harían falta .* GB de memoria, y esta máquina tiene"):
            check.memory(numbers, "kernel")


def test_a_machine_that_does_not_say_how_much_memory_it_has_is_asked_for_it(monkeypatch):
    monkeypatch.delattr(check.os, "sysconf")
    monkeypatch.setattr(check, "total_memory", check.total_memory.__wrapped__)
    check.memory(2**60, "kernel")
    with pytest.raises(ValueError, match="kernel"):
        check.memory(2**63, "kernel")


@pytest.mark.parametrize("value", [True, False, np.True_])
def test_a_boolean_is_not_a_number(value):
    with pytest.raises(TypeError, match="momentum: se esperaba un número real"):
        check.number(value, "momentum")


@pytest.mark.parametrize(("value", "expected"), [(True, True), (np.False_, False), (1, True), (np.int8(0), False)])
def test_a_boolean_may_come_from_numpy_or_be_zero_or_one(value, expected):
    assert check.boolean(value, "shuffle") is expected


@pytest.mark.parametrize("value", ["no", None, 2, 1.0, [], np.array([True])])
def test_what_is_no_boolean_is_refused(value):
    with pytest.raises(ValueError, match="shuffle: se esperaba True o False"):
        check.boolean(value, "shuffle")


@pytest.mark.parametrize("value", [None, "red", [1], 3, np.zeros(3), [np.zeros((2, 2)), np.zeros((2, 3))]])
def test_what_is_no_layer_or_no_model_is_refused(value):
    with pytest.raises(TypeError, match="layer: se esperaba una capa, pero llegó"):
        check.layer(value, "layer")
    with pytest.raises(TypeError, match="model: se esperaba un modelo, pero llegó"):
        check.model(value)


def test_a_layer_is_no_model_but_a_model_is_a_layer():
    dense, model = Dense(3), Sequential([Dense(3)])
    assert check.layer(dense, "layer") is dense
    assert check.layer(model, "layer") is check.model(model)
    with pytest.raises(TypeError, match="se esperaba un modelo, pero llegó <Dense 'dense'>"):
        check.model(dense)


@pytest.mark.parametrize(
    ("value", "said"), [({}, "un diccionario"), ({1: 2}, "un diccionario"), ({1, 2}, "un conjunto"), (b"x", "b'x'")]
)
def test_what_is_no_array_is_not_called_one(value, said):
    for call in (check.floats, check.number, check.integer, check.boolean, check.shape):
        with pytest.raises((TypeError, ValueError), match=rf"x: se esperaba.* pero llegó {said}$"):
            call(value, "x")


@pytest.mark.parametrize("value", [None, 3, "ab", b"ab", {1: 2}, {1, 2}, np.float64(1), np.array(1.0), len])
def test_what_has_no_order_is_no_list(value):
    with pytest.raises(TypeError, match="x: se esperaba una lista, pero llegó"):
        check.sequence(value, "x")


def test_a_list_may_come_from_anything_that_goes_in_order():
    assert check.sequence(zip("ab", strict=True), "x") == [("a",), ("b",)]
    assert check.sequence([], "x", empty=True) == []
    with pytest.raises(ValueError, match="al menos un elemento"):
        check.sequence((), "x")
    with pytest.raises(ValueError, match="se esperaban 2 elementos, pero llegaron 1"):
        check.sequence([1], "x", 2)


def test_a_program_with_its_seed_fixed_gives_the_same_numbers_twice():
    def program():
        x, y = np.random.rand(20, 3), np.random.rand(20, 1)  # noqa: NPY002 (Keras también los siembra)
        model = Sequential([Dense(4, "tanh"), Dropout(0.5), Dense(1)])
        model.compile("sgd", "mse")
        model.fit(x, y, batch_size=4, verbose=0)
        return [random.random(), check.generator(None).random(), *model.theta.tolist()]

    try:
        check.set_random_seed(3)
        first, again = program(), program()
        check.set_random_seed(3)
        assert program() == first != again
        # Quien trae su semilla no gasta la de todos.
        check.set_random_seed(3)
        Dense(4, seed=1).build((3,))
        assert program() == first
    finally:
        check._seeds.clear()
    assert check.generator(None).random() != check.generator(None).random()


def test_many_threads_take_different_seeds():
    check.set_random_seed(0)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: check.generator(None).random(), range(200)))
        assert len(set(found)) == 200
    finally:
        check._seeds.clear()


@pytest.mark.parametrize("seed", [-1, 2**32, 0.5, None, True, "a"])
def test_a_seed_for_everything_is_an_integer_of_32_bits(seed):
    with pytest.raises((TypeError, ValueError), match="seed: se esperaba un entero"):
        check.set_random_seed(seed)


@pytest.mark.parametrize("value", [[1e19], [-1e300], np.array([2**63], np.uint64), np.array([7, 2**64 - 1], np.uint64)])
def test_an_integer_that_does_not_fit_is_refused(value):
    with pytest.raises(ValueError, match=r"^x: se esperaban enteros menores que 2\*\*63, pero hay uno de "):
        check.whole(value, "x")


def test_every_integer_that_fits_is_kept():
    for value in ([2**62, -(2**62)], np.array([2**63 - 1], np.uint64), np.array([255], np.uint8), [True], [[3.0]]):
        assert check.whole(value, "x").tolist() == np.asarray(value).astype(object).tolist()
