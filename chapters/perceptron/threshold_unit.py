r"""La unidad con umbral: suma ponderada, escalón, umbral y sesgo."""

import numpy as np

from dlbook.check import floats, number
from dlbook.numeric.kernel import kernel


def weighted_sum(x, w, b=0.0):
    r"""Suma ponderada de las entradas de una neurona, más el sesgo.

    La neurona recibe :math:`d` entradas :math:`\mathbf x=(x_1,\dots,x_d)` y tiene un *peso* (*weight*) por entrada,
    :math:`\mathbf w=(w_1,\dots,w_d)`. El peso dice cuánto cuenta esa entrada y hacia dónde empuja:
    :math:`w_i>0` excita, :math:`w_i<0` inhibe y :math:`w_i=0` la ignora. Al total se le suma un número fijo, el *sesgo*
    (*bias*) :math:`b`, que tendrá su explicación en cuanto aparezca el umbral:

    .. math::
       :label: ec-per-suma-ponderada

       z = \sum_{i=1}^{d} w_i x_i + b = w_1x_1 + w_2x_2 + \cdots + w_dx_d + b .

    El resultado :math:`z` se llama *preactivación*: es lo que la neurona juntó antes de decidir. La suma de los
    productos se abrevia :math:`\mathbf w^\top\mathbf x`, y entonces :math:`z=\mathbf w^\top\mathbf x+b`.

    **A mano.** Con :math:`\mathbf x=(1, 0, 1)`, :math:`\mathbf w=(3, 2, 2)` y :math:`b=-4`, la suma es
    :math:`3\cdot1+2\cdot0+2\cdot1-4`:

    >>> float(weighted_sum([1, 0, 1], [3, 2, 2], -4))
    1.0

    Escribir la suma como un ciclo o como el producto ``x @ w`` de NumPy es lo mismo:

    >>> x, w = np.array([0.5, 0.3, 0.7]), np.array([0.6, 0.2, 0.6])
    >>> total = 0.0
    >>> for x_i, w_i in zip(x, w):
    ...     total += w_i * x_i
    >>> print(round(total, 10), round(x @ w, 10), round(weighted_sum(x, w), 10))
    0.78 0.78 0.78

    Parameters
    ----------
    x : array_like, shape (..., d)
        Una observación, o varias: las entradas van en el último eje.
    w : array_like, shape (d,)
        Pesos.
    b : float
        Sesgo.

    Returns
    -------
    float or ndarray, shape (...)
        Preactivación de cada observación, en ``float64``.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no concuerdan, si hay NaN o infinitos o si la suma se desborda.

        >>> weighted_sum([1, 0, 1], [3, 2])
        Traceback (most recent call last):
            ...
        ValueError: w: se esperaba la forma (d=3), pero llegó (2,)
    """
    sizes = {}
    x = floats(x, "x", "... d", sizes)
    w = floats(w, "w", "d", sizes)
    z = _weighted_sum(x.reshape(-1, w.size), w, number(b, "b"))
    return floats(z, "suma ponderada").reshape(x.shape[:-1])[()]


def plain_weighted_sum(x, w, b=0.0):
    r"""Cada entrada por su peso, todo sumado, más el sesgo."""
    return (w * x).sum(axis=-1) + b  # [ec-per-suma-ponderada]


@kernel(fastmath={"reassoc", "contract"})
def _weighted_sum(x, w, b):
    # Con fastmath, la suma puede reordenarse, y el procesador hace varios productos a la vez.
    n, d = x.shape
    z = np.empty(n)
    for i in range(n):
        total = 0.0
        for j in range(d):
            total += w[j] * x[i, j]
        z[i] = total + b  # [ec-per-suma-ponderada]
    return z


def step(z):
    r"""Escalón de Heaviside: 1 desde el cero en adelante, 0 antes.

    .. math::
       :label: ec-per-escalon

       H(z) = \begin{cases} 0 & \text{si } z < 0,\\ 1 & \text{si } z \geq 0. \end{cases}

    Es una decisión sin matices: no distingue «por poco» de «por mucho». En el cero hay que escoger, y escogemos el 1,
    porque así «llegar al umbral» ya es dispararse.

    **A mano.** Un valor por caso, con la igualdad incluida:

    >>> step([-0.5, 0.0, 2.0])
    array([0, 1, 1])

    Parameters
    ----------
    z : array_like, shape (...)
        Preactivaciones.

    Returns
    -------
    int or ndarray of int, shape (...)
        0 o 1.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si está vacío o hay NaN o infinitos.
    """
    z = floats(z, "z", "...")
    return np.asarray(z >= 0).astype(np.int64)[()]  # [ec-per-escalon]


def threshold_unit(x, w, threshold):
    r"""Unidad con umbral (*threshold logic unit*, TLU): pesos reales y una decisión.

    Una vez hecha la suma ponderada, la unidad la compara con su *umbral* (*threshold*) :math:`\theta`:

    .. math::
       :label: ec-per-umbral

       f(\mathbf x) =
       \begin{cases}
       0 & \text{si } \sum_i w_i x_i < \theta,\\
       1 & \text{si } \sum_i w_i x_i \geq \theta.
       \end{cases}

    **Del umbral al sesgo.** Restar :math:`\theta` a los dos lados no altera una desigualdad:
    :math:`\sum_i w_i x_i \geq \theta` equivale a :math:`\sum_i w_i x_i - \theta \geq 0`. Al número que quedó sumando lo
    llamamos sesgo (*bias*), y el umbral desaparece de la comparación:

    .. math::
       :label: ec-per-sesgo

       b = -\theta,
       \qquad
       f(\mathbf x) = H\Big(\sum_i w_i x_i + b\Big).

    La equivalencia incluye el empate, porque :math:`\sum_i w_i x_i=\theta` es lo mismo que
    :math:`\sum_i w_i x_i+b=0`, y :eq:`ec-per-escalon` vale 1 en el cero.

    **A mano.** Con :math:`\mathbf w=(1,1)` y :math:`\theta=1`, los tres casos: la suma queda por debajo, empata y
    rebasa.

    >>> x = [[0, 0], [1, 0], [1, 1]]
    >>> threshold_unit(x, [1, 1], threshold=1)
    array([0, 1, 1])

    La misma unidad, con :math:`b=-1` en lugar de :math:`\theta=1`:

    >>> step(weighted_sum(x, [1, 1], b=-1))
    array([0, 1, 1])

    Parameters
    ----------
    x : array_like, shape (..., d)
        Una observación, o varias: las entradas van en el último eje.
    w : array_like, shape (d,)
        Pesos.
    threshold : float
        Umbral :math:`\theta`.

    Returns
    -------
    int or ndarray of int, shape (...)
        1 donde la unidad se dispara y 0 donde no.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no concuerdan o hay NaN o infinitos.
    """
    b = -number(threshold, "threshold")  # [ec-per-sesgo]
    return step(weighted_sum(x, w, b))  # [ec-per-umbral]
