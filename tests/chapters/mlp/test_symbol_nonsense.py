"""Lo que no se puede pedir a un valor simbólico, o con él, se dice en español; lo que sí, se apunta."""

import re

import numpy as np
import pytest

from chapters.keras.layers import concatenate
from chapters.mlp import Adam, Dense, Dropout, Input, Lambda, Model, ops


@pytest.mark.parametrize("ask", [bool, float, int, len, list, np.sum, np.linalg.norm, lambda x: np.add.reduce(x)])
def test_it_has_no_numbers_to_ask_for(ask):
    with pytest.raises(TypeError, match="es un valor simbólico y todavía no tiene números"):
        ask(Input((4,)))


def test_an_array_and_a_symbol_operate_in_either_order():
    entry, x, other = Input((4,)), np.ones((1, 4)), np.arange(4.0, dtype="float32")
    for make in (lambda e: other - e, lambda e: np.subtract(other, e), lambda e: -(e - other)):
        np.testing.assert_array_equal(Model(entry, make(entry)).predict(x, verbose=0), (other - 1)[None])


@pytest.mark.parametrize("where", [5, (slice(None), 9), (slice(None), "a")])
def test_an_index_that_does_not_fit_is_refused(where):
    with pytest.raises(IndexError, match=re.escape(f"se esperaban índices que quepan en su forma, pero llegó {where}")):
        Input((4,))[where]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: ops.concatenate([Input((4,)), np.ones((7, 3))]), r"pero llegaron \[\(2, 4\), \(7, 3\)\]"),
        (lambda: concatenate([]), "x: se esperaba una lista de varias entradas, pero llegó 0"),
        (lambda: Lambda(lambda x: None)(Input((4,))), "se esperaba un tensor .* ¿falta el return"),
        (lambda: Adam().apply_gradients([]), "se esperaba al menos un gradiente"),
        (lambda: Adam().apply_gradients(3), "se esperaban pares de gradiente y peso, pero llegó 3"),
        (
            lambda: ops.sparse_categorical_crossentropy([0, 5], np.full((2, 3), 1 / 3)),
            "se esperaban clases de 0 a 2, pero llegaron de 0 a 5",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(ask, said):
    with pytest.raises((TypeError, ValueError), match=said):
        ask()


def test_a_batch_given_as_if_it_were_the_data_is_refused():
    entry = Input((4,))
    model = Model(entry, Dense(1)(entry))
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match="x: se esperaba un arreglo, pero llegó un tuple de varias formas"):
        model.fit([(np.ones((8, 4)), np.ones((8, 1)))], verbose=0)


def test_an_output_without_observations_is_refused():
    entry = Input((4,))
    with pytest.raises(ValueError, match=r"se esperaba una salida de float32 y forma \(3,\).* pero salió"):
        Model(entry, ops.sum(entry)).predict(np.ones((3, 4)), verbose=0)


def test_a_training_of_none_leaves_it_to_the_model():
    entry, x = Input((50,)), np.ones((2, 50))
    model = Model(entry, Dropout(0.5, seed=0)(entry, training=None))
    assert (model(x, training=True) == 0).any()
    assert (model(x) == 1).all()


@pytest.mark.parametrize("given", [np.ones((2, 4)), "no"])
@pytest.mark.parametrize("x", [np.ones((2, 4)), Input((4,))])
def test_what_is_not_yes_or_no_does_not_say_whether_to_train(x, given):
    for call in (lambda: Dense(3)(x, given), lambda: Dropout(0.5)(x, training=given)):
        with pytest.raises(TypeError, match="training: se esperaba True, False o None, pero llegó un"):
            call()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Dense(3)(), "dense: se esperaba una entrada, un arreglo o un valor simbólico, pero no llegó nada"),
        (lambda: Model(x := Input((4,)), Dense(2)(x))(), "se esperaba una entrada"),
        (lambda: Dense(3)(np.ones((2, 4)), foo=1), "dense: el libro no tiene el argumento 'foo'; tiene x, training"),
        (lambda: Dense(3)(Input((4,)), foo=1), "dense: el libro no tiene el argumento 'foo'"),
        (lambda: Dense(3)(np.ones((2, 4)), mask=np.ones(2)), "el libro no tiene el argumento 'mask'"),
        (lambda: Model(np.ones((50, 4)), Input((4,))), r"pero llegó un ndarray de float64 y forma \(50, 4\)"),
    ],
)
def test_a_call_that_does_not_fit_is_said(call, said):
    with pytest.raises(TypeError, match=said):
        call()
