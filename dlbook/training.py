r"""El ciclo de entrenamiento: épocas, lotes, pasos.

Un paso reparte el lote entre los hilos. Cada uno tiene una réplica del modelo, con los mismos pesos en memoria y su
propio gradiente; va hacia delante, mide la pérdida y vuelve. Después se suman los gradientes en orden y el optimizador
mueve los pesos. Nada de esto reserva memoria: los búferes de cada réplica se reutilizan de un paso a otro.
"""

import math
import sys
import time
import warnings

import numpy as np
from numba import njit

from dlbook import check
from dlbook.callbacks import Callback, History, called
from dlbook.parallel import Interrupts, Team, cut, get_threads, single_thread_blas

# Cuántos productos justifican despertar a un hilo más, y cuántos bytes de resultados intermedios caben en su caché.
WORK_PER_THREAD = 25_000_000
CACHE = 4 << 20
# De a cuántas observaciones se evalúa y se predice, a lo sumo, y en cuánta memoria por hilo. Depende del modelo y no de
# los hilos, para que el resultado tampoco.
CHUNK = 256
MEMORY = 32 << 20
# Cada cuántos segundos se refresca la barra.
REFRESH = 0.1


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
    train, validation = _train_and_validation(
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
            with _Progress(verbose, epoch, epochs, steps) as progress:
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
    data = _data(model, x, y, sample_weight)
    with Engine(model) as engine:
        return engine.evaluate(data)


def predict(model, x):
    r"""Calcula la salida de cada observación."""
    x = _inputs(model, x, "x")
    with Engine(model) as engine:
        return engine.predict(x)


class Engine:
    r"""Réplicas de un modelo y el equipo de hilos que las mueve.

    Parameters
    ----------
    model : Model
        El modelo; si se va a entrenar o evaluar, ya compilado.
    """

    def __init__(self, model):
        self.model = model
        self.loss = model.loss
        self.metrics = []
        self.replicas, self.gradients = [], []
        self.plans = {}
        self.bytes = None
        self.work = max(1, model.work())
        self.team = Team(get_threads())
        self.interrupts = Interrupts()
        self.blas = None
        self.warm = False

    def __enter__(self):
        r"""Empieza a recibir las interrupciones."""
        self.interrupts.__enter__()
        return self

    def __exit__(self, *exception):
        r"""Deja la máquina como estaba."""
        self.team.__exit__(*exception)
        if self.blas is not None:
            self.blas.__exit__(*exception)
        self.interrupts.__exit__(*exception)

    def limit_blas(self):
        r"""Deja a BLAS con un solo hilo hasta el final."""
        if self.blas is None:
            self.blas = single_thread_blas.__enter__()

    # --- Entrenar ---

    def epoch(self, data, batch_size, shuffle, epoch, callbacks, progress):
        r"""Recorre los datos una vez y devuelve la pérdida y las métricas medias."""
        n = len(data.x)
        if self.model.theta is not self.theta:
            raise ValueError("trainable: qué capas se entrenan se decide antes de fit, y cambió a la mitad")
        self.sums[:] = 0
        self._reseed()
        order = self.model.generator.permutation(n) if shuffle else None
        before, after = called(callbacks, "on_train_batch_begin"), called(callbacks, "on_train_batch_end")
        total, seen = 0.0, 0
        for batch, start in enumerate(range(0, n, batch_size)):
            stop = min(start + batch_size, n)
            for method in before:
                method(batch, {})
            self.interrupts.hold()
            try:
                loss = self._step(data, order, start, stop)
                if not math.isfinite(loss):
                    raise FloatingPointError(self._why(loss, data, order, start, stop, epoch, batch, batch_size))
                self._update()
            finally:
                self.interrupts.release()
            total += loss * (stop - start)
            seen = stop
            if after:
                logs = self._logs(total, seen)
                for method in after:
                    method(batch, logs)
                if self.model.stop_training:
                    break
            progress.step(batch, total / seen)
        if not np.isfinite(self.theta).all():
            raise FloatingPointError(
                f"al terminar la época {epoch + 1} hay pesos que no son finitos, aunque la pérdida lo sea; "
                f"lo más probable es una tasa de aprendizaje demasiado grande"
            )
        return self._logs(total, seen)

    def start(self, data):
        r"""Prepara lo que se va a medir."""
        self.metrics = self.model.resolve_metrics(data.y)
        self.sums = np.zeros((self.team.size, len(self.metrics)))
        self.losses = [0.0] * self.team.size
        self.theta, self.gradient = self.model.theta, self.model.gradient

    def _logs(self, total, seen):
        values = self.sums.sum(axis=0) / seen
        return {"loss": total / seen} | {name: float(v) for (name, _), v in zip(self.metrics, values, strict=True)}

    def _reseed(self):
        # El azar de cada réplica nace, en cada época, del azar de la capa: así basta guardar el de la capa.
        originals = [layer for layer in walk(self.model) if layer.random]
        for replica in self._team_of(self.team.size) if originals else ():
            copies = [layer for layer in walk(replica) if layer.random]
            for layer, copy in zip(originals, copies, strict=True):
                copy.generator = layer.new_generator()

    def _step(self, data, order, start, stop):
        n = stop - start
        plan = self.plans.get(n)
        if plan is None:
            plan = self.plans[n] = self._plan(n)
        self.job = data, order, start, n, plan
        self.team.run(self._part, len(plan))
        if not self.warm:
            # El primer paso puede haber cargado otra copia de BLAS.
            self.warm = True
            self.blas.refresh()
        return sum(self.losses[: len(plan)])

    def _part(self, k):
        data, order, start, n, plan = self.job
        replica, loss, sums = self.replicas[k], 0.0, self.sums[k]
        chunks = plan[k]
        for number, (a, b) in enumerate(chunks):
            rows = slice(start + a, start + b) if order is None else order[start + a : start + b]
            x = _rows(replica, "data x", data.x, rows)
            y = x if data.same else _rows(replica, "data y", data.y, rows)
            if data.weight is None:
                weight = _uniform(replica, b - a, n)
            else:
                weight = _rows(replica, "data weight", data.weight, rows, copy=True)
                weight *= weight.dtype.type(1 / n)
            y_pred = replica.forward(x, True)
            gradient = replica.buffer("data gradient", y_pred.shape)
            loss += self.loss.shard(y, y_pred, weight, gradient)
            for m, (_, metric) in enumerate(self.metrics):
                sums[m] += metric.shard(y, y_pred)
            replica.backward(gradient)
            if len(chunks) > 1:
                _accumulate(replica, self.gradients[k], number, len(chunks))
        if k == 0:
            loss += replica.penalty(add_gradient=True)
        self.losses[k] = loss

    def _update(self):
        plan = self.job[-1]
        for k in range(1, len(plan)):
            _add(self.gradient, self.gradients[k])
        self.model.optimizer.step(self.theta, self.gradient)

    def _plan(self, n):
        r"""Decide qué parte de un lote de ``n`` hace cada hilo, y en cuántos trozos. Solo depende de los tamaños."""
        parts = max(1, min(self.team.size, n, 3 * n * self.work // WORK_PER_THREAD))
        self._team_of(parts)
        if any(layer.whole_batch and layer.trainable for layer in walk(self.model)):
            # Las réplicas se encuentran en cada una de esas capas: todas van a la par, cada una con un solo trozo.
            return [[part] for part in cut(n, parts)]
        # Cada trozo de más obliga a sumar un gradiente más: no vale la pena si el gradiente es lo más grande.
        budget = max(CACHE, 4 * self.gradients[0].nbytes)
        rows = max(1, budget // self._bytes_per_row())
        plan = []
        for a, b in cut(n, parts):
            plan.append([(a + i, a + j) for i, j in cut(b - a, -(-(b - a) // rows))])
        return plan

    def _bytes_per_row(self):
        # Los resultados intermedios de una observación: lo que crecen los búferes con una más, y otro tanto al volver.
        if self.bytes is None:
            sizes = []
            for n in (1, 2):
                replica = self.model.replica()
                x = np.zeros((n, *self.model.input_shape), self.model.dtype)
                replica.forward(x, training=False)
                sizes.append(2 * sum(b.nbytes for layer in walk(replica) for b in layer.buffers.values()) + x.nbytes)
            self.bytes = max(1, sizes[1] - sizes[0])
        return self.bytes

    def _team_of(self, size):
        while len(self.replicas) < size:
            replica = self.model.replica()
            if not self.replicas:
                # La primera escribe donde el modelo tiene su gradiente; ahí se suman los demás.
                replica.adopt(self.model.theta, self.model.gradient)
            replica.without_input_gradient()
            for layer in walk(replica):
                layer.meeting, layer.part = self.team.meeting, len(self.replicas)
            self.replicas.append(replica)
            self.gradients.append(replica.gradient)
        return self.replicas[:size]

    def _why(self, loss, data, order, start, stop, epoch, batch, batch_size):
        rows = slice(start, stop) if order is None else order[start:stop]
        steps = -(-len(data.x) // batch_size)
        where = f"la pérdida es {loss} en la época {epoch + 1}, lote {batch + 1} de {steps}"
        theta, x = self.model.theta, data.x[rows]
        if not np.isfinite(theta).all():
            return f"{where}: un paso anterior desbordó los pesos; baja la tasa de aprendizaje o recorta el gradiente"
        largest = float(np.abs(x).max())
        if largest > 1000:
            return f"{where}: hay entradas de hasta {largest:.3g}; normalízalas, por ejemplo a (-1, 1)"
        y_pred = self.model.forward(x)
        if not np.isfinite(y_pred).all():
            largest = float(np.abs(theta).max())
            return f"{where}: la salida se desborda, con pesos de hasta {largest:.3g}; baja la tasa de aprendizaje"
        largest = float(np.abs(y_pred).max())
        if largest > 1e9:
            return f"{where}: la red contesta números de hasta {largest:.3g}; baja la tasa de aprendizaje"
        return f"{where}, aunque la salida es finita: revisa la pérdida y los pesos de las observaciones"

    # --- Evaluar y predecir ---

    def evaluate(self, data):
        r"""Devuelve la pérdida y las métricas, sin mover nada. No depende del número de hilos."""
        n = len(data.x)
        metrics = self.model.resolve_metrics(data.y)
        size = self._chunk(n)
        chunks = [(a, min(a + size, n)) for a in range(0, n, size)]
        results = np.zeros((len(chunks), 1 + len(metrics)))

        def part(k):
            replica = self.replicas[k]
            for i in range(k, len(chunks), parts):
                rows = slice(*chunks[i])
                y = _rows(replica, "data y", data.y, rows)
                if data.weight is None:
                    weight = _uniform(replica, len(y), n)
                else:
                    weight = _rows(replica, "data weight", data.weight, rows, copy=True)
                    weight *= weight.dtype.type(1 / n)
                y_pred = replica.forward(_rows(replica, "data x", data.x, rows), False)
                results[i, 0] = self.loss.shard(y, y_pred, weight, replica.buffer("data gradient", y_pred.shape))
                for m, (_, metric) in enumerate(metrics):
                    results[i, 1 + m] = metric.shard(y, y_pred)

        parts = self._parts(n, len(chunks))
        self._run(part, parts)
        loss, *values = results.sum(axis=0).tolist()
        loss += self.model.penalty()
        return {"loss": loss} | {name: value / n for (name, _), value in zip(metrics, values, strict=True)}

    def predict(self, x):
        r"""Devuelve la salida de cada observación, en un arreglo nuevo. No depende del número de hilos."""
        n = len(x)
        out = np.empty((n, *self.model.compute_output_shape(x.shape[1:])), self.model.dtype)
        size = self._chunk(n)
        starts = range(0, n, size)

        def part(k):
            for start in starts[k::parts]:
                rows = slice(start, min(start + size, n))
                out[rows] = self.replicas[k].forward(_rows(self.replicas[k], "data x", x, rows), False)

        parts = self._parts(n, len(starts))
        self._run(part, parts)
        return out

    def _chunk(self, n):
        # Cada número intermedio costó al menos un producto: con pocos productos no hace falta medir.
        if n == 1 or 16 * n * self.work < MEMORY:
            return min(n, CHUNK)
        return max(1, min(CHUNK, MEMORY // self._bytes_per_row()))

    def _run(self, part, parts):
        self.interrupts.hold()
        try:
            self.team.run(part, parts)
        finally:
            self.interrupts.release()

    def _parts(self, n, chunks):
        parts = max(1, min(self.team.size, chunks, n * self.work // WORK_PER_THREAD))
        self._team_of(parts)
        if parts > 1:
            self.limit_blas()
        return parts


def walk(layer):
    r"""Recorre una capa y las que contiene, siempre en el mismo orden."""
    yield layer
    for inner in layer.layers:
        yield from walk(inner)


def _rows(replica, name, array, rows, copy=False):
    # Un pedazo seguido ya está contiguo; los barajados, y los de memoria de solo lectura, se copian a un búfer.
    if isinstance(rows, slice):
        part = array[rows]
        if part.flags.carray and not copy:
            return part
        out = replica.buffer(name, part.shape, array.dtype)
        out[...] = part
        return out
    out = replica.buffer(name, (len(rows), *array.shape[1:]), array.dtype)
    np.take(array, rows, axis=0, out=out, mode="clip")
    return out


def _uniform(replica, rows, n):
    weight = replica.buffers.get(("data uniform", rows, n))
    if weight is None:
        weight = replica.buffers["data uniform", rows, n] = np.full(rows, 1 / n, replica.dtype)
    return weight


def _accumulate(replica, gradient, number, chunks):
    # backward escribe el gradiente de un trozo; el de la parte entera se va sumando aparte y al final vuelve.
    total = replica.buffer("data total", gradient.shape)
    if number == 0:
        total[:] = gradient
    elif number < chunks - 1:
        _add(total, gradient)
    else:
        _add(gradient, total)


@njit(cache=True, nogil=True)
def _add(total, part):
    for i in range(total.size):
        total[i] += part[i]


# --- Los datos ---


class _Data:
    # Observaciones, lo correcto y pesos, comprobados y listos para cortar.
    def __init__(self, x, y, weight):
        self.x, self.y, self.weight = x, y, weight
        # Un autocodificador predice su entrada: no hace falta copiarla dos veces.
        self.same = y.shape == x.shape and y.dtype == x.dtype and y.ctypes.data == x.ctypes.data

    def split(self, at):
        parts = []
        for rows in (slice(0, at), slice(at, None)):
            x = self.x[rows]
            y = x if self.same else self.y[rows]
            parts.append(_Data(x, y, None if self.weight is None else self.weight[rows]))
        return parts


def _data(model, x, y, sample_weight=None, prefix=""):
    same = y is x
    x = _inputs(model, x, f"{prefix}x")
    y = x if same else y
    try:
        y = model.loss.prepare(y, model.compute_output_shape(x.shape[1:]), model.dtype)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{prefix}{error}") from None
    if len(y) != len(x):
        raise ValueError(f"{prefix}y: se esperaban {len(x)} observaciones, como en x, pero llegaron {len(y)}")
    weight = None
    if sample_weight is not None:
        weight = check.floats(sample_weight, f"{prefix}sample_weight", "n", {"n": len(x)})
        if weight.min() < 0:
            raise ValueError(f"{prefix}sample_weight: se esperaban pesos de al menos 0, pero hay un {weight.min():g}")
        weight = weight.astype(model.dtype)
    return _Data(x, y, weight)


def _inputs(model, x, name):
    x = check.floats(x, name)
    if x.ndim == 0 or not x.shape[0]:
        raise ValueError(f"{name}: se esperaba al menos una observación, pero llegó la forma {x.shape}")
    if not model.built:
        model.build(x.shape[1:])
    if x.shape[1:] != model.input_shape:
        expected = ", ".join(["n", *map(str, model.input_shape)])
        raise ValueError(f"{name}: se esperaba la forma ({expected}), pero llegó {x.shape}")
    if x.dtype == model.dtype:
        return np.require(x, requirements=["C", "A"])
    with np.errstate(over="ignore"):
        converted = np.require(x, model.dtype, ["C", "A"])
    if not np.isfinite(converted).all():
        raise ValueError(f"{name}: hay números de hasta {np.abs(x).max():g}, que no caben en {model.dtype}")
    return converted


def _weigh_classes(data, class_weight):
    if class_weight is None:
        return
    y = data.y
    if not isinstance(class_weight, dict):
        raise TypeError(f"class_weight: se esperaba un diccionario de clase y peso, pero llegó {class_weight!r}")
    weights = {
        check.integer(k, "class_weight", 0): check.number(v, f"class_weight[{k}]", 0) for k, v in class_weight.items()
    }
    if y.dtype.kind == "i":
        labels = y
    else:
        labels = y.reshape(len(y), -1)
        labels = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(f"class_weight: se esperaba una clase por observación, pero y tiene forma {y.shape}")
    of_class = np.array([weights.get(int(c), 1.0) for c in labels.tolist()], data.x.dtype)
    data.weight = of_class if data.weight is None else data.weight * of_class


def _train_and_validation(model, x, y, sample_weight, class_weight, split, validation_data):
    split = check.number(split, "validation_split", 0, 1, open_high=True)
    train, validation = _data(model, x, y, sample_weight), None
    if validation_data is not None:
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise TypeError("validation_data: se esperaba (x, y) o (x, y, sample_weight)")
        validation = _data(model, *validation_data, prefix="validation_data, ")
    elif split:
        at = math.floor(len(train.x) * (1 - split))
        if not 0 < at < len(train.x):
            raise ValueError(f"validation_split: con {len(train.x)} observaciones, {split} no deja datos en un lado")
        train, validation = train.split(at)
    # Las clases solo pesan al entrenar: la validación se mide como es.
    _weigh_classes(train, class_weight)
    return train, validation


# --- Guardar y volver ---


def get_state(model):
    r"""Da lo necesario para continuar un entrenamiento; el diccionario de ``Model.get_state``."""
    return {
        "weights": model.get_weights(),
        "optimizer": None if model.optimizer is None else model.optimizer.get_state(),
        "random": [layer.generator.bit_generator.state for layer in walk(model)],
        "epoch": model.epoch,
    }


def set_state(model, state):
    r"""Deja el modelo como lo describe el diccionario de :func:`get_state`."""
    missing = [key for key in ("weights", "optimizer", "random", "epoch") if key not in state]
    if missing:
        raise ValueError(f"state: se esperaba lo que da get_state, pero falta {missing[0]!r}")
    layers = list(walk(model))
    if len(state["random"]) != len(layers):
        raise ValueError(f"state: se esperaban {len(layers)} capas, pero llegaron {len(state['random'])}")
    epoch = check.integer(state["epoch"], "state['epoch']", 0)
    generators = [_generator(s) for s in state["random"]]
    if state["optimizer"] is not None and model.optimizer is None:
        raise ValueError("state: tiene un optimizador, y el modelo no; llama antes a compile")
    before = model.get_weights()
    model._bind()
    # Los dos comprueban antes de cambiar algo; si lo segundo no encaja, lo primero se deshace.
    model.set_weights(state["weights"])
    try:
        if state["optimizer"] is not None:
            model.optimizer.set_state(state["optimizer"])
    except Exception:
        model.set_weights(before)
        raise
    model._stale = False
    for layer, generator in zip(layers, generators, strict=True):
        layer.generator = generator
    model.epoch = epoch


def _generator(state):
    kind = getattr(np.random, str(state.get("bit_generator")), None) if isinstance(state, dict) else None
    if isinstance(kind, type) and issubclass(kind, np.random.BitGenerator) and kind is not np.random.BitGenerator:
        bits = kind()
        try:
            bits.state = state
            return np.random.Generator(bits)
        except (KeyError, TypeError, ValueError, OverflowError):
            pass
    raise ValueError("state['random']: se esperaba el estado de un generador de NumPy")


# --- Lo que se ve ---


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


class _Progress:
    # La barra de una época; con verbose=0, nada.
    def __init__(self, verbose, epoch, epochs, steps):
        self.verbose = 1 if verbose == "auto" else verbose
        self.title = f"Época {epoch + 1}/{epochs}"
        self.steps = steps
        self.bar = None
        self.next = 0.0

    def __enter__(self):
        self.began = time.perf_counter()
        if self.verbose == 1:
            with warnings.catch_warnings():
                # Sin ipywidgets, en un cuaderno, la barra es de texto y basta.
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm

                self.bar = tqdm(total=self.steps, desc=self.title, unit="lote", file=sys.stdout)
        return self

    def step(self, batch, loss):
        if self.bar is not None:
            now = time.perf_counter()
            if now >= self.next:
                self.next = now + REFRESH
                self.bar.set_postfix_str(f"loss={loss:.4g}", refresh=False)
                self.bar.update(batch + 1 - self.bar.n)

    def finish(self, logs):
        text = ", ".join(f"{name}={value:.4g}" for name, value in logs.items())
        if self.bar is not None:
            self.bar.set_postfix_str(text, refresh=False)
            self.bar.update(self.steps - self.bar.n)
        elif self.verbose == 2:
            print(f"{self.title} · {time.perf_counter() - self.began:.1f} s · {text}")

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.close()
