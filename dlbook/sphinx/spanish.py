r"""Dos retoques de español a lo que otras extensiones escriben: «Solución al Ejercicio 1.1» y «Lanza: ValueError»."""

from docutils import nodes

WORDS = {"Solución a": "Solución al", "Muestra": "Lanza"}


def _mend(app, doctree, docname):
    for node in doctree.findall(lambda n: isinstance(n, (nodes.title, nodes.field_name))):
        first = node.children[0] if node.children else None
        if isinstance(first, nodes.Text) and first.astext().strip() in WORDS:
            node.replace(first, nodes.Text(WORDS[first.astext().strip()]))


def setup(app):
    r"""Registra los retoques, después de que las demás extensiones escriban sus títulos."""
    app.connect("doctree-resolved", _mend, priority=900)
