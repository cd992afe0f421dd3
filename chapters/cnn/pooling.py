r"""Lo que comparten las capas de agrupamiento: qué ventanas miran."""

import numpy as np

from chapters.cnn.geometry import output_size, same_padding
from chapters.mlp.layer import Layer
from dlbook import check


class Pooling2D(Layer):
    r"""Agrupamiento (*pooling*) en dos dimensiones: cada salida resume una ventana de su canal.

    No se usa directamente; de ella heredan las capas que dicen **cómo** se resume.

    Parameters
    ----------
    pool_size : int or tuple of int
        Alto y ancho de la ventana.
    strides : int or tuple of int, optional
        Cuánto avanza. Sin él, lo que mide: las ventanas no se enciman ni dejan huecos.
    padding : {"valid", "same"}
        Si la ventana puede salirse de la imagen.
    **options
        ``dtype``, ``seed`` y ``name``, como en :class:`chapters.mlp.Layer`.
    """

    def __init__(self, pool_size=(2, 2), strides=None, padding="valid", **options):
        super().__init__(**options)
        self.pool_size = pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, "strides")
        self.padding = padding_name(padding)

    def build(self, input_shape):
        r"""Calcula dónde empieza y dónde acaba cada ventana."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        self.spans = spans(self.input_shape, self.pool_size, self.strides, self.padding)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la salida: cambian los lados, y los canales son los mismos."""
        tops, _, lefts, _ = spans(image_shape(input_shape), self.pool_size, self.strides, self.padding)
        return (len(tops), len(lefts), input_shape[2])


def image_shape(shape):
    r"""Exige que una observación tenga alto, ancho y canales."""
    shape = tuple(shape)
    if len(shape) != 3:
        wanted = ", ".join(["n", *map(str, shape)])
        raise ValueError(f"x: se esperaba la forma (n, alto, ancho, canales), pero llegó ({wanted})")
    return shape


def pair(value, name):
    r"""Convierte un entero, o dos, en dos enteros positivos."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2:
        raise ValueError(f"{name}: se esperaba un entero o dos, pero llegó {value!r}")
    return tuple(check.integer(v, name, 1) for v in values)


def padding_name(value):
    r"""Admite el relleno en mayúsculas o minúsculas, como Keras."""
    return check.choice(value.lower() if isinstance(value, str) else value, "padding", ["valid", "same"])


def spans(shape, window, strides, padding):
    r"""Da, para cada renglón y cada columna de la salida, qué parte de la imagen cubre su ventana.

    Lo que la ventana tiene fuera de la imagen se recorta aquí: el código compilado recorre solo píxeles que existen.

    >>> tops, bottoms, lefts, rights = spans((5, 4, 1), (2, 2), (2, 2), "same")
    >>> tops.tolist(), bottoms.tolist()
    ([0, 2, 4], [2, 4, 5])
    """
    found = []
    for size, length, stride in zip(shape[:2], window, strides, strict=True):
        if padding == "valid" and length > size:
            raise ValueError(
                f"pool_size: la ventana de {window[0]}×{window[1]} no cabe en una imagen de {shape[0]}×{shape[1]}"
            )
        before = same_padding(size, length, stride)[0] if padding == "same" else 0
        starts = [r * stride - before for r in range(output_size(size, length, stride, padding))]
        found.append(np.array([max(start, 0) for start in starts]))
        found.append(np.array([min(start + length, size) for start in starts]))
    return tuple(found)
