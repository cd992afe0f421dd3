r"""Lo que comparten las capas que normalizan cada vector por sí mismo."""

import math

import numpy as np

from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.numeric.elementwise import copy


class OverAxes(Layer):
    r"""Lo que comparten :class:`LayerNormalization` y :class:`RMSNormalization`: sobre qué ejes se promedia.

    Los ejes se cuentan como en Keras, con el 0 para las observaciones, que no se mezclan nunca. Lo demás es poner un
    vector por fila, con los números que se promedian juntos, y devolver después cada uno a su lugar:

    >>> from chapters.attention import LayerNormalization
    >>> x = np.array([[[7.0, 100.0], [1.0, 300.0]]])
    >>> LayerNormalization(axis=1, dtype="float64").forward(x).round(3)
    array([[[ 1., -1.],
            [-1.,  1.]]])
    >>> LayerNormalization(axis=[1, 2], dtype="float64").build((2, 2))

    Parameters
    ----------
    axis : int or list of int
        El eje, o los ejes.
    epsilon : float
        El número :math:`\varepsilon`, mayor que 0.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si los ejes no son enteros distintos, o si alguno es el de las observaciones.

        >>> LayerNormalization(axis=0).build((3,))
        Traceback (most recent call last):
            ...
        ValueError: axis: se esperaban ejes de 1 a 1, sin repetir y sin el de las observaciones, pero llegó 0
    """

    supports_masking = True

    def __init__(self, axis=-1, epsilon=1e-3, **options):
        super().__init__(**options)
        if isinstance(axis, (list, tuple)):
            self.axis = [check.integer(k, "axis", -64, 64) for k in check.sequence(axis, "axis")]
        else:
            self.axis = check.integer(axis, "axis", -64, 64)
        self.epsilon = check.number(epsilon, "epsilon", 0, open_low=True)

    def build(self, input_shape):
        r"""Resuelve los ejes, que hasta aquí no se sabía cuántos había."""
        axes, self._width = self._resolved(input_shape)
        super().build(input_shape)
        total = len(self.input_shape) + 1
        self._order = (*(k for k in range(total) if k not in axes), *axes)
        self.any_size = axes == (total - 1,)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada."""
        self._resolved(input_shape)
        return super().compute_output_shape(input_shape)

    def work(self):
        r"""Cuenta unas cuantas operaciones por número: leer y escribir la memoria cuesta más que ellas."""
        return 8 * math.prod(self.current_shape or ())

    def _resolved(self, input_shape):
        sizes = check.shape(input_shape, "input_shape", unknown=True)
        total = len(sizes) + 1
        given = self.axis if isinstance(self.axis, list) else [self.axis]
        axes = tuple(sorted(k + total if k < 0 else k for k in given))
        if len(set(axes)) < len(axes) or not all(1 <= k < total for k in axes):
            raise ValueError(
                f"axis: se esperaban ejes de 1 a {total - 1}, sin repetir y sin el de las observaciones, "
                f"pero llegó {self.axis}"
            )
        shape = tuple(sizes[k - 1] for k in axes)
        if None in shape:
            raise ValueError(f"axis: se esperaban ejes que midan siempre lo mismo, pero llegó {self.axis}")
        return axes, shape

    def _rows(self, x, name):
        # Un vector por fila. Si sus ejes no son los últimos, hay que llevarlos ahí.
        width = math.prod(self._width)
        if self._order == tuple(range(x.ndim)):
            return x.reshape(-1, width)
        moved = x.transpose(self._order)
        rows = self.buffer(f"{name} moved", moved.shape)
        copy(moved, rows)
        return rows.reshape(-1, width)

    def _back(self, rows, name):
        if self._order == tuple(range(self.x.ndim)):
            return rows.reshape(self.x.shape)
        moved = rows.reshape([self.x.shape[k] for k in self._order])
        x = self.buffer(name, self.x.shape)
        copy(moved.transpose(np.argsort(self._order)), x)
        return x
