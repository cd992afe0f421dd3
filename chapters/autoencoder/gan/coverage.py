r"""Cuánto de una mezcla cubren unas muestras."""

import numpy as np

from dlbook import check


def mode_coverage(x, centers, radius):
    r"""Cuenta cuántas muestras caen cerca de un centro, y cuántos centros tienen las que les tocan.

    Cada muestra se asigna a su centro más cercano y es **buena** si está a menos de ``radius``. Un centro está
    **cubierto** si recibe al menos la décima parte de lo que le tocaría en un reparto parejo: con :math:`n` muestras
    y :math:`k` centros, :math:`n/(10k)` buenas. Un modelo puede ser bueno y cubrir poco, si repite siempre lo mismo:
    hay que mirar las dos cosas.

    >>> x, centers = [[0, 0], [0.1, 0], [5, 5]], [[0, 0], [1, 1]]
    >>> good, covered = mode_coverage(x, centers, 0.5)
    >>> round(good, 3), covered
    (0.667, array([ True, False]))

    Parameters
    ----------
    x : array_like, shape (n, d)
        Las muestras.
    centers : array_like, shape (k, d)
        Los centros.
    radius : float
        Hasta qué distancia es buena, en las unidades de los datos.

    Returns
    -------
    good : float
        La fracción de muestras buenas.
    covered : ndarray of bool, shape (k,)
        Si cada centro está cubierto.

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan o el radio no es positivo.
    """
    sizes = {}
    x = check.floats(x, "x", "n d", sizes)
    centers = check.floats(centers, "centers", "k d", sizes)
    radius = check.number(radius, "radius", 0, open_low=True)
    distance = np.linalg.norm(x[:, None] - centers, axis=-1)  # (n, k)
    good = distance.min(axis=1) < radius
    owner = distance.argmin(axis=1)[good]
    counts = np.bincount(owner, minlength=len(centers))
    return float(good.mean()), 10 * counts >= len(x) / len(centers)
