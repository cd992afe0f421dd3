r"""Directivas ``unit`` y ``listing``: el código tal como está en su archivo, unido a las ecuaciones que calcula.

Una línea de código que calcula una ecuación termina con la etiqueta de esta, ``# [ec-cnn-salida]``. Al imprimirla, la
etiqueta se vuelve un enlace con el número de la ecuación; y debajo de la ecuación aparecen las líneas que la calculan.
"""

import ast
import importlib
import inspect
import re
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from pygments.lexers import PythonLexer
from pygments.token import STANDARD_TYPES, Comment
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from dlbook.sphinx import notes

ROOT = Path(__file__).resolve().parents[2]
TAG = re.compile(r"\[(ec-[a-z0-9-]+)\]")


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


def with_kernels(tree, node):
    r"""Devuelve una definición y las privadas que la siguen en su archivo: la fachada y sus núcleos.

    Parameters
    ----------
    tree : ast.Module
        El archivo.
    node : ast.FunctionDef or ast.ClassDef
        La definición pública.

    Returns
    -------
    list of ast.stmt
        ``node`` y cada definición cuyo nombre empieza con ``_``, hasta la siguiente pública.

    Examples
    --------
    >>> tree = ast.parse("def f(): ...\ndef _f(): ...\ndef g(): ...\ndef _g(): ...")
    >>> [d.name for d in with_kernels(tree, tree.body[0])]
    ['f', '_f']
    """
    definitions = [d for d in tree.body if isinstance(d, (ast.FunctionDef, ast.ClassDef))]
    found = [node]
    for d in definitions[definitions.index(node) + 1 :]:
        if not d.name.startswith("_"):
            break
        found.append(d)
    return found


def lines_without_docstrings(source, node):
    r"""Devuelve las líneas de una definición, con su número real y sin sus docstrings.

    Parameters
    ----------
    source : str
        Texto del archivo.
    node : ast.FunctionDef or ast.ClassDef
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
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    lines = source.splitlines()
    shown = [(i, lines[i - 1]) for i in range(first, node.end_lineno + 1) if i not in hidden]
    # Al quitar un docstring pueden quedar dos renglones en blanco seguidos: basta uno.
    return [(i, t) for k, (i, t) in enumerate(shown) if t.strip() or (k and shown[k - 1][1].strip())]


class Listing(SphinxDirective):
    r"""``{listing} chapters.mlp.dense_forward``: el código de una definición, sin su docstring."""

    required_arguments = 1

    def run(self):
        r"""Construye los nodos del listado."""
        return self.listing(lambda tree, node: [node])

    def listing(self, choose):
        r"""Imprime las definiciones que ``choose`` elige en el archivo del objeto."""
        name = self.arguments[0].strip()
        try:
            path, tree, node = resolve(name)
        except ValueError as error:
            raise self.error(f"{self.name}: {error}") from None
        self.env.note_dependency(str(path))
        source = path.read_text(encoding="utf-8")
        definitions = choose(tree, node)
        blocks = [lines_without_docstrings(source, d) for d in definitions]
        place = path.relative_to(ROOT).as_posix()
        lines = f"{place}, líneas {blocks[0][0][0]}–{blocks[-1][-1][0]}"
        caption = nodes.paragraph("", "", classes=["dl-listing-caption"])
        caption += source_link("", lines, module=place[:-3], name=node.name)
        code = nodes.literal_block("", "", classes=["dl-code"], language="python")
        code.rawsource = name  # distinto del texto: Sphinx conserva nuestros colores y enlaces
        for k, block in enumerate(blocks):
            if k:
                code += nodes.Text("\n\n")
            self._highlight(code, block, place)
        # Así lo reconocen los estilos y el botón de copiar.
        box = nodes.container("", caption, nodes.container("", code, classes=["highlight"]), classes=["dl-listing"])
        return [box]

    def _highlight(self, code, block, place):
        numbers = [i for i, _ in block]
        tokens = PythonLexer(stripnl=False, ensurenl=False).get_tokens("\n".join(t for _, t in block))
        row = 0
        code += self._number(numbers[0], place)
        for kind, text in tokens:
            for k, piece in enumerate(text.split("\n")):
                if k:
                    row += 1
                    code += nodes.Text("\n")
                    code += self._number(numbers[row], place)
                if piece:
                    code.extend(self._token(kind, piece, place, numbers[row]))

    def _number(self, number, place):
        anchor = _anchor(place, number)
        seen = notes.of_page(self.env)["anchors"]
        ids = [] if anchor in seen else [anchor]
        seen.append(anchor)
        return nodes.inline("", f"{number:>4}  ", classes=["linenos"], ids=ids)

    def _token(self, kind, text, place, number):
        style = STANDARD_TYPES.get(kind, "")
        if kind in Comment:
            start = 0
            for match in TAG.finditer(text):
                label = match.group(1)
                yield nodes.inline("", text[start : match.start()], classes=[style])
                target = {"refdomain": "math", "reftype": "eq", "reftarget": label, "refdoc": self.env.docname}
                xref = addnodes.pending_xref("", nodes.literal("", label), **target)
                yield xref
                notes.of_page(self.env)["tags"].append((label, place, number))
                start = match.end()
            text = text[start:]
        if text:
            yield nodes.inline("", text, classes=[style]) if style else nodes.Text(text)


class Unit(Listing):
    r"""``{unit} chapters.mlp.dense_forward``: la unidad entera, docstring y después fachada y núcleos."""

    def run(self):
        r"""Imprime el docstring con autodoc y debajo el listado."""
        name = self.arguments[0].strip()
        try:
            _, _, node = resolve(name)
        except ValueError as error:
            raise self.error(f"{self.name}: {error}") from None
        kind = "autoclass" if isinstance(node, ast.ClassDef) else "autofunction"
        text = ["```{eval-rst}", f".. {kind}:: {name}", *(["   :members:"] if kind == "autoclass" else []), "```"]
        box = nodes.container("", classes=["dl-unit"])
        self.state.nested_parse(StringList(text, source=name), self.content_offset, box)
        # El docstring se lee en un documento aparte que, guardado con la página, arrastra el entorno entero.
        for node in box.findall():
            node.document = self.state.document
        notes.of_page(self.env)["units"].append(name)
        return [box, *self.listing(with_kernels)]


def _anchor(place, number):
    # Lleva el nombre del archivo: en una página puede haber código de varios.
    return f"{re.sub('[^a-z0-9]+', '-', place[:-3])}-{number}"


class source_link(nodes.Inline, nodes.TextElement):  # noqa: N801 - así se nombran los nodos de docutils
    r"""Enlace a la página con el archivo entero; se vuelve referencia al escribir."""


def _link_sources(app, doctree, docname):
    pages = app.builder.format == "html" and getattr(app.env, "_viewcode_modules", {})
    for node in list(doctree.findall(source_link)):
        module = node["module"].replace("/", ".")
        text = nodes.Text(node.astext())
        if pages and pages.get(module):
            uri = app.builder.get_relative_uri(docname, "_modules/" + node["module"]) + "#" + node["name"]
            node.replace_self(nodes.reference("", "", text, internal=True, refuri=uri))
        else:
            node.replace_self(text)


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


def _split_lines(app, what, name, obj, options, lines):
    # napoleon entrega la sección Raises en un solo renglón con saltos dentro, y sus párrafos se funden en uno.
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
    app.connect("env-updated", _rewrite)
