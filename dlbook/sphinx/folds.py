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


def fold_fields(box):
    r"""Pliega los argumentos, lo que se devuelve y los errores de cada definición impresa; lo demás queda a la vista.

    Parameters
    ----------
    box : docutils.nodes.Node
        Lo que imprimió autodoc.
    """
    for content in list(box.findall(addnodes.desc_content)):
        fields = [node for node in content.children if isinstance(node, nodes.field_list)]
        if not fields:
            continue
        at = content.index(fields[0])
        for node in fields:
            content.remove(node)
        content.insert(at, fold("Argumentos y errores", *fields))


def _open(self, node):
    self.body.append(self.starttag(node, "details", "", CLASS="dl-folded"))
    self.body.append(f"<summary>{self.encode(node['summary'])}</summary>\n")


def _close(self, node):
    self.body.append("</details>\n")


def setup(app):
    r"""Registra el nodo."""
    app.add_node(folded, html=(_open, _close))
