r"""Llevar las imágenes a un mismo tamaño: estirarlas o recortarlas."""

import numpy as np

from chapters.cnn.arguments import channels_last, image_shape, whole
from chapters.cnn.image.augmentation import RandomLayer
from chapters.cnn.pooling.upsampling import Neighbors, _bilinear_backward, _bilinear_forward
from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.attributes import Absent
from dlbook.numeric.kernel import kernel


def same_aspect(height, width, target_height, target_width):
    r"""Da la mayor ventana centrada de una imagen con las proporciones de otra.

    Una imagen de 6 × 4 que ha de ser cuadrada pierde una fila arriba y otra abajo:

    >>> same_aspect(6, 4, 10, 10)
    (1, 0, 4, 4)

    Parameters
    ----------
    height, width : int
        Lo que mide la imagen.
    target_height, target_width : int
        Lo que medirá.

    Returns
    -------
    top, left, height, width : int
        Dónde empieza la ventana y cuánto mide.
    """
    tall = max(min(height, width * target_height // target_width), 1)
    wide = max(min(width, height * target_width // target_height), 1)
    return (height - tall) // 2, (width - wide) // 2, tall, wide


def _sources(start, count, size, interpolation, dtype):
    # De qué dos píxeles de los ``count`` que hay desde ``start`` sale cada uno de los ``size`` nuevos, y cuánto pesa
    # el segundo.
    if interpolation == "nearest":
        # En float32, como Keras: donde dos píxeles quedan igual de cerca, el redondeo escoge.
        center = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * (np.float32(count) / np.float32(size))
        first = np.minimum(center.astype(np.int64), count - 1)
        return start + first, start + first, np.zeros(size, dtype)
    center = np.clip((np.arange(size) + 0.5) * count / size - 0.5, 0, count - 1)  # [ec-cnn-resizing]
    first = center.astype(np.int64)
    return start + first, start + np.minimum(first + 1, count - 1), (center - first).astype(dtype)


class Resampled(Layer):
    r"""Lo que comparten las capas que dan imágenes de un tamaño fijo.

    Cada una define :meth:`window`, que dice qué ventana de la imagen se lleva a ese tamaño.

    Parameters
    ----------
    height, width : int
        El alto y el ancho de lo que sale.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    any_size = True
    interpolation = "bilinear"

    def __init__(self, height, width, data_format=None, **options):
        super().__init__(**options)
        self.height, self.width = whole(height, "height"), whole(width, "width")
        self.data_format = channels_last(data_format)
        self.neighbors = self.neighbors_shape = None

    def window(self, height, width):
        r"""Da dónde empieza la ventana y cuánto mide: arriba, izquierda, alto y ancho."""
        raise NotImplementedError

    def build(self, input_shape):
        r"""Comprueba que las observaciones sean imágenes."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma con el tamaño fijo."""
        return self.height, self.width, image_shape(input_shape)[-1]

    def forward(self, x, training=False):
        r"""Lleva las imágenes al tamaño."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (len(x), self.height, self.width, x.shape[-1]))
        _bilinear_forward(x, self._at(x.shape[1:3]), y)
        return y

    def backward(self, dy):
        r"""Reparte el gradiente de cada píxel entre los que promedió."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _bilinear_backward(dy, self._at(self.x.shape[1:3]), dx)
        return dx

    def _at(self, shape):
        # Se busca otra vez solo si las imágenes miden otra cosa que las de la última vez.
        if self.neighbors_shape != shape:
            top, left, tall, wide = self.window(*shape)
            rows = _sources(top, tall, self.height, self.interpolation, self.dtype)
            columns = _sources(left, wide, self.width, self.interpolation, self.dtype)
            self.neighbors, self.neighbors_shape = Neighbors(*rows, *columns), shape
        return self.neighbors


def plain_resampled(x, height, width):
    r"""Cada píxel nuevo, entre los dos de su fila y los dos de su columna."""
    matrices = []
    for n, m in zip(x.shape[1:3], (height, width), strict=True):
        weights = np.zeros((m, n))
        for a in range(m):
            r = min(max((a + 0.5) * n / m - 0.5, 0), n - 1)  # [ec-cnn-resizing]
            i = int(r)
            weights[a, i] += 1 - (r - i)
            weights[a, min(i + 1, n - 1)] += r - i
        matrices.append(weights)
    R, S = matrices
    return np.einsum("ai,nijc,bj->nabc", R, x, S)


class Resizing(Resampled):
    r"""Capa que estira o encoge cada imagen hasta un tamaño.

    Las fotos vienen de todos los tamaños, y un lote es un arreglo. Como al agrandar, :eq:`ec-cnn-agrandar`, los píxeles
    son cuadritos: de :math:`n` a :math:`m`, el centro del nuevo número :math:`a` está, en unidades de los viejos, en

    .. math::
       :label: ec-cnn-resizing

       r = \Bigl(a+\tfrac12\Bigr)\frac nm-\tfrac12 ,

    y se interpola entre los dos que tiene a los lados. El gradiente vuelve con los mismos pesos,
    :eq:`ec-cnn-agrandar-atras`. Por el vecino más cercano, se copia el píxel en el que cae.

    Ojo al encoger mucho: solo se miran dos vecinos por lado, y lo que hay entre ellos se pierde.

    **A mano.** De cuatro píxeles a dos, :math:`r` es 0.5 y 2.5; a la mitad entre cada pareja:

    >>> x = np.array([0.0, 10.0, 20.0, 40.0]).reshape(1, 1, 4, 1)
    >>> layer = Resizing(1, 2, dtype="float64")
    >>> layer.forward(x).ravel()
    array([ 5., 30.])
    >>> layer.backward(np.array([2.0, 4.0]).reshape(1, 1, 2, 1)).ravel()
    array([1., 1., 2., 2.])
    >>> layer = Resizing(1, 2, interpolation="nearest", dtype="float64")
    >>> layer.forward(x).ravel()
    array([10., 40.])

    Sin deformar, ``crop_to_aspect_ratio=True``, antes se recorta la mayor ventana centrada de las proporciones que se
    piden. Aquí, para que salga el doble de ancha que de alta, los dos de en medio:

    >>> layer = Resizing(2, 4, crop_to_aspect_ratio=True, dtype="float64")
    >>> layer.forward(x).ravel()
    array([10. , 12.5, 17.5, 20. , 10. , 12.5, 17.5, 20. ])

    Parameters
    ----------
    height, width : int
        El alto y el ancho de lo que sale.
    interpolation : {"bilinear", "nearest"}
        Cómo se calculan los píxeles.
    crop_to_aspect_ratio : bool
        Si se recorta antes lo que sobre para no deformar.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.
    """

    pad_to_aspect_ratio = Absent(False)
    fill_mode = Absent("constant")
    fill_value = Absent(0.0)
    antialias = Absent(False)

    def __init__(
        self,
        height,
        width,
        interpolation="bilinear",
        crop_to_aspect_ratio=False,
        *,
        data_format=None,
        **options,
    ):
        super().__init__(height, width, data_format, **options)
        self.interpolation = check.choice(interpolation, "interpolation", ["bilinear", "nearest"])
        self.crop_to_aspect_ratio = check.boolean(crop_to_aspect_ratio, "crop_to_aspect_ratio")

    def window(self, height, width):
        r"""Toda la imagen o, si no se deforma, la mayor ventana con las proporciones que se piden."""
        if self.crop_to_aspect_ratio:
            return same_aspect(height, width, self.height, self.width)
        return 0, 0, height, width


class CenterCrop(Resampled):
    r"""Capa que recorta el centro de cada imagen.

    De la que es más pequeña que la ventana, en cualquiera de sus lados, toma la mayor ventana de las mismas
    proporciones y la estira, como :class:`Resizing`. Los píxeles que quedan devuelven su gradiente, y los demás, cero.

    **A mano.** De una fila de cinco, los tres de en medio:

    >>> layer = CenterCrop(1, 3, dtype="float64")
    >>> layer.forward([[[[1], [2], [3], [4], [5]]]]).ravel()
    array([2., 3., 4.])
    >>> layer.backward(np.ones((1, 1, 3, 1))).ravel()
    array([0., 1., 1., 1., 0.])

    Parameters
    ----------
    height, width : int
        El alto y el ancho de la ventana.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si los lados no son enteros positivos.
    """

    def window(self, height, width):
        r"""La del centro, si cabe."""
        above, left = (height - self.height) // 2, (width - self.width) // 2
        if height >= self.height and width >= self.width:
            return above, left, self.height, self.width
        return same_aspect(height, width, self.height, self.width)


@kernel
def _crop(x, tops, lefts, y):
    _, h, w, channels = y.shape
    for k in range(y.shape[0]):
        top, left = int(tops[k]), int(lefts[k])
        for i in range(h):
            for j in range(w):
                for c in range(channels):
                    y[k, i, j, c] = x[k, top + i, left + j, c]


@kernel
def _crop_backward(dy, tops, lefts, dx):
    _, h, w, channels = dy.shape
    dx[:] = 0
    for k in range(dy.shape[0]):
        top, left = int(tops[k]), int(lefts[k])
        for i in range(h):
            for j in range(w):
                for c in range(channels):
                    dx[k, top + i, left + j, c] = dy[k, i, j, c]


class RandomCrop(Resampled, RandomLayer):
    r"""Recorta una ventana de cada imagen, al azar si se entrena.

    Es la manera de mover una imagen sin inventar lo que hay más allá de la orilla: se toman imágenes un poco mayores de
    lo que la red pide. Al predecir, o si la imagen es más pequeña que la ventana, toma la mayor ventana centrada de las
    mismas proporciones y la lleva al tamaño, como :class:`Resizing`. El gradiente vuelve a los píxeles que quedaron.

    **A mano.** Cuatro copias de una fila de cinco, con ventanas de tres: hay tres lugares donde pueden empezar.

    >>> layer = RandomCrop(1, 3, seed=0, dtype="float64")
    >>> layer(np.tile([[[[1], [2], [3], [4], [5]]]], (4, 1, 1, 1)))[:, 0, :, 0]
    array([[3., 4., 5.],
           [3., 4., 5.],
           [2., 3., 4.],
           [3., 4., 5.]])

    Parameters
    ----------
    height, width : int
        El alto y el ancho de la ventana.
    seed : int or numpy.random.Generator, optional
        Origen de su azar. Sin ella, el modelo que la contiene le da una a partir de la suya.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si los lados no son enteros positivos.

    Notes
    -----
    Keras sortea una ventana para todo el lote; aquí hay una por imagen, para que lo que salga no dependa de cómo se
    reparta el lote.
    """

    def __init__(self, height, width, seed=None, data_format=None, **options):
        super().__init__(height, width, data_format, seed=seed, **options)
        self.corners = None

    def window(self, height, width):
        r"""La mayor de las mismas proporciones."""
        return same_aspect(height, width, self.height, self.width)

    def forward(self, x, training=False):
        r"""Recorta al azar si se entrena y la ventana cabe."""
        x = self.ready(x)
        room = x.shape[1] - self.height, x.shape[2] - self.width
        self.corners = None
        if not training or min(room) < 0:
            return super().forward(x)
        # Sin su parte decimal, van de 0 a lo que sobra.
        names = zip(room, ("tops", "lefts"), strict=True)
        self.x, self.corners = x, [self.between(0, free + 1, len(x), name) for free, name in names]
        self.y = y = self.buffer("y", (len(x), self.height, self.width, x.shape[-1]))
        _crop(x, *self.corners, y)
        return y

    def backward(self, dy):
        r"""Devuelve a cada píxel el gradiente de su copia."""
        if self.corners is None:
            return super().backward(dy)
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _crop_backward(dy, *self.corners, dx)
        return dx
