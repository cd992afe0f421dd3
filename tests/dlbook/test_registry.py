"""El banco de trabajo no conoce ningún capítulo: las clases se registran, y las que faltan se importan al buscarlas."""

import subprocess
import sys
import types

import pytest

import chapters.mlp
from dlbook import registry


def run(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_whole_bench_is_imported_without_a_single_chapter():
    # Las directivas de Sphinx sí miran el libro entero: son las que lo imprimen.
    script = """
import importlib, pkgutil, sys
import dlbook
names = [m.name for m in pkgutil.walk_packages(dlbook.__path__, "dlbook.") if not m.name.startswith("dlbook.sphinx")]
for name in names:
    importlib.import_module(name)
    chapters = sorted(m for m in sys.modules if m.split(".")[0] == "chapters")
    assert not chapters, (name, chapters)
print(len(names))
"""
    assert int(run(script)) > 20


def test_a_chapter_not_yet_imported_is_found_by_name():
    script = """
import sys
from chapters.mlp import Dense, Input, Sequential
from dlbook import registry
assert not [name for name in sys.modules if name.startswith("chapters.cnn.")]
assert "Conv2D" not in registry.classes("layer")
print(registry.find("layer", "Conv2D").__module__)
"""
    assert run(script) == "chapters.cnn.convolution.conv2d\n"


def test_a_model_of_a_later_chapter_is_loaded_without_importing_it_first(tmp_path):
    from chapters.cnn import Conv2D
    from chapters.mlp import Input, Sequential

    Sequential([Input((4, 4, 1)), Conv2D(2, 3)]).save(tmp_path / "a")
    script = f"""
import sys
from chapters.mlp import load_model
assert not [name for name in sys.modules if name.startswith("chapters.cnn.")]
print(load_model({str(tmp_path / "a")!r}).layers[0].name)
"""
    assert run(script) == "conv2d\n"


def test_without_any_chapter_it_says_what_to_do():
    script = """
from dlbook import registry
try:
    registry.base("layer")
except ValueError as error:
    print(error)
"""
    assert run(script) == "no hay clases de la especie 'layer'; importa antes el capítulo que las define\n"


@pytest.mark.parametrize("name", ["Sequential", "Model", "Dense"])
def test_models_are_layers_that_anybody_can_find(name):
    assert registry.find("layer", name) is getattr(chapters.mlp, name)


def test_only_the_classes_in_sight_of_a_chapter_count():
    hidden = types.new_class("Escondida", (chapters.mlp.Layer,))
    hidden.__module__ = "chapters.mlp.layer"
    assert registry.find("layer", "Escondida") is None
    assert registry.find("layer", "NoExiste") is None
