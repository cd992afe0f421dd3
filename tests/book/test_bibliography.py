"""La bibliografía: entradas completas, claves bien formadas, y ninguna cita sin obra."""

import re
from pathlib import Path

import pytest

pybtex = pytest.importorskip("pybtex.database", reason="la bibliografía se revisa con pybtex: pip install -e .[libro]")

ROOT = Path(__file__).resolve().parents[2]
BIB = ROOT / "docs" / "references.bib"
ENTRIES = pybtex.parse_file(str(BIB), bib_format="bibtex").entries
SOURCES = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("chapters/**/*.py"), *ROOT.glob("dlbook/**/*.py")]
CITATION = re.compile(r"(?:\{cite:\w+\}|:cite:\w+:)`([^`]+)`")
# Lo que cada clase de obra no puede callar, además de quién, qué y cuándo.
REQUIRED = {
    "article": {"journal", "volume", "pages"},
    "book": {"publisher"},
    "incollection": {"booktitle", "publisher", "pages"},
    "inproceedings": {"booktitle", "pages"},
    "phdthesis": {"school"},
    "misc": set(),
}


def from_a_course(entry):
    return entry.fields.get("keywords") == "curso"


def cited():
    for path in SOURCES:
        for keys in CITATION.findall(path.read_text(encoding="utf-8")):
            for key in re.sub(r"\{[^}]*\}", "", keys).split(","):
                yield path.relative_to(ROOT).as_posix(), key.strip()


def test_every_citation_has_its_entry():
    assert [(path, key) for path, key in cited() if key not in ENTRIES] == []


def test_keys_are_sorted_and_well_formed():
    keys = re.findall(r"^@\w+\{([^,]+),", BIB.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert keys == sorted(keys)
    assert [k for k in keys if not re.fullmatch(r"[a-z]+\d{4}[a-z]?|[a-z]+(_[a-z]+)+", k)] == []


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_says_who_what_when_and_where(key):
    entry = ENTRIES[key]
    assert entry.fields.get("title")
    if from_a_course(entry):
        # El curso solo da el título: se dice de dónde viene y no se inventa lo demás.
        assert "curso" in entry.fields["note"]
        return
    assert entry.persons.get("author") or entry.persons.get("editor")
    assert entry.fields["year"] == re.search(r"\d{4}", key).group()
    assert REQUIRED[entry.type] - set(entry.fields) == set()


@pytest.mark.parametrize("key", ENTRIES)
def test_pages_and_identifiers_are_well_written(key):
    fields = ENTRIES[key].fields
    pages = re.fullmatch(r"(\d+)--(\d+)", fields.get("pages", "1--2"))
    assert pages
    assert int(pages[1]) < int(pages[2])
    assert re.fullmatch(r"10\.\d{4,5}/\S+", fields.get("doi", "10.1000/x"))
    assert fields.get("url", "https://").startswith("https://")
    # Con DOI sobra la dirección: el DOI ya lleva a la obra.
    assert not ("doi" in fields and "url" in fields)


MARK = re.compile(r"(?:\{(?:item|erratum)\}|:(?:item|erratum):)`[^`]*`")
# Lo que puede ir entre un nombre y la cita que lo repite.
BETWEEN = re.compile(
    r"((\s+|, )(y|con|et)( sus?)? (colaboradores|colegas|otros|al\.))?((\s+|, )(en|de) \d{4})?[\s,*_»(]*"
)


def surnames(key):
    entry = ENTRIES[key]
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    return [" ".join(person.prelast_names + person.last_names) for person in people]


def named_twice(text):
    """Las citas con los apellidos justo después de escribirlos: «Ioffe y Szegedy (Ioffe y Szegedy, 2015)»."""
    text = re.sub(r"\s+", " ", MARK.sub("", text))
    for cite in CITATION.finditer(text):
        for key in re.sub(r"\{[^}]*\}", "", cite[1]).split(","):
            for name in surnames(key.strip()):
                places = [m.end() for m in re.finditer(rf"\b{re.escape(name)}\b", text[: cite.start()])]
                if places and BETWEEN.fullmatch(text, places[-1], cite.start()):
                    yield text[max(0, places[-1] - 40) : cite.end()]


def test_a_name_written_twice_is_found():
    assert list(named_twice("La idea de Ioffe y Szegedy\n    :cite:p:`ioffe2015` es otra"))
    assert list(named_twice("Lo hizo Rosenblatt {item}`PER-07` en 1958 {cite:p}`minsky1969,rosenblatt1958`."))
    assert list(named_twice("Xiong y colaboradores {cite:p}`xiong2020`, y Ho y sus colegas {cite:t}`ho2020`"))
    assert not list(
        named_twice("El de {cite:t}`ioffe2015`. Rosenblatt lo mostró en una máquina {cite:p}`rosenblatt1958`.")
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_author_is_named_twice_in_a_row(path):
    assert list(named_twice(path.read_text(encoding="utf-8"))) == []
