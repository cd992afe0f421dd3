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
'''


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Construye una página y devuelve su HTML y las advertencias."""
    source = tmp_path / "docs"
    source.mkdir()
    (source / "conf.py").write_text(CONF, encoding="utf-8")
    (tmp_path / "prueba_modulo.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("dlbook.sphinx.listing.ROOT", tmp_path)

    def build(**pages):
        pages = {"index": "# Prueba\n"} | pages
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

        :::{erratum} E-02
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
