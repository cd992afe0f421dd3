r"""Comparaciones y lógica: dan sí o no, y no tienen gradiente."""

import numpy as np

from chapters.mlp.tape.operation import axes_of, axis_of, operation, pair, real
from chapters.mlp.tape.tensor import numbers_in


def _truth(x):
    return np.asarray(numbers_in(x)).astype(bool)


@operation(np.greater)
def greater(x1, x2):
    r"""Si :math:`a>b`."""
    return np.greater(*pair(x1, x2))


@operation(np.greater_equal)
def greater_equal(x1, x2):
    r"""Si :math:`a\ge b`."""
    return np.greater_equal(*pair(x1, x2))


@operation(np.less)
def less(x1, x2):
    r"""Si :math:`a<b`."""
    return np.less(*pair(x1, x2))


@operation(np.less_equal)
def less_equal(x1, x2):
    r"""Si :math:`a\le b`."""
    return np.less_equal(*pair(x1, x2))


@operation(np.equal)
def equal(x1, x2):
    r"""Si :math:`a=b`."""
    return np.equal(*pair(x1, x2))


@operation(np.not_equal)
def not_equal(x1, x2):
    r"""Si :math:`a\ne b`."""
    return np.not_equal(*pair(x1, x2))


@operation(np.logical_and)
def logical_and(x1, x2):
    r"""Si los dos."""
    return np.logical_and(_truth(x1), _truth(x2))


@operation(np.logical_or)
def logical_or(x1, x2):
    r"""Si alguno de los dos."""
    return np.logical_or(_truth(x1), _truth(x2))


@operation(np.logical_xor)
def logical_xor(x1, x2):
    r"""Si uno y solo uno."""
    return np.logical_xor(_truth(x1), _truth(x2))


@operation(np.logical_not)
def logical_not(x):
    r"""Si no."""
    return np.logical_not(_truth(x))


@operation(np.isnan)
def isnan(x):
    r"""Si es NaN."""
    return np.isnan(real(x))


@operation(np.isinf)
def isinf(x):
    r"""Si es infinito."""
    return np.isinf(real(x))


@operation(np.isfinite)
def isfinite(x):
    r"""Si es finito."""
    return np.isfinite(real(x))


@operation(np.any)
def any(x, axis=None, keepdims=False):
    r"""Si alguno, a lo largo de unos ejes."""
    x = _truth(x)
    return np.any(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


@operation(np.all)
def all(x, axis=None, keepdims=False):
    r"""Si todos, a lo largo de unos ejes."""
    x = _truth(x)
    return np.all(x, axis=axes_of(axis, x.ndim), keepdims=keepdims)


def _place(chooser, x, axis, keepdims):
    x = np.asarray(numbers_in(x))
    axis = None if axis is None else axis_of(axis, x.ndim)
    return chooser(x, axis=axis, keepdims=keepdims).astype(np.int32)


@operation(np.argmax)
def argmax(x, axis=None, keepdims=False):
    r"""Dónde está el mayor."""
    return _place(np.argmax, x, axis, keepdims)


@operation(np.argmin)
def argmin(x, axis=None, keepdims=False):
    r"""Dónde está el menor."""
    return _place(np.argmin, x, axis, keepdims)


@operation(np.argsort)
def argsort(x, axis=-1):
    r"""En qué orden van, de menor a mayor."""
    x = np.asarray(numbers_in(x))
    return np.argsort(x, axis=None if axis is None else axis_of(axis, x.ndim), kind="stable").astype(np.int32)
