r"""Vigilar una cantidad y saber si mejoró."""

import math
import re

from dlbook import check
from dlbook.attributes import Checked
from dlbook.callbacks.base import Callback


def _name(value, name):
    if not isinstance(value, str):
        raise TypeError(f"{name}: se esperaba el nombre de una cantidad, pero llegó {value!r}")
    return value


class Monitor(Callback):
    r"""Vigilar una cantidad y saber si mejoró: lo comparten quien detiene, quien guarda y quien baja la tasa.

    Mejor es menos o más según ``mode``; lo que no es finito no es mejor que nada.

    >>> watcher = Monitor("val_accuracy", "auto")
    >>> watcher.rising
    True
    >>> watcher.better(watcher.current({"val_accuracy": 0.9}), than=0.8)
    True

    Parameters
    ----------
    monitor : str
        Qué se vigila: uno de los nombres que llegan en ``logs``.
    mode : {"auto", "min", "max"}
        Si mejor es menos o más.

    Attributes
    ----------
    best : float
        El mejor valor; ``None`` mientras no haya ninguno finito.
    """

    monitor = Checked(_name)
    mode = Checked(check.choice, ["auto", "min", "max"])
    best = Checked(check.number, optional=True)

    def __init__(self, monitor, mode):
        self.monitor, self.mode = monitor, mode

    def current(self, logs):
        r"""Devuelve la cantidad, con el signo con que menos es mejor."""
        if not logs or self.monitor not in logs:
            names = " o ".join(repr(name) for name in logs or ())
            hint = "; para vigilar la validación hacen falta datos para validar" if "val_" in self.monitor else ""
            raise ValueError(f"monitor: se esperaba {names}, pero llegó {self.monitor!r}{hint}")
        return -logs[self.monitor] if self.rising else logs[self.monitor]

    def skips(self, logs):
        r"""Dice si se vigila la validación y en esta época no tocaba: con ``validation_freq``, no toca en todas."""
        watches = self.validates and self.monitor.startswith("val_")
        return watches and not any(name.startswith("val_") for name in logs or ())

    def better(self, value, than, by=0):
        r"""Dice si un valor, con ese signo, mejora a otro, que va con el suyo; lo que no es finito no mejora a nada."""
        if not math.isfinite(value):
            return False
        return than is None or value < (-than if self.rising else than) - by

    def get_state(self):
        r"""Da el mejor valor y de qué cantidad es."""
        return {"monitor": self.monitor, "best": self.best}

    def set_state(self, state):
        r"""Recupera el mejor valor."""
        self.best = state["best"]

    @property
    def rising(self):
        r"""Si más es mejor; con ``mode="auto"`` lo dice la métrica y, si no lo dice, solo la exactitud."""
        if self.mode != "auto":
            return self.mode == "max"
        name = re.sub(r"_\d+$", "", self.monitor.removeprefix("val_"))
        metrics = [*getattr(self.model, "asked_metrics", ()), *getattr(self.model, "metrics", ())]
        said = [metric.rising for metric in metrics if getattr(metric, "name", None) == name]
        return said[0] if said and said[0] is not None else name.endswith(("accuracy", "acc"))
