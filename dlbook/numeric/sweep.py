r"""Repetir un trabajo trozo por trozo, sin Python: lo que se grabó, con otras filas.

Predecir es ir hacia delante con un trozo de los datos, luego con otro y otro. En todos se llama a los mismos núcleos,
con los mismos pesos y los mismos búferes. Solo cambia de qué filas se lee y en cuáles se escribe, y en una
:class:`~dlbook.numeric.replay.Call` eso es una palabra: la dirección donde empieza un arreglo.

Las filas de un trozo están una tras otra, así que esa dirección es una recta. Si un arreglo empieza en :math:`s`, cada
fila ocupa :math:`b` bytes y los trozos son de :math:`r` filas, el trozo :math:`c` empieza en :math:`s + c\,r\,b`. Basta
entonces con saber qué palabras se mueven, y de cuál arreglo es cada una. Se sabe por su valor: es una dirección que cae
dentro de las filas de ese trozo.

Se graban dos trozos. Si, quitando lo que se mueve, los dos son iguales, los demás se hacen en un solo ciclo compilado
(:func:`_sweep`), que escribe las direcciones de cada trozo y llama. Como se apuntan distancias al principio del arreglo
y no direcciones, lo grabado sirve después con otros datos, en otra memoria.

Aquí nada se aparta: si algo no se puede grabar, todos los trozos los hace Python.
"""

from typing import NamedTuple

import numpy as np
from numba import config

from dlbook.now import now
from dlbook.numeric.kernel import kernel
from dlbook.numeric.recording import Aside, Tape
from dlbook.numeric.replay import FIRST, RESULT, Address, Replay, Unrecordable, perform

# Desde cuántos trozos vale la pena grabar, que cuesta lo que se ahorra en unos diez; y cuántos se graban, a lo sumo.
WORTH, MOST_ATTEMPTS = 16, 4


class Rows:
    r"""Un arreglo que se recorre de a tantas filas: dónde empieza, dónde acaba y cuántos bytes mide un trozo.

    >>> rows = Rows(np.zeros((6, 2)), 3)
    >>> rows.step
    48
    >>> rows.offset(rows.start + 48 + 16, 1)
    16

    Parameters
    ----------
    array : ndarray, shape (n, ...)
        El arreglo, con sus números seguidos. Quien recorre sus filas ha de guardarlo: aquí solo se sabe dónde está.
    size : int
        De cuántas filas es un trozo.
    """

    def __init__(self, array, size):
        self.start = array.__array_interface__["data"][0]
        self.stop = self.start + array.nbytes
        self.step = size * array.strides[0]

    def offset(self, address, chunk):
        r"""Da a qué distancia del principio de un trozo está una dirección de ese trozo."""
        offset = address - self.start - chunk * self.step
        if not 0 <= offset < self.step:
            raise Unrecordable("mira las filas de otro trozo")
        return offset

    def meets(self, other):
        r"""Dice si tiene memoria en común con otro."""
        return self.start < other.stop and other.start < self.stop


class Moving(NamedTuple):
    r"""Una dirección que cambia con el trozo: de cuál arreglo es, y a qué distancia del principio del trozo."""

    source: int
    offset: int


def _located(word, sources, chunk):
    # Una palabra, si es la misma en todos los trozos, o de dónde sale.
    if type(word) is Address:
        for k, rows in enumerate(sources):
            if rows.start <= word < rows.stop:
                return Moving(k, rows.offset(word, chunk))
    return word


def _arrays(value):
    # Los arreglos que hay en unos argumentos, en el orden en que van sus direcciones.
    if isinstance(value, tuple):
        return [array for one in value for array in _arrays(one)]
    return [value] if isinstance(value, np.ndarray) else []


class _Taken:
    r"""Un trozo grabado: sus llamadas, con lo que se mueve aparte, y cuáles dieron los números que el trabajo devuelve.

    ``fixed`` son los arreglos que no se mueven: mientras vivan, nadie más ocupa su memoria. Los otros son de quien
    llama, y aquí no se guardan.
    """

    def __init__(self, tape, found, sources, chunk):
        asides = [str(entry) for entry in tape.entries if isinstance(entry, Aside)]
        if tape.why is not None or asides:
            raise Unrecordable(tape.why or asides[0])
        self.calls, self.fixed = [], []
        for call in tape.entries:
            words = tuple(_located(word, sources, chunk) for word in call.words)
            self.calls.append((call.address, words))
            places = [place for word, place in zip(call.words, words, strict=True) if type(word) is Address]
            pairs = zip(_arrays(call.arguments), places, strict=True)
            self.fixed += [array for array, place in pairs if type(place) is not Moving]
        values = [entry.result for entry in tape.entries]
        self.results = [None if one is None else next(k for k, v in enumerate(values) if v is one) for one in found]

    def same(self, other):
        return (self.calls, self.results) == (other.calls, other.results)


@kernel
def _sweep(readers, memories, count, memory, places, starts, steps, givers, first, step, found):
    # Da el trozo que falló, o -1.
    for i in range(found.shape[0]):
        c = first + i * step
        for k in range(places.size):
            memory[places[k]] = starts[k] + c * steps[k]
        if perform(readers, memories, count) >= 0:
            return c
        for k in range(givers.size):
            found[i, k] = memory[givers[k]]
    return -1


class Sweep:
    r"""Un trabajo que se hace trozo por trozo: uno se hace, dos se graban y, si se puede, los demás se repiten.

    >>> from dlbook.numeric.recording import Watched
    >>> @kernel
    ... def double(x, y):
    ...     for i in range(x.size):
    ...         y[i] = 2 * x[i]
    >>> x, y = np.arange(40.0), np.zeros(40)
    >>> def work(c):
    ...     print("Python hace el trozo", c)
    ...     rows = slice(2 * c, 2 * c + 2)
    ...     double(x[rows].view(Watched), y[rows].view(Watched))
    ...     return []
    >>> sweep = Sweep()
    >>> sweep.run(range(20), work, [Rows(x, 2), Rows(y, 2)], np.empty((20, 0)))
    Python hace el trozo 0
    Python hace el trozo 1
    Python hace el trozo 2
    >>> np.array_equal(y, 2 * x)
    True

    Con otros datos ya no se graba nada:

    >>> x, y = np.ones(4), np.zeros(4)
    >>> sweep.run(range(2), work, [Rows(x, 2), Rows(y, 2)], np.empty((2, 0)))
    >>> y
    array([2., 2., 2., 2.])

    Attributes
    ----------
    state : str
        Cómo va: ``nuevo``, ``hecho``, ``grabado``, ``repetible`` o ``imposible``.
    why : str or None
        Por qué es imposible.
    """

    def __init__(self):
        self.state, self.why = "nuevo", None
        # Cuántos trozos se han hecho desde Python, y cuántos de ellos se grabaron.
        self.count = self.attempts = 0
        # El primero de los dos trozos grabados, y lo que se repite.
        self.taken = self.replay = None

    def run(self, chunks, work, sources, results, together=None):
        r"""Hace unos trozos, en orden.

        Parameters
        ----------
        chunks : range
            Cuáles.
        work : callable
            Hace uno y devuelve una lista de números, o ``None``, que dieron sus ``perform``.
        sources : list of Rows
            Los arreglos cuyas filas se recorren. No pueden tener memoria en común entre ellos, ni con lo demás.
        results : ndarray of float, shape (trozos, números)
            Dónde se anota lo que devuelve; un cero, si es ``None``.
        together : int, optional
            Cuántos trozos, a lo sumo, antes de volver a Python, que atiende a quien interrumpa.
        """
        done = 0
        while done < len(chunks) and self.state != "repetible":
            c = chunks[done]
            results[c] = [0.0 if one is None else one for one in self._done(c, work, sources, len(chunks) - done)]
            done += 1
        rest = chunks[done:]
        together = together or max(1, len(rest))
        for k in range(0, len(rest), together):
            self._repeat(rest[k : k + together], work, sources, results)

    def _done(self, c, work, sources, left):
        # Desde Python; y, si van a ser bastantes y no se sabe si se puede repetir, grabado.
        self.count += 1
        if self.state == "imposible" or config.DISABLE_JIT:
            return work(c)
        if self.state == "nuevo" or self.count + left <= WORTH:
            # El primero nunca se graba: compila y pide memoria.
            self.state = "hecho" if self.state == "nuevo" else self.state
            return work(c)
        tape = now.tape = Tape()
        try:
            found = work(c)
        finally:
            now.tape = None
        self.attempts += 1
        try:
            taken = _Taken(tape, found, sources, c)
            if self.taken is not None and taken.same(self.taken):
                self._prepare(tape.entries)
            elif self.attempts < MOST_ATTEMPTS:
                # La primera, o una de otra llamada: de una a otra, una capa puede haber calculado otra vez sus tablas.
                self.state, self.taken = "grabado", taken
            else:
                raise Unrecordable("cambia de un trozo a otro")
        except Unrecordable as reason:
            self.state, self.taken, self.why = "imposible", None, str(reason)
        return found

    def _prepare(self, calls):
        replay, self.state = Replay(calls), "repetible"
        moving = []
        for start, (_, words) in zip(replay.starts, self.taken.calls, strict=True):
            moving += [(start + FIRST + k, *word) for k, word in enumerate(words) if type(word) is Moving]
        self.places, self.owners, self.offsets = np.array(moving, np.int64).reshape(-1, 3).T.copy()
        # De qué lugar se toma cada número que el trabajo devuelve, de qué tipo es y cuál es.
        given = [(j, k) for j, k in enumerate(self.taken.results) if k is not None]
        self.columns = [(j, f"float{calls[k].returned.bitwidth}") for j, k in given]
        self.givers = np.array([replay.starts[k] + RESULT for _, k in given], np.int64)
        # Las llamadas guardan los arreglos de quien llamó, que no son nuestros.
        replay.calls = ()
        self.replay = replay

    def _repeat(self, chunks, work, sources, results):
        replay, owners = self.replay, self.owners
        starts = np.array([rows.start for rows in sources], np.int64)[owners] + self.offsets
        steps = np.array([rows.step for rows in sources], np.int64)[owners]
        found = np.empty((len(chunks), self.givers.size), np.int64)
        calls = *replay.addresses, replay.memory.view(np.int64)
        failed = _sweep(*calls, self.places, starts, steps, self.givers, chunks.start, chunks.step, found)
        if failed >= 0:
            # Hecho desde Python, el error es el de siempre.
            work(failed)
            raise RuntimeError(f"el trozo {failed} falló al repetirse")
        swept = slice(chunks.start, chunks.stop, chunks.step)
        for k, (j, kind) in enumerate(self.columns):
            # Un número de 32 bits está en la primera mitad de su palabra.
            results[swept, j] = np.ascontiguousarray(found[:, k]).view(kind)[:: 64 // int(kind[5:])]
