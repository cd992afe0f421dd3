"""«Una unidad nueva», la página para quien colabora: su ejemplo es un archivo del libro como cualquier otro."""

import doctest
import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from dlbook.gradcheck import check_gradients
from dlbook.sphinx import definitions
from tests.book.test_literate import LABEL, TAG, labels

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "apendices" / "desarrollo.md").read_text(encoding="utf-8")
CODE = re.compile(r"^```\{code-block\} python\n:caption: (\S+)\n\n(.*?)^```", re.DOTALL | re.MULTILINE)
PLACE, TEXT = CODE.search(PAGE).groups()


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    path = tmp_path_factory.mktemp("unit") / Path(PLACE).name
    path.write_text(TEXT, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_is_a_file_the_book_does_not_have_in_a_room_it_has():
    assert not (ROOT / PLACE).exists()
    assert (ROOT / PLACE).parent.is_dir()


def test_its_examples_are_true(example):
    failed, tried = doctest.testmod(example, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert (failed, tried > 3) == (0, True)


def test_its_gradients_are_the_measured_ones(example):
    layer = next(
        c for c in vars(example).values() if getattr(c, "__module__", "") == example.__name__ and "build" in dir(c)
    )
    layer = layer(dtype="float64")
    x, share = np.random.default_rng(0).normal(size=(2, 3, 2, 4))
    layer.forward(x)
    check_gradients(lambda: (layer.forward(x) * share).sum(), {"x": x}, {"x": layer.backward(share)})


def test_its_labels_keep_the_rules():
    mine = [a or b for a, b in LABEL.findall(TEXT)]
    assert mine
    assert not set(mine) & set(labels())
    assert {label for label in mine if label.startswith("ec-")} == set(TAG.findall(TEXT))


def test_its_helpers_stand_before_their_first_use(example):
    source = definitions.read(Path(example.__file__))
    kernels = {name for name in source.definitions if f"@kernel\ndef {name}(" in TEXT}
    for name, used in source.used.items():
        after = {u for u in used - kernels if source.definitions[u].lineno > source.definitions[name].lineno}
        assert not after


def test_the_places_it_names_exist():
    section = PAGE[PAGE.index("## Una unidad nueva") : PAGE.index("## Una capa por dentro")].replace(TEXT, "")
    places = set(re.findall(r"`((?:chapters|dlbook|docs|tests/book|tests/chapters)/[\w/.-]+)`", section)) - {PLACE}
    assert len(places) > 5
    assert [place for place in sorted(places) if not (ROOT / place).exists()] == []
