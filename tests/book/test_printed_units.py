"""Todo lo que exporta un capítulo terminado está impreso en una página, y en una sola."""

import importlib
import re
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from dlbook.sphinx.listing import resolve

ROOT = Path(__file__).resolve().parents[2]
FINISHED = ["introduction", "perceptron", "mlp", "cnn"]
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
