r"""La unidad lineal exponencial."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.exponential import exp, expm1
from dlbook import check
from dlbook.numeric.kernel import kernel


class ELU(ActivationFunction):
    r"""Unidad lineal exponencial (*exponential linear unit*, ELU): una ReLU que por la izquierda se curva.

    .. math::
       :label: ec-mlp-elu

       \varphi(z) = \begin{cases} z & \text{si } z > 0,\\ \alpha\,(e^{z}-1) & \text{si } z\leq 0. \end{cases}

    La ReLU no da negativos, y la media de sus salidas queda por encima del cero. La ELU baja hasta :math:`-\alpha` y
    acerca la media al cero, sin perder la pendiente 1 de la derecha :cite:p:`clevert2016`. Con un millón de números
    de una normal, la deja en menos de la mitad: :item:`MLP-11`

    >>> import numpy as np
    >>> from chapters.mlp.activations import elu, relu
    >>> z = np.random.default_rng(0).standard_normal(1_000_000)
    >>> round(float(relu(z).mean()), 2), round(float(elu(z).mean()), 2)
    (0.4, 0.16)

    **Continuidad.** En el cero las dos ramas valen lo mismo, porque :math:`e^0-1=0`.

    **Derivada.** La de la izquierda se puede escribir con la salida: :math:`\alpha e^{z}=\varphi(z)+\alpha`.

    .. math::
       :label: ec-mlp-elu-derivada

       \varphi'(z) = \begin{cases} 1 & \text{si } z > 0,\\ \alpha e^{z} & \text{si } z\leq 0. \end{cases}

    En el cero, las pendientes son 1 y :math:`\alpha`. Con :math:`\alpha=1` se juntan sin pico; con otro valor, sí lo
    hay.

    **Dónde se satura.** A la izquierda, poco a poco: en :math:`z=-5` la pendiente es :math:`0.0067\,\alpha`. A
    diferencia de la ReLU, no llega a cero de golpe, y una neurona que apenas se apagó puede regresar.

    **A mano.** El valor y la pendiente a los dos lados del cero se encuentran:

    >>> from chapters.mlp.activations import ELU, elu
    >>> elu([-0.01, 0.0, 0.01]).round(4)
    array([-0.01,  0.  ,  0.01])
    >>> elu.derivative([-0.01, 0.0, 0.01]).round(4)
    array([0.99, 1.  , 1.  ])
    >>> ELU(alpha=0.5)([-1e4, -1.0, 2.0]).round(4)  # 0.5 (e⁻¹ - 1) = -0.3161
    array([-0.5   , -0.3161,  2.    ])

    Parameters
    ----------
    alpha : float
        Hasta dónde baja, cero o más.

    Raises
    ------
    TypeError, ValueError
        Si ``alpha`` no es un número real, es negativo o no es finito.
    """

    name = "elu"

    def __init__(self, alpha=1.0):
        self.alpha = check.number(alpha, "alpha", 0)

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        _elu(z.reshape(-1), y.reshape(-1), self.alpha)

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        _elu_backward(z.reshape(-1), dy.reshape(-1), dz.reshape(-1), self.alpha)


def plain_elu(z, dy, alpha):
    r"""A la derecha, la identidad; a la izquierda, la exponencial."""
    curve = alpha * np.exp(np.minimum(z, 0))
    y = np.where(z > 0, z, curve - alpha)  # [ec-mlp-elu]
    return y, np.where(z > 0, dy, dy * curve)  # [ec-mlp-elu-derivada]


@kernel
def _elu(z, y, alpha):
    zero, alpha = z.dtype.type(0), z.dtype.type(alpha)
    for i in range(z.size):
        curve = alpha * expm1(min(z[i], zero))
        y[i] = z[i] if z[i] > 0 else curve  # [ec-mlp-elu]


@kernel
def _elu_backward(z, dy, dz, alpha):
    zero, alpha = z.dtype.type(0), z.dtype.type(alpha)
    for i in range(z.size):
        slope = alpha * exp(min(z[i], zero))
        dz[i] = dy[i] if z[i] > 0 else dy[i] * slope  # [ec-mlp-elu-derivada]


elu = ELU()
