r"""La atención por mosaicos: nunca guarda la matriz de pesos."""

import math

import numpy as np

from chapters.attention.scores.scaled_dot_product import _checked
from chapters.mlp.activations.exponential import exp, log
from dlbook import check
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul


def _ready(query, key, value, block, causal):
    query, key, value = _checked(query, key, value)
    block, causal = check.integer(block, "block", 1), check.boolean(causal, "causal")
    return query, key, value, min(block, max(query.shape[-2], key.shape[-2])), causal


def _stacked(x):
    return x.reshape(-1, *x.shape[-2:])


def tiled_attention_forward(query, key, value, block=64, causal=False):
    r"""La atención, por mosaicos (*tiles*): la matriz de pesos, de :math:`T\times S`, nunca existe entera.

    La consulta :math:`t` quiere lo de siempre,

    .. math::
       :label: ed-att-mosaico-meta

       \begin{gathered}
       s_{tr}=\frac{\mathbf q_t\cdot\mathbf k_r}{\sqrt{d_k}},\\
       \mathbf z_t=\frac{\sum_r e^{s_{tr}}\,\mathbf v_r}{\sum_r e^{s_{tr}}} ,
       \end{gathered}

    y para eso no hace falta tener sus :math:`S` puntajes a la vez: :func:`online_softmax` los lee por bloques. Cada
    bloque de claves se multiplica, se usa y se olvida :cite:p:`rabe2021,dao2022`:

    .. math::
       :label: ec-att-mosaico-puntajes

       \mathbf S_J=\frac{1}{\sqrt{d_k}}\,\mathbf Q\,\mathbf K_J^{\top} .

    Con ese bloque se ponen al día el máximo y las dos sumas de cada consulta, con :eq:`ec-att-enlinea-maximo` y
    :eq:`ec-att-enlinea-sumas`. Además de :math:`\mathbf Z` queda un número por consulta, el logaritmo de su suma de
    exponenciales (*log-sum-exp*):

    .. math::
       :label: ec-att-mosaico-lse

       L_t=\ln\sum_r e^{s_{tr}}=m_t+\ln\ell_t ,

    porque :math:`\ell_t=\sum_r e^{s_{tr}-m_t}=e^{-m_t}\sum_r e^{s_{tr}}`. Con :math:`L_t`, cualquier peso se puede
    volver a calcular después, sin los demás:

    .. math::
       :label: ec-att-mosaico-peso

       A_{tr}=\frac{e^{s_{tr}}}{e^{L_t}}=e^{s_{tr}-L_t} .

    El núcleo también corta las consultas en bloques, y trabaja con mosaicos de :math:`b\times b` que caben en la caché.
    Con la máscara causal ni siquiera mira los mosaicos que están tapados por completo.

    **A mano.** Una consulta y cuatro claves de un número, con los puntajes de :func:`online_softmax`:

    >>> keys = np.log([[1.0], [2.0], [8.0], [5.0]])
    >>> values = [[10.0], [40.0], [20.0], [8.0]]
    >>> z, lse = tiled_attention_forward([[1.0]], keys, values, 2)
    >>> z.round(12), bool(np.isclose(lse[0], np.log(1 + 2 + 8 + 5)))
    (array([[18.125]]), True)

    El peso de la tercera, :math:`\frac8{16}`, sale de :math:`L`:

    >>> float(np.exp(keys[2, 0] - lse[0]).round(12))
    0.5

    Parameters
    ----------
    query : array_like, shape (..., T, d)
        Las consultas.
    key : array_like, shape (..., S, d)
        Las claves.
    value : array_like, shape (..., S, v)
        Los valores.
    block : int
        El lado de un mosaico, :math:`b`.
    causal : bool
        Si la consulta :math:`t` solo mira las claves de la 0 a la :math:`t`.

    Returns
    -------
    z : ndarray, shape (..., T, v)
        La atención.
    logsumexp : ndarray, shape (..., T)
        El número :math:`L_t` de cada consulta.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si las formas no encajan, si ``block`` no es un entero de al menos 1 o si
        ``causal`` no es un booleano.
    """
    query, key, value, block, causal = _ready(query, key, value, block, causal)
    dtype, d, wide = query.dtype, query.shape[-1], value.shape[-1]
    z = np.empty((*query.shape[:-1], wide), dtype)
    logsumexp = np.empty(query.shape[:-1], dtype)
    room = [np.empty(shape, dtype) for shape in ((d, block), (block, block), (block, wide), block, block)]
    arrays = [_stacked(a) for a in (query, key, value)]
    _tiled_forward(*arrays, causal, *room, _stacked(z), logsumexp.reshape(-1, query.shape[-2]))
    return z, logsumexp


def plain_tiled_attention_forward(
    query, key, value, block=64, causal=False
):  # fmt: skip
    r"""Un bloque de claves cada vez; de cada consulta quedan un máximo y dos sumas."""
    (T, d), S = query.shape[-2:], key.shape[-2]
    m = np.full(query.shape[:-1], -np.inf, query.dtype)
    total, o = 0, 0
    for start in range(0, S, block):
        J = np.arange(start, min(start + block, S))
        s = query @ key[..., J, :].swapaxes(-1, -2)
        s = s / math.sqrt(d)  # [ec-att-mosaico-puntajes]
        if causal:
            s = np.where(np.arange(T)[:, None] >= J, s, -np.inf)
        new = np.maximum(m, s.max(axis=-1))  # [ec-att-enlinea-maximo]
        factor, e = np.exp(m - new), np.exp(s - new[..., None])
        m, total = new, factor * total + e.sum(axis=-1)
        o = factor[..., None] * o + e @ value[..., J, :]
    z = o / total[..., None]  # [ec-att-enlinea-cociente]
    return z, m + np.log(total)  # [ec-att-mosaico-lse]


# El mayor de los primeros números, que no son NaN.
@kernel(fastmath={"nnan", "nsz", "reassoc"})
def _peak(row, count):
    peak = row[0]
    for s in range(1, count):
        peak = max(peak, row[s])
    return peak


# Suma exponenciales, que se escriben en su sitio.
@kernel(error_model="numpy", fastmath={"reassoc"})
def _exponentials(row, count, peak):
    for s in range(count):
        row[s] = exp(row[s] - peak)
    total = row.dtype.type(0)
    for s in range(count):
        total += row[s]
    return total


@kernel
def _transpose(a, factor, out):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            out[j, i] = a[i, j] * factor


@kernel
def _add_rows(part, out):
    for i in range(out.shape[0]):
        total, more = out[i], part[i]
        for j in range(total.size):
            total[j] += more[j]


@kernel(error_model="numpy", fastmath={"contract"})
def _tiled_forward(q, k, v, causal, kt, scores, part, m, total, z, logsumexp):
    # q: (B, T, d); k: (B, S, d); v: (B, S, v). Lo demás, salvo lo que sale, es lugar para un mosaico.
    real, block, sources, steps = q.dtype.type, m.size, k.shape[1], q.shape[1]
    scale = real(1 / np.sqrt(q.shape[2]))
    for b in range(q.shape[0]):
        for first in range(0, steps, block):
            stop = min(first + block, steps)
            rows, o = stop - first, z[b, first:stop]
            m[:], total[:], o[:] = -np.inf, 0, 0
            for start in range(0, min(sources, stop) if causal else sources, block):
                count = min(block, sources - start)
                keys, s = kt[:, :count], scores[:rows, :count]
                _transpose(k[b, start : start + count], scale, keys)
                matmul(q[b, first:stop], keys, s)  # [ec-att-mosaico-puntajes]
                for r in range(rows):
                    seen = min(count, first + r + 1 - start) if causal else count
                    row, sums = scores[r], z[b, first + r]
                    new = max(m[r], _peak(row, seen))  # [ec-att-enlinea-maximo]
                    factor = exp(m[r] - new)
                    added = _exponentials(row, seen, new)
                    row[seen:] = 0
                    total[r] = factor * total[r] + added  # [ec-att-enlinea-sumas]
                    for j in range(sums.size):
                        sums[j] *= factor
                    m[r] = new
                matmul(s, v[b, start : start + count], part[:rows])
                _add_rows(part, o)  # [ec-att-enlinea-sumas]
            for r in range(rows):
                inverse, sums = real(1) / total[r], z[b, first + r]
                for j in range(sums.size):
                    sums[j] *= inverse  # [ec-att-enlinea-cociente]
                logsumexp[b, first + r] = m[r] + log(total[r])  # [ec-att-mosaico-lse]


def tiled_attention_backward(query, key, value, z, logsumexp, dy, block=64, causal=False):
    r"""La atención por mosaicos, hacia atrás: los pesos que no se guardaron se calculan otra vez.

    Con la matriz :math:`\mathbf A` a la mano, :doc:`la vuelta de la atención </attention/atras>` es

    .. math::
       :label: ec-att-mosaico-valores

       d\mathbf V=\mathbf A^{\top}d\mathbf Z,
       \qquad
       d\mathbf A=d\mathbf Z\,\mathbf V^{\top},

    .. math::
       :label: ec-att-mosaico-softmax

       dS_{tr}=A_{tr}\,(dA_{tr}-D_t),
       \qquad
       D_t=\sum_r A_{tr}\,dA_{tr},

    .. math::
       :label: ec-att-mosaico-entradas

       d\mathbf Q=\frac{1}{\sqrt{d_k}}\,d\mathbf S\,\mathbf K,
       \qquad
       d\mathbf K=\frac{1}{\sqrt{d_k}}\,d\mathbf S^{\top}\mathbf Q ,

    donde :math:`d\mathbf V` abrevia :math:`\partial\mathcal L/\partial\mathbf V`, y así las demás. Todo se puede hacer
    por bloques, con los pesos recalculados con :eq:`ec-att-mosaico-peso`, salvo una cosa: :math:`D_t` suma **toda** la
    fila, y hace falta antes de tocar el primer bloque.

    **El truco.** Escribe :math:`dA_{tr}=\sum_j dZ_{tj}\,V_{rj}` y cambia el orden de las sumas:

    .. math::
       :label: ed-att-mosaico-cambio

       \begin{aligned}
       D_t&=\sum_r A_{tr}\sum_j dZ_{tj}\,V_{rj}\\
       &=\sum_j dZ_{tj}\underbrace{\sum_r A_{tr}\,V_{rj}}_{Z_{tj}} .
       \end{aligned}

    Lo de adentro es la salida, que sí se guardó:

    .. math::
       :label: ec-att-mosaico-punto

       D_t=\sum_j dZ_{tj}\,Z_{tj} .

    Un producto punto de :math:`v` números por consulta, y no uno de :math:`S`.

    El precio de no guardar es repetir :math:`\mathbf Q\mathbf K^{\top}`: la vuelta hace cinco productos en vez de
    cuatro.

    **A mano.** Con los cuatro pesos :math:`\frac1{16},\frac2{16},\frac8{16},\frac5{16}` y :math:`z=18.125`, llega
    :math:`dz=1`. Entonces :math:`D=18.125`, a los valores les toca su peso, y al primer puntaje,
    :math:`\frac1{16}(10-18.125)`. Como la consulta vale 1, :math:`dk=ds`:

    >>> keys = np.log([[1.0], [2.0], [8.0], [5.0]])
    >>> values = [[10.0], [40.0], [20.0], [8.0]]
    >>> z, lse = tiled_attention_forward([[1.0]], keys, values, 2)
    >>> dq, dk, dv = tiled_attention_backward(
    ...     [[1.0]], keys, values, z, lse, [[1.0]], 2
    ... )
    >>> dv.ravel().round(12)
    array([0.0625, 0.125 , 0.5   , 0.3125])
    >>> bool(np.isclose(dk[0, 0], (10 - 18.125) / 16))
    True

    Los cuatro puntajes se reparten lo que uno gana y otro pierde:

    >>> bool(abs(dk.sum()) < 1e-12)
    True

    Parameters
    ----------
    query, key, value : array_like
        Lo que entró a :func:`tiled_attention_forward`.
    z, logsumexp : array_like
        Lo que salió.
    dy : array_like, shape (..., T, v)
        El gradiente de ``z``.
    block : int
        El lado de un mosaico.
    causal : bool
        Si la consulta :math:`t` solo miró las claves de la 0 a la :math:`t`.

    Returns
    -------
    dquery, dkey, dvalue : ndarray
        El gradiente de cada entrada.

    Raises
    ------
    TypeError, ValueError
        Como en :func:`tiled_attention_forward`.
    """
    query, key, value, block, causal = _ready(query, key, value, block, causal)
    dtype, d, wide = query.dtype, query.shape[-1], value.shape[-1]
    z, logsumexp, dy = (
        check.floats(a, name).astype(dtype, copy=False) for a, name in ((z, "z"), (logsumexp, "logsumexp"), (dy, "dy"))
    )
    shape = (*query.shape[:-1], wide)
    if not z.shape == dy.shape == shape or logsumexp.shape != shape[:-1]:
        raise ValueError(
            f"se esperaban z y dy de forma {shape} y logsumexp de forma {shape[:-1]}, "
            f"pero llegaron {z.shape}, {dy.shape} y {logsumexp.shape}"
        )
    gradients = [np.zeros_like(a) for a in (query, key, value)]
    square, thin = (block, block), (block, max(d, wide))
    room = [np.empty(size, dtype) for size in ((d, block), (wide, block), square, square, thin)]
    arrays = [_stacked(a) for a in (query, key, value, z, dy)]
    points, lse = np.empty((2, *arrays[0].shape[:2]), dtype)
    lse[:] = logsumexp.reshape(lse.shape)
    _tiled_backward(*arrays, lse, points, causal, block, *room, *(_stacked(a) for a in gradients))
    return tuple(gradients)


def plain_tiled_attention_backward(
    query, key, value, z, logsumexp, dy, block=64, causal=False
):  # fmt: skip
    r"""Los pesos, otra vez, un bloque de claves cada vez."""
    T, scale = query.shape[-2], 1 / math.sqrt(query.shape[-1])
    D = (dy * z).sum(axis=-1, keepdims=True)  # [ec-att-mosaico-punto]
    dq, dk, dv = (np.zeros_like(a) for a in (query, key, value))
    for start in range(0, key.shape[-2], block):
        J = np.arange(start, min(start + block, key.shape[-2]))
        k, v = key[..., J, :], value[..., J, :]
        s = scale * (query @ k.swapaxes(-1, -2))  # [ec-att-mosaico-puntajes]
        A = np.exp(s - logsumexp[..., None])  # [ec-att-mosaico-peso]
        if causal:
            A = A * (np.arange(T)[:, None] >= J)
        dA = dy @ v.swapaxes(-1, -2)  # [ec-att-mosaico-valores]
        dS = A * (dA - D)  # [ec-att-mosaico-softmax]
        dv[..., J, :] = A.swapaxes(-1, -2) @ dy  # [ec-att-mosaico-valores]
        dq += scale * (dS @ k)  # [ec-att-mosaico-entradas]
        dS = dS.swapaxes(-1, -2)
        dk[..., J, :] = scale * (dS @ query)  # [ec-att-mosaico-entradas]
    return dq, dk, dv


@kernel(error_model="numpy", fastmath={"contract"})
def _tiled_backward(q, k, v, z, dz, logsumexp, points, causal, block, kt, vt, a, da, part, dq, dk, dv):
    real, sources, steps, d, wide = q.dtype.type, k.shape[1], q.shape[1], q.shape[2], v.shape[2]
    scale = real(1 / np.sqrt(d))
    for b in range(q.shape[0]):
        for t in range(steps):
            points[b, t] = 0
            for j in range(wide):
                points[b, t] += dz[b, t, j] * z[b, t, j]  # [ec-att-mosaico-punto]
        for start in range(0, sources, block):
            end = min(start + block, sources)
            count = end - start
            keys, values = k[b, start:end], v[b, start:end]
            _transpose(keys, scale, kt[:, :count])
            _transpose(values, real(1), vt[:, :count])
            for first in range(start if causal else 0, steps, block):
                stop = min(first + block, steps)
                rows = stop - first
                queries, slope = q[b, first:stop], dz[b, first:stop]
                weights, ds = a[:rows, :count], da[:rows, :count]
                matmul(queries, kt[:, :count], weights)  # [ec-att-mosaico-puntajes]
                matmul(slope, vt[:, :count], ds)  # [ec-att-mosaico-valores]
                for r in range(rows):
                    seen = min(count, first + r + 1 - start) if causal else count
                    lse, point = logsumexp[b, first + r], points[b, first + r]
                    row, slopes = a[r], da[r]
                    for s in range(seen):
                        row[s] = exp(row[s] - lse)  # [ec-att-mosaico-peso]
                    for s in range(seen):
                        slopes[s] = scale * row[s] * (slopes[s] - point)  # [ec-att-mosaico-softmax]
                    row[seen:], slopes[seen:] = 0, 0
                matmul(weights.T, slope, part[:count, :wide])  # [ec-att-mosaico-valores]
                _add_rows(part, dv[b, start:end])
                matmul(ds, keys, part[:rows, :d])  # [ec-att-mosaico-entradas]
                _add_rows(part, dq[b, first:stop])
                matmul(ds.T, queries, part[:count, :d])  # [ec-att-mosaico-entradas]
                _add_rows(part, dk[b, start:end])
