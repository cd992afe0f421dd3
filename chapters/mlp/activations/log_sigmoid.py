r"""El logaritmo de la sigmoide, sin pasar por ella."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.exponential import exp
from chapters.mlp.activations.softplus import _softplus
from dlbook.numeric.kernel import kernel


class LogSigmoid(ActivationFunction):
    r"""El logaritmo de la sigmoide (*log-sigmoid*): una *softplus* girada media vuelta.

    .. math::
       :label: ec-mlp-log-sigmoide

       \varphi(z) = \ln\sigma(z) = -\ln(1+e^{-z}) = -\zeta(-z) .

    **Derivada.** La de :math:`\zeta` es :math:`\sigma`, y los dos signos menos se van:

    .. math::
       :label: ec-mlp-log-sigmoide-derivada

       \varphi'(z) = \sigma(-z) = 1-\sigma(z) .

    Se satura a la derecha. A la izquierda es casi la recta :math:`z`: el logaritmo de una probabilidad que la sigmoide
    ya habría redondeado a cero.

    >>> from chapters.mlp.activations import log_sigmoid
    >>> log_sigmoid([-200.0, 0.0]).round(4)            # en el cero, ln ½
    array([-200.    ,   -0.6931])
    >>> float(log_sigmoid.derivative(0.0))
    0.5
    """

    name = "log_sigmoid"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        np.negative(z, out=y)
        _softplus(y.reshape(-1), y.reshape(-1))
        np.negative(y, out=y)  # [ec-mlp-log-sigmoide]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        _log_sigmoid_backward(z.reshape(-1), dy.reshape(-1), dz.reshape(-1))


def plain_log_sigmoid(z, dy):
    r"""El logaritmo de la sigmoide, y su pendiente."""
    # [ec-mlp-log-sigmoide]
    y = np.minimum(z, 0) - np.log(1 + np.exp(-abs(z)))
    return y, dy / (1 + np.exp(z))  # [ec-mlp-log-sigmoide-derivada]


@kernel(error_model="numpy")
def _log_sigmoid_backward(z, dy, dz):
    one = z.dtype.type(1)
    for i in range(z.size):
        small = exp(-abs(z[i]))
        dz[i] = dy[i] * (small if z[i] >= 0 else one) / (one + small)  # [ec-mlp-log-sigmoide-derivada]


log_sigmoid = LogSigmoid()
