r"""Guardar una red y volver a tenerla: en safetensors, con la arquitectura en su cabecera, o como la guarda Keras."""

import json
import math

import numpy as np

from dlbook import check, paths, registry
from dlbook.saving import files, keras_files, objects
from dlbook.saving.architecture import clone, from_json, to_json
from dlbook.saving.config import (
    custom_object_scope,
    deserialize,
    get_custom_objects,
    register,
    serialize,
)
from dlbook.saving.weights import free, load_weights, save_weights, weight_names, writable
from dlbook.training import walk

FORMAT = "dlbook"
VERSION = 1

__all__ = [
    "clone",
    "custom_object_scope",
    "deserialize",
    "from_json",
    "get_custom_objects",
    "load",
    "load_weights",
    "register",
    "save",
    "save_weights",
    "serialize",
    "to_json",
    "weight_names",
]


def save(model, filepath, overwrite=True, *, include_optimizer=True):
    r"""Guarda un modelo en un archivo: pesos, arquitectura y lo que haga falta para seguir entrenando.

    El archivo es safetensors: los números tal como están en la memoria, precedidos por una cabecera que dice cómo se
    llama cada arreglo. Ahí mismo, como texto, van las capas y sus argumentos. Cualquier programa que lea safetensors
    puede abrirlo, y abrirlo no ejecuta nada.

    >>> import tempfile
    >>> from chapters.mlp.dense import Dense
    >>> from chapters.mlp.sequential import Input, Sequential
    >>> layers = [Input(shape=(2,)), Dense(3, activation="tanh"), Dense(1)]
    >>> model = Sequential(layers, seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, f"{folder}/red.safetensors")
    ...     copy = load(f"{folder}/red.safetensors")
    >>> bool((copy.theta == model.theta).all())
    True
    >>> weight_names(copy)
    ['dense/kernel', 'dense/bias', 'dense_1/kernel', 'dense_1/bias']

    Si el nombre termina en ``.keras`` o en ``.h5``, el archivo es el que escribe Keras, y Keras lo puede abrir; hace
    falta ``h5py``. Otra terminación, como ``.zip``, prometería un formato que el archivo no tiene, y se rechaza.

    La escritura es atómica: o queda el archivo completo, o queda lo que había antes.

    Parameters
    ----------
    model : Model
        El modelo, ya construido.
    filepath : str or pathlib.Path
        Dónde.
    overwrite : bool
        Si se reemplaza un archivo que ya exista.
    include_optimizer : bool
        Si se guarda también el entrenamiento: optimizador, pérdida, métricas, azar y épocas.

    Raises
    ------
    FileExistsError
        Si el archivo existe y no se quiere reemplazar.
    ImportError
        Si es de Keras y falta ``h5py``.
    TypeError
        Si no es un modelo o lleva algo que no se sabe guardar, como una función.
    ValueError
        Si no está construido, si algún peso dejó de ser un número, si en ese lugar hay algo que no es un archivo o si
        su nombre termina como los de otro formato.
    """
    filepath = writable(model, filepath, overwrite)
    try:
        if keras_files.suffix(filepath):
            _finite(dict(zip(weight_names(model), model.weights, strict=True)))
            keras_files.write(filepath, model, include_optimizer)
            return
        tensors, metadata = _contents(model, include_optimizer)
    except RecursionError:
        raise ValueError(files.TOO_DEEP) from None
    files.write(filepath, tensors, metadata)


def _contents(model, include_optimizer):
    tensors = dict(zip(weight_names(model), model.weights, strict=True))
    _finite(tensors)
    architecture = {"model": objects.describe(model), "input_shape": _shape(model.input_shape)}
    if getattr(model, "input_dtype", None) is not None and model.takes_integers(0):
        # Los enteros que dijo el Input de una fila no son de ninguna de sus capas.
        architecture["input_dtype"] = model.input_dtype
    # Las capas que otra creó por dentro no aparecen en sus argumentos, y también pueden estar congeladas.
    architecture["frozen"] = [k for k, layer in enumerate(walk(model)) if not layer.trainable]
    metadata = {"format": FORMAT, "version": str(VERSION), "architecture": architecture}
    if include_optimizer and model.optimizer is not None:
        names = "optimizer", "loss", "metrics", "weighted_metrics", "loss_weights"
        used = {name: getattr(model, name) for name in names} | {"metrics": model.asked_metrics}
        metadata["compile"] = {name: objects.describe(value, name) for name, value in used.items()}
        state = {name: value for name, value in model.get_state().items() if name != "weights"}
        metadata["training"] = _flatten(state, "training", tensors)
    texts = {name: v if isinstance(v, str) else json.dumps(v, allow_nan=False) for name, v in metadata.items()}
    # Lo que no se podría volver a leer no se escribe.
    files.parse(texts["architecture"])
    return tensors, texts


def load(filepath, custom_objects=None, compile=True, safe_mode=True):
    r"""Lee un modelo que guardó :func:`save`, o Keras. En los capítulos se llama como en Keras, ``load_model``.

    Qué archivo es se sabe por cómo empieza, y no por su nombre: safetensors, un ``.keras`` o un ``.h5``.

    Nada de lo que diga el archivo se da por bueno: las clases se buscan entre las del libro y las que tú pases, los
    tamaños se comparan con los arreglos **antes** de pedir memoria, y los pesos se revisan uno por uno.

    Parameters
    ----------
    filepath : str or pathlib.Path
        Cuál.
    custom_objects : dict, optional
        Clases propias que el modelo usa, por su nombre.
    compile : bool
        Si se recuperan también el optimizador, la pérdida, las métricas y el punto en que iba el entrenamiento.
    safe_mode : bool
        Se acepta por compatibilidad con Keras: aquí nunca se ejecuta nada de lo que traiga un archivo.

    Returns
    -------
    Model

    Raises
    ------
    FileNotFoundError
        Si no existe.
    ImportError
        Si es de Keras y falta ``h5py``.
    ValueError
        Si está dañado, lo escribió otro programa, no cabe en la memoria o lo que dice no concuerda con lo que trae.
    TypeError
        Si los argumentos no son una ruta y un diccionario.

        >>> from pathlib import Path
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "red.safetensors")
        ...     _ = path.write_bytes(b"esto no es una red")
        ...     try:
        ...         load(path)
        ...     except ValueError as error:
        ...         print(str(error).replace(folder, "…"))
        …/red.safetensors: el archivo está dañado o incompleto, o no es .keras, HDF5 ni safetensors
    """
    if not isinstance(custom_objects, (dict, type(None))):
        raise TypeError(f"custom_objects: se esperaba un diccionario de clases, pero llegó {custom_objects!r:.60}")
    check.boolean(compile, "compile")
    filepath = paths.readable(filepath, "filepath")
    with filepath.open("rb") as file:
        kind = keras_files.kind(file.read(8))
    tensors, metadata = ({}, {}) if kind else files.read(filepath)
    try:
        if kind:
            return keras_files.read(filepath, custom_objects, compile)
        if metadata.get("format") != FORMAT:
            raise ValueError("tiene arreglos, pero no lo escribió este libro y no dice qué red es")
        if metadata.get("version") != str(VERSION):
            raise ValueError(f"es de la versión {metadata.get('version')!r} del formato, y aquí se lee la {VERSION}")
        model = _model(_part(metadata, "architecture"), tensors, custom_objects)
        _finite({name: tensors[name] for name in weight_names(model)})
        for name, weight in zip(weight_names(model), model.weights, strict=True):
            weight[...] = tensors.pop(name)
        _training(model, tensors, metadata, custom_objects, compile)
    except ImportError:
        raise
    except MemoryError:
        raise ValueError(f"{filepath}: no cabe en la memoria") from None
    except RecursionError:
        raise ValueError(f"{filepath}: {files.TOO_DEEP}") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"{filepath}: {error!s:.300}") from None
    except OverflowError:
        raise ValueError(f"{filepath}: pide más números de los que caben en un arreglo") from None
    except Exception as error:
        # Un archivo ajeno puede traer cualquier disparate; quien lo abre recibe una sola clase de error.
        raise ValueError(f"{filepath}: no se puede reconstruir ({type(error).__name__}: {error})") from error
    return model


def _shape(shape):
    return [list(one) for one in shape] if isinstance(shape, list) else list(shape)


def _finite(tensors):
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise ValueError(f"{name!r} tiene NaN o infinitos")


def _part(metadata, name):
    if name not in metadata:
        raise ValueError(f"le falta {name!r}")
    part = files.parse(metadata[name])
    if not isinstance(part, dict):
        raise ValueError(f"{name!r} no es lo que se esperaba")
    return part


def _model(architecture, tensors, custom_objects):
    # Los pesos están en el archivo: no hay que sortearlos. Y si la arquitectura pide muchos más números de los que el
    # archivo trae, se sabe antes de reservar la memoria; si pide unos pocos más, enseguida se verá cuáles.
    available = 2 * sum(array.size for array in tensors.values()) + 1_000_000
    with registry.base("layer").blank(available):
        model = objects.rebuild(architecture.get("model"), custom_objects)
    if not isinstance(model, registry.base("layer")):
        raise ValueError("no dice qué red es")
    shape = architecture.get("input_shape")
    several = shape if isinstance(shape, list) and shape and all(isinstance(s, list) for s in shape) else [shape]
    sizes = [[size for size in one if type(size) is int] if isinstance(one, list) else [] for one in several]
    if sum(map(math.prod, sizes)) > objects.MOST_NUMBERS:
        raise ValueError(
            f"se esperaban observaciones de a lo sumo {objects.MOST_NUMBERS} números, y pide la forma {shape}"
        )
    if not model.built:
        if "input_dtype" in architecture and hasattr(model, "input_dtype"):
            model.input_dtype = check.text(architecture["input_dtype"], "input_dtype")
        model.build_blank(shape, available)
    _freeze(model, architecture.get("frozen", []))
    for name, weight in zip(weight_names(model), model.weights, strict=True):
        if name not in tensors:
            raise ValueError(f"le falta el peso {name!r}")
        array = tensors[name]
        if array.shape != weight.shape or array.dtype != weight.dtype:
            raise ValueError(
                f"se esperaba {name!r} de forma {weight.shape} y tipo {weight.dtype}, "
                f"pero es de forma {array.shape} y tipo {array.dtype}"
            )
    return model


def _freeze(model, frozen):
    layers = list(walk(model))
    if not isinstance(frozen, list) or not all(type(k) is int and 0 <= k < len(layers) for k in frozen):
        raise ValueError("no se entiende qué capas están congeladas")
    frozen = set(frozen)
    for k, layer in enumerate(layers):
        # De afuera adentro: lo que se le asigna a una capa les llega a las que contiene.
        layer.trainable = k not in frozen


def _training(model, tensors, metadata, custom_objects, compile):
    if "compile" in metadata:
        state = _gather(_part(metadata, "training"), tensors)
        if compile:
            used = objects.rebuild(_part(metadata, "compile"), custom_objects)
            model.compile(
                used.get("optimizer"),
                used.get("loss"),
                used.get("loss_weights"),
                used.get("metrics"),
                used.get("weighted_metrics"),
            )
            model.set_state({**state, "weights": model.get_weights()})
    if tensors:
        raise ValueError(f"le sobra {sorted(tensors)[0][:60]!r}, que no es de esta red")


# El estado del entrenamiento es un árbol: los arreglos van con los demás, y en su lugar queda el nombre que les tocó.
def _flatten(value, path, tensors):
    if isinstance(value, np.ndarray):
        name = free(path, tensors)
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, dict):
        return {key: _flatten(v, f"{path}/{key}", tensors) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_flatten(v, f"{path}/{k}", tensors) for k, v in enumerate(value)]
    return objects.describe(value, path)


def _gather(value, tensors):
    if isinstance(value, list):
        return [_gather(v, tensors) for v in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"tensor"}:
        if value["tensor"] not in tensors:
            raise ValueError(f"le falta {value['tensor']!r}")
        return tensors.pop(value["tensor"])
    return {key: _gather(v, tensors) for key, v in value.items()}
