"""A las funciones de la introducción se les da de todo: contestan bien o explican en español qué esperaban."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import chapters.introduction as introduction

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.lists(st.one_of(st.integers(-3, 3), st.text(max_size=2), st.none()), max_size=4),
    st.dictionaries(st.integers(), st.integers(), max_size=2),
    st.sets(st.integers(), max_size=2),
    st.just([[1.0, 2.0], [3.0]]),
    st.just(object()),
    st.fractions(),
    st.decimals(),
    st.just(10**400),
    st.just([1e308, -1e308]),
    arrays(float, array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3), elements=st.floats()),
    arrays(np.int64, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)),
    arrays(object, 2, elements=st.none()),
)
VALID = {
    "activity_from_speed": (3.0,),
    "count_parameters": ([2, 3, 1],),
    "depth": (["relu"],),
    "grid_cells": (3, 2),
    "hand_features": (np.zeros((1, 8, 8)),),
    "historical_layers": ("LeNet-5",),
    "layer_parameters": (3, 2, 1),
    "nearest_mean": ([[1.0], [2.0]], [0, 1], [[1.2]]),
    "pca": ([[1.0, 2.0], [3.0, 5.0]], 1),
    "sawtooth": ([0.5], 2),
    "shell_fraction": (3, 0.1),
}


def test_every_public_function_is_in_the_list():
    assert sorted(VALID) == sorted(introduction.__all__)


@pytest.mark.parametrize("name", sorted(VALID))
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_junk_gets_an_answer_or_a_clear_error(name, draw):
    arguments = list(VALID[name])
    # Unas veces todo es basura; otras, un solo argumento entre otros buenos.
    spoiled = draw.draw(st.sets(st.integers(0, len(arguments) - 1), min_size=1))
    for i in spoiled:
        arguments[i] = draw.draw(junk)
    try:
        getattr(introduction, name)(*arguments)
    except (TypeError, ValueError) as error:
        assert "se esperaba" in str(error)
        assert len(str(error)) < 600


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f: f.activity_from_speed("rápido"), "speed: se esperaba un número real"),
        (lambda f: f.activity_from_speed(float("nan")), "speed: se esperaba un número finito"),
        (lambda f: f.count_parameters("784"), "sizes: se esperaba una lista de enteros"),
        (lambda f: f.count_parameters([3, 2.5]), r"sizes\[1\]: se esperaba un entero"),
        (lambda f: f.count_parameters([3, 0]), r"sizes\[1\]: se esperaba un entero de al menos 1"),
        (lambda f: f.depth("relu"), "activations: se esperaba una lista de nombres"),
        (lambda f: f.depth([None]), r"activations\[0\]: se esperaba 'linear'"),
        (lambda f: f.grid_cells(3, 0), "per_axis: se esperaba un entero"),
        (lambda f: f.grid_cells(True), "dimension: se esperaba un entero"),
        (lambda f: f.shell_fraction(3, 1.5), "thickness: se esperaba un número"),
        (lambda f: f.layer_parameters(3, 2, -1), "own: se esperaba un entero de al menos 0"),
        (lambda f: f.sawtooth([0.5], 53), "layers: se esperaba un entero entre 1 y 52"),
        (lambda f: f.sawtooth([-0.1], 3), "x: se esperaban números entre 0 y 1, pero hay un -0.1"),
        (lambda f: f.sawtooth([], 3), "x: se esperaba al menos un elemento"),
        (lambda f: f.pca([1.0, 2.0], 1), r"x: se esperaba la forma \(n, d\)"),
        (lambda f: f.pca([[1e200, 0.0], [0.0, 1.0]], 1), "x: se esperaban números de magnitud hasta 1e150"),
        (lambda f: f.nearest_mean([[1.0]], [0.5], [[1.0]]), "y_train: se esperaba un entero entre 0"),
        (lambda f: f.nearest_mean([[1.0]], [-1], [[1.0]]), "y_train: se esperaba un entero entre 0"),
        (lambda f: f.nearest_mean([[1.0]], [0, 1], [[1.0]]), r"y_train: se esperaba la forma \(n=1\)"),
        (lambda f: f.hand_features(np.zeros((1, 3, 8))), "images: se esperaban al menos 4 filas"),
        (lambda f: f.hand_features(np.full((1, 8, 8), 16)), "images: se esperaba tinta entre 0 y 1"),
        (lambda f: f.historical_layers(5), "name: se esperaba 'LeNet-5'"),
    ],
)
def test_the_message_says_what_was_expected(call, message):
    with pytest.raises((TypeError, ValueError), match=f"^{message}"):
        call(introduction)
