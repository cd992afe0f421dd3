r"""Compuertas lógicas hechas con una sola unidad con umbral, y cuántas veces se dispara una unidad."""

import numpy as np

from chapters.perceptron.threshold_unit import step, threshold_unit, weighted_sum
from dlbook.check import choice, floats, integer, labels


def binary_inputs(d):
    r"""Las :math:`2^d` entradas posibles de :math:`d` bits, en orden de conteo.

    La fila :math:`k` es el número :math:`k` escrito en base dos: el bit de la columna :math:`j` es
    :math:`\lfloor k/2^{\,d-1-j}\rfloor \bmod 2`. Los corchetes quitan los decimales, y :math:`\bmod 2` es lo que
    sobra al dividir entre 2.

    >>> binary_inputs(2)
    array([[0, 0],
           [0, 1],
           [1, 0],
           [1, 1]])

    Parameters
    ----------
    d : int
        Número de entradas, entre 1 y 20.

    Returns
    -------
    ndarray of int, shape (2**d, d)
        Una combinación por fila.

    Raises
    ------
    TypeError
        Si no es un entero.
    ValueError
        Si queda fuera del intervalo.
    """
    d = integer(d, "d", 1, 20)
    return np.arange(2**d)[:, np.newaxis] >> np.arange(d - 1, -1, -1) & 1


def gate_weights(name, d):
    r"""Pesos y umbral con los que una unidad calcula una compuerta lógica de :math:`d` entradas.

    Sea :math:`s=\sum_i x_i` cuántas entradas valen 1. Cada compuerta de la tabla depende solo de :math:`s`, y además es
    de la forma «:math:`s` llega a tanto» o «:math:`s` no pasa de tanto». Las dos son una suma comparada con un umbral:
    en la segunda, con pesos :math:`-1`, porque :math:`s\leq c` es lo mismo que :math:`-s\geq -c`.

    .. math::
       :label: ec-per-compuerta

       \begin{array}{llrr}
       \text{compuerta} & \text{vale 1 si} & w_i & \theta \\ \hline
       \text{and (y)} & s \geq d & 1 & d \\
       \text{or (o)} & s \geq 1 & 1 & 1 \\
       \text{majority (}\mathrm{mayor\acute{\imath}a}\text{)} & s > d/2 & 1 & \lfloor d/2\rfloor + 1 \\
       \text{nand (no y)} & s \leq d-1 & -1 & 1-d \\
       \text{nor (no o)} & s \leq 0 & -1 & 0 \\
       \text{not (no), } d=1 & s \leq 0 & -1 & 0
       \end{array}

    >>> gate_weights("nand", 2)
    (array([-1, -1]), -1)

    Parameters
    ----------
    name : str
        Compuerta: ``"and"``, ``"or"``, ``"majority"``, ``"nand"``, ``"nor"`` o ``"not"``.
    d : int
        Número de entradas; 1 para ``"not"``.

    Returns
    -------
    w : ndarray of int, shape (d,)
        Pesos.
    threshold : int
        Umbral.

    Raises
    ------
    TypeError
        Si ``d`` no es un entero.
    ValueError
        Si la compuerta no está en la tabla o no admite ``d`` entradas.

        >>> gate_weights("xor", 2)
        Traceback (most recent call last):
            ...
        ValueError: name: se esperaba 'and' o 'or' o 'majority' o 'nand' o 'nor' o 'not', pero llegó 'xor'
    """
    d = integer(d, "d", 1, 1_000_000)
    table = {  # [ec-per-compuerta]
        "and": (1, d),
        "or": (1, 1),
        "majority": (1, d // 2 + 1),
        "nand": (-1, 1 - d),
        "nor": (-1, 0),
        "not": (-1, 0),
    }
    weight, threshold = table[choice(name, "name", table)]
    if name == "not" and d != 1:
        raise ValueError(f"d: se esperaba 1, porque la negación tiene una sola entrada, pero llegó {d}")
    return np.full(d, weight), threshold


def gate(name, x):
    r"""Compuerta lógica calculada por una sola unidad con umbral.

    Toma de :eq:`ec-per-compuerta` los pesos y el umbral, y se los da a
    :func:`~chapters.perceptron.threshold_unit`. No hay nada más: la tabla de verdad sale de la suma.

    **A mano.** En «no y», con :math:`\mathbf w=(-1,-1)` y :math:`\theta=-1`, la entrada :math:`(1,1)` suma
    :math:`-2<-1` y da 0; las otras tres suman :math:`-1` o :math:`0` y dan 1.

    >>> x = binary_inputs(2)
    >>> for name in ("and", "or", "nand", "nor"):
    ...     print(f"{name:4}", gate(name, x))
    and  [0 0 0 1]
    or   [0 1 1 1]
    nand [1 1 1 0]
    nor  [1 0 0 0]
    >>> gate("not", [[0], [1]])
    array([1, 0])

    La mayoría es un voto: con tres votantes, hacen falta dos.

    >>> gate("majority", binary_inputs(3))
    array([0, 0, 0, 1, 0, 1, 1, 1])

    Parameters
    ----------
    name : str
        Compuerta: ``"and"``, ``"or"``, ``"majority"``, ``"nand"``, ``"nor"`` o ``"not"``.
    x : array_like of {0, 1}, shape (..., d)
        Una combinación de entradas, o varias; d = 1 para ``"not"``.

    Returns
    -------
    int or ndarray of int, shape (...)
        Salida de la compuerta.

    Raises
    ------
    TypeError
        Si ``x`` no es de números.
    ValueError
        Si la compuerta no está en la tabla, si no admite tantas entradas o si alguna no es 0 ni 1.

        >>> gate("not", [0, 1])
        Traceback (most recent call last):
            ...
        ValueError: d: se esperaba 1, porque la negación tiene una sola entrada, pero llegó 2
    """
    x = labels(x, "x", 2, "... d")
    w, threshold = gate_weights(name, x.shape[-1])
    return threshold_unit(x, w, threshold)


def firing_rate(w, b):
    r"""Tasa de disparo: en qué fracción de las entradas binarias se dispara una unidad.

    De las :math:`2^d` entradas posibles, cuenta las que dan :math:`\mathbf w^\top\mathbf x+b\geq 0`:

    .. math::
       :label: ec-per-tasa

       r(b) = \frac{1}{2^d}\sum_{\mathbf x\in\{0,1\}^d} H(\mathbf w^\top\mathbf x + b).

    **El sesgo es facilidad para dispararse.** Si :math:`b\leq b'`, toda entrada con
    :math:`\mathbf w^\top\mathbf x+b\geq 0` cumple también :math:`\mathbf w^\top\mathbf x+b'\geq 0`. Al subir el sesgo
    ninguna entrada deja de disparar la unidad, así que :math:`r` nunca baja: es creciente, a escalones.

    **A mano.** Con :math:`\mathbf w=(3,2,2)` las ocho sumas posibles son 0, 2, 2, 3, 4, 5, 5 y 7. Llegan a 4 cuatro de
    ellas, a 3 cinco y a 7 solo una:

    >>> [firing_rate([3, 2, 2], b) for b in (-4, -3, -7)]
    [0.5, 0.625, 0.125]

    Y la tasa no baja nunca:

    >>> rates = [firing_rate([3, 2, 2], b) for b in np.linspace(-9, 2, 100)]
    >>> rates == sorted(rates), rates[0], rates[-1]
    (True, 0.0, 1.0)

    Parameters
    ----------
    w : array_like, shape (d,)
        Pesos; d es a lo sumo 20, porque hay que probar todas las entradas.
    b : float
        Sesgo.

    Returns
    -------
    float
        Entre 0 y 1.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si ``w`` no es un vector de 1 a 20 pesos finitos.
    """
    w = floats(w, "w", "d")
    if w.size > 20:
        raise ValueError(f"w: se esperaban a lo sumo 20 pesos, pero llegaron {w.size}")
    fired = step(weighted_sum(binary_inputs(w.size), w, b))
    return float(fired.mean())  # [ec-per-tasa]
