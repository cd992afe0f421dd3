r"""Cambiar la tasa al empezar cada época."""

import inspect

from dlbook import check
from dlbook.attributes import Checked
from dlbook.callbacks.base import Callback
from dlbook.console import say


def require_number(optimizer):
    r"""Comprueba que la tasa de un optimizador se pueda cambiar de una época a otra.

    Parameters
    ----------
    optimizer : Optimizer
        El optimizador.

    Raises
    ------
    ValueError
        Si ya sigue su propio programa.
    """
    if optimizer.schedule is not None:
        raise ValueError(
            "learning_rate: se esperaba un número, que cambia cada época, pero el optimizador ya sigue "
            f"un programa, {optimizer.schedule!r}; quita uno de los dos"
        )


def _accepts(function, *arguments):
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    except ValueError:
        # Las que están escritas en C no siempre dicen qué reciben.
        return True
    return True


class LearningRateScheduler(Callback):
    r"""Cambia la tasa de aprendizaje al empezar cada época, con la regla que quieras.

    Los programas que se le dan al optimizador, como :class:`~chapters.mlp.schedules.ExponentialDecay`, cambian la
    tasa en cada **paso** según una fórmula. Aquí la cambia, en cada **época**, una función tuya, que puede mirar
    cualquier cosa.

    **A mano.** Partir la tasa a la mitad desde la segunda época. La tasa queda anotada con lo demás:

    >>> from chapters.mlp import SGD, Dense, Sequential
    >>> halve = LearningRateScheduler(
    ...     lambda epoch, rate: rate / 2 if epoch else rate
    ... )
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile(SGD(0.1), "mse")
    >>> options = {"epochs": 3, "callbacks": [halve], "verbose": 0}
    >>> history = model.fit([[0.0], [1.0]], [[1.0], [3.0]], **options)
    >>> history.history["learning_rate"]
    [0.1, 0.05, 0.025]

    Parameters
    ----------
    schedule : callable
        Recibe la época, desde 0, y la tasa actual, o solo la época, y devuelve la nueva.
    verbose : {0, 1}
        Si la anuncia.
    """

    verbose = Checked(check.boolean)

    def __init__(self, schedule, verbose=0):
        if not callable(schedule):
            raise TypeError(f"schedule: se esperaba una función de la época y la tasa, pero llegó {schedule!r}")
        self.schedule = schedule
        self.verbose = verbose
        self._wants_rate = _accepts(schedule, 0, 0.1)
        if not self._wants_rate and not _accepts(schedule, 0):
            raise TypeError(f"schedule: se esperaba una función de la época y la tasa, pero llegó {schedule!r}")

    def on_train_begin(self, logs=None):
        r"""Comprueba que el optimizador no tenga ya su propio programa."""
        require_number(self.model.optimizer)

    def on_epoch_begin(self, epoch, logs=None):
        r"""Pregunta la tasa de la época y la pone."""
        optimizer = self.model.optimizer
        arguments = (epoch, optimizer.learning_rate) if self._wants_rate else (epoch,)
        rate = check.number(self.schedule(*arguments), "schedule()", 0)
        optimizer.learning_rate = rate
        if self.verbose:
            say(f"Época {epoch + 1}: tasa de aprendizaje {rate:g}")

    def on_epoch_end(self, epoch, logs=None):
        r"""Anota la tasa."""
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.learning_rate
