r"""Agrupamiento por el mínimo: el del máximo, en negativo."""

from chapters.cnn.pooling.max_pooling import MaxPooling2D
from dlbook.numeric.elementwise import multiply


class MinPooling2D(MaxPooling2D):
    r"""Capa de agrupamiento por el mínimo (*min pooling*): el menor de cada ventana.

    En el negativo de una fotografía, lo más oscuro es lo más claro. Buscar el menor es cambiar los signos, buscar el
    mayor y volver a cambiarlos. Con :math:`V_{uv}` los píxeles de una ventana,

    .. math::
       :label: ec-cnn-min

       \min_{V_{uv}}\, x_{abc} = -\max_{V_{uv}}\,(-x_{abc}) .

    **La vuelta no cambia.** Los dos signos se cancelan: con :math:`m` el máximo,
    :math:`y=-m(-x)` y :math:`\partial y/\partial x = -m'(-x)\cdot(-1) = m'(-x)`. La culpa va entera al menor.

    Donde el máximo conserva los trazos claros sobre fondo oscuro, el mínimo conserva los oscuros sobre fondo claro.
    Después de una ReLU contesta cero en cuanto un píxel de la ventana lo es: dentro de una red dice poco, y Keras no la
    trae.
    :item:`CNN-05`

    **A mano.** Con los datos de :func:`~chapters.cnn.max_pooling_forward`:

    >>> import numpy as np
    >>> x = np.array([[2.0, 7.0, 1.0, 0.0],
    ...               [4.0, 3.0, 5.0, 6.0],
    ...               [8.0, 1.0, 2.0, 2.0],
    ...               [0.0, 9.0, 3.0, 1.0]]).reshape(1, 4, 4, 1)
    >>> layer = MinPooling2D(dtype="float64")
    >>> layer.forward(x)[0, :, :, 0]
    array([[2., 0.],
           [0., 1.]])
    >>> dy = np.array([1.0, 2.0, 3.0, 4.0]).reshape(1, 2, 2, 1)
    >>> layer.backward(dy)[0, :, :, 0]
    array([[1., 0., 0., 2.],
           [0., 0., 0., 0.],
           [0., 0., 0., 0.],
           [3., 0., 0., 4.]])

    Parameters
    ----------
    pool_size, strides, padding, data_format
        Como en :class:`~chapters.cnn.MaxPooling2D`.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    def forward(self, x, training=False):
        r"""Se queda con el menor de cada ventana."""
        x = self.ready(x)
        opposite = self.buffer("opposite", x.shape)
        multiply(x, -1, opposite)
        self.most = super().forward(opposite)
        self.y = least = self.buffer("least", self.most.shape)
        multiply(self.most, -1, least)  # [ec-cnn-min]
        return self.y

    def backward(self, dy):
        r"""Entrega cada gradiente al que ganó su ventana: entre los opuestos, el mayor."""
        return self._routed(self.output_gradient(dy), self.most)
