r"""Tres rasgos de un dígito elegidos a mano."""

import numpy as np

from dlbook.check import floats


def hand_features(images):
    r"""Resume cada imagen con tres rasgos que eligió una persona: tinta, simetría y tinta en el centro.

    Sea :math:`x_{ij}` la tinta del píxel de la fila :math:`i` y la columna :math:`j`, de 0 (papel) a 1 (negro), en una
    imagen de :math:`h` filas y :math:`w` columnas.

    **Tinta.** El promedio de todos los píxeles. Con el mismo trazo, un 8 gasta más que un 1.

    .. math::
       :label: ec-int-tinta

       f_1 = \frac{1}{hw}\sum_{i,j} x_{ij}

    **Simetría.** Reflejamos la imagen de izquierda a derecha, promediamos las diferencias y se las quitamos a 1: vale 1
    si la imagen es igual a su reflejo.

    .. math::
       :label: ec-int-simetria

       f_2 = 1 - \frac{1}{hw}\sum_{i,j} \bigl|\,x_{ij} - x_{i,\,w+1-j}\,\bigr|

    **Centro.** El promedio en una ventana :math:`C` que deja fuera la cuarta parte de las filas por cada extremo y tres
    octavas partes de las columnas por cada lado; :math:`|C|` es cuántos píxeles le quedan. Un 0 la tiene casi vacía; un
    1, casi llena.

    .. math::
       :label: ec-int-centro

       f_3 = \frac{1}{|C|}\sum_{(i,j)\in C} x_{ij}

    **A mano.** Una imagen de 8×8 con una sola raya vertical de tinta en la cuarta columna. De 64 píxeles hay 8 negros;
    el reflejo pasa la raya a la quinta columna, así que difieren 16; y la ventana central, que son las columnas cuarta
    y quinta, queda llena a la mitad:

    >>> image = np.zeros((1, 8, 8))
    >>> image[0, :, 3] = 1
    >>> hand_features(image)
    array([[0.125, 0.75 , 0.5  ]])

    Parameters
    ----------
    images : ndarray, shape (n, h, w)
        Imágenes con tinta entre 0 y 1, de al menos 4 filas y 8 columnas.

    Returns
    -------
    ndarray, shape (n, 3)
        Una fila por imagen.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si la forma no es la pedida o la tinta se sale de [0, 1].

        >>> hand_features(16 * image)
        Traceback (most recent call last):
            ...
        ValueError: images: se esperaba tinta entre 0 y 1, pero va de 0 a 16
    """
    x = floats(images, "images", "n h w")
    _, h, w = x.shape
    if h < 4 or w < 8:
        raise ValueError(f"images: se esperaban al menos 4 filas y 8 columnas, pero llegó la forma {x.shape}")
    if x.min() < 0 or x.max() > 1:
        raise ValueError(f"images: se esperaba tinta entre 0 y 1, pero va de {x.min():g} a {x.max():g}")
    return plain_hand_features(x)


def plain_hand_features(images):
    r"""Los tres promedios."""
    _, h, w = images.shape
    change = np.abs(images - images[:, :, ::-1])
    rows, columns = h // 4, 3 * w // 8
    center = images[:, rows : h - rows, columns : w - columns]
    ink = images.mean(axis=(1, 2))  # [ec-int-tinta]
    symmetry = 1 - change.mean(axis=(1, 2))  # [ec-int-simetria]
    middle = center.mean(axis=(1, 2))  # [ec-int-centro]
    return np.stack([ink, symmetry, middle], axis=1)
