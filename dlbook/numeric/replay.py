r"""Repetir de un golpe, sin Python, las llamadas a núcleos que se apuntaron.

Llamar desde Python a una función compilada cuesta alrededor de un microsegundo, haga lo que haga. Casi todo se va en lo
que se vuelve a averiguar cada vez: de qué tipo es cada argumento, qué versión de la función le toca, dónde están los
números de cada arreglo y qué forma tienen. Si la llamada va a ser la misma en todos los pasos, con la misma memoria, lo
que se averiguó la primera vez se puede guardar. Eso es una :class:`Call`: la dirección de la función compilada y sus
argumentos, ya en números de 64 bits.

Queda hacer las llamadas desde código compilado. Cada función espera sus argumentos en ciertos registros del procesador,
según sus tipos, así que a cada combinación de tipos le corresponde un *lector* (:func:`_reader`): una función diminuta
que los toma de la memoria, los pone en su sitio y llama. El ciclo :func:`perform` llama a un lector tras otro.

Todo descansa en cómo entrega numba sus funciones. Una función compilada recibe, antes de los argumentos, dos
direcciones: dónde dejar lo que devuelve y dónde decir por qué falló. Después, cada argumento, deshecho en números
(:func:`words_of`). Y contesta con un entero que dice si acabó bien.
"""

import functools
import struct
import threading
from itertools import count
from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from dlbook.numeric.interruptions import uninterrupted
from dlbook.numeric.kernel import kernel

WORD, STATUS = ir.IntType(64), ir.IntType(32)
# Cómo está en la memoria una llamada: la dirección de la función, lo que devuelve, por qué falló y los argumentos.
FUNCTION, RESULT, FAILURE, FIRST = 0, 1, 2, 3
# Lo que contesta una función que acabó bien: con un valor, o sin él.
FINE, NOTHING = 0, -2

# Los lectores ya compilados, por tipos; de quién es su código, que se borraría con él; y cómo se numeran.
_readers, _engines, _numbers = {}, [], count()
_lock = threading.Lock()


class Unrecordable(Exception):  # noqa: N818
    r"""Una llamada que no se puede guardar como números."""


def _place(kind):
    # En qué clase de registro va un argumento, con el nombre que le da LLVM; una dirección va donde un entero.
    return "i64" if isinstance(kind, ir.PointerType) else str(kind)


class _Entry(NamedTuple):
    # Por dónde se entra a una versión compilada: su dirección, de qué tipo y en qué registros espera cada argumento, y
    # qué devuelve.
    address: int
    kinds: tuple
    places: tuple
    returned: types.Type


@functools.cache
@uninterrupted
def _entry(kernel, kinds):
    # Los dos primeros argumentos de la función son las dos direcciones; el resto, los del núcleo.
    compiled = kernel.overloads.get(kinds)
    if compiled is None:
        raise Unrecordable(f"no hay una versión de {kernel.__name__} para {kinds}")
    described = compiled.fndesc
    if not isinstance(described.restype, (types.Number, types.Boolean, types.NoneType)):
        raise Unrecordable(f"{kernel.__name__} devuelve {described.restype}")
    address = compiled.library.get_pointer_to_function(described.llvm_func_name)
    function = cpu_target.target_context.call_conv.get_function_type(described.restype, described.argtypes)
    return _Entry(address, described.argtypes, tuple(_place(t) for t in function.args[2:]), described.restype)


class Call:
    r"""Una llamada a un núcleo, con sus argumentos guardados como números.

    Parameters
    ----------
    kernel : Kernel
        El núcleo, que ya se llamó una vez con estos argumentos.
    arguments : tuple
        Arreglos, números reales o enteros, booleanos, ``None`` o tuplas de ellos. Los números quedan fijos; de los
        arreglos se guarda dónde están.
    result : float, int or None
        Lo que devolvió.

    Attributes
    ----------
    words : tuple of int
        Lo que el lector pone en su sitio; lo que dice dónde empieza un arreglo es un :class:`Address`.
    within : callable or None
        Dentro de qué se llamó: si al repetir falla, eso se hace otra vez, y dice qué pasó mejor que el núcleo.

    Raises
    ------
    Unrecordable
        Si algún argumento, o lo que devuelve, no es de esos.
    """

    def __init__(self, kernel, arguments, result):
        # Los arreglos viven mientras viva la llamada: nadie más puede ocupar su memoria.
        self.kernel, self.arguments, self.result, self.within = kernel, arguments, result, None
        entry = _entry(kernel, tuple(kernel.typeof_pyval(value) for value in arguments))
        self.address, self.places, self.returned = entry.address, entry.places, entry.returned
        self.kinds = entry.kinds
        words = []
        for kind, value in zip(entry.kinds, arguments, strict=True):
            words += words_of(kind, value)
        if len(words) != len(self.places):
            raise Unrecordable(f"{kernel.__name__}: no se sabe cómo recibe sus argumentos")
        self.words = tuple(words)

    def same(self, other):
        r"""Dice si otra llamada es la misma: el mismo núcleo, con los mismos números en la misma memoria."""
        return isinstance(other, Call) and (self.address, self.words) == (other.address, other.words)

    def again(self):
        r"""Vuelve a llamar desde Python: si falló, aquí se ve por qué."""
        return self.kernel(*self.arguments) if self.within is None else self.within()


class Address(int):
    r"""La palabra que dice dónde empieza un arreglo."""


def words_of(kind, value):
    r"""Da un argumento como lo recibe el código de numba: números sin signo de 64 bits, que el lector recorta."""
    if isinstance(kind, types.Array):
        # Los dos ceros dicen que ni numba ni otro objeto tienen que liberar su memoria; de eso se encarga la ``Call``.
        start = Address(value.__array_interface__["data"][0])
        return [0, 0, value.size, value.itemsize, start, *value.shape, *(s % 2**64 for s in value.strides)]
    if isinstance(kind, types.BaseTuple):
        return [word for one, part in zip(kind.types, value, strict=True) for word in words_of(one, part)]
    if isinstance(kind, types.Float):
        real, word = ("d", "Q") if kind.bitwidth == 64 else ("f", "I")
        return list(struct.unpack(word, struct.pack(real, value)))
    if isinstance(kind, (types.Integer, types.Boolean)):
        return [int(value) % 2**64]
    if isinstance(kind, types.NoneType):
        return [0]
    raise Unrecordable(f"no se sabe guardar un argumento de tipo {kind}")


@uninterrupted
def _reader(places):
    r"""Da la dirección del lector de una combinación de tipos; se compila la primera vez que hace falta."""
    with _lock:
        if places not in _readers:
            _readers[places] = _compile(places)
        return _readers[places]


def _compile(places):
    module, name = ir.Module(), f"reader_{next(_numbers)}"
    function = ir.Function(module, ir.FunctionType(STATUS, [WORD]), name)
    builder = ir.IRBuilder(function.append_basic_block())
    memory = builder.inttoptr(function.args[0], WORD.as_pointer())

    def at(k):
        return builder.gep(memory, [WORD(k)])

    # Equivale a ``return memory[FUNCTION](&memory[RESULT], &memory[FAILURE], memory[FIRST], …)``.
    kinds = [{"float": ir.FloatType(), "double": ir.DoubleType()}.get(p) or ir.IntType(int(p[1:])) for p in places]
    values = [builder.load(builder.bitcast(at(FIRST + k), t.as_pointer())) for k, t in enumerate(kinds)]
    target = ir.FunctionType(STATUS, [WORD, WORD, *kinds])
    where = [builder.ptrtoint(at(k), WORD) for k in (RESULT, FAILURE)]
    builder.ret(builder.call(builder.inttoptr(builder.load(at(FUNCTION)), target.as_pointer()), [*where, *values]))
    machine = llvm.Target.from_default_triple().create_target_machine()
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(str(module)), machine)
    engine.finalize_object()
    _engines.append(engine)
    return engine.get_function_address(name)


@intrinsic
def _read(typing, reader, memory):
    # Llama al lector que está en una dirección: numba, de por sí, solo llama a funciones que conoce por su nombre.
    signature = types.int32(types.uint64, types.uint64)

    def write(context, builder, signature, arguments):
        reader, memory = arguments
        kind = ir.FunctionType(STATUS, [WORD])
        return builder.call(builder.inttoptr(reader, kind.as_pointer()), [memory])

    return signature, write


@intrinsic
def word(typing, address, k):
    r"""Da la palabra número ``k`` desde una dirección."""

    def write(context, builder, signature, arguments):
        address, k = arguments
        return builder.load(builder.gep(builder.inttoptr(address, WORD.as_pointer()), [k]))

    return types.uint64(types.uint64, types.uint64), write


@intrinsic
def put_word(typing, address, k, value):
    r"""Escribe la palabra número ``k`` desde una dirección."""

    def write(context, builder, signature, arguments):
        address, k, value = arguments
        builder.store(value, builder.gep(builder.inttoptr(address, WORD.as_pointer()), [k]))
        return context.get_dummy_value()

    return types.void(types.uint64, types.uint64, types.uint64), write


@kernel
def perform(readers, memories, count):
    r"""Hace las llamadas de una lista; da cuál falló, o -1.

    Parameters
    ----------
    readers, memories : int
        Dónde está la lista: las direcciones de los lectores y las de la memoria de cada llamada, como las da
        :attr:`Replay.addresses`.
    count : int
        Cuántas son.
    """
    # De un entero sin signo y un -1, numba haría un número real.
    readers, memories, count = np.uint64(readers), np.uint64(memories), np.int64(count)
    for k in range(count):
        status = _read(word(readers, np.uint64(k)), word(memories, np.uint64(k)))
        if status != FINE and status != NOTHING:
            return k
    return -1


class Replay:
    r"""Unas llamadas seguidas, listas para repetirse.

    Los números de todas van seguidos en un solo arreglo, ``memory``. Al repetir se leen otra vez los arreglos a los que
    apuntan; lo que se pasó como número, el 1 y el 10 de aquí, es el mismo siempre:

    >>> from dlbook.numeric.kernel import kernel
    >>> @kernel
    ... def add(x, k, y):
    ...     for i in range(x.size):
    ...         y[i] = x[i] + k
    >>> x, y, z = np.zeros(2), np.empty(2), np.empty(2)
    >>> calls = (x, 1.0, y), (y, 10.0, z)
    >>> for arguments in calls:
    ...     add(*arguments)
    >>> replay = Replay([Call(add, one, None) for one in calls])
    >>> x[:] = 5.0, 7.0
    >>> replay.run()
    >>> z
    array([16., 18.])

    Parameters
    ----------
    calls : list of Call
        Las llamadas.
    """

    @uninterrupted
    def __init__(self, calls):
        self.calls = calls
        # Dónde empieza cada llamada; lo último es cuánto miden todas.
        starts = np.cumsum([0] + [FIRST + len(call.words) for call in calls])
        self.memory = np.zeros(starts[-1], np.uint64)
        for call, start in zip(calls, starts, strict=False):
            self.memory[start] = call.address
            self.memory[start + FIRST : start + FIRST + len(call.words)] = call.words
        self.starts = starts[:-1]
        memories = (self.memory.ctypes.data + self.memory.itemsize * self.starts).astype(np.uint64)
        readers = np.array([_reader(call.places) for call in calls], np.uint64)
        # Dónde está la lista, para :func:`perform`; los arreglos tienen que vivir lo que viva ella.
        self.lists, self.addresses = (readers, memories), (readers.ctypes.data, memories.ctypes.data, len(calls))
        # Si el ciclo no está compilado, que se compile aquí.
        perform(*self.addresses[:2], 0)

    def run(self):
        r"""Repite las llamadas, en orden; si una falla, falla con el mismo error."""
        self.check(perform(*self.addresses))

    def check(self, failed):
        r"""Si una llamada falló, la hace otra vez desde Python, para que se vea su error.

        Parameters
        ----------
        failed : int
            Cuál, contando desde cero, o -1 si ninguna.
        """
        if failed >= 0:
            self.calls[failed].again()
            raise RuntimeError(f"{self.calls[failed].kernel.__name__}: falló al repetirse")

    def result(self, k):
        r"""Da el número real que devolvió la llamada ``k`` la última vez."""
        start = self.starts[k] + RESULT
        return float(self.memory[start : start + 1].view(f"float{self.calls[k].returned.bitwidth}")[0])

    def source(self, k):
        r"""Da la dirección del número real que devolvió la llamada ``k``, y cuántos bits tiene."""
        return self.address(self.starts[k] + RESULT), self.calls[k].returned.bitwidth

    def address(self, k):
        r"""Da la dirección de la palabra ``k`` de su memoria."""
        return self.memory.ctypes.data + self.memory.itemsize * int(k)
