r"""Las figuras que comparten los capítulos, con un solo estilo que se lee igual de bien en claro que en oscuro.

El fondo es transparente y el color lo pone la página: blanco de día y negro de noche. Pocos grises contrastan 4.5 a 1
con los dos a la vez: su luminancia tiene que caer entre 0.175 y 0.183, y ahí está ``GRAY``. Los colores de las clases
contrastan al menos 3 a 1 con ambos fondos, y quien no distingue bien los colores encuentra además un marcador y un
trazo distinto por clase.
"""

import itertools
import sys

import numpy as np

from dlbook import check

GRAY = "#767676"
COLORS = ("#0072B2", "#D55E00", "#009E73", "#B8609A", "#8C7A00", "#767676")
MARKERS = ("o", "s", "^", "D", "v", "P")
LINES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)), (0, (1, 3)))


def use_style():
    r"""Activa el estilo del libro en todas las figuras que vengan después.

    En un cuaderno, además, pide las figuras en SVG: nítidas a cualquier tamaño y ligeras, porque las regiones y las
    imágenes van dentro como mapas de bits.

    Examples
    --------
    >>> use_style()
    >>> import matplotlib
    >>> matplotlib.rcParams["savefig.transparent"]
    True
    """
    import matplotlib
    from cycler import cycler

    matplotlib.rcParams.update(
        {
            "axes.edgecolor": GRAY,
            "axes.facecolor": "none",
            "axes.grid": False,
            "axes.labelcolor": GRAY,
            "axes.prop_cycle": cycler(color=COLORS, linestyle=LINES),
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": GRAY,
            "axes.titlesize": "medium",
            "figure.constrained_layout.use": True,
            "figure.dpi": 144,
            "figure.edgecolor": "none",
            "figure.facecolor": "none",
            "figure.figsize": (5.5, 3.2),
            "font.family": "sans-serif",
            "font.size": 11,
            "grid.color": GRAY,
            "grid.alpha": 0.3,
            "hatch.color": GRAY,
            "image.cmap": "gray",
            # Los píxeles tal como son: el SVG lleva la imagen original, sin ampliar, y pesa la mitad.
            "image.interpolation": "none",
            "legend.edgecolor": "none",
            "legend.facecolor": "none",
            "legend.frameon": False,
            "legend.labelcolor": GRAY,
            "lines.linewidth": 1.8,
            "patch.edgecolor": GRAY,
            "savefig.transparent": True,
            "svg.hashsalt": "dlbook",
            "text.color": GRAY,
            "xtick.color": GRAY,
            "ytick.color": GRAY,
        }
    )
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg")


def points(x, y, ax=None, *, names=None):
    r"""Dibuja puntos del plano con un color y un marcador por clase.

    Parameters
    ----------
    x : ndarray, shape (n, 2)
        Los puntos.
    y : ndarray of int, shape (n,)
        La clase de cada uno: enteros cualesquiera.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.
    names : sequence of str, optional
        Nombre de cada clase, en orden creciente de su número; van en la leyenda.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> ax = points([[0, 0], [1, 0], [1, 1]], [0, 1, 1], names=["manzana", "naranja"])
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['manzana', 'naranja']
    """
    x, y, classes = _labelled(x, y)
    return _points(x, y, classes, _axes(ax), _class_names(names, classes))


def decision_regions(predict, x, y, ax=None, *, names=None, resolution=240):
    r"""Pinta qué contesta un clasificador en cada punto del plano, con los datos encima.

    Parameters
    ----------
    predict : callable
        Recibe puntos, shape (m, 2), y devuelve una de tres cosas: la clase de cada punto, shape (m,); la probabilidad
        de la segunda de dos clases, shape (m,) o (m, 1); o una probabilidad por clase, shape (m, K). Con
        probabilidades de dos clases, el color se apaga cerca de la frontera, que se traza donde valen 1/2.
    x : ndarray, shape (n, 2)
        Los datos.
    y : ndarray of int, shape (n,)
        La clase de cada dato.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.
    names : sequence of str, optional
        Nombre de cada clase, en orden creciente de su número.
    resolution : int
        Puntos de la rejilla por lado.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Si los datos o lo que devuelve ``predict`` no tienen la forma pedida.

    Examples
    --------
    >>> ax = decision_regions(lambda p: p[:, 0] + p[:, 1] > 1.5, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 0, 0, 1])
    >>> len(ax.images)
    1
    """
    x, y, classes = _labelled(x, y)
    resolution = check.integer(resolution, "resolution", 2, 2000)
    if not callable(predict):
        raise TypeError(f"predict: se esperaba una función, pero llegó {predict!r}")
    ax = _axes(ax)
    low, high = x.min(axis=0), x.max(axis=0)
    margin = np.where(high > low, 0.15 * (high - low), 1.0)
    low, high = low - margin, high + margin
    grid = np.stack(np.meshgrid(*(np.linspace(low[k], high[k], resolution) for k in (0, 1))), axis=-1)
    index, classes, p = _answers(predict(grid.reshape(-1, 2)), classes, resolution**2)
    names = _class_names(names, classes)

    from matplotlib.colors import to_rgba

    palette = np.array([to_rgba(COLORS[k % len(COLORS)]) for k in range(len(classes))])
    rgba = palette[index]
    # Pocos escalones de opacidad: el mapa de bits se comprime mucho mejor que con un degradado continuo.
    rgba[:, 3] = 0.3 if p is None else np.ceil(24 * np.abs(p - 0.5)) / 40
    extent = (low[0], high[0], low[1], high[1])
    ax.imshow(
        rgba.reshape(resolution, resolution, 4), extent=extent, origin="lower", aspect="auto", interpolation="none"
    )
    if p is not None and p.min() < 0.5 < p.max():
        ax.contour(*np.moveaxis(grid, -1, 0), p.reshape(resolution, resolution), [0.5], colors=GRAY, linewidths=1.5)
    ax = _points(x, y, classes, ax, names)
    ax.set(xlim=extent[:2], ylim=extent[2:])
    return ax


def line(w, b, ax=None, **style):
    r"""Traza la frontera :math:`w_1x_1+w_2x_2+b=0` de lado a lado.

    Parameters
    ----------
    w : ndarray, shape (2,)
        El vector normal a la recta; no puede ser cero.
    b : float
        El sesgo.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.
    **style
        Lo que admita ``Axes.axline``: ``color``, ``linestyle``, ``label``…

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Si ``w`` no tiene dos componentes o es cero.

    Examples
    --------
    >>> ax = line([1, 1], -1.5)
    >>> line([0, 0], 1)
    Traceback (most recent call last):
        ...
    ValueError: w: se esperaba un vector distinto de cero, pero llegó [0. 0.]
    """
    w = check.floats(w, "w", "2").astype(np.float64)
    b = check.number(b, "b")
    if not w.any():
        raise ValueError(f"w: se esperaba un vector distinto de cero, pero llegó {w}")
    ax = _axes(ax)
    # El punto de la recta más cercano al origen está en la dirección de w.
    foot = -b * w / (w @ w)
    slope = -w[0] / w[1] if w[1] else np.inf
    ax.axline(tuple(foot), slope=slope, **{"color": GRAY, "linestyle": "-", **style})
    return ax


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
    ax = _axes(ax)
    for (name, values), color, dash in zip(series.items(), itertools.cycle(COLORS), itertools.cycle(LINES)):
        ax.plot(np.arange(start, start + values.size), values, color=color, linestyle=dash, label=name)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(series) > 1:
        ax.legend()
    return ax


def images(x, titles=None, columns=8, *, signed=False, size=0.9):
    r"""Muestra varias imágenes en una cuadrícula, con una misma escala para todas.

    Parameters
    ----------
    x : ndarray, shape (n, h, w) or (n, h, w, 3)
        Las imágenes: en grises, o en color con valores entre 0 y 1.
    titles : sequence of str, optional
        Un letrero para cada una.
    columns : int
        Imágenes por fila.
    signed : bool
        Si los valores tienen signo, como los pesos: azul lo negativo, rojo lo positivo, blanco el cero, y la escala
        al lado.
    size : float
        Lado de cada imagen, en pulgadas.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        Si las formas no concuerdan.

    Examples
    --------
    >>> fig = images(np.zeros((3, 8, 8)), titles=["a", "b", "c"], columns=2)
    >>> [ax.get_title() for ax in fig.axes]
    ['a', 'b', 'c']
    """
    x = np.asarray(x)
    x = check.floats(x, "x", "n h w 3" if x.ndim == 4 else "n h w")
    n = len(x)
    if titles is not None:
        titles = _texts(titles, "titles", n)
    columns = min(check.integer(columns, "columns", 1), n)
    size = check.number(size, "size", 0, open_low=True)
    if x.ndim == 4 and (signed or x.min() < 0 or x.max() > 1):
        raise ValueError("x: en color se esperaban valores entre 0 y 1, sin signo")

    import matplotlib.pyplot as plt

    rows = -(-n // columns)
    largest = float(np.abs(x).max()) or 1.0
    low, high = (-largest, largest) if signed else (min(float(x.min()), 0.0), float(x.max()) or 1.0)
    # Las medidas se conocen de antemano, en pulgadas: calcularlas con constrained_layout tarda segundos con treinta.
    gap, lines = 0.08, 0 if titles is None else 1 + max(title.count("\n") for title in titles)
    side, tall = size - gap, (size - gap) * x.shape[1] / x.shape[2]
    step = tall + gap + 0.16 * lines
    width, height = columns * size + 0.7 * signed, rows * step
    fig = plt.figure(figsize=(width, height))
    fig.set_layout_engine("none")
    for k in range(n):
        row, column = divmod(k, columns)
        left, bottom = column * size + gap / 2, height - row * step - 0.16 * lines - gap / 2 - tall
        ax = fig.add_axes((left / width, bottom / height, side / width, tall / height), xticks=[], yticks=[])
        shown = ax.imshow(x[k], cmap="RdBu_r" if signed else "gray", vmin=low, vmax=high, interpolation="none")
        for spine in ax.spines.values():
            spine.set(visible=True, linewidth=0.6)
        if titles is not None:
            ax.set_title(titles[k], fontsize="small", pad=3)
    if signed:
        bar = ((columns * size + 0.08) / width, gap / 2 / height, 0.13 / width, 1 - gap / height)
        fig.colorbar(shown, cax=fig.add_axes(bar)).ax.tick_params(labelsize="small")
    return fig


def cells(values, ax=None, *, at=(0, 0), windows=(), tint=False, title=None):
    r"""Dibuja una cuadrícula de números: un pedazo de imagen, un filtro, un mapa.

    Varias caben en los mismos ejes, cada una en su lugar, para poner lado a lado lo que entra y lo que sale.

    Parameters
    ----------
    values : array_like, shape (H, W)
        Números o textos; ``""`` deja la casilla vacía.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.
    at : tuple of float
        Columna y renglón de la esquina de arriba a la izquierda, medidos en casillas.
    windows : sequence of tuple
        Ventanas que se marcan con un marco grueso: ``(fila, columna, alto, ancho)`` y, si se quiere, un color.
    tint : bool
        Si se tiñe cada casilla según su número: naranja los positivos, azul los negativos.
    title : str, optional
        El letrero de encima.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        Si los valores no forman una cuadrícula o una ventana se sale de ella.

    Examples
    --------
    >>> ax = cells([[1, -2], [0, 3]], windows=[(0, 0, 1, 2)])
    >>> [text.get_text() for text in ax.texts]
    ['1', '−2', '0', '3']
    """
    values = np.array([_sequence(row, "values") for row in _sequence(values, "values")], dtype=object)
    if values.ndim != 2:
        raise ValueError(f"values: se esperaba una cuadrícula (H, W), pero llegó {values.shape}")
    height, width = values.shape
    left, top = (check.number(v, "at") for v in _sequence(at, "at", 2))
    if ax is None:
        scale = min(0.5, 6.8 / width, 4.6 / height)
        ax = _axes(None, figsize=(scale * width, scale * (height + (title is not None))))

    from matplotlib.colors import to_rgba
    from matplotlib.patches import Rectangle

    if tint:
        numbers = check.floats(values.tolist(), "values")
        strength = 0.2 * np.abs(numbers) / max(np.abs(numbers).max(), np.finfo(float).tiny)
    for i in range(height):
        for j in range(width):
            corner, value = (left + j, -top - i - 1), values[i, j]
            face = to_rgba(COLORS[1] if tint and numbers[i, j] > 0 else COLORS[0], strength[i, j]) if tint else "none"
            ax.add_patch(Rectangle(corner, 1, 1, facecolor=face, edgecolor=GRAY, linewidth=0.5))
            text = value if isinstance(value, str) else f"{value:g}".replace("-", "−")
            ax.text(corner[0] + 0.5, corner[1] + 0.5, text, ha="center", va="center_baseline", fontsize="small")
    for row, column, rows, columns, *color in windows:
        if min(row, column) < 0 or row + rows > height or column + columns > width:
            raise ValueError(f"windows: se esperaba una ventana dentro de {values.shape}, pero llegó {(row, column)}")
        color = color[0] if color else COLORS[1]
        corner = (left + column, -top - row - rows)
        ax.add_patch(Rectangle(corner, columns, rows, facecolor="none", edgecolor=color, linewidth=2.2, zorder=3))
    if title is not None:
        ax.text(left + width / 2, -top + 0.25, title, ha="center", va="bottom")
    ax.update_datalim([(left, -top - height), (left + width, -top + (title is not None))])
    return _diagram(ax)


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
    sizes = [check.integer(size, "sizes", 1) for size in _sequence(sizes, "sizes")]
    if len(sizes) < 2:
        raise ValueError(f"sizes: se esperaban al menos dos capas, pero llegó {sizes}")
    limit = check.integer(limit, "limit", 3)
    if layer_names is not None:
        layer_names = _texts(layer_names, "layer_names", len(sizes))
    if names is not None:
        names = _sequence(names, "names", len(sizes))
        names = [_texts(layer, f"names[{k}]", sizes[k]) for k, layer in enumerate(names)]
    if weights is not None:
        weights = _sequence(weights, "weights", len(sizes) - 1)
        weights = [check.floats(w, f"weights[{k}]", f"{sizes[k]} {sizes[k + 1]}") for k, w in enumerate(weights)]

    shown = [list(range(s)) if s <= limit else [*range(limit - 2), s - 1] for s in sizes]
    tallest = max(min(s, limit) for s in sizes)
    places = [_column(2.2 * k, s, limit) for k, s in enumerate(sizes)]
    if ax is None:
        width, height = 2.2 * len(sizes) - 1.4, tallest + (layer_names is not None)
        scale = min(0.85, 7.0 / width, 4.6 / height)
        ax = _axes(None, figsize=(scale * width, scale * height))
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
    return _diagram(ax)


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

    rows = [_sequence(row, f"rows[{k}]", 3) for k, row in enumerate(_sequence(rows, "rows"))]
    for k, (_, shape, _) in enumerate(rows):
        if len(shape) not in (1, 3):
            raise ValueError(f"rows[{k}]: se esperaba una forma (h, w, c) o (c,), pero llegó {shape}")
    # Doble logaritmo de lado y canales: caben en un mismo dibujo un mapa de 224 y un vector de mil.
    sides = [np.log2(shape[0] if len(shape) == 3 else 1) + 1 for _, shape, _ in rows]
    depths = [np.log2(shape[-1]) + 1 for _, shape, _ in rows]
    if ax is None:
        ax = _axes(None, figsize=(4.3, 0.25 * len(rows) + 0.1))
    for k, (label, shape, color) in enumerate(rows):
        width, height = 1.3 * sides[k] / max(sides), 0.2 + 0.6 * depths[k] / max(depths)
        ax.add_patch(
            Rectangle((-width / 2, -k - height / 2), width, height, facecolor=to_rgba(color, 0.3), edgecolor=color)
        )
        ax.text(-0.8, -k, _text(label), ha="right", va="center", fontsize=9.5)
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
    columns = _sequence(columns, "columns")
    columns = [[] if column in ([], ()) else _texts(column, f"columns[{k}]") for k, column in enumerate(columns)]
    longest = max(1, *(len(column) for column in columns))
    width = check.number(width, "width", 0, open_low=True)
    if ax is None:
        ax = _axes(None, figsize=(width * len(columns) + 0.2, 0.52 * (longest + 3)))
    middle, bottom = (len(columns) - 1) / 2, -longest - 1.2

    def line(*points):
        ax.plot(*np.transpose(points), color=GRAY, linestyle="-", linewidth=1.0, zorder=1)

    def arrow(start, end):
        style = {"arrowstyle": "-|>", "color": GRAY, "shrinkA": 0, "shrinkB": 0, "linewidth": 1.0}
        ax.annotate("", end, start, arrowprops=style)

    ax.text(middle, 0.15, _text(source), ha="center", va="bottom", fontsize=9)
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
    _box(ax, (middle, bottom), _text(join), COLORS[1])
    arrow((middle, bottom - 0.3), (middle, bottom - 0.75))
    ax.text(middle, bottom - 0.8, _text(output), ha="center", va="top", fontsize=9)
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
    inputs = _texts(inputs, "inputs")
    weights = _texts(weights, "weights", len(inputs))
    places = _column(0.0, len(inputs), len(inputs))
    top = max(1.0, (len(inputs) - 1) / 2 + 0.3)
    if ax is None:
        height = (0 if bias is None else top + 0.4) + max(0.7, (len(inputs) - 1) / 2) + 0.8
        ax = _axes(None, figsize=(4.6, 0.68 * height))
    for place, text, weight in zip(places, inputs, weights, strict=True):
        _arrow(ax, place, (2.4, 0.0), weight, 0.45)
        _circle(ax, place, text, GRAY)
    if bias is not None:
        _arrow(ax, (2.4, top + 0.35), (2.4, 0.0), _text(bias), 0.4)
        _circle(ax, (2.4, top + 0.35), "$+1$", GRAY)
    _arrow(ax, (2.4, 0.0), (3.9, 0.0), "$z$", 0.5)
    _arrow(ax, (3.9, 0.0), (5.3, 0.0), "", 0.5)
    _circle(ax, (2.4, 0.0), _text(total), COLORS[0])
    _circle(ax, (3.9, 0.0), _text(activation), COLORS[1])
    ax.text(5.35, 0.0, _text(output), ha="left", va="center")
    ax.update_datalim([(5.8, 0.0)])
    return _diagram(ax)


def _axes(ax, **figure):
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes

    if ax is None:
        return plt.subplots(**figure)[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax: se esperaban unos ejes de matplotlib, pero llegó {ax!r}")
    return ax


def _labelled(x, y):
    sizes = {}
    x = check.floats(x, "x", "n 2", sizes)
    y = check.floats(y, "y", "n", sizes)
    return x, y, _classes(y, "y")


def _classes(y, name):
    classes = np.unique(y)
    if (classes != np.floor(classes)).any():
        raise ValueError(
            f"{name}: se esperaban clases enteras, pero llegó {classes[classes != np.floor(classes)][0]:g}"
        )
    if classes.size > len(MARKERS):
        raise ValueError(f"{name}: se esperaban a lo sumo {len(MARKERS)} clases, pero llegaron {classes.size}")
    return classes


def _class_names(names, classes):
    return None if names is None else _texts(names, "names", len(classes))


def _points(x, y, classes, ax, names):
    for k, c in enumerate(classes):
        chosen = x[y == c]
        label = f"clase {c:g}" if names is None else names[k]
        ax.scatter(*chosen.T, s=28, color=COLORS[k], marker=MARKERS[k], edgecolors=GRAY, linewidths=0.5, label=label)
    if names is not None:
        # Arriba, fuera de los ejes: sobre una región de color, el gris de las letras perdería contraste.
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(names), borderaxespad=0.2, handletextpad=0.2)
    ax.set(xlabel="$x_1$", ylabel="$x_2$")
    return ax


# Traduce lo que devuelve un clasificador a: posición de la clase, clases, probabilidad de la segunda (o None).
def _answers(answer, classes, m):
    answer = check.floats(answer, "predict")
    if answer.shape not in ((m,), (m, 1)) and not (answer.ndim == 2 and len(answer) == m):
        raise ValueError(f"predict: se esperaba la forma ({m},) o ({m}, K), pero llegó {answer.shape}")
    if answer.ndim == 2 and answer.shape[1] > 1:
        every = np.union1d(np.arange(answer.shape[1]), classes)
        if len(every) > answer.shape[1]:
            raise ValueError(f"predict: dio {answer.shape[1]} columnas, pero las clases de y son {classes}")
        _classes(every, "predict")
        p = answer[:, 1] if answer.shape[1] == 2 and answer.min() >= 0 and answer.max() <= 1 else None
        return answer.argmax(axis=1), every, p
    answer = answer.reshape(m)
    if (answer == np.floor(answer)).all():
        classes = _classes(np.union1d(answer, classes), "predict")
        return np.searchsorted(classes, answer), classes, None
    if answer.min() < 0 or answer.max() > 1:
        raise ValueError("predict: se esperaban clases enteras o probabilidades entre 0 y 1; ¿devuelve puntajes?")
    if classes.size > 2:
        raise ValueError(f"predict: dio una sola probabilidad, pero las clases de y son {classes}")
    if classes.size < 2:
        classes = np.union1d(classes, [0.0, 1.0])[:2]
    return (answer >= 0.5).astype(int), classes, answer


def _sequence(value, name, n=None):
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise TypeError(f"{name}: se esperaba una lista, pero llegó {value!r}")
    value = list(value)
    if n is not None and len(value) != n:
        raise ValueError(f"{name}: se esperaban {n} elementos, pero llegaron {len(value)}")
    if not value:
        raise ValueError(f"{name}: se esperaba al menos un elemento")
    return value


def _texts(value, name, n=None):
    return [_text(item) for item in _sequence(value, name, n)]


def _text(value):
    return value if isinstance(value, str) else f"${value:g}$" if np.isscalar(value) else str(value)


# Alturas de las neuronas de una columna, de arriba abajo y centradas, con el hueco de los puntos suspensivos si sobran.
def _column(x, size, limit):
    slots = min(size, limit)
    rows = [r for r in range(slots) if size <= limit or r != slots - 2]
    return [(x, (slots - 1) / 2 - r) for r in rows]


def _circle(ax, place, text, color):
    from matplotlib.colors import to_rgba
    from matplotlib.patches import Circle

    # La cara es casi transparente: un letrero gris sobre un color lleno perdería su contraste en alguno de los temas.
    ax.add_patch(Circle(place, 0.32, facecolor=to_rgba(color, 0.08), edgecolor=color, linewidth=1.6, zorder=2))
    small = len(text) > 3 and not text.startswith("$")
    ax.text(*place, text, ha="center", va="center", fontsize="x-small" if small else None, zorder=3)


def _box(ax, place, text, color):
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    style = "round,pad=0,rounding_size=0.08"
    face = to_rgba(color, 0.12)
    ax.add_patch(FancyBboxPatch((x - 0.44, y - 0.3), 0.88, 0.6, style, facecolor=face, edgecolor=color, linewidth=1.2))
    ax.text(x, y, text, ha="center", va="center", fontsize=8.5)


def _ends(start, end):
    start, end = np.asarray(start), np.asarray(end)
    step = 0.32 * (end - start) / np.hypot(*(end - start))
    return start + step, end - step


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


def _diagram(ax):
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.02)
    ax.autoscale_view()
    ax.set_axis_off()
    return ax
