r"""Escribe ``contract.json``: los números y las firmas de Keras para cada caso de ``tests/contract/cases.py``.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_contract_reference.py

Solo calcula lo que falta: las líneas de los casos que ya estaban se quedan como están, aunque esta versión de Keras
redondee distinto. Con ``--todo`` se calculan todos otra vez.
"""

import argparse
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


def numbers(case):
    """Los datos de un caso y lo que da Keras con ellos."""
    given = versus.inputs(case, seed=0)
    stored = {name: plain(value) for name, value in given.items()}
    return {"given": stored, "keras": plain(versus.theirs(case, given))}


def records(known):
    """Todo, por especie y por caso; lo que ya se conoce no se calcula."""
    found = {key: known[key] for key in ("keras", "fans") if known}
    if not known:
        found["keras"] = oracle.keras().__version__
        found["fans"] = [[shape, plain(oracle.fans(shape))] for shape in FANS]
    found["signatures"] = {}
    for kind in cases.TABLES:
        old = known.get("signatures", {}).get(kind, {})
        compared = {case.name: case for case in cases.listed(kind) if cases.in_keras(case)}
        found["signatures"][kind] = {n: old[n] if n in old else signature(case) for n, case in compared.items()}
    for kind in filter(versus.INPUTS.__contains__, cases.TABLES):
        old, compared = known.get(kind, {}), filter(cases.in_keras, cases.listed(kind))
        found[kind] = {key: old[key] if key in old else numbers(case) for key, case in ((repr(c), c) for c in compared)}
    return found


def text(found):
    """Una línea por caso: así se ve qué cambió."""
    parts = []
    for key, value in found.items():
        body = json.dumps(value)
        if isinstance(value, dict):
            body = "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()) + "\n}"
        parts.append(f"{json.dumps(key)}: {body}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Escribe los números de Keras de los casos que no los tienen.")
    parser.add_argument("--todo", action="store_true", help="calcula otra vez también los que ya están")
    path = Path(__file__).with_name("contract.json")
    known = {} if parser.parse_args().todo else json.loads(path.read_text(encoding="utf-8"))
    path.write_text(text(records(known)), encoding="utf-8")
