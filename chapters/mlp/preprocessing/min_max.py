r"""Llevar cada característica al mismo intervalo."""

import numpy as np

from dlbook import check


def min_max(x, reference=None):
    r"""Lleva cada característica al intervalo :math:`(-1, 1)`, de su mínimo a su máximo.

    Una neurona no sabe de unidades. Con un mismo peso, una característica en miles pesa miles de veces más que una en
    unidades. En el ejemplo del curso :math:`w=0.3`, :math:`x_1=1.2` y :math:`x_2=3500`; el segundo producto aplasta al
    primero: :item:`MLP-69` :worked:`WE-16`

    >>> w, x1, x2 = 0.3, 1.2, 3500.0
    >>> round(w * x1, 2), w * x2, round(x2 / x1, 1)
    (0.36, 1050.0, 2916.7)

    La cura es una regla de tres por característica. Si la :math:`j` va de :math:`a_j` a :math:`b_j`:

    .. math::
       :label: ec-mlp-min-max

       x'_j = 2\,\frac{x_j-a_j}{b_j-a_j}-1 .

    **Derivación.** :math:`x_j-a_j` empieza en 0; entre :math:`b_j-a_j`, termina en 1. Ya vive en :math:`(0,1)`. Por dos
    va de 0 a 2, y menos uno, de −1 a 1. Nada más: es una recta, así que no cambia el orden, y quien estaba al doble de
    distancia sigue al doble.

    **A mano.** Las edades 18, 22 y 35 ocupan 17 años. A 22 le tocan :math:`2\cdot\tfrac{4}{17}-1`:

    >>> ages = [[18.0], [22.0], [35.0]]
    >>> min_max(ages).round(4).tolist()
    [[-1.0], [-0.5294], [1.0]]

    **El mínimo y el máximo son parámetros.** Se aprenden del entrenamiento y se usan tal cual con todo lo que venga
    después. Si la validación se normalizara con su propio mínimo y su propio máximo, la misma edad significaría cosas
    distintas en cada conjunto. Por eso ``reference``; con él, lo que se salga del rango conocido se sale de
    :math:`(-1, 1)`, como debe ser:

    >>> min_max([[18.0], [60.0]], reference=ages).round(4).tolist()
    [[-1.0], [3.9412]]

    Una característica que no cambia no dice nada y haría dividir entre cero; se deja en 0.

    Parameters
    ----------
    x : array_like, shape (n, d)
        Un ejemplo por fila, una característica por columna.
    reference : array_like, shape (m, d), optional
        De dónde se toman mínimos y máximos: el conjunto de entrenamiento. Sin él, del propio ``x``.

    Returns
    -------
    ndarray, shape (n, d)

    Raises
    ------
    TypeError, ValueError
        Si no son números finitos o si no hay las mismas columnas en los dos.

        >>> min_max([[1.0, 2.0]], reference=ages)
        Traceback (most recent call last):
            ...
        ValueError: reference: se esperaba la forma (m, d=2), pero llegó (3, 1)
    """
    sizes = {}
    x = check.floats(x, "x", "n d", sizes)
    reference = x if reference is None else check.floats(reference, "reference", "m d", sizes)
    low, high = reference.min(axis=0), reference.max(axis=0)
    # Se restan las mitades: la diferencia de dos números enormes de signo contrario no cabría.
    width = high / 2 - low / 2
    varies = width > 0
    with np.errstate(over="ignore"):  # lo que no quepa se rechaza en la línea siguiente
        scaled = 2 * ((x / 2 - low / 2) / np.where(varies, width, 1)) - 1  # [ec-mlp-min-max]
    return check.floats(np.where(varies, scaled, 0).astype(x.dtype), "x, ya normalizado")


def plain_min_max(x, reference):
    r"""Una regla de tres por columna."""
    low, high = reference.min(axis=0), reference.max(axis=0)
    return 2 * (x - low) / (high - low) - 1  # [ec-mlp-min-max]
