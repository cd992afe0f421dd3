r"""Lo que toda figura comprueba: los ejes, las listas y los letreros que recibe."""

import numbers

from dlbook import check


def axes(ax, **figure):
    r"""Devuelve los ejes que se dieron o, si no se dio ninguno, los de una figura nueva."""
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes

    if ax is None:
        return plt.subplots(**figure)[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax: se esperaban unos ejes de matplotlib, pero llegó {ax!r}")
    return ax


def text_of(value):
    r"""Escribe un número como fórmula; un texto queda igual."""
    return f"${value:g}$" if isinstance(value, numbers.Real) else str(value)


def texts(value, name, n=None):
    r"""Devuelve una lista de letreros."""
    return [text_of(item) for item in check.sequence(value, name, n)]


def without_frame(ax):
    r"""Quita el marco y deja la misma escala en los dos ejes, como pide un diagrama."""
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.02)
    ax.autoscale_view()
    ax.set_axis_off()
    return ax
