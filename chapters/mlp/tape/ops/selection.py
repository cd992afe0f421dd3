r"""Escoger: con índices, repitiendo o en otro orden; hacia atrás, cada quien recibe lo de los lugares a donde fue."""

import numpy as np

from chapters.mlp.tape.operation import axes_of, axis_of, operation, sizes_of
from chapters.mlp.tape.ops.shapes import reshape
from chapters.mlp.tape.tensor import OPERATIONS, _plain, numbers_in, record
from dlbook import check


def chosen(x, rule):
    r"""Escoge números de un arreglo, en el orden y las veces que sea.

    **Derivación.** Si en el lugar :math:`k` de la salida va el número :math:`i(k)` de la entrada, :math:`y_k=x_{i(k)}`,
    entonces mover :math:`x_j` mueve todos los lugares a donde fue:

    .. math::
       :label: ec-mlp-cinta-escoger

       \bar x_j=\sum_{k\,:\,i(k)=j}\bar y_k .

    El que no se escogió recibe 0. La regla :math:`i` se obtiene haciendo lo mismo con los números de los lugares.

    >>> from chapters.mlp import GradientTape
    >>> x = np.array([10.0, 20.0, 30.0])
    >>> with GradientTape() as tape:
    ...     y = chosen(x, lambda numbers: numbers[[0, 2, 2]])
    >>> y.numpy(), tape.gradient(y, x)
    (array([10., 30., 30.]), array([1., 0., 2.]))

    Parameters
    ----------
    x : Tensor or array_like
        De dónde se escoge.
    rule : callable
        Recibe un arreglo de la misma forma y escoge.

    Returns
    -------
    Tensor or ndarray
    """
    x_ = np.asarray(numbers_in(x))
    y = np.array(rule(x_))

    def pull(dy):
        places = rule(np.arange(x_.size).reshape(x_.shape))
        sums = np.bincount(np.ravel(places), np.ravel(dy), x_.size)  # [ec-mlp-cinta-escoger]
        return sums.reshape(x_.shape)

    return record(y, (x, pull))


@operation("getitem")
def getitem(x, index):
    r"""Escoge con índices, como ``x[index]``."""
    index = _plain(index)
    return chosen(x, lambda numbers: numbers[index])


@operation()
def slice(inputs, start_indices, shape):
    r"""Un tramo por eje: dónde empieza y cuántos."""
    parts = []
    for k, (start, count, size) in enumerate(zip(start_indices, shape, np.shape(numbers_in(inputs)), strict=True)):
        start = check.integer(start, f"start_indices[{k}]", 0, size)
        count = check.integer(count, f"shape[{k}]", -1, size - start)
        # En el archivo, slice es esta función.
        parts.append(np.s_[start : start + count] if count >= 0 else np.s_[start:])
    return getitem(inputs, tuple(parts))


def _whole(indices, name="indices"):
    indices = np.asarray(numbers_in(indices, name))
    if indices.dtype.kind not in "biu" and not (indices == indices.astype(np.int64)).all():
        raise TypeError(f"{name}: se esperaban enteros, pero llegó {indices.dtype}")
    return indices.astype(np.int64)


@operation(np.take)
def take(x, indices, axis=None):
    r"""Escoge a lo largo de un eje: cada fila recibe la suma de lo de sus apariciones."""
    indices, x_ = _whole(indices), np.asarray(numbers_in(x))
    if axis is None:
        return chosen(x, lambda numbers: np.take(numbers, indices))
    k = axis_of(axis, x_.ndim)

    def pull(dy):
        dx = np.zeros_like(x_)
        rows = np.moveaxis(dy, range(k, k + indices.ndim), range(indices.ndim))
        np.add.at(np.moveaxis(dx, k, 0), indices, rows)
        return dx

    return record(np.take(x_, indices, axis=k), (x, pull))


@operation(np.take_along_axis)
def take_along_axis(x, indices, axis=None):
    r"""Escoge a lo largo de un eje, con índices distintos en cada fila."""
    indices, x_ = _whole(indices), np.asarray(numbers_in(x))
    axis = None if axis is None else axis_of(axis, x_.ndim)
    return chosen(x, lambda numbers: np.take_along_axis(numbers, indices, axis))


@operation(np.repeat)
def repeat(x, repeats, axis=None):
    r"""Repite cada uno varias veces, seguidas."""
    x_ = np.asarray(numbers_in(x))
    axis = None if axis is None else axis_of(axis, x_.ndim)
    repeats = np.asarray(numbers_in(repeats, "repeats"))
    check.memory(int(np.max(repeats)) * x_.size, "repeats", 8)
    return chosen(x, lambda numbers: np.repeat(numbers, repeats, axis))


@operation(np.tile)
def tile(x, repeats):
    r"""Repite el arreglo entero a lo largo de cada eje."""
    repeats = sizes_of(repeats, "repeats")
    check.memory(int(np.prod(repeats)) * np.size(numbers_in(x)), "repeats", 8)
    return chosen(x, lambda numbers: np.tile(numbers, repeats))


@operation(np.flip)
def flip(x, axis=None):
    r"""Al revés."""
    axes = axes_of(axis, np.ndim(numbers_in(x)))
    return chosen(x, lambda numbers: np.flip(numbers, axes))


@operation(np.roll)
def roll(x, shift, axis=None):
    r"""Da vuelta: los que se salen por un lado entran por el otro."""
    shift = _whole(shift, "shift")
    return chosen(x, lambda numbers: np.roll(numbers, shift, axis))


@operation(np.pad)
def pad(x, pad_width, mode="constant", constant_values=None):
    r"""Agrega una orilla; con ``"constant"``, de un número, que no recibe gradiente."""
    mode = check.choice(mode, "mode", ["constant", "edge", "reflect", "symmetric"])
    x_ = np.asarray(numbers_in(x))
    width = np.broadcast_to(_whole(pad_width, "pad_width"), (x_.ndim, 2))
    check.memory(int(np.prod(width.sum(axis=1) + x_.shape, dtype=float)), "pad_width", 8)
    if mode != "constant":
        return chosen(x, lambda numbers: np.pad(numbers, width, mode))
    fill = 0 if constant_values is None else check.number(constant_values, "constant_values")
    here = tuple(np.s_[a : a + size] for (a, _), size in zip(width, x_.shape, strict=True))
    return record(np.pad(x_, width, constant_values=fill), (x, lambda dy: dy[here]))


@operation(np.sort)
def sort(x, axis=-1):
    r"""De menor a mayor: cada uno recibe lo del lugar que le tocó."""
    x_ = np.asarray(numbers_in(x))
    if axis is None:
        return sort(reshape(x, (-1,)))
    k = axis_of(axis, x_.ndim)
    return take_along_axis(x, np.argsort(x_, axis=k, kind="stable"), k)


@operation()
def top_k(x, k, sorted=True):
    r"""Los ``k`` mayores del último eje, de mayor a menor, y dónde están."""
    x_ = np.asarray(numbers_in(x))
    k = check.integer(k, "k", 1, x_.shape[-1])
    places = np.argsort(-x_, axis=-1, kind="stable")[..., :k]
    return take_along_axis(x, places, -1), places.astype(np.int32)


OPERATIONS["getitem"] = getitem
