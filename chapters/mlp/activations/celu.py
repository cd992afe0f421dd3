r"""La ELU sin pico, valga lo que valga su parámetro."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from dlbook import check


class CELU(ActivationFunction):
    r"""ELU de derivada continua (*continuously differentiable ELU*, CELU).

    La ELU solo junta sus dos ramas sin pico si :math:`\alpha=1`. Aquí el exponente también se estira, y la pendiente
    en el cero es 1 con cualquier :math:`\alpha` :cite:p:`barron2017`:

    .. math::
       :label: ec-mlp-celu

       \begin{gathered}
       \varphi(z) = \max(z, 0) + \alpha\,\bigl(e^{\min(z, 0)/\alpha}-1\bigr),
       \\
       \varphi'(z) = e^{\min(z, 0)/\alpha} .
       \end{gathered}

    **A mano.** Con :math:`\alpha=2`, :math:`\varphi(-2)=2\,(e^{-1}-1)=-1.2642` y :math:`\varphi'(-2)=e^{-1}`:

    >>> from chapters.mlp.activations import CELU
    >>> CELU(2)([-2.0, 0.0, 3.0]).round(4)
    array([-1.2642,  0.    ,  3.    ])
    >>> CELU(2).derivative([-2.0, 0.0, 3.0]).round(4)
    array([0.3679, 1.    , 1.    ])

    Parameters
    ----------
    alpha : float
        Hasta dónde baja, mayor que cero.

    Raises
    ------
    TypeError, ValueError
        Si ``alpha`` no es un número real y positivo.
    """

    name = "celu"

    def __init__(self, alpha=1.0):
        self.alpha = check.number(alpha, "alpha", 0, open_low=True)

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        curve = self.alpha * np.expm1(np.minimum(z, 0) / self.alpha)
        y[...] = np.maximum(z, 0) + curve  # [ec-mlp-celu]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        dz[...] = dy * np.exp(np.minimum(z, 0) / self.alpha)  # [ec-mlp-celu]


celu = CELU()
