r"""Separabilidad lineal: qué puede y qué no puede aprender una sola unidad con umbral."""

import itertools

import numpy as np

from dlbook import check
from dlbook.numeric.kernel import kernel

MAX_COMBINATIONS = 5_000_000


def is_separable(x, y):
    r"""Dice si algún hiperplano deja a un lado todos los ejemplos de la clase 1 y al otro, todos los de la 0.

    Dos conjuntos son *linealmente separables* (*linearly separable*) si existe una unidad con umbral que los
    distingue, o sea, pesos y sesgo con

    .. math::
       :label: ec-per-separable

       \mathbf w^\top\mathbf x^{(i)}+b\ge 0 \ \text{ si } y^{(i)}=1,
       \qquad
       \mathbf w^\top\mathbf x^{(i)}+b<0 \ \text{ si } y^{(i)}=0 .

    Buscar esos números es resolver un sistema de desigualdades lineales, y para eso hay algoritmos que siempre
    terminan: los de la *programación lineal* (*linear programming*). Solo hay un estorbo: no admiten el signo
    :math:`<`.

    **Derivación.** Quitémoslo. Con :math:`t=2y-1`, veamos que :eq:`ec-per-separable` tiene solución si y solo si la
    tiene

    .. math::
       :label: ec-per-factible

       t^{(i)}\left(\mathbf w^\top\mathbf x^{(i)}+b\right)\ge 1,\qquad i=1,\dots,n .

    *De vuelta* es inmediato: si :math:`t\,z\ge 1`, entonces :math:`z\ge 1>0` cuando :math:`y=1` y :math:`z\le -1<0`
    cuando :math:`y=0`.

    *De ida*, sea :math:`(\mathbf w, b)` una solución de :eq:`ec-per-separable` y sea :math:`-m` la mayor :math:`z` de
    la clase 0; como los ejemplos son finitos, :math:`m>0`. Bajar la frontera a la mitad del hueco, con el sesgo
    :math:`b+m/2`, deja :math:`z\ge m/2` en la clase 1 y :math:`z\le -m/2` en la clase 0. Y como multiplicar pesos y
    sesgo por :math:`2/m` no mueve la frontera pero sí las :math:`z`, ahora :math:`t\,z\ge 1` en todos. Si no hay
    ejemplos de la clase 0 bastan :math:`\mathbf w=\mathbf 0` y :math:`b=1`.

    El 1 de :eq:`ec-per-factible` no es una distancia; es la unidad con que medimos :math:`z`.

    **A mano.** En OR sirve :math:`\mathbf w=(2,2)`, :math:`b=-1`: los valores de :math:`t\,z` son 1, 1, 1 y 3. En XOR
    no sirve nada:

    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> is_separable(x, [0, 1, 1, 1])
    True
    >>> is_separable(x, [0, 1, 1, 0])
    False

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Los ejemplos.
    y : ndarray of int, shape (n,)
        Sus clases, 0 o 1. Si solo hay una clase, siempre son separables.

    Returns
    -------
    bool

    Raises
    ------
    TypeError
        Si algo no es un número real.
    ValueError
        Si las formas no concuerdan o hay etiquetas distintas de 0 y 1.

    Notes
    -----
    Un ``True`` es una prueba: antes de darlo se comprueba que los pesos encontrados clasifican bien cada ejemplo. Un
    ``False`` confía en la tolerancia del programa (``scipy.optimize.linprog``, método HiGHS): dos clases separadas por
    un hueco de menos de una diezmillonésima del ancho de los datos pueden pasar por inseparables. Con los dígitos de
    8 × 8 tarda centésimas de segundo, pero el tiempo crece deprisa con el tamaño: no está pensada para MNIST entero.
    """
    # scipy.optimize tarda en cargarse más que todo el capítulo: que lo pague quien lo usa.
    from scipy.optimize import linprog

    sizes = {}
    x = check.floats(x, "x", "n d", sizes).astype(np.float64)
    y = check.labels(y, "y", 2, "n", sizes)
    # Mover y escalar cada columna no cambia si hay hiperplano, y al algoritmo le conviene.
    x /= np.where(x.any(axis=0), np.abs(x).max(axis=0), 1.0)
    x -= (x.max(axis=0) + x.min(axis=0)) / 2
    t = 2.0 * y - 1.0
    constraints = t[:, None] * np.column_stack([x, np.ones(len(x))])
    # linprog pide A v <= c, así que se cambia el signo de los dos lados; no hay nada que minimizar.
    nothing, one = np.zeros(sizes["d"] + 1), np.ones(len(x))
    found = linprog(nothing, -constraints, -one, bounds=(None, None))  # [ec-per-factible]
    return found.status == 0 and bool((constraints @ found.x > 0).all())  # [ec-per-separable]


def search_weights(x, y, values):
    r"""Prueba todos los pesos y sesgos de una rejilla y devuelve los que aciertan todos los ejemplos.

    Antes de que hubiera una regla para aprenderlos, los pesos se buscaban. La búsqueda que no deja dudas es la
    exhaustiva. Si cada peso y el sesgo pueden tomar :math:`k` valores, hay

    .. math::
       :label: ec-per-rejilla

       N=k^{\,d+1}

    unidades de :math:`d` entradas, y se prueban todas. Con 41 valores y dos entradas es un instante; con las 64
    entradas de un dígito pequeño, el número de unidades tiene más de cien cifras. Por eso hace falta una regla.

    >>> 41**3, len(str(41**65))
    (68921, 105)

    **A mano.** Con los valores −1, 0 y 1 hay 27 unidades de dos entradas. ¿Cuáles calculan OR? La fila :math:`(0,0)`
    pide :math:`b<0`, luego :math:`b=-1`; las filas :math:`(0,1)` y :math:`(1,0)` piden entonces :math:`w_2\ge1` y
    :math:`w_1\ge1`. Queda una sola, la misma que aprendió la regla de Rosenblatt:

    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> search_weights(x, [0, 1, 1, 1], [-1, 0, 1])
    (array([[1., 1.]]), array([-1.]))

    Para AND vuelve a ser :math:`b=-1`. Las filas del medio piden :math:`w_1<1` y :math:`w_2<1`, o sea, 0 o −1, y con
    eso la última suma no llega a cero. Ninguna sirve, aunque AND es separable: que una rejilla no tenga la solución no
    prueba que no la haya.

    >>> w, b = search_weights(x, [0, 0, 0, 1], [-1, 0, 1])
    >>> len(b)
    0
    >>> w, b = search_weights(x, [0, 0, 0, 1], [-2, -1, 0, 1])
    >>> len(b)
    1

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Los ejemplos.
    y : ndarray of int, shape (n,)
        Sus respuestas, 0 o 1.
    values : ndarray, shape (k,)
        Los valores que puede tomar cada peso y el sesgo.

    Returns
    -------
    w : ndarray, shape (m, d)
        Los pesos de cada unidad que acierta todo; ``m`` puede ser cero.
    b : ndarray, shape (m,)
        Sus sesgos.

    Raises
    ------
    TypeError
        Si algo no es un número real.
    ValueError
        Si las formas no concuerdan, hay etiquetas distintas de 0 y 1, la rejilla tiene demasiadas unidades o los
        productos se desbordan.

        >>> search_weights(np.zeros((1, 64)), [0], np.linspace(-2, 2, 41))
        Traceback (most recent call last):
            ...
        ValueError: values: con 41 valores y 64 entradas hay 41^65 unidades; el máximo es 5000000
    """
    sizes = {}
    x = check.floats(x, "x", "n d", sizes).astype(np.float64)
    y = check.labels(y, "y", 2, "n", sizes)
    values = check.floats(values, "values", "k", sizes).astype(np.float64)
    k, d = sizes["k"], sizes["d"]
    total = k ** (d + 1)  # [ec-per-rejilla]
    if total > MAX_COMBINATIONS:
        raise ValueError(
            f"values: con {k} valores y {d} entradas hay {k}^{d + 1} unidades; el máximo es {MAX_COMBINATIONS}"
        )
    with np.errstate(over="ignore"):
        largest = (d * np.abs(x).max() + 1) * np.abs(values).max()
    if not np.isfinite(largest):
        raise ValueError("x, values: se esperaban números cuyo producto no se desborde")
    solves = np.flatnonzero(_search_weights(x, y, values, total))
    digits = np.unravel_index(solves, (k,) * (d + 1))
    found = values[np.stack(digits, axis=1)]
    return np.ascontiguousarray(found[:, 1:]), found[:, 0].copy()


def plain_search_weights(x, y, values):
    r"""De todas las unidades de la rejilla, las que no fallan."""
    size = 1 + x.shape[1]
    found = []
    for b, *w in itertools.product(values, repeat=size):  # [ec-per-rejilla]
        if ((x @ w + b >= 0) == y).all():
            found.append([b, *w])
    found = np.reshape(found, (-1, size))
    return found[:, 1:], found[:, 0]


@kernel
def _search_weights(x, y, values, total):
    n, d = x.shape
    weights = np.empty(d + 1)
    solves = np.empty(total, np.bool_)
    for candidate in range(total):
        # El número de la candidata, en base k, dice qué valor toma cada peso; el sesgo va primero.
        rest = candidate
        for j in range(d, -1, -1):
            weights[j] = values[rest % values.size]
            rest //= values.size
        solves[candidate] = True
        for i in range(n):
            z = weights[0]
            for j in range(d):
                z += weights[j + 1] * x[i, j]
            if (z >= 0) != (y[i] == 1):
                solves[candidate] = False
                break
    return solves
