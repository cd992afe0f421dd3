r"""El agrupamiento de una serie: por ventanas de tiempo, o toda en un número por canal."""

import numpy as np

from chapters.cnn.pooling.average_pooling import AveragePooling2D
from chapters.cnn.pooling.global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from dlbook import check


class MaxPooling1D(MaxPooling2D):
    r"""Capa de agrupamiento por el máximo en una serie, con los argumentos de Keras.

    Es :eq:`ec-cnn-max` con alto 1, y su gradiente, :eq:`ec-cnn-max-atras`: de cada ventana de :math:`k` instantes,
    canal por canal, queda el mayor, y él recibe toda la culpa. Con paso :math:`s` y :math:`p` instantes de relleno al
    principio,

    .. math::
       :label: ed-cnn-max-1d

       y_{tc} = \max_{0\le i<k}\ x_{ts+i-p,\,c} .

    **A mano.** Ventanas de dos: compiten 1 con 3, y 5 con 2:

    >>> layer = MaxPooling1D(2, dtype="float64")
    >>> layer.forward([[[1], [3], [5], [2]]]).ravel()
    array([3., 5.])
    >>> layer.backward([[[10], [20]]]).ravel()
    array([ 0., 10., 20.,  0.])

    Parameters
    ----------
    pool_size : int
        Cuántos instantes abarca la ventana, :math:`k`.
    strides : int, optional
        El paso, :math:`s`. Sin él, lo que mide la ventana.
    padding : {"valid", "same"}
        Si la ventana puede salirse de la serie.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera, o si la ventana no cabe en la serie.

        >>> MaxPooling1D(5).compute_output_shape((4, 2))
        Traceback (most recent call last):
            ...
        ValueError: pool_size: se esperaba una ventana que quepa en 4, pero llegó 5
    """

    rank = 1


class AveragePooling1D(AveragePooling2D):
    r"""Capa de agrupamiento por el promedio en una serie, con los argumentos de Keras.

    Es :eq:`ec-cnn-promedio` con alto 1, una media móvil mirada de :math:`s` en :math:`s`; su gradiente,
    :eq:`ec-cnn-promedio-atras`, se reparte a partes iguales. Si :math:`V_t` son los
    instantes de la ventana que están en la serie, porque en la orilla se promedia lo que haya,

    .. math::
       :label: ed-cnn-promedio-1d

       y_{tc} = \frac1{|V_t|}\sum_{a\in V_t} x_{ac} .

    **A mano.** Con ``"same"`` y ventanas de dos, el último instante se queda solo:

    >>> layer = AveragePooling1D(2, padding="same", dtype="float64")
    >>> layer.forward([[[1], [3], [5], [2], [8]]]).ravel()
    array([2. , 3.5, 8. ])
    >>> layer.backward([[[10], [20], [30]]]).ravel()
    array([ 5.,  5., 10., 10., 30.])

    Parameters
    ----------
    pool_size, strides, padding, data_format
        Como en :class:`~chapters.cnn.MaxPooling1D`.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    rank = 1


class GlobalAveragePooling1D(GlobalAveragePooling2D):
    r"""Capa de promedio global de una serie: cada canal, en su promedio; :eq:`ed-cnn-promedio-global` con alto 1.

    >>> layer = GlobalAveragePooling1D(dtype="float64")
    >>> layer.forward([[[1, 10], [2, 20], [6, 60]]])
    array([[ 3., 30.]])
    >>> layer.backward([[3, 6]])[0]
    array([[1., 2.],
           [1., 2.],
           [1., 2.]])
    >>> GlobalAveragePooling1D(keepdims=True).compute_output_shape((None, 8))
    (1, 8)

    Parameters
    ----------
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    keepdims : bool
        Si la salida sigue siendo una serie, de un instante.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Notes
    -----
    Con una máscara (*mask*), que marca qué instantes cuentan, promedia solo esos:

    >>> layer.forward(
    ...     [[[1, 10], [2, 20], [6, 60]]], mask=np.array([[True, False, True]])
    ... )
    array([[ 3.5, 35. ]])

    De una serie en la que no cuenta ninguno salen ceros; Keras divide cero entre cero, y le salen NaN.
    """

    rank = 1

    def compute_mask(self, inputs, previous_mask=None):
        r"""No da ninguna: ya no hay instantes."""

    def forward(self, x, training=False, mask=None):
        r"""Promedia cada canal."""
        self.share = None
        if mask is None:
            return super().forward(x, training)
        self.x = x = self.ready(x)
        mask = check.mask(mask, "mask", x.shape[:2])
        counts = mask.sum(axis=1, keepdims=True)
        share = (mask / np.maximum(counts, 1)).astype(self.dtype)
        self.share = share[:, :, np.newaxis]
        y = self.buffer("y", (len(x), x.shape[-1]))
        counted = np.where(mask[:, :, np.newaxis], x, 0)
        np.sum(counted * self.share, axis=1, out=y)
        self.y = y.reshape(len(x), *(1,) * self.keepdims, x.shape[-1])
        return self.y

    def backward(self, dy):
        r"""Reparte el gradiente de cada canal entre los instantes que contaron."""
        if self.share is None:
            return super().backward(dy)
        dy = self.output_gradient(dy)
        dx, dy = self.buffer("dx", self.x.shape), dy.reshape(len(dy), 1, -1)
        return np.multiply(dy, self.share, out=dx)


class GlobalMaxPooling1D(GlobalMaxPooling2D):
    r"""Capa de máximo global de una serie: lo más fuerte de cada canal, ocurra cuando ocurra.

    Es :class:`~chapters.cnn.MaxPooling1D` con una ventana del largo de la serie.

    >>> layer = GlobalMaxPooling1D(dtype="float64")
    >>> layer.forward([[[1, 90], [2, 20], [6, 60]]])
    array([[ 6., 90.]])
    >>> layer.backward([[3, 6]])[0]
    array([[0., 6.],
           [0., 0.],
           [3., 0.]])

    Parameters
    ----------
    data_format, keepdims
        Como en :class:`~chapters.cnn.GlobalAveragePooling1D`.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    rank = 1
