r"""Cambiar la forma de cada observación sin tocar sus números."""

import math
import numbers

from chapters.mlp.layer import Layer
from dlbook import check


class Reshape(Layer):
    r"""Acomoda los números de cada observación en otra forma, en el mismo orden.

    No calcula nada, y por eso su derivada tampoco: cada gradiente vuelve al lugar de donde salió su número. Un tamaño
    puede ser −1, y entonces sale de los demás.

    **A mano.** Una imagen de 2 × 2 dentro de un vector de cuatro:

    >>> layer = Reshape((2, 2), dtype="float64")
    >>> layer.forward([[1, 2, 3, 4]])
    array([[[1., 2.],
            [3., 4.]]])
    >>> layer.backward([[[10, 20], [30, 40]]])
    array([[10., 20., 30., 40.]])
    >>> Reshape((-1, 2)).compute_output_shape((3, 4))
    (6, 2)

    Parameters
    ----------
    target_shape : tuple of int
        La forma nueva de una observación, con a lo sumo un −1.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    ValueError
        Si los números no caben en la forma.

        >>> Reshape((3, 2)).compute_output_shape((4,))
        Traceback (most recent call last):
            ...
        ValueError: target_shape: se esperaba una forma con 4 números, pero llegó (3, 2)
    """

    # No tiene pesos: le sirve cualquier entrada cuyos números quepan en la forma.
    any_size = True

    def __init__(self, target_shape, **options):
        super().__init__(**options)
        # Como en las formas: None, el que traigan los datos. Aquí se escribe −1.
        sizes = target_shape
        if isinstance(sizes, (list, tuple)):
            sizes = [None if isinstance(size, numbers.Integral) and size == -1 else size for size in sizes]
        sizes = check.shape(sizes, "target_shape", unknown=True)
        self.target_shape = tuple(-1 if size is None else size for size in sizes)
        if self.target_shape.count(-1) > 1:
            raise ValueError(f"target_shape: se esperaba a lo sumo un -1, pero llegó {self.target_shape}")

    def build(self, input_shape):
        r"""Comprueba que los números caben."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def adjust_to(self, shape):
        r"""Comprueba que los números caben."""
        self.compute_output_shape(shape)
        super().adjust_to(shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma nueva."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        if None in shape:
            # Hasta que lleguen los datos no se sabe cuánto vale el −1, ni si los números caben.
            return tuple(None if s == -1 else s for s in self.target_shape)
        size = math.prod(shape)
        known = math.prod(s for s in self.target_shape if s != -1)
        if size != known and (-1 not in self.target_shape or size % known):
            raise ValueError(f"target_shape: se esperaba una forma con {size} números, pero llegó {self.target_shape}")
        return tuple(size // known if s == -1 else s for s in self.target_shape)

    def forward(self, x, training=False):
        r"""Devuelve la entrada con la forma nueva, sobre la misma memoria."""
        self.x = self.ready(x)
        self.y = self.x.reshape(len(self.x), *self.target_shape)
        return self.y

    def backward(self, dy):
        r"""Devuelve el gradiente con la forma de antes."""
        return self.output_gradient(dy).reshape(self.x.shape)
