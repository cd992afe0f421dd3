r"""La activación como capa aparte."""

from chapters.mlp import activations
from chapters.mlp.layer import Layer


class AppliedActivation(Layer):
    r"""Lo que comparten las capas que solo aplican una activación: la que dé :meth:`applied`."""

    any_size = True
    supports_masking = True

    def applied(self):
        r"""Da la activación, o ``None`` si es la identidad."""
        raise NotImplementedError

    def forward(self, x, training=False):
        r"""Aplica la activación."""
        self.x = self.y = self.ready(x)
        self.used = self.applied()
        if self.used is not None:
            self.y = self.buffer("y", self.x.shape)
            self.used.forward(self.x, self.y)
        return self.y

    def backward(self, dy):
        r"""Multiplica el gradiente que llega por la pendiente."""
        dy = self.output_gradient(dy)
        if self.used is None:
            return dy
        dx = self.buffer("dx", dy.shape)
        self.used.backward(self.x, self.y, dy, dx)
        return dx


class Activation(AppliedActivation):
    r"""Aplica una función de activación a lo que le llega, sin pesos de por medio.

    ``Dense(8, activation="tanh")`` y ``Dense(8)`` seguida de ``Activation("tanh")`` son la misma red. La capa aparte
    sirve cuando algo va en medio de la suma y la activación, o cuando quieres mirar las preactivaciones.

    **A mano.** La tangente hiperbólica de cero es cero con pendiente 1, y la de :math:`\ln 2` es
    :math:`\frac{2-1/2}{2+1/2}=0.6` con pendiente :math:`1-0.6^2=0.64`:

    >>> import numpy as np
    >>> layer = Activation("tanh", dtype="float64")
    >>> layer.forward([[0.0, np.log(2)]]).round(6)
    array([[0. , 0.6]])
    >>> layer.backward([[1.0, 10.0]]).round(6)
    array([[1. , 6.4]])

    Parameters
    ----------
    activation : str or ActivationFunction
        La función.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    def __init__(self, activation, **options):
        super().__init__(**options)
        self.activation = activations.get(activation)

    def applied(self):
        r"""Da la activación con que se creó."""
        return self.activation
