r"""El motor: réplicas de un modelo y los hilos que las mueven.

Un paso reparte el lote entre los hilos. Cada uno tiene una réplica del modelo, con los mismos pesos en memoria y su
propio gradiente; va hacia delante, mide la pérdida y vuelve. Después se suman los gradientes en orden y el optimizador
mueve los pesos. Nada de esto reserva memoria: los búferes de cada réplica se reutilizan de un paso a otro.
"""

import math
from itertools import combinations

import numpy as np

from dlbook import check, registry
from dlbook.callbacks import called
from dlbook.compiling import notice
from dlbook.now import now
from dlbook.numeric.draws import SIZE, Draws
from dlbook.numeric.elementwise import add, copy, fill, multiply, refuse_infinite
from dlbook.numeric.gather import Table
from dlbook.numeric.interruptions import Interrupts, uninterrupted
from dlbook.numeric.parallel import Team, borrow, cut, get_threads, give_back, single_thread_blas
from dlbook.numeric.recording import ARRAYS, Recorder, lent, perform, taken
from dlbook.numeric.rehearsal import Rehearsal
from dlbook.numeric.replay import Replay
from dlbook.numeric.stretch import Stretch
from dlbook.numeric.sweep import Rows, Sweep
from dlbook.several import each
from dlbook.training import kept
from dlbook.training.data import Data, Spot, changing_arguments, check_mask, masked
from dlbook.training.state import walk
from dlbook.training.sums import Sums

# Cuántos productos justifican despertar a un hilo más, y cuántos bytes de resultados intermedios caben en su caché.
WORK_PER_THREAD = 25_000_000
CACHE = 4 << 20
# Cuántas veces menos, si todo el paso se puede grabar: el hilo espera despierto. Pero entonces pesa lo que cada hilo
# tiene que traer de la memoria de los otros, los gradientes y los pesos: al menos tantos productos por parámetro.
LIGHTER, PER_PARAMETER = 6, 24
# Cuántos parámetros justifican lo mismo al moverlos, y cuántas veces menos si el hilo acaba de hacer su parte; y de a
# cuántos se cortan: líneas enteras de la memoria.
NUMBERS_PER_THREAD, AWAKE, LINE = 200_000, 8, 16
# Cuántos productos hay en un tramo de pasos sin Python, y cuántos pasos a lo sumo: unas centésimas de segundo, porque
# Ctrl-C espera al final.
STRETCH, MOST_STEPS = 2_000_000_000, 256
# Si ni una cabe, se hacen de a unas pocas: empezar cada trozo cuesta.
FEW = 4
# De a cuántas observaciones se evalúa y se predice, a lo sumo, y en cuánta memoria por hilo. Depende del modelo y no de
# los hilos, para que el resultado tampoco.
CHUNK = 256
MEMORY = 32 << 20
# En cuántos trozos, al menos, se corta lo que se puede repartir.
SHARED = 4
# Cada cuántos productos, a lo sumo, se vuelve a Python: hasta entonces no se atiende a un segundo Ctrl-C.
PRODUCTS = 1 << 30


def _accumulate(replica, gradient, number, chunks):
    # backward escribe el gradiente de un trozo; el de la parte entera se va sumando aparte y al final vuelve.
    total = replica.buffer("data total", gradient.shape)
    if number == 0:
        copy(gradient, total)
    elif number < chunks - 1:
        add(total, gradient, total)
    else:
        add(gradient, total, gradient)


def _part_of(masks, start, stop):
    return [None if mask is None else mask[start:stop] for mask in masks]


def _joined(chunks):
    # Un solo ``Replay`` con los de varios trozos, y de cada trozo, qué llamadas dan sus pérdidas.
    whole, results, first = Replay([call for replay, _ in chunks for call in replay.calls]), [], 0
    for replay, found in chunks:
        results.append([None if one is None else (whole, first + one[1]) for one in found])
        first += len(replay.calls)
    return whole, results


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
        self.shapes = self.theta = self.gradient = self.data = self.optimizer = None
        self.alone = any(layer.alone for layer in layers)
        # Si lo más probable es que un paso se pueda grabar entero.
        self.light = all(registry.ours(type(layer)) and not layer.whole_batch for layer in layers)

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
        # Si nadie mira entre un lote y otro, se pueden dar varios pasos seguidos.
        alone, batch = not (before or after) and isinstance(source, Data), -1
        try:
            for data, order, start, stop in batches:
                batch += 1
                given = self._stretch(data, order, start, stop - start, steps - batch) if alone else 0
                if given:
                    batch += given - 1
                    for _ in range(given - 1):
                        next(batches)
                    progress.step(batch, self.total / self.seen)
                    continue
                for method in before:
                    method(batch, {})
                # Quien mira cada lote puede cambiar lo que los mide; que uno sea de otra forma no es eso.
                if (before or after) and self._taste(self.data)[1:] != self.kept.taste[1:]:
                    self.follow()
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
        if self.awake and self.kept.origin is not None:
            changed.append(self.kept.origin.follow())
        taste = self._taste(self.data)
        if taste != self.kept.taste:
            # También cambió lo que los mide.
            self._aim(self.data)
            self.sums = [Sums(self.metrics) for _ in range(self.team.size)]
        if any(changed) or taste != self.kept.taste:
            self._keep_aim(taste)
        self._know_moves()

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
        return self._count(stop - start)

    def start(self, data):
        r"""Prepara lo que se va a entrenar y a medir."""
        taste = self._taste(data)
        if self.kept.taste == taste:
            # Lo mismo que en la llamada anterior, con otros números: que las métricas los puedan leer.
            vars(self).update(self.kept.measures)
            self._admit(data)
        else:
            self._aim(data)
            self.sums = [Sums(self.metrics) for _ in range(self.team.size)]
            self._keep_aim(taste)
        self.step, self.losses = 0, []
        self.theta, self.gradient = self.model.theta, self.model.gradient
        self._know_moves()
        self.restart()

    def _know_moves(self):
        # Cómo se mueven los pesos. A la mitad, un ``callback`` puede cambiar el optimizador o sus argumentos.
        if self.model.optimizer is not self.optimizer:
            self.optimizer = self.model.optimizer
            # El de quien lee no se reparte: puede mirar todas las coordenadas a la vez.
            self.spreads = self.updated = registry.ours(type(self.optimizer))
        self.constrained = self.model.constrained
        # Si entre un paso y otro no hay nada que hacer más que mover los pesos.
        nothing = not (self.constrained or self.model.penalized or self.asking or self.masked)
        self.plain = nothing and self.spreads and self.optimizer.foreseeable

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
        data.aim(self.model)
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
        self.kept.forget()

    def _taste(self, data):
        # De qué depende un paso grabado, además de las capas: cómo son los datos, y los argumentos de lo que los mide.
        targets = self.model.targets()
        kinds = [None if one is None else (one.shape[1:], one.dtype) for one in (*data.xs, *data.ys, *data.weights)]
        things = [*(metric for one in targets for metric, _ in one.metrics), *(one.loss for one in targets)]
        return kinds, targets, [changing_arguments(thing) for thing in things]

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
                row = Draws(source.bit_generator.seed_seq)
                before.append((row, source.spawn(len(replicas))))
        for (row, owns), *copies in zip(before, *self.random, strict=True):
            for layer, own in zip(copies, owns, strict=True):
                # En la memoria de siempre, donde lo busca lo que se grabó.
                layer.generator, layer.draws = own, Draws(row, layer.buffer("data draws", (SIZE,), np.uint64))
        return before

    def _step(self, data, order, start, stop):
        n = stop - start
        plan = self._planned(n)
        divisors, masks = (n,) * len(self.targets), None
        # Lo que se graba toma las filas de donde diga la tabla, siempre en la misma memoria.
        recorded = data.in_rows and not (self.asking or self.masked)
        if recorded:
            self._place(data, order, start)
        else:
            rows = slice(start, stop) if order is None else order[start:stop]
            masks = self._masks(data, rows) if self.masked and self.foreseen else None
            divisors = self._divisors(data, rows, n, masks)
        self.job = data, order, start, n, plan, divisors, masks, recorded
        if self.adds:
            self._tell_whole(self.replicas[: len(plan)], n)
        self.losses = [0.0] * len(plan)
        self.parts = [None] * len(plan)
        whole = self._whole(n, data, plan) if recorded else None
        if whole is None:
            self.team.run(self._part, len(plan))
        else:
            self._replay(whole, plan, n)
        self.losses[0] += check.returned(self.replicas[0].penalty(add_gradient=True), "la penalización de los pesos")
        if not self.kept.warm:
            self._check_replicas(self.replicas[: len(plan)])
            # El primer paso puede haber cargado otra copia de BLAS.
            self.kept.warm = True
            self.blas.refresh()
        return sum(self.losses)

    def _place(self, data, order, start):
        kept = self.kept
        if kept.pointed is not data:
            # Lo grabado con datos de esta clase ya conoce su tabla.
            table = kept.tables.get(data.kinds)
            if table is None:
                table = kept.tables[data.kinds] = Table(len(data.columns))
            kept.table, kept.pointed = table, data
            data.point(table)
        kept.table.place(start, order)

    def _whole(self, n, data, plan):
        r"""Da el paso entero grabado, o ``None`` si aún no lo está, o si Python tiene que hacer algo a la mitad.

        Es la lista de lo que repite cada hilo y la de las pérdidas de cada uno: por cada trozo, qué llamadas las dan.
        """
        key = n, data.kinds
        whole = self.kept.wholes.get(key)
        if whole is None:
            # Entre un trozo y otro puede haber que sortear, o que anotar lo que una capa le suma a la pérdida.
            if (self.random or self.adds) and max(map(len, plan)) > 1:
                return None
            pairs = [(recorder, len(chunks)) for recorder, chunks in zip(self.recorders, plan, strict=False)]
            found = [[r.ready((n, number, data.kinds)) for number in range(count)] for r, count in pairs]
            if any(one is None for of_one in found for one in of_one):
                return None
            whole = self.kept.wholes[key] = tuple(zip(*map(_joined, found), strict=True))
        return whole

    def _replay(self, whole, plan, n):
        replays, results = whole
        for k, chunks in enumerate(plan):
            self._draw(k, *chunks[0], n)
        self.team.replay(replays)
        for k, (chunks, of_one) in enumerate(zip(plan, results, strict=True)):
            added = self.replicas[k].added_loss(chunks[0][1] - chunks[0][0]) if self.adds else 0.0
            self._account(k, [[taken(result) for result in losses] for losses in of_one], added, n)

    def _account(self, k, losses, added, n):
        # Lo que dieron los trozos de un hilo, y lo que sumaron las capas, si es uno solo.
        parts = np.zeros(len(self.targets)) if len(self.targets) > 1 else None
        for found in losses:
            self.losses[k] += self._weigh(found, added, n, parts)
        self.parts[k] = parts

    def _stretch(self, data, order, start, n, most):
        r"""Da varios pasos seguidos sin Python entre ellos, si se puede; da cuántos dio.

        Son los primeros de los ``most`` que quedan; con los que no se puede, 0. Si un paso falla, es el siguiente al
        último dado, y no se dio: quien lo dé otra vez verá por qué.
        """
        steps = min(most, (len(data) - start) // n, MOST_STEPS, STRETCH // (3 * n * self.work))
        if not self.plain or steps < 2 or not data.in_rows:
            return 0
        key, plan = (n, data.kinds), self._planned(n)
        # Cuántos gradientes hay que sumar.
        self.losses = [0.0] * len(plan)
        rehearsal, stretch = self._rehearsal(True, True), self.kept.stretches.get(key)
        if stretch is None or stretch.moves is not rehearsal.replays:
            # Aún no hay, o la manera de mover los pesos se grabó otra vez.
            stretch = self._new_stretch(n, data, rehearsal)
            if stretch is None:
                return 0
            self.kept.stretches[key] = stretch
        self._admit(data)
        self.interrupts.hold()
        try:
            self._place(data, order, start)
            for k, chunks in enumerate(plan):
                self._draw(k, *chunks[0], n)
            steps = self._foresee(rehearsal, stretch.numbers[:steps])
            if not steps:
                return 0
            given = stretch.run(self.team, steps, n)
            self.model.optimizer.iterations -= steps - given
            found = stretch.losses(given)
            for s in range(given):
                self.losses, self.parts = [0.0] * len(plan), [None] * len(plan)
                for k, chunks in enumerate(plan):
                    values = iter(found[k][s])
                    losses = [[None if one.loss is None else next(values) for one in self.targets] for _ in chunks]
                    # Lo que queda es lo que sumaron las capas.
                    self._account(k, losses, sum(values, 0.0), n)
                self._count(n)
        finally:
            self.interrupts.release()
        notice.finish()
        return given

    def _foresee(self, rehearsal, numbers):
        # Anota los números con que se moverán los pesos en cada paso; da de cuántos se pudo.
        optimizer, fits = self.model.optimizer, []
        before = optimizer.iterations
        for s, row in enumerate(numbers):
            try:
                optimizer.step(
                    self.theta, self.gradient, lambda move: fits.append(rehearsal.rehearse(self._works(True, move)))
                )
            except Exception:
                # Falla al llegar a ese paso, que se da sin ensayar: los de antes están bien.
                optimizer.iterations = before + s
                return s
            except BaseException:
                optimizer.iterations = before
                raise
            if not fits[-1]:
                # Ya no es como se grabó.
                optimizer.iterations = before
                self.kept.forget()
                return 0
            row[:] = rehearsal.numbers
        return len(numbers)

    def _new_stretch(self, n, data, rehearsal):
        # ``None``, si algo no está grabado todavía.
        whole = self.kept.wholes.get((n, data.kinds))
        if whole is None or not rehearsal.ready:
            return None
        replays, results = whole
        sources = [[r.source(k) for losses in of_one for r, k in filter(None, losses)] for of_one in results]
        draws = [[layer.draws.memory for layer in of_one] for of_one in self.random]
        if self.adds:
            for replica, of_one in zip(self.replicas, sources, strict=False):
                added = replica.added_arrays()
                if added is None:
                    return None
                of_one += [(one.ctypes.data, 64) for one in added]
        table, moves, places = self.kept.tables[data.kinds], rehearsal.replays, rehearsal.places
        return Stretch(replays, sources, table, moves, places, draws, MOST_STEPS)

    def _count(self, n):
        # Lo que dio un paso.
        if len(self.targets) > 1:
            self.outputs += np.sum(self.parts, axis=0) * n
        loss = sum(self.losses)
        self.step += 1
        self.total += loss * n
        self.seen += n
        return loss

    def _draw(self, k, a, b, n):
        for layer in self.random[k] if self.random else ():
            layer.draws.place(self.step, a, b, n)

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
        data, order, start, n, plan, divisors, masks, recorded = self.job
        replica, loss, chunks = self.replicas[k], 0.0, plan[k]
        parts = np.zeros(len(self.targets)) if len(self.targets) > 1 else None
        for number, (a, b) in enumerate(chunks):
            if recorded:
                rows = Spot(self.kept.table, a, b - a)
            else:
                rows = slice(start + a, start + b) if order is None else order[start + a : start + b]
            own = None if masks is None else _part_of(masks, a, b)

            def work(number=number, rows=rows, own=own):
                losses = self._measure(k, data, rows, divisors, n, True, self.sums[k], own)
                if len(chunks) > 1:
                    _accumulate(replica, self.gradients[k], number, len(chunks))
                return losses

            self._draw(k, a, b, n)
            losses = self.recorders[k].run((n, number, data.kinds), work) if recorded else work()
            loss += self._weigh(losses, replica.added_loss(b - a) if self.adds else 0.0, n, parts)
        self.losses[k], self.parts[k] = loss, parts

    def _measure(self, k, data, rows, divisors, n, training, sums, masks=None):
        r"""Va hacia delante con unas filas de un lote de ``n``, mide y, si entrena, vuelve; da las pérdidas."""
        replica = self.replicas[k]
        x, y_pred = self._answer(replica, data, rows, training)
        if not self.foreseen:
            # Son todas las del lote: las máscaras se saben hasta ahora.
            masks = replica.output_masks()
            divisors = self._divisors(data, rows, n, masks)
        wanted = self._wanted(replica, data, rows, x, divisors, masks)
        losses, slopes = [], []
        for j, (one, aim) in enumerate(zip(each(y_pred), wanted, strict=True)):
            loss, slope = self._compare(replica, aim, one, j, sums)
            losses.append(loss)
            slopes.append(slope)
        if training:
            replica.backward(slopes if len(slopes) > 1 else slopes[0])
        return losses

    def _weigh(self, losses, added, n, parts):
        # La pérdida de unas filas, con lo que sumaron las capas; la de cada salida se suma en ``parts``, si hay varias.
        losses = [0.0 if one is None else one for one in losses]
        if parts is not None:
            parts += losses
        loss = sum(one * weight for one, weight in zip(losses, self.weights, strict=True))
        if self.adds:
            loss += added / n
        return loss

    def _wanted(self, replica, data, rows, x, divisors, masks):
        # De cada salida, lo correcto, los pesos entre lo que se divide y lo que pesan para las métricas.
        found = []
        for j, target in enumerate(self.targets):
            mask = None if masks is None else masks[j]
            if target.loss is None and not target.metrics:
                found.append((None, None, None, None))
                continue
            if mask is not None:
                check_mask(mask, (len(each(x)[0]), *self.output_shapes[j]))
            found.append((*data.target(replica, rows, x, j, divisors[j], mask), mask))
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

    def _answer(self, replica, data, rows, training=False):
        # Va hacia delante con unas filas. Lo que se graba mira después si son finitas, que nada avisa si no lo son: ya
        # están en la caché, y traerlas de la memoria es lo que cuesta.
        x, recording = data.batch(replica, rows), now.tape is not None
        if not recording:
            _look_at(data, x)
        y = self._forward(replica, lent(x), training)
        if recording:
            _look_at(data, x)
        return x, y

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
        optimizer = self.model.optimizer
        if self.spreads and not optimizer.looks_at_all:
            optimizer.step(self.theta, self.gradient, lambda move: self._spread(True, move))
            return
        if len(self.losses) > 1:
            self._spread(True)
        if self.spreads:
            optimizer.step(self.theta, self.gradient, lambda move: self._spread(False, move))
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

    def _spread(self, gather, move=None):
        self._rehearsal(gather, move is not None).run(self.team, self._works(gather, move), self._pieces())

    def _pieces(self):
        r"""Decide qué parte del vector mueve cada hilo. Los bits no dependen de ello."""
        size = self.theta.size
        parts = max(size // NUMBERS_PER_THREAD, min(len(self.losses), AWAKE * size // NUMBERS_PER_THREAD))
        lines = cut(-(-size // LINE), max(1, min(self.team.size, parts)))
        return [(a * LINE, min(b * LINE, size)) for a, b in lines]

    def _works(self, gather, move):
        others = self.gradients[1 : len(self.losses)] if gather else ()

        def work(a, b):
            for other in others:
                add(self.gradient[a:b], other[a:b], self.gradient[a:b])
            if move is not None:
                move(a, b)

        return work

    def _rehearsal(self, gather, move):
        # El trabajo es otro si hay que sumar los gradientes de más hilos.
        key = len(self.losses) if gather else 1, move
        rehearsal = self.kept.rehearsals.get(key)
        if rehearsal is None:
            rehearsal = self.kept.rehearsals[key] = Rehearsal()
        return rehearsal

    def _planned(self, n):
        self._wake()
        plan = self.kept.plans.get((n, self.alone))
        if plan is None:
            plan = self.kept.plans[n, self.alone] = self._plan(n)
        return plan

    def _plan(self, n):
        r"""Decide qué parte de un lote de ``n`` hace cada hilo, y en cuántos trozos. Solo depende de los tamaños."""
        each_one = WORK_PER_THREAD
        if self.light:
            size = 0 if self.theta is None else self.theta.size
            each_one = min(each_one, max(each_one // LIGHTER, PER_PARAMETER * size))
        parts = 1 if self.alone else max(1, min(self.team.size, n, 3 * n * self.work // each_one))
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
                gradient = check.empty(gradient.shape, "el gradiente de un hilo", gradient.dtype, place=1 + k)
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
        # Los datos no son suyos.
        now.pointed = None
        for table in now.tables.values():
            table.forget()
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
        metrics = [
            (type(one.metric), changing_arguments(one.metric), one.weighted)
            for of_one in self.metrics
            for one in of_one
        ]
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
                found = self._measure(k, data, rows, divisors, n, False, sums[c], own)
                added = self.replicas[k].added_loss(rows.stop - rows.start) if self.adds else 0.0
                losses[c] = self._weigh(found, added, n, every[c])
                return every[c]

            self._in_chunks(work, start, stop, size, every)
        else:

            def work(k, c, rows):
                return self._measure(k, data, rows, (n,) * len(self.targets), n, False, sums[c])

            targets = [y for y, same in zip(data.targets, data.same, strict=True) if same is None]
            read = [one for one in (*data.inputs, *targets, *data.weighing) if one is not None]
            written = [(state, 1) for of_one in states for state in of_one]
            which = [one is None for one in (*data.targets, *data.weighing)]
            key = n, data.same, which, measuring, list(data.unseen)
            self._in_chunks(work, start, stop, size, every, "evaluar", key, read, written)
            for c, own in enumerate(every.tolist()):
                losses[c] = sum(one * weight for one, weight in zip(own, self.weights, strict=True))
        self.total += float(losses.sum()) * n
        self.outputs += every.sum(axis=0) * n
        self.sums[0].add(sums)
        self.seen += n

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
        key, nothing = list(data.unseen), np.empty((-(-n // size), 0))
        self._in_chunks(work, first, last, size, nothing, "predecir", key, data.inputs, written)
        return out

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
        # Si son pocas y cada una cuesta, que haya qué repartir. Depende de los tamaños, y no de los hilos.
        size = min(CHUNK, -(-n // max(1, min(SHARED, n * self.work // WORK_PER_THREAD))))
        # Cada número intermedio costó al menos un producto: con pocos productos no hace falta medir.
        if n == 1 or 16 * n * self.work < MEMORY:
            return size
        return max(1, min(size, MEMORY // self._bytes_per_row()))

    def _parts(self, n, chunks):
        parts = 1 if self.alone else max(1, min(self.team.size, chunks, n * self.work // WORK_PER_THREAD))
        self._team_of(parts)
        if parts > 1:
            self.limit_blas()
        return parts
