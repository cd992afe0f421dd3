r"""Llevar unos vectores a longitud uno."""

import numpy as np

from dlbook import check


def normalize(x, axis=-1, order=2):
    r"""Divide cada vector entre su longitud.

    De un vector así normalizado queda solo la dirección. La longitud (*norm*) de orden :math:`p` es

    .. math::
       :label: ec-mlp-norma

       \lVert\mathbf x\rVert_p = \Bigl(\sum_j \lvert x_j\rvert^p\Bigr)^{1/p},
       \qquad
       \mathbf x' = \frac{\mathbf x}{\lVert\mathbf x\rVert_p} .

    Con :math:`p=2` es la de la regla y el compás; con 1, la suma, y con infinito, el mayor. Un vector de ceros se queda
    como está.

    **A mano.** El vector :math:`(3, 4)` mide 5, y la suma de sus números es 7:

    >>> normalize([[3, 4], [0, 0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    >>> normalize([[3, 4]], order=1).round(4)
    array([[0.4286, 0.5714]])

    Parameters
    ----------
    x : array_like
        Los números.
    axis : int
        El eje de los vectores.
    order : float
        El orden :math:`p`, mayor que 0; puede ser infinito.

    Returns
    -------
    ndarray
        De la misma forma.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o no hay ese eje.

        >>> normalize([3, 4], axis=1)
        Traceback (most recent call last):
            ...
        ValueError: axis: se esperaba un entero entre -1 y 0, pero llegó 1
    """
    x = check.floats(x, "x", "...")
    if not x.ndim:
        raise ValueError("x: se esperaba un arreglo, pero llegó un solo número")
    axis = check.integer(axis, "axis", -x.ndim, x.ndim - 1)
    if not (np.isscalar(order) and order == np.inf):
        order = check.number(order, "order", 0, open_low=True)
    largest = np.abs(x).max(axis, keepdims=True)
    largest[largest == 0] = 1
    # Se mide en unidades del mayor: los cuadrados de números enormes, o de minúsculos, no cabrían.
    x = x / largest
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    norm[norm == 0] = 1
    return x / norm  # [ec-mlp-norma]


def plain_normalize(x, axis, order):
    r"""Cada vector, entre su longitud."""
    powers = (np.abs(x) ** order).sum(axis, keepdims=True)
    return x / powers ** (1 / order)  # [ec-mlp-norma]
