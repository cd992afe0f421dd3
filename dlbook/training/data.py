r"""Los datos de un entrenamiento: comprobados una vez, y cortados en lotes sin reservar memoria.

Los números se quedan en el tipo en que llegan: los de una foto caben en un byte, y pasarlos todos a ``float32``
ocuparía cuatro veces más. Se convierten lote por lote, al copiarlos.
"""

import math
import queue
import threading
from dataclasses import dataclass

import numpy as np
from numba import config

from dlbook import check, registry
from dlbook.numeric.elementwise import convert, multiply
from dlbook.numeric.gather import Table
from dlbook.several import distribute, each

# Cuántos lotes se preparan mientras otro entrena.
AHEAD = 2


@dataclass(frozen=True)
class Spot:
    r"""Unas filas que se toman de donde diga una tabla: no hay que saber todavía cuáles son.

    Attributes
    ----------
    table : Table
        La tabla.
    first, count : int
        Desde cuál del paso, y cuántas.
    """

    table: Table
    first: int
    count: int


class Column:
    r"""Un arreglo del que se toman filas, y el tipo en que van; ``number`` es su lugar en la tabla."""

    def __init__(self, array, dtype, name, number):
        # Las réplicas duran más que los datos, y los siguientes pueden ser de otro tipo.
        self.array, self.dtype, self.number = array, dtype, number
        self.name, self.came = f"{name}, {dtype.str}", f"{name}, {array.dtype.str} como llegó"

    def rows(self, replica, rows):
        r"""Da unas filas contiguas y de su tipo, en un búfer de la réplica si hay que copiarlas."""
        # Un pedazo seguido ya está contiguo; lo barajado, de otro tipo o de solo lectura se copia a un búfer.
        if isinstance(rows, slice):
            part = self.array[rows]
            if part.dtype == self.dtype and part.flags.carray:
                return part
        else:
            spot = isinstance(rows, Spot)
            part = replica.buffer(
                self.came, (rows.count if spot else len(rows), *self.array.shape[1:]), self.array.dtype
            )
            if spot:
                rows.table.gather(self.number, rows.first, part)
            else:
                self.array.take(rows, axis=0, out=part, mode="clip")
            if part.dtype == self.dtype:
                return part
        out = replica.buffer(self.name, part.shape, self.dtype)
        convert(part, out)
        return out


class Data:
    r"""Observaciones, lo correcto y pesos, comprobados y listos para cortar; una lista de cada cosa.

    Parameters
    ----------
    xs : list of ndarray
        Lo que entra, un arreglo por entrada.
    dtypes : list of numpy.dtype
        En qué tipo va cada uno.
    ys : list of ndarray or None
        Lo correcto, un arreglo por salida; ``None`` en la que no se compara con nada.
    weights : list of ndarray or None
        Cuánto cuenta cada observación, por salida.
    unseen : dict of int to str, optional
        De las entradas en que nadie ha mirado si hay algo que no sea finito, su nombre.
    """

    def __init__(self, xs, dtypes, ys=(), weights=(), unseen=None):
        self.xs, self.dtypes, self.ys, self.weights = xs, dtypes, list(ys), list(weights)
        self.shapes = [x.shape[1:] for x in xs]
        self.unseen = unseen or {}
        # Para qué pérdidas se preparó lo correcto, y con qué argumentos.
        self.asked = None
        self._line_up()

    def _line_up(self):
        # Un autocodificador predice su entrada: no hace falta copiarla dos veces.
        self.same = [next((k for k, x in enumerate(self.xs) if _same(x, y)), None) for y in self.ys]
        self.columns = []
        self.inputs = [
            self._column("x", k, x, dtype) for k, (x, dtype) in enumerate(zip(self.xs, self.dtypes, strict=True))
        ]
        self.targets = [self._column("y", k, y) for k, y in enumerate(self.ys)]
        self.weighing = [self._column("weight", k, weight) for k, weight in enumerate(self.weights)]
        # Cómo son, sin mirar sus números; y si una tabla puede decir dónde está cada fila.
        self.kinds = *self.same, *((c.name, c.array.shape[1:], c.array.dtype, c.dtype) for c in self.columns)
        in_rows = all(column.array[:1].flags.c_contiguous for column in self.columns)
        self.in_rows = in_rows and not config.DISABLE_JIT

    def _column(self, name, k, array, dtype=None):
        if array is None:
            return None
        column = Column(array, dtype or array.dtype, f"data {name} {k}", len(self.columns))
        self.columns.append(column)
        return column

    def weigh(self, weight):
        r"""Cambia los pesos de la única salida."""
        self.weights[0] = weight
        self._line_up()

    def aim(self, model):
        r"""Prepara otra vez lo correcto, si ya no se mide como cuando se preparó."""
        targets = model.targets()
        asked = _asked(targets)
        if self.asked is None or self.asked == asked:
            return
        for k, (target, y, shape) in enumerate(zip(targets, self.ys, _output_shapes(model, self.xs), strict=True)):
            where = "" if len(targets) == 1 else f"{target.name}, "
            self.ys[k] = checked_target(target, y, shape, model.dtype, where, len(self))
        self.asked = asked
        self._line_up()

    def point(self, table):
        r"""Apunta en una tabla dónde están las columnas."""
        for column in self.columns:
            table.point(column.number, column.array)

    def __len__(self):
        r"""Cuántas observaciones."""
        return len(self.xs[0])

    def part(self, rows):
        r"""Da unas filas, sin copiarlas si son seguidas."""
        xs = [x[rows] for x in self.xs]
        ys = [
            xs[k] if k is not None else None if y is None else y[rows] for k, y in zip(self.same, self.ys, strict=True)
        ]
        part = Data(xs, self.dtypes, ys, [None if w is None else w[rows] for w in self.weights])
        part.asked = self.asked
        return part

    def split(self, at):
        r"""Separa las primeras ``at`` observaciones de las demás."""
        return self.part(slice(0, at)), self.part(slice(at, None))

    def batch(self, replica, rows):
        r"""Da lo que entra de unas filas; una lista, si son varias entradas."""
        if len(self.inputs) == 1:
            return self.inputs[0].rows(replica, rows)
        return [column.rows(replica, rows) for column in self.inputs]

    def target(self, replica, rows, x, k, divisor, mask=None):
        r"""Da lo correcto de la salida ``k`` en unas filas, y los pesos: entre ``divisor``, y tal cual.

        Con la máscara de esas filas, los pesos son cero donde no cuenta.
        """
        if self.targets[k] is None:
            return None, None, None
        same = self.same[k]
        y = self.targets[k].rows(replica, rows) if same is None else each(x)[same]
        if mask is not None:
            own = None if self.weighing[k] is None else self.weighing[k].rows(replica, rows)
            raw = masked(own, mask, replica.dtype)
            return y, raw * raw.dtype.type(1 / divisor), raw
        if self.weighing[k] is None:
            return y, uniform_weight(replica, len(y), divisor), None
        raw = self.weighing[k].rows(replica, rows)
        weight = replica.buffer(("data weighed", k), raw.shape, raw.dtype)
        multiply(raw, 1 / divisor, weight)
        return y, weight, raw

    # --- Como origen de lotes ---

    def steps(self, batch_size):
        r"""Cuántos lotes hay en una época."""
        return -(-len(self) // batch_size)

    def first(self):
        r"""Da unos datos, para saber cómo son."""
        return self

    def batches(self, batch_size, generator, limit=None):
        r"""Da los lotes de una época: los datos, en qué orden van, y desde y hasta dónde.

        Parameters
        ----------
        batch_size : int
            De cuántas observaciones.
        generator : numpy.random.Generator or None
            Con qué se barajan, si se barajan.
        limit : int, optional
            Cuántos lotes, a lo sumo.
        """
        n = len(self)
        order = None if generator is None else generator.permutation(n)
        starts = range(0, n, batch_size)
        for start in starts if limit is None else starts[:limit]:
            yield self, order, start, min(start + batch_size, n)


def changing_arguments(thing):
    r"""Da los argumentos de una pérdida, una métrica o una activación, para saber si cambian.

    De una lista, cómo está ahora: se puede cambiar por dentro.
    """
    plain = int, float, bool, str, type(None)
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in getattr(thing, "__dict__", {}).items()
        if isinstance(value, plain)
        or (isinstance(value, (list, tuple)) and all(isinstance(one, plain) for one in value))
    }


def _output_shapes(model, xs):
    shapes = [x.shape[1:] for x in xs]
    return each(model.compute_output_shape(shapes if model.several else shapes[0]))


def _asked(targets):
    return [(target.loss, bool(target.metrics), changing_arguments(target.loss)) for target in targets]


def _same(x, y):
    return y is not None and y.shape == x.shape and y.dtype == x.dtype and y.ctypes.data == x.ctypes.data


class Stream:
    r"""Un origen que da los lotes ya hechos: un generador, o un objeto con ``__len__`` y ``__getitem__``.

    Mientras un lote entrena, otro hilo pide los siguientes.

    Parameters
    ----------
    model : Model
        El que los va a usar.
    source : object
        El origen. Cada lote es ``x``, ``(x, y)`` o ``(x, y, sample_weight)``.
    name : str
        Nombre del argumento, para el mensaje.
    class_weight : dict, optional
        Como en ``Model.fit``.
    with_targets : bool
        Si hace falta lo correcto.
    step : str
        Para qué son, como en :func:`prepare`.
    """

    def __init__(self, model, source, name, class_weight=None, with_targets=True, step="train_step"):
        self.model, self.source, self.name, self.step_name = model, source, name, step
        self.class_weight, self.with_targets = class_weight, with_targets
        self.indexed = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        # Un generador se gasta; lo demás se puede recorrer otra vez.
        self.restarts = not hasattr(source, "__next__")
        self.iterator = None
        self.held = None
        self.epoch = 0

    def steps(self, batch_size):
        r"""Cuántos lotes hay en una época, o ``None`` si no se sabe."""
        if not self.indexed:
            return None
        # Lo que contesta el de quien escribió la clase, sin pasar por ``len``, que se queja en inglés.
        return check.integer(self.source.__len__(), f"{self.name}, __len__()", 0)

    def first(self):
        r"""Da el primer lote, sin gastarlo."""
        if self.held is None:
            batch = next(self._raw(None, 1), None)
            if batch is None:
                raise ValueError(f"{self.name}: se esperaba al menos un lote, pero no dio ninguno")
            self.held = self._prepared(batch)
            if self.restarts:
                self.iterator = None
        return self.held

    def batches(self, batch_size, generator, limit=None):
        r"""Da los lotes de una época, como :meth:`Data.batches`; ``batch_size`` no cuenta: ya están hechos."""
        count = 0
        if hasattr(self.source, "on_epoch_begin"):
            self.source.on_epoch_begin()
        if self.held is not None and not self.restarts:
            data, self.held = self.held, None
            yield data, None, 0, len(data)
            count = 1
        if limit is None or count < limit:
            for batch in _ahead(self._raw(generator, None if limit is None else limit - count)):
                data = self._prepared(batch)
                yield data, None, 0, len(data)
                count += 1
        if not count or (limit is not None and count < limit and not self.restarts):
            wanted = "al menos un lote" if limit is None else f"{limit} lotes por época"
            raise ValueError(
                f"{self.name}: se esperaban {wanted}, pero el generador se acabó en la época {self.epoch + 1}; da uno "
                f"que no se acabe y steps_per_epoch, o un objeto con __len__ y __getitem__"
            )
        self.epoch += 1
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()

    def _raw(self, generator, limit=None):
        if self.indexed:
            n = self.steps(None)
            if not n:
                raise ValueError(f"{self.name}: se esperaba al menos un lote, pero len es 0")
            order = range(n) if generator is None else generator.permutation(n).tolist()
            for k in order[:limit]:
                yield self.source[k]
            return
        if self.iterator is None or (self.restarts and limit is None):
            self.iterator = iter(self.source)
        count, fresh = 0, False
        while True:
            for batch in self.iterator:
                fresh = False
                count += 1
                yield batch
                if count == limit:
                    return
            # Si se acaba antes de tiempo y se puede, empieza otra vez; si recién empezado no da nada, no hay más.
            if limit is None or not self.restarts or fresh:
                return
            self.iterator, fresh = iter(self.source), True

    def _prepared(self, batch):
        batch = batch if isinstance(batch, tuple) else (batch,)
        if not 1 <= len(batch) <= 3:
            raise ValueError(
                f"{self.name}: se esperaban lotes (x, y) o (x, y, sample_weight), pero llegó uno de {len(batch)}"
            )
        if not self.with_targets:
            return prepared_inputs(self.model, batch[0], self.name)
        own = callable(getattr(self.model, self.step_name, None))
        if len(batch) == 1 and not own:
            raise ValueError(f"{self.name}: se esperaban lotes (x, y), pero llegó uno sin y")
        data = prepare(self.model, *(*batch, None)[:3], prefix=f"{self.name}, ", step=self.step_name)
        weigh_classes(data, self.class_weight, self.model)
        return data


def _copied(batch):
    if type(batch) in (tuple, list):
        return type(batch)(map(_copied, batch))
    if isinstance(batch, dict):
        return {name: _copied(value) for name, value in batch.items()}
    return batch.copy() if type(batch) is np.ndarray else batch


def _ahead(batches):
    # Pide los lotes desde otro hilo, unos pocos por delante.
    ready, stop = queue.Queue(AHEAD), threading.Event()

    def put(item):
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
                return
            except queue.Full:
                pass

    def work():
        try:
            for batch in batches:
                # Quien los da puede usar otra vez los mismos arreglos, y estos esperan.
                put(("batch", _copied(batch)))
                if stop.is_set():
                    return
            put(("end", None))
        except BaseException as error:
            # Se vuelve a lanzar en el hilo que espera.
            put(("error", error))

    thread = threading.Thread(target=work, name="dlbook-datos", daemon=True)
    thread.start()
    try:
        while True:
            kind, value = ready.get()
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        stop.set()
        thread.join()


def is_stream(x):
    r"""Dice si algo da los lotes ya hechos, en vez de ser los datos."""
    if isinstance(x, (np.ndarray, list, tuple, dict, str, bytes)) or hasattr(x, "__array__") or hasattr(x, "dtypes"):
        return False
    return hasattr(x, "__next__") or (hasattr(x, "__getitem__") and hasattr(x, "__len__")) or hasattr(x, "__iter__")


def prepared_inputs(model, x, name, later=False):
    r"""Comprueba las observaciones y las da contiguas, en el tipo en que llegaron; un :class:`Data` sin lo correcto.

    Con ``later``, que sean finitas se mira después, trozo por trozo: leer dos veces todos los datos cuesta.
    """
    xs, unseen = _checked_inputs(model, x, name, later)
    return Data(xs, model.input_dtypes, unseen=unseen)


def _checked_inputs(model, x, name, later):
    # Las observaciones, y de las que nadie ha mirado si son finitas, el nombre.
    if getattr(model, "taped", False):
        model.notice(x)
    xs = model.arranged(x, name) if model.several else [_only_input(model, x, name)]
    names = [f"{name}[{k}]" for k in range(len(xs))] if model.several else [name]
    xs = [check.numbers_of(one, where) for one, where in zip(xs, names, strict=True)]
    xs = each(model.fitting(xs if model.several else xs[0], name))
    unseen = {}
    for k, (one, where, dtype) in enumerate(zip(xs, names, model.input_dtypes, strict=True)):
        if later and one.dtype == dtype and dtype.kind == "f":
            unseen[k] = where
        elif dtype.kind == "f":
            check.finite(one, where, dtype)
        elif one.dtype.kind != "i":
            # Los que caben en un byte se quedan como llegaron; de los demás se mira que sean enteros, y que quepan.
            xs[k] = one if one.dtype == np.uint8 else check.whole(one, where)
    return xs, unseen


def _only_input(model, x, name):
    # Con una sola entrada también vale una lista de un arreglo, o un diccionario con su nombre.
    if isinstance(x, dict):
        names = model.input_names
        if set(x) != set(names):
            raise ValueError(f"{name}: se esperaba la entrada {names[0]!r}, pero llegaron {list(x)}")
        return x[names[0]]
    if not isinstance(x, (list, tuple)) or len(x) != 1:
        return x
    try:
        return x[0] if np.ndim(x[0]) > 1 else x
    except ValueError:
        raise ValueError(
            f"{name}: se esperaba un arreglo, pero llegó un {type(x[0]).__name__} de varias formas"
        ) from None


def prepare(model, x, y, sample_weight=None, prefix="", step="train_step", later=False):
    r"""Comprueba observaciones, lo correcto y pesos; devuelve un :class:`Data`.

    Si el modelo define su propio paso, ``train_step`` o ``test_step``, lo correcto va como llegó: solo él lo lee. Con
    ``later``, lo de :func:`prepared_inputs`.
    """
    if callable(getattr(model, step, None)):
        return _as_given(model, x, y, sample_weight, prefix)
    xs, unseen = _checked_inputs(model, x, f"{prefix}x", later)
    if y is x and not model.several:
        # Lo que entra es también lo correcto: un solo arreglo, ya en el tipo del modelo.
        y = np.require(xs[0], model.dtype, ["C", "A"])
        xs = [y]
    targets, shapes = model.targets(), _output_shapes(model, xs)
    ys = per_output(y, targets, f"{prefix}y")
    weights = per_output(sample_weight, targets, f"{prefix}sample_weight", same=True)
    checked, weighing = [], []
    for target, one, weight, shape in zip(targets, ys, weights, shapes, strict=True):
        where = prefix if len(targets) == 1 else f"{prefix}{target.name}, "
        checked.append(checked_target(target, one, shape, model.dtype, where, len(xs[0])))
        weighing.append(_checked_weight(weight, where, len(xs[0]), model.dtype, shape))
    data = Data(xs, model.input_dtypes, checked, weighing, unseen)
    data.asked = _asked(targets)
    return data


def _alone(parts):
    return None if not parts else parts[0] if len(parts) == 1 else parts


def _as_given(model, x, y, weight, prefix):
    # Un modelo con sus propios pasos recibe los lotes tal cual: solo él sabe qué son.
    xs = list(x) if isinstance(x, (list, tuple)) and all(np.ndim(one) > 1 for one in x) else [x]
    ys = [] if y is None else list(y) if isinstance(y, (list, tuple)) and all(np.ndim(one) > 1 for one in y) else [y]
    xs = [check.numbers_of(one, f"{prefix}x") for one in xs]
    for one in xs:
        check.finite(one, f"{prefix}x", model.dtype)
    dtypes = [np.dtype("int64") if one.dtype.kind in "iu" and one.dtype.itemsize > 1 else model.dtype for one in xs]
    weights = [] if weight is None else [check.floats(weight, f"{prefix}sample_weight")]
    return Data(xs, dtypes, [check.numbers_of(one, f"{prefix}y") for one in ys], weights)


def per_output(value, targets, where, same=False):
    r"""Da lo de cada salida: de una lista, de un diccionario con sus nombres o, con ``same``, lo mismo para todas."""
    if len(targets) == 1 and not isinstance(value, dict):
        return [value]
    if value is None or (same and not isinstance(value, (list, tuple, dict))):
        return [value] * len(targets)
    if not isinstance(value, (list, tuple, dict)):
        raise ValueError(f"{where}: se esperaba una lista de {len(targets)} arreglos, uno por salida, o un diccionario")
    return distribute(value, [target.name for target in targets], where)


def checked_target(target, y, shape, dtype, prefix, n):
    r"""Da lo correcto de una salida, comprobado y como lo espera su pérdida; ``None`` si nadie lo va a mirar."""
    if target.loss is None and not target.metrics:
        return None
    if y is None:
        raise ValueError(f"{prefix}y: falta lo correcto")
    try:
        if target.loss is None:
            y = check.numbers_of(y, "y")
            check.finite(y, "y")
        else:
            y = _prepared(target.loss, y, shape, dtype)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{prefix}{error}") from None
    if len(y) != n:
        raise ValueError(f"{prefix}y: se esperaban {n} observaciones, como en x, pero llegaron {len(y)}")
    return y


def _checked_weight(weight, prefix, n, dtype, shape):
    if weight is None:
        return None
    weight = check.floats(weight, f"{prefix}sample_weight")
    # Como lo correcto, un peso por observación se puede escribir (n,) o (n, 1).
    weight = weight[:, 0] if weight.ndim == 2 and weight.shape[1] == 1 else weight
    if weight.ndim > 1 and weight.shape == (n, *shape)[: min(weight.ndim, len(shape))]:
        # Uno por vector de la salida, como cada instante de una secuencia.
        weight = np.ascontiguousarray(weight, dtype)
    else:
        weight = check.floats(weight, f"{prefix}sample_weight", "n", {"n": n}).astype(dtype)
    if weight.min() < 0:
        raise ValueError(f"{prefix}sample_weight: se esperaban pesos de al menos 0, pero hay un {weight.min():g}")
    return weight


def _class(key):
    # Una clase de un diccionario: un entero, aunque venga como booleano o como 1.0.
    if isinstance(key, (bool, np.bool_)) or (isinstance(key, (float, np.floating)) and float(key).is_integer()):
        key = int(key)
    if isinstance(key, str):
        raise TypeError(
            f"class_weight: se esperaba un entero por clase, pero llegó {key!r}; usa los números con que y las escribe"
        )
    return check.integer(key, "class_weight", 0)


def _prepared(loss, y, output_shape, dtype):
    y = loss.prepare(y, output_shape, dtype)
    # Si la pérdida es de quien lee pero la calcula una del libro, esa dice qué espera.
    owner = next(c for c in type(loss).__mro__ if "shard" in vars(c))
    if owner is not type(loss) and registry.ours(owner):
        y = owner.prepare(loss, y, output_shape, dtype)
    if not isinstance(y, np.ndarray) or y.ndim == 0 or y.dtype.kind not in "biuf":
        came = f"{y.dtype} de forma {y.shape}" if isinstance(y, np.ndarray) else type(y).__name__
        raise TypeError(f"{type(loss).__name__}.prepare: se esperaba un arreglo de números, pero devolvió {came}")
    return np.require(y, requirements=["C", "A"])


def weigh_classes(data, class_weight, model):
    r"""Multiplica el peso de cada observación por el de su clase."""
    if class_weight is None:
        return
    if len(data.ys) != 1:
        raise ValueError("class_weight: solo se admite en un modelo de una salida; usa sample_weight")
    y = data.ys[0]
    if not isinstance(class_weight, dict):
        raise TypeError(f"class_weight: se esperaba un diccionario de clase y peso, pero llegó {class_weight!r}")
    weights = {_class(k): check.number(v, f"class_weight[{k!r}]", 0) for k, v in class_weight.items()}
    if y.ndim > (1 if y.dtype.kind == "i" else 2):
        raise ValueError(f"class_weight: se esperaba una clase por observación, pero y tiene forma {y.shape}")
    if y.dtype.kind == "i":
        labels, classes = y, model.compute_output_shape(model.input_shape)[-1]
    elif y.ndim == 2 and y.shape[1] > 1:
        labels, classes = y.argmax(axis=1), y.shape[1]
    else:
        # Una etiqueta que es casi 1 es un 1. Sin columnas que contar, las clases son las que haya, y al menos dos.
        labels = np.rint(y.reshape(-1)).astype(np.int64)
        classes = max(2, int(labels.max()) + 1)
    outside = [k for k in weights if k >= classes]
    if outside:
        raise ValueError(f"class_weight: se esperaba una clase entre 0 y {classes - 1}, pero llegó la {outside[0]}")
    of_class = np.array([weights.get(c, 1.0) for c in labels.tolist()], model.dtype)
    weight = of_class if data.weights[0] is None else data.weights[0] * of_class
    data.weigh(weight)


def source_of(model, x, y, sample_weight, name, class_weight=None, with_targets=True, step="train_step", later=False):
    r"""Da el origen de los lotes: un :class:`Data`, si son arreglos, o un :class:`Stream`.

    ``later`` es el de :func:`prepared_inputs`.
    """
    if is_stream(x):
        if y is not None or sample_weight is not None:
            raise ValueError(f"{name}: si x da los lotes, y y sample_weight van dentro de cada lote")
        return Stream(model, x, name, class_weight, with_targets, step)
    if not with_targets:
        return prepared_inputs(model, x, name, later)
    data = prepare(model, x, y, sample_weight, step=step, later=later)
    weigh_classes(data, class_weight, model)
    return data


def train_and_validation(model, x, y, sample_weight, class_weight, split, validation_data):
    r"""Da los datos con que se entrena y, si los hay, los que se apartan para validar."""
    split = check.number(split, "validation_split", 0, 1, open_high=True)
    if is_stream(x):
        if split:
            raise ValueError("validation_split: solo se puede apartar de unos arreglos; usa validation_data")
        train = source_of(model, x, y, sample_weight, "x", class_weight)
        # Así se construye el modelo, si no lo está.
        train.first()
    else:
        train = prepare(model, x, y, sample_weight)
    validation = None
    if validation_data is not None:
        if is_stream(validation_data):
            validation = Stream(model, validation_data, "validation_data", step="test_step")
        elif not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise TypeError("validation_data: se esperaba (x, y) o (x, y, sample_weight)")
        else:
            validation = prepare(model, *validation_data, prefix="validation_data, ", step="test_step")
    elif split:
        at = math.floor(len(train) * (1 - split))
        if not 0 < at < len(train):
            raise ValueError(f"validation_split: con {len(train)} observaciones, {split} no deja datos en un lado")
        train, validation = train.split(at)
        if callable(getattr(model, "train_step", None)) and not callable(getattr(model, "test_step", None)):
            # Lo que solo leía el paso propio lo leerá la pérdida.
            parts = (validation.xs, validation.ys, validation.weights)
            validation = prepare(model, *(_alone(part) for part in parts), step="test_step")
    if isinstance(train, Data):
        # Las clases solo pesan al entrenar: la validación se mide como es.
        weigh_classes(train, class_weight, model)
    return train, validation


def uniform_weight(replica, rows, divisor):
    r"""Da ``rows`` pesos iguales a ``1 / divisor``, siempre los mismos."""
    weight = replica.buffers.get(("data uniform", rows, divisor))
    if weight is None:
        weight = replica.buffers["data uniform", rows, divisor] = np.full(rows, 1 / divisor, replica.dtype)
    return weight


def check_mask(mask, shape):
    r"""Comprueba que una máscara diga qué vectores de una salida cuentan.

    >>> check_mask([[1, 0]], (1, 2, 5))
    array([[ True, False]])
    >>> check_mask([[1, 0]], (1, 3, 5))
    Traceback (most recent call last):
        ...
    ValueError: mask: se esperaba la forma (1, 3), un valor por vector de la salida, pero llegó (1, 2)
    >>> check_mask([[1, 0.5]], (1, 2, 5))
    Traceback (most recent call last):
        ...
    ValueError: mask: se esperaban unos y ceros, pero hay un 0.5

    Parameters
    ----------
    mask : array_like of bool, shape (n, t)
        La máscara.
    shape : tuple of int
        La forma de la salida, ``(n, t, ...)``.

    Returns
    -------
    ndarray of bool
    """
    mask = check.mask(mask, "mask")
    if mask.ndim == 0 or mask.ndim > max(1, len(shape) - 1) or mask.shape != shape[: mask.ndim]:
        wanted = shape[:-1] if len(shape) > 1 else shape
        raise ValueError(
            f"mask: se esperaba la forma {wanted}, un valor por vector de la salida, pero llegó {mask.shape}"
        )
    return mask


def masked(weight, mask, dtype):
    r"""Da el peso de cada vector de una salida: el suyo, o el de su observación, y cero donde no cuenta.

    >>> masked(np.array([2.0, 3.0]), np.array([[True, False], [True, True]]), "float64")
    array([[2., 0.],
           [3., 3.]])

    Parameters
    ----------
    weight : ndarray or None
        Los pesos; sin ellos, unos.
    mask : ndarray of bool
        Qué vectores cuentan.
    dtype : numpy.dtype
        El tipo de los pesos.

    Returns
    -------
    ndarray
    """
    if weight is None:
        return mask.astype(dtype)
    axes = max(weight.ndim, mask.ndim)
    return np.ascontiguousarray(aligned(weight, axes) * aligned(mask, axes), dtype)


def aligned(array, axes):
    r"""Da un arreglo con unos al final de su forma, para que sus ejes se alineen por el principio.

    >>> aligned(np.zeros((2, 3)), 4).shape
    (2, 3, 1, 1)

    Parameters
    ----------
    array : ndarray
        El arreglo.
    axes : int
        Cuántos ejes.

    Returns
    -------
    ndarray
    """
    return array.reshape(array.shape + (1,) * (axes - array.ndim))
