r"""La neurona completa: producto punto, sesgo y función de activación."""

import numpy as np

from chapters.perceptron.threshold_unit import step, weighted_sum
from dlbook.check import choice, floats


def sigmoid(z):
    r"""Sigmoide: un escalón suave, que responde con un número entre 0 y 1.

    .. math::
       :label: ec-per-sigmoide

       \sigma(z) = \frac{1}{1 + e^{-z}} .

    Crece siempre, porque al crecer :math:`z` el denominador baja. Tiende a 0 por la izquierda y a 1 por la derecha, y
    en el cero vale exactamente :math:`\tfrac12`: la duda perfecta.

    **Simetría.** Multiplica arriba y abajo por :math:`e^{z}` y obtienes :math:`\sigma(z)=e^{z}/(1+e^{z})`. Entonces
    :math:`1-\sigma(z) = 1/(1+e^{z}) = \sigma(-z)`: lo que le falta para llegar a 1 es lo que vale del otro lado.

    **Derivada.** Por la regla de la cadena, :math:`\sigma'(z) = e^{-z}/(1+e^{-z})^2`, y esa fracción se parte en dos
    factores conocidos, :math:`\frac{1}{1+e^{-z}}` y :math:`\frac{e^{-z}}{1+e^{-z}} = 1-\sigma(z)`:

    .. math::
       :label: ed-per-sigmoide-derivada

       \sigma'(z) = \sigma(z)\,\bigl(1-\sigma(z)\bigr).

    Vale a lo sumo :math:`\tfrac14`, en el cero, y se apaga en los extremos.

    **Sin desbordar.** Por debajo de :math:`z\approx -709`, :math:`e^{-z}` se sale de ``float64``. Por eso usamos
    :eq:`ec-per-sigmoide` si :math:`z\geq 0` y :math:`e^{z}/(1+e^{z})` si :math:`z<0`. Son la misma función, y en las
    dos el exponente es negativo o cero.

    **A mano.** :math:`e^{6}\approx 403.43`, así que :math:`\sigma(-6)\approx 1/404.43`:

    >>> round(float(sigmoid(-6)), 10)
    0.0024726232
    >>> sigmoid([-2, 0, 2]).round(4)
    array([0.1192, 0.5   , 0.8808])
    >>> sigmoid([-1000.0, 1000.0])
    array([0., 1.])

    Parameters
    ----------
    z : array_like, shape (...)
        Preactivaciones.

    Returns
    -------
    float or ndarray, shape (...)
        Valores entre 0 y 1, del mismo tipo real que ``z``.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si está vacío o hay NaN o infinitos.
    """
    z = floats(z, "z", "...")
    # Siempre la exponencial de algo negativo: nunca se desborda.
    small = np.exp(-np.abs(z))
    return (np.where(z >= 0, 1, small) / (1 + small))[()]  # [ec-per-sigmoide]


def neuron(x, w, b=0.0, activation="sigmoid"):
    r"""Salida de una neurona: propagación hacia delante (*forward propagation*).

    Se construye en tres pasos.

    1. **Producto punto.** Cada entrada se multiplica por su peso y se suma, :math:`\sum_i w_ix_i`. Si nos detuviéramos
       aquí, la salida sería :math:`\hat y=\varphi(\sum_i w_ix_i)`, y con :math:`\mathbf x=\mathbf 0` la neurona daría
       siempre :math:`\varphi(0)`, tuviera los pesos que tuviera.
    2. **Sesgo.** Para poder mover ese punto de partida se suma :math:`b`, y en forma vectorial
       :math:`z = \mathbf w^\top\mathbf x + b`.
    3. **Función de activación.** Una función :math:`\varphi` convierte :math:`z` en la respuesta:

    .. math::
       :label: ec-per-neurona

       \hat y = \varphi\Big(\sum_{i=1}^{d} w_i x_i + b\Big) = \varphi(\mathbf w^\top\mathbf x + b).

    **El sesgo es un peso más.** Agrega a toda observación una entrada fija que vale 1 y ponle de peso el sesgo,
    :math:`\tilde{\mathbf x}=(1,x_1,\dots,x_d)` y :math:`\tilde{\mathbf w}=(b,w_1,\dots,w_d)`. El primer sumando del
    producto es :math:`b\cdot 1` y el resto no cambia:

    .. math::
       :label: ec-per-neurona-aumentada

       \tilde{\mathbf w}^\top\tilde{\mathbf x} = b\cdot 1 + \sum_{i=1}^{d} w_i x_i = \mathbf w^\top\mathbf x + b .

    Por eso muchos textos llaman :math:`w_0` al sesgo. En una red hay muchas neuronas y cada una lleva su número: la
    neurona :math:`i` tiene pesos :math:`w_{ij}`, sesgo :math:`w_{i0}`, preactivación
    :math:`u_i=\sum_j w_{ij}x_j+w_{i0}` y salida :math:`s_i=\varphi(u_i)`. Es :eq:`ec-per-neurona` con otro nombre.

    **A mano.** Con :math:`\mathbf x=(-1,2)`, :math:`\mathbf w=(3,-2)` y :math:`b=1`,
    :math:`z=1+3\cdot(-1)-2\cdot 2=-6`, y la sigmoide casi lo apaga:

    >>> float(neuron([-1, 2], [3, -2], 1, activation="linear"))
    -6.0
    >>> round(float(neuron([-1, 2], [3, -2], 1)), 3)
    0.002

    Sin sesgo, :math:`z=-7`: ese :math:`b=1` casi triplica la respuesta.

    >>> round(float(neuron([-1, 2], [3, -2])), 4)
    0.0009

    La suma, la forma vectorial y la forma aumentada dan lo mismo:

    >>> x, w, b = np.array([-1, 2]), np.array([3, -2]), 1
    >>> z = b + sum(w_i * x_i for w_i, x_i in zip(w, x))
    >>> np.round([sigmoid(z), sigmoid(b + x @ w), neuron([1, *x], [b, *w])], 6)
    array([0.002473, 0.002473, 0.002473])

    Parameters
    ----------
    x : array_like, shape (..., d)
        Una observación, o varias: las entradas van en el último eje.
    w : array_like, shape (d,)
        Pesos.
    b : float
        Sesgo.
    activation : str
        Función de activación: ``"linear"``, :math:`\varphi(z)=z`; ``"step"``, el escalón :eq:`ec-per-escalon`; o
        ``"sigmoid"``, la sigmoide :eq:`ec-per-sigmoide`.

    Returns
    -------
    float, int or ndarray, shape (...)
        Una respuesta por observación.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no concuerdan, si hay NaN o infinitos o si la activación no es una de las tres.

        >>> neuron([1, 2], [1, 1], activation="relu")
        Traceback (most recent call last):
            ...
        ValueError: activation: se esperaba 'linear' o 'step' o 'sigmoid', pero llegó 'relu'
    """
    activations = {"linear": lambda z: z, "step": step, "sigmoid": sigmoid}
    phi = activations[choice(activation, "activation", activations)]
    z = weighted_sum(x, w, b)  # [ec-per-neurona-aumentada]
    return phi(z)  # [ec-per-neurona]
