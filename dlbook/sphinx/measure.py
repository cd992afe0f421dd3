r"""Lo que la construcción mide del propio libro: pruebas, celdas, ecuaciones con código, temas tratados.

``{measured}`doctests``` imprime un número; ``{measured-table}``, la tabla por capítulo.
"""

import ast
import doctest
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective, SphinxRole

from dlbook import course
from dlbook.sphinx import notes
from dlbook.sphinx.appendices import CHAPTERS

logger = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[2]
PARSER = doctest.DocTestParser()

NAMES = {
    "pages": "páginas",
    "units": "unidades",
    "doctests": "ejemplos probados",
    "cells": "celdas ejecutadas",
    "equations": "ecuaciones numeradas",
    "equations-with-code": "ecuaciones con línea de código",
    "tagged-lines": "líneas que citan su ecuación",
    "exercises": "ejercicios",
    "solutions": "soluciones",
}


class measured(nodes.Inline, nodes.TextElement):  # noqa: N801
    r"""Un número que se conoce al terminar de leer el libro."""


class measured_table(nodes.General, nodes.Element):  # noqa: N801
    r"""La tabla de medidas por parte del libro."""


class MeasuredRole(SphinxRole):
    r"""``{measured}`cells```: una medida de todo el libro."""

    def run(self):
        r"""Deja el hueco que se llena al escribir."""
        return [measured("", "", name=self.text)], []


class MeasuredTable(SphinxDirective):
    r"""``{measured-table}``: una fila por parte del libro."""

    def run(self):
        r"""Deja el hueco que se llena al escribir."""
        return [measured_table()]


def count_doctests(path):
    r"""Cuenta los ejemplos ``>>>`` de los docstrings de un archivo.

    >>> count_doctests(Path(__file__)) > 0
    True
    """
    total = 0
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            total += len(PARSER.get_examples(ast.get_docstring(node, clean=False) or ""))
    return total


def _count(app, doctree):
    if app.env.docname.startswith("_"):
        return
    counts = notes.of_page(app.env)["counts"]

    def class_name(node):
        return type(node).__name__

    counts["pages"] = 1
    counts["cells"] = sum(n.get("nb_element") == "cell_code" for n in doctree.findall(nodes.container))
    counts["exercises"] = sum(class_name(n) in ("exercise_node", "exercise_enumerable_node") for n in doctree.findall())
    counts["solutions"] = sum(class_name(n) in ("solution_node", "solution_start_node") for n in doctree.findall())
    # Los ejemplos de las unidades se cuentan en su archivo; aquí, los escritos en la propia página.
    units = {id(d) for u in doctree.findall(addnodes.desc) for d in u.findall(nodes.doctest_block)}
    fences = [n for n in doctree.findall(nodes.literal_block) if n.get("language") in ("python", "pycon")]
    own = [n for n in doctree.findall(nodes.doctest_block) if id(n) not in units]
    counts["doctests"] = sum(n.astext().count(">>> ") for n in own + fences if ">>> " in n.astext())


def _measure(env):
    r"""Devuelve ``{parte: {medida: número}}``; la parte es la carpeta de la página o el capítulo del código."""
    tagged = {}
    for _, (label, place, number) in notes.gather(env, "tags"):
        tagged.setdefault(label, set()).add((place, number))
    parts = {}
    for docname, page in sorted(notes.all_pages(env).items()):
        part = parts.setdefault(docname.split("/")[0] if "/" in docname else "", dict.fromkeys(NAMES, 0))
        for name, value in page["counts"].items():
            part[name] += value
        part["units"] += len(page["units"])
        labels = set(page["labels"])
        part["equations"] += len(labels)
        part["equations-with-code"] += len(labels & set(tagged))
        part["tagged-lines"] += sum(len(tagged[label]) for label in labels & set(tagged))
    for folder in ("dlbook", "chapters"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            chapter = path.relative_to(ROOT).parts[1] if folder == "chapters" else "dlbook"
            part = parts.setdefault(CODE_TO_PAGES.get(chapter, chapter), dict.fromkeys(NAMES, 0))
            part["doctests"] += count_doctests(path)
    return {k: v for k, v in parts.items() if any(v.values())}


# Carpeta de código → carpeta de páginas, donde no se llaman igual.
CODE_TO_PAGES = {"introduction": "introduccion", "__init__.py": "dlbook", "keras": "dlbook"}
TITLES = {"apendices": "Apéndices", "dlbook": "El banco (dlbook)"}
# Las columnas de la tabla: las que caben en un teléfono.
SHOWN = "doctests", "cells", "equations", "exercises"


def _fill(app, doctree, docname):
    wanted = list(doctree.findall(measured))
    tables = list(doctree.findall(measured_table))
    if not wanted and not tables:
        return
    parts = _measure(app.env)
    totals = {name: sum(part[name] for part in parts.values()) for name in NAMES}
    items = {i for _, (kind, i, _) in notes.gather(app.env, "marks") if kind == "item"}
    totals["items-treated"] = len(items)
    totals["items-total"] = len(course.inventory())
    totals["public-functions"] = totals["units"]
    for node in wanted:
        if node["name"] not in totals:
            logger.warning(
                "measured: se esperaba una de %s, pero llegó %r", ", ".join(totals), node["name"], location=node
            )
            continue
        node.replace_self(nodes.Text(f"{totals[node['name']]}"))
    for node in tables:
        names = {"": "Portada y prefacio", "introduccion": "Introducción"} | CHAPTERS | TITLES
        # En el orden del libro; lo que no tiene título, al final y con el nombre de su carpeta.
        order = [key for key in names if key in parts] + [key for key in parts if key not in names]
        rows = [[names.get(key, key), parts[key]] for key in order] + [["Total", totals]]
        head = ["Parte", *(NAMES[name].split()[0] for name in SHOWN)]
        rows = [[title, *(str(part[name]) for name in SHOWN)] for title, part in rows]
        node.replace_self(_table(head, rows))


def _table(head, rows):
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    for kind, part in ((nodes.thead, [head]), (nodes.tbody, rows)):
        body = kind()
        for row in part:
            cells = [nodes.entry("", nodes.paragraph("", text)) for text in row]
            body += nodes.row("", *cells)
        group += body
    return nodes.table("", group, classes=["dl-measures"])


def _rewrite(app, env):
    return [page for page in ("apendices/verificacion",) if page in env.found_docs]


def setup(app):
    r"""Registra el rol, la directiva y las cuentas."""
    app.add_role("measured", MeasuredRole())
    app.add_directive("measured-table", MeasuredTable)
    app.add_node(measured)
    app.add_node(measured_table)
    app.connect("doctree-read", _count)
    app.connect("doctree-resolved", _fill)
    app.connect("env-updated", _rewrite)
