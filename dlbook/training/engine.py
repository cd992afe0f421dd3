r"""El motor: réplicas de un modelo y los hilos que las mueven.

Un paso reparte el lote entre los hilos. Cada uno tiene una réplica del modelo, con los mismos pesos en memoria y su
propio gradiente; va hacia delante, mide la pérdida y vuelve. Después se suman los gradientes en orden y el optimizador
mueve los pesos. Nada de esto reserva memoria: los búferes de cada réplica se reutilizan de un paso a otro.
"""

import functools
import math
import os
import threading
from itertools import combinations

import numpy as np

from dlbook import check, registry
from dlbook.callbacks import called
from dlbook.compiling import notice
from dlbook.now import now
from dlbook.numeric.draws import Draws
from dlbook.numeric.elementwise import add, copy, fill, multiply, refuse_infinite
from dlbook.numeric.parallel import (
    Interrupts,
    Team,
    borrow,
    cut,
    get_threads,
    give_back,
    single_thread_blas,
    uninterrupted,
)
from dlbook.numeric.recording import ARRAYS, Recorder, lent, perform
from dlbook.numeric.sweep import Rows, Sweep
from dlbook.several import each
from dlbook.training import kept
from dlbook.training.data import Data, check_mask, masked, uniform_weight
from dlbook.training.state import walk

# Cuántos productos justifican despertar a un hilo más, y cuántos bytes de resultados intermedios caben en su caché.
WORK_PER_THREAD = 25_000_000
CACHE = 4 << 20
# Cuántos parámetros justifican lo mismo al moverlos, y de a cuántos se cortan: líneas enteras de la memoria.
NUMBERS_PER_THREAD, LINE = 200_000, 16
# Si ni una cabe, se hacen de a unas pocas: empezar cada trozo cuesta.
FEW = 4
# De a cuántas observaciones se evalúa y se predice, a lo sumo, y en cuánta memoria por hilo. Depende del modelo y no de
# los hilos, para que el resultado tampoco.
CHUNK = 256
MEMORY = 32 << 20
# Cada cuántos productos, a lo sumo, se vuelve a Python: hasta entonces no se atiende a un segundo Ctrl-C.
PRODUCTS = 1 << 30


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


def _accumulate(replica, gradient, number, chunks):
    # backward escribe el gradiente de un trozo; el de la parte entera se va sumando aparte y al final vuelve.
    total = replica.buffer("data total", gradient.shape)
    if number == 0:
        total[:] = gradient
    elif number < chunks - 1:
        add(total, gradient, total)
    else:
        add(gradient, total, gradient)


def _part_of(masks, start, stop):
    return [None if mask is None else mask[start:stop] for mask in masks]


# Lo que depende de los datos con que se trabaja.
AIM = (
    *("data", "targets", "metrics", "asks", "asking", "weights", "shapes", "output_shapes", "masked", "foreseen"),
    *("sums", "alone"),
)


def _look_at(data, x):
    # Mira que unas filas sean finitas, si nadie lo ha hecho.
    for k, name in data.unseen.items():
        try:
            refuse_infinite(lent(each(x)[k]))
        except ValueError:
            # En qué lugar de todos los datos.
            check.finite(data.xs[k], name)
            raise


def _moving(read, written, start, stop, size):
    # Dónde están las filas que se recorren; ``None``, si hay que copiarlas o si tienen memoria en común.
    if not all(one.array.dtype == one.dtype and one.array.flags.carray for one in read):
        return None
    found = [Rows(one.array[start:stop], size) for one in read] + [Rows(array, rows) for array, rows in written]
    return None if any(a.meets(b) for a, b in combinations(found, 2)) else found


class Sums:
    r"""Lo que llevan acumulado las métricas de cada salida, en un hilo.

    Parameters
    ----------
    metrics : list of list
        Las de cada salida.
    """

    def __init__(self, metrics):
        self.states = [[np.zeros(found.size) for found in of_one] for of_one in metrics]

    def restart(self):
        r"""Empieza otra vez."""
        for states in self.states:
            for state in states:
                state[:] = 0

    def add(self, others):
        r"""Suma lo de otros, en orden."""
        for other in others:
            for mine, theirs in zip(self.states, other.states, strict=True):
                for state, part in zip(mine, theirs, strict=True):
                    state += part

    def values(self, metrics):
        r"""Da el valor de cada métrica, por su nombre."""
        found = {}
        for of_one, states in zip(metrics, self.states, strict=True):
            for one, state in zip(of_one, states, strict=True):
                found[one.name] = one.value(state)
        return found


def _plain(thing):
    plain = int, float, bool, str, type(None)
    return {name: value for name, value in getattr(thing, "__dict__", {}).items() if isinstance(value, plain)}


class Engine:
    r"""Réplicas de un modelo y el equipo de hilos que las mueve.

    Parameters
    ----------
    model : Model
        El modelo; si se va a entrenar o evaluar, ya compilado.
    """

    def __init__(self, model):
        self.model = model
        self.targets, self.metrics, self.asks, self.weights, self.sums = [], [], [], [], []
        self.asking = False
        # Si alguna salida tiene máscara, y si se sabe cuál sin ir hacia delante.
        self.masked, self.foreseen = False, True
        # De cada réplica, las capas que sortean.
        self.random = []
        self.plans = {}
        # De qué dependen el trabajo y la memoria de una observación.
        layers = list(walk(model))
        self.measured = model.current_shape, layers[1:]
        before = model.kept
        known = before is not None and before.measured == self.measured
        self.work = before.work if known else max(1, model.work())
        self.team = Team(get_threads())
        # Las réplicas, y si ya están listas para esta llamada, cuando son de otra.
        self.kept, self.awake = kept.Kept(self.team.size), True
        self.interrupts = Interrupts()
        self.blas = None
        self.output_shapes = []
        # Si alguna capa le suma algo a la pérdida, y si alguna, o la pérdida, tiene que ver el lote entero de una vez.
        self.adds = model.adds_loss
        self.shapes = self.theta = self.gradient = self.data = None
        self.alone = any(layer.alone for layer in layers)

    @property
    def replicas(self):
        r"""Las réplicas que hay, una por hilo que haya hecho falta."""
        return self.kept.replicas

    @property
    def gradients(self):
        r"""El gradiente de cada réplica."""
        return self.kept.gradients

    @property
    def recorders(self):
        r"""Lo que cada réplica tiene grabado."""
        return self.kept.recorders

    @uninterrupted
    def __enter__(self):
        r"""Toma lo que dejó la llamada anterior y empieza a recibir las interrupciones."""
        self.interrupts.__enter__()
        self.team = borrow(self.team)
        self.kept, self.awake = kept.take(self.model, self.team.size), False
        if self.kept.measured != self.measured:
            self.kept.bytes = None
        return self

    @uninterrupted
    def __exit__(self, *exception):
        r"""Deja la máquina como estaba, pase lo que pase; si no pasó nada, guarda lo que servirá otra vez."""
        try:
            if any(exception):
                self.team.__exit__(*exception)
            else:
                give_back(self.team)
                self._keep()
        finally:
            try:
                if self.blas is not None:
                    self.blas.__exit__(*exception)
                    self.blas = None
            finally:
                self.interrupts.__exit__(*exception)

    @uninterrupted
    def limit_blas(self):
        r"""Deja a BLAS con un solo hilo hasta el final."""
        if self.blas is None:
            self.blas = single_thread_blas.__enter__()

    # --- Entrenar ---

    def epoch(self, source, batch_size, shuffle, epoch, callbacks, progress, limit=None):
        r"""Recorre los datos una vez y devuelve la pérdida y las métricas medias."""
        if self.model.theta is not self.theta:
            raise ValueError("trainable: qué capas se entrenan se decide antes de fit, y cambió a la mitad")
        # Lo que un ``callback`` le haya cambiado a una capa vale desde esta época.
        self.follow()
        self.restart()
        self.reseed()
        before, after = called(callbacks, "on_train_batch_begin"), called(callbacks, "on_train_batch_end")
        self.step, steps = 0, limit or source.steps(batch_size)
        batches = source.batches(batch_size, self.model.generator if shuffle else None, limit)
        try:
            for batch, (data, order, start, stop) in enumerate(batches):
                for method in before:
                    method(batch, {})
                self.train(data, order, start, stop, (epoch, batch, steps))
                if after:
                    logs = self.logs()
                    for method in after:
                        method(batch, logs)
                    if self.model.stop_training:
                        break
                progress.step(batch, self.total / self.seen)
        finally:
            batches.close()
        if not np.isfinite(self.theta).all():
            raise FloatingPointError(
                f"al terminar la época {epoch + 1} hay pesos que no son finitos, aunque la pérdida lo sea; "
                f"lo más probable es una tasa de aprendizaje demasiado grande"
            )
        return self.logs()

    def follow(self):
        r"""Toma los argumentos que le hayan cambiado al modelo; lo que se grabó con los otros ya no vale."""
        changed = [replica.follow(self.model) for replica in self.replicas if self.awake]
        taste = self._taste(self.data)
        if any(changed) or taste != self.kept.taste:
            self._keep_aim(taste)

    def train(self, data, order, start, stop, where=None):
        r"""Da un paso con unas filas y devuelve su pérdida."""
        self._admit(data)
        self.interrupts.hold()
        try:
            loss = self._step(data, order, start, stop)
            if not math.isfinite(loss):
                raise FloatingPointError(self._why(loss, data, order, start, stop, where))
            self._update()
            if self.constrained:
                self.model.constrain()
        finally:
            self.interrupts.release()
        notice.finish()
        self.step += 1
        self.total += loss * (stop - start)
        self.seen += stop - start
        return loss

    def start(self, data):
        r"""Prepara lo que se va a entrenar y a medir."""
        taste = self._taste(data)
        if self.kept.taste == taste:
            # Lo mismo que en la llamada anterior, con otros números.
            vars(self).update(self.kept.measures | {"data": data})
        else:
            self._aim(data)
            self.sums = [Sums(self.metrics) for _ in range(self.team.size)]
            self._keep_aim(taste)
        self.step = 0
        self.theta, self.gradient = self.model.theta, self.model.gradient
        # El de quien lee no se reparte: puede mirar todas las coordenadas a la vez.
        self.spreads = self.updated = registry.ours(type(self.model.optimizer))
        lines = -(-self.theta.size // LINE)
        parts = max(1, min(self.team.size, self.theta.size // NUMBERS_PER_THREAD))
        self.pieces = [(a * LINE, min(b * LINE, self.theta.size)) for a, b in cut(lines, parts)]
        self.restart()
        self.constrained = self.model.constrained

    def restart(self):
        r"""Empieza otra vez la cuenta de la pérdida y las métricas."""
        self.total, self.seen = 0.0, 0
        self.outputs = np.zeros(len(self.targets))
        for sums in self.sums:
            sums.restart()
        for of_one in self.metrics:
            for found in of_one:
                found.restart()

    def logs(self):
        r"""Da la pérdida y las métricas medias desde que empezó la cuenta."""
        logs = {"loss": self.total / self.seen}
        if len(self.targets) > 1:
            names = [target.name for target in self.targets]
            pairs = zip(names, self.outputs.tolist(), self.targets, strict=True)
            logs |= {f"{name}_loss": value / self.seen for name, value, target in pairs if target.loss is not None}
        total = Sums(self.metrics)
        total.add(self.sums)
        return logs | total.values(self.metrics)

    def _aim(self, data):
        # Qué se le pide a cada salida: la pérdida, y las métricas ya encontradas.
        self._expect(data)
        self.targets = self.model.targets()
        triples = zip(self.targets, data.ys, self.output_shapes, strict=True)
        self.metrics = [self.model.resolve_metrics(target, y, shape) for target, y, shape in triples]
        measured = [target.loss for target in self.targets] + [found.metric for one in self.metrics for found in one]
        self.alone = self.alone or any(getattr(thing, "alone", False) for thing in measured)
        # Las pérdidas que se dividen entre cuántas observaciones son, que son casi todas, no hace falta preguntarles.
        self.asks = [not getattr(target.loss, "divides_by_rows", True) for target in self.targets]
        self.asking = True in self.asks
        self.weights = [target.weight for target in self.targets]
        self.data = data
        masks = self._masks(data, slice(0, 1))
        self.masked, self.foreseen = masks is None or any(mask is not None for mask in masks), masks is not None
        self.alone = self.alone or not self.foreseen

    def _keep_aim(self, taste):
        # Lo que se decidió, para la siguiente llamada; lo que se grabó con otra cosa ya no vale.
        self.kept.taste, self.kept.measures = taste, {name: getattr(self, name) for name in AIM if name != "data"}
        for recorder in self.recorders:
            recorder.forget()

    def _taste(self, data):
        # De qué depende un paso grabado, además de las capas: cómo son los datos, y los argumentos de lo que los mide.
        targets = self.model.targets()
        kinds = [None if one is None else (one.shape[1:], one.dtype) for one in (*data.xs, *data.ys, *data.weights)]
        things = [*(metric for one in targets for metric, _ in one.metrics), *(one.loss for one in targets)]
        return kinds, targets, [_plain(thing) for thing in things]

    def _masks(self, data, rows):
        # Qué cuenta de cada salida, en unas filas, con solo mirar lo que entra.
        xs = [np.asarray(x[rows], dtype) for x, dtype in zip(data.xs, data.dtypes, strict=True)]
        return self.model.foreseen_masks(xs)

    def _admit(self, data):
        # Si los datos llegan lote por lote, lo que se comprobó con el primero no basta.
        if data is self.data:
            return
        if data.shapes != self.shapes:
            self._expect(data)
        for metrics, y, shape in zip(self.metrics, data.ys, self.output_shapes, strict=True):
            for found in metrics:
                self.model.admit(found, y, shape)
        self.data = data

    def _expect(self, data):
        self.shapes = data.shapes
        shape = self.shapes if self.model.several else self.shapes[0]
        self.output_shapes = [tuple(s) for s in each(self.model.compute_output_shape(shape))]

    def reseed(self, before=None):
        r"""Da a las capas que sortean el azar de una época, o el que traían: lo que devolvió esta función."""
        # El azar de las réplicas nace, en cada época, del azar de la capa: así basta guardar el de la capa.
        originals = [layer for layer in walk(self.model) if layer.random]
        replicas = self._team_of(self.team.size) if originals else []
        self.random = [[layer for layer in walk(replica) if layer.random] for replica in replicas]
        if before is None or len(before) != len(originals):
            before = []
            for source in [layer.new_generator() for layer in originals]:
                seeds = source.bit_generator.seed_seq
                before.append([(own, Draws(seeds)) for own in source.spawn(len(replicas))])
        for of_one, *copies in zip(before, *self.random, strict=True):
            for one, (own, draws) in zip(copies, of_one, strict=True):
                one.generator, one.draws = own, draws
        return before

    def _step(self, data, order, start, stop):
        n = stop - start
        plan = self.plans.get(n)
        if plan is None:
            plan = self.plans[n] = self._plan(n)
        divisors, masks = (n,) * len(self.targets), None
        if self.asking or self.masked:
            rows = slice(start, stop) if order is None else order[start:stop]
            masks = self._masks(data, rows) if self.masked and self.foreseen else None
            divisors = self._divisors(data, rows, n, masks)
        self.job = data, order, start, n, plan, divisors, masks
        if self.adds:
            self._tell_whole(self.replicas[: len(plan)], n)
        self.losses = [0.0] * len(plan)
        self.parts = [None] * len(plan)
        self.team.run(self._part, len(plan))
        if not self.kept.warm:
            self._check_replicas(self.replicas[: len(plan)])
            # El primer paso puede haber cargado otra copia de BLAS.
            self.kept.warm = True
            self.blas.refresh()
        if len(self.targets) > 1:
            self.outputs += np.sum(self.parts, axis=0) * n
        return sum(self.losses)

    def _divisors(self, data, rows, n, masks=None):
        # Entre qué se divide la pérdida de cada salida: casi siempre, entre cuántas observaciones hay.
        found = []
        masks = masks or [None] * len(self.targets)
        parts = zip(self.targets, self.asks, data.ys, data.weights, masks, strict=True)
        for target, asks, y, weight, mask in parts:
            divisor, weight = n, None if weight is None else weight[rows]
            if mask is not None and target.loss is not None:
                weight = masked(weight, mask, self.model.dtype)
                divisor = target.loss.divisor_with(y[rows], weight, mask)
            elif asks:
                divisor = target.loss.divisor(y[rows], weight)
            # Si nada cuenta, la pérdida es 0 con cualquiera.
            found.append(float(divisor) or 1.0)
        return tuple(found)

    def _tell_whole(self, replicas, n):
        for replica in replicas:
            for layer in replica.performers():
                layer.whole = n

    def _part(self, k):
        data, order, start, n, plan, divisors, masks = self.job
        replica, loss, sums = self.replicas[k], 0.0, self.sums[k]
        chunks = plan[k]
        parts = np.zeros(len(self.targets)) if len(self.targets) > 1 else None
        for number, (a, b) in enumerate(chunks):
            rows = slice(start + a, start + b) if order is None else order[start + a : start + b]
            for layer in self.random[k] if self.random else ():
                layer.draws.place(self.step, a, b, n)
            own = None if masks is None else _part_of(masks, a, b)
            loss += self._measure(k, data, rows, divisors, n, True, sums, parts, own)
            if len(chunks) > 1:
                _accumulate(replica, self.gradients[k], number, len(chunks))
        if k == 0:
            loss += check.returned(replica.penalty(add_gradient=True), "la penalización de los pesos")
        self.losses[k], self.parts[k] = loss, parts

    def _measure(self, k, data, rows, divisors, n, training, sums, parts, masks=None):
        r"""Va hacia delante con unas filas de un lote de ``n``, mide y, si entrena, vuelve; da la pérdida."""
        replica = self.replicas[k]
        # Lo que se graba encuentra los datos siempre en la misma memoria.
        recorded = training and not (self.asking or self.masked)
        x = data.batch(replica, rows, recorded)
        wanted = None
        if self.foreseen:
            wanted = self._wanted(replica, data, rows, x, divisors, masks, recorded)

        def work():
            y_pred = self._forward(replica, lent(x), training)
            aims = wanted
            if aims is None:
                # Son todas las del lote: las máscaras se saben hasta ahora.
                masks = replica.output_masks()
                aims = self._wanted(replica, data, rows, x, self._divisors(data, rows, n, masks), masks)
            losses, slopes = [], []
            for j, (one, aim) in enumerate(zip(each(y_pred), aims, strict=True)):
                loss, slope = self._compare(replica, aim, one, j, sums)
                losses.append(loss)
                slopes.append(slope)
            if training:
                replica.backward(slopes if len(slopes) > 1 else slopes[0])
            return losses

        if recorded:
            # Lo grabado vale para esta memoria: los búferes son los mismos objetos mientras no cambie su forma o tipo.
            key = n, *map(id, each(x)), *(id(one) for aim in wanted for one in aim)
            losses = self.recorders[k].run(key, work)
        else:
            losses = work()
        losses = [0.0 if one is None else one for one in losses]
        if parts is not None:
            parts += losses
        loss = sum(one * weight for one, weight in zip(losses, self.weights, strict=True))
        if self.adds:
            loss += replica.added_loss(len(each(x)[0])) / n
        return loss

    def _wanted(self, replica, data, rows, x, divisors, masks, copy=False):
        # De cada salida, lo correcto, los pesos entre lo que se divide y lo que pesan para las métricas.
        found = []
        for j, target in enumerate(self.targets):
            mask = None if masks is None else masks[j]
            if target.loss is None and not target.metrics:
                found.append((None, None, None, None))
                continue
            if mask is not None:
                check_mask(mask, (len(each(x)[0]), *self.output_shapes[j]))
            found.append((*data.target(replica, rows, x, j, divisors[j], mask, copy), mask))
        return found

    def _compare(self, replica, aim, y_pred, j, sums):
        # Una salida con lo correcto: cuánto suma a la pérdida, y el gradiente.
        y, weight, raw, mask = aim
        target = self.targets[j]
        gradient = replica.buffers.get(("data gradient", j, y_pred.shape))
        new = gradient is None
        if new:
            gradient = replica.buffer(("data gradient", j), y_pred.shape)
            replica.buffers["data gradient", j, y_pred.shape] = gradient
            gradient.fill(np.nan)
        gradient, y, weight, raw = (lent(one) for one in (gradient, y, weight, raw))
        if target.loss is None:
            fill(gradient, 0)
            loss = None
        else:
            loss = perform(target.loss.shard, y, y_pred, weight, gradient)
            if type(loss) is not float:
                check.returned(loss, f"{type(target.loss).__name__}.shard")
            if new and math.isfinite(loss) and np.isnan(gradient).any():
                raise ValueError(
                    f"{type(target.loss).__name__}.shard: se esperaba que llenara gradient, en su sitio, con números; "
                    f"dejó {np.isnan(gradient).sum()} de {gradient.size} en NaN"
                )
            if target.weight != 1:
                multiply(gradient, target.weight, gradient)
        for found, state in zip(self.metrics[j], sums.states[j], strict=True):
            # Las que no pesan las observaciones tampoco cuentan lo que la máscara quita.
            own = raw if found.weighted else None if mask is None else mask.astype(replica.dtype)
            perform(found.accumulate, y, y_pred, own, lent(state))
        return loss, gradient

    def _forward(self, replica, x, training):
        # Lo que sigue no revisa nada: la última comprobación es esta.
        y = replica.forward(x, training)
        n = len(x) if type(x) in ARRAYS else len(x[0])
        if type(y) is list:
            if len(y) != len(self.output_shapes):
                raise ValueError(f"{replica.name}: se esperaban {len(self.output_shapes)} salidas, pero salió {len(y)}")
            for one, shape in zip(y, self.output_shapes, strict=True):
                self._check_output(replica, one, n, shape)
        else:
            self._check_output(replica, y, n, self.output_shapes[0])
        return y

    @staticmethod
    def _check_output(replica, y, n, shape):
        if y.shape[1:] != shape or y.shape[:1] != (n,) or y.dtype != replica.dtype or not y.flags.carray:
            raise ValueError(
                f"{replica.name}: se esperaba una salida de {replica.dtype} y forma {(n, *shape)}, "
                f"contigua, pero salió {y.dtype} de forma {y.shape}"
            )

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
        # Cada hilo toma su parte de los parámetros: suma ahí los gradientes, en orden, y los mueve.
        others, optimizer = self.gradients[1 : len(self.losses)], self.model.optimizer

        def gather(a, b):
            for other in others:
                add(self.gradient[a:b], other[a:b], self.gradient[a:b])

        if self.spreads and not optimizer.looks_at_all:
            optimizer.step(self.theta, self.gradient, lambda move: self._spread(gather, move))
            return
        self._spread(gather)
        if self.spreads:
            optimizer.step(self.theta, self.gradient, self._spread)
            return
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

    def _spread(self, *works):
        pieces = self.pieces

        def part(k):
            for work in works:
                work(*pieces[k])

        self.team.run(part, len(pieces))

    def _plan(self, n):
        r"""Decide qué parte de un lote de ``n`` hace cada hilo, y en cuántos trozos. Solo depende de los tamaños."""
        parts = 1 if self.alone else max(1, min(self.team.size, n, 3 * n * self.work // WORK_PER_THREAD))
        self._team_of(parts)
        if self.alone:
            return [[(0, n)]]
        layers = list(walk(self.model))
        if any(layer.whole_batch and layer.trainable for layer in layers):
            # Las réplicas se encuentran en cada una de esas capas: todas van a la par, cada una con un solo trozo.
            return [[part] for part in cut(n, parts)]
        # Cada trozo de más obliga a sumar un gradiente más: no vale la pena si el gradiente es lo más grande.
        budget = max(CACHE, 4 * self.gradients[0].nbytes if self.gradients else 0)
        size = self._bytes_per_row()
        fewest = max([layer.fewest for layer in layers])
        rows = max(fewest, budget // size, min(FEW, 8 * CACHE // size))
        plan = []
        for a, b in cut(n, parts):
            plan.append([(a + i, a + j) for i, j in cut(b - a, -(-(b - a) // rows))])
        return plan

    def _bytes_per_row(self):
        # Los resultados intermedios de una observación: lo que crecen los búferes con una más, y otro tanto al volver.
        self._wake()
        if self.kept.bytes is None:
            sizes = []
            for n in (1, 2):
                replica = self.model.replica()
                pairs = zip(each(self.model.current_shape), self.model.input_dtypes, strict=True)
                xs = [np.zeros((n, *shape), dtype) for shape, dtype in pairs]
                replica.forward(xs if self.model.several else xs[0], training=False)
                buffers = [b for layer in replica.performers() for b in layer.buffers.values()]
                sizes.append(2 * sum(b.nbytes for b in buffers) + sum(x.nbytes for x in xs))
            self.kept.bytes = max(1, sizes[1] - sizes[0])
            if self.model.current_shape != self.measured[0]:
                # Los lotes cambian de forma: lo medido es de esta llamada.
                self.measured = None
        return self.kept.bytes

    # --- Las réplicas, en esta llamada y entre una y otra ---

    def _team_of(self, size):
        self._wake()
        while len(self.replicas) < size:
            self.replicas.append(self.model.replica())
            self.kept.recorders.append(Recorder())
            self._settle(len(self.replicas) - 1)
        while self.theta is not None and len(self.gradients) < size:
            # La primera escribe donde el modelo tiene su gradiente; ahí se suman los demás.
            gradient, k = self.gradient, len(self.gradients)
            if k:
                gradient = check.empty(gradient.shape, "el gradiente de un hilo", gradient.dtype)
                gradient.fill(0)
            self.replicas[k].adopt(self.theta, gradient)
            self.replicas[k].without_input_gradient()
            self.gradients.append(gradient)
            self._settle(k)
        return self.replicas[:size]

    def _settle(self, k):
        now = self.kept
        for layer in walk(self.replicas[k]):
            layer.meeting, layer.part = self.team.meeting, k
        if now.origin is None:
            now.origin = self.model.origin()
        now.settled[k:] = [self.model.settled(self.replicas[k]), *now.settled[k + 1 :]]
        # Si al modelo le cambiaron algo entre una réplica y otra, no son iguales.
        now.stale = now.stale or not now.settled[k].reusable or not now.origin.is_still(self.model)

    def _wake(self):
        # Hasta que hacen falta: lo que un ``callback`` cambie antes de que empiece el primer paso también vale.
        if self.awake:
            return
        self.awake, now = True, self.kept
        if not now.replicas:
            return
        same = self.theta is None or now.theta is None or now.theta is self.theta
        if not same or not now.origin.is_still(self.model):
            self.kept = kept.Kept(now.threads)
            return
        originals = list(walk(self.model))
        for k, settled in enumerate(now.settled):
            settled.wake(originals, self.team.meeting, k)

    def _keep(self):
        now = self.kept
        if not now.replicas or now.stale:
            return
        if self.awake:
            for settled in now.settled:
                settled.rest()
        if self.theta is not None:
            now.theta = self.theta
        now.work, now.measured = self.work, self.measured
        kept.keep(self.model, now)

    def _why(self, loss, data, order, start, stop, where):
        rows = slice(start, stop) if order is None else order[start:stop]
        place = ""
        if where is not None:
            epoch, batch, steps = where
            place = f" en la época {epoch + 1}, lote {batch + 1}" + (f" de {steps}" if steps else "")
        where = f"la pérdida es {loss}{place}"
        theta, xs = self.model.theta, [x[rows] for x in data.xs]
        if not np.isfinite(theta).all():
            return f"{where}: un paso anterior desbordó los pesos; baja la tasa de aprendizaje o recorta el gradiente"
        largest = max(float(np.abs(x).max()) for x in xs)
        if largest > 1000:
            return f"{where}: hay entradas de hasta {largest:.3g}; normalízalas, por ejemplo a (-1, 1)"
        outputs = each(self.model.forward(xs if self.model.several else xs[0]))
        if not all(np.isfinite(y).all() for y in outputs):
            largest = float(np.abs(theta).max(initial=0))
            return f"{where}: la salida se desborda, con pesos de hasta {largest:.3g}; baja la tasa de aprendizaje"
        largest = max(float(np.abs(y).max()) for y in outputs)
        if largest > 1e9:
            return f"{where}: la red contesta números de hasta {largest:.3g}; baja la tasa de aprendizaje"
        return f"{where}, aunque la salida es finita: revisa la pérdida y los pesos de las observaciones"

    # --- Evaluar y predecir ---

    def evaluate(self, source, batch_size, limit=None, callbacks=()):
        r"""Devuelve la pérdida y las métricas, sin mover nada. No depende del número de hilos."""
        kept = {name: getattr(self, name) for name in AIM}
        self._aim(source.first())
        self.sums = [Sums(self.metrics)]
        self.restart()
        before, after = called(callbacks, "on_test_batch_begin"), called(callbacks, "on_test_batch_end")
        whole = isinstance(source, Data) and limit is None and not (before or after or self.alone)
        whole = whole and not (self.asking or self.masked)
        # De qué depende lo grabado.
        metrics = [(type(one.metric), _plain(one.metric), one.weighted) for of_one in self.metrics for one in of_one]
        measuring = self._taste(self.data), metrics
        # Las pérdidas que son medias se pueden medir de una vez; las demás, lote por lote.
        batches = [(source, None, 0, len(source))] if whole else source.batches(batch_size, None, limit)
        for batch, (data, _, start, stop) in enumerate(batches):
            for method in before:
                method(batch, {})
            self._evaluate(data, start, stop, measuring)
            for method in after:
                method(batch, self.logs())
        # La penalización no depende de los datos.
        self.total += check.returned(self.model.penalty(), "la penalización de los pesos") * self.seen
        logs = self.logs()
        # Si fue a la mitad de un entrenamiento, sigue con lo suyo.
        vars(self).update(kept)
        return logs

    def _evaluate(self, data, start, stop, measuring):
        n = stop - start
        self._admit(data)
        size = n if self.alone else self._chunk(n)
        count = -(-n // size)
        # Lo que acumula cada trozo es una fila de estos arreglos, y lo que suma a la pérdida, una de ``every``.
        states = [[np.zeros((count, found.size)) for found in of_one] for of_one in self.metrics]
        sums = [Sums(self.metrics) for _ in range(count)]
        for c, own in enumerate(sums):
            own.states = [[state[c] for state in of_one] for of_one in states]
        losses, every = np.zeros(count), np.zeros((count, len(self.targets)))
        if self.asking or self.masked or self.adds:
            for k, name in data.unseen.items():
                check.finite(data.xs[k], name)
            masks = self._masks(data, slice(start, stop)) if self.masked and self.foreseen else None
            divisors = self._divisors(data, slice(start, stop), n, masks)

            def work(k, c, rows):
                own = None if masks is None else _part_of(masks, rows.start - start, rows.stop - start)
                losses[c] = self._measure(k, data, rows, divisors, n, False, sums[c], every[c], own)
                return every[c]

            self._in_chunks(work, start, stop, size, every)
        else:

            def work(k, c, rows):
                return self._compared(self.replicas[k], data, rows, n, sums[c])

            targets = [y for y, same in zip(data.targets, data.same, strict=True) if same is None]
            read = [one for one in (*data.inputs, *targets, *data.weighing) if one is not None]
            written = [(state, 1) for of_one in states for state in of_one]
            which = [one is None for one in (*data.targets, *data.weighing)]
            key = n, data.same, which, measuring
            self._in_chunks(work, start, stop, size, every, "evaluar", key, read, written)
            for c, own in enumerate(every.tolist()):
                losses[c] = sum(one * weight for one, weight in zip(own, self.weights, strict=True))
        self.total += float(losses.sum()) * n
        self.outputs += every.sum(axis=0) * n
        self.sums[0].add(sums)
        self.seen += n

    def _compared(self, replica, data, rows, n, sums):
        # Como ``_measure``, sin nada que haya que mirar antes: de aquí en adelante todo son núcleos.
        x, outputs = self._answer(replica, data, rows)
        losses = []
        for j, y_pred in enumerate(each(outputs)):
            y = weight = raw = None
            if data.targets[j] is not None:
                same = data.same[j]
                y = data.targets[j].rows(replica, rows) if same is None else each(x)[same]
                weight = uniform_weight(replica, len(y), n)
                if data.weighing[j] is not None:
                    raw = lent(data.weighing[j].rows(replica, rows))
                    weight = replica.buffer(("data weighed", j), raw.shape, raw.dtype)
                    multiply(raw, 1 / n, weight)
            losses.append(self._compare(replica, (y, weight, raw, None), y_pred, j, sums)[0])
        return losses

    def predict(self, source, batch_size, limit=None, callbacks=()):
        r"""Devuelve la salida de cada observación, en un arreglo nuevo. No depende del número de hilos."""
        before, after = called(callbacks, "on_predict_batch_begin"), called(callbacks, "on_predict_batch_end")
        whole = isinstance(source, Data) and limit is None and not (before or after or self.alone)
        batches = [(source, None, 0, len(source))] if whole else source.batches(batch_size, None, limit)
        found = []
        for batch, (data, _, start, stop) in enumerate(batches):
            for method in before:
                method(batch, {})
            found.append(self._predict(data, start, stop))
            for method in after:
                method(batch, {"outputs": found[-1] if len(found[-1]) > 1 else found[-1][0]})
        outputs = found[0] if len(found) == 1 else [np.concatenate(parts) for parts in zip(*found, strict=True)]
        return outputs if len(outputs) > 1 else outputs[0]

    def _predict(self, data, first, last):
        n = last - first
        if data.shapes != self.shapes:
            self._expect(data)
        out = [
            check.empty((n, *shape), f"{self.model.name}, la salida", self.model.dtype) for shape in self.output_shapes
        ]
        size = n if self.alone else self._chunk(n)

        def work(k, _, rows):
            _, y = self._answer(self.replicas[k], data, rows)
            for whole, one in zip(out, each(y), strict=True):
                copy(one, whole[rows.start - first : rows.stop - first])
            return []

        written = [(whole, size) for whole in out]
        self._in_chunks(work, first, last, size, np.empty((-(-n // size), 0)), "predecir", (), data.inputs, written)
        return out

    def _answer(self, replica, data, rows):
        # Va hacia delante con unas filas. Lo que se graba mira después si son finitas, que nada avisa si no lo son: ya
        # están en la caché, y traerlas de la memoria es lo que cuesta.
        x, recording = data.batch(replica, rows), now.tape is not None
        if not recording:
            _look_at(data, x)
        y = self._forward(replica, lent(x), False)
        if recording:
            _look_at(data, x)
        return x, y

    def _in_chunks(self, work, start, stop, size, results, name=None, key=(), read=(), written=()):
        r"""Hace ``work(k, c, rows)`` con cada trozo ``c`` de unas filas, repartidos entre los hilos ``k``.

        Lo que devuelve se anota en ``results``. Si tiene nombre, todo en él son núcleos que leen unas columnas y
        escriben unos arreglos, de a tantas filas por trozo: se puede grabar, y lo grabado depende de ``key``.
        """
        n, count = stop - start, len(results)
        parts = self._parts(n, count)
        moving = None if name is None else _moving(read, written, start, stop, size)
        key = size, [(one.array.shape[1:], one.dtype) for one in read], key
        together = max(1, PRODUCTS // (size * self.work))

        def part(k):
            def done(c):
                return work(k, c, slice(start + c * size, min(start + (c + 1) * size, stop)))

            chunks = range(k, count, parts)
            sweep = None if moving is None else self._sweep(k, name, key, moving)
            if sweep is not None:
                # El último puede ser más corto.
                whole = range(k, n // size, parts)
                sweep.run(whole, done, moving, results, together)
                chunks = chunks[len(whole) :]
            for c in chunks:
                results[c] = [0.0 if one is None else one for one in done(c)]

        self.interrupts.hold()
        try:
            self.team.run(part, parts)
        finally:
            self.interrupts.release()
        notice.finish()

    def _sweep(self, k, name, key, moving):
        # Lo que la réplica ``k`` tiene grabado con ese nombre, si sirve; ``None``, si no se puede grabar.
        sweeps = self.recorders[k].sweeps
        known = sweeps.get(name)
        if known is None or known[0] != key:
            known = sweeps[name] = key, Sweep()
        sweep = known[1]
        if sweep.state != "repetible":
            # De un modelo de quien lee no se supone nada; y si los datos son los pesos, no se sabe qué se mueve.
            weights = [Rows(one, 1) for one in self.model.weights if one.ndim]
            if not registry.ours(type(self.model)) or any(a.meets(b) for a in moving for b in weights):
                return None
        return sweep

    def _chunk(self, n):
        # Cada número intermedio costó al menos un producto: con pocos productos no hace falta medir.
        if n == 1 or 16 * n * self.work < MEMORY:
            return min(n, CHUNK)
        return max(1, min(CHUNK, MEMORY // self._bytes_per_row()))

    def _parts(self, n, chunks):
        parts = 1 if self.alone else max(1, min(self.team.size, chunks, n * self.work // WORK_PER_THREAD))
        self._team_of(parts)
        if parts > 1:
            self.limit_blas()
        return parts
