r"""Espacios de color: gris, HSV y YCbCr, de ida y de vuelta."""

import numpy as np

from chapters.cnn.image.pixels import _unit_values
from dlbook.check import floats
from dlbook.numeric.kernel import kernel

# Cuánto pesa cada canal en el brillo, según la recomendación BT.601.
_LUMA = np.array([0.299, 0.587, 0.114])


def rgb_to_gray(rgb):
    r"""De color a gris: el brillo de cada píxel, la *luma*.

    El promedio de los tres canales no sirve: el verde puro se ve mucho más claro que el azul puro, y el promedio los
    dejaría iguales. La televisión fijó unos pesos que imitan esa sensibilidad (recomendación BT.601), y son los que
    usan JPEG y muchos programas:

    .. math::
       :label: ec-cnn-luma

       Y = 0.299\,R + 0.587\,G + 0.114\,B .

    Suman 1, así que un gris :math:`R=G=B=c` sale como entró, :math:`Y=c`.

    >>> rgb_to_gray([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]]).round(3)
    array([[0.299, 0.587, 0.114, 1.   ]])

    Parameters
    ----------
    rgb : array_like, shape (..., 3)
        Valores entre 0 y 1.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si el último eje no mide 3 o algún valor no está entre 0 y 1.
    """
    rgb = _unit_values(rgb, "rgb", "... 3")
    return np.minimum(rgb @ _LUMA.astype(rgb.dtype), 1)  # [ec-cnn-luma]


def rgb_to_hsv(rgb):
    r"""De RGB a HSV: tono, saturación y valor.

    RGB dice cuánta luz roja, verde y azul hay que encender. Nadie piensa así un color: se piensa «un naranja apagado,
    algo oscuro». Eso es HSV: el *tono* (*hue*), qué color es; la *saturación* (*saturation*), qué tan vivo; el
    *valor* (*value*), qué tan claro.

    **Derivación.** Separa el gris. Llama :math:`V` al mayor de los tres canales, el valor, y :math:`m` al menor. Una
    cantidad :math:`m` está en los tres: esa parte es gris. Lo que queda tiene a lo sumo dos canales encendidos, y el
    mayor de ellos llega a :math:`C=V-m`, el *croma*. La saturación :math:`S` es qué fracción del mayor no es gris:

    .. math::
       :label: ec-cnn-hsv

       \begin{aligned}
       V &= \max(R,G,B), \\
       C &= V - \min(R,G,B), \\
       S &= C/V \quad (0\ \text{si}\ V=0) .
       \end{aligned}

    Falta el tono. Pon rojo, verde y azul en un círculo, a un tercio de vuelta uno de otro, con amarillo, cian y magenta
    entre ellos: seis tramos. El canal mayor dice en qué tercio estás, y los otros dos, hacia qué lado te desvías:
    :math:`(G-B)/C` va de :math:`-1`, magenta, a :math:`1`, amarillo, cuando manda el rojo. En sextos de vuelta:

    .. math::
       :label: ec-cnn-tono

       6H = \begin{cases}
       (G-B)/C \bmod 6 & \text{si manda } R,\\
       (B-R)/C + 2 & \text{si manda } G,\\
       (R-G)/C + 4 & \text{si manda } B.
       \end{cases}

    Un gris no tiene tono, porque :math:`C=0`; por convenio, :math:`H=0`. En un empate entre dos mayores las dos
    fórmulas dan lo mismo: con :math:`R=G`, :math:`(G-B)/C=1` y :math:`(B-R)/C+2=1`.

    **A mano.** El naranja :math:`(1,\ 0.5,\ 0)`: :math:`V=1`, :math:`C=1`, manda el rojo y
    :math:`6H=0.5`, a un doceavo de vuelta. Con la mitad de luz y algo de gris, el tono no cambia:

    >>> rgb_to_hsv([[1, 0.5, 0], [0.5, 0.3, 0.1]]).round(4)
    array([[0.0833, 1.    , 1.    ],
           [0.0833, 0.8   , 0.5   ]])

    Azul, gris y negro:

    >>> rgb_to_hsv([[0, 0, 1], [0.7, 0.7, 0.7], [0, 0, 0]]).round(4)
    array([[0.6667, 1.    , 1.    ],
           [0.    , 0.    , 0.7   ],
           [0.    , 0.    , 0.    ]])

    Parameters
    ----------
    rgb : array_like, shape (..., 3)
        Valores entre 0 y 1.

    Returns
    -------
    ndarray, shape (..., 3)
        Tono, entre 0 y 1 sin llegar a 1; saturación y valor, entre 0 y 1.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si el último eje no mide 3 o algún valor no está entre 0 y 1.

        >>> rgb_to_hsv([[255, 128, 0]])
        Traceback (most recent call last):
            ...
        ValueError: rgb: se esperaban valores entre 0 y 1, pero hay un 255; ¿falta dividir entre 255?
    """
    rgb = _unit_values(rgb, "rgb", "... 3")
    hsv = np.empty_like(rgb)
    _rgb_to_hsv(rgb.reshape(-1, 3), hsv.reshape(-1, 3))
    return hsv


def plain_rgb_to_hsv(rgb):
    r"""De cada píxel, el canal que manda."""
    hsv = np.zeros(rgb.shape)
    for place in np.ndindex(rgb.shape[:-1]):
        red, green, blue = rgb[place]
        V = max(red, green, blue)
        C = V - min(red, green, blue)  # [ec-cnn-hsv]
        if C == 0:
            sextant = 0
        elif red == V:
            sextant = (green - blue) / C % 6  # [ec-cnn-tono]
        elif green == V:
            sextant = (blue - red) / C + 2  # [ec-cnn-tono]
        else:
            sextant = (red - green) / C + 4  # [ec-cnn-tono]
        hsv[place] = sextant / 6, C / V if V > 0 else 0, V
    return hsv


@kernel
def _rgb_to_hsv(rgb, hsv):
    for i in range(rgb.shape[0]):
        r, g, b = rgb[i, 0], rgb[i, 1], rgb[i, 2]
        value = max(r, g, b)
        chroma = value - min(r, g, b)  # [ec-cnn-hsv]
        sextant = 0.0
        if chroma > 0:
            if value == r:
                sextant = (g - b) / chroma % 6.0  # [ec-cnn-tono]
            elif value == g:
                sextant = (b - r) / chroma + 2.0
            else:
                sextant = (r - g) / chroma + 4.0
        hue = rgb.dtype.type(sextant / 6.0)
        # Un rojo con una pizca de azul se redondea a una vuelta entera, que es el mismo rojo de la vuelta cero.
        hsv[i, 0] = hue if hue < 1 else 0
        hsv[i, 1] = chroma / value if value > 0 else 0
        hsv[i, 2] = value


def hsv_to_rgb(hsv):
    r"""De HSV a RGB: el camino de vuelta.

    Mira el canal rojo mientras el tono da la vuelta completa con :math:`S=V=1`. Está lleno un sexto antes y un sexto
    después del rojo; baja en el sexto siguiente, de amarillo a verde; está apagado dos sextos, y vuelve a subir. Es un
    trapecio. El verde y el azul son el mismo trapecio, desplazado un tercio de vuelta. Con
    :math:`[u]_0^1=\min(\max(u,0),1)`, que recorta lo que se sale de entre 0 y 1, los trapecios del rojo, el verde y el
    azul son

    .. math::
       :label: ec-cnn-trapecios

       \begin{aligned}
       \rho(H) &= \bigl[\,\lvert 6H-3\rvert - 1\,\bigr]_0^1, \\
       \gamma(H) &= \bigl[\,2 - \lvert 6H-2\rvert\,\bigr]_0^1, \\
       \beta(H) &= \bigl[\,2 - \lvert 6H-4\rvert\,\bigr]_0^1 .
       \end{aligned}

    Falta deshacer :eq:`ec-cnn-hsv`. El croma es :math:`C=VS` y la parte gris, :math:`m=V-C`; encima del gris va el
    color puro, a escala :math:`C`:

    .. math::
       :label: ec-cnn-hsv-vuelta

       (R,G,B) = m + C\,\bigl(\rho(H),\ \gamma(H),\ \beta(H)\bigr) .

    >>> hsv_to_rgb([[1/12, 1, 1], [1/12, 0.8, 0.5]]).round(4)
    array([[1. , 0.5, 0. ],
           [0.5, 0.3, 0.1]])

    De ida y vuelta se llega al mismo color:

    >>> rgb = np.random.default_rng(0).random((1000, 3))
    >>> bool(np.allclose(hsv_to_rgb(rgb_to_hsv(rgb)), rgb))
    True

    Parameters
    ----------
    hsv : array_like, shape (..., 3)
        Tono, saturación y valor, entre 0 y 1. El tono 1 es el mismo que el 0.

    Returns
    -------
    ndarray, shape (..., 3)
        Valores entre 0 y 1.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si el último eje no mide 3 o algún valor no está entre 0 y 1.
    """
    hsv = _unit_values(hsv, "hsv", "... 3")
    rgb = np.empty_like(hsv)
    _hsv_to_rgb(hsv.reshape(-1, 3), rgb.reshape(-1, 3))
    return rgb


def plain_hsv_to_rgb(hsv):
    r"""Tres trapecios, encima de la parte gris."""
    H, S, V = np.moveaxis(hsv, -1, 0)
    red = np.clip(abs(6 * H - 3) - 1, 0, 1)  # [ec-cnn-trapecios]
    green = np.clip(2 - abs(6 * H - 2), 0, 1)  # [ec-cnn-trapecios]
    blue = np.clip(2 - abs(6 * H - 4), 0, 1)  # [ec-cnn-trapecios]
    C = V * S
    channels = [V - C + C * pure for pure in (red, green, blue)]  # [ec-cnn-hsv-vuelta]
    return np.stack(channels, axis=-1)


@kernel
def _hsv_to_rgb(hsv, rgb):
    for i in range(hsv.shape[0]):
        sextant, value = 6 * hsv[i, 0], hsv[i, 2]
        chroma = value * hsv[i, 1]
        red, green, blue = abs(sextant - 3) - 1, 2 - abs(sextant - 2), 2 - abs(sextant - 4)  # [ec-cnn-trapecios]
        rgb[i, 0] = value - chroma + chroma * min(max(red, 0.0), 1.0)  # [ec-cnn-hsv-vuelta]
        rgb[i, 1] = value - chroma + chroma * min(max(green, 0.0), 1.0)
        rgb[i, 2] = value - chroma + chroma * min(max(blue, 0.0), 1.0)


def rgb_to_ycbcr(rgb):
    r"""De RGB a YCbCr: el brillo por un lado y el color por otro.

    Guarda la luma :eq:`ec-cnn-luma` y dos diferencias, cuánto se apartan de ella el azul y el rojo. De un gris no se
    apartan nada. Lo más que puede valer :math:`B-Y` es :math:`1-0.114=0.886`, con el azul puro, y lo menos,
    :math:`-0.886`, con el amarillo; se divide entre :math:`2\cdot0.886=1.772` para que quepa en un intervalo
    de ancho 1, y se centra en :math:`\tfrac12`. Con el rojo igual: :math:`2\,(1-0.299)=1.402`.

    .. math::
       :label: ec-cnn-ycbcr

       \begin{aligned}
       C_b &= \frac12 + \frac{B-Y}{1.772}, \\[0.5ex]
       C_r &= \frac12 + \frac{R-Y}{1.402} .
       \end{aligned}

    Es el espacio de JPEG y del video. El ojo distingue mejor los detalles finos de brillo que los de color, así que
    :math:`C_b` y :math:`C_r` suelen guardarse con menos píxeles.

    >>> rgb_to_ycbcr([[1, 1, 1], [0, 0, 1], [1, 1, 0]]).round(4)
    array([[1.    , 0.5   , 0.5   ],
           [0.114 , 1.    , 0.4187],
           [0.886 , 0.    , 0.5813]])

    Parameters
    ----------
    rgb : array_like, shape (..., 3)
        Valores entre 0 y 1.

    Returns
    -------
    ndarray, shape (..., 3)

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si el último eje no mide 3 o algún valor no está entre 0 y 1.
    """
    rgb = _unit_values(rgb, "rgb", "... 3")
    y = rgb_to_gray(rgb)
    cb = 0.5 + (rgb[..., 2] - y) / 1.772  # [ec-cnn-ycbcr]
    cr = 0.5 + (rgb[..., 0] - y) / 1.402  # [ec-cnn-ycbcr]
    return np.clip(np.stack([y, cb, cr], axis=-1), 0, 1)


def ycbcr_to_rgb(ycbcr):
    r"""De YCbCr a RGB: el camino de vuelta.

    De :eq:`ec-cnn-ycbcr` se despejan el azul y el rojo; el verde sale de :eq:`ec-cnn-luma`, que ahora tiene una sola
    incógnita:

    .. math::
       :label: ec-cnn-ycbcr-vuelta

       \begin{aligned}
       B &= Y + 1.772\,(C_b-\tfrac12), \\
       R &= Y + 1.402\,(C_r-\tfrac12), \\
       G &= (Y - 0.299\,R - 0.114\,B)\,/\,0.587 .
       \end{aligned}

    No todo :math:`(Y,C_b,C_r)` entre 0 y 1 es un color que se pueda mostrar: no hay un negro muy azul. Los que
    caen fuera se recortan.

    >>> rgb = np.random.default_rng(0).random((1000, 3))
    >>> bool(np.allclose(ycbcr_to_rgb(rgb_to_ycbcr(rgb)), rgb))
    True
    >>> ycbcr_to_rgb([0, 1, 0.5]).round(3)  # el «negro azul» se recorta
    array([0.   , 0.   , 0.886])

    Parameters
    ----------
    ycbcr : array_like, shape (..., 3)
        Valores entre 0 y 1.

    Returns
    -------
    ndarray, shape (..., 3)
        Valores entre 0 y 1.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si el último eje no mide 3 o algún valor no está entre 0 y 1.
    """
    ycbcr = _unit_values(ycbcr, "ycbcr", "... 3")
    y = ycbcr[..., 0]
    blue = y + 1.772 * (ycbcr[..., 1] - 0.5)  # [ec-cnn-ycbcr-vuelta]
    red = y + 1.402 * (ycbcr[..., 2] - 0.5)
    green = (y - _LUMA[0] * red - _LUMA[2] * blue) / _LUMA[1]
    rgb = np.stack([red, green, blue], axis=-1).clip(0, 1)
    return floats(rgb.astype(ycbcr.dtype), "rgb")
