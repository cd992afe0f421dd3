r"""De qué archivos del libro depende un trozo de código: los que importa, los que importan esos, y así hasta el final.

De ahí salen las claves de las dos cachés, la de numba (:mod:`dlbook.cache`) y la de las páginas
(:mod:`dlbook.sphinx.pages`). Un archivo de menos haría mentir a la caché; uno de más solo cuesta tiempo. Por eso se
peca siempre de lo segundo.
"""

import ast
import functools
import re
import sys
from hashlib import blake2b
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = "dlbook", "chapters"

# Una instrucción empieza una línea o va detrás de «;» o de «:». Puede seguir en otras, entre paréntesis o con «\».
_IMPORT = re.compile(rb"(?:^|[;:])[ \t]*((?:from|import)\b(?:[^\n(;#\\]|\\\r?\n)*(?:\([^)]*\))?)", re.MULTILINE)

# Lo que decía cada archivo, y los módulos que ya se buscaron.
_taken, _looked = {}, set()


def source(path):
    r"""Lee un archivo una sola vez: aunque después cambie, lo que se ejecuta es lo que decía al importarlo.

    Parameters
    ----------
    path : pathlib.Path
        Cuál.

    Returns
    -------
    bytes
    """
    if path not in _taken:
        _taken[path] = _date(path), path.read_bytes()
    return _taken[path][1]


def _date(path):
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def take(path):
    r"""Lee, si no se han leído, el archivo de un módulo y los de todos los módulos del libro ya importados.

    Parameters
    ----------
    path : pathlib.Path
        El archivo.

    Returns
    -------
    bool
        Si el archivo sigue como cuando se leyó.
    """
    if path in _taken:
        return _taken[path][0] == _date(path)
    source(path)
    # Los que ya se miraron no se vuelven a mirar: son cientos, y esto se hace por cada archivo con núcleos.
    new = set(sys.modules) - _looked
    _looked.update(new)
    for name in new:
        if _ours(name) and (other := module_path(name)):
            source(other)
    return True


def _ours(module):
    return module.partition(".")[0] in PACKAGES


@functools.cache
def module_path(module):
    r"""Da el archivo de un módulo del libro, o ``None`` si no hay ninguno con ese nombre.

    >>> module_path("dlbook.sources").name, module_path("dlbook.plot").name, module_path("numpy")
    ('sources.py', '__init__.py', None)

    Parameters
    ----------
    module : str
        Su nombre completo.

    Returns
    -------
    pathlib.Path or None
    """
    base = ROOT.joinpath(*module.split("."))
    options = (base.with_name(f"{base.name}.py"), base / "__init__.py") if _ours(module) else ()
    return next((path for path in options if path.is_file()), None)


@functools.cache
def module_name(path):
    r"""Da el nombre del módulo que está en un archivo, o ``None`` si no es del libro.

    >>> module_name(module_path("chapters.mlp.dense")), module_name(Path("/otra/parte.py"))
    ('chapters.mlp.dense', None)

    Parameters
    ----------
    path : pathlib.Path
        El archivo.

    Returns
    -------
    str or None
    """
    if not path.is_relative_to(ROOT):
        return None
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return name if _ours(name) else None


def import_statements(code):
    r"""Busca las instrucciones ``import`` de un código, también las que están dentro de una función.

    Analizar el archivo entero costaría diez veces más que recortarlas y analizar solo los recortes. Si alguno no se
    entiende, se analiza todo.

    >>> [ast.unparse(node) for node in import_statements(b"import os\nif os: from a import (\n    b,\n)\n")]
    ['import os', 'from a import b']

    Parameters
    ----------
    code : bytes
        El texto.

    Returns
    -------
    list of ast.Import or ast.ImportFrom
    """
    try:
        nodes = ast.parse(b"\n".join(_IMPORT.findall(code))).body
    except SyntaxError:
        nodes = ast.walk(ast.parse(code))
    return [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]


def _origin(node, package):
    # El módulo del que importa un «from»; los puntos cuentan desde el paquete de quien lo escribe.
    if not node.level:
        return node.module
    base = package.split(".")[: len(package.split(".")) + 1 - node.level]
    return ".".join([*base, node.module] if node.module else base)


@functools.cache
def _index(module):
    r"""Si el módulo es un paquete que solo reúne nombres de otros, da de dónde viene cada uno; si no, ``None``.

    Quien importa de un índice así no depende de él, sino del archivo al que apunta.
    """
    path = module_path(module)
    if path is None or path.name != "__init__.py":
        return None
    names = {}
    for node in ast.parse(source(path)).body:
        if isinstance(node, ast.ImportFrom) and all(alias.name != "*" for alias in node.names):
            for alias in node.names:
                names.setdefault(alias.asname or alias.name, set()).add((_origin(node, module), alias.name))
        elif not (
            (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            or (isinstance(node, ast.Assign) and ast.unparse(node.targets) == "__all__")
        ):
            return None
    return names


@functools.cache
def everything_in(module):
    r"""Da un módulo y, si es un paquete, todos los que contiene.

    >>> sorted(everything_in("dlbook.course"))
    ['dlbook.course']
    >>> "dlbook.saving.files" in everything_in("dlbook.saving")
    True

    Parameters
    ----------
    module : str
        Su nombre completo.

    Returns
    -------
    frozenset of str
    """
    path = module_path(module)
    if path is None:
        return frozenset()
    inside = path.parent.rglob("*.py") if path.name == "__init__.py" else ()
    return frozenset({module, *map(module_name, inside)})


@functools.cache
def where(module, name):
    r"""Da los módulos de los que depende quien escribe ``from module import name``.

    >>> where("chapters.cnn", "Conv2D")
    frozenset({'chapters.cnn.convolution.conv2d'})

    Parameters
    ----------
    module, name : str
        De dónde se importa, y qué.

    Returns
    -------
    frozenset of str
        Vacío si no es del libro.
    """
    if module_path(module) is None:
        return frozenset()
    found = set(everything_in(f"{module}.{name}"))
    index = _index(module)
    if index is None:
        found.add(module)
    for origin in (index or {}).get(name, ()):
        if origin != (module, name):
            found |= where(*origin)
    return frozenset(found or everything_in(module))


# Da lo que le pidan, esté donde esté: quien lo usa depende de todo.
_SHELF = "chapters.keras.shelf"


@functools.cache
def _direct(module):
    path = module_path(module)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found = {m for node in import_statements(source(path)) for m in imported(node, package)}
    if module == _SHELF:
        found |= {m for one in PACKAGES for m in everything_in(one)}
    # El código que haya en los paquetes que lo contienen se ejecuta antes que él.
    while package:
        if _index(package) is None:
            found.add(package)
        package = package.rpartition(".")[0]
    return frozenset(found)


def imported(node, package=""):
    r"""Da los módulos del libro que hacen falta para una instrucción ``import``, sin contar los que importan ellos.

    >>> sorted(imported(ast.parse("from dlbook import course, check").body[0]))
    ['dlbook', 'dlbook.check', 'dlbook.course']

    Parameters
    ----------
    node : ast.Import or ast.ImportFrom
        La instrucción.
    package : str
        El paquete de quien la escribe, para los ``import`` relativos.

    Returns
    -------
    set of str
    """
    if isinstance(node, ast.Import):
        # «import a.b» da «a», y con él todo lo que lleve dentro.
        return {m for alias in node.names for m in everything_in(alias.name.partition(".")[0])}
    origin = _origin(node, package)
    names = [alias.name for alias in node.names]
    return {m for name in names for m in (everything_in(origin) if name == "*" else where(origin, name))}


# Con estas palabras se llega a clases que nadie importó por su nombre.
_BY_NAME = {"load", "load_model", "registry", "import_module", "__import__", "exec", "eval"}


def used_by(code):
    r"""Da los módulos del libro que usa un programa, sin contar los que importan ellos.

    De ``from dlbook import plot`` solo cuentan las figuras que se piden, si ``plot`` no se usa de otra manera.

    >>> sorted(used_by("from dlbook import plot\nplot.curves([1, 2])"))
    ['dlbook', 'dlbook.plot.history']

    Parameters
    ----------
    code : str
        El programa.

    Returns
    -------
    set of str

    Raises
    ------
    SyntaxError
        Si no es Python.
    """
    nodes = list(ast.walk(ast.parse(code)))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    attributes = [node for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    if _BY_NAME & {node.id for node in names} | _BY_NAME & {node.attr for node in attributes}:
        return {m for package in PACKAGES for m in everything_in(package)}

    def asked(module, name):
        uses = sum(node.id == name for node in names)
        wanted = {node.attr for node in attributes if node.value.id == name}
        if uses != sum(node.value.id == name for node in attributes) or not uses:
            return everything_in(module)
        return {m for attribute in wanted for m in where(module, attribute)}

    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                module = f"{node.module}.{alias.name}"
                some = imported(ast.ImportFrom(node.module, [alias], 0))
                if module_path(module):
                    some = some - everything_in(module) | asked(module, alias.asname or alias.name)
                found |= some
        elif isinstance(node, ast.Import):
            for alias in node.names:
                root = alias.name if alias.asname else alias.name.partition(".")[0]
                if module_path(root):
                    found |= {root, *asked(root, alias.asname or root)}
    return found


def reach(modules):
    r"""Da los módulos dados y todos los que importan, directa o indirectamente.

    >>> "dlbook.numeric.matmul_at" in reach({"chapters.cnn.convolution.conv2d"})
    True
    >>> "chapters.perceptron.gates" in reach({"chapters.cnn.convolution.conv2d"})
    False

    Parameters
    ----------
    modules : iterable of str
        De dónde se parte.

    Returns
    -------
    set of str
    """
    found, pending = set(), set(modules)
    while pending:
        module = pending.pop()
        if module not in found:
            found.add(module)
            pending |= _direct(module) - found
    return found


@functools.cache
def _digest(path):
    return blake2b(source(path), digest_size=16).digest()


def digest(modules, *texts):
    r"""Resume en 32 cifras hexadecimales lo que dicen los archivos de unos módulos y de los que importan.

    >>> len(digest({"chapters.mlp.dense"}))
    32

    Parameters
    ----------
    modules : iterable of str
        Los módulos.
    *texts : bytes
        Otros textos que también cuentan.

    Returns
    -------
    str
        Cambia en cuanto cambia un archivo.
    """
    total = blake2b(digest_size=16)
    for text in texts:
        total.update(blake2b(text, digest_size=16).digest())
    for module in sorted(reach(modules)):
        total.update(module.encode() + b"\0" + _digest(module_path(module)))
    return total.hexdigest()
