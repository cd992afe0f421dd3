r"""Escribe ``contract.json``: los números y las firmas de Keras para cada caso de ``tests/contract/cases.py``.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_contract_reference.py
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.contract import cases, versus
from tests.reference import oracle

FANS = [[7], [784, 128], [5, 5, 3, 16], [3, 4, 5], [2, 3, 4, 5, 6]]


def plain(value):
    """Lo que cabe en un JSON, con las cifras que hacen falta."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return float(f"{value:.15g}") if isinstance(value, float) else value


def signature(case):
    """Los argumentos de Keras; los de una activación, sin la entrada."""
    found = cases.signature(oracle.function(case.kind, versus.their_name(case)))
    return plain(found[1:] if case.kind == "activation" else found)


def records():
    """Todo, por especie y por caso."""
    found = {"keras": oracle.keras().__version__, "fans": [[shape, plain(oracle.fans(shape))] for shape in FANS]}
    found["signatures"] = {
        kind: {case.name: signature(case) for case in table if cases.in_keras(case)}
        for kind, table in cases.TABLES.items()
    }
    for kind, table in cases.TABLES.items():
        if kind in versus.INPUTS:
            found[kind] = {}
            for case in filter(cases.in_keras, table):
                given = versus.inputs(case, seed=0)
                stored = {name: plain(value) for name, value in given.items()}
                found[kind][repr(case)] = {"given": stored, "keras": plain(versus.theirs(case, given))}
    return found


def text(found):
    """Un renglón por caso: así se ve qué cambió."""
    parts = []
    for key, value in found.items():
        body = json.dumps(value)
        if isinstance(value, dict):
            body = "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n}"
        parts.append(f"{json.dumps(key)}: {body}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    Path(__file__).with_name("contract.json").write_text(text(records()), encoding="utf-8")
