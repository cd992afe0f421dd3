r"""Curvas cortas: se doblan entre −1 y 1, y fuera son rectas exactas."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction


class SparsePlus(ActivationFunction):
    r"""*Sparse plus*: una *softplus* que llega a cero de verdad.

    Un trozo de parábola une las dos rectas de la ReLU, y en :math:`\pm1` coinciden el valor y la pendiente:

    .. math::
       :label: ec-mlp-sparse-plus

       \begin{gathered}
       \varphi(z) = \begin{cases} 0 & \text{si } z\leq -1,\\ \tfrac14(z+1)^2 & \text{si } |z|<1,\\
       z & \text{si } z\geq 1, \end{cases}
       \\
       \varphi'(z) = \min\Bigl(\max\Bigl(\frac{z+1}2,\ 0\Bigr),\ 1\Bigr) .
       \end{gathered}

    La derivada es la :class:`SparseSigmoid`, como la de la *softplus* es la sigmoide.

    >>> from chapters.mlp.activations import sparse_plus
    >>> sparse_plus([-2.0, 0.0, 3.0])
    array([0.  , 0.25, 3.  ])
    >>> sparse_plus.derivative([-2.0, 0.0, 3.0])
    array([0. , 0.5, 1. ])
    """

    name = "sparse_plus"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        bent = (np.clip(z, -1, 1) + 1) ** 2 / 4
        y[...] = bent + np.maximum(z - 1, 0)  # [ec-mlp-sparse-plus]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        dz[...] = dy * np.clip((z + 1) / 2, 0, 1)  # [ec-mlp-sparse-plus]


sparse_plus = SparsePlus()


class SparseSigmoid(ActivationFunction):
    r"""*Sparse sigmoid*: una rampa de 0 a 1, entre −1 y 1.

    .. math::
       :label: ec-mlp-sparse-sigmoid

       \begin{gathered}
       \varphi(z) = \min\Bigl(\max\Bigl(\frac{z+1}2,\ 0\Bigr),\ 1\Bigr),
       \\
       \varphi'(z) = \begin{cases} \tfrac12 & \text{si } |z|<1,\\ 0 & \text{si no.} \end{cases}
       \end{gathered}

    >>> from chapters.mlp.activations import sparse_sigmoid
    >>> sparse_sigmoid([-2.0, 0.5, 3.0])
    array([0.  , 0.75, 1.  ])
    >>> sparse_sigmoid.derivative([-2.0, 0.5])
    array([0. , 0.5])
    """

    name = "sparse_sigmoid"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        y[...] = np.clip((z + 1) / 2, 0, 1)  # [ec-mlp-sparse-sigmoid]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` la mitad de ``dy`` en la rampa, y cero fuera."""
        dz[...] = dy * (np.abs(z) < 1) / 2  # [ec-mlp-sparse-sigmoid]


sparse_sigmoid = SparseSigmoid()
