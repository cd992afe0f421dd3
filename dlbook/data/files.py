r"""Archivos de datos: encontrarlos, o descargarlos, y comprobarlos siempre antes de usarlos.

Un archivo de datos viene de fuera: puede haberse cortado, puede ser otro. Su sha256, una huella de 64 cifras
hexadecimales, dice si es el que se espera byte por byte.
"""

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from dlbook import paths
from dlbook.console import Bar

# En cada plazo tiene que llegar algo, y no gota a gota: esto es lo mínimo por segundo.
SECONDS_WITHOUT_ANSWER = 30
SLOWEST = 1 << 10
BLOCK = 1 << 16


class Expected(NamedTuple):
    r"""Cómo se reconoce un archivo.

    Attributes
    ----------
    size : int
        Cuántos bytes tiene.
    sha256 : str
        Su huella.
    others : dict of str to Expected
        Los archivos que sirven en su lugar, por su nombre; por ejemplo, él mismo descomprimido.
    """

    size: int
    sha256: str
    others: dict = {}  # noqa: RUF012 (nadie lo modifica)


def fetch(files, mirrors, folder, download=True, loose=True):
    r"""Da la ruta de cada archivo, comprobado; si falta, lo descarga.

    Busca cada uno en la carpeta ``DLBOOK_DATA/folder``, en la propia ``DLBOOK_DATA`` (cuando esa variable de entorno
    está puesta) y en la carpeta de caché del usuario. Lo que no aparece se descarga a la caché desde el primer sitio
    que lo entregue bien.

    - Todo archivo se compara con su tamaño y su sha256, también los que ya estaban. Uno equivocado en ``DLBOOK_DATA``
      es un error, porque esa carpeta es tuya y aquí nadie la toca; uno equivocado en la caché se descarga otra vez.
    - Lo que llega de la red se guarda sin nombre hasta que su sha256 concuerda, y solo entonces aparece, de golpe, con
      su nombre. Una descarga interrumpida no deja nada, y dos procesos a la vez no se estorban.
    - De un sitio que promete o entrega más bytes de los esperados, o que los entrega gota a gota, se pasa al siguiente.

    Parameters
    ----------
    files : dict of str to Expected
        Cómo debe ser el archivo de cada nombre.
    mirrors : sequence of str
        Direcciones, terminadas en ``/``, de las que cuelgan los archivos; se prueban en orden.
    folder : str
        Subcarpeta de este conjunto de datos.
    download : bool
        Con ``False`` no se usa la red.
    loose : bool
        Si también sirven sueltos en ``DLBOOK_DATA``; no, cuando se llaman como los de otro conjunto.

    Returns
    -------
    list of pathlib.Path
        Una ruta por archivo, en el orden de ``files``.

    Raises
    ------
    FileNotFoundError
        Si falta un archivo y ``download`` es falso, o si ``DLBOOK_DATA`` no es una carpeta.
    ValueError
        Si un archivo de ``DLBOOK_DATA`` no es el que se espera.
    ConnectionError
        Si ningún sitio entrega lo que falta; el mensaje dice cómo conseguirlo a mano.
    OSError
        Si el disco no deja leer o escribir.
    """
    cache = user_cache_path("dlbook") / folder
    own = _own_folders(folder)[: None if loose else 1]
    found = [_find({name: expected, **expected.others}, own, cache) for name, expected in files.items()]
    missing = [name for name, path in zip(files, found, strict=True) if path is None]
    by_hand = (
        f"descarga a mano {', '.join(missing)} de {' o de '.join(mirrors)} y déjalos en {cache}, o en la carpeta que "
        "diga la variable de entorno DLBOOK_DATA"
    )
    if missing and not download:
        raise FileNotFoundError(f"faltan archivos de datos, o no son los que se esperan: {by_hand}")
    for name in missing:
        _download(name, files[name], mirrors, cache, by_hand)
    return [path or cache / name for name, path in zip(files, found, strict=True)]


def _own_folders(folder):
    root = os.environ.get("DLBOOK_DATA")
    if not root:
        return []
    if not os.path.isdir(root):
        raise FileNotFoundError(f"DLBOOK_DATA: se esperaba una carpeta, pero {root} no lo es")
    return [Path(root) / folder, Path(root)]


def _find(candidates, own, cache):
    for path, expected in ((folder / name, expected) for folder in own for name, expected in candidates.items()):
        if path.is_file():
            size = path.stat().st_size
            if not _is_expected(path, expected):
                raise ValueError(
                    f"{path}: se esperaba el archivo de {expected.size} bytes con sha256 {expected.sha256[:12]}…, pero "
                    f"llegó uno de {size} bytes: está cortado, dañado o es otro"
                )
            return path
    return next((cache / name for name, expected in candidates.items() if _is_expected(cache / name, expected)), None)


def _is_expected(path, expected):
    return path.is_file() and path.stat().st_size == expected.size and _sha256(path) == expected.sha256


def _sha256(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OSError(f"{path}: no se pudo leer el archivo ({error.strerror})") from None


def _download(name, expected, mirrors, cache, by_hand):
    failures = ["el que hay en la caché está dañado"] if (cache / name).exists() else []
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for mirror in mirrors:
            with tempfile.TemporaryFile(dir=cache) as received:
                failure = _receive(mirror + name, expected, received)
                if failure is None:
                    return _publish(received, cache / name)
                failures.append(f"{urlsplit(mirror).netloc}: {failure}")
    except OSError as error:
        raise OSError(f"{cache}: no se pudo guardar {name} ({error.strerror or error})") from None
    raise ConnectionError(f"no se pudo descargar {name} ({'; '.join(failures)}): {by_hand}")


def _receive(url, expected, file):
    # Devuelve qué salió mal, o None.
    import requests  # aquí, para que importar dlbook.data siga siendo rápido
    from urllib3 import exceptions

    try:
        # Tal como está en el disco del sitio: comprimido en el camino mediría otra cosa.
        same = {"Accept-Encoding": "identity"}
        with requests.get(url, stream=True, timeout=SECONDS_WITHOUT_ANSWER, headers=same) as response:
            response.raise_for_status()
            promised = response.headers.get("Content-Length", str(expected.size))
            if promised != str(expected.size):
                return f"ofreció otro archivo, de {promised:.20} bytes"
            return _copy(response.raw, url.rsplit("/", 1)[1], expected, file)
    except requests.HTTPError as error:
        return f"contestó {error.response.status_code}"
    except (requests.Timeout, exceptions.TimeoutError):
        return "no contestó a tiempo"
    except exceptions.ProtocolError:
        return "cortó la descarga"
    except (requests.ConnectionError, exceptions.HTTPError):
        return "falló la conexión"
    except (requests.RequestException, ValueError):
        return "contestó algo incomprensible"


def _copy(response, name, expected, file):
    # Entrega lo que va llegando, sin esperar a que se llene el bloque; las versiones viejas no lo tienen.
    read = getattr(response, "read1", response.read)
    deadline, least = time.monotonic() + SECONDS_WITHOUT_ANSWER, SLOWEST * SECONDS_WITHOUT_ANSWER
    with contextlib.closing(Bar(expected.size, name, sys.stderr, unit="B", unit_scale=True)) as bar:
        while block := read(BLOCK, decode_content=False):
            file.write(block)
            bar.advance(file.tell())
            if file.tell() > expected.size:
                return f"entregó otro archivo, de más de {expected.size} bytes"
            if time.monotonic() > deadline:
                if file.tell() < least:
                    return "entregó los datos gota a gota"
                deadline, least = deadline + SECONDS_WITHOUT_ANSWER, file.tell() + SLOWEST * SECONDS_WITHOUT_ANSWER
    came = file.tell()
    file.seek(0)
    if hashlib.file_digest(file, "sha256").hexdigest() == expected.sha256:
        return None
    return f"entregó otro archivo, de {came} bytes"


def _publish(received, path):
    with paths.replacing(path, "caché") as file:
        received.seek(0)
        shutil.copyfileobj(received, file)
