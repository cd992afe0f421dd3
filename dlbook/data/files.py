r"""Archivos de datos: encontrarlos, o descargarlos, y comprobarlos siempre antes de usarlos.

Un archivo de datos viene de fuera: puede haberse cortado, puede ser otro. Su sha256, una huella de 64 cifras
hexadecimales, dice si es el que se espera byte por byte.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from platformdirs import user_cache_path

SECONDS_WITHOUT_ANSWER = 30
BLOCK = 1 << 16


def fetch(files, mirrors, folder, download=True):
    r"""Da la ruta de cada archivo, comprobado; si falta, lo descarga.

    Busca cada uno en la carpeta ``DLBOOK_DATA/folder``, en la propia ``DLBOOK_DATA`` (cuando esa variable de entorno
    está puesta) y en la carpeta de caché del usuario. Lo que no aparece se descarga a la caché desde el primer sitio
    que lo entregue bien.

    - Todo archivo se compara con su sha256, también los que ya estaban. Uno equivocado en ``DLBOOK_DATA`` es un error,
      porque esa carpeta es tuya y aquí nadie la toca; uno equivocado en la caché se descarga otra vez.
    - Lo que llega de la red se guarda sin nombre hasta que su sha256 concuerda, y solo entonces aparece, de golpe, con
      su nombre. Una descarga interrumpida no deja nada, y dos procesos a la vez no se estorban.

    Parameters
    ----------
    files : dict of str to str
        El sha256 que debe tener cada nombre de archivo.
    mirrors : sequence of str
        Direcciones, terminadas en ``/``, de las que cuelgan los archivos; se prueban en orden.
    folder : str
        Subcarpeta de este conjunto de datos.
    download : bool
        Con ``False`` no se usa la red.

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
    own = _own_folders(folder)
    paths = [_find(name, sha256, own, cache) for name, sha256 in files.items()]
    missing = [name for name, path in zip(files, paths, strict=True) if path is None]
    by_hand = (
        f"descarga a mano {', '.join(missing)} de {' o de '.join(mirrors)} y déjalos en {cache}, o en la carpeta que "
        "diga la variable de entorno DLBOOK_DATA"
    )
    if missing and not download:
        raise FileNotFoundError(f"faltan archivos de datos, o no son los que se esperan: {by_hand}")
    for name in missing:
        _download(name, files[name], mirrors, cache, by_hand)
    return [path or cache / name for name, path in zip(files, paths, strict=True)]


def _own_folders(folder):
    root = os.environ.get("DLBOOK_DATA")
    if not root:
        return []
    if not os.path.isdir(root):
        raise FileNotFoundError(f"DLBOOK_DATA: se esperaba una carpeta, pero {root} no lo es")
    return [Path(root) / folder, Path(root)]


def _find(name, sha256, own, cache):
    for path in (folder / name for folder in own):
        if path.is_file():
            came = _sha256(path)
            if came != sha256:
                raise ValueError(
                    f"{path}: se esperaba el archivo de sha256 {sha256[:12]}…, pero llegó uno de {path.stat().st_size} "
                    f"bytes con sha256 {came[:12]}…: está cortado, dañado o es otro"
                )
            return path
    path = cache / name
    return path if path.is_file() and _sha256(path) == sha256 else None


def _sha256(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise OSError(f"{path}: no se pudo leer el archivo ({error.strerror})") from None


def _download(name, sha256, mirrors, cache, by_hand):
    import requests  # aquí, para que importar dlbook.data siga siendo rápido

    failures = ["el que hay en la caché está dañado"] if (cache / name).exists() else []
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for mirror in mirrors:
            with tempfile.TemporaryFile(dir=cache) as received:
                try:
                    _receive(mirror + name, received)
                    received.seek(0)
                    if hashlib.file_digest(received, "sha256").hexdigest() == sha256:
                        return _publish(received, cache / name)
                    failure = f"entregó otro archivo, de {received.tell()} bytes"
                except requests.HTTPError as error:
                    failure = f"contestó {error.response.status_code}"
                except requests.Timeout:
                    failure = "no contestó a tiempo"
                except requests.exceptions.ChunkedEncodingError:
                    failure = "cortó la descarga"
                except requests.ConnectionError:
                    failure = "falló la conexión"
                except (requests.RequestException, ValueError):
                    failure = "contestó algo incomprensible"
                failures.append(f"{urlsplit(mirror).netloc}: {failure}")
    except OSError as error:
        raise OSError(f"{cache}: no se pudo guardar {name} ({error.strerror or error})") from None
    raise ConnectionError(f"no se pudo descargar {name} ({'; '.join(failures)}): {by_hand}")


def _receive(url, file):
    import requests
    from tqdm import tqdm

    with requests.get(url, stream=True, timeout=SECONDS_WITHOUT_ANSWER) as response:
        response.raise_for_status()
        total = int(response.headers.get("Content-Length", 0)) or None
        with tqdm(total=total, desc=url.rsplit("/", 1)[1], unit="B", unit_scale=True) as bar:
            for block in response.iter_content(BLOCK):
                file.write(block)
                bar.update(len(block))


def _publish(received, path):
    # os.replace es atómico: quien mire la carpeta ve el archivo entero o no lo ve.
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    try:
        with open(handle, "wb") as file:
            received.seek(0)
            shutil.copyfileobj(received, file)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
