r"""Una rectificadora suave hecha con una raíz."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from dlbook import check


class Squareplus(ActivationFunction):
    r"""*Squareplus*: una *softplus* con raíz en lugar de exponencial y logaritmo.

    .. math::
       :label: ec-mlp-squareplus

       \begin{gathered}
       \varphi(z) = \frac{z+r}2 = \max(z, 0) + \frac{b}{2\,(r+|z|)},
       \\
       r = \sqrt{z^2+b},
       \qquad
       \varphi'(z) = \frac12\Bigl(1+\frac zr\Bigr) .
       \end{gathered}

    La segunda forma es la misma, porque :math:`(r-|z|)(r+|z|)=b`, y no resta dos números casi iguales. En el cero vale
    :math:`\sqrt b/2`. Se acerca a cero como :math:`b/4|z|`; la *softplus*, como :math:`e^{-|z|}`.

    >>> from chapters.mlp.activations import squareplus
    >>> squareplus([-1.5, 0.0, 1.5])                   # r = 2.5, 2 y 2.5
    array([0.5, 1. , 2. ])
    >>> squareplus.derivative([-1.5, 0.0, 1.5])
    array([0.2, 0.5, 0.8])

    Parameters
    ----------
    b : float
        Qué tan redonda es la esquina, mayor que cero.
    """

    name = "squareplus"

    def __init__(self, b=4):
        self.b = check.number(b, "b", 0, open_low=True)

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        root = np.hypot(z, z.dtype.type(np.sqrt(self.b)))
        y[...] = np.maximum(z, 0) + self.b / (2 * (root + np.abs(z)))  # [ec-mlp-squareplus]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        root = np.hypot(z, z.dtype.type(np.sqrt(self.b)))
        dz[...] = dy * (1 + z / root) / 2  # [ec-mlp-squareplus]


squareplus = Squareplus()
