r"""Una sección que se recorre paso a paso: la directiva ``pasos``.

Se pone al principio de una sección, y las que esta contiene son los pasos. Con JavaScript se ve uno a la vez, con dos
botones para ir y volver; sin él, y en papel, se ven todos, uno debajo del otro.
"""

from docutils import nodes
from docutils.parsers.rst import Directive

CLASS = "dl-steps"


class Steps(Directive):
    r"""Dice que las secciones que hay dentro de esta son pasos; no imprime nada."""

    def run(self):
        r"""Deja una señal en su lugar."""
        return [steps_here()]


class steps_here(nodes.General, nodes.Element):  # noqa: N801 - así se nombran los nodos de docutils
    r"""La señal que deja la directiva."""


def mark_sections(doctree):
    r"""Le pone su clase a la sección de cada señal, y quita la señal.

    >>> section = nodes.section("", nodes.title("", "Uno"), steps_here())
    >>> mark_sections(section)
    >>> section["classes"], len(section)
    (['dl-steps'], 1)

    Parameters
    ----------
    doctree : docutils.nodes.Node
        Una página, o una parte.
    """
    for node in list(doctree.findall(steps_here)):
        node.parent["classes"].append(CLASS)
        node.parent.remove(node)


def setup(app):
    r"""Registra la directiva."""
    app.add_directive("pasos", Steps)
    app.connect("doctree-read", lambda app, doctree: mark_sections(doctree), priority=100)
