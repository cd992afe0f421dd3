r"""La neurona formal de McCulloch y Pitts, tal como se publicó en 1943."""

import numpy as np

from dlbook.check import integer, labels
from dlbook.numeric.kernel import kernel


def mcculloch_pitts(excitatory, inhibitory, threshold):
    r"""Neurona de McCulloch y Pitts: todo o nada, con inhibición absoluta y sin pesos.

    En el modelo de :cite:t:`mcculloch1943` cada entrada vale 0 o 1, según si el axón que llega se disparó o no, y es
    de una de dos clases: *excitadora* o *inhibidora*. Sean :math:`e_1,\dots,e_m` las excitadoras e
    :math:`h_1,\dots,h_k` las inhibidoras. La neurona se dispara si ninguna inhibidora está activa y las excitadoras
    activas llegan al umbral (*threshold*) :math:`\theta`:

    .. math::
       :label: ec-per-mcculloch-pitts

       f(\mathbf e, \mathbf h) =
       \begin{cases}
       1 & \text{si } \sum_{j=1}^{k} h_j = 0 \ \text{ y } \ \sum_{i=1}^{m} e_i \geq \theta,\\
       0 & \text{en otro caso.}
       \end{cases}

    **Qué no hay.** No hay pesos: todas las excitadoras cuentan igual y lo único que se elige es :math:`\theta`. Si una
    entrada debe contar doble, su axón llega dos veces. Tampoco se suman las inhibidoras con signo menos: una sola veta
    el disparo, por muchas excitadoras que haya. (El original lleva además la cuenta del tiempo: la respuesta sale un
    instante después que las entradas. Aquí no hace falta.)

    **A mano.** Con dos excitadoras, :math:`\theta=2` pide las dos (Y) y :math:`\theta=1` se conforma con una (O):

    >>> x = [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> mcculloch_pitts(x, None, threshold=2)
    array([0, 0, 0, 1])
    >>> mcculloch_pitts(x, None, threshold=1)
    array([0, 1, 1, 1])

    Con :math:`\theta=0` la neurona se dispara sola, y una inhibidora la calla: es la negación.

    >>> mcculloch_pitts(None, [[0], [1]], threshold=0)
    array([1, 0])

    El veto no se negocia: cinco excitadoras contra una inhibidora, y gana la inhibidora.

    >>> int(mcculloch_pitts([1, 1, 1, 1, 1], [1], threshold=1))
    0

    Parameters
    ----------
    excitatory : array_like of {0, 1}, shape (m,) or (n, m), or None
        Entradas excitadoras, una observación o una por fila; ``None`` si no hay.
    inhibitory : array_like of {0, 1}, shape (k,) or (n, k), or None
        Entradas inhibidoras de las mismas observaciones; ``None`` si no hay.
    threshold : int
        Cuántas excitadoras activas hacen falta, desde 0.

    Returns
    -------
    int or ndarray of int, shape (n,)
        1 donde la neurona se dispara y 0 donde no.

    Raises
    ------
    TypeError
        Si las entradas no son números o el umbral no es un entero.
    ValueError
        Si alguna entrada no es 0 ni 1, si las filas no concuerdan o si no hay ninguna entrada.

        >>> mcculloch_pitts([[0, 1]], [[0], [1]], threshold=1)
        Traceback (most recent call last):
            ...
        ValueError: inhibitory: se esperaban las mismas filas que en excitatory, [1], pero llegaron [2]
    """
    threshold = integer(threshold, "threshold", 0)
    if excitatory is None and inhibitory is None:
        raise ValueError("excitatory: se esperaba al menos una entrada, pero no hay ni excitadoras ni inhibidoras")
    excitatory = None if excitatory is None else labels(excitatory, "excitatory", 2, "... m")
    inhibitory = None if inhibitory is None else labels(inhibitory, "inhibitory", 2, "... k")
    # No tener entradas es lo mismo que tenerlas siempre en 0: ni excitan ni vetan.
    excitatory = np.zeros_like(inhibitory) if excitatory is None else excitatory
    inhibitory = np.zeros_like(excitatory) if inhibitory is None else inhibitory
    (*rows, m), (*others, k) = excitatory.shape, inhibitory.shape
    if others != rows:
        raise ValueError(f"inhibitory: se esperaban las mismas filas que en excitatory, {rows}, pero llegaron {others}")
    # Con más umbral que entradas no se dispara nunca, y m + 1 ya lo dice.
    fired = _mcculloch_pitts(excitatory.reshape(-1, m), inhibitory.reshape(-1, k), min(threshold, m + 1))
    return fired.reshape(rows)[()]


def plain_mcculloch_pitts(excitatory, inhibitory, threshold):
    r"""Suficientes a favor, y ninguna en contra."""
    quiet = inhibitory.sum(axis=-1) == 0
    enough = excitatory.sum(axis=-1) >= threshold
    return (quiet & enough).astype(int)  # [ec-per-mcculloch-pitts]


@kernel
def _mcculloch_pitts(excitatory, inhibitory, threshold):
    n = excitatory.shape[0]
    fired = np.empty(n, np.int64)
    for i in range(n):
        # Primero el veto: si hay inhibición, no importa lo demás.
        vetoed = inhibitory[i].any()
        fired[i] = not vetoed and excitatory[i].sum() >= threshold  # [ec-per-mcculloch-pitts]
    return fired
