r"""Anomalías: desde qué error de reconstrucción se da la alarma."""

import numpy as np

from dlbook import check


def anomaly_threshold(scores, percentile=95.0):
    r"""Umbral de anomalía: el percentil de los puntajes de observaciones normales.

    Se escoge **sin ver una sola anomalía**, que es lo que se tiene en la práctica. Si se acepta dar la alarma con una
    fracción :math:`\alpha` de lo normal, el umbral :math:`t` es el número que esa fracción de los :math:`n` puntajes
    rebasa, el percentil :math:`q=100(1-\alpha)`:

    .. math::
       :label: ec-ae-umbral

       \frac1n\sum_{i=1}^{n}\bigl[s_i>t\bigr]\approx\alpha=1-\frac q{100} .

    Los puntajes han de ser de observaciones que la red **no** vio al entrenar; los de las que vio son más bajos, y con
    ellos el umbral también, y las falsas alarmas son más de las pedidas.

    **A mano.** De cinco puntajes, el percentil 75 es el cuarto en orden, y solo uno lo rebasa. Entre dos puntajes se
    interpola:

    >>> anomaly_threshold([1.0, 5.0, 3.0, 2.0, 4.0], 75)
    4.0
    >>> anomaly_threshold([1.0, 5.0, 3.0, 2.0, 4.0], 90)
    4.6

    Parameters
    ----------
    scores : array_like, shape (n,)
        Los puntajes de observaciones normales y apartadas.
    percentile : float
        El porcentaje de ellas que debe quedar por debajo, de 0 a 100.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        Si los puntajes no son un vector de números o el porcentaje no está entre 0 y 100.

        >>> anomaly_threshold([1.0, 2.0], 200)
        Traceback (most recent call last):
            ...
        ValueError: percentile: se esperaba un número de al menos 0 y de a lo sumo 100, pero llegó 200
    """
    scores = check.floats(scores, "scores", "n")
    percentile = check.number(percentile, "percentile", 0, 100)
    return float(np.percentile(scores, percentile))  # [ec-ae-umbral]
