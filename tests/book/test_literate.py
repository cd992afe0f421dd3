"""El pacto entre docstring, ecuación y código, comprobado sobre las fuentes."""

import ast
import collections
import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted([*ROOT.glob("chapters/**/*.py"), *ROOT.glob("dlbook/**/*.py")])
PAGES = sorted(ROOT.glob("docs/**/*.md"))
TAG = re.compile(r"#.*?\[(e[cd]-[a-z0-9-]+)\]")
# El código de ejemplo de una página no es ni su prosa ni el código del libro.
SAMPLE = re.compile(r"^```\{code-block\}.*?^```", re.DOTALL | re.MULTILINE)
LABEL = re.compile(r"^\s*:label:\s*(e[cd]-[a-z0-9-]+)\s*$|\$\$\s*\((e[cd]-[a-z0-9-]+)\)", re.MULTILINE)
# Cómo se llaman en una página las figuras de las celdas, las directivas y los lugares.
NAMED = re.compile(r"^ +name: ((?:fig|tab)-[\w-]+)|^:(?:name|label): ([\w-]+)|^\(([\w-]+)\)=", re.MULTILINE)


def docstrings(path):
    """Pares (nodo, constante) de los docstrings de un archivo."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            yield node, node.body[0].value


def code_without_docstrings(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    for _, constant in docstrings(path):
        for i in range(constant.lineno - 1, constant.end_lineno):
            lines[i] = ""
    return "\n".join(lines)


def labels():
    found = []
    for path in PAGES:
        found += [a or b for a, b in LABEL.findall(SAMPLE.sub("", path.read_text(encoding="utf-8")))]
    for path in SOURCES:
        for _, constant in docstrings(path):
            found += [a or b for a, b in LABEL.findall(constant.value)]
    return found


def tags():
    return {tag: path.name for path in SOURCES for tag in TAG.findall(code_without_docstrings(path))}


def test_every_tag_in_the_code_names_a_labelled_equation():
    known = set(labels())
    assert {tag: name for tag, name in tags().items() if tag not in known} == {}


def test_every_equation_marked_as_implemented_has_its_line():
    # Una etiqueta ec-… promete una línea de código; ed-… es un paso de la derivación y no promete nada.
    in_code = tags()
    assert [label for label in labels() if label.startswith("ec-") and label not in in_code] == []


def test_no_label_is_used_twice():
    # Sphinx, que lee varias páginas a la vez, solo lo advierte si las dos le tocan al mismo proceso.
    pages = [SAMPLE.sub("", path.read_text(encoding="utf-8")) for path in PAGES]
    found = labels() + ["".join(names) for page in pages for names in NAMED.findall(page)]
    assert [label for label, times in collections.Counter(found).items() if times > 1] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_docstrings_with_backslashes_are_raw(path):
    source = path.read_text(encoding="utf-8")
    not_raw = []
    for node, constant in docstrings(path):
        text = ast.get_source_segment(source, constant)
        if "\\" in text and not text.lower().startswith("r"):
            not_raw.append(getattr(node, "name", path.name))
    assert not_raw == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_an_example_does_not_run_into_its_paragraph(path):
    # Sin una línea en blanco antes, ``>>>`` se imprime como una palabra más.
    blocks = [b.strip() for _, constant in docstrings(path) for b in re.split(r"\n\s*\n", constant.value)]
    # El título de una sección va pegado a su contenido.
    blocks = [re.sub(r"^\w+\n\s*-+\n\s*", "", block) for block in blocks]
    assert [b for b in blocks if re.search(r"^\s*>>> ", b, re.MULTILINE) and not b.startswith(">>> ")] == []


def test_no_doctest_is_skipped():
    skipped = [p.name for p in SOURCES + PAGES if re.search(r"doctest:\s*\+SKIP", p.read_text(encoding="utf-8"))]
    assert skipped == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_public_objects_have_a_docstring(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public = [
        node.name
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert public == []


UNIT = re.compile(r"^```\{unit\} (\S+)", re.MULTILINE)
ROLES = "(?:py:)?(?:class|func|meth|attr|exc|mod)"
ROLE = re.compile(rf":{ROLES}:`([^`]+)`|\{{{ROLES}\}}`([^`]+)`")


def printed_units():
    """Cada objeto impreso, con el nombre con que se imprime."""
    for path in PAGES:
        for name in UNIT.findall(path.read_text(encoding="utf-8")):
            module, _, attribute = name.rpartition(".")
            obj = getattr(importlib.import_module(module), attribute)
            yield name, getattr(obj, "py_func", obj)


def members(cls):
    # Los que imprime autodoc: públicos, propios y con docstring.
    own = vars(cls).items()
    return {name: m for name, m in own if not name.startswith("_") and getattr(m, "__doc__", None)}


def test_the_links_to_code_lead_to_something_printed():
    # Un enlace a un objeto que ninguna página imprime, o con otro nombre, queda muerto, y Sphinx no avisa.
    units = dict(printed_units())
    targets = set(units)
    texts = [("", "", path.name, SAMPLE.sub("", path.read_text(encoding="utf-8"))) for path in PAGES]
    for name, obj in units.items():
        module = name.rpartition(".")[0]
        texts.append((module, name if inspect.isclass(obj) else "", name, inspect.getdoc(obj) or ""))
        for member, value in members(obj).items() if inspect.isclass(obj) else ():
            targets.add(f"{name}.{member}")
            texts.append((module, name, f"{name}.{member}", value.__doc__))
    dead = []
    for module, cls, where, text in texts:
        for match in ROLE.finditer(text):
            target = (match[1] or match[2]).split("<")[-1].strip("~>()")
            # Como Sphinx: tal cual, en la clase y en el módulo de quien lo dice.
            if not {target, f"{cls}.{target}", f"{module}.{target}"} & targets:
                dead.append(f"{where}: {target}")
    assert dead == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_the_first_line_of_a_property_has_no_colon(path):
    # Sphinx tomaría lo que va antes de los dos puntos por el tipo de la propiedad.
    decorated = (
        (node, constant.value.strip().splitlines()[0])
        for node, constant in docstrings(path)
        if "property" in str([getattr(d, "id", "") for d in getattr(node, "decorator_list", [])])
    )
    assert [node.name for node, first in decorated if ": " in first] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_figure_of_a_page_is_described(path):
    page = path.read_text(encoding="utf-8")
    cells = re.findall(r"^```\{code-cell\}[^\n]*\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    drawn = [c for c in cells if re.search(r"^(?!.*use_style).*\b(plot\.[a-z]\w*\(|plt\.subplots)", c, re.MULTILINE)]
    assert [c[:80] for c in drawn if "alt:" not in c and "[remove-cell]" not in c] == []
