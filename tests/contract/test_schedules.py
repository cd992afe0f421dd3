"""El contrato de todo programa de la tasa de aprendizaje."""

import copy
import pickle

import numpy as np
import pytest

from tests.contract import cases


@cases.every("schedule")
def test_the_rate_is_a_number_that_depends_only_on_the_step(case):
    schedule, other = case.make(), case.make()
    steps = [0, 1, 3, 10, 100, 10**9]
    rates = [schedule(step) for step in steps]
    assert all(type(rate) is float for rate in rates)
    assert all(0 <= rate <= 0.1 + 1e-15 for rate in rates)
    assert rates == [other(step) for step in steps] == [schedule(np.int64(step)) for step in steps]
    assert rates[::-1] == [schedule(step) for step in steps[::-1]]
    for again in (copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert [again(step) for step in steps] == rates


@cases.every("schedule")
@pytest.mark.parametrize("step", [-1, np.nan, np.inf, "x", None, 1j, [1, 2]], ids=str)
def test_a_step_that_cannot_be_is_refused(case, step):
    with pytest.raises((TypeError, ValueError), match="step: se esperaba un número"):
        case.make()(step)


@cases.every("schedule")
@pytest.mark.parametrize("value", ["x", -1, np.nan, 1j], ids=str)
def test_a_number_that_cannot_be_is_refused_by_name(case, value):
    flags = "staircase", "cycle", "boundaries", "values", "name"
    for name in set(cases.defaults(case.cls)) - set(flags):
        with pytest.raises((TypeError, ValueError), match=rf"{name}: se esperaba un"):
            case.make(**{name: value})
