r"""Qué define cada archivo del libro y quién usa qué, leído de las fuentes sin ejecutarlas.

Con esto un listado se cierra: lo que su código nombra está en él, o un enlace lleva a donde está. Todo se nombra con
un par ``(archivo, nombre)``; el nombre de un método lleva el de su clase, ``Layer.build``.
"""

import ast
import re
from functools import cache, cached_property
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Source:
    r"""Un archivo leído: su texto, sus definiciones y lo que importa.

    Parameters
    ----------
    path : Path
        El archivo.

    Attributes
    ----------
    tree : ast.Module
        Su árbol de sintaxis.
    definitions : dict
        ``{nombre: nodo}``: funciones, clases, constantes, métodos y atributos privados de ``self``.
    imports : dict
        ``{nombre: nombre completo}`` de lo que importa, en cualquier parte del archivo.
    """

    def __init__(self, path):
        self.path = path
        self.text = path.read_text(encoding="utf-8")
        self.lines = self.text.splitlines()
        self.tree = ast.parse(self.text)
        self.definitions = {}
        for node in self.tree.body:
            self._define(node)
        self.imports = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and not node.level:
                self.imports |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
            elif isinstance(node, ast.Import):
                self.imports |= {(a.asname or a.name.partition(".")[0]): a.name for a in node.names if a.asname}
                self.imports |= {(name := a.name.partition(".")[0]): name for a in node.names if not a.asname}

    def _define(self, node):
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            self.definitions |= {n.id: node for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        elif _is_definition(node):
            self.definitions[node.name] = node
        if isinstance(node, ast.ClassDef):
            for inner in ast.walk(node):
                name = inner.name if isinstance(inner, ast.FunctionDef) else _own_attribute(inner)
                if name:
                    self.definitions.setdefault(f"{node.name}.{name}", inner)

    @cached_property
    def used(self):
        r"""Lo que cada definición del primer nivel usa de su mismo archivo."""
        used = {}
        for name, node in self.definitions.items():
            if "." not in name:
                used[name] = {t.partition(".")[0] for *_, (path, t) in uses(self, node) if path == self.path}
        return used

    def reach(self, name, stops=frozenset()):
        r"""Lo que una definición usa de su archivo, y lo que usa lo que usa, sin entrar en ``stops``."""
        reached, pending = set(), [name]
        while pending:
            new = self.used[pending.pop()] - reached - stops
            reached |= new
            pending += new
        return reached


def _is_definition(node):
    return isinstance(node, (ast.FunctionDef, ast.ClassDef))


def _own_attribute(node):
    # self._algo = …: un atributo privado se define donde se le da su primer valor.
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr.startswith("_"):
        return node.attr if isinstance(node.value, ast.Name) and node.value.id == "self" else None
    return None


@cache
def _read(path, modified):
    return Source(path)


def read(path):
    r"""Lee un archivo, una sola vez mientras no cambie.

    Parameters
    ----------
    path : Path
        El archivo.

    Returns
    -------
    Source
        Lo que define.

    Examples
    --------
    >>> "read" in read(ROOT / "dlbook/sphinx/definitions.py").definitions
    True
    """
    return _read(path, path.stat().st_mtime_ns)


def _module(dotted):
    base = ROOT.joinpath(*dotted.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


# Así empieza el nombre de la versión que se lee: la de ``conv2d_forward`` es ``plain_conv2d_forward``.
PLAIN = "plain_"


def plain_name(name):
    r"""Cómo se llama la versión que se lee de una función o de una clase.

    >>> plain_name("conv2d_forward"), plain_name("BatchNormalization")
    ('plain_conv2d_forward', 'plain_batch_normalization')

    Parameters
    ----------
    name : str
        El nombre de la que se ejecuta.

    Returns
    -------
    str
    """
    return PLAIN + re.sub("(?<=[a-z])(?=[A-Z])", "_", name).lower()


@cache
def owners(source, printed):
    r"""Con qué definición se imprime cada una de las demás de su archivo.

    La versión que se lee va con la función que calcula lo mismo. Un núcleo va con la fachada que tiene encima, si esta
    lo usa y ninguna anterior lo llama. Lo demás, esté antes o después, con la primera que lo usa. Y una función o
    clase privada que ninguna usa, con la que tiene encima.

    Parameters
    ----------
    source : Source
        El archivo.
    printed : frozenset of str
        Sus definiciones que tienen una unidad en alguna página.

    Returns
    -------
    dict
        ``{nombre: dueña}`` de las funciones y clases privadas y de las constantes.
    """
    top = {name: node for name, node in source.definitions.items() if "." not in name}
    hidden = "_", PLAIN
    public = frozenset(name for name, node in top.items() if _is_definition(node) and not name.startswith(hidden))
    units = [name for name in top if name in printed]
    alone = {unit: source.reach(unit, public) for unit in units}
    plains = {plain_name(unit): unit for unit in units}
    found, above = {}, None
    for name, node in top.items():
        if name in printed or name in public:
            above = name
            continue
        if name.startswith(PLAIN):
            if name in plains:
                found[name] = plains[name]
            continue
        owner = next((unit for unit in units if name in alone[unit]), None)
        if above in printed and _is_definition(node):
            called_before = any(name in source.used[unit] for unit in units[: units.index(above)])
            if owner is None or (name in source.reach(above) and not called_before):
                owner = above
        if owner:
            found[name] = owner
    return found


def locate(dotted):
    r"""Encuentra lo que nombra un nombre completo, aunque un paquete lo exporte desde otro archivo.

    Parameters
    ----------
    dotted : str
        Por ejemplo ``chapters.mlp.Dense`` o ``chapters.mlp.dense``.

    Returns
    -------
    Path, (Path, str) or None
        Un módulo, una definición, o ``None`` si no es del libro.

    Examples
    --------
    >>> path, name = locate("chapters.mlp.Dense")
    >>> path.relative_to(ROOT).as_posix(), name
    ('chapters/mlp/dense.py', 'Dense')
    >>> locate("chapters.mlp.dense") == path
    True
    >>> locate("numpy.zeros") is None
    True
    """
    package, _, name = dotted.rpartition(".")
    if parent := _module(package):
        source = read(parent)
        if name in source.definitions:
            return parent, name
        if source.imports.get(name, dotted) != dotted:
            return locate(source.imports[name])
    return _module(dotted)


def uses(source, node):
    r"""Recorre los nombres de una definición que son definiciones del libro.

    Parameters
    ----------
    source : Source
        El archivo.
    node : ast.AST
        Una definición de su primer nivel.

    Yields
    ------
    line, column : int
        Dónde está el nombre: la línea desde 1 y la columna desde 0.
    text : str
        El nombre, como está escrito ahí.
    target : (Path, str)
        La definición.
    """
    for inner, local in _loads(node, frozenset()):
        target = _target(source, inner, local, node)
        if not isinstance(target, tuple):
            continue
        name = inner.id if isinstance(inner, ast.Name) else inner.attr
        line, end = inner.end_lineno, inner.end_col_offset
        column = len(source.lines[line - 1].encode()[:end].decode()) - len(name)
        yield line, column, name, target


def _loads(node, local):
    # Los nombres y atributos que se leen, cada uno con los nombres que ahí son locales.
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        local = local | _locals(node)
    elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
        yield node, local
    for child in ast.iter_child_nodes(node):
        yield from _loads(child, local)


def _locals(function):
    inner = list(ast.walk(function))
    arguments = {n.arg for n in inner if isinstance(n, ast.arg)}
    stored = {n.id for n in inner if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    nested = {n.name for n in inner[1:] if _is_definition(n)}
    shared = {name for n in inner if isinstance(n, ast.Global) for name in n.names}
    return (arguments | stored | nested) - shared


def _target(source, node, local, inside):
    if isinstance(node, ast.Name) and node.id not in local:
        if node.id in source.definitions:
            return source.path, node.id
        return locate(source.imports[node.id]) if node.id in source.imports else None
    if isinstance(node, ast.Attribute):
        parent = _target(source, node.value, local, inside)
        if isinstance(parent, Path):
            return locate(f"{'.'.join(parent.relative_to(ROOT).with_suffix('').parts)}.{node.attr}")
        if node.attr.startswith("_") and not node.attr.endswith("__"):
            return _private_member(source, inside, node.attr)
    return None


def _private_member(source, inside, name):
    # De la clase en que se nombra o de sus bases; si no, de otra clase que el archivo conoce.
    if isinstance(inside, ast.ClassDef) and f"{inside.name}.{name}" in source.definitions:
        return None
    known = [locate(dotted) for dotted in source.imports.values()]
    classes = [(source.path, getattr(inside, "name", "")), *((source.path, d) for d in source.definitions), *known]
    for path, owner in chain.from_iterable(_lineage(c) for c in classes if isinstance(c, tuple)):
        if f"{owner}.{name}" in read(path).definitions:
            return path, f"{owner}.{name}"
    return None


def _lineage(target):
    path, name = target
    source = read(path)
    node = source.definitions.get(name)
    if isinstance(node, ast.ClassDef):
        yield target
        for base in (_target(source, b, frozenset(), None) for b in node.bases):
            yield from _lineage(base) if isinstance(base, tuple) else ()
