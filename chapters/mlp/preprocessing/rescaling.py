r"""Cambiar de unidades dentro de la red: multiplicar y sumar."""

import functools

import numpy as np

from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.numeric.kernel import kernel


def number_or_list(value, name):
    r"""Da un número, o una lista de ellos, que caben en la cabecera de un archivo.

    >>> number_or_list(2, "scale"), number_or_list(np.array([2, 3]), "scale")
    (2.0, [2.0, 3.0])
    """
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim):
        return check.floats(value, name, "d").tolist()
    return check.number(value, name)


@functools.lru_cache(256)
def _row(values, dtype):
    row = np.array(values, dtype)
    row.setflags(write=False)
    return row


@kernel
def _rescale(x, y, scale, offset):
    # Un factor por columna, o uno para todas.
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            k = j if scale.size > 1 else 0
            y[i, j] = x[i, j] * scale[k] + offset[k]  # [ec-mlp-rescaling]


class Rescaling(Layer):
    r"""Capa que cambia de unidades: multiplica por una escala y suma un desplazamiento.

    Así el cambio viaja dentro del modelo, y quien lo use le da sus imágenes tal como las leyó. Con la escala :math:`a`
    y el desplazamiento :math:`b`:

    .. math::
       :label: ec-mlp-rescaling

       y_i = a\,x_i+b,
       \qquad
       \frac{\partial\mathcal L}{\partial x_i} = a\,\frac{\partial\mathcal L}{\partial y_i} .

    **A mano.** Para llevar :math:`(0, 255)` a :math:`(-1, 1)` se divide entre 127.5 y se resta 1:

    >>> layer = Rescaling(1 / 127.5, offset=-1, dtype="float64")
    >>> layer.forward([[0, 51, 255]])
    array([[-1. , -0.6,  1. ]])
    >>> layer.backward([[0, 0, 255]])
    array([[0., 0., 2.]])

    Parameters
    ----------
    scale : float or list of float
        La escala :math:`a`; si son varias, una por canal, en el último eje.
    offset : float or list of float
        El desplazamiento :math:`b`, igual.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si no son números, o no hay uno por canal.

        >>> Rescaling([1, 2, 3]).compute_output_shape((28, 28, 1))
        Traceback (most recent call last):
            ...
        ValueError: scale: se esperaba un número por canal, y hay 1, pero llegaron 3
    """

    supports_masking = True
    any_size = True

    def __init__(self, scale, offset=0.0, **options):
        super().__init__(**options)
        self.scale, self.offset = number_or_list(scale, "scale"), number_or_list(offset, "offset")

    def build(self, input_shape):
        r"""Comprueba que haya un número por canal."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la misma forma."""
        shape = super().compute_output_shape(input_shape)
        channels = shape[-1] if shape else 1
        for name, value in (("scale", self.scale), ("offset", self.offset)):
            if isinstance(value, list) and len(value) != channels:
                raise ValueError(
                    f"{name}: se esperaba un número por canal, y hay {channels}, pero llegaron {len(value)}"
                )
        return shape

    def forward(self, x, training=False):
        r"""Multiplica y suma."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", x.shape)
        _rescale(*self._rows(x, y), *self._factors(self.scale, self.offset))
        return y

    def backward(self, dy):
        r"""Multiplica el gradiente por la escala."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", dy.shape)
        _rescale(*self._rows(dy, dx), *self._factors(self.scale, 0.0))
        return dx

    def _channels(self):
        # Cuántos números distintos hay; si a todos los canales les toca lo mismo, uno.
        return max(len(value) if isinstance(value, list) else 1 for value in (self.scale, self.offset))

    def _rows(self, *arrays):
        # Una columna por canal; con un solo número, todo en una fila.
        channels = self._channels()
        return [one.reshape(-1, channels if channels > 1 else one.size) for one in arrays]

    def _factors(self, *values):
        rows = (tuple(v) if isinstance(v, list) else (v,) * self._channels() for v in values)
        return [_row(values, self.dtype) for values in rows]


def plain_rescaling(x, scale, offset, dy):
    r"""Una recta, y su pendiente."""
    y = scale * x + offset  # [ec-mlp-rescaling]
    dx = scale * dy  # [ec-mlp-rescaling]
    return y, dx
