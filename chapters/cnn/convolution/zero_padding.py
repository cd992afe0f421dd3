r"""Relleno con ceros: un marco alrededor de la imagen."""

from chapters.cnn.pooling.base import image_shape
from chapters.mlp.layer import Layer
from dlbook import check


class ZeroPadding2D(Layer):
    r"""Rodea cada imagen con filas y columnas de ceros, con los argumentos de Keras.

    Es el relleno de las convoluciones hecho capa, para cuando se necesita uno que no sea ``"same"`` ni ``"valid"``: las
    redes que rellenan igual por los cuatro lados aunque el paso sea 2, por ejemplo.

    Hacia delante copia la imagen en medio de un marco de ceros. Hacia atrás **recorta el marco**: el cero que se puso
    ahí no depende de ningún píxel, y la culpa que le llegue se tira.

    **A mano.** Una fila de ceros arriba, y una columna a cada lado:

    >>> import numpy as np
    >>> layer = ZeroPadding2D(((1, 0), (1, 1)), dtype="float64")
    >>> layer.forward(np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1))[0, :, :, 0]
    array([[0., 0., 0., 0.],
           [0., 1., 2., 0.],
           [0., 3., 4., 0.]])
    >>> layer.backward(np.arange(12.0).reshape(1, 3, 4, 1))[0, :, :, 0]
    array([[ 5.,  6.],
           [ 9., 10.]])

    Parameters
    ----------
    padding : int, (int, int) or ((int, int), (int, int))
        Un entero: los mismos ceros por los cuatro lados. Dos enteros: arriba y abajo, y a los lados. Dos parejas:
        ``((arriba, abajo), (izquierda, derecha))``.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no son enteros, si alguno es negativo o si no son uno, dos o dos parejas.

        >>> ZeroPadding2D(((1, 2, 3), 1))
        Traceback (most recent call last):
            ...
        ValueError: padding: se esperaba un entero, dos, o dos parejas de enteros, pero llegó ((1, 2, 3), 1)
    """

    def __init__(self, padding=(1, 1), **options):
        super().__init__(**options)
        self.padding = _sides(padding)

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


def _sides(padding):
    def two(value):
        values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
        if len(values) != 2:
            raise ValueError(f"padding: se esperaba un entero, dos, o dos parejas de enteros, pero llegó {padding!r}")
        return values

    return tuple(tuple(check.integer(zeros, "padding", 0) for zeros in two(axis)) for axis in two(padding))
