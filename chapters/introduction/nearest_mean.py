r"""Un clasificador sencillo: contestar la clase cuyo promedio queda más cerca."""

import numpy as np

from dlbook.check import floats, labels
from dlbook.numeric.kernel import kernel

MOST_CLASSES = 1_000_000


def nearest_mean(x_train, y_train, x_test):
    r"""Contesta, para cada ejemplo nuevo, la clase cuyo promedio queda más cerca.

    **Aprender** es calcular un promedio por clase. Sean :math:`\mathbf x^{(i)}` los números del ejemplo :math:`i` y
    :math:`y^{(i)}` su clase. Si :math:`n_c` ejemplos son de la clase :math:`c`, se suman esos y se divide entre
    cuántos son:

    .. math::
       :label: ec-int-promedio

       \boldsymbol\mu_c = \frac{1}{n_c}\sum_{i:\,y^{(i)}=c} \mathbf x^{(i)} .

    **Contestar** es buscar el más cercano. La distancia al cuadrado entre dos listas de números es la suma de los
    cuadrados de sus diferencias, el teorema de Pitágoras con tantos catetos como números:

    .. math::
       :label: ec-int-mas-cercano

       \hat y = \arg\min_c \ \sum_{j=1}^{d} \bigl(x_j - \mu_{cj}\bigr)^2 .

    El :math:`\arg\min_c` se lee «la :math:`c` que hace mínimo lo que sigue», y :math:`\hat y` es la respuesta.
    El cuadrado no cambia cuál es el más cercano y ahorra una raíz. Si dos empatan, gana la clase de número menor.

    **A mano.** Dos clases con dos ejemplos cada una. Los promedios son :math:`(1, 0)` y :math:`(5, 4)`; el punto
    :math:`(2, 1)` está a :math:`1^2+1^2=2` del primero y a :math:`3^2+3^2=18` del segundo:

    >>> x_train = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 4.0], [6.0, 4.0]])
    >>> y_train = np.array([0, 0, 1, 1])
    >>> nearest_mean(x_train, y_train, np.array([[2.0, 1.0], [4.0, 3.0]]))
    array([0, 1])

    Parameters
    ----------
    x_train : ndarray, shape (n, d)
        Ejemplos resueltos, uno por fila.
    y_train : ndarray of int, shape (n,)
        Clase de cada uno: enteros de 0 en adelante; no hace falta que estén todos.
    x_test : ndarray, shape (m, d)
        Ejemplos nuevos.

    Returns
    -------
    ndarray of int64, shape (m,)
        Clase de cada ejemplo nuevo.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no concuerdan o alguna clase no es un entero de 0 en adelante.

        >>> nearest_mean(x_train, y_train, np.zeros((2, 3)))
        Traceback (most recent call last):
            ...
        ValueError: x_test: se esperaba la forma (m, d=2), pero llegó (2, 3)
    """
    sizes = {}
    x_train = floats(x_train, "x_train", "n d", sizes).astype(np.float64)
    y_train = labels(y_train, "y_train", MOST_CLASSES, "n", sizes)
    x_test = floats(x_test, "x_test", "m d", sizes).astype(np.float64)
    classes, position = np.unique(y_train, return_inverse=True)
    return classes[_nearest_mean(x_train, position, len(classes), x_test)]


def plain_nearest_mean(x_train, y_train, x_test):
    r"""Un promedio por clase, y la distancia a cada uno."""
    classes = np.unique(y_train)
    distances = []
    for c in classes:
        mean = x_train[y_train == c].mean(axis=0)  # [ec-int-promedio]
        distances.append(((x_test - mean) ** 2).sum(axis=1))
    nearest = np.argmin(distances, axis=0)  # [ec-int-mas-cercano]
    return classes[nearest]


@kernel
def _nearest_mean(x_train, position, k, x_test):
    n, d = x_train.shape
    means = np.zeros((k, d))
    count = np.zeros(k)
    for i in range(n):
        count[position[i]] += 1
        for j in range(d):
            means[position[i], j] += x_train[i, j]
    for c in range(k):
        for j in range(d):
            means[c, j] /= count[c]  # [ec-int-promedio]
    nearest = np.empty(len(x_test), np.int64)
    for i in range(len(x_test)):
        shortest = np.inf
        nearest[i] = 0
        for c in range(k):
            distance = 0.0
            for j in range(d):
                distance += (x_test[i, j] - means[c, j]) ** 2
            if distance < shortest:
                shortest = distance
                nearest[i] = c  # [ec-int-mas-cercano]
    return nearest
