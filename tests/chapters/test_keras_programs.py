"""Programas como los de los tutoriales dan lo mismo en las dos bibliotecas, con una línea distinta."""

import functools
import json
import re
from pathlib import Path

import pytest

from tests import programs
from tests.reference import make_programs_reference as maker

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = json.loads((ROOT / "tests" / "reference" / "programs.json").read_text(encoding="utf-8"))


@functools.cache
def ours(name):
    return programs.run(name, programs.BOOK)


def compare(one, other, where="result"):
    if isinstance(other, dict):
        assert one.keys() == other.keys(), where
        for key in other:
            compare(one[key], other[key], f"{where}[{key!r}]")
    elif isinstance(other, list):
        assert len(one) == len(other), where
        for k, pair in enumerate(zip(one, other, strict=True)):
            compare(*pair, f"{where}[{k}]")
    else:
        assert one == (pytest.approx(other, rel=1e-5, abs=1e-7) if isinstance(other, float) else other), where


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_it_gives_what_keras_gave(name):
    compare(ours(name), REFERENCE[name])


@pytest.mark.parametrize("name", programs.PROGRAMS)
def test_it_gives_what_the_keras_installed_here_gives(name):
    pytest.importorskip("keras")
    compare(ours(name), maker.result(name))


def test_the_page_says_how_many_there_are():
    page = (ROOT / "docs" / "apendices" / "keras.md").read_text(encoding="utf-8")
    (count,) = re.findall(r"\b(\d+)\s+programas completos\b", page)
    assert int(count) == len(programs.PROGRAMS)
