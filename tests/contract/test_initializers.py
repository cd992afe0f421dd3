"""El contrato de todo inicializador: la forma, el tipo, el azar y lo que promete."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp.initializers import fans
from tests.contract import cases

random = {"keep": lambda case: hasattr(case.make(), "seed")}


@cases.every("initializer")
@given(st.lists(st.integers(1, 5), min_size=2, max_size=2), st.integers(0, 99), st.sampled_from(["float32", "float64"]))
@settings(max_examples=15)
def test_shape_type_and_seed(case, shape, seed, dtype):
    w = case.make()(tuple(shape), dtype, seed)
    assert w.shape == tuple(shape)
    assert w.dtype == dtype
    assert w.flags.carray
    assert np.isfinite(w).all()
    np.testing.assert_array_equal(w, case.make()(shape, np.dtype(dtype), np.random.default_rng(seed)))
    # float32 y float64 son el mismo sorteo.
    np.testing.assert_array_equal(case.make()(shape, "float64", seed).astype(np.float32), case.make()(shape, seed=seed))


@cases.every("initializer")
@pytest.mark.parametrize("shape", [(300, 200), (20, 3000), (3, 3, 40, 60)], ids=str)
def test_mean_and_variance_are_the_promised_ones(case, shape):
    if case.name == "Identity" and len(shape) != 2:
        return
    f = case.make()
    w = f(shape, "float64", 1)
    # Ortogonal mira el peso como una matriz; los demás, los campos de Keras.
    n, m = (math.prod(shape[:-1]), shape[-1]) if case.name in ("Orthogonal", "Identity") else fans(shape)
    mean, variance = cases.MOMENTS[case.name](f, n, m)
    # El error típico de una media es √(σ²/N), y el de la varianza de una normal, σ²√(2/N).
    assert abs(w.mean() - mean) <= 5 * math.sqrt(variance / w.size) + 1e-12
    assert w.var() == pytest.approx(variance, rel=5 * math.sqrt(2 / w.size), abs=1e-12)


@cases.every("initializer", **random)
def test_randomness_comes_only_from_the_seed(case):
    generator = np.random.default_rng(0)
    a, b = (case.make()((4, 4), seed=generator) for _ in range(2))
    assert not np.array_equal(a, b)
    # La semilla propia manda, como en Keras.
    own = case.make(seed=7)
    np.testing.assert_array_equal(own((4, 4), seed=0), case.make(seed=7)((4, 4), seed=1))
    np.testing.assert_array_equal(own((4, 4)), case.make()((4, 4), seed=7))
    for again in (copy.deepcopy(own), pickle.loads(pickle.dumps(own))):
        np.testing.assert_array_equal(again((4, 4)), own((4, 4)))


@cases.every("initializer")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((3, 0),), r"shape\[1\]: se esperaba un entero de al menos 1"),
        (((3, -1),), r"shape\[1\]: se esperaba un entero de al menos 1"),
        (((3, 2.0),), r"shape\[1\]: se esperaba un entero"),
        ((("a", 2),), r"shape\[0\]: se esperaba un entero"),
        ((3,), "shape: se esperaba una tupla"),
        (("33",), "shape: se esperaba una tupla"),
        ((None,), "shape: se esperaba una tupla"),
        (((2, 2), "int32"), "dtype: se esperaba 'float32' o 'float64'"),
        (((2, 2), "otro"), "dtype: se esperaba 'float32' o 'float64'"),
        (((2, 2), "float32", -1), "seed: se esperaba un entero"),
        (((2, 2), "float32", "uno"), "seed: se esperaba un entero"),
    ],
    ids=str,
)
def test_bad_input_gets_a_spanish_sentence(case, arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        case.make()(*arguments)
