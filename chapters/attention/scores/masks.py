r"""Máscaras: quién puede mirar a quién."""

import numpy as np

from dlbook import check


def causal_mask(steps, sources=None):
    r"""La máscara causal: cada posición puede mirar las anteriores y a sí misma, y ninguna de las que siguen.

    Una red que aprende a escribir la palabra que sigue no puede leerla antes. La posición :math:`t` mira a la
    :math:`s` solo si

    .. math::
       :label: ec-att-causal

       s\le t .

    Un cierto quiere decir «puede mirar», como en Keras. Es un triángulo:

    >>> causal_mask(4).astype(int)
    array([[1, 0, 0, 0],
           [1, 1, 0, 0],
           [1, 1, 1, 0],
           [1, 1, 1, 1]])

    Si lo mirado es otra secuencia, las posiciones de las dos se cuentan desde el principio:

    >>> causal_mask(2, 3).astype(int)
    array([[1, 0, 0],
           [1, 1, 0]])

    Parameters
    ----------
    steps : int
        Cuántas posiciones miran, :math:`T`.
    sources : int, optional
        Cuántas se pueden mirar, :math:`S`; sin él, las mismas.

    Returns
    -------
    ndarray of bool, shape (T, S)

    Raises
    ------
    TypeError, ValueError
        Si no son enteros de al menos 1, o si no cabe en la memoria.
    """
    steps = check.integer(steps, "steps", 1)
    sources = steps if sources is None else sources
    sources = check.integer(sources, "sources", 1)
    check.memory(steps * sources, "la máscara", 1)
    return np.arange(sources) <= np.arange(steps)[:, np.newaxis]  # [ec-att-causal]
