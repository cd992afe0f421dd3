"""La extensión de Sphinx, probada construyendo libros de una página."""

import pickle
import re
import sys
import textwrap

import pytest
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace

CONF = """
extensions = ["dlbook.sphinx", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
language = "es"
nitpicky = True
math_numfig = numfig = True
exclude_patterns = []
viewcode_line_numbers = True
"""

MODULE = '''
r"""Un módulo de prueba."""


def double(x):
    r"""Duplica.

    .. math::
       :label: ec-prueba-doble

       y = 2x

    Raises
    ------
    ValueError
        Nunca.

        >>> double(2)
        4
    """
    return _double(x)


def _double(x):
    return 2 * x  # [ec-prueba-doble]


def other(x):
    r"""Otra."""
    return x  # [ec-prueba-perdida]


class Calls:
    r"""Llama a las demás."""

    def run(self, x):
        return double(x) + _alone(LIMIT) + _double(x)


LIMIT = 3


def hidden(x):
    r"""No se imprime."""
    return _alone(x)


def _alone(x):
    return x
'''


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Construye una página y devuelve su HTML y las advertencias."""
    source = tmp_path / "docs"
    source.mkdir()
    (source / "conf.py").write_text(CONF, encoding="utf-8")
    (tmp_path / "prueba_modulo.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("dlbook.sphinx.definitions.ROOT", tmp_path)

    def build(**pages):
        pages = pages if (source / "index.md").exists() else {"index": "# Prueba\n"} | pages
        for name, text in pages.items():
            (source / f"{name}.md").write_text(textwrap.dedent(text), encoding="utf-8")
        warnings = (tmp_path / "warnings.txt").open("w+", encoding="utf-8")
        with docutils_namespace():
            app = Sphinx(
                source, source, tmp_path / "html", tmp_path / "doctrees", "html", status=None, warning=warnings
            )
            app.build()
        warnings.seek(0)
        text = re.sub(r"\x1b\[[0-9;]*m", "", warnings.read())
        return (tmp_path / "html" / "index.html").read_text(encoding="utf-8"), text

    yield build
    sys.modules.pop("prueba_modulo", None)


def test_a_unit_prints_docstring_and_code_and_links_them_both_ways(build):
    html, warnings = build(index="# Prueba\n\n```{unit} prueba_modulo.double\n```\n")
    assert warnings == ""
    # El docstring aparece una sola vez: en la prosa, no en el listado.
    assert html.count("Duplica.") == 1
    # Números de línea reales, con su ancla: «return 2 * x» está en la línea 25 del archivo.
    line = MODULE.split("\n").index("    return 2 * x  # [ec-prueba-doble]") + 1
    assert f'id="prueba-modulo-{line}"' in html
    # De la línea a la ecuación y de la ecuación a la línea.
    assert 'href="#equation-ec-prueba-doble"' in html
    assert f'href="#prueba-modulo-{line}"' in html
    assert f"prueba_modulo.py:{line}" in html
    # El enlace al archivo entero.
    assert "_modules/prueba_modulo.html#double" in html
    # El ejemplo dentro de Raises conserva su bloque.
    assert "doctest" in html


def line_of(text):
    return MODULE.split("\n").index(text) + 1


def visible(html):
    """El código de los listados tal como se copia: sin el margen y sin etiquetas de HTML."""
    code = re.findall(r'<span class="dl-lines[^>]*>(.*?)</pre>', html, re.DOTALL)
    without = [re.sub(r'<span class="linenos".*? </span>', "", c) for c in code]
    return [re.sub(r"<[^>]*>", "", c).rstrip("\n") for c in without]


def test_the_tag_stands_in_the_margin_and_is_not_copied(build):
    html, _ = build(index="# Prueba\n\n```{unit} prueba_modulo.double\n```\n")
    line = line_of("    return 2 * x  # [ec-prueba-doble]")
    margin = (
        rf'<span class="linenos" id="prueba-modulo-{line}">  {line} <a [^>]*href="#equation-ec-prueba-doble">\(1\)</a>'
    )
    assert re.search(margin, html)
    assert visible(html) == ["def double(x):\n    return _double(x)\n\ndef _double(x):\n    return 2 * x"]


def test_each_name_leads_to_where_it_is_printed_or_to_its_file(build, tmp_path):
    pages = {"two": "# Dos\n\n```{unit} prueba_modulo.double\n```\n\n```{listing} prueba_modulo.other\n```\n"}
    html, _ = build(index="# Prueba\n\n```{listing} prueba_modulo.Calls\n```\n\n```{toctree}\ntwo\n```\n", **pages)
    links = dict(re.findall(r'<a class="dl-name[^"]*" href="([^"]*)"><span class="n">(\w+)<', html))
    assert links == {
        "two.html#prueba_modulo.double": "double",
        f"two.html#prueba-modulo-{line_of('def _double(x):')}": "_double",
        "_modules/prueba_modulo.html#_alone": "_alone",
        "_modules/prueba_modulo.html#LIMIT": "LIMIT",
    }
    source = (tmp_path / "html" / "_modules" / "prueba_modulo.html").read_text(encoding="utf-8")
    assert [source.count(f'id="{name}"') for name in ("_alone", "LIMIT", "double", "Calls")] == [1, 1, 1, 1]


def test_a_file_of_which_nothing_is_printed_has_its_page(build, tmp_path):
    (tmp_path / "prueba_otro.py").write_text("from prueba_modulo import double\n\n\ndef f():\n    double(1)\n")
    html, _ = build(index="# Prueba\n\n```{listing} prueba_otro.f\n```\n")
    assert 'href="_modules/prueba_modulo.html#double"' in html
    assert 'id="double"' in (tmp_path / "html" / "_modules" / "prueba_modulo.html").read_text(encoding="utf-8")


def test_a_unit_prints_what_it_alone_uses_and_not_what_the_page_prints_apart(build):
    apart = "# Prueba\n\n```{unit} prueba_modulo.Calls\n```\n\n"
    calls = "class Calls:\n\n    def run(self, x):\n        return double(x) + _alone(LIMIT) + _double(x)"
    assert visible(build(index=apart)[0])[0].endswith(f"{calls}\n\nLIMIT = 3\n\ndef _alone(x):\n    return x")
    html, _ = build(index=apart + "```{listing} prueba_modulo._alone\n```\n")
    assert visible(html)[0].endswith(f"{calls}\n\nLIMIT = 3")
    assert visible(html)[1] == "def _alone(x):\n    return x"


def test_a_page_follows_what_it_links_to(build, tmp_path):
    # La otra página deja de imprimir la función: el enlace, en una página que nadie tocó, tiene que cambiar.
    first = "# Prueba\n\n```{listing} prueba_modulo.Calls\n```\n\n```{toctree}\ntwo\n```\n"
    build(index=first, two="# Dos\n\n```{unit} prueba_modulo.double\n```\n")
    (tmp_path / "docs" / "two.md").write_text("# Dos\n", encoding="utf-8")
    html, _ = build()
    assert 'href="_modules/prueba_modulo.html#double"' in html
    assert "two.html#prueba_modulo.double" not in html


def test_what_is_stored_of_a_page_does_not_drag_the_environment(build, tmp_path):
    # El documento aparte en que se lee un docstring apunta al entorno: con él, cada página pesaría como todas.
    build(index="# Prueba\n\n```{unit} prueba_modulo.double\n```\n")
    tree = pickle.loads((tmp_path / "doctrees" / "index.doctree").read_bytes())
    assert {id(node.document) for node in tree.findall()} == {id(tree)}


def test_a_tag_without_equation_is_a_warning(build):
    _, warnings = build(index="# Prueba\n\n```{listing} prueba_modulo.other\n```\n")
    assert "ec-prueba-perdida" in warnings


@pytest.mark.parametrize(
    "name", ["prueba_modulo.nothing", "nothing.at_all", "nothing", "math.pi", "prueba_modulo.__doc__"]
)
def test_a_unit_that_does_not_exist_is_an_error(build, name):
    _, warnings = build(index=f"# Prueba\n\n```{{unit}} {name}\n```\n")
    assert "unit: se esperaba" in warnings


@pytest.mark.parametrize("mark", ["{item}`PER-99`", "{worked}`WE-00`", "{erratum}`E-99`", "{item}`WE-01`"])
def test_an_unknown_identifier_is_a_warning(build, mark):
    _, warnings = build(index=f"# Prueba\n\nTexto {mark}.\n")
    assert "no existe" in warnings


def test_a_hidden_mark_leaves_no_space_before_a_full_stop(build):
    text = "Una {item}`PER-11`, dos {item}`PER-01` {erratum}`E-02`. Tres {item}`PER-02` más."
    html, _ = build(index=f"# Prueba\n\n{text}\n")
    quiet = re.sub(r'<span class="dl-items">.*?</a></span></span>', "", html)
    assert "<p>Una, dos. Tres  más.</p>" in quiet
    assert "Una PER-11, dos PER-01 E-02. Tres PER-02 más." in re.sub(r"<[^>]*>", "", html)


def test_appendices_point_back_to_the_marks(build, tmp_path):
    (tmp_path / "docs" / "apendices").mkdir()
    for name, directive in {"mapa": "map", "ejemplos": "examples", "erratas": "errata"}.items():
        page = f"# Apéndice {name}\n\n```{{course-{directive}}}\n```\n"
        (tmp_path / "docs" / "apendices" / f"{name}.md").write_text(page, encoding="utf-8")
    (tmp_path / "docs" / "apendices" / "verificacion.md").write_text(
        "# Cuentas\n\nHay {measured}`items-treated` de {measured}`items-total` temas.\n\n```{measured-table}\n```\n"
    )
    html, warnings = build(
        index="""\
        # Prueba

        Suma {item}`PER-01, PER-02`, signo {worked}`WE-04`.

        :::{mistake} E-02
        Falta el caso de la igualdad.
        :::

        ```{toctree}
        apendices/mapa
        apendices/ejemplos
        apendices/erratas
        apendices/verificacion
        ```
        """.replace(":::{", "~~~{").replace(":::\n", "~~~\n")
    )
    assert "marca-per-01" in html
    assert 'href="apendices/mapa.html#curso-per-01"' in html

    def page(name):
        return (tmp_path / "html" / "apendices" / f"{name}.html").read_text(encoding="utf-8")

    assert "Se tratan 2 de 35 temas" in page("mapa")
    assert 'href="../index.html#marca-per-02' in page("mapa")
    assert 'href="../index.html#marca-we-04' in page("ejemplos")
    assert 'href="../index.html#marca-e-02' in page("erratas")
    assert "Hay 2 de 513 temas" in page("verificacion")
    assert "math" not in warnings
