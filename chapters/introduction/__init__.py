r"""Introducción: qué es el aprendizaje profundo, por qué profundo y por qué ahora."""

from chapters.introduction.activity import activity_from_speed
from chapters.introduction.architectures import historical_layers
from chapters.introduction.depth import depth
from chapters.introduction.dimensionality import grid_cells, shell_fraction
from chapters.introduction.hand_features import hand_features
from chapters.introduction.nearest_mean import nearest_mean
from chapters.introduction.parameters import count_parameters, layer_parameters
from chapters.introduction.pca import pca
from chapters.introduction.sawtooth import sawtooth

__all__ = [
    "activity_from_speed",
    "count_parameters",
    "depth",
    "grid_cells",
    "hand_features",
    "historical_layers",
    "layer_parameters",
    "nearest_mean",
    "pca",
    "sawtooth",
    "shell_fraction",
]
