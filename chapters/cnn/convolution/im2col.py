r"""Las ventanas de una imagen puestas en filas, y el camino de vuelta."""

import math
from typing import NamedTuple

import numpy as np

from chapters.cnn.arguments import pair
from chapters.cnn.convolution.geometry import kernel_span, output_sizes, same_padding
from chapters.cnn.convolution.padding import Margin, clear, crop, flat, margin, padded
from dlbook import check
from dlbook.numeric.kernel import kernel


class Windows(NamedTuple):
    r"""Dónde están, en la memoria, las ventanas de una imagen.

    Una imagen rellenada es una fila de :math:`h_pw_pc` números: el canal :math:`c` del píxel :math:`(a,b)` está en el
    lugar :math:`(aw_p+b)\,c_{\text{todos}}+c`. Ese lugar es lineal en :math:`a` y en :math:`b`, y
    :eq:`ec-cnn-im2col` también: por eso el lugar de cada número de la matriz de ventanas es la suma de dos, el de la
    esquina de su ventana (``pixels``) y el que le toca dentro de ella (``taps``).

    >>> windows = find_windows((3, 3, 1), 2)
    >>> windows.pixels
    array([0, 1, 3, 4])
    >>> windows.taps
    array([[0, 1, 3, 4]])

    Los núcleos la reciben entera, y cada uno toma de ella lo que necesita, por su nombre.

    Attributes
    ----------
    input_shape : tuple of int
        Alto, ancho y canales de la imagen.
    output : tuple of int
        Alto y ancho de la salida.
    padded_shape : tuple of int
        La forma de la imagen ya rellenada.
    margin : Margin
        Dónde queda la imagen dentro de la rellenada.
    pixels : ndarray of int, shape (h' · w',)
        Dónde empieza cada ventana.
    taps : ndarray of int, shape (groups, kh · kw · c / groups)
        Dónde está cada número dentro de su ventana; una fila por grupo de canales.
    run : int
        Cuántos números de la ventana están seguidos en la imagen: una fila de ella o, si no, un píxel.
    """

    input_shape: tuple
    output: tuple
    padded_shape: tuple
    margin: Margin
    pixels: np.ndarray
    taps: np.ndarray
    run: int

    def scratch(self, dtype):
        r"""Da memoria, en ceros, para rellenar ahí las imágenes una por una; nada, si no hay qué rellenar."""
        return np.zeros(self.scratch_size, dtype)

    @property
    def scratch_size(self):
        r"""Cuántos números tiene esa memoria."""
        return math.prod(self.padded_shape) if self.padded_shape != self.input_shape else 0


def place_windows(input_shape, output, before, kernel_size, strides, dilation_rate, groups=1):
    r"""Coloca unas ventanas que ya se sabe cuántas son y cuántos ceros tienen antes.

    Con dos ceros antes de la fila:

    >>> one = 1, 1
    >>> place_windows((1, 2, 1), (1, 3), (0, 2), (1, 2), one, one).pixels
    array([0, 1, 2])

    Parameters
    ----------
    input_shape : tuple of int
        Alto, ancho y canales.
    output : (int, int)
        Cuántas ventanas hay, a lo alto y a lo ancho.
    before : (int, int)
        Cuántas filas y columnas de ceros van antes de la imagen; después van las que hagan falta.
    kernel_size, strides, dilation_rate : (int, int)
        Los de cada eje.
    groups : int
        En cuántos grupos se parten los canales.

    Returns
    -------
    Windows
    """
    *sizes, channels = input_shape
    spans = [kernel_span(k, r) for k, r in zip(kernel_size, dilation_rate, strict=True)]
    reach = [(m - 1) * s + span for m, s, span in zip(output, strides, spans, strict=True)]
    rows, columns = (max(b + d, far) for b, d, far in zip(before, sizes, reach, strict=True))
    check.memory(rows * columns * channels, "x, con su relleno")
    check.memory(math.prod(output) + math.prod(kernel_size) * channels, "kernel_size", 8)
    corners = [np.arange(m) * s for m, s in zip(output, strides, strict=True)]
    inside = [np.arange(k) * r for k, r in zip(kernel_size, dilation_rate, strict=True)]
    taps = np.add.outer(np.add.outer(inside[0] * columns, inside[1]) * channels, np.arange(channels // groups))
    first = np.arange(groups)[:, np.newaxis] * (channels // groups)
    return Windows(
        input_shape=tuple(input_shape),
        output=tuple(output),
        padded_shape=(rows, columns, channels),
        margin=margin(input_shape, columns, *before),
        pixels=(np.add.outer(corners[0] * columns, corners[1]) * channels).reshape(-1),
        taps=first + taps.reshape(-1),
        run=channels // groups * (kernel_size[1] if groups == 1 and dilation_rate[1] == 1 else 1),
    )


def windows_at(input_shape, kernel_size, strides, padding, dilation_rate, groups=1):
    r"""Hace lo que :func:`find_windows` con argumentos ya revisados, y admite además el relleno causal.

    Con dos ceros antes de la fila:

    >>> windows_at((1, 2, 1), (1, 3), (1, 1), "causal", (1, 1)).pixels
    array([0, 1])

    Parameters
    ----------
    input_shape : tuple of int
        Alto, ancho y canales.
    kernel_size, strides, dilation_rate : (int, int)
        Los de cada eje.
    padding : {"valid", "same", "causal"}
        El relleno; el causal, todo al principio.
    groups : int
        En cuántos grupos se parten los canales.

    Returns
    -------
    Windows
    """
    output = output_sizes(input_shape[:2], kernel_size, strides, padding, dilation_rate)
    before = 0, 0
    if padding == "same":
        axes = zip(input_shape[:2], kernel_size, strides, dilation_rate, strict=True)
        before = [same_padding(*axis)[0] for axis in axes]
    elif padding == "causal":
        before = [kernel_span(k, r) - 1 for k, r in zip(kernel_size, dilation_rate, strict=True)]
    return place_windows(input_shape, output, before, kernel_size, strides, dilation_rate, groups)


def find_windows(input_shape, kernel_size, strides=1, padding="valid", dilation_rate=1, groups=1):
    r"""Encuentra las ventanas de una imagen con el relleno que se pida por su nombre.

    Parameters
    ----------
    input_shape : tuple of int
        Alto, ancho y canales.
    kernel_size, strides, padding, dilation_rate
        Como en :func:`im2col`.
    groups : int
        En cuántos grupos se parten los canales.

    Returns
    -------
    Windows
    """
    kernel_size = pair(kernel_size, "kernel_size")
    strides, dilation_rate = pair(strides, "strides"), pair(dilation_rate, "dilation_rate")
    padding = check.choice(padding, "padding", ["valid", "same"])
    return windows_at(input_shape, kernel_size, strides, padding, dilation_rate, groups)


def im2col(x, kernel_size, strides=1, padding="valid", dilation_rate=1):
    r"""Copia cada ventana de la imagen como una fila de una matriz (*image to columns*).

    Una convolución es un producto punto por ventana, y todos con los mismos pesos. Muchos productos punto contra lo
    mismo son un producto de matrices: basta con poner cada ventana en una fila. La ventana de la posición
    :math:`(u,v)` tiene :math:`k_h\times k_w` casillas y en cada una :math:`C` canales; en fila son
    :math:`k_hk_wC` números. El del canal :math:`c` de la casilla :math:`(i,j)` se copia del píxel :math:`(a,b)` de la
    imagen. Con paso :math:`S`, :math:`P` ceros de relleno arriba y a la izquierda y dilatación :math:`d`,

    .. math::
       :label: ec-cnn-im2col

       \begin{gathered}
       \mathbf V_{(u,v),\,(i,j,c)} = x_{abc} ,\\
       a = uS+i\,d-P,\\
       b = vS+j\,d-P ,
       \end{gathered}

    y vale 0 si la casilla cae fuera de la imagen. Como las ventanas vecinas se superponen, la matriz repite: un píxel
    de en medio aparece hasta :math:`k_hk_w` veces. Ese es su precio.

    **A mano.** Una imagen de :math:`3\times3` con un canal tiene cuatro ventanas de :math:`2\times2`. El 5, que está en
    el centro, sale en las cuatro:

    >>> image = np.arange(1.0, 10.0).reshape(1, 3, 3, 1)
    >>> image[0, :, :, 0]
    array([[1., 2., 3.],
           [4., 5., 6.],
           [7., 8., 9.]])
    >>> im2col(image, 2)
    array([[1., 2., 4., 5.],
           [2., 3., 5., 6.],
           [4., 5., 7., 8.],
           [5., 6., 8., 9.]])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Las imágenes, con los canales al final.
    kernel_size : int or (int, int)
        Alto y ancho de la ventana.
    strides : int or (int, int)
        El paso, a lo alto y a lo ancho.
    padding : {"valid", "same"}
        Si se rellena la orilla con ceros.
    dilation_rate : int or (int, int)
        La dilatación.

    Returns
    -------
    ndarray, shape (n · h' · w', kh · kw · c)
        Una ventana por fila: todas las de la primera imagen, de izquierda a derecha y de arriba abajo, y así las demás.

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, la ventana no cabe o hay NaN o infinitos.
    """
    x = check.floats(x, "x", "n h w c")
    windows = find_windows(x.shape[1:], kernel_size, strides, padding, dilation_rate)
    check.memory(len(x) * windows.pixels.size * windows.taps.size, "la matriz de ventanas", x.itemsize)
    columns = np.empty((len(x), windows.pixels.size, windows.taps.size), x.dtype)
    _im2col(flat(x), windows, windows.scratch(x.dtype), columns)
    return columns.reshape(-1, windows.taps.size)


def plain_im2col(x, kernel_size, strides=1):
    r"""Cada ventana, en una fila."""
    kh, kw = kernel_size
    rows = []
    for image in x:
        for a in range(0, image.shape[0] - kh + 1, strides):
            for b in range(0, image.shape[1] - kw + 1, strides):
                window = image[a : a + kh, b : b + kw]  # (kh, kw, c)
                rows.append(window.reshape(-1))  # [ec-cnn-im2col]
    return np.array(rows)


@kernel
def _im2col(x, windows, scratch, columns):
    taps = windows.taps[0]
    for n in range(x.shape[0]):
        image = padded(x[n], scratch, windows.margin)
        for p in range(windows.pixels.size):
            for k in range(taps.size):
                columns[n, p, k] = image[windows.pixels[p] + taps[k]]  # [ec-cnn-im2col]


def col2im(columns, input_shape, kernel_size, strides=1, padding="valid", dilation_rate=1):
    r"""Devuelve cada número de :func:`im2col` al píxel de donde salió; los que salieron del mismo, los suma.

    Es la vuelta de :func:`im2col`, pero no su inversa. Si :math:`\partial\mathcal L/\partial\mathbf V` dice cuánta
    culpa toca a cada copia de un píxel, la del píxel es la **suma** de la de sus copias, porque mover el píxel las
    mueve a todas:

    .. math::
       :label: ec-cnn-col2im

       \frac{\partial\mathcal L}{\partial x_{abc}}
       = \sum_{(u,v),\,(i,j)}
         \frac{\partial\mathcal L}{\partial\mathbf V_{(u,v),\,(i,j,c)}} ,

    donde la suma recorre las posiciones y las casillas con :math:`uS+i\,d-P=a` y :math:`vS+j\,d-P=b`. Lo que
    caiga en el relleno se tira: ahí no hay a quién corregir.

    **A mano.** Con puros unos, cada píxel recibe tantos como ventanas lo tocan:

    >>> col2im(np.ones((4, 4)), (1, 3, 3, 1), 2)[0, :, :, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])

    Parameters
    ----------
    columns : array_like, shape (n · h' · w', kh · kw · c)
        Una ventana por fila.
    input_shape : tuple of int
        La forma de las imágenes, :math:`(n,h,w,c)`.
    kernel_size, strides, padding, dilation_rate
        Como en :func:`im2col`.

    Returns
    -------
    ndarray, shape (n, h, w, c)

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, la ventana no cabe o hay NaN o infinitos.
    """
    columns = check.floats(columns, "columns", "r k")
    shape = check.shape(input_shape, "input_shape")
    if len(shape) != 4:
        raise ValueError(f"input_shape: se esperaba (n, h, w, c), pero llegó {shape}")
    windows = find_windows(shape[1:], kernel_size, strides, padding, dilation_rate)
    check.memory(math.prod(shape), "input_shape", columns.itemsize)
    expected = (shape[0] * windows.pixels.size, windows.taps.size)
    if columns.shape != expected:
        raise ValueError(f"columns: se esperaba la forma {expected}, pero llegó {columns.shape}")
    columns = columns.reshape(shape[0], windows.pixels.size, windows.taps.size)
    dx = np.empty(shape, columns.dtype)
    scratch = np.empty(math.prod(windows.padded_shape), columns.dtype)
    for image, own in zip(flat(dx), columns, strict=True):
        clear(scratch)
        _col2im(own, windows, scratch)
        crop(scratch, windows.margin, image)
    return dx


def plain_col2im(columns, input_shape, kernel_size, strides=1):
    r"""Cada fila, sumada a su ventana."""
    (kh, kw), (_, h, w, c) = kernel_size, input_shape
    dx, rows = np.zeros(input_shape), iter(columns)
    for image in dx:
        for a in range(0, h - kh + 1, strides):
            for b in range(0, w - kw + 1, strides):
                window = next(rows).reshape(kh, kw, c)
                image[a : a + kh, b : b + kw] += window  # [ec-cnn-col2im]
    return dx


@kernel
def _col2im(columns, windows, image):
    taps = windows.taps[0]
    for p in range(windows.pixels.size):
        for k in range(taps.size):
            image[windows.pixels[p] + taps[k]] += columns[p, k]  # [ec-cnn-col2im]
