r"""Separar los ejemplos en los que enseñan, los que eligen y los que juzgan."""

import numpy as np

from dlbook import check


def train_validation_test_split(x, y, fractions=(0.6, 0.2, 0.2), seed=None):
    r"""Reparte los ejemplos, al azar, en entrenamiento, validación y prueba: 60 %, 20 % y 20 %.

    Una calificación dice algo si el examen no traía los problemas de la tarea. Los ejemplos se reparten en tres
    montones que no comparten ninguno: :item:`MLP-74`

    - con el de **entrenamiento** (*training set*) se ajustan los pesos;
    - con el de **validación** (*validation set*) se elige todo lo demás: cuántas neuronas, qué tasa, cuándo parar;
    - el de **prueba** (*test set*) se abre una vez, al final, para saber cómo le irá con datos nuevos.

    ¿Por qué tres y no dos? Porque elegir también es aprender. Quien prueba cien redes y se queda con la de mejor
    calificación en un examen, se queda en parte con la más afortunada en **ese** examen: la calificación sale inflada.

    Con :math:`n` ejemplos barajados y fracciones :math:`f_1, f_2, f_3` que suman uno, los cortes van en

    .. math::
       :label: ec-mlp-division

       \begin{gathered}
       a = \operatorname{redondeo}(f_1\,n),
       \\
       b = \operatorname{redondeo}\bigl((f_1+f_2)\,n\bigr):
       \end{gathered}

    entrenan los primeros :math:`a`, validan del :math:`a+1` al :math:`b` y prueban los demás. Se redondean los cortes y
    no los tamaños; así nunca falta ni sobra un ejemplo.

    **Barajar no es un adorno.** Con los datos ordenados por clase y sin barajar, la prueba solo tendría las últimas.

    **A mano.** Con diez ejemplos, seis, dos y dos: :worked:`WE-18`

    >>> x, y = np.arange(20).reshape(10, 2), np.arange(10)
    >>> (x_train, y_train), (x_val, y_val), (x_test, y_test) = (
    ...     train_validation_test_split(x, y, seed=0)
    ... )
    >>> x_train.shape, x_val.shape, x_test.shape
    ((6, 2), (2, 2), (2, 2))
    >>> sorted([*y_train, *y_val, *y_test]) == list(range(10))
    True

    Cada ejemplo conserva su etiqueta, porque se mueven juntos:

    >>> bool((x_train[:, 0] == 2 * y_train).all())
    True

    Los conjuntos famosos ya vienen divididos en dos. MNIST son 60 000 y 10 000 imágenes de 28 × 28; CIFAR-10, diez
    clases de 6 000, repartidas en 50 000 y 10 000 imágenes de 32 × 32 × 3. La validación se saca del entrenamiento:

    >>> 60_000 + 10_000, 28 * 28, 10 * 6_000 == 50_000 + 10_000, 32 * 32 * 3
    (70000, 784, True, 3072)

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Los ejemplos.
    y : array_like, shape (n, ...)
        Lo que les corresponde.
    fractions : sequence of float, shape (3,)
        Qué fracción va a cada parte; suman 1.
    seed : int or numpy.random.Generator, optional
        La semilla de la baraja.

    Returns
    -------
    train, validation, test : tuple of ndarray
        Tres pares ``(x, y)``; son copias.

    Raises
    ------
    TypeError
        Si las fracciones no son números.
    ValueError
        Si no suman 1, si ``x`` y ``y`` no tienen tantos ejemplos, o si con tan pocos alguna parte queda vacía.

        >>> train_validation_test_split([1, 2], [0, 1])
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaban ejemplos para las tres partes, pero con 2 habría 1, 1 y 0
    """
    x, y = _array(x, "x"), _array(y, "y")
    if not x.ndim or x.shape[:1] != y.shape[:1]:
        raise ValueError(f"y: se esperaban tantos ejemplos como en x, pero las formas son {x.shape} y {y.shape}")
    fractions = check.floats(fractions, "fractions", "3")
    if (fractions <= 0).any() or abs(fractions.sum() - 1) > 1e-6:
        raise ValueError(f"fractions: se esperaban tres fracciones positivas que sumen 1, pero llegó {fractions}")
    n = len(x)
    a, b = np.rint(np.cumsum(fractions)[:2] * n).astype(int)  # [ec-mlp-division]
    if not 0 < a < b < n:
        raise ValueError(f"x: se esperaban ejemplos para las tres partes, pero con {n} habría {a}, {b - a} y {n - b}")
    order = check.generator(seed).permutation(n)
    return tuple((x[part], y[part]) for part in np.split(order, [a, b]))


def _array(values, name):
    try:
        return np.asarray(values)
    except ValueError:
        raise ValueError(f"{name}: se esperaba un arreglo, pero llegaron filas de distinto largo") from None


def plain_train_validation_test_split(x, y, fractions, seed):
    r"""Se baraja, se hacen dos cortes y quedan tres montones."""
    n = len(x)
    ends = np.cumsum(fractions)[:2]
    a, b = np.rint(ends * n).astype(int)  # [ec-mlp-division]
    order = np.random.default_rng(seed).permutation(n)
    parts = order[:a], order[a:b], order[b:]
    return tuple((x[part], y[part]) for part in parts)
