r"""La recurrencia: el estado que sigue sale de la entrada y del estado de antes."""

import numpy as np

from chapters.mlp.dense import _dense_backward_input, _dense_backward_weights, _dense_forward, _rows, _same_type
from chapters.rnn.recurrent.steps import (
    NO_MASK,
    carry,
    from_steps,
    in_strips,
    outputs_to_steps,
    recur,
    recur_back,
    sigmoid,
    states_to_outputs,
    tanh,
    to_steps,
)
from dlbook import check
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul_large

# Las activaciones que el núcleo conoce.
LINEAR, TANH, RELU, SIGMOID = range(4)


def simple_rnn_forward(x, kernel, recurrent_kernel, bias, initial_state):
    r"""Lee unas secuencias, paso a paso, y da el estado después de cada uno.

    Una red sin memoria contesta :math:`\mathbf y=f(\mathbf x)`: a la misma entrada, la misma respuesta. Para recordar,
    la función recibe algo más, lo que quedó del paso anterior, :math:`\mathbf y_t=f(\mathbf x_t,\mathbf h_{t-1})`. Ese
    resumen de lo leído es el **estado oculto** (*hidden state*), un vector de :math:`u` números, las unidades. Y como
    la red también tiene que escribirlo, lo que devuelve es el estado que sigue. Es la **relación de recurrencia**:
    :item:`RNN-21, RNN-22, RNN-23`

    .. math::
       :label: ed-rnn-recurrencia

       \mathbf h_t = f(\mathbf x_t,\,\mathbf h_{t-1}) .

    La :math:`f` más sencilla es una capa densa que mira los dos vectores juntos. Si se pegan en uno,
    :math:`[\mathbf x_t\;\mathbf h_{t-1}]`, su matriz de pesos tiene :math:`d+u` filas. Las primeras :math:`d`
    multiplican a la entrada, y son :math:`\mathbf W`. Las otras :math:`u` multiplican al estado, y son
    :math:`\mathbf U`. El producto es entonces una suma de dos:

    .. math::
       :label: ec-rnn-preactivacion

       \mathbf z_t = \mathbf x_t\mathbf W + \mathbf h_{t-1}\mathbf U + \mathbf b .

    Falta la activación. Se usa la tangente hiperbólica, que mantiene cada número del estado entre −1 y 1 aunque pasen
    mil pasos: :item:`RNN-24`

    .. math::
       :label: ec-rnn-estado

       \mathbf h_t = \tanh\mathbf z_t .

    Aquí las observaciones son filas, como en todo el libro. Con columnas, las mismas cuentas se escriben
    :math:`\mathbf h_t=\tanh(\mathbf W_{hh}^\top\mathbf h_{t-1}+\mathbf W_{xh}^\top\mathbf x_t)`.

    **A mano.** Una unidad con :math:`w=1`, :math:`u=\tfrac12` y sin sesgo lee :math:`1, 0, 0`. Parte de
    :math:`h_0=0`, y el primer estado es :math:`\tanh(1+0)=0.761594`. En los otros dos pasos no entra nada: cada estado
    es la tangente de la mitad del anterior, y la huella de aquel uno se va borrando:

    >>> x = [[[1.0], [0.0], [0.0]]]          # una secuencia de tres pasos
    >>> y = simple_rnn_forward(x, [[1.0]], [[0.5]], [0.0], [[0.0]])
    >>> y.ravel().round(6)
    array([0.761594, 0.363399, 0.179726])

    Parameters
    ----------
    x : array_like, shape (n, T, d)
        Las secuencias.
    kernel : array_like, shape (d, u)
        Los pesos de la entrada, :math:`\mathbf W`.
    recurrent_kernel : array_like, shape (u, u)
        Los del estado, :math:`\mathbf U`.
    bias : array_like, shape (u,)
        Los sesgos.
    initial_state : array_like, shape (n, u)
        El estado del que parte cada secuencia, :math:`\mathbf h_0`.

    Returns
    -------
    ndarray, shape (n, T, u)
        Los estados, de :math:`\mathbf h_1` a :math:`\mathbf h_T`.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no encajan.

        >>> simple_rnn_forward(x, [[1.0]], [[0.5]], [0.0], [[0.0, 0.0]])
        Traceback (most recent call last):
            ...
        ValueError: initial_state: se esperaba la forma (n=1, u=1), pero llegó (1, 2)
    """
    sizes = {}
    x = check.floats(x, "x", "n T d", sizes)
    kernel = check.floats(kernel, "kernel", "d u", sizes)
    recurrent_kernel = check.floats(recurrent_kernel, "recurrent_kernel", "u u", sizes)
    bias = check.floats(bias, "bias", "u", sizes)
    initial_state = check.floats(initial_state, "initial_state", "n u", sizes)
    x, kernel, recurrent_kernel, bias, initial_state = _same_type(x, kernel, recurrent_kernel, bias, initial_state)
    (n, steps, d), units = x.shape, bias.size
    none = np.zeros((0, 0), x.dtype)
    xs, z = np.empty((steps, n, d), x.dtype), np.empty((steps, n, units), x.dtype)
    to_steps(x, none, False, xs)
    _dense_forward(_rows(xs), kernel, bias, _rows(z))
    h, r = np.empty((steps + 1, n, units), x.dtype), np.empty((n, units), x.dtype)
    h[0] = initial_state
    drop = np.zeros((0, 0, 0), x.dtype)
    _simple_rnn_steps(TANH, z, recurrent_kernel, in_strips(recurrent_kernel), drop, NO_MASK, h, r, r)
    y = np.empty((n, steps, units), x.dtype)
    states_to_outputs(h, NO_MASK, y)
    return y


def plain_simple_rnn_forward(
    x, kernel, recurrent_kernel, bias, initial_state
):  # fmt: skip
    r"""Un paso detrás de otro: cada estado entra en la cuenta del que sigue."""
    h, y = initial_state, []
    for t in range(x.shape[1]):
        z = x[:, t] @ kernel + h @ recurrent_kernel + bias  # [ec-rnn-preactivacion]
        h = np.tanh(z)  # [ec-rnn-estado]
        y.append(h)
    return np.stack(y, axis=1)


# En z viene la parte de la entrada de todos los pasos, que no tiene que esperar a nadie.
@kernel
def _simple_rnn_steps(kind, z, u, packed, drop, mask, h, r, dropped):
    for t in range(z.shape[0]):
        recur(h[t], u, packed, drop, dropped, r)
        _next(kind, z[t].reshape(-1), r.reshape(-1), h[t + 1].reshape(-1))
        if mask.shape[0]:
            carry(mask[t], h[t], h[t + 1])


@kernel(error_model="numpy")
def _next(kind, z, r, h):
    zero = z.dtype.type(0)
    if kind == TANH:
        for i in range(z.size):
            h[i] = tanh(z[i] + r[i])  # [ec-rnn-estado]
    elif kind == RELU:
        for i in range(z.size):
            s = z[i] + r[i]
            h[i] = zero if s <= 0 else s
    elif kind == SIGMOID:
        for i in range(z.size):
            h[i] = sigmoid(z[i] + r[i])
    else:
        for i in range(z.size):
            h[i] = z[i] + r[i]


def simple_rnn_backward(x, kernel, recurrent_kernel, initial_state, y, dy):
    r"""Retropropagación en el tiempo (*backpropagation through time*, BPTT): la red recurrente, hacia atrás.

    Desplegada, una red recurrente es una red profunda con una capa por paso, y se deriva como cualquier otra: del final
    al principio :cite:p:`werbos1990`. Tiene dos particularidades. Cada paso puede tener su propia pérdida, así que la
    culpa entra por muchos lados. Y todas las capas comparten los mismos pesos. :item:`RNN-27`

    **El estado.** Sea :math:`\mathbf g_t` el gradiente de la pérdida que mira la salida del paso :math:`t`; si nadie la
    mira, es cero. El estado :math:`\mathbf h_t` sale por dos caminos: hacia esa pérdida y hacia
    :math:`\mathbf z_{t+1}=\mathbf x_{t+1}\mathbf W+\mathbf h_t\mathbf U+\mathbf b`. Los caminos se suman. Llamemos
    :math:`\mathbf m_t` a lo que llega del futuro; después del último paso no hay nada, :math:`\mathbf m_T=\mathbf 0`:

    .. math::
       :label: ec-rnn-bptt-estado

       \frac{\partial\mathcal L}{\partial\mathbf h_t} = \mathbf g_t + \mathbf m_t .

    **La preactivación.** Entre :math:`\mathbf z_t` y :math:`\mathbf h_t` solo está la tangente, que actúa número por
    número y cuya derivada es :math:`1-\tanh^2`. Ese gradiente se llama :math:`\boldsymbol\delta_t`, como en toda capa:

    .. math::
       :label: ec-rnn-bptt-preactivacion

       \boldsymbol\delta_t = \frac{\partial\mathcal L}{\partial\mathbf z_t}
       = \frac{\partial\mathcal L}{\partial\mathbf h_t}\odot\left(1-\mathbf h_t\odot\mathbf h_t\right) .

    **Un paso hacia atrás.** :math:`\mathbf z_t` es una capa densa en :math:`\mathbf h_{t-1}` con pesos
    :math:`\mathbf U`. Su gradiente hacia la entrada ya lo sabemos, :eq:`ec-mlp-densa-entrada`, y es el mensaje para el
    paso anterior:

    .. math::
       :label: ec-rnn-bptt-atras

       \mathbf m_{t-1} = \boldsymbol\delta_t\,\mathbf U^{\top} .

    Y así hasta :math:`\mathbf m_0`, que es el gradiente del estado inicial. Con :math:`\mathbf W` en vez de
    :math:`\mathbf U`, lo mismo da el de la entrada de cada paso:

    .. math::
       :label: ec-rnn-bptt-entrada

       \frac{\partial\mathcal L}{\partial\mathbf x_t} = \boldsymbol\delta_t\,\mathbf W^{\top} .

    **Los pesos.** Imagina por un momento que cada paso tuviera su propia copia, :math:`\mathbf W_t` y
    :math:`\mathbf U_t`. El gradiente de una copia es el de una capa densa, :eq:`ec-mlp-densa-pesos`:
    :math:`\mathbf x_t^{\top}\boldsymbol\delta_t` y :math:`\mathbf h_{t-1}^{\top}\boldsymbol\delta_t`. Pero no hay
    copias: mover :math:`\mathbf U` las mueve todas a la vez, y por :eq:`ed-mlp-varios-caminos` lo que cada una aporta
    se suma:

    .. math::
       :label: ec-rnn-bptt-pesos

       \frac{\partial\mathcal L}{\partial\mathbf W} = \sum_{t=1}^{T}\mathbf x_t^{\top}\boldsymbol\delta_t,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf U} = \sum_{t=1}^{T}\mathbf h_{t-1}^{\top}\boldsymbol\delta_t,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf b} = \sum_{t=1}^{T}\mathbf 1^{\top}\boldsymbol\delta_t .

    **A mano.** La red de :func:`simple_rnn_forward`, con :math:`w=1`, :math:`u=\tfrac12` y la entrada :math:`1, 0, 0`.
    La pérdida es el último estado, así que :math:`g_3=1` y los otros son cero. De atrás hacia delante,
    :math:`\delta_3=1-0.179726^2=0.967698`, el mensaje es la mitad, y vuelta a empezar:

    >>> x, w, u = [[[1.0], [0.0], [0.0]]], [[1.0]], [[0.5]]
    >>> y = simple_rnn_forward(x, w, u, [0.0], [[0.0]])
    >>> dy = [[[0.0], [0.0], [1.0]]]
    >>> dw, du, db, dh, dx = simple_rnn_backward(x, w, u, [[0.0]], y, dy)
    >>> dx.ravel().round(6)                  # con w = 1, las deltas
    array([0.088185, 0.419953, 0.967698])
    >>> dw.item() == dx[0, 0].item()         # solo entró algo al principio
    True
    >>> round(du.item(), 6)                  # δ₂ h₁ + δ₃ h₂
    0.671495
    >>> round(db.item(), 6), round(dh.item(), 6)
    (1.475836, 0.044092)

    Parameters
    ----------
    x : array_like, shape (n, T, d)
        Lo que entró a :func:`simple_rnn_forward`.
    kernel : array_like, shape (d, u)
        Los pesos de la entrada.
    recurrent_kernel : array_like, shape (u, u)
        Los del estado.
    initial_state : array_like, shape (n, u)
        El estado del que partió cada secuencia.
    y : array_like, shape (n, T, u)
        Los estados que salieron.
    dy : array_like, shape (n, T, u)
        El gradiente de lo que salió en cada paso; ceros donde no hay pérdida.

    Returns
    -------
    dkernel : ndarray, shape (d, u)
        El gradiente de los pesos de la entrada.
    drecurrent_kernel : ndarray, shape (u, u)
        El de los del estado.
    dbias : ndarray, shape (u,)
        El de los sesgos.
    dinitial_state : ndarray, shape (n, u)
        El del estado inicial.
    dx : ndarray, shape (n, T, d)
        El de la entrada.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o si las formas no encajan.
    """
    sizes = {}
    x = check.floats(x, "x", "n T d", sizes)
    kernel = check.floats(kernel, "kernel", "d u", sizes)
    recurrent_kernel = check.floats(recurrent_kernel, "recurrent_kernel", "u u", sizes)
    initial_state = check.floats(initial_state, "initial_state", "n u", sizes)
    y = check.floats(y, "y", "n T u", sizes)
    dy = check.floats(dy, "dy", "n T u", sizes)
    x, kernel, recurrent_kernel, initial_state, y, dy = _same_type(x, kernel, recurrent_kernel, initial_state, y, dy)
    (n, steps, units), d = y.shape, x.shape[2]
    none, drop = np.zeros((0, 0), x.dtype), np.zeros((0, 0, 0), x.dtype)
    xs, h = np.empty((steps, n, d), x.dtype), np.empty((steps + 1, n, units), x.dtype)
    dys, dz = np.empty((2, steps, n, units), x.dtype)
    to_steps(x, none, False, xs)
    outputs_to_steps(dy, NO_MASK, dys)
    h[0], h[1:] = initial_state, y.transpose(1, 0, 2)
    dh, back = np.zeros((2, n, units), x.dtype)
    weights = recurrent_kernel, in_strips(recurrent_kernel.T)
    _simple_rnn_steps_back(TANH, *weights, drop, NO_MASK, h, dys, dh, dz, back, back)
    dkernel, drecurrent, dbias = np.empty_like(kernel), np.empty_like(recurrent_kernel), np.empty(units, x.dtype)
    dxs, dx = np.empty_like(xs), np.empty_like(x)
    _dense_backward_weights(_rows(xs), _rows(dz), dkernel, dbias)
    matmul_large(_rows(h[:-1]).T, _rows(dz), drecurrent)
    _dense_backward_input(_rows(dz), kernel, _rows(dxs))
    from_steps(dxs, none, False, dx)
    return dkernel, drecurrent, dbias, dh, dx


def plain_simple_rnn_backward(
    x, kernel, recurrent_kernel, initial_state, y, dy
):  # fmt: skip
    r"""La culpa, del último paso al primero; los pesos suman lo de todos."""
    dkernel, dbias = np.zeros_like(kernel), np.zeros(kernel.shape[1])
    drecurrent = np.zeros_like(recurrent_kernel)
    dx, dh = np.empty_like(x), np.zeros_like(initial_state)
    for t in reversed(range(x.shape[1])):
        before = y[:, t - 1] if t else initial_state
        dh = dy[:, t] + dh  # [ec-rnn-bptt-estado]
        dz = dh * (1 - y[:, t] ** 2)  # [ec-rnn-bptt-preactivacion]
        dkernel += x[:, t].T @ dz  # [ec-rnn-bptt-pesos]
        drecurrent += before.T @ dz  # [ec-rnn-bptt-pesos]
        dbias += dz.sum(axis=0)  # [ec-rnn-bptt-pesos]
        dx[:, t] = dz @ kernel.T  # [ec-rnn-bptt-entrada]
        dh = dz @ recurrent_kernel.T  # [ec-rnn-bptt-atras]
    return dkernel, drecurrent, dbias, dh, dx


@kernel
def _simple_rnn_steps_back(kind, u, packed, drop, mask, h, dys, dh, dz, back, dropped):
    steps, n, units = dz.shape
    for t in range(steps - 1, -1, -1):
        if dys.shape[0]:
            for i in range(n):
                for j in range(units):
                    dh[i, j] += dys[t, i, j]  # [ec-rnn-bptt-estado]
        _slope(kind, h[t + 1].reshape(-1), dh.reshape(-1), dz[t].reshape(-1))
        if mask.shape[0] == 0:
            recur_back(dz[t], u, packed, drop, dropped, dh)  # [ec-rnn-bptt-atras]
            continue
        for i in range(n):
            if not mask[t, i]:
                dz[t, i] = 0
        recur_back(dz[t], u, packed, drop, dropped, back)
        for i in range(n):
            if mask[t, i]:
                dh[i] = back[i]


@kernel
def _slope(kind, h, dh, dz):
    zero, one = h.dtype.type(0), h.dtype.type(1)
    if kind == TANH:
        for i in range(h.size):
            dz[i] = dh[i] * (one - h[i] * h[i])  # [ec-rnn-bptt-preactivacion]
    elif kind == RELU:
        for i in range(h.size):
            dz[i] = zero if h[i] <= 0 else dh[i]
    elif kind == SIGMOID:
        for i in range(h.size):
            dz[i] = dh[i] * h[i] * (one - h[i])
    else:
        for i in range(h.size):
            dz[i] = dh[i]
