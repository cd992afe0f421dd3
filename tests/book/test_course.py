"""Los datos de los cinco cursos: completos, bien escritos y con todas sus cuentas comprobadas."""

import doctest
import re
from collections import Counter

import pytest

from dlbook import course

CHAPTERS = {"intro", "perceptron", "mlp", "cnn", "autoencoder", "rnn", "attention"}
VERDICTS = {"exacto", "redondeo", "truncado", "error", "parcial"}
KINDS = {
    *("concept", "definition", "equation", "algorithm", "architecture", "worked_example"),
    *("exercise", "claim", "history", "application", "dataset", "reference"),
}
# Cuántos temas hay con cada prefijo: si falta uno o se repite, la cuenta no sale.
ITEMS = {
    **{"INT": 47, "SYS": 22, "PER": 35, "MLP": 88, "OPT": 31, "REG": 15, "VIS": 41, "CNN": 99},
    **{"AE": 34, "GEN": 4, "EMB": 14, "RNN": 62, "ATT": 21},
}
# Rastros de cómo se prepararon los datos, y direcciones: nada de eso es asunto del lector.
FORBIDDEN = (
    r"\bseeds?\b|\.py\b|\bOCR\b|\bTF\b|\bl[íi]neas? \d|\b00\d:\d|\b(?:we|err|rep)_\w|(?:^|\s)/\w+/|@\w|https?:|www\."
)
FENCE = r"```python\n(.*?)```"

COURSES, INVENTORY, EXAMPLES, ERRATA = course.courses(), course.inventory(), course.examples(), course.errata()
ALL = [*COURSES, *INVENTORY, *EXAMPLES, *ERRATA]
PROOFS = [(e.id, e.ours) for e in EXAMPLES] + [(e.id, e.proof) for e in ERRATA]


def texts(record):
    return {name: value for name, value in vars(record).items() if isinstance(value, str)}


def name(record):
    return getattr(record, "id", None) or record.code


def sentences(text):
    """El texto sin los bloques de código."""
    return re.sub(FENCE, "", text, flags=re.S)


def test_courses():
    assert "".join(c.code for c in COURSES) == "ABCDE"
    for c in COURSES:
        assert c.title
        assert c.note
        assert bool(c.people) == bool(c.institution)


def test_inventory():
    assert len({i.id for i in INVENTORY}) == len(INVENTORY) == 513
    assert Counter(i.id.split("-")[0] for i in INVENTORY) == ITEMS
    for prefix, count in ITEMS.items():
        assert [i.id for i in INVENTORY if i.id.startswith(f"{prefix}-")] == [
            f"{prefix}-{n:02}" for n in range(1, count + 1)
        ]
    assert {i.kind for i in INVENTORY} == KINDS


def test_examples():
    assert [e.id for e in EXAMPLES] == [f"WE-{n:02}" for n in range(1, 38)]
    assert {e.verdict for e in EXAMPLES} == VERDICTS
    for e in EXAMPLES:
        source = [x for block in re.findall(FENCE, e.ours, re.S) for x in doctest.DocTestParser().get_examples(block)]
        assert sum(len(x.source.splitlines()) for x in source) <= 12, e.id


def test_errata():
    assert [e.id for e in ERRATA] == [f"E-{n:02}" for n in range(1, 85)]
    assert {e.section for e in ERRATA} == {"incorrecto", "impreciso", "discutible"}
    assert {type(e.grave) for e in ERRATA} == {bool}
    assert not any(e.grave for e in ERRATA if e.section == "discutible")


@pytest.mark.parametrize("record", [*INVENTORY, *EXAMPLES, *ERRATA], ids=name)
def test_fields(record):
    assert all(texts(record).values())
    assert record.chapter in CHAPTERS
    assert record.courses == sorted(set(record.courses))
    assert set(record.courses) <= {c.code for c in COURSES}
    assert record.courses


@pytest.mark.parametrize("record", ALL, ids=name)
def test_wording(record):
    for text in texts(record).values():
        assert not re.search(FORBIDDEN, text), re.search(FORBIDDEN, text)
        assert not re.search(r" [,;:)]| \.(?!\d)|\( |  \S|\bsólo\b", sentences(text))
        assert sentences(text).count("«") == sentences(text).count("»")


@pytest.mark.parametrize("record", [*EXAMPLES, *ERRATA], ids=name)
def test_markup(record):
    for text in texts(record).values():
        prose = re.sub(r"`[^`]*`", "", sentences(text))
        assert prose.count("$") % 2 == 0
        for math in re.findall(r"\$([^$]*)\$", prose):
            depth = 0
            for brace in re.findall(r"(?<!\\)[{}]", math):
                depth += 1 if brace == "{" else -1
                assert depth >= 0, math
            assert depth == 0, math
            assert math == math.strip(), math
        assert not re.search(r"\\[a-z]", re.sub(r"\$[^$]*\$", "", prose)), "LaTeX fuera de las fórmulas"


@pytest.mark.parametrize("record", [*EXAMPLES, *ERRATA], ids=name)
def test_mentions(record):
    known = {i.id for i in [*INVENTORY, *EXAMPLES, *ERRATA]}
    for text in texts(record).values():
        for mention in re.findall(r"\b(?:E|WE)-\d+", text):
            assert mention in known


@pytest.mark.parametrize(("label", "text"), PROOFS, ids=[label for label, _ in PROOFS])
def test_proof(label, text):
    blocks = re.findall(FENCE, text, re.S)
    assert text.count("```") == 2 * len(blocks)
    assert any(">>>" in block for block in blocks) or re.search(r"^Fuentes?( de la imagen)?:", text, re.M)
    for block in blocks:
        test = doctest.DocTestParser().get_doctest(block, {}, label, label, 0)
        assert any(example.want for example in test.examples), "el doctest no comprueba nada"
        report = []
        result = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
        assert result.failed == 0, "".join(report)
        assert all(len(line) <= 120 for line in block.splitlines())


@pytest.mark.parametrize("record", [*EXAMPLES, *ERRATA], ids=name)
def test_doctests_are_self_contained(record):
    """Cada bloque trae sus propias importaciones: el lector puede pegarlo tal cual."""
    for text in texts(record).values():
        for block in re.findall(FENCE, text, re.S):
            for module in ("np", "math", "html", "Counter", "product"):
                if re.search(rf"\b{module}[.(]", block):
                    assert re.search(rf"import .*\b{module}\b", block), (record.id, module)
