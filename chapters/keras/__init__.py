r"""El libro, con la forma de Keras: cada cosa, donde un programa de Keras la busca.

Aquí no se define nada: cada nombre vive en el capítulo que lo enseña, y se carga cuando se pide. Un programa de Keras
cambia sus líneas de ``import``, y lo demás queda igual:

>>> from chapters import keras
>>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1)])
>>> model.compile(keras.optimizers.Adam(0.01), loss="mse")
>>> model.count_params()
19
"""

import importlib
import importlib.util

from chapters.keras.shelf import shelf
from dlbook import __version__ as __version__

MODULES = frozenset(
    [
        "activations",
        "backend",
        "callbacks",
        "config",
        "constraints",
        "datasets",
        "initializers",
        "layers",
        "losses",
        "metrics",
        "models",
        "ops",
        "optimizers",
        "preprocessing",
        "random",
        "regularizers",
        "saving",
        "utils",
    ]
)
_find, _names = shelf(
    __name__,
    homes=["chapters.mlp"],
    Initializer="chapters.mlp.initializers:Initializer",
    Loss="chapters.mlp.losses:Loss",
    Metric="chapters.mlp.metrics:Metric",
    Optimizer="chapters.mlp.optimizers:Optimizer",
    Regularizer="chapters.mlp.regularizers:Regularizer",
    # Los módulos, y no los de los capítulos que se llaman igual.
    **dict.fromkeys(MODULES),
)


def _modules():
    # Alguno puede no estar escrito todavía.
    return {name for name in MODULES if importlib.util.find_spec(f"{__name__}.{name}")}


def __getattr__(name):
    return importlib.import_module(f"{__name__}.{name}") if name in _modules() else _find(name)


def __dir__():
    return sorted(_modules() | set(_names()))
