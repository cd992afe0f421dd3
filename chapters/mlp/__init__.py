r"""Capítulo 2: el perceptrón multicapa.

Los estimadores para scikit-learn se importan aparte, de :mod:`chapters.mlp.estimators`, porque scikit-learn tarda en
cargar.
"""

from chapters.mlp import (
    activation_layers,
    activations,
    constraints,
    initializers,
    losses,
    metrics,
    optimizers,
    regularizers,
    schedules,
)
from chapters.mlp.activation import Activation
from chapters.mlp.activations.prelu import PReLU, prelu_backward, prelu_forward
from chapters.mlp.autodiff import Value
from chapters.mlp.chain_rule import chain_rule
from chapters.mlp.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
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
from chapters.mlp.optimizers import SGD, Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, Nadam, RMSprop
from chapters.mlp.permute import Permute
from chapters.mlp.preprocessing import (
    CategoryEncoding,
    Normalization,
    Rescaling,
    class_proportions,
    class_weights,
    min_max,
    normalize,
    one_hot,
    pad_sequences,
    to_categorical,
    train_validation_test_split,
)
from chapters.mlp.regularizers import L1, L1L2, L2
from chapters.mlp.repeat_vector import RepeatVector
from chapters.mlp.reshape import Reshape
from chapters.mlp.saddle import linear_chain, linear_chain_hessian
from chapters.mlp.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from chapters.mlp.sequential import Sequential
from chapters.mlp.symbol import Symbol
from chapters.mlp.tape import ops
from chapters.mlp.tape.functions import FunctionActivation, FunctionLoss, FunctionMetric
from chapters.mlp.tape.lambda_layer import Lambda
from chapters.mlp.tape.tensor import GradientTape, Tensor, Variable
from chapters.mlp.two_layers import two_layer_gradient
from chapters.mlp.universal import relu_interpolation, tanh_staircase
from chapters.mlp.vector_chain_rule import vector_chain_rule
from dlbook.saving import clone as clone_model
from dlbook.saving import from_json as model_from_json
from dlbook.saving import load as load_model
from dlbook.saving import save as save_model

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
    "Adamax",
    "Add",
    "Average",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CategoryEncoding",
    "Concatenate",
    "CosineDecay",
    "CosineDecayRestarts",
    "Dense",
    "Dot",
    "Dropout",
    "ExponentialDecay",
    "Flatten",
    "FunctionActivation",
    "FunctionLoss",
    "FunctionMetric",
    "Functional",
    "GaussianDropout",
    "GaussianNoise",
    "GradientTape",
    "Graph",
    "Identity",
    "Input",
    "InputLayer",
    "InverseTimeDecay",
    "Lambda",
    "Layer",
    "Lion",
    "MaxNorm",
    "Maximum",
    "Maxout",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "MinMaxNorm",
    "Minimum",
    "Model",
    "Multiply",
    "Nadam",
    "NonNeg",
    "Normalization",
    "PReLU",
    "Permute",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "RMSprop",
    "RepeatVector",
    "Rescaling",
    "Reshape",
    "Sequential",
    "SparseCategoricalCrossentropy",
    "Subtract",
    "Symbol",
    "Tensor",
    "UnitNorm",
    "Value",
    "Variable",
    "activation_layers",
    "activations",
    "chain_rule",
    "class_proportions",
    "class_weights",
    "clone_model",
    "collapse",
    "constraints",
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
    "model_from_json",
    "neuron_chain_gradient",
    "neuron_loss",
    "normalize",
    "one_hot",
    "one_layer_gradient",
    "ops",
    "optimizers",
    "pad_sequences",
    "plot_model",
    "prelu_backward",
    "prelu_forward",
    "regularizers",
    "relu_interpolation",
    "save_model",
    "schedules",
    "shapes_only",
    "stochastic_gradient_descent",
    "tanh_staircase",
    "to_categorical",
    "train_validation_test_split",
    "two_layer_gradient",
    "vector_chain_rule",
]
