r"""Poner una orilla de ceros y quitarla: la misma cuenta para todas las capas que miran fuera de la imagen."""

from typing import NamedTuple

from dlbook.numeric.kernel import kernel


class Margin(NamedTuple):
    r"""Dónde queda una imagen dentro de otra más grande, las dos en una sola fila de números.

    Attributes
    ----------
    line : int
        Cuántos números mide una fila de la imagen.
    pitch : int
        Cuántos, uno de la rellenada.
    first : int
        En qué lugar de la rellenada va el primer número.
    """

    line: int
    pitch: int
    first: int


def margin(shape, columns, top, left):
    r"""Calcula el :class:`Margin` de una imagen que tiene ``top`` filas de ceros arriba y ``left`` columnas a un lado.

    >>> margin((2, 3, 1), columns=5, top=1, left=1)
    Margin(line=3, pitch=5, first=6)

    Parameters
    ----------
    shape : tuple of int
        Alto, ancho y canales de la imagen.
    columns : int
        El ancho de la rellenada.
    top, left : int
        Cuántas filas y columnas de ceros van antes.

    Returns
    -------
    Margin
    """
    _, width, channels = shape
    return Margin(width * channels, columns * channels, (top * columns + left) * channels)


@kernel
def padded(image, scratch, margin):
    r"""Devuelve la imagen con su orilla, o ella misma si no la lleva, que es cuando ``scratch`` está vacío.

    Es para código compilado y **no comprueba nada**. Lo que en ``scratch`` es orilla se queda como estaba.
    """
    if scratch.size == 0:
        return image
    line, pitch, first = margin
    for a in range(image.size // line):
        row, place = image[a * line : (a + 1) * line], scratch[first + a * pitch : first + a * pitch + line]
        for b in range(line):
            place[b] = row[b]
    return scratch


@kernel
def crop(scratch, margin, image):
    r"""Copia en ``image`` lo que queda al quitarle la orilla a ``scratch``; lo contrario de :func:`padded`."""
    line, pitch, first = margin
    for a in range(image.size // line):
        row, place = image[a * line : (a + 1) * line], scratch[first + a * pitch : first + a * pitch + line]
        for b in range(line):
            row[b] = place[b]


@kernel
def clear(array):
    r"""Pone en cero todos los números."""
    for k in range(array.size):
        array[k] = 0


def flat(images):
    r"""Ve cada imagen como una sola fila de números, sin copiar.

    >>> import numpy as np
    >>> flat(np.zeros((5, 4, 3, 2))).shape
    (5, 24)
    """
    return images.reshape(len(images), -1)
