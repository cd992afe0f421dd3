r"""Retropropagación en dos capas: cómo le llega la culpa a una neurona oculta."""

import numpy as np

from dlbook import check


def two_layer_gradient(x, y, W1, b1, W2, b2):
    r"""Pérdida y gradiente de una red con una capa oculta de tangentes hiperbólicas y salida lineal.

    .. math::
       :label: ec-mlp-dos-capas

       \begin{gathered}
       \mathbf h=\tanh(\mathbf x\mathbf W_1+\mathbf b_1),
       \\
       \hat{\mathbf y}=\mathbf h\mathbf W_2+\mathbf b_2 .
       \end{gathered}

    La pérdida es la de una sola capa, :eq:`ec-mlp-una-capa-perdida`. La salida se trata como en
    :func:`one_layer_gradient`; su «entrada» es :math:`\mathbf h`:

    .. math::
       :label: ec-mlp-dos-capas-salida

       \begin{gathered}
       \boldsymbol\delta_2=-2\,(\mathbf y-\hat{\mathbf y}),
       \\
       \frac{\partial\mathcal L}{\partial\mathbf W_2}=\mathbf h^\top\boldsymbol\delta_2,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf b_2}=\boldsymbol\delta_2 .
       \end{gathered}

    **La oculta.** Nadie nos dice qué debía contestar la neurona oculta :math:`k`, y por eso no tiene un error propio.
    Lo que sí sabemos es **a quién alimenta**: a todas las salidas, a la :math:`i` con el peso :math:`w_{ki}` de
    :math:`\mathbf W_2`. De :math:`h_k` a la pérdida hay un camino por cada salida, y por
    :eq:`ed-mlp-varios-caminos` se suman. Como la salida es lineal, :math:`\partial\mathcal L/\partial\hat y_i` es la
    propia :math:`\delta_{2,i}`:

    .. math::
       :label: ed-mlp-suma-de-caminos

       \frac{\partial\mathcal L}{\partial h_k}
       =\sum_i\frac{\partial\mathcal L}{\partial\hat y_i}\,\frac{\partial\hat y_i}{\partial h_k}
       =\sum_i\delta_{2,i}\,w_{ki} .

    Son los mismos pesos con los que :math:`\mathbf h` iba hacia delante, recorridos al revés: con las deltas en fila,
    :math:`\boldsymbol\delta_2\mathbf W_2^\top`. Falta pasar por la tangente hiperbólica, cuya derivada es
    :math:`1-h_k^2`:

    .. math::
       :label: ec-mlp-delta-oculta

       \boldsymbol\delta_1=(\boldsymbol\delta_2\mathbf W_2^\top)\odot(1-\mathbf h^2),

    donde :math:`\odot` multiplica componente a componente. Con su delta, la capa oculta se trata como cualquier otra:

    .. math::
       :label: ec-mlp-dos-capas-oculta

       \frac{\partial\mathcal L}{\partial\mathbf W_1}=\mathbf x^\top\boldsymbol\delta_1,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf b_1}=\boldsymbol\delta_1 .

    **A mano.** Una red 2-2-1 con :math:`\mathbf x=(0.1,0.7)` y :math:`y=0.5`. Hacia delante, las ocultas suman
    :math:`(0.29, 0.12)`, y entonces :math:`\mathbf h\approx(0.282135, 0.119427)` y
    :math:`\hat y=0.2+0.3\cdot0.282135-0.4\cdot0.119427`, que da :math:`0.236870`. El error es :math:`0.263130`, y la
    delta de la salida, :math:`-0.526261`:

    >>> x, y = np.array([0.1, 0.7]), np.array([0.5])
    >>> W1, b1 = np.array([[-0.2, 0.4], [0.3, -0.6]]), np.array([0.1, 0.5])
    >>> W2, b2 = np.array([[0.3], [-0.4]]), np.array([0.2])
    >>> loss, dW1, db1, dW2, db2 = two_layer_gradient(x, y, W1, b1, W2, b2)
    >>> round(loss, 6), db2.round(6).tolist(), dW2[:, 0].round(6).tolist()
    (0.069238, [-0.526261], [-0.148477, -0.06285])

    A la primera oculta le llega :math:`-0.526261\cdot0.3`, y pasa :math:`1-0.282135^2=0.9204` de eso:

    >>> db1.round(6)
    array([-0.145311,  0.207502])
    >>> dW1.round(6)
    array([[-0.014531,  0.02075 ],
           [-0.101718,  0.145251]])

    Tras un paso de tamaño 0.1, la pérdida queda más o menos en la mitad:

    >>> W1, b1 = W1 - 0.1 * dW1, b1 - 0.1 * db1
    >>> W2, b2 = W2 - 0.1 * dW2, b2 - 0.1 * db2
    >>> round(two_layer_gradient(x, y, W1, b1, W2, b2)[0], 6)
    0.035032

    Parameters
    ----------
    x : array_like, shape (d,)
        Una observación.
    y : array_like, shape (m,)
        Lo que la red debía contestar.
    W1 : array_like, shape (d, h)
        Los pesos de la capa oculta.
    b1 : array_like, shape (h,)
        Sus sesgos.
    W2 : array_like, shape (h, m)
        Los pesos de la salida.
    b2 : array_like, shape (m,)
        Sus sesgos.

    Returns
    -------
    loss : float
        La pérdida :math:`\mathcal L`.
    dW1, db1, dW2, db2 : ndarray
        La derivada de la pérdida respecto a cada arreglo, con su misma forma.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no concuerdan o hay algo que no es finito.

        >>> two_layer_gradient([1], [1, 2], [[1]], [0], [[1]], [0])
        Traceback (most recent call last):
            ...
        ValueError: W2: se esperaba la forma (h=1, m=2), pero llegó (1, 1)
    """
    sizes = {}
    x = check.floats(x, "x", "d", sizes)
    y = check.floats(y, "y", "m", sizes)
    W1 = check.floats(W1, "W1", "d h", sizes)
    b1 = check.floats(b1, "b1", "h", sizes)
    W2 = check.floats(W2, "W2", "h m", sizes)
    b2 = check.floats(b2, "b2", "m", sizes)
    loss, *gradients = plain_two_layer_gradient(x, y, W1, b1, W2, b2)
    return check.number(loss, "pérdida"), *gradients


def plain_two_layer_gradient(x, y, W1, b1, W2, b2):
    r"""Hacia delante, dos capas; hacia atrás, las mismas en orden inverso."""
    h = np.tanh(x @ W1 + b1)  # [ec-mlp-dos-capas]
    y_hat = h @ W2 + b2  # [ec-mlp-dos-capas]
    e = y - y_hat
    loss = e @ e
    delta2 = -2 * e  # [ec-mlp-dos-capas-salida]
    dW2, db2 = np.outer(h, delta2), delta2  # [ec-mlp-dos-capas-salida]
    delta1 = (delta2 @ W2.T) * (1 - h**2)  # [ec-mlp-delta-oculta]
    dW1, db1 = np.outer(x, delta1), delta1  # [ec-mlp-dos-capas-oculta]
    return loss, dW1, db1, dW2, db2
