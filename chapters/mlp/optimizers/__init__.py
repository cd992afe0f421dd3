r"""Los optimizadores, con los nombres, los argumentos y las fórmulas de Keras."""

from chapters.mlp.optimizers.adadelta import Adadelta
from chapters.mlp.optimizers.adagrad import Adagrad
from chapters.mlp.optimizers.adam import Adam, AdamW
from chapters.mlp.optimizers.base import Optimizer
from chapters.mlp.optimizers.clipping import clip_by_global_norm, clip_by_value
from chapters.mlp.optimizers.rmsprop import RMSprop
from chapters.mlp.optimizers.sgd import SGD
from dlbook import check

CLASSES = (SGD, Adagrad, RMSprop, Adadelta, Adam, AdamW)

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "clip_by_global_norm",
    "clip_by_value",
    "get",
]


def get(optimizer):
    r"""Encuentra un optimizador por su nombre, en mayúsculas o minúsculas.

    >>> get("adam").beta_2
    0.999
    >>> get(SGD(0.1)).learning_rate
    0.1

    Parameters
    ----------
    optimizer : str or Optimizer
        El nombre de Keras, o el propio objeto.

    Returns
    -------
    Optimizer

    Raises
    ------
    ValueError
        Si el nombre no existe.

        >>> get("adan")
        Traceback (most recent call last):
            ...
        ValueError: optimizer: se esperaba 'sgd' o 'adagrad' o 'rmsprop' o 'adadelta' o 'adam' o 'adamw', pero llegó
        'adan'
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    names = {c.__name__.lower(): c for c in CLASSES}
    name = optimizer.lower() if isinstance(optimizer, str) else optimizer
    return names[check.choice(name, "optimizer", list(names))]()
