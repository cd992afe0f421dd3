r"""La unidad lineal con compuerta sigmoide, y la mish."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.exponential import exp
from dlbook.numeric.kernel import kernel


class SiLU(ActivationFunction):
    r"""Unidad lineal con compuerta sigmoide (*sigmoid linear unit*, SiLU o *swish*).

    La GELU con la sigmoide en el lugar de :math:`\Phi`: cada número pasa en la medida en que es positivo
    :cite:p:`elfwing2018,ramachandran2017`.

    .. math::
       :label: ec-mlp-silu

       \varphi(z) = z\,\sigma(z) .

    **Derivada.** Por la regla del producto, con :math:`\sigma'=\sigma(1-\sigma)`:

    .. math::
       :label: ec-mlp-silu-derivada

       \varphi'(z) = \sigma(z)\,\bigl(1 + z\,(1-\sigma(z))\bigr) .

    Baja hasta −0.28, en :math:`z=-1.28`, y vuelve a cero por la izquierda, donde se satura.

    **A mano.** :math:`\sigma(\ln 3)=\tfrac34`, y en el cero la pendiente es la mitad:

    >>> import math
    >>> from chapters.mlp.activations import silu
    >>> bool(math.isclose(silu(math.log(3)), 0.75 * math.log(3)))
    True
    >>> float(silu.derivative(0.0))
    0.5
    >>> silu([-20.0, -1.28, 20.0]).round(2)
    array([-0.  , -0.28, 20.  ])
    """

    name = "silu"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        _silu(z.reshape(-1), y.reshape(-1))

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        _silu_backward(z.reshape(-1), dy.reshape(-1), dz.reshape(-1))


def plain_si_lu(z, dy):
    r"""El número por su sigmoide."""
    s = 1 / (1 + np.exp(-z))
    y = z * s  # [ec-mlp-silu]
    return y, dy * s * (1 + z * (1 - s))  # [ec-mlp-silu-derivada]


@kernel(error_model="numpy")
def _silu(z, y):
    one = z.dtype.type(1)
    for i in range(z.size):
        small = exp(-abs(z[i]))
        y[i] = z[i] * (one if z[i] >= 0 else small) / (one + small)  # [ec-mlp-silu]


@kernel(error_model="numpy")
def _silu_backward(z, dy, dz):
    one = z.dtype.type(1)
    for i in range(z.size):
        small = exp(-abs(z[i]))
        s = (one if z[i] >= 0 else small) / (one + small)
        rest = (small if z[i] >= 0 else one) / (one + small)
        dz[i] = dy[i] * s * (one + z[i] * rest)  # [ec-mlp-silu-derivada]


silu = SiLU()


class Mish(ActivationFunction):
    r"""*Mish*: la compuerta es la tangente hiperbólica de la *softplus* :cite:p:`misra2019`.

    .. math::
       :label: ed-mlp-mish

       \begin{gathered}
       \varphi(z) = z\,t,
       \qquad
       t = \tanh\zeta(z),
       \\
       \zeta(z) = \ln(1+e^{z}) .
       \end{gathered}

    **Sin logaritmos.** :math:`e^{\zeta}=1+e^z`. Con :math:`u=(1+e^z)^2` la tangente es :math:`\frac{u-1}{u+1}`, y si se
    desarrolla, con :math:`n=e^{z}(e^{z}+2)`:

    .. math::
       :label: ec-mlp-mish

       t = \frac{n}{n+2} .

    Si :math:`z>0`, arriba y abajo se multiplican por :math:`e^{-2z}`, y ningún exponente es positivo.

    **Derivada.** Por la regla del producto y la de la cadena, con :math:`\zeta'=\sigma`:

    .. math::
       :label: ec-mlp-mish-derivada

       \varphi'(z) = t + z\,(1-t^2)\,\sigma(z) .

    **A mano.** En :math:`z=0`, :math:`n=3` y :math:`t=\tfrac35`, que es también la pendiente:

    >>> from chapters.mlp.activations import mish
    >>> round(float(mish.derivative(0.0)), 10)
    0.6
    >>> mish([-20.0, 1.0, 20.0]).round(4)
    array([-0.    ,  0.8651, 20.    ])
    """

    name = "mish"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        _mish(z.reshape(-1), y.reshape(-1))

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        _mish_backward(z.reshape(-1), dy.reshape(-1), dz.reshape(-1))


def plain_mish(z, dy):
    r"""El número por la tangente de su *softplus*."""
    n = np.exp(z) * (np.exp(z) + 2)
    t = n / (n + 2)  # [ec-mlp-mish]
    slope = t + z * (1 - t**2) / (1 + np.exp(-z))  # [ec-mlp-mish-derivada]
    return z * t, dy * slope


@kernel(error_model="numpy")
def _mish(z, y):
    one, two = z.dtype.type(1), z.dtype.type(2)
    for i in range(z.size):
        small = exp(-abs(z[i]))
        n = one + two * small if z[i] >= 0 else small * (small + two)
        rest = two * (small * small if z[i] >= 0 else one)
        y[i] = z[i] * (n / (n + rest))  # [ec-mlp-mish]


@kernel(error_model="numpy")
def _mish_backward(z, dy, dz):
    one, two = z.dtype.type(1), z.dtype.type(2)
    for i in range(z.size):
        small = exp(-abs(z[i]))
        n = one + two * small if z[i] >= 0 else small * (small + two)
        rest = two * (small * small if z[i] >= 0 else one)
        t = n / (n + rest)
        # 1 - t² = (1 - t)(1 + t), y 1 - t sale sin restar.
        bend = (rest / (n + rest)) * (one + t)
        s = (one if z[i] >= 0 else small) / (one + small)
        dz[i] = dy[i] * (t + z[i] * bend * s)  # [ec-mlp-mish-derivada]


mish = Mish()
