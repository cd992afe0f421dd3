r"""El formato IDX, en el que se publicó MNIST."""

import gzip
import math
import os
import zlib

import numpy as np

from dlbook import paths

# El tercer byte del archivo dice de qué tipo son los números; todos van con el byte más significativo primero.
TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_AXES = 64
BLOCK = 1 << 20
# Así empieza un gzip, y cada uno de sus bytes da a lo sumo estos.
GZIP = b"\x1f\x8b"
MOST_EXPANSION = 1032


def read_idx(path):
    r"""Lee un archivo IDX, comprimido con gzip o no.

    Un archivo IDX es un arreglo con un encabezado mínimo. Descomprimido, consta de

    1. dos bytes en cero;
    2. un byte con el tipo de los números: ``0x08`` para ``uint8``, ``0x09`` para ``int8``, ``0x0B`` para ``int16``,
       ``0x0C`` para ``int32``, ``0x0D`` para ``float32`` y ``0x0E`` para ``float64``;
    3. un byte con la cantidad de ejes;
    4. el tamaño de cada eje, en 4 bytes;
    5. los números, fila por fila.

    Todo número de varios bytes empieza por el más significativo (*big-endian*).

    **A mano.** Dos filas de tres bytes: el tipo ``0x08``, dos ejes, los tamaños 2 y 3, y los seis números.

    >>> import gzip, pathlib, tempfile
    >>> content = bytes([0, 0, 8, 2,  0, 0, 0, 2,  0, 0, 0, 3,  10, 20, 30, 40, 50, 60])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "seis.gz"
    ...     size = path.write_bytes(gzip.compress(content))
    ...     read_idx(path)
    array([[10, 20, 30],
           [40, 50, 60]], dtype=uint8)

    **Desconfiar del encabezado.** Un archivo dañado puede prometer billones de números que no trae, o traer más de los
    que promete. Por eso se cuenta antes de apartar memoria: un archivo sin comprimir no puede traer más bytes de los
    que mide, y de cada byte de un gzip salen a lo sumo 1032. La lectura se detiene en el primer byte que sobra.

    Parameters
    ----------
    path : str or os.PathLike
        El archivo. Si está comprimido se sabe por cómo empieza, no por su nombre.

    Returns
    -------
    ndarray
        Arreglo con la forma y el tipo que dice el encabezado, en el orden de bytes de esta máquina.

    Raises
    ------
    FileNotFoundError
        Si no hay un archivo en esa ruta.
    ValueError
        Si está cortado o dañado, si el contenido no concuerda con el encabezado o si no cabe en la memoria.
    TypeError
        Si ``path`` no es una ruta.
    """
    path = paths.readable(path, "path")
    try:
        with open(path, "rb") as raw:
            size = os.fstat(raw.fileno()).st_size
            compressed = raw.read(len(GZIP)) == GZIP
            raw.seek(0)
            if not compressed:
                return _parse(raw, path, size)
            with gzip.open(raw) as file:
                return _parse(file, path, size * MOST_EXPANSION)
    except EOFError:
        raise ValueError(f"{path}: se esperaba un archivo gzip completo, pero está cortado") from None
    except (gzip.BadGzipFile, zlib.error):
        raise ValueError(f"{path}: se esperaba un archivo gzip sano, pero está dañado") from None
    except MemoryError:
        raise ValueError(f"{path}: se esperaba un arreglo que quepa en la memoria, pero este no cabe") from None
    except OSError as error:
        raise OSError(f"{path}: no se pudo leer el archivo ({error.strerror or error})") from None


def _parse(file, path, most):
    header = file.read(4)
    if not header:
        raise ValueError(f"{path}: se esperaba un encabezado IDX, pero no hay ni un byte")
    if len(header) < 4 or header[:2] != b"\0\0" or header[2] not in TYPES or not 1 <= header[3] <= MAX_AXES:
        raise ValueError(
            f"{path}: se esperaba un encabezado IDX (0, 0, tipo, ejes), pero empieza con los bytes {[*header]}"
        )
    dtype, axes = np.dtype(TYPES[header[2]]), header[3]
    sizes = file.read(4 * axes)
    if len(sizes) < 4 * axes:
        raise ValueError(f"{path}: se esperaban los tamaños de {axes} ejes, pero el archivo termina antes")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    if 0 in shape:
        raise ValueError(f"{path}: se esperaban ejes de al menos un elemento, pero la forma declarada es {shape}")
    expected = dtype.itemsize * math.prod(shape)
    promised = f"se esperaban {expected} bytes de datos, los de la forma {shape}"
    if expected > most:
        raise ValueError(f"{path}: {promised}, pero un archivo de este tamaño no puede traer más de {most}")
    array = np.empty(shape, dtype)
    data, came = memoryview(array.reshape(-1).view(np.uint8)), 0
    while came < expected and (count := file.readinto(data[came : came + BLOCK])):
        came += count
    if came < expected:
        raise ValueError(f"{path}: {promised}, pero hay {came}")
    # Pedir uno más dice si sobra algo, y obliga a gzip a comprobar su suma de control.
    if file.read(1):
        raise ValueError(f"{path}: {promised}, pero hay más")
    return array if dtype.isnative else array.byteswap(inplace=True).view(dtype.newbyteorder("="))
