r"""El producto de matrices pequeñas, que es casi todo lo que hace una red al entrenarse.

Por qué no basta una biblioteca y qué es un mosaico, en :func:`matmul`. El mosaico se escribe con las instrucciones de
:mod:`dlbook.numeric.vectors`. Su tamaño depende del procesador. Sin compilador (``NUMBA_DISABLE_JIT=1``), un mosaico es
una línea de NumPy.
"""

from itertools import chain

import numpy as np
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from dlbook.check import LINE
from dlbook.numeric.kernel import kernel
from dlbook.numeric.recording import perform
from dlbook.numeric.vectors import BYTES, MANY, SIZE, Writer

# El mosaico más alto cuyas sumas caben en los registros que hay.
ROWS = 8 if MANY else 6
DOT_ROWS, DOT_COLUMNS = (4, 4) if MANY else (4, 2)


def _tile(rows, vectors, *, masked=False, ahead=False):
    r"""Fabrica el mosaico: ``out[i : i + rows, j : j + columns] = a[i : i + rows] @ b[:, j : j + columns]``.

    Con ``ahead``, mientras multiplica va trayendo de la memoria las filas del mosaico siguiente.
    """
    if config.DISABLE_JIT:

        def plain(a, b, out, i, j, columns, depth):
            out[i : i + rows, j : j + columns] = a[i : i + rows] @ b[:, j : j + columns]

        return plain

    @intrinsic
    def tile(typing, a, b, out, i, j, columns, depth):
        signature = types.void(a, b, out, types.intp, types.intp, types.intp, types.intp)

        def write(context, builder, signature, arguments):
            kinds = signature.args
            w = Writer(context, builder, kinds[2].dtype)
            a, b, out, i, j, columns, depth = arguments
            a, a_row, a_column = w.matrix(kinds[0], a)
            b, b_row, _ = w.matrix(kinds[1], b)
            out, out_row, _ = w.matrix(kinds[2], out)
            a = w.place(a, (i, a_row))
            below = w.place(a, (rows, a_row))
            b = w.place(b, (j, w.bytes))
            out = w.place(out, (i, out_row), (j, w.bytes))
            mask = w.mask(columns) if masked else None
            total = w.totals(rows, vectors)
            with cgutils.for_range(builder, depth, intp=SIZE) as loop:
                if ahead:
                    # En lo que se recorren los números de una línea de la caché, se pide una de cada fila.
                    each = SIZE(LINE // w.bytes)
                    row = builder.udiv(builder.mul(builder.urem(loop.index, each), SIZE(rows)), each)
                    w.fetch(w.place(below, (row, a_row), (builder.udiv(loop.index, each), LINE)))
                line = w.place(b, (loop.index, b_row))
                values = [w.load(w.place(line, (v, BYTES)), mask) for v in range(vectors)]
                column = w.place(a, (loop.index, a_column))
                for r in range(rows):
                    factor = w.spread(w.number(w.place(column, (r, a_row))))
                    for v in range(vectors):
                        w.multiply_add(factor, values[v], total[r][v])
            for r in range(rows):
                for v in range(vectors):
                    w.store(builder.load(total[r][v]), w.place(out, (r, out_row), (v, BYTES)), mask)
            return context.get_dummy_value()

        return signature, write

    return tile


def _dot_tile(rows, columns):
    r"""Fabrica el mosaico de productos punto: ``out[i : i + rows, j : j + columns] = a[i : i + rows] @ b[j : …].T``."""
    if config.DISABLE_JIT:

        def plain(a, b, out, i, j, depth):
            out[i : i + rows, j : j + columns] = a[i : i + rows] @ b[j : j + columns].T

        return plain

    @intrinsic
    def tile(typing, a, b, out, i, j, depth):
        signature = types.void(a, b, out, types.intp, types.intp, types.intp)

        def write(context, builder, signature, arguments):
            kinds = signature.args
            w = Writer(context, builder, kinds[2].dtype)
            a, b, out, i, j, depth = arguments
            a, a_row, _ = w.matrix(kinds[0], a)
            b, b_row, _ = w.matrix(kinds[1], b)
            out, out_row, _ = w.matrix(kinds[2], out)
            a = w.place(a, (i, a_row))
            b = w.place(b, (j, b_row))
            out = w.place(out, (i, out_row), (j, w.bytes))
            total = w.totals(rows, columns)

            def chunk(start, mask=None):
                left = [w.load(w.place(a, (r, a_row), (start, BYTES)), mask) for r in range(rows)]
                for c in range(columns):
                    right = w.load(w.place(b, (c, b_row), (start, BYTES)), mask)
                    for r in range(rows):
                        w.multiply_add(left[r], right, total[r][c])

            lanes = SIZE(w.lanes)
            whole = builder.sdiv(depth, lanes)
            with cgutils.for_range(builder, whole, intp=SIZE) as loop:
                chunk(loop.index)
            rest = builder.srem(depth, lanes)
            with builder.if_then(builder.icmp_signed(">", rest, SIZE(0))):
                chunk(whole, w.mask(rest))
            sums = w.add_up([builder.load(t) for t in chain.from_iterable(total)])
            together = rows * columns // len(sums)
            count = min(together, columns)
            for k in range(0, rows * columns, count):
                value = w.slice(sums[k // together], k % together, count)
                address = w.place(out, (k // columns, out_row), (k % columns, w.bytes))
                builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=w.bytes)
            return context.get_dummy_value()

        return signature, write

    return tile


_wide, _wide_ahead, _wide_row = _tile(ROWS, 2), _tile(ROWS, 2, ahead=True), _tile(1, 2)
_narrow, _narrow_row = _tile(ROWS, 1, masked=True), _tile(1, 1, masked=True)
_dots, _dots_row = _dot_tile(DOT_ROWS, DOT_COLUMNS), _dot_tile(1, DOT_COLUMNS)
_dots_column, _dot = _dot_tile(DOT_ROWS, 1), _dot_tile(1, 1)


@kernel
def matmul(a, b, out):
    r"""Escribe en ``out`` el producto ``a @ b``.

    Las bibliotecas de álgebra lineal (BLAS) están afinadas para matrices grandes: antes de multiplicar, copian los
    operandos en el orden en que se van a leer. Con las 16 o 32 filas que le tocan a un hilo, esa copia cuesta tanto
    como el producto. Aquí se multiplica sin copiar.

    **El mosaico.** Calcular una celda de :math:`\mathbf A\mathbf B` pide leer dos números por cada producto que se
    suma. Calculemos en cambio un rectángulo de :math:`r\times c` celdas a la vez, un *mosaico* (*tile*). En cada paso
    de la dimensión que se suma se leen :math:`r` números de :math:`\mathbf A` y :math:`c` de :math:`\mathbf B`, y con
    ellos se hacen :math:`r\,c` productos. Con 8 filas y 32 columnas son 256 productos por 40 lecturas:

    >>> 8 * 32, 8 + 32
    (256, 40)

    Las :math:`r\,c` sumas no salen de los *registros*, las pocas casillas que el procesador tiene dentro, hasta que
    están completas. Cuántas caben decide el tamaño del mosaico.

    **Lo que tarda la memoria.** Con miles de filas, :math:`\mathbf A` no cabe en la caché, y cada mosaico esperaría a
    que llegara su parte. El primer panel, al pasar por unas filas, pide ya las que siguen: llegan mientras multiplica.

    El último mosaico de cada lado se recorre hacia atrás hasta que cabe y vuelve a calcular algunas celdas. Cuesta
    menos que un caso especial, y el resultado es el mismo.

    Es para código compilado: **no comprueba nada**, y una forma equivocada corrompe la memoria.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, w = rng.normal(size=(13, 50)), rng.normal(size=(50, 37))
    >>> y = np.empty((13, 37))
    >>> matmul(x, w, y)
    >>> np.allclose(y, x @ w)
    True
    >>> w_gradient = np.empty_like(w)
    >>> matmul(x.T, y, w_gradient)
    >>> np.allclose(w_gradient, x.T @ y)
    True

    Parameters
    ----------
    a : ndarray, shape (n, p)
        Con sus números donde sea en la memoria; puede ser la traspuesta de un arreglo.
    b : ndarray, shape (p, m)
        Con las filas contiguas.
    out : ndarray, shape (n, m)
        Con las filas contiguas, del mismo tipo real que ``a`` y ``b``, y sin memoria en común con ellos.
    """
    n, m = out.shape
    depth = b.shape[0]
    lanes = BYTES // out.itemsize
    wide = m >= 2 * lanes
    width = 2 * lanes if wide else lanes
    # Con pocos paneles, o si los números de una fila no están seguidos, adelantarse cuesta más de lo que ahorra.
    ahead = m >= 4 * width and a.strides[1] == a.itemsize
    for panel in range(0, m, width):
        j = min(panel, m - width) if wide else panel
        columns = min(width, m - j)
        if n >= ROWS:
            for strip in range(0, n, ROWS):
                i = min(strip, n - ROWS)
                if ahead and panel == 0:
                    _wide_ahead(a, b, out, i, j, columns, depth)
                elif wide:
                    _wide(a, b, out, i, j, columns, depth)
                else:
                    _narrow(a, b, out, i, j, columns, depth)
        else:
            for i in range(n):
                if wide:
                    _wide_row(a, b, out, i, j, columns, depth)
                else:
                    _narrow_row(a, b, out, i, j, columns, depth)


@kernel
def matmul_transposed(a, b, out):
    r"""Escribe en ``out`` el producto ``a @ b.T``, con ``b`` sin trasponer.

    Como :func:`matmul`, es para código compilado y **no comprueba nada**. Cada celda es el producto punto de dos filas.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> dy, w = rng.normal(size=(13, 37)), rng.normal(size=(50, 37))
    >>> dx = np.empty((13, 50))
    >>> matmul_transposed(dy, w, dx)
    >>> np.allclose(dx, dy @ w.T)
    True

    Parameters
    ----------
    a : ndarray, shape (n, p)
        Con las filas contiguas.
    b : ndarray, shape (m, p)
        Con las filas contiguas.
    out : ndarray, shape (n, m)
        Como en :func:`matmul`.
    """
    n, m = out.shape
    depth = b.shape[1]
    wide = m >= DOT_COLUMNS
    width = DOT_COLUMNS if wide else 1
    for panel in range(0, m, width):
        j = min(panel, m - width)
        if n >= DOT_ROWS:
            for strip in range(0, n, DOT_ROWS):
                i = min(strip, n - DOT_ROWS)
                if wide:
                    _dots(a, b, out, i, j, depth)
                else:
                    _dots_column(a, b, out, i, j, depth)
        else:
            for i in range(n):
                if wide:
                    _dots_row(a, b, out, i, j, depth)
                else:
                    _dot(a, b, out, i, j, depth)


def matmul_large(a, b, out):
    r"""Escribe en ``out`` el producto ``a @ b`` de matrices grandes.

    Con cientos de filas, copiar los operandos al orden que le gusta a la caché cuesta poco al lado del producto: aquí
    conviene la biblioteca de álgebra lineal de NumPy. Son, por ejemplo, las de todos los pasos de muchas secuencias.
    Si se desborda no avisa: eso lo dice quien entrena.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x, dy = rng.normal(size=(2000, 13)), rng.normal(size=(2000, 7))
    >>> out = np.empty((13, 7))
    >>> matmul_large(x.T, dy, out)
    >>> np.allclose(out, x.T @ dy)
    True

    Parameters
    ----------
    a : ndarray, shape (n, p)
        Puede ser la traspuesta de un arreglo.
    b : ndarray, shape (p, m)
        También.
    out : ndarray, shape (n, m)
        Contiguo, del mismo tipo que ``a`` y ``b``, y sin memoria en común con ellos.
    """
    perform(_library_product, a, b, out)


def _library_product(a, b, out):
    with np.errstate(all="ignore"):
        np.dot(a, b, out=out)
