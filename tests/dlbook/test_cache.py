"""La caché de numba: ni código viejo, ni compilar de más, ni romperse por nada."""

import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
import time

import pytest

from dlbook.sources import ROOT

# Un núcleo que no usa nada, uno que usa el producto de matrices y uno de un archivo de fuera del libro.
PROGRAM = """
import json
import numpy as np
from chapters.cnn.image.histogram import _histogram
from dlbook.numeric.matmul import matmul
import outside

counts = np.zeros(3, int)
_histogram(np.array([0, 2, 2]), counts)
product = np.zeros((2, 2))
outside.square(np.array([[1.0, 2.0], [3.0, 4.0]]), product)
kernels = {"histogram": _histogram, "matmul": matmul, "square": outside.square}
compiled = [name for name, kernel in kernels.items() if kernel.stats.cache_misses]
print(json.dumps({"compiled": compiled, "results": [counts.tolist(), product.tolist()]}))
"""
OUTSIDE = """
from numba import njit
from dlbook.numeric.matmul import matmul

@njit(cache=True)
def square(a, out):
    matmul(a, a, out)
"""
RESULTS = [[1, 0, 2], [[7.0, 10.0], [15.0, 22.0]]]
ALL = ["histogram", "matmul", "square"]


class Tree:
    """Una copia del libro con su carpeta de caché."""

    def __init__(self, folder):
        self.folder, self.home = folder / "libro", folder / "casa"
        self.home.mkdir()
        for package in ("dlbook", "chapters"):
            shutil.copytree(ROOT / package, self.folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        (self.folder / "outside.py").write_text(OUTSIDE)
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "COV_", "PYTEST_"))}
        self.environment |= {
            "PYTHONPATH": str(self.folder),
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    @property
    def cache(self):
        return self.home / "cache" / "dlbook" / "numba"

    def start(self, code=PROGRAM, **environment):
        return subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=self.folder,
            env=self.environment | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, process):
        output, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
        return json.loads(output.splitlines()[-1])

    def compiled(self, code=PROGRAM, **environment):
        """Qué compiló el programa; sus resultados son siempre los mismos."""
        answer = self.finish(self.start(code, **environment))
        assert answer["results"] == RESULTS
        return answer["compiled"]

    def edit(self, name, text="\n# Un comentario.\n"):
        path = self.folder / name
        path.write_text(path.read_text("utf-8") + text, "utf-8")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Tree(tmp_path_factory.mktemp("arbol"))


@pytest.fixture
def tree(shared):
    """El árbol, con la caché llena; lo que la prueba edite se deshace."""
    shared.compiled()
    before = {path: path.read_bytes() for path in shared.folder.rglob("*.py")}
    yield shared
    for path, text in before.items():
        if path.read_bytes() != text:
            path.write_bytes(text)


# --- Se compila lo que usa lo que cambió, y nada más ---


def test_nothing_is_compiled_twice(tree):
    assert tree.compiled() == []


@pytest.mark.parametrize("name", ["chapters/perceptron/gates.py", "chapters/cnn/__init__.py", "dlbook/plot/style.py"])
def test_an_edit_does_not_compile_what_does_not_use_it(tree, name):
    tree.edit(name)
    assert tree.compiled() == []


def test_an_edit_compiles_what_uses_it(tree):
    tree.edit("chapters/cnn/image/histogram.py")
    assert tree.compiled() == ["histogram"]
    # El código de ``matmul`` va dentro de quien lo llama.
    tree.edit("dlbook/numeric/matmul.py")
    assert tree.compiled() == ["matmul", "square"]
    # ``square`` usa ``matmul``, y ``matmul`` usa ``vectors``.
    tree.edit("dlbook/numeric/vectors.py")
    assert tree.compiled() == ["matmul", "square"]
    assert tree.compiled() == []


def test_the_new_code_is_the_one_that_runs(tree):
    path = tree.folder / "dlbook/numeric/matmul.py"
    old = "    n, m = out.shape\n    depth = b.shape[0]\n"
    assert path.read_text("utf-8").count(old) == 1
    path.write_text(path.read_text("utf-8").replace(old, old + "    out[:] = 7\n    return\n"), "utf-8")
    answer = tree.finish(tree.start())
    assert answer["results"] == [RESULTS[0], [[7.0, 7.0], [7.0, 7.0]]]


def test_the_folder_the_user_chose_is_used(tree, tmp_path):
    assert tree.compiled(NUMBA_CACHE_DIR=str(tmp_path)) == ALL
    assert list(tmp_path.rglob("*.nbk"))
    assert tree.compiled(NUMBA_CACHE_DIR=str(tmp_path)) == []
    tree.edit("dlbook/numeric/matmul.py")
    assert tree.compiled(NUMBA_CACHE_DIR=str(tmp_path)) == ["matmul", "square"]


def test_a_file_edited_while_the_program_runs_does_not_leave_old_code_under_the_new_key(tree):
    # Se importa lo viejo, se edita y solo entonces se compila: lo guardado es lo viejo, con la clave de lo viejo.
    path = tree.folder / "chapters/cnn/image/histogram.py"
    edit = f"""
    from pathlib import Path
    import chapters.cnn.image.histogram
    path = Path({str(path)!r})
    text = path.read_text("utf-8").replace("counts[level] += 1", "counts[level] += 5")
    path.write_text(text, "utf-8")
    """
    for line in ("# Otra versión.\n", ""):
        tree.edit("chapters/cnn/image/histogram.py", line)
    assert tree.compiled(textwrap.dedent(edit) + PROGRAM) == ["histogram"]
    assert tree.finish(tree.start())["results"] == [[5, 0, 10], RESULTS[1]]


def test_a_module_imported_again_after_an_edit_is_not_cached(tree):
    path = tree.folder / "outside.py"
    edit = f"""
    import importlib
    from pathlib import Path
    import numpy as np
    import outside
    path = Path({str(path)!r})
    text = path.read_text("utf-8")
    path.write_text(text.replace("matmul(a, a, out)", "out[:] = 9"), "utf-8")
    importlib.reload(outside)
    product = np.zeros((2, 2))
    outside.square(product, product)
    assert product[0, 0] == 9
    path.write_text(text, "utf-8")
    importlib.reload(outside)
    """
    assert "square" in tree.compiled(textwrap.dedent(edit) + PROGRAM)
    assert tree.compiled() == []


# --- Nada que le pase a la carpeta detiene al programa ---

# Un núcleo de nada, que se compila enseguida; nunca dos procesos el mismo.
SMALL = """
import json, os
from pathlib import Path
import dlbook.numeric

path = Path(f"small_{os.getpid()}.py")
path.write_text("import dlbook\\nfrom numba import njit\\n@njit(cache=True)\\ndef one():\\n    return 1\\n")
print(json.dumps({"results": __import__(path.stem).one()}))
path.unlink()
"""


def test_processes_that_start_together_while_old_kernels_expire(tree):
    long_ago = time.time() - 40 * 86400
    for k in range(200):
        folder = tree.cache / f"viejo_{k}" / "dentro"
        folder.mkdir(parents=True)
        (folder / "f.nbi").write_text("viejo")
        os.utime(folder / "f.nbi", (long_ago, long_ago))
    assert all(tree.finish(p)["results"] == 1 for p in [tree.start(SMALL) for _ in range(8)])
    assert not list(tree.cache.glob("viejo_*"))
    # Lo que se usa no caduca.
    for path in tree.cache.rglob("*.nbk"):
        os.utime(path, (long_ago, long_ago))
    assert tree.compiled() == []
    tree.finish(tree.start(SMALL))
    assert tree.compiled() == []


def test_a_link_to_nowhere_in_the_folder_is_no_obstacle(tree):
    shutil.rmtree(tree.cache)
    tree.compiled()
    (tree.cache / "enlace").symlink_to("ninguna-parte")
    folders = [path for path in tree.cache.iterdir() if path.is_dir()]
    for folder in folders:
        shutil.rmtree(folder)
        folder.symlink_to(tree.home / "ninguna-parte" / "tampoco")
    assert tree.compiled() == ALL
    for path in tree.cache.iterdir():
        path.unlink()
    # Y si el enlace es la carpeta misma, se usa la del libro.
    tree.cache.rmdir()
    tree.cache.symlink_to(tree.home / "ninguna-parte" / "tampoco")
    try:
        assert tree.compiled() == ALL
        assert tree.compiled() == []
    finally:
        tree.cache.unlink()


@pytest.mark.parametrize("damages", [("empty", "short", "half"), ("flipped", "random", "half")])
def test_a_damaged_kernel_is_made_anew(tree, damages):
    shutil.rmtree(tree.cache)
    tree.compiled()
    rng = random.Random(0)
    for path, damage in zip(tree.cache.rglob("*.nbk"), damages, strict=True):
        content = bytearray(path.read_bytes())
        damaged = {
            "empty": b"",
            "short": content[:10],
            "half": content[: len(content) // 2],
            "random": rng.randbytes(len(content)),
        }
        content[rng.randrange(len(content))] ^= 16
        path.write_bytes(damaged.get(damage, content))
    assert tree.compiled() == ALL
    assert tree.compiled() == []


def test_a_full_disk_only_means_no_cache(tree):
    shutil.rmtree(tree.cache)
    # Nadie puede escribir más de mil bytes en un archivo: falla a la mitad, como cuando se acaba el disco.
    full = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    for _ in range(2):
        assert tree.compiled(full + PROGRAM) == ALL
    assert not [path for path in tree.cache.rglob("*") if path.is_file()]


def test_where_nothing_can_be_written_there_is_no_cache(tree):
    # Ni en la casa del usuario ni junto al código: en el lugar de las carpetas hay archivos.
    places = [folder / "__pycache__" for folder in tree.folder.rglob("*") if folder.is_dir()]
    places = [place for place in [tree.folder / "__pycache__", *places] if place.name not in place.parent.parts]
    for place in places:
        shutil.rmtree(place, ignore_errors=True)
    for place in places:
        if place.parent.is_dir():
            place.write_text("")
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/cache", "MPLCONFIGDIR": str(tree.home)}
    try:
        for _ in range(2):
            assert tree.compiled(**nowhere) == ALL
    finally:
        for place in places:
            place.unlink(missing_ok=True)


def test_without_compiling_a_network_learns_the_same(tree):
    program = """
    import json
    import numpy as np
    from chapters.cnn import BatchNormalization, Conv2D, MaxPooling2D
    from chapters.mlp import Dense, Flatten, Input, Sequential, SparseCategoricalCrossentropy

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 6, 6, 2)), rng.integers(0, 3, 8)
    layers = [Input((6, 6, 2)), Conv2D(3, 3, activation="relu"), BatchNormalization(), MaxPooling2D()]
    model = Sequential([*layers, Flatten(), Dense(3)], seed=0, dtype="float64")
    model.compile("adam", SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    history = model.fit(x, y, epochs=2, batch_size=4, verbose=0).history
    print(json.dumps({"loss": history["loss"], "p": model.predict(x).ravel().tolist()}))
    """
    fast = tree.start(program)
    slow = tree.finish(tree.start(program, NUMBA_DISABLE_JIT="1"))
    fast = tree.finish(fast)
    for name in fast:
        assert fast[name] == pytest.approx(slow[name], rel=1e-9)
