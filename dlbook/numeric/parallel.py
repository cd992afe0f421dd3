r"""Repartir el trabajo entre los núcleos, siempre de la misma manera.

Los núcleos compilados sueltan el candado de Python (el GIL) y son de un solo hilo. El paralelismo está en un solo
lugar: un lote se corta en partes, cada hilo del equipo hace la suya completa, y los resultados se juntan en un orden
fijo. Así los bits no dependen de cuál hilo termine antes.
"""

import os
import signal
import threading
from itertools import pairwise

import numpy as np
from threadpoolctl import ThreadpoolController

from dlbook import check

_threads = None


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
            return check.integer(int(text), "DLBOOK_THREADS", 1)
        except ValueError:
            raise ValueError(f"DLBOOK_THREADS: se esperaba un entero de al menos 1, pero llegó {text!r}") from None
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1


def set_threads(threads):
    r"""Fija cuántos hilos se usan al entrenar; vale para los entrenamientos que empiecen después.

    La misma semilla con el mismo número de hilos da los mismos bits. Con otro número cambia el orden de las sumas, y
    con él la última cifra.

    >>> before = get_threads()
    >>> set_threads(1)
    >>> get_threads()
    1
    >>> set_threads(before)

    Parameters
    ----------
    threads : int or None
        Cuántos; con ``None``, los que diga el entorno o los núcleos disponibles.
    """
    global _threads
    _threads = None if threads is None else check.integer(threads, "threads", 1)


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
        self.meeting.abort()
        self._work = None
        for go in self._go:
            go.release()
        for member in self._members:
            member.join()
        self._members, self._go = [], []

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
        """
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
        failed = [error for error in errors if error is not None]
        if failed:
            self._errors = [None] * self.size
            # El que se quedó esperando no tiene la culpa.
            raise min(failed, key=lambda error: isinstance(error, threading.BrokenBarrierError))

    def _hire(self):
        go = threading.Lock()
        go.acquire()
        self._go.append(go)
        k = len(self._members) + 1
        self._members.append(threading.Thread(target=self._loop, args=(k, go), name=f"dlbook-{k}", daemon=True))
        self._members[-1].start()

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
        self.parts = 0
        self.open(1)

    def open(self, parts):
        r"""Prepara un encuentro de tantas partes."""
        if self.parts != parts or self.barrier.broken:
            self.parts = parts
            self.barrier = threading.Barrier(parts)
            self.rounds = [0] * parts
            self.slots = {}, {}

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
        self.reset()

    def reset(self):
        self.lock = threading.Lock()
        self.users = 0
        self.limits = []

    def __enter__(self):
        with self.lock:
            if not self.users:
                self.limits.append(ThreadpoolController().limit(limits=1, user_api="blas"))
            self.users += 1
        return self

    def refresh(self):
        r"""Limita también las bibliotecas que se hayan cargado después de entrar."""
        with self.lock:
            self.limits.append(ThreadpoolController().limit(limits=1, user_api="blas"))

    def __exit__(self, *_):
        with self.lock:
            self.users -= 1
            if not self.users:
                # En orden inverso: el primer límite es el que sabe cuántos hilos había.
                while self.limits:
                    self.limits.pop().restore_original_limits()


single_thread_blas = _SingleThreadBlas()
if hasattr(os, "register_at_fork"):
    # En el proceso hijo no queda ningún entrenamiento.
    os.register_at_fork(after_in_child=single_thread_blas.reset)


class Interrupts:
    r"""Aplaza Ctrl-C mientras haya un paso a medias.

    Un paso del entrenamiento mueve todos los pesos o ninguno. Si la interrupción llega a la mitad, se guarda y se
    atiende al acabar el paso; una segunda ya no espera. Solo el hilo principal recibe interrupciones; en los demás esto
    no hace nada.
    """

    def __init__(self):
        self._busy = False
        self._pending = None
        self._previous = None

    def __enter__(self):
        r"""Empieza a recibir las interrupciones."""
        if threading.current_thread() is threading.main_thread():
            previous = signal.getsignal(signal.SIGINT)
            if callable(previous):
                self._previous = previous
                signal.signal(signal.SIGINT, self._receive)
        return self

    def __exit__(self, *_):
        r"""Deja de recibirlas."""
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def hold(self):
        r"""Desde aquí, Ctrl-C espera."""
        self._busy = True

    def release(self):
        r"""Hasta aquí: si llegó Ctrl-C, se atiende ahora."""
        self._busy = False
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._previous(*pending)

    def _receive(self, number, frame):
        if self._busy and self._pending is None:
            self._pending = number, frame
        else:
            self._pending = None
            self._previous(number, frame)
