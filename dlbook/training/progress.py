r"""Lo que se ve mientras se entrena."""

import sys
import time
import warnings

from dlbook.console import printable, say

# Cada cuántos segundos se refresca la barra.
REFRESH = 0.1


class Progress:
    r"""La barra de una época; con ``verbose=0``, nada."""

    def __init__(self, verbose, epoch, epochs, steps):
        # Sin consola no hay nada que mostrar.
        self.verbose = 0 if sys.stdout is None else 1 if verbose == "auto" else verbose
        self.title = f"Época {epoch + 1}/{epochs}"
        self.steps = steps
        self.bar = None
        self.next = 0.0

    def __enter__(self):
        r"""Empieza a contar el tiempo y abre la barra."""
        self.began = time.perf_counter()
        if self.verbose == 1:
            with warnings.catch_warnings():
                # Sin ipywidgets, en un cuaderno, la barra es de texto y basta.
                warnings.simplefilter("ignore")
                from tqdm.auto import tqdm

                self.bar = tqdm(total=self.steps, desc=printable(self.title), unit="lote", file=sys.stdout)
        return self

    def step(self, batch, loss):
        r"""Avanza un lote."""
        if self.bar is not None:
            now = time.perf_counter()
            if now >= self.next:
                self.next = now + REFRESH
                self.bar.set_postfix_str(f"loss={loss:.4g}", refresh=False)
                self.bar.update(batch + 1 - self.bar.n)

    def finish(self, logs):
        r"""Escribe cómo terminó la época."""
        text = ", ".join(f"{name}={value:.4g}" for name, value in logs.items())
        if self.bar is not None:
            self.bar.set_postfix_str(printable(text), refresh=False)
            self.bar.update(self.steps - self.bar.n)
        elif self.verbose == 2:
            say(f"{self.title} · {time.perf_counter() - self.began:.1f} s · {text}")

    def __exit__(self, *_):
        r"""Cierra la barra."""
        if self.bar is not None:
            self.bar.close()
