r"""El azar de un lote, el mismo aunque el lote se reparta.

Los números «al azar» de una computadora salen de una cuenta. La más sencilla es la del *generador congruencial
lineal* (*linear congruential generator*, LCG): el estado es un entero :math:`s` menor que :math:`m`, y el siguiente es

.. math::

   s_{k+1} = (a\,s_k + c) \bmod m .

Con :math:`m=16`, :math:`a=5` y :math:`c=3`, desde el 1, pasa por los dieciséis estados antes de repetirse:

>>> def following(s, a=5, c=3):
...     return (a * s + c) % 16
>>> row = [1]
>>> for _ in range(16):
...     row.append(following(row[-1]))
>>> row
[1, 8, 11, 10, 5, 12, 15, 14, 9, 0, 3, 2, 13, 4, 7, 6, 1]

**Saltar.** Si se da el paso :math:`k` veces,

.. math::

   s_k = a^k s_0 + c\,(1 + a + \dots + a^{k-1}) \bmod m ,

que también es multiplicar y sumar. Así que un salto de cualquier distancia cuesta lo mismo que un paso, si se conocen
sus dos números: :math:`A=a^k` y :math:`G=1+a+\dots+a^{k-1}`. Los de dar dos veces el mismo salto salen de los suyos:

.. math::

   A(As + cG) + cG = A^2 s + c\,(A+1)\,G .

Con eso se hace una tabla con los saltos de 1, 2, 4, 8… pasos, y cualquier distancia es suma de algunos: los que dice su
escritura en binario. Para avanzar :math:`2^{64}` pasos basta una fila de la tabla :cite:p:`brown1994`.

**A mano.** El salto de uno es :math:`A=5`, :math:`G=1`. El de dos, :math:`A=25\bmod16=9` y :math:`G=(5+1)\cdot1=6`. El
de cuatro, :math:`A=81\bmod16=1` y :math:`G=(9+1)\cdot6\bmod16=12`. Como :math:`5=4+1`, el quinto estado es

>>> four = (1 * row[0] + 3 * 12) % 16
>>> four, following(four), row[4], row[5]
(5, 12, 5, 12)

**PCG64**, el generador de NumPy :cite:p:`oneill2014`, es un LCG con :math:`m=2^{128}`. Los últimos bits de un estado
son malos: el último de todos, si :math:`a` y :math:`c` son impares, alterna entre 0 y 1, como arriba. Por eso no se
entrega el estado. Se le dobla en dos, y cada bit de la mitad alta se le suma, sin llevar, al de la baja (XOR); lo que
queda, de 64 bits, se gira tantos lugares como digan los seis primeros bits del estado. Es la palabra que se entrega. De
ella, los 53 primeros bits son un número de 0 a 1 en precisión doble; en simple bastan 24, y de cada palabra salen dos
números: el primero, de su mitad baja.

Aquí se hace lo mismo que NumPy, bit por bit, en un núcleo: así un paso que se graba (:mod:`dlbook.numeric.recording`)
puede repetir sus sorteos. Los enteros de 128 bits van en dos mitades de 64, la alta y la baja.
"""

import numpy as np
from numba import config

from dlbook.numeric.kernel import kernel

# El multiplicador de PCG64, y los dos números del salto de 2^k pasos, para cada k, como (A alta, A baja, G alta, G
# baja).
MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645


def _halves(number):
    return number >> 64 & 2**64 - 1, number & 2**64 - 1


def _jumps():
    rows, a, g = [], MULTIPLIER, 1
    for _ in range(128):
        rows.append(_halves(a) + _halves(g))
        a, g = a * a, (a + 1) * g
        a, g = a % 2**128, g % 2**128
    return np.array(rows, np.uint64)


JUMPS = _jumps()
A_HIGH, A_LOW = np.array(_halves(MULTIPLIER), np.uint64)
# Con enteros de 64 bits numba solo mezcla otros iguales.
HALF, LOW, ZERO, ONE = np.uint64(32), np.uint64(2**32 - 1), np.uint64(0), np.uint64(1)
ROTATION, TURN = np.uint64(58), np.uint64(63)
# Cuántos bits se tiran para quedarse con 53, o con los 24 de cada mitad.
DOUBLE, SINGLE, SINGLE_HIGH = np.uint64(11), np.uint64(8), np.uint64(40)
DOUBLES, SINGLES = 2.0**-53, np.float32(2.0**-24)

# Qué hay en la memoria de un ``Draws``: el estado del que parte y lo que suma cada paso, en sus mitades; en qué paso se
# está; qué observaciones del lote vienen; cuántas tiene; y cuántas palabras usó, en este paso, el lote entero.
S_HIGH, S_LOW, C_HIGH, C_LOW, STEP, START, ROWS, WHOLE, USED = range(9)
SIZE = 9


@kernel
def _high_half(a, b):
    # La mitad alta del producto de dos números de 64 bits, como se multiplica a mano, con «cifras» de 32.
    a1, a0, b1, b0 = a >> HALF, a & LOW, b >> HALF, b & LOW
    middle = a1 * b0 + (a0 * b0 >> HALF)
    return a1 * b1 + (middle >> HALF) + (a0 * b1 + (middle & LOW) >> HALF)


@kernel
def _times(a_high, a_low, b_high, b_low):
    # El producto, sin lo que pasa de 128 bits.
    return _high_half(a_low, b_low) + a_high * b_low + a_low * b_high, a_low * b_low


@kernel
def _plus(a_high, a_low, b_high, b_low):
    # Si la suma de las mitades bajas dio la vuelta, se lleva una.
    low = a_low + b_low
    return a_high + b_high + (ONE if low < a_low else ZERO), low


@kernel
def _jump(high, low, c_high, c_low, distance, first):
    # Avanza una distancia por las filas de la tabla, desde ``first``, que diga su escritura en binario.
    k = first
    while distance != ZERO:
        if distance & ONE:
            added = _times(c_high, c_low, JUMPS[k, 2], JUMPS[k, 3])
            moved = _times(high, low, JUMPS[k, 0], JUMPS[k, 1])
            high, low = _plus(moved[0], moved[1], added[0], added[1])
        distance >>= ONE
        k += 1
    return high, low


@kernel
def _word(high, low):
    mixed, turn = high ^ low, high >> ROTATION
    return mixed >> turn | mixed << (ZERO - turn & TURN)


@kernel
def _low_single(word):
    return np.float32(np.int64((word & LOW) >> SINGLE)) * SINGLES


@kernel
def _high_single(word):
    return np.float32(np.int64(word >> SINGLE_HIGH)) * SINGLES


@kernel
def _uniform(memory, out):
    each = out.size // np.int64(memory[ROWS])
    # Las observaciones de antes son de otras partes.
    skipped = np.int64(memory[START]) * each
    single = out.itemsize == 4
    first = memory[USED] + np.uint64(skipped // 2 if single else skipped)
    memory[USED] += np.uint64(np.int64(memory[WHOLE]) * each)
    c_high, c_low = memory[C_HIGH], memory[C_LOW]
    # Cada paso del entrenamiento está 2^64 palabras más allá que el anterior: son las filas desde la 64.
    high, low = _jump(memory[S_HIGH], memory[S_LOW], c_high, c_low, first, 0)
    high, low = _jump(high, low, c_high, c_low, memory[STEP], 64)
    # Con números de 32 bits, se puede empezar y acabar a media palabra.
    i = -(skipped % 2) if single else 0
    while i < out.size:
        high, low = _times(high, low, A_HIGH, A_LOW)
        high, low = _plus(high, low, c_high, c_low)
        word = _word(high, low)
        if single:
            if i >= 0:
                out[i] = _low_single(word)
            if i + 1 < out.size:
                out[i + 1] = _high_single(word)
            i += 2
        else:
            out[i] = np.int64(word >> DOUBLE) * DOUBLES
            i += 1


if config.DISABLE_JIT:
    # Sin compilador, NumPy avisaría de que los productos no caben.
    _uniform = np.errstate(over="ignore")(_uniform)


class Draws:
    r"""Los números al azar de un lote entero, de los que cada parte toma los suyos.

    Con un lote repartido entre hilos, el azar no debe depender de cuántos sean. Todas las partes tienen la misma fila
    de números, nacida de la misma semilla, y cada una salta hasta los de sus observaciones. Cada paso empieza
    :math:`2^{64}` números más adelante que el anterior, así que nunca se repiten.

    >>> whole, half = Draws(np.random.SeedSequence(0)), Draws(np.random.SeedSequence(0))
    >>> whole.place(step=7, start=0, stop=4, n=4)
    >>> half.place(step=7, start=2, stop=4, n=4)
    >>> all(whole.uniform(np.empty((4, 3)))[2:].ravel() == half.uniform(np.empty((2, 3))).ravel())
    True

    Los del primer paso son los del generador de NumPy con esa semilla:

    >>> whole.place(step=0, start=0, stop=2, n=2)
    >>> whole.uniform(np.empty(2)), np.random.default_rng(np.random.SeedSequence(0)).random(2)
    (array([0.63696169, 0.26978671]), array([0.63696169, 0.26978671]))

    Parameters
    ----------
    seed : numpy.random.SeedSequence or Draws
        La semilla, la misma en todas las partes; o quien ya tiene la fila que nace de ella.
    memory : ndarray of uint64, shape (9,), optional
        Dónde anota por dónde va, que es lo que lee su núcleo. Lo que se graba lo busca siempre en la misma memoria.
    """

    def __init__(self, seed, memory=None):
        self.memory = np.empty(SIZE, np.uint64) if memory is None else memory
        self.memory[STEP:] = 0
        if isinstance(seed, Draws):
            self.memory[:STEP] = seed.memory[:STEP]
        else:
            state = np.random.PCG64(seed).state["state"]
            self.memory[:STEP] = *_halves(state["state"]), *_halves(state["inc"])

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
        self.memory[STEP:] = step, start, stop - start, n, 0

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
        _uniform(self.memory, out.reshape(-1))
        return out
