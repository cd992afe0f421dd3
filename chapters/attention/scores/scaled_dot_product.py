r"""La atención: cada consulta se compara con todas las claves, y de los valores sale una mezcla."""

import math

import numpy as np

from chapters.mlp.activations.exponential import exp
from dlbook import check
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul

# Lo que no se usa: un arreglo vacío, que el código compilado sabe reconocer.
NO_MASK, NO_SEEN = np.zeros((0, 0, 0, 0), bool), np.zeros((0, 0), bool)
# En qué lugar están, en sus arreglos, las consultas, las claves y los valores de la primera cabeza.
APART = 0, 0, 0
# Las consultas van de a tantas, y lo que la máscara causal tapa se salta de a tantas.
PANEL, BLOCK = 64, 16


def _checked(query, key, value, **others):
    # Las tres, y lo demás, del mismo tipo; y los ejes que van delante, en uno solo.
    arrays = {"query": (query, "... T d"), "key": (key, "... S d"), "value": (value, "... S m")}
    arrays |= {name: (array, None) for name, array in others.items()}
    sizes = {}
    found = {name: check.floats(array, name, shape, sizes) for name, (array, shape) in arrays.items()}
    q, k, v = (found[name] for name in ("query", "key", "value"))
    if not q.shape[:-2] == k.shape[:-2] == v.shape[:-2]:
        raise ValueError(
            f"se esperaban los mismos ejes delante de los dos últimos, pero llegaron {q.shape}, {k.shape} y {v.shape}"
        )
    dtype = np.result_type(*found.values())
    return [array.astype(dtype, copy=False) for array in found.values()]


def _alone(x):
    # (..., T, d) como (n, T, 1, d): una cabeza.
    return x.reshape(math.prod(x.shape[:-2]), x.shape[-2], 1, x.shape[-1])


def scaled_dot_product_attention(query, key, value, mask=None):
    r"""La atención por producto punto escalado (*scaled dot-product attention*) :cite:p:`vaswani2017`.

    Hay :math:`T` consultas, las filas de :math:`\mathbf Q`, y :math:`S` pares de clave y valor, las filas de
    :math:`\mathbf K` y :math:`\mathbf V`. Consultas y claves son vectores de :math:`d` números.

    **Paso 1: los puntajes.** Cuánto se parece la consulta :math:`t` a la clave :math:`s`. Es su producto punto, entre
    :math:`\sqrt d` para que no crezca con :math:`d`:

    .. math::
       :label: ec-att-puntajes

       S_{ts}=\frac{\mathbf q_t\cdot\mathbf k_s}{\sqrt d},
       \qquad
       \mathbf S=\frac{\mathbf Q\mathbf K^\top}{\sqrt d} .

    **Paso 2: los pesos.** Cada fila pasa por un *softmax*. Salen números positivos que suman 1: el reparto de la
    atención de esa consulta. Juntos son la **matriz de atención**, de :math:`T\times S`: :item:`ATT-08`

    .. math::
       :label: ec-att-pesos

       A_{ts}=\frac{e^{S_{ts}}}{\sum_{r=1}^{S}e^{S_{tr}}} .

    **Paso 3: la mezcla.** Lo que sale es el promedio de los valores con esos pesos: :item:`ATT-09`

    .. math::
       :label: ec-att-mezcla

       \mathbf z_t=\sum_{s=1}^{S}A_{ts}\,\mathbf v_s,
       \qquad
       \mathbf Z=\mathbf A\mathbf V .

    En una línea: :item:`ATT-10`

    .. math::
       :label: ed-att-atencion

       \mathbf Z=\operatorname{softmax}\!\left(\frac{\mathbf Q\mathbf K^\top}{\sqrt d}\right)\mathbf V .

    **Con máscara.** Donde la máscara dice «no», el puntaje cuenta como :math:`-\infty` y el peso es cero. Los demás
    pesos de la fila se reparten el 1. Si una consulta no puede mirar nada, sus pesos, y lo que sale, son ceros.

    **A mano.** Tres consultas y tres claves de dos números, y valores de uno. :worked:`WE-37` La primera fila de
    :math:`\mathbf Q\mathbf K^\top` es :math:`(1, 0, 2)`; entre :math:`\sqrt2`, :math:`(0.707, 0, 1.414)`; las
    exponenciales son :math:`2.028`, :math:`1` y :math:`4.113`, que suman :math:`7.141`:

    >>> Q = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> K = [[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]
    >>> V = [[1.0], [2.0], [3.0]]
    >>> Z, A = scaled_dot_product_attention(Q, K, V)
    >>> A.round(3)
    array([[0.284, 0.14 , 0.576],
           [0.14 , 0.284, 0.576],
           [0.097, 0.097, 0.807]])

    La primera mezcla es :math:`0.284\cdot1+0.140\cdot2+0.576\cdot3=2.292`:

    >>> Z.round(3)
    array([[2.292],
           [2.436],
           [2.71 ]])

    Si la primera consulta no puede mirar la tercera clave, los otros dos pesos crecen en la misma proporción:

    >>> mask = [[1, 1, 0], [1, 1, 1], [1, 1, 1]]
    >>> scaled_dot_product_attention(Q, K, V, mask)[1][0].round(3)
    array([0.67, 0.33, 0.  ])

    Parameters
    ----------
    query : array_like, shape (..., T, d)
        Las consultas.
    key : array_like, shape (..., S, d)
        Las claves.
    value : array_like, shape (..., S, m)
        Los valores, uno por clave.
    mask : array_like of bool, shape (..., T, S), optional
        Quién puede mirar a quién. Sus primeros ejes pueden faltar o medir 1.

    Returns
    -------
    z : ndarray, shape (..., T, m)
        Las mezclas.
    weights : ndarray, shape (..., T, S)
        Los pesos.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan, si hay NaN o infinitos o si un puntaje se desborda.

        >>> scaled_dot_product_attention(Q, K, [[1.0], [2.0]])
        Traceback (most recent call last):
            ...
        ValueError: value: se esperaba la forma (…, S=3, m), pero llegó (2, 1)
    """
    query, key, value = _checked(query, key, value)
    lead, steps, sources, m = query.shape[:-2], query.shape[-2], key.shape[-2], value.shape[-1]
    mask = _broadcast_mask(mask, (*lead, steps, sources))
    q, k, v = _alone(query), _alone(key), _alone(value)
    a = check.empty((len(q), 1, sources, steps), "los pesos", q.dtype)
    z = np.empty((len(q), steps, 1, m), q.dtype)
    seen = NO_SEEN, NO_SEEN
    coins = np.zeros((0, 0, 0, 0), q.dtype)
    _attend(q, k, v, APART, _scale(q), *seen, mask, False, coins, a, a, z, *_room(q, v))
    if not np.isfinite(z).all():
        raise ValueError("query, key: se esperaban números cuyo producto no se desborde")
    weights = np.ascontiguousarray(a.swapaxes(2, 3)).reshape(*lead, steps, sources)
    return z.reshape(*lead, steps, m), weights


def plain_scaled_dot_product_attention(query, key, value, mask=None):
    r"""Comparar, repartir y mezclar."""
    scores = query @ key.swapaxes(-1, -2)
    scores = scores / np.sqrt(query.shape[-1])  # [ec-att-puntajes]
    if mask is not None:
        scores = np.where(mask, scores, -1e9)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = e if mask is None else e * mask
    total = e.sum(axis=-1, keepdims=True)
    weights = e / np.where(total > 0, total, 1)  # [ec-att-pesos]
    return weights @ value, weights  # [ec-att-mezcla]


def _broadcast_mask(mask, shape):
    # Como la lee el código compilado: con las consultas en el último eje, (n, 1, S, T).
    if mask is None:
        return NO_MASK
    mask = check.mask(mask, "mask")
    padded = (1,) * (len(shape) - mask.ndim) + mask.shape
    if len(padded) != len(shape) or any(a not in (1, b) for a, b in zip(padded, shape, strict=True)):
        raise ValueError(f"mask: se esperaba la forma {shape}, pero llegó {mask.shape}")
    whole = np.broadcast_to(mask, shape).reshape(-1, 1, *shape[-2:])
    return np.ascontiguousarray(whole.swapaxes(2, 3))


def _scale(q):
    return q.dtype.type(1 / math.sqrt(q.shape[-1]))


def _room(q, v):
    # Un rincón para trabajar: una traspuesta, y dos números por consulta.
    depth = max(q.shape[-1], v.shape[-1])
    return np.empty((depth, PANEL), q.dtype), np.empty(PANEL, q.dtype), np.empty(PANEL, q.dtype)


@kernel
def _turn(x, first, last, factor, out):
    # Las filas de una tanda, como columnas.
    for t in range(first, last):
        for j in range(x.shape[1]):
            out[j, t - first] = x[t, j] * factor


@kernel
def _start(s, first, causal):
    # La primera columna de la tanda que se calcula en la fila s: las consultas de antes no pueden mirarla.
    return max(0, s // BLOCK * BLOCK - first) if causal else 0


@kernel
def _hide(scores, i, h, first, last, end, causal, queries, keys, mask):
    # Lo que no se puede mirar vale menos infinito. Los vectores vacíos no tapan nada.
    low = scores.dtype.type(-np.inf)
    for s in range(end):
        row = scores[s, first:last]
        if causal:
            for t in range(_start(s, first, causal), min(s - first, last - first)):
                row[t] = low
        if keys.size and not keys[i, s]:
            row[:] = low
        if queries.size:
            for t in range(last - first):
                row[t] = row[t] if queries[i, first + t] else low
        if mask.size:
            allowed = mask[min(i, mask.shape[0] - 1), min(h, mask.shape[1] - 1), s, first:last]
            for t in range(last - first):
                row[t] = row[t] if allowed[t] else low


@kernel(error_model="numpy", fastmath={"contract"})
def _softmax_columns(a, first, last, end, causal, peak, total):
    # Una consulta por columna: así el procesador hace varias a la vez, y no hay que sumar a lo largo de un vector.
    low, zero, one = a.dtype.type(-np.inf), a.dtype.type(0), a.dtype.type(1)
    columns = last - first
    peak[:columns] = low
    total[:columns] = zero
    for s in range(end):
        start = _start(s, first, causal)
        row, top = a[s, first + start : last], peak[start:columns]
        for t in range(row.size):
            top[t] = max(top[t], row[t])
    for t in range(columns):
        # De una columna tapada, ceros: menos infinito menos cero.
        peak[t] = peak[t] if peak[t] > low else zero
    for s in range(end):
        start = _start(s, first, causal)
        row, top, sums = a[s, first + start : last], peak[start:columns], total[start:columns]
        for t in range(row.size):
            row[t] = exp(row[t] - top[t])
            sums[t] += row[t]
        a[s, first : first + start] = zero
    for t in range(columns):
        total[t] = total[t] if total[t] == zero else one / total[t]
    for s in range(end):
        start = _start(s, first, causal)
        row, sums = a[s, first + start : last], total[start:columns]
        for t in range(row.size):
            row[t] *= sums[t]  # [ec-att-pesos]
    for s in range(end, a.shape[0]):
        a[s, first:last] = zero


@kernel
def _compare(x, turned, first, last, end, causal, out):
    # Las filas de x por las columnas de la tanda; con la máscara causal, solo los bloques que se pueden mirar.
    columns = last - first
    panel = out[:, first:last]
    if not causal:
        matmul(x, turned[:, :columns], panel)
        return
    for s in range(0, end, BLOCK):
        start, stop = _start(s, first, causal), min(s + BLOCK, end)
        matmul(x[s:stop], turned[:, start:columns], panel[s:stop, start:])


@kernel
def _mix(a, x, first, last, end, causal, out):
    # Para cada consulta de la tanda, la mezcla de las filas de x con los pesos de su columna.
    if not causal:
        matmul(a[:, first:last].T, x, out[first:last])
        return
    for t in range(first, last, BLOCK):
        stop = min(t + BLOCK, last)
        rows = min(stop, end)
        matmul(a[:rows, t:stop].T, x[:rows], out[t:stop])


@kernel
def _collect(a, x, causal, out):
    # Para cada clave, la suma de las filas de x con los pesos de su fila.
    if not causal:
        matmul(a, x, out)
        return
    sources, steps = a.shape
    for s in range(0, sources, BLOCK):
        stop, start = min(s + BLOCK, sources), min(s, steps)
        matmul(a[s:stop, start:], x[start:], out[s:stop])


@kernel
def _attend(q, k, v, at, scale, queries, keys, mask, causal, coins, a, dropped, z, turned, peak, total):
    # q, k, v y z son (n, T, H, ·), y las tres primeras pueden ser el mismo arreglo, con las cabezas de una detrás de
    # las de otra. Los pesos van al revés que en la fórmula, (n, H, S, T): una consulta por columna.
    n, heads, sources, steps = a.shape
    for i in range(n):
        for h in range(heads):
            weights, columns = a[i, h], turned[: q.shape[3]]
            for first in range(0, steps, PANEL):
                last = min(first + PANEL, steps)
                end = min(last, sources) if causal else sources
                _turn(q[i, :, at[0] + h], first, last, scale, columns)
                _compare(k[i, :, at[1] + h], columns, first, last, end, causal, weights)  # [ec-att-puntajes]
                _hide(weights, i, h, first, last, end, causal, queries, keys, mask)
                _softmax_columns(weights, first, last, end, causal, peak, total)
                if coins.shape[0]:
                    _multiply(weights, coins[i, h], first, last, dropped[i, h])
                _mix(dropped[i, h], v[i, :, at[2] + h], first, last, end, causal, z[i, :, h])  # [ec-att-mezcla]


@kernel
def _multiply(x, factor, first, last, out):
    for s in range(x.shape[0]):
        for t in range(first, last):
            out[s, t] = x[s, t] * factor[s, t]


def scaled_dot_product_attention_backward(query, key, value, weights, dy):
    r"""La atención, hacia atrás.

    Llega :math:`\mathbf G=\partial\mathcal L/\partial\mathbf Z`, de :math:`T\times m`; su fila :math:`\mathbf g_t` dice
    hacia dónde quiere la pérdida que *no* vaya :math:`\mathbf z_t`. Se deshacen los pasos, del último al primero.

    **La mezcla.** :math:`\mathbf Z=\mathbf A\mathbf V` es un producto de matrices como el de una capa densa
    (:eq:`ec-mlp-densa-pesos` y :eq:`ec-mlp-densa-entrada`): al segundo factor le toca la traspuesta del primero por
    :math:`\mathbf G`, y al primero, :math:`\mathbf G` por la traspuesta del segundo:

    .. math::
       :label: ec-att-atras-mezcla

       \frac{\partial\mathcal L}{\partial\mathbf V}=\mathbf A^\top\mathbf G,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf A}=\mathbf G\mathbf V^\top ,
       \qquad
       \frac{\partial\mathcal L}{\partial A_{ts}}=\mathbf g_t\cdot\mathbf v_s .

    **El softmax.** Mover un puntaje mueve toda su fila. Derivamos el cociente :eq:`ec-att-pesos`: si
    :math:`E=\sum_r e^{S_{tr}}`, subir :math:`S_{ts}` cambia el numerador de :math:`A_{ts}`, y cambia :math:`E`, que
    está en todos:

    .. math::
       :label: ed-att-softmax-jacobiana

       \frac{\partial A_{tr}}{\partial S_{ts}}
       =\frac{[r=s]\,e^{S_{tr}}}{E}-\frac{e^{S_{tr}}\,e^{S_{ts}}}{E^2}
       =A_{tr}\bigl([r=s]-A_{ts}\bigr) ,

    donde :math:`[r=s]` vale 1 si son iguales y 0 si no. La regla de la cadena suma los caminos por toda la fila:

    .. math::
       :label: ec-att-atras-softmax

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial S_{ts}}
       &=\sum_{r}\frac{\partial\mathcal L}{\partial A_{tr}}\,A_{tr}\bigl([r=s]-A_{ts}\bigr)\\
       &=A_{ts}\left(\frac{\partial\mathcal L}{\partial A_{ts}}
         -\sum_{r}A_{tr}\,\frac{\partial\mathcal L}{\partial A_{tr}}\right) .
       \end{aligned}

    **Qué dice.** La suma es :math:`\sum_r A_{tr}\,\mathbf g_t\cdot\mathbf v_r=\mathbf g_t\cdot\mathbf z_t`. Entonces

    .. math::
       :label: ed-att-atras-sentido

       \frac{\partial\mathcal L}{\partial S_{ts}}=A_{ts}\;\mathbf g_t\cdot(\mathbf v_s-\mathbf z_t) .

    El valor :math:`s` se compara con la mezcla que ya había. Si va más que ella en contra de :math:`\mathbf g_t`, el
    gradiente es negativo y el descenso le sube el puntaje. Y a quien no se mira, :math:`A_{ts}=0`, no se le corrige
    nada.

    **Los puntajes.** :math:`\mathbf S=\mathbf Q\mathbf K^\top/\sqrt d` es otro producto:

    .. math::
       :label: ec-att-atras-puntajes

       \frac{\partial\mathcal L}{\partial\mathbf Q}
       =\frac1{\sqrt d}\,\frac{\partial\mathcal L}{\partial\mathbf S}\,\mathbf K,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf K}
       =\frac1{\sqrt d}\left(\frac{\partial\mathcal L}{\partial\mathbf S}\right)^{\!\top}\mathbf Q .

    **La máscara** no aparece: donde tapa, :math:`A_{ts}=0` y el gradiente del puntaje es cero.

    **A mano.** Con los datos de :func:`scaled_dot_product_attention`, a la pérdida solo le importa la primera mezcla,
    que quiere más pequeña: :math:`\mathbf G=(1, 0, 0)`. La primera fila de :math:`\partial\mathcal L/\partial\mathbf A`
    es :math:`(1, 2, 3)`, los valores; la mezcla es :math:`2.292`, y con :eq:`ec-att-atras-softmax` los puntajes reciben
    :math:`0.284\cdot(-1.292)=-0.367`, :math:`0.140\cdot(-0.292)=-0.041` y :math:`0.576\cdot0.708=0.408`. A cada valor
    le toca su peso:

    >>> Q = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    >>> K = [[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]
    >>> V = [[1.0], [2.0], [3.0]]
    >>> Z, A = scaled_dot_product_attention(Q, K, V)
    >>> dQ, dK, dV = scaled_dot_product_attention_backward(
    ...     Q, K, V, A, [[1.0], [0.0], [0.0]])
    >>> dV.round(3).ravel()
    array([0.284, 0.14 , 0.576])

    La primera consulta: :math:`(-0.367+2\cdot0.408,\ -0.041+2\cdot0.408)/\sqrt2`. Las demás no pesaron:

    >>> dQ.round(3)
    array([[0.317, 0.548],
           [0.   , 0.   ],
           [0.   , 0.   ]])

    A cada clave le toca su gradiente por la consulta :math:`(1, 0)`, entre :math:`\sqrt2`:

    >>> dK.round(3)
    array([[-0.259,  0.   ],
           [-0.029,  0.   ],
           [ 0.288,  0.   ]])

    Parameters
    ----------
    query, key, value : array_like
        Lo que entró a :func:`scaled_dot_product_attention`.
    weights : array_like, shape (..., T, S)
        Los pesos que dio.
    dy : array_like, shape (..., T, m)
        El gradiente de las mezclas, :math:`\mathbf G`.

    Returns
    -------
    dquery, dkey, dvalue : ndarray
        Los gradientes de las consultas, de las claves y de los valores.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan o si hay NaN o infinitos.
    """
    query, key, value, weights, dy = _checked(query, key, value, weights=weights, dy=dy)
    lead, steps, sources, m = query.shape[:-2], query.shape[-2], key.shape[-2], value.shape[-1]
    if weights.shape != (*lead, steps, sources) or dy.shape != (*lead, steps, m):
        raise ValueError(
            f"se esperaban weights {(*lead, steps, sources)} y dy {(*lead, steps, m)}, "
            f"pero llegaron {weights.shape} y {dy.shape}"
        )
    q, k, v, dz = _alone(query), _alone(key), _alone(value), _alone(dy)
    a = np.ascontiguousarray(weights.reshape(len(q), 1, steps, sources).swapaxes(2, 3))
    none = np.zeros((0, 0, 0, 0), q.dtype)
    found = [np.empty_like(one) for one in (q, k, v)]
    da = np.empty((sources, steps), q.dtype)
    _attend_back(q, k, v, APART, _scale(q), False, none, a, a, dz, none, da, *found, *_room(q, v)[:2])
    return tuple(one.reshape(like.shape) for one, like in zip(found, (query, key, value), strict=True))


def plain_scaled_dot_product_attention_backward(
    query, key, value, weights, dy
):  # fmt: skip
    r"""Los tres pasos, del último al primero."""
    dvalue = weights.swapaxes(-1, -2) @ dy  # [ec-att-atras-mezcla]
    da = dy @ value.swapaxes(-1, -2)  # [ec-att-atras-mezcla]
    along = (weights * da).sum(axis=-1, keepdims=True)
    ds = weights * (da - along)  # [ec-att-atras-softmax]
    ds = ds / np.sqrt(query.shape[-1])
    dquery = ds @ key  # [ec-att-atras-puntajes]
    dkey = ds.swapaxes(-1, -2) @ query  # [ec-att-atras-puntajes]
    return dquery, dkey, dvalue


@kernel(error_model="numpy", fastmath={"contract"})
def _softmax_columns_back(a, da, first, last, end, causal, scale, along):
    columns = last - first
    along[:columns] = a.dtype.type(0)
    for s in range(end):
        start = _start(s, first, causal)
        row, slope, sums = a[s, first + start : last], da[s, first + start : last], along[start:columns]
        for t in range(row.size):
            sums[t] += row[t] * slope[t]
    for s in range(end):
        start = _start(s, first, causal)
        row, slope, sums = a[s, first + start : last], da[s, first + start : last], along[start:columns]
        for t in range(row.size):
            slope[t] = row[t] * (slope[t] - sums[t]) * scale  # [ec-att-atras-softmax]
    for s in range(end, a.shape[0]):
        da[s, first:last] = a.dtype.type(0)


@kernel
def _attend_back(q, k, v, at, scale, causal, coins, a, dropped, dz, dweights, da, dq, dk, dv, turned, along):
    n, heads, _, steps = a.shape
    one = a.dtype.type(1)
    for i in range(n):
        for h in range(heads):
            weights, columns = a[i, h], turned[: v.shape[3]]
            for first in range(0, steps, PANEL):
                last = min(first + PANEL, steps)
                end = min(last, a.shape[2]) if causal else a.shape[2]
                _turn(dz[i, :, h], first, last, one, columns)
                _compare(v[i, :, at[2] + h], columns, first, last, end, causal, da)  # [ec-att-atras-mezcla]
                if coins.shape[0]:
                    _multiply(da, coins[i, h], first, last, da)
                if dweights.shape[0]:
                    for s in range(end):
                        for t in range(first, last):
                            da[s, t] += dweights[i, h, s, t]
                _softmax_columns_back(weights, da, first, last, end, causal, scale, along)
                _mix(da, k[i, :, at[1] + h], first, last, end, causal, dq[i, :, at[0] + h])  # [ec-att-atras-puntajes]
            _collect(da, q[i, :, at[0] + h], causal, dk[i, :, at[1] + h])  # [ec-att-atras-puntajes]
            _collect(dropped[i, h], dz[i, :, h], causal, dv[i, :, at[2] + h])  # [ec-att-atras-mezcla]
