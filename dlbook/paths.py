r"""Rutas de archivos: comprobadas antes de leer, y escritas enteras o no escritas."""

import contextlib
import functools
import os
import secrets
import stat
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, que no deja borrar un archivo abierto
    fcntl = None

# Así empieza el nombre de lo que se está escribiendo. Es corto: el del archivo puede tener ya todo el largo que cabe.
PREFIX = ".dlbook-"
# Entre que un archivo nace y que su dueño lo reclama pasa un instante.
NEWBORN_SECONDS = 60


def checked(value, name):
    r"""Devuelve la ruta, si puede ser la de un archivo.

    Parameters
    ----------
    value : str or os.PathLike
        La ruta.
    name : str
        Nombre del argumento, para el mensaje.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    TypeError
        Si no es una ruta.
    ValueError
        Si está vacía o tiene algo que ningún nombre puede tener.

    Examples
    --------
    >>> checked("redes/lenet", "filepath").name
    'lenet'
    >>> checked("", "filepath")
    Traceback (most recent call last):
        ...
    ValueError: filepath: se esperaba la ruta de un archivo, pero llegó ''
    """
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise TypeError(f"{name}: se esperaba la ruta de un archivo, pero llegó {value!r:.60}")
    try:
        usable = text and b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise ValueError(f"{name}: se esperaba la ruta de un archivo, pero llegó {text!r:.60}")
    return Path(text)


def readable(value, name):
    r"""Devuelve la ruta de un archivo que existe.

    Parameters
    ----------
    value, name
        Como en :func:`checked`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    FileNotFoundError
        Si ahí no hay un archivo.

        >>> readable("no/está", "path")
        Traceback (most recent call last):
            ...
        FileNotFoundError: no/está: se esperaba un archivo, pero no existe
    """
    path = checked(value, name)
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{path}: se esperaba un archivo, pero {_what_is_there(path)}")
    return path


@contextlib.contextmanager
def replacing(value, name):
    r"""Abre un archivo nuevo que al terminar, completo y en el disco, toma de golpe el lugar del que había.

    Si algo falla, o si el proceso muere a la mitad, el archivo que había queda como estaba. Lo que deja un proceso
    que murió lo borra el siguiente que escriba en esa carpeta. Un enlace sigue siendo un enlace: se reemplaza aquello
    a lo que apunta. El archivo nuevo conserva los permisos del que reemplaza.

    Parameters
    ----------
    value, name
        Como en :func:`checked`.

    Yields
    ------
    file
        Abierto para escribir bytes.

    Raises
    ------
    FileNotFoundError
        Si no existe la carpeta.
    ValueError
        Si ahí hay algo que no es un archivo corriente: una carpeta, una tubería, un dispositivo.
    OSError
        Si el disco no deja escribir.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/a", "filepath") as file:
    ...         _ = file.write(b"hola")
    ...     Path(folder, "a").read_text()
    'hola'
    """
    path = _destination(value, name)
    claim, temporary = None, path.with_name(PREFIX + secrets.token_hex(8))
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
        _sweep(path.parent)
        # Quien no podía leer el que había tampoco lee el nuevo, ni un instante.
        opener = functools.partial(os.open, mode=0o666 if mode is None else 0o600)
        with open(temporary, "xb", opener=opener) as file:
            claim = _claim(file)
            if mode is not None:
                os.chmod(temporary, mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise _not_written(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if claim is not None:
            os.close(claim)


@contextlib.contextmanager
def growing(value, name, mode="a"):
    r"""Abre un archivo de texto que crece poco a poco.

    Parameters
    ----------
    value, name
        Como en :func:`checked`.
    mode : {"a", "a+", "w+"}
        Como en :func:`open`.

    Yields
    ------
    file
        Abierto para escribir texto.

    Raises
    ------
    FileNotFoundError, ValueError, OSError
        Como en :func:`replacing`; ``ValueError``, también si lo que había no es texto.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for word in ("hola, ", "adiós"):
    ...         with growing(f"{folder}/a", "filename") as file:
    ...             _ = file.write(word)
    ...     Path(folder, "a").read_text(encoding="utf-8")
    'hola, adiós'
    """
    path = _destination(value, name)
    try:
        with path.open(mode, newline="", encoding="utf-8") as file:
            yield file
    except OSError as error:
        raise _not_written(path, error) from None
    except UnicodeDecodeError:
        raise ValueError(f"{path}: se esperaba texto en UTF-8, pero hay otra cosa") from None


def _destination(value, name):
    path = Path(os.path.realpath(checked(value, name)))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{name}: no existe la carpeta {path.parent}")
    if os.path.lexists(path) and not os.path.isfile(path):
        raise ValueError(f"{name}: se esperaba un archivo corriente, pero {path} {_what_is_there(path)}")
    return path


def _not_written(path, error):
    return type(error)(f"{path}: no se pudo escribir el archivo ({error.strerror or error})")


def _what_is_there(path):
    if os.path.isdir(path):
        return "es una carpeta"
    return "es otra cosa" if os.path.lexists(path) else "no existe"


def _claim(file):
    # Un candado que el sistema quita cuando el proceso termina, como sea que termine.
    if fcntl is None:
        return None
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_EX)
    return os.dup(file.fileno())


def _sweep(folder):
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    if _abandoned(entry.path):
                        os.unlink(entry.path)


def _abandoned(path):
    if fcntl is None:
        return True
    with open(path, "rb") as file:
        # Falla si alguien lo tiene reclamado.
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        info = os.fstat(file.fileno())
    return info.st_size > 0 or time.time() - info.st_mtime > NEWBORN_SECONDS
