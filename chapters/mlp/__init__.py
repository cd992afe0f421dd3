r"""Capítulo 2: el perceptrón multicapa.

Los estimadores para scikit-learn se importan aparte, de :mod:`chapters.mlp.estimators`, porque scikit-learn tarda en
cargar.
"""

from chapters.mlp import activations, initializers, losses, metrics, optimizers, regularizers, schedules
from chapters.mlp.activation import Activation
from chapters.mlp.autodiff import Value
from chapters.mlp.chain_rule import chain_rule
from chapters.mlp.dense import Dense, dense_backward, dense_forward
from chapters.mlp.dropout import Dropout
from chapters.mlp.feedforward import feedforward
from chapters.mlp.flatten import Flatten
from chapters.mlp.functional import Functional
from chapters.mlp.gaussian_noise import GaussianDropout, GaussianNoise
from chapters.mlp.gradient_descent import (
    gradient_descent,
    minibatch_gradient_descent,
    neuron_loss,
    stochastic_gradient_descent,
)
from chapters.mlp.graph import Graph
from chapters.mlp.graph_drawing import draw_graph
from chapters.mlp.identity import Identity
from chapters.mlp.input_layer import Input, InputLayer
from chapters.mlp.layer import Layer, shapes_only
from chapters.mlp.linear_collapse import collapse
from chapters.mlp.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from chapters.mlp.maxout import Maxout
from chapters.mlp.merging import Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract
from chapters.mlp.model import Model
from chapters.mlp.model_drawing import plot_model
from chapters.mlp.neuron_chain import neuron_chain_gradient
from chapters.mlp.one_layer import one_layer_gradient
from chapters.mlp.optimizers import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop
from chapters.mlp.permute import Permute
from chapters.mlp.preprocessing import (
    class_proportions,
    class_weights,
    min_max,
    one_hot,
    train_validation_test_split,
)
from chapters.mlp.regularizers import L1, L1L2, L2
from chapters.mlp.repeat_vector import RepeatVector
from chapters.mlp.reshape import Reshape
from chapters.mlp.saddle import linear_chain, linear_chain_hessian
from chapters.mlp.schedules import (
    CosineDecay,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from chapters.mlp.sequential import Sequential
from chapters.mlp.symbol import Symbol
from chapters.mlp.two_layers import two_layer_gradient
from chapters.mlp.universal import relu_interpolation, tanh_staircase
from dlbook.saving import load as load_model

__all__ = [
    "L1",
    "L1L2",
    "L2",
    "SGD",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Add",
    "Average",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Concatenate",
    "CosineDecay",
    "Dense",
    "Dot",
    "Dropout",
    "ExponentialDecay",
    "Flatten",
    "Functional",
    "GaussianDropout",
    "GaussianNoise",
    "Graph",
    "Identity",
    "Input",
    "InputLayer",
    "InverseTimeDecay",
    "Layer",
    "Maximum",
    "Maxout",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Minimum",
    "Model",
    "Multiply",
    "Permute",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "RMSprop",
    "RepeatVector",
    "Reshape",
    "Sequential",
    "SparseCategoricalCrossentropy",
    "Subtract",
    "Symbol",
    "Value",
    "activations",
    "chain_rule",
    "class_proportions",
    "class_weights",
    "collapse",
    "dense_backward",
    "dense_forward",
    "draw_graph",
    "feedforward",
    "gradient_descent",
    "initializers",
    "linear_chain",
    "linear_chain_hessian",
    "load_model",
    "losses",
    "metrics",
    "min_max",
    "minibatch_gradient_descent",
    "neuron_chain_gradient",
    "neuron_loss",
    "one_hot",
    "one_layer_gradient",
    "optimizers",
    "plot_model",
    "regularizers",
    "relu_interpolation",
    "schedules",
    "shapes_only",
    "stochastic_gradient_descent",
    "tanh_staircase",
    "train_validation_test_split",
    "two_layer_gradient",
]
