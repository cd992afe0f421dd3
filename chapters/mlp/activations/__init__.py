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
    if not isinstance(activation, ActivationFunction) and activation is not None:
        activation = NAMES[check.choice(activation, "activation", list(NAMES))]
    if activation is not None and not registry.ours(type(activation)):
        _check_writes(activation)
    return None if isinstance(activation, Linear) else activation


def _check_writes(activation):
    # Las capas les dan memoria sin llenar. Lo que no se escribe conserva lo que había: se prueba con ceros y con unos.
    z, name = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3), type(activation).__name__
    outputs, slopes = [np.full_like(z, k) for k in (0, 1)], [np.full_like(z, k) for k in (0, 1)]
    for y, dz in zip(outputs, slopes, strict=True):
        activation.forward(z, y)
        activation.backward(z, y, np.ones_like(z), dz)
    for arrays, method, out in ((outputs, "forward", "y"), (slopes, "backward", "dz")):
        if not np.array_equal(*arrays, equal_nan=True):
            raise ValueError(
                f"{name}.{method}: se esperaba que escribiera en {out}, en su sitio, con {out}[...] = …; "
                "dejó partes sin escribir"
            )
