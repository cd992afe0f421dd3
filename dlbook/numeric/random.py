r"""Números al azar con los nombres y los argumentos de ``keras.random``.

Con la misma semilla salen siempre los mismos; no son los que da Keras.
"""

import math

import numpy as np

from dlbook import check


class SeedGenerator:
    r"""Una semilla que avanza: cada vez que se usa salen otros números, y con la misma semilla, la misma serie.

    >>> seed = SeedGenerator(1337)
    >>> first, second = uniform((2,), seed=seed), uniform((2,), seed=seed)
    >>> again = uniform((2,), seed=SeedGenerator(1337))
    >>> bool((first == second).any()), bool((first == again).all())
    (False, True)

    Parameters
    ----------
    seed : int, optional
        La semilla.
    name : str, optional
        Su nombre.
    """

    def __init__(self, seed=None, name=None):
        self.seed, self.name = seed, name
        self.generator = check.generator(seed)


def _generator(seed):
    if isinstance(seed, SeedGenerator):
        return seed.generator
    return check.generator(seed)


def _shape(shape):
    shape = () if shape == () else check.shape(shape, "shape")
    check.memory(math.prod(shape), "shape", 8)
    return shape


def _type(dtype):
    dtype = "float32" if dtype is None else dtype
    return np.dtype(check.choice(dtype, "dtype", ["float32", "float64"]))


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    r"""Da números de una distribución normal.

    >>> normal((2, 3), seed=0).shape
    (2, 3)

    Parameters
    ----------
    shape : tuple of int
        La forma.
    mean, stddev : float
        La media y la desviación.
    dtype : {"float32", "float64"}, optional
        El tipo; sin él, ``"float32"``.
    seed : int or SeedGenerator, optional
        La semilla.

    Returns
    -------
    ndarray
    """
    mean = check.number(mean, "mean")
    stddev = check.number(stddev, "stddev", 0)
    values = _generator(seed).normal(mean, stddev, _shape(shape))
    return values.astype(_type(dtype))


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    r"""Da números de una distribución normal, y saca otra vez los que caen a más de dos desviaciones.

    >>> bool(np.abs(truncated_normal((1000,), seed=0)).max() <= 2)
    True

    Parameters
    ----------
    shape, mean, stddev, dtype, seed
        Como en :func:`normal`.

    Returns
    -------
    ndarray
    """
    generator, shape = _generator(seed), _shape(shape)
    values = generator.standard_normal(math.prod(shape))
    while (far := np.abs(values) > 2).any():
        values[far] = generator.standard_normal(np.count_nonzero(far))
    mean = check.number(mean, "mean")
    stddev = check.number(stddev, "stddev", 0)
    return (mean + stddev * values).reshape(shape).astype(_type(dtype))


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    r"""Da números de ``minval`` a ``maxval``, todos igual de probables; al redondear, alguno puede ser ``maxval``.

    >>> values = uniform((100,), 2.0, 3.0, seed=0)
    >>> bool((values >= 2).all() and (values <= 3).all())
    True

    Parameters
    ----------
    shape, dtype, seed
        Como en :func:`normal`.
    minval, maxval : float
        Los extremos.

    Returns
    -------
    ndarray
    """
    low = check.number(minval, "minval")
    high = check.number(maxval, "maxval", low)
    values = _generator(seed).uniform(low, high, _shape(shape))
    return values.astype(_type(dtype))


def randint(shape, minval, maxval, dtype="int32", seed=None):
    r"""Da enteros de ``minval`` a ``maxval``, sin incluirlo.

    >>> sorted(set(randint((100,), 0, 3, seed=0).tolist()))
    [0, 1, 2]

    Parameters
    ----------
    shape, seed
        Como en :func:`normal`.
    minval, maxval : int
        Los extremos.
    dtype : {"int32", "int64"}
        El tipo.

    Returns
    -------
    ndarray
    """
    kind = check.choice(dtype, "dtype", ["int32", "int64"])
    # Lo que no cabe en el tipo daría la vuelta.
    bounds = np.iinfo(kind)
    low = check.integer(minval, "minval", bounds.min, bounds.max)
    high = check.integer(maxval, "maxval", low + 1, bounds.max + 1)
    return _generator(seed).integers(low, high, _shape(shape)).astype(kind)


def shuffle(x, axis=0, seed=None):
    r"""Da un arreglo barajado a lo largo de un eje; el original no cambia.

    >>> sorted(shuffle([3, 1, 2], seed=0).tolist())
    [1, 2, 3]

    Parameters
    ----------
    x : array_like
        El arreglo.
    axis : int
        El eje.
    seed : int or SeedGenerator, optional
        La semilla.

    Returns
    -------
    ndarray
    """
    x = np.asarray(x)
    axis = check.integer(axis, "axis", -x.ndim, x.ndim - 1)
    return _generator(seed).permutation(x, axis)


def categorical(logits, num_samples, dtype="int32", seed=None):
    r"""Sortea clases, cada una con la probabilidad que le dan sus *logits*.

    >>> categorical([[0.0, 50.0]], 3, seed=0)
    array([[1, 1, 1]], dtype=int32)

    Parameters
    ----------
    logits : array_like, shape (n, K)
        Los puntajes, una fila por sorteo.
    num_samples : int
        Cuántas veces se sortea con cada fila.
    dtype : {"int32", "int64"}
        El tipo.
    seed : int or SeedGenerator, optional
        La semilla.

    Returns
    -------
    ndarray of int, shape (n, num_samples)
    """
    logits = check.floats(logits, "logits", "n K").astype("float64")
    count = check.integer(num_samples, "num_samples", 1)
    # El mayor puntaje más un ruido de Gumbel es cada clase con su probabilidad.
    size = len(logits), count, logits.shape[1]
    noise = _generator(seed).gumbel(size=size)
    drawn = (logits[:, np.newaxis] + noise).argmax(-1)
    return drawn.astype(check.choice(dtype, "dtype", ["int32", "int64"]))
