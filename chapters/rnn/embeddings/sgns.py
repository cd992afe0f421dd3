r"""La pérdida del muestreo negativo, y cómo se deriva."""

import numpy as np

from dlbook import check


def sgns_loss(center, context, negatives):
    r"""Pérdida de *skip-gram* con muestreo negativo (*skip-gram with negative sampling*).

    Una palabra tiene dos vectores: :math:`\mathbf v`, cuando es el centro de la ventana, y :math:`\mathbf u`, cuando es
    vecina. El puntaje de una pareja es :math:`\mathbf v\cdot\mathbf u`.

    **Derivación.** La pregunta directa es «¿cuál de las :math:`V` palabras es la vecina?», un *softmax*:

    .. math::
       :label: ed-rnn-w2v-softmax

       p(o\mid c)=\frac{e^{\mathbf v_c\cdot\mathbf u_o}}{\sum_{w=1}^{V}e^{\mathbf v_c\cdot\mathbf u_w}},
       \qquad
       \frac{\partial(-\ln p)}{\partial\mathbf u_w}=\bigl(p(w\mid c)-[w=o]\bigr)\,\mathbf v_c .

    La suma recorre **todo** el vocabulario, y el gradiente toca todos los :math:`\mathbf u_w`: por cada pareja,
    :math:`V` productos al ir y :math:`V` vectores al volver. Se cambia de pregunta: «esta pareja, ¿es del texto o la
    inventaron?». Eso es una regresión logística, con :math:`\sigma(s)=1/(1+e^{-s})`. La pareja verdadera debe contestar
    1, y las :math:`k` inventadas, con negativas :math:`\mathbf u_1,\dots,\mathbf u_k`, deben contestar 0. Si las
    respuestas son independientes, la probabilidad de acertar todas es un producto, y su logaritmo, con el signo
    cambiado, es la pérdida:

    .. math::
       :label: ec-rnn-sgns

       \mathcal L=-\ln\sigma(\mathbf v\cdot\mathbf u_o)-\sum_{i=1}^{k}\ln\sigma(-\mathbf v\cdot\mathbf u_i) ,

    porque :math:`1-\sigma(s)=\sigma(-s)`. Ahora son :math:`k+1` productos. Como :math:`-\ln\sigma(s)=\ln(1+e^{-s})`, se
    calcula sin que se desborde nada.

    **A mano.** Al empezar, con todo en 0, cada respuesta es a cara o cruz: :math:`(k+1)\ln2`. Con
    :math:`\mathbf v=(1,1)`, una vecina :math:`(2,0)` y una negativa :math:`(1,-2)`, los puntajes son 2 y −1, y la
    pérdida, :math:`\ln(1+e^{-2})+\ln(1+e^{-1})\approx0.127+0.313`:

    >>> sgns_loss([[0.0, 0.0]], [[0.0, 0.0]], [[[0.0, 0.0]]]).round(3)
    array([1.386])
    >>> sgns_loss([[1.0, 1.0]], [[2.0, 0.0]], [[[1.0, -2.0]]]).round(3)
    array([0.44])

    Parameters
    ----------
    center : array_like, shape (n, d)
        El vector :math:`\mathbf v` de cada pareja.
    context : array_like, shape (n, d)
        El :math:`\mathbf u_o` de su vecina.
    negatives : array_like, shape (n, k, d)
        Los de sus negativas.

    Returns
    -------
    ndarray, shape (n,)
        La pérdida de cada pareja, en nats.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o las formas no encajan.
    """
    center, context, negatives = _vectors(center, context, negatives)
    true, false = _scores(center, context, negatives)
    return np.logaddexp(0, -true) + np.logaddexp(0, false).sum(axis=1)  # [ec-rnn-sgns]


def _vectors(center, context, negatives):
    sizes = {}
    center = check.floats(center, "center", "n d", sizes)
    context = check.floats(context, "context", "n d", sizes)
    negatives = check.floats(negatives, "negatives", "n k d", sizes)
    return center, context, negatives


def _scores(center, context, negatives):
    true = (center * context).sum(axis=1)
    return true, (negatives @ center[:, :, np.newaxis])[:, :, 0]


def sgns_loss_backward(center, context, negatives, dy):
    r"""Deriva :func:`sgns_loss` respecto a los tres vectores.

    **Derivación.** Primero, respecto a los puntajes. Con :math:`\sigma'=\sigma(1-\sigma)`,

    .. math::
       :label: ec-rnn-sgns-puntajes

       \frac{d}{ds}\bigl[-\ln\sigma(s)\bigr]=-\frac{\sigma(1-\sigma)}{\sigma}=\sigma(s)-1,
       \qquad
       \frac{d}{ds}\bigl[-\ln\sigma(-s)\bigr]=1-\sigma(-s)=\sigma(s) .

    Las dos dicen lo mismo: lo contestado menos lo correcto. Llámalas :math:`e_o=\sigma(s_o)-1` y
    :math:`e_i=\sigma(s_i)`. Cada puntaje es un producto punto, así que su derivada respecto a un vector es el otro. El
    centro aparece en todos, y suma:

    .. math::
       :label: ec-rnn-sgns-vectores

       \frac{\partial\mathcal L}{\partial\mathbf u_o}=e_o\,\mathbf v,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf u_i}=e_i\,\mathbf v,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf v}=e_o\,\mathbf u_o+\sum_{i=1}^{k}e_i\,\mathbf u_i .

    Al restar el gradiente, el centro se acerca a su vecina, tanto como le faltaba creer en ella, y se aleja de las
    negativas, tanto como les creía.

    **A mano.** Con el ejemplo de :func:`sgns_loss`, :math:`e_o=\sigma(2)-1\approx-0.119` y
    :math:`e_1=\sigma(-1)\approx0.269`. El del centro es
    :math:`-0.119\,(2,0)+0.269\,(1,-2)\approx(0.031,\ -0.538)`:

    >>> v, u, negatives = [[1.0, 1.0]], [[2.0, 0.0]], [[[1.0, -2.0]]]
    >>> for gradient in sgns_loss_backward(v, u, negatives, [1.0]):
    ...     print(gradient.round(3).tolist())
    [[0.031, -0.538]]
    [[-0.119, -0.119]]
    [[[0.269, 0.269]]]

    Parameters
    ----------
    center, context, negatives : array_like
        Lo que recibió :func:`sgns_loss`.
    dy : array_like, shape (n,)
        El gradiente de cada pérdida.

    Returns
    -------
    dcenter, dcontext, dnegatives : ndarray
        Los gradientes, con las formas de los vectores.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, o las formas no encajan.
    """
    center, context, negatives = _vectors(center, context, negatives)
    g = check.floats(dy, "dy", "n", {"n": len(center)})[:, np.newaxis]
    true, false = _scores(center, context, negatives)
    # Lo contestado menos lo correcto; con logaritmos, para que un puntaje enorme no desborde.
    e_true = -g * np.exp(-np.logaddexp(0, true))[:, np.newaxis]  # [ec-rnn-sgns-puntajes]
    e_false = g * np.exp(-np.logaddexp(0, -false))  # [ec-rnn-sgns-puntajes]
    pulled = (e_false[:, np.newaxis] @ negatives)[:, 0]
    dcenter = e_true * context + pulled  # [ec-rnn-sgns-vectores]
    dcontext = e_true * center  # [ec-rnn-sgns-vectores]
    dnegatives = e_false[:, :, np.newaxis] * center[:, np.newaxis]  # [ec-rnn-sgns-vectores]
    return dcenter, dcontext, dnegatives
