r"""VGG16: solo filtros de tres por tres."""

from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.flatten import Flatten
from chapters.mlp.sequential import Input, Sequential


def vgg16(
    input_shape=(224, 224, 3),
    classes=1000,
    classifier_activation="softmax",
    **options,
):
    r"""VGG16 :cite:p:`simonyan2014`: trece convoluciones del mismo molde y tres capas densas. :item:`CNN-11`

    AlexNet tenía filtros de 11, de 5 y de 3. VGG pregunta si hacían falta, y se queda con los de :math:`3\times3`,
    uno tras otro. Dos seguidos ven una ventana de :math:`5\times5`, y cada uno más la ensancha en 2. Con uno, dos,
    tres… y :math:`m`, el lado es

    .. math::
       :label: ed-cnn-vgg-campo

       3 \;\to\; 5 \;\to\; 7 \;\to\;\cdots\;\to\; 1+2m .

    Tres ven lo mismo que uno de :math:`7\times7`, con menos pesos. Con :math:`C` canales de entrada y de salida, el de
    :math:`7\times7` cuesta :math:`49C^2` pesos; los tres de :math:`3\times3`, :math:`27C^2`, y con una ReLU tras
    cada uno.

    La red es cinco **etapas** y tres capas densas. En cada etapa hay dos o tres convoluciones; entre etapas, un
    agrupamiento parte el lado a la mitad y los canales se duplican, hasta 512.

    >>> from chapters.mlp.layer import shapes_only
    >>> with shapes_only():
    ...     model = vgg16()
    >>> model.count_params()
    138357544

    Casi tres de cada cuatro de esos parámetros son de una sola capa, la primera densa, que ve los
    :math:`7\times7\times512` números del último mapa:

    >>> dense = [layer for layer in model.layers if isinstance(layer, Dense)]
    >>> most = dense[0].count_params()
    >>> most, f"{most / model.count_params():.0%}"
    (102764544, '74%')

    Parameters
    ----------
    input_shape : tuple of int
        La forma de las imágenes; los lados, de al menos 32.
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
    same = {"padding": "same", "activation": "relu"}
    stages = (64, 2), (128, 2), (256, 3), (512, 3), (512, 3)
    layers = [Input(input_shape)]
    for filters, repeats in stages:
        layers += [Conv2D(filters, 3, **same) for _ in range(repeats)]
        layers.append(MaxPooling2D(2))
    layers += [Flatten(), Dense(4096, "relu"), Dropout(0.5)]
    layers += [Dense(4096, "relu"), Dropout(0.5)]
    layers.append(Dense(classes, classifier_activation))
    return Sequential(layers, **options)
