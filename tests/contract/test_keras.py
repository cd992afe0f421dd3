"""Lo que está en Keras hace lo mismo que en Keras: los números guardados y, donde está instalado, los suyos."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.contract import cases, versus
from tests.reference import make_contract_reference as maker

REFERENCE = json.loads(
    (Path(__file__).resolve().parents[1] / "reference" / "contract.json").read_text(encoding="utf-8")
)
COMPARED = [case for kind in versus.INPUTS for case in cases.listed(kind) if cases.in_keras(case)]
NAMED = [case for kind in cases.TABLES for case in cases.listed(kind) if cases.in_keras(case)]


def stored(case):
    """Los números de Keras, con los datos de que salieron."""
    found = REFERENCE[case.kind].get(repr(case))
    if found is None:
        pytest.fail(
            f"faltan los números de Keras de {case!r}: ejecuta tests/reference/make_contract_reference.py donde haya "
            f"Keras, o di en NOT_IN_KERAS por qué no se compara"
        )
    return {name: restored(name, value, case.parts) for name, value in found["given"].items()}, list(
        map(np.array, found["keras"])
    )


def restored(name, value, parts=1):
    """De las listas del JSON a arreglos, o a listas de arreglos."""
    if name == "weights" or (name == "x" and parts > 1):
        return [np.array(w) for w in value]
    if name == "examples":
        return [[np.array(v) for v in example] for example in value]
    return np.array(value) if isinstance(value, list) else value


def compare(case, given, theirs):
    close = versus.tolerance(case)
    for one, other in zip(versus.ours(case, given), theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=close, atol=close * max(1.0, np.abs(other).max()) / 10)


@cases.over(COMPARED)
def test_it_does_what_keras_did(case):
    compare(case, *stored(case))


@cases.over(COMPARED)
def test_it_does_what_the_keras_installed_here_does(case):
    pytest.importorskip("keras")
    given = versus.inputs(case, seed=1)
    compare(case, given, versus.theirs(case, given))


def alike(ours, theirs):
    """Un valor por omisión es el mismo escrito como entero o como par; y si Keras lo exige, puede ser cualquiera."""
    as_lists = json.loads(json.dumps(ours)) if isinstance(ours, tuple) else [ours, ours]
    return theirs in (ours, as_lists, cases.REQUIRED)


# Tienen sin nombre algún argumento que en Keras está en otro lugar.
@cases.over(list({(case.kind, case.name): case for case in NAMED}.values()))
def test_arguments_have_the_names_the_defaults_and_the_places_of_keras(case):
    assert case.name in REFERENCE["signatures"][case.kind], (
        f"faltan los argumentos de Keras de {case.name}: ejecuta tests/reference/make_contract_reference.py "
        "donde haya Keras, o di en NOT_IN_KERAS por qué no se compara"
    )
    theirs = {
        name: (place, default) for place, (name, default, _) in enumerate(REFERENCE["signatures"][case.kind][case.name])
    }
    for place, (name, default, positional) in enumerate(cases.signature(case.cls)):
        assert name in theirs, f"Keras no tiene {name}"
        # Sin nombre, cada una se llama como su clase.
        assert name == "name" or alike(default, theirs[name][1]), f"{name}: {default!r}, y en Keras {theirs[name][1]!r}"
        assert not positional or place == theirs[name][0], f"{name} está en otro lugar: mejor que se dé con nombre"


def test_the_stored_signatures_are_those_of_the_keras_installed_here():
    pytest.importorskip("keras")
    for case in NAMED:
        assert REFERENCE["signatures"][case.kind][case.name] == maker.signature(case)


def test_only_what_is_missing_is_asked_of_keras(monkeypatch):
    known = json.loads(json.dumps(REFERENCE))
    missing = next(case for case in COMPARED if case.name == "Flatten")
    del known["layer"][repr(missing)], known["signatures"]["layer"]["Flatten"]
    known["layer"]["YaNoExiste((3,))"] = {}
    asked = []
    monkeypatch.setattr(maker, "numbers", lambda case: asked.append(repr(case)) or REFERENCE["layer"][repr(case)])
    monkeypatch.setattr(
        maker, "signature", lambda case: asked.append(case.name) or REFERENCE["signatures"]["layer"][case.name]
    )
    # El mismo archivo, letra por letra.
    stored = Path(maker.__file__).with_name("contract.json").read_text(encoding="utf-8")
    assert maker.text(maker.records(known)) == stored
    assert asked == ["Flatten", repr(missing)]
