r"""Activaciones hechas con regla: rectas en lugar de curvas."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction


class HardSigmoid(ActivationFunction):
    r"""Sigmoide dura (*hard sigmoid*): una rampa en el lugar de la curva.

    .. math::
       :label: ec-mlp-sigmoide-dura

       \begin{gathered}
       h(z) = \min\Bigl(\max\Bigl(\frac z6+\frac12,\ 0\Bigr),\ 1\Bigr),
       \\
       h'(z) = \begin{cases} \tfrac16 & \text{si } |z|<3,\\ 0 & \text{si no.} \end{cases}
       \end{gathered}

    Es barata, y fuera de la rampa no pasa nada del error: se satura del todo.

    >>> from chapters.mlp.activations import hard_sigmoid
    >>> hard_sigmoid([-4.0, 0.0, 1.5])
    array([0.  , 0.5 , 0.75])
    >>> hard_sigmoid.derivative([-4.0, 0.0]).round(4)
    array([0.    , 0.1667])
    """

    name = "hard_sigmoid"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        y[...] = np.clip(z / 6 + 0.5, 0, 1)  # [ec-mlp-sigmoide-dura]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` la sexta parte de ``dy`` en la rampa, y cero fuera."""
        dz[...] = dy * (np.abs(z) < 3) / 6  # [ec-mlp-sigmoide-dura]


hard_sigmoid = HardSigmoid()


class HardSiLU(ActivationFunction):
    r"""SiLU dura (*hard SiLU* o *hard swish*): :math:`z` por la sigmoide dura :cite:p:`howard2019`.

    .. math::
       :label: ec-mlp-silu-dura

       \begin{gathered}
       \varphi(z) = z\,h(z),
       \\
       \varphi'(z) = h(z) + z\,h'(z) .
       \end{gathered}

    >>> from chapters.mlp.activations import hard_silu
    >>> hard_silu([-4.0, -1.5, 3.0])                   # -1.5 · 0.25
    array([-0.   , -0.375,  3.   ])
    >>> hard_silu.derivative([-4.0, 0.0, 4.0])
    array([0. , 0.5, 1. ])
    """

    name = "hard_silu"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        y[...] = z * np.clip(z / 6 + 0.5, 0, 1)  # [ec-mlp-silu-dura]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        ramp = (np.abs(z) < 3) / z.dtype.type(6)
        dz[...] = dy * (np.clip(z / 6 + 0.5, 0, 1) + z * ramp)  # [ec-mlp-silu-dura]


hard_silu = HardSiLU()


class HardTanh(ActivationFunction):
    r"""Tangente dura (*hard tanh*): la identidad, recortada entre −1 y 1.

    .. math::
       :label: ec-mlp-tanh-dura

       \begin{gathered}
       \varphi(z) = \min(\max(z, -1),\ 1),
       \\
       \varphi'(z) = \begin{cases} 1 & \text{si } |z|\leq 1,\\ 0 & \text{si no.} \end{cases}
       \end{gathered}

    >>> from chapters.mlp.activations import hard_tanh
    >>> hard_tanh([-3.0, 0.5, 2.0])
    array([-1. ,  0.5,  1. ])
    >>> hard_tanh.derivative([-3.0, 0.5])
    array([0., 1.])
    """

    name = "hard_tanh"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        y[...] = np.clip(z, -1, 1)  # [ec-mlp-tanh-dura]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` lo que pasa de ``dy``."""
        dz[...] = dy * (np.abs(z) <= 1)  # [ec-mlp-tanh-dura]


hard_tanh = HardTanh()
