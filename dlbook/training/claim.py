r"""Un solo entrenamiento a la vez: quien entrena un modelo aparta sus capas mientras dure."""

import functools
import os
import threading

from dlbook.numeric.interruptions import Interrupts, uninterrupted
from dlbook.training.state import walk


class _Claim:
    # Las capas de un modelo que se entrena, mientras dure. Dos entrenamientos a la vez mezclarían sus pesos.
    def __init__(self, model):
        self.layers = [layer for layer in walk(model) if layer.trainable]

    @uninterrupted
    def __enter__(self):
        with _in_training["lock"]:
            threads = _in_training["threads"]
            for layer in self.layers:
                if id(layer) in threads:
                    raise RuntimeError(f"{layer.name}: ya se está entrenando; espera a que termine su otro fit")
            threads.update((id(layer), threading.get_ident()) for layer in self.layers)

    @uninterrupted
    def __exit__(self, *_):
        with _in_training["lock"]:
            for layer in self.layers:
                del _in_training["threads"][id(layer)]


def _only_this_thread():
    # En un proceso recién nacido solo sigue vivo el hilo que lo pidió.
    mine = {layer: thread for layer, thread in _in_training["threads"].items() if thread == threading.get_ident()}
    _in_training.update(lock=threading.Lock(), threads=mine)


# En qué hilo se entrena cada capa, por su identidad.
_in_training = {"lock": threading.Lock(), "threads": {}}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_only_this_thread)


def one_at_a_time(function):
    r"""Decora lo que entrena un modelo, su primer argumento: mientras dure, nadie más entrena sus capas."""

    @functools.wraps(function)
    def exclusive(model, *arguments, **options):
        with Interrupts(), _Claim(model):
            return function(model, *arguments, **options)

    return exclusive
