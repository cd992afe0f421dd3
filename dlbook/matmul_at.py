r"""El producto de matrices que no están en la memoria tal cual: de cada renglón se sabe solo dónde empieza.

Una convolución multiplica la matriz de las ventanas de una imagen, y esa matriz repite cada píxel muchas veces.
Escribirla costaría más que multiplicarla. No hace falta: la celda :math:`(i,k)` está en la imagen, en el lugar
``rows[i] + columns[k]``, y de ahí se puede leer. Lo mismo al volver: el renglón :math:`i` del resultado se suma donde
diga ``places[i]``, y dos renglones pueden encimarse.

Como en :mod:`dlbook.matmul`, un mosaico del resultado vive en los registros mientras se recorre la dimensión que se
suma. La otra matriz, que es pequeña, se copia antes en **franjas** del ancho del mosaico, con :func:`pack`: así se lee
de corrido, y la última, que suele quedar a medias, se completa con ceros.
"""

from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from dlbook.vectors import BYTES, MANY, SIZE, Writer

# Renglones del mosaico de dos vectores de ancho y del de uno; el segundo necesita más para tener sumas independientes.
WIDE_ROWS, NARROW_ROWS = (8, 8) if MANY else (6, 8)
# De a cuántos renglones se recorre una franja antes de pasar a la siguiente: lo que se lee de ``a`` sigue en la caché.
BLOCK = 240


def _tile(rows, vectors, *, add):
    r"""Fabrica el mosaico: ``out[places[i + r] + j] = start[j] + sum(a[rows[i + r] + columns[k]] * b[k, j])``.

    Con ``add`` no hay ``start``: se suma a lo que ya esté en ``out``. Son ``rows`` renglones, o los que queden hasta
    ``n``, y ``vectors`` vectores de ancho, de los que se guardan las primeras ``width`` columnas.
    """

    @intrinsic
    def tile(typing, a, a_rows, a_columns, b, start, out, places, i, n, width):
        signature = types.void(a, a_rows, a_columns, b, start, out, places, types.intp, types.intp, types.intp)

        def write(context, builder, signature, arguments):
            kinds = signature.args
            w = Writer(context, builder, kinds[0].dtype)
            arrays = [
                context.make_array(kind)(context, builder, v) for kind, v in zip(kinds[:7], arguments, strict=False)
            ]
            a, a_rows, a_columns, b, start, out, places = (array.data for array in arrays)
            i, n, width = arguments[7:]
            last = builder.sub(n, SIZE(1))
            index = [builder.add(i, SIZE(r)) for r in range(rows)]
            # Si faltan renglones, los últimos repiten el último y no se guardan.
            inside = [builder.icmp_signed("<=", k, last) for k in index]
            lines = [w.at(a, w.item(a_rows, builder.select(ok, k, last))) for k, ok in zip(index, inside, strict=True)]
            total = w.totals(rows, vectors)
            if not add:
                for v in range(vectors):
                    first = w.load_at(start, v * w.lanes)
                    for r in range(rows):
                        builder.store(first, total[r][v])
            with cgutils.for_range(builder, arrays[2].nitems, intp=SIZE) as loop:
                column = w.item(a_columns, loop.index)
                line = w.at(b, builder.mul(loop.index, SIZE(vectors * w.lanes)))
                values = [w.load_at(line, v * w.lanes) for v in range(vectors)]
                for r in range(rows):
                    factor = w.spread(w.item(lines[r], column))
                    for v in range(vectors):
                        w.multiply_add(factor, values[v], total[r][v])

            def keep(store):
                for r in range(rows):
                    with builder.if_then(inside[r]):
                        target = w.at(out, w.item(places, index[r]))
                        for v in range(vectors):
                            store(builder.load(total[r][v]), target, v * w.lanes)

            if add:
                keep(lambda value, target, j: w.store_at(builder.fadd(w.load_at(target, j), value), target, j))
                return context.get_dummy_value()
            with builder.if_else(builder.icmp_signed(">=", width, SIZE(vectors * w.lanes))) as (whole, part):
                with whole:
                    keep(lambda value, target, j: w.store_at(value, target, j))
                with part:
                    keep(lambda value, target, j: w.store_first(value, target, j, width))
            return context.get_dummy_value()

        return signature, write

    return tile


_wide, _narrow = _tile(WIDE_ROWS, 2, add=False), _tile(NARROW_ROWS, 1, add=False)
_wide_add, _narrow_add = _tile(WIDE_ROWS, 2, add=True), _tile(NARROW_ROWS, 1, add=True)


@njit(cache=True, nogil=True)
def padded_width(width, itemsize):
    r"""Devuelve el ancho completado a vectores enteros.

    >>> padded_width(64, 4), padded_width(1, 8) == BYTES // 8
    (64, True)
    """
    lanes = BYTES // itemsize
    return (width + lanes - 1) // lanes * lanes


@njit(cache=True, nogil=True)
def pack(b, packed):
    r"""Copia una matriz en franjas del ancho del mosaico, una tras otra, con ceros al final de la última.

    Parameters
    ----------
    b : ndarray, shape (p, m)
        La matriz, como sea que esté en la memoria.
    packed : ndarray
        Donde quedan las franjas: al menos ``p * padded_width(m, b.itemsize)`` números.
    """
    depth, m = b.shape
    lanes = BYTES // b.itemsize
    place = 0
    for first in range(0, m, 2 * lanes):
        stop = min(first + 2 * lanes, m)
        width = 2 * lanes if stop - first > lanes else lanes
        for k in range(depth):
            for j in range(first, stop):
                packed[place + j - first] = b[k, j]
            for j in range(stop - first, width):
                packed[place + j] = 0
            place += width


@njit(cache=True, nogil=True)
def matmul_at(a, rows, columns, b, start, out, places, m):
    r"""Calcula ``out[places[i] + j] = start[j] + Σ a[rows[i] + columns[k]] b[k, j]``, para ``j`` de 0 a ``m - 1``.

    Es para código compilado: **no comprueba nada**.

    >>> import numpy as np
    >>> image = np.arange(6.0)                                # una señal, y un filtro que suma tres vecinos
    >>> kernel, packed = np.ones((3, 1)), np.empty(3 * padded_width(1, 8))
    >>> pack(kernel, packed)
    >>> y = np.empty(4)
    >>> zero = np.zeros(padded_width(1, 8))
    >>> matmul_at(image, np.arange(4), np.arange(3), packed, zero, y, np.arange(4), 1)
    >>> y
    array([ 3.,  6.,  9., 12.])

    Parameters
    ----------
    a : ndarray, shape (s,)
        Los números de la primera matriz.
    rows : ndarray of int, shape (n,)
        Dónde empieza cada renglón.
    columns : ndarray of int, shape (p,)
        Cuánto hay que avanzar hasta cada columna.
    b : ndarray, shape (q,)
        La segunda matriz, como la deja :func:`pack`.
    start : ndarray
        Lo que se suma a cada renglón, completado con ceros hasta ``padded_width(m, a.itemsize)``.
    out : ndarray, shape (t,)
        Donde queda el resultado.
    places : ndarray of int, shape (n,)
        En qué lugar de ``out`` empieza cada renglón.
    m : int
        Las columnas de la segunda matriz.
    """
    n, depth = rows.size, columns.size
    lanes = BYTES // a.itemsize
    for block in range(0, n, BLOCK):
        stop = min(block + BLOCK, n)
        for j in range(0, m, 2 * lanes):
            width = m - j
            panel, first, target = b[j * depth :], start[j:], out[j:]
            if width > lanes:
                for i in range(block, stop, WIDE_ROWS):
                    _wide(a, rows, columns, panel, first, target, places, i, stop, width)
            else:
                for i in range(block, stop, NARROW_ROWS):
                    _narrow(a, rows, columns, panel, first, target, places, i, stop, width)


@njit(cache=True, nogil=True)
def add_matmul_at(a, rows, columns, b, out, places, m):
    r"""Suma a ``out[places[i] + j]`` el producto de :func:`matmul_at`.

    Los renglones se suman uno por uno, en orden, así que pueden encimarse. Cada uno toca hasta
    ``padded_width(m, a.itemsize)`` lugares, y a los que sobran les suma cero: ``out`` debe tenerlos.

    >>> import numpy as np
    >>> packed = np.empty(padded_width(3, 8))
    >>> pack(np.ones((1, 3)), packed)
    >>> y = np.zeros(4 + padded_width(3, 8))
    >>> add_matmul_at(np.array([1.0, 10.0]), np.arange(2), np.zeros(1, int), packed, y, np.array([0, 1]), 3)
    >>> y[:5]
    array([ 1., 11., 11., 10.,  0.])

    Parameters
    ----------
    a, rows, columns, b, out, places, m
        Como en :func:`matmul_at`.
    """
    n, depth = rows.size, columns.size
    lanes = BYTES // a.itemsize
    for block in range(0, n, BLOCK):
        stop = min(block + BLOCK, n)
        for j in range(0, m, 2 * lanes):
            panel, target = b[j * depth :], out[j:]
            if m - j > lanes:
                for i in range(block, stop, WIDE_ROWS):
                    _wide_add(a, rows, columns, panel, panel, target, places, i, stop, 0)
            else:
                for i in range(block, stop, NARROW_ROWS):
                    _narrow_add(a, rows, columns, panel, panel, target, places, i, stop, 0)
