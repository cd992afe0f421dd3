"""De qué archivos depende cada módulo: ni uno de menos."""

import ast
import inspect
import sys

import pytest
from numba.core.dispatcher import Dispatcher

import chapters  # noqa: F401  (dice dónde están las clases)
from dlbook import registry, sources

MODULES = sorted({m for package in sources.PACKAGES for m in sources.everything_in(package)})


@pytest.mark.parametrize("package", sources.PACKAGES)
def test_the_import_statements_cut_out_are_all_there_are(package):
    for module in sources.everything_in(package):
        text = sources.module_path(module).read_bytes()
        every = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom))]
        assert sorted(map(ast.unparse, sources.import_statements(text))) == sorted(map(ast.unparse, every)), module


@pytest.mark.parametrize(
    "code",
    [
        "from a import b",
        "if x: from a import b",
        "x = 1; import a",
        "try:\n    import a\nexcept ImportError: import b as a\n",
        "from a import (b,  # el primero (de dos)\n    c)",
        "from a \\\n    import b, \\\n    c\nimport d",
        "def f():\n\tfrom . import b\n\tfrom ..a.b import (\n\t\tc as d,\n\t)",
        "from a import *\r\nfrom b import c\r\n",
        'r"""Un texto.\n\nfrom aquí no se importa nada\nimport a\n"""\nimport b',
        "x = (yield\n    from_)\nimport a",
    ],
)
def test_an_import_statement_is_found_wherever_it_may_be(code):
    every = {ast.unparse(n) for n in ast.walk(ast.parse(code)) if isinstance(n, (ast.Import, ast.ImportFrom))}
    assert every <= set(map(ast.unparse, sources.import_statements(code.encode())))


def test_a_name_is_sought_in_the_file_that_defines_it():
    assert sources.where("chapters.cnn", "Conv2D") == {"chapters.cnn.convolution.conv2d"}
    # Un módulo que un paquete importa de sí mismo, y un paquete dentro de otro, con todo lo suyo.
    assert sources.where("chapters.mlp", "initializers") == {"chapters.mlp.initializers"}
    assert sources.where("chapters.mlp", "losses") >= {"chapters.mlp.losses", "chapters.mlp.losses.squared"}
    # Lo que no se encuentra es de todo el paquete; lo que no es del libro, de nadie.
    assert sources.where("chapters.mlp", "nothing") == sources.everything_in("chapters.mlp")
    assert sources.where("numpy", "array") == frozenset()


def test_code_in_a_package_counts_for_what_it_contains():
    # chapters/__init__.py hace algo al importarse; chapters/cnn/__init__.py solo reúne nombres.
    reached = sources.reach({"chapters.cnn.image.histogram"})
    assert "chapters" in reached
    assert "chapters.cnn" not in reached


# --- Lo que un núcleo usa de verdad está en su clave ---


def _objects():
    registry.import_everything()
    for name in filter(sys.modules.get, MODULES):
        for value in list(vars(sys.modules[name]).values()):
            yield name, value


def _kernels():
    for name, value in _objects():
        if isinstance(value, Dispatcher) and value.py_func.__module__ == name:
            yield name, value.py_func


def _names(code):
    yield from code.co_names
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from _names(constant)


def _modules_of(value):
    if inspect.ismodule(value):
        return [value.__name__]
    value = getattr(value, "py_func", value)
    return [getattr(value, "__module__", None) or type(value).__module__]


def test_whatever_a_kernel_uses_is_in_its_key():
    checked = 0
    for module, function in _kernels():
        reached = sources.reach({module})
        for name in _names(function.__code__):
            for used in _modules_of(function.__globals__.get(name)):
                if used.partition(".")[0] in sources.PACKAGES:
                    assert used in reached, (module, function.__name__, name)
                    checked += 1
    assert checked > 50


def test_whatever_a_module_imports_when_it_runs_is_reached():
    # Los objetos del libro que están a la vista en un módulo vienen de un archivo que está en su clave.
    for name, value in _objects():
        if inspect.isfunction(value) or inspect.isclass(value) or isinstance(value, Dispatcher):
            (used,) = _modules_of(value)
            assert used.partition(".")[0] not in sources.PACKAGES or used in sources.reach({name}), (name, value)
