r"""Un tramo: varios pasos grabados, uno tras otro, sin volver a Python entre ellos.

Repetir un paso grabado deja fuera a Python mientras dura el paso. Pero entre uno y el siguiente Python todavía cuenta
lotes, mira si la pérdida es finita, calcula la tasa: en una red pequeña, tanto tiempo como las cuentas. Aquí se le pide
todo eso por adelantado, para muchos pasos, y un solo ciclo compilado (:func:`_march`) los da. En cada paso:

1. cada hilo hace lo suyo con sus filas, hasta tener su gradiente;
2. se esperan, y si alguna pérdida no es finita, nadie sigue;
3. cada hilo mueve sus pesos;
4. se esperan, y pasan a las filas siguientes.

Lo que cambia de un paso a otro son números, y se escribe en la memoria de las llamadas antes de hacerlas: los de cada
paso vienen en una matriz, con una fila por paso.

Los hilos se esperan contando: cada uno suma 1 a un número de la memoria y aguarda a que llegue a los que deben ser.
Mientras aguarda mira, como quien vigila un buzón.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from dlbook import check
from dlbook.numeric.draws import STEP, USED
from dlbook.numeric.gather import START
from dlbook.numeric.interruptions import uninterrupted
from dlbook.numeric.kernel import kernel
from dlbook.numeric.mailbox import at, load, rest, store
from dlbook.numeric.replay import Call, Replay, perform, put_word, word

# Dónde está cada cosa en la memoria que comparten los hilos, cada una en su línea de la caché: cuántos han llegado, si
# hay que parar, y cuántos pasos se dieron.
ARRIVED, STOP, DONE, SIZE = 0, 8, 16, 24
# De cada lista de llamadas, dónde empieza y cuántas son.
LIST = 3
# Los bits que tiene en 1 un número que no es finito.
ENDLESS = {32: 0x7F800000, 64: 0x7FF0000000000000}


@intrinsic
def _add_one(typing, box, k):
    # Suma 1 a una palabra; entre leerla y escribirla no se cuela nadie.
    def write(context, builder, signature, arguments):
        builder.atomic_rmw("add", at(context, builder, signature, arguments), ir.Constant(ir.IntType(64), 1), "acq_rel")
        return context.get_dummy_value()

    return types.void(box, types.intp), write


@kernel
def _meet(board, expected):
    # Espera a que hayan llegado tantos.
    _add_one(board, ARRIVED)
    looks = 0
    while load(board, ARRIVED) < expected:
        looks += 1
        rest(looks)


@kernel
def _set(addresses, values):
    for j in range(addresses.size):
        put_word(addresses[j], np.uint64(0), values[j])


@kernel
def _endless(losses, masks):
    for j in range(losses.size):  # noqa: SIM110
        if (losses[j] & masks[j]) == masks[j]:
            return True
    return False


@kernel
def _march(me, board, steps, table, lists, places, numbers, sources, masks, losses, draws):
    # ``steps``: cuántos pasos, de cuántas filas, y entre cuántos hilos.
    rows, threads, rounds = steps[1], steps[2], np.uint64(0)
    for s in range(np.int64(steps[0])):
        failed = perform(lists[0], lists[1], lists[2])
        for j in range(sources.size):
            losses[s, j] = word(sources[j], np.uint64(0))
        if failed >= 0 or _endless(losses[s], masks):
            store(board, STOP, np.uint64(1))
        rounds += threads
        _meet(board, rounds)
        if load(board, STOP) != 0:
            return
        _set(places, numbers[s])
        perform(lists[LIST], lists[LIST + 1], lists[LIST + 2])
        for j in range(draws.size):
            put_word(draws[j], np.uint64(STEP), word(draws[j], np.uint64(STEP)) + np.uint64(1))
            put_word(draws[j], np.uint64(USED), np.uint64(0))
        if me == 0:
            table[START] += rows
            board[DONE] += np.uint64(1)
        rounds += threads
        _meet(board, rounds)


class Stretch:
    r"""Varios pasos de un entrenamiento, sin Python entre ellos.

    Parameters
    ----------
    chunks : list of Replay
        Lo que hace cada hilo hasta tener su gradiente; los que no tienen filas no están.
    losses : list of list of (int, int)
        De cada uno, dónde están sus pérdidas y de cuántos bits son.
    table : Table
        De dónde toman las filas.
    moves : list of Replay
        Cómo mueve cada hilo sus pesos; los que no mueven no están.
    places : ndarray of int, shape (m,)
        En la memoria de cualquiera de los ``moves``, las palabras que cambian de un paso a otro.
    draws : list of list of ndarray
        De cada hilo, la memoria de los :class:`~dlbook.numeric.draws.Draws` de las capas que sortean.
    most : int
        Cuántos pasos, a lo sumo.

    Attributes
    ----------
    moves : list of Replay
        Los que recibió.
    numbers : ndarray of uint64, shape (most, m)
        Lo que valen esas palabras en cada paso.
    """

    def __init__(self, chunks, losses, table, moves, places, draws, most):
        # La memoria de todos tiene que vivir lo que viva el tramo.
        self.links, self.moves = (chunks, table, draws), moves
        self.numbers = np.zeros((most, len(places)), np.uint64)
        self.board = check.empty(SIZE, "el tablero de los hilos", np.uint64)
        threads = max(len(chunks), len(moves))
        self.steps = np.array([0, 0, threads], np.uint64)
        self.found, self.masks, self.replays = [], [], []
        nothing = np.zeros(0, np.uint64)
        for k in range(threads):
            own = losses[k] if k < len(losses) else []
            lists = [one[k].addresses if k < len(one) else (0, 0, 0) for one in (chunks, moves)]
            where = np.array([moves[k].address(at) for at in places], np.uint64) if k < len(moves) else nothing
            sources = np.array([address for address, _ in own], np.uint64)
            self.masks.append(np.array([ENDLESS[bits] for _, bits in own], np.uint64))
            counters = np.array([one.ctypes.data for one in (draws[k] if k < len(draws) else ())], np.uint64)
            self.found.append(np.zeros((most, len(own)), np.uint64))
            arguments = (
                *(k, self.board, self.steps, table.words, np.array(lists, np.uint64).reshape(-1), where),
                *(self.numbers, sources, self.masks[k], self.found[k], counters),
            )
            # Sin pasos: solo se compila.
            _march(*arguments)
            self.replays.append(Replay([Call(_march, arguments, None)]))

    # Si un hilo no llegara a empezar, los otros lo esperarían siempre.
    @uninterrupted
    def run(self, team, steps, rows):
        r"""Da unos pasos; la tabla dice desde qué fila.

        Parameters
        ----------
        team : Team
            Los hilos.
        steps, rows : int
            Cuántos pasos, y de cuántas filas.

        Returns
        -------
        int
            Cuántos se dieron enteros. Si son menos, en el que sigue hay un error o una pérdida que no es finita.
        """
        self.board[:] = 0
        self.steps[:2] = steps, rows
        team.replay(self.replays)
        return int(self.board[DONE])

    def losses(self, steps):
        r"""Da las pérdidas de los primeros pasos que se dieron: de cada hilo, una lista por paso."""
        found = []
        for words, masks in zip(self.found, self.masks, strict=True):
            columns = [
                column.view(np.float64) if mask == ENDLESS[64] else column.astype(np.uint32).view(np.float32)
                for column, mask in zip(np.ascontiguousarray(words[:steps].T), masks, strict=True)
            ]
            found.append(np.array(columns, np.float64).reshape(len(masks), steps).T.tolist())
        return found
