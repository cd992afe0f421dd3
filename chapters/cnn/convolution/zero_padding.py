r"""Relleno con ceros: un marco alrededor de la imagen."""

import functools

from chapters.cnn.arguments import as_images, channels_last, whole
from chapters.cnn.convolution.padding import clear, crop, flat, margin, padded
from chapters.cnn.spatial import Spatial
from dlbook.numeric.kernel import kernel


def sides(value, name, rank):
    r"""Devuelve cuánto se pone o se quita al principio y al final de cada eje.

    >>> sides(1, "padding", 2), sides(((1, 0), 2), "padding", 2)
    (((1, 1), (1, 1)), ((1, 0), (2, 2)))
    >>> sides((1, 0), "padding", 1)
    (1, 0)
    """
    wanted = "un entero, dos, o dos parejas de enteros" if rank == 2 else "un entero o dos"

    def two(value):
        values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
        if len(values) != 2:
            raise ValueError(f"{name}: se esperaba {wanted}, pero llegó {given!r}")
        return values

    given, count = value, functools.partial(whole, name=name, low=0)
    if rank == 1:
        return tuple(map(count, two(value)))
    return tuple(tuple(map(count, two(axis))) for axis in two(value))


class ZeroPadding2D(Spatial):
    r"""Rodea cada imagen con filas y columnas de ceros, con los argumentos de Keras.

    Es el relleno de las convoluciones hecho capa, para cuando se necesita uno que no sea ``"same"`` ni ``"valid"``: las
    redes que rellenan igual por los cuatro lados aunque el paso sea 2, por ejemplo.

    Hacia delante copia la imagen en medio de un marco de ceros. Hacia atrás **recorta el marco**: el cero que se puso
    ahí no depende de ningún píxel, y la culpa que le llegue se tira.

    **A mano.** Una fila de ceros arriba, y una columna a cada lado:

    >>> import numpy as np
    >>> layer = ZeroPadding2D(((1, 0), (1, 1)), dtype="float64")
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    >>> layer.forward(x)[0, :, :, 0]
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

    def __init__(self, padding=1, data_format=None, **options):
        super().__init__(**options)
        self.padding = sides(padding, "padding", self.rank)
        self.data_format = channels_last(data_format)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma con los lados ya rellenados."""
        sizes, channels = self.sizes(input_shape)
        axes = zip(sizes, self.padding if self.rank == 2 else [self.padding], strict=True)
        return (*(None if size is None else size + sum(zeros) for size, zeros in axes), channels)

    def forward(self, x, training=False):
        r"""Copia la imagen en medio de un marco de ceros."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (len(x), *self.compute_output_shape(x.shape[1:])))
        _zero_padding_forward(flat(x), inside(x, y, self.padding), flat(y))
        return y

    def backward(self, dy):
        r"""Devuelve el gradiente sin el marco: los ceros no vienen de ningún píxel."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _zero_padding_backward(flat(dy), inside(dx, dy, self.padding), flat(dx))
        return dx


def inside(images, framed, frame):
    r"""Dice dónde quedan unas imágenes, o unas series, dentro de las que tienen marco: su :class:`Margin`."""
    (top, _), (left, _) = frame if images.ndim == 4 else ((0, 0), frame)
    return margin(as_images(images).shape[1:], framed.shape[-2], top, left)


@kernel
def _zero_padding_forward(x, margin, y):
    for n in range(x.shape[0]):
        clear(y[n])
        padded(x[n], y[n], margin)


@kernel
def _zero_padding_backward(dy, margin, dx):
    for n in range(dx.shape[0]):
        crop(dy[n], margin, dx[n])


class ZeroPadding1D(ZeroPadding2D):
    r"""Pone ceros al principio y al final de cada serie, con los argumentos de Keras.

    Con :math:`p` ceros al principio, :math:`y_{t+p}=x_t`, y lo demás es 0; de vuelta, la culpa de :math:`x_t` es la de
    :math:`y_{t+p}`. Con ``ZeroPadding1D((k - 1, 0))`` delante, una convolución ``"valid"`` es causal: no ve el futuro.

    >>> layer = ZeroPadding1D((2, 1), dtype="float64")
    >>> layer.forward([[[7], [8]]]).ravel()
    array([0., 0., 7., 8., 0.])
    >>> layer.backward([[[1], [2], [3], [4], [5]]]).ravel()
    array([3., 4.])

    Parameters
    ----------
    padding : int or (int, int)
        Un entero: los mismos ceros antes y después. Dos: los de antes y los de después.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no son enteros, si alguno es negativo o si no son uno o dos.
    """

    rank = 1
