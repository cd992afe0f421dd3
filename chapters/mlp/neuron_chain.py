r"""La retropropagación más pequeña: neuronas en fila, una por capa."""

import numpy as np

from dlbook import check


def neuron_chain_gradient(x, y, w):
    r"""Pérdida y gradiente de una red 1-1-…-1: neuronas en fila, sin sesgos, la última lineal.

    Cada neurona tiene una sola entrada, la anterior, y un solo peso. Con :math:`a_0=x`,

    .. math::
       :label: ec-mlp-fila

       \begin{gathered}
       z_k=w_k\,a_{k-1},
       \qquad
       a_k=\tanh(z_k)\ \text{si}\ k<L,\\
       \hat y=z_L,
       \qquad
       \mathcal L=(y-\hat y)^2 .
       \end{gathered}

    ¿Cuánto cambia la pérdida si se mueve :math:`w_k`? Del peso a la pérdida hay un solo camino, así que la respuesta es
    un producto de derivadas, una por eslabón :eq:`ec-mlp-cadena`.

    **Dos neuronas.** Con :math:`\hat y=w_2\,a_1`, el último peso queda cerca de la pérdida:

    .. math::
       :label: ed-mlp-fila-w2

       \frac{\partial\mathcal L}{\partial w_2}
       =\frac{\partial\mathcal L}{\partial\hat y}\,\frac{\partial\hat y}{\partial w_2}
       =-2(y-\hat y)\,a_1 .

    Para el primero el camino es más largo: de :math:`w_1` a :math:`z_1`, de ahí a :math:`a_1`, de ahí a :math:`\hat y`:

    .. math::
       :label: ed-mlp-fila-w1

       \frac{\partial\mathcal L}{\partial w_1}
       =\frac{\partial\mathcal L}{\partial\hat y}\,
       \frac{\partial\hat y}{\partial a_1}\,
       \frac{\partial a_1}{\partial z_1}\,
       \frac{\partial z_1}{\partial w_1}
       =-2(y-\hat y)\;w_2\;(1-a_1^2)\;x .

    El primer factor es el mismo en las dos. Esa es la observación que hace posible entrenar redes: **lo que ya se
    multiplicó para una capa sirve para todas las anteriores**.

    **En general.** Démosle nombre a lo que se comparte, la derivada de la pérdida respecto a cada preactivación,
    :math:`\delta_k=\partial\mathcal L/\partial z_k`. En la salida, :math:`\hat y=z_L`; y de :math:`z_k` a
    :math:`z_{k+1}=w_{k+1}\tanh(z_k)` hay dos eslabones, con derivadas :math:`w_{k+1}` y :math:`1-a_k^2`. Por eso

    .. math::
       :label: ec-mlp-fila-delta

       \delta_L=-2(y-\hat y),
       \qquad
       \delta_k=\delta_{k+1}\,w_{k+1}\,(1-a_k^2),

    y como :math:`z_k=w_k\,a_{k-1}`, cada peso multiplica su delta por lo que recibió al ir hacia delante:

    .. math::
       :label: ec-mlp-fila-gradiente

       \frac{\partial\mathcal L}{\partial w_k}=\delta_k\,a_{k-1} .

    Se va hacia delante guardando las :math:`a_k` y se vuelve con una sola :math:`\delta` en la mano. Eso es la
    retropropagación (*backpropagation*).

    **A mano.** Con :math:`x=0.5`, :math:`y=1`, :math:`w_1=0.4` y :math:`w_2=-0.3`. Hacia delante,
    :math:`a_1=\tanh(0.2)=0.197375` y :math:`\hat y=-0.3\cdot0.197375=-0.059213`. Hacia atrás,
    :math:`\delta_2=-2(1+0.059213)=-2.118425`, y :math:`\delta_1=-2.118425\cdot(-0.3)` por
    :math:`1-0.197375^2`, que es :math:`0.610769`:

    >>> loss, gradient = neuron_chain_gradient(0.5, 1, [0.4, -0.3])
    >>> round(loss, 6)
    1.121931
    >>> gradient.round(6)                  # 0.610769·0.5 y -2.118425·0.197375
    array([ 0.305385, -0.418125])

    Parameters
    ----------
    x, y : float
        La entrada y lo deseado.
    w : array_like, shape (L,)
        Los pesos, de la entrada a la salida.

    Returns
    -------
    loss : float
        La pérdida :math:`\mathcal L`.
    gradient : ndarray, shape (L,)
        :math:`\partial\mathcal L/\partial\mathbf w`.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si ``w`` está vacío o hay algo que no es finito.
    """
    x, y = check.number(x, "x"), check.number(y, "y")
    w = check.floats(w, "w", "L").astype(np.float64)
    loss, gradient = plain_neuron_chain_gradient(x, y, w)
    return float(loss), check.floats(gradient, "gradiente")


def plain_neuron_chain_gradient(x, y, w):
    r"""Hacia delante se guardan las salidas; hacia atrás se lleva una sola delta."""
    a, gradient = [x], np.empty(len(w))
    for w_k in w[:-1]:
        a.append(np.tanh(w_k * a[-1]))  # [ec-mlp-fila]
    y_hat = w[-1] * a[-1]  # [ec-mlp-fila]
    delta = -2 * (y - y_hat)  # [ec-mlp-fila-delta]
    # Python cuenta desde 0: w[0] es el primer peso, y a[0], la entrada.
    for k in reversed(range(len(w))):
        gradient[k] = delta * a[k]  # [ec-mlp-fila-gradiente]
        if k:
            delta = delta * w[k] * (1 - a[k] ** 2)  # [ec-mlp-fila-delta]
    return (y - y_hat) ** 2, gradient
