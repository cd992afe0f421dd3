r"""Guardar el modelo mientras se entrena."""

from dlbook import check, paths
from dlbook.attributes import Checked
from dlbook.callbacks.base import frequency
from dlbook.callbacks.monitor import Monitor
from dlbook.console import say


class ModelCheckpoint(Monitor):
    r"""Guarda el modelo al final de cada época, o solo cuando mejora.

    Un entrenamiento largo se interrumpe: se va la luz, se acaba el turno en la máquina prestada. Con un archivo de la
    última época completa se pierde, a lo más, una. :class:`EarlyStopping` también recuerda los mejores pesos, pero en
    la memoria, que se va con la luz.

    **A mano.** Tres épocas, tres archivos; con ``save_best_only`` y un nombre fijo quedaría solo el mejor:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from chapters.mlp import Dense, Sequential
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile("sgd", "mse")
    >>> x, y = [[0.0], [1.0]], [[1.0], [3.0]]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/recta-{{epoch:02d}}.safetensors"
    ...     options = {"callbacks": [ModelCheckpoint(path)], "verbose": 0}
    ...     history = model.fit(x, y, epochs=3, **options)
    ...     print(*sorted(path.name for path in Path(folder).iterdir()))
    recta-01.safetensors recta-02.safetensors recta-03.safetensors

    Parameters
    ----------
    filepath : str or pathlib.Path
        Dónde. Puede llevar ``{epoch}``, que cuenta desde 1, y los nombres de las cantidades, como
        ``"modelo-{epoch:02d}-{val_loss:.3f}.safetensors"``.
    monitor : str
        Qué se vigila, si solo se guarda lo mejor.
    verbose : {0, 1}
        Si avisa cuando guarda.
    save_best_only : bool
        Si solo se guarda cuando mejora.
    save_weights_only : bool
        Si se guardan solo los pesos, con ``model.save_weights``, y no lo que hace falta para continuar.
    mode : {"auto", "min", "max"}
        Como en :class:`EarlyStopping`.
    save_freq : {"epoch"} or int
        Si se guarda al final de cada época o cada tantos pasos; en el nombre puede ir entonces ``{batch}``, que cuenta
        desde 1. A la mitad de una época no hay cantidades de validación.
    initial_value_threshold : float, optional
        El valor que ya hay que mejorar en la primera época.

    Attributes
    ----------
    best : float
        El mejor valor; ``None`` mientras no haya ninguno finito.
    """

    save_best_only = Checked(check.boolean)
    verbose = Checked(check.boolean)
    save_weights_only = Checked(check.boolean)
    save_freq = Checked(frequency, "epoch")
    initial_value_threshold = Checked(check.number, optional=True)

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
    ):
        super().__init__(monitor, mode)
        self.filepath = str(paths.checked(filepath, "filepath"))
        self.verbose, self.save_best_only = verbose, save_best_only
        self.save_weights_only, self.save_freq = save_weights_only, save_freq
        self.initial_value_threshold = self.best = initial_value_threshold
        self._epoch = self._steps = 0

    def on_epoch_begin(self, epoch, logs=None):
        r"""Recuerda en qué época va."""
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        r"""Guarda, si toca en este paso."""
        self._steps += 1
        if self.save_freq != "epoch" and self._steps >= self.save_freq:
            self._steps = 0
            self._save({"epoch": self._epoch + 1, "batch": batch + 1}, logs or {})

    def on_epoch_end(self, epoch, logs=None):
        r"""Guarda, si toca al final de la época."""
        if self.save_freq == "epoch" and not (self.save_best_only and self.skips(logs)):
            self._save({"epoch": epoch + 1}, logs or {})

    def _save(self, when, logs):
        if self.save_best_only:
            value = self.current(logs)
            if not self.better(value, self.best):
                return
            self.best = logs[self.monitor]
        try:
            path = self.filepath.format(**when | logs)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            names = " o ".join([*when, *logs])
            came = error if isinstance(error, KeyError) else repr(self.filepath)
            raise ValueError(f"filepath: se esperaba {names} entre llaves, pero llegó {came}") from None
        (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        if self.verbose:
            say(f"Época {when['epoch']}: guardado en {path}")
