r"""Relleno con ceros: un marco alrededor de la imagen."""

from numba import njit

from chapters.cnn.arguments import channels_last, image_shape, whole
from chapters.cnn.convolution.padding import clear, crop, flat, margin, padded
from chapters.mlp.layer import Layer


def _sides(padding):
    wanted = "un entero, dos, o dos parejas de enteros"

    def two(value):
        values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
        if len(values) != 2:
            raise ValueError(f"padding: se esperaba {wanted}, pero llegó {padding!r}")
        return values

    return tuple(tuple(whole(zeros, "padding", 0) for zeros in two(axis)) for axis in two(padding))


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
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
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

    any_size = True

    def __init__(self, padding=(1, 1), data_format=None, **options):
        super().__init__(**options)
        self.padding = _sides(padding)
        self.data_format = channels_last(data_format)

    def build(self, input_shape):
        r"""Exige imágenes."""
        image_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma con los lados ya rellenados."""
        *sizes, channels = image_shape(input_shape)
        axes = zip(sizes, self.padding, strict=True)
        return (*(None if size is None else size + sum(zeros) for size, zeros in axes), channels)

    def forward(self, x, training=False):
        r"""Copia la imagen en medio de un marco de ceros."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (len(x), *self.compute_output_shape(x.shape[1:])))
        _zero_padding_forward(flat(x), self._margin(x), flat(y))
        return y

    def backward(self, dy):
        r"""Devuelve el gradiente sin el marco: los ceros no vienen de ningún píxel."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _zero_padding_backward(flat(dy), self._margin(dx), flat(dx))
        return dx

    def _margin(self, x):
        (top, _), (left, right) = self.padding
        return margin(x.shape[1:], left + x.shape[2] + right, top, left)


@njit(cache=True, nogil=True)
def _zero_padding_forward(x, margin, y):
    for n in range(x.shape[0]):
        clear(y[n])
        padded(x[n], y[n], margin)


@njit(cache=True, nogil=True)
def _zero_padding_backward(dy, margin, dx):
    for n in range(dx.shape[0]):
        crop(dy[n], margin, dx[n])
