r"""Una construcción a la vez: la segunda que empieza en la misma carpeta espera a que acabe la primera.

Las dos escribirían los mismos archivos, y una leería a medias lo que la otra está escribiendo.
"""

from pathlib import Path

from sphinx.util import logging

try:
    import fcntl
except ImportError:
    fcntl = None  # en Windows no hay turnos


def _take_turn(app):
    folder = Path(app.doctreedir)
    folder.mkdir(parents=True, exist_ok=True)
    turn = (folder / "turno").open("w")
    try:
        fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logging.getLogger(__name__).info("Hay otra construcción en marcha; esta empieza cuando acabe.")
        fcntl.flock(turn, fcntl.LOCK_EX)
    except OSError:
        pass  # un disco en red que no sabe de turnos
    # Si el proceso muere, el sistema lo devuelve por él.
    app.connect("build-finished", lambda app, exception: turn.close(), priority=1000)


def setup(app):
    r"""Espera el turno ya, antes de que Sphinx lea lo que se construyó la vez anterior."""
    if fcntl:
        _take_turn(app)
