r"""Agrupamiento por el máximo: de cada ventana, lo más fuerte."""

import numpy as np

from chapters.cnn.arguments import as_images
from chapters.cnn.pooling.base import Pooling2D
from dlbook import check
from dlbook.numeric.kernel import kernel


def max_pooling_forward(x, pool_size=(2, 2), strides=None, padding="valid"):
    r"""El mayor de cada ventana, canal por canal.

    Un mapa de características dice, en cada lugar, cuánto se parece la imagen a lo que busca el filtro. Para saber si
    eso está *por aquí* no hacen falta todas las respuestas: basta la más fuerte de cada vecindario. Con ventanas de
    :math:`k_h\times k_w`, paso :math:`s` y :math:`p` casillas de relleno arriba y a la izquierda, la salida
    :math:`(u,v)` del canal :math:`c` es

    .. math::
       :label: ec-cnn-max

       y_{uvc} = \max_{\substack{0\le i<k_h\\ 0\le j<k_w}}\ x_{\,us+i-p,\ vs+j-p,\ c} .

    Cada canal se agrupa por separado: entran :math:`C` mapas y salen :math:`C`, más pequeños. No hay pesos. Con el
    relleno ``"same"`` la ventana puede salirse de la imagen; ahí no hay píxeles, y no compiten. (Un relleno de ceros
    ganaría siempre que lo demás fuera negativo.) :item:`CNN-04, CNN-77`

    **A mano.** Uno de los cursos enseña una rebanada de un mapa y la agrupa de dos en dos con paso dos; sus números no
    se conservaron, y estos son nuestros. En la ventana de arriba a la izquierda compiten 2, 7, 4 y 3: :item:`CNN-78`

    >>> x = np.array([[2.0, 7.0, 1.0, 0.0],
    ...               [4.0, 3.0, 5.0, 6.0],
    ...               [8.0, 1.0, 2.0, 2.0],
    ...               [0.0, 9.0, 3.0, 1.0]]).reshape(1, 4, 4, 1)
    >>> max_pooling_forward(x)[0, :, :, 0]
    array([[7., 6.],
           [9., 3.]])

    Con paso 1 las ventanas se superponen, y el 9 gana en las dos que lo contienen:

    >>> max_pooling_forward(x, strides=1)[0, :, :, 0]
    array([[7., 7., 6.],
           [8., 5., 6.],
           [9., 9., 3.]])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Las imágenes, con los canales al final.
    pool_size : int or (int, int)
        Alto y ancho de la ventana.
    strides : int or (int, int), optional
        El paso. Sin él, lo que mide la ventana: ni se superponen ni dejan huecos.
    padding : {"valid", "same"}
        Si la ventana puede salirse de la imagen.

    Returns
    -------
    ndarray, shape (n, h', w', c)

    Raises
    ------
    TypeError, ValueError
        Si no son imágenes de números reales o la ventana no cabe.

        >>> max_pooling_forward(x, pool_size=5)
        Traceback (most recent call last):
            ...
        ValueError: pool_size: se esperaba una ventana que quepa en 4×4, pero llegó 5×5
    """
    x = check.floats(x, "x", "n h w c")
    return MaxPooling2D(pool_size, strides, padding, dtype=x.dtype.name).forward(x)


def plain_max_pooling_forward(x, pool_size, strides):
    r"""De cada ventana, el mayor."""
    n, height, width, channels = x.shape
    rows = (height - pool_size) // strides + 1
    columns = (width - pool_size) // strides + 1
    y = np.empty((n, rows, columns, channels))
    for u in range(rows):
        for v in range(columns):
            a, b = u * strides, v * strides
            window = x[:, a : a + pool_size, b : b + pool_size]
            y[:, u, v] = window.max(axis=(1, 2))  # [ec-cnn-max]
    return y


@kernel(inline="always")
def _larger(a, b):
    # Un NaN gana siempre: que el error se vea.
    return b if (b > a) | (b != b) else a


@kernel
def _max_pooling_forward(x, spans, y):
    tops, bottoms, lefts, rights = spans
    n, height, width, channels = y.shape
    best = np.empty(channels, x.dtype)
    for k in range(n):
        for u in range(height):
            for v in range(width):
                best[:] = x[k, tops[u], lefts[v]]
                for a in range(tops[u], bottoms[u]):
                    for b in range(lefts[v], rights[v]):
                        pixel = x[k, a, b]
                        for c in range(channels):
                            best[c] = _larger(best[c], pixel[c])
                y[k, u, v] = best  # [ec-cnn-max]


@kernel
def _max_pooling_forward_2x2(x, y):
    # El caso de casi siempre, escrito sin ciclos por dentro: es varias veces más rápido.
    n, height, width, channels = y.shape
    for k in range(n):
        for u in range(height):
            for v in range(width):
                a, b = x[k, 2 * u, 2 * v], x[k, 2 * u, 2 * v + 1]
                c, d = x[k, 2 * u + 1, 2 * v], x[k, 2 * u + 1, 2 * v + 1]
                best = y[k, u, v]
                for m in range(channels):
                    best[m] = _larger(_larger(a[m], b[m]), _larger(c[m], d[m]))


def max_pooling_backward(x, dy, pool_size=(2, 2), strides=None, padding="valid"):
    r"""El gradiente del agrupamiento por el máximo: la culpa, entera, a quien ganó.

    Toma una ventana y mueve un poco uno de sus píxeles. Si es el mayor, la salida se mueve con él, uno a uno. Si no, la
    salida ni se entera. La derivada es 1 para el ganador y 0 para los demás, como en :eq:`ec-mlp-maxout-atras`. Un
    píxel puede estar en varias ventanas; le toca la suma de las que ganó:

    .. math::
       :label: ec-cnn-max-atras

       \frac{\partial\mathcal L}{\partial x_{abc}}
       = \sum_{u,v\,:\ g_{uvc}=(a,b)} \frac{\partial\mathcal L}{\partial y_{uvc}} ,

    donde :math:`g_{uvc}` es el lugar del ganador de la ventana :math:`(u,v)` en el canal :math:`c`. En un empate hay un
    pico, y por convenio gana el primero que se encuentra al leer la ventana como una página. Después de una ReLU hay
    muchos empates a cero; ahí el convenio no importa, porque la ReLU tampoco deja pasar esa culpa.

    **A mano.** Los datos de :func:`max_pooling_forward`, con culpas 1, 2, 3 y 4. Ganaron el 7, el 6, el 9 y el 3 de
    abajo, y los demás se quedan sin nada:

    >>> x = np.array([[2.0, 7.0, 1.0, 0.0],
    ...               [4.0, 3.0, 5.0, 6.0],
    ...               [8.0, 1.0, 2.0, 2.0],
    ...               [0.0, 9.0, 3.0, 1.0]]).reshape(1, 4, 4, 1)
    >>> dy = np.array([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1)
    >>> max_pooling_backward(x, dy)[0, :, :, 0]
    array([[0., 1., 0., 0.],
           [0., 0., 0., 2.],
           [0., 0., 0., 0.],
           [0., 3., 4., 0.]])

    Con paso 1 y culpa 1 en las nueve ventanas, el 9 recibe dos, por las dos en las que ganó:

    >>> max_pooling_backward(x, np.ones((1, 3, 3, 1)), strides=1)[0, :, :, 0]
    array([[0., 2., 0., 0.],
           [0., 0., 1., 2.],
           [1., 0., 0., 0.],
           [0., 2., 1., 0.]])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Lo que entró a :func:`max_pooling_forward`.
    dy : array_like, shape (n, h', w', c)
        El gradiente de su salida.
    pool_size, strides, padding
        Como en :func:`max_pooling_forward`.

    Returns
    -------
    ndarray, shape (n, h, w, c)
        El gradiente de la entrada.

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, la ventana no cabe o hay NaN o infinitos.
    """
    x = check.floats(x, "x", "n h w c")
    layer = MaxPooling2D(pool_size, strides, padding, dtype=x.dtype.name)
    layer.forward(x)
    return layer.backward(dy)


def plain_max_pooling_backward(x, dy, pool_size, strides):
    r"""De cada ventana, la culpa a quien ganó."""
    dx = np.zeros(x.shape)
    for k, u, v, c in np.ndindex(dy.shape):
        a, b = u * strides, v * strides
        window = x[k, a : a + pool_size, b : b + pool_size, c]
        i, j = np.unravel_index(window.argmax(), window.shape)
        dx[k, a + i, b + j, c] += dy[k, u, v, c]  # [ec-cnn-max-atras]
    return dx


@kernel
def _max_pooling_backward(x, y, dy, spans, dx):
    tops, bottoms, lefts, rights = spans
    n, height, width, channels = y.shape
    left = np.empty(channels, x.dtype)
    zero = x.dtype.type(0)
    dx[:] = 0
    for k in range(n):
        for u in range(height):
            for v in range(width):
                # Lo que queda por entregar de cada canal: todo, hasta que aparece el ganador; luego, nada.
                left[:] = dy[k, u, v]
                best = y[k, u, v]
                for a in range(tops[u], bottoms[u]):
                    for b in range(lefts[v], rights[v]):
                        pixel, gradient = x[k, a, b], dx[k, a, b]
                        for c in range(channels):
                            given = left[c] if pixel[c] == best[c] else zero
                            gradient[c] += given  # [ec-cnn-max-atras]
                            left[c] -= given


@kernel
def _max_pooling_backward_2x2(x, y, dy, dx):
    n, height, width, channels = y.shape
    zero = x.dtype.type(0)
    # De un lado impar, la última fila o columna no está en ninguna ventana.
    dx[:, 2 * height :] = 0
    dx[:, :, 2 * width :] = 0
    for k in range(n):
        for u in range(height):
            for v in range(width):
                a, b, c = x[k, 2 * u, 2 * v], x[k, 2 * u, 2 * v + 1], x[k, 2 * u + 1, 2 * v]
                da, db = dx[k, 2 * u, 2 * v], dx[k, 2 * u, 2 * v + 1]
                dc, dd = dx[k, 2 * u + 1, 2 * v], dx[k, 2 * u + 1, 2 * v + 1]
                best, gradient = y[k, u, v], dy[k, u, v]
                for m in range(channels):
                    left = gradient[m]
                    given = left if a[m] == best[m] else zero
                    da[m] = given
                    left -= given
                    given = left if b[m] == best[m] else zero
                    db[m] = given
                    left -= given
                    given = left if c[m] == best[m] else zero
                    dc[m] = given
                    # Si no ganó ninguno de los tres, ganó el cuarto.
                    dd[m] = left - given


class MaxPooling2D(Pooling2D):
    r"""Capa de agrupamiento por el máximo (*max pooling*), con los argumentos de Keras.

    Hacia delante hace :func:`max_pooling_forward`; hacia atrás, :func:`max_pooling_backward`.

    >>> layer = MaxPooling2D()
    >>> layer.compute_output_shape((28, 28, 32))
    (14, 14, 32)

    Con VALID y un lado impar, la última fila y la última columna se pierden; con SAME, no:

    >>> layer.compute_output_shape((5, 5, 3))
    (2, 2, 3)
    >>> MaxPooling2D(padding="same").compute_output_shape((5, 5, 3))
    (3, 3, 3)

    Parameters
    ----------
    pool_size : int or (int, int)
        Alto y ancho de la ventana.
    strides : int or (int, int), optional
        El paso. Sin él, lo que mide la ventana.
    padding : {"valid", "same"}
        Si la ventana puede salirse de la imagen.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> MaxPooling2D(strides=0)
        Traceback (most recent call last):
            ...
        ValueError: strides: se esperaba un entero de al menos 1, pero llegó 0
    """

    def forward(self, x, training=False):
        r"""Se queda con el mayor de cada ventana."""
        self.x = x = self.ready(x)
        spans = self.at(x.shape[1:])
        self.y = y = self._output(x, spans)
        if self._tiles_2x2(x):
            _max_pooling_forward_2x2(x, y)
        else:
            _max_pooling_forward(as_images(x), spans, as_images(y))
        return y

    def backward(self, dy):
        r"""Entrega cada gradiente al que ganó su ventana."""
        return self._routed(self.output_gradient(dy), self.y)

    def _routed(self, dy, winners):
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        if self._tiles_2x2(self.x):
            _max_pooling_backward_2x2(self.x, winners, dy, dx)
        else:
            images = map(as_images, (self.x, winners, dy))
            _max_pooling_backward(*images, self.at(self.x.shape[1:]), as_images(dx))
        return dx

    def _tiles_2x2(self, x):
        # Los cuadros de 2 × 2 de casi siempre. Con SAME y un lado impar, la última ventana está recortada.
        whole = self.padding == "valid" or (x.shape[1] % 2 == 0 and x.shape[2] % 2 == 0)
        return self.pool_size == self.strides == (2, 2) and whole
