r"""La rectificadora suave."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.exponential import exp, log1p
from dlbook.numeric.kernel import kernel


class Softplus(ActivationFunction):
    r"""Rectificadora suave (*softplus*): una ReLU sin pico, cuya pendiente es la sigmoide.

    .. math::
       :label: ec-mlp-softplus

       \begin{aligned}
       \zeta(z) &= \ln(1+e^{z})\\
       &= \max(z, 0) + \ln\bigl(1+e^{-|z|}\bigr) .
       \end{aligned}

    **De dónde sale.** Pidamos una función cuya pendiente pase de 0 a 1 suavemente, como la sigmoide. Es su integral:

    .. math::
       :label: ec-mlp-softplus-derivada

       \zeta'(z) = \frac{e^{z}}{1+e^{z}} = \sigma(z) .

    Lejos del cero se pega a la ReLU: por la derecha a :math:`z`, por la izquierda a 0. Como siempre da un número
    positivo, se usa donde hace falta uno, por ejemplo para que la red prediga una desviación estándar
    :cite:p:`dugas2001`.

    **La segunda forma** es la misma función: si :math:`z>0`, saca :math:`e^{z}` de factor común,
    :math:`\ln(1+e^{z})=\ln e^{z}+\ln(e^{-z}+1)`. Su exponente nunca es positivo y nada se desborda.

    **Dónde se satura.** A la izquierda, como la sigmoide: en :math:`z=-5` la pendiente es 0.0067.

    **A mano.** En el cero vale :math:`\ln 2`, con pendiente :math:`\tfrac12`:

    >>> from chapters.mlp.activations import softplus
    >>> round(float(softplus(0.0)), 6), float(softplus.derivative(0.0))
    (0.693147, 0.5)
    >>> softplus([-1e4, 1e4])
    array([    0., 10000.])
    """

    name = "softplus"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        _softplus(z.reshape(-1), y.reshape(-1))

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la sigmoide de ``z``."""
        _softplus_backward(z.reshape(-1), dy.reshape(-1), dz.reshape(-1))


def plain_softplus(z, dy):
    r"""La rectificadora suave; su pendiente es la sigmoide."""
    # [ec-mlp-softplus]
    y = np.maximum(z, 0) + np.log(1 + np.exp(-abs(z)))
    return y, dy / (1 + np.exp(-z))  # [ec-mlp-softplus-derivada]


@kernel(error_model="numpy")
def _softplus(z, y):
    zero = z.dtype.type(0)
    for i in range(z.size):
        y[i] = max(z[i], zero) + log1p(exp(-abs(z[i])))  # [ec-mlp-softplus]


@kernel(error_model="numpy")
def _softplus_backward(z, dy, dz):
    one = z.dtype.type(1)
    for i in range(z.size):
        small = exp(-abs(z[i]))
        dz[i] = dy[i] * (one if z[i] >= 0 else small) / (one + small)  # [ec-mlp-softplus-derivada]


softplus = Softplus()
