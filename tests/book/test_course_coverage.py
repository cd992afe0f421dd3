"""Los capítulos terminados tratan todos los temas, ejemplos y erratas de los cursos que les tocan."""

import re
from pathlib import Path

import pytest

from dlbook import course

ROOT = Path(__file__).resolve().parents[2]
FINISHED = ["intro", "perceptron", "mlp", "cnn", "autoencoder", "rnn", "attention"]
MARK = re.compile(
    r"[:{](item|worked|erratum)[:}]`([^`]+)`|:::+\{(?:erratum|mistake)\} *([^\n]+)|^ *\.\. erratum:: *([^\n]+)",
    re.MULTILINE,
)


def marks():
    found = {"item": set(), "worked": set(), "erratum": set()}
    for path in [*ROOT.glob("docs/**/*.md"), *ROOT.glob("chapters/**/*.py")]:
        for kind, role, directive, rst in MARK.findall(path.read_text(encoding="utf-8")):
            found[kind or "erratum"].update(t.strip() for t in (role or directive or rst).split(","))
    return found


@pytest.mark.parametrize("chapter", FINISHED)
@pytest.mark.parametrize(
    ("kind", "entries"), [("item", course.inventory), ("worked", course.examples), ("erratum", course.errata)]
)
def test_a_finished_chapter_treats_everything_it_was_given(chapter, kind, entries):
    treated = marks()[kind]
    assert [e.id for e in entries() if e.chapter == chapter and e.id not in treated] == []
