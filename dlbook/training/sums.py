r"""Lo que un hilo lleva acumulado de las métricas."""

import numpy as np


class Sums:
    r"""Lo que llevan acumulado las métricas de cada salida, en un hilo.

    Parameters
    ----------
    metrics : list of list
        Las de cada salida.
    """

    def __init__(self, metrics):
        self.states = [[np.zeros(found.size) for found in of_one] for of_one in metrics]

    def restart(self):
        r"""Empieza otra vez."""
        for states in self.states:
            for state in states:
                state[:] = 0

    def add(self, others):
        r"""Suma lo de otros, en orden."""
        for other in others:
            for mine, theirs in zip(self.states, other.states, strict=True):
                for state, part in zip(mine, theirs, strict=True):
                    state += part

    def values(self, metrics):
        r"""Da el valor de cada métrica, por su nombre."""
        found = {}
        for of_one, states in zip(metrics, self.states, strict=True):
            for one, state in zip(of_one, states, strict=True):
                found[one.name] = one.value(state)
        return found
