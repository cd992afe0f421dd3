r"""Capítulo 1: el perceptrón, de la neurona formal de 1943 a la regla que aprende."""

from chapters.perceptron.boundary import signed_distance
from chapters.perceptron.convergence import mistake_bound
from chapters.perceptron.gates import binary_inputs, firing_rate, gate, gate_weights
from chapters.perceptron.matrix_product import matrix_product
from chapters.perceptron.mcculloch_pitts import mcculloch_pitts
from chapters.perceptron.rosenblatt import Perceptron, perceptron_rule
from chapters.perceptron.separability import is_separable, search_weights
from chapters.perceptron.sigmoid_neuron import neuron, sigmoid
from chapters.perceptron.similarity import cosine_similarity, dot_product, euclidean_distance
from chapters.perceptron.speed import one_vs_rest
from chapters.perceptron.threshold_curve import threshold_curve
from chapters.perceptron.threshold_unit import step, threshold_unit, weighted_sum

__all__ = [
    "Perceptron",
    "binary_inputs",
    "cosine_similarity",
    "dot_product",
    "euclidean_distance",
    "firing_rate",
    "gate",
    "gate_weights",
    "is_separable",
    "matrix_product",
    "mcculloch_pitts",
    "mistake_bound",
    "neuron",
    "one_vs_rest",
    "perceptron_rule",
    "search_weights",
    "sigmoid",
    "signed_distance",
    "step",
    "threshold_curve",
    "threshold_unit",
    "weighted_sum",
]
