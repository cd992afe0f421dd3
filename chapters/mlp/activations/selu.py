r"""La ELU que se normaliza sola."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.exponential import exp, expm1
from dlbook.numeric.kernel import kernel

ALPHA = 1.6732632423543772
SCALE = 1.0507009873554805


class SELU(ActivationFunction):
    r"""ELU escalada (*scaled ELU*, SELU): conserva sola la media y la varianza de la señal.

    Es la ELU, :eq:`ec-mlp-elu`, estirada por :math:`s`:

    .. math::
       :label: ec-mlp-selu

       \begin{gathered}
       \varphi(z) = s\operatorname{elu}_\alpha(z),
       \\
       \varphi'(z) = s\operatorname{elu}_\alpha'(z),
       \\
       \alpha\approx 1.6733, \qquad s\approx 1.0507 .
       \end{gathered}

    Los dos números no son un gusto. Son los que hacen que, si :math:`Z` es una normal estándar, :math:`\varphi(Z)`
    tenga otra vez media 0 y varianza 1. Con pesos de varianza :math:`1/n_{\text{ent}}` (``"lecun_normal"``), la señal
    sale de cada capa como entró, y si se desvía un poco, vuelve :cite:p:`klambauer2017`.

    **A mano.** Un millón de normales, antes y después:

    >>> import numpy as np
    >>> from chapters.mlp.activations import selu
    >>> y = selu(np.random.default_rng(0).normal(size=1_000_000))
    >>> bool(abs(y.mean()) < 0.003), bool(abs(y.var() - 1) < 0.005)
    (True, True)
    >>> selu([-1e4, 1.0]).round(4)                     # baja hasta -s α
    array([-1.7581,  1.0507])
    """

    name = "selu"

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        _selu(z.reshape(-1), y.reshape(-1))

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        _selu_backward(z.reshape(-1), dy.reshape(-1), dz.reshape(-1))


def plain_selu(z, dy):
    r"""Una ELU estirada, y su pendiente."""
    curve = ALPHA * np.exp(np.minimum(z, 0))
    y = SCALE * np.where(z > 0, z, curve - ALPHA)  # [ec-mlp-selu]
    return y, dy * SCALE * np.where(z > 0, 1, curve)  # [ec-mlp-selu]


@kernel
def _selu(z, y):
    real = z.dtype.type
    zero, scale, alpha = real(0), real(SCALE), real(SCALE * ALPHA)
    for i in range(z.size):
        curve = alpha * expm1(min(z[i], zero))
        y[i] = scale * z[i] if z[i] > 0 else curve  # [ec-mlp-selu]


# En el pico, la pendiente de la derecha, como en Keras.
@kernel
def _selu_backward(z, dy, dz):
    real = z.dtype.type
    zero, scale, alpha = real(0), real(SCALE), real(SCALE * ALPHA)
    for i in range(z.size):
        slope = alpha * exp(min(z[i], zero))
        dz[i] = dy[i] * (scale if z[i] >= 0 else slope)  # [ec-mlp-selu]


selu = SELU()
