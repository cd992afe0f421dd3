"""A un argumento se le puede asignar después lo mismo que admite el constructor, y nada más."""

import pytest

from dlbook.saving.objects import parameters
from tests.contract import cases
from tests.contract.hostile import WRONG, attempt

# Un caso de cada clase, con todas sus partes: el último, que suele ser el más completo.
EVERY = list({(case.kind, case.name): case for kind in cases.TABLES for case in cases.listed(kind)}.values())


@cases.over(EVERY)
def test_what_the_constructor_refuses_is_refused_when_assigned_later(case):
    built = None
    if case.kind == "layer":
        built = case.make()
        built.build(case.shape)
    fresh = case.make()
    for name in parameters(case.cls):
        for what, value in WRONG.items():
            where = f"{case.name}.{name} = {what}"
            _, refused = attempt(where, lambda a=name, v=value: case.make(**{a: v}))
            for instance in (fresh, built):
                if instance is None:
                    continue
                before = dict(vars(instance))
                _, later = attempt(where, lambda i=instance, a=name, v=value: setattr(i, a, v))
                assert later or not refused, f"{where}: el constructor no lo admite, y al asignarlo pasó"
                if later:
                    assert all(vars(instance)[a] is v for a, v in before.items()), where
                elif instance is fresh:
                    fresh = case.make()
                elif instance is built:
                    built = case.make()
                    built.build(case.shape)


@pytest.mark.parametrize(
    ("name", "argument", "good", "stored"),
    [
        ("Conv2D", "strides", 2, (2, 2)),
        ("Dense", "activation", "relu", "ReLU()"),
        ("MaxPooling2D", "padding", "SAME", "same"),
        ("L2", "l2", 1, 1.0),
        ("HeNormal", "seed", 3, 3),
        ("LeakyReLU", "negative_slope", 0, 0.0),
        ("EarlyStopping", "patience", 3, 3),
    ],
)
def test_what_is_assigned_later_is_kept_as_the_constructor_keeps_it(name, argument, good, stored):
    instance = next(case for case in EVERY if case.name == name).make()
    setattr(instance, argument, good)
    assert getattr(instance, argument) == stored or repr(getattr(instance, argument)) == stored
