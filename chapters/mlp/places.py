r"""De qué lugar sale cada número, cuando una capa solo cambia de lugar los que recibe, o los repite.

Una tabla dice, por cada número de una observación de la salida, en qué lugar de la de entrada está, contando los
números uno tras otro. Con ella, ir es leer de esos lugares, y volver, sumar en ellos. La tabla depende solo de las
formas: se calcula una vez (:func:`repeated`, :func:`permuted`) y los núcleos la recorren en cada paso.
"""

import functools

import numpy as np

from dlbook.numeric.kernel import kernel


@functools.lru_cache(256)
def repeated(shape, whole):
    r"""Da de dónde sale cada número de un arreglo que se repite, en los ejes donde mide 1, hasta medir otra cosa.

    >>> repeated((1, 2), (3, 2))
    array([0, 1, 0, 1, 0, 1])

    Parameters
    ----------
    shape, whole : tuple of int
        Cuánto mide y cuánto medirá.

    Returns
    -------
    ndarray of int
    """
    return np.broadcast_to(np.arange(np.prod(shape, dtype=int)).reshape(shape), whole).reshape(-1)


@functools.lru_cache(256)
def permuted(shape, order):
    r"""Da de dónde sale cada número de un arreglo al que se le cambia el orden de los ejes.

    >>> permuted((2, 3), (1, 0))
    array([0, 3, 1, 4, 2, 5])

    Parameters
    ----------
    shape : tuple of int
        Cuánto mide.
    order : tuple of int
        Qué eje va en cada lugar.

    Returns
    -------
    ndarray of int
    """
    return np.arange(np.prod(shape, dtype=int)).reshape(shape).transpose(order).reshape(-1)


@kernel
def _take(x, places, y):
    for i in range(y.shape[0]):
        source, target = x[i], y[i]
        for j in range(places.size):
            target[j] = source[places[j]]


@kernel
def _give_back(dy, places, dx):
    for i in range(dx.shape[0]):
        source, target = dy[i], dx[i]
        for j in range(target.size):
            target[j] = 0
        for j in range(places.size):
            target[places[j]] += source[j]


def take(x, places, y):
    r"""Llena cada observación de ``y`` con números de la de ``x``, cada uno del lugar que diga ``places``.

    >>> y = np.empty((1, 3, 2))
    >>> take(np.array([[5.0, 7.0]]), repeated((1, 2), (3, 2)), y)
    >>> y[0]
    array([[5., 7.],
           [5., 7.],
           [5., 7.]])

    Nadie comprueba que los lugares existan: los da :func:`repeated` o :func:`permuted`, con la forma de ``x``.

    Parameters
    ----------
    x, y : ndarray, shape (n, ...)
        De dónde y a dónde.
    places : ndarray of int
        Un lugar de la observación de ``x`` por cada número de la de ``y``.
    """
    n = len(y)
    _take(x.reshape(n, -1), places, y.reshape(n, -1))


def give_back(dy, places, dx):
    r"""Devuelve cada número al lugar de donde :func:`take` lo sacó; los que salieron del mismo se suman.

    >>> dx = np.empty((1, 2))
    >>> dy = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    >>> give_back(dy[np.newaxis], repeated((1, 2), (3, 2)), dx)
    >>> dx
    array([[ 9., 12.]])

    Parameters
    ----------
    dy, dx : ndarray, shape (n, ...)
        De dónde y a dónde.
    places : ndarray of int
        Los de la ida.
    """
    n = len(dx)
    _give_back(dy.reshape(n, -1), places, dx.reshape(n, -1))
