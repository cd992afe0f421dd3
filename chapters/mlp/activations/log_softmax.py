r"""El logaritmo del softmax, sin pasar por las probabilidades."""

import math

import numpy as np

from chapters.mlp.activations.exponential import _add, exp
from chapters.mlp.activations.softmax import Softmax, _shift
from dlbook.numeric.kernel import kernel


class LogSoftmax(Softmax):
    r"""El logaritmo de cada probabilidad del *softmax* (*log-softmax*).

    Una probabilidad diminuta se redondea a cero, y su logaritmo sería :math:`-\infty`. Con :math:`m` el puntaje mayor,
    el logaritmo de :eq:`ec-mlp-softmax` no necesita calcularla:

    .. math::
       :label: ec-mlp-log-softmax

       y_k = z_k - m - \ln\sum_j e^{z_j-m} .

    **Hacia atrás.** :math:`\partial y_k/\partial z_j=[k=j]-p_j`. Al sumar lo que cobra cada salida, con :math:`g_k` el
    gradiente que llega,

    .. math::
       :label: ec-mlp-log-softmax-atras

       \frac{\partial\mathcal L}{\partial z_j} = g_j - p_j\sum_k g_k,
       \qquad
       p_j = e^{y_j} .

    **A mano.** Dos puntajes a mil de distancia: el *softmax* da 0 y 1; su logaritmo conserva la distancia.

    >>> from chapters.mlp.activations import log_softmax
    >>> log_softmax([0.0, 1000.0])
    array([-1000.,     0.])
    >>> log_softmax([1.0, 1.0]).round(4)               # ln ½
    array([-0.6931, -0.6931])

    Parameters
    ----------
    axis : int
        El eje de las clases, como en :class:`Softmax`.
    """

    name = "log_softmax"
    kernels = property(lambda self: (_log_softmax, _log_softmax_backward))

    def derivative(self, z):
        r"""Da la matriz jacobiana de cada observación, como la de :class:`Softmax`."""
        p = np.exp(np.moveaxis(self(z), self.axis, -1))
        return np.eye(p.shape[-1], dtype=p.dtype) - p[..., None, :]


def plain_log_softmax(z, dy, axis):
    r"""Puntajes menos el logaritmo de la suma, y su vuelta."""
    z = z - z.max(axis, keepdims=True)
    # [ec-mlp-log-softmax]
    y = z - np.log(np.exp(z).sum(axis, keepdims=True))
    total = dy.sum(axis, keepdims=True)
    return y, dy - np.exp(y) * total  # [ec-mlp-log-softmax-atras]


@kernel
def _log_softmax(z, y):
    n, classes = z.shape
    _shift(z, y)
    for i in range(n):
        total = z.dtype.type(0)
        for k in range(classes):
            total = _add(total, exp(y[i, k]))
        total = z.dtype.type(math.log(total))
        for k in range(classes):
            y[i, k] -= total  # [ec-mlp-log-softmax]


@kernel
def _log_softmax_backward(y, g, dz):
    n, classes = y.shape
    for i in range(n):
        total = y.dtype.type(0)
        for k in range(classes):
            total = _add(total, g[i, k])
        for j in range(classes):
            dz[i, j] = g[i, j] - exp(y[i, j]) * total  # [ec-mlp-log-softmax-atras]


log_softmax = LogSoftmax()
