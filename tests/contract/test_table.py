"""Todo lo que existe está en las tablas, se puede describir y se queja en español."""

import json
import re
import sys
import types

import numpy as np
import pytest

from dlbook import registry
from dlbook.saving import files, objects
from tests.contract import cases

ALL = [case for kind in cases.TABLES for case in cases.listed(kind)]


def require_listed(kind):
    missing, gone = cases.unlisted(kind)
    assert not missing, f"{', '.join(missing)} no está en tests/contract/cases.py: apúntala en la tabla de {kind!r}"
    assert not gone, f"{', '.join(gone)} está en tests/contract/cases.py y ya no existe"


@pytest.mark.parametrize("kind", registry.kinds())
def test_everything_that_exists_is_in_a_table(kind):
    require_listed(kind)


def test_a_new_class_that_is_in_no_table_is_noticed(monkeypatch):
    module = types.ModuleType("chapters.nuevo")
    module.Tukey = type("Tukey", (registry.base("loss"),), {"__module__": "chapters.nuevo"})
    monkeypatch.setitem(sys.modules, "chapters.nuevo", module)
    with pytest.raises(AssertionError, match=r"Tukey no está en tests/contract/cases\.py"):
        require_listed("loss")


def test_every_loss_has_its_targets_and_every_initializer_its_moments():
    for kind, table in (("loss", "TARGETS"), ("metric", "TARGETS"), ("initializer", "MOMENTS")):
        missing = {case.name for case in cases.TABLES[kind]} - set(getattr(cases, table))
        assert not missing, f"{', '.join(missing)} no está en {table}, en tests/contract/cases.py"


def test_what_is_excused_exists_and_is_not_there_twice():
    for kind, table in cases.TABLES.items():
        excused = set(cases.NOT_IN_KERAS[kind])
        assert excused <= {case.name for case in cases.listed(kind)}
        assert not set(cases.BASES[kind]) & {case.name for case in table}
    assert len({(case.kind, repr(case)) for case in ALL}) == len(ALL)


@cases.over([case for case in ALL if case.kind != "callback"])
def test_an_object_is_described_and_made_again(case):
    value = case.make()
    text = json.dumps(objects.describe(value), allow_nan=False)
    again = objects.rebuild(files.parse(text))
    assert type(again) is type(value)
    assert objects.describe(again) == objects.describe(value)


@cases.over([case for case in ALL if case.kind not in ("layer", "callback")])
def test_what_is_printed_can_be_pasted(case):
    value = case.make()
    names = {name: cls for kind in cases.TABLES for name, cls in registry.classes(kind).items()}
    # En métricas y pérdidas hay dos con el mismo nombre.
    assert repr(eval(repr(value), names | {case.name: case.cls})) == repr(value)


ONE_OF_EACH = list({(case.kind, case.name): case for case in reversed(ALL)}.values())
# Nada de esto vale para ningún argumento de ninguna clase.
NONSENSE = [object(), np.nan, 1j, [[1.5], ["x", 2]], b"x"]


def complaint(case, name, value):
    """Lo que dice quien recibe un disparate: al crearse o, si es una semilla o una forma, al usarse."""
    try:
        made = case.make(**{name: value})
        if case.kind == "layer":
            made.build(case.received)
        if case.kind == "initializer":
            made((2, 2))
    except (TypeError, ValueError) as error:
        return str(error)
    return "lo acepta"


@cases.over(ONE_OF_EACH)
def test_nonsense_in_any_argument_gets_a_spanish_sentence(case):
    names = [name for name in objects.parameters(case.cls) if not (case.kind == "callback" and "file" in name)]
    answers = {(name, str(value)): complaint(case, name, value) for name in names for value in NONSENSE}
    assert not {key: answer for key, answer in answers.items() if "se esperab" not in answer}


@cases.over(ONE_OF_EACH)
def test_true_is_not_a_number(case):
    arguments = cases.defaults(case.cls) | case.arguments
    # Cuánto se cuenta, ``verbose``, se puede decir con un sí o un no, como en Keras.
    numbers = [name for name, value in arguments.items() if type(value) in (int, float) and name != "verbose"]
    assert not [name for name in numbers if not re.match(f"{name}: .*se esperaba", complaint(case, name, True))]
