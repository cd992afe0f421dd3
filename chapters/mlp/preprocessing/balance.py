r"""Clases con muchos ejemplos y clases con pocos."""

from collections import Counter

import numpy as np

from chapters.mlp.preprocessing.categories import as_categories


def class_proportions(y):
    r"""Qué fracción de los ejemplos es de cada clase.

    Es lo primero que hay que mirar. Si 98 de cada 100 piezas de una fábrica salen bien, la «red» que contesta siempre
    «bien» acierta el 98 %, y no sirve: nunca encuentra una pieza mala. Los cursos recomiendan que las clases estén
    **balanceadas**, y esta función dice si lo están.

    .. math::
       :label: ec-mlp-proporcion

       \begin{gathered}
       p_k = \frac{n_k}{n},
       \\
       n_k = \sum_{i=1}^n [\,y_i=k\,] .
       \end{gathered}

    >>> class_proportions(["buena"] * 98 + ["mala"] * 2)
    {'buena': 0.98, 'mala': 0.02}
    >>> class_proportions([0, 1, 1, 0])
    {0: 0.5, 1: 0.5}

    Parameters
    ----------
    y : array_like, shape (n,)
        La clase de cada ejemplo: textos o enteros.

    Returns
    -------
    dict
        De cada clase, en orden, su proporción; suman 1.

    Raises
    ------
    TypeError, ValueError
        Si no hay ejemplos o no son clases.
    """
    classes, counts = _counts(y)
    return {c: count / sum(counts) for c, count in zip(classes, counts, strict=True)}  # [ec-mlp-proporcion]


def plain_class_proportions(y):
    r"""De cada clase, cuántos hay entre cuántos son."""
    return {k: (y == k).sum() / len(y) for k in np.unique(y)}  # [ec-mlp-proporcion]


def class_weights(y):
    r"""Cuánto debe contar cada ejemplo para que todas las clases cuenten lo mismo.

    Si no se pueden conseguir más ejemplos de la clase escasa, que cada uno de los que hay cuente más en la pérdida.

    **Derivación.** Buscamos un peso :math:`c_k` por clase con dos condiciones. Que todas aporten lo mismo: el total de
    la clase, :math:`c_k n_k`, debe ser un mismo número :math:`s` para las :math:`K` clases. Y que la pérdida no cambie
    de tamaño, o habría que buscar otra tasa de aprendizaje: los pesos de los :math:`n` ejemplos deben sumar :math:`n`.
    Juntas, :math:`K s=n`, y entonces :math:`c_k=s/n_k` es

    .. math::
       :label: ec-mlp-pesos-de-clase

       c_k = \frac{n}{K\,n_k} .

    Con clases balanceadas, :math:`n_k=n/K` y todos los pesos son 1.

    **A mano.** Ocho ejemplos de una clase y dos de otra. Los de la escasa cuentan :math:`10/(2\cdot2)=2.5`; los otros,
    :math:`10/(2\cdot8)=0.625`. Cada clase suma 5:

    >>> class_weights([0] * 8 + [1] * 2)
    {0: 0.625, 1: 2.5}
    >>> class_weights([False] * 8 + [True] * 2)
    {0: 0.625, 1: 2.5}

    El diccionario es el que pide ``fit(..., class_weight=...)``, si las clases son números: las que son textos hay que
    numerarlas antes, como para entrenar. No inventa información: con diez ejemplos de una
    clase, diez son los que hay. Lo que cambia es a quién se le hace caso cuando no se puede contentar a todos.

    Parameters
    ----------
    y : array_like, shape (n,)
        La clase de cada ejemplo: textos o enteros.

    Returns
    -------
    dict
        De cada clase, en orden, su peso.

    Raises
    ------
    TypeError, ValueError
        Si no hay ejemplos o no son clases.

        >>> class_weights([0.5, 1.0])
        Traceback (most recent call last):
            ...
        TypeError: y: se esperaban textos o enteros, pero llegó 0.5
    """
    classes, counts = _counts(y)
    n, K = sum(counts), len(counts)
    return {c: n / (K * count) for c, count in zip(classes, counts, strict=True)}  # [ec-mlp-pesos-de-clase]


def plain_class_weights(y):
    r"""Cuantos menos hay de una clase, más cuenta cada uno."""
    classes = np.unique(y)
    n, K = len(y), len(classes)
    return {k: n / (K * (y == k).sum()) for k in classes}  # [ec-mlp-pesos-de-clase]


def _counts(y):
    counts = Counter(as_categories(y, "y"))
    if len({isinstance(c, str) for c in counts}) > 1:
        raise TypeError("y: se esperaban solo textos o solo enteros, pero hay de los dos")
    classes = sorted(counts)
    return classes, [counts[c] for c in classes]
