r"""Imágenes, y tablas de números sobre sus píxeles."""

import numpy as np

from dlbook import check
from dlbook.plot.arguments import axes, texts, without_frame
from dlbook.plot.style import COLORS, GRAY


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
    x = check.floats(x, "x")
    x = check.floats(x, "x", "n h w 3" if x.ndim == 4 else "n h w")
    signed = check.boolean(signed, "signed")
    n = len(x)
    if titles is not None:
        titles = texts(titles, "titles", n)
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


def _window(value, name, shape):
    # Fila, columna, alto, ancho y color de una ventana que cabe en la cuadrícula.
    parts = check.sequence(value, name)
    if len(parts) not in (4, 5):
        raise ValueError(f"{name}: se esperaban fila, columna, alto, ancho y quizá un color, pero llegó {value!r:.60}")
    row, column = (check.integer(part, name, 0) for part in parts[:2])
    rows, columns = (check.integer(part, name, 1) for part in parts[2:4])
    if row + rows > shape[0] or column + columns > shape[1]:
        raise ValueError(f"windows: se esperaba una ventana dentro de {shape}, pero llegó {(row, column)}")
    return row, column, rows, columns, parts[4] if len(parts) == 5 else COLORS[1]


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
        Columna y fila de la esquina de arriba a la izquierda, medidas en casillas.
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
    values = np.array([check.sequence(row, "values") for row in check.sequence(values, "values")], dtype=object)
    if values.ndim != 2:
        raise ValueError(f"values: se esperaba una cuadrícula (H, W), pero llegó {values.shape}")
    height, width = values.shape
    left, top = (check.number(v, "at") for v in check.sequence(at, "at", 2))
    tint = check.boolean(tint, "tint")
    windows = check.sequence(windows, "windows", empty=True)
    marks = [_window(mark, f"windows[{k}]", values.shape) for k, mark in enumerate(windows)]
    scale = min(0.5, 6.8 / width, 4.6 / height)
    ax = axes(ax, figsize=(scale * width, scale * (height + (title is not None))))

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
    for row, column, rows, columns, color in marks:
        corner = (left + column, -top - row - rows)
        ax.add_patch(Rectangle(corner, columns, rows, facecolor="none", edgecolor=color, linewidth=2.2, zorder=3))
    if title is not None:
        ax.text(left + width / 2, -top + 0.25, title, ha="center", va="bottom")
    ax.update_datalim([(left, -top - height), (left + width, -top + (title is not None))])
    return without_frame(ax)
