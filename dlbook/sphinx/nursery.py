r"""Un Python ya despierto para cada página: en vez de arrancar otro, se copia uno que tiene todo importado.

Ejecutar una página empieza por importar numba, matplotlib y los capítulos: dos segundos de procesador, más de cien
veces. Aquí se paga una vez por cada proceso que lee. Ese primer Python, la cuna, no ejecuta nada: espera encargos y por
cada uno se copia (``fork``), de modo que las páginas no comparten nada. Fuera de Linux, donde copiarse no se puede o no
es de fiar, cada página arranca el suyo.
"""

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module

from jupyter_client import AsyncKernelManager
from jupyter_client.provisioning import LocalProvisioner

PRELOADED = (
    *("ipykernel.kernelapp", "matplotlib.pyplot", "IPython.core.completer"),
    *("chapters.mlp", "chapters.cnn", "chapters.autoencoder", "chapters.rnn", "chapters.attention", "dlbook.plot"),
)


class Copied:
    r"""El proceso de una copia, con la cara de los de ``subprocess``: quien lo vigila no es su padre."""

    stdin = stdout = stderr = None

    def __init__(self, pid):
        self.pid = pid

    def poll(self):
        r"""Devuelve ``None`` mientras viva."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return 0
        return None

    def wait(self):
        r"""Espera a que termine."""
        while self.poll() is None:
            time.sleep(0.01)
        return 0

    def send_signal(self, number):
        r"""Le manda una señal."""
        os.kill(self.pid, number)

    def kill(self):
        r"""Lo termina sin preguntar."""
        self.send_signal(signal.SIGKILL)

    def terminate(self):
        r"""Le pide que termine."""
        self.send_signal(signal.SIGTERM)


@functools.cache
def _nursery(reader):
    # Una por proceso que lee; termina cuando él, porque se le acaba la entrada.
    command = [sys.executable, "-c", f"from {__name__} import attend; attend()"]
    nursery = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(nursery.stdin.close)
    return nursery


class FromNursery(LocalProvisioner):
    r"""Consigue el Python de una página copiando el de la cuna."""

    async def launch_kernel(self, cmd, **options):
        r"""Encarga una copia, con la carpeta y el entorno que tendría la página."""
        nursery = _nursery(os.getpid())
        order = {"argv": cmd[cmd.index("-f") :], "cwd": str(options.get("cwd") or os.getcwd()), "env": options["env"]}
        nursery.stdin.write(json.dumps(order) + "\n")
        nursery.stdin.flush()
        self.process = Copied(int(nursery.stdout.readline()))
        self.pid = self.pgid = self.process.pid
        self.cwd = order["cwd"]
        return self.connection_info


class NurseryManager(AsyncKernelManager):
    r"""Dirige el Python de una página, que sale de la cuna."""

    def __init__(self, **options):
        super().__init__(**options)
        if sys.platform == "linux":
            self.provisioner = FromNursery(parent=self, kernel_spec=self.kernel_spec)


def attend():
    r"""Es la cuna: importa lo de todas las páginas y se copia por cada encargo, una línea de la entrada."""
    # Que matplotlib no escoja al importarse: las figuras van a la página.
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    for module in PRELOADED:
        # Si un capítulo no se puede importar, que lo diga la página que lo usa.
        with suppress(Exception):
            import_module(module)
    # Nadie pregunta cómo terminó una copia: que el sistema las recoja.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(**order)
        print(pid, flush=True)


def _become(argv, cwd, env):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.path[0] = ""
    sys.argv = [import_module("ipykernel_launcher").__file__, *argv]
    # Con quién acabar: si la cuna muere, la página también.
    argv.append(f"--IPKernelApp.parent_handle={os.getppid()}")
    # Lo que se dicen esta página y quien la construye no sale de la máquina: que no avise de que no va cifrado.
    argv.append("--log-level=ERROR")
    code = 1
    with suppress(SystemExit):
        import_module("ipykernel.kernelapp").launch_new_instance(argv=argv)
        code = 0
    os._exit(code)
