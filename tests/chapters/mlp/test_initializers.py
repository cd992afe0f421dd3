"""Los inicializadores: la forma, la varianza y las propiedades que prometen, y la misma semilla da lo mismo."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp import Dense, Input, Sequential, initializers
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

REFERENCE = json.loads(
    (Path(__file__).resolve().parents[2] / "reference" / "contract.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("shape", "expected"), REFERENCE["fans"])
def test_fans_are_those_of_keras(shape, expected):
    assert list(fans(shape)) == expected


def test_fans_agree_with_keras_here_and_now():
    pytest.importorskip("keras")
    from tests.reference import oracle

    for shape in [(), (3,), (3, 4), (2, 3, 4), (5, 5, 3, 16), (2, 2, 2, 3, 4)]:
        assert fans(shape) == oracle.fans(shape)


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
    for nonsense in ("glorot", None, 3, int):
        with pytest.raises(ValueError, match="initializer: se esperaba 'constant'"):
            initializers.get(nonsense)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Orthogonal()((3,)), ValueError, "al menos dos ejes"),
        (lambda: Identity()((2, 2, 2)), ValueError, "una matriz"),
        (lambda: Constant(np.nan), ValueError, "value: se esperaba un número finito"),
        (lambda: RandomNormal(stddev=-1), ValueError, "stddev: se esperaba un número de al menos 0"),
        (lambda: RandomUniform(1, 0), ValueError, "maxval: se esperaba un número de al menos 1"),
        (lambda: VarianceScaling(0), ValueError, "scale: se esperaba un número mayor que 0"),
        (lambda: VarianceScaling(mode="fan"), ValueError, "mode: se esperaba 'fan_in'"),
        (lambda: VarianceScaling(distribution="campana"), ValueError, "distribution: se esperaba"),
    ],
)
def test_bad_arguments_get_a_spanish_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_class_and_a_dictionary_of_keras_are_found_too():
    assert repr(initializers.get(HeNormal)) == "HeNormal(seed=None)"
    assert repr(initializers.get({"class_name": "he_normal", "config": {"seed": 3}})) == "HeNormal(seed=3)"
    assert initializers.OrthogonalInitializer is initializers.orthogonal is Orthogonal
    for nonsense in ({"class_name": "HeNormal"}, {"class_name": "He", "config": {}}):
        with pytest.raises(ValueError, match="initializer: se esperaba"):
            initializers.get(nonsense)
    with pytest.raises(ValueError, match="HeNormal: no se conoce su argumento 'otro'"):
        initializers.get({"class_name": "HeNormal", "config": {"otro": 1}})


def test_a_function_of_the_reader_fills_the_weights_and_cannot_be_saved(tmp_path):
    def halves(shape, dtype=None):
        return np.full(shape, 0.5, dtype)

    model = Sequential([Input((3,)), Dense(2, kernel_initializer=halves)], dtype="float64")
    np.testing.assert_array_equal(model.layers[0].kernel, np.full((3, 2), 0.5))
    with pytest.raises(TypeError, match="no se sabe guardar la función 'halves'"):
        model.save(tmp_path / "red.safetensors")
    # Lo que no da un peso así se rechaza al crearlo.
    for wrong, message in [
        (lambda shape, dtype=None: np.ones(7), "se esperaba la forma"),
        (len, "se esperaba una función"),
    ]:
        with pytest.raises((TypeError, ValueError), match=message):
            Dense(2, kernel_initializer=wrong).build((3,))
