r"""La caché de numba del libro: un núcleo compilado vale mientras no cambie ningún archivo del que depende.

Numba vuelve a compilar una función cuando cambia **su** archivo, pero no cuando cambia otro del que depende: quien
edita un capítulo seguiría ejecutando el código viejo. Aquí la clave de cada núcleo resume su archivo y todos los que
importa (:mod:`dlbook.sources`), y nada más: una edición no obliga a compilar lo que no la usa.

Además, cada archivo lleva delante una suma de comprobación. Lo que está dañado se tira y se hace de nuevo, y si no se
puede escribir, se sigue sin caché.
"""

import functools
import os
import pickle
import tempfile
import time
import uuid
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import llvmlite
import numba
import numpy as np
from numba.core import caching, config
from numba.core.serialize import dumps
from platformdirs import user_cache_path

from dlbook import sources

DAYS_KEPT = 30
_DAY = 86400


@functools.cache
def _versions():
    return " ".join(f"{library.__name__} {library.__version__}" for library in (numba, llvmlite, np)).encode()


@functools.cache
def user_folder():
    r"""Da la carpeta del usuario donde se guardan los núcleos, o ``None`` si no se puede escribir en ninguna.

    Returns
    -------
    pathlib.Path or None
    """
    try:
        folder = user_cache_path("dlbook") / "numba"
        if not folder.is_absolute():
            return None  # sin HOME, sería «~» dentro de donde se esté
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError):
        return None
    return folder


def folder():
    r"""Da la carpeta de los núcleos: la de ``NUMBA_CACHE_DIR`` o, si no está puesta, la del usuario.

    Returns
    -------
    path-like or None
    """
    return config.CACHE_DIR or user_folder()


class Stamp:
    r"""La clave de un archivo: un resumen de lo que decían él y los que importa cuando se importaron.

    Los archivos se leen al definir sus núcleos; el resumen se hace cuando hace falta. Si alguno se vuelve a importar ya
    cambiado (``importlib.reload``), en el proceso conviven dos versiones y ningún resumen vale: no hay más caché.

    Parameters
    ----------
    path : pathlib.Path
        El archivo.
    """

    mixed = False

    def __init__(self, path):
        self.path = path

    @functools.cached_property
    def key(self):
        r"""El resumen."""
        name = sources.module_name(self.path)
        if name:
            return sources.digest({name}).encode()
        text = sources.source(self.path)
        used = {m for node in sources.import_statements(text) for m in sources.imported(node)}
        return sources.digest(used, text).encode()


_stamp = functools.cache(Stamp)


@functools.cache
def _path(py_file):
    r"""Da la ruta de un archivo si es del libro o si importa algo del libro; si no, ``None``."""
    path = Path(py_file).resolve()
    if sources.module_name(path):
        return path
    try:
        text = path.read_bytes()
        imports = any(name.encode() in text for name in sources.PACKAGES) and sources.import_statements(text)
        return path if imports and any(map(sources.imported, imports)) else None
    except (OSError, SyntaxError, ValueError):
        return None  # no es un archivo, como las celdas de un cuaderno


class Locator(caching._CacheLocator):
    r"""Dice a numba dónde guardar los núcleos del libro, y los de quien lo importa, y con qué clave.

    Si está puesta ``NUMBA_CACHE_DIR``, manda ella.
    """

    def __init__(self, py_func, py_file):
        self._py_file = py_file
        self._line = py_func.__code__.co_firstlineno
        self._stamp = _stamp(_path(py_file))
        Stamp.mixed |= not sources.take(self._stamp.path)

    @classmethod
    def from_function(cls, py_func, py_file):
        r"""Se encarga de la función si le toca; si no, ``None``, y se encarga numba."""
        return cls(py_func, py_file) if _path(py_file) else None

    def ensure_cache_path(self):
        r"""No hace nada: la carpeta se crea al guardar."""

    def get_cache_path(self):
        r"""Da la carpeta."""
        place = folder()
        if place:
            return os.path.join(place, self.get_suitable_cache_subpath(self._py_file))
        return os.path.join(os.path.dirname(self._py_file), "__pycache__")

    def get_source_stamp(self):
        r"""Da la clave."""
        return self._stamp

    def get_disambiguator(self):
        r"""Distingue dos funciones que se llamen igual en un archivo."""
        return str(self._line)


class Kernels:
    r"""Los archivos de los núcleos compilados de una función, uno por cada juego de tipos de sus argumentos.

    Cada archivo es una suma de comprobación, que incluye la clave, y después el núcleo. Así no se abre ni uno dañado ni
    uno de otra versión de las fuentes, y el que se vuelve a compilar reemplaza al viejo.
    """

    def __init__(self, cache_path, filename_base, source_stamp):
        self.base = Path(cache_path, filename_base)
        self.stamp = source_stamp

    def _file(self, key):
        # De los tipos, el procesador y las versiones; si dos coincidieran, lo dirá la clave que está dentro.
        name = blake2b(repr(key).encode() + _versions(), digest_size=8).hexdigest()
        return self.base.with_name(f"{self.base.name}.{name}.nbk")

    def _seal(self, content):
        return blake2b(content, digest_size=16, key=self.stamp.key).digest()

    def load(self, key):
        r"""Da el núcleo guardado, o ``None`` si no lo hay o no sirve."""
        if Stamp.mixed:
            return None
        path = self._file(key)
        try:
            sealed = path.read_bytes()
            if self._seal(sealed[16:]) != sealed[:16]:
                return None
            if time.time() - path.stat().st_mtime > _DAY:
                os.utime(path)
            stored, data = pickle.loads(sealed[16:])
        except Exception:
            return None  # no está, o es de una clase que ya no existe
        return data if stored == key else None

    def save(self, key, data):
        r"""Guarda un núcleo; si no se puede, no pasa nada."""
        if Stamp.mixed:
            return
        path = self._file(key)
        content = dumps((key, data))
        temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:16]}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                temporary.write_bytes(self._seal(content) + content)
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError:
            return  # sin permiso o sin espacio
        _expire()

    def flush(self):
        r"""Tira los núcleos de la función."""
        for path in self.base.parent.glob(f"{self.base.name}.*.nbk"):
            path.unlink(missing_ok=True)


@functools.cache
def _expire():
    # Una vez por proceso, y solo si compiló algo. Otro puede estar haciendo lo mismo: que algo falte no es un error.
    root, oldest = user_folder(), time.time() - DAYS_KEPT * _DAY
    for folder, _, names in os.walk(root or "", topdown=False):
        for path in (Path(folder, name) for name in names):
            with suppress(OSError):
                if path.lstat().st_mtime < oldest:
                    path.unlink()
        with suppress(OSError):
            os.rmdir(folder)  # si quedó vacía


def use_numba_cache():
    r"""Hace que numba guarde así los núcleos del libro; los demás, los guarda como siempre."""
    if Locator in caching.CacheImpl._locator_classes:
        return
    caching.CacheImpl._locator_classes.insert(0, Locator)
    others = caching.IndexDataCacheFile

    def files(cache_path, filename_base, source_stamp):
        kind = Kernels if isinstance(source_stamp, Stamp) else others
        return kind(cache_path, filename_base, source_stamp)

    caching.IndexDataCacheFile = files
