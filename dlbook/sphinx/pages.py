r"""Ejecuta las celdas de cada página, y solo si cambió algo de lo que usan.

La clave de una página resume sus celdas, los archivos del libro que importan (:mod:`dlbook.sources`), los archivos que
nombran y las versiones de las bibliotecas. Lo que escribieron las celdas se guarda con esa clave, en un archivo por
página. Cada archivo se escribe entero en otro lugar y después se renombra: nadie lee uno a medias.
"""

import ast
import functools
import importlib.metadata
import json
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import nbformat
from myst_nb.core import execute
from myst_nb.core.execute.base import NotebookClientBase
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from sphinx.errors import SphinxError

from dlbook import sources
from dlbook.sphinx.nursery import NurseryManager

DOCS = sources.ROOT / "docs"
LIBRARIES = "ipykernel", "matplotlib", "numba", "numpy", "scikit-learn", "scipy"


class PageError(SphinxError):
    r"""Una página que no se puede leer."""

    category = "Página"


@functools.cache
def versions():
    r"""Da las versiones de las bibliotecas con que se hacen los números y las figuras."""
    return json.dumps({name: importlib.metadata.version(name) for name in LIBRARIES})


def files_named(code, folder):
    r"""Da los archivos de ``docs`` que un programa nombra; de una carpeta, todos los que contiene.

    >>> [path.name for path in files_named("open('../resultados/detector.json')", DOCS / "cnn")]
    ['detector.json']

    Parameters
    ----------
    code : str
        El programa.
    folder : pathlib.Path
        La carpeta en que se ejecuta.

    Returns
    -------
    list of pathlib.Path
    """
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 0 < len(node.value) < 200:
            for base in (folder, sources.ROOT):
                with suppress(OSError, ValueError):
                    path = (base / node.value).resolve()
                    if path.is_relative_to(DOCS) and not folder.is_relative_to(path):
                        found |= {path} if path.is_file() else {p for p in path.rglob("*") if p.is_file()}
    return sorted(found)


def page_inputs(cells, folder):
    r"""Da los módulos y los archivos que usan las celdas de una página.

    Parameters
    ----------
    cells : list of NotebookNode
        Las celdas con código.
    folder : pathlib.Path
        La carpeta en que se ejecutan.

    Returns
    -------
    modules : set of str
    files : list of pathlib.Path
    """
    code = "\n".join(cell.source for cell in cells)
    try:
        return sources.used_by(code), files_named(code, folder)
    except SyntaxError:
        # Un error a propósito, o una orden del cuaderno: puede usar cualquier cosa.
        modules = {m for package in sources.PACKAGES for m in sources.everything_in(package)}
        return modules, files_named("'docs/resultados'", folder)


class PageClient(NotebookClientBase):
    r"""Da las salidas de las celdas de una página: las guardadas o, si ya no valen, las que salgan al ejecutarlas."""

    def __init__(self, app, *arguments, **options):
        super().__init__(*arguments, **options)
        self.app = app

    def start_client(self):
        r"""Busca las salidas y, si no están, ejecuta la página."""
        cells = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        modules, files = page_inputs(cells, self.path.parent)
        inputs = [sources.module_path(module) for module in sources.reach(modules)] + files
        for path in inputs:
            self.app.env.note_dependency(str(path))
        texts = [json.dumps([cell.source, "raises-exception" in cell.metadata.get("tags", ())]) for cell in cells]
        texts = [text.encode() for text in [versions(), *texts]] + [sources.source(path) for path in files]
        key = sources.digest(modules, *texts)
        stored = Path(self.nb_config.execution_cache_path, *self.app.env.docname.split("/")).with_suffix(".json")
        outputs = _load(stored, key)
        if outputs is None:
            outputs = self.execute(cells)
            # Si alguien editó algo mientras tanto, no se sabe qué versión se ejecutó.
            if outputs["error"] is None and all(map(sources.take, inputs)):
                _save(stored, outputs | {"key": key})
        for cell, result in zip(cells, outputs["cells"], strict=True):
            cell.update(nbformat.from_dict(result))
        self.notebook.metadata.update(nbformat.from_dict(outputs["metadata"]))
        self.exec_metadata = {
            "mtime": outputs["time"],
            "runtime": outputs["seconds"],
            "method": self.nb_config.execution_mode,
            "succeeded": outputs["error"] is None,
            "error": outputs["error"],
            "traceback": None,
        }

    def execute(self, cells):
        r"""Ejecuta las celdas; un fallo es una advertencia que dice la página, la línea y el error.

        Parameters
        ----------
        cells : list of NotebookNode
            Las celdas con código, que reciben sus salidas.

        Returns
        -------
        dict
            Las salidas, y ``error`` con el nombre del error o ``None``.
        """
        start, current, error = time.time(), 0, None

        def follow(cell, cell_index):
            nonlocal current
            current = cell_index

        client = NotebookClient(
            self.notebook,
            kernel_manager_class=NurseryManager,
            timeout=self.nb_config.execution_timeout,
            record_timing=False,
            resources={"metadata": {"path": str(self.path.parent)}},
            on_cell_start=follow,
        )
        try:
            client.execute()
        except CellExecutionError as failure:
            error, line = failure.ename, self.line(current, failure.traceback)
            self.fail(line, f"la celda falló: {failure.ename}: {failure.evalue}\n{failure.traceback}")
        except CellTimeoutError:
            error = "TimeoutError"
            self.fail(self.line(current), f"la celda tardó más de {self.nb_config.execution_timeout} segundos")
        except (DeadKernelError, RuntimeError) as failure:
            error = type(failure).__name__
            self.fail(self.line(current), f"Python murió al ejecutar la celda ({failure})")
        except Exception as failure:
            # No hay ese núcleo, o no arranca: que se sepa en qué página.
            error = type(failure).__name__
            self.fail(self.line(current), f"la página no se pudo ejecutar: {error}: {failure}")
        for cell in cells:
            # Las figuras se dibujan cuando la celda ya acabó: si una no se puede, queda escrito en lo que salió.
            failed = [output for output in cell.outputs if output.output_type == "error"]
            if failed and error is None and "raises-exception" not in cell.metadata.get("tags", ()):
                error, line = failed[0].ename, self.line(self.notebook.cells.index(cell))
                self.fail(line, f"al terminar la celda falló: {failed[0].ename}: {failed[0].evalue}")
        return {
            "cells": [{"execution_count": cell.execution_count, "outputs": cell.outputs} for cell in cells],
            "metadata": {k: v for k, v in self.notebook.metadata.items() if k in ("language_info", "widgets")},
            "time": start,
            "seconds": time.time() - start,
            "error": error,
        }

    def line(self, index, traceback=""):
        r"""Da la línea de la página donde está una celda o, si se sabe, la línea que falló."""
        cell = self.notebook.cells[index]
        page = self.path.read_text("utf-8").splitlines()
        code = cell.source.splitlines()
        first = self.cell_line(index)
        starts = (n for n in range(first - 1, len(page)) if page[n : n + len(code)] == code)
        # El primero de los llamados es el de la celda; los demás pueden ser de otras.
        inside = re.search(r"Cell In\[\d+\], line (\d+)", re.sub(r"\x1b\[[0-9;]*m", "", traceback))
        return next(starts, first - 1) + int(inside[1] if inside else 1)

    def fail(self, line, message):
        r"""Advierte de un fallo y pide leer otra vez la página en la siguiente construcción."""
        self.app.env.note_reread()
        self.logger.warning(message, line=line, subtype="exec")


def _load(path, key):
    try:
        stored = json.loads(path.read_text("utf-8"))
        return stored if stored["key"] == key else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _save(path, outputs):
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as file:
            json.dump(outputs, file)
        os.replace(file.name, path)


def _check_encoding(app, env, docnames):
    for name in docnames:
        path = Path(env.doc2path(name))
        content = path.read_bytes()
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            byte = f"0x{content[error.start]:02x}"
            raise PageError(f"{path}:{line}: se esperaba texto en UTF-8, pero hay un byte {byte}") from None


def setup(app):
    r"""Toma el lugar de la caché de MyST-NB, y revisa las páginas antes de que nadie las lea."""
    execute.NotebookClientCache = functools.partial(PageClient, app)
    # Con otras versiones, todas las páginas se leen de nuevo.
    app.add_config_value("page_versions", versions(), "env", str)
    app.connect("env-before-read-docs", _check_encoding, priority=400)
