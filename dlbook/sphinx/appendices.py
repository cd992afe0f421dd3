r"""Directivas que arman los apéndices de los cursos con sus datos y con las marcas de todo el libro."""

from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective, SphinxRole

from dlbook import course
from dlbook.sphinx import notes
from dlbook.sphinx.marks import KINDS, anchor, known

CHAPTERS = {
    "intro": "Introducción",
    "perceptron": "El perceptrón",
    "mlp": "El perceptrón multicapa",
    "cnn": "Redes convolucionales",
    "autoencoder": "Autocodificadores",
    "rnn": "Redes recurrentes",
    "attention": "Atención",
}
ITEM_KINDS = {
    "claim": "afirmación",
    "concept": "concepto",
    "definition": "definición",
    "equation": "ecuación",
    "reference": "referencia",
    "worked_example": "ejemplo",
    "application": "aplicación",
    "architecture": "arquitectura",
    "algorithm": "algoritmo",
    "exercise": "ejercicio",
    "history": "historia",
    "dataset": "datos",
}


class course_places(nodes.Inline, nodes.TextElement):  # noqa: N801
    r"""Los lugares del libro que tratan un identificador; se llenan al escribir."""


class course_count(nodes.Inline, nodes.TextElement):  # noqa: N801
    r"""Cuántos identificadores de un capítulo se tratan; se llena al escribir."""


class PlacesRole(SphinxRole):
    r"""``{places}`item PER-11```: enlaces a los lugares donde el libro trata el tema."""

    def run(self):
        r"""Deja el hueco que se llena al escribir."""
        kind, identifier = self.text.split()
        return [course_places("", "", kind=kind, identifier=identifier)], []


class AnchorRole(SphinxRole):
    r"""``{course-anchor}`PER-11```: el identificador, con el ancla a la que apuntan sus marcas."""

    def run(self):
        r"""Construye el ancla."""
        node = nodes.inline("", self.text, ids=[anchor(self.text)], classes=["dl-id"])
        return [node], []


class CountRole(SphinxRole):
    r"""``{course-count}`item perceptron```: «34 de 35»."""

    def run(self):
        r"""Deja el hueco que se llena al escribir."""
        kind, chapter = self.text.split()
        return [course_count("", "", kind=kind, chapter=chapter)], []


class _Appendix(SphinxDirective):
    def run(self):
        for path in Path(course.__file__).parent.iterdir():
            self.env.note_dependency(str(path))
        box = nodes.Element()
        self.state.nested_parse(StringList(list(self.lines()), source="dlbook/course"), 0, box, match_titles=True)
        return box.children

    def chapters(self, entries):
        for chapter, title in CHAPTERS.items():
            chosen = [e for e in entries if e.chapter == chapter]
            if chosen:
                yield from ["", f"## {title}", ""]
                yield chapter, chosen

    @staticmethod
    def summary(e, kind, text):
        courses = "Curso" if len(e.courses) == 1 else "Cursos"
        return f"{courses} {', '.join(e.courses)} · {text} · en el libro: {{places}}`{kind} {e.id}`"

    @staticmethod
    def field(name, text):
        yield from ["", f"**{name}** {text.strip()}" if "\n" not in text.strip() else f"**{name}**", ""]
        if "\n" in text.strip():
            yield from text.strip().splitlines()
            yield ""


class CourseMap(_Appendix):
    r"""Tabla de todos los temas del inventario, con los lugares que los tratan."""

    def lines(self):
        r"""Escribe el apéndice en Markdown."""
        for part in self.chapters(course.inventory()):
            if isinstance(part, str):
                yield part
                continue
            chapter, items = part
            yield f"Se tratan {{course-count}}`item {chapter}` temas."
            yield from ["", "| Tema | De qué trata | Clase | Cursos | Dónde |", "|---|---|---|---|---|"]
            for e in items:
                cells = [
                    f"{{course-anchor}}`{e.id}`",
                    e.title.replace("|", r"\|"),
                    ITEM_KINDS[e.kind],
                    " ".join(e.courses),
                    f"{{places}}`item {e.id}`",
                ]
                yield "| " + " | ".join(cells) + " |"


class CourseExamples(_Appendix):
    r"""Los ejemplos resueltos de los cursos: el valor de la lámina, el nuestro y dónde se trata."""

    def lines(self):
        r"""Escribe el apéndice en Markdown."""
        for part in self.chapters(course.examples()):
            if isinstance(part, str):
                yield part
                continue
            chapter, examples = part
            yield f"El libro ya trabaja {{course-count}}`worked {chapter}` ejemplos de esta parte."
            for e in examples:
                yield from ["", f"### {{course-anchor}}`{e.id}` · {e.title}", ""]
                yield self.summary(e, "worked", f"veredicto: **{e.verdict}**")
                yield from self.field("La lámina:", e.slide)
                yield from self.field("Nosotros:", e.ours)


class CourseErrata(_Appendix):
    r"""La fe de erratas: lo que dice la lámina, lo correcto y la prueba."""

    def lines(self):
        r"""Escribe el apéndice en Markdown."""
        for part in self.chapters(course.errata()):
            if isinstance(part, str):
                yield part
                continue
            chapter, errata = part
            yield f"El libro ya explica {{course-count}}`erratum {chapter}` erratas de esta parte."
            for e in errata:
                weight = "afecta a un número o a un algoritmo" if e.grave else "afecta a la explicación"
                yield from ["", f"### {{course-anchor}}`{e.id}` · {e.title}", ""]
                yield self.summary(e, "erratum", f"{e.section} · {weight}")
                yield from self.field("Dice:", e.says)
                yield from self.field("Correcto:", e.correct)
                yield from self.field("Prueba:", e.proof)


def _marks(env):
    found = {}
    for page, (kind, identifier, target) in notes.gather(env, "marks"):
        found.setdefault((kind, identifier), []).append((page, target))
    return found


def _fill(app, doctree, docname):
    marks = _marks(app.env)
    for node in list(doctree.findall(course_places)):
        places = marks.get((node["kind"], node["identifier"]), [])
        box = nodes.inline("", classes=["dl-places"])
        pages = {}
        for page, target in places:
            pages.setdefault(page, target)
        for k, (page, target) in enumerate(pages.items()):
            if k:
                box += nodes.Text(", ")
            uri = app.builder.get_relative_uri(docname, page) + "#" + target
            title = app.env.titles[page].astext()
            box += nodes.reference("", "", nodes.Text(title), internal=True, refuri=uri)
        if not places:
            box += nodes.Text("por escribir")
            box["classes"].append("dl-pending")
        node.replace_self(box)
    for node in list(doctree.findall(course_count)):
        chosen = [e.id for e in known(node["kind"]).values() if e.chapter == node["chapter"]]
        done = sum((node["kind"], i) in marks for i in chosen)
        node.replace_self(nodes.Text(f"{done} de {len(chosen)}"))


def _rewrite(app, env):
    return [page for _, page, _ in KINDS.values() if page in env.found_docs]


def setup(app):
    r"""Registra directivas y roles; los apéndices se escriben de nuevo en cada construcción."""
    app.add_directive("course-map", CourseMap)
    app.add_directive("course-examples", CourseExamples)
    app.add_directive("course-errata", CourseErrata)
    app.add_role("places", PlacesRole())
    app.add_role("course-anchor", AnchorRole())
    app.add_role("course-count", CountRole())
    app.add_node(course_places)
    app.add_node(course_count)
    app.connect("doctree-resolved", _fill)
    app.connect("env-updated", _rewrite)
