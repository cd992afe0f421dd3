r"""Volver a empezar donde se cortó."""

from dlbook import check, paths
from dlbook.attributes import Checked
from dlbook.callbacks.base import Callback, frequency
from dlbook.console import say


class BackupAndRestore(Callback):
    r"""Guarda el entrenamiento al final de cada época y, si se corta, la próxima vez sigue desde ahí.

    Con :class:`ModelCheckpoint` quien continúa eres tú: cargas el archivo y dices desde qué época. Aquí basta ejecutar
    otra vez el mismo programa. Si en la carpeta hay un respaldo, ``fit`` vuelve a él, con los pesos, la memoria del
    optimizador y el azar donde iban, y hace solo las épocas que faltan. Si terminó bien, lo borra.

    **A mano.** Se va la luz en la época 3 de 4; la segunda vez quedan dos:

    >>> import tempfile
    >>> from chapters.mlp import Dense, Input, Sequential
    >>> from dlbook.callbacks import LambdaCallback
    >>> def outage(epoch, logs):
    ...     if epoch == 2:
    ...         raise OSError("se fue la luz")
    >>> def program(folder, *others):
    ...     model = Sequential([Input((1,)), Dense(1)], seed=0)
    ...     model.compile("adam", "mse")
    ...     watchers = [BackupAndRestore(folder), *others]
    ...     history = model.fit(
    ...         [[0.0], [1.0]], [[1.0], [3.0]], epochs=4,
    ...         callbacks=watchers, verbose=0,
    ...     )
    ...     return history.epoch
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     try:
    ...         program(folder, LambdaCallback(on_epoch_begin=outage))
    ...     except OSError as error:
    ...         print(error)
    ...     program(folder)
    se fue la luz
    [2, 3]

    Parameters
    ----------
    backup_dir : str or pathlib.Path
        La carpeta del respaldo, que es solo suya.
    save_freq : {"epoch"} or int
        Si se guarda al final de cada época o cada tantos pasos. Una época a la mitad se repite entera.
    double_checkpoint : bool
        Si se conserva también el respaldo anterior, por si el último se daña.
    delete_checkpoint : bool
        Si se borra al terminar.

    Attributes
    ----------
    restored : int
        La época desde la que se siguió; ``None`` si no había respaldo.
    """

    save_freq = Checked(frequency, "epoch")
    double_checkpoint = Checked(check.boolean)
    delete_checkpoint = Checked(check.boolean)

    def __init__(self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True):
        self.backup_dir = str(paths.checked(backup_dir, "backup_dir"))
        self.save_freq = save_freq
        self.double_checkpoint, self.delete_checkpoint = double_checkpoint, delete_checkpoint
        self.restored = None
        self._steps = 0

    @property
    def _files(self):
        folder = paths.checked(self.backup_dir, "backup_dir")
        return folder / "latest.safetensors", folder / "previous.safetensors"

    def on_train_begin(self, logs=None):
        r"""Vuelve al respaldo, si lo hay."""
        # El guardado no hace falta para entrenar.
        from dlbook.saving import states

        self.restored, self._steps = None, 0
        latest, previous = self._files
        if not latest.exists() and not previous.exists():
            return
        try:
            state = states.read(latest)
        except (ValueError, OSError) as error:
            if not previous.exists():
                raise
            say(f"{error}; se usa el anterior")
            state = states.read(previous)
        self.model.set_state(state)
        self.restored = self.model.epoch

    def on_train_batch_end(self, batch, logs=None):
        r"""Guarda, si toca en este paso."""
        self._steps += 1
        if self.save_freq != "epoch" and self._steps >= self.save_freq:
            self._steps = 0
            self._save()

    def on_epoch_end(self, epoch, logs=None):
        r"""Guarda, si toca al final de la época."""
        if self.save_freq == "epoch":
            self._save()

    def on_train_end(self, logs=None):
        r"""Borra el respaldo, si así se pidió."""
        if self.delete_checkpoint:
            for path in self._files:
                path.unlink(missing_ok=True)
            folder = self._files[0].parent
            if folder.exists() and not any(folder.iterdir()):
                folder.rmdir()

    def _save(self):
        from dlbook.saving import states

        latest, previous = self._files
        try:
            latest.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise type(error)(f"backup_dir: no se pudo crear la carpeta {latest.parent} ({reason})") from None
        if self.double_checkpoint and latest.exists():
            latest.replace(previous)
        states.write(latest, self.model.get_state())
