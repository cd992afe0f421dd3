r"""El ciclo de entrenamiento: épocas, lotes y callbacks."""

from dlbook import check
from dlbook.callbacks import Callback, History, called
from dlbook.training.data import inputs, prepare, train_and_validation
from dlbook.training.engine import Engine
from dlbook.training.progress import Progress


def _callbacks(callbacks):
    callbacks = [callbacks] if isinstance(callbacks, Callback) else callbacks or []
    if not isinstance(callbacks, (list, tuple)):
        raise TypeError(f"callbacks: se esperaba una lista, pero llegó {callbacks!r}")
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise TypeError(f"callbacks: se esperaban objetos Callback, pero llegó {callback!r}")
    return callbacks


def _call(callbacks, method, *arguments):
    for function in called(callbacks, method):
        function(*arguments)


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
):
    r"""Entrena un modelo; los argumentos son los de ``Model.fit``."""
    model._compiled()
    batch_size = check.integer(batch_size, "batch_size", 1)
    epochs = check.integer(epochs, "epochs", 1)
    initial_epoch = check.integer(initial_epoch, "initial_epoch", 0)
    verbose = check.choice(verbose, "verbose", ["auto", 0, 1, 2])
    shuffle = check.choice(shuffle, "shuffle", [True, False])
    callbacks = _callbacks(callbacks)
    train, validation = train_and_validation(
        model, x, y, sample_weight, class_weight, validation_split, validation_data
    )
    if not model.theta.size:
        why = "todas las capas con pesos están congeladas" if model.count_params() else "ninguna capa tiene pesos"
        raise ValueError(f"{model.name}: no hay nada que entrenar, porque {why}")
    history = model.history = History()
    history.set_model(model)
    model.stop_training = False
    steps = -(-len(train.x) // batch_size)
    for callback in callbacks:
        callback.set_model(model)
        callback.set_params({"epochs": epochs, "steps": steps, "verbose": verbose})
    with Engine(model) as engine:
        engine.limit_blas()
        engine.start(train)
        _call(callbacks, "on_train_begin", {})
        for epoch in range(initial_epoch, epochs):
            _call(callbacks, "on_epoch_begin", epoch, {})
            with Progress(verbose, epoch, epochs, steps) as progress:
                logs = engine.epoch(train, batch_size, shuffle, epoch, callbacks, progress)
                if validation is not None:
                    logs |= {f"val_{name}": value for name, value in engine.evaluate(validation).items()}
                progress.finish(logs)
            model.epoch = epoch + 1
            _call(callbacks, "on_epoch_end", epoch, logs)
            history.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        _call(callbacks, "on_train_end", logs if history.epoch else {})
    return history


def evaluate(model, x, y, sample_weight=None):
    r"""Mide la pérdida y las métricas; devuelve un diccionario."""
    model._compiled()
    data = prepare(model, x, y, sample_weight)
    with Engine(model) as engine:
        return engine.evaluate(data)


def predict(model, x):
    r"""Calcula la salida de cada observación."""
    x = inputs(model, x, "x")
    with Engine(model) as engine:
        return engine.predict(x)
