"""Valores que nadie debería dar, y cómo se distingue un error pensado de uno que se escapó."""

import re
import warnings

import numpy as np

WRONG = {
    "nada": None,
    "texto": "x",
    "texto vacío": "",
    "bytes": b"x",
    "lista vacía": [],
    "diccionario": {},
    "filas desiguales": [[1], [1, 2]],
    "tres números": (1, 2, 3),
    "objetos": np.array([1, "a", None], object),
    "sin elementos": np.empty((0, 3)),
    "enorme": 2**62,
    "más enorme": 10**30,
    "negativo": -(2**63),
    "cero": 0,
    "de ocho bits": np.int8(3),
    "forma de ocho bits": tuple(np.array([120, 120, 3], np.int8)),
    "forma enorme": (2**40, 2**40, 3),
    "forma negativa": (-1, 4, 3),
    "complejo": 1j,
    "complejos": np.full((1, 4, 4, 3), 1j),
    "nan": float("nan"),
    "infinitos": np.full((1, 4, 4, 3), np.inf),
    "conjunto": {1, 2},
    "función": len,
    "clase": int,
    "objeto": object(),
    "fecha": np.datetime64("2020-01-01"),
    "cierto": True,
    "un número": 0.5,
    "ceros": np.zeros((1, 4, 4, 3)),
}
# Lo que dice un error pensado, y no uno que se escapó.
SPANISH = re.compile(
    r"esperab|llegó|llegaron|harían falta|no existe|no se conoce|aún no|ya está|repetid|no caben|solo se puede dar"
)


def attempt(where, call):
    """Un error con su frase, o un resultado; nada más. Dice si hubo error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call(), False
    except (TypeError, ValueError) as error:
        if not SPANISH.search(str(error)):
            raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    return None, True
