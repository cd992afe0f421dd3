"""La forma de una página: corta, con código que cabe y que corre al pegarlo, y con lo que se lee a la vista."""

import ast
import atexit
import doctest
import functools
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from subprocess import PIPE

import pytest

from dlbook.sphinx import definitions
from dlbook.sphinx.listing import GLANCE, TAG, code_lines, is_seen, printed, printed_with
from dlbook.sphinx.minutes import CONSULTED

ROOT = Path(__file__).resolve().parents[2]
DOCS, BUILT = ROOT / "docs", ROOT / "build" / "html"
WIDTH, MINUTES = 76, 45
PAGES = [path.relative_to(DOCS).with_suffix("").as_posix() for path in sorted(DOCS.rglob("*.md"))]

CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OPTIONS = re.compile(r"\A---\n(.*?)^---\n|\A((?::[^\n]*\n)+)", re.DOTALL | re.MULTILINE)
HIDDEN = re.compile(r"\b(hide-input|hide-cell|remove-cell|remove-input)\b")


def cells(page):
    """El código de cada celda de una página, y si se ve sin abrir nada."""
    found = []
    for text in CELL.findall((DOCS / f"{page}.md").read_text(encoding="utf-8")):
        options = OPTIONS.match(text)
        code = text[options.end() :] if options else text
        found.append((code.strip("\n"), not (options and HIDDEN.search(options[0])), options[0] if options else ""))
    return found


def units(page):
    """De cada unidad de una página: su archivo, su nombre y lo que imprime."""
    for directive, (path, name) in printed(DOCS).get(page, ()):
        if directive == "unit":
            yield definitions.read(path), name, printed_with(path, name, DOCS, page)


# Los errores van plegados, y sus mensajes son de una línea.
RAISES = re.compile(r"\nRaises\n-+\n.*?(?=\n\w+\n-{3,}\n|\Z)", re.DOTALL)


def documented(node):
    inner = [n for n in ast.walk(node) if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    texts = [ast.get_docstring(n) for n in inner if not n.name.startswith("_")]
    return [RAISES.sub("", text) for text in texts if text]


def plain_of(name, shown):
    """La versión que se lee, si la hay, entre lo que imprime una unidad."""
    return [node for node in shown if getattr(node, "name", "") == definitions.plain_name(name)]


def raised(source, nodes):
    """Las líneas de los ``raise``: los mensajes de error no cuentan."""
    lines = source.splitlines()
    found = [n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Raise)]
    return {line.rstrip() for n in found for line in lines[n.lineno - 1 : n.end_lineno]}


def wide_lines(page):
    lines = [line for code, _, options in cells(page) if "remove-cell" not in options for line in code.splitlines()]
    for source, name, shown in units(page):
        plain = plain_of(name, shown)
        seen = plain or (shown if is_seen(source.text, shown) else [])
        # La etiqueta se imprime en el margen.
        messages = raised(source.text, seen)
        code = [line for line in code_lines(source.text, seen) if line.rstrip() not in messages]
        lines += [TAG.sub("", line).removesuffix("  #") for line in code]
        for text in documented(source.definitions[name]):
            examples = doctest.DocTestParser().get_examples(text)
            lines += [f">>> {line}" for example in examples for line in example.source.splitlines()]
            lines += [line for example in examples for line in example.want.splitlines()]
    return [line for line in lines if len(line) > WIDTH]


def compiled(node):
    return isinstance(node, ast.FunctionDef) and any(ast.unparse(d).startswith("kernel") for d in node.decorator_list)


def opaque_units(page):
    """Las unidades cuyo código está a la vista y es un núcleo o no se lee de un vistazo, sin una versión que se lea."""
    found = []
    for source, name, shown in units(page):
        read = len(code_lines(source.text, shown)) <= GLANCE and not any(map(compiled, shown))
        if not read and not plain_of(name, shown) and is_seen(source.text, shown):
            found.append(name)
    return found


def late_imports(page):
    """Las importaciones que se ven y no están en la primera celda; o todas, si la primera no se ve."""
    every = cells(page)
    late = every if every and not every[0][1] else every[1:]
    code = [line for cell, seen, _ in late if seen for line in cell.splitlines()]
    return [line for line in code if re.match(r"(import|from) ", line)]


# Un Python con todo importado, que se copia por cada página: importar son dos segundos de procesador, y las páginas son
# más de cien. Lo que una página importe, lo importa en un espacio de nombres vacío. Fuera de Linux, donde copiarse no
# es de fiar, cada página tiene el suyo.
NURSERY = """
import contextlib, importlib, json, os, sys, traceback
import matplotlib
matplotlib.use("Agg")
from dlbook.sphinx.nursery import PRELOADED
for module in PRELOADED:
    # Si un capítulo no se puede importar, que lo diga la página que lo usa.
    with contextlib.suppress(Exception):
        importlib.import_module(module)

def paste(cells):
    space = {"__name__": "__main__"}
    for code, fails in cells:
        try:
            exec(compile(code, "celda", "exec"), space)
        except Exception:
            if not fails:
                print(code, file=sys.stderr)
                traceback.print_exc()
                return 1
    return 0

def answer(folder, cells, told):
    os.chdir(folder)
    with open(told, "w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    failed = 1
    try:
        failed = paste(cells)
        sys.stdout.flush()
    finally:
        os._exit(failed)

for line in sys.stdin:
    order = json.loads(line)
    if sys.platform != "linux":
        answer(*order)
    pid = os.fork()
    if not pid:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        answer(*order)
    print(os.waitpid(pid, 0)[1], flush=True)
"""


@functools.cache
def nursery(page):
    process = subprocess.Popen([sys.executable, "-c", NURSERY], stdin=PIPE, stdout=PIPE, text=True, cwd=ROOT)
    atexit.register(process.communicate)
    return process


def failure_when_pasted(page):
    """Pega las celdas que se ven, en orden, en un Python en que no hay ningún nombre; da cómo falló, si falló."""
    seen = [(code, "raises-exception" in options) for code, visible, options in cells(page) if visible]
    if not seen:
        return ""
    linux = sys.platform == "linux"
    process = nursery("" if linux else page)
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "dijo.txt"
        print(json.dumps([str((DOCS / page).parent), seen, str(told)]), file=process.stdin, flush=True)
        failed = int(process.stdout.readline()) if linux else process.wait()
        return told.read_text(encoding="utf-8", errors="replace")[-2000:] or "falló" if failed else ""


def minutes(page):
    built = BUILT / f"{page}.html"
    found = re.search(r'class="dl-minutes">\D*(\d*)', built.read_text(encoding="utf-8")) if built.is_file() else None
    return int(found[1] or 1) if found else 0


CLOCK = {"perf_counter", "process_time", "thread_time", "monotonic", "timeit", "fastest"}
CLOCK |= {f"{name}_ns" for name in CLOCK} | {"time.time"}


def roots(target):
    """Los nombres que cambian al asignar: de ``a[i], b.c``, ``a`` y ``b``."""
    while isinstance(target, (ast.Subscript, ast.Attribute, ast.Starred)):
        target = target.value
    if isinstance(target, (ast.Tuple, ast.List)):
        return set().union(*map(roots, target.elts))
    return {target.id} if isinstance(target, ast.Name) else set()


def names(node):
    """Los nombres que un programa lee de fuera, y los atributos que son un reloj."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    found -= set().union(*(roots(n.target) for n in ast.walk(node) if isinstance(n, ast.comprehension)))
    found -= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
    if isinstance(node, ast.FunctionDef):
        found -= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    attributes = [n for n in ast.walk(node) if isinstance(n, ast.Attribute)]
    return found | CLOCK & {n.attr for n in attributes} | CLOCK & set(map(ast.unparse, attributes))


def hurried(code):
    """Los ``assert`` que dependen de lo que marcó un reloj: otra máquina no tiene por qué cumplirlos."""
    measured, found = set(CLOCK), []

    def go_through(statements):
        nonlocal measured
        for node in statements:
            if isinstance(node, ast.Assert):
                found.extend([ast.unparse(node)] if names(node.test) & measured else [])
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                (measured.add if names(node) & measured else measured.discard)(node.name)
            elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                source = node.iter if isinstance(node, ast.For) else node.value
                if source and names(source) & measured:
                    measured.update(*map(roots, targets))
                elif not isinstance(node, ast.AugAssign):
                    # Un nombre que ahora es otra cosa; un arreglo en que se escribe un número es el mismo.
                    every = (n for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))
                    measured -= {n.id for n in every if isinstance(n.ctx, ast.Store)}
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and names(node.value) & measured:
                # Guardar en una lista lo que se midió; llamar a una función por su nombre no cambia ninguno.
                called = node.value.func
                measured.update(roots(called) if isinstance(called, ast.Attribute) else ())
            before = set(measured)
            for part in ("body", "handlers", "orelse", "finalbody"):
                go_through(getattr(node, part, ()))
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                # Lo que se llama igual adentro es otra cosa.
                measured = before

    go_through(ast.parse(code).body)
    return found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("t = time.perf_counter()\nassert t > 0", 1),
        ("a = {'x': clock.fastest(f, 3)}\nslow, *rest = a.values()\nassert slow > max(rest)", 1),
        ("def f():\n  return process_time()\nt = []\nt.append(f())\nassert t[0] < t[1]", 1),
        ("class Watch:\n  def go(self):\n    self.t = perf_counter()\nw = Watch()\nassert w.t < 1", 1),
        ("t = {}\nfor k in range(3):\n  t[k] = fastest(f, 3)\nassert t[0] > 0", 1),
        ("def f():\n  t = time.time()\n  assert t > 0", 1),
        ("try:\n  t: float = monotonic()\nexcept OSError:\n  pass\nassert t > 0", 1),
        ("t = fastest(f, 3)\nt = 3\nassert t == 3\nt = fastest(f, 3)\nexpect(t < 1, 'tarda poco')", 0),
    ],
)
def test_an_assertion_on_the_clock_is_found(code, found):
    assert len(hurried(code)) == found


RULES = {
    "hurried": lambda page: hurried("\n".join(code for code, _, _ in cells(page))),
    "wide": wide_lines,
    "opaque": opaque_units,
    "late": late_imports,
    "long": lambda page: [minutes(page)] if minutes(page) > MINUTES else [],
}


@functools.cache
def broken(page):
    return {name: found for name, rule in RULES.items() if (found := rule(page))}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_the_form(page):
    assert broken(page) == {}


@pytest.mark.parametrize("page", PAGES)
def test_what_is_seen_runs_when_it_is_pasted(page):
    assert failure_when_pasted(page) == ""


def test_a_pasted_page_that_fails_is_told(monkeypatch):
    monkeypatch.setitem(globals(), "cells", lambda page: [("a = 1", False, ""), ("print(a)", True, "")])
    assert "NameError: name 'a' is not defined" in failure_when_pasted("mlp/index")
    monkeypatch.setitem(globals(), "cells", lambda page: [("1 / 0", True, "raises-exception"), ("b = 2", True, "")])
    assert failure_when_pasted("mlp/index") == ""


@pytest.mark.skipif(not (BUILT / "index.html").is_file(), reason="el libro no está construido: make libro")
def test_every_page_that_is_read_says_how_long_it_takes():
    read = [page for page in PAGES if not page.startswith(CONSULTED) and not page.endswith("/index")]
    assert [page for page in read if not minutes(page)] == []
