"""Lo que no tiene sentido se rechaza con un error en español, y nunca llega al código compilado."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import chapters.perceptron as perceptron

ARRAYS = hnp.arrays(
    dtype=st.sampled_from([np.float64, np.float32, np.int64, bool, complex, object, "U3", "M8[s]", np.float16]),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
)
NONSENSE = st.one_of(
    ARRAYS,
    st.none(),
    st.text(max_size=3),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.complex_numbers(),
    st.booleans(),
    st.lists(st.one_of(st.floats(), st.integers(-3, 3), st.none(), st.text(max_size=1)), max_size=4),
    st.lists(st.lists(st.floats(-2, 2), max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=1), st.integers(), max_size=2),
    st.sets(st.integers(), max_size=2),
    st.binary(max_size=2),
    st.just(object()),
    st.fractions(),
    st.decimals(),
    st.just(10**400),
    st.just(np.nan),
    st.just([np.inf, 1.0]),
    st.just([1e308, 1e308]),
    st.just([-5e-324, 1.0]),
    st.sampled_from(["and", "not", "sigmoid", "linear"]),
)
VALID = {
    "binary_inputs": (3,),
    "cosine_similarity": ([1.0, 2.0], [0.5, -1.0]),
    "dot_product": ([1.0, 2.0], [0.5, -1.0]),
    "euclidean_distance": ([1.0, 2.0], [0.5, -1.0]),
    "firing_rate": ([3.0, 2.0], -2.0),
    "gate": ("and", [[0, 1], [1, 1]]),
    "gate_weights": ("nand", 2),
    "matrix_product": ([[1.0, 2.0]], [[0.5], [-1.0]]),
    "mcculloch_pitts": ([[0, 1], [1, 1]], [[0], [1]], 1),
    "neuron": ([[1.0, 2.0]], [0.5, -1.0], 0.5, "sigmoid"),
    "sigmoid": ([-1.0, 1.0],),
    "signed_distance": ([[1.0, 2.0]], [0.5, -1.0], 0.5),
    "step": ([-1.0, 1.0],),
    "threshold_unit": ([[1.0, 2.0]], [0.5, -1.0], 0.5),
    "weighted_sum": ([[1.0, 2.0]], [0.5, -1.0], 0.5),
}
ENGLISH = ("expected", "invalid", "must be", "cannot", "not supported", "could not", "broadcast", "unsupported")


@pytest.mark.parametrize("name", VALID)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nonsense_is_rejected_in_spanish_or_answered_with_finite_numbers(name, data):
    # Se estropea un argumento, o varios; los demás son buenos, para que la revisión tenga que llegar a todos.
    arguments = list(VALID[name])
    for k in data.draw(st.sets(st.integers(0, len(arguments) - 1), min_size=1)):
        arguments[k] = data.draw(NONSENSE)
    try:
        result = getattr(perceptron, name)(*arguments)
    except (ValueError, TypeError) as error:
        assert "se esperaba" in str(error)
        assert not any(word in str(error) for word in ENGLISH)
    else:
        parts = result if isinstance(result, tuple) else (result,)
        assert all(np.isfinite(np.asarray(part, float)).all() for part in parts)


@pytest.mark.parametrize("name", VALID)
def test_the_valid_call_is_valid(name):
    getattr(perceptron, name)(*VALID[name])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.weighted_sum([[1, 2]], [[1, 2]]), "w: se esperaba la forma (d=2), pero llegó (1, 2)"),
        (lambda p: p.weighted_sum([1e308, 1e308], [1, 1]), "suma ponderada: se esperaban números finitos"),
        (lambda p: p.step([]), "z: se esperaba al menos un elemento"),
        (lambda p: p.sigmoid([0, np.nan]), "z: se esperaban números finitos, pero hay un nan"),
        (lambda p: p.neuron([1, 2], [1, 2], "0"), "b: se esperaba un número real, pero llegó '0'"),
        (lambda p: p.mcculloch_pitts([0, 2], None, 1), "excitatory: se esperaba un entero entre 0 y 1"),
        (lambda p: p.mcculloch_pitts([0, 1], None, 1.5), "threshold: se esperaba un entero, pero llegó 1.5"),
        (lambda p: p.mcculloch_pitts([0, 1], None, -1), "threshold: se esperaba un entero de al menos 0"),
        (lambda p: p.mcculloch_pitts(None, None, 1), "se esperaba al menos una entrada"),
        (lambda p: p.gate("and", [0.5, 1]), "x: se esperaba un entero entre 0 y 1"),
        (lambda p: p.firing_rate(np.ones(30), 0), "w: se esperaban a lo sumo 20 pesos, pero llegaron 30"),
        (lambda p: p.matrix_product([1, 2], [[1], [2]]), "a: se esperaba la forma (m, p), pero llegó (2,)"),
        (lambda p: p.cosine_similarity([0, 0], [1, 2]), "x: se esperaba un vector distinto de cero"),
        (lambda p: p.euclidean_distance([1e308], [-1e308]), "distancia: se esperaban números finitos"),
    ],
)
def test_messages_say_what_was_expected_and_what_came(call, message):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(perceptron)
    assert message in str(caught.value)


def test_a_threshold_that_nothing_reaches_is_not_an_error():
    assert perceptron.mcculloch_pitts([1, 1], None, 10**30) == 0


def test_importing_the_chapter_loads_no_plotting_nor_scikit_learn():
    code = (
        "import sys, chapters.perceptron; print([m for m in ('matplotlib', 'sklearn', 'requests') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
