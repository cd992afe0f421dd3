r"""Un diccionario que no decide: en vez de una entrada, un poco de todas."""

import numpy as np

from dlbook import check

SCORES = "dot", "cosine", "distance"


def cosine(queries, keys):
    r"""Mide el parecido de cada consulta con cada clave por el ángulo que forman (*cosine similarity*).

    .. math::
       :label: ec-att-coseno

       \cos(\mathbf q,\mathbf k)
       =\frac{\mathbf q\cdot\mathbf k}{\lVert\mathbf q\rVert\,\lVert\mathbf k\rVert} .

    Va de −1, en sentidos opuestos, a 1, en el mismo; alargar un vector no lo cambia.

    **A mano.** Entre :math:`(3,4)` y :math:`(1,0)`: el producto es 3 y las longitudes, 5 y 1.

    >>> cosine([3, 4], [[1, 0], [10, 0], [0, -2]])
    array([ 0.6,  0.6, -0.8])

    Parameters
    ----------
    queries : array_like, shape (..., d)
        Las consultas.
    keys : array_like, shape (n, d)
        Las claves.

    Returns
    -------
    ndarray, shape (..., n)
        Un coseno por pareja.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si las formas no encajan o si algún vector es todo ceros, que no apunta a
        ningún lado.

        >>> cosine([0, 0], [[1, 0]])
        Traceback (most recent call last):
            ...
        ValueError: queries: se esperaban vectores que no fueran todo ceros, pero hay uno
    """
    queries, keys = _pairs(queries, keys, "queries")
    return plain_cosine(_scaled(queries, "queries"), _scaled(keys, "keys"))


def _pairs(query, keys, name):
    sizes = {}
    keys = check.floats(keys, "keys", "n d", sizes)
    return check.floats(query, name, "... d", sizes), keys


def _scaled(vectors, name):
    # Entre el mayor, para que los cuadrados no se desborden ni se pierdan.
    largest = np.abs(vectors).max(axis=-1, keepdims=True)
    if not largest.all():
        raise ValueError(f"{name}: se esperaban vectores que no fueran todo ceros, pero hay uno")
    return vectors / largest


def plain_cosine(queries, keys):
    r"""El producto punto de los vectores, llevados a longitud uno."""
    q = queries / np.linalg.norm(queries, axis=-1, keepdims=True)
    k = keys / np.linalg.norm(keys, axis=-1, keepdims=True)
    return q @ k.T  # [ec-att-coseno]


def soft_lookup(query, keys, values, score="dot", temperature=1.0):
    r"""Busca en un diccionario sin decidirse: un promedio de los valores, según cuánto se parece cada clave.

    Un diccionario corriente compara la consulta :math:`\mathbf q` con cada clave, y devuelve el valor de la que sea
    **idéntica**. Se puede escribir como una suma en la que sobrevive un término:

    .. math::
       :label: ed-att-diccionario

       \operatorname{buscar}(\mathbf q)=\sum_i[\,\mathbf q=\mathbf k_i\,]\,\mathbf v_i .

    El corchete vale 1 o 0, y su derivada es cero: de una búsqueda así no se aprende nada. Lo cambiamos por un
    softmax de lo que se parecen, :math:`s(\mathbf q,\mathbf k_i)`, con la temperatura :math:`\tau`:

    .. math::
       :label: ec-att-busqueda

       \operatorname{atender}(\mathbf q)=\sum_i a_i\,\mathbf v_i,
       \qquad
       a_i=\frac{e^{s(\mathbf q,\mathbf k_i)/\tau}}{\sum_j e^{s(\mathbf q,\mathbf k_j)/\tau}} .

    Los pesos son positivos y suman 1: la respuesta es un promedio de los valores. Y se deriva respecto a todo, la
    consulta, las claves y los valores.

    **A mano.** Tres claves de dos números. Con la consulta :math:`(1,0)`, los productos son 2, 0 y 1; las
    exponenciales, 7.389, 1 y 2.718, que suman 11.107:

    >>> keys = [[2, 0], [0, 2], [1, 1]]
    >>> values = [[10], [20], [30]]
    >>> found, weights = soft_lookup([1, 0], keys, values)
    >>> weights.round(3)
    array([0.665, 0.09 , 0.245])
    >>> found.round(2)
    array([15.79])

    Con poca temperatura decide, como el diccionario:

    >>> found, weights = soft_lookup([1, 0], keys, values, temperature=0.05)
    >>> weights.round(3), found.round(2)
    (array([1., 0., 0.]), array([10.]))

    Parameters
    ----------
    query : array_like, shape (..., d)
        La consulta, o varias.
    keys : array_like, shape (n, d)
        Las claves.
    values : array_like, shape (n, m)
        Un valor por clave.
    score : {"dot", "cosine", "distance"}
        El parecido: el producto punto; el coseno, :eq:`ec-att-coseno`; o la distancia al cuadrado entre dos, con signo
        menos, que da los pesos de :func:`nadaraya_watson`.
    temperature : float
        La temperatura :math:`\tau`, mayor que 0.

    Returns
    -------
    value : ndarray, shape (..., m)
        Lo que se encontró.
    weights : ndarray, shape (..., n)
        Cuánto se tomó de cada valor.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos, si las formas no encajan o si no hay tal parecido.

        >>> soft_lookup([1, 0], keys, values, score="euclidiana")
        Traceback (most recent call last):
            ...
        ValueError: score: se esperaba 'dot' o 'cosine' o 'distance', pero llegó 'euclidiana'
    """
    query, keys = _pairs(query, keys, "query")
    values = check.floats(values, "values", "n m", {"n": len(keys)})
    score = check.choice(score, "score", SCORES)
    temperature = check.number(temperature, "temperature", 0, open_low=True)
    return plain_soft_lookup(query, keys, values, score, temperature)


def plain_soft_lookup(query, keys, values, score, temperature):
    r"""Comparar, softmax, promediar."""
    if score == "dot":
        scores = query @ keys.T
    elif score == "cosine":
        scores = cosine(query, keys)
    else:
        far = query[..., np.newaxis, :] - keys
        scores = -(far**2).sum(axis=-1) / 2
    e = np.exp((scores - scores.max(axis=-1, keepdims=True)) / temperature)
    weights = e / e.sum(axis=-1, keepdims=True)  # [ec-att-busqueda]
    return weights @ values, weights  # [ec-att-busqueda]
