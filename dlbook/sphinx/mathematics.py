r"""Las fórmulas, dibujadas al construir el libro: la página lleva el dibujo y no necesita programa que la termine.

MathJax convierte TeX en SVG y en MathML. Aquí corre una sola vez, en QuickJS, y en la página quedan el SVG para los
ojos y el MathML, oculto, para los lectores de pantalla. Con eso se cumplen las tres condiciones del libro:

- se lee sin red y desde una carpeta (``file://``): no hay guiones ni fuentes que cargar;
- una fórmula mal escrita detiene la construcción, con su archivo y su línea; MathJax, en el navegador, la pintaría
  de rojo y nadie se enteraría;
- quien escucha la página oye la fórmula y no su TeX.

La otra manera, cargar MathJax en cada página, también funciona sin red, pero hace esperar a quien lee y pesa más:
las medidas están en el apéndice «Desarrollo».

Cada letra dibujada se guarda una sola vez por página, al final, y las fórmulas la citan con ``<use>``.
"""

import functools
import hashlib
import importlib.util
import json
import re
import unicodedata
from pathlib import Path

from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)

# noerrors y noundefined disimulan los errores; autoload y require cargarían archivos a media fórmula.
CONFIGURATION = """
var self = globalThis, global = globalThis, window;
var setTimeout = f => { Promise.resolve().then(f) }, clearTimeout = () => {};
var failure = null;
var MathJax = {
  loader: {
    paths: {mathjax: "."},
    require: path => { (0, eval)(source(path)); return {} },
    load: ["core", "adaptors/liteDOM", "input/tex-full", "output/svg", "output/svg/fonts/tex.js", "a11y/assistive-mml"],
  },
  startup: {typeset: false},
  options: {enableAssistiveMml: true},
  tex: {
    packages: {"[-]": ["noerrors", "noundefined", "autoload", "require"]},
    formatError: (jax, error) => { throw error },
  },
  svg: {fontCache: "none"},
};
"""
RENDER = """
MathJax.startup.promise.catch(error => { failure = String(error) });
function render(tex, display) {
  try { return "=" + MathJax.startup.adaptor.outerHTML(MathJax.tex2svg(tex, {display: display})) }
  catch (error) { return "!" + (error.message || error) }
}
"""
GLYPH = re.compile(r'<path data-c="[^"]*" d="([^"]*)"([^>]*)></path>')
LONELY = re.compile(r"<g>(<use[^>]*/>)?</g>")
DRAWING = re.compile(r"(<svg .*</svg>).*(<math .*</math>)", re.DOTALL)
# De los atributos que MathJax deja para depurar solo sirven los que distinguen las líneas de una tabla.
DEBUG = re.compile(
    r' data-(?:mml-node|mjx-[a-z-]+|semantic-[a-z-]+|c)="[^"]*"| xmlns="[^"]*"| role="img" focusable="false"'
)
# Las letras que la tipografía de MathJax no tiene, dentro de un texto; la í perdería su forma, con punto y acento.
ACCENTED, ACCENTS = re.compile("[áéóúüñÁÉÍÓÚÑ]"), {"\u0301": r"\'", "\u0303": r"\~", "\u0308": r"\""}
TEXT = re.compile(r"\\text\{[^{}]*\}")
OPENING, CLOSING = re.compile(r"[(\[«“¿¡]*$"), re.compile(r"[)\]»”.,;:!?…]*")

# El trazo de cada letra que este proceso ha dibujado, por su identificador.
_glyphs = {}


class TexError(ValueError):
    r"""Una fórmula que MathJax no entiende."""


@functools.cache
def _mathjax():
    import quickjs

    package = importlib.util.find_spec("sphinx-mathjax-offline")
    folder = Path(package.origin).parent / "static" / "mathjax"
    engine = quickjs.Context()
    engine.add_callable("source", lambda path: (folder / path).read_text(encoding="utf-8"))
    engine.eval(CONFIGURATION)
    engine.eval((folder / "startup.js").read_text(encoding="utf-8"))
    while engine.execute_pending_job():
        pass
    engine.eval(RENDER)
    while engine.execute_pending_job():
        pass
    if engine.eval("failure"):
        raise RuntimeError(f"MathJax no arrancó: {engine.eval('failure')}")
    return engine


def _drawn(tex, display):
    # join aplana la cadena: la que QuickJS arma por partes no sabe volver a Python.
    answer = _mathjax().eval(f"[render({json.dumps(tex)}, {json.dumps(display)})].join('')")
    if answer[0] == "!":
        raise TexError(answer[1:])
    return (DEBUG.sub("", part) for part in DRAWING.search(GLYPH.sub(_cite, answer)).groups())


def _cite(match):
    path, rest = match.groups()
    if not path:
        return ""
    key = "g" + hashlib.blake2s(path.encode(), digest_size=5).hexdigest()
    _glyphs[key] = path
    return f'<use href="#{key}"{rest}/>'


def _apart(letter):
    # La letra y, delante, su acento.
    plain, accent = unicodedata.normalize("NFD", letter[0])
    return f"{ACCENTS[accent]}{{{plain}}}"


@functools.cache
def render(tex, display=False):
    r"""Dibuja una fórmula.

    Parameters
    ----------
    tex : str
        La fórmula en TeX, sin signos de dólar.
    display : bool
        Si va en su propia línea.

    Returns
    -------
    svg : str
        El dibujo, con cada letra citada por su identificador; :func:`glyphs` da los trazos.
    mathml : str
        La misma fórmula en MathML.

    Raises
    ------
    TexError
        Si la fórmula está mal escrita.

    Examples
    --------
    >>> svg, mathml = render(r"\frac{1}{2}")
    >>> mathml
    '<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>'
    >>> render(r"\fraq{1}{2}")
    Traceback (most recent call last):
        ...
    dlbook.sphinx.mathematics.TexError: Undefined control sequence \fraq
    """
    svg, mathml = _drawn(tex, display)
    apart = TEXT.sub(lambda text: ACCENTED.sub(_apart, text[0]), tex)
    if apart != tex:
        # El navegador pondría esas letras con la suya, que mide otra cosa; quien escucha necesita la palabra entera.
        svg, _ = _drawn(apart, display)
    # Un grupo de un solo trazo y sin atributos no agrupa nada.
    while (shorter := LONELY.sub(r"\1", svg)) != svg:
        svg = shorter
    return svg, mathml


def glyphs(page):
    r"""Los trazos que cita una página, en un SVG que no ocupa lugar.

    Parameters
    ----------
    page : str
        El HTML de la página.

    Returns
    -------
    str

    Examples
    --------
    >>> svg, _ = render("xx")
    >>> svg.count("<use"), glyphs(svg).count("<path")
    (2, 1)
    """
    used = sorted(set(re.findall(r'<use href="#(g[0-9a-f]{10})"', page)))
    if not used:
        return ""
    paths = "".join(f'<path id="{key}" d="{_glyphs[key]}"/>' for key in used)
    return f'<svg class="dl-glyphs" width="0" height="0" aria-hidden="true"><defs>{paths}</defs></svg>'


def _draw(translator, node, tex, display):
    try:
        svg, mathml = render(tex, display)
    except TexError as error:
        logger.warning("fórmula mal escrita (%s): %s", error, tex, location=node, type="dlbook", subtype="formula")
        # Sin su árbol guardado, la página se vuelve a leer la próxima vez: el error no se olvida.
        builder = translator.builder
        Path(builder.doctreedir, f"{builder.current_docname}.doctree").unlink(missing_ok=True)
        return f"<code>{translator.encode(tex)}</code>"
    # Fuera de una sección (el índice lateral) no se sabe en qué página caerá la fórmula: lleva sus propios trazos.
    if not _inside_section(node):
        svg = re.sub(r'<use href="#(g\w+)"([^>]*)/>', lambda m: f'<path d="{_glyphs[m[1]]}"{m[2]}/>', svg)
    return svg + mathml


def _inside_section(node):
    while node is not None:
        if isinstance(node, nodes.title):
            return False
        if isinstance(node, nodes.section):
            return True
        node = node.parent
    return False


def visit_inline(self, node):
    r"""Escribe una fórmula dentro de la línea."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(_draw(self, node, node.astext(), False) + "</span>")
    raise nodes.SkipNode


def visit_display(self, node):
    r"""Escribe una fórmula en su propia línea, con su número si tiene etiqueta."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Enlace a esta ecuación")
        self.body.append("</span>")
    self.body.append(f'<div class="dl-formula">{_draw(self, node, _rows(node), True)}</div></div>\n')
    raise nodes.SkipNode


# Como Sphinx: varios párrafos son varias ecuaciones alineadas, y un \\ parte una ecuación en líneas.
def _rows(node):
    tex = node.astext()
    if node.get("no-wrap", node.get("nowrap", False)):
        return tex
    parts = [
        rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in tex.split("\n\n") if part.strip()
    ]
    return parts[0] if len(parts) == 1 else r"\begin{aligned}" + r"\\".join(parts) + r"\end{aligned}"


def _keep_together(app, doctree, docname):
    r"""Junta cada fórmula con la puntuación que la toca: el navegador partiría la línea entre ellas."""
    for math in list(doctree.findall(nodes.math)):
        parent, i = math.parent, math.parent.index(math)
        before = parent[i - 1] if i and isinstance(parent[i - 1], nodes.Text) else nodes.Text("")
        after = parent[i + 1] if i + 1 < len(parent) and isinstance(parent[i + 1], nodes.Text) else nodes.Text("")
        opening, closing = OPENING.search(before)[0], CLOSING.match(after)[0]
        if opening:
            parent[i - 1] = nodes.Text(before[: -len(opening)])
        if closing:
            parent[i + 1] = nodes.Text(after[len(closing) :])
        if opening or closing:
            parent[i] = nodes.inline("", "", nodes.Text(opening), math, nodes.Text(closing), classes=["dl-together"])


def _append_glyphs(app, pagename, templatename, context, doctree):
    if "body" in context:
        context["body"] += glyphs(context["body"])


def _start(app, builder):
    # Antes de partirse en procesos: arrancar MathJax toma un segundo, y así lo heredan todos.
    _mathjax()


def setup(app):
    r"""Registra el dibujante de fórmulas en Sphinx."""
    app.connect("write-started", _start)
    app.add_html_math_renderer("dlbook", (visit_inline, None), (visit_display, None))
    app.connect("doctree-resolved", _keep_together)
    app.connect("html-page-context", _append_glyphs)
