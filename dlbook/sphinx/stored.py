r"""Lo que las páginas dicen de unos tiempos guardados: con qué se midieron, y contra quién se gana y se pierde."""

import json
from pathlib import Path

from myst_nb import glue

# Cuántas veces más rápido que la mejor de las otras quiere ir el libro, y cuánto puede faltar o sobrar en un empate.
GOAL, TIE = 1.5, 0.03


def versions_of(stored):
    r"""Escribe las bibliotecas de unos resultados, con sus versiones.

    >>> versions_of({"versions": {"Python": "3.11", "JAX": {"jax": "0.8", "threads": 2}}})
    'jax 0.8'
    """
    groups = [group for group in stored["versions"].values() if isinstance(group, dict)]
    found = {name: number for group in groups for name, number in group.items() if name != "threads"}
    return ", ".join(f"{name} {number}" for name, number in found.items())


def listed(gains):
    r"""Escribe unas redes, con cuántas veces más rápido va el libro en cada una.

    >>> print(listed({"GRU": 1.742, "LSTM": 1.5, "VAE": 2.0}))
    GRU (1.74), LSTM (1.50) y VAE (2.00)
    >>> listed({})
    'ninguna'
    """
    *others, last = [f"{name} ({gain:.2f})" for name, gain in gains.items()] or ["ninguna"]
    return f"{', '.join(others)} y {last}" if others else last


def sorted_out(gains):
    r"""Reparte unas redes según cómo les va, entre quien llega a la meta, quien gana, quien empata y quien pierde.

    >>> {place: list(of_it) for place, of_it in sorted_out({"a": 1.5, "b": 1.2, "c": 0.99, "d": 0.9}).items()}
    {'si': ['a'], 'medio': ['b'], 'empate': ['c'], 'no': ['d']}
    """
    found = {"si": {}, "medio": {}, "empate": {}, "no": {}}
    for name, gain in gains.items():
        place = "si" if gain >= GOAL else "medio" if gain > 1 + TIE else "empate" if gain >= 1 - TIE else "no"
        found[place][name] = gain
    return found


def speeds(path, prefix, names=None):
    r"""Lee unos tiempos y deja listo lo que la página dice de ellos, con ``glue``.

    Deja ``prefix-orden``, ``-fecha``, ``-maquina`` y ``-versiones``; si se midió el primer paso, ``-vacia`` y
    ``-llena``, y ``-meta``, ``-si``, ``-medio``, ``-empate`` y ``-no``, que son las redes de :func:`sorted_out`.

    Parameters
    ----------
    path : str
        Dónde están, desde la carpeta de la página.
    prefix : str
        Con qué empiezan los nombres.
    names : dict, optional
        Cómo llama la página a cada red.

    Returns
    -------
    stored : dict
        Los tiempos.
    rivals : list of str
        Las otras bibliotecas.
    gains : dict
        De cada red, cuántas veces más rápido va el libro que la mejor de ellas; si hay varios lotes, con el último.
    """
    stored = json.loads(Path(path).read_text(encoding="utf-8"))
    rivals = [name for name in stored["steps"][0]["milliseconds"] if name != "dlbook"]
    found = [(s["model"], s["times_faster"]) for s in stored["steps"] if "times_faster" in s]
    gains = {(names or {}).get(model, model): gain for model, gain in found}
    told = {"orden": stored["command"], "fecha": stored["date"], "versiones": versions_of(stored), "meta": f"{GOAL}"}
    told["maquina"] = f"{stored['machine']}, hilos: {stored['threads']}"
    if stored.get("first_step_seconds"):
        told["vacia"] = f"{stored['first_step_seconds']['empty_cache']:.1f}"
        told["llena"] = f"{stored['first_step_seconds']['warm_cache']:.1f}"
    for place, of_it in sorted_out(gains).items():
        told[place] = listed(of_it)
    for name, text in told.items():
        glue(f"{prefix}-{name}", text, display=False)
    return stored, rivals, gains
