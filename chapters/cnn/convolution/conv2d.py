r"""La capa de convolución: los mismos pesos, en todas partes."""

import math
from typing import NamedTuple

import numpy as np

from chapters.cnn.arguments import check_dilation, on_image, pair
from chapters.cnn.convolution.base import Convolution
from chapters.cnn.convolution.im2col import find_windows, place_windows
from chapters.cnn.convolution.padding import Margin, clear, flat, padded
from chapters.cnn.convolution.winograd import Winograd, _turn, pays
from chapters.mlp import activations, constraints, initializers, regularizers
from dlbook import check
from dlbook.numeric.elementwise import copy
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul_at import SLACK, add_matmul_at, matmul_at, padded_line
from dlbook.numeric.vectors import BYTES

# De a cuántas ventanas se suma el gradiente de los filtros: lo que se lee cabe en la caché más cercana.
CHUNK = 128


class Forward(NamedTuple):
    r"""Las tablas del núcleo de ida: en qué lugar está cada cosa."""

    # Cuánto mide una fila de los filtros, uno tras otro.
    line: int
    margin: Margin
    pixels: np.ndarray
    taps: np.ndarray
    # Dónde va, en los mapas de un grupo, lo que sale de cada ventana.
    maps: np.ndarray


class BackwardWeights(NamedTuple):
    r"""Las tablas del núcleo que lleva el gradiente a los filtros."""

    line: int
    # Dónde empieza cada fila del gradiente de un grupo.
    lines: np.ndarray
    margin: Margin
    pixels: np.ndarray
    taps: np.ndarray


class BackwardInput(NamedTuple):
    r"""Las tablas del núcleo que lleva el gradiente a la imagen."""

    line: int
    margin: Margin
    # Cuántos números de la ventana están seguidos en la imagen.
    run: int
    # Los filtros de un grupo, y las esquinas de las ventanas con el lugar de sus mapas.
    channels: np.ndarray
    corners: np.ndarray
    taps: np.ndarray
    maps: np.ndarray


class Places:
    r"""Lo que los núcleos reciben además de los números: sus tablas, y cuánta memoria piden y cómo la llaman.

    Depende de cuánto miden las imágenes, y no de lo que hay en ellas: se calcula una vez por forma. Los tres núcleos
    sirven también a la convolución traspuesta, que va hacia delante con el de la vuelta y vuelve con el de la ida.

    Parameters
    ----------
    windows : Windows
        Dónde están las ventanas.
    filters : int
        Cuántos filtros.
    dtype : dtype
        El tipo de los números.
    shape : tuple of int, optional
        La forma de los mapas de una imagen, si no es la de las ventanas.
    """

    def __init__(self, windows, filters, dtype, shape=None):
        groups, depth = windows.taps.shape
        own, zero = filters // groups, np.dtype(dtype).type(0)
        pixels, taps, margin, run = windows.pixels, windows.taps, windows.margin, windows.run
        self.depth, self.dtype = depth, dtype
        self.shape, self.maps_size = shape or (*windows.output, filters), pixels.size * filters
        image = math.prod(windows.padded_shape)
        scratch = image if windows.padded_shape != windows.input_shape else 0
        lines = {width: padded_line(width, zero.itemsize) for width in (filters, own, run)}
        self.forward_tables = Forward(lines[filters], margin, pixels, taps, np.arange(pixels.size) * own)
        # Los mapas de un grupo se calculan aparte, antes de ponerlos entre los demás.
        part = pixels.size * own + SLACK if groups > 1 else 0
        packed = depth * lines[filters] + SLACK
        self.forward_memory = {"start": filters + 2 * SLACK, "packed": packed, "part": part, "scratch": scratch}
        self.weights_tables = BackwardWeights(lines[own], np.arange(depth) * lines[own], margin, pixels, taps)
        self.weights_memory = {"gradient": groups * depth * lines[own], "scratch": scratch}
        # Al volver, de arriba abajo y luego a la derecha: las ventanas seguidas no se superponen en la misma fila.
        order = np.arange(pixels.size).reshape(windows.output).T.reshape(-1)
        self.input_tables = BackwardInput(lines[run], margin, run, np.arange(own), pixels[order], taps, order * filters)
        self.input_memory = {
            "packed": depth // run * filters * lines[run],
            "start": margin.line,
            "scratch": image + SLACK,
        }
        # Las tablas para que cada píxel junte su culpa, si la capa puede; si no, cada ventana la reparte.
        self.gather = None

    def forward(self, x, kernel, bias, floor, buffer):
        r"""Llama al núcleo de ida y devuelve los mapas."""
        size = len(x) * self.maps_size
        z = buffer("z", size + SLACK)
        bias = kernel.reshape(-1)[:0] if bias is None else bias
        memory = {name: buffer(name, size) for name, size in self.forward_memory.items()}
        kernel, floor = kernel.reshape(self.depth, -1), self.dtype.type(floor)
        _conv2d_forward(flat(x), kernel, bias, floor, z, tables=self.forward_tables, **memory)
        return z[:size].reshape(len(x), *self.shape)

    def weights(self, x, dz, dkernel, buffer):
        r"""Llama al núcleo que llena el gradiente de los filtros."""
        memory = {name: buffer(name, size) for name, size in self.weights_memory.items()}
        dkernel = dkernel.reshape(self.depth, -1)
        _conv2d_backward_weights(flat(x), dz, dkernel, tables=self.weights_tables, **memory)

    def input(self, dz, kernel, dx, buffer, bias=None, floor=-np.inf):
        r"""Llama al núcleo que llena el gradiente de las imágenes."""
        memory = {name: buffer(name, size) for name, size in self.input_memory.items()}
        bias = kernel.reshape(-1)[:0] if bias is None else bias
        kernel, floor = kernel.reshape(self.depth, -1), self.dtype.type(floor)
        _conv2d_backward_input(flat(dz), kernel, bias, floor, flat(dx), tables=self.input_tables, **memory)

    def with_slack(self, dz, buffer):
        r"""Copia el gradiente de los mapas en una sola fila, con lugar al final para leer de más."""
        loose = buffer("dz", dz.size + SLACK)
        copy(dz.reshape(-1), loose[: dz.size])
        return loose


class Gather:
    r"""Las tablas de una capa de paso 1 para que cada píxel junte su culpa, en vez de que cada ventana la reparta.

    En :eq:`ec-cnn-conv2d-entrada` los mapas se recorren con el filtro girado media vuelta: es otra convolución, con
    los canales y los filtros cambiados de lugar, y sirve el núcleo de ida, que escribe cada número una sola vez.

    Parameters
    ----------
    windows, filters, dtype
        Como en :class:`Places`; los canales llenan vectores enteros, y así no sobra nada al escribir.
    kernel_size : (int, int)
        El de la capa.
    """

    def __init__(self, windows, filters, dtype, kernel_size):
        (height, width), (*sides, channels) = kernel_size, windows.input_shape
        top, left = divmod(windows.margin.first // channels, windows.padded_shape[1])
        before = height - 1 - top, width - 1 - left
        back = place_windows((*windows.output, filters), sides, before, kernel_size, (1, 1), (1, 1))
        self.places, self.size = Places(back, channels, dtype), (height, width, channels, filters)

    def input(self, dz, kernel, dx, buffer):
        r"""Llena el gradiente de las imágenes."""
        places, turned = self.places, buffer("turned", kernel.size)
        height, width, channels, filters = self.size
        _turn(kernel.reshape(self.size), turned.reshape(height, width, filters, channels))
        memory = {name: buffer(("gather", name), size) for name, size in places.forward_memory.items()}
        weights, least = turned.reshape(places.depth, channels), places.dtype.type(-np.inf)
        _conv2d_forward(flat(dz), weights, turned[:0], least, dx.reshape(-1), tables=places.forward_tables, **memory)


@kernel
def _widen(kernel, stride, wide):
    # Los filtros de cada ventana, en su lugar de la ventana ancha; lo demás, ceros.
    clear(wide.reshape(-1))
    height, width, channels, filters = kernel.shape
    for k in range(wide.shape[3]):
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    for f in range(filters):
                        wide[i, k * stride + j, c, k, f] = kernel[i, j, c, f]


@kernel
def _narrow(wide, stride, kernel):
    # La suma de lo que hay en esos lugares.
    clear(kernel.reshape(-1))
    height, width, channels, filters = kernel.shape
    for k in range(wide.shape[3]):
        for i in range(height):
            for j in range(width):
                for c in range(channels):
                    for f in range(filters):
                        kernel[i, j, c, f] += wide[i, k * stride + j, c, k, f]


@kernel
def _repeat(values, out):
    for k in range(out.size):
        out[k] = values[k % values.size]


class Neighbors(Places):
    r"""Las tablas de una capa de pocos filtros, que de una vez calcula varias ventanas vecinas de una fila.

    Un vector lleva ocho o dieciséis números, y con un solo filtro casi todos irían vacíos. En su lugar se ponen las
    ventanas de junto: sus filtros son los mismos, desplazados un paso, dentro de una ventana más ancha. Lo que no les
    toca es cero.

    Parameters
    ----------
    windows, filters, dtype, shape
        Como en :class:`Places`.
    kernel_size, strides : (int, int)
        Los de la capa.
    count : int
        De a cuántas ventanas; divide al ancho de los mapas.
    """

    def __init__(self, windows, filters, dtype, shape, kernel_size, strides, count):
        super().__init__(windows, filters, dtype, shape)
        (height, width), channels = kernel_size, windows.input_shape[-1]
        across = width + (count - 1) * strides[1]
        self.count, self.stride, self.size = count, strides[1], (height, width, channels, filters)
        self.wide_size = height, across, channels, count, filters
        before = divmod(windows.margin.first // channels, windows.padded_shape[1])
        output = windows.output[0], windows.output[1] // count
        geometry = (height, across), (strides[0], strides[1] * count), (1, 1)
        wide = place_windows(windows.input_shape, output, before, *geometry)
        self.wide = Places(wide, filters * count, dtype, self.shape)

    def forward(self, x, kernel, bias, floor, buffer):
        r"""Llama al núcleo de ida con los filtros desplazados."""
        wide = buffer("wide", math.prod(self.wide_size))
        _widen(kernel.reshape(self.size), self.stride, wide.reshape(self.wide_size))
        if bias is not None:
            own, bias = bias, buffer("wide bias", self.count * bias.size)
            _repeat(own, bias)
        return self.wide.forward(x, wide, bias, floor, buffer)

    def weights(self, x, dz, dkernel, buffer):
        r"""Llama al núcleo de los filtros, y suma los de las ventanas: son los mismos."""
        wide = buffer("wide", math.prod(self.wide_size))
        self.wide.weights(x, dz, wide, buffer)
        _narrow(wide.reshape(self.wide_size), self.stride, dkernel.reshape(self.size))


def neighbors(columns, width, stride, filters, lanes):
    r"""Decide de a cuántas ventanas vecinas conviene calcular: las que menos vectores piden por cada una.

    Con un filtro de ancho 3, y con dieciséis:

    >>> [neighbors(28, 3, 1, filters, 16) for filters in (1, 16)]
    [14, 1]

    Parameters
    ----------
    columns : int
        El ancho de los mapas; lo que se decida lo divide.
    width, stride : int
        El ancho del filtro y el paso.
    filters, lanes : int
        Cuántos filtros, y cuántos números caben en un vector.

    Returns
    -------
    int
    """

    def cost(count):
        return (width + (count - 1) * stride) * -(-count * filters // lanes) / count

    best = min((k for k in range(1, lanes // filters + 1) if columns % k == 0), key=cost, default=1)
    # Recorrer los filtros también cuesta.
    return best if cost(best) < 0.75 * cost(1) else 1


@kernel
def sum_maps(dz, dbias):
    r"""Suma los mapas de todas las imágenes, puestas en una sola fila; para código compilado, **sin comprobar nada**.

    >>> dbias = np.empty(2)
    >>> sum_maps(np.array([1.0, 10.0, 2.0, 20.0]), dbias)
    >>> dbias
    array([ 3., 30.])
    """
    # De a ocho filas: así la suma va por vectores aunque haya pocos filtros.
    filters, rows = dbias.size, dz.size // dbias.size
    wide = np.zeros(8 * filters, dz.dtype)
    for p in range(rows // 8):
        # Un pedazo, y no un lugar calculado: numba, que admite lugares negativos, no iría por vectores.
        together = dz[p * wide.size : (p + 1) * wide.size]
        for k in range(wide.size):
            wide[k] += together[k]
    clear(dbias)
    for k in range(8):
        for f in range(filters):
            dbias[f] += wide[k * filters + f]
    for p in range(rows // 8 * 8, rows):
        for f in range(filters):
            dbias[f] += dz[p * filters + f]


def new_memory(dtype):
    r"""Lo que en una capa es ``Layer.buffer``: aquí, memoria nueva cada vez.

    >>> new_memory("float32")("z", 3).shape
    (3,)
    """
    return lambda name, size: check.empty(size, name, dtype)


def check_groups(count, name, groups):
    r"""Exige que los canales o los filtros se puedan partir en grupos iguales.

    >>> check_groups(5, "filters", 2)
    Traceback (most recent call last):
        ...
    ValueError: filters: se esperaba un múltiplo de los 2 grupos, pero llegó 5
    """
    if count % groups:
        raise ValueError(f"{name}: se esperaba un múltiplo de los {groups} grupos, pero llegó {count}")


def _checked(x, kernel, strides, padding, dilation_rate, groups):
    x = check.floats(x, "x", "n h w c")
    kernel = check.floats(kernel, "kernel", "kh kw c f")
    strides, dilation_rate = pair(strides, "strides"), pair(dilation_rate, "dilation_rate")
    groups = check.integer(groups, "groups", 1)
    check_dilation(strides, dilation_rate)
    channels = x.shape[-1]
    check_groups(channels, "x, canales", groups)
    check_groups(kernel.shape[-1], "kernel, filtros", groups)
    if kernel.shape[2] * groups != channels:
        wanted = f"(kh, kw, {channels // groups}, f) para imágenes de {channels} canales"
        wanted += f" en {groups} grupos" if groups > 1 else ""
        raise ValueError(f"kernel: se esperaba la forma {wanted}, pero llegó {kernel.shape}")
    dtype = np.result_type(x, kernel)
    windows = find_windows(x.shape[1:], kernel.shape[:2], strides, padding, dilation_rate, groups)
    return x.astype(dtype, copy=False), kernel.astype(dtype, copy=False), windows


def conv2d_forward(x, kernel, bias=None, strides=1, padding="valid", dilation_rate=1, groups=1):
    r"""Los mapas de características de un lote de imágenes.

    El filtro :math:`f` abarca toda la profundidad de la imagen: tiene un peso :math:`w_{ijcf}` por cada casilla
    :math:`(i,j)` de la ventana y por cada canal :math:`c`. Se coloca en una posición :math:`(u,v)`, se multiplica
    casilla por casilla y canal por canal, y todo, con el sesgo :math:`b_f`, se suma en **un** número. Con paso
    :math:`S`, :math:`P` ceros de relleno arriba y a la izquierda y dilatación :math:`d`, como en
    :func:`~chapters.cnn.output_size`,

    .. math::
       :label: ec-cnn-conv2d

       \begin{gathered}
       z_{uvf} = b_f + \sum_{i=0}^{k_h-1}\sum_{j=0}^{k_w-1}\sum_{c=0}^{C-1} x_{abc}\;w_{ijcf} ,\\
       a = uS+i\,d-P,\\
       b = vS+j\,d-P .
       \end{gathered}

    La :math:`b` sin índice es la columna del píxel; el sesgo lo lleva siempre. Es una correlación cruzada, no una
    convolución: el filtro no se gira. Como los pesos se aprenden, da igual; Keras y PyTorch lo hacen así.

    **Como producto de matrices.** Las sumas de adentro recorren una fila de la matriz de ventanas de
    :eq:`ec-cnn-im2col` y una columna de los pesos puestos en forma de matriz, :math:`\mathbf W`, de
    :math:`k_hk_wC\times F`. Todas a la vez:

    .. math::
       :label: ec-cnn-conv2d-matriz

       \mathbf Z = \mathbf V\,\mathbf W + \mathbf 1\,\mathbf b^\top .

    Es la capa densa de :eq:`ec-mlp-densa`, aplicada a cada ventana.

    **Grupos.** Con ``groups`` :math:`=G`, los canales se parten en :math:`G` grupos iguales, los filtros también, y
    cada filtro ve solo los canales de su grupo: tiene :math:`C/G` de profundidad.

    **A mano.** Una imagen de :math:`3\times3` y un filtro de :math:`2\times2` que resta la diagonal a la antidiagonal.
    La primera casilla es :math:`-1\cdot1+1\cdot2+1\cdot4-1\cdot5=0`, más un sesgo de 10:

    >>> image = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 0]])[None, ..., None]
    >>> kernel = np.array([[-1.0, 1.0], [1.0, -1.0]]).reshape(2, 2, 1, 1)
    >>> conv2d_forward(image, kernel, [10.0])[0, :, :, 0]
    array([[10., 10.],
           [10., 19.]])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Las imágenes, con los canales al final.
    kernel : array_like, shape (kh, kw, c / groups, f)
        Los filtros.
    bias : array_like, shape (f,), optional
        Un sesgo por filtro.
    strides, padding, dilation_rate
        Como en :func:`~chapters.cnn.im2col`.
    groups : int
        En cuántos grupos se parten los canales y los filtros.

    Returns
    -------
    ndarray, shape (n, h', w', f)
        Un mapa por filtro; ``float32`` solo si todo lo que entra lo es.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan, el filtro no cabe o hay NaN o infinitos.

        >>> conv2d_forward(np.zeros((1, 3, 3, 2)), kernel)
        Traceback (most recent call last):
            ...
        ValueError: kernel: se esperaba la forma (kh, kw, 2, f) para imágenes de 2 canales, pero llegó (2, 2, 1, 1)
    """
    x, kernel, windows = _checked(x, kernel, strides, padding, dilation_rate, groups)
    filters = kernel.shape[-1]
    bias = np.zeros(filters, x.dtype) if bias is None else check.floats(bias, "bias", "f", {"f": filters})
    dtype = np.result_type(x, bias)
    x, kernel, bias = (a.astype(dtype, copy=False) for a in (x, kernel, bias))
    return Places(windows, filters, dtype).forward(x, kernel, bias, -np.inf, new_memory(dtype))


def plain_conv2d_forward(x, kernel, bias, strides=1):
    r"""Cada mapa, casilla por casilla."""
    kh, kw, _, filters = kernel.shape
    n, h, w, _ = x.shape
    rows, columns = (h - kh) // strides + 1, (w - kw) // strides + 1
    z = np.empty((n, rows, columns, filters))
    for u in range(rows):
        for v in range(columns):
            a, b = u * strides, v * strides  # la esquina
            window = x[:, a : a + kh, b : b + kw]  # (n, kh, kw, c)
            for f in range(filters):
                sums = (window * kernel[..., f]).sum(axis=(1, 2, 3))
                z[:, u, v, f] = bias[f] + sums  # [ec-cnn-conv2d]
    return z


@kernel
def _conv2d_forward(x, weights, bias, floor, z, start, packed, part, scratch, tables):
    line, pixels, taps, maps = tables.line, tables.pixels, tables.taps, tables.maps
    groups, depth = taps.shape
    total = weights.shape[1]
    filters = total // groups
    # Lo que sobra de cada fila también se multiplica, y basura con números diminutos lo hace cien veces más lento.
    clear(packed)
    for k in range(depth):
        for f in range(total):
            packed[k * line + f] = weights[k, f]
    for f in range(start.size):
        start[f] = bias[f] if f < bias.size else x.dtype.type(0)
    clear(scratch)
    for n in range(x.shape[0]):
        image, out = padded(x[n], scratch, tables.margin), z[n * pixels.size * total :]
        for g in range(groups):
            own, first = packed[g * filters :], start[g * filters :]
            target = out if groups == 1 else part
            # En cada ventana, todos los filtros del grupo a la vez; cada suma empieza en su sesgo.
            matmul_at(image, pixels, taps[g], own, line, first, floor, target, maps, filters)  # [ec-cnn-conv2d-matriz]
            if groups > 1:
                for p in range(pixels.size):
                    for f in range(filters):
                        out[p * total + g * filters + f] = part[p * filters + f]


def conv2d_backward(x, kernel, dy, strides=1, padding="valid", dilation_rate=1, groups=1):
    r"""Los tres gradientes de la convolución, letra por letra y en forma matricial.

    Llega :math:`\delta_{uvf}=\partial\mathcal L/\partial z_{uvf}`, la culpa de cada casilla de cada mapa. Se parte de
    :eq:`ec-cnn-conv2d` y de cada letra se pregunta lo mismo de siempre: **en qué salidas aparece y con qué factor**.
    Para no cargar índices, primero paso 1, sin relleno ni dilatación.

    **Los pesos.** :math:`w_{ijcf}` aparece en **todas** las casillas del mapa :math:`f`, porque es el mismo filtro en
    todas partes; en la :math:`(u,v)` lo multiplica :math:`x_{u+i,\,v+j,\,c}`. Cada aparición es un camino, y los
    caminos se suman, también sobre las imágenes del lote:

    .. math::
       :label: ec-cnn-conv2d-pesos

       \frac{\partial\mathcal L}{\partial w_{ijcf}} = \sum_{u,v} x_{u+i,\ v+j,\ c}\ \delta_{uvf} .

    Es otra correlación: la de la entrada con la culpa, que hace de filtro.

    **Los sesgos.** :math:`b_f` aparece en todas las casillas de su mapa con factor 1:

    .. math::
       :label: ec-cnn-conv2d-sesgo

       \frac{\partial\mathcal L}{\partial b_f} = \sum_{u,v}\delta_{uvf} .

    **La entrada.** El píxel :math:`x_{abc}` aparece en la casilla :math:`(u,v)` de cada mapa cuando alguna
    :math:`(i,j)` cumple :math:`u+i=a` y :math:`v+j=b`, o sea, en :math:`u=a-i`, :math:`v=b-j`. Ahí lo multiplica
    :math:`w_{ijcf}`:

    .. math::
       :label: ec-cnn-conv2d-entrada

       \frac{\partial\mathcal L}{\partial x_{abc}} = \sum_{f}\sum_{i,j}\delta_{a-i,\ b-j,\ f}\ w_{ijcf} ,

    con :math:`\delta=0` fuera del mapa. Los índices se **restan**: esta sí es una convolución de verdad. Dicho de otro
    modo, es la correlación con el filtro girado media vuelta, sobre la culpa rodeada de
    :math:`k_h-1` y :math:`k_w-1` ceros. Se llama convolución *completa* (*full*), y agranda el mapa hasta el tamaño de
    la imagen. El código hace la misma suma en otro orden: cada casilla reparte su culpa en su ventana.

    **Con matrices**, y ya con paso, relleno y dilatación. :eq:`ec-cnn-conv2d-matriz` es una capa densa, y sus
    gradientes son los de :func:`~chapters.mlp.dense_backward`, con :math:`\mathbf V` en el lugar de la entrada:

    .. math::
       :label: ec-cnn-conv2d-atras

       \begin{gathered}
       \frac{\partial\mathcal L}{\partial\mathbf W} = \mathbf V^\top\boldsymbol\Delta ,\\[1ex]
       \frac{\partial\mathcal L}{\partial\mathbf V} = \boldsymbol\Delta\,\mathbf W^\top .
       \end{gathered}

    Falta pasar de las ventanas a la imagen, y eso es :func:`~chapters.cnn.col2im`: cada píxel suma la culpa de todas
    sus copias. En la suma :eq:`ec-cnn-col2im`, los pares con :math:`uS+i\,d-P=a` son, con paso 1, sin
    relleno ni dilatación, los :math:`u=a-i` de :eq:`ec-cnn-conv2d-entrada`.

    **A mano.** Los datos de :func:`conv2d_forward`, con culpa 1 solo en la primera casilla. El filtro recibe la primera
    ventana, y la imagen, el filtro puesto en esa ventana:

    >>> image = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 0]])[None, ..., None]
    >>> kernel = np.array([[-1.0, 1.0], [1.0, -1.0]]).reshape(2, 2, 1, 1)
    >>> delta = np.array([[1.0, 0.0], [0.0, 0.0]]).reshape(1, 2, 2, 1)
    >>> dkernel, dbias, dx = conv2d_backward(image, kernel, delta)
    >>> dkernel[:, :, 0, 0]
    array([[1., 2.],
           [4., 5.]])
    >>> dbias
    array([1.])
    >>> dx[0, :, :, 0]
    array([[-1.,  1.,  0.],
           [ 1., -1.,  0.],
           [ 0.,  0.,  0.]])

    Con culpa 1 en todas, el filtro recibe la suma de las cuatro ventanas, y el píxel de en medio, la suma del filtro:

    >>> delta = np.ones((1, 2, 2, 1))
    >>> dkernel, dbias, dx = conv2d_backward(image, kernel, delta)
    >>> dkernel[:, :, 0, 0]
    array([[12., 16.],
           [24., 19.]])
    >>> dx[0, :, :, 0]
    array([[-1.,  0.,  1.],
           [ 0.,  0.,  0.],
           [ 1.,  0., -1.]])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Lo que entró a :func:`conv2d_forward`.
    kernel : array_like, shape (kh, kw, c / groups, f)
        Los filtros.
    dy : array_like, shape (n, h', w', f)
        El gradiente de los mapas, :math:`\boldsymbol\Delta`.
    strides, padding, dilation_rate, groups
        Como en :func:`conv2d_forward`.

    Returns
    -------
    dkernel : ndarray, shape (kh, kw, c / groups, f)
        El gradiente de los filtros.
    dbias : ndarray, shape (f,)
        El de los sesgos.
    dx : ndarray, shape (n, h, w, c)
        El de las imágenes.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan, el filtro no cabe o hay NaN o infinitos.
    """
    x, kernel, windows = _checked(x, kernel, strides, padding, dilation_rate, groups)
    dy = check.floats(dy, "dy")
    expected = (len(x), *windows.output, kernel.shape[-1])
    if dy.shape != expected:
        raise ValueError(f"dy: se esperaba la forma {expected} de la salida, pero llegó {dy.shape}")
    dtype = np.result_type(x, dy)
    x, kernel, dy = (a.astype(dtype, copy=False) for a in (x, kernel, dy))
    dkernel, dbias, dx = np.empty_like(kernel), np.empty(kernel.shape[-1], dtype), np.empty_like(x)
    buffer = new_memory(dtype)
    places = Places(windows, kernel.shape[-1], dtype)
    places.weights(x, places.with_slack(dy, buffer), dkernel, buffer)
    sum_maps(dy.reshape(-1), dbias)
    places.input(dy, kernel, dx, buffer)
    return dkernel, dbias, dx


def plain_conv2d_backward(x, kernel, dy, strides=1):
    r"""Los tres gradientes: cada casilla reparte su culpa."""
    kh, kw, _, filters = kernel.shape
    dkernel, dx = np.zeros(kernel.shape), np.zeros(x.shape)
    dbias = dy.sum(axis=(0, 1, 2))  # [ec-cnn-conv2d-sesgo]
    for u in range(dy.shape[1]):
        for v in range(dy.shape[2]):
            a, b = u * strides, v * strides  # la esquina
            window = np.s_[:, a : a + kh, b : b + kw]
            for f in range(filters):
                delta = dy[:, u, v, f].reshape(-1, 1, 1, 1)
                dkernel[..., f] += (x[window] * delta).sum(axis=0)  # [ec-cnn-conv2d-pesos]
                dx[window] += kernel[..., f] * delta  # [ec-cnn-conv2d-entrada]
    return dkernel, dbias, dx


@kernel
def _conv2d_backward_weights(x, dz, dweights, gradient, scratch, tables):
    line, lines, pixels, taps = tables.line, tables.lines, tables.pixels, tables.taps
    groups, depth = taps.shape
    total = dweights.shape[1]
    filters = total // groups
    clear(gradient)
    clear(scratch)
    for n in range(x.shape[0]):
        image = padded(x[n], scratch, tables.margin)
        for first in range(0, pixels.size, CHUNK):
            some = pixels[first : first + CHUNK]
            for g in range(groups):
                # La traspuesta de la matriz de ventanas: pixels y taps cambian de papel.
                delta, own = dz[(n * pixels.size + first) * total + g * filters :], gradient[g * depth * line :]
                add_matmul_at(image, taps[g], some, delta, total, own, lines, filters)  # [ec-cnn-conv2d-atras]
    for g in range(groups):
        for k in range(depth):
            for f in range(filters):
                dweights[k, g * filters + f] = gradient[g * depth * line + lines[k] + f]


@kernel
def _finish(scratch, margin, start, floor, image):
    # Sin la orilla, más lo que le toque a cada canal y, si ``floor`` es 0, con la ReLU; un NaN se queda.
    line, pitch, first = margin
    for a in range(image.size // line):
        row, place = image[a * line : (a + 1) * line], scratch[first + a * pitch : first + a * pitch + line]
        for b in range(line):
            value = place[b] + start[b]
            row[b] = floor if value <= floor else value


@kernel
def _conv2d_backward_input(dz, weights, bias, floor, dx, packed, start, scratch, tables):
    line, run, taps = tables.line, tables.run, tables.taps
    channels, corners, maps = tables.channels, tables.corners, tables.maps
    groups, depth = taps.shape
    filters = channels.size
    # Un pedazo por cada grupo y cada tramo seguido de la ventana, traspuesto y completado con ceros.
    clear(packed)
    for k in range(depth):
        for f in range(weights.shape[1]):
            packed[(k // run * weights.shape[1] + f) * line + k % run] = weights[k, f]
    clear(start)
    if bias.size:
        for b in range(start.size):
            start[b] = bias[b % bias.size]
    for n in range(dx.shape[0]):
        clear(scratch)
        for g in range(groups):
            delta = dz[n, g * filters :]
            for k in range(0, depth, run):
                # Los números de la ventana que están seguidos en la imagen reciben su culpa juntos.
                own, out = packed[(k // run * weights.shape[1] + g * filters) * line :], scratch[taps[g, k] :]
                add_matmul_at(delta, maps, channels, own, line, out, corners, run)  # [ec-cnn-conv2d-atras]
        _finish(scratch, tables.margin, start, floor, dx[n])


class Conv2D(Convolution):
    r"""Capa de convolución :math:`\mathbf Y=\varphi(\mathbf X * \mathbf W+\mathbf b)`, con los argumentos de Keras.

    El asterisco es la correlación de :eq:`ec-cnn-conv2d`. Hacia delante hace :func:`conv2d_forward` y luego la
    activación; hacia atrás, :func:`conv2d_backward`.

    **A mano.** Un filtro de :math:`1\times2` que resta vecinos, con ReLU: solo ve dónde sube el brillo.

    >>> layer = Conv2D(1, (1, 2), activation="relu", dtype="float64")
    >>> layer.build((1, 4, 1))
    >>> layer.set_weights([np.array([-1.0, 1.0]).reshape(1, 2, 1, 1), [0.0]])
    >>> x = np.array([0.0, 5.0, 5.0, 1.0]).reshape(1, 1, 4, 1)
    >>> layer.forward(x).reshape(-1)
    array([5., 0., 0.])

    Con culpa 1 en todo el mapa, solo pasa la de la casilla que la ReLU dejó encendida:

    >>> layer.backward(np.ones((1, 1, 3, 1))).reshape(-1)
    array([-1.,  1.,  0.,  0.])
    >>> layer.gradients[0].reshape(-1)
    array([0., 5.])

    Parameters
    ----------
    filters : int
        Cuántos filtros, :math:`F`.
    kernel_size : int or (int, int)
        Alto y ancho de cada filtro.
    strides : int or (int, int)
        El paso.
    padding : {"valid", "same"}
        El relleno.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    dilation_rate : int or (int, int)
        La dilatación; mayor que 1, solo con paso 1.
    groups : int
        En cuántos grupos se parten los canales; divide a los canales y a los filtros.
    activation : str or ActivationFunction, optional
        La activación :math:`\varphi`.
    use_bias : bool
        Si hay sesgo.
    kernel_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los sesgos.
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    kernel_constraint, bias_constraint : str, Constraint or callable, optional
        Restricción que se les impone después de cada paso.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (kh, kw, c / groups, f)
        Los filtros.
    bias : ndarray, shape (f,), or None
        Los sesgos.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> Conv2D(8, 3, strides=2, dilation_rate=2)
        Traceback (most recent call last):
            ...
        ValueError: dilation_rate: se esperaba 1 cuando el paso es mayor que 1, pero llegó (2, 2) con paso (2, 2)
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        *,
        kernel_constraint=None,
        bias_constraint=None,
        **options,
    ):
        super().__init__(
            *(kernel_size, strides, padding, data_format, dilation_rate),
            *(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint),
            **options,
        )
        self.filters = check.integer(filters, "filters", 1)
        self.groups = check.integer(groups, "groups", 1)
        check_groups(self.filters, "filters", self.groups)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.kernel = None

    def build(self, input_shape):
        r"""Crea los filtros y los sesgos para imágenes de una forma."""
        super().build(input_shape)
        shape = (*self.kernel_size, self.input_shape[-1] // self.groups, self.filters)
        own = {"regularizer": self.kernel_regularizer, "constraint": self.kernel_constraint}
        self.kernel = self.add_weight(shape, self.kernel_initializer, **own)
        self._add_bias(self.filters)

    def compute_output_shape(self, input_shape):
        r"""Devuelve en cuántas posiciones cabe la ventana a lo largo de cada eje, y cuántos mapas salen."""
        sizes, channels = self.sizes(input_shape)
        check_groups(channels, "x, canales", self.groups)
        return (*self._positions(sizes), self.filters)

    def place(self, shape):
        r"""Hace las tablas de los núcleos."""
        windows = self._windows(shape, self.groups)
        found = windows, self.filters, self.dtype, self.compute_output_shape(shape)
        size, strides, dilation = map(on_image, (self.kernel_size, self.strides, self.dilation_rate))
        lanes = BYTES // self.dtype.itemsize
        plain = strides == dilation == (1, 1) and self.groups == 1
        if plain and size == (3, 3) and pays(windows, self.filters, lanes):
            return Winograd(windows, self.filters, self.dtype)
        count = neighbors(windows.output[1], size[1], strides[1], self.filters, lanes)
        if count == 1 or self.groups > 1 or dilation[1] > 1:
            places = Places(*found)
        else:
            places = Neighbors(*found, size, strides, count)
        if plain and shape[-1] % lanes == 0:
            places.gather = Gather(windows, self.filters, self.dtype, size)
        return places

    def forward(self, x, training=False):
        r"""Calcula los mapas de cada imagen."""
        self.x = x = self.ready(x)
        # La ReLU no necesita una vuelta aparte: el producto ya sale recortado en cero.
        fused = isinstance(self.activation, activations.ReLU) and self.activation.plain
        z = self.at(x.shape[1:]).forward(x, self.kernel, self.bias, 0 if fused else -np.inf, self.buffer)
        self.z, self.y = z, z if fused else self._activated(z)
        return self.y

    def backward(self, dy):
        r"""Llena los gradientes de los filtros y los sesgos y devuelve el de las imágenes."""
        dy, places = self.output_gradient(dy), self.at(self.x.shape[1:])
        if self.activation is None:
            dz = places.with_slack(dy, self.buffer)
        else:
            dz = self.buffer("dz", dy.size + SLACK)
            self.activation.backward(self.z, self.y, dy, dz[: dy.size].reshape(dy.shape))
        if self.trainable:
            dbias = self.gradients[1] if self.use_bias else self.buffer("dbias", self.filters)
            places.weights(self.x, dz, self.gradients[0], self.buffer)
            sum_maps(dz[: dy.size], dbias)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        (places.gather or places).input(dz[: dy.size].reshape(dy.shape), self.kernel, dx, self.buffer)
        return dx
