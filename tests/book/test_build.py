"""La construcción: qué se ejecuta de nuevo, qué se dice cuando algo falla, y dos a la vez."""

import os
import re
import shutil
import subprocess
import sys
import textwrap

import nbformat
import pytest
from myst_nb.core.read import read_myst_markdown_notebook
from myst_parser.config.main import MdParserConfig

from dlbook import sources
from dlbook.sphinx.pages import files_named, page_inputs

DOCS = sources.ROOT / "docs"
HEADER = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
# Cada celda deja una marca cuando se ejecuta.
CELL = "```{code-cell} python\nimport os; open(os.environ['MARKS'], 'a').write('x')\nCODE\n```\n"


class Book:
    """Un libro de unas páginas, con el código y la configuración de este."""

    def __init__(self, folder):
        self.folder, self.docs = folder, folder / "docs"
        for package in sources.PACKAGES:
            shutil.copytree(sources.ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(sources.ROOT / "conf.py", folder)
        for name in ("_static", "locales"):
            shutil.copytree(DOCS / name, self.docs / name)
        shutil.copy(DOCS / "references.bib", self.docs)
        self.write("apendices/bibliografia", "# Bibliografía\n\n```{bibliography}\n```\n")

    def write(self, name, text):
        path = self.docs / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")

    def page(self, name, *cells):
        title = f"{HEADER}\n# Página {name}\n\n"
        self.write(f"cap/{name}", title + "\n".join(CELL.replace("CODE", cell) for cell in cells))

    def index(self, *names):
        names = [f"cap/{name}" for name in names]
        self.write("index", "\n".join(["# Prueba\n", "```{toctree}", *names, "apendices/bibliografia", "```\n"]))

    def start(self, *options, out="build/html", trees="build/doctrees"):
        command = [sys.executable, "-m", "sphinx", "-c", ".", "-d", trees, "-b", "html", *options, "docs", out]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.folder), "MARKS": str(self.folder / "marks")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def build(self, *options, **places):
        process = self.start(*options, **places)
        output, _ = process.communicate(timeout=500)
        return process.returncode, re.sub(r"\x1b\[[0-9;]*m", "", output)

    def executed(self):
        """Cuántas celdas se han ejecutado desde la última vez que se preguntó."""
        marks = self.folder / "marks"
        count = len(marks.read_text()) if marks.exists() else 0
        marks.unlink(missing_ok=True)
        return count


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path)


def test_only_what_uses_an_edited_file_is_executed_again(book):
    book.page("medidas", "from chapters.introduction import sawtooth", "sawtooth([0.5], 2)")
    book.page("ajena", "print(1)")
    book.page("datos", "open('../resultados/uno.json').read()")
    (book.docs / "resultados").mkdir()
    (book.docs / "resultados" / "uno.json").write_text("1")
    book.index("medidas", "ajena", "datos")

    def executed_after(name):
        path = book.folder / name
        path.write_text(path.read_text("utf-8") + "\n", "utf-8")
        code, output = book.build("-W")
        assert code == 0, output
        return book.executed()

    assert executed_after("docs/index.md") == 4
    assert executed_after("docs/index.md") == 0
    assert executed_after("chapters/perceptron/gates.py") == 0
    module = sources.module_path(next(iter(sources.where("chapters.introduction", "sawtooth"))))
    assert executed_after(module.relative_to(sources.ROOT)) == 2
    assert executed_after("docs/resultados/uno.json") == 1
    # Cambiar la prosa no ejecuta nada; cambiar una celda, toda la página.
    assert executed_after("docs/cap/medidas.md") == 0
    book.page("ajena", "print(2)", "print(3)")
    assert executed_after("docs/index.md") == 2
    # Aunque se borre lo construido, las salidas se conservan.
    shutil.rmtree(book.folder / "build" / "doctrees")
    assert executed_after("docs/index.md") == 0
    assert '<span class="mi">3</span>' in (book.folder / "build/html/cap/ajena.html").read_text("utf-8")


def test_a_failure_names_its_page_its_line_and_the_error(book):
    book.page("falla", "x = 1", "x = 2\n\nraise ValueError('no se pudo')")
    book.page("llama", "def f():\n    return 1 / 0", "# aquí\nf()")
    book.page("muere", "import os\nos._exit(1)")
    book.page("buena", "print(1)")
    book.write("cap/otro", HEADER.replace("python3", "otro") + "\n# Otro\n\n```{code-cell} python\n1\n```\n")
    book.index("falla", "llama", "muere", "otro", "buena")
    code, output = book.build("-W", "--keep-going", "-j", "2")
    assert code == 1

    def line(name, text):
        lines = (book.docs / f"cap/{name}.md").read_text("utf-8").splitlines()
        return lines.index(text) + 1

    raised, called = line("falla", "raise ValueError('no se pudo')"), line("llama", "f()")
    assert f"cap/falla.md:{raised}: WARNING: la celda falló: ValueError: no se pudo" in output
    assert f"cap/llama.md:{called}: WARNING: la celda falló: ZeroDivisionError: division by zero" in output
    assert re.search(r"cap/muere\.md:\d+: WARNING: Python murió al ejecutar la celda", output)
    assert re.search(r"cap/otro\.md:\d+: WARNING: la página no se pudo ejecutar: NoSuchKernel: .*otro", output)
    assert "cap/buena" not in "".join(re.findall(".*WARNING.*", output))
    # Lo que falló se vuelve a intentar aunque nadie lo edite; lo demás no.
    book.executed()
    code, output = book.build("-W", "--keep-going")
    assert code == 1
    assert book.executed() == 2 + 2 + 1


def test_pages_share_nothing_and_a_broken_chapter_is_told_by_the_page_that_uses_it(book):
    # Una detrás de otra, en el mismo proceso que lee.
    book.page("uno", "import chapters.mlp; chapters.mlp.marca = 1; os.environ['MARCA'] = '1'")
    book.page("dos", "import chapters.mlp; assert not hasattr(chapters.mlp, 'marca') and 'MARCA' not in os.environ")
    book.page("rota", "import chapters.attention")
    book.index("uno", "dos", "rota")
    (book.folder / "chapters/attention/__init__.py").write_text("raise ImportError('se rompió')", "utf-8")
    _, output = book.build()
    assert "la celda falló: ImportError: se rompió" in output
    assert output.count("la celda falló") == 1
    assert book.executed() == 3


def test_a_figure_that_cannot_be_drawn_is_a_failure(book):
    # Se dibuja al terminar la celda, que para entonces ya salió bien.
    book.page("rota", "1", "import matplotlib.pyplot as plt\nplt.title(r'$\\gets$');")
    book.index("rota")
    code, output = book.build("-W", "--keep-going")
    assert code == 1
    assert re.search(r"cap/rota\.md:\d+: WARNING: al terminar la celda falló: ValueError: .*gets", output, re.DOTALL)


def test_a_page_that_is_not_utf_8_is_named(book):
    book.page("buena", "print(1)")
    book.index("buena", "mala")
    (book.docs / "cap" / "mala.md").write_bytes("# Página\n\nEspañol\n".encode("latin-1"))
    code, output = book.build()
    assert code == 2
    assert f"{book.docs / 'cap' / 'mala.md'}:1: se esperaba texto en UTF-8, pero hay un byte 0xe1" in output


def test_two_builds_at_once(book):
    names = [f"p{k}" for k in range(3)]
    for name in names:
        book.page(name, "print(1)")
    book.index(*names)
    for _ in range(2):
        builds = [book.start("-W", "-j", "2") for _ in range(2)]
        for build in builds:
            output, _ = build.communicate(timeout=500)
            assert build.returncode == 0, output
        shutil.rmtree(book.folder / "build" / "doctrees")
    assert book.executed() == 3


def test_one_page_alone(book):
    text = "Mira {ref}`otra` en {doc}`/cap/otra`, la ecuación {eq}`ec-otra` y {cite:p}`rosenblatt1958`.\n"
    book.page("una", "from dlbook import plot\nprint(41 + 1)")
    path = book.docs / "cap" / "una.md"
    path.write_text(path.read_text("utf-8") + "\n" + text, "utf-8")
    book.page("otra", "print(2)")
    book.index("una", "otra")
    for _ in range(2):
        places = {"trees": "build/pagina/doctrees", "out": "build/pagina/html"}
        code, output = book.build("-q", "-t", "pagina", "-D", "root_doc=cap/una", **places)
        assert code == 0, output
        assert "WARNING" not in output.replace("[IPKernelApp] WARNING", "")
        html = (book.folder / "build/pagina/html/cap/una.html").read_text("utf-8")
        assert "42" in html
        assert "libro.css" in html
        assert book.executed() <= 1
    assert not (book.folder / "build/pagina/html/cap/otra.html").exists()
    code, output = book.build("-t", "pagina", "-D", "root_doc=cap/nada", **places)
    assert code == 2
    assert f"P: se esperaba el nombre de una página, pero no existe {book.docs / 'cap' / 'nada.md'}" in output


# --- De qué depende cada página ---


def _used(page):
    notebook = read_myst_markdown_notebook(page.read_text("utf-8"), MdParserConfig())
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    modules, files = page_inputs(cells, page.parent)
    return sources.reach(modules), {path.name for path in files}


def test_a_page_depends_on_what_its_cells_use_and_on_nothing_else():
    modules, files = _used(DOCS / "cnn" / "normalizacion.md")
    assert "chapters.cnn.normalization.batch_normalization" in modules
    assert "chapters.perceptron.gates" not in modules
    assert files == set()
    modules, files = _used(DOCS / "cnn" / "experimentos.md")
    assert {"mnist_cnn.json", "cifar10_cnn.json"} <= files
    # Quien lee un modelo de un archivo puede usar cualquier clase.
    modules, files = _used(DOCS / "cnn" / "deteccion.md")
    assert modules >= sources.everything_in("chapters")
    assert {"detector.json", "detector.safetensors"} <= files


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("import chapters\nchapters.mlp.losses", "chapters.mlp.losses.squared"),
        ("import chapters.cnn as c\nc.pooling.max_pooling", "chapters.cnn.pooling.max_pooling"),
        ("from dlbook import plot\nprint(plot)", "dlbook.plot.diagrams"),
        ("from dlbook import plot\nf = plot\nplot.curves", "dlbook.plot.diagrams"),
        ("from chapters.cnn import *", "chapters.cnn.pooling.max_pooling"),
        ("def f():\n    from chapters.cnn import Conv2D", "chapters.cnn.convolution.conv2d"),
        ("from dlbook.saving import load\nload('x')", "chapters.perceptron.gates"),
        ("%timeit 1", "chapters.perceptron.gates"),
    ],
)
def test_whatever_way_a_cell_reaches_a_module_it_counts(code, module):
    modules, _ = page_inputs([nbformat.v4.new_code_cell(code)], DOCS / "cnn")
    assert module in sources.reach(modules)


def test_the_files_a_cell_names_are_found_from_its_folder_and_from_the_root():
    names = {path.name for path in (DOCS / "resultados").iterdir()}
    assert {path.name for path in files_named("x = '../resultados'", DOCS / "cnn")} == names
    assert {path.name for path in files_named("x = 'docs/resultados/detector.json'", DOCS / "cnn")} == {"detector.json"}
    assert files_named("x = '.', '..', '', '/tmp', 'a\\0b'", DOCS / "cnn") == []
