r"""Qué tanto se parecen dos vectores: producto punto, similitud coseno y distancia euclidiana."""

import math

import numpy as np

from dlbook.check import floats
from dlbook.numeric.kernel import kernel


def dot_product(x, y):
    r"""Producto punto (*dot product*) de dos vectores.

    Multiplica componente a componente y suma:

    .. math::
       :label: ec-per-producto-punto

       \mathbf x^\top\mathbf y = \sum_{i=1}^{d} x_i y_i .

    Cada sumando es un acuerdo o un desacuerdo: positivo si :math:`x_i` e :math:`y_i` tienen el mismo signo, negativo si
    tienen signos opuestos. Un vector consigo mismo solo tiene acuerdos, y da su longitud al cuadrado,
    :math:`\mathbf x^\top\mathbf x=\lVert\mathbf x\rVert^2`.

    **A mano.** Con :math:`\mathbf x=(0.5,0.3,0.7)` y :math:`\mathbf y=(0.6,0.2,0.6)`,
    :math:`0.30+0.06+0.42`:

    >>> round(dot_product([0.5, 0.3, 0.7], [0.6, 0.2, 0.6]), 10)
    0.78

    Parameters
    ----------
    x, y : array_like, shape (d,)
        Los dos vectores.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si no son vectores del mismo tamaño, si hay NaN o infinitos o si la suma se desborda.

        >>> dot_product([1, 2, 3], [1, 2])
        Traceback (most recent call last):
            ...
        ValueError: y: se esperaba la forma (d=3), pero llegó (2,)
    """
    x, y = _pair(x, y)
    return float(floats(_dot_product(x, y), "producto punto"))


def plain_dot_product(x, y):
    r"""Componente por componente, y todo sumado."""
    return (x * y).sum()  # [ec-per-producto-punto]


@kernel
def _dot_product(x, y):
    total = 0.0
    for i in range(x.size):
        total += x[i] * y[i]  # [ec-per-producto-punto]
    return total


def cosine_similarity(x, y):
    r"""Similitud coseno (*cosine similarity*): el coseno del ángulo entre dos vectores.

    .. math::
       :label: ec-per-coseno

       \cos\alpha = \frac{\mathbf x^\top\mathbf y}{\lVert\mathbf x\rVert\,\lVert\mathbf y\rVert} .

    **Derivación.** Los vectores :math:`\mathbf x`, :math:`\mathbf y` y su diferencia forman un triángulo. La ley de
    cosenos da la longitud del tercer lado a partir del ángulo :math:`\alpha`,

    .. math::

       \lVert\mathbf x-\mathbf y\rVert^2
       = \lVert\mathbf x\rVert^2 + \lVert\mathbf y\rVert^2 - 2\,\lVert\mathbf x\rVert\,\lVert\mathbf y\rVert\cos\alpha ,

    y el álgebra da la misma longitud a partir de las componentes,
    :math:`\sum_i(x_i-y_i)^2=\lVert\mathbf x\rVert^2+\lVert\mathbf y\rVert^2-2\,\mathbf x^\top\mathbf y`. Al igualarlas,
    los cuadrados se cancelan y queda
    :math:`\mathbf x^\top\mathbf y=\lVert\mathbf x\rVert\,\lVert\mathbf y\rVert\cos\alpha`.

    Vale 1 si apuntan igual, 0 si son perpendiculares y :math:`-1` si son opuestos. Estirar un vector no lo cambia:
    compara direcciones, no tamaños.

    **Sin desbordar.** Por eso mismo podemos dividir cada vector entre su mayor componente antes de empezar: los
    cuadrados ya no se salen de ``float64`` ni se vuelven cero.

    **A mano.** Con :math:`\mathbf x=(0.5,0.3,0.7)` y :math:`\mathbf y=(0.6,0.2,0.6)`, el producto punto es 0.78 y las
    longitudes son :math:`\sqrt{0.83}` y :math:`\sqrt{0.76}`:

    >>> round(cosine_similarity([0.5, 0.3, 0.7], [0.6, 0.2, 0.6]), 7)
    0.9820843

    Con el segundo vector cien veces más largo, el coseno es el mismo:

    >>> round(cosine_similarity([0.5, 0.3, 0.7], [60, 20, 60]), 7)
    0.9820843

    Parameters
    ----------
    x, y : array_like, shape (d,)
        Los dos vectores, ninguno todo ceros.

    Returns
    -------
    float
        Entre −1 y 1.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si no son vectores del mismo tamaño, si hay NaN o infinitos o si uno es cero.

        >>> cosine_similarity([1, 2], [0, 0])
        Traceback (most recent call last):
            ...
        ValueError: y: se esperaba un vector distinto de cero, porque el cero no tiene dirección
    """
    x, y = _pair(x, y)
    for value, name in ((x, "x"), (y, "y")):
        if not value.any():
            raise ValueError(f"{name}: se esperaba un vector distinto de cero, porque el cero no tiene dirección")
    # El redondeo puede dar 1.0000000000000002, y ese no es el coseno de nadie.
    return float(np.clip(_cosine_similarity(x, y), -1, 1))


def plain_cosine_similarity(x, y):
    r"""El producto punto, entre las dos longitudes."""
    lengths = np.sqrt(x @ x), np.sqrt(y @ y)
    return (x @ y) / (lengths[0] * lengths[1])  # [ec-per-coseno]


@kernel
def _cosine_similarity(x, y):
    largest_x, largest_y = np.abs(x).max(), np.abs(y).max()
    xy = xx = yy = 0.0
    for i in range(x.size):
        u, v = x[i] / largest_x, y[i] / largest_y
        xy += u * v
        xx += u * u
        yy += v * v
    return xy / math.sqrt(xx * yy)  # [ec-per-coseno]


def euclidean_distance(x, y):
    r"""Distancia euclidiana: la longitud del segmento que une dos puntos.

    .. math::
       :label: ec-per-distancia

       \lVert\mathbf x-\mathbf y\rVert = \sqrt{\sum_{i=1}^{d}(x_i-y_i)^2} .

    Es el teorema de Pitágoras, aplicado una vez por componente. Mide lo contrario de un parecido: cuanto más pequeña,
    más se parecen, y solo vale 0 si son iguales.

    **Las tres medidas se conocen.** Al desarrollar el cuadrado aparece el producto punto:

    .. math::

       \lVert\mathbf x-\mathbf y\rVert^2
       = \lVert\mathbf x\rVert^2+\lVert\mathbf y\rVert^2-2\,\mathbf x^\top\mathbf y .

    Si los dos vectores miden 1, eso es :math:`2-2\cos\alpha`. Entre vectores de longitud 1, pues, el más cercano, el de
    mayor coseno y el de mayor producto punto son el mismo. Con longitudes distintas no tienen por qué serlo.

    **A mano.** Las diferencias entre :math:`(0.5,0.3,0.7)` y :math:`(0.6,0.2,0.6)` son de 0.1 cada una:
    :math:`\sqrt{0.03}`.

    >>> round(euclidean_distance([0.5, 0.3, 0.7], [0.6, 0.2, 0.6]), 7)
    0.1732051

    Parameters
    ----------
    x, y : array_like, shape (d,)
        Los dos vectores.

    Returns
    -------
    float
        Nunca negativa.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si no son vectores del mismo tamaño, si hay NaN o infinitos o si la distancia se desborda.
    """
    x, y = _pair(x, y)
    return float(floats(_euclidean_distance(x, y), "distancia"))


def plain_euclidean_distance(x, y):
    r"""Pitágoras, con todas las componentes."""
    return np.sqrt(((x - y) ** 2).sum())  # [ec-per-distancia]


@kernel
def _euclidean_distance(x, y):
    distance = 0.0
    for i in range(x.size):
        # hypot(a, b) es √(a² + b²) sin que los cuadrados se desborden.
        distance = math.hypot(distance, x[i] - y[i])  # [ec-per-distancia]
    return distance


def _pair(x, y):
    sizes = {}
    return floats(x, "x", "d", sizes), floats(y, "y", "d", sizes)
