r"""Una réplica que se guarda entre una llamada y la siguiente: cómo estaba recién hecha, y de qué modelo salió."""

import functools
from operator import is_

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.layer import _holds_arrays, _written
from dlbook import registry
from dlbook.training import walk
from dlbook.training.data import changing_arguments

# Lo que anota cada réplica por su cuenta, y no se toma del modelo.
OWN = {"x", "y", "_seen", "added"}
# Los atributos que un modelo y sus capas cambian de una llamada a otra sin ser otros. Los que cada clase escribe al ir
# y al volver se averiguan leyendo su código (``_written``).
PASSING = {
    *OWN,
    *("_passed", "whole", "draws", "_shapes_known"),
    *("epoch", "stop_training", "history", "callbacks", "remembered", "ongoing", "kept", "_compiled"),
}


@functools.cache
def _passing(cls):
    return frozenset(PASSING | _written(cls))


def _lasting(layer):
    # Los nombres de lo pasajero, y los atributos que no lo son. Un peso también se puede asignar al ir; sigue siendo el
    # mismo arreglo.
    passing = _passing(type(layer)) - layer._attributes.keys()
    return passing, {name: value for name, value in vars(layer).items() if name not in passing}


class Origin:
    r"""Cómo estaba un modelo cuando se hicieron sus réplicas.

    Parameters
    ----------
    model : Model
        El modelo.
    """

    def __init__(self, model):
        self.found = [(*_lasting(layer), list(layer._weights.values())) for layer in walk(model)]
        # Una activación con argumentos, como la pendiente de una LeakyReLU, puede cambiar sin dejar de ser la misma.
        values = [value for _, theirs, _ in self.found for value in theirs.values()]
        self.inside = [(value, changing_arguments(value)) for value in values if isinstance(value, ActivationFunction)]

    def is_still(self, model):
        r"""Dice si al modelo no le han cambiado nada: ni capas, ni pesos de lugar, ni un argumento."""
        layers = list(walk(model))
        if len(layers) != len(self.found):
            return False
        for layer, (passing, theirs, weights) in zip(layers, self.found, strict=True):
            now = vars(layer)
            # Se mira qué objetos son, y no cuánto valen: es lo más barato, y no hace falta que se sepan comparar.
            same = (
                all(map(is_, map(now.get, theirs), theirs.values()))
                and len(now.keys() - passing) == len(theirs)
                and len(layer._weights) == len(weights)
                and all(map(is_, layer._weights.values(), weights))
            )
            if not same:
                return False
        return not self._moved()

    def follow(self):
        r"""Toma nota de los argumentos que le hayan cambiado a lo que usan sus capas; dice si alguno había cambiado."""
        moved = self._moved()
        if moved:
            self.inside = [(thing, changing_arguments(thing)) for thing, _ in self.inside]
        return moved

    def _moved(self):
        return any(before and changing_arguments(thing) != before for thing, before in self.inside)


class Settled:
    r"""Lo que hace falta para usar una réplica en otra llamada como si fuera nueva.

    Mientras descansa no guarda nada de nadie: ni los datos que pasaron por ella, ni los *callbacks*. Al despertar toma
    del modelo lo que cambia de una llamada a otra.

    Parameters
    ----------
    replica : Model
        La réplica, recién hecha.
    """

    def __init__(self, replica):
        self.found = [(layer, *_lasting(layer), registry.ours(type(layer))) for layer in walk(replica)]
        # De cada capa, lo que al despertar se toma de la original.
        self.taken = [passing - OWN for _, passing, *_ in self.found]
        # Las copias de una capa que se llama dos veces nacen de la réplica, y nadie las prepararía otra vez.
        self.reusable = not any(layer.echoes for layer, *_ in self.found)
        # Cuántos búferes había la última vez que se contó, y cuánto ocupaban.
        self._counted = 0, 0

    def rest(self):
        r"""Deja la réplica como recién hecha, salvo la memoria de sus resultados, que se usa otra vez."""
        for layer, passing, own, ours in self.found:
            attributes = vars(layer)
            # La forma que una capa del libro ya aceptó no hay que mirarla otra vez.
            same = ours and attributes["current_shape"] == own["current_shape"]
            seen = attributes.get("_seen") if same else None
            # Lo que una del libro suma a la pérdida está en un búfer suyo: lo grabado lo vuelve a llenar.
            added = attributes.get("added", ()) if ours else ()
            for name in attributes.keys() - own.keys():
                # Lo que averiguó de su forma, como qué ventanas mira, sigue siendo cierto; de los números, y de lo que
                # guarda una de quien lee, no se sabe de quién son.
                if name in passing or not ours or _holds_arrays(attributes[name]):
                    del attributes[name]
            attributes.update(own, x=None, y=None, _seen=seen, added=added)

    def wake(self, originals, meeting, part):
        r"""Prepara la réplica para otra llamada.

        Parameters
        ----------
        originals : list of Layer
            Las capas de las que son copias las suyas.
        meeting : Meeting
            Dónde se encuentra con las otras réplicas.
        part : int
            Cuál es.
        """
        for (layer, *_), taken, original in zip(self.found, self.taken, originals, strict=True):
            attributes, now = vars(layer), vars(original)
            for name in taken:
                if name in now:
                    attributes[name] = now[name]
            attributes.update(meeting=meeting, part=part)

    @property
    def nbytes(self):
        r"""Cuánta memoria ocupan sus resultados."""
        # Casi nunca hay búferes nuevos.
        count = sum([len(layer.buffers) for layer, *_ in self.found])
        if count != self._counted[0]:
            self._counted = count, sum(b.nbytes for layer, *_ in self.found for b in layer.buffers.values())
        return self._counted[1]
