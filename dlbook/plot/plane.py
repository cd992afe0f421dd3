r"""Puntos, regiones y rectas en el plano."""

import numpy as np

from dlbook import check
from dlbook.plot.arguments import axes, texts
from dlbook.plot.style import COLORS, GRAY, MARKERS


def _classes(y, name):
    classes = np.unique(y)
    if (classes != np.floor(classes)).any():
        raise ValueError(
            f"{name}: se esperaban clases enteras, pero llegó {classes[classes != np.floor(classes)][0]:g}"
        )
    if classes.size > len(MARKERS):
        raise ValueError(f"{name}: se esperaban a lo sumo {len(MARKERS)} clases, pero llegaron {classes.size}")
    return classes


def _labelled(x, y):
    sizes = {}
    x = check.floats(x, "x", "n 2", sizes)
    y = check.floats(y, "y", "n", sizes)
    return x, y, _classes(y, "y")


def _class_names(names, classes):
    return None if names is None else texts(names, "names", len(classes))


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
    return _points(x, y, classes, axes(ax), _class_names(names, classes))


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
    check.function(predict, "predict", 1)
    ax = axes(ax)
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
    ax = axes(ax)
    # El punto de la recta más cercano al origen está en la dirección de w.
    foot = -b * w / (w @ w)
    slope = -w[0] / w[1] if w[1] else np.inf
    ax.axline(tuple(foot), slope=slope, **{"color": GRAY, "linestyle": "-", **style})
    return ax
