r"""Cuentas elemento por elemento, entre dos arreglos o con uno, y sus derivadas."""

import numpy as np

from chapters.mlp.tape.operation import operation, pair, real
from chapters.mlp.tape.tensor import numbers_in, record


@operation(np.add)
def add(x1, x2):
    r"""Suma: :math:`\bar a=\bar b=\bar y`."""
    a, b = pair(x1, x2)
    return record(np.add(a, b), (x1, lambda dy: dy), (x2, lambda dy: dy))


@operation(np.subtract)
def subtract(x1, x2):
    r"""Resta: :math:`\bar a=\bar y` y :math:`\bar b=-\bar y`."""
    a, b = pair(x1, x2)
    return record(np.subtract(a, b), (x1, lambda dy: dy), (x2, lambda dy: -dy))


@operation(np.multiply)
def multiply(x1, x2):
    r"""Producto, elemento por elemento.

    **Derivación.** De :math:`y_i=a_ib_i`, cada número que sale depende solo del que está en su lugar. La jacobiana
    respecto a :math:`\mathbf a` es diagonal, con :math:`b_i` en la diagonal, y multiplicar por ella es multiplicar
    elemento por elemento:

    .. math::
       :label: ec-mlp-cinta-producto

       \bar a_i=\bar y_i\,b_i,
       \qquad
       \bar b_i=\bar y_i\,a_i .

    Si uno de los dos se repitió para igualar las formas, después se suma, como en :eq:`ec-mlp-repeticion`.

    >>> from chapters.mlp import GradientTape
    >>> a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([10.0, 100.0])
    >>> with GradientTape() as tape:
    ...     y = multiply(a, b)
    >>> tape.gradient(y, [a, b])
    [array([[ 10., 100.],
           [ 10., 100.]]), array([4., 6.])]
    """
    a, b = pair(x1, x2)
    return record(
        np.multiply(a, b),
        (x1, lambda dy: dy * b),  # [ec-mlp-cinta-producto]
        (x2, lambda dy: dy * a),  # [ec-mlp-cinta-producto]
    )


@operation(np.divide)
def divide(x1, x2):
    r"""Cociente: :math:`\bar a=\bar y/b` y :math:`\bar b=-\bar y\,y/b`."""
    a, b = pair(x1, x2)
    a, b = (a, b) if "f" in {getattr(p, "dtype", np.dtype(int)).kind for p in (a, b)} else (real(a), real(b))
    y = np.divide(a, b)
    return record(y, (x1, lambda dy: dy / b), (x2, lambda dy: -dy * y / b))


true_divide = divide


@operation(np.negative)
def negative(x):
    r"""Cambio de signo: :math:`\bar x=-\bar y`."""
    return record(np.negative(numbers_in(x)), (x, lambda dy: -dy))


@operation(np.power)
def power(x1, x2):
    r"""Potencia: :math:`\bar a=\bar y\,b\,a^{b-1}` y :math:`\bar b=\bar y\,y\ln a`, que es 0 si :math:`a\le0`."""
    a, b = pair(x1, x2)
    if np.asarray(a).dtype.kind in "iu" and np.any(np.asarray(b) < 0):
        a = real(a)
    y = np.power(a, b)
    return record(
        y,
        (x1, lambda dy: dy * np.where(np.equal(b, 0), 0, b * np.power(a, np.where(np.equal(b, 0), 1, b - 1)))),
        (x2, lambda dy: dy * y * np.log(np.where(np.greater(a, 0), a, 1))),
    )


@operation(np.square)
def square(x):
    r"""Cuadrado: :math:`\bar x=2x\,\bar y`."""
    x_ = numbers_in(x)
    return record(np.square(x_), (x, lambda dy: 2 * x_ * dy))


@operation(np.sqrt)
def sqrt(x):
    r"""Raíz cuadrada: :math:`\bar x=\bar y/(2y)`."""
    y = np.sqrt(real(x))
    return record(y, (x, lambda dy: dy / (2 * y)))


@operation()
def rsqrt(x):
    r"""Uno entre la raíz, :math:`x^{-1/2}`: :math:`\bar x=-\frac12\bar y\,y^3`."""
    y = 1 / np.sqrt(real(x))
    return record(y, (x, lambda dy: -0.5 * dy * y**3))


@operation(np.reciprocal)
def reciprocal(x):
    r"""Uno entre :math:`x`: :math:`\bar x=-\bar y\,y^2`."""
    y = 1 / real(x)
    return record(y, (x, lambda dy: -dy * y * y))


@operation(np.absolute)
def absolute(x):
    r"""Valor absoluto: :math:`\bar x=\bar y\operatorname{signo}(x)`, que en 0 es 0."""
    x_ = numbers_in(x)
    return record(np.absolute(x_), (x, lambda dy: dy * np.sign(x_)))


abs = absolute


@operation(np.sign)
def sign(x):
    r"""Signo, −1, 0 o 1: es plano, y :math:`\bar x=0`."""
    y = np.sign(numbers_in(x))
    return record(y, (x, np.zeros_like))


@operation(np.floor)
def floor(x):
    r"""El entero de abajo: es plano, y :math:`\bar x=0`."""
    return record(np.floor(real(x)), (x, np.zeros_like))


@operation(np.ceil)
def ceil(x):
    r"""El entero de arriba: es plano, y :math:`\bar x=0`."""
    return record(np.ceil(real(x)), (x, np.zeros_like))


@operation(np.round)
def round(x, decimals=0):
    r"""Redondeo: es plano, y :math:`\bar x=0`."""
    return record(np.round(numbers_in(x), decimals), (x, np.zeros_like))


@operation(np.remainder)
def mod(x1, x2):
    r"""Resto, :math:`a-b\lfloor a/b\rfloor`: :math:`\bar a=\bar y` y :math:`\bar b=-\bar y\lfloor a/b\rfloor`."""
    a, b = pair(x1, x2)
    return record(np.remainder(a, b), (x1, lambda dy: dy), (x2, lambda dy: -dy * np.floor_divide(a, b)))


@operation(np.floor_divide)
def floor_divide(x1, x2):
    r"""Cociente sin decimales: es plano, y los dos gradientes son 0."""
    a, b = pair(x1, x2)
    return record(np.floor_divide(a, b), (x1, np.zeros_like), (x2, np.zeros_like))


@operation(np.maximum)
def maximum(x1, x2):
    r"""El mayor de cada par: recibe :math:`\bar y` el que ganó; si empatan, el primero, como en Keras."""
    a, b = pair(x1, x2)
    first = np.greater_equal(a, b)
    return record(np.maximum(a, b), (x1, lambda dy: dy * first), (x2, lambda dy: dy * ~first))


@operation(np.minimum)
def minimum(x1, x2):
    r"""El menor de cada par: recibe :math:`\bar y` el que ganó; si empatan, el primero, como en Keras."""
    a, b = pair(x1, x2)
    first = np.less_equal(a, b)
    return record(np.minimum(a, b), (x1, lambda dy: dy * first), (x2, lambda dy: dy * ~first))


@operation(np.clip)
def clip(x, x_min, x_max):
    r"""Recorta entre dos topes: :math:`\bar x=\bar y` donde no recortó, y 0 donde sí."""
    x_, low, high = numbers_in(x), numbers_in(x_min, "x_min"), numbers_in(x_max, "x_max")
    y = np.clip(x_, low, high).astype(np.asarray(x_).dtype)
    return record(y, (x, lambda dy: dy * ((x_ >= low) & (x_ <= high))))


@operation(np.where)
def where(condition, x1=None, x2=None):
    r"""De :math:`a` donde se cumple y de :math:`b` donde no: a cada uno le toca :math:`\bar y` donde se le tomó."""
    chosen = np.asarray(numbers_in(condition, "condition")).astype(bool)
    if x1 is None and x2 is None:
        return np.where(chosen)
    a, b = pair(x1, x2)
    return record(np.where(chosen, a, b), (x1, lambda dy: dy * chosen), (x2, lambda dy: dy * ~chosen))
