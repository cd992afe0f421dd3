r"""Archivos safetensors que se escriben enteros o no se escriben, y que se leen sin confiar en ellos.

El formato es una cabecera JSON, que dice qué arreglos hay y dónde empieza cada uno, y después los números. No hay
código que ejecutar, como sí lo hay en un *pickle*: lo peor que puede traer un archivo ajeno es un dato falso, y los
datos se comprueban.
"""

import errno
import json

import numpy as np

from dlbook import paths

# Una cabecera más grande, con más piezas o más honda no es de una red de este libro.
MOST_BYTES = 16 << 20
MOST_OBJECTS = 10_000
MOST_PIECES = 1_000_000
MOST_LEVELS = 100
MOST_DIGITS = 100
TOO_DEEP = f"está anidado demasiado hondo: se admiten {MOST_LEVELS} niveles"
DTYPES = {"F32", "F64", "I32", "I64", "U32", "U64", "BOOL"}


def write(path, tensors, metadata):
    r"""Escribe un archivo safetensors de una vez.

    Si algo falla a la mitad, el archivo que había queda como estaba, como dice :func:`dlbook.paths.replacing`.

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
    ValueError
        Si ahí hay algo que no es un archivo corriente.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/a.safetensors", {"w": np.array([1.0, 2.0])}, {"autor": "yo"})
    ...     read(f"{folder}/a.safetensors")
    ({'w': array([1., 2.])}, {'autor': 'yo'})
    """
    from safetensors.numpy import save

    content = save({name: np.ascontiguousarray(v).reshape(v.shape) for name, v in tensors.items()}, metadata)
    with paths.replacing(path, "filepath") as file:
        file.write(content)


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
        Si está dañado, incompleto, no es de este formato o no cabe en la memoria.
    """
    from safetensors import SafetensorError, safe_open

    path = paths.readable(path, "filepath")
    try:
        # La biblioteca comprueba que la cabecera y los datos cuadren byte por byte; lo que dice la cabecera, nosotros.
        with safe_open(path, framework="numpy") as file:
            names, metadata = file.keys(), dict(file.metadata() or {})
            _header(path)
            for name in names:
                dtype = file.get_slice(name).get_dtype()
                if dtype not in DTYPES:
                    raise ValueError(f"{name[:60]!r} es de un tipo que aquí no se usa, {dtype}")
            _reserve(path.stat().st_size)
            return {name: _tensor(file, name) for name in names}, metadata
    except MemoryError:
        raise ValueError(f"{path}: no cabe en la memoria") from None
    except SafetensorError:
        raise ValueError(f"{path}: el archivo está dañado o incompleto, o no es .keras, HDF5 ni safetensors") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: el archivo está dañado: su cabecera no es texto") from None
    except ValueError as error:
        raise ValueError(f"{path}: el archivo está dañado: {error}") from None
    except OSError as error:
        # safetensors no siempre da el número del error, pero lo escribe.
        if error.errno == errno.ENOMEM or f"os error {errno.ENOMEM}" in str(error):
            raise ValueError(f"{path}: no cabe en la memoria") from None
        raise OSError(f"{path}: no se pudo leer el archivo ({error.strerror or error})") from None


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

    def whole(digits):
        if len(digits) > MOST_DIGITS:
            raise ValueError(f"tiene un número de {len(digits)} cifras")
        return int(digits)

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
        value = json.loads(text, object_pairs_hook=unique, parse_constant=constant, parse_int=whole)
    except json.JSONDecodeError as error:
        raise ValueError(f"no es JSON: {error.msg} en la posición {error.pos}") from None
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    _measure(value)
    return value


def _measure(value):
    # Por niveles: si la función se llamara a sí misma, un texto muy hondo la agotaría.
    level, depth, pieces = [value], 0, 0
    while level:
        depth, pieces = depth + 1, pieces + len(level)
        if depth > MOST_LEVELS:
            raise ValueError(TOO_DEEP)
        if pieces > MOST_PIECES:
            raise ValueError("tiene demasiadas piezas")
        level = [v for x in level if isinstance(x, (dict, list)) for v in (x.values() if isinstance(x, dict) else x)]


def _reserve(size):
    # Los arreglos y la red que los copiará. El lugar se aparta y se suelta sin usarlo: si no cabe, se sabe aquí.
    np.empty(2 * size, np.uint8)


def _tensor(file, name):
    try:
        return file.get_tensor(name)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException:
        # La biblioteca, escrita en otro lenguaje, tiene una manera de fallar que no es una Exception.
        raise ValueError(f"no se pudo leer {name[:60]!r}") from None


def _header(path):
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > MOST_BYTES:
            raise ValueError("la cabecera es demasiado grande")
        parse(file.read(size).decode("utf-8"))
