r"""La onda de dientes de sierra: lo que varias capas hacen con pocas unidades y una sola, con muchas."""

import numpy as np

from dlbook.check import floats, integer
from dlbook.numeric.kernel import kernel


def sawtooth(x, layers):
    r"""Dobla el intervalo [0, 1] una vez por capa y produce una onda de :math:`2^{k-1}` dientes.

    La pieza básica usa dos unidades ReLU, la función que deja pasar lo positivo y anula lo negativo,
    :math:`\operatorname{ReLU}(z)=\max(0, z)`. Juntas dibujan una «tienda de campaña» (*tent map*):

    .. math::
       :label: ec-int-tienda

       T(x) = 2\max(0,\,x) - 4\max\!\left(0,\,x-\tfrac12\right).

    Para :math:`0\le x\le\frac12` el segundo término es cero y :math:`T(x)=2x`: sube de 0 a 1. Para
    :math:`\frac12\le x\le1`, :math:`T(x)=2x-4x+2=2-2x`: baja de 1 a 0. Es una hoja de papel doblada por la mitad.

    Una red de :math:`k` capas que repite esa pieza calcula

    .. math::
       :label: ec-int-sierra

       s_k(x) = T(s_{k-1}(x)), \qquad s_0(x)=x .

    **Derivación: cada capa duplica los tramos.** Supón que :math:`s_{k-1}` está hecha de :math:`p` tramos rectos, y
    que cada uno recorre todo el intervalo, de 0 a 1 o de 1 a 0. Mientras un tramo sube de 0 a 1, :math:`T` sube y baja;
    y lo mismo mientras baja. Así que cada tramo se convierte en **dos**, que recorren también todo el intervalo.
    Empezamos con uno solo, :math:`s_0(x)=x`, y después de :math:`k` capas hay

    .. math::
       :label: ed-int-tramos-profunda

       2^k \text{ tramos con } 2k \text{ unidades}.

    **Derivación: lo que cuesta con una sola capa.** Una red con una capa oculta de :math:`m` unidades ReLU y una
    entrada calcula :math:`b+\sum_{i=1}^m a_i\max(0,\,w_i x+b_i)`. Cada sumando es una recta quebrada que se dobla, a lo
    sumo, en un punto, :math:`x=-b_i/w_i`. La suma solo puede doblarse donde se dobla alguno: :math:`m` puntos a lo
    sumo, que cortan el intervalo en no más de :math:`m+1` tramos. Para igualar los :math:`2^k` tramos hacen falta

    .. math::
       :label: ed-int-tramos-somera

       m+1\ge 2^k \quad\Longrightarrow\quad m\ge 2^k-1 \text{ unidades}.

    Las unidades que pide cada camino, con 6 y con 20 capas:

    >>> [(k, 2 * k, 2**k - 1) for k in (6, 20)]
    [(6, 12, 63), (20, 40, 1048575)]

    El argumento general es de :cite:t:`telgarsky2016`.

    **A mano.** Con dos capas, 0.2 sube a 0.4 y de ahí a 0.8; 0.4 sube a 0.8 y vuelve a bajar a 0.4:

    >>> sawtooth([0.2, 0.4, 0.5, 0.75], 2).round(3)
    array([0.8, 0.4, 0. , 1. ])

    Y la cuenta de tramos: recorremos la onda y contamos los cambios de dirección. Las columnas son capas, unidades y
    tramos.

    >>> x = np.linspace(0, 1, 2**12 + 1)
    >>> for k in range(1, 7):
    ...     slopes = np.sign(np.diff(sawtooth(x, k)))
    ...     pieces = 1 + np.count_nonzero(np.diff(slopes))
    ...     print(k, 2 * k, pieces)
    1 2 2
    2 4 4
    3 6 8
    4 8 16
    5 10 32
    6 12 64

    Parameters
    ----------
    x : ndarray, shape (n,)
        Puntos del intervalo [0, 1].
    layers : int
        Número :math:`k` de capas, entre 1 y 52. Con más, los dientes serían más finos que la separación entre los
        números ``float64``, que guardan 52 cifras binarias.

    Returns
    -------
    ndarray, shape (n,)
        Altura de la onda en cada punto, entre 0 y 1.

    Raises
    ------
    TypeError
        Si ``x`` no son números reales o ``layers`` no es un entero.
    ValueError
        Si algún punto se sale de [0, 1], o ``layers`` de su rango.

        >>> sawtooth([0.5, 1.5], 2)
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaban números entre 0 y 1, pero hay un 1.5 en la posición (1,)
    """
    x = floats(x, "x", "n").astype(np.float64)
    layers = integer(layers, "layers", 1, 52)
    outside = np.flatnonzero((x < 0) | (x > 1))
    if outside.size:
        i = int(outside[0])
        raise ValueError(f"x: se esperaban números entre 0 y 1, pero hay un {x[i]:g} en la posición ({i},)")
    return _sawtooth(x, layers)


def plain_sawtooth(x, layers):
    r"""La misma tienda, una vez por capa."""
    s = np.asarray(x)
    for _ in range(layers):  # [ec-int-sierra]
        up, fold = np.maximum(0, s), np.maximum(0, s - 0.5)
        s = 2 * up - 4 * fold  # [ec-int-tienda]
    return s


@kernel
def _sawtooth(x, layers):
    y = np.empty_like(x)
    for i in range(x.size):
        s = x[i]
        for _ in range(layers):  # [ec-int-sierra]
            # Dos unidades ReLU: una sube, la otra dobla la hoja por la mitad.
            s = 2 * max(0.0, s) - 4 * max(0.0, s - 0.5)  # [ec-int-tienda]
        y[i] = s
    return y
