r"""Una réplica que se guarda entre una llamada y la siguiente: cómo estaba recién hecha, y de qué salió."""

from operator import is_

from chapters.mlp.layer import _written
from dlbook.training import walk

# Lo que un modelo y sus capas cambian de una llamada a otra sin ser otros; de lo que anotan ir y volver, cada clase
# dice lo suyo.
PASSING = {
    *("x", "y", "_seen", "_passed", "added", "whole"),
    *("epoch", "stop_training", "history", "callbacks", "remembered", "ongoing", "kept", "_compiled"),
}


class _Start:
    # Una capa de la réplica, lo que tenía recién hecha y lo que tenía entonces la capa de la que es copia.
    def __init__(self, layer, original):
        self.layer = layer
        # Un peso también se puede asignar al ir; sigue siendo el mismo arreglo.
        self.passing = (PASSING | _written(type(layer))) - original._attributes.keys()
        self.own, self.theirs = self._lasting(layer), self._lasting(original)
        self.weights = list(original._weights.values())

    def _lasting(self, layer):
        return {name: value for name, value in vars(layer).items() if name not in self.passing}

    def is_of(self, original):
        # Se mira qué objetos son, y no cuánto valen: es lo más barato, y por lo que vale tampoco se sabría.
        now, theirs = vars(original), self.theirs
        return (
            len(now.keys() - self.passing) == len(theirs)
            and all(map(is_, map(now.get, theirs), theirs.values()))
            and len(original._weights) == len(self.weights)
            and all(map(is_, original._weights.values(), self.weights))
        )

    def rest(self):
        attributes = vars(self.layer)
        attributes.clear()
        attributes.update(self.own)

    def wake(self, original):
        attributes, now = vars(self.layer), vars(original)
        attributes.update({name: now[name] for name in self.passing & now.keys()})
        attributes.update(x=None, y=None, _seen=None)


class Settled:
    r"""Lo que hace falta para usar una réplica en otra llamada como si fuera nueva.

    Mientras descansa no guarda nada de nadie: ni los datos que pasaron por ella, ni los *callbacks*. Al despertar toma
    lo que cambia de una llamada a otra; si le cambió otra cosa al modelo, ya no sirve.

    Parameters
    ----------
    replica : Layer
        La réplica, recién hecha.
    original : Layer
        De quién es copia.
    """

    def __init__(self, replica, original):
        self.starts = [_Start(*pair) for pair in zip(walk(replica), walk(original), strict=True)]

    def rest(self):
        r"""Deja la réplica como recién hecha, salvo la memoria de sus resultados, que se usa otra vez."""
        for start in self.starts:
            start.rest()

    def wake(self, original):
        r"""Prepara la réplica para otra llamada, o dice que ya no puede: que el modelo es otro.

        Parameters
        ----------
        original : Layer
            De quién es copia.

        Returns
        -------
        bool
        """
        originals = list(walk(original))
        pairs = list(zip(self.starts, originals, strict=False))
        if len(originals) != len(self.starts) or not all(start.is_of(layer) for start, layer in pairs):
            return False
        # Las copias de una capa que se llama dos veces nacen de la réplica, y no sabrían de estos cambios.
        if any(echo is not None for start in self.starts for echo in start.own.get("echoes", ())):
            return False
        for start, layer in pairs:
            start.wake(layer)
        return True

    @property
    def nbytes(self):
        r"""Cuánta memoria ocupan sus resultados."""
        return sum(b.nbytes for start in self.starts for b in start.own["buffers"].values())
