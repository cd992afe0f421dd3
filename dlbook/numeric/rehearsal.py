r"""Repetir un trabajo en varios pedazos cuando lo único que cambia de una vez a otra son unos números.

Mover los pesos es así: las mismas fórmulas, en la misma memoria, pero con otra tasa en cada paso. La tasa la calcula
Python, que es quien conoce el programa de la tasa y la corrección de Adam. Así que Python **ensaya**: hace todo lo que
haría con el primer pedazo, salvo las cuentas. Cada vez que iba a llamar a un núcleo, lo que se hace es anotar en la
grabación los números con que lo iba a llamar. Después los hilos la repiten, cada uno en su pedazo.

Es correcto si los pedazos solo se distinguen por dónde están, y si entre un núcleo y otro no se hacen cuentas con los
arreglos. Los optimizadores del libro son así, y una prueba lo comprueba con cada uno; con los de quien lee no se usa.
"""

import numpy as np

from dlbook.now import now
from dlbook.numeric.recording import Tape
from dlbook.numeric.replay import FIRST, Call, Replay, words_of


class _Different(Exception):  # noqa: N818
    # El ensayo no coincide con lo grabado.
    pass


class Rehearsal:
    r"""Un trabajo que se hace en varios pedazos: una vez como sea, otra grabando y, desde ahí, ensayando.

    >>> from dlbook.numeric.kernel import kernel
    >>> from dlbook.numeric.parallel import Team
    >>> @kernel
    ... def add(x, amount):
    ...     for i in range(x.size):
    ...         x[i] += amount
    >>> x, rehearsal = np.zeros(4), Rehearsal()
    >>> with Team(2) as team:
    ...     for amount in (1.0, 10.0, 100.0, 1000.0):
    ...         rehearsal.run(team, lambda a, b: add(x[a:b], amount), [(0, 2), (2, 4)])
    >>> x, rehearsal.ready
    (array([1111., 1111., 1111., 1111.]), True)

    Attributes
    ----------
    replays : list of Replay or None
        Lo que se repite, una por pedazo.
    numbers : ndarray of uint64 or None
        Los números de la última vez que se ensayó, como palabras.
    places : ndarray of int or None
        Dónde va cada uno en la memoria de cualquiera de las ``replays``.
    """

    def __init__(self):
        self.pieces, self.possible = None, True
        self.replays = self.script = self.numbers = self.places = None

    @property
    def ready(self):
        r"""Si ya se grabó."""
        return self.replays is not None

    def run(self, team, work, pieces):
        r"""Hace ``work(a, b)`` con cada pedazo, cada uno en su hilo.

        Parameters
        ----------
        team : Team
            Los hilos.
        work : callable
            Hace un pedazo.
        pieces : list of (int, int)
            Dónde empieza y acaba cada uno; a lo sumo tantos como hilos.
        """
        if self.pieces != pieces or not self.possible:
            self.pieces, self.replays = pieces, None
            team.run(lambda k: work(*pieces[k]), len(pieces))
        elif not self.ready:
            self._record(team, work)
        elif self.rehearse(work):
            for replay in self.replays:
                replay.memory[self.places] = self.numbers
            team.replay(self.replays)
        else:
            self.pieces = None
            self.run(team, work, pieces)

    def _record(self, team, work):
        tapes = [Tape() for _ in self.pieces]

        def record(k):
            now.tape = tapes[k]
            try:
                work(*self.pieces[k])
            finally:
                now.tape = None

        team.run(record, len(tapes))
        calls = [call for tape in tapes for call in tape.entries]
        alike = all([c.kernel for c in tape.entries] == [c.kernel for c in tapes[0].entries] for tape in tapes)
        fine = alike and all(type(call) is Call and call.result is None for call in calls)
        self.possible = fine and bool(calls) and all(tape.why is None for tape in tapes)
        if not self.possible:
            return
        self.replays = [Replay(tape.entries) for tape in tapes]
        first = self.replays[0]
        self.script, places = [], []
        for call, start in zip(first.calls, first.starts, strict=True):
            line = _Line(call, len(places))
            self.script.append(line)
            places += [start + FIRST + at for at in line.places]
        self.places = np.array(places, np.intp)
        self.numbers = first.memory[self.places]

    def rehearse(self, work):
        r"""Ensaya el primer pedazo, sin hacerlo, y deja los números en :attr:`numbers`; da si fue como se grabó.

        Parameters
        ----------
        work : callable
            El de :meth:`run`.
        """
        self.next = 0
        now.tape = self
        try:
            work(*self.pieces[0])
        except _Different:
            return False
        finally:
            now.tape = None
        return self.next == len(self.script)

    def call(self, kernel, arguments):
        r"""En un ensayo: en vez de llamar al núcleo, anota los números con que se le iba a llamar."""
        line = self.script[self.next] if self.next < len(self.script) else None
        if line is None or line.kernel is not kernel or not line.fits(arguments):
            raise _Different
        for k, kind, j in line.scalars:
            value = arguments[k]
            if value != line.values[k]:
                line.values[k] = value
                (self.numbers[j],) = words_of(kind, value)
        self.next += 1


class _Line:
    # Una llamada de la grabación, como se espera en un ensayo: el núcleo, los tipos de sus argumentos, de quién es la
    # memoria de cada arreglo y cuánto mide; de cada número, cómo lo recibe el núcleo y qué lugar tiene entre todos,
    # contando desde ``first``; y en qué palabras van, ``places``.
    def __init__(self, call, first):
        self.kernel, self.values = call.kernel, list(call.arguments)
        self.types = [type(value) for value in call.arguments]
        self.arrays, self.scalars, self.fixed, self.places, at = [], [], [], [], 0
        for k, (kind, value) in enumerate(zip(call.kinds, call.arguments, strict=True)):
            if isinstance(value, np.ndarray):
                self.arrays.append((k, _owner(value), value.size))
            elif isinstance(value, (int, float, np.number)):
                self.scalars.append((k, kind, first + len(self.places)))
                self.places.append(at)
            else:
                # ``None``, una tupla: no cambia.
                self.fixed.append(k)
            at += len(words_of(kind, value))

    def fits(self, arguments):
        if [type(value) for value in arguments] != self.types:
            return False
        for k, owner, size in self.arrays:
            array = arguments[k]
            if _owner(array) is not owner or array.size != size:
                return False
        return all(arguments[k] == self.values[k] for k in self.fixed)


def _owner(array):
    return array if array.base is None else array.base
