r"""Los mismos números en otra forma, juntos o repartidos."""

import math

import numpy as np

from chapters.mlp.tape.operation import axes_of, axis_of, operation
from chapters.mlp.tape.tensor import numbers_in, record
from dlbook import check


@operation(np.reshape)
def reshape(x, newshape):
    r"""Otra forma: :math:`\bar{\mathbf x}` es :math:`\bar{\mathbf y}` con la de antes."""
    x_ = np.asarray(numbers_in(x))
    newshape = newshape if isinstance(newshape, (tuple, list)) else (newshape,)
    sizes = [check.integer(int(s) if hasattr(s, "__index__") else s, "newshape", -1) for s in newshape]
    return record(x_.reshape(sizes), (x, lambda dy: dy.reshape(x_.shape)))


@operation(np.ravel)
def ravel(x):
    r"""En fila: como :func:`reshape`."""
    return reshape(x, (-1,))


@operation(np.expand_dims)
def expand_dims(x, axis):
    r"""Un eje más, de tamaño 1: como :func:`reshape`."""
    x_ = np.asarray(numbers_in(x))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return reshape(x, np.expand_dims(x_, axes_of(axes, x_.ndim + len(axes))).shape)


@operation(np.squeeze)
def squeeze(x, axis=None):
    r"""Sin los ejes de tamaño 1: como :func:`reshape`."""
    x_ = np.asarray(numbers_in(x))
    return reshape(x, np.squeeze(x_, None if axis is None else axes_of(axis, x_.ndim)).shape)


@operation(np.transpose, np.permute_dims)
def transpose(x, axes=None):
    r"""Los ejes en otro orden: a :math:`\bar{\mathbf y}` se le da el orden contrario."""
    x_ = np.asarray(numbers_in(x))
    axes = tuple(range(x_.ndim))[::-1] if axes is None else axes_of(axes, x_.ndim, "axes")
    return record(x_.transpose(axes), (x, lambda dy: dy.transpose(np.argsort(axes))))


@operation(np.swapaxes)
def swapaxes(x, axis1, axis2):
    r"""Dos ejes, uno en el lugar del otro: como :func:`transpose`."""
    order = list(range(np.ndim(numbers_in(x))))
    i, j = axis_of(axis1, len(order), "axis1"), axis_of(axis2, len(order), "axis2")
    order[i], order[j] = j, i
    return transpose(x, order)


@operation(np.moveaxis)
def moveaxis(x, source, destination):
    r"""Unos ejes, a otro lugar: como :func:`transpose`."""
    ndim = np.ndim(numbers_in(x))
    source, destination = axes_of(source, ndim, "source"), axes_of(destination, ndim, "destination")
    order = [k for k in range(ndim) if k not in source]
    for place, k in sorted(zip(destination, source, strict=True)):
        order.insert(place, k)
    return transpose(x, order)


def _list_of(xs, name):
    if not isinstance(xs, (list, tuple)) or not xs:
        raise TypeError(f"{name}: se esperaba una lista de arreglos, pero llegó {type(xs).__name__}")
    values = [np.asarray(numbers_in(one, f"{name}[{k}]")) for k, one in enumerate(xs)]
    # Entre reales, los enteros son reales del mismo tipo.
    real = [v.dtype for v in values if v.dtype.kind == "f"]
    return [v.astype(np.result_type(*real)) for v in values] if real else values


@operation(np.concatenate)
def concatenate(xs, axis=0):
    r"""Unos a continuación de otros: a cada uno le toca su tramo de :math:`\bar{\mathbf y}`."""
    values = _list_of(xs, "xs")
    k = axis_of(axis, values[0].ndim)
    y = np.concatenate(values, axis=k)
    ends = np.cumsum([v.shape[k] for v in values])

    def pull(end, count):
        return lambda dy: np.take(dy, range(end - count, end), axis=k)

    return record(y, *((x, pull(end, v.shape[k])) for x, v, end in zip(xs, values, ends, strict=True)))


@operation(np.stack)
def stack(x, axis=0):
    r"""Unos sobre otros, en un eje nuevo: a cada uno le toca su capa de :math:`\bar{\mathbf y}`."""
    values = _list_of(x, "x")
    k = axis_of(axis, values[0].ndim + 1)
    y = np.stack(values, axis=k)
    return record(y, *((one, lambda dy, i=i: np.take(dy, i, axis=k)) for i, one in enumerate(x)))


@operation(np.split)
def split(x, indices_or_sections, axis=0):
    r"""En tramos: cada uno devuelve lo suyo a su lugar."""
    x_ = np.asarray(numbers_in(x))
    k = axis_of(axis, x_.ndim)
    if isinstance(indices_or_sections, (int, np.integer)):
        parts = check.integer(indices_or_sections, "indices_or_sections", 1, x_.shape[k])
        if x_.shape[k] % parts:
            raise ValueError(
                f"indices_or_sections: se esperaba un divisor de {x_.shape[k]}, pero llegó {indices_or_sections}"
            )
        cuts = [x_.shape[k] // parts * i for i in range(1, parts)]
    else:
        cuts = [check.integer(int(i), "indices_or_sections", 0) for i in indices_or_sections]
    return [_part(x, x_, k, a, b) for a, b in zip([0, *cuts], [*cuts, x_.shape[k]], strict=True)]


def _part(x, x_, axis, start, stop):
    here = (slice(None),) * axis + (slice(start, stop),)

    def pull(dy):
        dx = np.zeros_like(x_)
        dx[here] = dy
        return dx

    return record(x_[here], (x, pull))


@operation(np.unstack)
def unstack(x, num=None, axis=0):
    r"""Las capas de un eje, en una lista: como :func:`split`, sin el eje."""
    x_ = np.asarray(numbers_in(x))
    k = axis_of(axis, x_.ndim)
    if num is not None and num != x_.shape[k]:
        raise ValueError(f"num: se esperaba {x_.shape[k]}, pero llegó {num}")
    return [squeeze(_part(x, x_, k, i, i + 1), k) for i in range(x_.shape[k])]


@operation(np.broadcast_to)
def broadcast_to(x, shape):
    r"""Repite hasta llenar una forma: cada número recibe la suma de lo de sus copias."""
    x_ = np.asarray(numbers_in(x))
    shape = tuple(check.integer(int(s), "shape", 0) for s in (shape if isinstance(shape, (tuple, list)) else (shape,)))
    check.memory(math.prod(shape), "shape", x_.itemsize)
    return record(np.array(np.broadcast_to(x_, shape)), (x, lambda dy: dy))


@operation(np.tril)
def tril(x, k=0):
    r"""Lo de la diagonal y abajo; lo demás es 0, y :math:`\bar{\mathbf x}` también."""
    k = check.integer(k, "k")
    return record(np.tril(numbers_in(x), k), (x, lambda dy: np.tril(dy, k)))


@operation(np.triu)
def triu(x, k=0):
    r"""Lo de la diagonal y arriba; lo demás es 0, y :math:`\bar{\mathbf x}` también."""
    k = check.integer(k, "k")
    return record(np.triu(numbers_in(x), k), (x, lambda dy: np.triu(dy, k)))
