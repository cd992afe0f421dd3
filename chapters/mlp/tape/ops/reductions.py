r"""De muchos números a pocos: sumas, medias, mayores, y sus gradientes."""

import numpy as np

from chapters.mlp.tape.operation import axes_of, axis_of, operation, real, restored
from chapters.mlp.tape.ops.arithmetic import absolute, divide, multiply, sqrt, square
from chapters.mlp.tape.tensor import numbers_in, record
from dlbook import check


def _summed(x):
    # Sí y no se cuentan; los enteros pequeños no deben desbordarse.
    x = np.asarray(numbers_in(x))
    return x.astype(np.int32) if x.dtype.kind == "b" else x


@operation(np.sum)
def sum(x, axis=None, keepdims=False):
    r"""Suma a lo largo de unos ejes.

    **Derivación.** De :math:`y=\sum_i x_i`, cada :math:`x_i` entra con derivada 1, y el gradiente que llega se reparte
    entero a todos:

    .. math::
       :label: ec-mlp-cinta-suma

       \bar x_i=\bar y .

    Es la pareja de :eq:`ec-mlp-repeticion`: hacia atrás, repetir es sumar, y sumar es repetir.

    >>> from chapters.mlp import GradientTape
    >>> x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> with GradientTape() as tape:
    ...     y = sum(x, axis=1)
    >>> tape.gradient(y, x, output_gradients=[np.array([10.0, 20.0])])
    array([[10., 10., 10.],
           [20., 20., 20.]])
    """
    x_ = _summed(x)
    axes = axes_of(axis, x_.ndim)
    y = np.sum(x_, axis=axes, keepdims=keepdims, dtype=x_.dtype)
    return record(y, (x, lambda dy: restored(dy, axes, x_.ndim, keepdims)))  # [ec-mlp-cinta-suma]


@operation(np.mean)
def mean(x, axis=None, keepdims=False):
    r"""Media de :math:`n` números: :math:`\bar x_i=\bar y/n`."""
    x_ = np.asarray(real(x))
    axes = axes_of(axis, x_.ndim)
    y = np.mean(x_, axis=axes, keepdims=keepdims)
    return record(y, (x, lambda dy: restored(dy, axes, x_.ndim, keepdims) * (y.size / x_.size)))


@operation(np.var)
def var(x, axis=None, keepdims=False):
    r"""Varianza, con media :math:`m`: :math:`\bar x_i=\frac2n\bar y\,(x_i-m)`."""
    x_ = np.asarray(real(x))
    axes = axes_of(axis, x_.ndim)
    away = x_ - x_.mean(axis=axes, keepdims=True)
    y = np.mean(away * away, axis=axes, keepdims=keepdims)
    return record(y, (x, lambda dy: restored(dy, axes, x_.ndim, keepdims) * (2 * y.size / x_.size) * away))


@operation(np.std)
def std(x, axis=None, keepdims=False):
    r"""Desviación estándar: la raíz de :func:`var`."""
    return sqrt(var(x, axis, keepdims))


def _extreme(reduce, x, axis, keepdims, initial):
    x_ = np.asarray(numbers_in(x))
    axes = axes_of(axis, x_.ndim)
    options = {} if initial is None else {"initial": check.number(initial, "initial")}
    top = reduce(x_, axis=axes, keepdims=True, **options)

    def pull(dy):
        hit = x_ == top
        return restored(dy, axes, x_.ndim, keepdims) * hit / np.maximum(hit.sum(axis=axes, keepdims=True), 1)

    return record(top if keepdims else top.reshape(reduce(x_, axis=axes, **options).shape), (x, pull))


@operation(np.max)
def max(x, axis=None, keepdims=False, initial=None):
    r"""El mayor: :math:`\bar y` le toca al que lo es; si empatan varios, a partes iguales."""
    return _extreme(np.max, x, axis, keepdims, initial)


@operation(np.min)
def min(x, axis=None, keepdims=False, initial=None):
    r"""El menor: :math:`\bar y` le toca al que lo es; si empatan varios, a partes iguales."""
    return _extreme(np.min, x, axis, keepdims, initial)


@operation(np.prod)
def prod(x, axis=None, keepdims=False, dtype=None):
    r"""Producto: :math:`\bar x_i=\bar y\prod_{j\ne i}x_j`."""
    if dtype is not None:
        from chapters.mlp.tape.ops.creation import cast

        x = cast(x, dtype)
    x_ = _summed(x)
    axes = axes_of(axis, x_.ndim)

    def pull(dy):
        # Lo de antes por lo de después: sirve también si hay ceros.
        rest = [k for k in range(x_.ndim) if k not in axes]
        flat = x_.transpose(*rest, *axes).reshape(*(x_.shape[k] for k in rest), -1)
        one = np.ones_like(flat[..., :1])
        before = np.cumprod(np.concatenate([one, flat[..., :-1]], axis=-1), axis=-1)
        after = np.cumprod(np.concatenate([one, flat[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
        others = (before * after).reshape([x_.shape[k] for k in (*rest, *axes)])
        return restored(dy, axes, x_.ndim, keepdims) * others.transpose(np.argsort([*rest, *axes]))

    return record(np.prod(x_, axis=axes, keepdims=keepdims, dtype=x_.dtype), (x, pull))


@operation(np.cumsum)
def cumsum(x, axis=None, dtype=None):
    r"""Sumas parciales: :math:`\bar x_i=\sum_{k\ge i}\bar y_k`."""
    if dtype is not None:
        from chapters.mlp.tape.ops.creation import cast

        x = cast(x, dtype)
    x_ = _summed(x)
    if axis is None:
        return record(np.cumsum(x_, dtype=x_.dtype), (x, lambda dy: np.cumsum(dy[::-1])[::-1].reshape(x_.shape)))
    k = axis_of(axis, x_.ndim)
    y = np.cumsum(x_, axis=k, dtype=x_.dtype)
    return record(y, (x, lambda dy: np.flip(np.cumsum(np.flip(dy, k), axis=k), k)))


@operation()
def logsumexp(x, axis=None, keepdims=False):
    r""":math:`\ln\sum_ie^{x_i}`, sin desbordar: :math:`\bar x_i=\bar y\,e^{x_i-y}`."""
    x_ = np.asarray(real(x))
    axes = axes_of(axis, x_.ndim)
    top = x_.max(axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    y = np.log(np.exp(x_ - top).sum(axis=axes, keepdims=True)) + top
    return record(
        y if keepdims else np.squeeze(y, axes),
        (x, lambda dy: restored(dy, axes, x_.ndim, keepdims) * np.exp(x_ - y)),
    )


@operation(np.average)
def average(x, axis=None, weights=None):
    r"""Media con pesos, :math:`\sum_iw_ix_i/\sum_iw_i`: se deriva por partes."""
    if weights is None:
        return mean(x, axis)
    size = numbers_in(weights, "weights")
    x_ = np.asarray(numbers_in(x))
    if np.ndim(size) == 1 and x_.ndim > 1:
        from chapters.mlp.tape.ops.shapes import reshape

        place = axis_of(axis, x_.ndim)
        weights = reshape(weights, [-1 if k == place else 1 for k in range(x_.ndim)])
        weights = multiply(weights, np.ones(x_.shape, x_.dtype))
    return divide(sum(multiply(x, weights), axis), sum(weights, axis))


@operation(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    r"""Norma: la raíz de :math:`\sum_ix_i^2`; con ``ord`` 1 o infinito, :math:`\sum_i|x_i|` o el mayor."""
    if ord in (None, 2, "fro", "euclidean"):
        # Con ord=2, la norma de una matriz entera es otra cosa.
        if ord == 2 and (np.ndim(numbers_in(x)) if axis is None else len(axes_of(axis, np.ndim(numbers_in(x))))) > 1:
            raise ValueError("ord: se esperaba None para la norma de una matriz, pero llegó 2")
        return sqrt(sum(square(real_of(x)), axis, keepdims))
    if ord == 1:
        return sum(absolute(x), axis, keepdims)
    if ord == np.inf:
        return max(absolute(x), axis, keepdims)
    raise ValueError(f"ord: se esperaba None, 1, 2 o infinito, pero llegó {ord!r}")


def real_of(x):
    r"""Un tensor de enteros no existe: lo que no es de reales pasa a serlo."""
    return x if getattr(x, "dtype", np.dtype(int)).kind == "f" else real(x)
