r"""Lo que la extensión anota de cada página, en un solo lugar del entorno de Sphinx.

Sphinx puede leer las páginas en varios procesos y guarda lo leído entre una construcción y la siguiente. Todo lo que
la extensión aprende de una página se guarda por eso bajo el nombre de la página, y aquí se olvida y se junta.
"""


def of_page(env, docname=None):
    r"""Devuelve el diccionario de notas de una página: listas que las demás partes llenan y consultan.

    Parameters
    ----------
    env : sphinx.environment.BuildEnvironment
        El entorno de Sphinx.
    docname : str, optional
        Página; por omisión, la que se está leyendo.

    Returns
    -------
    dict
        ``marks``, ``tags``, ``labels``, ``units``, ``anchors``, ``definitions``, ``uses`` y ``counts`` de la página.
    """
    notes = all_pages(env)
    lists = ("marks", "tags", "labels", "units", "anchors", "definitions", "uses")
    empty = {name: [] for name in lists} | {"counts": {}}
    return notes.setdefault(docname or env.docname, empty)


def all_pages(env):
    r"""Devuelve las notas de todas las páginas, ``{página: notas}``."""
    if not hasattr(env, "dlbook_notes"):
        env.dlbook_notes = {}
    return env.dlbook_notes


def gather(env, key):
    r"""Junta una lista de notas de todas las páginas, en el orden de sus nombres.

    Yields
    ------
    docname : str
        Página.
    note : object
        Cada nota de la lista ``key`` de esa página.
    """
    for docname, notes in sorted(all_pages(env).items()):
        for note in notes[key]:
            yield docname, note


def _purge(app, env, docname):
    all_pages(env).pop(docname, None)


def _merge(app, env, docnames, other):
    for docname in docnames:
        if docname in all_pages(other):
            all_pages(env)[docname] = all_pages(other)[docname]


def setup(app):
    r"""Registra cómo se olvidan y se juntan las notas."""
    app.connect("env-purge-doc", _purge)
    app.connect("env-merge-info", _merge)
