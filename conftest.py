"""Lo que toda prueba necesita antes de empezar."""

import signal

import matplotlib as mpl
import pytest
from hypothesis import settings
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

mpl.use("agg")
# Quien se lanza en segundo plano hereda que Ctrl-C no haga nada; las pruebas de las interrupciones lo necesitan.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Sin plazo por ejemplo: la primera llamada de cada núcleo lo compila.
settings.register_profile("libro", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("libro")

# Son programas: los ejecuta su prueba, con cada biblioteca.
collect_ignore_glob = ["tests/programs/[!_]*.py"]

# Los ejemplos >>> del README y de las páginas; las celdas las ejecuta la construcción del libro.
PAGES = ["README.md", "docs/*.md", "docs/**/*.md"]
pytest_collect_file = Sybil(parsers=[PythonCodeBlockParser()], patterns=PAGES).pytest()


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    import matplotlib.pyplot as plt

    plt.close("all")
