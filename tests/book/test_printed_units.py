"""Todo lo que exporta un capítulo terminado está impreso en una página, y en una sola, y cada listado se cierra."""

import ast
import importlib
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from dlbook.sphinx import definitions
from dlbook.sphinx.listing import printed as printed_by
from dlbook.sphinx.listing import printed_with, resolve

ROOT = Path(__file__).resolve().parents[2]
FINISHED = ["introduction", "perceptron", "mlp", "cnn", "autoencoder", "rnn", "attention"]
UNIT = re.compile(r"^`{3,}\{unit\} *(\S+)", re.MULTILINE)


def definition(name):
    """Archivo y línea donde está definido algo, se llame como se llame al imprimirlo."""
    path, _, node = resolve(name)
    return path, node.lineno


@pytest.fixture(scope="module")
def printed():
    pages = [path.read_text(encoding="utf-8") for path in ROOT.glob("docs/**/*.md")]
    return Counter(definition(name) for page in pages for name in UNIT.findall(page))


@pytest.mark.parametrize("chapter", FINISHED)
def test_every_public_name_is_printed_by_exactly_one_page(chapter, printed):
    package = importlib.import_module(f"chapters.{chapter}")
    public = [name for name in package.__all__ if not isinstance(getattr(package, name), ModuleType)]
    times = {name: printed[definition(f"chapters.{chapter}.{name}")] for name in public}
    assert {name: n for name, n in times.items() if n != 1} == {}


def test_no_page_prints_what_another_already_did(printed):
    assert [place for place, n in printed.items() if n > 1] == []


def listings():
    """Cada directiva de cada página, con el archivo y las definiciones que imprime."""
    for page, found in printed_by(ROOT / "docs").items():
        for directive, (path, name) in found:
            alone = [definitions.read(path).definitions[name]]
            shown = printed_with(path, name, ROOT / "docs", page) if directive == "unit" else alone
            yield page, name, definitions.read(path), shown


def test_every_directive_is_found_by_reading_the_sources():
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("docs/**/*.md"))}
    names = [name for text in pages.values() for name in re.findall(r"^`{3,}\{(?:unit|listing)\} *(\S+)", text, re.M)]
    there = [(source.path, name) for _, name, source, _ in listings()]
    assert there == [(path, node.name) for path, _, node in map(resolve, names)]


def private_names(node):
    """Los nombres con guion bajo, los que ahí se definen y los que ahí se leen."""
    defined, read = set(), set()
    for n in ast.walk(node):
        if isinstance(n, (ast.Name, ast.Attribute)):
            (read if isinstance(n.ctx, ast.Load) else defined).add(n.id if isinstance(n, ast.Name) else n.attr)
        elif isinstance(n, (ast.FunctionDef, ast.ClassDef)):
            defined.add(n.name)
        elif isinstance(n, ast.arg):
            defined.add(n.arg)
    return defined, {name for name in read if name.startswith("_") and not name.endswith("_")}


def test_every_private_name_of_a_listing_is_shown_there_or_linked():
    loose = {}
    for page, name, source, shown in listings():
        names = [private_names(node) for node in shown]
        defined = set().union(*(d for d, _ in names))
        linked = {text for node in shown for _, _, text, _ in definitions.uses(source, node)}
        if found := set().union(*(read for _, read in names)) - defined - linked:
            loose[f"{page}: {name}"] = sorted(found)
    assert loose == {}


def test_every_link_of_a_listing_stands_on_its_name():
    # Una columna equivocada pondría el enlace en otra palabra, o en ninguna.
    for _, _, source, shown in listings():
        for node in shown:
            for line, column, text, (path, name) in definitions.uses(source, node):
                assert source.lines[line - 1][column:].startswith(text)
                assert name in definitions.read(path).definitions


def test_no_page_prints_the_same_lines_twice():
    lines = Counter((page, source.path, node.lineno) for page, _, source, shown in listings() for node in shown)
    assert [place for place, times in lines.items() if times > 1] == []


def test_no_kernel_is_printed_by_two_units():
    times = Counter()
    for page, found in printed_by(ROOT / "docs").items():
        for path, name in (target for directive, target in found if directive == "unit"):
            times.update((path, node.lineno) for node in printed_with(path, name, ROOT / "docs", page))
    assert [place for place, n in times.items() if n > 1] == []


def test_every_line_that_computes_an_equation_is_printed():
    # Una ecuación promete su línea: si ninguna unidad imprime el núcleo, la promesa no se ve.
    printed = {(s.path, k) for _, _, s, shown in listings() for n in shown for k in range(n.lineno, n.end_lineno + 1)}
    hidden = []
    for path in {path for path, _ in printed}:
        for number, line in enumerate(definitions.read(path).lines, start=1):
            if re.search(r"# .*\[ec-[a-z0-9-]+\]$", line) and (path, number) not in printed:
                hidden.append(f"{path.name}:{number}")
    assert hidden == []
