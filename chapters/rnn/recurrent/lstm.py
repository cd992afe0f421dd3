r"""La LSTM: una memoria que se suma en lugar de multiplicarse, y tres compuertas que la gobiernan."""

import numpy as np

from chapters.mlp import activations
from chapters.mlp.activations import Sigmoid, Tanh
from chapters.rnn.recurrent.recurrent import Recurrent
from chapters.rnn.recurrent.steps import NO_MASK, carry, in_strips, matmul_packed, sigmoid, tanh
from dlbook import check
from dlbook.attributes import Absent
from dlbook.numeric.elementwise import copy
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul, matmul_large


def sequence_arguments(x, kernel, recurrent_kernel, blocks, states, mask):
    r"""Comprueba lo que comparten las funciones de las celdas con compuertas, y lo da del mismo tipo.

    Parameters
    ----------
    x, kernel, recurrent_kernel : array_like
        La secuencia, (n, T, d), y los pesos, (d, B·u) y (u, B·u), con B bloques.
    blocks : int
        Cuántos bloques de columnas tienen los pesos.
    states : list of array_like, shape (n, u), or None
        Los estados iniciales; donde diga ``None``, ceros.
    mask : array_like of bool, shape (n, T), optional
        Qué pasos son reales.

    Returns
    -------
    x, kernel, recurrent_kernel : ndarray
    states : list of ndarray
    mask : ndarray of bool, shape (T, n) or (0, 0)
    """
    sizes = {}
    x = check.floats(x, "x", "n T d", sizes)
    recurrent_kernel = check.floats(recurrent_kernel, "recurrent_kernel")
    rows, columns = recurrent_kernel.shape if recurrent_kernel.ndim == 2 else (1, 0)
    if columns != blocks * rows:
        raise ValueError(f"recurrent_kernel: se esperaba la forma (u, {blocks}u), pero llegó {recurrent_kernel.shape}")
    sizes |= {"u": rows, f"{blocks}u": columns}
    kernel = check.floats(kernel, "kernel", f"d {blocks}u", sizes)
    if mask is not None:
        mask = check.mask(mask, "mask", x.shape[:2])
    given = [None if s is None else check.floats(s, f"initial_state[{k}]", "n u", sizes) for k, s in enumerate(states)]
    dtype = np.result_type(x, kernel, recurrent_kernel)
    zeros = np.zeros((len(x), rows), dtype)
    states = [zeros if s is None else s.astype(dtype, copy=False) for s in given]
    x, kernel, recurrent_kernel = (a.astype(dtype, copy=False) for a in (x, kernel, recurrent_kernel))
    return x, kernel, recurrent_kernel, states, NO_MASK if mask is None else np.ascontiguousarray(mask.T)


def by_steps(x):
    r"""Pone primero el eje del tiempo, en memoria contigua: de (n, T, …) a (T, n, …), o al revés."""
    return np.ascontiguousarray(x.swapaxes(0, 1))


def pair_of_states(initial_state):
    r"""Da los dos estados iniciales de una LSTM; sin ellos, ``[None, None]``."""
    if initial_state is None:
        return [None, None]
    if not isinstance(initial_state, (list, tuple)) or len(initial_state) != 2:
        came = len(initial_state) if isinstance(initial_state, (list, tuple)) else f"un {type(initial_state).__name__}"
        raise ValueError(f"initial_state: se esperaban 2 estados, [h, c], pero llegó {came}")
    return list(initial_state)


def lstm_forward(x, kernel, recurrent_kernel, bias, initial_state=None, mask=None):
    r"""Lee una secuencia con una LSTM (*long short-term memory*).

    **El problema.** En una red recurrente sencilla, lo que el estado de hoy debe al de hace :math:`k` pasos es un
    producto de :math:`k` factores, y cada uno lleva la misma matriz y una derivada de la tangente que no pasa de 1. Un
    producto así tiende a desvanecerse o a explotar. Vamos a construir una memoria cuyo producto podamos gobernar.

    **1. Sumar en lugar de transformar.** Sea :math:`\mathbf c_t` una memoria a la que en cada paso solo se le suma
    algo, el *candidato* :math:`\mathbf g_t`, que propone qué apuntar:

    .. math::
       :label: ed-rnn-carrusel

       \mathbf c_t=\mathbf c_{t-1}+\mathbf g_t
       \qquad\Longrightarrow\qquad
       \frac{\partial\mathbf c_t}{\partial\mathbf c_{t-1}}=\mathbf I,
       \quad
       \frac{\partial\mathbf c_T}{\partial\mathbf c_t}=\mathbf I\cdot\mathbf I\cdots\mathbf I=\mathbf I .

    El producto ya no se desvanece ni explota, por largo que sea. Esa es la idea de 1997; lo demás la vuelve útil.

    **2. No apuntarlo todo.** Una suma que acepta todo se llena de ruido. Multipliquemos cada componente del candidato
    por un número entre 0 y 1, la *compuerta de entrada* (*input gate*) :math:`\mathbf i_t`: con 0 el paso se ignora;
    con 1 se apunta entero.

    **3. Poder borrar.** Una suma que nunca olvida no sirve para dos frases seguidas. Multipliquemos lo viejo por otra
    compuerta, la de *olvido* (*forget gate*) :math:`\mathbf f_t`; con :math:`\odot`, componente por componente,

    .. math::
       :label: ec-rnn-celda

       \mathbf c_t=\mathbf f_t\odot\mathbf c_{t-1}+\mathbf i_t\odot\mathbf g_t .

    El producto de identidades es ahora un producto de compuertas. Con :math:`\mathbf f=1` se conserva; con
    :math:`\mathbf f=0` se borra, y quien lo decide, paso a paso y componente por componente, es la red.

    **4. No contarlo todo.** Lo que sale se usa para responder y para decidir las compuertas del paso siguiente. La
    memoria puede crecer, así que pasa por una tangente; y la *compuerta de salida* (*output gate*) :math:`\mathbf o_t`
    escoge qué parte se muestra ahora:

    .. math::
       :label: ec-rnn-lstm-salida

       \mathbf h_t=\mathbf o_t\odot\tanh\mathbf c_t .

    **5. Quién mueve las compuertas.** Lo mismo que tenía la red sencilla: la entrada y el estado de antes. Cada una
    tiene sus pesos, que se ponen lado a lado, en el orden :math:`i,f,g,o`, en :math:`\mathbf W` de
    :math:`d\times4u`, :math:`\mathbf U` de :math:`u\times4u` y :math:`\mathbf b` de :math:`4u`:

    .. math::
       :label: ec-rnn-lstm-preactivaciones

       \bigl[\mathbf z^i_t,\mathbf z^f_t,\mathbf z^g_t,\mathbf z^o_t\bigr]
       =\mathbf x_t\mathbf W+\mathbf h_{t-1}\mathbf U+\mathbf b .

    Una compuerta va de 0 a 1, y eso es una sigmoide; el candidato puede sumar o restar, y eso es una tangente:

    .. math::
       :label: ec-rnn-compuertas

       \begin{gathered}
       \mathbf i_t=\sigma(\mathbf z^i_t),\quad
       \mathbf f_t=\sigma(\mathbf z^f_t),\quad
       \mathbf o_t=\sigma(\mathbf z^o_t),\\
       \mathbf g_t=\tanh\mathbf z^g_t .
       \end{gathered}

    **A mano, el primer paso.** Una sola unidad con :math:`x=1`, :math:`h=0` y :math:`c=0.8`. Los pesos de la entrada
    son :math:`(0.5, 1, 0.5, 0)`, así que :math:`i=\sigma(0.5)`, :math:`f=\sigma(1)`, :math:`g=\tanh 0.5` y
    :math:`o=\sigma(0)`. La memoria es :math:`0.731059\cdot0.8+0.622459\cdot0.462117`, y la salida, la mitad de su
    tangente:

    >>> W, U = [[0.5, 1.0, 0.5, 0.0]], [[2.0, 2.0, -2.0, 2.0]]
    >>> x, b, start = [[[1.0], [0.0]]], [0.0] * 4, ([[0.0]], [[0.8]])
    >>> h, c, gates = lstm_forward(x, W, U, b, start)
    >>> gates[0, 0].round(6)
    array([0.622459, 0.731059, 0.462117, 0.5     ])
    >>> print(f"{0.731059 * 0.8 + 0.622459 * 0.462117:.6f}")
    0.872496
    >>> c[0, 0].round(6), h[0, 0].round(6)
    (array([0.872496]), array([0.35132]))

    **El segundo paso.** Llega :math:`x=0`, y lo único que habla es el estado: con :math:`\mathbf U=(2,2,-2,2)`, las
    preactivaciones son :math:`\pm2\cdot0.35132=\pm0.70264`. Las tres compuertas valen :math:`0.668773` y el candidato,
    :math:`-0.606041`. La memoria se queda con dos tercios de lo que había, y le restan dos tercios del candidato:

    >>> gates[0, 1].round(6)
    array([ 0.668773,  0.668773, -0.606041,  0.668773])
    >>> print(f"{0.668773 * 0.872496 - 0.668773 * 0.606041:.6f}")
    0.178198
    >>> c[0, 1].round(6), h[0, 1].round(6)
    (array([0.178198]), array([0.117928]))

    **Los extremos.** Un sesgo enorme abre o cierra una compuerta del todo. Con la de olvido en 1 y la de entrada en 0,
    la memoria no cambia aunque entre lo que sea; con la de olvido en 0, se borra:

    >>> none = [[0.0] * 4]
    >>> lstm_forward(x, W, none, [-1e3, 1e3, 0, 0], start)[1].ravel()
    array([0.8, 0.8])
    >>> lstm_forward(x, W, none, [-1e3, -1e3, 0, 0], start)[1].ravel()
    array([0., 0.])

    Parameters
    ----------
    x : array_like, shape (n, T, d)
        Las secuencias.
    kernel : array_like, shape (d, 4u)
        Los pesos de la entrada, :math:`\mathbf W`.
    recurrent_kernel : array_like, shape (u, 4u)
        Los del estado, :math:`\mathbf U`.
    bias : array_like, shape (4u,)
        Los sesgos.
    initial_state : sequence of array_like, shape (n, u), optional
        El estado y la memoria de los que se parte, ``[h, c]``; sin ellos, ceros.
    mask : array_like of bool, shape (n, T), optional
        Qué pasos son reales: en los demás, el estado y la memoria siguen como estaban.

    Returns
    -------
    h : ndarray, shape (n, T, u)
        El estado de cada paso, que es lo que sale.
    c : ndarray, shape (n, T, u)
        La memoria de cada paso.
    gates : ndarray, shape (n, T, 4u)
        Lo que valieron las compuertas y el candidato, en el orden i, f, g, o.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si las formas no encajan o si la máscara no es de unos y ceros.

        >>> lstm_forward(x, W, U, b, ([[0.0, 0.0]], [[0.8]]))
        Traceback (most recent call last):
            ...
        ValueError: initial_state[0]: se esperaba la forma (n=1, u=1), pero llegó (1, 2)
    """
    states = pair_of_states(initial_state)
    x, kernel, u, start, mask = sequence_arguments(x, kernel, recurrent_kernel, 4, states, mask)
    bias = check.floats(bias, "bias", "4u", {"4u": u.shape[1]}).astype(x.dtype, copy=False)
    xs = by_steps(x)
    z = np.empty((*xs.shape[:2], u.shape[1]), x.dtype)
    weights = u, kernel, bias
    joined, c = (np.empty((len(z) + 1, len(x), size), x.dtype) for size in (len(u) + len(kernel) + 1, len(u)))
    h = joined[:, :, : len(u)]
    h[0], c[0] = start
    _lstm_forward(xs, weights, in_strips(np.vstack(weights)), mask, joined, z, c)
    return h[1:].swapaxes(0, 1), c[1:].swapaxes(0, 1), z.swapaxes(0, 1)


def plain_lstm_forward(x, kernel, recurrent_kernel, bias, initial_state):
    r"""Un paso tras otro: cuatro preactivaciones, tres compuertas, una memoria."""
    h, c = initial_state
    steps = []
    for t in range(x.shape[1]):
        z = x[:, t] @ kernel + h @ recurrent_kernel
        z += bias  # [ec-rnn-lstm-preactivaciones]
        zi, zf, zg, zo = np.split(z, 4, axis=1)
        i, f, o = (1 / (1 + np.exp(-a)) for a in (zi, zf, zo))  # [ec-rnn-compuertas]
        g = np.tanh(zg)  # [ec-rnn-compuertas]
        c = f * c + i * g  # [ec-rnn-celda]
        h = o * np.tanh(c)  # [ec-rnn-lstm-salida]
        steps.append((h, c, np.hstack([i, f, g, o])))
    return tuple(np.stack(s, axis=1) for s in zip(*steps, strict=True))


@kernel(error_model="numpy")
def _lstm_forward(xs, weights, packed, mask, joined, z, c):
    # joined, (T + 1, n, u + d + 1): en cada paso, el estado del que parte, y a su lado la entrada y un 1.
    u, d = c.shape[2], xs.shape[2]
    for t in range(z.shape[0]):
        for k in range(z.shape[1]):
            beside = joined[t, k, u:]
            for j in range(d):
                beside[j] = xs[t, k, j]
            beside[d] = 1
        _preactivations(joined[t], weights, packed, z[t])  # [ec-rnn-lstm-preactivaciones]
        for k in range(z.shape[1]):
            _lstm_step(z[t, k], c[t, k], joined[t + 1, k, :u], c[t + 1, k])
        if mask.size:
            carry(mask[t], joined[t, :, :u], joined[t + 1, :, :u])
            carry(mask[t], c[t], c[t + 1])


@kernel
def _preactivations(joined, weights, packed, z):
    # Por los pesos apilados: los dos productos y el sesgo, de una vez.
    if packed.shape[0]:
        matmul_packed(joined, packed, z)
        return
    # Para un solo paso, apilar los pesos costaría más que el producto.
    recurrent, kernel, bias = weights
    u = recurrent.shape[0]
    part = np.empty_like(z)
    matmul(joined[:, :u], recurrent, part)
    matmul(joined[:, u:-1], kernel, z)
    for k in range(z.shape[0]):
        for j in range(z.shape[1]):
            z[k, j] += part[k, j] + bias[j]


@kernel(error_model="numpy", fastmath={"contract"})
def _lstm_step(z, c_before, h, c):
    n = h.size
    i, f, g, o = z[:n], z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]
    for j in range(n):
        i[j], f[j], o[j] = sigmoid(i[j]), sigmoid(f[j]), sigmoid(o[j])  # [ec-rnn-compuertas]
        g[j] = tanh(g[j])  # [ec-rnn-compuertas]
        c[j] = f[j] * c_before[j] + i[j] * g[j]  # [ec-rnn-celda]
        h[j] = o[j] * tanh(c[j])  # [ec-rnn-lstm-salida]


def lstm_backward(x, kernel, recurrent_kernel, initial_state, h, c, gates, dy, dc=None, mask=None):
    r"""Lleva el gradiente de una LSTM hacia atrás en el tiempo, hasta la entrada y los pesos.

    **Por dónde influye cada cosa.** De :math:`\mathbf h_t` salen dos caminos hacia la pérdida: la respuesta de ese
    paso, con gradiente :math:`\partial\mathcal L/\partial\mathbf y_t`, y las preactivaciones del siguiente,
    :math:`\mathbf h_t\mathbf U`. De :math:`\mathbf c_t` salen otros dos: el estado de ese paso y la memoria del
    siguiente. Los caminos se suman. Llama :math:`\boldsymbol\eta_t` y :math:`\boldsymbol\gamma_t` a los gradientes
    completos de :math:`\mathbf h_t` y :math:`\mathbf c_t`, y :math:`\boldsymbol\delta_t` al de las cuatro
    preactivaciones juntas. Por el primero,

    .. math::
       :label: ec-rnn-lstm-estado-gradiente

       \boldsymbol\eta_t
       =\frac{\partial\mathcal L}{\partial\mathbf y_t}+\boldsymbol\delta_{t+1}\mathbf U^\top .

    Al derivar :eq:`ec-rnn-lstm-salida` respecto a :math:`\mathbf c_t`, la tangente da
    :math:`1-\tanh^2\mathbf c_t`; al derivar :eq:`ec-rnn-celda`, la de :math:`t+1`, queda
    :math:`\mathbf f_{t+1}`, **sin ninguna matriz**:

    .. math::
       :label: ec-rnn-celda-gradiente

       \boldsymbol\gamma_t
       =\boldsymbol\eta_t\odot\mathbf o_t\odot(1-\tanh^2\mathbf c_t)
       +\boldsymbol\gamma_{t+1}\odot\mathbf f_{t+1} .

    Ese segundo sumando es la autopista: el camino directo de la memoria de hoy a la de hace :math:`k` pasos es el
    producto de :math:`k` compuertas de olvido.

    **Las compuertas.** Cada una multiplica a algo, y su gradiente es ese algo: la de entrada multiplica al candidato, y
    al revés; la de olvido, a la memoria de antes; la de salida, a la tangente de la memoria. Y cada una pasó por su
    activación, cuya derivada sale de lo que valió: :math:`\sigma'=\sigma(1-\sigma)` y :math:`\tanh'=1-\tanh^2`. Sin
    escribir el subíndice :math:`t`,

    .. math::
       :label: ec-rnn-lstm-compuertas-gradiente

       \begin{aligned}
       \boldsymbol\delta^i&=\boldsymbol\gamma\odot\mathbf g\odot\mathbf i\odot(1-\mathbf i),\\
       \boldsymbol\delta^f&=\boldsymbol\gamma\odot\mathbf c_{t-1}\odot\mathbf f\odot(1-\mathbf f),\\
       \boldsymbol\delta^g&=\boldsymbol\gamma\odot\mathbf i\odot(1-\mathbf g^2),\\
       \boldsymbol\delta^o&=\boldsymbol\eta\odot\tanh\mathbf c\odot\mathbf o\odot(1-\mathbf o).
       \end{aligned}

    **Los pesos.** :eq:`ec-rnn-lstm-preactivaciones` es una capa densa que se usa en cada paso con los mismos pesos. Los
    gradientes de cada uso se suman, y la entrada de cada paso recibe el suyo:

    .. math::
       :label: ec-rnn-lstm-pesos

       \begin{gathered}
       \frac{\partial\mathcal L}{\partial\mathbf W}=\sum_t\mathbf x_t^\top\boldsymbol\delta_t,
       \quad
       \frac{\partial\mathcal L}{\partial\mathbf U}=\sum_t\mathbf h_{t-1}^\top\boldsymbol\delta_t,
       \quad
       \frac{\partial\mathcal L}{\partial\mathbf b}=\sum_t\boldsymbol\delta_t,\\
       \frac{\partial\mathcal L}{\partial\mathbf x_t}=\boldsymbol\delta_t\mathbf W^\top .
       \end{gathered}

    Los del estado y la memoria iniciales son :math:`\boldsymbol\delta_1\mathbf U^\top` y
    :math:`\boldsymbol\gamma_1\odot\mathbf f_1`.

    **A mano.** El primer paso de :func:`lstm_forward`, con gradiente 1 en la salida: :math:`\eta=1`, y
    :math:`\gamma=0.5\,(1-\tanh^2 0.872496)=0.253148`. A la compuerta de olvido le toca
    :math:`0.253148\cdot0.8\cdot0.731059\cdot0.268941=0.039818`; y a la memoria de la que se partió,
    :math:`0.253148\cdot0.731059=0.185066`:

    >>> W, U = [[0.5, 1.0, 0.5, 0.0]], [[2.0, 2.0, -2.0, 2.0]]
    >>> x, b, start = [[[1.0]]], [0.0] * 4, ([[0.0]], [[0.8]])
    >>> h, c, gates = lstm_forward(x, W, U, b, start)
    >>> back = lstm_backward(x, W, U, start, h, c, gates, [[[1.0]]])
    >>> dkernel, drecurrent, dbias, dh, dc, dx = back
    >>> dbias.round(6)
    array([0.027492, 0.039818, 0.123924, 0.17566 ])
    >>> dc.round(6)
    array([[0.185066]])

    La entrada recibe :math:`0.5\cdot0.027492+1\cdot0.039818+0.5\cdot0.123924`; y a :math:`\mathbf U` no le toca nada,
    porque el estado del que se partió era 0:

    >>> dx.round(6), drecurrent
    (array([[[0.115526]]]), array([[0., 0., 0., 0.]]))

    Parameters
    ----------
    x, kernel, recurrent_kernel, initial_state
        Lo que recibió :func:`lstm_forward`.
    h, c, gates : array_like
        Lo que devolvió.
    dy : array_like, shape (n, T, u)
        El gradiente de :math:`\mathbf h_t`, de cada paso.
    dc : array_like, shape (n, u), optional
        El de la última memoria; sin él, ceros.
    mask
        La que recibió :func:`lstm_forward`, si la hubo.

    Returns
    -------
    dkernel : ndarray, shape (d, 4u)
        El gradiente de los pesos de la entrada.
    drecurrent_kernel : ndarray, shape (u, 4u)
        El de los del estado.
    dbias : ndarray, shape (4u,)
        El de los sesgos.
    dh, dc : ndarray, shape (n, u)
        Los del estado y la memoria iniciales.
    dx : ndarray, shape (n, T, d)
        El de la entrada.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no encajan.
    """
    states = pair_of_states(initial_state)
    x, kernel, u, start, mask = sequence_arguments(x, kernel, recurrent_kernel, 4, states, mask)
    sizes = dict(zip(("n", "T", "d", "u", "4u"), (*x.shape, *u.shape), strict=True))
    h, c, dy = (
        by_steps(check.floats(a, name, "n T u", sizes).astype(x.dtype)) for a, name in ((h, "h"), (c, "c"), (dy, "dy"))
    )
    gates = by_steps(check.floats(gates, "gates", "n T 4u", sizes).astype(x.dtype))
    h, c = (np.concatenate([first[np.newaxis], rest]) for first, rest in zip(start, (h, c), strict=True))
    dh = np.zeros_like(start[0])
    dc = np.zeros_like(dh) if dc is None else check.floats(dc, "dc", "n u", sizes).astype(x.dtype)
    dxs = np.empty((*gates.shape[:2], x.shape[2]), x.dtype)
    packed = in_strips(np.vstack([u, kernel]).T)
    _lstm_backward(gates, packed, mask, c, dy, dh, dc, dxs)
    flat = gates.reshape(-1, gates.shape[2])
    dkernel = by_steps(x).reshape(-1, x.shape[2]).T @ flat
    drecurrent = h[:-1].reshape(-1, len(u)).T @ flat
    return dkernel, drecurrent, flat.sum(axis=0), dh, dc, dxs.swapaxes(0, 1)


def plain_lstm_backward(
    x, kernel, recurrent_kernel, initial_state, h, c, gates, dy, dc
):  # fmt: skip
    r"""De la última a la primera, con lo que valió cada compuerta."""
    olds = [s[:, np.newaxis] for s in initial_state]
    h = np.hstack([olds[0], h])
    c = np.hstack([olds[1], c])
    dz, dh = np.empty_like(gates), 0
    for t in reversed(range(x.shape[1])):
        i, f, g, o = np.split(gates[:, t], 4, axis=1)
        s = np.tanh(c[:, t + 1])
        dh = dy[:, t] + dh  # [ec-rnn-lstm-estado-gradiente]
        dc = dc + dh * o * (1 - s**2)  # [ec-rnn-celda-gradiente]
        di, df = dc * g * i * (1 - i), dc * c[:, t] * f * (1 - f)
        dg, do = dc * i * (1 - g**2), dh * s * o * (1 - o)
        dz[:, t] = np.hstack([di, df, dg, do])  # [ec-rnn-lstm-compuertas-gradiente]
        dc = dc * f  # [ec-rnn-celda-gradiente]
        dh = dz[:, t] @ recurrent_kernel.T  # [ec-rnn-lstm-estado-gradiente]
    dkernel = np.einsum("ntd,ntk->dk", x, dz)  # [ec-rnn-lstm-pesos]
    drecurrent = np.einsum("ntu,ntk->uk", h[:, :-1], dz)  # [ec-rnn-lstm-pesos]
    return dkernel, drecurrent, dz.sum((0, 1)), dh, dc, dz @ kernel.T


@kernel
def _lstm_backward(z, packed, mask, c, dys, dh, dc, dxs):
    # z llega con lo que valieron las compuertas y sale con el gradiente de las preactivaciones.
    n, u = dh.shape
    # Las columnas del estado y, si se pide el gradiente de la entrada, las suyas.
    back = np.empty((n, u + dxs.shape[2]), dh.dtype)
    for t in range(z.shape[0] - 1, -1, -1):
        if dys.shape[0]:
            for k in range(n):
                for j in range(u):
                    dh[k, j] += dys[t, k, j]  # [ec-rnn-lstm-estado-gradiente]
        for k in range(n):
            if mask.size and not mask[t, k]:
                z[t, k] = 0
            else:
                _lstm_step_back(z[t, k], c[t, k], c[t + 1, k], dh[k], dc[k])
        matmul_packed(z[t], packed, back)
        for k in range(n):
            if not mask.size or mask[t, k]:
                dh[k] = back[k, :u]  # [ec-rnn-lstm-estado-gradiente]
            if dxs.shape[0]:
                dxs[t, k] = back[k, u:]


@kernel(error_model="numpy", fastmath={"contract"})
def _lstm_step_back(z, c_before, c, dh, dc):
    n, one = dh.size, z.dtype.type(1)
    zi, zf, zg, zo = z[:n], z[n : 2 * n], z[2 * n : 3 * n], z[3 * n :]
    for j in range(n):
        i, f, g, o, s = zi[j], zf[j], zg[j], zo[j], tanh(c[j])
        memory = dc[j] + dh[j] * o * (one - s * s)  # [ec-rnn-celda-gradiente]
        zi[j] = memory * g * i * (one - i)  # [ec-rnn-lstm-compuertas-gradiente]
        zf[j] = memory * c_before[j] * f * (one - f)
        zg[j] = memory * i * (one - g * g)
        zo[j] = dh[j] * s * o * (one - o)
        dc[j] = memory * f  # [ec-rnn-celda-gradiente]


def applied(activation, z, y):
    r"""Escribe en ``y`` la activación de ``z``; sin activación, lo mismo."""
    if activation is None:
        y[...] = z
    else:
        activation.forward(z, y)


def slope(activation, z, y, dy):
    r"""Da el gradiente de ``z`` a partir del de ``y``."""
    dz = np.empty_like(z)
    if activation is None:
        dz[...] = dy
    else:
        activation.backward(z, y, np.ascontiguousarray(dy), dz)
    return dz


class LSTM(Recurrent):
    r"""Capa LSTM, con los argumentos y los pesos de Keras.

    Hacia delante hace :func:`lstm_forward` y hacia atrás, :func:`lstm_backward`. Tiene dos estados, el que sale y la
    memoria; por eso ``initial_state`` es una lista de dos y ``return_state`` añade dos a la salida.

    **A mano.** La de :func:`lstm_forward`, como capa:

    >>> layer = LSTM(1, return_state=True, dtype="float64")
    >>> layer.build((None, 1))
    >>> W, U = [[0.5, 1.0, 0.5, 0.0]], [[2.0, 2.0, -2.0, 2.0]]
    >>> layer.set_weights([W, U, [0.0] * 4])
    >>> x, start = [[[1.0], [0.0]]], [[[0.0]], [[0.8]]]
    >>> y, h, c = layer.forward(x, initial_state=start)
    >>> y.round(6), h.round(6), c.round(6)
    (array([[0.117928]]), array([[0.117928]]), array([[0.178198]]))

    **Cuántos parámetros.** Cuatro bloques, uno por cada preactivación de :eq:`ec-rnn-lstm-preactivaciones`, y en cada
    uno :math:`(d+u+1)u` pesos, como en una red sencilla del mismo tamaño. Con :math:`d=64` y :math:`u=128`,

    >>> layer = LSTM(128)
    >>> layer.build((None, 64))
    >>> (64 + 128 + 1) * 128, layer.count_params(), 4 * 24_704
    (24704, 98816, 98816)

    **Cómo empieza.** El sesgo de olvido empieza en 1, y los demás en 0. Con pesos pequeños, la compuerta vale al
    principio :math:`\sigma(1)\approx0.73` en lugar de :math:`\tfrac12`:

    >>> layer = LSTM(2, dtype="float64")
    >>> layer.build((None, 1))
    >>> layer.bias
    array([0., 0., 1., 1., 0., 0., 0., 0.])

    Parameters
    ----------
    units : int
        Cuántas unidades, :math:`u`.
    activation, recurrent_activation : str or ActivationFunction, optional
        La del candidato y la memoria, y la de las compuertas.
    use_bias : bool
        Si hay sesgos.
    kernel_initializer, recurrent_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos.
    unit_forget_bias : bool
        Si el sesgo de olvido empieza en 1.
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
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (d, 4u)
        Los pesos de la entrada, en el orden i, f, g, o.
    recurrent_kernel : ndarray, shape (u, 4u)
        Los del estado.
    bias : ndarray, shape (4u,), or None
        Los sesgos.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> LSTM(4).forward(np.zeros((1, 3, 2)), initial_state=[np.zeros((1, 4)), np.zeros((1, 5))])
        Traceback (most recent call last):
            ...
        ValueError: initial_state[1]: se esperaba la forma (1, 4), pero llegó (1, 5)
    """

    gates = 4
    state_count = 2
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
        unit_forget_bias=True,
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
        self.unit_forget_bias = check.boolean(unit_forget_bias, "unit_forget_bias")

    def bias_start(self):
        r"""Da el inicializador de los sesgos: el que se pidió y, si así se quiere, un 1 en el de olvido."""
        if not self.unit_forget_bias:
            return self.bias_initializer

        def start(shape, dtype=None):
            b = self.bias_initializer(shape, dtype, self.generator)
            b[self.units : 2 * self.units] = 1
            return b

        return start

    @property
    def usual(self):
        r"""Si es el caso que conoce el núcleo, el de las activaciones de siempre y el estado sin *dropout*."""
        return type(self.activation) is Tanh and type(self.recurrent_activation) is Sigmoid and not self.drop.size

    def new_states(self, steps, n):
        r"""Da la memoria de los estados; en el caso de siempre, el que sale va al lado de la entrada."""
        if not self.usual:
            return super().new_states(steps, n)
        self.joined = self.buffer("joined", (steps + 1, n, self.units + len(self.kernel) + 1))
        return [self.joined[:, :, : self.units], self.buffer("memory", (steps + 1, n, self.units))]

    def project(self, xs, z):
        r"""No hace nada, si el caso es el de siempre: el núcleo calcula también la parte de la entrada."""
        if not self.usual:
            super().project(xs, z)

    def run(self, z, states, mask):
        r"""Recorre los pasos hacia delante, con el núcleo."""
        if not self.usual:
            # Con otras activaciones, lo que valieron se guarda aparte; la última es la de la memoria.
            shape = (len(z), 5, z.shape[1], self.units)
            self.before, self.values = self.buffer("before", shape), self.buffer("values", shape)
            super().run(z, states, mask)
            return
        bias = self.bias if self.use_bias else self.no_bias(z.shape[2])
        weights = self.recurrent_kernel, self.kernel, bias
        packed = self.packed(self.kernel, bias[np.newaxis])
        _lstm_forward(self.xs, weights, packed, mask, self.joined, z, states[1])

    def run_back(self, z, states, mask, dys, dstates, dz, dr):
        r"""Recorre los pasos hacia atrás, con el núcleo."""
        if not self.usual:
            super().run_back(z, states, mask, dys, dstates, dz, dr)
            return
        if dz is not z:
            copy(z, dz)
        packed = self.packed_transposed(*[self.kernel] * self.input_gradient)
        _lstm_backward(dz, packed, mask, states[1], dys, *dstates, self.dxs)

    def preactivation_gradients(self):
        r"""Al entrenar, van donde estaban las compuertas, que ya no harán falta."""
        return (self.z, self.z) if self.usual and self.reuse else super().preactivation_gradients()

    def weight_gradients(self, dz, dr):
        r"""Llena los gradientes de los pesos, con un solo producto para los tres."""
        if not self.usual:
            super().weight_gradients(dz, dr)
            return
        together = self.buffer("together", (self.joined.shape[2], dz.shape[2]))
        matmul_large(self.joined[:-1].reshape(-1, len(together)).T, dz.reshape(-1, dz.shape[2]), together)
        dkernel, drecurrent, *dbias = self.gradients
        copy(together[: self.units], drecurrent)
        copy(together[self.units : -1], dkernel)
        if dbias:
            copy(together[-1], dbias[0])

    def input_gradients(self, dz, dxs):
        r"""No hace nada, si el caso es el de siempre: los llenó el núcleo al volver."""
        if not self.usual:
            super().input_gradients(dz, dxs)

    def step(self, t, z, r, before, after):
        r"""Da un paso con cualquier activación."""
        n, u = len(z), self.units
        old, new = self.before[t], self.values[t]
        old[:4] = (z + r).reshape(n, 4, u).swapaxes(0, 1)
        for k in range(4):
            applied(self.activation if k == 2 else self.recurrent_activation, old[k], new[k])
        i, f, g, o, s = new
        old[4] = f * before[1] + i * g
        applied(self.activation, old[4], s)
        after[1][...] = old[4]
        after[0][...] = o * s

    def step_back(self, t, z, before, after, dstates, dz, dr, dbefore):
        r"""Da un paso de vuelta con cualquier activación."""
        old, new = self.before[t], self.values[t]
        i, f, g, o, s = new
        dh, dc = dstates
        dc = dc + slope(self.activation, old[4], s, dh * o)
        for k, d in enumerate((dc * g, dc * before[1], dc * i, dh * s)):
            activation = self.activation if k == 2 else self.recurrent_activation
            dz[:, k * self.units : (k + 1) * self.units] = slope(activation, old[k], new[k], d)
        dbefore[0][...] = 0
        dbefore[1][...] = dc * f
