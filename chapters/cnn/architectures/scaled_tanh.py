r"""La tangente hiperbólica de LeNet-5."""

import numpy as np

from chapters.mlp.activations import ActivationFunction
from chapters.mlp.activations.exponential import expm1
from dlbook import check
from dlbook.numeric.kernel import kernel


class ScaledTanh(ActivationFunction):
    r"""Tangente hiperbólica a escala: la que pasa por :math:`(1, 1)` y por :math:`(-1,-1)`.

    .. math::
       :label: ec-cnn-tanh-escala

       \varphi(z) = A\tanh(Sz),

    con :math:`A=1.7159` y :math:`S=\tfrac23`. ¿De dónde salen esos números? De pedirle tres cosas :cite:p:`lecun1998`.
    Que :math:`\varphi(\pm1)=\pm1`, para que los valores deseados, :math:`\pm1`, no queden en el extremo, donde está
    saturada, sino en plena curva. Que su ganancia ronde 1, de modo que una señal de tamaño 1 siga de tamaño 1 capa tras
    capa. Y que la curva doble más cerca de :math:`\pm1`: ahí se pasa de distinguir a estar seguro. La segunda derivada
    es mayor, en valor absoluto, donde :math:`\tanh^2(Sz)=\frac13`, en :math:`z\approx\pm0.99`.

    **Derivada.** Por la regla de la cadena y :eq:`ec-mlp-tanh-derivada`, y como :math:`\tanh(Sz)=y/A`,

    .. math::
       :label: ec-cnn-tanh-escala-derivada

       \begin{aligned}
       \varphi'(z) &= AS\,\bigl(1-\tanh^2(Sz)\bigr)
       \\
       &= S\left(A-\frac{y^2}{A}\right) .
       \end{aligned}

    **A mano.** En el cero la pendiente es :math:`AS\approx1.144`; en el 1, donde la curva vale 1, aún es 0.755:

    >>> squash = ScaledTanh()
    >>> squash([-1.0, 0.0, 1.0]).round(4)
    array([-1.,  0.,  1.])
    >>> squash.derivative([0.0, 1.0]).round(4)
    array([1.1439, 0.7554])
    >>> z = np.linspace(0, 3, 301)
    >>> bend = np.gradient(squash.derivative(z), z)
    >>> float(z[np.abs(bend).argmax()].round(2))
    0.99

    Parameters
    ----------
    scale : float
        La altura :math:`A`.
    slope : float
        Cuánto se estira la entrada, :math:`S`.
    """

    def __init__(self, scale=1.7159, slope=2 / 3):
        self.scale = check.number(scale, "scale", 0, open_low=True)
        self.slope = check.number(slope, "slope", 0, open_low=True)

    def forward(self, z, y):
        r"""Escribe en ``y`` la curva en ``z``."""
        kind = z.dtype.type
        _scaled_tanh(z.reshape(-1), kind(self.scale), kind(self.slope), y.reshape(-1))

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente, que sale de ``y``."""
        kind = z.dtype.type
        _scaled_tanh_backward(y.reshape(-1), dy.reshape(-1), kind(self.scale), kind(self.slope), dz.reshape(-1))


def plain_scaled_tanh(z, dy, scale, slope):
    r"""La curva y, hacia atrás, su pendiente."""
    y = scale * np.tanh(slope * z)  # [ec-cnn-tanh-escala]
    dz = dy * slope * (scale - y**2 / scale)  # [ec-cnn-tanh-escala-derivada]
    return y, dz


@kernel(error_model="numpy")
def _scaled_tanh(z, scale, slope, y):
    two = z.dtype.type(2)
    for i in range(z.size):
        small = expm1(-two * slope * abs(z[i]))
        t = -scale * small / (two + small)  # [ec-cnn-tanh-escala]
        y[i] = t if z[i] > 0 else -t


@kernel(error_model="numpy")
def _scaled_tanh_backward(y, dy, scale, slope, dz):
    for i in range(y.size):
        dz[i] = dy[i] * slope * (scale - y[i] * y[i] / scale)  # [ec-cnn-tanh-escala-derivada]
