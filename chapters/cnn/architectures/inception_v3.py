r"""Inception v3: partir los filtros grandes en pequeños, y los cuadrados en tiras."""

from chapters.cnn.blocks.branches import Branches
from chapters.cnn.blocks.conv_bn import conv_bn
from chapters.cnn.pooling.average_pooling import AveragePooling2D
from chapters.cnn.pooling.global_pooling import GlobalAveragePooling2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.mlp.dense import Dense
from chapters.mlp.sequential import Input, Sequential


def inception_v3(input_shape=(299, 299, 3), classes=1000, classifier_activation="softmax", **options):
    r"""Inception v3 :cite:p:`szegedy2016`: más gasto que GoogLeNet, mejor repartido. :item:`CNN-86`

    Parte de GoogLeNet y lleva más lejos la idea de VGG. Un filtro de :math:`5\times5` se cambia por dos de
    :math:`3\times3`. Y uno de :math:`n\times n`, por una tira de :math:`1\times n` seguida de otra de
    :math:`n\times1`, que entre las dos ven lo mismo. Con :math:`C` canales de entrada y de salida, los pesos pasan de

    .. math::
       :label: ed-cnn-tiras

       n^2 C^2 \;\to\; 2n\,C^2 .

    Con :math:`n=7`, de 49 a 14. Si el filtro fuera el producto de una columna por una fila, la separación sería
    exacta, como en :func:`chapters.cnn.separate`; aquí no se exige, se aprende. Después de cada convolución hay una
    normalización por lotes, sin escala, y una ReLU.

    Son tres familias de bloques. En los mapas de :math:`35\times35`, dos filtros de :math:`3\times3` seguidos, junto
    a una rama que conserva uno de :math:`5\times5`; en los de :math:`17\times17`, tiras de 7; en los de
    :math:`8\times8`, tiras de 3 que no van una tras otra sino en paralelo. Entre familia y familia, un bloque que
    parte el lado a la mitad por dos caminos, convolución y agrupamiento, en vez de agrupar primero y perder detalle.

    >>> from chapters.mlp.layer import shapes_only
    >>> with shapes_only():
    ...     model = inception_v3()
    >>> model.count_params()
    23851784

    Ahí van incluidas las medias y varianzas que la normalización recuerda y nadie entrena, dos por canal:

    >>> sum(w.size for w in model.trainable_weights)
    23817352

    Parameters
    ----------
    input_shape : tuple of int
        La forma de las imágenes; los lados, de al menos 75.
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
            *_conv(32, 3, strides=2, padding="valid"),
            *_conv(32, 3, padding="valid"),
            *_conv(64, 3),
            MaxPooling2D(3, strides=2),
            *_conv(80, 1, padding="valid"),
            *_conv(192, 3, padding="valid"),
            MaxPooling2D(3, strides=2),
            *(_block_35(pooled) for pooled in (32, 64, 64)),
            _reduction_35(),
            *(_block_17(width) for width in (128, 160, 160, 192)),
            _reduction_17(),
            _block_8(),
            _block_8(),
            GlobalAveragePooling2D(),
            Dense(classes, classifier_activation),
        ],
        **options,
    )


def _conv(*arguments, **options):
    return conv_bn(*arguments, **options, scale=False)


def _pooled(filters):
    return [AveragePooling2D(3, strides=1, padding="same"), *_conv(filters, 1)]


def _block_35(pooled):
    return Branches(
        [
            _conv(64, 1),
            [*_conv(48, 1), *_conv(64, 5)],
            [*_conv(64, 1), *_conv(96, 3), *_conv(96, 3)],
            _pooled(pooled),
        ]
    )


def _reduction_35():
    return Branches(
        [
            _conv(384, 3, strides=2, padding="valid"),
            [*_conv(64, 1), *_conv(96, 3), *_conv(96, 3, strides=2, padding="valid")],
            MaxPooling2D(3, strides=2),
        ]
    )


def _block_17(width):
    strips = [(1, 7), (7, 1)]
    return Branches(
        [
            _conv(192, 1),
            [*_conv(width, 1), *_conv(width, strips[0]), *_conv(192, strips[1])],
            [
                *_conv(width, 1),
                *_conv(width, strips[1]),
                *_conv(width, strips[0]),
                *_conv(width, strips[1]),
                *_conv(192, strips[0]),
            ],
            _pooled(192),
        ]
    )


def _reduction_17():
    return Branches(
        [
            [*_conv(192, 1), *_conv(320, 3, strides=2, padding="valid")],
            [*_conv(192, 1), *_conv(192, (1, 7)), *_conv(192, (7, 1)), *_conv(192, 3, strides=2, padding="valid")],
            MaxPooling2D(3, strides=2),
        ]
    )


def _block_8():
    def fan():
        return Branches([_conv(384, (1, 3)), _conv(384, (3, 1))])

    return Branches(
        [
            _conv(320, 1),
            [*_conv(384, 1), fan()],
            [*_conv(448, 1), *_conv(384, 3), fan()],
            _pooled(192),
        ]
    )
