"""El contrato de toda activación: su pendiente, cualquier número, cualquier memoria y quien la usa mal."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chapters.mlp import activations
from tests.contract import cases
from tests.contract.measure import assert_gradients

shapes = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)
both_types = pytest.mark.parametrize("dtype", ["float32", "float64"])


def backward(f, z, dy):
    y, dz = np.empty_like(z), np.empty_like(z)
    f.forward(z, y)
    f.backward(z, y, dy, dz)
    return y, dz


@cases.every("activation")
@given(arrays(np.float64, shapes, elements=st.floats(-20, 20).filter(lambda z: abs(z) > 1e-3)), st.integers(0, 1000))
def test_the_gradient_is_the_measured_one(case, z, seed):
    f = case.make()
    assume(not any((abs(z - kink) < 1e-3).any() for kink in cases.KINKS.get(case.name, [])))
    dy = np.random.default_rng(seed).normal(size=z.shape)
    y, dz = backward(f, z, dy)
    np.testing.assert_array_equal(f(z), y)
    assert_gradients(lambda: (np.asarray(f(z)) * dy).sum(), {"z": z}, {"z": dz}, atol=1e-8)


@cases.every("activation")
@given(z=arrays(np.float64, st.integers(2, 5), elements=st.floats(-20, 20)))
def test_the_derivative_times_the_error_is_backward(case, z):
    f, dy = case.make(), np.arange(1.0, len(z) + 1)
    slope = f.derivative(z)
    # La de softmax es una matriz: cada salida depende de todas las entradas.
    expected = slope.T @ dy if slope.ndim > z.ndim else slope * dy
    np.testing.assert_allclose(backward(f, z, dy)[1], expected, rtol=1e-9, atol=1e-12)


# La exponencial de un número grande es infinita también en Keras.
@cases.every("activation", lambda case: case.name != "Exponential")
@both_types
@pytest.mark.filterwarnings("error")
def test_large_numbers_neither_overflow_nor_warn(case, dtype):
    f = case.make()
    z = np.array([-1e9, -1e4, -100, -20, -0.0, 0, 20, 100, 1e4, 1e9], dtype)
    y, dz = backward(f, z, np.ones_like(z))
    assert np.isfinite(y).all()
    assert np.isfinite(dz).all()
    assert y.dtype == dz.dtype == f(z).dtype == f.derivative(z).dtype == dtype


@cases.every("activation")
@given(z=arrays(np.float32, 12, elements=st.floats(-30, 30, width=32)))
def test_float32_is_float64_rounded(case, z):
    f, dy = case.make(), np.ones_like(z)
    for single, double in zip(backward(f, z, dy), backward(f, z.astype(float), dy.astype(float)), strict=True):
        np.testing.assert_allclose(single, double, rtol=2e-5, atol=3e-6)


@cases.every("activation")
def test_any_memory_will_do_and_nothing_is_modified(case):
    f, base = case.make(), np.random.default_rng(0).normal(size=(6, 8))
    views = base[::2, ::2], base.T, np.asfortranarray(base), base[0], base[:1], base.astype(np.float16), base.tolist()
    for z in views:
        before = np.array(z, copy=True)
        clean = np.ascontiguousarray(before, np.float32 if before.dtype == np.float16 else np.float64)
        np.testing.assert_array_equal(f(z), f(clean))
        np.testing.assert_array_equal(z, before)
    assert f([1, 2, 3]).dtype == np.float64
    base.setflags(write=False)
    assert f(base).flags.writeable
    for again in (copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
        np.testing.assert_array_equal(again(base), f(base))


@cases.every("activation")
@both_types
def test_the_result_may_be_written_over_what_comes_in(case, dtype):
    f = case.make()
    z, dy = np.random.default_rng(0).normal(size=(2, 3, 4)).astype(dtype)
    y, dz = backward(f, z, dy)
    over = dy.copy()
    f.backward(z, y, over, over)
    np.testing.assert_array_equal(over, dz)
    over = z.copy()
    f.forward(over, over)
    np.testing.assert_array_equal(over, y)


@cases.every("activation", lambda case: "Softmax" not in case.name)
def test_a_number_gives_a_number(case):
    f = case.make()
    assert np.ndim(f(0.5)) == np.ndim(f.derivative(0.5)) == 0
    assert float(f(0.5)) == f([0.5])[0]


@cases.every("activation", lambda case: case.name != "Step")
@both_types
def test_a_nan_shows_instead_of_hiding(case, dtype):
    # Las capas no comprobaron los valores: si la red se rompe, que la pérdida lo diga.
    z = np.array([1, np.nan, -1], dtype)
    y, dz = backward(case.make(), z, np.full_like(z, np.nan))
    assert np.isnan(y[1])
    assert np.isnan(dz[1])


@cases.every("activation")
def test_it_is_found_by_its_name(case):
    if not case.arguments and case.name in [type(f).__name__ for f in activations.NAMES.values()]:
        found = activations.get(case.cls.name)
        assert type(found) is case.cls or (found is None and case.name == "Linear")
    f = case.make()
    assert activations.get(f) is f or case.name == "Linear"


@cases.every("activation")
@pytest.mark.parametrize("method", ["__call__", "derivative"])
@pytest.mark.parametrize(
    ("z", "message"),
    [
        ([], "al menos un elemento"),
        (np.zeros((3, 0)), "al menos un elemento"),
        ([1, np.nan], "números finitos"),
        ([1, np.inf], "números finitos"),
        ("hola", "números reales"),
        ([1j], "números reales"),
        ([[1], [1, 2]], "distinto largo"),
        (None, "números reales"),
    ],
    ids=str,
)
def test_bad_input_gets_a_spanish_sentence(case, method, z, message):
    with pytest.raises((TypeError, ValueError), match=message):
        getattr(case.make(), method)(z)
