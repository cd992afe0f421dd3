r"""La exponencial como activación."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction


class Exponential(ActivationFunction):
    r"""Exponencial (*exponential*): cualquier número se vuelve positivo, y sumar se vuelve multiplicar.

    .. math::
       :label: ec-mlp-exponencial

       \varphi(z) = e^{z},
       \qquad
       \varphi'(z) = e^{z} = \varphi(z) .

    Va en la salida de una red que predice cantidades positivas, como cuántas llamadas entran en una hora. Crece
    sin freno: desde :math:`z=89` ya no cabe en ``float32`` y da infinito.

    >>> import math
    >>> from chapters.mlp.activations import exponential
    >>> exponential([0.0, math.log(2)]).round(12)
    array([1., 2.])
    >>> round(float(exponential.derivative(math.log(2))), 12)
    2.0
    """

    name = "exponential"

    def forward(self, z, y):
        r"""Escribe en ``y`` la exponencial de ``z``."""
        with np.errstate(over="ignore"):
            np.exp(z, out=y)  # [ec-mlp-exponencial]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la salida."""
        np.multiply(dy, y, out=dz)  # [ec-mlp-exponencial]


exponential = Exponential()
