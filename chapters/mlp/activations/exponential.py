r"""La exponencial y el logaritmo que usan los núcleos, escritos para que el procesador haga varios a la vez."""

import math

import numpy as np
from numba import types
from numba.extending import overload

from dlbook.numeric.kernel import kernel

# Permite que un producto y la suma que le sigue sean una sola instrucción, con un solo redondeo.
FUSED = {"fastmath": {"contract"}}


def exp(x):
    r"""Exponencial de un número que no es positivo, dentro del código compilado.

    Casi toda activación y casi toda pérdida de este capítulo llaman a :math:`e^x`, miles de veces por paso. La función
    de la biblioteca del sistema las atiende de una en una. Un procesador de hoy puede hacer de cuatro a dieciséis
    sumas o productos de una vez, siempre que el cálculo no tenga decisiones. Escribamos la exponencial solo con sumas
    y productos.

    **Derivación.** Toda potencia de :math:`e` es una potencia de dos por un resto pequeño:

    .. math::
       :label: ec-mlp-exp-reduccion

       \begin{gathered}
       x = n\ln 2 + r,\\
       n = \left\lfloor\frac{x}{\ln 2}+\frac12\right\rfloor,
       \qquad
       |r|\leq\frac{\ln 2}{2}\approx 0.35 .
       \end{gathered}

    Multiplicar por :math:`2^n` es escribir :math:`n` en los bits del exponente, sin calcular nada. Y como :math:`r` es
    pequeño, bastan unos cuantos términos de Taylor:

    .. math::
       :label: ec-mlp-exp

       \begin{gathered}
       e^x = 2^n e^r,\\
       e^r - 1 \approx r + \frac{r^2}{2!} + \frac{r^3}{3!} + \dots + \frac{r^m}{m!} = q .
       \end{gathered}

    El primer término que se omite mide a lo sumo :math:`0.35^{m+1}/(m+1)!`. Con :math:`m=7` es
    :math:`5\cdot10^{-9}`, diez veces menos que el redondeo de ``float32``; con :math:`m=13` es
    :math:`4\cdot10^{-18}`, y alcanza para ``float64``.

    **Los decimales de** :math:`\ln 2`. El producto :math:`n\ln 2` puede valer cientos, y sus últimos decimales se
    pierden justo antes de restarlo de :math:`x`. Por eso :math:`\ln 2` se parte en dos sumandos: uno con muchos ceros
    al final, cuyo producto con :math:`n` es exacto, y lo que le falta.

    **A mano.** Con :math:`x=-1`, :math:`n=\lfloor-1.44+0.5\rfloor=-1` y :math:`r=-1+\ln 2=-0.3069`:

    >>> r = -1 + math.log(2)
    >>> q = sum(r**k / math.factorial(k) for k in range(1, 8))
    >>> round(2**-1 * (1 + q), 7), round(math.exp(-1), 7)
    (0.3678794, 0.3678794)

    El núcleo que la llame se compila con ``error_model="numpy"``: una división que vigila el cero es una decisión.

    Parameters
    ----------
    x : float
        Cero o negativo. Por debajo de −88 en ``float32``, o de −709 en ``float64``, el resultado es 0.

    Returns
    -------
    float
        Del tipo de ``x``. En Python corriente es ``math.exp``.
    """
    return math.exp(x)


def plain_exp(x):
    r"""Una potencia de dos por la serie de lo que queda."""
    n = np.floor(x / np.log(2) + 0.5)  # [ec-mlp-exp-reduccion]
    r = x - n * np.log(2)
    q = sum(r**k / math.factorial(k) for k in range(1, 14))
    return 2.0**n * (1 + q)  # [ec-mlp-exp]


def _reduce(x):
    raise NotImplementedError  # solo existe compilada


@overload(exp, jit_options=FUSED)
def _exp(x):
    def scalar(x):
        q, power = _reduce(x)
        return power + power * q  # [ec-mlp-exp]

    return scalar


@overload(_reduce, jit_options=FUSED)
def _reduce_scalar(x):
    if x == types.float32:
        real, integer, shift, bias, lowest, terms = np.float32, np.int32, 23, 127, -88.0, 7
        ln2 = 0.693359375
        ln2_rest = -2.121944400546905827679e-4
    else:
        real, integer, shift, bias, lowest, terms = np.float64, np.int64, 52, 1023, -709.0, 13
        ln2 = 6.93147180369123816490e-01
        ln2_rest = 1.90821492927058770002e-10
    # Constantes del tipo de x: una sola de float64 haría subir todo el cálculo.
    lowest, ln2, ln2_rest, per_ln2, half = (real(c) for c in (lowest, ln2, ln2_rest, 1 / math.log(2), 0.5))
    shift, bias = integer(shift), integer(bias)
    first, *rest = (real(1 / math.factorial(k)) for k in range(terms, 0, -1))
    rest = tuple(rest)

    def scalar(x):
        x = lowest if x < lowest else x
        n = np.floor(x * per_ln2 + half)  # [ec-mlp-exp-reduccion]
        r = (x - n * ln2) - n * ln2_rest
        q = first
        for coefficient in rest:
            q = q * r + coefficient
        # 2ⁿ, con n escrito en los bits del exponente.
        return q * r, integer((integer(n) + bias) << shift).view(real)

    return scalar


def expm1(x):
    r"""El valor :math:`e^x-1` de un número que no es positivo, sin perder decimales cerca del cero.

    Si :math:`x=-10^{-9}`, :math:`e^x` empieza con nueve nueves. En ``float32`` se redondea a 1, y al restarle 1 no
    queda nada. En :eq:`ec-mlp-exp` tenemos :math:`q=e^r-1` sin haber sumado nunca el 1, así que conviene restar al
    final:

    .. math::
       :label: ec-mlp-expm1

       e^x - 1 = 2^n(1+q) - 1 = 2^n q + (2^n - 1) .

    Cerca del cero :math:`n=0`, el paréntesis se anula y queda :math:`q`, con todos sus decimales.

    **A mano.** Restar después cuesta la mitad de los decimales:

    >>> x = -1e-9
    >>> math.exp(x) - 1
    -9.999999717180685e-10
    >>> expm1(x)
    -9.999999995e-10

    Parameters
    ----------
    x : float
        Cero o negativo.

    Returns
    -------
    float
        Entre −1 y 0, del tipo de ``x``. En Python corriente es ``math.expm1``.
    """
    return math.expm1(x)


@overload(expm1, jit_options=FUSED)
def _expm1(x):
    one = np.float32(1) if x == types.float32 else np.float64(1)

    def scalar(x):
        q, power = _reduce(x)
        return power * q + (power - one)  # [ec-mlp-expm1]

    return scalar


def log(x):
    r"""Logaritmo natural de un número positivo, dentro del código compilado.

    Es :func:`exp` al revés: se separa una potencia de dos, y del resto se encarga una serie.

    **Derivación.** Los bits de :math:`x` ya lo traen escrito como :math:`2^n m`. Escojamos :math:`m` entre
    :math:`\sqrt{1/2}` y :math:`\sqrt2`, alrededor de 1, donde el logaritmo es pequeño. La serie de
    :math:`\ln(1+s)=s-\frac{s^2}2+\frac{s^3}3-\dots` converge despacio. Al restarle la de :math:`\ln(1-s)`, que es igual
    pero con todos los signos negativos, las potencias pares se cancelan:

    .. math::
       :label: ec-mlp-artanh

       \ln\frac{1+s}{1-s} = 2\left(s+\frac{s^3}{3}+\frac{s^5}{5}+\dots\right) .

    Queremos que ese cociente sea :math:`m`. Al despejar, :math:`s=(m-1)/(m+1)`, que a lo sumo mide 0.172:

    .. math::
       :label: ec-mlp-log

       \ln x = n\ln 2 + \ln\frac{1+s}{1-s},
       \qquad
       s = \frac{m-1}{m+1} .

    Cada término es menos de :math:`0.172^2\approx 1/34` del anterior: con seis basta para ``float32`` y con once para
    ``float64``.

    **A mano.** :math:`5=2^2\cdot1.25` y :math:`s=0.25/2.25=1/9`:

    >>> s = 1 / 9
    >>> (
    ...     round(2 * math.log(2) + 2 * (s + s**3 / 3 + s**5 / 5), 6),
    ...     round(math.log(5), 6),
    ... )
    (1.609438, 1.609438)

    Parameters
    ----------
    x : float
        Positivo y normal: mayor que 1.2e-38 en ``float32``.

    Returns
    -------
    float
        Del tipo de ``x``. En Python corriente es ``math.log``.
    """
    return math.log(x)


def plain_log(x):
    r"""Una potencia de dos y la serie de lo que queda."""
    m, n = np.frexp(x)
    if m < np.sqrt(0.5):
        m, n = 2 * m, n - 1
    s = (m - 1) / (m + 1)
    # [ec-mlp-artanh]
    series = 2 * sum(s**k / k for k in range(1, 23, 2))
    return n * np.log(2) + series  # [ec-mlp-log]


def _artanh(s):
    raise NotImplementedError  # solo existe compilada


@overload(log, jit_options=FUSED)
def _log(x):
    if x == types.float32:
        real, integer, shift = np.float32, np.int32, np.int32(23)
    else:
        real, integer, shift = np.float64, np.int64, np.int64(52)
    one, ln2 = real(1), real(math.log(2))
    # Los bits de √½ y los de 1, y la máscara que quita el exponente.
    root, unit, mask = real(math.sqrt(0.5)).view(integer), one.view(integer), integer((1 << shift) - 1)
    bias = unit >> shift

    def scalar(x):
        bits = real(x).view(integer) + (unit - root)
        n = (bits >> shift) - bias
        m = integer((bits & mask) + root).view(real)
        # x - x es 0, y NaN si x lo es: los bits de un NaN no deben pasar por un número.
        return real(n) * ln2 + _artanh((m - one) / (m + one)) + (x - x)  # [ec-mlp-log]

    return scalar


@overload(_artanh, jit_options=FUSED)
def _artanh_scalar(s):
    real, terms = (np.float32, 5) if s == types.float32 else (np.float64, 10)
    first, *rest = (real(2 / (2 * k + 1)) for k in range(terms, -1, -1))
    rest = tuple(rest)

    def scalar(s):
        squared = s * s
        series = first
        for coefficient in rest:
            series = series * squared + coefficient
        return series * s  # [ec-mlp-artanh]

    return scalar


def log1p(x):
    r"""El logaritmo :math:`\ln(1+x)` de un número entre 0 y 1, sin perder decimales cerca del cero.

    Las pérdidas suman :math:`\ln(1+e^{-|z|})`. Cuando :math:`e^{-|z|}` es diminuto, :math:`1+e^{-|z|}` se redondea a 1
    y el logaritmo daría cero. La serie :eq:`ec-mlp-artanh` no necesita esa suma, porque el cociente vale :math:`1+x` si

    .. math::
       :label: ec-mlp-log1p

       s = \frac{x}{2+x} .

    Para :math:`x\leq 0.41` es :math:`s\leq 0.172`, como antes. Si :math:`x` es mayor se saca primero un factor 2,
    :math:`\ln(1+x)=\ln 2+\ln\frac{1+x}2`, y entonces :math:`s=\frac{x-1}{x+3}`.

    **A mano.**

    >>> x = 1e-9
    >>> math.log(1 + x)
    1.000000082240371e-09
    >>> log1p(x)
    9.999999995e-10

    Parameters
    ----------
    x : float
        Entre 0 y 1.

    Returns
    -------
    float
        Entre 0 y :math:`\ln 2`, del tipo de ``x``. En Python corriente es ``math.log1p``.
    """
    return math.log1p(x)


def plain_log1p(x):
    r"""La serie del logaritmo, sin sumarle uno a lo pequeño."""
    s = x / (2 + x)  # [ec-mlp-log1p]
    # [ec-mlp-artanh]
    return 2 * sum(s**k / k for k in range(1, 35, 2))


@overload(log1p, jit_options=FUSED)
def _log1p(x):
    real = np.float32 if x == types.float32 else np.float64
    cut, ln2 = real(math.sqrt(2) - 1), real(math.log(2))
    zero, one, two, three = (real(c) for c in (0, 1, 2, 3))

    def scalar(x):
        large = x > cut
        s = ((x - one) if large else x) / ((x + three) if large else (x + two))  # [ec-mlp-log1p]
        return (ln2 if large else zero) + _artanh(s)

    return scalar


# Con permiso de sumar en otro orden, el procesador lleva varias sumas a la vez. El permiso vale solo para esta suma: en
# las series de arriba el orden importa.
@kernel(fastmath={"reassoc"})
def _add(total, term):
    return total + term
