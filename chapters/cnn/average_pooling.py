r"""Agrupamiento por el promedio: de cada ventana, lo que hay en general."""

import numpy as np
from numba import njit

from chapters.cnn.pooling import Pooling2D
from dlbook import check


def average_pooling_forward(x, pool_size=(2, 2), strides=None, padding="valid"):
    r"""El promedio de cada ventana, canal por canal."""
    layer = AveragePooling2D(pool_size, strides, padding, dtype=check.floats(x, "x", "n h w c").dtype.name)
    return layer.forward(x)


@njit(cache=True, nogil=True)
def _average_pooling_forward(x, tops, bottoms, lefts, rights, y):
    n, _, width, channels = x.shape
    row = np.empty((width, channels), x.dtype)
    flat = row.ravel()
    for i in range(n):
        for r in range(tops.size):
            flat[:] = x[i, tops[r]].ravel()
            for p in range(tops[r] + 1, bottoms[r]):
                line = x[i, p].ravel()
                for k in range(flat.size):
                    flat[k] += line[k]
            for s in range(lefts.size):
                share = x.dtype.type(1 / ((bottoms[r] - tops[r]) * (rights[s] - lefts[s])))
                for c in range(channels):
                    y[i, r, s, c] = row[lefts[s], c]
                for q in range(lefts[s] + 1, rights[s]):
                    for c in range(channels):
                        y[i, r, s, c] += row[q, c]
                for c in range(channels):
                    y[i, r, s, c] *= share


def average_pooling_backward(dy, input_shape, pool_size=(2, 2), strides=None, padding="valid"):
    r"""El gradiente del agrupamiento por el promedio: la culpa, a partes iguales."""
    dy = check.floats(dy, "dy", "n h w c")
    layer = AveragePooling2D(pool_size, strides, padding, dtype=dy.dtype.name)
    layer.forward(np.zeros((len(dy), *input_shape), dy.dtype))
    return layer.backward(dy)


@njit(cache=True, nogil=True)
def _average_pooling_backward(dy, tops, bottoms, lefts, rights, dx):
    n, _, width, channels = dx.shape
    row = np.empty((width, channels), dx.dtype)
    flat = row.ravel()
    dx[:] = 0
    for i in range(n):
        for r in range(tops.size):
            row[:] = 0
            for s in range(lefts.size):
                share = dx.dtype.type(1 / ((bottoms[r] - tops[r]) * (rights[s] - lefts[s])))
                for q in range(lefts[s], rights[s]):
                    for c in range(channels):
                        row[q, c] += dy[i, r, s, c] * share
            for p in range(tops[r], bottoms[r]):
                line = dx[i, p].ravel()
                for k in range(flat.size):
                    line[k] += flat[k]


class AveragePooling2D(Pooling2D):
    r"""Agrupamiento por el promedio (*average pooling*), con los argumentos de Keras."""

    def forward(self, x, training=False):
        r"""Promedia cada ventana, sin contar lo que queda fuera de la imagen."""
        self.x = x = self.input(x)
        self.y = self.buffer("y", (len(x), *self.compute_output_shape(self.input_shape)))
        _average_pooling_forward(x, *self.spans, self.y)
        return self.y

    def backward(self, dy):
        r"""Reparte cada gradiente entre todos los de su ventana."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _average_pooling_backward(dy, *self.spans, dx)
        return dx
