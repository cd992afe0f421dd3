r"""Cambiar de orden los ejes de cada observación."""

from chapters.mlp.layer import Layer, text_of_shape
from chapters.mlp.places import give_back, permuted, take
from dlbook import check


class Permute(Layer):
    r"""Capa que cambia de orden los ejes de cada observación, con los argumentos de Keras.

    El eje que estaba en el lugar :math:`d_k` pasa al lugar :math:`k`. Se cuentan desde **1**, porque el 0 es el de las
    observaciones. Con ``dims=(2, 1)`` es la traspuesta, :math:`y_{ji}=x_{ij}`: los canales se vuelven instantes.

    Ningún número cambia, solo de lugar; cada gradiente vuelve al lugar de donde salió su número, con el orden inverso.

    **A mano.** Tres instantes de dos canales se vuelven dos filas de tres:

    >>> layer = Permute((2, 1), dtype="float64")
    >>> layer.forward([[[1, 2], [3, 4], [5, 6]]])
    array([[[1., 3., 5.],
            [2., 4., 6.]]])
    >>> layer.backward([[[10, 30, 50], [20, 40, 60]]])
    array([[[10., 20.],
            [30., 40.],
            [50., 60.]]])
    >>> Permute((3, 1, 2)).compute_output_shape((28, 14, 5))
    (5, 28, 14)

    :class:`~chapters.mlp.Reshape` no sirve para esto: acomoda los números **en el mismo orden**, y aquí se revolverían.

    Parameters
    ----------
    dims : tuple of int
        Los lugares viejos, en el orden nuevo; cada uno de 1 a cuantos ejes haya, una vez.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no son los números del 1 en adelante, cada uno una vez, o si la entrada tiene otros ejes.

        >>> Permute((0, 1))
        Traceback (most recent call last):
            ...
        ValueError: dims: se esperaban los ejes del 1 al 2, en algún orden, pero llegó (0, 1)
    """

    any_size = True

    def __init__(self, dims, **options):
        super().__init__(**options)
        if not isinstance(dims, (list, tuple)):
            raise TypeError(f"dims: se esperaba una tupla de ejes, pero llegó {dims!r}")
        self.dims = tuple(check.integer(axis, f"dims[{k}]") for k, axis in enumerate(dims))
        if not dims or sorted(self.dims) != list(range(1, len(dims) + 1)):
            raise ValueError(
                f"dims: se esperaban los ejes del 1 al {len(dims)}, en algún orden, pero llegó {self.dims}"
            )

    def build(self, input_shape):
        r"""Comprueba que haya tantos ejes como se dijo."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve los tamaños en el orden nuevo."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        if len(shape) != len(self.dims):
            raise ValueError(
                f"x: se esperaban observaciones de {len(self.dims)} ejes, pero llegó {text_of_shape(shape)}"
            )
        return tuple(shape[axis - 1] for axis in self.dims)

    def forward(self, x, training=False):
        r"""Copia los números en el orden nuevo."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (len(x), *(x.shape[axis] for axis in self.dims)))
        take(x, self._places(), y)
        return y

    def backward(self, dy):
        r"""Copia el gradiente en el orden viejo."""
        dy = self.output_gradient(dy)
        dx = self.buffer("dx", self.x.shape)
        give_back(dy, self._places(), dx)
        return dx

    def _places(self):
        return permuted(self.x.shape[1:], tuple(axis - 1 for axis in self.dims))
