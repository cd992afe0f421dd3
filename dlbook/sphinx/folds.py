r"""Lo que no todos necesitan, plegado: los argumentos de una función y el código que se ejecuta.

Se usa ``<details>``, que se abre sin JavaScript; se imprime abierto.
"""

from docutils import nodes
from sphinx import addnodes


class folded(nodes.General, nodes.Element):  # noqa: N801 - así se nombran los nodos de docutils
    r"""Un bloque que se abre al tocar su título, ``summary``."""


def fold(summary, *children):
    r"""Pliega unos nodos bajo un título.

    Examples
    --------
    >>> fold("Más", nodes.paragraph("", "algo")).astext()
    'algo'
    """
    return folded("", *children, summary=summary)


def fold_reference(box):
    r"""Pliega de cada definición impresa lo que solo se consulta; la derivación y el ejemplo quedan a la vista.

    Son los argumentos, lo que se devuelve y los errores; y de una clase, los métodos de los que solo se dice qué hacen.

    Parameters
    ----------
    box : docutils.nodes.Node
        Lo que imprimió autodoc.
    """
    for content in list(box.findall(addnodes.desc_content)):
        _gather(content, "Argumentos y errores", lambda node: isinstance(node, nodes.field_list))
        _gather(content, "Métodos", _is_bare)


def _is_bare(node):
    shown = nodes.doctest_block, nodes.literal_block, nodes.math_block, nodes.table
    return isinstance(node, addnodes.desc) and not any(node.findall(lambda inner: isinstance(inner, shown)))


def _gather(content, summary, chosen):
    found = [node for node in content.children if chosen(node)]
    if found:
        at = content.index(found[0])
        for node in found:
            content.remove(node)
        content.insert(at, fold(summary, *found))


def _open(self, node):
    self.body.append(self.starttag(node, "details", "", CLASS="dl-folded"))
    self.body.append(f"<summary>{self.encode(node['summary'])}</summary>\n")


def _close(self, node):
    self.body.append("</details>\n")


def setup(app):
    r"""Registra el nodo."""
    app.add_node(folded, html=(_open, _close))
