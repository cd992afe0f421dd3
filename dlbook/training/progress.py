r"""Lo que se ve mientras se entrena."""

import sys
import time

import numpy as np

from dlbook.console import Bar, say

# Cada cuántos segundos se refresca la barra.
REFRESH = 0.1


def _brief(value):
    # Casi todo es un número; algunas métricas dan uno por clase.
    return f"{value:.4g}" if np.ndim(value) == 0 else np.array2string(np.asarray(value), precision=4)


class Progress:
    r"""La barra de una época; con ``verbose=0``, nada."""

    def __init__(self, verbose, epoch, epochs, steps):
        self.verbose = 1 if verbose == "auto" else verbose
        self.title = f"Época {epoch + 1}/{epochs}"
        self.steps = steps
        self.bar = None
        self.next = 0.0

    def __enter__(self):
        r"""Empieza a contar el tiempo y abre la barra."""
        self.began = time.perf_counter()
        if self.verbose == 1:
            self.bar = Bar(self.steps, self.title, sys.stdout, unit="lote")
        return self

    def step(self, batch, loss):
        r"""Avanza un lote."""
        if self.bar is not None:
            now = time.perf_counter()
            if now >= self.next:
                self.next = now + REFRESH
                self.bar.advance(batch + 1, f"loss={loss:.4g}")

    def finish(self, logs):
        r"""Escribe cómo terminó la época."""
        text = ", ".join(f"{name}={_brief(value)}" for name, value in logs.items())
        if self.bar is not None:
            self.bar.advance(self.steps, text)
        elif self.verbose == 2:
            say(f"{self.title} · {time.perf_counter() - self.began:.1f} s · {text}")

    def __exit__(self, *_):
        r"""Cierra la barra."""
        if self.bar is not None:
            self.bar.close()
