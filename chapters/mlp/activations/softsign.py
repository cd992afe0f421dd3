r"""Una tangente hiperbólica que se satura despacio."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction


class Softsign(ActivationFunction):
    r"""*Softsign*: una tangente hiperbólica sin exponenciales, que se satura despacio.

    .. math::
       :label: ec-mlp-softsign

       \begin{gathered}
       \varphi(z) = \frac{z}{1+|z|},
       \\
       \varphi'(z) = \frac{1}{(1+|z|)^2} .
       \end{gathered}

    Por el cociente, si :math:`z>0`, :math:`\varphi'=\frac{(1+z)-z}{(1+z)^2}`; del otro lado es igual, porque la función
    es impar. La pendiente de la tangente cae como :math:`e^{-2|z|}`; esta, como :math:`1/z^2`: en :math:`z=5` deja
    pasar :math:`\tfrac1{36}` del error, y la tangente, menos de dos diezmilésimas.

    >>> from chapters.mlp.activations import softsign, tanh
    >>> softsign([-1.0, 0.0, 3.0])
    array([-0.5 ,  0.  ,  0.75])
    >>> softsign.derivative([1.0, 3.0])
    array([0.25  , 0.0625])
    >>> (
    ...     round(float(softsign.derivative(5.0)), 4),
    ...     round(float(tanh.derivative(5.0)), 4),
    ... )
    (0.0278, 0.0002)
    """

    name = "softsign"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        y[...] = z / (1 + np.abs(z))  # [ec-mlp-softsign]

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        dz[...] = dy / (1 + np.abs(z)) ** 2  # [ec-mlp-softsign]


softsign = Softsign()
