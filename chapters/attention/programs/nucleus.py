r"""Sortear solo entre lo probable: el núcleo que junta cierta probabilidad."""

import numpy as np

from chapters.rnn.programs.sampling import _logits, plain_temper
from dlbook import check


def nucleus(logits, p):
    r"""Deja los puntajes más altos, los que hagan falta para juntar una probabilidad :math:`p` (*nucleus*, *top-p*).

    Con :func:`~chapters.rnn.top_k` quedan siempre los mismos :math:`k`. Pero hay momentos en que solo cabe una letra,
    y otros en que caben veinte. Aquí se fija cuánta probabilidad queda, y no cuántas letras :cite:p:`holtzman2020`. El
    **núcleo** es el conjunto más pequeño que junta al menos :math:`p`:

    .. math::
       :label: ed-att-nucleo-chico

       S^\ast=\operatorname*{arg\,min}_{S}\ |S|
       \quad\text{con}\quad \sum_{j\in S}p_j\ge p .

    **Cómo se encuentra.** Entre todos los conjuntos de :math:`m` letras, el que más probabilidad junta es el de las
    :math:`m` más probables. Así que si ese no llega a :math:`p`, ninguno de :math:`m` llega. Ordena las
    probabilidades, :math:`p_{(1)}\ge p_{(2)}\ge\dots`, y el tamaño del núcleo es el primer :math:`m` con el que se
    llega. La que está en el lugar :math:`i` entra si las **anteriores** no bastaban:

    .. math::
       :label: ec-att-nucleo

       (i)\in S^\ast\iff\sum_{l<i}p_{(l)}<p .

    Con :math:`p>0` la primera entra, porque delante no hay nada. De las que quedan se conservan los cocientes. Su
    suma, antes :math:`s\ge p`, pasa a ser 1: cada una crece :math:`1/s\le1/p` veces.

    **A mano.** Con :math:`p=0.7` y probabilidades 0.5, 0.3, 0.1 y 0.1, la primera junta 0.5 y no basta; con la segunda
    se llega a 0.8. Quedan dos, que después valen :math:`0.5/0.8` y :math:`0.3/0.8`. Si la primera ya tuviera 0.9,
    quedaría sola:

    >>> from chapters.rnn import temper
    >>> temper(nucleus(np.log([0.5, 0.1, 0.3, 0.1]), 0.7)).round(3)
    array([0.625, 0.   , 0.375, 0.   ])
    >>> temper(nucleus(np.log([0.04, 0.9, 0.03, 0.03]), 0.7))
    array([0., 1., 0., 0.])

    Parameters
    ----------
    logits : array_like, shape (..., K)
        Los puntajes. Uno puede ser :math:`-\infty`, que es probabilidad cero, pero no todos.
    p : float
        Cuánta probabilidad queda, al menos: mayor que 0, y a lo más 1. Con 1 se quedan todos, menos los que
        suman tan poco que el redondeo lo pierde.

    Returns
    -------
    ndarray of float64, shape (..., K)
        Los puntajes, con :math:`-\infty` en los que no quedan. Si hay empate en el borde, entran los de índice menor.

    Raises
    ------
    TypeError, ValueError
        Si no son puntajes, o si ``p`` no está entre 0 y 1.

        >>> nucleus([1.0, 2.0], 0)
        Traceback (most recent call last):
            ...
        ValueError: p: se esperaba un número mayor que 0 y de a lo sumo 1, pero llegó 0
    """
    return plain_nucleus(_logits(logits), check.number(p, "p", 0, 1, open_low=True))


def plain_nucleus(logits, p):
    r"""Ordena, acumula, y quita las que tienen delante lo que bastaba."""
    order = np.argsort(-logits, axis=-1, kind="stable")
    shares = np.take_along_axis(plain_temper(logits), order, axis=-1)
    before = shares.cumsum(axis=-1) - shares
    enough = before >= p  # [ec-att-nucleo]
    out = np.empty_like(enough)
    np.put_along_axis(out, order, enough, axis=-1)
    return np.where(out, -np.inf, logits)
