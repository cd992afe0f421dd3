r"""Anomalías: lo que la red no sabe reconstruir."""

import numpy as np

from dlbook import check


def anomaly_score(x, reconstruction):
    r"""Puntaje de anomalía: cuánto falla la reconstrucción de cada observación. :item:`AE-15`

    Un autocodificador aprende a reconstruir lo que vio. El puntaje de :math:`\mathbf x` es el error cuadrático medio
    de su reconstrucción :math:`\hat{\mathbf x}`, que tiene :math:`D` números:

    .. math::
       :label: ec-ae-anomalia

       s(\mathbf x) = \frac1D\sum_{j=1}^{D}(x_j-\hat x_j)^2 .

    Es **uno por observación**: la pérdida de un lote es la media de estos, y esa no dice cuál de ellas falló.

    **A mano.** De la primera falta todo un píxel; la segunda queda igual:

    >>> anomaly_score([[0.0, 1.0], [0.5, 0.5]], [[0.0, 0.0], [0.5, 0.5]])
    array([0.5, 0. ])

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Las observaciones.
    reconstruction : array_like, shape (n, ...)
        Lo que dio la red con cada una.

    Returns
    -------
    ndarray, shape (n,)
        El puntaje de cada una, al menos 0.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si no hay ninguno o si las formas no son iguales.

        >>> anomaly_score([[0.0, 1.0]], [0.0, 1.0])
        Traceback (most recent call last):
            ...
        ValueError: reconstruction: se esperaba la forma (1, 2), pero llegó (2,)
    """
    x = check.floats(x, "x")
    again = check.floats(reconstruction, "reconstruction")
    if x.ndim == 0 or x.size == 0:
        wanted = "al menos una observación con algún número"
        raise ValueError(f"x: se esperaba {wanted}, pero llegó {x.shape}")
    if again.shape != x.shape:
        shapes = f"se esperaba la forma {x.shape}, pero llegó {again.shape}"
        raise ValueError(f"reconstruction: {shapes}")
    squares = (x - again) ** 2
    return squares.reshape(len(x), -1).mean(axis=1)  # [ec-ae-anomalia]


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
