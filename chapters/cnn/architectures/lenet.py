r"""LeNet-5: la de 1998, pieza por pieza, y la que se usa hoy."""

from chapters.cnn.architectures.partial_conv2d import C3_TABLE, PartialConv2D
from chapters.cnn.architectures.radial_basis import RadialBasis, digit_bitmaps
from chapters.cnn.architectures.scaled_tanh import ScaledTanh
from chapters.cnn.architectures.subsampling import Subsampling2D
from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.mlp.activation import Activation
from chapters.mlp.dense import Dense
from chapters.mlp.flatten import Flatten
from chapters.mlp.initializers import RandomUniform
from chapters.mlp.sequential import Input, Sequential


def lenet5_1998(**options):
    r"""LeNet-5 como se publicó :cite:p:`lecun1998`: exactamente 60 000 parámetros. :item:`CNN-10`

    Las capas se llaman como en el artículo: C las que convolucionan, S las que submuestrean, F la completa. Tras cada
    una va la tangente :class:`chapters.cnn.ScaledTanh`.

    +--------+----------------------------------------------+--------------------------+------------+
    | capa   | qué es                                       | cuenta                   | parámetros |
    +========+==============================================+==========================+============+
    | C1     | 6 filtros de :math:`5\times5`                | 6 · (25 + 1)             | 156        |
    +--------+----------------------------------------------+--------------------------+------------+
    | S2     | submuestreo                                  | 6 · 2                    | 12         |
    +--------+----------------------------------------------+--------------------------+------------+
    | C3     | 60 filtros de :math:`5\times5`, por la tabla | 60 · 25 + 16             | 1516       |
    +--------+----------------------------------------------+--------------------------+------------+
    | S4     | submuestreo                                  | 16 · 2                   | 32         |
    +--------+----------------------------------------------+--------------------------+------------+
    | C5     | 120 filtros de :math:`5\times5`              | 120 · (16 · 25 + 1)      | 48 120     |
    +--------+----------------------------------------------+--------------------------+------------+
    | F6     | 84 neuronas                                  | 84 · (120 + 1)           | 10 164     |
    +--------+----------------------------------------------+--------------------------+------------+
    | salida | base radial, fija                            | ninguna                  | 0          |
    +--------+----------------------------------------------+--------------------------+------------+

    >>> model = lenet5_1998(seed=0)
    >>> model.count_params()
    60000

    C5 es una convolución, aunque su ventana tape el mapa entero y de cada filtro salga un solo número. El artículo lo
    aprovecha para leer números enteros: con una imagen más ancha, la misma ventana da una respuesta en cada lugar.

    Los pesos empiezan, como en el artículo, uniformes entre :math:`\pm2.4/e`, con :math:`e` las entradas de la neurona.
    En C3, donde cada mapa tiene las suyas, se toma su media.

    Parameters
    ----------
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Sequential`.

    Returns
    -------
    Sequential
        Recibe imágenes de :math:`32\times32\times1` y da diez puntajes, el mayor el del dígito más parecido.
    """

    def weights(inputs):
        return RandomUniform(-2.4 / inputs, 2.4 / inputs)

    def squash():
        return Activation(ScaledTanh())

    connections = sum(len(row) for row in C3_TABLE)
    return Sequential(
        [
            Input((32, 32, 1)),
            Conv2D(6, 5, kernel_initializer=weights(25), name="c1"),
            squash(),
            Subsampling2D(2, weights(4), name="s2"),
            squash(),
            PartialConv2D(C3_TABLE, 5, weights(25 * connections / len(C3_TABLE)), name="c3"),
            squash(),
            Subsampling2D(2, weights(4), name="s4"),
            squash(),
            Conv2D(120, 5, kernel_initializer=weights(400), name="c5"),
            squash(),
            Flatten(),
            Dense(84, kernel_initializer=weights(120), name="f6"),
            squash(),
            RadialBasis(digit_bitmaps().reshape(10, 84), name="output"),
        ],
        **options,
    )


def lenet5(
    input_shape=(28, 28, 1),
    classes=10,
    classifier_activation=None,
    **options,
):
    r"""LeNet-5 como se programa hoy: las mismas medidas con piezas de ahora. :item:`CNN-12`

    ReLU en vez de la tangente, el máximo en vez del submuestreo entrenable, C3 conectada del todo y, a la salida, diez
    neuronas corrientes. Tiene 1706 parámetros más: 900 de completar C3, 850 de la salida, y 44 menos por no entrenar el
    submuestreo.

    >>> model = lenet5()
    >>> model.count_params(), 60_000 + (2416 - 1516) + 850 - 44
    (61706, 61706)

    Parameters
    ----------
    input_shape : tuple of int
        La forma de las imágenes. La primera convolución las rodea de ceros; el artículo las centraba en una de 32.
    classes : int
        Cuántas salidas.
    classifier_activation : str or None
        La activación de la última capa; sin ella da los *logits*.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Sequential`.

    Returns
    -------
    Sequential
    """
    layers = [
        Input(input_shape),
        Conv2D(6, 5, padding="same", activation="relu"),
        MaxPooling2D(2),
        Conv2D(16, 5, activation="relu"),
        MaxPooling2D(2),
        Flatten(),
        Dense(120, "relu"),
        Dense(84, "relu"),
        Dense(classes, classifier_activation),
    ]
    return Sequential(layers, **options)
