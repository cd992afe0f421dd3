r"""ResNet: bloques residuales, uno tras otro, hasta 152 capas."""

from chapters.cnn.blocks.conv_bn import conv_bn
from chapters.cnn.blocks.residual import Residual
from chapters.cnn.convolution.zero_padding import ZeroPadding2D
from chapters.cnn.pooling.global_pooling import GlobalAveragePooling2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.mlp.dense import Dense
from chapters.mlp.sequential import Input, Sequential
from dlbook import check

# Por cada profundidad, cuántos bloques tiene cada una de las cuatro etapas.
STAGES = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}


def residual_block(filters, strides=1, bottleneck=False, project=False):
    r"""El bloque residual de ResNet :cite:p:`he2016`, en sus dos versiones.

    La **sencilla** son dos convoluciones de :math:`3\times3`. La de **cuello de botella** (*bottleneck*) resume los
    canales con un :math:`1\times1`, trabaja en pequeño con un :math:`3\times3` y los vuelve a ensanchar, cuatro veces,
    con otro :math:`1\times1`: tres capas por algo menos que el precio de dos:

    >>> simple, narrow = residual_block(64), residual_block(64, bottleneck=True)
    >>> simple.build((56, 56, 64))
    >>> narrow.build((56, 56, 256))  # cuatro veces más canales
    >>> [
    ...     sum(w.size for w in block.trainable_weights)
    ...     for block in (simple, narrow)
    ... ]
    [73984, 70400]

    El atajo es la identidad. Al cambiar de etapa no puede serlo, porque cambian el lado y los canales: ahí va una
    convolución de :math:`1\times1` con el mismo paso.

    >>> block = residual_block(128, strides=2, project=True)
    >>> block.compute_output_shape((56, 56, 64))
    (28, 28, 128)

    Parameters
    ----------
    filters : int
        Los canales con que trabaja; con cuello de botella, salen cuatro veces más.
    strides : int
        El paso de la primera convolución.
    bottleneck : bool
        Cuál de las dos versiones.
    project : bool
        Si el atajo lleva una convolución. Hace falta en cuanto cambia la forma.

    Returns
    -------
    Residual
    """
    filters = check.integer(filters, "filters", 1)
    bottleneck = check.boolean(bottleneck, "bottleneck")
    project = check.boolean(project, "project")
    outputs = 4 * filters if bottleneck else filters
    if bottleneck:
        main = [*conv_bn(filters, 1, strides), *conv_bn(filters, 3)]
        main += conv_bn(outputs, 1, activation=None)
    else:
        main = _padded(filters, 3, strides)
        main += conv_bn(outputs, 3, activation=None)
    shortcut = None
    if project:
        shortcut = conv_bn(outputs, 1, strides, activation=None)
    return Residual(main, shortcut, activation="relu")


def resnet(
    depth,
    input_shape=(224, 224, 3),
    classes=1000,
    classifier_activation="softmax",
    **options,
):
    r"""ResNet :cite:p:`he2016`: 18, 34, 50, 101 o 152 capas, con la misma receta. :item:`CNN-85`

    Empieza como GoogLeNet, con una convolución de :math:`7\times7` y un agrupamiento, y termina como ella, con un
    promedio y una sola capa densa. En medio hay cuatro etapas de bloques residuales; al entrar en la segunda, la
    tercera y la cuarta, el lado se parte a la mitad y los canales se duplican:

    | 64 filtros de 7×7 con paso 2, y un máximo con paso 2
    | para cada etapa :math:`e=0,1,2,3`:
    |     para cada uno de sus bloques:
    |         el bloque, con :math:`64\cdot2^e` filtros
    |         (el primero, si :math:`e>0`, con paso 2)
    | el promedio de cada canal, y una capa densa

    Las capas que se cuentan son las que tienen pesos y están en el camino principal. En la de 152 son tres por bloque,
    más la primera y la última:

    >>> 1 + 3 * sum(STAGES[152]) + 1
    152

    >>> from chapters.mlp.layer import shapes_only
    >>> for depth in (18, 34, 50, 152):
    ...     with shapes_only():
    ...         model = resnet(depth)
    ...     print(depth, sum(w.size for w in model.trainable_weights))
    18 11689512
    34 21797672
    50 25557032
    152 60192808

    La de 50 tiene casi el triple de capas que la de 18 y poco más del doble de parámetros. La de 152 tiene menos que
    AlexNet, que era de ocho.

    Parameters
    ----------
    depth : {18, 34, 50, 101, 152}
        Cuántas capas. Desde 50, los bloques son de cuello de botella.
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

    Raises
    ------
    ValueError
        Si no hay una ResNet con esa profundidad.

        >>> resnet(40)
        Traceback (most recent call last):
            ...
        ValueError: depth: se esperaba 18, 34, 50, 101 o 152, pero llegó 40
    """
    if check.integer(depth, "depth") not in STAGES:
        *most, last = STAGES
        raise ValueError(f"depth: se esperaba {', '.join(map(str, most))} o {last}, pero llegó {depth}")
    bottleneck = depth >= 50
    layers = [Input(input_shape), *_padded(64, 7, 2), ZeroPadding2D(1), MaxPooling2D(3, strides=2)]
    for stage, repeats in enumerate(STAGES[depth]):
        # Con cuello de botella, la primera etapa también cambia de canales, de 64 a 256.
        project = stage > 0 or bottleneck
        layers.append(residual_block(64 * 2**stage, 2 if stage else 1, bottleneck, project))
        layers += [residual_block(64 * 2**stage, 1, bottleneck) for _ in range(repeats - 1)]
    layers += [GlobalAveragePooling2D(), Dense(classes, classifier_activation)]
    return Sequential(layers, **options)


def _padded(filters, kernel_size, strides):
    # El mismo relleno por los cuatro lados: con paso 2,
    # SAME pondría uno de más abajo y a la derecha.
    padding = ZeroPadding2D(kernel_size // 2)
    rest = conv_bn(filters, kernel_size, strides, padding="valid")
    return [padding, *rest]
