r"""Lo que todas las operaciones de la cinta tienen en común: cómo se llaman, qué reciben y cómo se quejan."""

import functools
import math

import numpy as np

from chapters.mlp.symbol import symbols_in
from chapters.mlp.tape.symbolic import symbolic
from chapters.mlp.tape.tensor import OPERATIONS, Tensor, numbers_in
from dlbook import check

# Las operaciones, por su nombre, para el catálogo.
CATALOGUE = {}
# Los números de Python, que no tienen tipo hasta que se operan con otros.
PLAIN = (bool, int, float)


def operation(*twins):
    r"""Decora una operación: la anota, con las funciones de NumPy que hacen lo mismo, y traduce los errores de NumPy.

    >>> from chapters.mlp import ops
    >>> ops.matmul(np.ones((2, 3)), np.ones((2, 3)))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: matmul: se esperaban argumentos que encajen entre sí, pero llegaron (2, 3) y (2, 3)

    Parameters
    ----------
    *twins : callable
        Las funciones de NumPy.

    Returns
    -------
    callable
        El decorador.
    """

    def decorate(function):
        @functools.wraps(function)
        def checked(*arguments, **options):
            if any(True for _ in symbols_in((*arguments, *options.values()))):
                return symbolic(checked, arguments, options)
            try:
                with np.errstate(all="ignore"):
                    return function(*arguments, **options)
            except (TypeError, ValueError, IndexError, OverflowError, MemoryError, AttributeError, KeyError) as error:
                if "se esperab" in str(error):
                    raise
                came = " y ".join(_described(a) for a in (*arguments, *options.values())) or "ninguno"
                raise ValueError(
                    f"{function.__name__}: se esperaban argumentos que encajen entre sí, pero llegaron {came}"
                ) from error

        CATALOGUE[function.__name__] = checked
        OPERATIONS.update(dict.fromkeys(twins, checked))
        return checked

    return decorate


def _described(argument):
    if isinstance(argument, (np.ndarray, Tensor)):
        return str(argument.shape)
    if isinstance(argument, (list, tuple)) and any(isinstance(one, (np.ndarray, Tensor)) for one in argument):
        return f"[{', '.join(map(_described, argument))}]"
    return repr(argument)[:40]


def real(x):
    r"""Da los números que recibe una operación que da reales: los enteros pasan a ``float32``, como en Keras."""
    x = numbers_in(x)
    if type(x) in PLAIN:
        return np.float32(x)
    return x if x.dtype.kind == "f" else x.astype(np.float32)


def pair(x1, x2):
    r"""Da los números de los dos que recibe una operación; si solo uno es de reales, los dos toman su tipo.

    >>> [
    ...     part.dtype.name
    ...     for part in pair(np.ones(2, "float32"), np.ones(2, int))
    ... ]
    ['float32', 'float32']
    """
    a, b = numbers_in(x1, "x1"), numbers_in(x2, "x2")
    kinds = [getattr(part, "dtype", np.dtype(bool)).kind for part in (a, b)]
    if kinds[0] == "f" and kinds[1] in "iu":
        b = b.astype(a.dtype)
    elif kinds[1] == "f" and kinds[0] in "iu":
        a = a.astype(b.dtype)
    if type(a) in PLAIN and type(b) in PLAIN:
        a, b = (np.asarray(part, np.float32 if isinstance(part, float) else None) for part in (a, b))
    return a, b


def axes_of(axis, ndim, name="axis"):
    r"""Da los ejes pedidos, contados desde el principio: todos, uno o varios.

    >>> axes_of(None, 3), axes_of(-1, 3), axes_of((0, -1), 3)
    ((0, 1, 2), (2,), (0, 2))
    """
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    found = tuple(check.integer(one, name, -ndim, ndim - 1) % ndim for one in axes)
    if len(set(found)) < len(found):
        raise ValueError(f"{name}: se esperaban ejes distintos, pero llegó {axis}")
    return found


def axis_of(axis, ndim, name="axis"):
    r"""Da el eje pedido, contado desde el principio, a quien solo admite uno.

    >>> axis_of(-1, 3)
    2
    """
    return check.integer(axis, name, -ndim, ndim - 1) % ndim


def restored(dy, axis, ndim, keepdims):
    r"""Devuelve a un gradiente, con tamaño 1, los ejes que una reducción quitó."""
    return dy if keepdims else np.expand_dims(dy, axes_of(axis, ndim))


def sizes_of(shape, name="shape"):
    r"""Da una forma como tupla de enteros; admite un entero solo."""
    shape = np.asarray(shape).tolist() if isinstance(shape, (np.ndarray, Tensor)) else shape
    shape = shape if isinstance(shape, (tuple, list)) else (shape,)
    sizes = tuple(check.integer(s, f"{name}[{k}]", 0) for k, s in enumerate(shape))
    check.memory(math.prod(sizes), name, 8)
    return sizes
