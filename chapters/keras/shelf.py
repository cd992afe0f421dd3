r"""Un módulo con la forma de uno de Keras: no tiene nada suyo, y da lo que el libro enseña en otra parte."""

import dis
import importlib
import importlib.util
import sys
from types import ModuleType

from dlbook import registry
from dlbook.attributes import closest
from dlbook.saving.config import keras_names


def _is_of(kind, value):
    return kind is None or not isinstance(value, type) or issubclass(value, registry.base(kind))


def shelf(own, kind=None, homes=(), **names):
    r"""Da las dos funciones con que un módulo busca lo que le piden por su nombre: ``__getattr__`` y ``__dir__``.

    Lo que se le pide se busca, por su nombre, entre las clases registradas de una especie y luego en unos módulos. No
    se carga nada hasta entonces, y lo que se escriba mañana se encuentra solo.

    >>> from chapters import keras, mlp
    >>> keras.layers.Dense is mlp.Dense
    True
    >>> keras.layers.MelSpectrogram
    Traceback (most recent call last):
        ...
    AttributeError: el libro no tiene keras.layers.MelSpectrogram, que en Keras sí existe
    >>> keras.layers.Dens
    Traceback (most recent call last):
        ...
    AttributeError: keras.layers.Dens no existe, ni en Keras ni en el libro; el más parecido es Dense

    Parameters
    ----------
    own : str
        El nombre del módulo.
    kind : str, optional
        Una especie de :mod:`dlbook.registry`.
    homes : sequence of str
        Los módulos en que se busca, en orden.
    **names : str or None
        Lo que en su casa tiene otro nombre: de cada nombre de Keras, ``"módulo:nombre"``; con ``None``, lo que aquí no
        está aunque en su casa haya algo que se llame igual.

    Returns
    -------
    getattribute, directory : callable
    """
    here = own.removeprefix("chapters.keras").removeprefix(".")
    theirs = keras_names()[here]

    def find(name):
        if name in names:
            if names[name] is None:
                return None
            home, _, inner = names[name].partition(":")
            module = importlib.import_module(home)
            return getattr(module, inner, None) if inner else module
        if kind in registry.kinds() and (found := registry.find(kind, name)) is not None:
            return found
        for home in homes:
            # Un módulo que todavía no existe no tiene nada.
            if importlib.util.find_spec(home) is None:
                continue
            home = importlib.import_module(home)
            for value in (getattr(home, name, None), getattr(home, "NAMES", {}).get(name)):
                # Ni los archivos del capítulo, ni una clase de otra especie que se llame igual.
                if value is not None and not isinstance(value, ModuleType) and _is_of(kind, value):
                    return value
        # Si nada se había cargado, la especie no existía aún; ahora sí, y sabe buscar en los demás capítulos.
        return registry.find(kind, name) if kind in registry.kinds() else None

    def getattribute(name):
        if name == "__all__":
            return directory()
        found = find(name) if name in theirs else None
        if found is None:
            raise _missing(here, name, theirs if name in theirs else directory(), name in theirs)
        vars(sys.modules[own])[name] = found
        return found

    def directory():
        return sorted(name for name in theirs if find(name) is not None)

    return getattribute, directory


def _missing(here, name, known, in_keras):
    if name.startswith("__"):
        return AttributeError(name)
    full = ".".join(["keras", *filter(None, [here]), name])
    if in_keras:
        text = f"el libro no tiene {full}, que en Keras sí existe"
    else:
        near = closest(name, known)
        text = f"{full} no existe, ni en Keras ni en el libro" + (f"; el más parecido es {near}" if near else "")
    return (ImportError if _importing() else AttributeError)(text)


def _importing():
    # «from … import» no dice lo que dice un AttributeError, sino una frase suya, en inglés.
    frame = sys._getframe()
    while f"{frame.f_globals.get('__name__')}.".startswith("chapters.keras."):
        frame = frame.f_back
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM"
