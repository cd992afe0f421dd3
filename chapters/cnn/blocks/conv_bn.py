r"""Convolución, normalización y activación: el trío de las redes de 2015 en adelante."""

from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.normalization.batch_normalization import BatchNormalization
from chapters.mlp.activation import Activation


def conv_bn(
    filters,
    kernel_size,
    strides=1,
    padding="same",
    activation="relu",
    scale=True,
):
    r"""Una convolución sin sesgo, su normalización por lotes y, si acaso, su activación.

    El sesgo sobra: la normalización resta la media de cada canal, y con ella cualquier constante que se hubiera sumado;
    la que queda es la suya, :math:`\beta`.

    >>> [type(layer).__name__ for layer in conv_bn(64, 3)]
    ['Conv2D', 'BatchNormalization', 'Activation']

    Parameters
    ----------
    filters, kernel_size, strides, padding
        Los de :class:`chapters.cnn.Conv2D`.
    activation : str or None
        La activación; con ``None``, la lista termina en la normalización.
    scale : bool
        Si la normalización aprende también la escala :math:`\gamma`. Antes de una ReLU no hace falta: la capa siguiente
        puede multiplicar lo mismo.

    Returns
    -------
    list of Layer
    """
    unbiased = {"use_bias": False, "kernel_initializer": "he_normal"}
    conv = Conv2D(filters, kernel_size, strides, padding, **unbiased)
    layers = [conv, BatchNormalization(scale=scale)]
    if activation is not None:
        layers.append(Activation(activation))
    return layers
