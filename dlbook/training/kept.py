r"""Lo que un modelo guarda entre una llamada y la siguiente: las réplicas de su motor, con su memoria."""

import os
import threading
import weakref
from dataclasses import dataclass, field

# Cuánta memoria se guarda, en todos los modelos juntos. Si no cabe, se suelta la del que lleva más tiempo sin usarse.
KEPT = 512 << 20


@dataclass
class Kept:
    r"""Las réplicas de un modelo, listas para otra llamada.

    Attributes
    ----------
    threads : int
        Con cuántos hilos se hicieron.
    replicas, gradients : list
        Las réplicas, y el gradiente de las que han entrenado.
    recorders : list of Recorder
        Lo que cada una tiene grabado.
    taste, measures : tuple
        De qué depende lo grabado, y dónde van las métricas.
    settled : list
        Cómo estaba, recién hecha, cada réplica.
    theta : ndarray or None
        El vector de parámetros que mueven.
    bytes, measured : int, tuple
        Cuánto ocupa una observación, y la forma con que se midió.
    warm : bool
        Si ya dieron un paso.
    """

    threads: int
    replicas: list = field(default_factory=list)
    gradients: list = field(default_factory=list)
    recorders: list = field(default_factory=list)
    taste: tuple | None = None
    measures: tuple | None = None
    settled: list = field(default_factory=list)
    theta: object = None
    bytes: int | None = None
    measured: object = None
    warm: bool = False

    @property
    def nbytes(self):
        r"""Cuánta memoria ocupa, en bytes."""
        return sum(s.nbytes for s in self.settled) + sum(g.nbytes for g in self.gradients)


# Cuánto guarda cada modelo, del que lleva más tiempo sin usarse al último.
_sizes = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def _only_this_thread():
    # En un proceso recién nacido, quien tuviera el candado ya no está.
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_only_this_thread)


def take(model, threads):
    r"""Da lo que el modelo guardaba, que deja de guardarlo: dos llamadas a la vez no comparten réplicas.

    Parameters
    ----------
    model : Model
        El modelo.
    threads : int
        Con cuántos hilos va a trabajar.

    Returns
    -------
    Kept
        Vacío, si no guardaba nada o era para otro número de hilos.
    """
    with _lock:
        kept, model.kept = model.kept, None
        _sizes.pop(model, None)
    return kept if kept is not None and kept.threads == threads else Kept(threads)


def keep(model, kept):
    r"""Guarda en el modelo lo que le servirá a su siguiente llamada."""
    dropped = []
    with _lock:
        model.kept = kept
        # Al final de la lista: es el último que se usó.
        _sizes.pop(model, None)
        _sizes[model] = kept.nbytes
        excess = sum(_sizes.values()) - KEPT
        for other in list(_sizes) if excess > 0 else ():
            if excess > 0:
                excess -= _sizes.pop(other)
                dropped.append(other.kept)
                other.kept = None
