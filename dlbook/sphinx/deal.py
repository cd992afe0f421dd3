r"""Reparte las páginas entre los procesos que las leen, para que ninguno se quede con las más lentas.

Sphinx corta la lista de páginas, en orden alfabético, en tandas seguidas. Las páginas de un capítulo van juntas y
ejecutan programas parecidos: la tanda de las redes convolucionales tardaba el doble que las demás, y al final un
procesador trabajaba y el otro miraba.
"""

from sphinx.util.parallel import make_chunks


def deal(weights, sizes):
    r"""Reparte de la página más pesada a la más ligera: cada una, a la tanda que menos pesa y todavía tiene lugar.

    Parameters
    ----------
    weights : dict of str to float
        Lo que pesa cada página.
    sizes : list of int
        Cuántas páginas caben en cada tanda.

    Returns
    -------
    list of str
        Las páginas, con las de cada tanda seguidas.

    Examples
    --------
    >>> deal({"a": 5, "b": 3, "c": 2, "d": 1, "e": 1}, [2, 3])
    ['a', 'd', 'b', 'c', 'e']
    """
    hands = [[] for _ in sizes]
    for name in sorted(weights, key=weights.get, reverse=True):
        room = [hand for hand, size in zip(hands, sizes, strict=True) if len(hand) < size]
        min(room, key=lambda hand: sum(map(weights.get, hand))).append(name)
    return [name for hand in hands for name in hand]


def _deal(app, env, docnames):
    if not docnames or app.parallel < 2:
        return
    # Lo que tarda es ejecutar: pesa lo que sus celdas.
    weights = {name: 1 + env.doc2path(name).read_text(encoding="utf-8").count("{code-cell}") for name in docnames}
    sizes = [len(chunk) for chunk in make_chunks(docnames, app.parallel)]
    # La última ronda no alcanza para todos los procesos: se queda con las más ligeras, y así nadie la espera.
    rounds = len(sizes) // app.parallel * app.parallel or len(sizes)
    heaviest = sorted(docnames, key=weights.get, reverse=True)[: sum(sizes[:rounds])]
    lightest = [name for name in docnames if name not in heaviest]
    docnames[:] = deal({name: weights[name] for name in heaviest}, sizes[:rounds]) + lightest


def setup(app):
    r"""Reparte antes de leer."""
    app.connect("env-before-read-docs", _deal)
