r"""Retoques de español a lo que otras extensiones escriben: «Solución al Ejercicio 1.1», «Lanza: ValueError».

Y a los títulos: una palabra larga lleva marcado dónde se puede partir, para que en un teléfono se parta por sílabas.
"""

import re

from docutils import nodes
from pyphen import Pyphen

WORDS = {"Solución a": "Solución al", "Muestra": "Lanza"}
HEADING = re.compile(r"(<h[1-4][ >].*?</h[1-4]>)", re.DOTALL)
# Fuera de las etiquetas y de lo que es código.
TEXT = re.compile(r"<code.*?</code>|<[^>]*>|([^<>]+)", re.DOTALL)
LONG = re.compile(r"[a-záéíóúüñ]{10,}", re.IGNORECASE)
SOFT_HYPHEN = "\u00ad"
syllables = Pyphen(lang="es")


def _mend(app, doctree, docname):
    for node in doctree.findall(lambda n: isinstance(n, (nodes.title, nodes.field_name))):
        first = node.children[0] if node.children else None
        if isinstance(first, nodes.Text) and first.astext().strip() in WORDS:
            node.replace(first, nodes.Text(WORDS[first.astext().strip()]))


def divisible(html):
    r"""Marca en unos títulos por dónde se parten sus palabras largas.

    >>> divisible("<h1>La retropropagación</h1>").replace(SOFT_HYPHEN, "·")
    '<h1>La re·tro·pro·pa·ga·ción</h1>'

    Parameters
    ----------
    html : str
        Una página; lo que no es título queda igual.

    Returns
    -------
    str
    """

    def divide(text):
        return LONG.sub(lambda word: syllables.inserted(word[0], SOFT_HYPHEN), text)

    def heading(found):
        return TEXT.sub(lambda part: divide(part[1]) if part[1] else part[0], found[0])

    return HEADING.sub(heading, html)


def _divide(app, pagename, templatename, context, doctree):
    if "body" in context:
        context["body"] = divisible(context["body"])


def setup(app):
    r"""Registra los retoques, después de que las demás extensiones escriban sus títulos."""
    app.connect("doctree-resolved", _mend, priority=900)
    app.connect("html-page-context", _divide)
