r"""El estilo de todas las figuras: se lee igual de bien en claro que en oscuro.

El fondo es transparente y el color lo pone la página: blanco de día y negro de noche. Pocos grises contrastan 4.5 a 1
con los dos a la vez: su luminancia tiene que caer entre 0.175 y 0.183, y ahí está ``GRAY``. Los colores de las clases
contrastan al menos 3 a 1 con ambos fondos, y quien no distingue bien los colores encuentra además un marcador y un
trazo distinto por clase.
"""

import sys

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
