r"""Las otras convoluciones de una serie: por canal y traspuesta, con el alto en 1."""

from chapters.cnn.convolution.conv2d_transpose import Conv2DTranspose
from chapters.cnn.convolution.depthwise import DepthwiseConv2D


class DepthwiseConv1D(DepthwiseConv2D):
    r"""Capa de convolución por canal en una serie, con los argumentos de Keras.

    Es :eq:`ec-cnn-por-canal` con alto 1: cada canal, con sus propios :math:`R` filtros, y ninguno se mezcla con otro.
    Con paso :math:`s`, dilatación :math:`d` y relleno :math:`p`, el mapa :math:`f=cR+r` es

    .. math::
       :label: ed-cnn-por-canal-1d

       z_{tf} = b_f + \sum_i x_{ts+i\,d-p,\,c}\,w_{icr} .

    **A mano.** Al primer canal se le suman vecinos; al segundo se le restan:

    >>> import numpy as np
    >>> layer = DepthwiseConv1D(2, use_bias=False, dtype="float64")
    >>> layer.build((3, 2))
    >>> layer.set_weights([np.array([[[1.0], [-1.0]], [[1.0], [1.0]]])])
    >>> layer.forward([[[1, 10], [2, 30], [4, 70]]])[0]
    array([[ 3., 20.],
           [ 6., 40.]])
    >>> layer.backward(np.ones((1, 2, 2)))[0]
    array([[ 1., -1.],
           [ 2.,  0.],
           [ 1.,  1.]])

    Parameters
    ----------
    kernel_size, strides, dilation_rate : int
        Cuántos instantes abarca cada filtro, el paso y la dilatación.
    padding, depth_multiplier, data_format, activation, use_bias
        Como en :class:`~chapters.cnn.DepthwiseConv2D`.
    depthwise_initializer, bias_initializer, depthwise_regularizer, bias_regularizer
        También.
    depthwise_constraint, bias_constraint
        También.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (k, c, r)
        Los filtros.
    bias : ndarray, shape (c · r,), or None
        Los sesgos.
    """

    rank = 1


class Conv1DTranspose(Conv2DTranspose):
    r"""Capa de convolución traspuesta en una serie, con los argumentos de Keras.

    Es :eq:`ec-cnn-traspuesta` con alto 1: cada instante pinta un filtro en la serie de salida, que con paso :math:`s`
    es unas :math:`s` veces más larga. Su vuelta es :eq:`ec-cnn-traspuesta-atras`, la ida de
    :class:`~chapters.cnn.Conv1D`.

    **A mano.** Los dos instantes y el filtro :math:`(1, 2, 3)` de :func:`~chapters.cnn.conv2d_transpose_forward`:

    >>> import numpy as np
    >>> layer = Conv1DTranspose(
    ...     1, 3, strides=2, use_bias=False, dtype="float64"
    ... )
    >>> layer.build((2, 1))
    >>> layer.set_weights([np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)])
    >>> layer.forward([[[1], [10]]]).ravel()
    array([ 1.,  2., 13., 20., 30.])
    >>> layer.backward([[[0], [0], [1], [0], [0]]]).ravel()
    array([3., 1.])
    >>> layer.gradients[0].ravel()
    array([10.,  0.,  1.])

    Parameters
    ----------
    filters : int
        Cuántos canales salen.
    kernel_size, strides, output_padding, dilation_rate : int
        Cuántos instantes abarca cada filtro, cuántas veces se alarga la serie, cuántos se agregan al final y la
        dilatación.
    padding, data_format, activation, use_bias
        Como en :class:`~chapters.cnn.Conv2DTranspose`.
    kernel_initializer, bias_initializer, kernel_regularizer, bias_regularizer
        También.
    kernel_constraint, bias_constraint
        También.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (k, f, c)
        Los filtros.
    bias : ndarray, shape (f,), or None
        Los sesgos.
    """

    rank = 1
