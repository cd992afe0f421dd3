r"""La sigmoide y su derivada."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.exponential import exp
from dlbook.numeric.kernel import kernel


class Sigmoid(ActivationFunction):
    r"""Sigmoide (*sigmoid*): de cualquier número a una probabilidad.

    .. math::
       :label: ec-mlp-sigmoide

       \sigma(z) = \frac{1}{1+e^{-z}} .

    **De dónde sale.** Queremos que la red dé la probabilidad :math:`p` de que la respuesta sea sí, pero :math:`z` puede
    ser cualquier número. En las apuestas se comparan las dos probabilidades, la de que sí entre la de que no (*odds*):
    :math:`p/(1-p)`, que va de 0 a infinito. Su logaritmo va de menos a más infinito, justo como :math:`z`. Igualemos y
    despejemos:

    .. math::

       \begin{gathered}
       z = \ln\frac{p}{1-p}
       \;\Longrightarrow\;
       e^{z}(1-p) = p
       \\
       \Longrightarrow\;
       p = \frac{e^{z}}{1+e^{z}} = \frac{1}{1+e^{-z}} .
       \end{gathered}

    A ese logaritmo se le llama *logit*, y por eso también a la preactivación de una sigmoide. :item:`MLP-06`

    **Derivada.** Por la regla de la cadena, :math:`\sigma'(z)=e^{-z}/(1+e^{-z})^2`. Pártela en dos factores:
    :math:`\frac{1}{1+e^{-z}}`, que es :math:`\sigma`, y :math:`\frac{e^{-z}}{1+e^{-z}}`, que es lo que a :math:`\sigma`
    le falta para llegar a 1:

    .. math::
       :label: ec-mlp-sigmoide-derivada

       \sigma'(z) = \sigma(z)\,\bigl(1-\sigma(z)\bigr) .

    Con la salida en la mano, la derivada cuesta un producto. :item:`MLP-13`

    **Dónde se satura.** El producto :math:`y(1-y)` es máximo en :math:`y=\tfrac12`, donde vale :math:`\tfrac14`. Así
    que cada sigmoide que el error cruza hacia atrás lo divide, cuando menos, entre cuatro; y con :math:`|z|>5`, entre
    más de cien. Sin contar los pesos, diez capas dejan menos de una millonésima.

    **Sin desbordar.** :math:`e^{-z}` no cabe en ``float32`` si :math:`z` baja de −89. Como
    :math:`\sigma(z)=e^{z}/(1+e^{z})` también, basta usar siempre la exponencial de :math:`-|z|`.

    **A mano.** El logit de :math:`p=0.8` es :math:`\ln 4`, y de regreso:

    >>> import math
    >>> from chapters.mlp.activations import sigmoid
    >>> round(float(sigmoid(math.log(4))), 12)
    0.8
    >>> float(sigmoid.derivative(0.0))
    0.25
    >>> round(0.25**10 * 1e6, 2)  # diez capas, en millonésimas
    0.95
    >>> sigmoid([-1e4, 1e4]), sigmoid.derivative([-1e4, 1e4])
    (array([0., 1.]), array([0., 0.]))
    """

    name = "sigmoid"

    def forward(self, z, y):
        r"""Escribe en ``y`` la sigmoide de ``z``."""
        _sigmoid(z.reshape(-1), y.reshape(-1))

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente, que sale de ``y``."""
        _sigmoid_backward(y.reshape(-1), dy.reshape(-1), dz.reshape(-1))


def plain_sigmoid(z, dy):
    r"""La sigmoide; de vuelta, lo que llega por la pendiente."""
    y = 1 / (1 + np.exp(-z))  # [ec-mlp-sigmoide]
    return y, dy * y * (1 - y)  # [ec-mlp-sigmoide-derivada]


@kernel(error_model="numpy")
def _sigmoid(z, y):
    one = z.dtype.type(1)
    for i in range(z.size):
        # Siempre la exponencial de algo negativo: nunca se desborda.
        small = exp(-abs(z[i]))
        y[i] = (one if z[i] >= 0 else small) / (one + small)  # [ec-mlp-sigmoide]


@kernel
def _sigmoid_backward(y, dy, dz):
    one = y.dtype.type(1)
    for i in range(y.size):
        dz[i] = dy[i] * y[i] * (one - y[i])  # [ec-mlp-sigmoide-derivada]


sigmoid = Sigmoid()
