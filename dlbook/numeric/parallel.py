r"""Repartir el trabajo entre los núcleos, siempre de la misma manera.

Los núcleos compilados sueltan el candado de Python (el GIL) y son de un solo hilo. El paralelismo está en un solo
lugar: un lote se corta en partes, cada hilo del equipo hace la suya completa, y los resultados se juntan en un orden
fijo. Así los bits no dependen de cuál hilo termine antes.
"""

import contextlib
import os
import signal
import sys
import threading
from itertools import pairwise

import numpy as np
from threadpoolctl import ThreadpoolController

from dlbook import check

# Más hilos no caben en ninguna máquina donde se lea este libro, y el sistema se niega mucho antes de un millón.
MOST_THREADS = 1024

_threads = None
# El código durante el cual Ctrl-C siempre espera.
_uninterrupted = set()


def get_threads():
    r"""Devuelve cuántos hilos se usan al entrenar.

    Son los de :func:`set_threads`; si no se ha llamado, los de la variable de entorno ``DLBOOK_THREADS``, y si tampoco
    está, los núcleos disponibles.

    Returns
    -------
    int
    """
    if _threads is not None:
        return _threads
    text = os.environ.get("DLBOOK_THREADS", "").strip()
    if text:
        try:
            return check.integer(int(text), "DLBOOK_THREADS", 1, MOST_THREADS)
        except ValueError:
            came = repr(text) if len(text) <= 40 else f"{text[:40]!r}…"
            raise ValueError(
                f"DLBOOK_THREADS: se esperaba un entero entre 1 y {MOST_THREADS}, pero llegó {came}"
            ) from None
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


def set_threads(threads):
    r"""Fija cuántos hilos se usan al entrenar; vale para los entrenamientos que empiecen después.

    La misma semilla con el mismo número de hilos da los mismos bits. Con otro número cambia el orden de las sumas, y
    con él la última cifra: lo que se sortea es lo mismo.

    >>> before = get_threads()
    >>> set_threads(1)
    >>> get_threads()
    1
    >>> set_threads(before)

    Parameters
    ----------
    threads : int or None
        Cuántos, de 1 a 1024; con ``None``, los que diga el entorno o los núcleos disponibles.

    Raises
    ------
    TypeError, ValueError
        Si no es un entero o no está entre esos dos.
    """
    global _threads
    if threads is not None:
        threads = check.integer(threads, "threads", 1, MOST_THREADS)
    _threads = threads


def uninterrupted(function):
    r"""Decora lo que no se puede dejar a medias: mientras corre, Ctrl-C espera, por muchas veces que llegue."""
    _uninterrupted.add(function.__code__)
    return function


class Team:
    r"""Un equipo de hilos que esperan dormidos y despiertan juntos.

    Podrían esperar despiertos, vigilando la memoria, y empezarían un poco antes. Pero con la máquina ocupada en otra
    cosa se estorban, y un paso llega a tardar el triple.

    El hilo que llama a :meth:`run` es el primero del equipo y hace su parte como los demás. Los otros nacen la primera
    vez que hacen falta.

    >>> done = [None] * 3
    >>> with Team(3) as team:
    ...     team.run(lambda k: done.__setitem__(k, k * k), 3)
    >>> done
    [0, 1, 4]

    Parameters
    ----------
    size : int
        Cuántos hilos, contando al que llama.

    Attributes
    ----------
    meeting : Meeting
        Donde se encuentran las partes, si a la mitad de su trabajo necesitan algo de las otras.
    """

    def __init__(self, size):
        self.size = check.integer(size, "size", 1)
        self.meeting = Meeting()
        self._process = os.getpid()
        self._members = []
        self._go = []
        self._work = None
        self._errors = [None] * self.size
        self._finished = [None] * self.size

    def __enter__(self):
        r"""Da el equipo, para ``with``."""
        return self

    def __exit__(self, *_):
        r"""Despide a los hilos."""
        if not self.is_here():
            # Los hilos se quedaron en el otro proceso.
            self._members, self._go = [], []
            return
        self.meeting.abort()
        self._work = None
        for go in self._go:
            # Si ya estaba libre, su hilo aún no la ha tomado: al tomarla verá que no hay más trabajo.
            with contextlib.suppress(RuntimeError):
                go.release()
        for member in self._members:
            member.join()
        self._members, self._go = [], []

    def is_here(self):
        r"""Dice si es de este proceso: los hilos no pasan a uno que nació de él, con ``fork``."""
        return self._process == os.getpid()

    def run(self, work, parts):
        r"""Hace ``work(0)``, …, ``work(parts - 1)`` a la vez, cada una en su hilo, y espera a todas.

        Si alguna falla, lo hace esta llamada, con el error de la primera, cuando todas han terminado. Las que la
        estuvieran esperando en :attr:`meeting` dejan de esperar.

        Parameters
        ----------
        work : callable
            Recibe el número de su parte.
        parts : int
            Cuántas, a lo sumo ``size``.

        Raises
        ------
        RuntimeError
            En un proceso que nació de este a la mitad (con ``fork``): los hilos no pasan de uno a otro.
        """
        if not self.is_here():
            raise RuntimeError(
                "este entrenamiento empezó en otro proceso, y sus hilos se quedaron allá; "
                "en el proceso nuevo, empieza otro"
            )
        self.meeting.open(parts)
        if parts == 1:
            work(0)
            return
        while len(self._members) < parts - 1:
            self._hire()
        self._work = work
        finished = self._finished
        for k in range(1, parts):
            finished[k] = lock = threading.Lock()
            lock.acquire()
            self._go[k - 1].release()
        errors = self._errors
        try:
            work(0)
        except BaseException as error:
            errors[0] = error
            self.meeting.abort()
        for k in range(1, parts):
            # Ni Ctrl-C deja hilos a medias: se espera a todos y después se interrumpe.
            lock = finished[k]
            while finished[k] is not None:
                try:
                    lock.acquire()
                except KeyboardInterrupt as error:
                    errors[0] = error
        # Un equipo que descansa no sabe de quién era el trabajo.
        self._work = None
        failed = [error for error in errors if error is not None]
        if failed:
            self._errors = [None] * self.size
            # El que se quedó esperando no tiene la culpa.
            raise min(failed, key=lambda error: isinstance(error, threading.BrokenBarrierError))

    @uninterrupted
    def _hire(self):
        go = threading.Lock()
        go.acquire()
        k = len(self._members) + 1
        member = threading.Thread(target=self._loop, args=(k, go), name=f"dlbook-{k}", daemon=True)
        try:
            member.start()
        except RuntimeError:
            raise RuntimeError(
                f"el sistema no deja crear el hilo {k + 1} de {self.size}; pide menos con set_threads"
            ) from None
        self._go.append(go)
        self._members.append(member)

    def _loop(self, k, go):
        while True:
            go.acquire()
            if self._work is None:
                return
            lock = self._finished[k]
            try:
                self._work(k)
            except BaseException as error:
                self._errors[k] = error
                self.meeting.abort()
            self._finished[k] = None
            lock.release()


# El equipo que descansa, si hay alguno. Es uno para todo el proceso, y no uno por modelo: doscientos modelos serían
# doscientos hilos dormidos. Quien entrena mientras otro lo tiene usa el suyo, y al final queda el último.
_resting = []


def borrow(team):
    r"""Da el equipo que descansa, si es de tantos hilos como ``team``; si no, ``team``.

    Hacer un hilo tarda lo que dos pasos pequeños: entre un entrenamiento y el siguiente se guardan.

    Parameters
    ----------
    team : Team
        Uno recién hecho.

    Returns
    -------
    Team
    """
    try:
        other = _resting.pop()
    except IndexError:
        return team
    if other.size == team.size and other.is_here():
        return other
    other.__exit__()
    return team


def give_back(team):
    r"""Deja descansando un equipo que acabó bien; los hilos del que ya descansaba se van."""
    _resting.append(team)
    while len(_resting) > 1:
        _resting.pop(0).__exit__()


class Meeting:
    r"""Un punto de encuentro: cada parte entrega unos números y recibe los de todas.

    Nadie sale hasta que han llegado todas. Lo entregado queda ordenado por partes, sin importar cuál llegó antes; quien
    lo suma, lo suma siempre igual.

    >>> sums = [None] * 3
    >>> def work(k):
    ...     sums[k] = team.meeting.share(k, np.array([10.0**k])).sum(axis=0)
    >>> with Team(3) as team:
    ...     team.run(work, 3)
    >>> sums
    [array([111.]), array([111.]), array([111.])]
    """

    def __init__(self):
        # Lo de cada número de partes se conserva: en un paso, el lote y los pesos pueden cortarse en partes distintas.
        self.rooms = {}
        self.open(1)

    def open(self, parts):
        r"""Prepara un encuentro de tantas partes."""
        room = self.rooms.get(parts)
        if room is None or room[0].broken:
            room = self.rooms[parts] = threading.Barrier(parts), [0] * parts, ({}, {})
        self.parts = parts
        self.barrier, self.rounds, self.slots = room

    def share(self, k, values):
        r"""Entrega lo de la parte ``k``, espera a las demás y devuelve lo de todas.

        Parameters
        ----------
        k : int
            Qué parte.
        values : ndarray
            Sus números; la misma forma en todas.

        Returns
        -------
        ndarray, shape (partes, ...)
            Vale hasta el siguiente encuentro.

        Raises
        ------
        threading.BrokenBarrierError
            Si alguna parte falló y no va a llegar.
        """
        if self.parts == 1:
            return values[np.newaxis]
        # Dos juegos de memoria, uno en cada ronda: mientras unas partes leen, la más rápida puede estar ya en la ronda
        # siguiente, pero no dos más adelante.
        slots = self.slots[self.rounds[k] % 2]
        self.rounds[k] += 1
        array = slots.get((values.shape, values.dtype))
        if array is None:
            array = slots.setdefault((values.shape, values.dtype), np.empty((self.parts, *values.shape), values.dtype))
        array[k] = values
        self.barrier.wait()
        return array

    def abort(self):
        r"""Despierta a quienes esperan: alguien no va a llegar."""
        self.barrier.abort()


def cut(count, parts):
    r"""Corta ``count`` cosas en partes seguidas y casi iguales.

    >>> cut(10, 3)
    [(0, 3), (3, 6), (6, 10)]

    Parameters
    ----------
    count, parts : int
        Cuántas cosas y cuántas partes.

    Returns
    -------
    list of (int, int)
        Dónde empieza y dónde acaba cada parte.
    """
    return list(pairwise(count * k // parts for k in range(parts + 1)))


class _SingleThreadBlas:
    # Los hilos de BLAS y los nuestros se estorban, y su número es de todo el proceso: lo cambia el primer entrenamiento
    # que empieza y lo devuelve el último que acaba.
    def __init__(self):
        self.lock = threading.Lock()
        # En qué hilos se está usando, una vez por cada uso, y los límites puestos.
        self.users = []
        self.limits = []
        # Buscar qué bibliotecas hay cargadas tarda más que un paso: se recuerda, y se busca otra vez si Python ha
        # cargado módulos, que es como llegan.
        self.blas, self.modules = None, 0

    def forget_others(self):
        # En un proceso recién nacido solo sigue vivo el hilo que lo pidió; si no estaba entrenando, el número de hilos
        # se devuelve cuando acabe el primer entrenamiento.
        self.lock = threading.Lock()
        self.users = [user for user in self.users if user == threading.get_ident()]

    @uninterrupted
    def __enter__(self):
        with self.lock:
            if not self.users:
                self._limit()
            self.users.append(threading.get_ident())
        return self

    @uninterrupted
    def refresh(self):
        r"""Limita también las bibliotecas que se hayan cargado después de entrar."""
        with self.lock:
            self._limit()

    @uninterrupted
    def __exit__(self, *_):
        with self.lock:
            self.users.remove(threading.get_ident())
            if not self.users:
                # En orden inverso: el primer límite es el que sabe cuántos hilos había.
                while self.limits:
                    self.limits.pop().restore_original_limits()

    def _limit(self):
        if self.modules != len(sys.modules):
            self.modules = len(sys.modules)
            self.blas = ThreadpoolController().select(user_api="blas")
        if any(library.num_threads != 1 for library in self.blas.lib_controllers):
            self.limits.append(self.blas.limit(limits=1))


single_thread_blas = _SingleThreadBlas()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=single_thread_blas.forget_others)


class Interrupts:
    r"""Aplaza Ctrl-C mientras haya un paso a medias.

    Un paso del entrenamiento mueve todos los pesos o ninguno. Si la interrupción llega a la mitad, se guarda y se
    atiende al acabar el paso; una segunda ya no espera. En el código marcado con :func:`uninterrupted`, que toma o
    devuelve lo que es de todo el proceso, esperan todas. Solo el hilo principal recibe interrupciones; en los demás
    esto no hace nada.
    """

    def __init__(self):
        self._busy = False
        self._pending = None
        self._previous = None

    @uninterrupted
    def __enter__(self):
        r"""Empieza a recibir las interrupciones."""
        if threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGINT)
            if callable(previous):
                self._previous = previous
                signal.signal(signal.SIGINT, self._receive)
        return self

    @uninterrupted
    def __exit__(self, *_):
        r"""Deja de recibirlas; si hay una guardada, se atiende cuando ya no queda nada que devolver."""
        self._busy = False
        # Si alguien puso entretanto la suya, se queda.
        if self._previous is not None and signal.getsignal(signal.SIGINT) == self._receive:
            signal.signal(signal.SIGINT, self._previous)
        self._deliver()

    def hold(self):
        r"""Desde aquí, Ctrl-C espera."""
        self._busy = True

    def release(self):
        r"""Hasta aquí: si llegó Ctrl-C, se atiende ahora."""
        self._busy = False
        self._deliver()

    def _deliver(self):
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._previous(*pending)

    def _receive(self, number, frame):
        if (self._busy and self._pending is None) or _is_uninterrupted(frame):
            self._pending = number, frame
        else:
            self._pending = None
            self._previous(number, frame)


def _is_uninterrupted(frame):
    while frame is not None:
        if frame.f_code in _uninterrupted:
            return True
        frame = frame.f_back
    return False
