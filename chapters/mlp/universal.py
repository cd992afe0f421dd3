r"""Aproximación universal: una capa oculta se acerca cuanto quieras a cualquier función continua."""

import numpy as np

from dlbook import check


def relu_interpolation(knots, values):
    r"""Escribe, sin entrenar nada, los pesos de una red ReLU que pasa por los puntos dados.

    El teorema de aproximación universal dice lo siguiente. Sea :math:`\varphi` una activación continua, y sea
    :math:`K\subset\mathbb R^d` un conjunto **compacto**, o sea, cerrado y acotado, como un intervalo con sus extremos.
    Las funciones que calcula una capa oculta con salida lineal,

    .. math::
       :label: ed-mlp-una-oculta

       \hat f(\mathbf x) = c+\sum_{k=1}^{m} a_k\,\varphi(\mathbf w_k^\top\mathbf x+b_k),

    se acercan cuanto se quiera a **toda** función continua en :math:`K` si y solo si :math:`\varphi` **no es un
    polinomio**. Es decir: para toda :math:`f` continua en :math:`K` y todo :math:`\varepsilon>0` hay un :math:`m` y
    unos pesos con :math:`|f(\mathbf x)-\hat f(\mathbf x)|<\varepsilon` en todo :math:`\mathbf x\in K`
    :cite:p:`leshno1993`. Antes lo habían demostrado :cite:t:`cybenko1989` y :cite:t:`hornik1989` para activaciones con
    forma de sigmoide. :item:`MLP-59`

    Que un polinomio no sirve se ve enseguida: si :math:`\varphi` es de grado :math:`p`, toda la suma es un polinomio de
    grado :math:`p` a lo sumo, con una neurona o con un millón. Que las demás sirven lo veremos en un caso, con
    una entrada y la ReLU, construyendo la red.

    **Derivación: una quebrada es una suma de ReLU.** Queremos unir con segmentos los puntos :math:`(t_k, v_k)`,
    :math:`t_0<t_1<\cdots<t_m`. El segmento que sale de :math:`t_k` tiene pendiente

    .. math::

       s_k=\frac{v_{k+1}-v_k}{t_{k+1}-t_k} .

    Ahora camina de izquierda a derecha. En :math:`t_0` arrancas en :math:`v_0` con pendiente :math:`s_0`. En cada nudo
    la pendiente cambia de :math:`s_{k-1}` a :math:`s_k`, y la neurona :math:`\operatorname{ReLU}(x-t_k)` es
    justamente eso: nada antes de :math:`t_k` y, después, una pendiente de 1 que se suma a la que ya traías. Basta
    multiplicarla por el cambio:

    .. math::
       :label: ec-mlp-quebrada

       \begin{gathered}
       \hat f(x) = v_0+\sum_{k=0}^{m-1} a_k\,\operatorname{ReLU}(x-t_k),\\
       a_0=s_0,\quad a_k=s_k-s_{k-1} .
       \end{gathered}

    **Derivación: por qué se acerca.** Toma :math:`x` entre :math:`t_k` y :math:`t_{k+1}`. Ahí :math:`\hat f(x)` es una
    mezcla de :math:`v_k=f(t_k)` y :math:`v_{k+1}=f(t_{k+1})`, con proporciones que suman uno; si los dos están a menos
    de :math:`\varepsilon` de :math:`f(x)`, su mezcla también. Y lo están si los nudos están bien juntos, porque una
    función continua en un intervalo cerrado es uniformemente continua: hay una sola separación :math:`h` que sirve en
    todas partes. Esa es toda la demostración, y aquí se ve **para qué** hace falta el compacto: con un número finito de
    nudos no se puede cubrir una recta infinita.

    **A mano.** La «tienda» que sube de 0 a 1 y vuelve a 0 pasa por :math:`(0,0), (1,1), (2,0)`. Las pendientes son
    :math:`1` y :math:`-1`; los cambios, :math:`1` y :math:`-2`: es
    :math:`\operatorname{ReLU}(x)-2\operatorname{ReLU}(x-1)`.

    >>> W1, b1, W2, b2 = relu_interpolation([0, 1, 2], [0, 1, 0])
    >>> W1.tolist(), b1.tolist(), W2.tolist(), b2.tolist()
    ([[1.0, 1.0]], [0.0, -1.0], [[1.0], [-2.0]], [0.0])

    El coseno en :math:`[0,\pi]`, con cada vez más neuronas. Al duplicarlas, el error se divide casi entre cuatro:

    >>> from chapters.mlp.feedforward import feedforward
    >>> x = np.linspace(0, np.pi, 2001)[:, None]
    >>> for m in (4, 8, 16, 32):
    ...     knots = np.linspace(0, np.pi, m + 1)
    ...     W1, b1, W2, b2 = relu_interpolation(knots, np.cos(knots))
    ...     y = feedforward(
    ...         x, [W1, W2], [b1, b2], [lambda z: np.maximum(z, 0), None]
    ...     )[-1]
    ...     print(
    ...         m, "neuronas: error", round(float(abs(y - np.cos(x)).max()), 4)
    ...     )
    4 neuronas: error 0.0704
    8 neuronas: error 0.0188
    16 neuronas: error 0.0048
    32 neuronas: error 0.0012

    **Lo que el teorema no dice.** No dice cuántas neuronas hacen falta, ni que el entrenamiento vaya a encontrarlas, ni
    qué hará la red fuera de :math:`K`, ni si acertará en puntos que no ha visto.

    Parameters
    ----------
    knots : array_like, shape (m + 1,)
        Los :math:`t_k`, en orden creciente.
    values : array_like, shape (m + 1,)
        Los :math:`v_k`.

    Returns
    -------
    W1 : ndarray, shape (1, m)
    b1 : ndarray, shape (m,)
    W2 : ndarray, shape (m, 1)
    b2 : ndarray, shape (1,)
        Los pesos de ``Sequential([Dense(m, activation="relu"), Dense(1)])``, en el orden de ``set_weights``.

    Raises
    ------
    TypeError, ValueError
        Si no son números finitos, si no hay tantos valores como nudos o si los nudos no crecen.

        >>> relu_interpolation([0, 2, 1], [0, 1, 0])
        Traceback (most recent call last):
            ...
        ValueError: knots: se esperaban al menos dos nudos en orden creciente, pero llegó [0. 2. 1.]
    """
    knots, values = _points(knots, values)
    # Lo que no quepa se rechaza abajo, por infinito.
    with np.errstate(over="ignore", invalid="ignore"):
        slopes = np.diff(values) / np.diff(knots)
        changes = np.diff(slopes, prepend=0.0)  # [ec-mlp-quebrada]
    changes = check.floats(changes, "values: los cambios de pendiente")
    m = len(changes)
    W1, b1 = np.ones((1, m)), 0.0 - knots[:-1]
    return W1, b1, changes.reshape(m, 1), values[:1].copy()


def tanh_staircase(knots, values, steepness):
    r"""Escribe los pesos de una red de tangentes hiperbólicas que sube y baja como una escalera.

    Una tangente hiperbólica con un peso grande es casi un escalón: :math:`\tanh(s(x-c))` vale −1 antes de :math:`c` y 1
    después, con una rampa de ancho :math:`1/s`, más o menos. Así que :math:`\tfrac12(1+\tanh(s(x-c)))` es un escalón
    de 0 a 1, y sumando escalones se sube por cualquier perfil. Esta vez la red no une los puntos: da un paso de
    :math:`v_{k-1}` a :math:`v_k` a medio camino entre sus nudos,

    .. math::
       :label: ec-mlp-escalera

       \begin{gathered}
       \hat f(x) = v_0+\sum_{k=1}^{m}\frac{v_k-v_{k-1}}2\Bigl(1+\tanh\bigl(s\,(x-c_k)\bigr)\Bigr),\\
       c_k=\frac{t_{k-1}+t_k}2 .
       \end{gathered}

    En cada tramo la escalera está cerca del valor de :math:`f` en un nudo cercano, y los nudos se ponen tan juntos como
    haga falta: con una entrada, eso ya es el teorema para la tangente. Con muchas no se demuestra así.
    :cite:t:`cybenko1989` no construye nada; supone que hay una función a la que estas sumas no se acercan y llega a una
    contradicción.

    **A mano.** Un solo escalón de 0 a 1 entre los nudos 0 y 2, con :math:`s=10`. La neurona es
    :math:`\tanh(10x-10)`; la salida, :math:`\tfrac12+\tfrac12\tanh`:

    >>> W1, b1, W2, b2 = tanh_staircase([0, 2], [0, 1], steepness=10)
    >>> W1.tolist(), b1.tolist(), W2.tolist(), b2.tolist()
    ([[10.0]], [-10.0], [[0.5]], [0.5])
    >>> [
    ...     round(float(b2[0] + W2[0, 0] * np.tanh(W1[0, 0] * x + b1[0])), 4)
    ...     for x in (0.5, 1, 1.5)
    ... ]
    [0.0, 0.5, 1.0]

    Parameters
    ----------
    knots : array_like, shape (m + 1,)
        Los :math:`t_k`, en orden creciente.
    values : array_like, shape (m + 1,)
        Los :math:`v_k`.
    steepness : float
        Lo empinado de los escalones, :math:`s`, mayor que cero.

    Returns
    -------
    W1, b1, W2, b2 : ndarray
        Los pesos de ``Sequential([Dense(m, activation="tanh"), Dense(1)])``, como en :func:`relu_interpolation`.

    Raises
    ------
    TypeError, ValueError
        Como en :func:`relu_interpolation`, o si ``steepness`` no es mayor que cero.
    """
    knots, values = _points(knots, values)
    steepness = check.number(steepness, "steepness", 0, open_low=True)
    middles = knots[:-1] + np.diff(knots) / 2
    with np.errstate(over="ignore", invalid="ignore"):
        b1 = -steepness * middles
        half = np.diff(values) / 2  # [ec-mlp-escalera]
        b2 = values[:1] + half.sum()
    m = len(half)
    pieces = (np.full((1, m), steepness), b1, half.reshape(m, 1), b2)
    name = "los pesos de la escalera"
    return tuple(check.floats(piece, name) for piece in pieces)


def _points(knots, values):
    sizes = {}
    knots = check.floats(knots, "knots", "m", sizes).astype(np.float64)
    values = check.floats(values, "values", "m", sizes).astype(np.float64)
    if len(knots) < 2 or (np.diff(knots) <= 0).any():
        raise ValueError(f"knots: se esperaban al menos dos nudos en orden creciente, pero llegó {knots}")
    return knots, values
