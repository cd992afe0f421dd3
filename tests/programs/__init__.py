"""Programas de Keras como los de los tutoriales: los mismos con las dos bibliotecas, salvo una línea."""

import math
from pathlib import Path

import numpy as np

PROGRAMS = {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("[!_]*.py"))}
KERAS, BOOK = "import keras\n", "from chapters import keras\n"


def _started(weight, rng):
    # Los sesgos y demás vectores empiezan igual en las dos.
    if weight.ndim < 2:
        return weight
    return rng.normal(0, 1 / math.sqrt(math.prod(weight.shape[:-1])), weight.shape)


def fix(model):
    """Da a un modelo los mismos pesos en las dos bibliotecas: de un azar de NumPy, y no del suyo."""
    rng = np.random.default_rng(0)
    model.set_weights([_started(weight, rng) for weight in model.get_weights()])


def _plain(value):
    # Listas, diccionarios y números de Python, para compararlos y para escribirlos.
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value.item() if isinstance(value, (np.generic, np.ndarray)) else value


def run(name, line):
    """Ejecuta un programa con esa línea en lugar de la que importa Keras, y da lo que dejó en ``result``."""
    before, after = f"\n{PROGRAMS[name]}".split(f"\n{KERAS}")
    space = {"__name__": name}
    exec(compile(f"{before}\n{line}{after}", f"tests/programs/{name}.py", "exec"), space)
    return _plain(space["result"])
