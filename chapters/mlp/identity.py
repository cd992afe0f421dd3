r"""La capa que no hace nada."""

from chapters.mlp.layer import Layer


class Identity(Layer):
    r"""Capa que devuelve lo que le llega, :math:`y=x`: la culpa también pasa como está.

    Sirve donde hace falta una capa y no hay nada que hacer: el atajo que rodea un bloque, o el lugar de una que se
    quiere quitar para comparar.

    >>> layer = Identity(dtype="float64")
    >>> layer.forward([[1, 2]]), layer.backward([[3, 4]])
    (array([[1., 2.]]), array([[3., 4.]]))

    Parameters
    ----------
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    any_size = True
    supports_masking = True

    def __init__(self, **options):
        super().__init__(**options)

    def forward(self, x, training=False):
        r"""Devuelve la entrada."""
        self.x = self.y = self.ready(x)
        return self.y

    def backward(self, dy):
        r"""Devuelve el gradiente como llegó."""
        return self.output_gradient(dy)
