r"""Lo que pasó al entrenar, época por época."""

import itertools

import numpy as np

from dlbook import check
from dlbook.plot.arguments import axes
from dlbook.plot.style import COLORS, LINES


def curves(history, ax=None, *, xlabel="época", ylabel=None, start=1):
    r"""Dibuja cómo cambia una o varias cantidades durante el entrenamiento.

    Parameters
    ----------
    history : dict
        Nombre de cada curva y la lista de sus valores, uno por época.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.
    xlabel, ylabel : str, optional
        Los nombres de los ejes.
    start : int
        Número de la primera época.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = curves({"entrenamiento": [0.9, 0.5, 0.4], "prueba": [0.95, 0.7, 0.72]}, ylabel="pérdida")
    >>> len(ax.lines)
    2
    """
    if not isinstance(history, dict) or not history:
        raise ValueError(f"history: se esperaba un diccionario con al menos una curva, pero llegó {history!r}")
    series = {str(name): check.floats(values, f"history[{name!r}]", "n") for name, values in history.items()}
    start = check.integer(start, "start")
    ax = axes(ax)
    for (name, values), color, dash in zip(series.items(), itertools.cycle(COLORS), itertools.cycle(LINES)):
        ax.plot(np.arange(start, start + values.size), values, color=color, linestyle=dash, label=name)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(series) > 1:
        ax.legend()
    return ax
