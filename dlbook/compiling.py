r"""Decir en la terminal que se está compilando, cuando se nota.

Numba compila cada núcleo la primera vez que se usa en una máquina, y el primer paso de una red usa decenas. Quien
espera merece saber por qué. El aviso es una sola línea por proceso, y solo donde alguien la puede ver: ni en un archivo
ni en un cuaderno, cuya salida no debe depender de si la caché estaba llena.
"""

import atexit
import contextlib
import gc
import shutil
import sys
import time

from numba.core import event

from dlbook.cache import folder
from dlbook.console import FAILURES, printable
from dlbook.sources import PACKAGES

# Desde cuántos segundos de compilar se avisa.
PATIENCE = 2


def _ours(kernel):
    return (kernel.__module__ or "").partition(".")[0] in PACKAGES


class Notice(event.Listener):
    r"""Cuenta los núcleos del libro que compila numba y, si tarda, lo va diciendo.

    Numba los compila de uno en uno, con un candado puesto, y es él quien llama aquí: aunque los pidan dos hilos, nunca
    se llega por los dos a la vez.

    Attributes
    ----------
    kernels : int
        Cuántos van en este paso.
    seconds : float
        Cuánto se ha tardado en ellos.
    """

    def __init__(self):
        self.kernels, self.seconds = 0, 0.0
        # Los que están a medias: cada uno espera al que él llama.
        self._open = []
        self._began = 0.0
        self._collecting = False
        self._showing = self._told = False

    def on_start(self, event):
        r"""Empieza un núcleo."""
        kernel = event.data["dispatcher"].py_func
        self._open.append(kernel)
        if self.seconds > PATIENCE and not self._told and _ours(kernel):
            self._show(kernel)
        if len(self._open) == 1:
            self._began = time.perf_counter()
            # Compilar crea millones de objetos que siguen en uso. Que Python busque entre ellos los que ya sobran se
            # lleva la décima parte del tiempo.
            self._collecting = gc.isenabled()
            gc.disable()

    def on_end(self, event):
        r"""Acaba un núcleo."""
        # Lo que compila por su cuenta quien usa el libro no es cosa nuestra, ni los ayudantes de numba se cuentan.
        mine = _ours(self._open[0])
        self.kernels += mine and _ours(self._open[-1])
        self._open.pop()
        if not self._open:
            if self._collecting:
                gc.enable()
            self.seconds += mine * (time.perf_counter() - self._began)

    def _show(self, kernel):
        if not self._showing:
            if not _visible():
                self._told = True
                return
            self._showing = True
            # Si el programa acaba antes que el paso, la línea también.
            atexit.register(self.finish)
        once = ", solo la primera vez" if folder() else ""
        name = kernel.__module__.rpartition(".")[2]
        _write(f"Compilando{once}: {self._count()}, {self.seconds:.1f} s ({name})")

    def _count(self):
        return f"{self.kernels} núcleo" + "s" * (self.kernels != 1)

    def finish(self):
        r"""Deja escrita la línea, si la hay: ya se compiló lo que hacía falta."""
        if self._showing:
            self._showing, self._told = False, True
            after = "; ya no hará falta" if folder() else ""
            _write(f"Compilar {self._count()} para este procesador tardó {self.seconds:.1f} s{after}.", "\n")
        self.kernels, self.seconds = 0, 0.0


def _visible():
    with contextlib.suppress(*FAILURES):
        return sys.stderr is not None and sys.stderr.isatty()
    return False


def _write(text, end=""):
    # Encima de lo que haya en la línea, como una barra de avance.
    with contextlib.suppress(*FAILURES):
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r" + printable(text)[:width].ljust(width) + end)
        sys.stderr.flush()


notice = Notice()
event.register("numba:compile", notice)
