"""El contrato de toda penalización: su valor, su gradiente y quien la usa mal."""

import numpy as np
import pytest

from chapters.mlp import Dense, Input, Sequential
from tests.contract import cases
from tests.contract.measure import assert_gradients, sample


def one_by_one(case):
    """Si cobra por cada peso, y no por una matriz entera."""
    return case.name != "OrthogonalRegularizer"


@cases.every("regularizer")
@pytest.mark.parametrize("shape", [(4,), (2, 3), (1, 2, 3, 2)], ids=str)
def test_the_gradient_is_the_measured_one_and_is_added(case, shape):
    if len(shape) != 2 and not one_by_one(case):
        with pytest.raises(ValueError, match="w: se esperaba una matriz"):
            case.make()(np.ones(shape))
        return
    regularizer, w = case.make(), sample(shape, 1)[0]
    slope = regularizer.gradient(w)
    assert slope.shape == w.shape
    assert_gradients(lambda: regularizer(w), {"w": w}, {"w": slope})
    added = np.ones_like(w)
    regularizer.add_gradient(w, added)
    np.testing.assert_allclose(added, 1 + slope, rtol=1e-15)
    assert regularizer.value(w) == regularizer(w) == regularizer(w.tolist()) == regularizer(np.asfortranarray(w))


@cases.every("regularizer", one_by_one)
def test_the_penalty_of_parts_adds_up_and_that_of_nothing_is_zero(case):
    regularizer, w = case.make(), sample((5,), 4)
    assert regularizer(w) == pytest.approx(sum(regularizer(row) for row in w), rel=1e-12)
    assert regularizer(np.zeros(3)) == 0
    assert not regularizer.gradient(np.zeros(3)).any()
    single = w.astype(np.float32)
    assert regularizer.gradient(single).dtype == np.float32
    assert regularizer(single) == pytest.approx(regularizer(w), rel=1e-6)


@cases.every("regularizer")
def test_it_is_part_of_the_loss_and_of_the_gradient_of_a_model(case):
    also = case.make() if one_by_one(case) else None
    layer = Dense(2, kernel_regularizer=case.make(), bias_regularizer=also)
    model = Sequential([Input((3,)), layer], dtype="float64", seed=0)
    model.theta[:] = sample((8,), 1)[0]
    model.compile(loss="mse")
    x, y = sample((3,)), sample((2,), seed=2)
    loss, gradient = model.loss_and_gradient(x, y)
    penalty = case.make()(layer.kernel) + (also(layer.bias) if also else 0)
    assert model.penalty() == pytest.approx(penalty)
    assert loss == pytest.approx(model.loss(y, model.predict(x, verbose=0)) + penalty)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(loss)
    assert_gradients(lambda: model.loss_and_gradient(x, y)[0], {"theta": model.theta}, {"theta": gradient})


@cases.every("regularizer")
@pytest.mark.parametrize("w", ["x", None, [np.nan], [], [[1.0], [1.0, 2.0]], [1j]], ids=str)
def test_bad_weights_get_a_spanish_sentence(case, w):
    for method in (case.make(), case.make().gradient):
        with pytest.raises((TypeError, ValueError), match="w: "):
            method(w)


@cases.every("regularizer")
@pytest.mark.parametrize("value", ["x", -1, np.nan, np.inf, 1j], ids=str)
def test_a_number_that_cannot_be_is_refused_by_name(case, value):
    for name in set(cases.defaults(case.cls)) - {"mode"}:
        with pytest.raises((TypeError, ValueError), match=rf"{name}: se esperaba un número"):
            case.make(**{name: value})
