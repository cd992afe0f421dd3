r"""La caché de numba, guardada bajo una clave que cambia con cualquier archivo del libro.

Numba vuelve a compilar una función cuando cambia **su** archivo, pero no cuando cambia otro del que depende: quien
edita un capítulo seguiría ejecutando el código viejo. Por eso la carpeta de la caché lleva en el nombre un resumen
(*hash*) de todas las fuentes.
"""

import hashlib
import os
import shutil
import sys
import time
from pathlib import Path

from platformdirs import user_cache_path

PACKAGES = Path(__file__).resolve().parent, Path(__file__).resolve().parent.parent / "chapters"
DAYS_KEPT = 30


def sources_hash():
    r"""Resume todas las fuentes de ``dlbook`` y ``chapters`` en 16 cifras hexadecimales.

    Returns
    -------
    str
        Cambia en cuanto cambia, aparece o desaparece un archivo ``.py``.

        >>> len(sources_hash())
        16
    """
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            digest.update(path.relative_to(package.parent).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def use_numba_cache():
    r"""Apunta numba a la carpeta de estas fuentes y borra las que llevan un mes sin usarse.

    Respeta ``NUMBA_CACHE_DIR`` si ya está puesta.
    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    root = user_cache_path("dlbook") / "numba"
    folder = root / sources_hash()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
    except OSError:
        return  # sin permiso de escritura, que numba busque otro lugar
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    oldest = time.time() - DAYS_KEPT * 86400
    for old in root.iterdir():
        if old != folder and old.stat().st_mtime < oldest:
            shutil.rmtree(old, ignore_errors=True)
