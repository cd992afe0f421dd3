r"""La red entera hacia delante: capas que se encadenan."""

from dlbook import check


def feedforward(x, weights, biases, activations):
    r"""Propaga observaciones por una red de capas densas y devuelve lo que sale de cada capa.

    Cada capa toma lo que dejó la anterior, lo multiplica por su matriz, suma su sesgo y aplica su activación. La
    primera no tiene anterior y toma la entrada tal cual:

    .. math::
       :label: ec-mlp-red

       \begin{gathered}
       \mathbf h_0=\mathbf x,
       \\
       \mathbf h_k=\varphi_k\bigl(\mathbf h_{k-1}\mathbf W_k+\mathbf b_k\bigr),
       \\
       \hat{\mathbf y}=\mathbf h_L .
       \end{gathered}

    Todo lo que pertenece a la capa :math:`k` lleva la letra :math:`k`: su matriz, su sesgo y su función. Escrita sin
    nombres intermedios, la red es una **composición de funciones**,

    .. math::
       :label: ed-mlp-composicion

       \begin{aligned}
       \hat{\mathbf y}=\varphi_L\bigl(&\cdots\varphi_2\bigl(\varphi_1(\mathbf x\mathbf W_1+\mathbf b_1)\\
       &\quad\mathbf W_2+\mathbf b_2\bigr)\cdots\\
       &\mathbf W_L+\mathbf b_L\bigr),
       \end{aligned}

    y el sesgo va siempre **dentro** de la función de su capa.

    **Las formas.** Si la capa :math:`k` tiene :math:`m_k` neuronas, :math:`\mathbf W_k` es de
    :math:`m_{k-1}\times m_k` y :math:`\mathbf b_k` tiene :math:`m_k` números; :math:`m_0=d` son las entradas. En cada
    producto las dos medidas de en medio coinciden, y por eso los tamaños de una red se leen seguidos: 4-3-2-1.

    >>> import numpy as np
    >>> rng, sizes = np.random.default_rng(0), [4, 3, 2, 1]
    >>> weights = [rng.normal(size=(m, n)) for m, n in zip(sizes, sizes[1:])]
    >>> biases = [rng.normal(size=n) for n in sizes[1:]]
    >>> outputs = feedforward(
    ...     rng.normal(size=(5, 4)), weights, biases, [np.tanh, np.tanh, None]
    ... )
    >>> [h.shape for h in outputs]
    [(5, 4), (5, 3), (5, 2), (5, 1)]

    **A mano.** Una red 2-3-2 con una oculta de tangentes hiperbólicas y salida lineal. De la primera neurona oculta y
    de la primera de salida, los pesos son de uno de los cursos; los demás los pusimos nosotros. Con
    :math:`\mathbf x=(0.1, 0.7)`, la primera oculta hace :math:`-0.1+0.2\cdot0.1+0.2\cdot0.7=0.06`, y su tangente casi
    no lo cambia:

    >>> W1 = [[0.2, 0.5, 0.2], [0.2, 0.5, 0.6]]
    >>> W2 = [[0.1, 0.2], [-0.1, 0.3], [-0.1, 0.4]]
    >>> b1, b2 = [-0.1, 0.1, 0.3], [0.2, 0.1]
    >>> x, hidden, y_hat = feedforward(
    ...     [0.1, 0.7], [W1, W2], [b1, b2], [np.tanh, None]
    ... )
    >>> hidden.round(4)
    array([0.0599, 0.4621, 0.6291])
    >>> y_hat.round(4)  # la primera: 0.2 + 0.1·0.0599 - 0.1·0.4621 - 0.1·0.6291
    array([0.0969, 0.5023])

    Parameters
    ----------
    x : array_like, shape (..., d)
        Una observación, o varias por filas.
    weights : sequence of array_like, shape (entradas, salidas)
        La matriz de cada capa: una columna por neurona.
    biases : sequence of array_like, shape (salidas,)
        El sesgo de cada capa.
    activations : sequence of callable or None
        La activación de cada capa, que recibe y devuelve un arreglo; ``None`` es la lineal.

    Returns
    -------
    list of ndarray
        :math:`\mathbf h_0,\mathbf h_1,\dots,\mathbf h_L`: la entrada, lo que sale de cada capa oculta y la salida.

    Raises
    ------
    TypeError
        Si algo no son números reales o una activación no es una función.
    ValueError
        Si no hay tantas matrices como sesgos y activaciones, o si una forma no encaja con la siguiente.

        >>> feedforward([1, 2], [[[1], [1]], [[1], [1]]], [[0], [0]], [None, None])
        Traceback (most recent call last):
            ...
        ValueError: weights[1]: se esperaba la forma (entradas=1, salidas), pero llegó (2, 1)
    """
    weights, biases = check.sequence(weights, "weights"), check.sequence(biases, "biases")
    activations = check.sequence(activations, "activations")
    if not len(weights) == len(biases) == len(activations):
        raise ValueError(
            "se esperaban tantas matrices como sesgos y activaciones, pero llegaron "
            f"{len(weights)}, {len(biases)} y {len(activations)}"
        )
    h = check.floats(x, "x", "... d")
    outputs = [h]
    for k, (W, b, phi) in enumerate(zip(weights, biases, activations, strict=True)):
        sizes = {"entradas": h.shape[-1]}
        W = check.floats(W, f"weights[{k}]", "entradas salidas", sizes)
        b = check.floats(b, f"biases[{k}]", "salidas", sizes)
        if phi is not None and not callable(phi):
            raise TypeError(f"activations[{k}]: se esperaba una función o None, pero llegó {phi!r}")
        z = check.floats(h @ W + b, f"la suma de la capa {k + 1}")
        h = z if phi is None else phi(z)  # [ec-mlp-red]
        outputs.append(h)
    return outputs


def plain_feedforward(x, weights, biases, activations):
    r"""Una capa tras otra."""
    outputs = [x]
    for W, b, phi in zip(weights, biases, activations, strict=True):
        z = outputs[-1] @ W + b
        outputs.append(z if phi is None else phi(z))  # [ec-mlp-red]
    return outputs
