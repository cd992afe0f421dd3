"""El contrato de toda restricción: los pesos quedan donde se permite, y quien la usa mal."""

import numpy as np
import pytest

from chapters.mlp import Dense, Input, Sequential, constraints, load_model
from tests.contract import cases
from tests.contract.measure import sample


@cases.every("constraint")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_gives_new_weights_and_what_is_allowed_stays(case, dtype):
    constraint, w = case.make(), 2 * sample((3, 4), 1, dtype=dtype)[0]
    before = w.copy()
    allowed = constraint(w)
    np.testing.assert_array_equal(w, before)
    assert allowed.dtype == dtype
    assert allowed.shape == w.shape
    for _ in range(100):
        allowed = constraint(allowed)
    np.testing.assert_allclose(constraint(allowed), allowed, rtol=1e-5)
    assert np.isfinite(constraint(np.zeros_like(w))).all()
    assert np.isfinite(constraint(np.full_like(w, 1e30))).all()


@cases.every("constraint")
def test_the_weights_of_a_model_obey_after_every_step(case):
    # Sobre los ejes de una matriz; al sesgo no se le pide nada.
    constraint = case.make()
    model = Sequential([Input((3,)), Dense(4, kernel_constraint=constraint), Dense(1)], dtype="float64", seed=0)
    free = Sequential([Input((3,)), Dense(4), Dense(1)], dtype="float64", seed=0)
    x, y = sample((3,), 8), 5 * sample((1,), 8)
    for net in (model, free):
        net.compile("sgd", "mse")
        net.fit(x, y, batch_size=8, epochs=1, verbose=0)
    # El primer paso es el mismo; después se retoca.
    np.testing.assert_allclose(model.layers[0].kernel, constraint(free.layers[0].kernel), rtol=1e-12)
    np.testing.assert_allclose(model.layers[1].kernel, free.layers[1].kernel, rtol=1e-12)
    assert np.shares_memory(model.layers[0].kernel, model.theta)


@cases.every("constraint")
def test_it_travels_with_the_model(case, tmp_path):
    model = Sequential([Input((3,)), Dense(4, kernel_constraint=case.make())], seed=0)
    model.compile("sgd", "mse")
    model.save(tmp_path / "red.safetensors")
    again = load_model(tmp_path / "red.safetensors")
    assert repr(again.layers[0].kernel_constraint) == repr(case.make())
    assert again.constrained


@cases.every("constraint")
def test_it_is_found_by_its_name_and_by_its_class(case):
    name = next(name for name, cls in constraints.NAMES.items() if cls is case.cls)
    for one in (name, case.name, case.cls):
        assert repr(constraints.get(one)) == repr(case.cls())


@cases.every("constraint")
@pytest.mark.parametrize("w", ["x", None, [np.nan], [], [[1.0], [1.0, 2.0]], [1j]], ids=str)
def test_bad_weights_get_a_spanish_sentence(case, w):
    with pytest.raises((TypeError, ValueError), match="w: "):
        case.make()(w)
