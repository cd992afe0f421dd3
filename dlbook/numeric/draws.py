r"""El azar de un lote, el mismo aunque el lote se reparta."""

import numpy as np


class Draws:
    r"""Los números al azar de un lote entero, de los que cada parte toma los suyos.

    Con un lote repartido entre hilos, el azar no debe depender de cuántos sean. Todas las partes tienen la misma fila
    de números, nacida de la misma semilla, y cada una salta hasta los de sus observaciones. El generador PCG64 de NumPy
    sabe saltar cualquier distancia en menos de un microsegundo. Cada paso empieza :math:`2^{64}` números más adelante
    que el anterior, así que nunca se repiten.

    >>> whole, half = Draws(np.random.SeedSequence(0)), Draws(np.random.SeedSequence(0))
    >>> whole.place(step=7, start=0, stop=4, n=4)
    >>> half.place(step=7, start=2, stop=4, n=4)
    >>> all(whole.uniform(np.empty((4, 3)))[2:].ravel() == half.uniform(np.empty((2, 3))).ravel())
    True

    Parameters
    ----------
    seed : numpy.random.SeedSequence
        La semilla; la misma en todas las partes.
    """

    def __init__(self, seed):
        self.bits = np.random.PCG64(seed)
        self.generator = np.random.Generator(self.bits)
        # En qué número de la fila está el generador, y dónde empieza la llamada siguiente.
        self.at = self.next = 0

    def place(self, step, start, stop, n):
        r"""Dice en qué paso se está y qué observaciones del lote, de ``start`` a ``stop``, vienen ahora.

        Parameters
        ----------
        step : int
            Qué paso.
        start, stop : int
            La primera, y la que sigue a la última.
        n : int
            Cuántas tiene el lote entero.
        """
        self.start, self.rows, self.n = start, stop - start, n
        self.next = step << 64

    def uniform(self, out):
        r"""Llena un arreglo con números al azar de 0 a 1, sin el 1; los mismos por observación en cualquier reparto.

        Parameters
        ----------
        out : ndarray of float32 or float64
            Donde se escriben; se reparten por igual entre las observaciones que vienen ahora.

        Returns
        -------
        ndarray
            El mismo ``out``.
        """
        each = out.size // self.rows
        first = self.next + self.start * each
        # La fila es de números de 64 bits; de 32, caben dos en cada uno.
        odd = 0
        if out.dtype == np.float32:
            skipped = self.start * each
            first, odd = self.next + skipped // 2, skipped % 2
        if first != self.at:
            self.bits.advance(first - self.at)
        if odd:
            self.generator.random(dtype=np.float32)
        self.generator.random(out=out, dtype=out.dtype)
        self.at = first + (out.size if out.dtype != np.float32 else (odd + out.size + 1) // 2)
        self.next += self.n * each
        return out
