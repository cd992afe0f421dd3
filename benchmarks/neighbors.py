r"""Qué tan cerca están dos núcleos: cuánto tarda un número en ir del uno al otro y volver.

En una máquina alquilada, los dos núcleos que se ven no son siempre los mismos: su dueño los muda. Si comparten
la caché, un número va y viene en unas decenas de nanosegundos; si no, en cientos, y todo lo que se reparte entre dos
hilos tarda más, por culpa de nadie. Un rato así no dice nada de ninguna biblioteca, y aquí se reconoce.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dlbook.numeric.kernel import kernel
from dlbook.numeric.mailbox import load, store

# Las idas y vueltas de una medida, y cuántas miradas se espera a quien no contesta.
TIMES, LOOKS = 2000, 10_000_000
# Cuántas veces más que la menor que se ha visto se tolera.
FAR = 2
# Dónde escribe cada uno, en líneas distintas de la caché.
HERE, THERE = 0, 16


@kernel
def _rally(board, mine, other, serves):
    # Quien saca escribe k y espera a leerlo de vuelta; el otro lo espera y lo devuelve.
    for k in range(1, TIMES + 1):
        if serves:
            store(board, mine, k)
        looks = 0
        while load(board, other) != k:
            looks += 1
            if looks > LOOKS:
                return False
        if not serves:
            store(board, mine, k)
    return True


def there_and_back():
    r"""Los nanosegundos de una ida y vuelta entre dos hilos; infinito si alguno no contesta."""
    found = []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(3):
            board = np.zeros(32, np.uint64)
            other = pool.submit(_rally, board, THERE, HERE, False)
            began = time.perf_counter()
            whole = pool.submit(_rally, board, HERE, THERE, True).result() and other.result()
            found.append(1e9 * (time.perf_counter() - began) / TIMES if whole else np.inf)
    return min(found)


class Neighbors:
    r"""Espera a que los núcleos estén cerca, y dice si lo siguen estando.

    Cerca es que la ida y vuelta no pase de :data:`FAR` veces la menor que se ha medido.
    """

    def __init__(self, patience=120):
        # Cuántos bloques se repitieron, y cuántos se aceptaron sin haber visto los núcleos cerca.
        self.patience, self.repeated, self.far = patience, 0, 0
        self.least = min(there_and_back() for _ in range(20))

    def near(self):
        r"""Si ahora están cerca."""
        now = there_and_back()
        self.least = min(self.least, now)
        return now <= FAR * self.least

    def measure(self, block):
        r"""Da lo que dé ``block()``, medido con los núcleos cerca de principio a fin; si nunca lo están, como salga."""
        end = time.monotonic() + self.patience
        while True:
            while not self.near() and time.monotonic() < end:
                time.sleep(0.2)
            found = block()
            if self.near():
                return found
            if time.monotonic() > end:
                self.far += 1
                return found
            self.repeated += 1
