r"""Escribe ``programs.json``, lo que dan con Keras los programas de ``tests/programs``.

Se ejecuta a mano, donde haya Keras 3 con TensorFlow::

    python tests/reference/make_programs_reference.py
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests import programs
from tests.reference import oracle


def result(name):
    """Lo que deja en ``result`` un programa, con Keras recién abierto."""
    # Así sus capas se llaman como si el programa estuviera solo.
    oracle.keras("float32").backend.clear_session()
    return programs.run(name, programs.KERAS)


def records():
    """Todos los programas, con lo que dice Keras."""
    return {"keras": oracle.keras("float32").__version__} | {name: result(name) for name in programs.PROGRAMS}


if __name__ == "__main__":
    Path(__file__).with_name("programs.json").write_text(json.dumps(records(), indent=1) + "\n", encoding="utf-8")
