r"""Una imagen como arreglo: de enteros a decimales y de vuelta, la opacidad, y los píxeles vistos como puntos."""

import numpy as np

from dlbook.check import floats, labels


# Una imagen de decimales, como floats, pero con todos sus valores entre 0 y 1.
def _unit_values(image, name, shape=None, sizes=None):
    image = floats(image, name, shape, sizes)
    outside = image[(image < 0) | (image > 1)]
    if outside.size:
        first = outside[0]
        hint = "; ¿falta dividir entre 255?" if 1 < first <= 255 else ""
        raise ValueError(f"{name}: se esperaban valores entre 0 y 1, pero hay un {first:g}{hint}")
    return image


def to_float(image):
    r"""Pasa una imagen de enteros entre 0 y 255 a decimales entre 0 y 1.

    Un canal de un píxel se guarda casi siempre en ocho bits, y ocho bits distinguen :math:`2^8=256` valores, de 0 a
    255. Para calcular conviene que el blanco sea 1, y el valor :math:`v` pasa a ser

    .. math::
       :label: ec-cnn-decimal

       x = \frac{v}{255} .

    Se divide entre 255 y no entre 256 porque hay 256 valores, pero **255 saltos** del primero al último.

    >>> to_float(np.array([[0, 51, 255]], dtype=np.uint8))
    array([[0. , 0.2, 1. ]], dtype=float32)

    Parameters
    ----------
    image : array_like of int
        Valores enteros entre 0 y 255, con la forma que sea.

    Returns
    -------
    ndarray of float32
        De la misma forma.

    Raises
    ------
    TypeError
        Si no son enteros. Una imagen de decimales ya está entre 0 y 1, y dividirla otra vez la dejaría negra.
    ValueError
        Si alguno no está entre 0 y 255.

        >>> to_float([[157, 265]])
        Traceback (most recent call last):
            ...
        ValueError: image: se esperaba un entero entre 0 y 255, pero hay un 265 en la posición (0, 1)
    """
    levels = labels(image, "image", 256, "...")
    kind = np.asarray(image).dtype
    if kind.kind not in "iu":
        raise TypeError(f"image: se esperaban enteros entre 0 y 255, pero llegó un arreglo de tipo {kind}")
    return (levels / 255).astype(np.float32)  # [ec-cnn-decimal]


def to_uint8(image):
    r"""Pasa una imagen de decimales entre 0 y 1 a enteros de ocho bits.

    A cada decimal le toca el entero más cercano a :math:`255x`; :math:`\lfloor\cdot\rfloor` redondea hacia abajo:

    .. math::
       :label: ec-cnn-octeto

       v = \bigl\lfloor 255\,x + \tfrac12 \bigr\rfloor .

    **Cuánto se pierde.** El entero más cercano queda a lo sumo a :math:`\tfrac12`, así que
    :math:`\lvert x - v/255\rvert\leq\tfrac1{510}`, unas dos milésimas. Y de regreso no se pierde nada: si
    :math:`x=v/255`, el entero más cercano a :math:`255x=v` es el propio :math:`v`. Sin el :math:`\tfrac12` se
    truncaría; la imagen saldría más oscura, y :math:`v/255`, con el redondeo de los decimales, podría volver como
    :math:`v-1`.

    >>> to_uint8([[0.0, 0.5, 1.0]])
    array([[  0, 128, 255]], dtype=uint8)
    >>> every = np.arange(256, dtype=np.uint8)
    >>> bool((to_uint8(to_float(every)) == every).all())
    True

    Parameters
    ----------
    image : array_like
        Valores entre 0 y 1, con la forma que sea.

    Returns
    -------
    ndarray of uint8

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si alguno no está entre 0 y 1.

        >>> to_uint8(np.array([[12, 200]], dtype=np.uint8))
        Traceback (most recent call last):
            ...
        ValueError: image: se esperaban valores entre 0 y 1, pero hay un 12; ¿falta dividir entre 255?
    """
    image = _unit_values(image, "image")
    return np.floor(255 * image + 0.5).astype(np.uint8)  # [ec-cnn-octeto]


def composite(image, background):
    r"""Mezcla una imagen con opacidad sobre un fondo.

    El cuarto canal de RGBA, *alfa*, no es un color: es la *opacidad* (*opacity*), cuánto tapa cada píxel lo que tiene
    detrás. Piensa en un mosquitero que cubre una fracción :math:`\alpha` del hueco: de cada rayo que llega a tu
    ojo, :math:`\alpha` viene de la tela y :math:`1-\alpha`, de lo que hay detrás. Si :math:`\mathbf f` es el color del
    píxel y :math:`\mathbf b`, el del fondo, se ve

    .. math::
       :label: ec-cnn-alfa

       \mathbf c = \alpha\,\mathbf f + (1-\alpha)\,\mathbf b .

    Con :math:`\alpha=1` el fondo desaparece; con :math:`\alpha=0` da igual qué color traiga el píxel. Como es un
    promedio con pesos que suman 1, el resultado nunca se sale de entre 0 y 1.

    **A mano.** Medio rojo sobre blanco da rosa, y un negro invisible deja el blanco:

    >>> image = np.array([[[1, 0, 0, 0.5], [0, 0, 0, 0]]])
    >>> composite(image, [1, 1, 1])
    array([[[1. , 0.5, 0.5],
            [1. , 1. , 1. ]]])

    Parameters
    ----------
    image : array_like, shape (H, W, 4)
        La imagen RGBA, con valores entre 0 y 1.
    background : array_like, shape (3,) or (H, W, 3)
        Un color o una imagen RGB opaca.

    Returns
    -------
    ndarray, shape (H, W, 3)

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no son esas o algún valor no está entre 0 y 1.
    """
    sizes = {}
    image = _unit_values(image, "image", "H W 4", sizes)
    background = floats(background, "background")
    flat = background.ndim == 1
    form = "3" if flat else "H W 3"
    background = _unit_values(background, "background", form, sizes)
    alpha = image[..., 3:]
    return alpha * image[..., :3] + (1 - alpha) * background  # [ec-cnn-alfa]


def pixel_table(image):
    r"""Los píxeles como puntos: una fila por píxel, con su lugar y su color.

    Un píxel dice **dónde** está, dos números, y **de qué color** es, tantos como canales. Con :math:`C` canales es un
    punto de :math:`2+C` dimensiones: 3 en grises, 5 en RGB, 6 en RGBA.

    .. math::
       :label: ec-cnn-pixel

       (x,\ y,\ c_1,\dots,c_C)
       \qquad\text{con}\qquad c_k = \text{imagen}[\,y,\,x,\,k\,] .

    Ojo con el orden. En las matemáticas, :math:`x` va a la derecha y se dice primero; en el arreglo, primero va la
    **fila**, que es :math:`y` y cuenta hacia abajo.

    **A mano.** Una imagen de dos filas y un píxel por fila, rojo arriba y verde abajo:

    >>> pixel_table([[[255, 0, 0]], [[0, 255, 0]]])
    array([[  0.,   0., 255.,   0.,   0.],
           [  0.,   1.,   0., 255.,   0.]])
    >>> [pixel_table(np.zeros(shape)).shape for shape in ((4, 5), (4, 5, 4))]
    [(20, 3), (20, 6)]

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, C)
        La imagen.

    Returns
    -------
    ndarray, shape (H W, 2 + C)
        Un píxel por fila, en el orden en que se lee la imagen.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si no tiene dos ejes o tres.
    """
    image = floats(image, "image")
    image = floats(image, "image", "H W C" if image.ndim == 3 else "H W")
    height, width = image.shape[:2]
    y, x = np.indices((height, width)).reshape(2, -1)
    colors = image.reshape(height * width, -1)
    return np.column_stack([x, y, colors]).astype(image.dtype)  # [ec-cnn-pixel]
