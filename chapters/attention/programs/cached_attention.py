r"""La atención de un token nuevo, con las claves y los valores de los anteriores guardados."""

import math

import numpy as np

from chapters.mlp.activations.exponential import exp
from dlbook import check
from dlbook.numeric.kernel import kernel


def cached_attention(query, key, value, keys, values, t):
    r"""Atención de un solo token: guarda su clave y su valor, y mira todo lo guardado (*key–value cache*).

    **Por qué basta.** En la atención causal, la salida del lugar :math:`t` usa su consulta y las claves y los valores
    de los lugares :math:`s\le t`:

    .. math::
       :label: ec-att-cache

       a_s=\frac{e^{\mathbf q_t\cdot\mathbf k_s/\sqrt{d_k}}}
       {\sum_{r\le t}e^{\mathbf q_t\cdot\mathbf k_r/\sqrt{d_k}}},
       \qquad
       \mathbf z_t=\sum_{s\le t}a_s\,\mathbf v_s .

    Nada de eso depende de lo que venga después. Lo que un bloque da en el lugar :math:`s` sale de los lugares
    :math:`r\le s` del bloque de abajo; y lo de abajo, a su vez, de lo que le queda a su izquierda. Así que un token
    nuevo, al final, **no cambia ninguna clave ni ningún valor anterior, en ningún bloque**. Se guardan, y solo hay que
    calcular los suyos. De las consultas viejas no hace falta ninguna.

    **Cuánto se ahorra.** Volver a leer :math:`t` tokens cuesta :math:`t` veces las densas, y además
    :math:`t^2/2` productos escalares por cabeza. Con lo guardado es una vez cada densa, y :math:`t` productos.

    **A mano.** Una cabeza de dos números y dos tokens guardados. Con :math:`\mathbf q=(0,0)` todos los puntajes son 0,
    y sale el promedio de los valores: el del primero, y luego el de los dos.

    >>> keys, values = np.zeros((2, 1, 2)), np.zeros((2, 1, 2))
    >>> zero = [[0.0, 0.0]]
    >>> cached_attention(zero, [[1.0, 0.0]], [[2.0, 4.0]], keys, values, 0)
    array([[2., 4.]])
    >>> cached_attention(zero, [[0.0, 1.0]], [[4.0, 0.0]], keys, values, 1)
    array([[3., 2.]])
    >>> keys[:, 0]
    array([[1., 0.],
           [0., 1.]])

    Parameters
    ----------
    query, key, value : array_like, shape (H, k)
        La consulta, la clave y el valor del token nuevo, por cabezas.
    keys, values : ndarray, shape (T, H, k)
        Lo guardado, con lugar para todos, en dos arreglos. Se modifican: lo nuevo queda en el lugar ``t``.
    t : int
        Qué lugar ocupa el nuevo, de 0 a :math:`T-1`. Lo que haya después no se mira.

    Returns
    -------
    ndarray, shape (H, k)
        La salida de cada cabeza.

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, si lo guardado no es un arreglo que se pueda modificar, o si ``t`` no cabe.

        >>> cached_attention(zero, zero, zero, keys, values, 2)
        Traceback (most recent call last):
            ...
        ValueError: t: se esperaba un entero entre 0 y 1, pero llegó 2
    """
    query = check.floats(query, "query", "H k")
    for name, stored in (("keys", keys), ("values", values)):
        good = isinstance(stored, np.ndarray) and stored.dtype in ("float32", "float64") and stored.flags.carray
        if not good:
            raise TypeError(f"{name}: se esperaba un arreglo de reales, contiguo y que se pueda modificar")
        if stored.ndim != 3 or stored.shape[1:] != query.shape or stored.shape != keys.shape:
            raise ValueError(
                f"{name}: se esperaba la forma (T, {query.shape[0]}, {query.shape[1]}), y no {stored.shape}"
            )
        if stored.dtype != keys.dtype:
            raise TypeError(f"{name}: se esperaba el tipo de keys, {keys.dtype}, pero llegó {stored.dtype}")
    if not len(keys):
        raise ValueError("keys: se esperaba al menos un lugar, pero no hay ninguno")
    if np.may_share_memory(keys, values):
        raise ValueError("values: se esperaba memoria aparte de la de keys, pero es la misma")
    t = check.integer(t, "t", 0, len(keys) - 1)
    sizes = dict(zip("Hk", query.shape, strict=True))
    key, value = check.floats(key, "key", "H k", sizes), check.floats(value, "value", "H k", sizes)
    query, key, value = (a.astype(keys.dtype, copy=False) for a in (query, key, value))
    z, scores = np.empty_like(query), np.empty(len(keys), keys.dtype)
    _cached_attention(query, key, value, keys, values, t, scores, z)
    return z


def plain_cached_attention(query, key, value, keys, values, t):
    r"""Guardar lo nuevo, puntuar lo guardado, promediar los valores."""
    keys[t], values[t] = key, value
    scores = np.einsum("hk,shk->sh", query, keys[: t + 1])
    e = np.exp((scores - scores.max(axis=0)) / np.sqrt(query.shape[1]))
    a = e / e.sum(axis=0)  # [ec-att-cache]
    return np.einsum("sh,shk->hk", a, values[: t + 1])  # [ec-att-cache]


@kernel(error_model="numpy", fastmath={"contract", "reassoc"})
def _cached_attention(query, key, value, keys, values, t, scores, z):
    heads, size = query.shape
    zero = query.dtype.type(0)
    scale = query.dtype.type(1 / math.sqrt(size))
    for h in range(heads):
        for i in range(size):
            keys[t, h, i], values[t, h, i], z[h, i] = key[h, i], value[h, i], zero
        best = query.dtype.type(-np.inf)
        for s in range(t + 1):
            score = zero
            for i in range(size):
                score += query[h, i] * keys[s, h, i]
            scores[s] = score * scale
            best = max(best, scores[s])
        total = zero
        for s in range(t + 1):
            scores[s] = exp(scores[s] - best)
            total += scores[s]
        for s in range(t + 1):
            weight = scores[s] / total  # [ec-att-cache]
            for i in range(size):
                z[h, i] += weight * values[s, h, i]  # [ec-att-cache]
