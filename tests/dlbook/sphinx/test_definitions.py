"""Qué define y qué usa cada archivo, leído de las fuentes."""

import os
import textwrap

import pytest

from dlbook.sphinx import definitions


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Escribe los módulos de un libro pequeño y lee el primero."""
    monkeypatch.setattr(definitions, "ROOT", tmp_path)

    def read(**modules):
        for name, text in modules.items():
            path = tmp_path / (name.replace("_in_", "/") + ".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return definitions.read(tmp_path / (next(iter(modules)) + ".py"))

    return read


def used(source, name):
    found = list(definitions.uses(source, source.definitions[name]))
    assert all(source.lines[line - 1][column:].startswith(text) for line, column, text, _ in found)
    return [(line, text, f"{path.stem}.{defined}") for line, _, text, (path, defined) in found]


HELPER_AND_KERNEL = [
    # La auxiliar, antes o después; el núcleo, debajo de su fachada.
    "def _help(): ...\ndef f(): _help(); _f()\ndef _f(): ...\ndef g(): _help()\n",
    "def f(): _help(); _f()\ndef _f(): ...\ndef g(): _help()\ndef other(): ...\ndef _help(): ...\n",
]


@pytest.mark.parametrize("text", HELPER_AND_KERNEL, ids=["before", "after"])
def test_a_helper_goes_with_the_first_that_uses_it_wherever_it_stands(read, text):
    assert definitions.owners(read(a=text), frozenset(["f", "g", "other"])) == {"_help": "f", "_f": "f"}


def test_a_helper_under_the_last_that_uses_it_goes_with_the_first(read):
    source = read(a="def f(): _help()\ndef g(): _help()\ndef _help(): ...\n")
    assert definitions.owners(source, frozenset("fg")) == {"_help": "f"}


def test_a_helper_between_two_units_goes_with_the_one_that_uses_it(read):
    source = read(a="def f(): _f()\ndef _f(): ...\nLIMIT = 3\ndef _help(): LIMIT\ndef g(): _help()\n")
    assert definitions.owners(source, frozenset("fg")) == {"_f": "f", "LIMIT": "g", "_help": "g"}


def test_a_kernel_stays_under_its_facade_though_others_reach_it(read):
    source = read(
        a="""
        def f(): _shared()
        def _shared(): _g()
        def g(): Layer()
        def _g(): ...
        class Layer:
            def h(self): _g()
        """
    )
    assert definitions.owners(source, frozenset(["f", "g", "Layer"])) == {"_shared": "f", "_g": "g"}


def test_a_kernel_for_other_files_goes_with_the_facade_above(read):
    source = read(a="def f(): ...\ndef _f(): ...\nLOOSE = 1\n")
    assert definitions.owners(source, frozenset("f")) == {"_f": "f"}


def test_what_belongs_to_a_unit_nobody_prints_is_not_printed(read):
    source = read(a="def f(): ...\ndef hidden(): _help()\ndef _help(): ...\n")
    assert definitions.owners(source, frozenset("f")) == {}


def test_names_lead_through_imports_and_packages(read):
    source = read(
        a="""
        from pack import Base, tools
        import pack.tools as t
        import numpy as np

        @t.mark
        class Own(Base):
            def run(self):
                from pack.tools import late
                return tools.help(np.ones(3)), late(), self._start(), self._own

            def _own(self): ...
        """,
        pack_in___init__="from pack.base import Base\nfrom pack import tools\n",
        pack_in_base="class Base:\n    def __init__(self):\n        self._count = 0\n\n    def _start(self): ...\n",
        pack_in_tools="def help(x): ...\ndef mark(c): return c\ndef late(): ...\n",
    )
    assert sorted(used(source, "Own")) == [
        (6, "mark", "tools.mark"),
        (7, "Base", "base.Base"),
        (10, "_start", "base.Base._start"),
        (10, "help", "tools.help"),
        (10, "late", "tools.late"),
    ]


def test_a_local_name_is_not_the_definition_it_hides(read):
    source = read(
        a="""
        def f(x): ...
        def g(f, y): return [f for f in y] + [(lambda f: f)(y)]
        def h():
            é = "á"; return é, f(1)
        def k():
            global TOTAL
            TOTAL = TOTAL + 1
        TOTAL = 0
        """
    )
    assert used(source, "g") == []
    assert used(source, "h") == [(5, "f", "a.f")]
    assert used(source, "k") == [(8, "TOTAL", "a.TOTAL")]


def test_a_file_that_changes_is_read_again(read, tmp_path):
    assert set(read(a="def f(): ...\n").definitions) == {"f"}
    path = tmp_path / "a.py"
    path.write_text("def g(): ...\n", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert set(definitions.read(path).definitions) == {"g"}
