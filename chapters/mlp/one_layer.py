r"""Retropropagación en una capa: cada neurona de salida responde de su propio error."""

import numpy as np

from dlbook import check


def one_layer_gradient(x, y, W, b, activations):
    r"""Pérdida y gradiente de una sola capa, con una activación por neurona.

    Hacia delante, la neurona :math:`i` suma y activa:

    .. math::
       :label: ec-mlp-una-capa

       z_i=\sum_j x_j\,w_{ji}+b_i,
       \qquad
       \hat y_i=\varphi_i(z_i),

    con :math:`\varphi_i(z)=z` si la neurona es lineal y :math:`\varphi_i(z)=\tanh z` si no. El error de cada salida es
    :math:`e_i=y_i-\hat y_i`, y la pérdida suma sus cuadrados,

    .. math::
       :label: ec-mlp-una-capa-perdida

       \mathcal L=\sum_i e_i^2 .

    **Derivación.** La preactivación :math:`z_i` solo influye en :math:`\hat y_i`, así que de toda la suma sobrevive un
    término. El cuadrado da :math:`2e_i`; el menos viene de :math:`e_i=y_i-\hat y_i`; y el último factor es la derivada
    de la activación, 1 si es lineal y :math:`1-\hat y_i^2` si es tangente hiperbólica:

    .. math::
       :label: ec-mlp-delta-salida

       \delta_i=\frac{\partial\mathcal L}{\partial z_i}=-2\,e_i\,\varphi_i'(z_i) .

    El peso :math:`w_{ji}` aparece en una sola suma, la de :math:`z_i`, y ahí multiplica a :math:`x_j`; el sesgo
    multiplica a 1. Por eso

    .. math::
       :label: ec-mlp-una-capa-gradiente

       \frac{\partial\mathcal L}{\partial w_{ji}}=\delta_i\,x_j,
       \qquad
       \frac{\partial\mathcal L}{\partial b_i}=\delta_i .

    La matriz entera de derivadas es una tabla de multiplicar, :math:`\mathbf x^\top\boldsymbol\delta` con
    :math:`\mathbf x` y :math:`\boldsymbol\delta` como filas: una fila por entrada y una columna por delta. En NumPy,
    ``np.outer(x, delta)``.

    **A mano.** Dos entradas y dos neuronas, la primera lineal y la segunda :math:`\tanh`. Las preactivaciones son
    :math:`0.1-0.2\cdot0.1+0.3\cdot0.7=0.29` y :math:`0.5+0.4\cdot0.1-0.6\cdot0.7=0.12`; las salidas, :math:`0.29` y
    :math:`\tanh0.12\approx0.1194`; los errores, :math:`-0.09` y :math:`0.8806`; las deltas, :math:`0.18` y
    :math:`-2\cdot0.8806\cdot(1-0.1194^2)`, que es :math:`-1.7360`:

    >>> x, y = np.array([0.1, 0.7]), np.array([0.2, 1.0])
    >>> W, b = np.array([[-0.2, 0.4], [0.3, -0.6]]), np.array([0.1, 0.5])
    >>> loss, dW, db = one_layer_gradient(x, y, W, b, ["linear", "tanh"])
    >>> round(loss, 6), db.round(4).tolist()
    (0.783508, [0.18, -1.736])
    >>> dW.round(4)                        # 0.1 y 0.7 por cada delta
    array([[ 0.018 , -0.1736],
           [ 0.126 , -1.2152]])

    Un paso de tamaño :math:`\eta=0.1` en contra del gradiente cambia los cuatro pesos y los dos sesgos, y baja la
    pérdida:

    >>> W, b = W - 0.1 * dW, b - 0.1 * db
    >>> b.round(7).tolist(), W.T.round(7).tolist()
    ([0.082, 0.6736026], [[-0.2018, 0.2874], [0.4173603, -0.4784782]])
    >>> round(one_layer_gradient(x, y, W, b, ["linear", "tanh"])[0], 6)
    0.409664

    Parameters
    ----------
    x : array_like, shape (d,)
        Una observación.
    y : array_like, shape (m,)
        Lo que la capa debía contestar.
    W : array_like, shape (d, m)
        Los pesos: :math:`w_{ji}` va de la entrada :math:`j` a la neurona :math:`i`.
    b : array_like, shape (m,)
        Los sesgos.
    activations : sequence of {"linear", "tanh"}
        La activación de cada neurona.

    Returns
    -------
    loss : float
        La pérdida :math:`\mathcal L`.
    dW : ndarray, shape (d, m)
        :math:`\partial\mathcal L/\partial\mathbf W`.
    db : ndarray, shape (m,)
        :math:`\partial\mathcal L/\partial\mathbf b`, que es :math:`\boldsymbol\delta`.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no concuerdan, si hay algo que no es finito o si una activación no es una de las dos.
    """
    sizes = {}
    x = check.floats(x, "x", "d", sizes)
    y = check.floats(y, "y", "m", sizes)
    W = check.floats(W, "W", "d m", sizes)
    b = check.floats(b, "b", "m", sizes)
    activations = check.sequence(activations, "activations")
    if len(activations) != sizes["m"]:
        raise ValueError(f"activations: se esperaba una por neurona, {sizes['m']}, pero llegaron {len(activations)}")
    activations = [check.choice(a, "activations", ["linear", "tanh"]) for a in activations]
    loss, dW, db = plain_one_layer_gradient(x, y, W, b, activations)
    return check.number(loss, "pérdida"), dW, db


def plain_one_layer_gradient(x, y, W, b, activations):
    r"""Hacia delante, la pérdida; hacia atrás, una delta por neurona."""
    curved = np.array(activations) == "tanh"
    z = x @ W + b  # [ec-mlp-una-capa]
    y_hat = np.where(curved, np.tanh(z), z)  # [ec-mlp-una-capa]
    e = y - y_hat
    loss = e @ e  # [ec-mlp-una-capa-perdida]
    slope = np.where(curved, 1 - y_hat**2, 1)
    delta = -2 * e * slope  # [ec-mlp-delta-salida]
    dW, db = np.outer(x, delta), delta  # [ec-mlp-una-capa-gradiente]
    return loss, dW, db
