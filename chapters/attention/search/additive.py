r"""El puntaje aditivo: comparar una consulta y una clave con una red pequeña."""

import numpy as np

from chapters.attention.search.attend import _of
from chapters.mlp.activations.exponential import expm1
from dlbook import check
from dlbook.numeric.kernel import kernel


def additive_scores(query, key, scale):
    r"""Compara cada consulta con cada clave con una capa de tangentes y una neurona (*additive attention*).

    El producto punto no es la única manera de comparar. Se pueden sumar la consulta y la clave, pasar la suma por una
    tangente hiperbólica y dejar que una neurona, con pesos :math:`\mathbf v`, diga cuánto encajan
    :cite:p:`bahdanau2015`:

    .. math::
       :label: ec-att-aditiva

       e_{ts}=\sum_{j=1}^{d} v_j\tanh(q_{tj}+k_{sj})
       =\mathbf v^\top\tanh(\mathbf q_t+\mathbf k_s) .

    Si :math:`\mathbf q_t=\mathbf W_q\mathbf s_t` y :math:`\mathbf k_s=\mathbf W_k\mathbf h_s`, es una red de una capa
    oculta que recibe :math:`[\mathbf s_t;\mathbf h_s]`: una matriz por la pareja es
    :math:`\mathbf W_q\mathbf s_t+\mathbf W_k\mathbf h_s`. Escrita así, cada producto se hace una vez por consulta o
    por clave, y no una por pareja.

    **A mano.** Una consulta, dos claves y dos números cada una. Las sumas son :math:`(0,1)` y :math:`(2,0)`, y
    :math:`\tanh 1=0.7616`, :math:`\tanh 2=0.9640`:

    >>> key = [[-1.0, 1.0], [1.0, 0.0]]
    >>> additive_scores([[1.0, 0.0]], key, [2.0, -1.0]).round(4)
    array([[-0.7616,  1.9281]])

    Parameters
    ----------
    query : array_like, shape (..., T, d)
        Las consultas.
    key : array_like, shape (..., S, d)
        Las claves.
    scale : array_like, shape (d,)
        Los pesos :math:`\mathbf v` de la neurona.

    Returns
    -------
    ndarray, shape (..., T, S)
        Un puntaje por pareja.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no encajan.

        >>> additive_scores([[1.0, 0.0]], [[1.0]], [1.0, 1.0])
        Traceback (most recent call last):
            ...
        ValueError: key: se esperaba la forma (S, d=2), pero llegó (1, 1)
    """
    query, key, scale = _compared(query, key, scale)
    shape = (*query.shape[:-1], key.shape[-2])
    activated = check.empty((*shape, len(scale)), "scores", query.dtype)
    scores = np.empty(shape, query.dtype)
    _each_pair(_additive_scores, query, key, scale, activated, scores)
    return scores


def _compared(query, key, scale):
    query = check.floats(query, "query", "... T d")
    key = _of(key, "key", query.shape[:-2], {"d": query.shape[-1]}, "S d").astype(query.dtype)
    return query, key, check.floats(scale, "scale", "d", {"d": query.shape[-1]}).astype(query.dtype)


def _each_pair(kernel, query, key, scale, *others):
    # Los primeros ejes, en uno; al final de la consulta y de la clave están los dos suyos.
    depth = query.ndim - 2
    flat = [a.reshape(-1, *a.shape[depth:]) for a in (query, key)]
    kernel(*flat, scale, *(a.reshape(-1, *a.shape[depth:]) if a.ndim > 1 else a for a in others))


@kernel(error_model="numpy")
def _additive_scores(query, key, scale, activated, scores):
    two = query.dtype.type(2)
    for i in range(query.shape[0]):
        for t in range(query.shape[1]):
            for s in range(key.shape[1]):
                for j in range(scale.size):
                    x = query[i, t, j] + key[i, s, j]
                    # La tangente, con e^(-2|x|) - 1 y el signo al final.
                    small = expm1(-two * abs(x))
                    a = -small / (two + small)
                    activated[i, t, s, j] = a if x > 0 else -a
                total = query.dtype.type(0)
                for j in range(scale.size):
                    total += scale[j] * activated[i, t, s, j]
                scores[i, t, s] = total  # [ec-att-aditiva]


def plain_additive_scores(query, key, scale):
    r"""Todas las parejas a la vez: la consulta se repite por columnas, la clave por filas."""
    pairs = query[..., :, np.newaxis, :] + key[..., np.newaxis, :, :]
    return np.tanh(pairs) @ scale  # [ec-att-aditiva]


def additive_scores_backward(query, key, scale, dy):
    r"""Reparte el gradiente de los puntajes aditivos.

    **Derivación.** Llamemos :math:`u_{tsj}=\tanh(q_{tj}+k_{sj})` y :math:`g_{ts}=\partial\mathcal L/\partial e_{ts}`.
    El puntaje es lineal en :math:`v_j`, con pendiente :math:`u_{tsj}`; y mover :math:`q_{tj}` o :math:`k_{sj}` mueve
    la misma suma, con la pendiente de la tangente, :eq:`ec-mlp-tanh-derivada`:

    .. math::
       :label: ed-att-aditiva-pareja

       \frac{\partial e_{ts}}{\partial v_j}=u_{tsj},
       \qquad
       \frac{\partial e_{ts}}{\partial q_{tj}}
       =\frac{\partial e_{ts}}{\partial k_{sj}}
       =v_j\,(1-u_{tsj}^2) .

    Cada consulta se comparó con todas las claves, y cada clave con todas las consultas; los pesos estuvieron en todas
    las parejas. Se suma sobre donde estuvo cada uno:

    .. math::
       :label: ec-att-aditiva-atras

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial v_j}&=\sum_{t,s} g_{ts}\,u_{tsj},\\
       \frac{\partial\mathcal L}{\partial q_{tj}}&=\sum_{s} g_{ts}\,v_j\,(1-u_{tsj}^2),\\
       \frac{\partial\mathcal L}{\partial k_{sj}}&=\sum_{t} g_{ts}\,v_j\,(1-u_{tsj}^2) .
       \end{aligned}

    **A mano.** La pareja de antes, con gradiente 1 en los dos puntajes. Las tangentes son :math:`(0,\ 0.7616)` y
    :math:`(0.9640,\ 0)`:

    >>> key = [[-1.0, 1.0], [1.0, 0.0]]
    >>> dscale, dquery, dkey = additive_scores_backward(
    ...     [[1.0, 0.0]], key, [2.0, -1.0], [[1.0, 1.0]]
    ... )
    >>> dscale.round(4)
    array([0.964 , 0.7616])
    >>> dkey.round(4)
    array([[ 2.    , -0.42  ],
           [ 0.1413, -1.    ]])
    >>> dquery.round(4)
    array([[ 2.1413, -1.42  ]])

    La consulta recibe la suma de lo de las dos claves.

    Parameters
    ----------
    query, key, scale
        Como en :func:`additive_scores`.
    dy : array_like, shape (..., T, S)
        El gradiente de los puntajes.

    Returns
    -------
    dscale : ndarray, shape (d,)
        El de los pesos.
    dquery : ndarray, shape (..., T, d)
        El de las consultas.
    dkey : ndarray, shape (..., S, d)
        El de las claves.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no encajan.
    """
    query, key, scale = _compared(query, key, scale)
    shape = (*query.shape[:-1], key.shape[-2])
    dy = check.floats(dy, "dy").astype(query.dtype)
    if dy.shape != shape:
        raise ValueError(f"dy: se esperaba la forma {shape}, pero llegó {dy.shape}")
    activated = check.empty((*shape, len(scale)), "scores", query.dtype)
    _each_pair(_additive_scores, query, key, scale, activated, np.empty(shape, query.dtype))
    dscale, dquery, dkey = np.empty_like(scale), np.empty_like(query), np.empty_like(key)
    _each_pair(_additive_scores_backward, dquery, dkey, scale, activated, dy, dscale)
    return dscale, dquery, dkey


@kernel
def _additive_scores_backward(dquery, dkey, scale, activated, dy, dscale):
    dquery[:] = 0
    dkey[:] = 0
    dscale[:] = 0
    one = scale.dtype.type(1)
    for i in range(dquery.shape[0]):
        for t in range(dquery.shape[1]):
            for s in range(dkey.shape[1]):
                g = dy[i, t, s]
                for j in range(scale.size):
                    u = activated[i, t, s, j]
                    slope = g * scale[j] * (one - u * u)
                    dscale[j] += g * u  # [ec-att-aditiva-atras]
                    dquery[i, t, j] += slope  # [ec-att-aditiva-atras]
                    dkey[i, s, j] += slope  # [ec-att-aditiva-atras]


def plain_additive_scores_backward(query, key, scale, dy):
    r"""La pendiente de cada pareja, sumada sobre donde estuvo cada quien."""
    pairs = query[..., :, np.newaxis, :] + key[..., np.newaxis, :, :]
    u, g = np.tanh(pairs), dy[..., np.newaxis]  # (..., T, S, d)
    slope = g * scale * (1 - u**2)
    dscale = (g * u).reshape(-1, len(scale)).sum(axis=0)  # [ec-att-aditiva-atras]
    dquery, dkey = slope.sum(axis=-2), slope.sum(axis=-3)  # [ec-att-aditiva-atras]
    return dscale, dquery, dkey
