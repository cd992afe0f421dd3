"""Valores que nadie debería dar, y cómo se distingue un error pensado de uno que se escapó."""

import re
import signal
import warnings

import numpy as np
import pytest

try:
    import resource
except ImportError:  # Windows
    resource = None


class Nothing:
    """Una clase que no recibe nada."""


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
    "clase": Nothing,
    "objeto": object(),
    "fecha": np.datetime64("2020-01-01"),
    "cierto": True,
    "un número": 0.5,
    "ceros": np.zeros((1, 4, 4, 3)),
}
# Lo que dice un error pensado, y no uno que se escapó.
SPANISH = re.compile(
    r"esperab|llegó|llegaron|harían falta|no existe|no se conoce|aún no|ya está|repetid|no cab|solo se puede dar"
    r"|se desbordan"
)
# Segundos de procesador que puede tardar una llamada, y bytes que puede pedir; compilar un núcleo también cuesta.
LONGEST, LARGEST = 20, 4 * 2**30


@pytest.fixture(autouse=True)
def bounded_memory():
    """Pedir memoria de más falla enseguida, y no ahoga a la máquina."""
    if resource is None or not hasattr(resource, "RLIMIT_AS"):
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    try:
        with open("/proc/self/statm") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:  # solo en Linux se sabe cuánta hay
        yield
        return
    resource.setrlimit(resource.RLIMIT_AS, (now + LARGEST, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def _too_long(*_):
    raise TimeoutError(f"tardó más de {LONGEST} segundos")


def attempt(where, call):
    """Lo que dio una llamada y si se negó, con su frase: no puede pasar nada más."""
    if hasattr(signal, "setitimer"):
        before = signal.signal(signal.SIGPROF, _too_long)
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call(), False
    except (TypeError, ValueError, FileNotFoundError) as error:
        if not SPANISH.search(str(error)):
            raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)
    return None, True
