r"""El autocodificador convolucional: baja con convoluciones y sube con convoluciones."""

import math

from chapters.cnn import Conv2D, Conv2DTranspose, MaxPooling2D, UpSampling2D
from chapters.mlp import Dense, Flatten, Input, Model, Reshape
from dlbook import check


def _checked(input_shape, filters):
    sizes = check.shape(input_shape, "input_shape")
    if len(sizes) != 3:
        raise ValueError(f"input_shape: se esperaba (alto, ancho, canales), pero llegó {sizes}")
    filters = [check.integer(f, "filters", 1) for f in check.sequence(filters, "filters")]
    times = 2 ** len(filters)
    if sizes[0] % times or sizes[1] % times:
        raise ValueError(
            f"input_shape: con {len(filters)} niveles se esperaban un alto y un ancho múltiplos de {times}, "
            f"pero llegó {sizes}"
        )
    return sizes, filters


def convolutional_autoencoder(
    input_shape, filters, code=None, kernel_size=3, strided=False, output_activation="sigmoid", dtype=None, seed=None
):
    r"""Autocodificador convolucional (*convolutional autoencoder*): el modelo, su codificador y su decodificador.

    Cada nivel del codificador es una convolución, que guarda el tamaño, y un agrupamiento, que lo parte a la mitad. El
    decodificador los recorre al revés: una convolución, y cada píxel se repite en un cuadro de :math:`2\times2`. Una
    última convolución deja los canales del principio. Con los filtros :math:`(16, 8)` y una imagen de
    :math:`28\times28`, los canales son 1-16-8-8-16-1: :item:`AE-21`

    >>> models = convolutional_autoencoder((28, 28, 1), (16, 8))
    >>> autoencoder, encoder, decoder = models
    >>> [layer.output.shape[1:] for layer in encoder.layers]
    [(28, 28, 1), (28, 28, 16), (14, 14, 16), (14, 14, 8), (7, 7, 8)]
    >>> [layer.output.shape[1:] for layer in decoder.layers[1:]]
    [(7, 7, 8), (14, 14, 8), (14, 14, 16), (28, 28, 16), (28, 28, 1)]
    >>> autoencoder.count_params()
    3217

    **A mano.** Una convolución de :math:`3\times3` de :math:`C` canales a :math:`F` tiene :math:`9CF` pesos y
    :math:`F` sesgos. La suma de las cinco, en ese orden:

    >>> channels = [1, 16, 8, 8, 16, 1]
    >>> [9 * c * f + f for c, f in zip(channels, channels[1:])]
    [160, 1160, 584, 1168, 145]
    >>> sum(_)
    3217

    El código son los mapas del último nivel, con su alto y su ancho. Con ``code``, una capa densa los junta en un
    vector, y otra los vuelve a desplegar.

    Parameters
    ----------
    input_shape : (int, int, int)
        El alto, el ancho y los canales; el alto y el ancho, múltiplos de :math:`2^L` si hay :math:`L` niveles.
    filters : sequence of int
        Los filtros de cada nivel, del primero al más hondo.
    code : int, optional
        De cuántos números es el código. Sin él, son los mapas.
    kernel_size : int or (int, int)
        El lado de los filtros.
    strided : bool
        Si el tamaño se cambia con pesos: al bajar, convoluciones de paso 2; al subir,
        :class:`~chapters.cnn.Conv2DTranspose` de paso 2.
    output_activation : str or None
        La activación de la salida; con la sigmoide, los píxeles van de 0 a 1.
    dtype, seed
        Como en :class:`chapters.mlp.Model`.

    Returns
    -------
    (autoencoder, encoder, decoder)
        Tres modelos que comparten los pesos.

    Raises
    ------
    TypeError, ValueError
        Si las formas no son de una imagen o no se pueden partir tantas veces a la mitad.

        >>> convolutional_autoencoder((28, 28, 1), (16, 8, 8))
        Traceback (most recent call last):
            ...
        ValueError: input_shape: con 3 niveles se esperaban un alto y un ancho múltiplos de 8, pero llegó (28, 28, 1)
    """
    sizes, filters = _checked(input_shape, filters)
    strided = check.boolean(strided, "strided")
    code = code if code is None else check.integer(code, "code", 1)
    # Los tres modelos sortean del mismo generador: los pesos de uno no repiten los de otro.
    own = {"dtype": dtype, "seed": check.generator(seed)}
    same = {"padding": "same", "activation": "relu"}
    x = inputs = Input(sizes)
    for f in filters:
        x = Conv2D(f, kernel_size, strides=2 if strided else 1, **same)(x)
        x = x if strided else MaxPooling2D(2)(x)
    maps = x.shape[1:]
    x = x if code is None else Dense(code)(Flatten()(x))
    encoder = Model(inputs, x, name="encoder", **own)
    y = codes = Input(x.shape[1:])
    if code is not None:
        y = Reshape(maps)(Dense(math.prod(maps), activation="relu")(y))
    for f in reversed(filters):
        if strided:
            y = Conv2DTranspose(f, kernel_size, strides=2, **same)(y)
        else:
            y = UpSampling2D(2)(Conv2D(f, kernel_size, **same)(y))
    y = Conv2D(sizes[2], kernel_size, padding="same", activation=output_activation)(y)
    decoder = Model(codes, y, name="decoder", **own)
    return Model(inputs, decoder(encoder(inputs)), **own), encoder, decoder
