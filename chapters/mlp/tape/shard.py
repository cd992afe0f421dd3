r"""La pérdida y el gradiente de una parte del lote, con una función que solo dice cuánto cuesta equivocarse."""

import numpy as np

from chapters.mlp.tape.tensor import GradientTape, Tensor
from chapters.mlp.tape.through import paused
from dlbook import check


def free_targets(y_true, output_shape, dtype):
    r"""Comprueba que lo correcto sean números, uno o más por observación; de su forma, la función sabrá.

    Lo que no tiene la forma de la salida, si son enteros, se queda como enteros: son etiquetas.

    >>> (
    ...     free_targets([2, 0], (3,), "float32"),
    ...     free_targets([2, 0], (1,), "float32").tolist(),
    ... )
    (array([2, 0]), [[2.0], [0.0]])

    Parameters
    ----------
    y_true, output_shape, dtype
        Como en :meth:`Loss.prepare`.

    Returns
    -------
    ndarray, shape (n, ...)
    """
    y_true = check.numbers_of(y_true, "y_true")
    if y_true.ndim == 0 or not y_true.size:
        raise ValueError(f"y_true: se esperaba algo por observación, pero llegó la forma {y_true.shape}")
    if y_true.ndim == 1 and tuple(output_shape) == (1,):
        y_true = y_true[:, np.newaxis]
    if y_true.dtype.kind in "biu" and y_true.shape[1:] != tuple(output_shape):
        return np.ascontiguousarray(y_true, np.int64)
    return np.ascontiguousarray(check.floats(y_true, "y_true"), dtype)


def taped_shard(function, name, y_true, y_pred, weight, gradient):
    r"""Suma, con sus pesos, las pérdidas que da una función, y escribe el gradiente que la cinta encuentra.

    Parameters
    ----------
    function : callable
        Recibe lo correcto y lo predicho; da una pérdida por observación o un número.
    name : str
        Su nombre, para el mensaje.
    y_true, y_pred, weight, gradient
        Como en :meth:`Loss.shard`.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        Si no se sabe derivar, o si no da una pérdida por observación, ni un número.
    """
    own = getattr(function, "gradient", None)
    with paused(), np.errstate(all="ignore"):
        if own is not None:
            losses, slope = np.asarray(function(y_true, y_pred)), np.asarray(own(y_true, y_pred))
            share = _shares(losses, weight, name)
            slope = slope * np.reshape(share, share.shape + (1,) * (slope.ndim - share.ndim))
        else:
            with GradientTape() as tape:
                t = tape.node(y_pred)
                losses = _derivable(function, name, y_true, t)
            share = _shares(losses, weight, name)
            slope = None
            if isinstance(losses, Tensor):
                slope = tape.gradient(losses, t, np.asarray(share, losses.dtype))
            if slope is None:
                raise ValueError(
                    f"{name}: se esperaba que la cinta supiera derivarla; escríbela con keras.ops, o dale su "
                    f"gradiente en {name}.gradient, una función de lo mismo"
                )
    if slope.shape != y_pred.shape:
        raise ValueError(f"{name}.gradient: se esperaba la forma {y_pred.shape}, pero dio {slope.shape}")
    gradient[...] = slope
    return float(np.sum(np.asarray(losses) * share))


def _derivable(function, name, y_true, t):
    try:
        return function(y_true, t)
    except TypeError as error:
        if "la cinta no sabe derivar" not in str(error):
            raise
        raise ValueError(f"{name}: {error}, o que el gradiente venga en {name}.gradient") from error


def _shares(losses, weight, name):
    # Cuánto cuenta cada pérdida en la suma. Un solo número es la media de las observaciones.
    shape = np.shape(losses)
    if not isinstance(losses, (Tensor, np.ndarray, np.generic, float)) or (shape and shape[0] != len(weight)):
        came = f"la forma {shape}" if shape else type(losses).__name__
        raise ValueError(f"{name}: se esperaba una pérdida por observación, {len(weight)}, o un número; llegó {came}")
    if not shape:
        return weight.sum()
    # Con más ejes, cada observación vale la media de lo suyo.
    spread = weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim)) if len(shape) >= weight.ndim else weight
    share = np.broadcast_to(spread, shape)
    return share * (weight.size / share.size)
