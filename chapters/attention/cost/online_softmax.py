r"""El softmax en una pasada: se corrige sobre la marcha, sin haber visto todos los puntajes."""

import numpy as np

from dlbook import check


def online_softmax(scores, value, block):
    r"""Promedia unos vectores con los pesos de un *softmax*, leyéndolos por bloques y una sola vez.

    Una consulta tiene :math:`S` puntajes :math:`s_1,\dots,s_S` y quiere el promedio

    .. math::
       :label: ed-att-enlinea-meta

       \mathbf z=\frac{\sum_s e^{s_s-m}\,\mathbf v_s}{\sum_s e^{s_s-m}},
       \qquad
       m=\max_s s_s .

    El máximo está para que ninguna exponencial se desborde. Parece que hacen falta dos pasadas: una para saber
    :math:`m` y otra para sumar. Pero basta una, si lo sumado se puede corregir :cite:p:`milakov2018`.

    **Derivación.** Supón que ya leíste unos cuantos puntajes. De ellos guardas tres cosas, el máximo, la suma de abajo
    y la de arriba:

    .. math::
       :label: ed-att-enlinea-guardado

       \begin{gathered}
       m=\max_s s_s,\\
       \ell=\sum_s e^{s_s-m},
       \qquad
       \mathbf o=\sum_s e^{s_s-m}\,\mathbf v_s .
       \end{gathered}

    Llega un bloque nuevo, :math:`B`. El máximo solo puede crecer:

    .. math::
       :label: ec-att-enlinea-maximo

       m'=\max\Bigl(m,\ \max_{s\in B}s_s\Bigr) .

    Lo guardado estaba medido desde :math:`m` y ahora hace falta desde :math:`m'`. No hay que volver a leer nada, porque

    .. math::
       :label: ed-att-enlinea-factor

       e^{s_s-m'}=e^{s_s-m+m-m'}=e^{m-m'}\,e^{s_s-m} :

    el mismo factor para todos los términos, así que sale de la suma. A lo guardado se le multiplica por ese factor y se
    le suma lo del bloque:

    .. math::
       :label: ec-att-enlinea-sumas

       \begin{aligned}
       \ell'&=e^{m-m'}\,\ell+\sum_{s\in B}e^{s_s-m'},\\
       \mathbf o'&=e^{m-m'}\,\mathbf o+\sum_{s\in B}e^{s_s-m'}\,\mathbf v_s .
       \end{aligned}

    Son otra vez :eq:`ed-att-enlinea-guardado`, con los leídos y el bloque juntos. Se empieza con :math:`m=-\infty` y
    ceros; el primer factor es :math:`e^{-\infty}=0`. Al final,

    .. math::
       :label: ec-att-enlinea-cociente

       \mathbf z=\frac{\mathbf o}{\ell} .

    Como :math:`m'\ge m`, el factor nunca pasa de 1, y ninguna exponencial tampoco: nada se desborda.

    **A mano.** Cuatro puntajes, que son los logaritmos de 1, 2, 8 y 5, en dos bloques; los valores son 10, 40, 20 y 8.
    Del primer bloque quedan :math:`m=\ln2`, :math:`\ell=\frac12+1=1.5` y :math:`o=\frac12\cdot10+1\cdot40=45`:

    >>> import math
    >>> scores = [math.log(x) for x in (1, 2, 8, 5)]
    >>> value = [[10.0], [40.0], [20.0], [8.0]]
    >>> z, m, total = online_softmax(scores[:2], value[:2], 2)
    >>> round(math.exp(m)), float(total), float(z[0] * total)
    (2, 1.5, 45.0)

    En el segundo el máximo sube a :math:`\ln8` y el factor es :math:`e^{\ln2-\ln8}=\frac14`:

    - :math:`\ell'=\frac14\cdot1.5+1+\frac58=2`,
    - :math:`o'=\frac14\cdot45+1\cdot20+\frac58\cdot8=36.25`,
    - :math:`z=36.25/2=18.125`.

    >>> z, m, total = online_softmax(scores, value, 2)
    >>> round(math.exp(m)), round(float(total), 12), z.round(12)
    (8, 2.0, array([18.125]))

    Con los cuatro a la vez, los pesos son :math:`\frac1{16},\frac2{16},\frac8{16}` y :math:`\frac5{16}`, y sale lo
    mismo:

    >>> (1 * 10 + 2 * 40 + 8 * 20 + 5 * 8) / 16
    18.125

    Parameters
    ----------
    scores : array_like, shape (..., S)
        Los puntajes de cada consulta.
    value : array_like, shape (S, v)
        Los vectores que se promedian.
    block : int
        De cuántos en cuántos se leen.

    Returns
    -------
    z : ndarray, shape (..., v)
        El promedio de cada consulta.
    m, total : ndarray, shape (...)
        El máximo y la suma :math:`\ell` de todos.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si las formas no encajan o si ``block`` no es un entero de al menos 1.

        >>> online_softmax([1.0, 2.0], value, 2)
        Traceback (most recent call last):
            ...
        ValueError: value: se esperaba la forma (S=2, v), pero llegó (4, 1)
    """
    sizes = {}
    scores = check.floats(scores, "scores", "... S", sizes)
    value = check.floats(value, "value", "S v", sizes)
    dtype = np.result_type(scores, value)
    block = check.integer(block, "block", 1)
    return plain_online_softmax(scores.astype(dtype), value.astype(dtype), block)


def plain_online_softmax(scores, value, block):
    r"""Un máximo y dos sumas, que se corrigen con cada bloque."""
    shape = scores.shape[:-1]
    m, total = np.full(shape, -np.inf, scores.dtype), 0
    o = np.zeros((*shape, value.shape[-1]), scores.dtype)
    for start in range(0, scores.shape[-1], block):
        s = scores[..., start : start + block]
        v = value[start : start + block]
        new = np.maximum(m, s.max(axis=-1))  # [ec-att-enlinea-maximo]
        factor, e = np.exp(m - new), np.exp(s - new[..., None])
        total = factor * total + e.sum(axis=-1)  # [ec-att-enlinea-sumas]
        o = factor[..., None] * o + e @ v  # [ec-att-enlinea-sumas]
        m = new
    z = o / total[..., None]  # [ec-att-enlinea-cociente]
    return z, m, total
