r"""La tangente hiperbólica y su derivada."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.exponential import expm1
from dlbook.numeric.kernel import kernel


class Tanh(ActivationFunction):
    r"""Tangente hiperbólica (*hyperbolic tangent*): una sigmoide centrada en el cero.

    .. math::
       :label: ec-mlp-tanh

       \begin{aligned}
       \tanh z &= \frac{e^{z}-e^{-z}}{e^{z}+e^{-z}}\\
       &= \frac{1-e^{-2z}}{1+e^{-2z}} .
       \end{aligned}

    La segunda forma sale de dividir arriba y abajo entre :math:`e^{z}`. Va de −1 a 1 y es impar:
    :math:`\tanh(-z)=-\tanh z`. :item:`MLP-07`

    **Es una sigmoide estirada.** Si en :math:`2\sigma(2z)-1=\frac{2}{1+e^{-2z}}-1` se reduce a común denominador, queda
    :math:`\frac{1-e^{-2z}}{1+e^{-2z}}`. O sea,

    .. math::
       :label: ed-mlp-tanh-sigmoide

       \tanh z = 2\,\sigma(2z) - 1 .

    ¿Para qué otra, entonces? Porque está centrada. La sigmoide solo da números positivos; si todas las entradas de una
    neurona lo son, con cada ejemplo el gradiente de todos sus pesos lleva el mismo signo, y juntos solo pueden subir o
    bajar. Con la tangente hay de los dos signos, y además su pendiente en el cero es 1, y no 0.25.

    **Derivada.** Sean :math:`s=e^{z}-e^{-z}` y :math:`c=e^{z}+e^{-z}`. Cada una es la derivada de la otra, :math:`s'=c`
    y :math:`c'=s`. Por la regla del cociente: :item:`MLP-14`

    .. math::
       :label: ec-mlp-tanh-derivada

       \begin{aligned}
       \tanh' z &= \frac{s'c-s\,c'}{c^2} = \frac{c^2-s^2}{c^2}\\
       &= 1-\tanh^2 z .
       \end{aligned}

    **Dónde se satura.** La pendiente vale 1 en el cero y cae rápido: en :math:`z=3` ya es 0.0099. A una red
    profunda de tangentes le conviene que sus preactivaciones se queden cerca del cero; de eso se ocupan los
    inicializadores.

    **A mano.**

    >>> from chapters.mlp.activations import sigmoid, tanh
    >>> float(tanh.derivative(0.0)), round(float(tanh.derivative(3.0)), 4)
    (1.0, 0.0099)
    >>> bool(abs(tanh(0.7) - (2 * sigmoid(1.4) - 1)) < 1e-15)
    True
    >>> tanh([-1e4, 1e4])
    array([-1.,  1.])

    **Cerca del cero**, :math:`\tanh z\approx z`, y calcular :math:`1-e^{-2z}` restando perdería decimales. Por eso el
    código usa :func:`~chapters.mlp.activations.exponential.expm1`:

    >>> float(tanh(1e-9))
    1e-09
    """

    name = "tanh"

    def forward(self, z, y):
        r"""Escribe en ``y`` la tangente hiperbólica de ``z``."""
        _tanh(z.reshape(-1), y.reshape(-1))

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente, que sale de ``y``."""
        _tanh_backward(y.reshape(-1), dy.reshape(-1), dz.reshape(-1))


def plain_tanh(z, dy):
    r"""La tangente; de vuelta, lo que llega por la pendiente."""
    small = np.exp(-2 * z)
    y = (1 - small) / (1 + small)  # [ec-mlp-tanh]
    return y, dy * (1 - y**2)  # [ec-mlp-tanh-derivada]


@kernel(error_model="numpy")
def _tanh(z, y):
    two = z.dtype.type(2)
    for i in range(z.size):
        # e^(-2|z|) - 1, y el signo al final: la función es impar.
        small = expm1(-two * abs(z[i]))
        t = -small / (two + small)  # [ec-mlp-tanh]
        y[i] = t if z[i] > 0 else -t


@kernel
def _tanh_backward(y, dy, dz):
    one = y.dtype.type(1)
    for i in range(y.size):
        dz[i] = dy[i] * (one - y[i] * y[i])  # [ec-mlp-tanh-derivada]


tanh = Tanh()
