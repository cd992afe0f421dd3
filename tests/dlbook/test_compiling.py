"""El primer paso de un proceso: cuánto compila, qué importa y qué dice mientras tanto."""

import gc
import io
import json
import os
import subprocess
import sys
import textwrap
from types import SimpleNamespace

import numpy as np
import pytest
from numba import njit
from numba.core import event
from numba.core.errors import TypingError

from dlbook import compiling
from dlbook.compiling import Notice, notice
from dlbook.sources import ROOT

# Un paso de LeNet-5; al final dice qué firmas compiló.
LENET = """
import json, sys
from numba.core import event

import dlbook.compiling
dlbook.compiling.PATIENCE = 0.2
with event.install_recorder("numba:compile") as record:
    import numpy as np
    from chapters.cnn import Conv2D, MaxPooling2D
    from chapters.mlp import Adam, Dense, Flatten, Input, Sequential, SparseCategoricalCrossentropy

    layers = [Conv2D(6, 5, padding="same", activation="relu"), MaxPooling2D(), Conv2D(16, 5, activation="relu")]
    layers += [MaxPooling2D(), Flatten(), Dense(120, activation="relu"), Dense(84, activation="relu"), Dense(10)]
    network = Sequential([Input((28, 28, 1)), *layers], seed=0)
    network.compile(Adam(), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    loss = network.train_on_batch(np.ones((64, 28, 28, 1), "float32"), np.arange(64) % 10)
kernels = [found.data["dispatcher"].py_func.__qualname__ for _, found in record.buffer if found.is_start]
print(json.dumps({"kernels": kernels, "loss": loss}))
"""
# Las firmas del primer paso. Al añadir un núcleo crece; que no crezca sin que nadie se entere.
MOST = 48
# Lo que tarda en importarse y casi nadie usa: se importa donde se usa.
HEAVY = {"matplotlib", "PIL", "h5py", "pandas", "sklearn", "tqdm", "IPython", "sphinx", "requests", "networkx"}


def run(code, folder, **options):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": str(folder)}
    return subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, check=True, **options)


def on_a_terminal(code, folder):
    """Corre un programa cuyos errores van a una terminal; da lo que contestó y lo que se vio en ella."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    try:
        answer = run(code, folder, stdout=subprocess.PIPE, stderr=theirs)
        # Lo que no quepa en la terminal detendría al programa: cada línea es corta, y son pocas.
        os.set_blocking(ours, False)
        try:
            seen = os.read(ours, 1 << 16).decode()
        except BlockingIOError:
            seen = ""
    finally:
        os.close(ours)
        os.close(theirs)
    return json.loads(answer.stdout), seen


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """El primer paso en dos procesos nuevos, con la caché vacía y con la que dejó el otro."""
    folder = tmp_path_factory.mktemp("nucleos")
    return [on_a_terminal(LENET, folder) for _ in range(2)]


def test_the_first_step_compiles_what_it_needs_and_no_more(twice):
    (first, _), (second, _) = twice
    assert 0 < len(first["kernels"]) <= MOST
    assert second["kernels"] == []
    assert first["loss"] == second["loss"]


def test_whoever_waits_is_told_once_and_whoever_does_not_never(twice):
    (_, seen), (_, again) = twice
    # Cada vez que avanza se escribe encima; la que queda es la última.
    assert seen.count("\n") == 1
    *steps, last = seen.rstrip().split("\r")
    assert last.startswith("Compilar ")
    assert last.rstrip().endswith("s; ya no hará falta.")
    assert all(step.startswith("Compilando, solo la primera vez: ") for step in steps if step)
    assert any("(max_pooling)" in step for step in steps)
    assert again == ""


@pytest.mark.parametrize("chapter", ["mlp", "cnn", "attention", "keras"])
def test_importing_a_chapter_does_not_import_what_few_use(chapter, tmp_path):
    code = f"import sys, chapters.{chapter}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    assert not HEAVY & set(run(code, tmp_path, capture_output=True, text=True).stdout.split())


# --- El aviso, sin compilar de verdad ---


class Terminal(io.StringIO):
    def isatty(self):
        return True


def kernel(module):
    function = SimpleNamespace(__module__=module)
    return SimpleNamespace(data={"dispatcher": SimpleNamespace(py_func=function)})


def compile_all(told, *modules):
    """Cada núcleo llama al que sigue; el de más adentro acaba primero."""
    kernels = [kernel(module) for module in modules]
    for one in kernels:
        told.on_start(one)
    for one in reversed(kernels):
        told.on_end(one)


@pytest.fixture
def terminal(monkeypatch):
    # No en sys: pytest pone ahí la suya.
    terminal = Terminal()
    monkeypatch.setattr(compiling, "sys", SimpleNamespace(stderr=terminal))
    monkeypatch.setattr(compiling, "PATIENCE", 0)
    return terminal


def test_only_the_kernels_of_the_book_count(terminal):
    told = Notice()
    compile_all(told, "someone", "chapters.mlp.dense")
    assert (told.kernels, told.seconds) == (0, 0)
    compile_all(told, "chapters.mlp.dense", "numba.cpython.builtins", "dlbook.numeric.matmul")
    assert told.kernels == 2
    assert told.seconds > 0
    compile_all(told, None, "someone")
    told.finish()
    assert terminal.getvalue() == ""


def test_one_line_per_process(terminal):
    told = Notice()
    for _ in range(2):
        compile_all(told, "chapters.mlp.dense")
        compile_all(told, "chapters.mlp.dense")
        told.finish()
        told.finish()
    assert terminal.getvalue().count("\n") == 1
    assert "1 núcleo, " in terminal.getvalue()
    assert "Compilar 2 núcleos para este procesador tardó 0.0 s" in terminal.getvalue()


def test_what_does_not_take_long_is_not_told(terminal, monkeypatch):
    monkeypatch.setattr(compiling, "PATIENCE", 60)
    told = Notice()
    for _ in range(3):
        compile_all(told, "chapters.mlp.dense")
    told.finish()
    assert terminal.getvalue() == ""


@pytest.mark.parametrize(("folder", "promised"), [("/cache", True), (None, False)])
def test_what_could_not_be_kept_is_not_promised(terminal, monkeypatch, folder, promised):
    monkeypatch.setattr(compiling, "folder", lambda: folder)
    told = Notice()
    for _ in range(2):
        compile_all(told, "chapters.mlp.dense")
    told.finish()
    assert ("ya no hará falta" in terminal.getvalue()) == ("la primera vez" in terminal.getvalue()) == promised


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_without_a_terminal_nothing_is_written(monkeypatch, stream):
    monkeypatch.setattr(compiling, "sys", SimpleNamespace(stderr=stream))
    monkeypatch.setattr(compiling, "PATIENCE", 0)
    told = Notice()
    for _ in range(2):
        compile_all(told, "chapters.mlp.dense")
    told.finish()
    assert stream is None or stream.getvalue() == ""


def test_a_terminal_that_fails_stops_nothing(terminal, monkeypatch):
    def fail(text):
        raise BrokenPipeError

    monkeypatch.setattr(terminal, "write", fail)
    told = Notice()
    for _ in range(2):
        compile_all(told, "chapters.mlp.dense")
    told.finish()


@pytest.mark.parametrize("collecting", [True, False])
def test_the_collector_ends_as_it_was(collecting):
    @njit
    def twice(x):
        return 2 * x

    @njit
    def good(x):
        return x + twice(x)

    @njit
    def bad(x):
        return x.nothing

    seen = []

    class Watch(event.Listener):
        def on_start(self, event):
            seen.append(gc.isenabled())

        on_end = on_start

    before = gc.isenabled()
    (gc.enable if collecting else gc.disable)()
    try:
        with event.install_listener("numba:compile", Watch()):
            assert good(1.0) == 3
            with pytest.raises(TypingError):
                bad(1.0)
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if before else gc.disable)()
    assert seen[0] is False
    assert notice._open == []


def test_two_threads_that_compile_at_once_leave_the_count_right():
    from concurrent.futures import ThreadPoolExecutor

    def fresh(k):
        @njit
        def add(x):
            return x + k

        return add(np.ones(2))

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(fresh, range(4)))
    assert [one[0] for one in found] == [1, 2, 3, 4]
    assert notice._open == []
    assert gc.isenabled()
