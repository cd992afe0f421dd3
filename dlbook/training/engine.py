r"""El motor: réplicas de un modelo y los hilos que las mueven.

Un paso reparte el lote entre los hilos. Cada uno tiene una réplica del modelo, con los mismos pesos en memoria y su
propio gradiente; va hacia delante, mide la pérdida y vuelve. Después se suman los gradientes en orden y el optimizador
mueve los pesos. Nada de esto reserva memoria: los búferes de cada réplica se reutilizan de un paso a otro.
"""

import math

import numpy as np
from numba import njit

from dlbook.callbacks import called
from dlbook.numeric.parallel import Interrupts, Team, cut, get_threads, single_thread_blas
from dlbook.training.data import rows_of, uniform_weight
from dlbook.training.state import walk

# Cuántos productos justifican despertar a un hilo más, y cuántos bytes de resultados intermedios caben en su caché.
WORK_PER_THREAD = 25_000_000
CACHE = 4 << 20
# De a cuántas observaciones se evalúa y se predice, a lo sumo, y en cuánta memoria por hilo. Depende del modelo y no de
# los hilos, para que el resultado tampoco.
CHUNK = 256
MEMORY = 32 << 20


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
            x = rows_of(replica, "data x", data.x, rows)
            y = x if data.same else rows_of(replica, "data y", data.y, rows)
            if data.weight is None:
                weight = uniform_weight(replica, b - a, n)
            else:
                weight = rows_of(replica, "data weight", data.weight, rows, copy=True)
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
        metrics = self.model.resolve_metrics(data.y)
        size = self._chunk(n)
        chunks = [(a, min(a + size, n)) for a in range(0, n, size)]
        results = np.zeros((len(chunks), 1 + len(metrics)))

        def part(k):
            replica = self.replicas[k]
            for i in range(k, len(chunks), parts):
                rows = slice(*chunks[i])
                y = rows_of(replica, "data y", data.y, rows)
                if data.weight is None:
                    weight = uniform_weight(replica, len(y), n)
                else:
                    weight = rows_of(replica, "data weight", data.weight, rows, copy=True)
                    weight *= weight.dtype.type(1 / n)
                y_pred = replica.forward(rows_of(replica, "data x", data.x, rows), False)
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
                out[rows] = self.replicas[k].forward(rows_of(self.replicas[k], "data x", x, rows), False)

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
