r"""Dos problemas que solo resuelve quien recuerda."""

import numpy as np

from dlbook import check


def delayed_copy(n, delay, symbols=8, seed=None):
    r"""Sortea ejemplos de la copia con retraso: di qué símbolo viste hace :math:`T` pasos.

    El primer símbolo, uno de :math:`S`, es el que importa. Después vienen :math:`T` pasos de ruido, con otros símbolos
    que no dicen nada, y al final se pregunta por el primero. Cada uno va como un vector de ceros con un uno: los que
    importan, en las primeras :math:`S` columnas; el ruido, que es una moneda al aire, en las dos últimas.

    >>> x, y = delayed_copy(2, delay=3, symbols=3, seed=0)
    >>> x[0].astype(int)
    array([[0, 0, 1, 0, 0],
           [0, 0, 0, 1, 0],
           [0, 0, 0, 1, 0],
           [0, 0, 0, 1, 0]])
    >>> y
    array([2, 1])

    **Sin memoria.** Quien olvidó el símbolo solo puede adivinar. Acierta :math:`1/S`, y su entropía cruzada no baja de
    :math:`\ln S`, porque los :math:`S` símbolos salen por igual.

    Parameters
    ----------
    n : int
        Cuántos ejemplos.
    delay : int
        Cuántos pasos de ruido, :math:`T`.
    symbols : int
        Cuántos símbolos pueden tocar, :math:`S\ge2`.
    seed : int or numpy.random.Generator, optional
        Origen del azar.

    Returns
    -------
    x : ndarray of float32, shape (n, delay + 1, symbols + 2)
        Las sucesiones.
    y : ndarray of int64, shape (n,)
        El símbolo de cada una.

    Raises
    ------
    TypeError, ValueError
        Si los tamaños no son enteros de su intervalo.
    """
    n, delay = check.integer(n, "n", 1), check.integer(delay, "delay", 1)
    symbols = check.integer(symbols, "symbols", 2)
    check.memory(n * (delay + 1) * (symbols + 2), "x")
    rng = check.generator(seed)
    y = rng.integers(symbols, size=n)
    shown = symbols + rng.integers(2, size=(n, delay + 1))
    shown[:, 0] = y
    return np.eye(symbols + 2, dtype=np.float32)[shown], y


def adding_problem(n, length, seed=None):
    r"""Sortea ejemplos del problema de la suma: suma los dos números marcados.

    En cada paso llegan dos números: uno al azar, entre 0 y 1, y una marca. Solo dos pasos están marcados, uno en cada
    mitad. La respuesta es la suma de esos dos :cite:p:`hochreiter1997`.

    >>> x, y = adding_problem(1, 4, seed=0)
    >>> x[0].round(2)
    array([[0.64, 1.  ],
           [0.27, 0.  ],
           [0.04, 0.  ],
           [0.02, 1.  ]], dtype=float32)
    >>> y.round(2)
    array([[0.65]], dtype=float32)

    **Sin memoria.** Cada número marcado tiene media :math:`\tfrac12` y varianza :math:`\int_0^1(u-\tfrac12)^2\,\mathrm
    du=\tfrac1{12}`. La suma tiene media 1 y, por ser independientes, varianza

    .. math::
       :label: ed-rnn-suma-sin-memoria

       \tfrac1{12}+\tfrac1{12}=\tfrac16\approx0.167 .

    Ese es el error cuadrático de contestar siempre 1, lo mejor que hay sin mirar. Recordar solo el último marcado lo
    baja a :math:`\tfrac1{12}`.

    Parameters
    ----------
    n : int
        Cuántos ejemplos.
    length : int
        Cuántos pasos; dos al menos.
    seed : int or numpy.random.Generator, optional
        Origen del azar.

    Returns
    -------
    x : ndarray of float32, shape (n, length, 2)
        Los números y las marcas.
    y : ndarray of float32, shape (n, 1)
        Las sumas.

    Raises
    ------
    TypeError, ValueError
        Si los tamaños no son enteros de su intervalo.
    """
    n, length = check.integer(n, "n", 1), check.integer(length, "length", 2)
    check.memory(2 * n * length, "x")
    rng, rows = check.generator(seed), np.arange(n)
    x = np.zeros((n, length, 2), np.float32)
    x[..., 0] = rng.random((n, length))
    first = rng.integers(length // 2, size=n)
    second = rng.integers(length // 2, length, size=n)
    x[rows, first, 1] = x[rows, second, 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(axis=1, keepdims=True)
