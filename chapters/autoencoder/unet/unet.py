r"""La U-Net: bajar a mirar de lejos, subir a pintar, y recordar por el camino."""

from chapters.cnn import Conv2D, Conv2DTranspose, Cropping2D, MaxPooling2D
from chapters.mlp import Concatenate, Dropout, Input, Model
from dlbook import check

# Más niveles parten un lado en pedazos que ya no caben en ninguna imagen.
MOST_LEVELS = 12


def plain_unet_shapes(size, levels=4, padding="valid"):
    """Da los lados de los mapas de una U-Net."""
    lost = 4 if padding == "valid" else 0
    skips, ups, side = [], [], size
    for _ in range(levels):
        skips.append(side - lost)
        side = skips[-1] // 2  # [ec-ae-unet-lados]
    lowest, side = side, side - lost
    for _ in range(levels):
        ups.insert(0, 2 * side)
        side = ups[0] - lost
    crops = [(c - u) // 2 for c, u in zip(skips, ups, strict=True)]  # [ec-ae-unet-recorte]
    found = {"skips": skips, "lowest": lowest, "ups": ups}
    return {**found, "crops": crops, "output": side}


def unet_shapes(size, levels=4, padding="valid"):
    r"""Cuánto miden los mapas de una U-Net en cada piso, de bajada y de subida. :item:`AE-32`

    En cada piso hay dos convoluciones de :math:`3\times3`. Sin relleno, cada una quita un píxel por lado: dos quitan 4
    al lado del mapa. De bajada, un agrupamiento de :math:`2\times2` lo parte a la mitad; de subida, una convolución
    traspuesta lo duplica:

    .. math::
       :label: ec-ae-unet-lados

       \begin{aligned}
       c_\ell &= s_\ell-q, & s_{\ell+1} &= c_\ell/2 & &\text{(bajar)}\\
       u_\ell &= 2\,t_{\ell+1}, & t_\ell &= u_\ell-q & &\text{(subir)}
       \end{aligned}

    con :math:`q=4` sin relleno y :math:`q=0` con él. La bajada empieza en :math:`s_0`, el lado de la imagen; la subida,
    al fondo, en :math:`t_L=s_L-q`, y termina en :math:`t_0`, lo que sale. A la rama :math:`c_\ell` hay que recortarle

    .. math::
       :label: ec-ae-unet-recorte

       r_\ell = \frac{c_\ell-u_\ell}{2}

    por cada lado para que mida lo mismo que :math:`u_\ell` y se puedan poner juntas.

    **A mano.** La del artículo :cite:p:`ronneberger2015`, con 572 píxeles de lado. Bajar: :math:`572-4=568` y la mitad,
    284; :math:`280` y 140; :math:`136` y 68; :math:`64` y **32**, la resolución más baja. Al fondo, :math:`32-4=28`.
    Subir: :math:`56-4=52`; :math:`104-4=100`; :math:`200-4=196`; :math:`392-4=388`.

    >>> shapes = unet_shapes(572)
    >>> shapes["skips"], shapes["lowest"], shapes["output"]
    ([568, 280, 136, 64], 32, 388)
    >>> shapes["ups"], shapes["crops"]
    ([392, 200, 104, 56], [88, 40, 16, 4])

    Con relleno no se pierde nada, y no hay que recortar:

    >>> shapes = unet_shapes(64, levels=2, padding="same")
    >>> shapes["skips"], shapes["lowest"], shapes["crops"], shapes["output"]
    ([64, 32], 16, [0, 0], 64)

    Parameters
    ----------
    size : int
        El lado de la imagen, en píxeles.
    levels : int
        Cuántas veces se baja, de 1 a 12.
    padding : {"valid", "same"}
        Si las convoluciones llevan relleno.

    Returns
    -------
    dict
        ``"skips"``, lo que miden las ramas, :math:`c_\ell`; ``"lowest"``, lo que entra al fondo, :math:`s_L`;
        ``"ups"``, :math:`u_\ell`; ``"crops"``, :math:`r_\ell`, y ``"output"``, lo que sale. Las listas van del piso de
        arriba al de abajo.

    Raises
    ------
    TypeError, ValueError
        Si el lado no se puede partir a la mitad en cada piso, o no queda nada.

        >>> unet_shapes(570)
        Traceback (most recent call last):
            ...
        ValueError: size: se esperaba un lado que se parta a la mitad 4 veces, como 572 o 588, pero llegó 570
    """
    levels = check.integer(levels, "levels", 1, MOST_LEVELS)
    padding = check.choice(padding, "padding", ["valid", "same"])
    size = check.integer(size, "size", 1)
    _check_side(size, "size", levels, padding)
    return plain_unet_shapes(size, levels, padding)


def _check_side(size, name, levels, padding):
    lost = 4 if padding == "valid" else 0
    # Los lados que sirven están separados 2^levels; el menor sin relleno es el que llega al fondo con 4 píxeles.
    step = 2**levels
    smallest = 12 * step - 4 if lost else step
    nearest = max(smallest, size + (smallest - size) % step)
    if size != nearest:
        times = "una vez" if levels == 1 else f"{levels} veces"
        wanted = f"un lado que se parta a la mitad {times}, como {nearest} o {nearest + step}"
        raise ValueError(f"{name}: se esperaba {wanted}, pero llegó {size}")


def _twice(x, filters, padding):
    for _ in range(2):
        x = Conv2D(filters, 3, padding=padding, activation="relu", kernel_initializer="he_normal")(x)
    return x


def _cropped(branch, x):
    # Lo que sobra de la rama, por los cuatro lados.
    crops = [(a - b) // 2 for a, b in zip(branch.shape[1:3], x.shape[1:3], strict=True)]
    return Cropping2D(crops)(branch) if any(crops) else branch


def unet(
    input_shape,
    filters=(16, 32, 64),
    classes=1,
    padding="same",
    skips=True,
    dropout=0.0,
    classifier_activation="auto",
    **options,
):
    r"""La U-Net :cite:p:`ronneberger2015`, con tantos pisos como números haya en ``filters``.

    De bajada, en cada piso: dos convoluciones de :math:`3\times3` con ReLU, y un agrupamiento máximo de
    :math:`2\times2`. El último piso es el fondo. De subida: una convolución traspuesta de :math:`2\times2` con paso 2
    deja la mitad de los canales; se le pone al lado la rama del piso, recortada si hace falta, y siguen otras dos
    convoluciones. Al final, una convolución de :math:`1\times1` da la respuesta de cada píxel. Los pesos nacen como
    pide el artículo, con ``he_normal``.

    >>> model = unet((64, 64, 1))
    >>> model.output_shape, model.count_params()
    ((64, 64, 1), 116753)

    La del artículo tiene cinco pisos, va sin relleno y contesta entre dos clases:

    >>> from chapters.mlp import shapes_only
    >>> filters = (64, 128, 256, 512, 1024)
    >>> with shapes_only():
    ...     original = unet((572, 572, 1), filters, 2, "valid")
    >>> original.output_shape, original.count_params()
    ((388, 388, 2), 31030658)

    Parameters
    ----------
    input_shape : (int, int, int)
        Alto, ancho y canales de las imágenes; cada lado, de los que admite :func:`unet_shapes`.
    filters : sequence of int
        Los canales de cada piso, de arriba al fondo; de 2 a 13 números.
    classes : int
        Cuántos números salen por píxel. Con 1, la probabilidad de estar dentro.
    padding : {"same", "valid"}
        Con relleno, sale una imagen del mismo tamaño. Sin él, como en el artículo, la orilla se pierde.
    skips : bool
        Si hay ramas. Sin ellas es un autocodificador convolucional.
    dropout : float
        Qué fracción se apaga al fondo mientras se entrena.
    classifier_activation : str or None
        La activación de la salida; con ``"auto"``, la sigmoide si sale un número por píxel, y si no, *softmax*.
    **options
        ``dtype``, ``seed`` y ``name``, como en :class:`chapters.mlp.Functional`.

    Returns
    -------
    Functional

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo que se pide, o si los lados no se pueden partir.

        >>> unet((30, 32, 1))
        Traceback (most recent call last):
            ...
        ValueError: input_shape[0]: se esperaba un lado que se parta a la mitad 2 veces, como 32 o 36, pero llegó 30
    """
    filters = [check.integer(f, "filters", 1) for f in check.sequence(filters, "filters")]
    levels = len(filters) - 1
    if not 1 <= levels <= MOST_LEVELS:
        wanted = f"los canales de al menos dos pisos y a lo sumo {MOST_LEVELS + 1}"
        raise ValueError(f"filters: se esperaban {wanted}, pero llegaron {len(filters)}")
    input_shape = check.shape(input_shape, "input_shape")
    if len(input_shape) != 3:
        raise ValueError(f"input_shape: se esperaba (alto, ancho, canales), pero llegó {input_shape}")
    classes, skips = check.integer(classes, "classes", 1), check.boolean(skips, "skips")
    dropout = check.number(dropout, "dropout", 0, 1, open_high=True)
    padding = check.choice(padding, "padding", ["valid", "same"])
    for k, side in enumerate(input_shape[:2]):
        _check_side(side, f"input_shape[{k}]", levels, padding)
    if isinstance(classifier_activation, str) and classifier_activation == "auto":
        classifier_activation = "sigmoid" if classes == 1 else "softmax"

    x, branches = Input(input_shape), []
    image = x
    for f in filters[:-1]:
        branches.append(_twice(x, f, padding))
        x = MaxPooling2D(2)(branches[-1])
    x = _twice(x, filters[-1], padding)
    if dropout:
        x = Dropout(dropout)(x)
    for f, branch in zip(filters[-2::-1], branches[::-1], strict=True):
        x = Conv2DTranspose(f, 2, strides=2)(x)
        if skips:
            x = Concatenate()([_cropped(branch, x), x])
        x = _twice(x, f, padding)
    return Model(image, Conv2D(classes, 1, activation=classifier_activation)(x), **options)
