r"""El producto de matrices pequeñas, que es casi todo lo que hace una red al entrenarse.

Las bibliotecas de álgebra lineal (BLAS) están afinadas para matrices grandes: antes de multiplicar, copian los
operandos a un orden que le gusta a la caché. Con las 16 o 32 filas que le tocan a un hilo, esa copia cuesta tanto como
el producto. Aquí se multiplica sin copiar: un mosaico (*tile*) del resultado vive en los registros del procesador
mientras se recorre la dimensión que se suma, y cada número que se lee de la memoria se usa varias veces.

Numba no sabe decir «este arreglo vive en registros», así que el mosaico se escribe con las instrucciones vectoriales de
LLVM, el compilador que numba usa por dentro. El ancho del vector y el tamaño del mosaico dependen del procesador.
"""

import platform
from itertools import chain

import llvmlite.binding as llvm
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_CPU = llvm.get_host_cpu_features()
_AVX512 = bool(_CPU.get("avx512f"))
# Bytes de un registro vectorial; y el mosaico más alto cuyas sumas caben en los registros que hay (32 o 16).
BYTES = 64 if _AVX512 else 32 if _CPU.get("avx") else 16
_MANY = _AVX512 or platform.machine() in ("aarch64", "arm64")
ROWS = 8 if _MANY else 6
DOT_ROWS, DOT_COLUMNS = (4, 4) if _MANY else (4, 2)

_INT = ir.IntType(32)
_SIZE = ir.IntType(64)


class _Writer:
    r"""Escribe instrucciones sobre matrices de un mismo tipo real."""

    def __init__(self, context, builder, real):
        self.context, self.builder = context, builder
        self.scalar = context.get_data_type(real)
        self.bytes = real.bitwidth // 8
        self.lanes = BYTES // self.bytes
        self.vector = ir.VectorType(self.scalar, self.lanes)
        self.zero = ir.Constant(self.vector, None)

    def matrix(self, kind, value):
        r"""Devuelve dónde empieza una matriz y cuántos bytes separan sus filas y sus columnas."""
        array = self.context.make_array(kind)(self.context, self.builder, value)
        rows, columns = cgutils.unpack_tuple(self.builder, array.strides, 2)
        return self.builder.ptrtoint(array.data, _SIZE), rows, columns

    def place(self, start, *moves):
        r"""Suma a una dirección los desplazamientos dados como pares (cuántos, de cuántos bytes)."""
        for count, size in moves:
            count = _SIZE(count) if isinstance(count, int) else count
            size = _SIZE(size) if isinstance(size, int) else size
            start = self.builder.add(start, self.builder.mul(count, size))
        return start

    def mask(self, columns):
        r"""Devuelve la máscara que deja pasar solo los primeros ``columns`` elementos de un vector."""
        kind = ir.VectorType(_SIZE, self.lanes)
        order = ir.Constant(kind, list(range(self.lanes)))
        return self.builder.icmp_signed("<", order, self.spread(columns, kind))

    def spread(self, value, kind=None):
        r"""Repite un número en todo un vector."""
        kind = kind or self.vector
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), value, _INT(0))
        zeros = ir.Constant(ir.VectorType(_INT, self.lanes), None)
        return self.builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)

    def load(self, address, mask=None):
        pointer = self.builder.inttoptr(address, self.vector.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=self.bytes)
        function = self._intrinsic("masked.load", ".p0", self.vector, pointer.type, _INT, mask.type, self.vector)
        return self.builder.call(function, [pointer, _INT(self.bytes), mask, self.zero])

    def store(self, value, address, mask=None):
        pointer = self.builder.inttoptr(address, self.vector.as_pointer())
        if mask is None:
            self.builder.store(value, pointer, align=self.bytes)
            return
        function = self._intrinsic("masked.store", ".p0", ir.VoidType(), self.vector, pointer.type, _INT, mask.type)
        self.builder.call(function, [value, pointer, _INT(self.bytes), mask])

    def number(self, address):
        return self.builder.load(self.builder.inttoptr(address, self.scalar.as_pointer()))

    def multiply_add(self, a, b, total):
        r"""Suma ``a * b`` a un total guardado; «contract» permite la instrucción que hace las dos cosas a la vez."""
        product = self.builder.fmul(a, b, flags=["contract"])
        self.builder.store(self.builder.fadd(product, self.builder.load(total), flags=["contract"]), total)

    def totals(self, rows, columns):
        r"""Aparta los acumuladores del mosaico, en cero; LLVM los pone en registros."""
        places = [[cgutils.alloca_once(self.builder, self.vector) for _ in range(columns)] for _ in range(rows)]
        for place in chain.from_iterable(places):
            self.builder.store(self.zero, place)
        return places

    def add_up(self, totals):
        r"""Suma los elementos de cada vector; devuelve las sumas en orden, juntas en vectores cuando se puede."""
        if len(totals) % self.lanes:
            function = self._intrinsic("vector.reduce.fadd", "", self.scalar, self.scalar, self.vector)
            return [self.builder.call(function, [self.scalar(0.0), t], fastmath=("reassoc",)) for t in totals]
        # De dos en dos: los elementos pares de dos vectores más los impares llenan uno solo, con la mitad por sumar. Al
        # final, cada grupo de ``lanes`` vectores es uno solo, con la suma de cada cual en su lugar.
        for _ in range(self.lanes.bit_length() - 1):
            totals = [self._add_pairs(*totals[k : k + 2]) for k in range(0, len(totals), 2)]
        return totals

    def _add_pairs(self, a, b):
        kind = ir.VectorType(_INT, self.lanes)
        even, odd = (ir.Constant(kind, list(range(first, 2 * self.lanes, 2))) for first in (0, 1))
        return self.builder.fadd(self.builder.shuffle_vector(a, b, even), self.builder.shuffle_vector(a, b, odd))

    def slice(self, value, start, count):
        r"""Devuelve ``count`` elementos seguidos de un vector."""
        if value.type != self.vector or count == self.lanes:
            return value
        order = ir.Constant(ir.VectorType(_INT, count), list(range(start, start + count)))
        return self.builder.shuffle_vector(value, ir.Constant(self.vector, ir.Undefined), order)

    def _intrinsic(self, name, suffix, result, *arguments):
        name = f"llvm.{name}.v{self.lanes}f{self.bytes * 8}{suffix}"
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)


def _tile(rows, vectors, *, masked):
    r"""Fabrica el mosaico: ``out[i : i + rows, j : j + columns] = a[i : i + rows] @ b[:, j : j + columns]``."""

    @intrinsic
    def tile(typing, a, b, out, i, j, columns, depth):
        signature = types.void(a, b, out, types.intp, types.intp, types.intp, types.intp)

        def write(context, builder, signature, arguments):
            kinds = signature.args
            w = _Writer(context, builder, kinds[2].dtype)
            a, b, out, i, j, columns, depth = arguments
            a, a_row, a_column = w.matrix(kinds[0], a)
            b, b_row, _ = w.matrix(kinds[1], b)
            out, out_row, _ = w.matrix(kinds[2], out)
            a = w.place(a, (i, a_row))
            b = w.place(b, (j, w.bytes))
            out = w.place(out, (i, out_row), (j, w.bytes))
            mask = w.mask(columns) if masked else None
            total = w.totals(rows, vectors)
            with cgutils.for_range(builder, depth, intp=_SIZE) as loop:
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

    @intrinsic
    def tile(typing, a, b, out, i, j, depth):
        signature = types.void(a, b, out, types.intp, types.intp, types.intp)

        def write(context, builder, signature, arguments):
            kinds = signature.args
            w = _Writer(context, builder, kinds[2].dtype)
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

            lanes = _SIZE(w.lanes)
            whole = builder.sdiv(depth, lanes)
            with cgutils.for_range(builder, whole, intp=_SIZE) as loop:
                chunk(loop.index)
            rest = builder.srem(depth, lanes)
            with builder.if_then(builder.icmp_signed(">", rest, _SIZE(0))):
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


_wide, _wide_row = _tile(ROWS, 2, masked=False), _tile(1, 2, masked=False)
_narrow, _narrow_row = _tile(ROWS, 1, masked=True), _tile(1, 1, masked=True)
_dots, _dots_row = _dot_tile(DOT_ROWS, DOT_COLUMNS), _dot_tile(1, DOT_COLUMNS)
_dots_column, _dot = _dot_tile(DOT_ROWS, 1), _dot_tile(1, 1)


@njit(cache=True, nogil=True)
def matmul(a, b, out):
    r"""Escribe en ``out`` el producto ``a @ b``.

    Es para código compilado: **no comprueba nada**, y una forma equivocada corrompe la memoria.

    El último mosaico de cada lado se recorre hacia atrás hasta que cabe y vuelve a calcular algunas celdas. Cuesta
    menos que un caso especial, y el resultado es el mismo.

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
    for panel in range(0, m, width):
        j = min(panel, m - width) if wide else panel
        columns = min(width, m - j)
        if n >= ROWS:
            for strip in range(0, n, ROWS):
                i = min(strip, n - ROWS)
                if wide:
                    _wide(a, b, out, i, j, columns, depth)
                else:
                    _narrow(a, b, out, i, j, columns, depth)
        else:
            for i in range(n):
                if wide:
                    _wide_row(a, b, out, i, j, columns, depth)
                else:
                    _narrow_row(a, b, out, i, j, columns, depth)


@njit(cache=True, nogil=True)
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
