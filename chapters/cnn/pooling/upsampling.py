r"""Agrandar una imagen sin pesos: repetir o interpolar."""

from typing import NamedTuple

import numpy as np

from chapters.cnn.arguments import channels_last, pair, whole
from chapters.cnn.spatial import Spatial
from dlbook import check
from dlbook.numeric.kernel import kernel


class Neighbors(NamedTuple):
    r"""Los cuatro viejos de los que sale cada píxel nuevo, y cuánto pesa el segundo de cada pareja."""

    above: np.ndarray
    below: np.ndarray
    down: np.ndarray
    before: np.ndarray
    after: np.ndarray
    right: np.ndarray


def _neighbors(count, times, dtype):
    center = np.maximum((np.arange(count * times) + 0.5) / times - 0.5, 0)
    first = center.astype(np.int64)
    return first, np.minimum(first + 1, count - 1), (center - first).astype(dtype)


class UpSampling2D(Spatial):
    r"""Capa que agranda cada imagen un número entero de veces, con los argumentos de Keras.

    **Por el vecino más cercano** (``"nearest"``): cada píxel se repite en un cuadro de :math:`s\times s`. Su culpa es
    la suma de la de sus copias, porque moverlo las mueve a todas.

    **Bilineal** (``"bilinear"``): cada píxel nuevo se interpola entre los cuatro viejos que lo rodean. Como se hace
    primero a lo alto y luego a lo ancho, basta un eje. Los píxeles son **cuadritos**, no puntos: el centro del nuevo
    número :math:`a` está, en unidades de los viejos, en :math:`r=(a+\tfrac12)/s-\tfrac12`. Cae entre los viejos
    :math:`i=\lfloor r\rfloor` e :math:`i+1`, y se reparte según a cuál se acerca:

    .. math::
       :label: ec-cnn-agrandar

       y_a = (1-\lambda)\,x_i+\lambda\,x_{i+1} ,
       \quad
       \lambda = r-i .

    En la orilla, el vecino que falta es el último que hay. Con dos ejes son dos matrices de coeficientes,
    :math:`\mathbf Y=\mathbf R\mathbf X\mathbf S^\top`, que no dependen de la imagen. La operación es lineal, y su
    vuelta va por las traspuestas: cada píxel nuevo devuelve la culpa a los cuatro que lo formaron, con los mismos
    coeficientes:

    .. math::
       :label: ec-cnn-agrandar-atras

       \frac{\partial\mathcal L}{\partial\mathbf X}
       = \mathbf R^\top\,\frac{\partial\mathcal L}{\partial\mathbf Y}\,\mathbf S .

    **A mano.** Una fila de dos píxeles, al doble. Los centros nuevos están en :math:`-\tfrac14`, :math:`\tfrac14`,
    :math:`\tfrac34` y :math:`\tfrac54`:

    >>> x = np.array([0.0, 8.0]).reshape(1, 1, 2, 1)
    >>> UpSampling2D((1, 2), dtype="float64").forward(x).ravel()
    array([0., 0., 8., 8.])
    >>> layer = UpSampling2D((1, 2), interpolation="bilinear", dtype="float64")
    >>> layer.forward(x).ravel()
    array([0., 2., 6., 8.])
    >>> dy = np.array([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 4, 1)
    >>> layer.backward(dy).ravel()
    array([1.75, 0.25])

    Parameters
    ----------
    size : int or (int, int)
        Cuántas veces se agranda, a lo alto y a lo ancho.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    interpolation : {"nearest", "bilinear"}
        Cómo se rellena lo nuevo.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> UpSampling2D(interpolation="bicubic")
        Traceback (most recent call last):
            ...
        ValueError: interpolation: se esperaba 'nearest' o 'bilinear', pero llegó 'bicubic'
    """

    def __init__(self, size=(2, 2), data_format=None, interpolation="nearest", **options):
        super().__init__(**options)
        self.size = pair(size, "size")
        self.data_format = channels_last(data_format)
        self.interpolation = check.choice(interpolation, "interpolation", ["nearest", "bilinear"])

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma con los lados multiplicados."""
        sizes, channels = self.sizes(input_shape)
        axes = zip(sizes, self.size, strict=True)
        return (*(None if d is None else d * times for d, times in axes), channels)

    def forward(self, x, training=False):
        r"""Agranda cada imagen."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (len(x), *self.compute_output_shape(x.shape[1:])))
        if self.interpolation == "nearest":
            _repeat(x, *self.size, y)
        else:
            _bilinear_forward(x, self.at(x.shape[1:]), y)
        return y

    def backward(self, dy):
        r"""Devuelve a cada píxel la culpa de los que salieron de él."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        if self.interpolation == "nearest":
            _sum_copies(dy, *self.size, dx)
        else:
            _bilinear_backward(dy, self.at(self.x.shape[1:]), dx)
        return dx

    def place(self, shape):
        r"""Encuentra, para cada píxel nuevo, los viejos que lo rodean."""
        rows, columns = (_neighbors(d, times, self.dtype) for d, times in zip(shape[:2], self.size, strict=True))
        return Neighbors(*rows, *columns)


def plain_up_sampling2d(x, dy, size):
    r"""Interpolar es multiplicar por dos matrices; volver, por sus traspuestas."""
    matrices = []
    for count in x.shape[1:3]:
        coefficients = np.zeros((count * size, count))
        for a in range(count * size):
            r = max((a + 0.5) / size - 0.5, 0)
            i = int(r)
            coefficients[a, i] += 1 - (r - i)  # [ec-cnn-agrandar]
            coefficients[a, min(i + 1, count - 1)] += r - i  # [ec-cnn-agrandar]
        matrices.append(coefficients)
    R, S = matrices
    y = np.einsum("ai,nijc,bj->nabc", R, x, S)
    dx = np.einsum("ai,nabc,bj->nijc", R, dy, S)  # [ec-cnn-agrandar-atras]
    return y, dx


@kernel
def _repeat(x, down, across, y):
    n, height, width, channels = x.shape
    for k in range(n):
        for a in range(height * down):
            row, out = x[k, a // down], y[k, a]
            for b in range(width):
                pixel = row[b]
                for j in range(b * across, (b + 1) * across):
                    copy = out[j]
                    for c in range(channels):
                        copy[c] = pixel[c]


@kernel
def _sum_copies(dy, down, across, dx):
    n, height, width, channels = dx.shape
    for k in range(n):
        for a in range(height):
            for b in range(width):
                total, first = dx[k, a, b], dy[k, a * down, b * across]
                for c in range(channels):
                    total[c] = first[c]
                for i in range(down):
                    for j in range(i == 0, across):
                        copy = dy[k, a * down + i, b * across + j]
                        for c in range(channels):
                            total[c] += copy[c]


@kernel
def _bilinear_forward(x, neighbors, y):
    above, below, down, before, after, right = neighbors
    one = x.dtype.type(1)
    for n in range(y.shape[0]):
        for a in range(y.shape[1]):
            for b in range(y.shape[2]):
                for c in range(y.shape[3]):
                    top = (one - right[b]) * x[n, above[a], before[b], c] + right[b] * x[n, above[a], after[b], c]
                    low = (one - right[b]) * x[n, below[a], before[b], c] + right[b] * x[n, below[a], after[b], c]
                    y[n, a, b, c] = (one - down[a]) * top + down[a] * low  # [ec-cnn-agrandar]


@kernel
def _bilinear_backward(dy, neighbors, dx):
    above, below, down, before, after, right = neighbors
    one = dx.dtype.type(1)
    dx[:] = 0
    for n in range(dy.shape[0]):
        for a in range(dy.shape[1]):
            for b in range(dy.shape[2]):
                for c in range(dy.shape[3]):
                    top, low = (one - down[a]) * dy[n, a, b, c], down[a] * dy[n, a, b, c]
                    dx[n, above[a], before[b], c] += (one - right[b]) * top  # [ec-cnn-agrandar-atras]
                    dx[n, above[a], after[b], c] += right[b] * top
                    dx[n, below[a], before[b], c] += (one - right[b]) * low
                    dx[n, below[a], after[b], c] += right[b] * low


class UpSampling1D(Spatial):
    r"""Capa que repite cada instante de una serie, con los argumentos de Keras.

    Es :class:`~chapters.cnn.UpSampling2D` por el vecino más cercano, a lo largo del tiempo: con :math:`s` copias de
    cada uno,

    .. math::
       :label: ec-cnn-repetir

       y_{ts+i} = x_t ,
       \qquad
       \frac{\partial\mathcal L}{\partial x_t} = \sum_{i=0}^{s-1}\frac{\partial\mathcal L}{\partial y_{ts+i}} .

    **A mano.** Dos instantes, tres veces cada uno; de vuelta, :math:`0+1+2` y :math:`3+4+5`:

    >>> layer = UpSampling1D(3, dtype="float64")
    >>> layer.forward([[[1], [2]]]).ravel()
    array([1., 1., 1., 2., 2., 2.])
    >>> layer.backward(np.arange(6.0).reshape(1, 6, 1)).ravel()
    array([ 3., 12.])

    Parameters
    ----------
    size : int
        Cuántas veces se repite cada uno.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no es un entero de al menos 1.
    """

    rank = 1

    def __init__(self, size=2, **options):
        super().__init__(**options)
        self.size = whole(size, "size")

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma con el largo multiplicado."""
        (length,), channels = self.sizes(input_shape)
        return None if length is None else length * self.size, channels

    def forward(self, x, training=False):
        r"""Repite cada instante."""
        self.x = x = self.ready(x)
        n, length, channels = x.shape
        self.y = y = self.buffer("y", (n, length * self.size, channels))
        # Una serie es una imagen de un píxel de alto.
        _repeat(x[:, np.newaxis], 1, self.size, y[:, np.newaxis])  # [ec-cnn-repetir]
        return y

    def backward(self, dy):
        r"""Devuelve a cada instante la culpa de sus copias."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _sum_copies(dy[:, np.newaxis], 1, self.size, dx[:, np.newaxis])  # [ec-cnn-repetir]
        return dx


def plain_up_sampling1d(x, dy, size):
    r"""Cada instante, repetido; de vuelta, la suma de sus copias."""
    y = np.repeat(x, size, axis=1)  # [ec-cnn-repetir]
    copies = dy.reshape(len(x), -1, size, x.shape[-1])
    return y, copies.sum(axis=2)  # [ec-cnn-repetir]
