r"""Las ventanas de una imagen puestas en filas, y el camino de vuelta."""

import numpy as np
from numba import njit

from chapters.cnn.convolution.geometry import output_size, same_padding
from dlbook import check


def im2col(x, kernel_size, strides=1, padding="valid", dilation_rate=1):
    r"""Copia cada ventana de la imagen como una fila de una matriz (*image to columns*).

    Una convolución es un producto punto por ventana, y todos con los mismos pesos. Muchos productos punto contra lo
    mismo son un producto de matrices: basta con poner cada ventana en una fila. La ventana de la posición
    :math:`(u,v)` tiene :math:`k_h\times k_w` casillas y en cada una :math:`c` canales; en fila son
    :math:`k_hk_wc` números. Con paso :math:`S`, relleno :math:`P` y dilatación :math:`\Delta`,

    .. math::
       :label: ec-cnn-im2col

       \begin{gathered}
       \mathbf P_{(u,v),\,(i,j,c)} = x_{abc} ,\\
       a = uS+i\Delta-P, \qquad b = vS+j\Delta-P ,
       \end{gathered}

    y vale 0 si la casilla cae fuera de la imagen. Como las ventanas vecinas se enciman, la matriz repite: un píxel de
    en medio aparece hasta :math:`k_hk_w` veces. Ese es su precio.

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
    windows = Windows(x.shape[1:], kernel_size, strides, padding, dilation_rate)
    columns = np.empty((len(x), windows.pixels.size, windows.taps.size), x.dtype)
    _im2col(x, *windows.padding, windows.scratch(x.dtype), windows.pixels, windows.taps[0], columns)
    return columns.reshape(-1, windows.taps.size)


@njit(cache=True, nogil=True)
def _im2col(x, top, left, scratch, pixels, taps, columns):
    for n in range(x.shape[0]):
        image = padded(x[n], top, left, scratch)
        for p in range(pixels.size):
            for k in range(taps.size):
                columns[n, p, k] = image[pixels[p] + taps[k]]  # [ec-cnn-im2col]


def col2im(columns, input_shape, kernel_size, strides=1, padding="valid", dilation_rate=1):
    r"""Devuelve cada número de :func:`im2col` al píxel de donde salió; los que salieron del mismo, los suma.

    Es la vuelta de :func:`im2col`, pero no su inversa. Si :math:`\partial\mathcal L/\partial\mathbf P` dice cuánta
    culpa toca a cada copia de un píxel, la del píxel es la **suma** de la de sus copias, porque mover el píxel las
    mueve a todas:

    .. math::
       :label: ec-cnn-col2im

       \frac{\partial\mathcal L}{\partial x_{abc}}
       = \sum_{(u,v),\,(i,j)}
         \frac{\partial\mathcal L}{\partial\mathbf P_{(u,v),\,(i,j,c)}} ,

    donde la suma recorre las posiciones y las casillas con :math:`uS+i\Delta-P=a` y :math:`vS+j\Delta-P=b`. Lo que
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
    if not isinstance(input_shape, (tuple, list)) or len(input_shape) != 4:
        raise ValueError(f"input_shape: se esperaba (n, h, w, c), pero llegó {input_shape!r}")
    shape = tuple(check.integer(size, f"input_shape[{k}]", 1) for k, size in enumerate(input_shape))
    windows = Windows(shape[1:], kernel_size, strides, padding, dilation_rate)
    expected = (shape[0] * windows.pixels.size, windows.taps.size)
    if columns.shape != expected:
        raise ValueError(f"columns: se esperaba la forma {expected}, pero llegó {columns.shape}")
    columns = columns.reshape(shape[0], windows.pixels.size, windows.taps.size)
    dx = np.empty(shape, columns.dtype)
    scratch = np.empty(windows.padded_shape, columns.dtype)
    for n in range(len(dx)):
        scratch[:] = 0
        _col2im(columns[n], windows.pixels, windows.taps[0], scratch.reshape(-1))
        crop(scratch, *windows.padding, dx[n])
    return dx


@njit(cache=True, nogil=True)
def _col2im(columns, pixels, taps, image):
    for p in range(pixels.size):
        for k in range(taps.size):
            image[pixels[p] + taps[k]] += columns[p, k]  # [ec-cnn-col2im]


class Windows:
    r"""Dónde están, en la memoria, las ventanas de una imagen.

    Una imagen rellenada es una fila de :math:`h_pw_pc` números: el canal :math:`c` del píxel :math:`(a,b)` está en el
    lugar :math:`(aw_p+b)\,c_{\text{todos}}+c`. Ese lugar es lineal en :math:`a` y en :math:`b`, y
    :eq:`ec-cnn-im2col` también: por eso el lugar de cada número de la matriz de ventanas es la suma de dos, el de la
    esquina de su ventana (``pixels``) y el que le toca dentro de ella (``taps``).

    >>> windows = Windows((3, 3, 1), 2)
    >>> windows.pixels
    array([0, 1, 3, 4])
    >>> windows.taps
    array([[0, 1, 3, 4]])

    Parameters
    ----------
    input_shape : tuple of int
        Alto, ancho y canales.
    kernel_size, strides, padding, dilation_rate
        Como en :func:`im2col`.
    groups : int
        En cuántos grupos se parten los canales; ``taps`` tiene una fila por grupo.

    Attributes
    ----------
    output : tuple of int
        Alto y ancho de la salida.
    padded_shape : tuple of int
        La forma de una imagen ya rellenada.
    padding : tuple of int
        Cuántas filas de ceros van arriba y cuántas columnas a la izquierda.
    pixels : ndarray of int, shape (h' · w',)
        Dónde empieza cada ventana.
    taps : ndarray of int, shape (groups, kh · kw · c / groups)
        Dónde está cada número dentro de su ventana.
    """

    def __init__(self, input_shape, kernel_size, strides=1, padding="valid", dilation_rate=1, groups=1):
        *sizes, channels = input_shape
        kernel_size = pair(kernel_size, "kernel_size")
        strides, dilation_rate = pair(strides, "strides"), pair(dilation_rate, "dilation_rate")
        padding = check.choice(padding, "padding", ["valid", "same"])
        axes = list(zip(sizes, kernel_size, strides, dilation_rate, strict=True))
        self.output = tuple(output_size(d, k, s, padding, r) for d, k, s, r in axes)
        zeros = [same_padding(*axis) if padding == "same" else (0, 0) for axis in axes]
        self.padding = tuple(before for before, _ in zeros)
        rows, columns = (d + before + after for d, (before, after) in zip(sizes, zeros, strict=True))
        self.padded_shape = rows, columns, channels
        corners = [np.arange(m) * s for m, s in zip(self.output, strides, strict=True)]
        inside = [np.arange(k) * r for k, r in zip(kernel_size, dilation_rate, strict=True)]
        self.pixels = (np.add.outer(corners[0] * columns, corners[1]) * channels).reshape(-1)
        taps = np.add.outer(np.add.outer(inside[0] * columns, inside[1]) * channels, np.arange(channels // groups))
        first = np.arange(groups)[:, np.newaxis] * (channels // groups)
        self.taps = first + taps.reshape(-1)
        self.input_shape = tuple(input_shape)
        # Cuántos números de la ventana están seguidos en la imagen: un renglón de ella o, si no, un píxel.
        self.run = channels // groups * (kernel_size[1] if groups == 1 and dilation_rate[1] == 1 else 1)
        # Para rellenar una imagen o quitarle la orilla: cuánto miden sus renglones, cuánto los de la rellenada y en qué
        # lugar de esta va el primer píxel.
        top, left = self.padding
        self.margin = sizes[1] * channels, columns * channels, (top * columns + left) * channels
        # Cuántos números de la ventana están seguidos en la imagen: un renglón de ella o, si no, un píxel.
        self.run = channels // groups * (kernel_size[1] if groups == 1 and dilation_rate[1] == 1 else 1)

    def scratch(self, dtype):
        r"""Da memoria, en ceros, para rellenar ahí las imágenes una por una; nada, si no hay qué rellenar."""
        return np.zeros(self.padded_shape if self.padded_shape != self.input_shape else (0, 0, 0), dtype)


def pair(value, name):
    r"""Devuelve un entero positivo repetido, o los dos que llegaron: alto y ancho.

    >>> pair(3, "kernel_size"), pair([3, 5], "kernel_size")
    ((3, 3), (3, 5))
    >>> pair(0, "strides")
    Traceback (most recent call last):
        ...
    ValueError: strides: se esperaba un entero de al menos 1, pero llegó 0
    """
    if not isinstance(value, (tuple, list, np.ndarray)):
        return (check.integer(value, name, 1),) * 2
    if len(value) != 2:
        raise ValueError(f"{name}: se esperaba un entero o dos, pero llegaron {len(value)}")
    return tuple(check.integer(v, f"{name}[{k}]", 1) for k, v in enumerate(value))


@njit(cache=True, nogil=True)
def padded(image, top, left, scratch):
    r"""Devuelve la imagen en una sola fila, con su orilla de ceros si la lleva.

    Es para código compilado y **no comprueba nada**. La orilla de ``scratch`` ya está en cero y así se queda.
    """
    if scratch.size == 0:
        return image.reshape(-1)
    rows, columns, channels = image.shape
    for a in range(rows):
        for b in range(columns):
            for c in range(channels):
                scratch[top + a, left + b, c] = image[a, b, c]
    return scratch.reshape(-1)


@njit(cache=True, nogil=True)
def crop(scratch, top, left, image):
    r"""Copia en ``image`` lo que queda al quitarle la orilla a ``scratch``; lo contrario de :func:`padded`."""
    rows, columns, channels = image.shape
    for a in range(rows):
        for b in range(columns):
            for c in range(channels):
                image[a, b, c] = scratch[top + a, left + b, c]
