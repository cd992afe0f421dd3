r"""Archivos safetensors que se escriben enteros o no se escriben, y que se leen sin confiar en ellos.

El formato es una cabecera JSON, que dice qué arreglos hay y dónde empieza cada uno, y después los números. No hay
código que ejecutar, como sí lo hay en un *pickle*: lo peor que puede traer un archivo ajeno es un dato falso, y los
datos se comprueban.
"""

import json
import os
import secrets
from pathlib import Path

import numpy as np

# Una cabecera más grande, o con más piezas, no es de una red de este libro.
MOST_BYTES = 16 << 20
MOST_OBJECTS = 10_000
DTYPES = {"F32", "F64", "I32", "I64", "U32", "U64", "BOOL"}


def write(path, tensors, metadata):
    r"""Escribe un archivo safetensors de una vez.

    Se escribe en un archivo vecino y, ya completo y en el disco, se le cambia el nombre. Si algo falla a la mitad, el
    archivo que había queda como estaba.

    Parameters
    ----------
    path : str or pathlib.Path
        Dónde.
    tensors : dict of ndarray
        Los arreglos, con su nombre.
    metadata : dict of str
        Los textos que van en la cabecera.

    Raises
    ------
    FileNotFoundError
        Si no existe la carpeta.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/a.safetensors", {"w": np.array([1.0, 2.0])}, {"autor": "yo"})
    ...     read(f"{folder}/a.safetensors")
    ({'w': array([1., 2.])}, {'autor': 'yo'})
    """
    from safetensors.numpy import save

    # Si el nombre es un enlace, se reemplaza aquello a lo que apunta.
    path = Path(os.path.realpath(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"filepath: no existe la carpeta {path.parent}")
    data = save({name: np.ascontiguousarray(array).reshape(array.shape) for name, array in tensors.items()}, metadata)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path):
    r"""Lee un archivo safetensors.

    Parameters
    ----------
    path : str or pathlib.Path
        Cuál.

    Returns
    -------
    tensors : dict of ndarray
        Los arreglos, con su nombre.
    metadata : dict of str
        Los textos de la cabecera.

    Raises
    ------
    FileNotFoundError
        Si no existe.
    ValueError
        Si está dañado, incompleto o no es de este formato.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"filepath: no existe el archivo {path}")
    try:
        # La biblioteca comprueba que la cabecera y los datos cuadren byte por byte; la cabecera repetida, nosotros.
        with safe_open(path, framework="numpy") as file:
            _header(path)
            tensors = {}
            for name in file.keys():  # noqa: SIM118 (no es un diccionario)
                dtype = file.get_slice(name).get_dtype()
                if dtype not in DTYPES:
                    raise ValueError(f"{name!r} es de un tipo que aquí no se usa, {dtype}")
                tensors[name] = file.get_tensor(name)
            return tensors, dict(file.metadata() or {})
    except (SafetensorError, MemoryError):
        raise ValueError(f"{path}: el archivo está dañado, incompleto o no es safetensors") from None
    except ValueError as error:
        raise ValueError(f"{path}: el archivo está dañado: {error}") from None


def parse(text):
    r"""Lee un JSON que viene de fuera: sin nombres repetidos, sin NaN y de tamaño razonable.

    >>> parse('{"a": [1, 2.5, null]}')
    {'a': [1, 2.5, None]}
    >>> parse('{"a": 1, "a": 2}')
    Traceback (most recent call last):
        ...
    ValueError: el nombre 'a' está repetido

    Parameters
    ----------
    text : str
        El JSON.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        Si no es JSON, o es uno que nadie escribiría de buena fe.
    """
    count = 0

    def unique(pairs):
        nonlocal count
        count += 1 + len(pairs)
        if count > 4 * MOST_OBJECTS:
            raise ValueError("tiene demasiadas piezas")
        found = {}
        for name, value in pairs:
            if name in found:
                raise ValueError(f"el nombre {name[:60]!r} está repetido")
            found[name] = value
        return found

    def constant(name):
        raise ValueError(f"{name} no es un número de JSON")

    if len(text) > MOST_BYTES:
        raise ValueError("es demasiado grande")
    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"no es JSON: {error.msg} en la posición {error.pos}") from None
    except RecursionError:
        raise ValueError("está anidado demasiado hondo") from None


def _header(path):
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > MOST_BYTES:
            raise ValueError("la cabecera es demasiado grande")
        parse(file.read(size).decode("utf-8"))
