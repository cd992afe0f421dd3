r"""Diagrama de cajas y flechas: quién le da qué a quién, por filas, sin que nada se superponga."""

import inspect
import itertools
from typing import NamedTuple

import numpy as np

from dlbook import check
from dlbook.plot.arguments import text_of
from dlbook.plot.style import COLORS, GRAY

# En pulgadas: una línea de texto, el hueco entre cajas de la misma fila y el que cruzan las flechas.
LINE, BETWEEN, GAP = 0.16, 0.22, 0.36
# El carril de una flecha que pasa de largo por una fila, y el margen del dibujo.
LANE, MARGIN = 0.12, 0.06
# Cuántas cajas y codos se dibujan, a lo más.
LARGEST = 4000


class Box(NamedTuple):
    r"""Una caja de :func:`flow`: sus líneas, su color y su borde.

    Attributes
    ----------
    lines : sequence of str or (str, str)
        Las líneas; en una pareja, el segundo es el color.
    color : str
        El del borde.
    dashed, thick : bool
        Si el borde es cortado, y si es grueso.
    """

    lines: tuple
    color: str = GRAY
    dashed: bool = False
    thick: bool = False


def _checked(box, name):
    from matplotlib.colors import is_color_like

    box = check.sequence(box, name)
    fields = list(inspect.signature(Box).parameters)
    if len(box) > len(fields):
        raise ValueError(f"{name}: se esperaba una caja, con {', '.join(fields)}, pero llegaron {len(box)} cosas")
    box = Box(*box)
    if not is_color_like(box.color):
        raise ValueError(f"{name}: se esperaba un color, pero llegó {box.color!r}")
    return Box(check.sequence(box.lines, name), *box[1:])


def _size(lines):
    from matplotlib.textpath import TextPath

    # Un texto vacío no tiene extensión.
    widths = [TextPath((0, 0), text or " ", size=9).get_extents().width / 72 for text, _ in lines]
    return max(0.5, np.nan_to_num(widths, posinf=0, neginf=0).max() + 0.18), LINE * len(lines) + 0.12


def _depths(n, arrows):
    # Cada caja, debajo de las que apuntan a ella; una a la que nadie apunta, pegada a la primera que la usa.
    depth = [0] * n
    for start, end in sorted(arrows, key=lambda pair: pair[1]):
        depth[end] = max(depth[end], depth[start] + 1)
    for k in set(range(n)) - {end for _, end in arrows}:
        depth[k] = min((depth[end] for start, end in arrows if start == k), default=1) - 1
    return depth


def _crossings(rows, below):
    place = {one: k for row in rows for k, one in enumerate(row)}
    ends = [np.array([b for one in row for b in sorted(place[other] for other in below[one])]) for row in rows]
    return sum(int(np.triu(row[:, None] > row, 1).sum()) for row in ends)


def _sorted(rows, links):
    # El orden dentro de cada fila: junto a sus vecinos de arriba, y luego de abajo, mientras haya cruces.
    above, below = ({one: [] for row in rows for one in row} for _ in range(2))
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    best, fewest = rows, _crossings(rows, below)
    for sweep in range(12):
        if not fewest:
            break
        rows = [list(row) for row in rows]
        place = {one: k for row in rows for k, one in enumerate(row)}
        for row in rows[::-1] if sweep % 2 else rows:
            near = below if sweep % 2 else above
            wanted = {one: np.mean([place[other] for other in near[one] or [one]]) for one in row}
            row.sort(key=wanted.get)
            place.update({one: k for k, one in enumerate(row)})
        now = _crossings(rows, below)
        if now < fewest:
            best, fewest = rows, now
    return best


def _spread(rows, links, widths, n):
    # A lo largo de su fila, cada cosa lo más cerca posible de aquello a lo que está unida, sin superponerse. Si se
    # descuentan los huecos mínimos, es ajustar unos números a otros sin que cambie su orden: una regresión isotónica.
    from scipy.optimize import isotonic_regression

    # Los tramos entre dos codos tiran más: que los carriles salgan derechos.
    near = {one: [] for row in rows for one in row}
    for a, b in links:
        pull = (1, 2, 8)[(a >= n) + (b >= n)]
        near[a].append((b, pull))
        near[b].append((a, pull))
    pulls = [[max(1, sum(pull for _, pull in near[one])) for one in row] for row in rows]
    offsets, place = [], {}
    for row in rows:
        steps = [(widths[a] + widths[b]) / 2 + BETWEEN for a, b in itertools.pairwise(row)]
        offsets.append(np.concatenate([[0], np.cumsum(steps)]))
        place.update(zip(row, offsets[-1] - offsets[-1][-1] / 2, strict=True))
    every = list(zip(rows, offsets, pulls, strict=True))
    for row, offset, pull in (every + every[::-1]) * 20:
        wanted = [sum(place[b] * w for b, w in near[a] or [(a, 1)]) for a in row] / np.array(pull)
        place.update(zip(row, isotonic_regression(wanted - offset, weights=pull).x + offset, strict=True))
    return place


def _routed(n, pairs, depth):
    # Las filas, con un codo por cada una que salta una flecha, y por dónde pasa cada una.
    rows = [[] for _ in range(max(depth) + 1)]
    for k, d in enumerate(depth):
        rows[d].append(k)
    new, chains = itertools.count(n), []
    for start, end in pairs:
        chain = [start]
        for d in range(depth[start] + 1, depth[end]):
            chain.append(next(new))
            rows[d].append(chain[-1])
        chains.append([*chain, end])
    if next(new) > LARGEST:
        raise ValueError(f"boxes: se dibujan a lo más {LARGEST} cajas y cruces de fila, pero son {next(new) - 1}")
    return rows, chains


def _draw_box(ax, place, size, box, lines):
    from matplotlib.colors import to_rgba
    from matplotlib.patches import FancyBboxPatch

    (x, y), (width, height) = place, size
    style = {"linestyle": "--" if box.dashed else "-", "linewidth": 2.4 if box.thick else 1.1, "edgecolor": box.color}
    shape = "round,pad=0,rounding_size=0.05"
    corner = x - width / 2, y - height / 2
    ax.add_patch(FancyBboxPatch(corner, width, height, shape, facecolor=to_rgba(box.color, 0.12), **style))
    for j, (text, color) in enumerate(lines):
        where = y + ((len(lines) - 1) / 2 - j) * LINE
        ax.text(x, where, text, ha="center", va="center_baseline", fontsize=9, **{"color": color} if color else {})


def _draw_arrow(ax, points, label, across):
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    # Un tramo sin largo dejaría a la punta sin dirección.
    path = Path([a for a, b in itertools.pairwise(points) if not np.allclose(a, b)] + points[-1:])
    style = {"color": GRAY, "mutation_scale": 9, "linewidth": 1, "shrinkA": 0, "shrinkB": 0.6, "joinstyle": "round"}
    ax.add_patch(FancyArrowPatch(path=path, arrowstyle="-|>", **style))
    if label:
        # Junto al último tramo inclinado, que es donde cada flecha va sola.
        x, y = 0.4 * np.array(points[-3]) + 0.6 * np.array(points[-2])
        place = {"ha": "center", "va": "bottom"} if across else {"ha": "left", "va": "center"}
        ax.text(x + 0.04 * (not across), y + 0.02 * across, label, fontsize=8.5, color=COLORS[1], **place)


def flow(boxes, arrows, *, rankdir="TB"):
    r"""Dibuja cajas unidas por flechas, por filas: cada caja, después de todas las que apuntan a ella.

    Las flechas que saltan filas pasan por carriles propios, así que ninguna atraviesa una caja.

    Parameters
    ----------
    boxes : sequence of Box
        Las cajas, cada una después de las que apuntan a ella.
    arrows : sequence of (int, int) or (int, int, str)
        De qué caja a cuál, por su lugar en la lista y, si acaso, un letrero.
    rankdir : {"TB", "LR"}
        De arriba abajo, o de izquierda a derecha.

    Returns
    -------
    matplotlib.axes.Axes
        De una figura nueva, del tamaño del dibujo; las unidades son pulgadas.

    Raises
    ------
    TypeError, ValueError
        Si una flecha no va de una caja a otra posterior, o si son demasiadas.

    Examples
    --------
    >>> ax = flow([Box(["x"]), Box(["f"]), Box(["+"])], [(0, 1), (1, 2), (0, 2)])
    >>> [text.get_text() for text in ax.texts]
    ['x', 'f', '+']
    """
    import matplotlib.pyplot as plt

    across = check.choice(rankdir, "rankdir", ["TB", "LR"]) == "LR"
    boxes = [_checked(box, f"boxes[{k}]") for k, box in enumerate(check.sequence(boxes, "boxes"))]
    written = [[line if isinstance(line, tuple) else (text_of(line), None) for line in box.lines] for box in boxes]
    pairs, labels = [], []
    for k, arrow in enumerate(check.sequence(arrows, "arrows", empty=True)):
        arrow = check.sequence(arrow, f"arrows[{k}]")
        start, end, *label = arrow if len(arrow) in (2, 3) else check.sequence(arrow, f"arrows[{k}]", 2)
        end = check.integer(end, f"arrows[{k}]", 0, len(boxes) - 1)
        pairs.append((check.integer(start, f"arrows[{k}]", 0, end - 1), end))
        labels.append(text_of(label[0]) if label else "")

    depth = _depths(len(boxes), pairs)
    rows, chains = _routed(len(boxes), pairs, depth)
    links = [link for chain in chains for link in itertools.pairwise(chain)]
    sizes = [_size(lines) for lines in written]
    widths = {one: sizes[one][across] if one < len(boxes) else LANE for row in rows for one in row}
    rows = _sorted(rows, links)
    place = _spread(rows, links, widths, len(boxes))
    # Dónde empieza y dónde acaba cada fila.
    gap = GAP + (0.2 if across else 0.06) * any(labels)
    thick = np.array([max(sizes[k][not across] for k in row if k < len(boxes)) for row in rows])
    last = np.cumsum(thick + gap)
    bands = {one: (last[d] - thick[d], last[d]) for d, row in enumerate(rows) for one in row}
    low = min(place[one] - widths[one] / 2 for one in widths) - MARGIN
    high = max(place[one] + widths[one] / 2 for one in widths) + MARGIN

    def point(along, down):
        return (down, -along) if across else (along, -down)

    (left, top), (right, bottom) = point(low, gap - MARGIN), point(high, last[-1] + MARGIN)
    left, right, bottom, top = min(left, right), max(left, right), min(bottom, top), max(bottom, top)
    figure = plt.figure(figsize=(right - left, top - bottom), layout="none")
    ax = figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
    ax.set_axis_off()
    for k, (box, lines) in enumerate(zip(boxes, written, strict=True)):
        _draw_box(ax, point(place[k], sum(bands[k]) / 2), sizes[k], box, lines)
    arriving = {}
    for k in sorted(range(len(chains)), key=lambda k: place[chains[k][-2]]):
        arriving.setdefault(chains[k][-1], []).append(k)
    for k, (chain, label) in enumerate(zip(chains, labels, strict=True)):
        start, *bends, end = chain
        # Las flechas que llegan a una caja se reparten a lo largo de su borde.
        ports = len(arriving[end]) - 1
        reach = min(0.6 * widths[end], 0.3 * ports)
        port = place[end] + (reach * (arriving[end].index(k) / ports - 0.5) if ports else 0)
        (first, out), (into, second) = (
            (sum(bands[one]) / 2 + side * sizes[one][not across] / 2, bands[one][side > 0])[::side]
            for one, side in ((start, 1), (end, -1))
        )
        points = [(place[start], first), (place[start], out)]
        points += [(place[bend], edge) for bend in bends for edge in bands[bend]]
        points += [(port, into), (port, second)]
        _draw_arrow(ax, [point(*p) for p in points], label, across)
    return ax
