"""Quien llama mal a lo público recibe una frase en español, y pronto; no un tropiezo de por dentro.

Se prueba todo lo que está en el ``__all__`` de los capítulos y de lo que comparten: lo nuevo falla hasta que diga aquí
con qué argumentos sirve. De las clases registradas, los constructores se prueban en ``test_arguments.py``.
"""

import importlib
import inspect
import io
import pkgutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from chapters import attention, cnn, mlp, rnn
from chapters.attention import gpt, gpt2_names
from chapters.autoencoder import vae
from chapters.mlp import Dense, Input, Sequential
from chapters.mlp.layer import shapes_only
from chapters.rnn import Alphabet, Embedding, SimpleRNN
from dlbook.attributes import Configured
from dlbook.saving import files
from dlbook.sphinx.definitions import PLAIN
from tests.contract import cases
from tests.contract.hostile import WRONG, attempt, bounded_memory  # noqa: F401

X = np.linspace(0, 1, 48).reshape(1, 4, 4, 3)
NEAR = [[1.0, 0.5], [0.0, 2.0]]
IMAGE = np.arange(16).reshape(4, 4)
BOXES, KERNEL = [[0.1, 0.1, 0.4, 0.5]], np.ones((2, 2, 3, 2))
POINTS, SIDES = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), [0, 0, 0, 1]
LINE = {"x": [[0.0], [1.0], [2.0]], "y": [1.0, 3.0, 5.0]}
PREDICTED = {"y_true": [[0.0, 1.0]], "y_pred": [[0.2, 0.8]]}
ACTIVATED = {"z": [[0.5, -1.0]]}
RECORD = bytes(3073)
GPT = gpt(3, 4, 4, 2, 1, seed=0)
PAIR, KEPT = [[1.6, 0.2], [0.1, -1.0]], [1.0, 0.6, 0.36]


DOCS = Path(__file__).resolve().parents[2] / "docs"


def picture():
    file = io.BytesIO()
    cnn.save_img(file, np.zeros((2, 3, 3)), file_format="png")
    return file


def classifier():
    return Sequential([Input((4, 4, 3)), mlp.Flatten(), Dense(2)], seed=0)


def gpt2_file():
    path = Path(tempfile.mkdtemp()) / "gpt2.safetensors"
    files.write(path, {name: np.ones(shape, np.float32) for name, shape in gpt2_names(3, 4, 4, 1).items()}, {})
    return path


def bowl(theta):
    return float(theta @ theta), 2 * theta


def fit_line(theta, x, y):
    return mlp.neuron_loss(theta, x, y, mlp.MeanSquaredError())


def loss():
    return float((WEIGHTS**2).sum())


WEIGHTS = np.ones(2)


def outline(maker):
    # Sin pesos: de una red enorme solo interesa si se deja armar.
    def make(**arguments):
        with shapes_only():
            return maker(**arguments)

    return make


# Cada función, con unos argumentos que sirven.
TINY = Sequential([Input(shape=(2,)), Dense(3)])
JUDGE = Sequential([Input(shape=(3,)), Dense(1)])
_, ENCODER, DECODER = vae(3, 4, 2, seed=0)
READER = Sequential([Input((None,)), Embedding(3, 2), SimpleRNN(2, return_sequences=True), Dense(3)])
LOSSES = [
    *("binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy"),
    *("categorical_hinge", "cosine_similarity", "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error"),
    *("mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "poisson"),
    "squared_hinge",
]
LOSS_SHORT = ["kld", "mae", "mape", "mse", "msle"]
EXAMPLES = {
    "chapters.introduction": {
        "activity_from_speed": {"speed": 3.0},
        "count_parameters": {"sizes": [2, 3, 1]},
        "depth": {"activations": ["linear", "relu"]},
        "grid_cells": {"dimension": 3, "per_axis": 10},
        "hand_features": {"images": np.zeros((2, 8, 8))},
        "historical_layers": {"name": "LeNet-5"},
        "layer_parameters": {"fan_in": 25, "units": 6, "own": 1},
        "nearest_mean": {"x_train": POINTS, "y_train": SIDES, "x_test": POINTS},
        "pca": {"x": POINTS, "k": 1},
        "sawtooth": {"x": [0.2, 0.4], "layers": 2},
        "shell_fraction": {"dimension": 3, "thickness": 0.05},
    },
    "chapters.perceptron": {
        "Perceptron": {"learning_rate": 1.0, "epochs": 5, "shuffle": False, "seed": 0},
        "binary_inputs": {"d": 2},
        "cosine_similarity": {"x": [1.0, 2.0], "y": [2.0, 1.0]},
        "dot_product": {"x": [1.0, 2.0], "y": [2.0, 1.0]},
        "euclidean_distance": {"x": [1.0, 2.0], "y": [2.0, 1.0]},
        "firing_rate": {"w": [3, 2, 2], "b": -4},
        "gate": {"name": "and", "x": [[0, 1]]},
        "gate_weights": {"name": "and", "d": 2},
        "is_separable": {"x": POINTS, "y": SIDES},
        "matrix_product": {"a": POINTS, "b": POINTS.T},
        "mcculloch_pitts": {"excitatory": [[0, 1]], "inhibitory": [[0]], "threshold": 1},
        "mistake_bound": {"x": POINTS, "y": SIDES, "w": [2, 2], "b": -3},
        "neuron": {"x": [-1, 2], "w": [3, -2], "b": 1, "activation": "sigmoid"},
        "one_vs_rest": {"x": POINTS, "y": SIDES, "classes": 2, "epochs": 3, "rung": "threads"},
        "perceptron_rule": {"x": POINTS, "y": SIDES, "w": [0, 0], "b": 0, "learning_rate": 1.0},
        "search_weights": {"x": POINTS, "y": SIDES, "values": [-1, 0, 1]},
        "sigmoid": {"z": [0.5]},
        "signed_distance": {"x": [-1, 2], "w": [3, -2], "b": 1},
        "step": {"z": [0.5]},
        "threshold_curve": {"y": [0, 1, 1], "score": [0.2, 0.3, 0.9]},
        "threshold_unit": {"x": POINTS, "w": [1, 1], "threshold": 1},
        "weighted_sum": {"x": POINTS, "w": [1, 1], "b": 0.5},
    },
    "chapters.mlp": {
        "GradientTape": {"persistent": False, "watch_accessed_variables": True},
        "Input": {"shape": (3,)},
        "Tensor": {"value": [1.0, 2.0]},
        "Value": {"value": 2.0, "name": "x"},
        "Variable": {
            **{"initializer": np.ones((2, 3)), "shape": (2, 3), "dtype": "float32", "trainable": True, "name": "w"},
        },
        "chain_rule": {"functions": [np.sin], "derivatives": [np.cos], "x": 2.0},
        "class_proportions": {"y": [0, 1, 1]},
        "class_weights": {"y": [0, 1, 1]},
        "clone_model": {"model": TINY, "input_tensors": None, "clone_function": None},
        "collapse": {"weights": [[[2.0]], [[-3.0]]], "biases": [[1.0], [4.0]]},
        "dense_backward": {"x": POINTS, "w": np.ones((2, 3)), "dy": np.ones((4, 3))},
        "dense_forward": {"x": POINTS, "w": np.ones((2, 3)), "b": np.ones(3)},
        "draw_graph": {"result": mlp.Value(2.0) * 3, "ax": None},
        "feedforward": {"x": [0.1, 0.7], "weights": [np.ones((2, 3))], "biases": [np.ones(3)], "activations": [None]},
        "gradient_descent": {"f": bowl, "theta": [1.0], "learning_rate": 0.1, "tolerance": 1e-3, "max_steps": 50},
        "linear_chain": {"theta": [1.0, 2.0]},
        "linear_chain_hessian": {"theta": [1.0, 2.0]},
        "min_max": {"x": POINTS, "reference": POINTS},
        "minibatch_gradient_descent": {
            **{"f": fit_line, "theta": [0.0, 0.0], **LINE},
            **{"batch_size": 2, "learning_rate": 0.01, "epochs": 2, "seed": 0},
        },
        "prelu_backward": {"x": POINTS, "alpha": [0.5, 0.1], "dy": POINTS},
        "prelu_forward": {"x": POINTS, "alpha": [0.5, 0.1]},
        "model_from_json": {"json_string": TINY.to_json()},
        "neuron_chain_gradient": {"x": 0.5, "y": 1.0, "w": [0.4, -0.3]},
        "neuron_loss": {"theta": [0.0, 0.0], **LINE, "loss": mlp.MeanSquaredError()},
        "normalize": {"x": POINTS, "axis": -1, "order": 2},
        "one_hot": {"values": [2, 0], "categories": 4},
        "one_layer_gradient": {"x": [0.5], "y": [1.0], "W": [[0.3]], "b": [0.2], "activations": ["tanh"]},
        "plot_model": {
            **{"model": Sequential([Input((4,)), Dense(2)]), "to_file": None, "show_shapes": True},
            **{"show_dtype": True, "show_layer_names": True, "rankdir": "LR", "dpi": 50},
        },
        "relu_interpolation": {"knots": [0, 1, 2], "values": [0, 1, 0]},
        "pad_sequences": {
            **{"sequences": [[1, 2], [3]], "maxlen": 3, "dtype": "int32"},
            **{"padding": "pre", "truncating": "pre", "value": 0.0},
        },
        "shapes_only": {},
        "stochastic_gradient_descent": {
            **{"f": fit_line, "theta": [0.0, 0.0], **LINE},
            **{"learning_rate": 0.01, "steps": 3, "seed": 0},
        },
        "tanh_staircase": {"knots": [0, 2], "values": [0, 1], "steepness": 10},
        "to_categorical": {"x": [2, 0], "num_classes": 4},
        "train_validation_test_split": {
            "x": np.zeros((10, 2)),
            "y": np.zeros(10),
            "fractions": (0.6, 0.2, 0.2),
            "seed": 0,
        },
        "two_layer_gradient": {"x": [0.5], "y": [1.0], "W1": [[0.3]], "b1": [0.2], "W2": [[0.3]], "b2": [0.2]},
        "vector_chain_rule": {"functions": [np.sin], "jacobians": [np.diag], "x": [2.0], "dy": [1.0]},
    },
    "chapters.mlp.activations": {
        **dict.fromkeys([name for name in mlp.activations.__all__ if name.islower() and name != "get"], ACTIVATED),
        "get": {"activation": "relu"},
    },
    "chapters.mlp.constraints": {"get": {"constraint": "non_neg"}},
    "chapters.mlp.initializers": {"fans": {"shape": (3, 4)}, "get": {"initializer": "zeros"}},
    "chapters.mlp.losses": {
        **dict.fromkeys([*LOSSES, *LOSS_SHORT, *map(str.upper, LOSS_SHORT)], PREDICTED),
        "get": {"loss": "mse"},
        "sparse_categorical_crossentropy": {"y_true": [1], "y_pred": [[0.2, 0.8]]},
    },
    "chapters.mlp.optimizers": {
        "clip_by_global_norm": {"gradient": [3.0, 4.0], "limit": 1.0},
        "clip_by_value": {"gradient": [3.0, 4.0], "limit": 1.0},
        "get": {"optimizer": "sgd"},
    },
    "chapters.mlp.regularizers": {"get": {"regularizer": "l2"}},
    "chapters.cnn": {
        "affine_transform": {"images": X, "transform": np.eye(2, 3), "fill_mode": "constant", "fill_value": 0.0},
        "array_to_img": {"x": np.zeros((2, 2, 3)), "data_format": None, "scale": True, "dtype": "float32"},
        "alexnet": {"input_shape": (227, 227, 3), "classes": 10, "classifier_activation": None},
        "average_pooling_backward": {"dy": np.ones((1, 2, 2, 3)), "input_shape": (1, 4, 4, 3)},
        "average_pooling_forward": {"x": X, "pool_size": 2, "strides": None, "padding": "valid"},
        "average_precision": {"found": [(BOXES, [0.5])], "truth": [BOXES], "threshold": 0.5},
        "batch_norm_backward": {"x": X, "gamma": np.ones(3), "dy": X, "epsilon": 1e-3},
        "batch_norm_forward": {"x": X, "gamma": np.ones(3), "beta": np.zeros(3), "epsilon": 1e-3},
        "col2im": {"columns": np.ones((9, 12)), "input_shape": (1, 4, 4, 3), "kernel_size": 2},
        "composite": {"image": np.ones((4, 4, 4)), "background": [1, 1, 1]},
        "conv2d_backward": {"x": X, "kernel": KERNEL, "dy": np.ones((1, 3, 3, 2)), "groups": 1},
        "conv2d_forward": {"x": X, "kernel": KERNEL, "bias": np.zeros(2), "strides": 1, "padding": "same", "groups": 1},
        "conv2d_transpose_backward": {"x": X, "kernel": KERNEL.swapaxes(2, 3), "dy": np.ones((1, 5, 5, 2))},
        "conv2d_transpose_forward": {"x": X, "kernel": KERNEL.swapaxes(2, 3), "strides": 2, "output_padding": 1},
        "conv_bn": {
            "filters": 3,
            "kernel_size": 3,
            "strides": 1,
            "padding": "same",
            "activation": "relu",
            "scale": True,
        },
        "convolve2d": {"image": IMAGE, "kernel": np.ones((2, 2)), "stride": 1, "padding": 0, "dilation": 1},
        "correlate2d": {"image": IMAGE, "kernel": np.ones((2, 2)), "stride": 1, "padding": "same", "dilation": 1},
        "depthwise_conv2d_backward": {"x": X, "kernel": np.ones((2, 2, 3, 1)), "dy": np.ones((1, 3, 3, 3))},
        "depthwise_conv2d_forward": {"x": X, "kernel": np.ones((2, 2, 3, 1)), "padding": "same", "dilation_rate": 1},
        "digit_bitmaps": {},
        "draw_architecture": {"model": Sequential([Input((4,)), Dense(2)]), "ax": None},
        "equalize": {"image": IMAGE},
        "googlenet": {"input_shape": (64, 64, 3), "classes": 10, "classifier_activation": None},
        "grid_decode": {
            "y_pred": np.zeros((1, 2, 2, 8)),
            "num_classes": 3,
            "score_threshold": 0.2,
            "iou_threshold": 0.5,
        },
        "grid_encode": {"boxes": [BOXES], "classes": [[0]], "grid": 2, "num_classes": 3},
        "grid_output_shape": {"grid": 7, "boxes": 2, "classes": 20},
        "histogram": {"image": IMAGE},
        "hsv_to_rgb": {"hsv": X},
        "image_dataset_from_directory": {"directory": DOCS, "batch_size": 2, "verbose": False},
        "img_to_array": {"img": np.zeros((2, 2, 3)), "data_format": None, "dtype": "float32"},
        "load_img": {"path": picture(), "color_mode": "rgb", "target_size": (2, 2), "interpolation": "nearest"},
        "im2col": {"x": X, "kernel_size": 2, "strides": 1, "padding": "same", "dilation_rate": 1},
        "inception_block": dict.fromkeys(("ones", "reduce_threes", "threes", "reduce_fives", "fives", "pooled"), 2),
        "inception_v3": {"input_shape": (75, 75, 3), "classes": 10, "classifier_activation": None},
        "iou": {"boxes": BOXES, "others": BOXES},
        "kernel_span": {"kernel_size": 3, "dilation": 2},
        "lenet5": {"input_shape": (28, 28, 1), "classes": 10, "classifier_activation": None},
        "lenet5_1998": {},
        "local_response_backward": {"x": X, "dy": X, "depth_radius": 2, "bias": 2.0, "alpha": 1e-4, "beta": 0.75},
        "local_response_forward": {"x": X, "depth_radius": 2, "bias": 2.0, "alpha": 1e-4, "beta": 0.75},
        "max_pooling_backward": {
            "x": X,
            "dy": np.ones((1, 2, 2, 3)),
            "pool_size": 2,
            "strides": None,
            "padding": "same",
        },
        "max_pooling_forward": {"x": X, "pool_size": 2, "strides": 1, "padding": "same"},
        "named_kernel": {"name": "box"},
        "non_max_suppression": {"boxes": BOXES, "scores": [0.5], "classes": [0], "threshold": 0.5},
        "output_size": {"size": 5, "kernel_size": 3, "stride": 1, "padding": "same", "dilation": 1},
        "pixel_table": {"image": IMAGE},
        "residual_block": {"filters": 4, "strides": 1, "bottleneck": True, "project": True},
        "resnet": {"depth": 18, "input_shape": (64, 64, 3), "classes": 10, "classifier_activation": None},
        "rgb_to_gray": {"rgb": X},
        "rgb_to_hsv": {"rgb": X},
        "rgb_to_ycbcr": {"rgb": X},
        "same_padding": {"size": 5, "kernel_size": 3, "stride": 1, "dilation": 1},
        "separate": {"kernel": np.ones((2, 2))},
        "to_float": {"image": IMAGE},
        "to_uint8": {"image": X},
        "vgg16": {"input_shape": (32, 32, 3), "classes": 10, "classifier_activation": None},
        # Winograd.
        "winograd_backward": {"x": X, "kernel": np.ones((3, 3, 3, 2)), "dy": np.ones((1, 4, 4, 2)), "padding": "same"},
        "winograd_forward": {"x": X, "kernel": np.ones((3, 3, 3, 2)), "bias": np.zeros(2), "padding": "same"},
        "winograd_matrices": {"points": [0.0, 1.0, -1.0], "taps": 3},
        "ycbcr_to_rgb": {"ycbcr": X},
        "occlusion": {"model": classifier(), "x": X, "size": 3, "fill_value": 0.0, "classes": None},
        "saliency": {"model": classifier(), "x": X, "classes": None},
    },
    "dlbook.data": {
        "ages_and_salaries": {"n": 5, "noise": 0.1, "seed": 0},
        "apples_and_oranges": {"n": None, "seed": 0},
        "cell_images": {
            **{"n": 2, "size": 32, "cells": 3, "radius": (0.1, 0.2), "light": 0.5, "noise": 0.08, "seed": 0},
        },
        "circles": {"n": 6, "noise": 0.0, "seed": 0},
        "gaussian_ring": {"n": 6, "k": 3, "noise": 0.0, "seed": 0},
        "PyDataset": {"workers": 1},
        "load_digits": {"test_fraction": 0.2, "seed": 0},
        "load_intents": {},
        "logic_gate": {"name": "or"},
        "read_cifar10": {"content": RECORD},
        "read_idx": {"path": "no-existe"},
        "shape_scenes": {"n": 2, "size": 48, "objects": 3, "noise": 0.08, "seed": 0},
        "spanish_number": {"n": 21_021},
        "spirals": {"n": 6, "turns": 1.5, "noise": 0.0, "seed": 0},
        "students": {"n": None, "seed": 0},
    },
    "dlbook.gradcheck": {
        "check_gradients": {
            **{"f": loss, "parameters": {"w": WEIGHTS}, "gradients": {"w": 2 * WEIGHTS}},
            **{"h": 1e-5, "rtol": 1e-6, "atol": 1e-9},
        },
        "numeric_gradient": {"f": lambda theta: float((theta**2).sum()), "theta": np.ones(2), "h": 1e-5},
    },
    "dlbook.plot": {
        "cells": {"values": [[1, -2], [0, 3]], "ax": None, "at": (0, 0), "windows": (), "tint": False, "title": "a"},
        "curves": {"history": {"a": [0.9, 0.5]}, "ax": None, "xlabel": "época", "ylabel": "pérdida", "start": 1},
        "decision_regions": {
            **{"predict": lambda p: p[:, 0] > 0.5, "x": POINTS, "y": SIDES},
            **{"ax": None, "names": ["a", "b"], "resolution": 8},
        },
        "Box": {"lines": ["a"], "color": "C0", "dashed": False, "thick": False},
        "flow": {"boxes": [(["a"], "C0"), (["b"], "C1")], "arrows": [(0, 1)], "rankdir": "TB"},
        "images": {"x": np.zeros((3, 8, 8)), "titles": ["a", "b", "c"], "columns": 2, "signed": False, "size": 0.9},
        "line": {"w": [1, 1], "b": -1.5, "ax": None},
        "network": {
            **{"sizes": [2, 3], "ax": None, "names": [["a", "b"], ["c", "d", "e"]], "weights": None},
            **{"layer_names": ["a", "b"], "limit": 8},
        },
        "neuron": {
            **{"inputs": ["a"], "weights": ["w"], "ax": None, "bias": "b"},
            **{"activation": "f", "output": "y", "total": "s"},
        },
        "paths": {"columns": [["a"], []], "ax": None, "source": "x", "join": "+", "output": "y", "width": 1.0},
        "points": {"x": POINTS, "y": SIDES, "ax": None, "names": ["a", "b"]},
        "table": {"values": [[1, -2], [0, 3]], "rows": ["a", "b"], "columns": None, "decimals": 2},
        "tower": {"rows": [("conv", (8, 8, 16), "C0")], "ax": None},
        "use_style": {},
    },
    "chapters.autoencoder": {
        # Capítulo 4, códigos.
        "autoencoder": {"input_size": 4, "hidden": [3], "latent": 2, "activation": "relu"},
        "compression_rate": {"n": 8, "k": 3},
        "kl_sparsity": {"codes": [[0.3, 0.2], [0.6, 0.1]], "rho": 0.1},
        "reconstruction_error": {"x": [[1.0, 2.0]], "x_hat": [[1.0, 0.0]]},
        "anomaly_threshold": {"scores": [0.1, 0.5, 0.2], "percentile": 90},
        # Capítulo 4, imágenes.
        "convolutional_autoencoder": {
            **{"input_shape": (8, 8, 1), "filters": (2, 3), "code": None, "kernel_size": 3},
            **{"strided": False, "output_activation": "sigmoid", "dtype": None, "seed": 0},
        },
        "NoisyPairs": {"x": X, "corrupt": lambda clean, generator: clean, "batch_size": 1, "shuffle": True, "seed": 0},
        "gaussian_noise": {"x": X, "stddev": 0.1, "seed": 0, "clip": (0, 1)},
        "masking_noise": {"x": X, "rate": 0.1, "seed": 0},
        "optimal_denoiser": {"x": POINTS, "data": POINTS, "sigma": 0.5},
        "psnr": {"a": X, "b": X, "max_val": 1.0},
        "salt_and_pepper_noise": {"x": X, "rate": 0.1, "seed": 0, "low": 0.0, "high": 1.0},
        "ssim": {"a": X, "b": X, "max_val": 1.0, "filter_size": 3, "filter_sigma": 1.5, "k1": 0.01, "k2": 0.03},
        "ssim_map": {"a": X, "b": X, "max_val": 1.0, "filter_size": 3, "filter_sigma": 1.5, "k1": 0.01, "k2": 0.03},
        # Capítulo 4, U-Net.
        "elastic_deformation": {
            **{"images": np.zeros((2, 6, 5, 1)), "masks": np.zeros((2, 6, 5, 1), np.uint8)},
            **{"alpha": 1.0, "sigma": 2.0, "seed": 0},
        },
        "elastic_field": {"shape": (6, 5), "alpha": 1.0, "sigma": 2.0, "seed": 0},
        "unet": {
            **{"input_shape": (8, 8, 1), "filters": (2, 3), "classes": 1, "padding": "same"},
            **{"skips": True, "dropout": 0.0, "classifier_activation": "sigmoid"},
        },
        "unet_shapes": {"size": 572, "levels": 4, "padding": "valid"},
        # Capítulo 4, VAE.
        "elbo": {"encoder": ENCODER, "decoder": DECODER, "x": [[0.0, 1.0, 0.5]], "samples": 2, "seed": 0},
        "gaussian_kl": {"mean": [[1.0, 0.0]], "log_var": [[0.0, 0.5]]},
        "gaussian_kl_backward": {"mean": [[1.0, 0.0]], "log_var": [[0.0, 0.5]], "dy": [1.0]},
        "vae": {
            **{"input_size": 3, "hidden": 4, "latent": 2},
            **{"beta": 1.0, "activation": "relu", "seed": 0, "dtype": "float32"},
        },
        # Capítulo 4, GAN.
        "GAN": {"generator": TINY, "discriminator": JUDGE, "seed": 0},
        "dcgan": {"image_shape": (8, 8, 1), "latent": 2, "filters": 2, "seed": 0},
        "discriminator_loss": {"real": [0.5], "fake": [-0.5]},
        "gan_value": {"p": [0.5, 0.5], "q": [0.2, 0.8], "d": [0.4, 0.6]},
        "generator_loss": {"fake": [0.5], "saturating": False},
        "mode_coverage": {"x": POINTS, "centers": POINTS, "radius": 0.5},
        "optimal_discriminator": {"p": [0.5, 0.5], "q": [0.2, 0.8]},
        # Capítulo 4, difusión.
        "cosine_schedule": {"steps": 4, "offset": 0.008, "most": 0.999},
        "diffuse": {"x": PAIR, "t": [1, 2], "alpha_bar": KEPT, "noise": PAIR},
        "implicit_step": {"x": PAIR, "t": 2, "to": 1, "predicted": PAIR, "alpha_bar": KEPT},
        "linear_schedule": {"steps": 4, "first": 1e-4, "last": 0.02},
        "posterior": {"x": PAIR, "start": PAIR, "t": 2, "alpha_bar": KEPT},
        "reverse_step": {"x": PAIR, "t": 2, "predicted": PAIR, "alpha_bar": KEPT, "noise": PAIR},
        "sample": {"predict": lambda x, t: x, "x": PAIR, "alpha_bar": KEPT, "seed": 0},
    },
    "chapters.rnn": {
        # Capítulo 5, texto.
        "BytePairEncoding": {"vocab_size": 300, "min_frequency": 2, "merges": [("a", "b")]},
        "index_words": {"counts": {"a": 2}, "first": ["b"]},
        "inverse_document_frequency": {"documents": [1, 2], "total": 3},
        "learn_merges": {"words": {"ab": 2}, "tokens": 1, "min_frequency": 0},
        "NGram": {"order": 2},
        "normalize_text": {"text": "año", "form": "NFC", "casefold": True, "strip_accents": True, "keep": "ñ"},
        "TextVectorization": {
            **{"max_tokens": 9, "standardize": "lower", "split": "whitespace", "ngrams": 2, "output_mode": "int"},
            **{"output_sequence_length": 3, "pad_to_max_tokens": False, "vocabulary": ["a"], "idf_weights": None},
        },
        "Tokenizer": {
            **{"num_words": 5, "filters": ".", "lower": True, "split": " ", "char_level": False, "oov_token": "?"},
        },
        "witten_bell": {"counts": [1.0, 0.0], "shorter": [0.5, 0.5]},
        # Capítulo 5, palabras.
        "Word2Vec": {"vector_size": 4, "window": 2, "min_count": 1, "epochs": 1, "seed": 0},
        "keep_probability": {"counts": [3, 1], "sample": 0.01},
        "noise_distribution": {"counts": [3, 1], "power": 0.75},
        "sgns_loss": {"center": PAIR, "context": PAIR, "negatives": [PAIR, PAIR]},
        "sgns_loss_backward": {"center": PAIR, "context": PAIR, "negatives": [PAIR, PAIR], "dy": [1.0, 0.5]},
        "skipgrams": {"sequence": [1, 2, 0, 3], "vocabulary_size": 4, "window_size": 1, "seed": 0},
        # Capítulo 5, máscaras.
        "embedding_backward": {"tokens": [[1, 0]], "table": [[1.0, 2.0], [3.0, 4.0]], "dy": [[[0.0, 1.0]] * 2]},
        "embedding_forward": {"tokens": [[1, 0]], "table": [[1.0, 2.0], [3.0, 4.0]]},
        # Capítulo 5, recurrencia.
        "jacobian_spectrum": {"recurrent_kernel": [[0.5]], "y": [[0.7], [0.3]]},
        "simple_rnn_backward": {
            **{"x": [[[1.0], [0.5]]], "kernel": [[1.0]], "recurrent_kernel": [[0.5]], "initial_state": [[0.0]]},
            **{"y": [[[0.8], [0.2]]], "dy": [[[0.0], [1.0]]]},
        },
        "simple_rnn_forward": {
            **{"x": [[[1.0], [0.5]]], "kernel": [[1.0]], "recurrent_kernel": [[0.5]], "bias": [0.0]},
            "initial_state": [[0.0]],
        },
        # Capítulo 5, compuertas.
        "gru_backward": {
            **{"x": [[[1.0]]], "kernel": [[1.0, 0.0, 0.5]], "recurrent_kernel": [[0.0, 0.0, 1.0]]},
            **{"initial_state": [[0.8]], "h": [[[0.7]]], "gates": [[[0.7, 0.5, 0.7]]], "inner": [[[0.8]]]},
            "dy": [[[1.0]]],
        },
        "gru_forward": {
            **{"x": [[[1.0]]], "kernel": [[1.0, 0.0, 0.5]], "recurrent_kernel": [[0.0, 0.0, 1.0]]},
            **{"bias": [[0.0] * 3] * 2, "initial_state": [[0.8]], "mask": [[True]]},
        },
        "lstm_backward": {
            **{"x": [[[1.0]]], "kernel": [[0.5, 1.0, 0.5, 0.0]], "recurrent_kernel": [[2.0, 2.0, -2.0, 2.0]]},
            **{"initial_state": [[[0.0]], [[0.8]]], "h": [[[0.3]]], "c": [[[0.8]]], "gates": [[[0.6, 0.7, 0.4, 0.5]]]},
            **{"dy": [[[1.0]]], "dc": [[0.5]]},
        },
        "lstm_forward": {
            **{"x": [[[1.0]]], "kernel": [[0.5, 1.0, 0.5, 0.0]], "recurrent_kernel": [[2.0, 2.0, -2.0, 2.0]]},
            **{"bias": [0.0] * 4, "initial_state": [[[0.0]], [[0.8]]], "mask": [[True]]},
        },
        # Capítulo 5, escribir.
        "Alphabet": {"text": "abc"},
        "bits_per_character": {"model": READER, "ids": [0, 2, 1]},
        "adding_problem": {"n": 3, "length": 5, "seed": 0},
        "delayed_copy": {"n": 3, "delay": 5, "symbols": 4, "seed": 0},
        "sample_logits": {"logits": [[0.0, 1.0]], "temperature": 1.0, "top_k": 1, "seed": 0},
        "shifted_windows": {"ids": [0, 1, 2, 1, 0, 2], "length": 2, "streams": 2},
        "temper": {"logits": [[0.0, 1.0]], "temperature": 1.0},
        "top_k": {"logits": [[0.0, 1.0]], "k": 1},
        "write": {
            **{"model": READER, "alphabet": Alphabet("abc"), "prompt": "a", "length": 2},
            **{"temperature": 1.0, "top_k": 1, "seed": 0},
        },
        # Capítulo 5, programas.
        "Autoregression": {"order": 2},
        "encoder_decoder": {
            **{"source_tokens": 4, "target_tokens": 5, "units": 3, "seed": 0, "dtype": "float32"},
        },
        "greedy_decode": {
            **dict(zip(("encoder", "decoder"), rnn.encoder_decoder(4, 5, 3, seed=0)[1:], strict=True)),
            **{"source": [[1, 2, 3], [2, 1, 0]], "start": 1, "end": 2, "max_length": 4},
        },
        "mase": {"y_true": [14.0, 15.0], "y_pred": [13.0, 15.0], "y_train": [10.0, 12.0, 11.0], "period": 1},
        "seasonal_naive": {"series": [1.0, 5.0, 9.0], "steps": 2, "period": 3},
        "timeseries_dataset_from_array": {
            **{"data": np.arange(12), "targets": np.arange(12), "sequence_length": 3, "sequence_stride": 1},
            **{"sampling_rate": 1, "batch_size": 4, "shuffle": True, "seed": 0, "start_index": 1, "end_index": 11},
            "format": "tf",
        },
    },
    "chapters.attention": {
        # Capítulo 6, núcleo.
        "causal_mask": {"steps": 3, "sources": 2},
        "scaled_dot_product_attention": {
            **{"query": [[1.0, 0.0]], "key": [[1.0, 0.0], [0.0, 1.0]], "value": [[1.0], [2.0]]},
            **{"mask": [[True, False]]},
        },
        "scaled_dot_product_attention_backward": {
            **{"query": [[1.0, 0.0]], "key": [[1.0, 0.0], [0.0, 1.0]], "value": [[1.0], [2.0]]},
            **{"weights": [[0.6, 0.4]], "dy": [[1.0]]},
        },
        # Capítulo 6, bloques.
        "layer_norm_backward": {"x": [[1.0, 2.0]], "gamma": [1.0, 1.0], "dy": [[1.0, 0.0]], "epsilon": 0.01},
        "layer_norm_forward": {"x": [[1.0, 2.0]], "gamma": [1.0, 1.0], "beta": [0.0, 0.0], "epsilon": 0.01},
        "rms_norm_backward": {"x": [[1.0, 2.0]], "scale": [1.0, 1.0], "root": [1.5], "dy": [[1.0, 0.0]]},
        "rms_norm_forward": {"x": [[1.0, 2.0]], "scale": [1.0, 1.0], "epsilon": 0.01},
        # Capítulo 6, búsqueda.
        "additive_scores": {"query": PAIR, "key": PAIR, "scale": [1.0, 0.5]},
        "additive_scores_backward": {"query": PAIR, "key": PAIR, "scale": [1.0, 0.5], "dy": PAIR},
        "attend": {"scores": PAIR, "value": PAIR, "mask": [[True, False], [True, True]]},
        "attend_backward": {"weights": [[0.2, 0.8], [1.0, 0.0]], "value": PAIR, "dy": PAIR},
        "bahdanau_translator": {
            **{"source_tokens": 4, "target_tokens": 5, "units": 3, "seed": 0, "dtype": "float32"},
        },
        "cosine": {"queries": PAIR, "keys": PAIR},
        "nadaraya_watson": {"x_train": [0.0, 1.0], "y_train": [1.0, 3.0], "x": [0.5], "bandwidth": 0.5},
        "reread_decode": {
            **{"model": attention.bahdanau_translator(4, 5, 3, seed=0), "source": [[1, 2], [3, 0]]},
            **{"start": 1, "end": 2, "max_length": 2},
        },
        "soft_lookup": {"query": PAIR, "keys": PAIR, "values": PAIR, "score": "cosine", "temperature": 0.5},
        # Capítulo 6, posiciones.
        "rotate": {"x": PAIR, "positions": [0, 1], "max_wavelength": 100, "scaling_factor": 2.0},
        "rotate_backward": {"positions": [0, 1], "dy": PAIR, "max_wavelength": 100, "scaling_factor": 2.0},
        "sine_positions": {"positions": [0, 1], "width": 4, "max_wavelength": 100},
        # Capítulo 6, GPT.
        "CachedGPT": {"model": GPT},
        "beam_search": {
            **{"step": lambda written: np.zeros((len(written), 3)), "prompt": [1], "end": 0, "width": 2},
            **{"max_length": 3, "length_penalty": 0.5},
        },
        "cached_attention": {
            **{"query": PAIR, "key": PAIR, "value": PAIR, "keys": np.zeros((3, 2, 2)), "values": np.zeros((3, 2, 2))},
            "t": 1,
        },
        "generate": {
            **{"model": GPT, "prompt": [0, 1], "length": 3, "temperature": 1.0, "top_k": 2, "top_p": 0.9, "seed": 0},
        },
        "gpt": {
            **{"vocabulary": 3, "length": 4, "width": 4, "heads": 2, "blocks": 1, "dropout": 0.5, "tied": True},
            **{"seed": 0, "dtype": "float32"},
        },
        "gpt2_names": {"vocabulary": 3, "length": 4, "width": 4, "blocks": 1},
        "load_gpt2": {"path": gpt2_file(), "heads": 2},
        "nucleus": {"logits": [[0.0, 1.0]], "p": 0.5},
        "split_heads": {
            **{"qkv": np.ones((2, 6)), "qkv_bias": np.ones(6), "output": np.ones((2, 2)), "output_bias": np.ones(2)},
            "heads": 2,
        },
        # Capítulo 6, traducir.
        "transformer_translator": {"tokens": 5, "width": 4, "heads": 2, "blocks": 1, "intermediate": 4, "seed": 0},
        "translate": {
            **dict(
                zip(("encoder", "decoder"), attention.transformer_translator(5, 4, 2, 1, 4, seed=0)[1:], strict=True)
            ),
            **{"source": [[3, 4, 0]], "start": 1, "end": 2, "max_length": 3},
        },
        "bleu": {"translations": ["a b c", "a"], "references": [["a b c", "b c"], ["a b"]], "longest": 2},
        "tied_logits": {"x": [[1.0, 2.0]], "table": [[0.0, 1.0], [1.0, 1.0], [2.0, 0.5]]},
        "tied_logits_backward": {
            "x": [[1.0, 2.0]],
            "table": [[0.0, 1.0], [1.0, 1.0], [2.0, 0.5]],
            "dy": [[0.5, 0.0, -1.0]],
        },
        # Capítulo 6, BERT y ViT.
        "bert": {
            **{"vocabulary": 6, "length": 5, "width": 4, "heads": 2, "blocks": 1},
            **{"dropout": 0.1, "seed": 0, "dtype": "float32"},
        },
        "vit": {
            **{"input_shape": (4, 4, 1), "classes": 3, "patch_size": 2, "width": 4, "heads": 2, "blocks": 1},
            **{"intermediate": 8, "dropout": 0.1, "seed": 0, "dtype": "float32"},
        },
        "mask_words": {
            **{"ids": [[2, 3, 1], [3, 2, 0]], "vocabulary": 5, "mask": 1, "first": 2, "rate": 0.5, "seed": 0},
        },
        "patches": {"images": np.arange(32.0).reshape(1, 4, 4, 2), "size": 2},
        # Capítulo 6, costo.
        "layer_costs": {"length": 4, "width": 3, "kernel_size": 3},
        "online_softmax": {"scores": NEAR, "value": NEAR, "block": 2},
        "tiled_attention_backward": {
            **{"query": NEAR, "key": NEAR, "value": NEAR, "z": NEAR, "logsumexp": [1.0, 2.0], "dy": NEAR},
            **{"block": 2, "causal": True},
        },
        "tiled_attention_forward": {"query": NEAR, "key": NEAR, "value": NEAR, "block": 2, "causal": True},
    },
}
ELSEWHERE = {
    # Traen archivos de la red o de un disco: los prueban los suyos.
    *("load_cifar10", "load_fashion_mnist", "load_isbi2012", "load_mnist", "load_model", "save_img", "save_model"),
    *("load_co2", "load_quijote", "load_sunspots", "load_tinyshakespeare", "small_text"),
    "load_spanish_english",
    # No comprueba nada: la llaman las capas, con lo que ya comprobaron.
    "value_of",
    # Son lo que se devuelve, no lo que se llama.
    *("GradientReport", "ParameterReport", "Symbol"),
}
SLOW = {"alexnet", "googlenet", "inception_v3", "resnet", "vgg16"}


def public(module):
    """Las funciones de un módulo, salvo las que solo se leen, y las clases que no se registran."""
    module = importlib.import_module(module)
    own = [n for n, v in list(vars(module).items()) if getattr(v, "__module__", "") == module.__name__ and n[0] != "_"]
    values = {name: getattr(module, name) for name in getattr(module, "__all__", own)}
    return {
        name
        for name, value in values.items()
        if (inspect.isfunction(value) and not name.startswith(PLAIN))
        or (inspect.isclass(value) and not issubclass(value, Configured))
    }


def test_no_module_is_missing_here():
    chapters = [
        f"chapters.{module.name}" for module in pkgutil.iter_modules(importlib.import_module("chapters").__path__)
    ]
    # Allí no se define nada: es lo de los demás, con la forma de Keras.
    missing = {name for name in chapters if public(name)} - set(EXAMPLES) - {"chapters.keras"}
    assert not missing, f"{', '.join(missing)} no está en EXAMPLES, en tests/contract/test_hostile.py"


@pytest.mark.parametrize("module", EXAMPLES)
def test_nothing_is_missing_here(module):
    missing = public(module) - set(EXAMPLES[module]) - ELSEWHERE
    assert not missing, f"{', '.join(missing)} no está en EXAMPLES, en tests/contract/test_hostile.py"
    assert set(EXAMPLES[module]) <= set(vars(importlib.import_module(module)))


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in EXAMPLES for name in EXAMPLES[module]])
def test_functions(module, name):
    function, good = getattr(importlib.import_module(module), name), EXAMPLES[module][name]
    call = outline(function) if name in SLOW else function
    if name != "read_idx":
        call(**good)
    parameters = inspect.signature(function).parameters.values()
    names = [p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    for argument in names:
        for what, value in WRONG.items():
            attempt(f"{name}({argument}={what})", lambda a=argument, v=value: call(**good | {a: v}))


LAYERS = list({case.name: case for case in cases.listed("layer")}.values())


@cases.over(LAYERS)
def test_a_layer_with_a_strange_argument_works_or_says_why_not(case):
    for argument in case.arguments:
        if argument in ("branches", "main", "shortcut", "layers"):
            continue
        for what, value in WRONG.items():
            where = f"{case.name}({argument}={what})"
            made, _ = attempt(where, lambda a=argument, v=value: case.fed(**{a: v}))
            if made is not None:
                y, _ = attempt(f"{where}.forward", lambda m=made: m.forward(np.ones((2, *case.shape))))
                if y is not None:
                    attempt(f"{where}.backward", lambda m=made, y=y: m.backward(np.ones_like(y)))


@cases.over(LAYERS)
def test_the_methods_of_a_layer(case):
    ready = case.fed()
    y = ready.forward(np.ones((2, *case.shape)))
    for what, value in WRONG.items():
        attempt(f"{case.name}.compute_output_shape({what})", lambda v=value: case.fed().compute_output_shape(v))
        attempt(f"{case.name}.build({what})", lambda v=value: case.fed().build(v))
        attempt(f"{case.name}.forward({what})", lambda v=value: case.fed().forward(v))
        attempt(f"{case.name}.backward({what})", lambda v=value: ready.backward(v))
    assert np.isfinite(y).all()


@cases.every("loss")
def test_the_methods_of_a_loss(case):
    loss = case.make()
    y_true, y_pred, weight = cases.example(case, cases.shapes(case)[0])
    for what, value in WRONG.items():
        for method in ("__call__", "gradient"):
            for k in range(3):
                given = [y_true, y_pred, weight]
                given[k] = value
                attempt(f"{case.name}.{method}, {k}: {what}", lambda m=method, g=given: getattr(loss, m)(*g))
