r"""Las funciones de activación, con los nombres de Keras."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.activations.celu import CELU, celu
from chapters.mlp.activations.elu import ELU, elu
from chapters.mlp.activations.exponential_function import Exponential, exponential
from chapters.mlp.activations.gelu import GELU, gelu
from chapters.mlp.activations.hard import HardSigmoid, HardSiLU, HardTanh, hard_sigmoid, hard_silu, hard_tanh
from chapters.mlp.activations.linear import Linear, linear
from chapters.mlp.activations.log_sigmoid import LogSigmoid, log_sigmoid
from chapters.mlp.activations.log_softmax import LogSoftmax, log_softmax
from chapters.mlp.activations.relu import LeakyReLU, ReLU, leaky_relu, relu, relu6
from chapters.mlp.activations.selu import SELU, selu
from chapters.mlp.activations.shrink import HardShrink, SoftShrink, TanhShrink, hard_shrink, soft_shrink, tanh_shrink
from chapters.mlp.activations.sigmoid import Sigmoid, sigmoid
from chapters.mlp.activations.silu import Mish, SiLU, mish, silu
from chapters.mlp.activations.softmax import Softmax, softmax
from chapters.mlp.activations.softplus import Softplus, softplus
from chapters.mlp.activations.softsign import Softsign, softsign
from chapters.mlp.activations.sparse import SparsePlus, SparseSigmoid, sparse_plus, sparse_sigmoid
from chapters.mlp.activations.squareplus import Squareplus, squareplus
from chapters.mlp.activations.step import Step, step
from chapters.mlp.activations.tanh import Tanh, tanh
from dlbook import check, registry

# Los otros nombres que Keras les da.
swish, hard_swish = silu, hard_silu

NAMES = {f.name: f for f in (linear, step, sigmoid, tanh, relu, leaky_relu, elu, softplus, gelu, softmax)}
NAMES |= {f.name: f for f in (selu, celu, silu, mish, softsign, exponential, log_sigmoid, log_softmax, squareplus)}
NAMES |= {f.name: f for f in (hard_sigmoid, hard_silu, hard_tanh, hard_shrink, soft_shrink, tanh_shrink)}
NAMES |= {f.name: f for f in (sparse_plus, sparse_sigmoid)}
NAMES |= {"relu6": relu6, "swish": swish, "hard_swish": hard_swish}

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "SELU",
    "ActivationFunction",
    "Exponential",
    "HardShrink",
    "HardSiLU",
    "HardSigmoid",
    "HardTanh",
    "LeakyReLU",
    "Linear",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "SoftShrink",
    "Softmax",
    "Softplus",
    "Softsign",
    "SparsePlus",
    "SparseSigmoid",
    "Squareplus",
    "Step",
    "Tanh",
    "TanhShrink",
    "celu",
    "elu",
    "exponential",
    "gelu",
    "get",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "step",
    "swish",
    "tanh",
    "tanh_shrink",
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
    >>> get("linear") is None  # no hay nada que aplicar
    True

    De una capa que solo aplica una activación, toma la suya:

    >>> from chapters.mlp import activation_layers
    >>> get(activation_layers.LeakyReLU())
    LeakyReLU(negative_slope=0.3)

    Parameters
    ----------
    activation : str, ActivationFunction, Activation or None
        El nombre de Keras, el propio objeto o una capa de las que solo aplican una.

    Returns
    -------
    ActivationFunction or None
        ``None`` si es la identidad: no hay nada que calcular.

    Raises
    ------
    ValueError
        Si el nombre no existe o el objeto no sabe ir hacia delante y hacia atrás.

        >>> try:
        ...     get("relú")
        ... except ValueError as error:
        ...     print(str(error)[:59], "…")
        activation: se esperaba 'linear' o 'step' o 'sigmoid' o 'ta …
    """
    if activation is None or isinstance(activation, Linear):
        return None
    if isinstance(activation, ActivationFunction):
        return activation if registry.ours(type(activation)) else _tried(activation)
    if hasattr(activation, "applied"):
        return activation.applied()
    if callable(activation) and not isinstance(activation, (type, registry.base("layer"))):
        from chapters.mlp.tape.functions import FunctionActivation

        return FunctionActivation(activation)
    return get(NAMES[check.choice(activation, "activation", list(NAMES))])
