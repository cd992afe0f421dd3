r"""CIFAR-10: sesenta mil fotografías diminutas, a color, de diez clases."""

import tarfile
import zlib

import numpy as np

from dlbook.data.files import Expected, fetch

# El archivo original, en su versión binaria.
FILES = {
    "cifar-10-binary.tar.gz": Expected(170_052_171, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd")
}
MIRRORS = ("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/")
# Los seis lotes que lleva dentro; el último es el de prueba.
BATCHES = [f"cifar-10-batches-bin/{name}.bin" for name in (*(f"data_batch_{k}" for k in range(1, 6)), "test_batch")]
BATCH = 10_000
SIDE = 32
RECORD = 1 + 3 * SIDE * SIDE

CIFAR10_CLASSES = ("avión", "automóvil", "pájaro", "gato", "ciervo", "perro", "rana", "caballo", "barco", "camión")


def read_cifar10(content):
    r"""Lee fotografías en el formato binario de CIFAR-10.

    No hay encabezado: son registros de 3073 bytes, uno tras otro. Cada registro es

    1. un byte con la clase, de 0 a 9;
    2. 1024 bytes con el rojo de los 32 × 32 píxeles, fila por fila;
    3. otros 1024 con el verde, y otros 1024 con el azul.

    El archivo guarda tres imágenes grises, una por color: los **canales primero**. Este libro, como Keras, los quiere
    al final, para que los tres números de un píxel estén juntos. El cambio es una transposición de ejes,
    :math:`(n, 3, 32, 32)\to(n, 32, 32, 3)`.

    **A mano.** Una rana lisa, con rojo 10, verde 200 y azul 30 en todos los píxeles:

    >>> colors = bytes([10]) * 1024 + bytes([200]) * 1024 + bytes([30]) * 1024
    >>> record = bytes([6]) + colors
    >>> images, labels = read_cifar10(record)
    >>> images.shape, images[0, 0, 0]
    ((1, 32, 32, 3), array([ 10, 200,  30], dtype=uint8))
    >>> CIFAR10_CLASSES[labels[0]]
    'rana'

    Parameters
    ----------
    content : bytes
        Uno o más registros.

    Returns
    -------
    images : ndarray of uint8, shape (n, 32, 32, 3)
    labels : ndarray of int64, shape (n,)

    Raises
    ------
    TypeError
        Si no son bytes, seguidos en la memoria.
    ValueError
        Si no hay un número entero de registros o alguna clase no está entre 0 y 9.

        >>> read_cifar10(bytes(3000))
        Traceback (most recent call last):
            ...
        ValueError: content: se esperaban registros completos de 3073 bytes, pero llegaron 3000 bytes
    """
    if not isinstance(content, (bytes, bytearray, memoryview)):
        raise TypeError(f"content: se esperaban bytes, pero llegó {type(content).__name__}")
    content = memoryview(content)
    if not content.c_contiguous:
        raise TypeError("content: se esperaban bytes seguidos en la memoria, pero llegó una vista que se salta algunos")
    content = content.cast("B")
    if not len(content) or len(content) % RECORD:
        raise ValueError(
            f"content: se esperaban registros completos de {RECORD} bytes, pero llegaron {len(content)} bytes"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() > 9:
        k = int(labels.argmax())
        raise ValueError(f"content: se esperaba una clase entre 0 y 9, pero el registro {k} dice {labels[k]}")
    planes = records[:, 1:].reshape(-1, 3, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


def load_cifar10(download=True):
    r"""Las 60 000 fotografías de CIFAR-10, de 32 × 32 píxeles a color, repartidas como las publicaron sus autores.

    Son diez clases, con 6000 fotografías cada una: cinco mil para entrenar y mil para probar. Alex Krizhevsky, Vinod
    Nair y Geoffrey Hinton las escogieron y etiquetaron de una colección mucho mayor, los 80 millones de imágenes
    diminutas :cite:p:`krizhevsky2009`. ``CIFAR10_CLASSES`` da los nombres, en el orden de las etiquetas.

    El archivo original (170 MB) se busca en la carpeta que diga la variable de entorno ``DLBOOK_DATA``, en ella misma o
    en su subcarpeta ``cifar10``, y después en la carpeta de caché del usuario. Si no está, se descarga. En todos los
    casos se comprueba su sha256 antes de usarlo, y se lee en memoria, sin desempaquetar nada en el disco.

    .. code-block:: python

       (x_train, y_train), (x_test, y_test) = load_cifar10()

    Parameters
    ----------
    download : bool
        Con ``False`` no se usa la red: si falta el archivo, ``FileNotFoundError``.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` : ndarray of uint8, shape (50000, 32, 32, 3) y (10000, 32, 32, 3). ``y`` : ndarray of int64, shape
        (50000,) y (10000,), con la clase, de 0 a 9.

    Raises
    ------
    FileNotFoundError
        Si falta el archivo y ``download`` es falso, o si ``DLBOOK_DATA`` no es una carpeta.
    ValueError
        Si el archivo de ``DLBOOK_DATA`` está cortado, dañado o es otro.
    ConnectionError
        Si hay que descargar y no se puede; el mensaje dice qué archivo traer, de dónde y adónde.

    Notes
    -----
    En Keras ``y`` tiene forma (n, 1), como en ``load_data``; aquí es un vector, como en los demás conjuntos. Los
    autores no declaran una licencia; piden que se cite su informe.
    """
    (path,) = fetch(FILES, MIRRORS, "cifar10", download)
    parts = [read_cifar10(content) for content in _batches(path)]
    x_train, y_train = (np.concatenate(part) for part in zip(*parts[:-1], strict=True))
    return (x_train, y_train), parts[-1]


def load_data():
    r"""Lo mismo que :func:`~dlbook.data.load_cifar10`, como en Keras: con etiquetas de un byte y en columna.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Todo, ndarray of uint8: ``x``, de forma (50000, 32, 32, 3) y (10000, 32, 32, 3); ``y``, (50000, 1) y (10000, 1).
    """
    sets = load_cifar10()
    return tuple((x, y[:, np.newaxis].astype(np.uint8)) for x, y in sets)


def _batches(path):
    # Solo se leen seis archivos corrientes, por su nombre y con su tamaño exacto; nada se escribe en el disco.
    found = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.name in BATCHES and member.isreg() and member.size == BATCH * RECORD:
                    found[member.name] = archive.extractfile(member).read()
    except (tarfile.TarError, EOFError, zlib.error):
        raise ValueError(f"{path}: se esperaba un archivo tar.gz sano, pero está dañado") from None
    except OSError as error:
        raise OSError(f"{path}: no se pudo leer el archivo ({error.strerror or error})") from None
    missing = [name for name in BATCHES if name not in found]
    if missing:
        raise ValueError(f"{path}: se esperaban seis lotes de {BATCH} fotografías, pero falta {missing[0]}")
    return [found[name] for name in BATCHES]
