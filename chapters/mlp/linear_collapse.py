r"""Por qué una red sin activaciones no es profunda."""

from dlbook import check


def collapse(weights, biases):
    r"""Reduce una pila de capas lineales a la única capa que hace lo mismo.

    Quítale la activación a una red. Con dos capas,

    .. math::

       (\mathbf x\mathbf W_1+\mathbf b_1)\mathbf W_2+\mathbf b_2
       =\mathbf x\,\underbrace{\mathbf W_1\mathbf W_2}_{\mathbf W}
       +\underbrace{\mathbf b_1\mathbf W_2+\mathbf b_2}_{\mathbf b},

    porque el producto de matrices se distribuye sobre la suma y es asociativo. Lo de la derecha es **una** capa, con la
    matriz :math:`\mathbf W_1\mathbf W_2` y un sesgo. Con más capas se repite el paso, de la primera a la última:

    .. math::
       :label: ec-mlp-colapso

       \begin{gathered}
       \mathbf W\leftarrow\mathbf W\,\mathbf W_k,
       \\
       \mathbf b\leftarrow\mathbf b\,\mathbf W_k+\mathbf b_k .
       \end{gathered}

    **A mano.** Dos capas de una neurona, :math:`2x+1` y después :math:`-3h+4`, son :math:`-3(2x+1)+4=-6x+1`:

    >>> W, b = collapse([[[2]], [[-3]]], [[1], [4]])
    >>> W.tolist(), b.tolist()
    ([[-6.0]], [1.0])

    **Al revés no siempre se puede.** Toda pila lineal es una capa, pero no toda capa es una pila: si en medio hay una
    capa angosta, lo que no cupo por ella se perdió. El rango de un producto no pasa del menor de sus tamaños, así que
    una red lineal 3-1-3 nunca podrá copiar su entrada, cosa que una sola capa de :math:`3\times3` hace con la
    identidad:

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> W, b = collapse(
    ...     [rng.normal(size=(3, 1)), rng.normal(size=(1, 3))],
    ...     [np.zeros(1), np.zeros(3)],
    ... )
    >>> (
    ...     W.shape, int(np.linalg.matrix_rank(W)),
    ...     int(np.linalg.matrix_rank(np.eye(3))),
    ... )
    ((3, 3), 1, 3)

    Parameters
    ----------
    weights : sequence of array_like, shape (entradas, salidas)
        La matriz de cada capa.
    biases : sequence of array_like, shape (salidas,)
        El sesgo de cada capa.

    Returns
    -------
    W : ndarray, shape (d, m)
        La matriz de la capa equivalente: de las entradas de la primera a las salidas de la última.
    b : ndarray, shape (m,)
        Su sesgo.

    Raises
    ------
    TypeError
        Si algo no son números reales.
    ValueError
        Si no hay tantas matrices como sesgos o las formas no encajan.
    """
    weights, biases = check.sequence(weights, "weights"), check.sequence(biases, "biases")
    if len(weights) != len(biases):
        raise ValueError(f"se esperaba un sesgo por matriz, pero llegaron {len(weights)} y {len(biases)}")
    sizes = {}
    W = check.floats(weights[0], "weights[0]", "entradas salidas", sizes)
    b = check.floats(biases[0], "biases[0]", "salidas", sizes)
    for k in range(1, len(weights)):
        sizes = {"entradas": W.shape[1]}
        W_k = check.floats(weights[k], f"weights[{k}]", "entradas salidas", sizes)
        b_k = check.floats(biases[k], f"biases[{k}]", "salidas", sizes)
        W, b = W @ W_k, b @ W_k + b_k  # [ec-mlp-colapso]
    return W, b


def plain_collapse(weights, biases):
    r"""Junta las capas de la primera a la última."""
    W, b = weights[0], biases[0]
    for W_k, b_k in zip(weights[1:], biases[1:], strict=True):
        W, b = W @ W_k, b @ W_k + b_k  # [ec-mlp-colapso]
    return W, b
