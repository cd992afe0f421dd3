r"""Lo que comparten las capas de agrupamiento: qué ventanas miran."""

import numpy as np

from chapters.cnn.convolution.geometry import output_size, same_padding
from chapters.cnn.convolution.im2col import pair
from chapters.mlp.layer import Layer
from dlbook import check


class Pooling2D(Layer):
    r"""Una capa en la que cada salida resume una ventana de su canal.

    No se usa sola: de ella heredan las capas que dicen **cómo** se resume.

    Parameters
    ----------
    pool_size : int or (int, int)
        Alto y ancho de la ventana.
    strides : int or (int, int), optional
        El paso. Sin él, lo que mide la ventana.
    padding : {"valid", "same"}
        Si la ventana puede salirse de la imagen.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", **options):
        super().__init__(**options)
        self.pool_size = pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, "strides")
        self.padding = check.choice(padding, "padding", ["valid", "same"])
        self._spans = self.output = None

    def build(self, input_shape):
        r"""Comprueba que las ventanas quepan."""
        output = self.compute_output_shape(input_shape)
        super().build(input_shape)
        self.output = output

    def compute_output_shape(self, input_shape):
        r"""Devuelve cuántas ventanas hay a lo alto y a lo ancho; los canales son los mismos."""
        rows, columns = _axes(input_shape, self.pool_size, self.strides, self.padding)
        return (rows[-1], columns[-1], input_shape[-1])

    @property
    def spans(self):
        r"""Dónde empieza y dónde acaba cada ventana; se calcula cuando ya han llegado imágenes de ese tamaño."""
        if self._spans is None:
            self._spans = window_spans(self.input_shape, self.pool_size, self.strides, self.padding)
        return self._spans


def image_shape(shape):
    r"""Exige que una observación tenga alto, ancho y canales.

    >>> image_shape((28, 28))
    Traceback (most recent call last):
        ...
    ValueError: x: se esperaba la forma (n, alto, ancho, canales), pero llegó (n, 28, 28)
    """
    shape = tuple(shape)
    if len(shape) != 3:
        raise ValueError(
            f"x: se esperaba la forma (n, alto, ancho, canales), pero llegó ({', '.join(['n', *map(str, shape)])})"
        )
    return shape


def window_spans(input_shape, window, strides, padding):
    r"""Da, para cada fila y cada columna de la salida, qué parte de la imagen cubre su ventana.

    Con ``"same"`` la ventana se sale de la imagen, y aquí se recorta: el código compilado recorre solo píxeles que
    existen. En cinco filas, con ventanas de dos, la última cubre una sola:

    >>> tops, bottoms, lefts, rights = window_spans((5, 4, 1), (2, 2), (2, 2), "same")
    >>> tops, bottoms
    (array([0, 2, 4]), array([2, 4, 5]))

    Parameters
    ----------
    input_shape : tuple of int
        Alto, ancho y canales.
    window, strides : (int, int)
        La ventana y el paso, a lo alto y a lo ancho.
    padding : {"valid", "same"}
        Si la ventana puede salirse.

    Returns
    -------
    tops, bottoms, lefts, rights : ndarray of int
        Dónde empieza y dónde acaba cada una, sin incluir el final.
    """
    found = []
    for size, length, stride, before, count in _axes(input_shape, window, strides, padding):
        starts = np.arange(count) * stride - before
        found += np.maximum(starts, 0), np.minimum(starts + length, size)
    return tuple(found)


def _axes(input_shape, window, strides, padding):
    # De cada eje: lo que mide, la ventana, el paso, el relleno del principio y cuántas ventanas hay.
    height, width, _ = image_shape(input_shape)
    for size, length, stride in zip((height, width), window, strides, strict=True):
        if padding == "valid" and length > size:
            raise ValueError(
                f"pool_size: se esperaba una ventana que quepa en {height}×{width}, pero llegó {window[0]}×{window[1]}"
            )
        before = same_padding(size, length, stride)[0] if padding == "same" else 0
        yield size, length, stride, before, output_size(size, length, stride, padding)
