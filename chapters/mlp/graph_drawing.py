r"""El dibujo de un grafo de cómputo: en cada nodo, su valor y su gradiente."""

import numpy as np

from chapters.mlp.autodiff import Value
from dlbook import plot
from dlbook.plot.arguments import axes


def draw_graph(result, ax=None):
    r"""Dibuja cómo se calculó un :class:`Value`: datos a la izquierda, resultado a la derecha.

    En cada caja van el valor, que se calculó de izquierda a derecha, y debajo su gradiente, que se calculó de derecha a
    izquierda. Sobre cada flecha va la derivada local. Para comprobar una caja, multiplica el gradiente de cada caja a
    la que llega por el número de la flecha, y suma.

    >>> a, b = Value(3, "a"), Value(-2, "b")
    >>> result = a * b
    >>> result.backward()
    >>> ax = draw_graph(result)
    >>> [text.get_text() for text in ax.texts if text.get_text()]
    ['a', '3', '−2', 'b', '−2', '3', '×', '−6', '1', '−2', '3']

    Parameters
    ----------
    result : Value
        El resultado, con :meth:`Value.backward` ya llamado si quieres ver gradientes.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        Si ``result`` no es un :class:`Value`.
    """
    import matplotlib.pyplot as plt

    if not isinstance(result, Value):
        raise TypeError(f"result: se esperaba un Value, pero llegó {result!r}")
    nodes = result.graph()
    if len(nodes) > 60:
        raise ValueError(f"result: se dibujan a lo más 60 nodos, pero el grafo tiene {len(nodes)}")
    places = _places(nodes)
    (left, bottom), (right, top) = (f(list(places.values()), axis=0) for f in (np.min, np.max))
    left, bottom, right, top = left - 0.35, bottom - 0.35, right + 0.35, top + 0.6
    ax = axes(ax, figsize=(min(7.0, 1.05 * (right - left)), min(6.0, 0.9 * (top - bottom))))
    ax.set(xlim=(left, right), ylim=(bottom, top))
    for v in nodes:
        x, y = places[v]
        ax.add_patch(plt.Rectangle((x - 0.31, y - 0.3), 0.62, 0.56, facecolor="none", edgecolor=plot.GRAY, lw=1))
        ax.plot([x - 0.31, x + 0.31], [y - 0.02, y - 0.02], color=plot.GRAY, lw=0.6, ls="-")
        ax.text(x, y + 0.29, v.name or v.operation, ha="center", va="bottom", fontsize="small")
        ax.text(x, y + 0.12, _short(v.value), ha="center", va="center", fontsize="x-small")
        color = plot.COLORS[1]
        ax.text(x, y - 0.16, _short(v.gradient), ha="center", va="center", fontsize="x-small", color=color)
        for u in dict.fromkeys(u for u, _ in v.parents):
            _arrow(ax, places, u, v, " + ".join(_short(local) for w, local in v.parents if w is u))
    ax.set_axis_off()
    return ax


def _arrow(ax, places, u, v, text):
    (x0, y0), (x1, y1) = places[u], places[v]
    start, end = np.array([x0 + 0.31, y0]), np.array([x1 - 0.31, y1])
    middle, (dx, dy) = (start + end) / 2, end - start
    # Si salta columnas, se curva para no cruzar las cajas de en medio.
    between = [y for x, y in places.values() if start[0] < x < end[0]]
    bend = 0.0 if not between else 0.35 if middle[1] < np.mean(between) else -0.35
    style = {"arrowstyle": "-|>", "color": plot.GRAY, "shrinkA": 1, "shrinkB": 1, "connectionstyle": f"arc3,rad={bend}"}
    ax.annotate("", end, start, arrowprops=style)
    side = "center" if abs(dy) < 0.2 * dx or bend else "left" if dy < 0 else "right"
    where = middle - np.array([-dy, dx]) * bend / 2 + [0, -0.05 if bend > 0 else 0.05]
    ax.text(*where, text, ha=side, va="top" if bend > 0 else "bottom", fontsize="xx-small", color=plot.COLORS[0])


def _short(number):
    return f"{number:.4g}".replace("-", "\N{MINUS SIGN}")


def _places(nodes):
    # Columna: una operación, a la derecha de lo que usa; un dato, pegado al primero que lo usa.
    column, first_use = {}, {}
    for v in nodes:
        column[v] = 1 + max((column[u] for u, _ in v.parents), default=-1)
        for u, _ in v.parents:
            first_use[u] = min(first_use.get(u, np.inf), column[v])
    column.update({u: first_use[u] - 1 for u in first_use if not u.parents})
    # Fila: los datos, en su orden; una operación, a media altura de lo que usa, sin superponerse en su columna.
    row, lowest = {}, {}
    data = [v for v in nodes if not v.parents]
    for v in nodes:
        row[v] = -float(data.index(v)) if v in data else float(np.mean([row[u] for u, _ in v.parents]))
    for v in sorted(nodes, key=lambda v: -row[v]):
        row[v] = min(row[v], lowest.get(column[v], np.inf) - 1)
        lowest[column[v]] = row[v]
    return {v: (1.15 * column[v], row[v]) for v in nodes}
