r"""Lo que se puede hacer entre una época y otra: mirar, anotar, guardar, detenerse."""

import csv
import inspect
import math
import re

from dlbook import check, paths, registry
from dlbook.attributes import Absent, Checked, Configured
from dlbook.console import say

registry.provide(__name__)


@registry.register("callback")
class Callback(Configured):
    r"""Alguien a quien el entrenamiento llama en momentos fijos.

    ``fit`` no sabe de gráficas, de archivos ni de cuándo conviene detenerse. En lugar de eso, avisa: al empezar y al
    terminar, en cada época y en cada paso, llama a un método de cada objeto que le diste. A un objeto así se le dice
    *callback*, el que espera la llamada. Aquí todos los métodos están vacíos; el tuyo hereda y escribe los que quiera.

    ``self.model`` es el modelo y ``self.params``, un diccionario con ``epochs``, ``steps`` (pasos por época) y
    ``verbose``. En ``logs`` llega lo que se sabe en ese momento: la pérdida, las métricas y, al final de la época, las
    de validación. Lo que un *callback* agregue ahí al terminar la época lo ven los que siguen en la lista, y queda
    anotado en la :class:`History`. Para detener el entrenamiento, pon ``self.model.stop_training`` en ``True``.

    **A mano.** Un diario para una neurona que empieza en cero. Ante :math:`x=1` contesta 0 y lo correcto es 2: la
    pérdida es 4. Su gradiente, :math:`2\cdot(-2)\cdot(1, 1)`, con :math:`\eta=0.01`, deja el peso y el sesgo en 0.04:
    contesta 0.08 y la pérdida es :math:`1.92^2`:

    >>> from chapters.mlp import Dense, Sequential
    >>> class Diary(Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(f"época {epoch + 1} de {self.params['epochs']}: {logs['loss']:.3f}")
    >>> model = Sequential([Dense(1, kernel_initializer="zeros")], dtype="float64")
    >>> model.compile("sgd", "mse")
    >>> history = model.fit([[1.0]], [[2.0]], epochs=2, callbacks=[Diary()], verbose=0)
    época 1 de 2: 4.000
    época 2 de 2: 3.686

    **Si tu *callback* recuerda algo** de una época a otra, di qué en :meth:`get_state` y cómo se recupera en
    :meth:`set_state`. Lo recordado se guarda con el modelo. Al continuar un entrenamiento, es decir, si ``fit`` recibe
    ``initial_epoch=model.epoch``, vuelve al *callback* de la misma clase que esté en la lista.

    Attributes
    ----------
    model : Model
        El modelo que se entrena.
    params : dict
        Los datos del entrenamiento.
    """

    model = None
    params = None

    def set_model(self, model):
        r"""Recibe el modelo."""
        self.model = model

    def set_params(self, params):
        r"""Recibe los datos del entrenamiento."""
        self.params = params

    def on_train_begin(self, logs=None):
        r"""Al empezar."""

    def on_train_end(self, logs=None):
        r"""Al terminar, también si se detuvo antes de tiempo."""

    def on_epoch_begin(self, epoch, logs=None):
        r"""Al empezar una época; la primera es la 0."""

    def on_epoch_end(self, epoch, logs=None):
        r"""Al terminar una época."""

    def on_train_batch_begin(self, batch, logs=None):
        r"""Antes de un paso; el primero de cada época es el 0."""

    def on_train_batch_end(self, batch, logs=None):
        r"""Después de un paso, con la pérdida y las métricas de lo que va de la época."""

    def get_state(self):
        r"""Da lo que recuerda: un diccionario de números, textos, arreglos, listas y otros diccionarios."""
        return {}

    def set_state(self, state):
        r"""Recupera lo que dio :meth:`get_state`; se llama después de :meth:`on_train_begin`."""


class History(Callback):
    r"""Anota lo que pasó en cada época; es lo que devuelve ``fit``.

    La pérdida dibujada contra las épocas se llama **curva de aprendizaje** (*learning curve*), y es el
    electrocardiograma de un entrenamiento: si baja, si ya se aplanó, si oscila porque la tasa es grande, si la de
    validación se separa de la otra porque la red empezó a memorizar.

    **A mano.** Lo que anota son listas, una por cantidad:

    >>> history = History()
    >>> history.on_epoch_end(0, {"loss": 0.9, "val_loss": 1.0})
    >>> history.on_epoch_end(1, {"loss": 0.5, "val_loss": 0.8})
    >>> history.history
    {'loss': [0.9, 0.5], 'val_loss': [1.0, 0.8]}
    >>> history.epoch
    [0, 1]

    ``history.plot()`` las dibuja, cada cantidad junto a su validación.

    Attributes
    ----------
    history : dict
        Nombre de cada cantidad y la lista de sus valores, uno por época.
    epoch : list of int
        Las épocas recorridas.
    """

    def __init__(self):
        self.history = {}
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        r"""Anota la época."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def plot(self, *names, ax=None):
        r"""Dibuja las curvas de aprendizaje.

        Parameters
        ----------
        *names : str
            Qué dibujar, junto con su validación; sin nombres, la pérdida.
        ax : matplotlib.axes.Axes, optional
            Dónde dibujar.

        Returns
        -------
        matplotlib.axes.Axes
        """
        # Dibujar carga matplotlib; entrenar, no.
        from dlbook import plot

        chosen = {}
        for name in names or ("loss",):
            if name not in self.history:
                check.choice(name, "names", list(self.history), exact=True)
            chosen |= {key: self.history[key] for key in (name, f"val_{name}") if key in self.history}
        return plot.curves(chosen, ax, ylabel=", ".join(names or ("loss",)), start=self.epoch[0] + 1)


def _name(value, name):
    if not isinstance(value, str):
        raise TypeError(f"{name}: se esperaba el nombre de una cantidad, pero llegó {value!r}")
    return value


class _Monitor(Callback):
    # Vigilar una cantidad y saber si mejoró: lo comparten quien detiene y quien guarda.
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
        said = [metric.rising for metric in getattr(self.model, "metrics", ()) if getattr(metric, "name", None) == name]
        return said[0] if said and said[0] is not None else name.endswith(("accuracy", "acc"))


class EarlyStopping(_Monitor):
    r"""Parada temprana (*early stopping*): dejar de entrenar cuando ya no mejora.

    Conforme la red entrena, la pérdida de entrenamiento baja casi siempre. La de validación baja al principio y,
    cuando la red empieza a memorizar, vuelve a subir. Lo que buscamos es el fondo de esa curva. No se sabe que era el
    fondo hasta que se ha pasado; por eso se esperan unas épocas, la *paciencia*, y luego se vuelve atrás.

    Por eso se vigila ``"val_loss"``, y no ``"loss"``, como en una lámina :erratum:`E-04`. :item:`REG-11, REG-12`

    **A mano.** La validación mejora hasta la época 2 y luego empeora. Con paciencia 3, la tercera época seguida sin
    mejorar es la última:

    >>> class Model:
    ...     stop_training = False
    >>> stop = EarlyStopping(monitor="val_loss", patience=3)
    >>> stop.set_model(Model())
    >>> stop.on_train_begin()
    >>> for epoch, value in enumerate([1.0, 0.8, 0.7, 0.75, 0.9, 1.1, 1.3]):
    ...     stop.on_epoch_end(epoch, {"loss": 1 / (1 + epoch), "val_loss": value})
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
        Cuántas épocas seguidas sin mejorar se toleran.
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


class ModelCheckpoint(_Monitor):
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
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     checkpoint = ModelCheckpoint(f"{folder}/recta-{{epoch:02d}}.safetensors")
    ...     history = model.fit([[0.0], [1.0]], [[1.0], [3.0]], epochs=3, callbacks=[checkpoint], verbose=0)
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
    save_weights_only : False
        No existe aquí: con los pesos va siempre lo que hace falta para continuar.
    mode : {"auto", "min", "max"}
        Como en :class:`EarlyStopping`.
    save_freq : {"epoch"}
        No existe aquí: se guarda al final de la época.
    initial_value_threshold : float, optional
        El valor que ya hay que mejorar en la primera época.

    Attributes
    ----------
    best : float
        El mejor valor; ``None`` mientras no haya ninguno finito.
    """

    save_best_only = Checked(check.boolean)
    verbose = Checked(check.boolean)
    save_weights_only, save_freq = Absent(False), Absent("epoch")
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

    def on_epoch_end(self, epoch, logs=None):
        r"""Guarda, si toca."""
        if self.save_best_only:
            value = self.current(logs)
            if not self.better(value, self.best):
                return
            self.best = logs[self.monitor]
        try:
            path = self.filepath.format(epoch=epoch + 1, **(logs or {}))
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(
                f"filepath: se esperaba epoch o {', '.join(logs)} entre llaves, pero llegó {error}"
            ) from None
        self.model.save(path)
        if self.verbose:
            say(f"Época {epoch + 1}: guardado en {path}")


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

    Los calendarios que se le dan al optimizador, como :class:`~chapters.mlp.schedules.ExponentialDecay`, cambian la
    tasa en cada **paso** según una fórmula. Aquí la cambia, en cada **época**, una función tuya, que puede mirar
    cualquier cosa.

    **A mano.** Partir la tasa a la mitad desde la segunda época. La tasa queda anotada con lo demás:

    >>> from chapters.mlp import SGD, Dense, Sequential
    >>> halve = LearningRateScheduler(lambda epoch, rate: rate / 2 if epoch else rate)
    >>> model = Sequential([Dense(1)], seed=0)
    >>> model.compile(SGD(0.1), "mse")
    >>> history = model.fit([[0.0], [1.0]], [[1.0], [3.0]], epochs=3, callbacks=[halve], verbose=0)
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
        if self.model.optimizer.schedule is not None:
            raise ValueError(
                "learning_rate: se esperaba un número, que cambia cada época, pero el optimizador ya sigue "
                f"un programa, {self.model.optimizer.schedule!r}; quita uno de los dos"
            )

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


class CSVLogger(Callback):
    r"""Escribe un renglón por época en un archivo CSV, que se puede ir leyendo mientras se entrena.

    La historia de ``fit`` se entrega al final; el archivo crece época por época, y sobrevive aunque el programa no. La
    columna ``epoch`` cuenta desde 0, como en Keras.

    **A mano.** La bitácora de la neurona que empezaba en cero en :class:`Callback`:

    >>> import tempfile
    >>> from pathlib import Path
    >>> from chapters.mlp import Dense, Sequential
    >>> model = Sequential([Dense(1, kernel_initializer="zeros")], dtype="float64")
    >>> model.compile("sgd", "mse")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "recta.csv")
    ...     history = model.fit([[1.0]], [[2.0]], epochs=2, callbacks=[CSVLogger(path)], verbose=0)
    ...     print(path.read_text())
    epoch,loss
    0,4.0
    1,3.6864
    <BLANKLINE>

    Parameters
    ----------
    filename : str or pathlib.Path
        El archivo.
    separator : str
        Lo que separa las columnas.
    append : bool
        Si se agrega a lo que ya había, para continuar un entrenamiento.
    """

    def __init__(self, filename, separator=",", append=False):
        self.filename = paths.checked(filename, "filename")
        if not isinstance(separator, str) or len(separator) != 1:
            raise ValueError(f"separator: se esperaba un solo carácter, pero llegó {separator!r}")
        self.separator = separator
        self.append = check.boolean(append, "append")
        self._columns = None

    def on_train_begin(self, logs=None):
        r"""Empieza el archivo, o lee los nombres de sus columnas si se va a continuar."""
        self._columns = None
        if self.append and self.filename.exists() and self.filename.stat().st_size:
            with self.filename.open(newline="", encoding="utf-8") as file:
                self._columns = next(csv.reader(file, delimiter=self.separator))[1:]
        else:
            self.filename.write_text("", encoding="utf-8")

    def on_epoch_end(self, epoch, logs=None):
        r"""Escribe el renglón de la época."""
        logs = logs or {}
        with self.filename.open("a", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, delimiter=self.separator, lineterminator="\n")
            if self._columns is None:
                self._columns = list(logs)
                writer.writerow(["epoch", *self._columns])
            writer.writerow([epoch, *(logs.get(name, "") for name in self._columns)])


def called(callbacks, method):
    r"""Devuelve el método de los *callbacks* que de verdad lo definen: llamar a los vacíos en cada paso cuesta tiempo.

    >>> called([Callback(), History()], "on_train_batch_end")
    []
    >>> len(called([Callback(), History()], "on_epoch_end"))
    1
    """
    empty = getattr(Callback, method, None)
    return [getattr(c, method) for c in callbacks if getattr(type(c), method, empty) is not empty]
