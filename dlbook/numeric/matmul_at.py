r"""El producto de matrices que no están en la memoria tal cual: de cada fila se sabe solo dónde empieza.

Una convolución multiplica la matriz de las ventanas de una imagen, y esa matriz repite cada píxel muchas veces.
Escribirla costaría casi tanto como multiplicarla. No hace falta: la celda :math:`(i,k)` está en la imagen, en el lugar
``rows[i] + columns[k]``, y de ahí se puede leer. Lo mismo al volver: la fila :math:`i` del resultado se suma donde
diga ``places[i]``, y dos filas pueden superponerse.

Como en :mod:`dlbook.numeric.matmul`, un mosaico del resultado vive en los registros mientras se recorre la dimensión
que se suma. Siempre se leen y se escriben vectores enteros, aunque la última columna caiga a medio vector. Lo que sobra
al leer no se usa; lo que sobra al escribir cae en el principio de la fila siguiente, que se escribe después. Por eso
las filas van en orden, las franjas de columnas, de la última a la primera, y detrás de la última fila de ``b`` y
de ``out`` tiene que haber lugar para :data:`SLACK` números.
"""

import numpy as np
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from dlbook.numeric.kernel import kernel
from dlbook.numeric.vectors import BYTES, MANY, SIZE, Writer

# Filas del mosaico de dos vectores de ancho y del de uno; el segundo necesita más para tener sumas independientes.
WIDE_ROWS, NARROW_ROWS = (8, 8) if MANY else (6, 7)
# De a cuántas filas se recorre una franja antes de pasar a la siguiente: lo que se lee de ``a`` sigue en la caché.
BLOCK = 240
# Cuánto puede faltarle a una fila para llenar sus vectores, en ``float32``.
SLACK = BYTES // 4


def _tile(rows, vectors, *, add):
    r"""Fabrica el mosaico: ``out[places[i] + j] = max(floor, start[j] + sum(a[rows[i] + columns[k]] * b[k, j]))``.

    Con ``add`` no hay ``start`` ni ``floor``: se suma a lo que ya esté en ``out``. Son ``rows`` filas, o las que
    queden hasta ``n``, y ``vectors`` vectores de ancho desde la columna ``j``; las filas de ``b`` están cada
    ``line`` números.
    """
    if config.DISABLE_JIT:

        def plain(a, a_rows, a_columns, b, start, out, places, line, floor, i, n, j):
            wide = j + np.arange(vectors * BYTES // a.itemsize)
            right = b[np.arange(a_columns.size)[:, np.newaxis] * line + wide]
            for r in range(i, min(i + rows, n)):
                value = a[a_rows[r] + a_columns] @ right
                target = out[places[r] + wide[0] : places[r] + wide[-1] + 1]
                target[:] = target + value if add else np.maximum(start[wide] + value, floor)

        return plain

    @intrinsic
    def tile(typing, a, a_rows, a_columns, b, start, out, places, line, floor, i, n, j):
        integers = types.intp, b.dtype, types.intp, types.intp, types.intp
        signature = types.void(a, a_rows, a_columns, b, start, out, places, *integers)

        def write(context, builder, signature, arguments):
            kinds = signature.args
            w = Writer(context, builder, kinds[0].dtype)
            arrays = [context.make_array(kinds[k])(context, builder, arguments[k]) for k in range(7)]
            a, a_rows, a_columns, b, start, out, places = (array.data for array in arrays)
            line, floor, i, n, j = arguments[7:]
            b, start, out = (w.at(pointer, j) for pointer in (b, start, out))
            index = [builder.add(i, SIZE(r)) for r in range(rows)]
            # Si faltan filas, se repite la última y no se guarda.
            last = builder.sub(n, SIZE(1))
            inside = [builder.icmp_signed("<=", k, last) for k in index]
            valid = [builder.select(inside[r], index[r], last) for r in range(rows)]
            left = [w.at(a, w.item(a_rows, valid[r])) for r in range(rows)]
            total = w.totals(rows, vectors)
            if not add:
                for v in range(vectors):
                    for r in range(rows):
                        builder.store(w.load_at(start, v * w.lanes), total[r][v])
            with cgutils.for_range(builder, arrays[2].nitems, intp=SIZE) as loop:
                column = w.item(a_columns, loop.index)
                right = w.at(b, builder.mul(loop.index, line))
                values = [w.load_at(right, v * w.lanes) for v in range(vectors)]
                for r in range(rows):
                    factor = w.spread(w.item(left[r], column))
                    for v in range(vectors):
                        w.multiply_add(factor, values[v], total[r][v])
                w.turn()
            floor = w.spread(floor)
            for r in range(rows):
                with builder.if_then(inside[r]):
                    target = w.at(out, w.item(places, index[r]))
                    for v in range(vectors):
                        value = builder.load(total[r][v])
                        before = w.load_at(target, v * w.lanes) if add else None
                        value = builder.fadd(before, value) if add else w.at_least(value, floor)
                        w.store_at(value, target, v * w.lanes)
            return context.get_dummy_value()

        return signature, write

    return tile


_wide, _narrow = _tile(WIDE_ROWS, 2, add=False), _tile(NARROW_ROWS, 1, add=False)
_wide_add, _narrow_add = _tile(WIDE_ROWS, 2, add=True), _tile(NARROW_ROWS, 1, add=True)


def padded_line(width, itemsize):
    r"""Devuelve a cuántos números conviene poner las filas de una matriz de ese ancho.

    Vectores enteros y, si no cabe en una línea de caché de 64 *bytes*, un número impar de líneas. La caché guarda cada
    línea en un cajón que depende de su dirección; con filas cada 256 *bytes* se usaría un cajón de cada cuatro.

    >>> padded_line(64, 4), padded_line(16, 4), padded_line(5, 8) >= 5
    (80, 16, True)

    Parameters
    ----------
    width : int
        Cuántas columnas.
    itemsize : int
        Cuántos *bytes* ocupa cada número.

    Returns
    -------
    int
    """
    lanes, cache_line = BYTES // itemsize, 64 // itemsize
    if width <= cache_line:
        return -(-width // lanes) * lanes
    lines = -(-width // cache_line)
    return (lines + 1 - lines % 2) * cache_line


@kernel
def matmul_at(a, rows, columns, b, line, start, floor, out, places, m):
    r"""Calcula ``out[places[i] + j] = max(floor, start[j] + Σ a[rows[i] + columns[k]] b[k line + j])``, con ``j < m``.

    Es para código compilado: **no comprueba nada**.

    Una señal, y un filtro que suma tres vecinos:

    >>> import numpy as np
    >>> signal, corners, places = np.arange(6.0), np.arange(4), np.arange(4)
    >>> kernel, zero = np.zeros((2, 3 + SLACK))
    >>> kernel[:3] = 1
    >>> y = np.empty(4 + SLACK)
    >>> where = corners, np.arange(3)
    >>> matmul_at(signal, *where, kernel, 1, zero, 5.0, y, places, 1)
    >>> y[:4]
    array([ 5.,  6.,  9., 12.])

    Parameters
    ----------
    a : ndarray, shape (s,)
        Los números de la primera matriz.
    rows : ndarray of int, shape (n,)
        Dónde empieza cada fila.
    columns : ndarray of int, shape (p,)
        Cuánto hay que avanzar hasta cada columna.
    b : ndarray, shape (q,)
        La segunda matriz.
    line : int
        Cuántos números hay del principio de una fila de ``b`` al de la siguiente.
    start : ndarray
        Lo que se suma a cada fila.
    floor : float
        Lo menos que puede valer una celda: 0 es una ReLU y ``-inf``, nada.
    out : ndarray, shape (t,)
        Donde queda el resultado.
    places : ndarray of int, shape (n,)
        En qué lugar de ``out`` empieza cada fila, de menor a mayor.
    m : int
        Las columnas de la segunda matriz.
    """
    lanes = BYTES // a.itemsize
    for block in range(0, rows.size, BLOCK):
        stop = min(block + BLOCK, rows.size)
        for j in range((m - 1) // (2 * lanes) * 2 * lanes, -1, -2 * lanes):
            if m - j > lanes:
                for i in range(block, stop, WIDE_ROWS):
                    _wide(a, rows, columns, b, start, out, places, line, floor, i, stop, j)
            else:
                for i in range(block, stop, NARROW_ROWS):
                    _narrow(a, rows, columns, b, start, out, places, line, floor, i, stop, j)


@kernel
def add_matmul_at(a, rows, columns, b, line, out, places, m):
    r"""Suma a ``out[places[i] + j]`` el producto de :func:`matmul_at`.

    Las filas se suman una por una, así que pueden superponerse; pero lo que sobra también se suma, al principio de lo
    que siga en ``out``. O ``b`` tiene ahí ceros, o ``out`` tiene lugar de más en cada fila.

    >>> import numpy as np
    >>> kernel, y = np.zeros((2, 4 + SLACK))
    >>> kernel[:3] = 1
    >>> add_matmul_at(np.array([1.0, 10.0]), np.arange(2), np.zeros(1, int), kernel, 1, y, np.array([0, 1]), 3)
    >>> y[:5]
    array([ 1., 11., 11., 10.,  0.])

    Parameters
    ----------
    a, rows, columns, b, line, out, places, m
        Como en :func:`matmul_at`; aquí ``places`` puede ir en cualquier orden.
    """
    lanes = BYTES // a.itemsize
    for block in range(0, rows.size, BLOCK):
        stop = min(block + BLOCK, rows.size)
        for j in range(0, m, 2 * lanes):
            if m - j > lanes:
                for i in range(block, stop, WIDE_ROWS):
                    _wide_add(a, rows, columns, b, b, out, places, line, a[0], i, stop, j)
            else:
                for i in range(block, stop, NARROW_ROWS):
                    _narrow_add(a, rows, columns, b, b, out, places, line, a[0], i, stop, j)
