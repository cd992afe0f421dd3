r"""Diagramas: la neurona, la red, la torre de capas y los caminos en paralelo."""

import numpy as np

from dlbook import check
from dlbook.plot.arguments import axes, text_of, texts, without_frame
from dlbook.plot.style import COLORS, GRAY


def _circle(ax, place, text, color):
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Circle

    # La cara es casi transparente: un letrero gris sobre un color lleno perdería su contraste en alguno de los temas.
    ax.add_patch(Circle(place, 0.32, facecolor=to_rgba(color, 0.08), edgecolor=color, linewidth=1.6, zorder=2))
    small = len(text) > 3 and not text.startswith("$")
    ax.text(*place, text, ha="center", va="center", fontsize="x-small" if small else None, zorder=3)


def _ends(start, end):
    start, end = np.asarray(start), np.asarray(end)
    step = 0.32 * (end - start) / np.hypot(*(end - start))
    return start + step, end - step


# Junto a la línea y no encima: sin fondo opaco, una línea que cruzara el letrero lo haría ilegible.
def _label(ax, start, end, text, where, above=True):
    if not text:
        return
    step = end - start
    if step[0] == 0:
        ax.text(start[0] + 0.12, (start + where * step)[1], text, ha="left", va="center", fontsize="small")
        return
    side = np.array([-step[1], step[0]]) * np.sign(step[0]) / np.hypot(*step)
    ax.text(
        *(start + where * step + (0.17 if above else -0.17) * side), text, ha="center", va="center", fontsize="small"
    )


def _edge(ax, start, end, weight):
    # El letrero va del lado de fuera del abanico y antes de la mitad, donde las líneas todavía no se cruzan.
    above = start[1] > end[1] or (start[1] == end[1] and start[1] >= 0)
    start, end = _ends(start, end)
    color, dash = (GRAY, "-") if weight is None else (COLORS[0], "--") if weight < 0 else (COLORS[1], "-")
    width = 0.8 if weight is None else 1.2
    ax.plot(*np.stack([start, end]).T, color=color, linestyle=dash, linewidth=width, zorder=1)
    if weight is not None:
        _label(ax, start, end, f"${weight:.3g}$", 0.34, above)


def _arrow(ax, start, end, text, where):
    start, end = _ends(start, end)
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": GRAY, "shrinkA": 0, "shrinkB": 0})
    _label(ax, start, end, text, where)


def _box(ax, place, text, color):
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    style = "round,pad=0,rounding_size=0.08"
    face = to_rgba(color, 0.12)
    ax.add_patch(FancyBboxPatch((x - 0.44, y - 0.3), 0.88, 0.6, style, facecolor=face, edgecolor=color, linewidth=1.2))
    ax.text(x, y, text, ha="center", va="center", fontsize=8.5)


# Alturas de las neuronas de una columna, de arriba abajo y centradas, con el hueco de los puntos suspensivos si sobran.
def _column(x, size, limit):
    slots = min(size, limit)
    rows = [r for r in range(slots) if size <= limit or r != slots - 2]
    return [(x, (slots - 1) / 2 - r) for r in rows]


def network(sizes, ax=None, *, names=None, weights=None, layer_names=None, limit=8):
    r"""Dibuja una red por capas: un círculo por neurona, una línea por peso.

    Parameters
    ----------
    sizes : sequence of int
        Neuronas de cada capa, desde las entradas hasta la salida.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.
    names : sequence of sequence of str, optional
        El letrero de cada neurona, capa por capa; admite fórmulas, como ``"$x_1$"``.
    weights : sequence of ndarray, shape (entradas, salidas), optional
        Los pesos entre cada capa y la siguiente: se escriben junto a su línea, azul y cortada si el peso es negativo.
    layer_names : sequence of str, optional
        El nombre de cada capa, que va debajo.
    limit : int
        De una capa mayor se dibujan los primeros y el último, con puntos suspensivos en medio.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Si los letreros o los pesos no concuerdan con ``sizes``.

    Examples
    --------
    >>> ax = network([2, 3, 1], layer_names=["entrada", "oculta", "salida"])
    >>> sum(patch.__class__.__name__ == "Circle" for patch in ax.patches)
    6
    """
    sizes = [check.integer(size, "sizes", 1) for size in check.sequence(sizes, "sizes")]
    if len(sizes) < 2:
        raise ValueError(f"sizes: se esperaban al menos dos capas, pero llegó {sizes}")
    limit = check.integer(limit, "limit", 3)
    if layer_names is not None:
        layer_names = texts(layer_names, "layer_names", len(sizes))
    if names is not None:
        names = check.sequence(names, "names", len(sizes))
        names = [texts(layer, f"names[{k}]", sizes[k]) for k, layer in enumerate(names)]
    if weights is not None:
        weights = check.sequence(weights, "weights", len(sizes) - 1)
        weights = [check.floats(w, f"weights[{k}]", f"{sizes[k]} {sizes[k + 1]}") for k, w in enumerate(weights)]

    shown = [list(range(s)) if s <= limit else [*range(limit - 2), s - 1] for s in sizes]
    tallest = max(min(s, limit) for s in sizes)
    places = [_column(2.2 * k, s, limit) for k, s in enumerate(sizes)]
    width, height = 2.2 * len(sizes) - 1.4, tallest + (layer_names is not None)
    scale = min(0.85, 7.0 / width, 4.6 / height)
    ax = axes(ax, figsize=(scale * width, scale * height))
    for k in range(len(sizes) - 1):
        for i, start in zip(shown[k], places[k], strict=True):
            for j, end in zip(shown[k + 1], places[k + 1], strict=True):
                w = None if weights is None else weights[k][i, j]
                _edge(ax, start, end, w)
    for k, size in enumerate(sizes):
        for i, place in zip(shown[k], places[k], strict=True):
            _circle(ax, place, "" if names is None else names[k][i], COLORS[0] if k else GRAY)
        if size > limit:
            ax.text(2.2 * k, (places[k][-1][1] + places[k][-2][1]) / 2, "⋮", ha="center", va="center")
        if layer_names is not None:
            ax.text(2.2 * k, -(tallest - 1) / 2 - 0.6, layer_names[k], ha="center", va="top")
    return without_frame(ax)


def tower(rows, ax=None):
    r"""Dibuja una red de imágenes como una torre: un bloque por capa, de la entrada, arriba, a la salida.

    El ancho del bloque crece con el lado del mapa y su alto, con los canales, los dos en escala logarítmica: al bajar,
    la torre se estrecha y se engruesa.

    Parameters
    ----------
    rows : sequence of (str, tuple of int, str)
        Por cada capa, su letrero, la forma de lo que sale de ella y su color, uno de ``COLORS``.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Si una forma no es la de una imagen con canales ni la de un vector.

    Examples
    --------
    >>> ax = tower([("conv 3×3", (8, 8, 16), COLORS[0]), ("densa", (10,), COLORS[2])])
    >>> [text.get_text() for text in ax.texts]
    ['conv 3×3', '8 × 8 × 16', 'densa', '10']
    """
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    rows = [check.sequence(row, f"rows[{k}]", 3) for k, row in enumerate(check.sequence(rows, "rows"))]
    for k, (_, shape, _) in enumerate(rows):
        if len(shape) not in (1, 3):
            raise ValueError(f"rows[{k}]: se esperaba una forma (h, w, c) o (c,), pero llegó {shape}")
    # Doble logaritmo de lado y canales: caben en un mismo dibujo un mapa de 224 y un vector de mil.
    sides = [np.log2(shape[0] if len(shape) == 3 else 1) + 1 for _, shape, _ in rows]
    depths = [np.log2(shape[-1]) + 1 for _, shape, _ in rows]
    ax = axes(ax, figsize=(4.3, 0.25 * len(rows) + 0.1))
    for k, (label, shape, color) in enumerate(rows):
        width, height = 1.3 * sides[k] / max(sides), 0.2 + 0.6 * depths[k] / max(depths)
        ax.add_patch(
            Rectangle((-width / 2, -k - height / 2), width, height, facecolor=to_rgba(color, 0.3), edgecolor=color)
        )
        ax.text(-0.8, -k, text_of(label), ha="right", va="center", fontsize=9.5)
        ax.text(0.8, -k, " × ".join(map(str, shape)), ha="left", va="center", fontsize=9.5)
    ax.set(xlim=(-2.5, 1.9), ylim=(0.6 - len(rows), 0.6))
    ax.set_axis_off()
    return ax


def paths(columns, ax=None, *, source="$x$", join="+", output="$y$", width=1.0):
    r"""Dibuja un bloque por el que la entrada va por varios caminos que al final se juntan.

    Parameters
    ----------
    columns : sequence of sequence of str
        Los letreros de cada camino, de arriba abajo. Un camino vacío es un atajo: una línea sin nada.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.
    source, join, output : str
        Los letreros de la entrada, de donde se juntan los caminos y de la salida.
    width : float
        Cuánto ocupa cada camino, en pulgadas.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = paths([["3×3", "3×3"], []])
    >>> [text.get_text() for text in ax.texts if text.get_text()]
    ['$x$', '3×3', '3×3', '+', '$y$']
    """
    columns = check.sequence(columns, "columns")
    columns = [
        [text_of(text) for text in check.sequence(column, f"columns[{k}]", empty=True)]
        for k, column in enumerate(columns)
    ]
    longest = max(1, *(len(column) for column in columns))
    width = check.number(width, "width", 0, open_low=True)
    ax = axes(ax, figsize=(width * len(columns) + 0.2, 0.52 * (longest + 3)))
    middle, bottom = (len(columns) - 1) / 2, -longest - 1.2

    def line(*points):
        ax.plot(*np.transpose(points), color=GRAY, linestyle="-", linewidth=1.0, zorder=1)

    def arrow(start, end):
        style = {"arrowstyle": "-|>", "color": GRAY, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.0}
        ax.annotate("", end, start, arrowprops=style)

    ax.text(middle, 0.15, text_of(source), ha="center", va="bottom", fontsize=9)
    line((middle, 0.1), (middle, -0.2))
    line((0, -0.2), (len(columns) - 1, -0.2))
    line((0, bottom + 0.7), (len(columns) - 1, bottom + 0.7))
    arrow((middle, bottom + 0.7), (middle, bottom + 0.3))
    for x, column in enumerate(columns):
        # Los caminos cortos se centran.
        y = -(longest + 1) / 2 + (len(column) - 1) / 2
        above = -0.2
        for k, text in enumerate(column):
            arrow((x, above), (x, y - k + 0.3))
            _box(ax, (x, y - k), text, COLORS[0])
            above = y - k - 0.3
        line((x, above), (x, bottom + 0.7))
    _box(ax, (middle, bottom), text_of(join), COLORS[1])
    arrow((middle, bottom - 0.3), (middle, bottom - 0.75))
    ax.text(middle, bottom - 0.8, text_of(output), ha="center", va="top", fontsize=9)
    ax.set(xlim=(-0.6, len(columns) - 0.4), ylim=(bottom - 1.2, 0.5))
    ax.set_axis_off()
    return ax


def neuron(inputs, weights, ax=None, *, bias="$b$", activation=r"$\varphi$", output=r"$\hat y$", total=r"$\Sigma$"):
    r"""Dibuja una neurona por dentro: entradas, pesos, suma, activación y salida.

    Parameters
    ----------
    inputs, weights : sequence of str or float
        El letrero de cada entrada y el de su peso.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.
    bias : str or float or None
        El letrero del sesgo, que entra por arriba; con ``None`` no se dibuja.
    activation, output, total : str or float
        Los letreros de la activación, de la salida y de la suma.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Si no hay tantos pesos como entradas.

    Examples
    --------
    >>> ax = neuron(["$x_1$", "$x_2$"], [0.5, -1])
    >>> "$-1$" in [text.get_text() for text in ax.texts]
    True
    """
    inputs = texts(inputs, "inputs")
    weights = texts(weights, "weights", len(inputs))
    places = _column(0.0, len(inputs), len(inputs))
    top = max(1.0, (len(inputs) - 1) / 2 + 0.3)
    height = (0 if bias is None else top + 0.4) + max(0.7, (len(inputs) - 1) / 2) + 0.8
    ax = axes(ax, figsize=(4.6, 0.68 * height))
    for place, text, weight in zip(places, inputs, weights, strict=True):
        _arrow(ax, place, (2.4, 0.0), weight, 0.45)
        _circle(ax, place, text, GRAY)
    if bias is not None:
        _arrow(ax, (2.4, top + 0.35), (2.4, 0.0), text_of(bias), 0.4)
        _circle(ax, (2.4, top + 0.35), "$+1$", GRAY)
    _arrow(ax, (2.4, 0.0), (3.9, 0.0), "$z$", 0.5)
    _arrow(ax, (3.9, 0.0), (5.3, 0.0), "", 0.5)
    _circle(ax, (2.4, 0.0), text_of(total), COLORS[0])
    _circle(ax, (3.9, 0.0), text_of(activation), COLORS[1])
    ax.text(5.35, 0.0, text_of(output), ha="left", va="center")
    ax.update_datalim([(5.8, 0.0)])
    return without_frame(ax)
