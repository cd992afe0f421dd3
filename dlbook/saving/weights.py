r"""Solo los pesos de un modelo, en un archivo: safetensors, o el ``.weights.h5`` de Keras."""

from dlbook import check, paths
from dlbook.saving import files, hdf5, keras_files

# En qué puede terminar el nombre de un archivo; sin nada, es safetensors.
ENDINGS = ".safetensors", ".keras", ".h5", ".hdf5"


def weight_names(layer):
    r"""Da el nombre de cada peso, como en Keras: la capa, una diagonal y el atributo.

    >>> from chapters.mlp.dense import Dense
    >>> from chapters.mlp.sequential import Input, Sequential
    >>> encoder = Sequential([Dense(2, use_bias=False)], name="codificador")
    >>> weight_names(Sequential([Input(shape=(4,)), encoder, Dense(4)]))
    ['codificador/dense/kernel', 'dense/kernel', 'dense/bias']

    Parameters
    ----------
    layer : Layer
        Una capa o un modelo.

    Returns
    -------
    list of str
        En el orden de ``layer.weights``, sin repetidos.

    Raises
    ------
    TypeError
        Si no es una capa.
    """
    check.layer(layer, "layer")
    names = {}
    for name in _weight_names(layer, "", {id(layer)}):
        names[free(name, names)] = True
    return list(names)


def _weight_names(layer, prefix, seen):
    # Primero van los pesos propios, y luego los de las capas que contiene; una que está en dos lugares va una vez.
    for name in layer.weight_names:
        yield prefix + name
    for inner in layer.layers:
        if id(inner) not in seen:
            seen.add(id(inner))
            yield from _weight_names(inner, f"{prefix}{inner.name}/", seen)


def free(name, taken):
    r"""Da un nombre que no esté tomado: el mismo, o con un número detrás."""
    k, free = 0, name
    while free in taken:
        k += 1
        free = f"{name}_{k}"
    return free


def save_weights(model, filepath, overwrite=True):
    r"""Guarda los pesos de un modelo, sin su arquitectura.

    Si el nombre termina en ``.weights.h5``, como los escribe Keras; si no, en safetensors, cada uno con su nombre.

    >>> import tempfile
    >>> from chapters.mlp import Dense, Input, Sequential
    >>> one = Sequential([Input((2,)), Dense(3)], seed=0)
    >>> other = Sequential([Input((2,)), Dense(3)], seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     one.save_weights(f"{folder}/red.safetensors")
    ...     other.load_weights(f"{folder}/red.safetensors")
    >>> bool((one.theta == other.theta).all())
    True

    Parameters
    ----------
    model : Model
        El modelo, ya construido.
    filepath : str or pathlib.Path
        Dónde.
    overwrite : bool
        Si se reemplaza un archivo que ya exista.

    Raises
    ------
    FileExistsError
        Si el archivo existe y no se quiere reemplazar.
    ImportError
        Si es un ``.weights.h5`` y falta ``h5py``.
    ValueError
        Si el modelo no está construido, o algún peso dejó de ser un número.
    """
    path = writable(model, filepath, overwrite)
    if str(path).lower().endswith(".keras"):
        raise ValueError("filepath: un .keras lleva el modelo entero; para solo los pesos, termina en .weights.h5")
    tensors = dict(zip(weight_names(model), model.weights, strict=True))
    for name, array in tensors.items():
        check.finite(array, name)
    if keras_files.suffix(path) != "h5":
        files.write(path, tensors, {"format": "dlbook.weights"})
        return
    compiled = model.optimizer is not None
    content = hdf5.written(lambda file: hdf5.write(file, model, compiled))
    with paths.replacing(path, "filepath") as file:
        file.write(content)


def writable(model, filepath, overwrite):
    r"""Comprueba que un modelo se pueda escribir ahí, y devuelve la ruta."""
    check.model(model)
    if not model.built:
        raise ValueError("model: aún no está construido; pon un Input al principio o dale unos datos")
    model.refuse_outline()
    path = paths.checked(filepath, "filepath")
    # Un número tras un punto, como el de una pérdida, no promete ningún formato; ``.zip``, sí, y otro.
    if path.suffix[1:2].isalpha() and path.suffix.lower() not in ENDINGS:
        raise ValueError(
            f"filepath: se esperaba que terminara en {', '.join(ENDINGS)}, o en nada, pero llegó {path.suffix!r}"
        )
    if not overwrite and path.exists():
        raise FileExistsError(f"filepath: ya existe {path}; con overwrite=True se reemplaza")
    return path


def load_weights(model, filepath, skip_mismatch=False):
    r"""Lee los pesos de un modelo: los de :func:`save_weights`, los de un modelo entero o los que escribió Keras.

    Parameters
    ----------
    model : Model
        El modelo, ya construido.
    filepath : str or pathlib.Path
        Un safetensors, un ``.weights.h5``, un ``.keras`` o un ``.h5``.
    skip_mismatch : bool
        Si se saltan los pesos que falten o sean de otra forma, en vez de fallar.

    Raises
    ------
    FileNotFoundError
        Si no existe.
    ImportError
        Si es de Keras y falta ``h5py``.
    ValueError
        Si está dañado o sus pesos no son los del modelo; entonces no cambia ninguno.
    """
    check.model(model)
    if not model.built:
        raise ValueError("model: aún no está construido; pon un Input al principio o dale unos datos")
    model.refuse_outline()
    skip_mismatch = check.boolean(skip_mismatch, "skip_mismatch")
    path = paths.readable(filepath, "filepath")
    with path.open("rb") as file:
        kind = keras_files.kind(file.read(8))
    try:
        if kind:
            content = path.read_bytes()
            content = keras_files.piece(content, "model.weights.h5") if kind == "keras" else content
            pairs = _from_keras(model, content, skip_mismatch)
        else:
            pairs = _from_safetensors(model, path, skip_mismatch)
        keras_files.fill(pairs)
    except MemoryError:
        raise ValueError(f"{path}: no cabe en la memoria") from None
    except ValueError as error:
        raise ValueError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from None


def _from_keras(model, content, skip_mismatch):
    with hdf5.reading(content) as file:
        folder = hdf5.group(file, "model_weights") or (file if "layer_names" in file.attrs else None)
        if folder is not None:
            return hdf5.legacy_weights(folder, model, skip_mismatch)
        return hdf5.weights(file, model, skip_mismatch)


def _from_safetensors(model, path, skip_mismatch):
    tensors, _ = files.read(path)
    pairs = []
    for name, weight in zip(weight_names(model), model.weights, strict=True):
        found = tensors.get(name)
        if found is None or found.shape != weight.shape:
            if not skip_mismatch:
                came = "no está" if found is None else f"es de forma {found.shape}"
                raise ValueError(f"se esperaba {name!r} de forma {weight.shape}, pero {came}")
            found = None
        pairs.append((weight, found))
    return pairs
