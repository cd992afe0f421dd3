r"""AlexNet: la red que ganó ILSVRC en 2012."""

from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.normalization.local_response import LocalResponseNormalization
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.flatten import Flatten
from chapters.mlp.initializers import RandomNormal
from chapters.mlp.sequential import Input, Sequential


def alexnet(input_shape=(227, 227, 3), classes=1000, classifier_activation="softmax", **options):
    r"""AlexNet :cite:p:`krizhevsky2012`: ocho capas con pesos, y las ideas que cambiaron el campo. :item:`CNN-47`

    Cinco convoluciones y tres capas densas. Sobre LeNet-5 trae cinco novedades. La **ReLU** en vez de la tangente: una
    red de cuatro capas, cuentan sus autores, llegó con ella al 25 % de error en la sexta parte de las épocas. El
    *dropout* en las dos densas grandes. La **normalización local** después de las dos primeras convoluciones. El
    agrupamiento **superpuesto**: ventanas de 3 cada 2. Y los **grupos**: la red no cabía en una GPU de 3 GB, así que la
    partieron en dos, y en tres de las convoluciones cada mitad de los filtros solo ve la mitad de los canales.

    >>> from chapters.mlp.layer import shapes_only
    >>> with shapes_only():
    ...     model = alexnet()
    >>> model.count_params()
    60965224

    De esos 61 millones, las convoluciones tienen el 4 %; los demás están en las densas. Con las multiplicaciones pasa
    lo contrario, porque cada peso de una convolución se usa en todas las posiciones:

    >>> convolutions = [
    ...     layer for layer in model.layers if isinstance(layer, Conv2D)
    ... ]
    >>> weights = sum(layer.count_params() for layer in convolutions)
    >>> share = weights / model.count_params()
    >>> work = sum(layer.work() for layer in convolutions) / model.work()
    >>> f"{share:.0%} de los parámetros y {work:.0%} del trabajo"
    '4% de los parámetros y 91% del trabajo'

    El artículo dice que las imágenes son de :math:`224\times224`, pero con ventanas de 11 cada 4, sin relleno, las 55
    filas que él mismo da solo salen de 227: :math:`(227-11)/4+1=55`.

    Los pesos empiezan como en el artículo: normales con desviación 0.01, y los sesgos en 1 donde una ReLU podría nacer
    apagada (la segunda, la cuarta y la quinta convolución, y las densas ocultas).

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

    def convolution(filters, kernel_size, bias, **more):
        return Conv2D(
            filters,
            kernel_size,
            activation="relu",
            kernel_initializer=RandomNormal(stddev=0.01),
            bias_initializer=bias,
            **more,
        )

    def dense(units, activation, bias):
        return Dense(units, activation, kernel_initializer=RandomNormal(stddev=0.01), bias_initializer=bias)

    return Sequential(
        [
            Input(input_shape),
            convolution(96, 11, "zeros", strides=4),
            LocalResponseNormalization(),
            MaxPooling2D(3, strides=2),
            convolution(256, 5, "ones", padding="same", groups=2),
            LocalResponseNormalization(),
            MaxPooling2D(3, strides=2),
            convolution(384, 3, "zeros", padding="same"),
            convolution(384, 3, "ones", padding="same", groups=2),
            convolution(256, 3, "ones", padding="same", groups=2),
            MaxPooling2D(3, strides=2),
            Flatten(),
            dense(4096, "relu", "ones"),
            Dropout(0.5),
            dense(4096, "relu", "ones"),
            Dropout(0.5),
            dense(classes, classifier_activation, "zeros"),
        ],
        **options,
    )
