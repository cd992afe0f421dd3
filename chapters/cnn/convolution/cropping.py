r"""Recorte: quitarle la orilla a la imagen, que es lo contrario de rellenarla."""

from chapters.cnn.arguments import channels_last
from chapters.cnn.convolution.padding import flat
from chapters.cnn.convolution.zero_padding import _zero_padding_backward, _zero_padding_forward, inside, sides
from chapters.cnn.spatial import Spatial


class Cropping2D(Spatial):
    r"""Quita filas y columnas de la orilla de cada imagen, con los argumentos de Keras.

    Con :math:`p` filas menos arriba y :math:`q` columnas menos a la izquierda,

    .. math::
       :label: ed-cnn-recortar

       y_{uvc} = x_{u+p,\,v+q,\,c} .

    Es la vuelta de :class:`~chapters.cnn.ZeroPadding2D`, usada hacia delante; y su vuelta es la ida de aquella: lo que
    se recortó no está en ninguna salida, y su gradiente es **cero**.

    **A mano.** Sin la primera fila ni la última columna:

    >>> import numpy as np
    >>> layer = Cropping2D(((1, 0), (0, 1)), dtype="float64")
    >>> layer.forward(np.arange(1.0, 10.0).reshape(1, 3, 3, 1))[0, :, :, 0]
    array([[4., 5.],
           [7., 8.]])
    >>> layer.backward(np.ones((1, 2, 2, 1)))[0, :, :, 0]
    array([[0., 0., 0.],
           [1., 1., 0.],
           [1., 1., 0.]])

    Parameters
    ----------
    cropping : int, (int, int) or ((int, int), (int, int))
        Un entero: lo mismo por los cuatro lados. Dos enteros: arriba y abajo, y a los lados. Dos parejas:
        ``((arriba, abajo), (izquierda, derecha))``.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no son enteros, si alguno es negativo, si no son uno, dos o dos parejas, o si de la imagen no queda nada.

        >>> Cropping2D(2).compute_output_shape((4, 9, 1))
        Traceback (most recent call last):
            ...
        ValueError: cropping: se esperaba quitar menos de los 4 que mide el eje, pero llegó ((2, 2), (2, 2))
    """

    def __init__(self, cropping=((0, 0), (0, 0)), data_format=None, **options):
        super().__init__(**options)
        self.cropping = sides(cropping, "cropping", self.rank)
        self.data_format = channels_last(data_format)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma con los lados ya recortados."""
        sizes, channels = self.sizes(input_shape)
        axes = list(zip(sizes, self.cropping if self.rank == 2 else [self.cropping], strict=True))
        for size, cut in axes:
            if size is not None and sum(cut) >= size:
                raise ValueError(
                    f"cropping: se esperaba quitar menos de los {size} que mide el eje, pero llegó {self.cropping}"
                )
        return (*(None if size is None else size - sum(cut) for size, cut in axes), channels)

    def forward(self, x, training=False):
        r"""Copia lo que queda en medio."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (len(x), *self.compute_output_shape(x.shape[1:])))
        _zero_padding_backward(flat(x), inside(y, x, self.cropping), flat(y))
        return y

    def backward(self, dy):
        r"""Devuelve el gradiente rodeado de ceros: lo recortado no está en ninguna salida."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _zero_padding_forward(flat(dy), inside(dy, dx, self.cropping), flat(dx))
        return dx


class Cropping1D(Cropping2D):
    r"""Quita instantes del principio y del final de cada serie, con los argumentos de Keras.

    Es :eq:`ed-cnn-recortar` con alto 1:

    >>> layer = Cropping1D((2, 1), dtype="float64")
    >>> layer.forward([[[4], [5], [6], [7], [8]]]).ravel()
    array([6., 7.])
    >>> layer.backward([[[1], [2]]]).ravel()
    array([0., 0., 1., 2., 0.])

    Parameters
    ----------
    cropping : int or (int, int)
        Un entero: los mismos antes y después. Dos: los del principio y los del final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no son enteros, si alguno es negativo, si no son uno o dos, o si de la serie no queda nada.
    """

    rank = 1

    def __init__(self, cropping=(1, 1), **options):
        super().__init__(cropping, **options)
