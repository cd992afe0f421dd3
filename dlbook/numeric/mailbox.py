r"""Pasar trabajo a otro hilo sin que ninguno de los dos toque Python.

Despertar a un hilo dormido tarda. En Python, además, al despertar tiene que pedir el candado (el GIL), que en ese
momento tiene quien lo despertó: entre uno y otro pierden casi cien microsegundos, lo que dura un paso pequeño. Aquí el
hilo que acaba un trabajo no se duerme enseguida. Se queda un momento **vigilando** un lugar de la memoria, dentro de
código compilado y sin el candado. Si ahí aparece otro trabajo, que ya es una lista de llamadas compiladas
(:mod:`dlbook.numeric.replay`), lo hace y sigue vigilando. Así el trabajo llega en alrededor de un microsegundo.

Vigilar gasta un núcleo del procesador, que otro programa podría querer. Por eso al principio se mira sin parar, que es
lo que Python suele tardar en volver con el paso siguiente; luego, con una siesta muy corta entre una mirada y otra; y a
los pocos milisegundos el hilo se duerme, y para darle trabajo hay que despertarlo como siempre. Lo mismo hace quien
espera a que otro acabe. Sin las siestas, con la máquina ocupada en otra cosa, el que espera le quita su turno al que
trabaja: un paso llegaba a tardar diez veces más.

Los dos hilos se entienden por un número, el estado:

.. code-block:: text

    dormido ──(su hilo va a vigilar)──> vigilando ──(le ponen trabajo)──> trabajo
       ^                                 |     ^                            |
       └──────(se le acabó la paciencia)─┘     └─────────(lo acabó)─────────┘

Y un cuarto, «llamado»: lo pone quien quiere que el hilo deje de vigilar y vuelva a Python.

El procesador y el compilador pueden cambiar el orden de lo que se escribe, si a un solo hilo le da lo mismo. Al otro
no: podría ver el estado nuevo con el trabajo viejo. Por eso el estado se lee y se escribe con operaciones **atómicas**,
que además fijan el orden: lo que se escribió antes que el estado, se ve antes.
"""

import ctypes
import os
import platform

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from dlbook import check
from dlbook.numeric.kernel import kernel
from dlbook.numeric.replay import perform

# Los estados.
ASLEEP, WATCHING, POSTED, CALLED = range(4)
# Dónde está cada cosa en la memoria que comparten, en palabras de 64 bits. Cada grupo tiene su línea de la caché, de
# ocho palabras: mientras un hilo vigila el estado, el otro escribe lo demás sin estorbarlo.
STATE, READERS, MEMORIES, COUNT, FAILED, SIZE = 0, 8, 9, 10, 16, 24
# Cuántas miradas son seguidas, que son unas centésimas de milisegundo, y cuántas más con una siesta en medio, unos
# milisegundos.
LOOKS, NAPS = 5_000, 40
# La instrucción con que el procesador descansa un instante, donde LLVM sabe pedirla.
_RESTS = {"x86_64": "llvm.x86.sse2.pause", "AMD64": "llvm.x86.sse2.pause"}


def at(context, builder, signature, arguments):
    r"""Da la dirección de una palabra de un arreglo; los argumentos empiezan por el arreglo y el lugar."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.gep(array.data, [arguments[1]])


@intrinsic
def load(typing, box, k):
    r"""Lee una palabra. Lo que se lea después de esta, después se lee."""

    def write(context, builder, signature, arguments):
        return builder.load_atomic(at(context, builder, signature, arguments), "acquire", 8)

    return types.uint64(box, types.intp), write


@intrinsic
def store(typing, box, k, value):
    r"""Escribe una palabra. Lo que se escribió antes que esta, antes se ve."""

    def write(context, builder, signature, arguments):
        builder.store_atomic(arguments[2], at(context, builder, signature, arguments), "release", 8)
        return context.get_dummy_value()

    return types.void(box, types.intp, types.uint64), write


@intrinsic
def _exchange(typing, box, k, old, new):
    # Si la palabra es ``old``, la cambia por ``new``; da si la cambió. Entre mirar y cambiar no se cuela nadie.
    def write(context, builder, signature, arguments):
        where = at(context, builder, signature, arguments)
        found = builder.cmpxchg(where, arguments[2], arguments[3], "acq_rel", "acquire")
        return builder.extract_value(found, 1)

    return types.boolean(box, types.intp, types.uint64, types.uint64), write


def _know_doze():
    # La función del sistema con que un hilo duerme un instante, con un nombre que el código compilado conoce.
    function = ctypes.windll.kernel32.Sleep if os.name == "nt" else ctypes.CDLL(None).usleep
    llvm.add_symbol("dlbook_doze", ctypes.cast(function, ctypes.c_void_p).value)


_know_doze()


@intrinsic
def _doze(typing):
    def write(context, builder, signature, arguments):
        kind = ir.FunctionType(ir.IntType(32), [ir.IntType(32)])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "dlbook_doze"), [ir.IntType(32)(1)])
        return context.get_dummy_value()

    return types.void(), write


@intrinsic
def _pause(typing):
    # Descansa un instante: el otro hilo del mismo núcleo físico, si lo hay, trabaja mejor.
    def write(context, builder, signature, arguments):
        name = _RESTS.get(platform.machine())
        if name is not None:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        return context.get_dummy_value()

    return types.void(), write


@kernel
def rest(looks):
    r"""Descansa un instante entre una mirada y otra; si ya van muchas, se echa una siesta.

    Parameters
    ----------
    looks : int
        Cuántas van.
    """
    _pause()
    if looks > LOOKS:
        _doze()


@kernel
def _watch(box, patience):
    k = 0
    while True:
        state = load(box, STATE)
        if state == POSTED:
            box[FAILED] = np.uint64(perform(box[READERS], box[MEMORIES], box[COUNT]))
            store(box, STATE, WATCHING)
            k = 0
        elif state == CALLED:
            return
        k += 1
        if k > patience and _exchange(box, STATE, WATCHING, ASLEEP):
            return
        rest(k)


@kernel
def _post(box, readers, memories, count):
    if load(box, STATE) != WATCHING:
        return False
    box[READERS], box[MEMORIES], box[COUNT] = readers, memories, count
    return _exchange(box, STATE, WATCHING, POSTED)


@kernel
def _ended(box, patience):
    for k in range(patience):
        if load(box, STATE) != POSTED:
            return True
        rest(k)
    return False


@kernel
def _put(box, state):
    store(box, STATE, state)


if config.DISABLE_JIT:
    # Sin compilador nadie vigila, pero los hilos se llaman igual.
    def load(box, k):
        r"""Lee una palabra."""
        return box[k]

    def store(box, k, value):
        r"""Escribe una palabra."""
        box[k] = value

    def _exchange(box, k, old, new):
        same = box[k] == old
        if same:
            box[k] = new
        return same

    def rest(looks):
        r"""No descansa."""


class Mailbox:
    r"""El buzón de un hilo.

    Un hilo lo vigila y otro le pone trabajo. Aquí, dos veces; después lo llama:

    >>> import threading
    >>> from dlbook.numeric.replay import Call, Replay
    >>> @kernel
    ... def double(x):
    ...     for i in range(x.size):
    ...         x[i] *= 2
    >>> x = np.array([1.0, 2.0])
    >>> double(x)
    >>> work, box = Replay([Call(double, (x,), None)]), Mailbox()
    >>> box.post(work)
    False
    >>> box.patience = 10**9
    >>> box.ready()
    >>> watcher = threading.Thread(target=box.watch)
    >>> watcher.start()
    >>> for _ in range(2):
    ...     _ = box.post(work)
    ...     while not box.ended():
    ...         pass
    >>> box.call()
    >>> watcher.join()
    >>> x, box.failed
    (array([ 8., 16.]), -1)
    """

    # Cuántas veces se mira antes de cansarse.
    patience = 0 if config.DISABLE_JIT else LOOKS + NAPS

    def __init__(self):
        self.box = check.empty(SIZE, "el buzón de un hilo", np.uint64)
        self.box[:] = 0

    def compile(self):
        r"""Compila lo que haga falta, mientras nadie espera."""
        _ended(self.box, 1), _post(self.box, 0, 0, 0), _put(self.box, CALLED), _watch(self.box, 0)
        self.sleep()

    def ready(self):
        r"""Dice que su hilo ya va a vigilar: lo que se ponga desde aquí, lo hará al llegar."""
        _put(self.box, WATCHING)

    def watch(self):
        r"""Vigila y hace lo que llegue, hasta que se acabe la paciencia o lo llamen; antes, :meth:`ready`."""
        _watch(self.box, self.patience)

    def post(self, replay):
        r"""Pone trabajo; da si hay quien lo haga.

        Parameters
        ----------
        replay : Replay
            El trabajo. Tiene que vivir hasta que acabe.

        Returns
        -------
        bool
            Si el hilo estaba vigilando, y ya lo tiene. Si no, hay que llamarlo.
        """
        return _post(self.box, *replay.addresses)

    def ended(self):
        r"""Espera un poco a que acabe el trabajo; da si acabó."""
        return _ended(self.box, self.patience)

    @property
    def failed(self):
        r"""Cuál llamada del último trabajo falló, o -1."""
        return int(self.box[FAILED : FAILED + 1].view(np.int64)[0])

    def call(self):
        r"""Hace que el hilo deje de vigilar, o que no empiece."""
        _put(self.box, CALLED)

    def sleep(self):
        r"""Ya volvió a Python: desde aquí, para darle trabajo hay que llamarlo."""
        _put(self.box, ASLEEP)
