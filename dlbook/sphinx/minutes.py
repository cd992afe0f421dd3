r"""Cuánto se tarda en leer una página: se calcula al construirla y se imprime bajo su título.

Cuenta lo que está a la vista; lo plegado, como las soluciones y el código que se ejecuta, lo lee quien quiere.
"""

from docutils import nodes
from sphinx_design.shared import is_component

from dlbook.sphinx.folds import folded

# Segundos por cada cosa. Un texto que enseña se lee más despacio que una novela, y una ecuación se mira varias veces.
SECONDS = {"words": 60 / 180, "formulas": 2, "equations": 40, "figures": 30, "lines": 3}
# Las páginas que se consultan, y no se leen de corrido.
CONSULTED = "apendices/", "index"


def count(node):
    r"""Cuenta lo que se lee de un nodo, sin lo plegado.

    >>> count(nodes.paragraph("", "", nodes.Text("El doble de "), nodes.math("", "x"), nodes.Text(".")))
    {'words': 4, 'formulas': 1, 'equations': 0, 'figures': 0, 'lines': 0}
    >>> from sphinx_design.shared import create_component
    >>> count(create_component("dropdown", children=[nodes.paragraph("", "Lo que pocos necesitan.")]))["words"]
    0

    Parameters
    ----------
    node : docutils.nodes.Node
        Una página, o una parte.

    Returns
    -------
    dict
        Palabras, fórmulas en la línea, ecuaciones aparte, figuras y líneas de código.
    """
    found = dict.fromkeys(SECONDS, 0)

    def visit(node):
        classes = node.get("classes", ()) if isinstance(node, nodes.Element) else ()
        if isinstance(node, folded) or "dropdown" in classes or "dl-items" in classes:
            return
        # Un recuadro ``{dropdown}``, cuando aún no es más que una caja con su nombre.
        if is_component(node, "dropdown"):
            return
        if isinstance(node, nodes.Text):
            found["words"] += len(node.split())
        elif isinstance(node, nodes.math):
            found["formulas"] += 1
        elif isinstance(node, nodes.math_block):
            found["equations"] += 1
        elif isinstance(node, nodes.image):
            found["figures"] += 1
        elif isinstance(node, (nodes.literal_block, nodes.doctest_block)):
            found["lines"] += len(node.astext().splitlines())
        else:
            hidden = "tag_hide-input" in classes
            for child in node.children:
                if not (hidden and "cell_input" in child.get("classes", ())):
                    visit(child)

    visit(node)
    return found


def minutes(found):
    r"""Convierte en minutos lo que contó :func:`count`.

    >>> minutes({"words": 1800, "formulas": 0, "equations": 6, "figures": 0, "lines": 20})
    15

    Parameters
    ----------
    found : dict
        Cuánto hay de cada cosa.

    Returns
    -------
    int
    """
    return round(sum(SECONDS[name] * n for name, n in found.items()) / 60)


def _print(app, doctree):
    page = app.env.docname
    if page.startswith(CONSULTED) or page.endswith("/index"):
        return
    found = minutes(count(doctree))
    title = next(iter(doctree.findall(nodes.title)), None)
    if title is not None and found:
        text = "Se lee en un minuto" if found == 1 else f"Se lee en unos {found} minutos"
        place = title.parent.index(title) + 1
        title.parent.insert(place, nodes.paragraph("", text, classes=["dl-minutes"]))


def setup(app):
    r"""Registra la cuenta."""
    app.connect("doctree-read", _print, priority=900)
