r"""Categorías: textos o enteros, vengan como vengan."""

import numpy as np


def as_categories(values, name):
    r"""Convierte en una lista de textos o enteros de Python, que se comparan y se imprimen sin sorpresas.

    Un booleano es un 0 o un 1.

    >>> as_categories(np.array([1.0, 0.0]), "y")
    [1, 0]
    >>> as_categories(np.array(["sol", "lluvia"]), "y")
    ['sol', 'lluvia']

    Raises
    ------
    TypeError
        Si algo no es un texto ni un entero.
    ValueError
        Si no hay ninguno.

        >>> as_categories([1.5], "y")
        Traceback (most recent call last):
            ...
        TypeError: y: se esperaban textos o enteros, pero llegó 1.5
    """
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__") or getattr(values, "ndim", 1) == 0:
        raise TypeError(f"{name}: se esperaba una lista de textos o enteros, pero llegó {values!r}")
    items = [item.item() if isinstance(item, np.generic) else item for item in values]
    items = [int(item) if _whole(item) else item for item in items]
    for item in items:
        if not isinstance(item, (str, int)):
            raise TypeError(f"{name}: se esperaban textos o enteros, pero llegó {item!r}")
    if not items:
        raise ValueError(f"{name}: se esperaba al menos un elemento, pero la lista está vacía")
    return items


def _whole(item):
    return isinstance(item, bool) or (isinstance(item, float) and item.is_integer())
