r"""Los archivos de Keras: ``.keras``, que es un zip, y los ``.h5`` de antes. Se leen y se escriben aquí, sin Keras.

Un ``.keras`` lleva tres piezas: ``config.json``, la arquitectura; ``model.weights.h5``, los números, y
``metadata.json``, quién lo escribió. Un ``.h5`` lleva lo mismo en un solo árbol de HDF5.
"""

import datetime
import io
import json
import warnings
import zipfile
import zlib

import numpy as np

from dlbook import check, paths, registry
from dlbook.saving import config, files, hdf5

ZIP = b"PK\x03\x04"
# Los pesos casi no se comprimen: una pieza que al abrirla crece más que esto es una bomba.
MOST_GROWTH = 20
# Lo que un archivo puede pesar por dentro sin que importe cuánto creció.
SMALL = 1 << 20


def suffix(path):
    r"""Dice en qué formato se escribe un archivo, por cómo termina: ``"keras"``, ``"h5"`` o ``""``.

    >>> [suffix(name) for name in ("red.keras", "RED.H5", "red.hdf5", "red.safetensors")]
    ['keras', 'h5', 'h5', '']
    """
    end = str(path).lower()
    return "keras" if end.endswith(".keras") else "h5" if end.endswith((".h5", ".hdf5")) else ""


def kind(start):
    r"""Dice qué es un archivo por sus primeros bytes: ``"keras"``, ``"h5"`` o ``""``."""
    return "keras" if start.startswith(ZIP) else "h5" if start.startswith(hdf5.MAGIC) else ""


# --- Escribir ---


def _compiled(model):
    used = {"optimizer": model.optimizer, "loss": model.loss, "metrics": model.asked_metrics}
    described = {name: config.serialize(value, name) for name, value in used.items()}
    return described | {"loss_weights": None, "weighted_metrics": None, "run_eagerly": False}


def write(path, model, include_optimizer):
    r"""Escribe un modelo en el formato que dice la terminación de la ruta.

    Parameters
    ----------
    path : pathlib.Path
        Dónde.
    model : Model
        El modelo, ya construido.
    include_optimizer : bool
        Si se guardan también el optimizador, la pérdida y las métricas.
    """
    described = config.serialize(model)
    trained = include_optimizer and model.optimizer is not None
    content = (_archive if suffix(path) == "keras" else _legacy)(model, described, trained)
    with paths.replacing(path, "filepath") as file:
        file.write(content)


def _archive(model, described, trained):
    if trained:
        described["compile_config"] = _compiled(model)
    now = datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S")
    pieces = {
        "metadata.json": json.dumps({"keras_version": "3.0.0", "date_saved": now}),
        "config.json": json.dumps(described, allow_nan=False),
        "model.weights.h5": hdf5.written(lambda file: hdf5.write(file, model, trained)),
    }
    files.parse(pieces["config.json"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, piece in pieces.items():
            archive.writestr(name, piece)
    return content.getvalue()


def _legacy(model, described, trained):
    def fill(file):
        file.attrs["backend"], file.attrs["keras_version"] = "numpy", "3.0.0"
        hdf5.write_json(file, "model_config", {name: described[name] for name in ("class_name", "config")})
        hdf5.write_legacy_weights(file.create_group("model_weights"), model)
        if trained:
            used = _compiled(model)
            optimizer = used.pop("optimizer")
            used["optimizer_config"] = {name: optimizer[name] for name in ("class_name", "config")}
            hdf5.write_json(file, "training_config", used)
            hdf5.write_legacy_optimizer(file.create_group("optimizer_weights"), model)

    return hdf5.written(fill)


# --- Leer ---


def read(path, custom_objects, compile):
    r"""Lee un modelo de un ``.keras`` o de un ``.h5``, lo haya escrito Keras o este libro.

    Parameters
    ----------
    path : pathlib.Path
        Cuál.
    custom_objects : dict or None
        Clases propias, por su nombre.
    compile : bool
        Si se recuperan también el optimizador, la pérdida y las métricas.

    Returns
    -------
    Model
    """
    content = path.read_bytes()
    return (_from_archive if kind(content) == "keras" else _from_legacy)(content, custom_objects, compile)


def _from_archive(content, custom_objects, compile):
    described = files.parse(piece(content, "config.json").decode("utf-8"))
    with hdf5.reading(piece(content, "model.weights.h5")) as file:
        model = _model(described, custom_objects, len(content))
        fill(hdf5.weights(file, model))
        used = described.get("compile_config")
        if compile and used and used.get("loss") is not None:
            _compile(model, used, custom_objects)
            folder = hdf5.group(file, "optimizer/vars")
            _resume(model, folder, [str(k) for k in range(len(folder))] if folder is not None else [])
    return model


def _from_legacy(content, custom_objects, compile):
    with hdf5.reading(content) as file:
        described = hdf5.text(file, "model_config")
        if not isinstance(described, dict):
            raise ValueError("es un HDF5, pero no dice qué red es; si solo son pesos, léelos con model.load_weights")
        folder = hdf5.group(file, "model_weights")
        if folder is None:
            raise ValueError("le falta 'model_weights'")
        model = _model(described, custom_objects, len(content))
        fill(hdf5.legacy_weights(folder, model))
        used = hdf5.text(file, "training_config") if compile else None
        if used and used.get("loss") is not None:
            _compile(model, used | {"optimizer": used.get("optimizer_config")}, custom_objects)
            folder = hdf5.group(file, "optimizer_weights")
            _resume(model, folder, hdf5.names(folder, "weight_names") if folder is not None else [])
    return model


def piece(content, name):
    r"""Da una pieza de un ``.keras``, medida antes de abrirla.

    Raises
    ------
    ValueError
        Si no está, está repetida, crece demasiado al abrirla o el zip está dañado.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = [info for info in archive.infolist() if info.filename == name]
            if len(found) != 1:
                pieces = ", ".join(info.filename for info in archive.infolist())
                raise ValueError(f"se esperaba una pieza {name!r}, pero hay {len(found)}; trae {pieces:.200}")
            size = found[0].file_size
            if size > max(SMALL, MOST_GROWTH * found[0].compress_size):
                grows = f"de {found[0].compress_size} a {size} bytes"
                raise ValueError(f"su pieza {name!r} crece demasiado al abrirla, {grows}")
            if name.endswith(".json") and size > files.MOST_BYTES:
                raise ValueError(f"su pieza {name!r} es demasiado grande, de {size} bytes")
            np.empty(2 * size, np.uint8)
            with archive.open(found[0]) as file:
                return file.read(size)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError, zlib.error) as error:
        raise ValueError(f"el .keras está dañado o incompleto ({error!s:.120})") from None


def _model(described, custom_objects, size):
    layer = registry.base("layer")
    # Los pesos están en el archivo: ni se sortean ni se pide memoria para más de los que pueden caber en él.
    with layer.blank(size + 1_000_000):
        model = config.deserialize(described, custom_objects, "layer")
    if not isinstance(model, layer) or not hasattr(model, "fit"):
        raise ValueError("no dice qué red es")
    if not model.built:
        raise ValueError("no dice qué forma tienen sus entradas")
    return model


def fill(pairs):
    r"""Copia unos números en los pesos de un modelo: todos o, si alguno no cabe, ninguno."""
    for k, (weight, values) in enumerate(pairs):
        if values is not None:
            check.finite(values, f"weights[{k}]", weight.dtype)
    for weight, values in pairs:
        if values is not None:
            weight[...] = values


def _compile(model, used, custom_objects):
    names = "optimizer", "loss", "metrics", "weighted_metrics"
    found = {name: config.deserialize(used.get(name), custom_objects, config.PLACES[name]) for name in names}
    found |= {"loss_weights": used.get("loss_weights")}
    options = {name: value for name, value in found.items() if value is not None}
    model.compile(**options)


def _resume(model, folder, names):
    if not names:
        return
    state = hdf5.optimizer_state(folder, model, names)
    if state is None:
        warnings.warn(
            "lo que recordaba el optimizador no es lo que recuerda el de este libro: seguirá como nuevo", stacklevel=4
        )
        return
    model.optimizer.set_state(state)
