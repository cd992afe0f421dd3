r"""Los datos de un entrenamiento: comprobados una vez, y cortados en lotes sin reservar memoria.

Los números se quedan en el tipo en que llegan: los de una foto caben en un byte, y pasarlos todos a ``float32``
ocuparía cuatro veces más. Se convierten lote por lote, al copiarlos.
"""

import math

import numpy as np

from dlbook import check, registry


class Data:
    r"""Observaciones, lo correcto y pesos, comprobados y listos para cortar."""

    def __init__(self, x, y, weight):
        self.x, self.y, self.weight = x, y, weight
        # Un autocodificador predice su entrada: no hace falta copiarla dos veces.
        self.same = y.shape == x.shape and y.dtype == x.dtype and y.ctypes.data == x.ctypes.data

    def split(self, at):
        r"""Separa las primeras ``at`` observaciones de las demás."""
        parts = []
        for rows in (slice(0, at), slice(at, None)):
            x = self.x[rows]
            y = x if self.same else self.y[rows]
            parts.append(Data(x, y, None if self.weight is None else self.weight[rows]))
        return parts

    def batch(self, replica, rows, n):
        r"""Da unas filas de un lote de ``n``: observaciones, lo correcto y pesos, que suman 1 en el lote entero."""
        x = rows_of(replica, "data x", self.x, rows, replica.dtype)
        y = x if self.same else rows_of(replica, "data y", self.y, rows, self.y.dtype)
        if self.weight is None:
            return x, y, uniform_weight(replica, len(x), n)
        weight = rows_of(replica, "data weight", self.weight, rows, replica.dtype, copy=True)
        weight *= weight.dtype.type(1 / n)
        return x, y, weight


def inputs(model, x, name):
    r"""Comprueba las observaciones y las da contiguas, en el tipo en que llegaron."""
    x = check.numbers_of(x, name)
    x = model.fitting(x, name)
    check.finite(x, name, model.dtype)
    return x


def prepare(model, x, y, sample_weight=None, prefix=""):
    r"""Comprueba observaciones, lo correcto y pesos; devuelve un :class:`Data`."""
    same = y is x
    x = inputs(model, x, f"{prefix}x")
    if same:
        x = y = np.require(x, model.dtype, ["C", "A"])
    output_shape = model.compute_output_shape(x.shape[1:])
    try:
        y = _prepared(model.loss, y, output_shape, model.dtype)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{prefix}{error}") from None
    if len(y) != len(x):
        raise ValueError(f"{prefix}y: se esperaban {len(x)} observaciones, como en x, pero llegaron {len(y)}")
    weight = None
    if sample_weight is not None:
        weight = check.floats(sample_weight, f"{prefix}sample_weight")
        # Como lo correcto, un peso por observación se puede escribir (n,) o (n, 1).
        weight = weight[:, 0] if weight.ndim == 2 and weight.shape[1] == 1 else weight
        weight = check.floats(weight, f"{prefix}sample_weight", "n", {"n": len(x)}).astype(model.dtype)
        if weight.min() < 0:
            raise ValueError(f"{prefix}sample_weight: se esperaban pesos de al menos 0, pero hay un {weight.min():g}")
    return Data(x, y, weight)


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


def _weigh_classes(data, class_weight, output_shape):
    if class_weight is None:
        return
    y = data.y
    if not isinstance(class_weight, dict):
        raise TypeError(f"class_weight: se esperaba un diccionario de clase y peso, pero llegó {class_weight!r}")
    weights = {_class(k): check.number(v, f"class_weight[{k!r}]", 0) for k, v in class_weight.items()}
    if y.ndim > (1 if y.dtype.kind == "i" else 2):
        raise ValueError(f"class_weight: se esperaba una clase por observación, pero y tiene forma {y.shape}")
    if y.dtype.kind == "i":
        labels, classes = y, output_shape[-1]
    elif y.ndim == 2 and y.shape[1] > 1:
        labels, classes = y.argmax(axis=1), y.shape[1]
    else:
        # Una etiqueta que es casi 1 es un 1. Sin columnas que contar, las clases son las que haya, y al menos dos.
        labels = np.rint(y.reshape(-1)).astype(np.int64)
        classes = max(2, int(labels.max()) + 1)
    outside = [k for k in weights if k >= classes]
    if outside:
        raise ValueError(f"class_weight: se esperaba una clase entre 0 y {classes - 1}, pero llegó la {outside[0]}")
    of_class = np.array([weights.get(c, 1.0) for c in labels.tolist()], data.x.dtype)
    data.weight = of_class if data.weight is None else data.weight * of_class


def train_and_validation(model, x, y, sample_weight, class_weight, split, validation_data):
    r"""Da los datos con que se entrena y, si los hay, los que se apartan para validar."""
    split = check.number(split, "validation_split", 0, 1, open_high=True)
    train, validation = prepare(model, x, y, sample_weight), None
    if validation_data is not None:
        if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
            raise TypeError("validation_data: se esperaba (x, y) o (x, y, sample_weight)")
        validation = prepare(model, *validation_data, prefix="validation_data, ")
    elif split:
        at = math.floor(len(train.x) * (1 - split))
        if not 0 < at < len(train.x):
            raise ValueError(f"validation_split: con {len(train.x)} observaciones, {split} no deja datos en un lado")
        train, validation = train.split(at)
    # Las clases solo pesan al entrenar: la validación se mide como es.
    _weigh_classes(train, class_weight, model.compute_output_shape(model.input_shape))
    return train, validation


def rows_of(replica, name, array, rows, dtype, copy=False):
    r"""Da unas filas contiguas y de un tipo, en un búfer de la réplica si hay que copiarlas."""
    # Un pedazo seguido ya está contiguo; los barajados, los de otro tipo y los de solo lectura se copian a un búfer.
    if isinstance(rows, slice):
        part = array[rows]
        if part.dtype == dtype and part.flags.carray and not copy:
            return part
    else:
        part = replica.buffer(f"{name} as it came", (len(rows), *array.shape[1:]), array.dtype)
        array.take(rows, axis=0, out=part, mode="clip")
        if part.dtype == dtype:
            return part
    out = replica.buffer(name, part.shape, dtype)
    np.copyto(out, part, casting="unsafe")
    return out


def uniform_weight(replica, rows, n):
    r"""Da ``rows`` pesos iguales a ``1 / n``, siempre los mismos."""
    weight = replica.buffers.get(("data uniform", rows, n))
    if weight is None:
        weight = replica.buffers["data uniform", rows, n] = np.full(rows, 1 / n, replica.dtype)
    return weight
