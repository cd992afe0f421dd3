r"""Qué clases hay de cada especie: capas, pérdidas, optimizadores…

``dlbook`` no importa ningún capítulo. Es al revés: el capítulo que define una especie registra su clase base, y el
paquete que trae capítulos dice dónde buscarlos. Así se guarda y se carga un modelo, y así la prueba del contrato
encuentra todo lo que existe, también lo que se escriba mañana.
"""

import importlib
import pkgutil
import re
import sys

_bases = {}
_packages = []


def register(kind):
    r"""Decora la clase base de una especie.

    Parameters
    ----------
    kind : str
        El nombre de la especie: ``"layer"``, ``"loss"``…

    Returns
    -------
    callable
        El decorador; devuelve la misma clase.
    """

    def decorate(cls):
        _bases[kind] = cls
        return cls

    return decorate


def provide(package):
    r"""Dice que un paquete, o un módulo, contiene clases de las especies registradas, quizá sin importar todavía.

    Parameters
    ----------
    package : str
        Su nombre completo.
    """
    if package not in _packages:
        _packages.append(package)


def kinds():
    r"""Da los nombres de las especies registradas.

    >>> import chapters.mlp
    >>> "optimizer" in kinds()
    True
    """
    return list(_bases)


def base(kind):
    r"""Da la clase base de una especie.

    >>> import chapters.mlp
    >>> base("loss").__name__
    'Loss'

    Parameters
    ----------
    kind : str
        Una de las de :func:`kinds`.

    Returns
    -------
    type

    Raises
    ------
    ValueError
        Si nadie la ha registrado.

        >>> base("tuerca")
        Traceback (most recent call last):
            ...
        ValueError: no hay clases de la especie 'tuerca'; importa antes el capítulo que las define
    """
    if kind not in _bases:
        raise ValueError(f"no hay clases de la especie {kind!r}; importa antes el capítulo que las define")
    return _bases[kind]


def snake_case(name):
    r"""Escribe el nombre de una clase como Keras llama a sus objetos.

    >>> [snake_case(name) for name in ("Conv2D", "BatchNormalization", "LeakyReLU")]
    ['conv2d', 'batch_normalization', 'leaky_re_lu']
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def ours(cls):
    r"""Dice si una clase es del libro, y no de quien lo lee.

    >>> import chapters
    >>> from chapters.mlp import Dense
    >>> class Mine(Dense):
    ...     __module__ = "__main__"
    >>> ours(Dense), ours(Mine)
    (True, False)

    Parameters
    ----------
    cls : type
        La clase.

    Returns
    -------
    bool
    """
    return any(f"{cls.__module__}.".startswith(f"{package}.") for package in _packages)


def classes(kind):
    r"""Da las clases de una especie que hay en los módulos ya importados de los paquetes del libro.

    Solo cuentan las que están a la vista en su módulo, y no las que alguien definió dentro de una función.

    >>> import chapters.mlp
    >>> sorted(classes("regularizer"))
    ['L1', 'L1L2', 'L2', 'OrthogonalRegularizer', 'Regularizer']

    Parameters
    ----------
    kind : str
        Una de las de :func:`kinds`.

    Returns
    -------
    dict of type
        Por su nombre.
    """
    found, pending = {}, [base(kind)]
    while pending:
        cls = pending.pop()
        pending += cls.__subclasses__()
        module = sys.modules.get(cls.__module__)
        if ours(cls) and getattr(module, cls.__name__, None) is cls:
            found[cls.__name__] = cls
    return found


def import_everything():
    r"""Importa todos los capítulos de los paquetes que los ofrecen."""
    for package in _packages:
        for chapter in pkgutil.iter_modules(getattr(importlib.import_module(package), "__path__", ()), f"{package}."):
            importlib.import_module(chapter.name)


def find(kind, name):
    r"""Da la clase que se llama así, o ``None``; si hace falta, importa los capítulos que aún no se han importado.

    >>> import chapters
    >>> find("layer", "Conv2D").__name__
    'Conv2D'

    Parameters
    ----------
    kind : str
        Una de las de :func:`kinds`.
    name : str
        El nombre de la clase.

    Returns
    -------
    type or None
    """
    if kind not in _bases or name not in classes(kind):
        import_everything()
    return classes(kind).get(name)
