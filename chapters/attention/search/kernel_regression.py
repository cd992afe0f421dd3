r"""Regresión por núcleos: promediar lo que se vio, y más lo que se vio cerca."""

import numpy as np

from dlbook import check


def nadaraya_watson(x_train, y_train, x, bandwidth):
    r"""Regresión por núcleos (*kernel regression*): el promedio de lo observado, donde pesa más lo que está más cerca.

    Se vieron unos pares :math:`(x_i,y_i)` y preguntan por un :math:`x` nuevo. Cada observación vota por su
    :math:`y_i`, y su voto pesa según qué tan cerca quedó :math:`x_i`. Lo dice una función, el **núcleo** (*kernel*);
    aquí, la campana de Gauss, :math:`K_i=e^{-(x-x_i)^2/2h^2}` :cite:p:`nadaraya1964,watson1964`:

    .. math::
       :label: ec-att-nw

       m(x)=\sum_i w_i\,y_i,
       \qquad
       w_i=\frac{K_i}{\sum_j K_j} .

    **De dónde sale.** Es la constante :math:`c` que mejor explica lo observado si los errores cercanos se cobran más,
    :math:`E(c)=\sum_i K_i\,(y_i-c)^2`. Su derivada se anula una sola vez, y ahí está el mínimo:

    .. math::
       :label: ed-att-nw-minimo

       E'(c)=-2\sum_i K_i\,(y_i-c)=0
       \quad\Longrightarrow\quad
       c=\frac{\sum_i K_i\,y_i}{\sum_j K_j} .

    **Los pesos son un softmax.** Basta leer la fórmula: :math:`w_i` es una exponencial entre la suma de todas. Los
    puntajes son las distancias al cuadrado, con signo menos, y :math:`h^2` hace de temperatura, el número entre el
    que se dividen:

    .. math::
       :label: ec-att-nw-softmax

       w_i=\frac{e^{s_i}}{\sum_j e^{s_j}},
       \qquad
       s_i=-\frac{(x-x_i)^2}{2h^2} .

    **El ancho de banda** :math:`h` (*bandwidth*) dice qué es estar cerca. Si :math:`h\to0`, las diferencias entre
    puntajes crecen sin límite y todo el peso se va al vecino más próximo. Si :math:`h\to\infty`, todos los puntajes
    tienden a cero, todos pesan lo mismo y queda la media.

    **A mano.** Tres observaciones en 0, 1 y 3, y se pregunta por 1 con :math:`h=1`. Los puntajes son
    :math:`-\tfrac12`, 0 y :math:`-2`; las exponenciales, 0.607, 1 y 0.135:

    >>> y, weights = nadaraya_watson([0, 1, 3], [10, 20, 40], [1], 1)
    >>> weights.round(3)
    array([[0.348, 0.574, 0.078]])
    >>> y.round(2)
    array([18.07])

    Con un ancho pequeño gana el más cercano, y con uno enorme, nadie:

    >>> for h in (0.1, 1, 100):
    ...     y, _ = nadaraya_watson([0, 1, 3], [10, 20, 40], [1.2], h)
    ...     print(h, y.round(2))
    0.1 [20.]
    1 [19.45]
    100 [23.33]

    Parameters
    ----------
    x_train : array_like, shape (n,) or (n, d)
        Dónde se observó.
    y_train : array_like, shape (n,) or (n, m)
        Lo que se observó.
    x : array_like, shape (t,) or (t, d)
        Dónde se pregunta.
    bandwidth : float
        El ancho :math:`h`, mayor que 0, en las unidades de ``x``.

    Returns
    -------
    y : ndarray, shape (t,) or (t, m)
        La predicción.
    weights : ndarray, shape (t, n)
        Cuánto pesa cada observación en cada una; cada fila suma 1.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si las formas no encajan o si el ancho no es mayor que 0.

        >>> nadaraya_watson([0, 1], [10, 20, 40], [1], 1)
        Traceback (most recent call last):
            ...
        ValueError: y_train: se esperaban 2 observaciones, pero llegaron 3
    """
    x_train, y_train = check.floats(x_train, "x_train"), check.floats(y_train, "y_train")
    x = check.floats(x, "x")
    if x_train.ndim not in (1, 2) or not x_train.size:
        raise ValueError(f"x_train: se esperaba la forma (n) o (n, d), pero llegó {x_train.shape}")
    if y_train.ndim not in (1, 2) or not y_train.size:
        raise ValueError(f"y_train: se esperaba la forma (n) o (n, m), pero llegó {y_train.shape}")
    if len(y_train) != len(x_train):
        raise ValueError(f"y_train: se esperaban {len(x_train)} observaciones, pero llegaron {len(y_train)}")
    if x.ndim != x_train.ndim or x.shape[1:] != x_train.shape[1:] or not x.size:
        wanted = "(t)" if x_train.ndim == 1 else f"(t, d={x_train.shape[1]})"
        raise ValueError(f"x: se esperaba la forma {wanted}, pero llegó {x.shape}")
    bandwidth = check.number(bandwidth, "bandwidth", 0, open_low=True)
    with np.errstate(over="ignore"):  # con un ancho diminuto, un puntaje se va a menos infinito: pesa cero
        return plain_nadaraya_watson(x_train, y_train, x, bandwidth)


def plain_nadaraya_watson(x_train, y_train, x, bandwidth):
    r"""Distancias, softmax y promedio."""
    seen = x_train.reshape(len(x_train), -1)
    far = x.reshape(len(x), 1, -1) - seen  # (t, n, d)
    squares = (far**2).sum(axis=-1)
    # Sumar lo mismo a todos no cambia nada: el puntaje mayor queda en cero.
    lead = squares.min(axis=-1, keepdims=True) - squares
    scores = lead / bandwidth / bandwidth / 2  # [ec-att-nw-softmax]
    e = np.exp(scores)
    weights = e / e.sum(axis=-1, keepdims=True)  # [ec-att-nw-softmax]
    return weights @ y_train, weights  # [ec-att-nw]
