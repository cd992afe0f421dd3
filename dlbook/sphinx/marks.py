r"""Roles y directiva que anotan dónde trata el libro cada tema, ejemplo y errata de los cursos.

``{item}`PER-11``` marca un tema del inventario, ``{worked}`WE-10``` un ejemplo resuelto y ``{erratum}`E-02``` una
errata; ``:::{mistake} E-02`` es el recuadro de un error que cualquiera comete, contado sin la lámina. Con esas marcas
se arman los apéndices. Un identificador que no existe detiene la construcción.

Las insignias van al margen y, de entrada, no se ven: sirven a quien viene de esos cursos, que las enciende con el botón
de arriba. Sin JavaScript se ven siempre.
"""

from functools import cache

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from dlbook import course
from dlbook.sphinx import notes

logger = logging.getLogger(__name__)

# Cada clase de marca: los datos que la definen, su apéndice y cómo se lee en voz alta.
KINDS = {
    "item": (course.inventory, "apendices/mapa", "Tema {} de los cursos: {}"),
    "worked": (course.examples, "apendices/ejemplos", "Ejemplo {} de los cursos: {}"),
    "erratum": (course.errata, "apendices/erratas", "Errata {} de los cursos: {}"),
}


class course_link(nodes.Inline, nodes.TextElement):  # noqa: N801
    r"""Enlace de una marca a su apéndice, o del apéndice a la marca; se resuelve al escribir."""


def anchor(identifier):
    r"""Devuelve el ancla de un identificador en su apéndice.

    >>> anchor("PER-11")
    'curso-per-11'
    """
    return "curso-" + identifier.lower()


@cache
def known(kind):
    r"""Devuelve los datos de una clase de marca, ``{identificador: tema, ejemplo o errata}``."""
    return {e.id: e for e in KINDS[kind][0]()}


def _mark(env, kind, identifiers, location):
    for identifier in identifiers:
        if identifier not in known(kind):
            logger.warning("%s: no existe %r en los datos de los cursos", kind, identifier, location=location)
            continue
        target = f"marca-{identifier.lower()}-{env.new_serialno('dlbook-mark')}"
        notes.of_page(env)["marks"].append((kind, identifier, target))
        title = KINDS[kind][2].format(identifier, known(kind)[identifier].title)
        classes = ["dl-item", f"dl-{kind}"]
        yield course_link("", kind=kind, identifier=identifier, ids=[target], classes=classes, title=title)


def _badges(env, kind, text, location):
    # En el teléfono están plegadas: se abren al tocarlas.
    box = nodes.inline("", classes=["dl-items"])
    for k, node in enumerate(_mark(env, kind, [t.strip() for t in text.split(",")], location)):
        if k:
            box += nodes.Text(" ")
        box += node
    return box


class MarkRole(SphinxRole):
    r"""Una marca en el texto: una insignia por identificador, enlazada a su apéndice."""

    def __init__(self, kind):
        self.kind = kind

    def run(self):
        r"""Construye las insignias."""
        return [_badges(self.env, self.kind, self.text, self.get_location())], []


class Mistake(SphinxDirective):
    r"""Recuadro de un error común; si está en las láminas, su marca va al margen, como las demás."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        r"""Construye el recuadro."""
        self.assert_has_content()
        title = nodes.title("", "Error común ")
        if self.arguments:
            title += _badges(self.env, "erratum", self.arguments[0], self.get_location())
        box = nodes.admonition("", title, classes=["admonition", "warning", "dl-erratum"])
        self.state.nested_parse(self.content, self.content_offset, box)
        return [box]


def _is_box(node):
    return isinstance(node, nodes.inline) and "dl-items" in node["classes"]


def _close_up(doctree):
    # El espacio de antes se esconde con la insignia: si no, al punto que sigue le quedaría uno delante.
    for box in reversed(list(doctree.findall(_is_box))):
        siblings, k = box.parent, box.parent.index(box)
        # Entre esta insignia y el punto puede haber otras, que también se esconden.
        before, after = siblings[k - 1 : k], [n for n in siblings[k + 1 :] if n.astext() and not _is_box(n)][:1]
        spaced = before and isinstance(before[0], nodes.Text) and before[0][-1:].isspace()
        if spaced and after and isinstance(after[0], nodes.Text) and after[0].startswith(tuple(".,;:)»?!…")):
            siblings[k - 1] = nodes.Text(before[0].rstrip())
            box.insert(0, nodes.inline("", " "))


def _resolve(app, doctree, docname):
    _close_up(doctree)
    for node in list(doctree.findall(course_link)):
        uri = app.builder.get_relative_uri(docname, KINDS[node["kind"]][1]) + "#" + anchor(node["identifier"])
        link = nodes.reference(
            "", "", nodes.Text(node["identifier"]), internal=True, refuri=uri, reftitle=node["title"]
        )
        node.replace_self(nodes.inline("", "", link, ids=node["ids"], classes=node["classes"]))


# Antes de pintar nada: lo que la última vez se eligió y, si no se eligió, sin insignias.
QUIET = """
try { document.documentElement.classList.toggle("dl-quiet", localStorage.getItem("dl-marks") !== "show") }
catch { document.documentElement.classList.add("dl-quiet") }
"""


def _button(app, pagename, templatename, context, doctree):
    # Solo donde hay algo que enseñar y dónde poner el botón. Lo que hace está en ``libro.js``.
    if 'class="dl-items"' in context.get("body", "") and "header_buttons" in context:
        button = {"type": "javascript", "javascript": "alternarTemas()", "icon": "fas fa-tags"}
        button |= {"label": "dl-marks", "tooltip": "Mostrar u ocultar los temas de los cursos"}
        context["header_buttons"].append(button | {"classes": "pst-navbar-icon"})


def setup(app):
    r"""Registra los roles, la directiva, el botón y la resolución de los enlaces."""
    app.add_js_file(None, body=QUIET, priority=50)
    app.connect("html-page-context", _button, priority=900)
    for kind in KINDS:
        app.add_role(kind, MarkRole(kind))
    app.add_directive("mistake", Mistake)
    app.add_node(course_link)
    app.connect("doctree-resolved", _resolve)
