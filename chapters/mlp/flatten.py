r"""Aplanar: de cualquier forma a un vector."""

from chapters.mlp.reshape import Reshape
from dlbook import check


class Flatten(Reshape):
    r"""Deja cada observación como un solo vector, para que una capa densa pueda leerla.

    Una capa densa mezcla los números del último eje. Si la entrada es una imagen de 28 × 28, hay que ponerla antes en
    fila: 784 números. Es :class:`~chapters.mlp.Reshape` con la forma :math:`(-1)`.

    **A mano.** Dos observaciones de 2 × 2, cada una en fila:

    >>> layer = Flatten(dtype="float64")
    >>> layer.forward([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    array([[1., 2., 3., 4.],
           [5., 6., 7., 8.]])
    >>> layer.backward([[1, 2, 3, 4], [5, 6, 7, 8]]).shape
    (2, 2, 2)

    Parameters
    ----------
    data_format : {"channels_last"}, optional
        Está por compatibilidad con Keras: aquí los canales van siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    def __init__(self, data_format=None, **options):
        super().__init__((-1,), **options)
        last = "channels_last"
        data_format = last if data_format is None else data_format
        self.data_format = check.choice(data_format, "data_format", [last])
