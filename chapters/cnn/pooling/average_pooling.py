r"""Agrupamiento por el promedio: de cada ventana, lo que hay en general."""

import math

import numpy as np

from chapters.cnn.arguments import as_images
from chapters.cnn.pooling.base import Pooling2D
from dlbook import check
from dlbook.numeric.kernel import kernel


def average_pooling_forward(x, pool_size=(2, 2), strides=None, padding="valid"):
    r"""El promedio de cada ventana, canal por canal.

    El máximo contesta «¿está?»; el promedio, «¿cuánto hay?». Es la suma de la ventana entre los píxeles que tiene:

    .. math::
       :label: ec-cnn-promedio

       y_{uvc} = \frac{1}{|V_{uv}|}\sum_{(a,b)\in V_{uv}} x_{abc} ,

    donde :math:`V_{uv}` son los píxeles **de la imagen** que cubre la ventana :math:`(u,v)`. Sin relleno hay
    :math:`k_hk_w`; con el relleno ``"same"``, en la orilla hay menos, y se divide entre los que haya. Contar los ceros
    del relleno oscurecería el borde.

    Sin relleno, es la correlación de cada canal con el filtro de caja, que vale :math:`1/(k_hk_w)` en todas sus
    casillas, mirada de :math:`s` en :math:`s`. Por eso es lineal, y el máximo no. :item:`CNN-06`

    **A mano.** En la primera ventana, :math:`(2+7+4+3)/4=4`:

    >>> x = np.array([[2.0, 7.0, 1.0, 0.0],
    ...               [4.0, 3.0, 5.0, 6.0],
    ...               [8.0, 1.0, 2.0, 2.0],
    ...               [0.0, 9.0, 3.0, 1.0]]).reshape(1, 4, 4, 1)
    >>> average_pooling_forward(x)[0, :, :, 0]
    array([[4. , 3. ],
           [4.5, 2. ]])

    Con ventanas de :math:`3\times3`, paso 2 y relleno, a la primera le tocan nueve píxeles, y a la última, solo los
    cuatro de la esquina:

    >>> y = average_pooling_forward(x, 3, strides=2, padding="same")
    >>> y[0, :, :, 0].round(2)
    array([[3.67, 2.67],
           [3.83, 2.  ]])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Las imágenes, con los canales al final.
    pool_size, strides, padding
        Como en :func:`~chapters.cnn.max_pooling_forward`.

    Returns
    -------
    ndarray, shape (n, h', w', c)

    Raises
    ------
    TypeError, ValueError
        Si no son imágenes de números reales o la ventana no cabe.
    """
    x = check.floats(x, "x", "n h w c")
    return AveragePooling2D(pool_size, strides, padding, dtype=x.dtype.name).forward(x)


def plain_average_pooling_forward(x, pool_size, strides):
    r"""De cada ventana, el promedio."""
    n, height, width, channels = x.shape
    rows = (height - pool_size) // strides + 1
    columns = (width - pool_size) // strides + 1
    y = np.empty((n, rows, columns, channels))
    for u in range(rows):
        for v in range(columns):
            a, b = u * strides, v * strides
            window = x[:, a : a + pool_size, b : b + pool_size]
            y[:, u, v] = window.mean(axis=(1, 2))  # [ec-cnn-promedio]
    return y


@kernel
def _average_pooling_forward(x, spans, y):
    tops, bottoms, lefts, rights = spans
    n, height, width, channels = y.shape
    total = np.empty(channels, x.dtype)
    for k in range(n):
        for u in range(height):
            for v in range(width):
                total[:] = 0
                for a in range(tops[u], bottoms[u]):
                    for b in range(lefts[v], rights[v]):
                        pixel = x[k, a, b]
                        for c in range(channels):
                            total[c] += pixel[c]
                share = x.dtype.type(1 / ((bottoms[u] - tops[u]) * (rights[v] - lefts[v])))
                mean = y[k, u, v]
                for c in range(channels):
                    mean[c] = share * total[c]  # [ec-cnn-promedio]


def average_pooling_backward(dy, input_shape, pool_size=(2, 2), strides=None, padding="valid"):
    r"""El gradiente del agrupamiento por el promedio: la culpa, a partes iguales.

    En :eq:`ec-cnn-promedio`, cada píxel de la ventana aparece con factor :math:`1/|V_{uv}|`. Ninguno ganó y ninguno
    perdió: a todos les toca lo mismo, y al que está en varias ventanas, la suma:

    .. math::
       :label: ec-cnn-promedio-atras

       \frac{\partial\mathcal L}{\partial x_{abc}}
       = \sum_{u,v\,:\,(a,b)\in V_{uv}} \frac{1}{|V_{uv}|}\,\frac{\partial\mathcal L}{\partial y_{uvc}} .

    Los valores de :math:`x` no aparecen, porque la operación es lineal; solo hace falta su forma.

    **A mano.** Culpas 4, 8, 12 y 16, en cuatro partes cada una:

    >>> dy = np.array([[4.0, 8.0], [12.0, 16.0]]).reshape(1, 2, 2, 1)
    >>> average_pooling_backward(dy, (1, 4, 4, 1))[0, :, :, 0]
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.],
           [3., 3., 4., 4.],
           [3., 3., 4., 4.]])

    Parameters
    ----------
    dy : array_like, shape (n, h', w', c)
        El gradiente de la salida de :func:`average_pooling_forward`.
    input_shape : tuple of int
        La forma de lo que entró, :math:`(n,h,w,c)`.
    pool_size, strides, padding
        Como en :func:`~chapters.cnn.max_pooling_forward`.

    Returns
    -------
    ndarray, shape (n, h, w, c)
        El gradiente de la entrada.

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, la ventana no cabe o hay NaN o infinitos.

        >>> average_pooling_backward(dy, (1, 6, 4, 1))
        Traceback (most recent call last):
            ...
        ValueError: dy: se esperaba la forma (1, 3, 2, 1) de la última salida, pero llegó (1, 2, 2, 1)
    """
    dy = check.floats(dy, "dy", "n h w c")
    layer = AveragePooling2D(pool_size, strides, padding, dtype=dy.dtype.name)
    shape = check.shape(input_shape, "input_shape")
    check.memory(math.prod(shape), "input_shape", dy.itemsize)
    layer.forward(np.zeros(shape, dy.dtype))
    return layer.backward(dy)


def plain_average_pooling_backward(dy, input_shape, pool_size, strides):
    r"""De cada ventana, la culpa a partes iguales."""
    dx = np.zeros(input_shape)
    for u, v in np.ndindex(dy.shape[1:3]):
        a, b = u * strides, v * strides
        share = dy[:, u : u + 1, v : v + 1] / pool_size**2
        dx[:, a : a + pool_size, b : b + pool_size] += share  # [ec-cnn-promedio-atras]
    return dx


@kernel
def _average_pooling_backward(dy, spans, dx):
    tops, bottoms, lefts, rights = spans
    n, height, width, channels = dy.shape
    share = np.empty(channels, dx.dtype)
    dx[:] = 0
    for k in range(n):
        for u in range(height):
            for v in range(width):
                part = dx.dtype.type(1 / ((bottoms[u] - tops[u]) * (rights[v] - lefts[v])))
                for c in range(channels):
                    share[c] = part * dy[k, u, v, c]
                for a in range(tops[u], bottoms[u]):
                    for b in range(lefts[v], rights[v]):
                        gradient = dx[k, a, b]
                        for c in range(channels):
                            gradient[c] += share[c]  # [ec-cnn-promedio-atras]


class AveragePooling2D(Pooling2D):
    r"""Capa de agrupamiento por el promedio (*average pooling*), con los argumentos de Keras.

    Hacia delante hace :func:`average_pooling_forward`; hacia atrás, :func:`average_pooling_backward`.

    >>> layer = AveragePooling2D(
    ...     (1, 3), strides=1, padding="same", dtype="float64"
    ... )
    >>> row = np.array([3.0, 6.0, 0.0, 3.0]).reshape(1, 1, 4, 1)
    >>> layer.forward(row).reshape(-1)
    array([4.5, 3. , 3. , 1.5])

    Parameters
    ----------
    pool_size, strides, padding, data_format
        Como en :class:`~chapters.cnn.MaxPooling2D`.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    def forward(self, x, training=False):
        r"""Promedia cada ventana, sin contar lo que queda fuera de la imagen."""
        self.x = x = self.ready(x)
        spans = self.at(x.shape[1:])
        self.y = y = self._output(x, spans)
        _average_pooling_forward(as_images(x), spans, as_images(y))
        return y

    def backward(self, dy):
        r"""Reparte cada gradiente entre todos los de su ventana."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        spans = self.at(self.x.shape[1:])
        _average_pooling_backward(as_images(dy), spans, as_images(dx))
        return dx
