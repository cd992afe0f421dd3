r"""Agrupamiento global: cada canal, en un número."""

import numpy as np

from chapters.cnn.arguments import as_images, channels_last, on_image
from chapters.cnn.pooling.average_pooling import _average_pooling_backward, _average_pooling_forward
from chapters.cnn.pooling.base import Spans
from chapters.cnn.pooling.max_pooling import _max_pooling_backward, _max_pooling_forward
from chapters.cnn.spatial import Spatial
from dlbook import check


class _GlobalPooling2D(Spatial):
    # Toda la imagen es una sola ventana.
    def __init__(self, data_format=None, keepdims=False, **options):
        super().__init__(**options)
        self.data_format = channels_last(data_format)
        self.keepdims = check.boolean(keepdims, "keepdims")

    def compute_output_shape(self, input_shape):
        r"""Devuelve un número por canal; con ``keepdims``, una imagen de 1 × 1 o una serie de un instante."""
        _, channels = self.sizes(input_shape)
        return (*(1,) * self.rank * self.keepdims, channels)

    def forward(self, x, training=False):
        r"""Resume cada canal."""
        self.x = x = self.ready(x)
        pixels = self.buffer("y", self._pixels(x))
        self._summarize(as_images(x), self.at(x.shape[1:]), pixels)
        self.y = pixels.reshape(len(x), *(1,) * self.rank * self.keepdims, x.shape[-1])
        return self.y

    def place(self, shape):
        r"""Da una sola ventana, de orilla a orilla."""
        height, width = on_image(shape[:-1])
        return Spans(*(np.array([edge]) for edge in (0, height, 0, width)))

    def _pixels(self, x):
        # Los núcleos escriben una imagen de un solo píxel.
        return len(x), 1, 1, x.shape[-1]


class GlobalAveragePooling2D(_GlobalPooling2D):
    r"""Capa de promedio global (*global average pooling*): cada canal, en su promedio.

    Es :eq:`ec-cnn-promedio` con una ventana del tamaño de la imagen:

    .. math::
       :label: ed-cnn-promedio-global

       y_c = \frac{1}{hw}\sum_{a,b} x_{abc} ,
       \qquad
       \frac{\partial\mathcal L}{\partial x_{abc}} = \frac{1}{hw}\,\frac{\partial\mathcal L}{\partial y_c} .

    Entre la última convolución y las neuronas que contestan hay que pasar de mapas a un vector. Aplanar un mapa de
    :math:`7\times7\times512` da 25 088 números, y una capa densa de mil neuronas detrás, veinticinco millones de pesos.
    El promedio global deja 512 números, no tiene pesos, y además sirve para imágenes de varios tamaños.
    :cite:p:`lin2014`

    **A mano.** Dos canales de :math:`2\times2`:

    >>> x = np.array([1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 6.0, 60.0])
    >>> x = x.reshape(1, 2, 2, 2)
    >>> layer = GlobalAveragePooling2D(dtype="float64")
    >>> layer.forward(x)
    array([[ 3., 30.]])
    >>> layer.backward([[4.0, 8.0]])[0, :, :, 1]
    array([[2., 2.],
           [2., 2.]])
    >>> GlobalAveragePooling2D(keepdims=True).compute_output_shape((7, 7, 512))
    (1, 1, 512)

    Parameters
    ----------
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    keepdims : bool
        Si la salida sigue siendo una imagen, de 1 × 1.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    _summarize = staticmethod(_average_pooling_forward)

    def backward(self, dy):
        r"""Reparte el gradiente de cada canal entre todos sus píxeles."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        dy = dy.reshape(self._pixels(self.x))
        _average_pooling_backward(dy, self.at(self.x.shape[1:]), as_images(dx))
        return dx


class GlobalMaxPooling2D(_GlobalPooling2D):
    r"""Capa de máximo global (*global max pooling*): lo más fuerte de cada canal, esté donde esté.

    Es :eq:`ec-cnn-max` con una ventana del tamaño de la imagen, y su gradiente es :eq:`ec-cnn-max-atras`: de cada canal
    aprende un solo píxel.

    >>> x = np.array([1.0, 10.0, 2.0, 90.0, 3.0, 30.0, 6.0, 60.0])
    >>> x = x.reshape(1, 2, 2, 2)
    >>> layer = GlobalMaxPooling2D(dtype="float64")
    >>> layer.forward(x)
    array([[ 6., 90.]])
    >>> layer.backward([[4.0, 8.0]])[0, :, :, 1]
    array([[0., 8.],
           [0., 0.]])

    Parameters
    ----------
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    keepdims : bool
        Si la salida sigue siendo una imagen, de 1 × 1.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Notes
    -----
    En un empate, aquí la culpa va al primero, como en :class:`~chapters.cnn.MaxPooling2D`. Keras la reparte entre los
    empatados.
    """

    _summarize = staticmethod(_max_pooling_forward)

    def backward(self, dy):
        r"""Entrega el gradiente de cada canal a su mayor píxel."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        x, shape = self.x, self._pixels(self.x)
        spans = self.at(x.shape[1:])
        y, dy = self.y.reshape(shape), dy.reshape(shape)
        _max_pooling_backward(as_images(x), y, dy, spans, as_images(dx))
        return dx
