r"""Bajar la tasa cuando ya no mejora."""

import math

from dlbook import check
from dlbook.attributes import Checked
from dlbook.callbacks.learning_rate_scheduler import require_number
from dlbook.callbacks.monitor import Monitor
from dlbook.console import say


class ReduceLROnPlateau(Monitor):
    r"""Baja la tasa de aprendizaje cuando una cantidad deja de mejorar (*reduce on plateau*).

    Si la pérdida se aplana, puede que la red haya llegado, o puede que esté saltando de una pared a otra con pasos
    demasiado largos. Antes de rendirse vale la pena acortarlos: tras ``patience`` épocas sin mejorar,

    .. math::
       :label: ec-mlp-tasa-meseta

       \eta \leftarrow \max(\eta\cdot\text{factor},\ \eta_{\min}) .

    La tasa de cada época queda anotada con lo demás, antes de bajarla.

    **A mano.** Con paciencia 2, dos épocas seguidas sin mejorar parten la tasa a la mitad:

    >>> from chapters.mlp import SGD, Dense, Sequential
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile(SGD(0.1), "mse")
    >>> plateau = ReduceLROnPlateau("loss", factor=0.5, patience=2)
    >>> plateau.set_model(model)
    >>> plateau.on_train_begin()
    >>> for epoch, loss in enumerate([1.0, 0.8, 0.9, 0.8, 0.8, 0.7]):
    ...     plateau.on_epoch_end(epoch, {"loss": loss})
    ...     print(model.optimizer.learning_rate, end=" ")
    0.1 0.1 0.1 0.05 0.05 0.05

    Parameters
    ----------
    monitor : str
        Qué se vigila.
    factor : float
        Por cuánto se multiplica la tasa, de 0 a menos de 1.
    patience : int
        Cuántas épocas seguidas sin mejorar se toleran.
    verbose : {0, 1}
        Si avisa cuando la baja.
    mode : {"auto", "min", "max"}
        Como en :class:`EarlyStopping`.
    min_delta : float
        Cuánto hay que mejorar para que cuente.
    cooldown : int
        Cuántas épocas se deja de contar después de bajarla.
    min_lr : float
        La tasa menor, :math:`\eta_{\min}`.

    Attributes
    ----------
    best : float
        El mejor valor; ``None`` mientras no haya ninguno finito.
    wait : int
        Cuántas épocas lleva sin mejorar.
    cooldown_counter : int
        Cuántas faltan para que vuelva a contar.
    """

    factor = Checked(check.number, 0, 1, open_high=True)
    patience = Checked(check.integer, 0)
    verbose = Checked(check.boolean)
    min_delta = Checked(check.number, 0)
    cooldown = Checked(check.integer, 0)
    min_lr = Checked(check.number, 0)

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=1e-4,
        cooldown=0,
        min_lr=0.0,
    ):
        super().__init__(monitor, mode)
        self.factor, self.patience, self.verbose = factor, patience, verbose
        self.min_delta, self.cooldown, self.min_lr = min_delta, cooldown, min_lr
        self._forget()

    def _forget(self):
        self.best, self.wait, self.cooldown_counter = None, 0, 0

    def on_train_begin(self, logs=None):
        r"""Olvida lo de antes, y comprueba que el optimizador no tenga ya su propio programa."""
        require_number(self.model.optimizer)
        self._forget()

    def on_epoch_end(self, epoch, logs=None):
        r"""Anota la tasa, mira si mejoró y, si se acabó la paciencia, la baja."""
        optimizer = self.model.optimizer
        rate = optimizer.learning_rate
        if logs is not None:
            logs["learning_rate"] = rate
        if self.skips(logs):
            return
        value = self.current(logs)
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.better(value, self.best, self.min_delta):
            self.best, self.wait = logs[self.monitor], 0
        elif not self.cooldown_counter:
            self.wait += 1
            # 0.1·0.1 no es exactamente 0.01.
            if self.wait >= self.patience and rate > self.min_lr and not math.isclose(rate, self.min_lr):
                optimizer.learning_rate = max(rate * self.factor, self.min_lr)  # [ec-mlp-tasa-meseta]
                self.wait, self.cooldown_counter = 0, self.cooldown
                if self.verbose:
                    say(f"Época {epoch + 1}: la tasa de aprendizaje baja a {optimizer.learning_rate:g}")

    def get_state(self):
        r"""Da el mejor valor y cuánto lleva esperando."""
        return super().get_state() | {"wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def set_state(self, state):
        r"""Sigue esperando donde se había quedado."""
        super().set_state(state)
        for name in ("wait", "cooldown_counter"):
            setattr(self, name, check.integer(state[name], name, 0))


def plain_reduce_lron_plateau(losses, rate, factor, patience, min_lr):
    r"""La tasa después de cada época; con cualquier mejora basta."""
    best, wait, rates = math.inf, 0, []
    for loss in losses:
        wait = 0 if loss < best else wait + 1
        best = min(best, loss)
        if wait >= patience:
            rate = max(rate * factor, min_lr)  # [ec-mlp-tasa-meseta]
            wait = 0
        rates.append(rate)
    return rates
