r"""El ciclo de entrenamiento: épocas, lotes y callbacks."""

import numpy as np

from dlbook import check
from dlbook.callbacks import BackupAndRestore, Callback, History, ModelCheckpoint, TerminateOnNaN, called
from dlbook.training.claim import one_at_a_time
from dlbook.training.data import prepare, source_of, train_and_validation, weigh_classes
from dlbook.training.engine import Engine
from dlbook.training.own_steps import OwnSteps, defines
from dlbook.training.progress import Progress
from dlbook.training.state import remembered


def _turn(callback):
    # Quien guarda va al final, y el que guarda siempre, después del que elige: en el archivo está lo que los demás
    # recuerdan ya de esa época.
    if isinstance(callback, BackupAndRestore):
        return 2
    return 0 if not isinstance(callback, ModelCheckpoint) else 1 if callback.save_best_only else 2


def _callbacks(callbacks):
    callbacks = [callbacks] if isinstance(callbacks, Callback) else callbacks or []
    if not isinstance(callbacks, (list, tuple)):
        raise TypeError(f"callbacks: se esperaba una lista, pero llegó {callbacks!r}")
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise TypeError(f"callbacks: se esperaban objetos Callback, pero llegó {callback!r}")
    return sorted(callbacks, key=_turn)


def _resume(model, callbacks):
    r"""Devuelve a los *callbacks* lo que recordaban cuando se guardó el modelo."""
    remembered = list(model.remembered)
    for callback in callbacks:
        # De la misma clase y, si vigila, que vigile lo mismo; si hay varios, en el orden de la lista.
        same = type(callback).__name__, callback.get_state().get("monitor")
        found = next((r for r in remembered if (r["callback"], r["state"].get("monitor")) == same), None)
        if found is not None:
            remembered.remove(found)
            try:
                callback.set_state(found["state"])
            except KeyError as error:
                raise ValueError(f"callbacks: a lo que recordaba {same[0]} le falta {error}") from None


def _call(callbacks, method, *arguments):
    for function in called(callbacks, method):
        function(*arguments)


@one_at_a_time
def fit(
    model,
    x,
    y,
    *,
    batch_size,
    epochs,
    verbose,
    callbacks,
    validation_split,
    validation_data,
    shuffle,
    class_weight,
    sample_weight,
    initial_epoch,
    steps_per_epoch,
    validation_steps,
    validation_batch_size,
    validation_freq,
):
    r"""Entrena un modelo; los argumentos son los de ``Model.fit``."""
    model.check_compiled()
    batch_size = 32 if batch_size is None else check.integer(batch_size, "batch_size", 1)
    epochs = check.integer(epochs, "epochs", 0)
    initial_epoch = check.integer(initial_epoch, "initial_epoch", 0)
    verbose = int(verbose) if isinstance(verbose, (bool, np.bool_, np.integer)) else verbose
    verbose = check.choice(verbose, "verbose", ["auto", 0, 1, 2])
    shuffle = check.boolean(shuffle, "shuffle")
    steps_per_epoch = None if steps_per_epoch is None else check.integer(steps_per_epoch, "steps_per_epoch", 1)
    validation_steps = None if validation_steps is None else check.integer(validation_steps, "validation_steps", 1)
    if validation_batch_size is None:
        validation_batch_size = batch_size
    check.integer(validation_batch_size, "validation_batch_size", 1)
    validates = _when(validation_freq)
    callbacks, built = _callbacks(callbacks), model.built
    train, validation = train_and_validation(
        model, x, y, sample_weight, class_weight, validation_split, validation_data
    )
    if not built:
        model.check_compiled()
    model.optimizer.claim(model.identity)
    history = model.history = History()
    model.stop_training = False
    steps = steps_per_epoch or train.steps(batch_size)
    for callback in (*callbacks, history):
        callback.set_model(model)
        callback.set_params({"epochs": epochs, "steps": steps, "verbose": verbose})
        callback.validates = validation is not None
    with OwnSteps(model) if defines(model, "train_step") else Engine(model) as engine:
        engine.limit_blas()
        engine.start(train.first())
        _call(callbacks, "on_train_begin", {})
        for backup in (c for c in callbacks if isinstance(c, BackupAndRestore) and c.restored):
            initial_epoch = backup.restored
        if 0 < initial_epoch == model.epoch:
            _resume(model, callbacks)
        model.callbacks, logs = callbacks, {}
        try:
            for epoch in range(initial_epoch, epochs):
                _call(callbacks, "on_epoch_begin", epoch, {})
                with Progress(verbose, epoch, epochs, steps) as progress:
                    logs = engine.epoch(train, batch_size, shuffle, epoch, callbacks, progress, steps_per_epoch)
                    if validation is not None and validates(epoch + 1):
                        _call(callbacks, "on_test_begin", {})
                        found = engine.evaluate(validation, validation_batch_size, validation_steps, callbacks)
                        _call(callbacks, "on_test_end", found)
                        logs |= {f"val_{name}": value for name, value in found.items()}
                    progress.finish(logs)
                model.epoch = epoch + 1
                _call(callbacks, "on_epoch_end", epoch, logs)
                history.on_epoch_end(epoch, logs)
                if model.stop_training:
                    break
        except FloatingPointError as error:
            keepers = [c for c in callbacks if isinstance(c, TerminateOnNaN)]
            for keeper in keepers:
                keeper.stop(str(error))
            # También es un final: los mejores pesos se recuperan y lo que se abrió se cierra.
            _call(callbacks, "on_train_end", logs)
            if not keepers:
                raise
        else:
            if engine.theta is not None:
                model.optimizer.finalize(model.theta)
            _call(callbacks, "on_train_end", logs)
        finally:
            model.remembered, model.callbacks = remembered(callbacks), ()
    return history


def _when(frequency):
    # En qué épocas se valida: cada tantas, o en las de una lista.
    if isinstance(frequency, (list, tuple, set)):
        epochs = {check.integer(epoch, "validation_freq", 1) for epoch in frequency}
        return epochs.__contains__
    frequency = check.integer(frequency, "validation_freq", 1)
    return lambda epoch: epoch % frequency == 0


def _steps(steps, name="steps"):
    return None if steps is None else check.integer(steps, name, 1)


def _batch_size(batch_size):
    return 32 if batch_size is None else check.integer(batch_size, "batch_size", 1)


def evaluate(model, x, y=None, sample_weight=None, batch_size=None, steps=None, callbacks=None):
    r"""Mide la pérdida y las métricas; devuelve un diccionario."""
    model.check_compiled()
    batch_size, steps, callbacks = _batch_size(batch_size), _steps(steps), _callbacks(callbacks)
    source = source_of(model, x, y, sample_weight, "x", step="test_step", later=_goes_over_all(steps, callbacks))
    _introduce(model, callbacks, steps or source.steps(batch_size))
    with OwnSteps(model) if defines(model, "test_step") else Engine(model) as engine:
        _call(callbacks, "on_test_begin", {})
        logs = engine.evaluate(source, batch_size, steps, callbacks)
        _call(callbacks, "on_test_end", logs)
    return logs


def predict(model, x, batch_size=None, steps=None, callbacks=None):
    r"""Calcula la salida de cada observación."""
    batch_size, steps, callbacks = _batch_size(batch_size), _steps(steps), _callbacks(callbacks)
    later = _goes_over_all(steps, callbacks)
    source = source_of(model, x, None, None, "x", with_targets=False, later=later)
    _introduce(model, callbacks, steps or source.steps(batch_size))
    with Engine(model) as engine:
        _call(callbacks, "on_predict_begin", {})
        outputs = engine.predict(source, batch_size, steps, callbacks)
        _call(callbacks, "on_predict_end", {})
    return outputs


def _goes_over_all(steps, callbacks):
    # Si se va a pasar por todos los datos sin que nadie vea nada antes de acabar.
    return steps is None and not callbacks


def _introduce(model, callbacks, steps):
    for callback in callbacks:
        callback.set_model(model)
        callback.set_params({"steps": steps, "verbose": 0})


@one_at_a_time
def train_on_batch(model, x, y, sample_weight=None, class_weight=None):
    r"""Da un paso con un lote; devuelve su pérdida y sus métricas."""
    model.check_compiled()
    built = model.built
    data = prepare(model, x, y, sample_weight)
    weigh_classes(data, class_weight, model)
    if not built:
        model.check_compiled()
    model.optimizer.claim(model.identity)
    if defines(model, "train_step"):
        with OwnSteps(model) as engine:
            return engine.own_step("train_step", data, None, 0, len(data))
    with Engine(model) as engine:
        engine.limit_blas()
        engine.start(data)
        # El azar sigue de un lote al siguiente, si el modelo sigue siendo el mismo.
        before = model.ongoing
        if before is None or before.theta is not engine.theta or before.threads != engine.team.size:
            before = _Ongoing(engine.theta, engine.team.size)
        engine.step, before.draws = before.step, engine.reseed(before.draws)
        model.ongoing = before
        engine.train(data, None, 0, len(data))
        before.step = engine.step
        return engine.logs()


class _Ongoing:
    # Por dónde van los sorteos de ``train_on_batch``.
    def __init__(self, theta, threads):
        self.theta, self.threads, self.step, self.draws = theta, threads, 0, None
