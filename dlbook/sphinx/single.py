r"""Construye una sola página, en segundos: ``make pagina P=cnn/normalizacion``.

La página se ve como en el libro y ejecuta sus celdas. Lo que nombra de otras páginas no se encuentra, y no importa.
"""

from pathlib import Path

from sphinx.errors import ConfigError

# Las citas necesitan la página que las reúne.
ALWAYS = "apendices/bibliografia"


def _only_one(app, config):
    if not app.tags.has("pagina"):
        return
    name = config.root_doc
    path = Path(app.srcdir, f"{name}.md")
    if not path.is_file():
        raise ConfigError(f"P: se esperaba el nombre de una página, pero no existe {path}")
    config.include_patterns = [f"{name}.md", f"{ALWAYS}.md"]
    config.nitpicky = False
    config.suppress_warnings = [*config.suppress_warnings, "ref", "toc", "myst.xref_missing"]


def setup(app):
    r"""Con la etiqueta ``pagina``, el libro tiene una sola página: la que diga ``root_doc``."""
    app.connect("config-inited", _only_one)
