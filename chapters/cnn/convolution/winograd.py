r"""Los algoritmos de Winograd: los filtros de 3 × 3 con menos productos."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

from chapters.cnn.convolution.im2col import place_windows
from chapters.cnn.convolution.padding import Margin, clear, flat, padded
from dlbook import check
from dlbook.numeric.matmul import ROWS, matmul
from dlbook.numeric.matmul_at import add_matmul_at
from dlbook.numeric.vectors import BYTES, Writer

# Los filtros miden TAPS de lado y de cada mosaico salen OUTPUTS de lado: 4 × 4 salidas con 6 × 6 productos.
TAPS, OUTPUTS = 3, 4
# Dónde se evalúa, además de en el infinito. Con 1/2 y -2 el redondeo es la tercera parte que con 2 y -2.
POINTS = 0, 1, -1, Fraction(1, 2), -2
SIZE = len(POINTS) + 1
# Cuántos bytes ocupan los mosaicos de un bloque, y entre cuáles quedan: lo que se escribe sigue en la caché al leerlo.
CACHED, FEWEST, MOST = 640 * 1024, 32, 128
# Lo que mide una línea de caché, en bytes.
LINE = 64


def winograd_matrices(points, taps=3):
    r"""Prototipo."""
    points = [Fraction(p) for p in points]
    size = len(points) + 1

    def powers(degree):
        # El infinito se queda con el coeficiente mayor.
        return [[p**k for k in range(degree)] for p in points] + [[Fraction(k == degree - 1) for k in range(degree)]]

    back = []
    for k, p in enumerate(points):
        others = [q for q in points if q != p]
        scale = Fraction(1)
        polynomial = [Fraction(1)]
        for q in others:
            scale *= p - q
            shifted = [Fraction(0), *polynomial]
            polynomial = [a - q * b for a, b in zip(shifted, [*polynomial, Fraction(0)], strict=True)]
        back.append(([*polynomial, Fraction(0)], scale))
    whole = [Fraction(1)]
    for q in points:
        whole = [a - q * b for a, b in zip([Fraction(0), *whole], [*whole, Fraction(0)], strict=True)]
    back.append((whole, Fraction(1)))
    a, g = powers(size - taps + 1), powers(taps)
    g = [[v / scale for v in row] for row, (_, scale) in zip(g, back, strict=True)]
    return tuple(np.array(m, dtype=np.float64) for m in (a, g, [row for row, _ in back]))


A, G, B = winograd_matrices(POINTS)


def _nested(matrix, *, finish=False):
    r"""Fabrica la cuenta ``out = matrix @ tile @ matrix.T`` de un mosaico cuyas casillas son vectores.

    La casilla :math:`(i,j)` está en ``source[at + i row + j column]``, y la del resultado, en
    ``out[to + i line + j step]``. Con ``finish`` se le suma ``start`` y lo que quede por debajo de ``floor`` sube hasta
    ahí. Los ceros de la matriz no se multiplican, y los unos tampoco.
    """
    rows, columns = matrix.shape
    if config.DISABLE_JIT:

        def plain(source, at, row, column, out, to, line, step, start, floor):
            def places(count, down, across):
                corners = np.add.outer(np.arange(count) * down, np.arange(count) * across)
                return np.add.outer(corners, np.arange(BYTES // source.itemsize))

            tile = source.reshape(-1)[at + places(columns, row, column)]
            value = np.einsum("ri,ijv,qj->rqv", matrix, tile, matrix)
            if finish:
                value = np.maximum(value + start[: value.shape[-1]], floor)
            out.reshape(-1)[to + places(rows, line, step)] = value

        return plain

    @intrinsic
    def tile(typing, source, at, row, column, out, to, line, step, start, floor):
        moves = types.intp, types.intp, types.intp
        signature = types.void(source, *moves, out, *moves, start, source.dtype)

        def write(context, builder, signature, arguments):
            kinds = signature.args
            w = Writer(context, builder, kinds[0].dtype)
            pointers = [context.make_array(kinds[k])(context, builder, arguments[k]).data for k in (0, 4, 8)]
            at, row, column, to, line, step = (arguments[k] for k in (1, 2, 3, 5, 6, 7))
            source, out, start = w.at(pointers[0], at), w.at(pointers[1], to), pointers[2]

            def place(pointer, i, down, j, across):
                pointer = w.at(pointer, builder.mul(ir.Constant(down.type, i), down))
                return w.at(pointer, builder.mul(ir.Constant(across.type, j), across))

            def combine(factors, values):
                total = None
                for factor, value in zip(factors, values, strict=True):
                    if factor not in (0, 1, -1):
                        value = builder.fmul(ir.Constant(w.vector, [factor] * w.lanes), value, flags=["contract"])
                    if factor and total is None:
                        total = builder.fsub(w.zero, value) if factor == -1 else value
                    elif factor:
                        total = (builder.fsub if factor == -1 else builder.fadd)(total, value, flags=["contract"])
                return total

            tall = [[w.load_at(place(source, i, row, j, column), 0) for i in range(columns)] for j in range(columns)]
            half = [[combine(factors, line) for line in tall] for factors in matrix.tolist()]
            for i in range(rows):
                for j, factors in enumerate(matrix.tolist()):
                    value = combine(factors, half[i])
                    if finish:
                        value = w.at_least(builder.fadd(value, w.load_at(start, 0)), w.spread(arguments[9]))
                    w.store_at(value, place(out, i, line, j, step), 0)
            return context.get_dummy_value()

        return signature, write

    return tile


_images, _filters, _maps = _nested(B), _nested(G), _nested(A.T.copy(), finish=True)
_images_back, _filters_back = _nested(A), _nested(G.T.copy())


class Tiles(NamedTuple):
    r"""Dónde están los mosaicos de una imagen y los de sus mapas."""

    margin: Margin
    # Cuánto mide una fila de la imagen rellenada, y una de los mapas.
    pitch: int
    line: int
    # Dónde empieza cada mosaico en la imagen rellenada y dónde, en los mapas.
    corners: np.ndarray
    maps: np.ndarray
    # Cuántas filas y columnas de sus mapas ya calculó el mosaico de antes.
    above: np.ndarray
    left: np.ndarray


def find_tiles(windows, filters):
    r"""Coloca los mosaicos; el último de cada lado se recorre hacia atrás hasta que cabe."""
    width, channels = windows.padded_shape[1:]
    starts, again = [], []
    for side in windows.output:
        whole = np.arange(0, side, OUTPUTS)
        starts.append(np.minimum(whole, side - OUTPUTS))
        again.append(whole - starts[-1])
    pitch, line = width * channels, windows.output[1] * filters
    return Tiles(
        margin=windows.margin,
        pitch=pitch,
        line=line,
        corners=np.add.outer(starts[0] * pitch, starts[1] * channels).reshape(-1),
        maps=np.add.outer(starts[0] * line, starts[1] * filters).reshape(-1),
        above=np.repeat(again[0], again[1].size),
        left=np.tile(again[1], again[0].size),
    )


def pays(windows, filters, lanes):
    r"""Dice si a una capa de :math:`3\times3`, paso 1 y sin dilatar le conviene Winograd.

    Hacen falta vectores enteros de canales y de filtros, y que los mosaicos, que en la orilla se superponen, ahorren
    al menos la mitad de los productos: así se midió. Con dieciséis números por vector:

    >>> from chapters.cnn.convolution.im2col import find_windows
    >>> [pays(find_windows((side, side, 32), 3, padding="same"), 64, 16) for side in (3, 4, 5, 14)]
    [False, True, False, True]

    Parameters
    ----------
    windows : Windows
        Dónde están las ventanas.
    filters, lanes : int
        Cuántos filtros, y cuántos números caben en un vector.

    Returns
    -------
    bool
    """
    (height, width), channels = windows.output, windows.input_shape[-1]
    if channels % lanes or filters % lanes or min(height, width) < OUTPUTS:
        return False
    tiles = -(-height // OUTPUTS) * -(-width // OUTPUTS)
    return TAPS**2 * height * width >= 2 * SIZE**2 * tiles


class Winograd:
    r"""Lo que necesitan los núcleos de Winograd de una capa: dónde están sus mosaicos y cuánta memoria piden.

    Sirve para filtros de :math:`3\times3` con paso 1 y sin dilatar, cuando los canales y los filtros llenan vectores
    enteros y los mapas miden al menos un mosaico.

    Parameters
    ----------
    windows : Windows
        Dónde están las ventanas.
    filters : int
        Cuántos filtros.
    dtype : dtype
        El tipo de los números.
    """

    def __init__(self, windows, filters, dtype):
        *sides, channels = windows.input_shape
        self.shape, self.gather = (*windows.output, filters), None
        top, before = divmod(windows.margin.first // channels, windows.padded_shape[1])
        before = TAPS - 1 - top, TAPS - 1 - before
        back = place_windows(self.shape, sides, before, (TAPS, TAPS), (1, 1), (1, 1))
        self.tiles, self.back = find_tiles(windows, filters), find_tiles(back, channels)
        self.scratch, self.scratch_back = (w.scratch(dtype).size for w in (windows, back))
        item = np.dtype(dtype).itemsize
        block = CACHED // (SIZE**2 * item * (channels + filters)) // ROWS * ROWS
        self.block = min(max(block, FEWEST), MOST)
        # Un plano por cada producto, y entre dos planos, una línea: si no, caerían en los mismos cajones de la caché.
        self.line = LINE // item
        planes = channels * filters, self.block * channels, self.block * filters
        self.planes = [plane + self.line for plane in planes]
        self.rows, self.columns = np.arange(channels), np.arange(self.block) * channels
        self.places = np.arange(channels) * filters

    def _memory(self, buffer):
        # Los filtros, los mosaicos de la imagen y los de los mapas; a la ida y a la vuelta, los mismos.
        memory = buffer("winograd", SIZE**2 * sum(self.planes) + self.line)
        first = -memory.ctypes.data // memory.itemsize % self.line
        parts = []
        for plane in self.planes:
            parts.append(memory[first : first + SIZE**2 * plane].reshape(SIZE**2, plane))
            first += SIZE**2 * plane
        return parts

    def with_slack(self, dz, buffer):
        r"""Ve el gradiente de los mapas en una sola fila; aquí no se lee de más."""
        return dz.reshape(-1)

    def forward(self, x, kernel, bias, floor, buffer):
        r"""Llama al núcleo de ida y devuelve los mapas."""
        z = buffer("z", (len(x), *self.shape))
        filters, images, maps = self._memory(buffer)
        start, scratch = buffer("start", kernel.shape[-1]), buffer("scratch", self.scratch)
        start[:] = 0 if bias is None else bias
        _winograd_forward(flat(x), kernel, start, z.dtype.type(floor), flat(z), filters, images, maps, scratch, self.tiles)
        return z

    def weights(self, x, dz, dkernel, buffer):
        r"""Llama al núcleo que llena el gradiente de los filtros."""
        filters, images, maps = self._memory(buffer)
        scratch, part = buffer("scratch", self.scratch), buffer("part", OUTPUTS**2 * dkernel.shape[-1])
        dz = dz[: len(x) * self.maps_size].reshape(len(x), -1)
        tables = self.tiles, self.rows, self.columns, self.places
        _winograd_backward_weights(flat(x), dz, dkernel, filters, images, maps, scratch, part, *tables)

    def input(self, dz, kernel, dx, buffer):
        r"""Llama al núcleo de ida con los filtros girados: llena el gradiente de las imágenes."""
        filters, maps, images = self._memory(buffer)
        height, width, channels, count = kernel.shape
        turned = buffer("turned", (height, width, count, channels))
        _turn(kernel, turned)
        start, scratch = buffer("start", channels), buffer("scratch back", self.scratch_back)
        start.fill(0)
        floor = dx.dtype.type(-np.inf)
        _winograd_forward(flat(dz), turned, start, floor, flat(dx), filters, images, maps, scratch, self.back)

    @property
    def maps_size(self):
        r"""Cuántos números hay en los mapas de una imagen."""
        height, width, filters = self.shape
        return height * width * filters


@njit(cache=True, nogil=True)
def _turn(kernel, turned):
    # Media vuelta, y los canales por los filtros.
    for i in range(TAPS):
        for j in range(TAPS):
            for f in range(kernel.shape[3]):
                for c in range(kernel.shape[2]):
                    turned[i, j, f, c] = kernel[TAPS - 1 - i, TAPS - 1 - j, c, f]


@njit(cache=True, nogil=True)
def _spread_images(x, scratch, tiles, first, stop, channels, images):
    # Los mosaicos de la imagen, transformados: uno por fila de cada plano.
    lanes, plane, count = BYTES // x.itemsize, images.shape[1], tiles.corners.size
    for g in range(first, stop):
        n, t = g // count, g % count
        if t == 0:
            padded(x[n], scratch, tiles.margin)
        image = scratch if scratch.size else x[n]
        at, to = tiles.corners[t], (g - first) * channels
        for c in range(0, channels, lanes):
            _images(image, at + c, tiles.pitch, channels, images, to + c, SIZE * plane, plane, image, image[0])


@njit(cache=True, nogil=True)
def _winograd_forward(x, kernel, start, floor, z, filters, images, maps, scratch, tiles):
    _, _, c, f = kernel.shape
    lanes = BYTES // x.itemsize
    plane = filters.shape[1]
    for k in range(0, c * f, lanes):
        _filters(kernel, k, TAPS * c * f, c * f, filters, k, SIZE * plane, plane, start, floor)
    clear(scratch)
    plane = maps.shape[1]
    block = (plane - LINE // x.itemsize) // f
    total = x.shape[0] * tiles.corners.size
    for first in range(0, total, block):
        stop = min(first + block, total)
        n = stop - first
        _spread_images(x, scratch, tiles, first, stop, c, images)
        for k in range(SIZE * SIZE):
            left, right = images[k, : n * c].reshape(n, c), filters[k, : c * f].reshape(c, f)
            matmul(left, right, maps[k, : n * f].reshape(n, f))
        for g in range(first, stop):
            image, place = z[g // tiles.maps.size], tiles.maps[g % tiles.maps.size]
            for k in range(0, f, lanes):
                at = (g - first) * f + k
                _maps(maps, at, SIZE * plane, plane, image, place + k, tiles.line, f, start[k:], floor)


@njit(cache=True, nogil=True)
def _winograd_backward_weights(x, dz, dkernel, filters, images, maps, scratch, part, tiles, rows, columns, places):
    _, _, c, f = dkernel.shape
    lanes = BYTES // x.itemsize
    plane = maps.shape[1]
    block = columns.size
    total = x.shape[0] * tiles.corners.size
    clear(filters.reshape(-1))
    clear(scratch)
    for first in range(0, total, block):
        stop = min(first + block, total)
        _spread_images(x, scratch, tiles, first, stop, c, images)
        for g in range(first, stop):
            n, t = g // tiles.maps.size, g % tiles.maps.size
            delta, place, line = dz[n], tiles.maps[t], tiles.line
            if tiles.above[t] + tiles.left[t] > 0:
                # Lo que ya contó otro mosaico, aquí no cuenta.
                for i in range(OUTPUTS):
                    for j in range(OUTPUTS):
                        new = i >= tiles.above[t] and j >= tiles.left[t]
                        for k in range(f):
                            value = delta[place + i * line + j * f + k]
                            part[(i * OUTPUTS + j) * f + k] = value if new else x.dtype.type(0)
                delta, place, line = part, 0, OUTPUTS * f
            for k in range(0, f, lanes):
                to = (g - first) * f + k
                _images_back(delta, place + k, line, f, maps, to, SIZE * plane, plane, part, part[0])
        for k in range(SIZE * SIZE):
            add_matmul_at(images[k], rows, columns[: stop - first], maps[k], f, filters[k], places, f)
    plane = filters.shape[1]
    for k in range(0, c * f, lanes):
        _filters_back(filters, k, SIZE * plane, plane, dkernel, k, TAPS * c * f, c * f, part, part[0])
