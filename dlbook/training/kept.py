r"""Lo que un modelo guarda entre una llamada y la siguiente: las réplicas de su motor, con su memoria."""

import os
import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field

# Cuánta memoria se guarda, en todos los modelos juntos. Si no cabe, se suelta la del que lleva más tiempo sin usarse.
KEPT = 512 << 20
# Cada tamaño de lote deja su memoria. Si lo guardado pasa de tantas veces lo de la primera llamada, y no es poco, es
# que los lotes llegan de muchos tamaños: no se guarda más.
GROWTH, LITTLE = 4, 16 << 20


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
    plans : dict
        Qué parte de un lote hace cada réplica, por tamaño.
    wholes, stretches, rehearsals : dict
        Los pasos enteros ya grabados, los tramos de varios, y la manera de mover los pesos.
    tables : dict
        De dónde toman las filas los pasos grabados, por cómo son los datos.
    table, pointed : Table, Data
        La de este paso, y a qué datos apunta.
    taste, measures : tuple, dict
        De qué depende lo grabado (cómo son los datos y con qué se miden), y lo que el motor decidió con ello. Si lo
        primero cambia, se olvida lo grabado.
    settled : list of Settled
        Cómo estaba, recién hecha, cada réplica.
    origin : Origin or None
        Cómo estaba el modelo, para saber si sigue siendo el mismo.
    theta : ndarray or None
        El vector de parámetros que mueven.
    work, bytes, measured : int, int, tuple
        Cuántos productos pide una observación, cuánto ocupa, y con qué forma y qué capas se midió.
    stale : bool
        Si ya no sirven para otra llamada.
    warm : bool
        Si ya dieron un paso.
    first : int
        Cuánta memoria ocupaban al acabar la primera llamada, en bytes.
    """

    threads: int
    replicas: list = field(default_factory=list)
    gradients: list = field(default_factory=list)
    recorders: list = field(default_factory=list)
    plans: dict = field(default_factory=dict)
    wholes: dict = field(default_factory=dict)
    stretches: dict = field(default_factory=dict)
    rehearsals: dict = field(default_factory=dict)
    tables: dict = field(default_factory=dict)
    table: object = None
    pointed: object = None
    taste: tuple | None = None
    measures: dict | None = None
    settled: list = field(default_factory=list)
    origin: object = None
    theta: object = None
    work: int | None = None
    bytes: int | None = None
    measured: object = None
    stale: bool = False
    warm: bool = False
    first: int = 0

    def forget(self):
        r"""Olvida lo grabado: algo cambió."""
        for recorder in self.recorders:
            recorder.forget()
        for one in (self.wholes, self.stretches, self.rehearsals, self.tables):
            one.clear()
        self.table = self.pointed = None

    @property
    def nbytes(self):
        r"""Cuánta memoria ocupa, en bytes."""
        return sum(s.nbytes for s in self.settled) + sum(g.nbytes for g in self.gradients)


# De cada modelo que guarda algo, por su identidad: una referencia débil y cuánto. Primero, el que lleva más tiempo sin
# usarse.
_sizes = OrderedDict()
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
    return kept if kept is not None and kept.threads == threads else Kept(threads)


def keep(model, kept):
    r"""Guarda en el modelo lo que le servirá a su siguiente llamada, si no ha crecido sin fin."""
    key, size = id(model), kept.nbytes
    kept.first = kept.first or size
    if size > max(LITTLE, GROWTH * kept.first):
        return
    # Lo que se suelta, se suelta fuera del candado.
    dropped = []
    with _lock:
        model.kept = kept
        before = _sizes.get(key)
        if before is None or before[1] != size:
            _sizes[key] = weakref.ref(model, lambda _: _sizes.pop(key, None)), size
            # Se recorren copias: un modelo puede morir a la mitad, y su referencia débil lo quita de la tabla.
            excess = sum([one for _, one in list(_sizes.values())]) - KEPT
            _sizes.move_to_end(key)
            for other in list(_sizes) if excess > 0 else ():
                if excess > 0 and (found := _sizes.pop(other, None)) is not None:
                    excess -= found[1]
                    dropped.append(_released(found[0]()))
        else:
            _sizes.move_to_end(key)


def _released(model):
    # Lo que guardaba un modelo, que deja de guardarlo; ``None``, si el modelo ya no existe.
    if model is not None:
        kept, model.kept = model.kept, None
        return kept
    return None
