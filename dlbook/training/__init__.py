r"""Entrenar, medir y predecir: el ciclo, el motor, los datos, el estado y lo que se ve."""

from dlbook.training.compiled import Compiled
from dlbook.training.data import per_output
from dlbook.training.engine import Engine
from dlbook.training.loop import evaluate, fit, predict, train_on_batch
from dlbook.training.state import check_depth, get_state, set_state, walk

__all__ = [
    "Compiled",
    "Engine",
    "check_depth",
    "evaluate",
    "fit",
    "get_state",
    "per_output",
    "predict",
    "set_state",
    "train_on_batch",
    "walk",
]
