r"""Lo más sencillo que se hace con un arreglo, como núcleos: llenar, copiar, sumar, multiplicar.

NumPy hace lo mismo, con los mismos bits. Pero un paso que se graba (:mod:`dlbook.numeric.recording`) solo puede repetir
núcleos. Los arreglos son de cualquier forma, la misma todos, y tienen sus números seguidos en la memoria; :func:`copy`
y :func:`fill` admiten además los que no.

Nada se comprueba: quien llama ya sabe que las formas coinciden.
"""

import numpy as np

from dlbook.numeric.kernel import kernel


@kernel
def _fill(out, value):
    for i in range(out.size):
        out[i] = value


@kernel
def _fill_view(out, value):
    for k in np.ndindex(out.shape[:-1]):
        target = out[k]
        for j in range(target.size):
            target[j] = value


@kernel
def _copy(x, out):
    for i in range(out.size):
        out[i] = x[i]


@kernel
def _copy_view(x, out):
    for k in np.ndindex(out.shape[:-1]):
        source, target = x[k], out[k]
        for j in range(target.size):
            target[j] = source[j]


@kernel
def _add(a, b, out):
    for i in range(out.size):
        out[i] = a[i] + b[i]


@kernel
def _multiply(a, b, out):
    for i in range(out.size):
        out[i] = a[i] * b[i]


@kernel
def _scale(x, factor, out):
    for i in range(out.size):
        out[i] = x[i] * factor


@kernel
def _refuse(x):
    # Contarlos todos y preguntar una vez es más rápido que preguntar por cada uno.
    bad = 0
    for i in range(x.size):
        bad += not np.isfinite(x[i])
    if bad:
        raise ValueError("se esperaban números finitos")


@kernel
def _sum_rows(x, out):
    for j in range(out.size):
        out[j] = 0
    for i in range(x.shape[0]):
        for j in range(out.size):
            out[j] += x[i, j]


def fill(out, value):
    r"""Llena un arreglo con un número; puede ser un pedazo de otro.

    >>> import numpy as np
    >>> out = np.empty((2, 2))
    >>> fill(out, 3)
    >>> fill(out[:, 1:], 4)
    >>> out
    array([[3., 4.],
           [3., 4.]])

    Parameters
    ----------
    out : ndarray
        El arreglo.
    value : float
        El número.
    """
    if out.flags.c_contiguous:
        _fill(out.reshape(-1), out.dtype.type(value))
    else:
        _fill_view(out, out.dtype.type(value))


def copy(x, out):
    r"""Copia los números de ``x`` en ``out``, de la misma forma; pueden ser pedazos de otros, o vistas.

    >>> import numpy as np
    >>> out = np.zeros((2, 3))
    >>> copy(np.ones((2, 2)), out[:, 1:])
    >>> out
    array([[0., 1., 1.],
           [0., 1., 1.]])

    Parameters
    ----------
    x, out : ndarray
        De dónde y a dónde.
    """
    if x.flags.c_contiguous and out.flags.c_contiguous:
        _copy(x.reshape(-1), out.reshape(-1))
    else:
        _copy_view(x, out)


# Los tipos que numba conoce.
_KNOWN = {np.dtype(name) for name in ("bool", "int8", "int16", "int32", "int64", "float32", "float64")}
_KNOWN |= {np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64")}


def convert(x, out):
    r"""Copia los números de ``x`` en ``out``, de la misma forma y de otro tipo; los dos contiguos.

    >>> import numpy as np
    >>> out = np.empty(2, np.float32)
    >>> convert(np.array([3, 250], np.uint8), out)
    >>> out
    array([  3., 250.], dtype=float32)

    Parameters
    ----------
    x, out : ndarray
        De dónde y a dónde.
    """
    if x.dtype in _KNOWN and out.dtype in _KNOWN and x.flags.c_contiguous:
        _copy(x.reshape(-1), out.reshape(-1))
    else:
        np.copyto(out, x, casting="unsafe")


def add(a, b, out):
    r"""Escribe en ``out`` la suma de ``a`` y ``b``; ``out`` puede ser uno de los dos.

    >>> import numpy as np
    >>> total = np.ones(2)
    >>> add(total, np.array([1.0, 2.0]), total)
    >>> total
    array([2., 3.])

    Parameters
    ----------
    a, b, out : ndarray
        De la misma forma.
    """
    _add(a.reshape(-1), b.reshape(-1), out.reshape(-1))


def multiply(a, b, out):
    r"""Escribe en ``out`` el producto, número a número o por un solo número; ``out`` puede ser uno de los dos.

    >>> import numpy as np
    >>> out = np.empty(2)
    >>> multiply(np.array([1.0, 2.0]), np.array([3.0, 4.0]), out)
    >>> multiply(out, 10, out)
    >>> out
    array([30., 80.])

    Parameters
    ----------
    a, out : ndarray
        De la misma forma.
    b : ndarray or float
        De esa forma, o un número.
    """
    if getattr(b, "shape", ()) == ():
        _scale(a.reshape(-1), out.dtype.type(b), out.reshape(-1))
    else:
        _multiply(a.reshape(-1), b.reshape(-1), out.reshape(-1))


def sum_rows(x, out):
    r"""Escribe en ``out`` la suma de las filas de una matriz, en orden.

    >>> import numpy as np
    >>> out = np.empty(2)
    >>> sum_rows(np.array([[1.0, 2.0], [3.0, 4.0]]), out)
    >>> out
    array([4., 6.])

    Parameters
    ----------
    x : ndarray, shape (n, d)
        La matriz.
    out : ndarray, shape (d,)
        Dónde va la suma.
    """
    _sum_rows(x, out)


def refuse_infinite(x):
    r"""Falla si hay un NaN o un infinito. Dónde está, y en qué arreglo, lo dice :func:`dlbook.check.finite`.

    >>> import numpy as np
    >>> refuse_infinite(np.array([1.0, np.inf]))
    Traceback (most recent call last):
        ...
    ValueError: se esperaban números finitos

    Parameters
    ----------
    x : ndarray
        Números reales.
    """
    _refuse(x.reshape(-1))
