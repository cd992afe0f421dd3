r"""Las funciones de activación, con los nombres de Keras."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.elu import ELU, elu
from chapters.mlp.activations.gelu import GELU, gelu
from chapters.mlp.activations.linear import Linear, linear
from chapters.mlp.activations.relu import LeakyReLU, ReLU, leaky_relu, relu
from chapters.mlp.activations.sigmoid import Sigmoid, sigmoid
from chapters.mlp.activations.softmax import Softmax, softmax
from chapters.mlp.activations.softplus import Softplus, softplus
from chapters.mlp.activations.step import Step, step
from chapters.mlp.activations.tanh import Tanh, tanh
from dlbook import check, registry

NAMES = {f.name: f for f in (linear, step, sigmoid, tanh, relu, leaky_relu, elu, softplus, gelu, softmax)}

__all__ = [
    "ELU",
    "GELU",
    "ActivationFunction",
    "LeakyReLU",
    "Linear",
    "ReLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "Tanh",
    "elu",
    "gelu",
    "get",
    "leaky_relu",
    "linear",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "step",
    "tanh",
]


def _tried(activation):
    # La de quien lee se prueba una vez: tiene que escribir en los arreglos que recibe, y en todos sus lugares.
    cls, z = type(activation), np.array([[0.25, 0.5, 0.75], [0.375, 0.625, 0.5]], np.float32)
    y, dz = np.full_like(z, np.nan), np.full_like(z, np.nan)
    activation.forward(z, y)
    if np.isnan(y).any():
        raise ValueError(f"{cls.__name__}.forward: se esperaba que escribiera en y, pero quedaron lugares sin escribir")
    activation.backward(z, y, np.ones_like(z), dz)
    if np.isnan(dz).any():
        raise ValueError(
            f"{cls.__name__}.backward: se esperaba que escribiera en dz, pero quedaron lugares sin escribir"
        )
    return activation


def get(activation):
    r"""Encuentra una activación por su nombre.

    >>> get("relu")
    ReLU()
    >>> get(LeakyReLU(0.1))
    LeakyReLU(negative_slope=0.1)
    >>> get("linear") is None
    True

    Parameters
    ----------
    activation : str, ActivationFunction or None
        El nombre de Keras, o el propio objeto.

    Returns
    -------
    ActivationFunction or None
        ``None`` si es la identidad: no hay nada que calcular.

    Raises
    ------
    ValueError
        Si el nombre no existe o el objeto no sabe ir hacia delante y hacia atrás.

        >>> get("relú")
        Traceback (most recent call last):
            ...
        ValueError: activation: se esperaba 'linear' o 'step' o 'sigmoid' o 'tanh' o 'relu' o 'leaky_relu' o 'elu'
        o 'softplus' o 'gelu' o 'softmax', pero llegó 'relú'
    """
    if activation is None or isinstance(activation, Linear):
        return None
    if isinstance(activation, ActivationFunction):
        return activation if registry.ours(type(activation)) else _tried(activation)
    if callable(activation) and not isinstance(activation, type):
        from chapters.mlp.tape.functions import FunctionActivation

        return FunctionActivation(activation)
    return get(NAMES[check.choice(activation, "activation", list(NAMES))])
