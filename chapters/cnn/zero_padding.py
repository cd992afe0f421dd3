r"""Relleno con ceros: un marco alrededor de la imagen."""

from chapters.cnn.pooling import image_shape
from chapters.mlp.layer import Layer
from dlbook import check


class ZeroPadding2D(Layer):
    r"""Rodea cada imagen con renglones y columnas de ceros, con los argumentos de Keras.

    Parameters
    ----------
    padding : int, tuple of int or tuple of tuples
        Un entero: los mismos ceros por los cuatro lados. Dos enteros: arriba y abajo, y a los lados. Dos parejas:
        ``((arriba, abajo), (izquierda, derecha))``.
    **options
        ``dtype``, ``seed`` y ``name``, como en :class:`chapters.mlp.Layer`.
    """

    def __init__(self, padding=(1, 1), **options):
        super().__init__(**options)
        self.padding = tuple(_sides(value) for value in _two(padding))

    def build(self, input_shape):
        r"""Exige imágenes."""
        image_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma con los lados ya rellenados."""
        height, width, channels = image_shape(input_shape)
        return (height + sum(self.padding[0]), width + sum(self.padding[1]), channels)

    def forward(self, x, training=False):
        r"""Copia la imagen en medio de un marco de ceros."""
        self.x = x = self.input(x)
        self.y = self.buffer("y", (len(x), *self.compute_output_shape(self.input_shape)))
        self.y[...] = 0
        self._inside(self.y)[...] = x
        return self.y

    def backward(self, dy):
        r"""Devuelve el gradiente sin el marco: los ceros no vienen de ningún píxel."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        dx[...] = self._inside(dy)
        return dx

    def _inside(self, array):
        height, width, _ = self.input_shape
        (top, _), (left, _) = self.padding
        return array[:, top : top + height, left : left + width]


def _two(value):
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) != 2:
        raise ValueError(f"padding: se esperaba un entero, dos, o dos parejas de enteros, pero llegó {value!r}")
    return values


def _sides(value):
    return tuple(check.integer(v, "padding", 0) for v in _two(value))
