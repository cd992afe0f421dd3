r"""Detenerse cuando ya no mejora."""

from dlbook import check
from dlbook.attributes import Checked
from dlbook.callbacks.monitor import Monitor
from dlbook.console import say


class EarlyStopping(Monitor):
    r"""Parada temprana (*early stopping*): dejar de entrenar cuando ya no mejora.

    Conforme la red entrena, la pérdida de entrenamiento baja, con algún tropiezo. La de validación baja al principio y,
    cuando la red empieza a memorizar, vuelve a subir. Lo que buscamos es el fondo de esa curva. No se sabe que era el
    fondo hasta que se ha pasado; por eso se esperan unas épocas, la *paciencia*, y luego se vuelve atrás.

    Por eso se vigila ``"val_loss"`` y no ``"loss"``. :erratum:`E-04` :item:`REG-11, REG-12`

    **A mano.** La validación mejora hasta la época 2 y luego empeora. Con paciencia 3, la tercera época seguida sin
    mejorar es la última:

    >>> class Model:
    ...     stop_training = False
    >>> stop = EarlyStopping(monitor="val_loss", patience=3)
    >>> stop.set_model(Model())
    >>> stop.on_train_begin()
    >>> for epoch, value in enumerate([1.0, 0.8, 0.7, 0.75, 0.9, 1.1, 1.3]):
    ...     logs = {"loss": 1 / (1 + epoch), "val_loss": value}
    ...     stop.on_epoch_end(epoch, logs)
    ...     if stop.model.stop_training:
    ...         break
    >>> stop.stopped_epoch, stop.best_epoch, stop.best
    (5, 2, 0.7)

    Parameters
    ----------
    monitor : str
        Qué se vigila.
    min_delta : float
        Cuánto hay que mejorar para que cuente.
    patience : int
        Cuántas épocas seguidas sin mejorar se toleran; aquella en que no tocaba validar no cuenta.
    verbose : {0, 1}
        Si avisa cuando se detiene.
    mode : {"auto", "min", "max"}
        Si mejor es menos o más; con ``"auto"``, más en las exactitudes y menos en lo demás. Lo que no es finito, como
        NaN, no es mejor que nada.
    baseline : float, optional
        Un valor que hay que superar para que empiece a contar como mejora.
    restore_best_weights : bool
        Si al terminar el modelo se queda con los pesos de la mejor época.
    start_from_epoch : int
        Desde qué época se vigila.

    Attributes
    ----------
    stopped_epoch : int
        La época en que se detuvo; 0 si no lo hizo.
    best_epoch : int
        La mejor época.
    best : float
        El mejor valor; ``None`` mientras no haya ninguno finito.
    """

    min_delta = Checked(check.number, 0)
    patience = Checked(check.integer, 0)
    baseline = Checked(check.number, optional=True)
    restore_best_weights = Checked(check.boolean)
    verbose = Checked(check.boolean)
    start_from_epoch = Checked(check.integer, 0)

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__(monitor, mode)
        self.min_delta, self.patience, self.verbose, self.baseline = min_delta, patience, verbose, baseline
        self.restore_best_weights, self.start_from_epoch = restore_best_weights, start_from_epoch
        self.on_train_begin()

    def on_train_begin(self, logs=None):
        r"""Olvida lo de antes."""
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best = None
        self._best_weights = None

    def on_epoch_end(self, epoch, logs=None):
        r"""Mira si mejoró y, si se acabó la paciencia, detiene el entrenamiento."""
        if self.skips(logs):
            return
        value = self.current(logs)
        if epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self.better(value, self.best, self.min_delta):
            self.best, self.best_epoch = logs[self.monitor], epoch
            if self.restore_best_weights:
                self._best_weights = self.model.get_weights()
            if self.better(value, self.baseline, self.min_delta):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        r"""Recupera los mejores pesos, si se pidió."""
        if self.stopped_epoch and self.verbose:
            say(f"Parada temprana en la época {self.stopped_epoch + 1}; la mejor fue la {self.best_epoch + 1}.")
        if self._best_weights is not None:
            self.model.set_weights(self._best_weights)

    def get_state(self):
        r"""Da cuánto lleva esperando, cuál fue la mejor época y sus pesos."""
        own = {name: getattr(self, name) for name in ("wait", "stopped_epoch", "best_epoch")}
        return super().get_state() | own | {"best_weights": self._best_weights}

    def set_state(self, state):
        r"""Sigue esperando donde se había quedado."""
        super().set_state(state)
        for name in ("wait", "stopped_epoch", "best_epoch"):
            setattr(self, name, check.integer(state[name], name, 0))
        self._best_weights = state["best_weights"]
