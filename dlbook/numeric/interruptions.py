r"""Ctrl-C y lo que no se puede dejar a medias."""

import signal
import threading

# El código durante el cual Ctrl-C siempre espera.
_uninterrupted = set()


def uninterrupted(function):
    r"""Decora lo que no se puede dejar a medias: mientras corre, Ctrl-C espera, por muchas veces que llegue."""
    _uninterrupted.add(function.__code__)
    return function


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
