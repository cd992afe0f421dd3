r"""Análisis de componentes principales: resumir con pocos números y medir lo que se pierde."""

import numpy as np

from dlbook.check import floats, integer


def pca(x, k):
    r"""Encuentra las :math:`k` direcciones que mejor resumen los datos y dice qué fracción se pierde con ellas.

    El **análisis de componentes principales** (*principal component analysis*, PCA) busca las pocas direcciones en que
    los datos más varían y se queda solo con ellas. Restamos la media :math:`\boldsymbol\mu` y llamamos
    :math:`\mathbf c^{(i)}=\mathbf x^{(i)}-\boldsymbol\mu` a los datos centrados.

    **Derivación.** Empecemos con una dirección :math:`\mathbf v` de longitud 1. El resumen de un ejemplo es un solo
    número, lo que avanza en esa dirección, :math:`z=\mathbf v^\top\mathbf c`, y su reconstrucción es
    :math:`z\,\mathbf v`. Lo que falta, :math:`\mathbf c-z\mathbf v`, es perpendicular a :math:`\mathbf v`, y por el
    teorema de Pitágoras

    .. math::
       :label: ed-int-pitagoras

       \|\mathbf c\|^2 = z^2 + \|\mathbf c-z\mathbf v\|^2 .

    El lado izquierdo no depende de :math:`\mathbf v`: perder lo menos posible es lo mismo que **conservar lo más
    posible**. Sumado sobre los ejemplos, lo conservado es

    .. math::
       :label: ed-int-conservado

       \sum_i \bigl(\mathbf v^\top\mathbf c^{(i)}\bigr)^2 = \mathbf v^\top S\,\mathbf v,
       \qquad S=\sum_i \mathbf c^{(i)}\mathbf c^{(i)\top} .

    Maximizarlo con la condición :math:`\mathbf v^\top\mathbf v=1`, por el método de los multiplicadores, es derivar
    :math:`\mathbf v^\top S\mathbf v-\lambda(\mathbf v^\top\mathbf v-1)` e igualar a cero:
    :math:`2S\mathbf v-2\lambda\mathbf v=\mathbf 0`. O sea, :math:`S\mathbf v=\lambda\mathbf v`: la mejor dirección es
    un vector propio de :math:`S`, y lo que conserva es su valor propio, porque
    :math:`\mathbf v^\top S\mathbf v=\lambda\mathbf v^\top\mathbf v=\lambda`. Conviene el mayor. La segunda dirección
    resuelve el mismo problema entre las perpendiculares a la primera, y le toca el segundo valor propio; y así hasta
    :math:`k`.

    Con las :math:`k` direcciones como columnas de :math:`V_k`, el resumen de un ejemplo y su reconstrucción son

    .. math::
       :label: ed-int-pca

       \mathbf z = V_k^\top(\mathbf x-\boldsymbol\mu), \qquad
       \hat{\mathbf x} = \boldsymbol\mu + V_k\mathbf z .

    La fracción que se pierde, :math:`\rho`, es lo que conservarían las direcciones que tiramos, entre el total:

    .. math::
       :label: ec-int-pca-perdida

       \rho
       = \frac{\sum_i\|\mathbf x^{(i)}-\hat{\mathbf x}^{(i)}\|^2}{\sum_i\|\mathbf x^{(i)}-\boldsymbol\mu\|^2}
       = \frac{\sum_{j>k}\lambda_j}{\sum_j\lambda_j} .

    **En el código** no se forma :math:`S`. La descomposición en valores singulares de los datos centrados,
    :math:`C=U\Sigma V^\top`, da :math:`S=C^\top C=V\Sigma^2V^\top`: las mismas direcciones, con
    :math:`\lambda_j=\sigma_j^2`, y menos error de redondeo. Cada dirección podría apuntar también al revés; elegimos el
    sentido en que su coordenada más grande es positiva.

    **A mano.** Cuatro puntos de media cero: dos lejos, sobre la diagonal, y dos cerca, sobre la otra. Aquí
    :math:`S=\begin{pmatrix}10&6\\6&10\end{pmatrix}`, con valores propios 16 y 4. Con una sola dirección se pierde
    :math:`4/(16+4)=0.2`:

    >>> x = np.array([[2.0, 2.0], [-2.0, -2.0], [1.0, -1.0], [-1.0, 1.0]])
    >>> mean, v, lost = pca(x, 1)
    >>> round(lost, 4)
    0.2
    >>> v.round(4)                       # la diagonal, con longitud 1
    array([[0.7071],
           [0.7071]])

    Resumimos y reconstruimos con :eq:`ed-int-pca`. Los dos puntos de la otra diagonal se pierden del todo, y lo que
    falta es lo anunciado:

    >>> z = (x - mean) @ v
    >>> x_hat = mean + z @ v.T
    >>> bool(np.allclose(x_hat, [[2, 2], [-2, -2], [0, 0], [0, 0]]))
    True
    >>> round(float(((x - x_hat) ** 2).sum() / ((x - mean) ** 2).sum()), 4)
    0.2

    Parameters
    ----------
    x : ndarray, shape (n, d)
        Un ejemplo por fila.
    k : int
        Números con que se resume cada ejemplo, entre 1 y el menor de n y d.

    Returns
    -------
    mean : ndarray, shape (d,)
        Media de los ejemplos.
    v : ndarray, shape (d, k)
        Las direcciones, una por columna: perpendiculares entre sí y de longitud 1.
    lost : float
        Fracción de la variación total que no se recupera, entre 0 y 1.

    Raises
    ------
    TypeError
        Si ``x`` no son números reales o ``k`` no es un entero.
    ValueError
        Si la forma no es la pedida o ``k`` se sale de su rango.

        >>> pca(np.zeros((4, 2)), 3)
        Traceback (most recent call last):
            ...
        ValueError: k: se esperaba un entero entre 1 y 2, pero llegó 3
    """
    x = floats(x, "x", "n d").astype(np.float64)
    k = integer(k, "k", 1, min(x.shape))
    if np.abs(x).max() > 1e150:
        raise ValueError("x: se esperaban números de magnitud hasta 1e150, pero hay alguno mayor")
    mean = x.mean(axis=0)
    _, singular, vt = np.linalg.svd(x - mean, full_matrices=False)
    largest = np.abs(vt).argmax(axis=1)
    vt *= np.sign(vt[np.arange(len(vt)), largest])[:, None]
    v = np.ascontiguousarray(vt[:k].T)
    if singular[0] == 0:
        return mean, v, 0.0  # todas las filas son iguales: no hay nada que perder
    # λ_j entre λ_1: los cocientes no cambian y ningún cuadrado se desborda.
    kept = (singular / singular[0]) ** 2
    lost = kept[k:].sum() / kept.sum()  # [ec-int-pca-perdida]
    return mean, v, float(lost)


def plain_pca(x, k):
    r"""Centrar, buscar las direcciones y sumar lo que se descarta."""
    mean = x.mean(axis=0)
    _, singular, vt = np.linalg.svd(x - mean, full_matrices=False)
    v = vt[:k].T
    # De los dos sentidos, el que hace positivo al mayor de sus números.
    largest = np.abs(v).argmax(axis=0)
    v = v * np.sign(v[largest, np.arange(k)])
    variation = singular**2
    lost = variation[k:].sum() / variation.sum()  # [ec-int-pca-perdida]
    return mean, v, lost
