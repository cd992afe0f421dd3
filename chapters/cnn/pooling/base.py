r"""Lo que comparten las capas de agrupamiento: qué ventanas miran."""

from typing import NamedTuple

import numpy as np

from chapters.cnn.arguments import channels_last, each_axis, on_image
from chapters.cnn.convolution.geometry import output_sizes, same_padding
from chapters.cnn.spatial import Spatial
from dlbook import check


class Spans(NamedTuple):
    r"""Qué parte de la imagen cubre cada ventana: desde dónde y hasta dónde, sin incluir el final."""

    tops: np.ndarray
    bottoms: np.ndarray
    lefts: np.ndarray
    rights: np.ndarray


def pooled_sizes(sizes, window, strides, padding):
    r"""Da cuántas ventanas hay en cada eje; donde no se sabe cuánto mide la imagen, tampoco.

    >>> pooled_sizes((5, None), (2, 2), (2, 2), "same")
    (3, None)

    Parameters
    ----------
    sizes : tuple of int or None
        Alto y ancho de una imagen, o el largo de una serie.
    window, strides : tuple of int
        La ventana y el paso en cada eje.
    padding : {"valid", "same"}
        Si la ventana puede salirse.

    Returns
    -------
    tuple of int or None
    """
    if padding == "valid" and any(d is not None and k > d for d, k in zip(sizes, window, strict=True)):
        room, came = ("×".join(map(str, lengths)) for lengths in (sizes, window))
        raise ValueError(f"pool_size: se esperaba una ventana que quepa en {room}, pero llegó {came}")
    return output_sizes(sizes, window, strides, padding, (1,) * len(window))


def window_spans(input_shape, window, strides, padding):
    r"""Da, para cada fila y cada columna de la salida, qué parte de la imagen cubre su ventana.

    Con ``"same"`` la ventana se sale de la imagen, y aquí se recorta: el código compilado recorre solo píxeles que
    existen. En cinco filas, con ventanas de dos, la última cubre una sola:

    >>> spans = window_spans((5, 4, 1), (2, 2), (2, 2), "same")
    >>> spans.tops, spans.bottoms
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
    Spans
    """
    sizes, found = input_shape[:2], []
    counts = pooled_sizes(sizes, window, strides, padding)
    for size, length, stride, count in zip(sizes, window, strides, counts, strict=True):
        before = same_padding(size, length, stride)[0] if padding == "same" else 0
        starts = np.arange(count) * stride - before
        found += [np.maximum(starts, 0), np.minimum(starts + length, size)]
    return Spans(*found)


class Pooling2D(Spatial):
    r"""Una capa en la que cada salida resume una ventana de su canal.

    No se usa sola: de ella heredan las capas que dicen **cómo** se resume. Las de series solo cambian ``rank``.

    Parameters
    ----------
    pool_size : int or (int, int)
        Alto y ancho de la ventana.
    strides : int or (int, int), optional
        El paso. Sin él, lo que mide la ventana.
    padding : {"valid", "same"}
        Si la ventana puede salirse de la imagen.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, **options):
        super().__init__(**options)
        self.pool_size = each_axis(pool_size, "pool_size", self.rank)
        self.strides = self.pool_size if strides is None else each_axis(strides, "strides", self.rank)
        self.padding = check.choice(padding, "padding", ["valid", "same"])
        self.data_format = channels_last(data_format)

    def compute_output_shape(self, input_shape):
        r"""Devuelve cuántas ventanas hay a lo largo de cada eje; los canales son los mismos."""
        sizes, channels = self.sizes(input_shape)
        return (*pooled_sizes(sizes, self.pool_size, self.strides, self.padding), channels)

    def place(self, shape):
        r"""Encuentra qué parte cubre cada ventana."""
        # Una serie es una imagen de un píxel de alto, y sus ventanas también.
        sizes, *window = map(on_image, (shape[:-1], self.pool_size, self.strides))
        return window_spans((*sizes, shape[-1]), *window, self.padding)

    def _output(self, x, spans):
        # Dónde escribir lo que sale de esas imágenes o series.
        sizes = spans.tops.size, spans.lefts.size
        return self.buffer("y", (len(x), *sizes[-self.rank :], x.shape[-1]))
