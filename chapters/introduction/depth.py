r"""La profundidad de una red: cuántas operaciones no lineales compone."""

from dlbook.check import choice

ACTIVATIONS = ("linear", "step", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softmax")


def depth(activations):
    r"""Cuenta las operaciones no lineales que una red compone, una tras otra.

    Cada capa de una red hace dos cosas: mezcla sus entradas (suma ponderada más sesgo, :math:`W\mathbf x+\mathbf b`) y
    pasa el resultado por una función de activación :math:`\varphi`. Cuando :math:`\varphi(z)=z` decimos que la capa es
    **lineal**: entrega la mezcla tal cual.

    La profundidad (*depth*) de una red de :math:`L` capas es el número de capas que no son lineales. Con un corchete
    que vale 1 si lo que dice es cierto y 0 si es falso,

    .. math::
       :label: ec-int-profundidad

       \operatorname{profundidad} = \sum_{l=1}^{L} [\,\varphi_l \ne \text{lineal}\,] .

    **Por qué las lineales no cuentan.** Pon una capa lineal detrás de otra y desarrolla:

    .. math::
       :label: ed-int-colapso

       W_2(W_1\mathbf x+\mathbf b_1)+\mathbf b_2
       = \underbrace{(W_2W_1)}_{W}\,\mathbf x + \underbrace{(W_2\mathbf b_1+\mathbf b_2)}_{\mathbf b} .

    Queda otra vez una matriz por :math:`\mathbf x` más un vector: las dos capas calculan lo que ya calculaba una sola.
    Apilar cien mezclas sigue siendo una mezcla. Lo que impide ese colapso es la función no lineal que va en medio.

    **A mano.** Cinco capas, y solo dos llevan una función que no es lineal (pronto conocerás ``"relu"`` y
    ``"sigmoid"``):

    >>> depth(["linear", "relu", "linear", "linear", "sigmoid"])
    2
    >>> depth(["linear"] * 100)
    0

    Y el colapso :eq:`ed-int-colapso` con números:

    >>> import numpy as np
    >>> W1, b1 = np.array([[1, 2], [0, 1], [3, 0]]), np.array([1, 0, -1])
    >>> W2, b2 = np.array([[1, 1, 0], [2, 0, 1]]), np.array([5, 0])
    >>> x = np.array([10, 20])
    >>> W2 @ (W1 @ x + b1) + b2          # dos capas
    array([ 76, 131])
    >>> (W2 @ W1) @ x + (W2 @ b1 + b2)   # una sola
    array([ 76, 131])

    Parameters
    ----------
    activations : sequence of str
        Activación de cada capa, de la primera a la última: ``"linear"``, ``"step"``, ``"sigmoid"``, ``"tanh"``,
        ``"relu"``, ``"leaky_relu"``, ``"elu"`` o ``"softmax"``.

    Returns
    -------
    int
        Entre 0 y el número de capas.

    Raises
    ------
    TypeError
        Si no llega una lista o tupla.
    ValueError
        Si alguna activación no se conoce.

        >>> depth(["relu", "lineal"])
        Traceback (most recent call last):
            ...
        ValueError: activations[1]: se esperaba 'linear' o 'step' o 'sigmoid'
        o 'tanh' o 'relu' o 'leaky_relu' o 'elu' o 'softmax', pero llegó 'lineal'
    """
    if not isinstance(activations, (list, tuple)):
        raise TypeError(f"activations: se esperaba una lista de nombres, pero llegó {type(activations).__name__}")
    for layer, activation in enumerate(activations):
        choice(activation, f"activations[{layer}]", ACTIVATIONS)
    return plain_depth(activations)


def plain_depth(activations):
    r"""Las capas que no son lineales."""
    curved = [activation != "linear" for activation in activations]
    return sum(curved)  # [ec-int-profundidad]
