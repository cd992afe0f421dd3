r"""Cinco redes que hicieron historia, capa por capa."""

from dlbook.check import choice


def historical_layers(name):
    r"""Devuelve la tabla de capas de una red que hizo historia, lista para contar sus parámetros.

    Cada fila dice cuántas entradas ve cada unidad (o filtro), cuántas unidades hay y cuántos parámetros propios
    tiene cada una: lo que pide :func:`layer_parameters`. Las capas sin parámetros, como las que solo reducen el tamaño
    de la imagen, no aparecen.

    - **LeNet-5** :cite:p:`lecun1998`. Un *mapa* es la imagen que entrega un filtro. Los filtros de la capa C3 no ven
      todos los mapas anteriores: seis ven 3, nueve ven 4 y uno ve los 6. S2 y S4 promedian, y cada mapa aprende un
      factor y un sesgo. La salida compara con patrones fijos, que no se aprenden.
    - **AlexNet** :cite:p:`krizhevsky2012`. Como se repartió entre dos tarjetas, los filtros de las capas 2, 4 y 5 solo
      ven la mitad de los mapas: 48 o 192 canales.
    - **VGG16** :cite:p:`simonyan2014`. Trece capas de filtros 3×3 y tres densas.
    - **GoogLeNet** :cite:p:`szegedy2015`. Nueve módulos que aplican a la vez filtros de varios tamaños. Contamos la red
      sin las ramas auxiliares, que solo se usan al entrenar.
    - **ResNet-152** :cite:p:`he2016`. Cincuenta bloques de tres capas, más la primera y la última: 152. Los filtros no
      llevan sesgo; cada uno va seguido de una normalización que aprende dos números, de ahí que sus parámetros propios
      sean 2.

    **A mano.** La primera red, entera, y el total de todas:

    >>> for name, fan_in, units, own in historical_layers("LeNet-5"):
    ...     print(name, fan_in, units, own)
    C1 25 6 1
    S2 1 6 1
    C3 75 6 1
    C3 100 9 1
    C3 150 1 1
    S4 1 16 1
    C5 400 120 1
    F6 120 84 1

    >>> from chapters.introduction import layer_parameters
    >>> for name in ("LeNet-5", "AlexNet", "VGG16", "GoogLeNet", "ResNet-152"):
    ...     rows = historical_layers(name)
    ...     print(name, sum(layer_parameters(*row[1:]) for row in rows))
    LeNet-5 60000
    AlexNet 60965224
    VGG16 138357544
    GoogLeNet 6998552
    ResNet-152 60192808

    Parameters
    ----------
    name : str
        ``"LeNet-5"``, ``"AlexNet"``, ``"VGG16"``, ``"GoogLeNet"`` o ``"ResNet-152"``.

    Returns
    -------
    list of (str, int, int, int)
        Nombre de la capa, entradas por unidad, unidades y parámetros propios de cada unidad.

    Raises
    ------
    ValueError
        Si el nombre no es uno de los cinco.

        >>> historical_layers("LeNet")
        Traceback (most recent call last):
            ...
        ValueError: name: se esperaba 'LeNet-5' o 'AlexNet' o 'VGG16'
        o 'GoogLeNet' o 'ResNet-152', pero llegó 'LeNet'
    """
    tables = {
        "LeNet-5": _lenet5,
        "AlexNet": _alexnet,
        "VGG16": _vgg16,
        "GoogLeNet": _googlenet,
        "ResNet-152": _resnet152,
    }
    return tables[choice(name, "name", list(tables))]()


def _lenet5():
    return [
        ("C1", 5 * 5 * 1, 6, 1),
        ("S2", 1, 6, 1),
        ("C3", 5 * 5 * 3, 6, 1),
        ("C3", 5 * 5 * 4, 9, 1),
        ("C3", 5 * 5 * 6, 1, 1),
        ("S4", 1, 16, 1),
        ("C5", 5 * 5 * 16, 120, 1),
        ("F6", 120, 84, 1),
    ]


def _alexnet():
    return [
        ("conv1", 11 * 11 * 3, 96, 1),
        ("conv2", 5 * 5 * 48, 256, 1),
        ("conv3", 3 * 3 * 256, 384, 1),
        ("conv4", 3 * 3 * 192, 384, 1),
        ("conv5", 3 * 3 * 192, 256, 1),
        ("densa6", 6 * 6 * 256, 4096, 1),
        ("densa7", 4096, 4096, 1),
        ("densa8", 4096, 1000, 1),
    ]


def _vgg16():
    channels = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    rows = [(f"conv{i}", 3 * 3 * channels[i - 1], channels[i], 1) for i in range(1, 14)]
    return [*rows, ("densa14", 7 * 7 * 512, 4096, 1), ("densa15", 4096, 4096, 1), ("densa16", 4096, 1000, 1)]


def _googlenet():
    rows = [("conv1", 7 * 7 * 3, 64, 1), ("conv2a", 1 * 1 * 64, 64, 1), ("conv2b", 3 * 3 * 64, 192, 1)]
    # Por módulo: filtros 1×1, reducción y 3×3, reducción y 5×5, y 1×1 tras el agrupamiento.
    modules = [
        ("3a", 64, 96, 128, 16, 32, 32),
        ("3b", 128, 128, 192, 32, 96, 64),
        ("4a", 192, 96, 208, 16, 48, 64),
        ("4b", 160, 112, 224, 24, 64, 64),
        ("4c", 128, 128, 256, 24, 64, 64),
        ("4d", 112, 144, 288, 32, 64, 64),
        ("4e", 256, 160, 320, 32, 128, 128),
        ("5a", 256, 160, 320, 32, 128, 128),
        ("5b", 384, 192, 384, 48, 128, 128),
    ]
    channels = 192
    for name, n1, reduce3, n3, reduce5, n5, pool in modules:
        rows += [
            (f"{name} 1x1", channels, n1, 1),
            (f"{name} antes de 3x3", channels, reduce3, 1),
            (f"{name} 3x3", 3 * 3 * reduce3, n3, 1),
            (f"{name} antes de 5x5", channels, reduce5, 1),
            (f"{name} 5x5", 5 * 5 * reduce5, n5, 1),
            (f"{name} tras agrupar", channels, pool, 1),
        ]
        channels = n1 + n3 + n5 + pool
    return [*rows, ("densa", channels, 1000, 1)]


def _resnet152():
    rows = [("conv1", 7 * 7 * 3, 64, 2)]
    channels = 64
    for stage, (blocks, width) in enumerate([(3, 64), (8, 128), (36, 256), (3, 512)], start=2):
        for block in range(1, blocks + 1):
            name = f"conv{stage}_{block}"
            if block == 1:  # el atajo cambia de tamaño y necesita sus propios filtros
                rows.append((f"{name} atajo", channels, 4 * width, 2))
            rows += [
                (f"{name} 1x1", channels, width, 2),
                (f"{name} 3x3", 3 * 3 * width, width, 2),
                (f"{name} 1x1", width, 4 * width, 2),
            ]
            channels = 4 * width
    return [*rows, ("densa", channels, 1000, 1)]
