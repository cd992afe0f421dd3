r"""El motor: réplicas de un modelo y los hilos que las mueven.

Un paso reparte el lote entre los hilos. Cada uno tiene una réplica del modelo, con los mismos pesos en memoria y su
propio gradiente; va hacia delante, mide la pérdida y vuelve. Después se suman los gradientes en orden y el optimizador
mueve los pesos. Nada de esto reserva memoria: los búferes de cada réplica se reutilizan de un paso a otro.
"""

import functools
import math
import os
import threading

import numpy as np
from numba import njit

from dlbook import check, registry
from dlbook.callbacks import called
from dlbook.numeric.draws import Draws
from dlbook.numeric.parallel import Interrupts, Team, cut, get_threads, single_thread_blas, uninterrupted
from dlbook.training.data import rows_of
from dlbook.training.state import walk

# Cuántos productos justifican despertar a un hilo más, y cuántos bytes de resultados intermedios caben en su caché.
WORK_PER_THREAD = 25_000_000
CACHE = 4 << 20
# De a cuántas observaciones se evalúa y se predice, a lo sumo, y en cuánta memoria por hilo. Depende del modelo y no de
# los hilos, para que el resultado tampoco.
CHUNK = 256
MEMORY = 32 << 20


class _Claim:
    # Las capas de un modelo que se entrena, mientras dure. Dos entrenamientos a la vez mezclarían sus pesos.
    def __init__(self, model):
        self.layers = [layer for layer in walk(model) if layer.trainable]

    @uninterrupted
    def __enter__(self):
        with _in_training["lock"]:
            threads = _in_training["threads"]
            for layer in self.layers:
                if id(layer) in threads:
                    raise RuntimeError(f"{layer.name}: ya se está entrenando; espera a que termine su otro fit")
            threads.update((id(layer), threading.get_ident()) for layer in self.layers)

    @uninterrupted
    def __exit__(self, *_):
        with _in_training["lock"]:
            for layer in self.layers:
                del _in_training["threads"][id(layer)]


def _only_this_thread():
    # En un proceso recién nacido solo sigue vivo el hilo que lo pidió.
    mine = {layer: thread for layer, thread in _in_training["threads"].items() if thread == threading.get_ident()}
    _in_training.update(lock=threading.Lock(), threads=mine)


# En qué hilo se entrena cada capa, por su identidad.
_in_training = {"lock": threading.Lock(), "threads": {}}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_only_this_thread)


def one_at_a_time(function):
    r"""Decora lo que entrena un modelo, su primer argumento: mientras dure, nadie más entrena sus capas."""

    @functools.wraps(function)
    def exclusive(model, *arguments, **options):
        with Interrupts(), _Claim(model):
            return function(model, *arguments, **options)

    return exclusive


@njit(cache=True, nogil=True)
def _add(total, part):
    for i in range(total.size):
        total[i] += part[i]


def _accumulate(replica, gradient, number, chunks):
    # backward escribe el gradiente de un trozo; el de la parte entera se va sumando aparte y al final vuelve.
    total = replica.buffer("data total", gradient.shape)
    if number == 0:
        total[:] = gradient
    elif number < chunks - 1:
        _add(total, gradient)
    else:
        _add(gradient, total)


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
        # De cada réplica, las capas que sortean.
        self.random = []
        self.plans = {}
        self.bytes = None
        self.work = max(1, model.work())
        self.team = Team(get_threads())
        self.interrupts = Interrupts()
        self.blas = None
        self.output_shape = None
        self.warm = False

    @uninterrupted
    def __enter__(self):
        r"""Empieza a recibir las interrupciones."""
        self.interrupts.__enter__()
        return self

    @uninterrupted
    def __exit__(self, *exception):
        r"""Deja la máquina como estaba, pase lo que pase."""
        try:
            self.team.__exit__(*exception)
        finally:
            try:
                if self.blas is not None:
                    self.blas.__exit__(*exception)
            finally:
                self.interrupts.__exit__(*exception)

    @uninterrupted
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
        self._expect(data.x)
        # Lo que un ``callback`` le haya cambiado a una capa vale desde esta época.
        for replica in self.replicas:
            replica.follow(self.model)
        self.sums[:] = 0
        self._reseed()
        order = self.model.generator.permutation(n) if shuffle else None
        before, after = called(callbacks, "on_train_batch_begin"), called(callbacks, "on_train_batch_end")
        total, seen = 0.0, 0
        self.step = 0
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
                if self.constrained:
                    self.model.constrain()
            finally:
                self.interrupts.release()
            self.step += 1
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
        self.metrics = self._metrics(data)
        self.step = 0
        self.sums = np.zeros((self.team.size, len(self.metrics)))
        self.losses = [0.0] * self.team.size
        self.theta, self.gradient = self.model.theta, self.model.gradient
        self.updated = registry.ours(type(self.model.optimizer))
        self.constrained = self.model.constrained

    def _logs(self, total, seen):
        values = self.sums.sum(axis=0) / seen
        return {"loss": total / seen} | {name: float(v) for (name, _), v in zip(self.metrics, values, strict=True)}

    def _expect(self, x):
        self.output_shape = tuple(self.model.compute_output_shape(x.shape[1:]))

    def _metrics(self, data):
        self._expect(data.x)
        metrics = self.model.resolve_metrics(data.y)
        for name, metric in metrics:
            # Las del libro recorren juntos lo correcto y la salida: una fila, o una etiqueta, por vector de la salida.
            if registry.ours(type(metric)) and data.y.shape[1:] not in (self.output_shape, self.output_shape[:-1]):
                raise ValueError(
                    f"metrics: {name} espera que lo correcto tenga la forma de la salida, {self.output_shape}, "
                    f"o una etiqueta por vector, pero la pérdida lo dejó en {data.y.shape[1:]}"
                )
        return metrics

    def _reseed(self):
        # El azar de las réplicas nace, en cada época, del azar de la capa: así basta guardar el de la capa.
        originals = [layer for layer in walk(self.model) if layer.random]
        replicas = self._team_of(self.team.size) if originals else []
        self.random = [[layer for layer in walk(replica) if layer.random] for replica in replicas]
        for layer, *copies in zip(originals, *self.random, strict=True):
            source = layer.new_generator()
            for copy, own in zip(copies, source.spawn(len(copies)), strict=True):
                copy.generator, copy.draws = own, Draws(source.bit_generator.seed_seq)

    def _step(self, data, order, start, stop):
        n = stop - start
        plan = self.plans.get(n)
        if plan is None:
            plan = self.plans[n] = self._plan(n)
        self.job = data, order, start, n, plan
        self.team.run(self._part, len(plan))
        if not self.warm:
            self._check_replicas(self.replicas[: len(plan)])
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
            for layer in self.random[k] if self.random else ():
                layer.draws.place(self.step, a, b, n)
            part, gradient = self._measure(replica, data, rows, n, True, self.metrics, sums)
            loss += part
            replica.backward(gradient)
            if len(chunks) > 1:
                _accumulate(replica, self.gradients[k], number, len(chunks))
        if k == 0:
            loss += check.returned(replica.penalty(add_gradient=True), "la penalización de los pesos")
        self.losses[k] = loss

    def _measure(self, replica, data, rows, n, training, metrics, sums):
        r"""Va hacia delante con unas filas de un lote de ``n``; suma las métricas y da la pérdida y su gradiente."""
        x, y, weight = data.batch(replica, rows, n)
        y_pred = self._forward(replica, x, training)
        gradient = replica.buffers.get(("data gradient", y_pred.shape))
        new = gradient is None
        if new:
            gradient = replica.buffer("data gradient", y_pred.shape)
            gradient.fill(np.nan)
        loss = self.loss.shard(y, y_pred, weight, gradient)
        if type(loss) is not float:
            check.returned(loss, f"{type(self.loss).__name__}.shard")
        if new and math.isfinite(loss) and np.isnan(gradient).any():
            raise ValueError(
                f"{type(self.loss).__name__}.shard: se esperaba que llenara gradient, en su sitio, con números; "
                f"dejó {np.isnan(gradient).sum()} de {gradient.size} en NaN"
            )
        for m, (_, metric) in enumerate(metrics):
            value = metric.shard(y, y_pred)
            if type(value) is not float:
                check.returned(value, f"{type(metric).__name__}.shard")
            sums[m] += value
        return loss, gradient

    def _forward(self, replica, x, training):
        # Lo que sigue no revisa nada: la última comprobación es esta.
        y = replica.forward(x, training)
        if y.shape[1:] != self.output_shape or len(y) != len(x) or y.dtype != replica.dtype or not y.flags.carray:
            raise ValueError(
                f"{replica.name}: se esperaba una salida de {replica.dtype} y forma {(len(x), *self.output_shape)}, "
                f"contigua, pero salió {y.dtype} de forma {y.shape}"
            )
        return y

    def _check_replicas(self, replicas):
        # Primero las de adentro: así se nombra a la que falla.
        firsts = list(walk(replicas[0]))[::-1]
        for replica in replicas:
            for layer, first in zip(list(walk(replica))[::-1], firsts, strict=True):
                both = isinstance(layer.y, np.ndarray) and isinstance(first.y, np.ndarray)
                if layer is not first and both and np.may_share_memory(layer.y, first.y):
                    raise ValueError(
                        f"{layer.name}: la salida está en un arreglo que comparten todos los hilos; "
                        "pide la memoria con self.buffer en forward"
                    )

    def _update(self):
        plan = self.job[-1]
        for k in range(1, len(plan)):
            _add(self.gradient, self.gradients[k])
        optimizer = self.model.optimizer
        if self.updated:
            optimizer.step(self.theta, self.gradient)
            return
        # La primera vez se mira que el de quien lee mueva los pesos donde están, y no una copia.
        before = self.theta.copy()
        returned = optimizer.step(self.theta, self.gradient)
        self.updated = True
        if returned is not None:
            raise TypeError(
                f"{type(optimizer).__name__}.step: se esperaba que cambiara theta en su sitio y no devolviera nada, "
                f"pero devolvió {type(returned).__name__}"
            )
        rate = getattr(optimizer, "learning_rate", 1.0)
        moves = rate * np.abs(self.gradient) > np.finfo(before.dtype).eps * np.abs(before)
        if moves.any() and np.array_equal(before, self.theta):
            raise ValueError(
                f"{type(optimizer).__name__}: el primer paso no movió ningún peso; theta se cambia en su sitio, "
                "con theta -= … o theta[:] = …"
            )

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
                x = np.zeros((n, *self.model.current_shape), self.model.dtype)
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
            largest = float(np.abs(theta).max(initial=0))
            return f"{where}: la salida se desborda, con pesos de hasta {largest:.3g}; baja la tasa de aprendizaje"
        largest = float(np.abs(y_pred).max())
        if largest > 1e9:
            return f"{where}: la red contesta números de hasta {largest:.3g}; baja la tasa de aprendizaje"
        return f"{where}, aunque la salida es finita: revisa la pérdida y los pesos de las observaciones"

    # --- Evaluar y predecir ---

    def evaluate(self, data):
        r"""Devuelve la pérdida y las métricas, sin mover nada. No depende del número de hilos."""
        n = len(data.x)
        metrics = self._metrics(data)
        size = self._chunk(n)
        chunks = [(a, min(a + size, n)) for a in range(0, n, size)]
        results = np.zeros((len(chunks), 1 + len(metrics)))

        def part(k):
            for i in range(k, len(chunks), parts):
                rows = slice(*chunks[i])
                loss, _ = self._measure(self.replicas[k], data, rows, n, False, metrics, results[i, 1:])
                results[i, 0] = loss

        parts = self._parts(n, len(chunks))
        self._run(part, parts)
        loss, *values = results.sum(axis=0).tolist()
        loss += check.returned(self.model.penalty(), "la penalización de los pesos")
        return {"loss": loss} | {name: value / n for (name, _), value in zip(metrics, values, strict=True)}

    def predict(self, x):
        r"""Devuelve la salida de cada observación, en un arreglo nuevo. No depende del número de hilos."""
        n = len(x)
        self._expect(x)
        out = check.empty((n, *self.output_shape), f"{self.model.name}, la salida", self.model.dtype)
        size = self._chunk(n)
        starts = range(0, n, size)

        def part(k):
            replica = self.replicas[k]
            for start in starts[k::parts]:
                rows = slice(start, min(start + size, n))
                batch = rows_of(replica, "data x", x, rows, replica.dtype)
                out[rows] = self._forward(replica, batch, False)

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
