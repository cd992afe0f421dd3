r"""La máscara: qué instantes de una secuencia cuentan."""

import numpy as np

from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.numeric.kernel import kernel


@kernel
def _some_other(x, value, real):
    for i in range(x.shape[0]):
        real[i] = False
        for j in range(x.shape[1]):
            real[i] = real[i] or x[i, j] != value  # [ec-rnn-mascara]


@kernel
def _zero_out(x, real, y):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] = x[i, j] if real[i] else 0


def zero_out(x, real, y):
    r"""Copia ``x``, de forma (n, ..., d), en ``y``, con ceros donde ``real``, (n, ...), es falso."""
    _zero_out(x.reshape(-1, x.shape[-1]), real.reshape(-1), y.reshape(-1, x.shape[-1]))


class Masking(Layer):
    r"""Capa que dice qué instantes son de verdad: los que no valen todos lo mismo que el relleno.

    Recibe secuencias de vectores, :math:`\mathbf x_1,\dots,\mathbf x_T`, algunos de relleno, con el valor
    :math:`v` en todos sus números. La máscara es

    .. math::
       :label: ec-rnn-mascara

       m_t = \Bigl[\,\textstyle\bigvee_j\, x_{tj}\ne v\,\Bigr] :

    1 si algún número del instante difiere de :math:`v`, y 0 si ninguno. Lo que sale es :math:`m_t\,\mathbf x_t`, con
    ceros en el relleno, y la máscara viaja junto a los números hasta la capa que la use.

    **A mano.** Dos secuencias de a lo sumo tres instantes; la segunda mide dos. Un cero suelto no es relleno:

    >>> import numpy as np
    >>> x = [[[1, 2], [0, 5], [3, 4]], [[6, 7], [8, 9], [0, 0]]]
    >>> layer = Masking()
    >>> layer.compute_mask(np.array(x))
    array([[ True,  True,  True],
           [ True,  True, False]])

    Con otro valor de relleno, lo que sale de él son ceros:

    >>> Masking(mask_value=-1).forward([[[1, 2], [-1, -1]]])
    array([[[1., 2.],
            [0., 0.]]], dtype=float32)

    El gradiente de un relleno también es cero:

    >>> _ = layer.forward(x)
    >>> layer.backward(np.ones((2, 3, 2)))[1]
    array([[1., 1.],
           [1., 1.],
           [0., 0.]], dtype=float32)

    Parameters
    ----------
    mask_value : float
        El valor del relleno.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si ``mask_value`` no es un número.
    """

    any_size = True
    masks = supports_masking = True

    def __init__(self, mask_value=0.0, **options):
        super().__init__(**options)
        self.mask_value = check.number(mask_value, "mask_value")

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da qué instantes no son relleno."""
        x = check.numbers_of(inputs, "inputs", "... d")
        x = x if x.dtype == self.dtype else x.astype(self.dtype)
        real = self.buffer("real", x.shape[:-1], bool)
        # En el tipo de la capa: 0.1 es otro número en float32.
        padding = self.dtype.type(self.mask_value)
        _some_other(x.reshape(-1, x.shape[-1]), padding, real.reshape(-1))
        return real

    def forward(self, x, training=False):
        r"""Pone ceros en el relleno."""
        self.x = x = self.ready(x)
        self.mask = self.compute_mask(x)
        self.y = y = self.buffer("y", x.shape)
        zero_out(x, self.mask, y)
        return y

    def backward(self, dy):
        r"""Pone ceros en el gradiente del relleno."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", dy.shape)
        zero_out(dy, self.mask, dx)
        return dx


def plain_masking(x, mask_value, dy):
    r"""Qué instantes son de verdad, y ceros en los demás."""
    real = (x != mask_value).any(axis=-1)  # [ec-rnn-mascara]
    kept = real[..., np.newaxis]
    return real, x * kept, dy * kept
