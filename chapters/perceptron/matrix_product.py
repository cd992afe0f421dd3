r"""El producto de matrices, celda por celda, y por qué una capa de neuronas es uno."""

import numpy as np

from dlbook.check import floats
from dlbook.numeric.kernel import kernel


def matrix_product(a, b):
    r"""Producto de dos matrices: cada celda es el producto punto de una fila y una columna.

    Si :math:`\mathbf A` es de :math:`m\times p` y :math:`\mathbf B` de :math:`p\times n`, el producto
    :math:`\mathbf C=\mathbf A\mathbf B` es de :math:`m\times n`, y su celda :math:`(i,j)` junta la fila :math:`i` de
    :math:`\mathbf A` con la columna :math:`j` de :math:`\mathbf B`:

    .. math::
       :label: ec-per-producto-matricial

       c_{ij} = \sum_{k=1}^{p} a_{ik}\,b_{kj} .

    Los dos tamaños de en medio tienen que coincidir, porque la fila y la columna se recorren a la par.

    **A mano.** La primera celda es :math:`(2\cdot-2)+(5\cdot-2)+(2\cdot0)=-14`, con signo menos:

    >>> a = [[2, 5, 2], [1, 0, -2], [3, 1, 1]]
    >>> b = [[-2, 1, 0], [-2, 2, 1], [0, 0, 3]]
    >>> matrix_product(a, b)
    array([[-14.,  12.,  11.],
           [ -2.,   1.,  -6.],
           [ -8.,   5.,   4.]])

    **Una capa es un producto.** Pon los pesos de :math:`m` neuronas como filas de :math:`\mathbf W`, de
    :math:`m\times d`, y una observación :math:`\mathbf x` como columna. La fila :math:`i` de
    :math:`\mathbf W\mathbf x+\mathbf b` es :math:`\sum_j w_{ij}x_j+b_i`, la preactivación de la neurona :math:`i`:

    >>> W = np.array([[3, -2], [1, 1], [0, 2]])
    >>> x, bias = np.array([-1, 2]), np.array([1, 0, -3])
    >>> (matrix_product(W, x[:, np.newaxis])[:, 0] + bias).tolist()
    [-6.0, 1.0, 1.0]
    >>> [float(W[i] @ x + bias[i]) for i in range(3)]
    [-6.0, 1.0, 1.0]

    Parameters
    ----------
    a : array_like, shape (m, p)
        Primera matriz.
    b : array_like, shape (p, n)
        Segunda matriz.

    Returns
    -------
    ndarray, shape (m, n)
        El producto; ``float32`` solo si las dos lo son.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si no son matrices, si sus tamaños no encajan, si hay NaN o infinitos o si el producto se desborda.

        >>> matrix_product([[1, 2, 3]], [[1, 2]])
        Traceback (most recent call last):
            ...
        ValueError: b: se esperaba la forma (p=3, n), pero llegó (1, 2)
    """
    sizes = {}
    a = floats(a, "a", "m p", sizes)
    b = floats(b, "b", "p n", sizes)
    dtype = np.result_type(a, b)
    c = _matrix_product(np.asarray(a, dtype), np.asarray(b, dtype))
    return floats(c, "producto")


def plain_matrix_product(a, b):
    r"""Cada celda, una fila por una columna."""
    c = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            c[i, j] = (a[i] * b[:, j]).sum()  # [ec-per-producto-matricial]
    return c


@kernel
def _matrix_product(a, b):
    m, p = a.shape
    n = b.shape[1]
    c = np.zeros((m, n), a.dtype)
    for i in range(m):
        # Con j en el ciclo interior, c y b se leen de corrido.
        for k in range(p):
            for j in range(n):
                c[i, j] += a[i, k] * b[k, j]  # [ec-per-producto-matricial]
    return c
