r"""La GRU: la misma idea que la LSTM con una compuerta menos y un solo estado."""

import numpy as np

from chapters.mlp import activations
from chapters.mlp.activations import Sigmoid, Tanh
from chapters.mlp.dense import _dense_backward_weights, _rows
from chapters.rnn.recurrent.lstm import applied, by_steps, sequence_arguments, slope
from chapters.rnn.recurrent.recurrent import Recurrent
from chapters.rnn.recurrent.steps import (
    carry,
    in_strips,
    matmul_packed,
    recur,
    recur_back,
    sigmoid,
    tanh,
)
from dlbook import check
from dlbook.attributes import Absent
from dlbook.numeric.elementwise import copy, sum_rows
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul, matmul_large, matmul_transposed


def gru_forward(x, kernel, recurrent_kernel, bias, initial_state=None, reset_after=True, mask=None):
    r"""Lee una secuencia con una GRU (*gated recurrent unit*).

    La LSTM decide con dos compuertas qué borra y qué apunta, aunque muchas veces sea una sola decisión: cambiar lo
    viejo por lo nuevo. Y tiene dos estados, la memoria y lo que se muestra de ella. ¿Y si dejamos uno de cada cosa?

    **1. Un solo estado y una sola balanza.** Sea :math:`\mathbf h_t` la memoria, que se muestra entera. Lo que se
    conserva y lo que se apunta suman 1, y lo decide una *compuerta de actualización* (*update gate*)
    :math:`\mathbf z_t`:

    .. math::
       :label: ec-rnn-gru-estado

       \mathbf h_t=\mathbf z_t\odot\mathbf h_{t-1}+(1-\mathbf z_t)\odot\mathbf g_t .

    Es una media ponderada, componente por componente: :math:`\mathbf h_t` queda entre lo que había y lo nuevo, y no
    hace falta otra tangente que la acote. El camino directo de un paso al siguiente es :math:`\mathbf z_t`, como en la
    LSTM era :math:`\mathbf f_t`. Con :math:`\mathbf z=1` se conserva todo; con :math:`\mathbf z=0`, nada.

    **2. Proponer sin mirar atrás.** El candidato se calcula con la entrada y con el estado. A veces el estado estorba:
    empieza otra frase. La *compuerta de reinicio* (*reset gate*) :math:`\mathbf r_t` dice cuánto se le escucha:

    .. math::
       :label: ec-rnn-gru-candidato

       \mathbf g_t=\tanh\bigl(\mathbf x_t\mathbf W^g+\mathbf b^g
       +\mathbf r_t\odot(\mathbf h_{t-1}\mathbf U^g+\mathbf b'^g)\bigr).

    **3. Quién mueve las compuertas.** Otra vez la entrada y el estado de antes:

    .. math::
       :label: ec-rnn-gru-compuertas

       \begin{aligned}
       \mathbf z_t&=\sigma(\mathbf x_t\mathbf W^z+\mathbf b^z+\mathbf h_{t-1}\mathbf U^z+\mathbf b'^z),\\
       \mathbf r_t&=\sigma(\mathbf x_t\mathbf W^r+\mathbf b^r+\mathbf h_{t-1}\mathbf U^r+\mathbf b'^r).
       \end{aligned}

    Los tres bloques van lado a lado, en el orden :math:`z,r,g`: :math:`\mathbf W` es de :math:`d\times3u` y
    :math:`\mathbf U`, de :math:`u\times3u`.

    **Antes o después del producto.** En :eq:`ec-rnn-gru-candidato` la compuerta llega **después** del producto con
    :math:`\mathbf U^g`: así, los tres productos con :math:`\mathbf h_{t-1}` se hacen de una vez. Por eso la parte del
    estado lleva su propio sesgo, que la compuerta también multiplica, y ``bias`` tiene dos filas. El artículo
    original la pone **antes**, con un solo sesgo; es ``reset_after=False``, y su producto tiene que esperar a la
    compuerta:

    .. math::
       :label: ec-rnn-gru-antes

       \mathbf g_t=\tanh\bigl(\mathbf x_t\mathbf W^g+(\mathbf r_t\odot\mathbf h_{t-1})\mathbf U^g+\mathbf b^g\bigr).

    **A mano, el primer paso.** Una unidad con :math:`x=1` y :math:`h=0.8`; los pesos de la entrada son
    :math:`(1,0,0.5)`, los del estado :math:`(0,0,1)` y no hay sesgos. Entonces :math:`z=\sigma(1)=0.731059`,
    :math:`r=\sigma(0)=0.5` y :math:`g=\tanh(0.5+0.5\cdot0.8)=\tanh 0.9=0.716298`:

    >>> W, U, b = [[1.0, 0.0, 0.5]], [[0.0, 0.0, 1.0]], np.zeros((2, 3))
    >>> x, start = [[[1.0], [0.0]]], [[0.8]]
    >>> h, gates, inner = gru_forward(x, W, U, b, start)
    >>> gates[0, 0].round(6)
    array([0.731059, 0.5     , 0.716298])
    >>> print(f"{0.731059 * 0.8 + 0.268941 * 0.716298:.6f}", h[0, 0].round(6))
    0.777489 [0.777489]

    **El segundo paso.** Llega :math:`x=0`: :math:`z=r=0.5` y :math:`g=\tanh(0.5\cdot0.777489)`. El estado queda a la
    mitad del camino entre los dos:

    >>> gates[0, 1].round(6), h[0, 1].round(6)
    (array([0.5     , 0.5     , 0.370277]), array([0.573883]))

    **Con una unidad y sin sesgos** da lo mismo antes que después: :math:`r(hu)=(rh)u`. Con dos, :math:`\mathbf U` ya
    mezcla componentes, y no da lo mismo atenuar los ingredientes que la mezcla. Aquí :math:`\mathbf U^g` los cambia de
    lugar, y solo la primera compuerta está abierta:

    >>> swap = np.hstack([np.zeros((2, 4)), [[0.0, 1.0], [1.0, 0.0]]])
    >>> none, half = np.zeros((1, 6)), [[0.3, 0.9]]
    >>> shut = np.array([-1e3, -1e3, 1e3, -1e3, 0.0, 0.0])
    >>> after, before = np.stack([shut, 0 * shut]), shut
    >>> gru_forward([[[0.0]]], none, swap, after, half)[0].round(4)
    array([[[0.7163, 0.    ]]])
    >>> gru_forward([[[0.0]]], none, swap, before, half, False)[0].round(4)
    array([[[0.    , 0.2913]]])

    Parameters
    ----------
    x : array_like, shape (n, T, d)
        Las secuencias.
    kernel : array_like, shape (d, 3u)
        Los pesos de la entrada, :math:`\mathbf W`.
    recurrent_kernel : array_like, shape (u, 3u)
        Los del estado, :math:`\mathbf U`.
    bias : array_like, shape (2, 3u) or (3u,)
        Los sesgos de la parte de la entrada y los de la parte del estado; con ``reset_after=False``, solo los primeros.
    initial_state : array_like, shape (n, u), optional
        El estado del que se parte; sin él, ceros.
    reset_after : bool
        Si la compuerta de reinicio va después del producto.
    mask : array_like of bool, shape (n, T), optional
        Qué pasos son reales: en los demás, el estado sigue como estaba.

    Returns
    -------
    h : ndarray, shape (n, T, u)
        El estado de cada paso.
    gates : ndarray, shape (n, T, 3u)
        Lo que valieron las compuertas y el candidato, en el orden z, r, g.
    inner : ndarray, shape (n, T, u)
        Lo que falta para volver: :math:`\mathbf h_{t-1}\mathbf U^g+\mathbf b'^g`, o
        :math:`\mathbf r_t\odot\mathbf h_{t-1}` con ``reset_after=False``.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si las formas no encajan o si la máscara no es de unos y ceros.

        >>> gru_forward(x, W, U, [0.0, 0.0, 0.0])
        Traceback (most recent call last):
            ...
        ValueError: bias: se esperaba la forma (2, 3u=3), pero llegó (3,)
    """
    reset_after = check.boolean(reset_after, "reset_after")
    x, kernel, u, (start,), mask = sequence_arguments(x, kernel, recurrent_kernel, 3, [initial_state], mask)
    bias = check.floats(bias, "bias", "2 3u" if reset_after else "3u", {"3u": u.shape[1]}).astype(x.dtype, copy=False)
    first, last = np.empty(u.shape[1], x.dtype), np.empty(len(u), x.dtype)
    gru_biases(bias.reshape(-1, u.shape[1]), reset_after, first, last)
    xs = by_steps(x)
    z = np.empty((*xs.shape[:2], u.shape[1]), x.dtype)
    h = np.empty((len(z) + 1, *start.shape), x.dtype)
    h[0] = start
    inner = np.empty_like(h[1:])
    weights = in_strips(kernel), first, u, in_strips(u), last
    _gru_forward(xs, *weights, mask, np.zeros((0, 0, 0), x.dtype), reset_after, z, h, inner)
    return h[1:].swapaxes(0, 1), z.swapaxes(0, 1), inner.swapaxes(0, 1)


def plain_gru_forward(x, kernel, recurrent_kernel, bias, initial_state):
    r"""Un paso tras otro, con la compuerta de reinicio después del producto."""
    h, steps = initial_state, []
    for t in range(x.shape[1]):
        a = np.split(x[:, t] @ kernel + bias[0], 3, axis=1)
        q = np.split(h @ recurrent_kernel + bias[1], 3, axis=1)
        z = 1 / (1 + np.exp(-a[0] - q[0]))  # [ec-rnn-gru-compuertas]
        r = 1 / (1 + np.exp(-a[1] - q[1]))  # [ec-rnn-gru-compuertas]
        g = np.tanh(a[2] + r * q[2])  # [ec-rnn-gru-candidato]
        h = z * h + (1 - z) * g  # [ec-rnn-gru-estado]
        steps.append((h, np.hstack([z, r, g]), q[2]))
    return tuple(np.stack(s, axis=1) for s in zip(*steps, strict=True))


@kernel
def gru_biases(bias, reset_after, first, inner):
    r"""Escribe los sesgos como se suman: los que pueden ir con la entrada, y el que el reinicio multiplica.

    ``bias`` es de (2, 3u) o, con ``reset_after=False``, de (1, 3u).
    """
    n = inner.size
    for j in range(3 * n):
        first[j] = bias[0, j]
    for j in range(n):
        inner[j] = bias[1, 2 * n + j] if reset_after else 0
    for j in range(2 * n if reset_after else 0):
        first[j] += bias[1, j]


@kernel(error_model="numpy")
def _gru_forward(xs, kernel, b, u, packed, bias, mask, drop, reset_after, z, h, inner):
    n, units = h.shape[1:]
    r = np.empty(z.shape[1:], z.dtype)
    dropped = np.empty((n, units), z.dtype)
    for t in range(z.shape[0]):
        matmul_packed(xs[t], kernel, z[t])
        recur(h[t], u, packed, drop, dropped, r)
        for k in range(n):
            gates, part = z[t, k, : 2 * units], r[k, : 2 * units]
            for j in range(2 * units):
                gates[j] = sigmoid(gates[j] + part[j] + b[j])  # [ec-rnn-gru-compuertas]
        if reset_after:
            for k in range(n):
                reset, part, own = z[t, k, units : 2 * units], r[k, 2 * units :], inner[t, k]
                for j in range(units):
                    own[j] = part[j] + bias[j]
                    part[j] = reset[j] * own[j]
        else:
            for k in range(n):
                for j in range(units):
                    inner[t, k, j] = z[t, k, units + j] * h[t, k, j]
                    if drop.shape[0]:
                        inner[t, k, j] *= drop[k, 2, j]
            matmul(inner[t], u[:, 2 * units :], r[:, 2 * units :])  # [ec-rnn-gru-antes]
        for k in range(n):
            update, g, part = z[t, k, :units], z[t, k, 2 * units :], r[k, 2 * units :]
            before, after = h[t, k], h[t + 1, k]
            for j in range(units):
                g[j] = tanh(g[j] + part[j] + b[2 * units + j])  # [ec-rnn-gru-candidato]
                after[j] = g[j] + update[j] * (before[j] - g[j])  # [ec-rnn-gru-estado]
        if mask.size:
            carry(mask[t], h[t], h[t + 1])


def gru_backward(x, kernel, recurrent_kernel, initial_state, h, gates, inner, dy, reset_after=True, mask=None):
    r"""Lleva el gradiente de una GRU hacia atrás en el tiempo, hasta la entrada y los pesos.

    Sea :math:`\boldsymbol\eta_t` el gradiente completo de :math:`\mathbf h_t`. Este estado influye por cinco caminos:
    la respuesta de su paso y, en el siguiente, la media :eq:`ec-rnn-gru-estado`, las dos compuertas y el candidato. En
    lo que sigue, sin subíndice, todo es del paso :math:`t`, y :math:`\boldsymbol\delta` es el gradiente de lo que entra
    en una sigmoide o en la tangente: la de :math:`\mathbf z`, la de :math:`\mathbf r` o la de :math:`\mathbf g`.

    **La media.** Derivemos :eq:`ec-rnn-gru-estado`: al candidato le toca :math:`1-\mathbf z`; a la compuerta, la
    diferencia entre lo que había y lo nuevo; y al estado de antes, :math:`\mathbf z`. Con las derivadas de la tangente
    y de la sigmoide,

    .. math::
       :label: ec-rnn-gru-media-gradiente

       \begin{aligned}
       \boldsymbol\delta^g&=\boldsymbol\eta\odot(1-\mathbf z)\odot(1-\mathbf g^2),\\
       \boldsymbol\delta^z&=\boldsymbol\eta\odot(\mathbf h_{t-1}-\mathbf g)\odot\mathbf z\odot(1-\mathbf z).
       \end{aligned}

    **El reinicio.** Llama :math:`\mathbf q=\mathbf h_{t-1}\mathbf U^g+\mathbf b'^g`. En :eq:`ec-rnn-gru-candidato`
    aparece el producto :math:`\mathbf r\odot\mathbf q`, y su gradiente es :math:`\boldsymbol\delta^g`. A cada factor le
    toca el otro:

    .. math::
       :label: ec-rnn-gru-reinicio-gradiente

       \boldsymbol\delta^r=\boldsymbol\delta^g\odot\mathbf q\odot\mathbf r\odot(1-\mathbf r),
       \qquad
       \boldsymbol\delta^q=\boldsymbol\delta^g\odot\mathbf r .

    **Hacia atrás.** El estado de antes recibe lo de la media y lo de sus tres productos:

    .. math::
       :label: ec-rnn-gru-estado-gradiente

       \boldsymbol\eta_{t-1}=\frac{\partial\mathcal L}{\partial\mathbf y_{t-1}}
       +\boldsymbol\eta\odot\mathbf z
       +\bigl[\boldsymbol\delta^z,\boldsymbol\delta^r,\boldsymbol\delta^q\bigr]\mathbf U^\top .

    **Los pesos.** Las dos partes ya no tienen el mismo gradiente: en la de la entrada, el tercer bloque es
    :math:`\boldsymbol\delta^g`; en la del estado, :math:`\boldsymbol\delta^q`. Por lo demás, son dos capas densas:

    .. math::
       :label: ec-rnn-gru-pesos

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial\mathbf W}
       &=\sum_t\mathbf x_t^\top\bigl[\boldsymbol\delta^z,\boldsymbol\delta^r,\boldsymbol\delta^g\bigr],
       &\frac{\partial\mathcal L}{\partial\mathbf b}
       &=\sum_t\bigl[\boldsymbol\delta^z,\boldsymbol\delta^r,\boldsymbol\delta^g\bigr],\\
       \frac{\partial\mathcal L}{\partial\mathbf U}
       &=\sum_t\mathbf h_{t-1}^\top\bigl[\boldsymbol\delta^z,\boldsymbol\delta^r,\boldsymbol\delta^q\bigr],
       &\frac{\partial\mathcal L}{\partial\mathbf b'}
       &=\sum_t\bigl[\boldsymbol\delta^z,\boldsymbol\delta^r,\boldsymbol\delta^q\bigr].
       \end{aligned}

    A la entrada le llega :math:`[\boldsymbol\delta^z,\boldsymbol\delta^r,\boldsymbol\delta^g]\mathbf W^\top`.

    **Con el reinicio antes**, :eq:`ec-rnn-gru-antes`, el producto es :math:`\mathbf p\,\mathbf U^g` con
    :math:`\mathbf p=\mathbf r\odot\mathbf h_{t-1}`. Entonces :math:`\mathbf p` recibe
    :math:`\boldsymbol\delta^p=\boldsymbol\delta^g\mathbf U^{g\top}`, la compuerta
    :math:`\boldsymbol\delta^p\odot\mathbf h_{t-1}\odot\mathbf r\odot(1-\mathbf r)`, el estado de antes
    :math:`\boldsymbol\delta^p\odot\mathbf r`, y el tercer bloque de :math:`\mathbf U`, la suma de
    :math:`\mathbf p^\top\boldsymbol\delta^g`.

    **A mano.** El primer paso de :func:`gru_forward`, con gradiente 1 en la salida. Al candidato le toca
    :math:`0.268941\,(1-0.716298^2)=0.130952`; a la actualización,
    :math:`(0.8-0.716298)\cdot0.731059\cdot0.268941=0.016457`; y al reinicio,
    :math:`0.130952\cdot0.8\cdot0.25=0.02619`:

    >>> W, U, b = [[1.0, 0.0, 0.5]], [[0.0, 0.0, 1.0]], np.zeros((2, 3))
    >>> x, start = [[[1.0]]], [[0.8]]
    >>> h, gates, inner = gru_forward(x, W, U, b, start)
    >>> back = gru_backward(x, W, U, start, h, gates, inner, [[[1.0]]])
    >>> dkernel, drecurrent, dbias, dh, dx = back
    >>> dbias.round(6)
    array([[0.016457, 0.02619 , 0.130952],
           [0.016457, 0.02619 , 0.065476]])

    Al estado de antes le llegan :math:`z` y, por :math:`\mathbf U=(0,0,1)`, :math:`0.065476`:

    >>> dh.round(6)
    array([[0.796535]])

    Parameters
    ----------
    x, kernel, recurrent_kernel, initial_state
        Lo que recibió :func:`gru_forward`.
    h, gates, inner : array_like
        Lo que devolvió.
    dy : array_like, shape (n, T, u)
        El gradiente de :math:`\mathbf h_t`, de cada paso.
    reset_after, mask
        Como en :func:`gru_forward`.

    Returns
    -------
    dkernel : ndarray, shape (d, 3u)
        El gradiente de los pesos de la entrada.
    drecurrent_kernel : ndarray, shape (u, 3u)
        El de los del estado.
    dbias : ndarray, shape (2, 3u) or (3u,)
        El de los sesgos.
    dh : ndarray, shape (n, u)
        El del estado inicial.
    dx : ndarray, shape (n, T, d)
        El de la entrada.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no encajan.
    """
    reset_after = check.boolean(reset_after, "reset_after")
    x, kernel, u, (start,), mask = sequence_arguments(x, kernel, recurrent_kernel, 3, [initial_state], mask)
    sizes = dict(zip(("n", "T", "d", "u", "3u"), (*x.shape, *u.shape), strict=True))
    h, inner, dy = (
        by_steps(check.floats(a, name, "n T u", sizes).astype(x.dtype))
        for a, name in ((h, "h"), (inner, "inner"), (dy, "dy"))
    )
    gates = by_steps(check.floats(gates, "gates", "n T 3u", sizes).astype(x.dtype))
    h = np.concatenate([start[np.newaxis], h])
    dh, dz, dr = np.zeros_like(start), np.empty_like(gates), np.empty_like(gates)
    drop = np.zeros((0, 0, 0), x.dtype)
    _gru_backward(gates, inner, u, in_strips(u.T), mask, drop, reset_after, h, dy, dh, dz, dr)
    n = len(u)
    rows, back = dz.reshape(-1, 3 * n), dr.reshape(-1, 3 * n)
    dkernel = by_steps(x).reshape(-1, x.shape[2]).T @ rows
    drecurrent = h[:-1].reshape(-1, n).T @ back
    if not reset_after:
        drecurrent[:, 2 * n :] = inner.reshape(-1, n).T @ rows[:, 2 * n :]
    dbias = np.stack([rows.sum(axis=0), back.sum(axis=0)]) if reset_after else rows.sum(axis=0)
    return dkernel, drecurrent, dbias, dh, (dz @ kernel.T).swapaxes(0, 1)


def plain_gru_backward(
    x, kernel, recurrent_kernel, initial_state, h, gates, inner, dy
):  # fmt: skip
    r"""De la última a la primera, con la compuerta de reinicio después del producto."""
    h = np.hstack([initial_state[:, np.newaxis], h])
    dz, dr, dh = np.empty_like(gates), np.empty_like(gates), 0
    for t in reversed(range(x.shape[1])):
        z, r, g = np.split(gates[:, t], 3, axis=1)
        dh = dy[:, t] + dh
        dg = dh * (1 - z) * (1 - g**2)  # [ec-rnn-gru-media-gradiente]
        zg = dh * (h[:, t] - g) * z * (1 - z)  # [ec-rnn-gru-media-gradiente]
        rg = dg * inner[:, t] * r * (1 - r)  # [ec-rnn-gru-reinicio-gradiente]
        dz[:, t] = np.hstack([zg, rg, dg])
        dr[:, t] = np.hstack([zg, rg, dg * r])  # [ec-rnn-gru-reinicio-gradiente]
        dh = dh * z + dr[:, t] @ recurrent_kernel.T  # [ec-rnn-gru-estado-gradiente]
    dkernel = np.einsum("ntd,ntk->dk", x, dz)  # [ec-rnn-gru-pesos]
    drecurrent = np.einsum("ntu,ntk->uk", h[:, :-1], dr)  # [ec-rnn-gru-pesos]
    dbias = np.stack([dz.sum((0, 1)), dr.sum((0, 1))])  # [ec-rnn-gru-pesos]
    return dkernel, drecurrent, dbias, dh, dz @ kernel.T


@kernel(error_model="numpy")
def _gru_backward(gates, inner, u, packed, mask, drop, reset_after, h, dys, dh, dz, dr):
    n, units = dh.shape
    back, dropped, product = np.empty_like(dh), np.empty_like(dh), np.empty_like(dh)
    one = dh.dtype.type(1)
    for t in range(gates.shape[0] - 1, -1, -1):
        if dys.shape[0]:
            for k in range(n):
                for j in range(units):
                    dh[k, j] += dys[t, k, j]
        for k in range(n):
            if mask.size and not mask[t, k]:
                dz[t, k] = 0
                dr[t, k] = 0
                continue
            z, g, before = gates[t, k, :units], gates[t, k, 2 * units :], h[t, k]
            du, dg, eta = dz[t, k, :units], dz[t, k, 2 * units :], dh[k]
            for j in range(units):
                dg[j] = eta[j] * (one - z[j]) * (one - g[j] * g[j])  # [ec-rnn-gru-media-gradiente]
                du[j] = eta[j] * (before[j] - g[j]) * z[j] * (one - z[j])  # [ec-rnn-gru-media-gradiente]
        if not reset_after:
            matmul_transposed(dz[t, :, 2 * units :], u[:, 2 * units :], product)
        for k in range(n):
            if mask.size and not mask[t, k]:
                continue
            r, own, part = gates[t, k, units : 2 * units], inner[t, k], product[k]
            do, dg = dz[t, k, units : 2 * units], dz[t, k, 2 * units :]
            du, both, rest = dr[t, k, :units], dr[t, k, units : 2 * units], dr[t, k, 2 * units :]
            if reset_after:
                for j in range(units):
                    do[j] = dg[j] * own[j] * r[j] * (one - r[j])  # [ec-rnn-gru-reinicio-gradiente]
                    rest[j] = dg[j] * r[j]  # [ec-rnn-gru-reinicio-gradiente]
            else:
                # Lo que la compuerta multiplicó ya llevaba las monedas: own = r · h · drop.
                for j in range(units):
                    coin = drop[k, 2, j] if drop.shape[0] else one
                    do[j] = part[j] * h[t, k, j] * coin * r[j] * (one - r[j])
                    part[j] *= r[j] * coin
                    rest[j] = 0
            for j in range(units):
                du[j] = dz[t, k, j]
                both[j] = do[j]
        recur_back(dr[t], u, packed, drop, dropped, back)
        for k in range(n):
            if mask.size and not mask[t, k]:
                continue
            for j in range(units):
                dh[k, j] = dh[k, j] * gates[t, k, j] + back[k, j]  # [ec-rnn-gru-estado-gradiente]
                if not reset_after:
                    dh[k, j] += product[k, j]


class GRU(Recurrent):
    r"""Capa GRU, con los argumentos y los pesos de Keras.

    Hacia delante hace :func:`gru_forward` y hacia atrás, :func:`gru_backward`. Tiene un solo estado, que es lo que
    sale.

    **A mano.** La de :func:`gru_forward`, como capa:

    >>> layer = GRU(1, dtype="float64")
    >>> layer.build((None, 1))
    >>> W, U = [[1.0, 0.0, 0.5]], [[0.0, 0.0, 1.0]]
    >>> layer.set_weights([W, U, np.zeros((2, 3))])
    >>> layer.forward([[[1.0], [0.0]]], initial_state=[[0.8]]).round(6)
    array([[0.573883]])

    **Cuántos parámetros.** Tres bloques de :math:`(d+u+1)u`, o de :math:`(d+u+2)u` con los dos sesgos de
    ``reset_after=True``. Con :math:`d=64` y :math:`u=128`:

    >>> for reset_after in (False, True):
    ...     layer = GRU(128, reset_after=reset_after)
    ...     layer.build((None, 64))
    ...     print(layer.count_params())
    74112
    74496

    Parameters
    ----------
    units : int
        Cuántas unidades, :math:`u`.
    activation, recurrent_activation : str or ActivationFunction, optional
        La del candidato y la de las compuertas.
    use_bias : bool
        Si hay sesgos.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos.
    kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer : str or Regularizer, optional
        Las penalizaciones.
    kernel_constraint, recurrent_constraint, bias_constraint : str, Constraint or callable, optional
        Las restricciones.
    dropout, recurrent_dropout : float
        La fracción de la entrada y la del estado que se apagan al entrenar.
    seed : int or numpy.random.Generator, optional
        Origen de su azar.
    return_sequences, return_state, go_backwards, stateful, unroll : bool
        Qué sale, en qué orden se lee y de qué estado se parte, como en :class:`Recurrent`.
    reset_after : bool
        Si la compuerta de reinicio va después del producto.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (d, 3u)
        Los pesos de la entrada, en el orden z, r, g.
    recurrent_kernel : ndarray, shape (u, 3u)
        Los del estado.
    bias : ndarray, shape (2, 3u) or (3u,), or None
        Los sesgos.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> GRU(4).forward(np.zeros((2, 3, 2)), initial_state=np.zeros((1, 4)))
        Traceback (most recent call last):
            ...
        ValueError: initial_state: se esperaba la forma (2, 4), pero llegó (1, 4)
    """

    gates = 3
    use_cudnn = Absent("auto")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        reset_after=True,
        **options,
    ):
        super().__init__(
            units,
            activation,
            use_bias,
            kernel_initializer,
            recurrent_initializer,
            bias_initializer,
            kernel_regularizer,
            recurrent_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            recurrent_constraint,
            bias_constraint,
            dropout,
            recurrent_dropout,
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            unroll,
            seed=seed,
            **options,
        )
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = check.boolean(reset_after, "reset_after")

    def bias_shape(self):
        r"""Da la forma de los sesgos: dos filas, si el reinicio va después del producto."""
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def input_bias(self):
        r"""Da los sesgos que se suman a la parte de la entrada."""
        return self.biases()[0] if self.use_bias else self.kernel[0, :0]

    def biases(self):
        r"""Da los sesgos que se suman a la parte de la entrada, y el que la compuerta de reinicio multiplica."""
        n = 3 * self.units
        if not self.use_bias:
            return self.no_bias(n), self.no_bias(self.units)
        first, inner = self.buffer("first bias", (n,)), self.buffer("inner bias", (self.units,))
        gru_biases(self.bias.reshape(-1, n), self.reset_after, first, inner)
        return first, inner

    @property
    def usual(self):
        r"""Si las activaciones son las de siempre, que son las que conoce el núcleo."""
        return type(self.activation) is Tanh and type(self.recurrent_activation) is Sigmoid

    def project(self, xs, z):
        r"""No hace nada, si el núcleo conoce las activaciones: él calcula también la parte de la entrada."""
        if not self.usual:
            super().project(xs, z)

    def run(self, z, states, mask):
        r"""Recorre los pasos hacia delante, con el núcleo."""
        self.inner = self.buffer("inner", (*z.shape[:2], self.units))
        if not self.usual:
            # Con otras activaciones, lo que valieron se guarda aparte.
            shape = (len(z), 3, z.shape[1], self.units)
            self.before, self.values = self.buffer("before", shape), self.buffer("values", shape)
            super().run(z, states, mask)
            return
        first, last = self.biases()
        weights = (
            self._packed("packed kernel", self.kernel),
            first,
            self.recurrent_kernel,
            self.packed(),
            last,
        )
        _gru_forward(self.xs, *weights, mask, self.drop, self.reset_after, z, states[0], self.inner)

    def run_back(self, z, states, mask, dys, dstates, dz, dr):
        r"""Recorre los pasos hacia atrás, con el núcleo."""
        if not self.usual:
            super().run_back(z, states, mask, dys, dstates, dz, dr)
            return
        weights = self.recurrent_kernel, self.packed_transposed()
        after = self.reset_after
        _gru_backward(z, self.inner, *weights, mask, self.drop, after, states[0], dys, dstates[0], dz, dr)

    def step(self, t, z, r, before, after):
        r"""Da un paso con cualquier activación."""
        n, u = len(z), self.units
        old, new, h = self.before[t], self.values[t], before[0]
        old[:] = z.reshape(n, 3, u).swapaxes(0, 1)
        for k in range(2):
            old[k] += r[:, k * u : (k + 1) * u]
            applied(self.recurrent_activation, old[k], new[k])
        if self.reset_after:
            self.inner[t] = r[:, 2 * u :] + self.biases()[1]
            old[2] += new[1] * self.inner[t]
        else:
            self.inner[t] = new[1] * (h * self.drop[:, 2] if self.drop.size else h)
            old[2] += self.inner[t] @ self.recurrent_kernel[:, 2 * u :]
        applied(self.activation, old[2], new[2])
        after[0][...] = new[0] * h + (1 - new[0]) * new[2]

    def step_back(self, t, z, before, after, dstates, dz, dr, dbefore):
        r"""Da un paso de vuelta con cualquier activación."""
        u, old, new, h, dh = self.units, self.before[t], self.values[t], before[0], dstates[0]
        update, reset, g = new
        dg = slope(self.activation, old[2], g, dh * (1 - update))
        dz[:, :u] = slope(self.recurrent_activation, old[0], update, dh * (h - g))
        dbefore[0][...] = dh * update
        if self.reset_after:
            dreset, part = dg * self.inner[t], dg * reset
        else:
            coins = self.drop[:, 2] if self.drop.size else 1
            inside = dg @ self.recurrent_kernel[:, 2 * u :].T * coins
            dreset, part = inside * h, 0
            dbefore[0] += inside * reset
        dz[:, u : 2 * u] = slope(self.recurrent_activation, old[1], reset, dreset)
        dz[:, 2 * u :] = dg
        dr[:, : 2 * u], dr[:, 2 * u :] = dz[:, : 2 * u], part

    def preactivation_gradients(self):
        r"""Da dónde se escriben los gradientes de las dos partes, que aquí son distintos."""
        return self.buffer("dz", self.z.shape), self.buffer("dr", self.z.shape)

    def weight_gradients(self, dz, dr):
        r"""Llena los gradientes de los pesos."""
        dkernel, drecurrent, *dbias = self.gradients
        first, *second = [self.kernel[0, :0]] if not dbias else dbias[0] if self.reset_after else dbias
        _dense_backward_weights(_rows(self.xs), _rows(dz), dkernel, first)
        for one in second:
            sum_rows(_rows(dr), one)
        self.recurrent_gradient(self.states[0][:-1], dr, drecurrent)
        if not self.reset_after:
            part = self.buffer("part", 2 * (self.units,))
            matmul_large(_rows(self.inner).T, _rows(dz)[:, 2 * self.units :], part)
            copy(part, drecurrent[:, 2 * self.units :])
