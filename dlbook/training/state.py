r"""El estado de un entrenamiento: lo que hace falta para continuarlo como si nunca se hubiera detenido."""

from collections import deque

import numpy as np

from dlbook import check

# Una capa dentro de otra, y esa dentro de otra…: Python no llega mucho más hondo, y un archivo tampoco.
MOST_LEVELS = 30


def walk(layer, level=1):
    r"""Recorre una capa y las que contiene, cada una, una sola vez y siempre en el mismo orden.

    Parameters
    ----------
    layer : Layer
        La capa.
    level : int
        A qué nivel está, si es que otra la contiene.

    Yields
    ------
    Layer

    Raises
    ------
    ValueError
        Si hay capas dentro de capas a más niveles de los que se admiten.
    """
    pending, seen = [(layer, level)], set()
    while pending:
        layer, level = pending.pop()
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if level > MOST_LEVELS:
            raise ValueError(
                f"{layer.name}: está anidada demasiado hondo; se admiten {MOST_LEVELS} niveles de capas dentro de capas"
            )
        yield layer
        pending += [(inner, level + 1) for inner in reversed(layer.layers)]


def check_depth(layer, level=1):
    r"""Falla como :func:`walk`, sin recorrerla para nada más."""
    deque(walk(layer, level), 0)


def remembered(callbacks):
    r"""Da lo que recuerda cada *callback*, con el nombre de su clase; los que no recuerdan nada no están."""
    states = [(type(callback).__name__, callback.get_state()) for callback in callbacks]
    return [{"callback": name, "state": state} for name, state in states if state]


def get_state(model):
    r"""Da lo necesario para continuar un entrenamiento; el diccionario de ``Model.get_state``."""
    return {
        "weights": model.get_weights(),
        "optimizer": None if model.optimizer is None else model.optimizer.get_state(),
        "random": [layer.generator.bit_generator.state for layer in walk(model)],
        "epoch": model.epoch,
        # A la mitad de fit, lo que recuerdan ahora; después, lo que recordaban al terminar.
        "callbacks": remembered(model.callbacks) or list(model.remembered),
    }


def _generator(state):
    kind = getattr(np.random, str(state.get("bit_generator")), None) if isinstance(state, dict) else None
    if isinstance(kind, type) and issubclass(kind, np.random.BitGenerator) and kind is not np.random.BitGenerator:
        bits = kind()
        try:
            bits.state = state
            return np.random.Generator(bits)
        except (KeyError, TypeError, ValueError, OverflowError):
            pass
    raise ValueError("state['random']: se esperaba el estado de un generador de NumPy")


def _checked(callbacks):
    fine = isinstance(callbacks, list) and all(
        isinstance(c, dict) and isinstance(c.get("callback"), str) and isinstance(c.get("state"), dict)
        for c in callbacks
    )
    if not fine:
        raise ValueError("state['callbacks']: se esperaba lo que recuerda cada callback")
    return list(callbacks)


def set_state(model, state):
    r"""Deja el modelo como lo describe el diccionario de :func:`get_state`."""
    missing = [key for key in ("weights", "optimizer", "random", "epoch") if key not in state]
    if missing:
        raise ValueError(f"state: se esperaba lo que da get_state, pero falta {missing[0]!r}")
    layers = list(walk(model))
    if len(state["random"]) != len(layers):
        raise ValueError(f"state: se esperaban {len(layers)} capas, pero llegaron {len(state['random'])}")
    epoch = check.integer(state["epoch"], "state['epoch']", 0)
    generators = [_generator(s) for s in state["random"]]
    callbacks = _checked(state.get("callbacks", []))
    if state["optimizer"] is not None and model.optimizer is None:
        raise ValueError("state: tiene un optimizador, y el modelo no; llama antes a compile")
    before = model.get_weights()
    # Los dos comprueban antes de cambiar algo; si lo segundo no encaja, lo primero se deshace.
    model.set_weights(state["weights"])
    try:
        if state["optimizer"] is not None:
            model.optimizer.set_state(state["optimizer"])
    except Exception:
        model.set_weights(before)
        raise
    for layer, generator in zip(layers, generators, strict=True):
        layer.generator = generator
    model.epoch, model.remembered = epoch, callbacks
