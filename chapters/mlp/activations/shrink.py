r"""Activaciones que apagan lo pequeño y dejan pasar lo grande."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from dlbook import check


class HardShrink(ActivationFunction):
    r"""Contracción dura (*hard shrink*): lo pequeño es ruido y se borra; lo demás pasa intacto.

    .. math::
       :label: ec-mlp-contraccion-dura

       \varphi(z) = z\,[\,|z|>\lambda\,],
       \qquad
       \varphi'(z) = [\,|z|>\lambda\,] .

    El umbral es :math:`\lambda`, y el corchete vale 1 si se cumple lo que dice y 0 si no.

    >>> from chapters.mlp.activations import hard_shrink
    >>> hard_shrink([-1.0, 0.4, 2.0])
    array([-1.,  0.,  2.])
    >>> hard_shrink.derivative([-1.0, 0.4, 2.0])
    array([1., 0., 1.])

    Parameters
    ----------
    threshold : float
        Hasta qué tamaño se borra, :math:`\lambda`, cero o más.
    """

    name = "hard_shrink"

    def __init__(self, threshold=0.5):
        self.threshold = check.number(threshold, "threshold", 0)

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        y[...] = z * ~(np.abs(z) <= self.threshold)  # [ec-mlp-contraccion-dura]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` lo que pasa de ``dy``."""
        dz[...] = dy * ~(np.abs(z) <= self.threshold)  # [ec-mlp-contraccion-dura]


hard_shrink = HardShrink()


class SoftShrink(ActivationFunction):
    r"""Contracción suave (*soft shrink*): a todo se le quita lo mismo, y lo que no alcanza se vuelve cero.

    Es el paso con que la penalización L1 llevará los pesos a cero, :eq:`ed-mlp-umbral-suave`, usado como activación:

    .. math::
       :label: ec-mlp-contraccion-suave

       \varphi(z) = z - \min(\max(z, -\lambda),\ \lambda),
       \qquad
       \varphi'(z) = [\,|z|>\lambda\,] .

    >>> from chapters.mlp.activations import soft_shrink
    >>> soft_shrink([-1.0, 0.4, 2.0])
    array([-0.5,  0. ,  1.5])
    >>> soft_shrink.derivative([-1.0, 0.4, 2.0])
    array([1., 0., 1.])

    Parameters
    ----------
    threshold : float
        Cuánto se quita, :math:`\lambda`, cero o más.
    """

    name = "soft_shrink"

    def __init__(self, threshold=0.5):
        self.threshold = check.number(threshold, "threshold", 0)

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        y[...] = z - np.clip(z, -self.threshold, self.threshold)  # [ec-mlp-contraccion-suave]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` lo que pasa de ``dy``."""
        dz[...] = dy * ~(np.abs(z) <= self.threshold)  # [ec-mlp-contraccion-suave]


soft_shrink = SoftShrink()


class TanhShrink(ActivationFunction):
    r"""Contracción con tangente (*tanh shrink*): apaga lo pequeño sin picos.

    .. math::
       :label: ec-mlp-contraccion-tanh

       \varphi(z) = z - \tanh z,
       \qquad
       \varphi'(z) = \tanh^2 z .

    Cerca del cero es como :math:`z^3/3`. La derivada es :math:`1-(1-\tanh^2 z)`.

    >>> from chapters.mlp.activations import tanh_shrink
    >>> tanh_shrink([-2.0, 0.0, 2.0]).round(4)
    array([-1.036,  0.   ,  1.036])
    >>> tanh_shrink.derivative([0.0, 2.0]).round(4)
    array([0.    , 0.9293])
    """

    name = "tanh_shrink"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        y[...] = z - np.tanh(z)  # [ec-mlp-contraccion-tanh]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        dz[...] = dy * np.tanh(z) ** 2  # [ec-mlp-contraccion-tanh]


tanh_shrink = TanhShrink()
