r"""Reparte las páginas entre los procesos que las leen, para que ninguno se quede con las más lentas.

Sphinx corta la lista de páginas, en orden alfabético, en tandas seguidas. Las páginas de un capítulo van juntas y
ejecutan programas parecidos: la tanda de las redes convolucionales tardaba el doble que las demás, y al final un
procesador trabajaba y el otro miraba.
"""

from sphinx.util.parallel import make_chunks


def deal(weights, sizes, readers):
    r"""Reparte de la página más pesada a la más ligera: cada una, a la tanda que menos pesa y todavía tiene lugar.

    Si al final quedan menos tandas que procesos, son las más ligeras: así nadie las espera.

    Parameters
    ----------
    weights : dict of str to float
        Lo que pesa cada página.
    sizes : list of int
        Cuántas páginas caben en cada tanda.
    readers : int
        Cuántos procesos las leen.

    Returns
    -------
    list of str
        Las páginas, con las de cada tanda seguidas.

    Examples
    --------
    >>> deal({"a": 5, "b": 3, "c": 2, "d": 1, "e": 1}, [2, 3], 2)
    ['a', 'd', 'b', 'c', 'e']
    >>> deal({"a": 1, "b": 1, "c": 2, "d": 3, "e": 5}, [2, 2, 1], 2)
    ['e', 'a', 'd', 'c', 'b']
    """
    hands, rounds = [[] for _ in sizes], len(sizes) // readers * readers
    for name in sorted(weights, key=weights.get, reverse=True):
        open_hands = [k for k, size in enumerate(sizes) if len(hands[k]) < size]
        # Primero, las de las rondas completas.
        chosen = [k for k in open_hands if k < rounds] or open_hands
        hands[min(chosen, key=lambda k: sum(map(weights.get, hands[k])))].append(name)
    return [name for hand in hands for name in hand]


def _deal(app, env, docnames):
    if not docnames or app.parallel < 2:
        return
    # Lo que tarda es ejecutar: pesa lo que sus celdas.
    weights = {name: 1 + env.doc2path(name).read_text(encoding="utf-8").count("{code-cell}") for name in docnames}
    docnames[:] = deal(weights, [len(chunk) for chunk in make_chunks(docnames, app.parallel)], app.parallel)


def setup(app):
    r"""Reparte antes de leer."""
    app.connect("env-before-read-docs", _deal)
