r"""Instrucciones vectoriales: las sumas y los productos que el procesador hace de ocho en ocho o de más en más.

Numba no sabe decir «este arreglo vive en registros». LLVM, el compilador que numba usa por dentro, sí: aquí se le
escriben las instrucciones una por una. El ancho del vector depende del procesador.
"""

import platform
from itertools import chain

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils

_CPU = llvm.get_host_cpu_features()
_AVX512 = bool(_CPU.get("avx512f"))
# Bytes de un registro vectorial, y si hay 32 registros o solo 16.
BYTES = 64 if _AVX512 else 32 if _CPU.get("avx") else 16
MANY = _AVX512 or platform.machine() in ("aarch64", "arm64")

INT = ir.IntType(32)
SIZE = ir.IntType(64)


class Writer:
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
        return self.builder.ptrtoint(array.data, SIZE), rows, columns

    def place(self, start, *moves):
        r"""Suma a una dirección los desplazamientos dados como pares (cuántos, de cuántos bytes)."""
        for count, size in moves:
            count = SIZE(count) if isinstance(count, int) else count
            size = SIZE(size) if isinstance(size, int) else size
            start = self.builder.add(start, self.builder.mul(count, size))
        return start

    def mask(self, columns):
        r"""Devuelve la máscara que deja pasar solo los primeros ``columns`` elementos de un vector."""
        kind = ir.VectorType(SIZE, self.lanes)
        order = ir.Constant(kind, list(range(self.lanes)))
        return self.builder.icmp_signed("<", order, self.spread(columns, kind))

    def spread(self, value, kind=None):
        r"""Repite un número en todo un vector."""
        kind = kind or self.vector
        first = self.builder.insert_element(ir.Constant(kind, ir.Undefined), value, INT(0))
        zeros = ir.Constant(ir.VectorType(INT, self.lanes), None)
        return self.builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), zeros)

    def load(self, address, mask=None):
        r"""Lee el vector que está en una dirección, o lo que deje pasar la máscara."""
        pointer = self.builder.inttoptr(address, self.vector.as_pointer())
        if mask is None:
            return self.builder.load(pointer, align=self.bytes)
        function = self._intrinsic("masked.load", ".p0", self.vector, pointer.type, INT, mask.type, self.vector)
        return self.builder.call(function, [pointer, INT(self.bytes), mask, self.zero])

    def store(self, value, address, mask=None):
        r"""Escribe un vector en una dirección, o lo que deje pasar la máscara."""
        pointer = self.builder.inttoptr(address, self.vector.as_pointer())
        if mask is None:
            self.builder.store(value, pointer, align=self.bytes)
            return
        function = self._intrinsic("masked.store", ".p0", ir.VoidType(), self.vector, pointer.type, INT, mask.type)
        self.builder.call(function, [value, pointer, INT(self.bytes), mask])

    def fetch(self, address):
        r"""Empieza a traer de la memoria a la caché la línea que está en una dirección, sin esperarla."""
        pointer = self.builder.inttoptr(address, ir.IntType(8).as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, INT, INT, INT])
        function = self.builder.module.declare_intrinsic("llvm.prefetch", [pointer.type], kind)
        # Para leerla; en la segunda caché, que en la primera estorbaría; y es de datos.
        self.builder.call(function, [pointer, INT(0), INT(2), INT(1)])

    def turn(self):
        r"""Acaba una vuelta de un ciclo: nada de la siguiente se adelanta.

        LLVM junta dos vueltas y, si las direcciones vienen de una lista, lee los números de las dos antes de sumar. Con
        16 acumuladores son :math:`16+2\cdot2+2\cdot8=36` vectores, y hay 32 registros: algún acumulador va y viene de
        la memoria en cada vuelta, y el mosaico tarda más, de un décimo a la mitad.
        """
        nothing = ir.FunctionType(ir.VoidType(), [])
        self.builder.asm(nothing, "", "~{memory}", [], side_effect=True)

    # --- Lo mismo, con punteros y contando elementos en vez de bytes ---

    def at(self, pointer, count):
        r"""Devuelve el puntero al elemento que está ``count`` más allá."""
        return self.builder.gep(pointer, [SIZE(count) if isinstance(count, int) else count])

    def item(self, pointer, count):
        r"""Lee un elemento."""
        return self.builder.load(self.at(pointer, count))

    def load_at(self, pointer, count):
        r"""Lee un vector."""
        pointer = self.builder.bitcast(self.at(pointer, count), self.vector.as_pointer())
        return self.builder.load(pointer, align=self.bytes)

    def store_at(self, value, pointer, count):
        r"""Escribe un vector."""
        pointer = self.builder.bitcast(self.at(pointer, count), self.vector.as_pointer())
        self.builder.store(value, pointer, align=self.bytes)

    def at_least(self, value, floor):
        r"""Devuelve el mayor de dos vectores, elemento por elemento; un NaN de ``value`` se queda."""
        return self.builder.select(self.builder.fcmp_ordered("<=", value, floor), floor, value)

    def number(self, address):
        r"""Lee un solo número."""
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
        kind = ir.VectorType(INT, self.lanes)
        even, odd = (ir.Constant(kind, list(range(first, 2 * self.lanes, 2))) for first in (0, 1))
        return self.builder.fadd(self.builder.shuffle_vector(a, b, even), self.builder.shuffle_vector(a, b, odd))

    def slice(self, value, start, count):
        r"""Devuelve ``count`` elementos seguidos de un vector."""
        if value.type != self.vector or count == self.lanes:
            return value
        order = ir.Constant(ir.VectorType(INT, count), list(range(start, start + count)))
        return self.builder.shuffle_vector(value, ir.Constant(self.vector, ir.Undefined), order)

    def _intrinsic(self, name, suffix, result, *arguments):
        name = f"llvm.{name}.v{self.lanes}f{self.bytes * 8}{suffix}"
        return cgutils.get_or_insert_function(self.builder.module, ir.FunctionType(result, arguments), name)
