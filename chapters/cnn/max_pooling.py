r"""Agrupamiento por el máximo: de cada ventana, lo más fuerte."""

import numpy as np
from numba import njit

from chapters.cnn.pooling import Pooling2D
from dlbook import check


def max_pooling_forward(x, pool_size=(2, 2), strides=None, padding="valid"):
    r"""El mayor de cada ventana, canal por canal.

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Un lote de imágenes.
    pool_size, strides, padding
        Como en :class:`MaxPooling2D`.

    Returns
    -------
    ndarray, shape (n, h', w', c)
    """
    layer = MaxPooling2D(pool_size, strides, padding, dtype=check.floats(x, "x", "n h w c").dtype.name)
    return layer.forward(x)


@njit(cache=True, nogil=True)
def _max_pooling_forward(x, tops, bottoms, lefts, rights, y):
    n, _, width, channels = x.shape
    row = np.empty((width, channels), x.dtype)
    flat = row.ravel()
    for i in range(n):
        for r in range(tops.size):
            # Primero, de arriba abajo: el mayor de cada columna de la franja, sin distinguir canales.
            flat[:] = x[i, tops[r]].ravel()
            for p in range(tops[r] + 1, bottoms[r]):
                line = x[i, p].ravel()
                for k in range(flat.size):
                    flat[k] = _larger(flat[k], line[k])
            # Después, de izquierda a derecha.
            for s in range(lefts.size):
                for c in range(channels):
                    y[i, r, s, c] = row[lefts[s], c]
                for q in range(lefts[s] + 1, rights[s]):
                    for c in range(channels):
                        y[i, r, s, c] = _larger(y[i, r, s, c], row[q, c])


@njit(cache=True, nogil=True)
def _larger(a, b):
    # Un NaN gana siempre: que el error se vea.
    return b if b > a or b != b else a


def max_pooling_backward(x, dy, pool_size=(2, 2), strides=None, padding="valid"):
    r"""El gradiente del agrupamiento por el máximo: la culpa, entera, a quien ganó.

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Lo que entró a :func:`max_pooling_forward`.
    dy : array_like, shape (n, h', w', c)
        El gradiente de su salida.
    pool_size, strides, padding
        Como en :class:`MaxPooling2D`.

    Returns
    -------
    ndarray, shape (n, h, w, c)
    """
    layer = MaxPooling2D(pool_size, strides, padding, dtype=check.floats(x, "x", "n h w c").dtype.name)
    layer.forward(x)
    return layer.backward(dy)


@njit(cache=True, nogil=True)
def _max_pooling_backward(x, y, dy, tops, bottoms, lefts, rights, dx):
    n, _, _, channels = x.shape
    left = np.empty(channels, x.dtype)
    zero = x.dtype.type(0)
    dx[:] = 0
    for i in range(n):
        for r in range(tops.size):
            for s in range(lefts.size):
                left[:] = dy[i, r, s]
                for p in range(tops[r], bottoms[r]):
                    for q in range(lefts[s], rights[s]):
                        for c in range(channels):
                            wins = x[i, p, q, c] == y[i, r, s, c]
                            dx[i, p, q, c] += left[c] if wins else zero
                            left[c] = zero if wins else left[c]


class MaxPooling2D(Pooling2D):
    r"""Agrupamiento por el máximo (*max pooling*), con los argumentos de Keras."""

    def forward(self, x, training=False):
        r"""Se queda con el mayor de cada ventana."""
        self.x = x = self.input(x)
        self.y = self.buffer("y", (len(x), *self.compute_output_shape(self.input_shape)))
        _max_pooling_forward(x, *self.spans, self.y)
        return self.y

    def backward(self, dy):
        r"""Entrega cada gradiente al que ganó su ventana."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _max_pooling_backward(self.x, self.y, dy, *self.spans, dx)
        return dx
