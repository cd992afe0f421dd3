r"""Reparte las páginas entre los procesos que las leen, para que ninguno se quede con las más lentas.

Sphinx corta la lista de páginas, en orden alfabético, en tandas seguidas. Las páginas de un capítulo van juntas y
ejecutan programas parecidos: la tanda de las redes convolucionales tardaba el doble que las demás, y al final un
procesador trabajaba y el otro miraba.
"""

from sphinx.util.parallel import make_chunks


def deal(names, chunks):
    r"""Ordena las páginas como se reparten los naipes: una a cada tanda, y vuelta a empezar.

    Parameters
    ----------
    names : list of str
        Las páginas.
    chunks : int
        Cuántas tandas habrá.

    Returns
    -------
    list of str
        Las mismas, con las de cada tanda seguidas.

    Examples
    --------
    >>> deal(["a1", "a2", "b1", "b2", "b3"], 2)
    ['a1', 'b1', 'b3', 'a2', 'b2']
    """
    return [name for start in range(chunks) for name in names[start::chunks]]


def _deal(app, env, docnames):
    if docnames and app.parallel > 1:
        docnames[:] = deal(docnames, len(make_chunks(docnames, app.parallel)))


def setup(app):
    r"""Reparte antes de leer."""
    app.connect("env-before-read-docs", _deal)
