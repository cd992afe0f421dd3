r"""Agrupamiento global: un número por canal."""

import numpy as np

from chapters.cnn.average_pooling import _average_pooling_backward, _average_pooling_forward
from chapters.cnn.max_pooling import _max_pooling_backward, _max_pooling_forward
from chapters.cnn.pooling import image_shape
from chapters.mlp.layer import Layer


class _GlobalPooling2D(Layer):
    def __init__(self, keepdims=False, **options):
        super().__init__(**options)
        self.keepdims = bool(keepdims)

    def build(self, input_shape):
        r"""Hace de toda la imagen una sola ventana."""
        image_shape(input_shape)
        super().build(input_shape)
        h, w, _ = self.input_shape
        self.spans = tuple(np.array([edge]) for edge in (0, h, 0, w))

    def compute_output_shape(self, input_shape):
        r"""Devuelve un número por canal; con ``keepdims``, en una imagen de 1 × 1."""
        channels = image_shape(input_shape)[2]
        return (1, 1, channels) if self.keepdims else (channels,)

    def _result(self):
        # Los núcleos escriben imágenes de 1 × 1; la salida puede ser la misma memoria con otra forma.
        pixels = self.buffer("y", (len(self.x), 1, 1, self.input_shape[2]))
        self.y = pixels if self.keepdims else pixels.reshape(len(self.x), -1)
        return pixels


class GlobalAveragePooling2D(_GlobalPooling2D):
    r"""Promedio global (*global average pooling*): resume cada canal entero en un número."""

    def forward(self, x, training=False):
        r"""Promedia cada canal."""
        self.x = self.input(x)
        _average_pooling_forward(self.x, *self.spans, self._result())
        return self.y

    def backward(self, dy):
        r"""Reparte el gradiente de cada canal entre todos sus píxeles."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _average_pooling_backward(dy.reshape(len(dy), 1, 1, -1), *self.spans, dx)
        return dx


class GlobalMaxPooling2D(_GlobalPooling2D):
    r"""Máximo global (*global max pooling*): lo más fuerte de cada canal, esté donde esté."""

    def forward(self, x, training=False):
        r"""Se queda con el mayor de cada canal."""
        self.x = self.input(x)
        _max_pooling_forward(self.x, *self.spans, self._result())
        return self.y

    def backward(self, dy):
        r"""Entrega el gradiente de cada canal a su mayor píxel."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        pixels = (len(dy), 1, 1, self.input_shape[2])
        _max_pooling_backward(self.x, self.y.reshape(pixels), dy.reshape(pixels), *self.spans, dx)
        return dx
