r"""La extensión de Sphinx con la que se imprime el libro.

Cada archivo es una idea: :mod:`~dlbook.sphinx.definitions` lee qué define y qué usa cada archivo,
:mod:`~dlbook.sphinx.listing` imprime código y enlaza sus líneas con las ecuaciones y sus nombres con lo que nombran,
:mod:`~dlbook.sphinx.folds` pliega lo que no todos necesitan, :mod:`~dlbook.sphinx.figures` acomoda las figuras,
:mod:`~dlbook.sphinx.marks` anota dónde se trata cada tema de los cursos, :mod:`~dlbook.sphinx.appendices` arma con
esas notas los apéndices, :mod:`~dlbook.sphinx.measure` cuenta lo que el libro prueba, :mod:`~dlbook.sphinx.minutes`
estima en cuánto se lee una página, :mod:`~dlbook.sphinx.mathematics` dibuja las fórmulas, :mod:`~dlbook.sphinx.pages`
ejecuta las celdas, :mod:`~dlbook.sphinx.nursery` consigue para cada una un Python ya despierto,
:mod:`~dlbook.sphinx.steps` hace secciones que se recorren paso a paso,
:mod:`~dlbook.sphinx.deal` reparte las páginas entre procesos, :mod:`~dlbook.sphinx.turns` hace
que dos construcciones no se estorben, :mod:`~dlbook.sphinx.single` construye una página sola, y
:mod:`~dlbook.sphinx.references` y :mod:`~dlbook.sphinx.spanish` hablan español.
"""

from dlbook import __version__
from dlbook.sphinx import (
    appendices,
    deal,
    figures,
    folds,
    listing,
    marks,
    mathematics,
    measure,
    minutes,
    pages,
    references,
    single,
    spanish,
    steps,
    turns,
)


def setup(app):
    r"""Registra la extensión en Sphinx.

    Parameters
    ----------
    app : sphinx.application.Sphinx
        La aplicación que construye el libro.

    Returns
    -------
    dict
        Versión y permiso de leer y escribir en paralelo.
    """
    for part in (
        turns,
        single,
        pages,
        folds,
        figures,
        listing,
        marks,
        appendices,
        measure,
        minutes,
        steps,
        mathematics,
        deal,
        references,
        spanish,
    ):
        part.setup(app)
    return {"version": __version__, "env_version": 4, "parallel_read_safe": True, "parallel_write_safe": True}
