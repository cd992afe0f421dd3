r"""Elegir el umbral: qué se gana y qué se pierde al pedirle más o menos a una unidad antes de que dispare."""

import numpy as np

from dlbook import check
from dlbook.numeric.kernel import kernel


def threshold_curve(y, score):
    r"""Precisión y exhaustividad de un clasificador binario para cada umbral posible.

    Un clasificador da a cada ejemplo un puntaje :math:`s`, por ejemplo la suma ponderada de una neurona, y contesta 1
    si :math:`s\ge\theta`. El cero no es el único umbral: con uno alto solo dispara cuando está muy seguro; con uno
    bajo, a la menor sospecha. Para elegir hay que saber cuánto cuesta cada cosa. De los ejemplos que dispara,
    :math:`TP` son aciertos (*true positives*) y :math:`FP`, falsas alarmas (*false positives*); :math:`FN` son los
    positivos que se le escaparon (*false negatives*). La *precisión* (*precision*) y la *exhaustividad* (*recall*) son

    .. math::
       :label: ec-per-precision

       P(\theta)=\frac{TP}{TP+FP},

    .. math::
       :label: ec-per-exhaustividad

       E(\theta)=\frac{TP}{TP+FN}.

    De lo que señaló, qué fracción era; de lo que era, qué fracción señaló.

    **Derivación.** Hay infinitos umbrales, pero solo importan los puntajes que existen: entre dos puntajes vecinos la
    respuesta no cambia. Ordenemos los ejemplos de mayor a menor puntaje. Bajar el umbral hasta el siguiente es agregar
    un ejemplo a los señalados: si es positivo, :math:`TP` sube uno; si no, lo sube :math:`FP`. El denominador de
    :eq:`ec-per-exhaustividad` son todos los positivos y no cambia. Así, una sola pasada da la curva entera. Dos
    ejemplos con el mismo puntaje entran juntos, porque ningún umbral los distingue.

    **A mano.** Seis ejemplos, ya ordenados. Con el umbral 0.55 se señalan los cuatro primeros, de los que tres son
    positivos: :math:`P=\tfrac34`, y como no queda ninguno fuera, :math:`E=1`.

    >>> y, score = [1, 1, 0, 1, 0, 0], [0.9, 0.8, 0.7, 0.55, 0.4, 0.2]
    >>> row = "umbral {:.2f}: precisión {:.3f}, exhaustividad {:.3f}"
    >>> for values in zip(*threshold_curve(y, score)):
    ...     print(row.format(*values))
    umbral 0.20: precisión 0.500, exhaustividad 1.000
    umbral 0.40: precisión 0.600, exhaustividad 1.000
    umbral 0.55: precisión 0.750, exhaustividad 1.000
    umbral 0.70: precisión 0.667, exhaustividad 0.667
    umbral 0.80: precisión 1.000, exhaustividad 0.667
    umbral 0.90: precisión 1.000, exhaustividad 0.333

    La exhaustividad solo puede bajar cuando el umbral sube. La precisión suele subir, pero no siempre: de 0.55 a 0.70
    baja.

    Parameters
    ----------
    y : ndarray of int, shape (n,)
        La clase correcta de cada ejemplo, 0 o 1; hace falta al menos un 1.
    score : ndarray, shape (n,)
        El puntaje de cada ejemplo: más alto, más parecido a un 1.

    Returns
    -------
    thresholds : ndarray, shape (m,)
        Los puntajes distintos, de menor a mayor.
    precision, recall : ndarray, shape (m,)
        La precisión y la exhaustividad con cada uno.

    Raises
    ------
    TypeError
        Si algo no es un número real.
    ValueError
        Si las formas no concuerdan, hay etiquetas distintas de 0 y 1, o ninguna es 1: sin positivos,
        :eq:`ec-per-exhaustividad` es :math:`0/0`.

        >>> threshold_curve([0, 0], [0.3, 0.8])
        Traceback (most recent call last):
            ...
        ValueError: y: se esperaba al menos un 1, pero todas las etiquetas son 0
    """
    sizes = {}
    y = check.labels(y, "y", 2, "n", sizes)
    score = check.floats(score, "score", "n", sizes).astype(np.float64)
    if not y.any():
        raise ValueError("y: se esperaba al menos un 1, pero todas las etiquetas son 0")
    order = np.argsort(-score, kind="stable")
    thresholds, precision, recall = _threshold_curve(y[order], score[order])
    return thresholds[::-1].copy(), precision[::-1].copy(), recall[::-1].copy()


def plain_threshold_curve(y, score):
    r"""Con cada puntaje como umbral, qué se señala y qué se acierta."""
    thresholds = np.unique(score)
    fired = score >= thresholds[:, np.newaxis]  # (m, n)
    hits = fired @ y
    precision = hits / fired.sum(axis=1)  # [ec-per-precision]
    recall = hits / y.sum()  # [ec-per-exhaustividad]
    return thresholds, precision, recall


@kernel
def _threshold_curve(y, score):
    n = score.size
    positives = y.sum()
    thresholds, precision, recall = np.empty(n), np.empty(n), np.empty(n)
    hits = 0
    m = 0
    for i in range(n):
        hits += y[i]
        # Un umbral solo puede cortar donde el puntaje cambia.
        if i + 1 < n and score[i + 1] == score[i]:
            continue
        thresholds[m] = score[i]
        precision[m] = hits / (i + 1)  # [ec-per-precision]
        recall[m] = hits / positives  # [ec-per-exhaustividad]
        m += 1
    return thresholds[:m], precision[:m], recall[:m]
