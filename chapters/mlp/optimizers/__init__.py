r"""Los optimizadores, con los nombres, los argumentos y las fórmulas de Keras."""

import inspect

from chapters.mlp import schedules
from chapters.mlp.optimizers.adadelta import Adadelta
from chapters.mlp.optimizers.adagrad import Adagrad
from chapters.mlp.optimizers.adam import Adam, AdamW
from chapters.mlp.optimizers.adamax import Adamax
from chapters.mlp.optimizers.base import Optimizer
from chapters.mlp.optimizers.clipping import clip_by_global_norm, clip_by_value
from chapters.mlp.optimizers.lion import Lion
from chapters.mlp.optimizers.nadam import Nadam
from chapters.mlp.optimizers.rmsprop import RMSprop
from chapters.mlp.optimizers.sgd import SGD
from dlbook import check

CLASSES = (SGD, Adagrad, RMSprop, Adadelta, Adam, AdamW, Nadam, Adamax, Lion)

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lion",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "clip_by_global_norm",
    "clip_by_value",
    "get",
]


def _described(description, where, classes):
    arguments = description.get("config", {})
    if "class_name" not in description or not isinstance(arguments, dict):
        raise ValueError(
            f"{where}: se esperaba un diccionario con 'class_name' y 'config', pero llegó {description!r:.60}"
        )
    names = {c.__name__: c for c in classes}
    cls = names[check.choice(description["class_name"], where, list(names))]
    rate = arguments.get("learning_rate")
    if isinstance(rate, dict):
        schedule = _described(rate, "learning_rate", schedules.CLASSES)
        arguments = arguments | {"learning_rate": schedule}
    unknown = set(arguments) - {*inspect.signature(cls).parameters, *inspect.signature(Optimizer).parameters}
    if unknown:
        raise TypeError(f"{cls.__name__}: no se conoce el argumento {min(unknown)!r}")
    return cls(**arguments)


def get(optimizer):
    r"""Encuentra un optimizador por su nombre, en mayúsculas o minúsculas, o por su descripción.

    >>> get("adam").beta_2
    0.999
    >>> get(SGD(0.1)).learning_rate
    0.1
    >>> get(
    ...     {"class_name": "Adam", "config": {"learning_rate": 0.01}}
    ... ).learning_rate
    0.01

    Parameters
    ----------
    optimizer : str, dict or Optimizer
        El nombre de Keras, un diccionario con él y con los argumentos, o el propio objeto. La tasa puede ser, a su vez,
        el diccionario de un programa.

    Returns
    -------
    Optimizer

    Raises
    ------
    TypeError, ValueError
        Si el nombre no existe, o si los argumentos no son los suyos.

        >>> get("adan")
        Traceback (most recent call last):
            ...
        ValueError: optimizer: se esperaba 'sgd' o 'adagrad' o 'rmsprop' o 'adadelta' o 'adam' o 'adamw' o 'nadam' o
        'adamax' o 'lion', pero llegó 'adan'
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, dict):
        return _described(optimizer, "optimizer", CLASSES)
    names = {c.__name__.lower(): c for c in CLASSES}
    name = optimizer.lower() if isinstance(optimizer, str) else optimizer
    return names[check.choice(name, "optimizer", list(names))]()
