r"""Atender: de unos puntajes, los pesos; de los pesos, el promedio. Y de regreso."""

import numpy as np

from chapters.mlp.activations.exponential import exp
from dlbook import check
from dlbook.numeric.kernel import kernel


def attend(scores, value, mask=None):
    r"""Promedia unos valores con los pesos que salen de unos puntajes, fila por fila.

    En la fila :math:`t` están los puntajes de la consulta :math:`t` con cada clave. Sus pesos son un softmax, y lo
    que sale es el promedio de los valores; se llama **contexto** (*context*):

    .. math::
       :label: ec-att-contexto

       a_{ts}=\frac{m_{ts}\,e^{e_{ts}}}{\sum_{r}m_{tr}\,e^{e_{tr}}},
       \qquad
       \mathbf z_t=\sum_s a_{ts}\,\mathbf v_s .

    La **máscara** :math:`m_{ts}` vale 1 donde se puede mirar y 0 donde no. Lo que no se puede mirar tiene peso cero, y
    los demás siguen sumando 1, porque no entró en la suma. Si no se puede mirar nada, todos los pesos son cero y el
    contexto también.

    **A mano.** Dos consultas y tres claves; la segunda consulta no puede mirar la última:

    >>> scores = np.log([[1.0, 2.0, 1.0], [3.0, 1.0, 6.0]])
    >>> value = [[4.0], [8.0], [0.0]]
    >>> z, weights = attend(scores, value, [[1, 1, 1], [1, 1, 0]])
    >>> weights.round(2)
    array([[0.25, 0.5 , 0.25],
           [0.75, 0.25, 0.  ]])
    >>> z.round(2)
    array([[5.],
           [5.]])

    Parameters
    ----------
    scores : array_like, shape (..., T, S)
        Los puntajes.
    value : array_like, shape (..., S, d)
        Los valores.
    mask : array_like of bool, shape (..., T, S), optional
        Dónde se puede mirar; sin ella, en todas partes. Sus ejes pueden medir 1, y se repiten.

    Returns
    -------
    z : ndarray, shape (..., T, d)
        Los contextos.
    weights : ndarray, shape (..., T, S)
        Los pesos.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no encajan.

        >>> attend(scores, [[4.0], [8.0]])
        Traceback (most recent call last):
            ...
        ValueError: value: se esperaba la forma (S=3, d), pero llegó (2, 1)
    """
    scores = check.floats(scores, "scores", "... T S")
    value = _of(value, "value", scores.shape[:-2], {"S": scores.shape[-1]}, "S d").astype(scores.dtype)
    mask = _fitted_mask(mask, scores.shape)
    weights = np.empty_like(scores)
    _attention_weights(scores, mask, weights)
    return np.matmul(weights, value), weights


def _of(array, name, lead, sizes, axes):
    # Con los mismos primeros ejes, y los dos últimos de la forma que se dice.
    array = check.floats(array, name, f"{'... ' if lead else ''}{axes}", sizes)
    if array.shape[:-2] != lead:
        raise ValueError(f"{name}: se esperaban los primeros ejes {lead}, pero llegó la forma {array.shape}")
    return array


def _fitted_mask(mask, shape):
    if mask is None:
        return np.ones(shape, bool)
    mask = check.mask(mask, "mask")
    try:
        return np.ascontiguousarray(np.broadcast_to(mask, shape))
    except ValueError:
        raise ValueError(f"mask: se esperaba la forma {shape}, pero llegó {mask.shape}") from None


def _attention_weights(scores, mask, weights):
    columns = scores.shape[-1]
    _masked_softmax(scores.reshape(-1, columns), mask.reshape(-1, columns), weights.reshape(-1, columns))


@kernel(error_model="numpy")
def _masked_softmax(scores, mask, weights):
    zero = scores.dtype.type(0)
    for i in range(scores.shape[0]):
        largest, any_seen = zero, False
        for j in range(scores.shape[1]):
            if mask[i, j] and (not any_seen or scores[i, j] > largest):
                largest, any_seen = scores[i, j], True
        # Lo que no se ve no da exponentes positivos, y luego se borra.
        for j in range(scores.shape[1]):
            weights[i, j] = exp(min(scores[i, j] - largest, zero))
        total = zero
        for j in range(scores.shape[1]):
            weights[i, j] = weights[i, j] if mask[i, j] else zero
            total += weights[i, j]
        for j in range(scores.shape[1]):
            if any_seen:
                weights[i, j] /= total  # [ec-att-contexto]


def plain_attend(scores, value, mask):
    r"""Un softmax de lo que se puede mirar, y un producto."""
    lowest = np.finfo(scores.dtype).min
    largest = scores.max(-1, keepdims=True, where=mask, initial=lowest)
    e = np.exp(np.where(mask, scores - largest, -np.inf))
    total = e.sum(axis=-1, keepdims=True)
    weights = e / np.where(total > 0, total, 1)  # [ec-att-contexto]
    return weights @ value, weights  # [ec-att-contexto]


def attend_backward(weights, value, dy):
    r"""Reparte el gradiente del contexto entre los valores y los puntajes.

    **Derivación.** Escribamos :math:`\mathbf g_t=\partial\mathcal L/\partial\mathbf z_t`. En :eq:`ec-att-contexto`, el
    valor :math:`\mathbf v_s` entra en todos los contextos, multiplicado por :math:`a_{ts}`: le toca la suma. Y mover
    :math:`a_{ts}` mueve a :math:`\mathbf z_t` en la dirección de :math:`\mathbf v_s`:

    .. math::
       :label: ec-att-contexto-valores

       \frac{\partial\mathcal L}{\partial\mathbf v_s}=\sum_t a_{ts}\,\mathbf g_t,
       \qquad
       b_{ts}=\frac{\partial\mathcal L}{\partial a_{ts}}=\mathbf g_t\cdot\mathbf v_s .

    De los pesos a los puntajes hay un softmax en cada fila, con la vuelta de :eq:`ec-mlp-softmax-atras`:

    .. math::
       :label: ec-att-contexto-puntajes

       \frac{\partial\mathcal L}{\partial e_{ts}}
       =a_{ts}\Bigl(b_{ts}-\sum_r a_{tr}\,b_{tr}\Bigr) .

    Lo que la máscara escondió tiene :math:`a_{ts}=0`, así que su gradiente es cero sin hacer nada más.

    **Cómo se lee.** La suma es :math:`\mathbf g_t\cdot\mathbf z_t`: el paréntesis es
    :math:`\mathbf g_t\cdot(\mathbf v_s-\mathbf z_t)`. Un puntaje baja si su valor empuja la pérdida hacia arriba más
    que el promedio, y sube si empuja menos.

    **A mano.** Con los pesos :math:`(\tfrac14,\tfrac12,\tfrac14)`, los valores 4, 8 y 0 y el gradiente 1: el contexto
    es 5, y los paréntesis, −1, 3 y −5.

    >>> weights, value = [[0.25, 0.5, 0.25]], [[4.0], [8.0], [0.0]]
    >>> dvalue, dscores = attend_backward(weights, value, [[1.0]])
    >>> dvalue.T, dscores
    (array([[0.25, 0.5 , 0.25]]), array([[-0.25,  1.5 , -1.25]]))

    Parameters
    ----------
    weights : array_like, shape (..., T, S)
        Los pesos que dio :func:`attend`.
    value : array_like, shape (..., S, d)
        Los valores que recibió.
    dy : array_like, shape (..., T, d)
        El gradiente de los contextos.

    Returns
    -------
    dvalue : ndarray, shape (..., S, d)
        El de los valores.
    dscores : ndarray, shape (..., T, S)
        El de los puntajes.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no encajan.
    """
    weights = check.floats(weights, "weights", "... T S")
    lead, sizes = weights.shape[:-2], dict(zip("TS", weights.shape[-2:], strict=True))
    value = _of(value, "value", lead, sizes, "S d").astype(weights.dtype)
    dy = _of(dy, "dy", lead, sizes, "T d").astype(weights.dtype)
    return plain_attend_backward(weights, value, dy)


def plain_attend_backward(weights, value, dy):
    r"""Dos productos, y la vuelta del softmax."""
    dvalue = weights.swapaxes(-1, -2) @ dy  # [ec-att-contexto-valores]
    b = dy @ value.swapaxes(-1, -2)  # [ec-att-contexto-valores]
    mean = (weights * b).sum(axis=-1, keepdims=True)
    return dvalue, weights * (b - mean)  # [ec-att-contexto-puntajes]
