"""Las fórmulas se dibujan al construir, llevan MathML, y una mal escrita detiene la construcción."""

import io
import re

import pytest

pytest.importorskip("quickjs", reason="las fórmulas se dibujan con quickjs-ng: pip install -e .[libro]")
application = pytest.importorskip("sphinx.application", reason="falta Sphinx: pip install -e .[libro]")

from sphinx.util import docutils  # noqa: E402

from dlbook.sphinx.mathematics import TexError, glyphs, render  # noqa: E402

CONF = """
extensions = ["dlbook.sphinx.mathematics"]
html_math_renderer = "dlbook"
html_theme = "basic"
numfig = math_numfig = True
language = "es"
"""


def build(folder, text):
    """Construye un sitio de una página; devuelve su HTML y las advertencias."""
    (folder / "conf.py").write_text(CONF, encoding="utf-8")
    (folder / "index.rst").write_text(text, encoding="utf-8")
    warnings, out = io.StringIO(), folder / "html"
    with docutils.patch_docutils(folder), docutils.docutils_namespace():
        app = application.Sphinx(folder, folder, out, folder / "doctrees", "html", status=None, warning=warnings)
        app.build()
    return (out / "index.html").read_text(encoding="utf-8"), warnings.getvalue()


@pytest.mark.parametrize(
    "tex",
    [
        r"\mathbf w^\top\mathbf x + b \ge \theta",
        r"\boldsymbol\theta\leftarrow\boldsymbol\theta-\eta\,\nabla\mathcal L",
        r"\hat y\in\mathbb R^d,\quad \lVert\mathbf w\rVert",
        r"\begin{cases} 1 & \text{si } z\ge 0,\\ 0 & \text{en otro caso} \end{cases}",
        r"\begin{array}{c|c} a & b\\ \hline c & d\end{array}",
        r"\begin{align} a &= b\\ c &= d\end{align}",
        r"\underbrace{a+b}_{\text{año}} \overset{!}{=} \cancel{x}\,\boxed{y}",
        r"\operatorname*{arg\,max}_k p_k \coloneqq \tfrac12",
    ],
)
@pytest.mark.parametrize("display", [False, True])
def test_the_tex_of_the_book_is_drawn(tex, display):
    svg, mathml = render(tex, display)
    assert svg.startswith("<svg")
    assert svg.endswith("</svg>")
    assert mathml.startswith("<math")
    cited = set(re.findall(r'href="#(g\w+)"', svg))
    assert cited == set(re.findall(r'<path id="(g\w+)"', glyphs(svg)))
    assert "data-mml" not in svg + mathml


def test_the_drawing_takes_the_color_of_the_text():
    svg, _ = render("x")
    assert 'fill="currentColor"' in svg
    assert 'aria-hidden="true"' in svg


def test_accented_letters_are_drawn_and_heard_whole():
    svg, mathml = render(r"x_{\text{precisión del año}}")
    assert "<text" not in svg
    assert "precisión del año" in mathml


@pytest.mark.parametrize(
    "tex", [r"\fraq{1}{2}", r"\frac{1", "x_1_2", r"\begin{aligned} a", r"a & b", r"\left( x", r"\unknown", "}"]
)
def test_bad_tex_is_an_error(tex):
    with pytest.raises(TexError):
        render(tex)


def test_a_page_draws_its_formulas_and_numbers_them(tmp_path):
    page, warnings = build(
        tmp_path,
        "Título\n======\n\nUna fórmula (:math:`x^2`), en la línea.\n\n"
        ".. math::\n   :label: ec-a\n\n   a = b\n\n   c = d \\\\ e\n\nVer :eq:`ec-a`.\n",
    )
    assert warnings == ""
    assert page.count('class="math') == 2
    assert page.count("<math") == 2
    assert '<span class="eqno">(1)' in page
    assert set(re.findall(r'href="#(g\w+)"', page)) == set(re.findall(r'<path id="(g\w+)"', page))
    assert "mathjax" not in page.lower()
    # El paréntesis y la coma viajan con la fórmula.
    assert re.search(r'<span class="dl-together">\(<span class="math[^>]*>.*?</span>\),</span>', page)


def test_a_formula_in_a_heading_carries_its_own_strokes(tmp_path):
    page, warnings = build(tmp_path, "El peso :math:`w`\n=================\n\nTexto.\n")
    assert warnings == ""
    assert "<use" not in page
    # En el título y en el índice lateral, que sale en otras páginas.
    assert page.count("<svg style") == page.count("<path") > 1


def test_bad_tex_warns_with_file_and_line_every_time(tmp_path):
    text = "Título\n======\n\nBien: :math:`x`.\n\nMal: :math:`\\fraq{1}{2}`.\n"
    for _ in range(2):
        page, warnings = build(tmp_path, text)
        assert "index.rst:6: WARNING: fórmula mal escrita (Undefined control sequence \\fraq): \\fraq{1}{2}" in warnings
        assert r"<code>\fraq{1}{2}</code>" in page
    _, warnings = build(tmp_path, text.replace("fraq", "frac"))
    assert warnings == ""
