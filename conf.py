"""Configuración de Sphinx: cómo se construye el libro."""

import gc
import os
from pathlib import Path

import dlbook

# Un árbol por página son millones de objetos que nadie tira: buscar basura al cargarlos costaba más que cargarlos.
gc.set_threshold(100_000, 50, 1000)

ROOT = Path(__file__).parent
BUILD = ROOT / "build"

project = "Aprendizaje profundo desde cero"
author = "Quienes escriben dlbook"
copyright = "2026, quienes escriben dlbook. Código: BSD-3-Clause. Texto y figuras: CC BY-SA 4.0"
version = release = dlbook.__version__
language = "es"
root_doc = "index"
exclude_patterns = ["_build", "**.ipynb_checkpoints"]
nitpicky = True
locale_dirs = [str(ROOT / "docs" / "locales")]

extensions = [
    "dlbook.sphinx",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_exercise",
    "sphinx_togglebutton",
    "sphinxcontrib.bibtex",
]

# Docstrings: secciones de NumPy, miembros en el orden del archivo.
autodoc_member_order = "bysource"
autodoc_typehints = "none"
# Los valores por omisión, como están escritos: ``h=STEP`` y no un número de quince cifras.
autodoc_preserve_defaults = True
# Con números, cada definición tiene su ancla en la página de su archivo: allá enlazan los listados.
viewcode_line_numbers = True
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True
nitpick_ignore_regex = [("py:class", r".*")]

# Páginas: las celdas se ejecutan otra vez cuando cambia algo de lo que usan (dlbook/sphinx/pages.py).
nb_execution_cache_path = str(BUILD / "celdas")
nb_execution_mode = "cache"
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_output_stderr = "warn"
nb_code_prompt_show = "Mostrar el código"
nb_code_prompt_hide = "Ocultar el código"
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
myst_enable_extensions = ["amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Una numeración para páginas y docstrings.
smartquotes_action = "D"  # solo las rayas: las comillas del libro son «…» y se escriben así
numfig = True
math_numfig = True
numfig_secnum_depth = 1
math_eqref_format = "({number})"
bibtex_bibfiles = ["docs/references.bib"]
bibtex_default_style = "dlbook"
bibtex_reference_style = "dlbook"

html_math_renderer = "dlbook"
html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["docs/_static"]
html_css_files = ["libro.css"]
html_js_files = [("libro.js", {"defer": "defer"})]
html_favicon = "docs/_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sourcelink = False
html_last_updated_fmt = None
# En la página de un archivo no va el índice del libro: son cientos, y hacerlo para cada una tarda más que ella.
html_sidebars = {"_modules/**": ["navbar-logo.html", "search-button-field.html"]}
html_theme_options = {
    "search_bar_text": "Buscar en el libro",
    "navbar_persistent": [],
    "use_download_button": False,
    "show_toc_level": 2,
}
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"
togglebutton_hint = "Mostrar"
togglebutton_hint_hide = "Ocultar"


def setup(app):
    # Lo ya leído no es basura. Sin esto, los procesos que escriben lo recorrerían y lo copiarían, y al terminar Python
    # tardaría más de un minuto en revisarlo.
    for event in "env-updated", "build-finished":
        app.connect(event, lambda *_: gc.freeze())
