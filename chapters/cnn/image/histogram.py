r"""El histograma de una imagen en grises y su ecualización."""

import numpy as np

from dlbook.check import labels
from dlbook.numeric.kernel import kernel


def histogram(image):
    r"""Histograma: cuántos píxeles hay de cada nivel de gris.

    .. math::
       :label: ec-cnn-histograma

       h_v = \#\{\,(i,j) : x_{ij} = v\,\} .

    El signo :math:`\#` cuenta los elementos del conjunto, y :math:`v` va de 0 a 255. Entre todos, los :math:`h_v` suman
    el número de píxeles. No dicen nada de dónde está cada uno: si los revuelves, sale el mismo histograma.

    >>> counts = histogram([[3, 3, 0], [255, 3, 0]])
    >>> int(counts[0]), int(counts[3]), int(counts[255]), int(counts.sum())
    (2, 3, 1, 6)

    Parameters
    ----------
    image : array_like of int, shape (H, W)
        Niveles entre 0 y 255.

    Returns
    -------
    ndarray of int64, shape (256,)

    Raises
    ------
    TypeError
        Si no son números.
    ValueError
        Si no tiene dos ejes o algún nivel no es un entero entre 0 y 255.
    """
    image = labels(image, "image", 256, "H W")
    counts = np.zeros(256, np.int64)
    _histogram(image.ravel(), counts)
    return counts


def plain_histogram(image):
    r"""De cada nivel, cuántos hay."""
    image = np.asarray(image)
    counts = [(image == v).sum() for v in range(256)]  # [ec-cnn-histograma]
    return np.array(counts)


@kernel
def _histogram(levels, counts):
    for level in levels:
        counts[level] += 1  # [ec-cnn-histograma]


def equalize(image):
    r"""Ecualización del histograma (*histogram equalization*): reparte los niveles de 0 a 255.

    Una foto con niebla apila sus píxeles en unos pocos niveles de en medio. Se quiere cambiar cada nivel :math:`v` por
    otro :math:`T(v)`, sin invertir el orden, de modo que ningún tramo quede más poblado que otro.

    **Derivación.** Sea :math:`H_v=\sum_{u\leq v}h_u` cuántos de los :math:`n` píxeles son tan oscuros como :math:`v` o
    más. Si al final los niveles quedaran repartidos por igual entre 0 y 255, al nivel :math:`T` le correspondería tener
    por debajo una fracción :math:`T/255` de los píxeles. Como :math:`T` conserva el orden, los que quedan por debajo de
    :math:`T(v)` son los que ya estaban por debajo de :math:`v`. Iguala las dos fracciones: :math:`T(v)/255=H_v/n`.
    Falta un detalle: que el nivel más oscuro que aparece, con :math:`H_{\min}` píxeles, vaya justo al 0. Se resta en
    el numerador y en el denominador:

    .. math::
       :label: ec-cnn-ecualizar

       T(v) = \left\lfloor 255\ \frac{H_v-H_{\min}}{n-H_{\min}} + \frac12\right\rfloor .

    :math:`H_v` no baja nunca, así que :math:`T` tampoco: lo que era más claro sigue siendo más claro, o igual. Los
    niveles son enteros y un nivel no se puede partir, por lo que el histograma queda **aproximadamente** plano.

    **A mano.** Cuatro píxeles de niveles 100, 101, 101 y 103: :math:`H=1,3,4` y :math:`H_{\min}=1`. El 101
    va a :math:`255\cdot\tfrac23=170`:

    >>> equalize([[100, 101], [101, 103]])
    array([[  0, 170],
           [170, 255]], dtype=uint8)

    Una imagen de un solo nivel no tiene nada que repartir, y se queda como está:

    >>> equalize([[7, 7]])
    array([[7, 7]], dtype=uint8)

    Parameters
    ----------
    image : array_like of int, shape (H, W)
        Niveles entre 0 y 255.

    Returns
    -------
    ndarray of uint8, shape (H, W)

    Raises
    ------
    TypeError
        Si no son números.
    ValueError
        Si no tiene dos ejes o algún nivel no es un entero entre 0 y 255.
    """
    image = labels(image, "image", 256, "H W")
    below = histogram(image).cumsum()
    darkest = below[image.min()]
    if darkest == image.size:
        return image.astype(np.uint8)
    table = np.floor(255 * (below - darkest) / (image.size - darkest) + 0.5)  # [ec-cnn-ecualizar]
    return table.clip(0).astype(np.uint8)[image]
