r"""Directivas ``unit`` y ``listing``: el código tal como está en su archivo, unido a las ecuaciones que calcula.

Si una unidad tiene una versión que se lee, ``plain_…``, esa queda a la vista, y lo que se ejecuta, plegado. También se
pliega lo que no cabe en un vistazo y no calcula ninguna ecuación.

Una línea de código que calcula una ecuación termina con la etiqueta de esta, ``# [ec-cnn-salida]``. Al imprimirla, la
etiqueta pasa al margen, junto al número de la línea, como un enlace con el número de la ecuación; y debajo de la
ecuación aparecen las líneas que la calculan.

Cada nombre que el libro define es también un enlace: a donde está impreso o, si ninguna página lo imprime, a la de su
archivo.
"""

import ast
import importlib
import inspect
import re
import shutil
from functools import cache
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES, Comment
from sphinx import addnodes
from sphinx.environment import CONFIG_OK
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from dlbook.sphinx import definitions, notes
from dlbook.sphinx.folds import fold, fold_reference

TAG = re.compile(r" *\[(ec-[a-z0-9-]+)\]")
# Las líneas que se leen de un vistazo.
GLANCE = 20
DIRECTIVE = re.compile(r"^`{3,}\{(unit|listing)\} *(\S+)", re.MULTILINE)


def resolve(name):
    r"""Encuentra un objeto por su nombre completo y el nodo de sintaxis que lo define.

    Parameters
    ----------
    name : str
        Por ejemplo ``chapters.perceptron.Perceptron``; vale el nombre con que un paquete lo exporta.

    Returns
    -------
    path : Path
        Archivo que lo define.
    tree : ast.Module
        El archivo entero.
    node : ast.FunctionDef or ast.ClassDef
        Su definición.

    Raises
    ------
    ValueError
        Si no existe o no es una función ni una clase del libro.

    Examples
    --------
    >>> path, tree, node = resolve("dlbook.sphinx.listing.resolve")
    >>> path.name, node.name
    ('listing.py', 'resolve')
    """
    package, _, attribute = name.rpartition(".")
    try:
        obj = getattr(importlib.import_module(package), attribute)
    except (ImportError, AttributeError, ValueError):
        raise ValueError(f"se esperaba el nombre completo de una función o clase, pero llegó {name!r}") from None
    # Una función compilada por numba guarda la original en py_func; una decorada, en __wrapped__.
    obj = inspect.unwrap(getattr(obj, "py_func", obj))
    if not (inspect.isfunction(obj) or inspect.isclass(obj)):
        raise ValueError(f"se esperaba una función o una clase, pero {name} es de tipo {type(obj).__name__}")
    path = Path(inspect.getsourcefile(obj)).resolve()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if getattr(node, "name", None) == obj.__qualname__:
            return path, tree, node
    raise ValueError(f"se esperaba una definición en el primer nivel de {path.name}, pero {name} no lo está")


@cache
def printed(docs):
    r"""Lo que imprime cada página.

    Parameters
    ----------
    docs : Path
        La carpeta de las páginas.

    Returns
    -------
    dict
        ``{página: [(directiva, (archivo, nombre)), …]}``, sin lo que no existe.

    Examples
    --------
    >>> pages = printed(definitions.ROOT / "docs")
    >>> [target[1] for directive, target in pages["perceptron/separabilidad"] if directive == "unit"]
    ['is_separable', 'search_weights']
    """
    pages = {}
    for path in sorted(docs.rglob("*.md")):
        found = DIRECTIVE.findall(path.read_text(encoding="utf-8"))
        targets = [(directive, definitions.locate(name)) for directive, name in found]
        name = path.relative_to(docs).with_suffix("").as_posix()
        pages[name] = [(directive, target) for directive, target in targets if isinstance(target, tuple)]
    return pages


def printed_with(path, name, docs, page):
    r"""Lo que imprime una unidad: la definición y lo que le pertenece, en el orden del archivo.

    Parameters
    ----------
    path : Path
        El archivo.
    name : str
        La definición.
    docs : Path
        La carpeta de las páginas.
    page : str
        La página; lo que ella misma imprime aparte con ``{listing}`` no se repite.

    Returns
    -------
    list of ast.stmt
        La fachada, su versión sencilla, sus núcleos y las funciones, clases privadas y constantes que
        :func:`~dlbook.sphinx.definitions.owners` le da.

    Examples
    --------
    >>> path, name = definitions.locate("chapters.perceptron.dot_product")
    >>> [d.name for d in printed_with(path, name, definitions.ROOT / "docs", "perceptron/parecido")]
    ['dot_product', 'plain_dot_product', '_dot_product', '_pair']
    """
    pages = printed(docs)
    units = frozenset(n for found in pages.values() for kind, (p, n) in found if kind == "unit" and p == path)
    apart = {n for kind, (p, n) in pages.get(page, ()) if kind == "listing" and p == path}
    source = definitions.read(path)
    mine = {n for n, owner in definitions.owners(source, units | {name}).items() if owner == name} - apart
    chosen = [source.definitions[n] for n in (mine | {name})]
    return [node for node in source.tree.body if node in chosen]


def lines_without_docstrings(source, node):
    r"""Devuelve las líneas de una definición, con su número real, el comentario que la encabeza y sin sus docstrings.

    Parameters
    ----------
    source : str
        Texto del archivo.
    node : ast.stmt
        La definición.

    Returns
    -------
    list of (int, str)
        Número de línea, desde 1, y texto.

    Examples
    --------
    >>> source = 'def f(x):\n    "Suma uno."\n    return x + 1\n'
    >>> lines_without_docstrings(source, ast.parse(source).body[0])
    [(1, 'def f(x):'), (3, '    return x + 1')]
    """
    hidden = set()
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(inner, clean=False) is not None:
            doc = inner.body[0]
            hidden.update(range(doc.lineno, doc.end_lineno + 1))
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    lines = source.splitlines()
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    shown = [(i, lines[i - 1]) for i in range(first, node.end_lineno + 1) if i not in hidden]
    # Al quitar un docstring pueden quedar dos líneas en blanco seguidas: basta una.
    return [(i, t) for k, (i, t) in enumerate(shown) if t.strip() or (k and shown[k - 1][1].strip())]


def code_lines(source, chosen):
    r"""Da las líneas de unas definiciones, sin docstrings, comentarios ni líneas en blanco.

    >>> source = 'def f(x):\n    "Suma uno."\n\n    # Uno.\n    return x + 1\n'
    >>> code_lines(source, ast.parse(source).body)
    ['def f(x):', '    return x + 1']

    Parameters
    ----------
    source : str
        Texto del archivo.
    chosen : list of ast.stmt
        Las definiciones.

    Returns
    -------
    list of str
    """
    lines = [text for node in chosen for _, text in lines_without_docstrings(source, node)]
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def is_seen(source, chosen):
    r"""Dice si lo que imprime una unidad queda a la vista: cabe en un vistazo o, si no, calcula alguna ecuación.

    Parameters
    ----------
    source : str
        Texto del archivo.
    chosen : list of ast.stmt
        Las definiciones.

    Returns
    -------
    bool

    Examples
    --------
    >>> source = 'def f(x):\n    "Suma uno."\n' + 30 * "    x = x + 1\n"
    >>> is_seen(source, ast.parse(source).body)
    False
    """
    lines = code_lines(source, chosen)
    return len(lines) <= GLANCE or any(map(TAG.search, lines))


def line_ranges(tree, nodes, blocks):
    r"""Escribe qué líneas del archivo ocupan unas definiciones.

    Parameters
    ----------
    tree : ast.Module
        El archivo.
    nodes : list of ast.stmt
        Las definiciones, en su orden.
    blocks : list of list of (int, str)
        Las líneas de cada una.

    Returns
    -------
    str
        Un solo tramo por cada grupo que en el archivo va seguido.

    Examples
    --------
    >>> tree = ast.parse("A = 1\ndef _f(): ...\ndef g(): ...\ndef h(): ...")
    >>> nodes = [tree.body[0], tree.body[1], tree.body[3]]
    >>> line_ranges(tree, nodes, [[(1, "A = 1")], [(2, "def _f(): ...")], [(4, "def h(): ...")]])
    'líneas 1–2 y 4'
    """
    ranges, last = [], None
    for node, block in zip(nodes, blocks, strict=True):
        index = tree.body.index(node)
        if last is not None and index == last + 1:
            ranges[-1][1] = block[-1][0]
        else:
            ranges.append([block[0][0], block[-1][0]])
        last = index
    texts = [f"{first}–{last}" if first < last else f"{first}" for first, last in ranges]
    if len(texts) > 1:
        texts = [", ".join(texts[:-1]), texts[-1]]
    return ("línea " if texts == [f"{blocks[0][0][0]}"] else "líneas ") + " y ".join(texts)


class Listing(SphinxDirective):
    r"""``{listing} chapters.mlp.dense_forward``: el código de una definición, sin su docstring."""

    required_arguments = 1

    def run(self):
        r"""Construye los nodos del listado."""
        try:
            path, _, node = resolve(self.arguments[0].strip())
        except ValueError as error:
            raise self.error(f"{self.name}: {error}") from None
        return self.listing(path, node.name, [definitions.read(path).definitions[node.name]], None)

    def listing(self, path, name, chosen, home):
        r"""Imprime unas definiciones de un archivo; ``home`` es el ancla de la que le da nombre, si ya tiene una."""
        self.env.note_dependency(str(path))
        source = definitions.read(path)
        place = path.relative_to(definitions.ROOT).as_posix()
        blocks = [lines_without_docstrings(source.text, node) for node in chosen]
        ranges = line_ranges(source.tree, chosen, blocks)
        caption = nodes.paragraph("", "", classes=["dl-listing-caption"])
        caption += source_link("", f"{place}, {ranges}", target=(place, name), printed=False)
        lines = nodes.inline("", classes=["dl-lines"])
        for k, (node, block) in enumerate(zip(chosen, blocks, strict=True)):
            if k:
                together = blocks[k - 1][-1][0] + 1 == block[0][0]
                lines += nodes.Text("\n" if together else "\n\n")
            self._highlight(lines, source, node, block, place)
            self._note(source, node, place, home if getattr(node, "name", "") == name else None)
        # El primer argumento es distinto del texto: así Sphinx conserva nuestros colores y enlaces.
        code = nodes.literal_block(self.arguments[0], "", lines, classes=["dl-code"], language="python")
        # Así lo reconocen los estilos y el botón de copiar.
        box = nodes.container("", caption, nodes.container("", code, classes=["highlight"]), classes=["dl-listing"])
        return [box]

    def _note(self, source, node, place, home):
        # Dónde queda impreso cada nombre que define.
        for name, defined in source.definitions.items():
            if defined is node or name.startswith(f"{getattr(node, 'name', '?')}._"):
                anchor = home if home and defined is node else _anchor(place, defined.lineno)
                notes.of_page(self.env)["definitions"].append(((place, name), anchor))

    def _highlight(self, lines, source, node, block, place):
        links = {(line, column): target for line, column, _, target in definitions.uses(source, node)}
        rows = [[]]
        for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens("\n".join(t for _, t in block)):
            first, *rest = text.split("\n")
            rows[-1].append((kind, first))
            rows += [[(kind, piece)] for piece in rest]
        for k, ((number, _), row) in enumerate(zip(block, rows, strict=True)):
            row, tags = _without_tags(row)
            if k:
                lines += nodes.Text("\n")
            if tags:
                lines["classes"] = ["dl-lines", "dl-tagged"]
            lines += self._gutter(number, tags, place)
            column = 0
            for kind, text in row:
                # En @decorador, el nombre empieza después de la arroba.
                at = 1 if text.startswith("@") else 0
                lines.extend(self._token(kind, text, at, links.get((number, column + at))))
                column += len(text)

    def _gutter(self, number, tags, place):
        anchor = _anchor(place, number)
        page = notes.of_page(self.env)
        gutter = nodes.inline("", f"{number:>4} ", classes=["linenos"])
        if anchor not in page["anchors"]:
            page["anchors"].append(anchor)
            gutter["ids"].append(anchor)
        for label in tags:
            target = {"refdomain": "math", "reftype": "eq", "reftarget": label, "refdoc": self.env.docname}
            gutter += addnodes.pending_xref("", nodes.literal("", label), **target)
            gutter += nodes.Text(" ")
            page["tags"].append((label, place, number))
        return gutter

    def _token(self, kind, text, at, target):
        style = STANDARD_TYPES.get(kind, "")
        before, name = (text[:at], text[at:]) if target else (text, "")
        for piece in (before, name):
            shown = nodes.inline("", piece, classes=[style]) if style else nodes.Text(piece)
            if name and piece == name:
                path, defined = target
                target = path.relative_to(definitions.ROOT).as_posix(), defined
                notes.of_page(self.env)["uses"].append(target)
                shown = source_link("", "", shown, target=target, printed=True)
            if piece:
                yield shown


def _without_tags(row):
    # La línea sin sus etiquetas, y las etiquetas.
    tags, rest = [], []
    for kind, text in row:
        if kind in Comment and (found := TAG.findall(text)):
            tags += found
            text = TAG.sub("", text)
            text = "" if text.strip() == "#" else text
        rest.append((kind, text))
    while tags and rest and not rest[-1][1].strip():
        rest.pop()
    return rest, tags


class Unit(Listing):
    r"""``{unit} chapters.mlp.dense_forward``: la unidad entera, docstring y después fachada y núcleos."""

    def run(self):
        r"""Imprime el docstring con autodoc y debajo el listado."""
        name = self.arguments[0].strip()
        try:
            path, _, node = resolve(name)
        except ValueError as error:
            raise self.error(f"{self.name}: {error}") from None
        kind = "autoclass" if isinstance(node, ast.ClassDef) else "autofunction"
        text = ["```{eval-rst}", f".. {kind}:: {name}", *(["   :members:"] if kind == "autoclass" else []), "```"]
        box = nodes.container("", classes=["dl-unit"])
        self.state.nested_parse(StringList(text, source=name), self.content_offset, box)
        # El docstring se lee en un documento aparte que, guardado con la página, arrastra el entorno entero.
        for inner in box.findall():
            inner.document = self.state.document
        fold_reference(box)
        notes.of_page(self.env)["units"].append(name)
        chosen = printed_with(path, node.name, Path(self.env.srcdir), self.env.docname)
        read = [n for n in chosen if getattr(n, "name", "").startswith(definitions.PLAIN)]
        plain = self.listing(path, read[0].name, read, None) if read else []
        rest = [n for n in chosen if n not in read]
        run = self.listing(path, node.name, rest, name)
        seen = not read and is_seen(definitions.read(path).text, rest)
        return [box, *plain, *(run if seen else [fold("El código que se ejecuta", *run)])]


def _anchor(place, number):
    # Lleva el nombre del archivo: en una página puede haber código de varios.
    return f"{re.sub('[^a-z0-9]+', '-', place[:-3])}-{number}"


class source_link(nodes.Inline, nodes.TextElement):  # noqa: N801 - así se nombran los nodos de docutils
    r"""Enlace a una definición, ``target``; se vuelve referencia al escribir.

    Lleva a donde está impresa, si ``printed`` y alguna página la imprime; si no, a la página con el archivo entero.
    """


def _homes(env):
    # Dónde está impresa cada definición; el ancla de su unidad, que no lleva número de línea, gana a las demás.
    homes = {}
    for page, (target, anchor) in notes.gather(env, "definitions"):
        if target not in homes or "." in anchor:
            homes[target] = page, anchor
    return homes


def _link_sources(app, doctree, docname):
    modules = app.builder.format == "html" and getattr(app.env, "_viewcode_modules", {})
    homes = _homes(app.env)
    for node in list(doctree.findall(source_link)):
        place, name = node["target"]
        page, anchor = homes.get(node["target"], (None, None)) if node["printed"] else (None, None)
        if page is None and modules and modules.get(_module_name(place)):
            page, anchor = f"_modules/{_module_name(place).replace('.', '/')}", name
        if page is None or app.builder.format != "html":
            node.replace_self(node.children)
        else:
            uri = "" if page == docname else app.builder.get_relative_uri(docname, page)
            link = nodes.reference("", "", *node.children, internal=True, refuri=f"{uri}#{anchor}")
            link["classes"] += ["dl-name"] if node["printed"] else []
            node.replace_self(link)


def _module_name(place):
    return place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _add_source_pages(app, env):
    r"""Pide a ``viewcode`` la página de cada archivo al que enlaza un listado, aunque nadie imprima nada de él."""
    modules = getattr(env, "_viewcode_modules", None)
    if modules is None:
        return
    homes = _homes(env)
    for _, target in notes.gather(env, "uses"):
        name = _module_name(target[0])
        if target not in homes and name not in modules:
            analyzer = ModuleAnalyzer.for_module(name)
            analyzer.find_tags()
            modules[name] = analyzer.code, analyzer.tags, {}, name


def _mark_definitions(app, pagename, templatename, context, doctree):
    r"""Pone en la página de un archivo el ancla de cada definición: ``viewcode`` solo pone las de las impresas."""
    path = pagename.startswith("_modules/") and definitions.ROOT / f"{pagename.removeprefix('_modules/')}.py"
    if not path or not (path.is_file() or (path := path.with_suffix("") / "__init__.py").is_file()):
        return
    starts = {}
    for name, node in definitions.read(path).definitions.items():
        if f'id="{name}"' not in context["body"]:
            starts.setdefault(node.lineno, []).append(f'<span id="{name}"></span>')
    context["body"] = re.sub(
        r'<span class="linenos"> *(\d+)</span>',
        lambda m: "".join(starts.get(int(m[1]), ())) + m[0],
        context["body"],
    )


def _forget(app):
    # Otras páginas pueden imprimir ya otra cosa; y las de los archivos no se rehacen si solo cambia la extensión.
    printed.cache_clear()
    if app.builder.format == "html" and app.env.config_status != CONFIG_OK:
        shutil.rmtree(app.outdir / "_modules", ignore_errors=True)


def _label_equations(app, doctree):
    notes.of_page(app.env)["labels"] += [
        m["label"] for m in doctree.findall(nodes.math_block) if (m.get("label") or "").startswith(("ec-", "ed-"))
    ]


def _link_equations(app, doctree, docname):
    r"""Debajo de cada ecuación, las líneas que la calculan."""
    places = {}
    for page, (label, place, number) in notes.gather(app.env, "tags"):
        places.setdefault(label, {}).setdefault((place, number), page)
    for math in list(doctree.findall(nodes.math_block)):
        found = places.get(math.get("label"))
        if not found or app.builder.format != "html":
            continue
        line = nodes.paragraph("", "", classes=["dl-implementation"])
        line += nodes.Text("En el código: ")
        for k, ((place, number), page) in enumerate(sorted(found.items())):
            if k:
                line += nodes.Text(", ")
            uri = "" if page == docname else app.builder.get_relative_uri(docname, page)
            text = f"{Path(place).name}:{number}"
            line += nodes.reference("", "", nodes.Text(text), internal=True, refuri=f"{uri}#{_anchor(place, number)}")
        math.parent.insert(math.parent.index(math) + 1, line)


def _rewrite(app, env):
    r"""Vuelve a escribir las páginas cuyas ecuaciones tienen líneas en otra página."""
    pages = {label: page for page, label in notes.gather(env, "labels")}
    return sorted({pages[t[0]] for page, t in notes.gather(env, "tags") if pages.get(t[0], page) != page})


def _relink(app, env):
    r"""Vuelve a escribir las páginas con código que nombra algo impreso ahora en otro lugar."""
    homes = _homes(env)
    before = getattr(env, "dlbook_homes", {})
    env.dlbook_homes = homes
    return sorted({page for page, t in notes.gather(env, "uses") if before.get(t) != homes.get(t)})


def _split_lines(app, what, name, obj, options, lines):
    # napoleon entrega la sección Raises en una sola línea con saltos dentro, y sus párrafos se funden en uno.
    lines[:] = [part.rstrip() for line in lines for part in line.split("\n")]


def setup(app):
    r"""Registra las directivas y los enlaces."""
    notes.setup(app)
    app.setup_extension("sphinx.ext.autodoc")
    app.add_directive("listing", Listing)
    app.add_directive("unit", Unit)
    app.add_node(source_link)
    app.connect("autodoc-process-docstring", _split_lines, priority=900)
    app.connect("doctree-read", _label_equations)
    app.connect("doctree-resolved", _link_sources)
    app.connect("doctree-resolved", _link_equations)
    app.connect("builder-inited", _forget)
    app.connect("env-updated", _rewrite)
    app.connect("env-updated", _relink)
    app.connect("env-updated", _add_source_pages)
    app.connect("html-page-context", _mark_definitions)
