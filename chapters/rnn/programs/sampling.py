r"""Sortear de unos puntajes: la temperatura y los k mejores."""

import numpy as np

from dlbook import check


def _logits(value):
    z = check.numbers_of(value, "logits", "... K").astype(np.float64)
    best = z.max(axis=-1)
    if np.isnan(z).any() or np.isinf(best).any():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(best))[0])
        row = f" en la fila {where}" if where else ""
        raise ValueError(
            f"logits: se esperaba al menos un puntaje finito, y los demás finitos o menos infinito, pero no es así{row}"
        )
    return z


def temper(logits, temperature=1.0):
    r"""Convierte unos puntajes en probabilidades, más o menos atrevidas según la temperatura.

    Es el *softmax*, :eq:`ec-mlp-softmax`, con los puntajes divididos antes entre un número positivo :math:`\tau`, la
    **temperatura** (*temperature*):

    .. math::
       :label: ec-rnn-temperatura

       p_k(\tau)=\frac{e^{z_k/\tau}}{\sum_j e^{z_j/\tau}} .

    **Los dos extremos.** El cociente de dos probabilidades es :math:`p_k/p_j=e^{(z_k-z_j)/\tau}`. Si
    :math:`\tau\to\infty`, el exponente tiende a cero y todos los cocientes a 1: queda un sorteo parejo. Si
    :math:`\tau\to0`, el exponente crece sin límite cuando :math:`z_k>z_j`: el mayor se lo lleva todo. Si varios
    empatan en el primer lugar, el cociente entre ellos es 1 con cualquier :math:`\tau`, y se lo reparten por igual.
    Con ``temperature=0`` se da ese límite.

    **En medio, cada grado más desordena.** Midamos el desorden con la entropía, :math:`H=-\sum_k p_k\ln p_k`. Con
    :math:`\beta=1/\tau` y :math:`Z=\sum_j e^{\beta z_j}` es :math:`\ln p_k=\beta z_k-\ln Z`, y entonces
    :math:`H=\ln Z-\beta m`, donde :math:`m=\sum_k p_kz_k` es el puntaje medio. Como
    :math:`\mathrm d\ln Z/\mathrm d\beta=m`,

    .. math::
       :label: ed-rnn-temperatura-entropia

       \frac{\mathrm dH}{\mathrm d\beta}=m-m-\beta\frac{\mathrm dm}{\mathrm d\beta}
       =-\beta\operatorname{Var}(z)
       \quad\Longrightarrow\quad
       \frac{\mathrm dH}{\mathrm d\tau}=\frac{\operatorname{Var}(z)}{\tau^3}\ge0 .

    El último paso usa :math:`\mathrm d\beta/\mathrm d\tau=-1/\tau^2`. El anterior, que
    :math:`\mathrm dp_k/\mathrm d\beta=p_k(z_k-m)`, y por lo tanto
    :math:`\mathrm dm/\mathrm d\beta=\sum_kp_k(z_k-m)z_k`, que es la varianza de los puntajes.

    **A mano.** Los puntajes :math:`(\ln4,\ln1)` son probabilidades :math:`(0.8, 0.2)`: cuatro a uno. Con
    :math:`\tau=\tfrac12` los cocientes se elevan al cuadrado, dieciséis a uno; con :math:`\tau=2` se les saca raíz,
    dos a uno:

    >>> z = np.log([4.0, 1.0])
    >>> temper(z), temper(z, 0.5).round(3), temper(z, 2.0).round(3)
    (array([0.8, 0.2]), array([0.941, 0.059]), array([0.667, 0.333]))
    >>> temper([3.0, 1.0, 3.0], 0)
    array([0.5, 0. , 0.5])

    Parameters
    ----------
    logits : array_like, shape (..., K)
        Los puntajes. Uno puede ser :math:`-\infty`, que es probabilidad cero, pero no todos.
    temperature : float
        La temperatura, :math:`\tau\ge0`.

    Returns
    -------
    ndarray of float64, shape (..., K)
        Las probabilidades; cada fila suma 1.

    Raises
    ------
    TypeError, ValueError
        Si la temperatura es negativa, o si en alguna fila no hay un puntaje finito.

        >>> temper([1.0, 2.0], -1)
        Traceback (most recent call last):
            ...
        ValueError: temperature: se esperaba un número de al menos 0, pero llegó -1
    """
    return plain_temper(_logits(logits), check.number(temperature, "temperature", 0))


def plain_temper(logits, temperature=1.0):
    r"""El softmax de los puntajes entre la temperatura."""
    # Con puntajes enormes, o una temperatura ínfima, llega a −∞.
    with np.errstate(over="ignore"):
        z = logits - logits.max(axis=-1, keepdims=True)
        e = np.exp(z / temperature) if temperature else np.float64(z == 0)
    return e / e.sum(axis=-1, keepdims=True)  # [ec-rnn-temperatura]


def top_k(logits, k):
    r"""Deja los :math:`k` puntajes mayores y hace imposibles los demás.

    Cada letra mala tiene una probabilidad pequeña, pero hay muchas, y en un texto largo alguna toca. Recortar la cola
    lo evita :cite:p:`fan2018`: con :math:`S` el conjunto de los :math:`k` mayores,

    .. math::
       :label: ec-rnn-mejores

       z'_j=\begin{cases}z_j&\text{si }j\in S,\\-\infty&\text{si no.}\end{cases}

    Después del *softmax*, las de :math:`S` conservan sus cocientes y suman 1.

    >>> top_k([2.0, 0.0, 1.0], 2)
    array([  2., -inf,   1.])
    >>> temper(top_k(np.log([0.5, 0.1, 0.3, 0.1]), 2)).round(3)
    array([0.625, 0.   , 0.375, 0.   ])

    Parameters
    ----------
    logits : array_like, shape (..., K)
        Los puntajes.
    k : int
        Cuántos quedan en cada fila, de 1 a :math:`K`. Si hay empate en el último lugar, entran los de índice menor.

    Returns
    -------
    ndarray of float64, shape (..., K)
        Los puntajes, con :math:`-\infty` en los que no quedan.

    Raises
    ------
    TypeError, ValueError
        Si no son puntajes, o si ``k`` no es un entero de 1 a :math:`K`.

        >>> top_k([2.0, 0.0, 1.0], 4)
        Traceback (most recent call last):
            ...
        ValueError: k: se esperaba un entero entre 1 y 3, pero llegó 4
    """
    z = _logits(logits)
    return plain_top_k(z, check.integer(k, "k", 1, z.shape[-1]))


def plain_top_k(logits, k):
    r"""Los mayores se quedan; los demás bajan a menos infinito."""
    order = np.argsort(-logits, axis=-1, kind="stable")
    z = logits.copy()
    np.put_along_axis(z, order[..., k:], -np.inf, axis=-1)  # [ec-rnn-mejores]
    return z


def sample_logits(logits, temperature=1.0, top_k=None, seed=None):
    r"""Sortea un índice de cada fila de puntajes.

    Imagina el segmento de 0 a 1 partido en pedazos consecutivos de largos :math:`p_0,p_1,\dots` Se clava un punto al
    azar, :math:`u`, y sale el pedazo en que cayó. Como :math:`u` es uniforme, cae en cada uno con probabilidad igual a
    su largo:

    .. math::
       :label: ec-rnn-sorteo

       k=\min\Bigl\{k:\ u<\sum_{j\le k}p_j\Bigr\},\qquad u\sim\mathcal U[0,1).

    **A mano.** Con :math:`p=(0.5, 0.3, 0.2)`, los bordes son 0.5, 0.8 y 1. Un punto en 0.64 cae en el segundo pedazo:
    índice 1, y así con los demás:

    >>> p = np.array([0.5, 0.3, 0.2])
    >>> u = np.random.default_rng(0).random(4)
    >>> u.round(2)
    array([0.64, 0.27, 0.04, 0.02])
    >>> sample_logits(np.log([p] * 4), seed=0)
    array([1, 0, 0, 0])

    Parameters
    ----------
    logits : array_like, shape (..., K)
        Los puntajes.
    temperature : float
        La de :func:`temper`. Con 0 sale el mayor.
    top_k : int, optional
        Si se da, solo compiten los de :func:`top_k`.
    seed : int or numpy.random.Generator, optional
        Origen del azar.

    Returns
    -------
    ndarray of int64, shape (...)
        Un índice por fila, de 0 a :math:`K-1`.

    Raises
    ------
    TypeError, ValueError
        Como en :func:`temper` y :func:`top_k`.
    """
    z = _logits(logits)
    temperature = check.number(temperature, "temperature", 0)
    if top_k is not None:
        top_k = check.integer(top_k, "top_k", 1, z.shape[-1])
    return plain_sample_logits(z, temperature, top_k, check.generator(seed))


def plain_sample_logits(logits, temperature=1.0, top_k=None, seed=None):
    r"""Parte el segmento, clava el punto y mira en qué pedazo cayó."""
    if top_k is not None:
        logits = plain_top_k(logits, top_k)
    p = plain_temper(logits, temperature)
    u = np.random.default_rng(seed).random((*p.shape[:-1], 1))
    edges = p.cumsum(axis=-1)
    # Contra la suma, que puede no ser exactamente 1 por el redondeo.
    return (edges <= u * edges[..., -1:]).sum(axis=-1)  # [ec-rnn-sorteo]
