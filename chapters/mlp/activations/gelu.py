r"""La unidad lineal con compuerta gaussiana."""

import math

import numpy as np
from numba import types
from numba.extending import overload

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.exponential import FUSED, exp, expm1
from dlbook import check
from dlbook.numeric.kernel import kernel

SQRT_2_OVER_PI = math.sqrt(2 / math.pi)
CUBIC = 0.044715
# El cociente de Mills, como polinomio de t = 1/(1 + STRETCH a), desde a = 0 hasta donde float32 ya no distingue de 0.
STRETCH, FARTHEST, DEGREE = 0.35, 13.4, 8


def _mills_coefficients():
    def quotient(t):
        a = (1 / t - 1) / STRETCH
        return math.erfc(a / math.sqrt(2)) / 2 * math.exp(a * a / 2) / t

    domain = 1 / (1 + STRETCH * FARTHEST), 1
    fit = np.polynomial.Chebyshev.interpolate(np.vectorize(quotient), DEGREE, domain)
    # Los redondeos de una máquina y otra no cambian la cifra quince.
    return tuple(float(f"{c:.15g}") for c in fit.convert(kind=np.polynomial.Polynomial).coef[::-1])


MILLS = _mills_coefficients()


class GELU(ActivationFunction):
    r"""Unidad lineal con compuerta gaussiana (*Gaussian error linear unit*, GELU): la de muchos *transformers*.

    La ReLU multiplica :math:`z` por 1 si es positivo y por 0 si no. La GELU pone en lugar de ese interruptor una
    probabilidad: la de que una normal estándar :math:`X` (:doc:`/introduccion/probabilidad`) quede por debajo de
    :math:`z` :cite:p:`hendrycks2016`.

    .. math::
       :label: ec-mlp-gelu

       \begin{gathered}
       \varphi(z) = z\,\Phi(z),
       \\
       \Phi(z) = P(X\leq z) = \tfrac12\left(1+\operatorname{erf}\frac{z}{\sqrt2}\right) ,
       \end{gathered}

    con :math:`\operatorname{erf}`, la función error, que traen las bibliotecas de matemáticas.

    **Derivada.** La de :math:`\Phi` es la densidad normal, que llamaremos :math:`n`. Por la regla del producto,

    .. math::
       :label: ec-mlp-gelu-derivada

       \begin{aligned}
       \varphi'(z) &= \Phi(z) + z\,n(z),\\
       n(z) &= \frac{e^{-z^2/2}}{\sqrt{2\pi}} .
       \end{aligned}

    La pendiente no siempre es positiva: la función baja de 0 a −0.17, que alcanza en :math:`z=-0.75`, y desde ahí sube.

    **Sin** :math:`\operatorname{erf}`. Antes se usaba una aproximación que solo pide una tangente hiperbólica, y hay
    redes publicadas que se entrenaron con ella. Es ``approximate=True``; entre −5 y 5 difiere en menos de 0.0005:

    .. math::
       :label: ec-mlp-gelu-aproximada

       \begin{gathered}
       \varphi(z) \approx \frac z2\,(1+\tanh u),
       \\
       u = \sqrt{\tfrac2\pi}\,\bigl(z + 0.044715\,z^3\bigr) .
       \end{gathered}

    Su derivada, otra vez por la regla del producto y con :math:`\tanh'=1-\tanh^2`, es

    .. math::
       :label: ec-mlp-gelu-aproximada-derivada

       \begin{aligned}
       &\frac{1+\tanh u}2 + \frac z2\,(1-\tanh^2 u)\,u',\\
       &u'=\sqrt{\tfrac2\pi}\,\bigl(1+3\cdot 0.044715\,z^2\bigr) .
       \end{aligned}

    **En** ``float32`` tampoco hace falta. Lejos a la izquierda, :math:`\Phi` baja como :math:`e^{-a^2/2}`, con
    :math:`a=|z|`. Lo que queda al dividir entre eso, el **cociente de Mills**, baja despacio y sin sobresaltos, más o
    menos como :math:`1/a`; un polinomio de grado 8 en :math:`t` lo sigue hasta la séptima cifra:

    .. math::
       :label: ec-mlp-gelu-mills

       \begin{gathered}
       \Phi(-a)\approx e^{-a^2/2}\;t\,q(t),
       \\
       q(t)=c_0+c_1t+\dots+c_8t^8,
       \\
       t=\frac1{1+0.35\,a} ,
       \end{gathered}

    y si :math:`z` es positivo, :math:`\Phi(z)=1-\Phi(-z)`. Son sumas, productos y una división, que el procesador hace
    de varias en varias, y la exponencial sirve también para :eq:`ec-mlp-gelu-derivada`. Los :math:`c_k` son los del
    polinomio que coincide con el cociente en nueve puntos.

    **Dónde se satura.** A la izquierda. En :math:`z=-3` la pendiente es −0.012, y a la izquierda de −6 no llega a una
    millonésima. A la derecha se pega a la identidad.

    **A mano.** :math:`\Phi(1)=0.8413`: la probabilidad de quedar por debajo de una desviación estándar:

    >>> import numpy as np
    >>> from chapters.mlp.activations import GELU, gelu
    >>> gelu([-1.0, 0.0, 1.0]).round(4)
    array([-0.1587,  0.    ,  0.8413])
    >>> round(float(gelu.derivative(-3.0)), 3)
    -0.012
    >>> bool(abs(gelu.derivative(np.linspace(-40, -6, 999))).max() < 1e-6)
    True
    >>> z = np.linspace(-5, 5, 1001)
    >>> bool(abs(gelu(z) - GELU(approximate=True)(z)).max() < 0.0005)
    True
    >>> lowest = gelu(z).argmin()  # donde deja de bajar
    >>> float(z[lowest].round(2)), float(gelu(z)[lowest].round(2))
    (-0.75, -0.17)

    Parameters
    ----------
    approximate : bool
        Si se usa :eq:`ec-mlp-gelu-aproximada`.

    Raises
    ------
    ValueError
        Si ``approximate`` no es ``True`` o ``False``.
    """

    name = "gelu"

    def __init__(self, approximate=False):
        self.approximate = check.choice(approximate, "approximate", [True, False])

    def forward(self, z, y):
        r"""Escribe en ``y`` el valor en ``z``."""
        kernel = _gelu_tanh if self.approximate else _gelu
        kernel(z.reshape(-1), y.reshape(-1))

    def backward(self, z, y, dy, dz):
        r"""Escribe en ``dz`` el producto de ``dy`` por la pendiente."""
        kernel = _gelu_tanh_backward if self.approximate else _gelu_backward
        kernel(z.reshape(-1), dy.reshape(-1), dz.reshape(-1))


def plain_gelu(z, dy, approximate):
    r"""El número, por la probabilidad de quedar debajo de él."""
    if approximate:
        scale = np.sqrt(2 / np.pi)
        t = np.tanh(scale * (z + CUBIC * z**3))
        y = z / 2 * (1 + t)  # [ec-mlp-gelu-aproximada]
        inner = scale * (1 + 3 * CUBIC * z**2)
        # [ec-mlp-gelu-aproximada-derivada]
        slope = (1 + t) / 2 + z / 2 * (1 - t**2) * inner
    else:
        below = (1 + np.vectorize(math.erf)(z / np.sqrt(2))) / 2
        y = z * below  # [ec-mlp-gelu]
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        slope = below + z * density  # [ec-mlp-gelu-derivada]
    return y, dy * slope


def _normal(z):
    # La probabilidad de quedar por debajo de z, y la exponencial de la densidad.
    return 0.5 * math.erfc(-z * math.sqrt(0.5)), math.exp(-z * z / 2)


@overload(_normal, jit_options=FUSED)
def _normal_scalar(z):
    if z == types.float32:
        half, one, stretch = (np.float32(c) for c in (0.5, 1, STRETCH))
        first, *rest = (np.float32(c) for c in MILLS)
        rest = tuple(rest)

        def scalar(z):
            bell = exp(-half * z * z)
            t = one / (one + stretch * abs(z))
            mills = first
            for coefficient in rest:
                mills = mills * t + coefficient
            tail = bell * (mills * t)  # [ec-mlp-gelu-mills]
            return (one - tail if z > 0 else tail), bell

        return scalar

    # Con el complemento de la función error, a la izquierda no se restan dos números casi iguales.
    root = math.sqrt(0.5)
    return lambda z: (0.5 * math.erfc(-z * root), exp(-0.5 * z * z))


@kernel(error_model="numpy")
def _gelu(z, y):
    for i in range(z.size):
        below, _ = _normal(z[i])
        y[i] = z[i] * below  # [ec-mlp-gelu]


@kernel(error_model="numpy")
def _gelu_backward(z, dy, dz):
    density = z.dtype.type(1 / math.sqrt(2 * math.pi))
    for i in range(z.size):
        below, bell = _normal(z[i])
        dz[i] = dy[i] * (below + z[i] * (density * bell))  # [ec-mlp-gelu-derivada]


@kernel(error_model="numpy")
def _gelu_tanh(z, y):
    real = z.dtype.type
    half, one, two, scale, cubic = real(0.5), real(1), real(2), real(SQRT_2_OVER_PI), real(CUBIC)
    for i in range(z.size):
        u = scale * (z[i] + cubic * z[i] * z[i] * z[i])
        small = expm1(-two * abs(u))
        tanh = -small / (two + small)
        y[i] = half * z[i] * (one + (tanh if u >= 0 else -tanh))  # [ec-mlp-gelu-aproximada]


@kernel(error_model="numpy")
def _gelu_tanh_backward(z, dy, dz):
    real = z.dtype.type
    half, one, two, three = real(0.5), real(1), real(2), real(3)
    scale, cubic = real(SQRT_2_OVER_PI), real(CUBIC)
    for i in range(z.size):
        u = scale * (z[i] + cubic * z[i] * z[i] * z[i])
        small = expm1(-two * abs(u))
        tanh = -small / (two + small)
        tanh = tanh if u >= 0 else -tanh
        du = scale * (one + three * cubic * z[i] * z[i])
        dz[i] = dy[i] * half * (one + tanh + z[i] * (one - tanh * tanh) * du)  # [ec-mlp-gelu-aproximada-derivada]


gelu = GELU()
