r"""Exponenciales, logaritmos y trigonométricas, y sus derivadas."""

import math

import numpy as np
import scipy

from chapters.mlp.tape.operation import operation, real
from chapters.mlp.tape.tensor import record


@operation(np.exp)
def exp(x):
    r"""Exponencial: :math:`\bar x=\bar y\,y`."""
    y = np.exp(real(x))
    return record(y, (x, lambda dy: dy * y))


@operation(np.expm1)
def expm1(x):
    r""":math:`e^x-1`, sin perder cifras cerca de 0: :math:`\bar x=\bar y\,(y+1)`."""
    y = np.expm1(real(x))
    return record(y, (x, lambda dy: dy * (y + 1)))


@operation(np.log)
def log(x):
    r"""Logaritmo natural: :math:`\bar x=\bar y/x`."""
    x_ = real(x)
    return record(np.log(x_), (x, lambda dy: dy / x_))


@operation(np.log1p)
def log1p(x):
    r""":math:`\ln(1+x)`, sin perder cifras cerca de 0: :math:`\bar x=\bar y/(1+x)`."""
    x_ = real(x)
    return record(np.log1p(x_), (x, lambda dy: dy / (1 + x_)))


@operation(np.log2)
def log2(x):
    r"""Logaritmo en base 2: :math:`\bar x=\bar y/(x\ln2)`."""
    x_ = real(x)
    return record(np.log2(x_), (x, lambda dy: dy / (x_ * math.log(2))))


@operation(np.log10)
def log10(x):
    r"""Logaritmo en base 10: :math:`\bar x=\bar y/(x\ln10)`."""
    x_ = real(x)
    return record(np.log10(x_), (x, lambda dy: dy / (x_ * math.log(10))))


@operation(np.sin)
def sin(x):
    r"""Seno: :math:`\bar x=\bar y\cos x`."""
    x_ = real(x)
    return record(np.sin(x_), (x, lambda dy: dy * np.cos(x_)))


@operation(np.cos)
def cos(x):
    r"""Coseno: :math:`\bar x=-\bar y\operatorname{sen}x`."""
    x_ = real(x)
    return record(np.cos(x_), (x, lambda dy: -dy * np.sin(x_)))


@operation(np.tan)
def tan(x):
    r"""Tangente: :math:`\bar x=\bar y\,(1+y^2)`."""
    y = np.tan(real(x))
    return record(y, (x, lambda dy: dy * (1 + y * y)))


@operation(np.arctan)
def arctan(x):
    r"""Arco tangente: :math:`\bar x=\bar y/(1+x^2)`."""
    x_ = real(x)
    return record(np.arctan(x_), (x, lambda dy: dy / (1 + x_ * x_)))


@operation(np.sinh)
def sinh(x):
    r"""Seno hiperbólico: :math:`\bar x=\bar y\cosh x`."""
    x_ = real(x)
    return record(np.sinh(x_), (x, lambda dy: dy * np.cosh(x_)))


@operation(np.cosh)
def cosh(x):
    r"""Coseno hiperbólico: :math:`\bar x=\bar y\operatorname{senh}x`."""
    x_ = real(x)
    return record(np.cosh(x_), (x, lambda dy: dy * np.sinh(x_)))


@operation(np.tanh)
def tanh(x):
    r"""Tangente hiperbólica: :math:`\bar x=\bar y\,(1-y^2)`."""
    y = np.tanh(real(x))
    return record(y, (x, lambda dy: dy * (1 - y * y)))


@operation()
def erf(x):
    r"""Función error: :math:`\bar x=\bar y\,\frac2{\sqrt\pi}e^{-x^2}`."""
    x_ = real(x)
    return record(scipy.special.erf(x_), (x, lambda dy: dy * (2 / math.sqrt(math.pi)) * np.exp(-x_ * x_)))
