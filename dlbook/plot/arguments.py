r"""Lo que toda figura comprueba: los ejes, las listas y los letreros que recibe."""

import numpy as np


def axes(ax, **figure):
    r"""Devuelve los ejes que se dieron o, si no se dio ninguno, los de una figura nueva."""
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes

    if ax is None:
        return plt.subplots(**figure)[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax: se esperaban unos ejes de matplotlib, pero llegó {ax!r}")
    return ax


def sequence(value, name, n=None):
    r"""Devuelve como lista algo que se puede recorrer y no está vacío, de largo ``n`` si se dice."""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name}: se esperaba una lista, pero llegó {value!r}")
    value = list(value)
    if n is not None and len(value) != n:
        raise ValueError(f"{name}: se esperaban {n} elementos, pero llegaron {len(value)}")
    if not value:
        raise ValueError(f"{name}: se esperaba al menos un elemento")
    return value


def text_of(value):
    r"""Escribe un número como fórmula; un texto queda igual."""
    return value if isinstance(value, str) else f"${value:g}$" if np.isscalar(value) else str(value)


def texts(value, name, n=None):
    r"""Devuelve una lista de letreros."""
    return [text_of(item) for item in sequence(value, name, n)]


def without_frame(ax):
    r"""Quita el marco y deja la misma escala en los dos ejes, como pide un diagrama."""
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.02)
    ax.autoscale_view()
    ax.set_axis_off()
    return ax
