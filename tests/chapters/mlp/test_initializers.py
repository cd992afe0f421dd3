"""Los inicializadores: la forma, la varianza y las propiedades que prometen, y la misma semilla da lo mismo."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp import initializers
from chapters.mlp.initializers import (
    Constant,
    GlorotUniform,
    HeNormal,
    Identity,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    fans,
)

REFERENCE = json.loads((Path(__file__).resolve().parents[2] / "reference" / "mlp.json").read_text(encoding="utf-8"))
RANDOM = [c for c in initializers.CLASSES if "seed" in c().__dict__]
# La varianza que promete cada uno con n entradas y m salidas.
VARIANCE = {
    "glorot_uniform": lambda n, m: 2 / (n + m),
    "glorot_normal": lambda n, m: 2 / (n + m),
    "he_uniform": lambda n, m: 2 / n,
    "he_normal": lambda n, m: 2 / n,
    "lecun_uniform": lambda n, m: 1 / n,
    "lecun_normal": lambda n, m: 1 / n,
    "random_normal": lambda n, m: 0.05**2,
    "random_uniform": lambda n, m: 0.05**2 / 3,
    "orthogonal": lambda n, m: 1 / max(n, m),
}


@pytest.mark.parametrize("case", REFERENCE["fans"], ids=lambda c: str(c["shape"]))
def test_fans_are_those_of_keras(case):
    assert list(fans(case["shape"])) == case["fans"]


def test_fans_agree_with_keras_here_and_now():
    pytest.importorskip("keras")
    from tests.reference import oracle

    for shape in [(), (3,), (3, 4), (2, 3, 4), (5, 5, 3, 16), (2, 2, 2, 3, 4)]:
        assert fans(shape) == oracle.fans(shape)


@pytest.mark.parametrize("name", VARIANCE)
@pytest.mark.parametrize("shape", [(300, 200), (3, 3, 40, 60), (20, 3000)])
def test_the_variance_is_the_promised_one(name, shape):
    w = initializers.get(name)(shape, "float64", 1)
    n, m = fans(shape)
    rows = math.prod(shape[:-1])
    expected = VARIANCE[name](*((rows, m) if name == "orthogonal" else (n, m)))
    if name == "orthogonal":
        expected = 1 / max(rows, shape[-1])
    # El error típico de una varianza de N números de una normal es √(2/N).
    assert w.var() == pytest.approx(expected, rel=5 * math.sqrt(2 / w.size))
    assert abs(w.mean()) < 5 * math.sqrt(expected / w.size)


def test_the_distributions_agree_with_keras_here_and_now():
    keras = pytest.importorskip("keras")
    shape = (300, 400)
    for name in (*VARIANCE, "truncated_normal"):
        theirs = np.array(keras.initializers.get(name)(shape, dtype="float64"))
        mine = initializers.get(name)(shape, "float64", 0)
        assert mine.std() == pytest.approx(theirs.std(), rel=0.01)
        if name.endswith("uniform") or ("normal" in name and name != "random_normal"):
            assert np.abs(mine).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99), st.sampled_from([0.5, 1.0, 2.0]))
def test_an_orthogonal_matrix_keeps_lengths_and_angles(rows, columns, seed, gain):
    q = Orthogonal(gain)((rows, columns), "float64", seed)
    small = q.T @ q if rows >= columns else q @ q.T
    np.testing.assert_allclose(small, gain**2 * np.eye(min(rows, columns)), atol=1e-14)


def test_every_rotation_is_as_likely():
    # Sin arreglar los signos de QR, la primera entrada tendría casi siempre el mismo.
    generator = np.random.default_rng(0)
    first = np.array([Orthogonal()((3, 3), "float64", generator)[0, 0] for _ in range(2000)])
    assert abs(np.mean(first > 0) - 0.5) < 0.05
    # La entrada de una rotación uniforme en tres dimensiones es uniforme entre -1 y 1.
    assert abs(first.var() - 1 / 3) < 0.03


@pytest.mark.parametrize("cls", initializers.CLASSES)
@given(st.lists(st.integers(1, 5), min_size=2, max_size=2), st.integers(0, 99), st.sampled_from(["float32", "float64"]))
@settings(max_examples=15)
def test_shape_dtype_and_seed(cls, shape, seed, dtype):
    w = cls()(tuple(shape), dtype, seed)
    assert w.shape == tuple(shape)
    assert w.dtype == dtype
    assert w.flags.c_contiguous
    assert w.flags.writeable
    np.testing.assert_array_equal(w, cls()(shape, np.dtype(dtype), np.random.default_rng(seed)))
    assert np.isfinite(w).all()


@pytest.mark.parametrize("cls", RANDOM)
def test_randomness_comes_only_from_the_seed(cls):
    generator = np.random.default_rng(0)
    a, b = cls()((4, 4), seed=generator), cls()((4, 4), seed=generator)
    assert not np.array_equal(a, b)
    # La semilla propia manda, como en Keras.
    np.testing.assert_array_equal(cls(seed=7)((4, 4), seed=0), cls(seed=7)((4, 4), seed=1))
    np.testing.assert_array_equal(cls(seed=7)((4, 4)), cls()((4, 4), seed=7))
    # float32 y float64 son el mismo sorteo.
    np.testing.assert_array_equal(cls()((4, 4), "float64", 3).astype(np.float32), cls()((4, 4), "float32", 3))


def test_the_ones_without_chance():
    np.testing.assert_array_equal(Constant(2.5)((2, 1)), np.full((2, 1), 2.5))
    np.testing.assert_array_equal(Identity()((2, 2), "float64"), np.eye(2))
    assert abs(TruncatedNormal(1.0, 0.1)((100, 100), seed=0) - 1).max() <= 0.2 * (1 + 1e-6)
    w = RandomUniform(2, 3)((100, 100), seed=0)
    assert 2 <= w.min() <= w.max() <= 3


def test_signal_survives_ten_layers_only_with_the_right_variance():
    def survives(initializer, activation):
        generator = np.random.default_rng(1)
        x = generator.standard_normal((100, 400))
        for _ in range(10):
            x = activation(x @ initializer((400, 400), "float64", generator))
        return (x**2).mean()

    assert 0.3 < survives(HeNormal(), lambda z: np.maximum(z, 0)) < 3
    assert survives(GlorotUniform(), lambda z: np.maximum(z, 0)) < 0.003
    assert 0.3 < survives(GlorotUniform(), lambda z: z) < 3
    assert survives(RandomNormal(stddev=0.01), np.tanh) < 1e-10


def test_get():
    for cls in initializers.CLASSES:
        assert type(initializers.get(cls.__name__)) is cls
    for name in ("glorot_uniform", "he_normal", "zeros", "orthogonal", "truncated_normal", "variance_scaling"):
        assert initializers.get(name)((2, 2)).shape == (2, 2)
    assert repr(initializers.get("constant")) == "Constant(value=0.0)"
    for nonsense in ("glorot", None, 3, Constant):
        with pytest.raises(ValueError, match="initializer: se esperaba 'constant'"):
            initializers.get(nonsense)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: HeNormal()((3, 0)), ValueError, r"shape\[1\]: se esperaba un entero de al menos 1"),
        (lambda: HeNormal()((3, 2.0)), TypeError, r"shape\[1\]: se esperaba un entero"),
        (lambda: HeNormal()(3), TypeError, "shape: se esperaba una tupla"),
        (lambda: HeNormal()((2, 2), "int32"), ValueError, "dtype: se esperaba 'float32' o 'float64'"),
        (lambda: HeNormal()((2, 2), "cualquiera"), ValueError, "dtype: se esperaba 'float32' o 'float64'"),
        (lambda: HeNormal()((2, 2), seed=-1), ValueError, "seed"),
        (lambda: HeNormal(seed="uno")((2, 2)), TypeError, "seed: se esperaba un entero"),
        (lambda: Orthogonal()((3,)), ValueError, "al menos dos ejes"),
        (lambda: Identity()((2, 2, 2)), ValueError, "una matriz"),
        (lambda: Constant(np.nan), ValueError, "value: se esperaba un número finito"),
        (lambda: RandomNormal(stddev=-1), ValueError, "stddev: se esperaba un número de al menos 0"),
        (lambda: RandomUniform(1, 0), ValueError, "maxval: se esperaba un número de al menos 1"),
        (lambda: VarianceScaling(0), ValueError, "scale: se esperaba un número mayor que 0"),
        (lambda: VarianceScaling(mode="fan"), ValueError, "mode: se esperaba 'fan_in'"),
        (lambda: VarianceScaling(distribution="normal"), ValueError, "distribution: se esperaba"),
    ],
)
def test_bad_arguments_get_a_spanish_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()
