r"""Repartir el trabajo entre los núcleos, siempre de la misma manera.

Los núcleos compilados sueltan el candado de Python (el GIL) y son de un solo hilo. El paralelismo está en un solo
lugar: un lote se corta en partes, cada hilo del equipo hace la suya completa, y los resultados se juntan en un orden
fijo. Así los bits no dependen de cuál hilo termine antes.
"""

import contextlib
import os
import sys
import threading
from itertools import pairwise

import numpy as np
from threadpoolctl import ThreadpoolController

from dlbook import check
from dlbook.numeric.interruptions import uninterrupted
from dlbook.numeric.mailbox import Mailbox

# Más hilos no caben en ninguna máquina donde se lea este libro, y el sistema se niega mucho antes de un millón.
MOST_THREADS = 1024

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


class Team:
    r"""Un equipo de hilos que esperan y empiezan juntos.

    El hilo que llama a :meth:`run` o a :meth:`replay` es el primero del equipo y hace su parte como los demás. Los
    otros nacen la primera vez que hacen falta. Al acabar una parte vigilan su buzón un momento, por si llega otra ya
    grabada (:mod:`dlbook.numeric.mailbox`), y después se duermen. Vigilar siempre no conviene: con la máquina ocupada
    en otra cosa, los hilos se estorban.

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
        # De cada hilo, salvo el primero: él mismo, el candado con que se le llama y su buzón.
        self._members, self._go, self._boxes = [], [], []
        self._work = None
        # Si los hilos ya vigilan su buzón: hasta el primer trabajo grabado no hace falta.
        self._watching = False
        self._errors = [None] * self.size
        self._finished = [None] * self.size

    def __enter__(self):
        r"""Da el equipo, para ``with``."""
        return self

    def __exit__(self, *_):
        r"""Despide a los hilos."""
        if not self.is_here():
            # Los hilos se quedaron en el otro proceso.
            self._members, self._go, self._boxes = [], [], []
            return
        self.meeting.abort()
        self._work = None
        for go, box in zip(self._go, self._boxes, strict=True):
            if self._watching:
                box.call()
            # Si ya estaba libre, su hilo aún no la ha tomado: al tomarla verá que no hay más trabajo.
            with contextlib.suppress(RuntimeError):
                go.release()
        for member in self._members:
            member.join()
        self._members, self._go, self._boxes = [], [], []

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
        self._gather(parts)
        if parts == 1:
            work(0)
            return
        self._work = work
        for k in range(1, parts):
            self._call(k)
        self._own(work, 0)
        self._await(range(1, parts))

    def replay(self, replays):
        r"""Lo mismo con trabajos grabados, uno por hilo; no pasan por Python.

        Parameters
        ----------
        replays : list of Replay
            Los trabajos. Si a la mitad se esperan unos a otros, que nada interrumpa esta llamada.
        """
        parts = len(replays)
        if parts == 1:
            replays[0].run()
            return
        self._gather(parts)
        if not self._watching:
            Mailbox().compile()
            self._watching = True
        self._work = lambda k: replays[k].run()
        called = []
        for k in range(1, parts):
            if not self._boxes[k - 1].post(replays[k]):
                # Se durmió.
                called.append(k)
                self._call(k)
        self._own(self._work, 0)
        for k in range(1, parts):
            if k not in called:
                self._collect(k, replays[k])
        self._await(called)

    def _gather(self, parts):
        if not self.is_here():
            raise RuntimeError(
                "este entrenamiento empezó en otro proceso, y sus hilos se quedaron allá; "
                "en el proceso nuevo, empieza otro"
            )
        self.meeting.open(parts)
        while len(self._members) < parts - 1:
            self._hire()

    def _own(self, work, k):
        # Una parte, con su error guardado hasta que acaben las demás.
        try:
            work(k)
        except BaseException as error:
            self._errors[k] = error
            self.meeting.abort()

    def _call(self, k):
        # Despierta a un hilo, o le dice que deje de vigilar, para que haga ``self._work``.
        self._finished[k] = lock = threading.Lock()
        lock.acquire()
        if self._watching:
            self._boxes[k - 1].call()
        self._go[k - 1].release()

    def _collect(self, k, replay):
        # Espera a quien hace un trabajo grabado.
        box = self._boxes[k - 1]
        ended = False
        while not ended:
            try:
                ended = box.ended()
            except KeyboardInterrupt as error:
                self._errors[0] = error
        self._own(lambda _: replay.check(box.failed), k)

    def _await(self, called):
        for k in called:
            # Ni Ctrl-C deja hilos a medias: se espera a todos y después se interrumpe.
            lock = self._finished[k]
            while self._finished[k] is not None:
                try:
                    lock.acquire()
                except KeyboardInterrupt as error:
                    self._errors[0] = error
        # Un equipo que descansa no sabe de quién era el trabajo.
        self._work = None
        failed = [error for error in self._errors if error is not None]
        if failed:
            self._errors = [None] * self.size
            # El que se quedó esperando no tiene la culpa.
            raise min(failed, key=lambda error: isinstance(error, threading.BrokenBarrierError))

    @uninterrupted
    def _hire(self):
        go, box = threading.Lock(), Mailbox()
        go.acquire()
        k = len(self._members) + 1
        member = threading.Thread(target=self._loop, args=(k, go, box), name=f"dlbook-{k}", daemon=True)
        try:
            member.start()
        except RuntimeError:
            raise RuntimeError(
                f"el sistema no deja crear el hilo {k + 1} de {self.size}; pide menos con set_threads"
            ) from None
        self._go.append(go)
        self._boxes.append(box)
        self._members.append(member)

    def _loop(self, k, go, box):
        while True:
            go.acquire()
            if self._watching:
                box.sleep()
            if self._work is None:
                return
            lock = self._finished[k]
            self._own(self._work, k)
            watching = self._watching
            if watching:
                # Antes de avisar que acabó: avisar también tarda, y entretanto le pueden poner otro trabajo.
                box.ready()
            self._finished[k] = None
            lock.release()
            if watching:
                box.watch()


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
