r"""GoogLeNet: el bloque inception y la red que ganó ILSVRC en 2014."""

from chapters.cnn.blocks.branches import Branches
from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.normalization.local_response import LocalResponseNormalization
from chapters.cnn.pooling.global_pooling import GlobalAveragePooling2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.sequential import Input, Sequential


def inception_block(
    ones,
    reduce_threes,
    threes,
    reduce_fives,
    fives,
    pooled,
):
    r"""El bloque *inception* :cite:p:`szegedy2015`: cuatro ramas que miran a distinta escala.

    Una rama de :math:`1\times1`, una de :math:`3\times3`, una de :math:`5\times5` y una que agrupa. Los filtros grandes
    son caros. La solución son los filtros de :math:`1\times1`: en cada píxel son una capa densa sobre los canales, y
    sirven para **resumirlos** antes de gastar. Con :math:`C` canales de entrada, :math:`R` tras resumir y :math:`F` de
    salida, en un mapa de :math:`h\times w`, la rama de :math:`5\times5` hace

    .. math::
       :label: ed-cnn-cuello

       hw\,(C R + 25 R F)

    multiplicaciones en vez de :math:`hw\cdot 25\,C F`. En el primer bloque de GoogLeNet, con :math:`C=192`,
    :math:`R=16` y :math:`F=32`, son casi diez veces menos:

    >>> (28 * 28 * 25 * 192 * 32) / (28 * 28 * (192 * 16 + 25 * 16 * 32))
    9.67741935483871

    >>> block = inception_block(64, 96, 128, 16, 32, 32)
    >>> block.compute_output_shape((28, 28, 192))  # 64 + 128 + 32 + 32 canales
    (28, 28, 256)

    Parameters
    ----------
    ones : int
        Canales de la rama de :math:`1\times1`.
    reduce_threes, threes : int
        Los del resumen y los de la rama de :math:`3\times3`.
    reduce_fives, fives : int
        Los del resumen y los de la rama de :math:`5\times5`.
    pooled : int
        Los que deja, tras agrupar, la última rama.

    Returns
    -------
    Branches
    """

    def conv(filters, size):
        return Conv2D(filters, size, padding="same", activation="relu")

    pool = MaxPooling2D(3, strides=1, padding="same")
    return Branches(
        [
            conv(ones, 1),
            [conv(reduce_threes, 1), conv(threes, 3)],
            [conv(reduce_fives, 1), conv(fives, 5)],
            [pool, conv(pooled, 1)],
        ]
    )


def googlenet(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax", **options):
    r"""GoogLeNet :cite:p:`szegedy2015`: 22 capas con pesos, y casi nueve veces menos parámetros que AlexNet.

    Nueve bloques *inception* de dos capas de hondo, tres convoluciones antes y una densa al final: :item:`CNN-84`

    >>> 3 + 9 * 2 + 1
    22

    La otra idea está al final. En vez de tres capas densas, **promedia** cada uno de los 1024 mapas y deja una sola
    densa; ahí AlexNet gastaba más de 58 millones de parámetros, y esta, uno.

    >>> from chapters.mlp.layer import shapes_only
    >>> with shapes_only():
    ...     model = googlenet()
    >>> model.count_params(), model.layers[-1].count_params()
    (6998552, 1025000)

    El artículo entrena además dos salidas auxiliares, colgadas de dos bloques de en medio, para que el gradiente llegue
    fuerte a las primeras capas. Al predecir se tiran, y aquí no están.

    Parameters
    ----------
    input_shape : tuple of int
        La forma de las imágenes.
    classes : int
        Cuántas salidas.
    classifier_activation : str or None
        La activación de la última capa; con ``None`` da los *logits*.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Sequential`.

    Returns
    -------
    Sequential
    """
    return Sequential(
        [
            Input(input_shape),
            Conv2D(64, 7, strides=2, padding="same", activation="relu"),
            MaxPooling2D(3, strides=2, padding="same"),
            LocalResponseNormalization(),
            Conv2D(64, 1, activation="relu"),
            Conv2D(192, 3, padding="same", activation="relu"),
            LocalResponseNormalization(),
            MaxPooling2D(3, strides=2, padding="same"),
            inception_block(64, 96, 128, 16, 32, 32),
            inception_block(128, 128, 192, 32, 96, 64),
            MaxPooling2D(3, strides=2, padding="same"),
            inception_block(192, 96, 208, 16, 48, 64),
            inception_block(160, 112, 224, 24, 64, 64),
            inception_block(128, 128, 256, 24, 64, 64),
            inception_block(112, 144, 288, 32, 64, 64),
            inception_block(256, 160, 320, 32, 128, 128),
            MaxPooling2D(3, strides=2, padding="same"),
            inception_block(256, 160, 320, 32, 128, 128),
            inception_block(384, 192, 384, 48, 128, 128),
            GlobalAveragePooling2D(),
            Dropout(0.4),
            Dense(classes, classifier_activation),
        ],
        **options,
    )
