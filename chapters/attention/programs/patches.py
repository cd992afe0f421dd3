r"""Una imagen en trozos: de una cuadrícula de píxeles a una fila de vectores."""

from chapters.mlp.layer import Layer, text_of_shape
from dlbook import check
from dlbook.numeric.kernel import kernel


def patches(images, size):
    r"""Corta cada imagen en trozos cuadrados (*patches*) y pone en fila los números de cada uno.

    Con trozos de lado :math:`p`, una imagen de :math:`H\times W` con :math:`C` canales son :math:`\frac
    Hp\cdot\frac Wp` trozos de :math:`p^2C` números. El trozo de la fila :math:`a` y la columna :math:`b` es el
    :math:`i=a\frac Wp+b`, y dentro van las filas una tras otra:

    .. math::
       :label: ec-att-vit-trozos

       X_{i,\,(up+v)C+c}=I_{ap+u,\;bp+v,\;c} .

    La imagen del artículo :cite:p:`dosovitskiy2021` mide 224 de lado y sus trozos 16: de ahí salen 196 «palabras» de
    768 números:

    >>> import numpy as np
    >>> patches(np.zeros((1, 224, 224, 3)), 16).shape
    (1, 196, 768)

    **A mano.** Una imagen de 4 × 4, de un canal, en cuatro trozos de 2 × 2:

    >>> image = np.arange(16.0).reshape(1, 4, 4, 1)
    >>> image[0, :, :, 0]
    array([[ 0.,  1.,  2.,  3.],
           [ 4.,  5.,  6.,  7.],
           [ 8.,  9., 10., 11.],
           [12., 13., 14., 15.]])
    >>> patches(image, 2)[0]
    array([[ 0.,  1.,  4.,  5.],
           [ 2.,  3.,  6.,  7.],
           [ 8.,  9., 12., 13.],
           [10., 11., 14., 15.]])

    **Es una convolución.** A cada trozo se le aplica la misma capa densa, :math:`\mathbf Y=\mathbf X\mathbf W`. Escribe
    el producto con los índices de :eq:`ec-att-vit-trozos` y llama :math:`K_{uvck}=W_{(up+v)C+c,\,k}` a los mismos
    pesos acomodados en cuatro ejes:

    .. math::
       :label: ed-att-vit-convolucion

       Y_{ik}=\sum_j X_{ij}W_{jk}
       =\sum_{u,v,c} I_{ap+u,\;bp+v,\;c}\,K_{uvck} .

    Eso es, letra por letra, una convolución de filtros de :math:`p\times p` con paso :math:`p`: los filtros no se
    superponen, porque avanzan lo que miden.

    >>> from chapters.cnn import Conv2D
    >>> rng = np.random.default_rng(0)
    >>> image = rng.normal(size=(1, 6, 6, 2))
    >>> kernel = rng.normal(size=(3, 3, 2, 5))
    >>> layer = Conv2D(5, 3, strides=3, use_bias=False, dtype="float64")
    >>> layer.build((6, 6, 2))
    >>> layer.set_weights([kernel])
    >>> by_patches = patches(image, 3) @ kernel.reshape(-1, 5)
    >>> bool(np.allclose(layer.forward(image).reshape(1, 4, 5), by_patches))
    True

    Parameters
    ----------
    images : array_like, shape (n, H, W, C)
        Las imágenes.
    size : int
        El lado de un trozo, :math:`p`; tiene que dividir al alto y al ancho.

    Returns
    -------
    ndarray, shape (n, H W / p², p² C)
        Los trozos, de izquierda a derecha y de arriba abajo.

    Raises
    ------
    TypeError, ValueError
        Si no son imágenes, o si los trozos no caben justos.

        >>> patches(image, 4)
        Traceback (most recent call last):
            ...
        ValueError: images: se esperaba la forma (n, H, W, C), con H y W que se dividan entre 4, pero llegó (n, 6, 6, 2)
    """
    images = check.floats(images, "images", "n H W C")
    size = check.integer(size, "size", 1)
    _refuse_odd(images.shape[1:], size, "images")
    n, height, width, channels = images.shape
    h, w = height // size, width // size
    grid = images.reshape(n, h, size, w, size, channels)
    grid = grid.swapaxes(2, 3)  # (n, h, w, p, p, C)
    return grid.reshape(n, h * w, -1)  # [ec-att-vit-trozos]


def _refuse_odd(shape, size, name):
    sides = [side for side in shape[:2] if side is not None]
    if len(shape) != 3 or any(side % size for side in sides):
        wanted = f"(n, H, W, C), con H y W que se dividan entre {size}"
        found = text_of_shape(shape)
        wanted = f"se esperaba la forma {wanted}"
        raise ValueError(f"{name}: {wanted}, pero llegó {found}")


@kernel
def _cut(images, y):
    # images: (n, H, W · C); y: (n, H / p, W / p, p, p · C).
    n, rows, columns, p, width = y.shape
    for i in range(n):
        for a in range(rows):
            for b in range(columns):
                for u in range(p):
                    for j in range(width):
                        y[i, a, b, u, j] = images[i, a * p + u, b * width + j]


@kernel
def _paste(dimages, dy):
    # Lo mismo, al revés.
    n, rows, columns, p, width = dy.shape
    for i in range(n):
        for a in range(rows):
            for b in range(columns):
                for u in range(p):
                    for j in range(width):
                        dimages[i, a * p + u, b * width + j] = dy[i, a, b, u, j]


class Patches(Layer):
    r"""Capa que corta cada imagen en trozos y los pone en fila, :eq:`ec-att-vit-trozos`.

    No calcula nada ni aprende nada: acomoda. Cada gradiente vuelve al lugar de donde salió su número.

    >>> import numpy as np
    >>> layer = Patches(2, dtype="float64")
    >>> y = layer.forward(np.arange(16.0).reshape(1, 4, 4, 1))
    >>> y[0, 1]
    array([2., 3., 6., 7.])
    >>> layer.backward(y)[0, :, :, 0]
    array([[ 0.,  1.,  2.,  3.],
           [ 4.,  5.,  6.,  7.],
           [ 8.,  9., 10., 11.],
           [12., 13., 14., 15.]])

    Parameters
    ----------
    patch_size : int
        El lado de un trozo.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no llegan imágenes, o si los trozos no caben justos.
    """

    any_size = True

    def __init__(self, patch_size, **options):
        super().__init__(**options)
        self.patch_size = check.integer(patch_size, "patch_size", 1)

    def build(self, input_shape):
        r"""Comprueba que los trozos caben justos."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def adjust_to(self, shape):
        r"""Comprueba que los trozos caben justos."""
        self.compute_output_shape(shape)
        super().adjust_to(shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve cuántos trozos salen, y cuántos números tiene cada uno."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        _refuse_odd(shape, self.patch_size, "x")
        height, width, channels = shape
        count = None if None in (height, width) else (height // self.patch_size) * (width // self.patch_size)
        return count, None if channels is None else self.patch_size**2 * channels

    def _rows_of_pixels(self, x, y):
        # Los píxeles de una fila van seguidos en la imagen, y los de un trozo, también en él.
        n, height, width, channels = x.shape
        p = self.patch_size
        return x.reshape(n, height, -1), y.reshape(n, height // p, width // p, p, p * channels)

    def forward(self, x, training=False):
        r"""Copia los números trozo por trozo."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (len(x), *self.compute_output_shape(x.shape[1:])))
        _cut(*self._rows_of_pixels(x, y))
        return y

    def backward(self, dy):
        r"""Copia el gradiente a los píxeles de donde salió cada número."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _paste(*self._rows_of_pixels(dx, dy))
        return dx
