r"""Los pesos en HDF5, con los dos repartos de Keras: el de ``.weights.h5`` y ``.keras``, y el de los ``.h5`` de antes.

HDF5 guarda arreglos en un árbol de grupos, como carpetas. Lo lee y lo escribe la biblioteca ``h5py``, que es opcional.
De un archivo ajeno no se sigue ningún enlace a otra parte, y cada arreglo se mide antes de leerlo.
"""

import contextlib
import io
import json

import numpy as np

from dlbook import registry
from dlbook.saving import files

MAGIC = b"\x89HDF\r\n\x1a\n"
# HDF5 no admite atributos más grandes en su lugar de siempre; Keras reparte en varios las listas de nombres largas.
MOST_ATTRIBUTE_BYTES = 64512
# Las listas y los textos de un archivo ajeno.
MOST_NAMES = 100_000
# De qué optimizadores guarda Keras juntos, peso por peso, los dos primeros vectores que recuerdan.
TOGETHER = ("Adadelta", "Adam", "Adamax", "AdamW", "Nadam")


def h5py():
    r"""Da el módulo ``h5py``.

    Raises
    ------
    ImportError
        Si no está instalado.
    """
    try:
        import h5py as module
    except ImportError:
        raise ImportError("los archivos .keras y .h5 necesitan ``h5py``; instálalo con ``pip install h5py``") from None
    return module


@contextlib.contextmanager
def reading(content):
    r"""Abre para leer el contenido de un archivo HDF5.

    Parameters
    ----------
    content : bytes
        El archivo, entero.

    Raises
    ------
    ValueError
        Si está dañado.
    """
    module = h5py()
    try:
        with module.File(io.BytesIO(content), "r") as file:
            yield file
    except (OSError, KeyError, RuntimeError, UnicodeDecodeError) as error:
        raise ValueError(f"el HDF5 está dañado o incompleto ({error!s:.120})") from None


def written(fill):
    r"""Da el contenido de un archivo HDF5 que llena una función, a la que se le entrega abierto."""
    content = io.BytesIO()
    with h5py().File(content, "w") as file:
        fill(file)
    return content.getvalue()


# --- Leer sin confiar ---


def group(parent, path):
    r"""Da un grupo que está de verdad en el archivo, o ``None``."""
    for part in path.split("/"):
        parent = _inside(parent, part, h5py().Group)
        if parent is None:
            return None
    return parent


def _inside(parent, name, cls):
    module = h5py()
    link = parent.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, module.HardLink) or parent.get(name, getclass=True) is not cls:
        raise ValueError(f"{name[:60]!r} no es lo que se esperaba, o es un enlace a otra parte")
    return parent[name]


def array(parent, path, shape=None):
    r"""Lee un arreglo de números reales: de la forma pedida, guardado entero y sin comprimir.

    Parameters
    ----------
    parent : h5py.Group
        Dónde.
    path : str
        Su nombre dentro de él.
    shape : tuple of int, optional
        La forma que ha de tener; sin ella, un solo número.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        Si no está, o no es eso.
    """
    *folders, name = path.split("/")
    for folder in folders:
        parent = _inside(parent, folder, h5py().Group)
        if parent is None:
            raise ValueError(f"le falta {path[:80]!r}")
    data = _inside(parent, name, h5py().Dataset)
    if data is None:
        raise ValueError(f"le falta {path[:80]!r}")
    shape = () if shape is None else shape
    if data.shape != shape:
        raise MismatchError(f"se esperaba {path[:80]!r} de forma {shape}, pero es de forma {data.shape}")
    if data.dtype.kind not in "fiub" or data.dtype.itemsize > 8:
        raise ValueError(f"{path[:80]!r} es de un tipo que aquí no se usa, {data.dtype}")
    if data.is_virtual or data.external or data.id.get_storage_size() != data.nbytes:
        raise ValueError(f"{path[:80]!r} está comprimido, a medias o en otro archivo, y así no se lee")
    values = data[()]
    if not np.isfinite(values).all():
        raise ValueError(f"{path[:80]!r} tiene NaN o infinitos")
    return np.asarray(values)


class MismatchError(ValueError):
    r"""Un peso del archivo que no es de la forma del de la red."""


def text(parent, name):
    r"""Da un atributo que es un JSON, ya leído; ``None`` si no está."""
    if name not in parent.attrs:
        return None
    value = parent.attrs[name]
    value = value.decode("utf-8") if isinstance(value, bytes) else value
    if not isinstance(value, str):
        raise ValueError(f"su atributo {name!r} no es un texto")
    return files.parse(value)


def names(parent, name):
    r"""Da una lista de nombres que está en un atributo, o repartida en varios."""
    chunks = [name] if name in parent.attrs else []
    while f"{name}{len(chunks)}" in parent.attrs:
        chunks.append(f"{name}{len(chunks)}")
    found = [one for chunk in chunks for one in np.ravel(parent.attrs[chunk])]
    if not chunks or len(found) > MOST_NAMES:
        raise ValueError(f"le falta la lista {name!r}, o no es una lista de nombres")
    # Una lista vacía puede ser de cualquier tipo.
    found = [one.decode("utf-8") if isinstance(one, bytes) else one for one in found]
    if not all(isinstance(one, str) and one for one in found):
        raise ValueError(f"la lista {name!r} no es de nombres")
    return found


def _unstorable(name):
    # Con nulos, o un «.» o un «/» solos, que en HDF5 son la carpeta en que ya se está.
    return ValueError(f"name: en un HDF5 no cabe una capa de nombre {name!r:.60}; dale otro o guarda en .safetensors")


def _write_names(parent, name, values):
    values = np.array([value.encode("utf-8") for value in values], "S" if values else "f8")
    step = max(1, MOST_ATTRIBUTE_BYTES // max(1, values.itemsize))
    if len(values) <= step:
        parent.attrs[name] = values
        return
    for k, start in enumerate(range(0, len(values), step)):
        parent.attrs[f"{name}{k}"] = values[start : start + step]


# --- El reparto de .weights.h5: una carpeta por capa, con el nombre de su clase ---


def places(layer, path=""):
    r"""Da cada capa con la carpeta en que Keras guarda sus pesos.

    >>> from chapters.mlp import Dense, Input, Sequential
    >>> model = Sequential([Input((2,)), Dense(3), Dense(1)])
    >>> [place for place, *_ in places(model)]
    ['vars', 'layers/dense/vars', 'layers/dense_1/vars']

    Parameters
    ----------
    layer : Layer
        Una capa o un modelo.
    path : str
        La carpeta en que está.

    Yields
    ------
    tuple of (str, Layer, list of ndarray)
        La carpeta, la capa y los pesos suyos que van en ella.
    """
    own = dict(zip(layer.weight_names, own_weights(layer), strict=True))
    for folder, inside in layer.weight_folders:
        # Son varias carpetas: en cada una, los pesos cuyo nombre empieza como ella.
        yield f"{path}{inside}/vars", layer, [own.pop(name) for name in [*own] if name.startswith(f"{folder}/")]
    yield f"{path}{layer.own_folder}{'/' if layer.own_folder else ''}vars", layer, list(own.values())
    if layer.inner_folders is not None:
        for name, inner in zip(layer.inner_folders, layer.layers, strict=True):
            yield from places(inner, f"{path}{name}/")
        return
    used = {}
    for inner in layer.layers:
        name = registry.snake_case(type(inner).__name__)
        used[name] = used.get(name, -1) + 1
        name = f"{name}_{used[name]}" if used[name] else name
        yield from places(inner, f"{path}layers/{name}/")


def own_weights(layer):
    r"""Da los pesos propios de una capa, sin los de las que contiene."""
    return layer.weights[: len(layer.weight_names)]


def write(file, model, trained):
    r"""Escribe los pesos y, si se entrenó, lo que recuerda el optimizador, con el reparto de ``.weights.h5``."""
    for place, layer, own in places(model):
        folder = file.create_group(place)
        try:
            folder.attrs["name"] = layer.name
        except ValueError:
            raise _unstorable(layer.name) from None
        for k, weight in enumerate(own):
            folder[str(k)] = weight
    if trained:
        folder = file.create_group("optimizer/vars")
        folder.attrs["name"] = type(model.optimizer).__name__.lower()
        for k, (_, value) in enumerate(optimizer_variables(model)):
            folder[str(k)] = value


def weights(file, model, skip_mismatch=False):
    r"""Lee los pesos de un modelo; ``None`` en el lugar de los que se saltan.

    Returns
    -------
    list of (ndarray, ndarray or None)
        Cada peso de la red, y lo que le toca.
    """
    found = []
    for place, layer, own in places(model):
        folder = group(file, place)
        count = sum(isinstance(key, str) and key.isdigit() for key in folder) if folder is not None else 0
        if count != len(own):
            if skip_mismatch:
                continue
            raise MismatchError(f"{layer.name}: se esperaban {len(own)} pesos en {place!r}, pero hay {count}")
        found += [(w, _one(folder, str(k), w, f"{place}/{k}", skip_mismatch)) for k, w in enumerate(own)]
    return found


def _one(folder, name, weight, where, skip_mismatch):
    try:
        return array(folder, name, weight.shape)
    except MismatchError as error:
        if skip_mismatch:
            return None
        raise MismatchError(str(error).replace(repr(name), repr(where))) from None


# --- El reparto de los .h5 de antes: una carpeta por capa, con su nombre, y los pesos con los suyos ---


def _in_legacy_order(layer):
    # Primero los que se aprenden de todas las de adentro, y luego los demás.
    return layer.trainable_weights + layer.non_trainable_weights


def _paths(layer, prefix):
    for name, weight in zip(layer.weight_names, own_weights(layer), strict=True):
        yield id(weight), f"{prefix}{layer.name}/{name}"
    for inner in layer.layers:
        yield from _paths(inner, f"{prefix}{layer.name}/")


def write_legacy_weights(folder, model):
    r"""Escribe los pesos con el reparto de antes."""
    _write_names(folder, "layer_names", [layer.name for layer in model.layers])
    folder.attrs["backend"], folder.attrs["keras_version"] = "numpy", "3.0.0"
    for layer in sorted(model.layers, key=lambda layer: layer.name):
        try:
            inner = folder.create_group(layer.name)
        except ValueError:
            raise _unstorable(layer.name) from None
        paths = dict(_paths(layer, f"{model.name}/"))
        weights = _in_legacy_order(layer)
        _write_names(inner, "weight_names", [paths[id(w)] for w in weights])
        for weight in weights:
            inner[paths[id(weight)]] = weight
    _write_names(folder.create_group("top_level_model_weights"), "weight_names", [])


def legacy_weights(folder, model, skip_mismatch=False):
    r"""Lee los pesos con el reparto de antes, que se emparejan por orden; como :func:`weights`."""
    saved = []
    for name in names(folder, "layer_names"):
        inner = group(folder, name)
        if inner is None:
            raise ValueError(f"le falta la capa {name[:60]!r}")
        if found := names(inner, "weight_names"):
            saved.append((name, inner, found))
    layers = [layer for layer in model.layers if layer.weights]
    if len(saved) != len(layers):
        raise MismatchError(f"se esperaban {len(layers)} capas con pesos, pero hay {len(saved)}")
    pairs = []
    for layer, (name, inner, paths) in zip(layers, saved, strict=True):
        own = _in_legacy_order(layer)
        if len(own) != len(paths):
            if skip_mismatch:
                continue
            raise MismatchError(f"{layer.name}: se esperaban {len(own)} pesos, pero en {name!r:.60} hay {len(paths)}")
        pairs += [(w, _one(inner, path, w, path, skip_mismatch)) for w, path in zip(own, paths, strict=True)]
    return pairs


# --- Lo que recuerda el optimizador ---


def _slot_groups(model):
    optimizer = model.optimizer
    if not optimizer.state:
        # Lo que recuerda se sabe cuando da un paso: lo da otro, igual, con un solo parámetro.
        optimizer = type(optimizer).from_config(optimizer.get_config())
        optimizer.step(np.zeros(1, model.dtype), np.zeros(1, model.dtype))
    # Keras pone primero la media de los pesos, si se lleva.
    slots = [slot for slot in optimizer.state if slot != "average"]
    together = 2 if type(optimizer).__name__ in TOGETHER else 1
    average = ["average"] if "average" in optimizer.state else []
    return [group for group in (average, slots[:together], *([s] for s in slots[together:])) if group]


def optimizer_variables(model):
    r"""Da lo que el optimizador recuerda, en el orden de Keras: pasos, tasa y, de cada peso, sus vectores.

    Yields
    ------
    tuple of (str, ndarray)
        El nombre y el arreglo.
    """
    optimizer, state = model.optimizer, model.optimizer.get_state()
    yield "iteration", np.array(optimizer.iterations, np.int64)
    if optimizer.schedule is None:
        yield "learning_rate", np.array(state["learning_rate"], np.float32)
    for slots in _slot_groups(model):
        start = 0
        for k, weight in enumerate(model.trainable_weights):
            for slot in slots:
                if slot in state:
                    yield f"{k}_{slot}", state[slot][start : start + weight.size].reshape(weight.shape)
            start += weight.size
    if hasattr(optimizer, "product"):
        # Nadam recuerda además el producto de sus fracciones.
        yield "u_product", np.array(optimizer.product, np.float32)


def write_legacy_optimizer(folder, model):
    r"""Escribe lo que recuerda el optimizador, con nombres."""
    prefix = type(model.optimizer).__name__.lower()
    values = {f"{prefix}/{name}": value for name, value in optimizer_variables(model)}
    _write_names(folder, "weight_names", list(values))
    for name, value in values.items():
        folder[name] = value


def optimizer_state(folder, model, paths):
    r"""Lee lo que recuerda el optimizador, en el orden de Keras.

    Parameters
    ----------
    folder : h5py.Group
        Dónde está.
    model : Model
        El modelo, ya compilado.
    paths : list of str
        Los nombres de los arreglos, en orden.

    Returns
    -------
    dict or None
        Para ``set_state`` del optimizador; ``None`` si no recuerda lo mismo que el de Keras.
    """
    optimizer, weights = model.optimizer, model.trainable_weights
    paths, state = list(paths), {}
    expected = [(slot, w) for slots in _slot_groups(model) for w in weights for slot in slots]
    scalars = 1 if optimizer.schedule is not None else 2
    if hasattr(optimizer, "product") and len(paths) > scalars:
        # Se calcula otra vez: no hace falta leerlo.
        paths = paths[:-1]
    if len(paths) not in (scalars, scalars + len(expected)):
        return None
    state["iterations"] = array(folder, paths[0])
    if scalars == 2:
        # La de Keras está en precisión sencilla; la de la configuración se guardó entera.
        rate, exact = float(array(folder, paths[1])), optimizer.learning_rate
        state["learning_rate"] = exact if np.float32(exact) == np.float32(rate) else rate
    if len(paths) == scalars:
        return state
    parts = {}
    for path, (slot, weight) in zip(paths[scalars:], expected, strict=True):
        parts.setdefault(slot, []).append(array(folder, path, weight.shape).astype(model.dtype).reshape(-1))
    return state | {slot: np.concatenate(values) for slot, values in parts.items()}


def write_json(parent, name, value):
    r"""Escribe un atributo que es un JSON."""
    parent.attrs[name] = json.dumps(value, allow_nan=False)
