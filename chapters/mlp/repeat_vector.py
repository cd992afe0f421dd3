r"""Repetir un vector: la misma observación en todos los instantes."""

import numpy as np

from chapters.mlp.layer import Layer, text_of_shape
from chapters.mlp.places import give_back, repeated, take
from dlbook import check


class RepeatVector(Layer):
    r"""Capa que hace de cada vector una serie de copias suyas, con los argumentos de Keras.

    Sirve si media red resume una serie en un vector y la otra media lo consulta en cada instante para escribir otra.
    Con :math:`n` copias, :math:`y_{tj}=x_j`. Mover :math:`x_j` las mueve a todas, y su gradiente es la suma:

    .. math::
       :label: ec-mlp-repetir

       \frac{\partial\mathcal L}{\partial x_j} = \sum_{t=1}^{n} \frac{\partial\mathcal L}{\partial y_{tj}} .

    **A mano.** Tres copias de :math:`(1, 2)`:

    >>> layer = RepeatVector(3, dtype="float64")
    >>> layer.forward([[1, 2]])
    array([[[1., 2.],
            [1., 2.],
            [1., 2.]]])
    >>> layer.backward([[[1, 10], [2, 20], [3, 30]]])
    array([[ 6., 60.]])

    Parameters
    ----------
    n : int
        Cuántas copias.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si ``n`` no es un entero de al menos 1, o si las observaciones no son vectores.

        >>> RepeatVector(3).compute_output_shape((4, 2))
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaban vectores, de forma (n, d), pero llegó (n, 4, 2)
    """

    def __init__(self, n, **options):
        super().__init__(**options)
        self.n = check.integer(n, "n", 1)

    def build(self, input_shape):
        r"""Exige vectores."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma con un eje más, el de las copias."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        if len(shape) != 1:
            raise ValueError(f"x: se esperaban vectores, de forma (n, d), pero llegó {text_of_shape(shape)}")
        return self.n, *shape

    def forward(self, x, training=False):
        r"""Copia cada vector en todos los instantes."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (len(x), self.n, x.shape[1]))
        take(x, self._places(), y)
        return y

    def backward(self, dy):
        r"""Suma la culpa de las copias."""
        dy = self.output_gradient(dy)
        dx = self.buffer("dx", self.x.shape)
        give_back(dy, self._places(), dx)  # [ec-mlp-repetir]
        return dx

    def _places(self):
        return repeated((1, self.x.shape[1]), (self.n, self.x.shape[1]))


def plain_repeat_vector(x, n, dy):
    r"""Repite cada vector; de vuelta, suma la culpa de las copias."""
    y = np.repeat(x[:, np.newaxis], n, axis=1)
    return y, dy.sum(axis=1)  # [ec-mlp-repetir]
