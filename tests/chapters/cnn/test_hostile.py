"""Quien llama mal a una función o a una capa del capítulo recibe una frase, y no un tropiezo de por dentro."""

import inspect
import re
import warnings

import numpy as np
import pytest

from chapters import cnn
from chapters.mlp import Dense, Input, Sequential
from chapters.mlp.layer import Layer, shapes_only

WRONG = {
    "nada": None,
    "texto": "x",
    "bytes": b"x",
    "lista vacía": [],
    "diccionario": {},
    "filas desiguales": [[1], [1, 2]],
    "tres números": (1, 2, 3),
    "objetos": np.array([1, "a", None], object),
    "sin elementos": np.empty((0, 3)),
    "enorme": 2**62,
    "más enorme": 10**30,
    "negativo": -(2**63),
    "de ocho bits": np.int8(3),
    "forma de ocho bits": tuple(np.array([120, 120, 3], np.int8)),
    "forma enorme": (2**40, 2**40, 3),
    "forma negativa": (-1, 4, 3),
    "complejo": 1j,
    "complejos": np.full((1, 4, 4, 3), 1j),
    "nan": float("nan"),
    "infinitos": np.full((1, 4, 4, 3), np.inf),
    "conjunto": {1, 2},
    "función": len,
    "clase": int,
    "objeto": object(),
    "fecha": np.datetime64("2020-01-01"),
    "cierto": True,
    "un número": 0.5,
    "ceros": np.zeros((1, 4, 4, 3)),
}
# Lo que dice un error pensado, y no uno que se escapó.
SPANISH = re.compile(r"esperab|llegó|llegaron|harían falta|no existe|no se conoce|aún no|ya está|repetid|no caben")
X = np.linspace(0, 1, 48).reshape(1, 4, 4, 3)
IMAGE = np.arange(16).reshape(4, 4)
BOXES, KERNEL = [[0.1, 0.1, 0.4, 0.5]], np.ones((2, 2, 3, 2))


def outline(maker):
    # Sin pesos: de una red enorme solo interesa si se deja armar.
    def make(**arguments):
        with shapes_only():
            return maker(**arguments)

    return make


# Cada función, con unos argumentos que sirven.
FUNCTIONS = {
    "affine_transform": {"images": X, "transform": np.eye(2, 3), "fill_mode": "constant", "fill_value": 0.0},
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
    "conv_bn": {"filters": 3, "kernel_size": 3, "strides": 1, "padding": "same", "activation": "relu", "scale": True},
    "convolve2d": {"image": IMAGE, "kernel": np.ones((2, 2)), "stride": 1, "padding": 0, "dilation": 1},
    "correlate2d": {"image": IMAGE, "kernel": np.ones((2, 2)), "stride": 1, "padding": "same", "dilation": 1},
    "depthwise_conv2d_backward": {"x": X, "kernel": np.ones((2, 2, 3, 1)), "dy": np.ones((1, 3, 3, 3))},
    "depthwise_conv2d_forward": {"x": X, "kernel": np.ones((2, 2, 3, 1)), "padding": "same", "dilation_rate": 1},
    "digit_bitmaps": {},
    "draw_architecture": {"model": Sequential([Input((4,)), Dense(2)]), "ax": None},
    "equalize": {"image": IMAGE},
    "googlenet": {"input_shape": (64, 64, 3), "classes": 10, "classifier_activation": None},
    "grid_decode": {"y_pred": np.zeros((1, 2, 2, 8)), "num_classes": 3, "score_threshold": 0.2, "iou_threshold": 0.5},
    "grid_encode": {"boxes": [BOXES], "classes": [[0]], "grid": 2, "num_classes": 3},
    "grid_output_shape": {"grid": 7, "boxes": 2, "classes": 20},
    "histogram": {"image": IMAGE},
    "hsv_to_rgb": {"hsv": X},
    "im2col": {"x": X, "kernel_size": 2, "strides": 1, "padding": "same", "dilation_rate": 1},
    "inception_block": dict.fromkeys(("ones", "reduce_threes", "threes", "reduce_fives", "fives", "pooled"), 2),
    "inception_v3": {"input_shape": (75, 75, 3), "classes": 10, "classifier_activation": None},
    "iou": {"boxes": BOXES, "others": BOXES},
    "kernel_span": {"kernel_size": 3, "dilation": 2},
    "lenet5": {"input_shape": (28, 28, 1), "classes": 10, "classifier_activation": None},
    "lenet5_1998": {},
    "local_response_backward": {"x": X, "dy": X, "depth_radius": 2, "bias": 2.0, "alpha": 1e-4, "beta": 0.75},
    "local_response_forward": {"x": X, "depth_radius": 2, "bias": 2.0, "alpha": 1e-4, "beta": 0.75},
    "max_pooling_backward": {"x": X, "dy": np.ones((1, 2, 2, 3)), "pool_size": 2, "strides": None, "padding": "same"},
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
    "ycbcr_to_rgb": {"ycbcr": X},
}
# Cada clase, con los argumentos que no tienen valor de costumbre.
CLASSES = {
    "AveragePooling2D": {},
    "BatchNormalization": {},
    "Branches": {"branches": [cnn.Conv2D(1, 1)]},
    "Conv1D": {"filters": 2, "kernel_size": 2},
    "Conv2D": {"filters": 2, "kernel_size": 2},
    "Conv2DTranspose": {"filters": 2, "kernel_size": 2},
    "DepthwiseConv2D": {"kernel_size": 2},
    "GlobalAveragePooling2D": {},
    "GlobalMaxPooling2D": {},
    "GridDetectionLoss": {},
    "LocalResponseNormalization": {},
    "MaxPooling2D": {},
    "MinPooling2D": {},
    "PartialConv2D": {"table": [(0,)], "kernel_size": 2},
    "RadialBasis": {"prototypes": [[1.0, 2.0, 3.0]]},
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.1},
    "RandomTranslation": {"height_factor": 0.1, "width_factor": 0.1},
    "Residual": {"main": cnn.Conv2D(3, 1)},
    "ScaledTanh": {},
    "Subsampling2D": {},
    "UpSampling2D": {},
    "ZeroPadding2D": {},
}
# Tienen sus propias pruebas de lo mismo.
ELSEWHERE = {"SparseTopKCategoricalAccuracy", "occlusion", "saliency"}
SLOW = {"alexnet", "googlenet", "inception_v3", "resnet", "vgg16"}


def attempt(where, call):
    """Un error con su frase, o un resultado; nada más."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()
    except (TypeError, ValueError) as error:
        if not SPANISH.search(str(error)):
            raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    except Exception as error:
        raise AssertionError(f"{where}: {type(error).__name__}: {error}") from error
    return None


def test_nothing_is_missing_here():
    assert set(FUNCTIONS) | set(CLASSES) | ELSEWHERE == set(cnn.__all__)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    function = getattr(cnn, name)
    call = outline(function) if name in SLOW else function
    assert call(**FUNCTIONS[name]) is not None
    for argument in inspect.signature(function).parameters:
        if argument == "options":
            continue
        for what, value in WRONG.items():
            attempt(f"{name}({argument}={what})", lambda a=argument, v=value: call(**FUNCTIONS[name] | {a: v}))


def input_shape(cls):
    return {"Conv1D": (4, 3), "RadialBasis": (3,)}.get(cls.__name__, (4, 4, 3))


@pytest.mark.parametrize("name", CLASSES)
def test_arguments_of_classes(name):
    cls = getattr(cnn, name)
    for argument in inspect.signature(cls).parameters:
        # Las de la clase base se prueban con ella.
        if argument in ("options", "seed", "branches", "main") and name != "Branches":
            continue
        for what, value in WRONG.items():
            where = f"{name}({argument}={what})"
            made = attempt(where, lambda a=argument, v=value: cls(**CLASSES[name] | {a: v}))
            if isinstance(made, Layer) and name not in ("Branches", "Residual"):
                shape = input_shape(cls)
                y = attempt(f"{where}.forward", lambda m=made, s=shape: m.forward(np.ones((2, *s))))
                if y is not None:
                    attempt(f"{where}.backward", lambda m=made, y=y: m.backward(np.ones_like(y)))


@pytest.mark.parametrize("name", [name for name in CLASSES if name not in ("ScaledTanh", "GridDetectionLoss")])
def test_methods_of_layers(name):
    cls = getattr(cnn, name)

    def fresh():
        arguments = dict(CLASSES[name])
        if name == "Branches":
            arguments["branches"] = [cnn.Conv2D(1, 1), [cnn.MaxPooling2D(1), cnn.Conv2D(2, 1)]]
        if name == "Residual":
            arguments["main"] = [cnn.Conv2D(3, 1)]
        return cls(**arguments)

    shape = input_shape(cls)
    ready = fresh()
    y = ready.forward(np.ones((2, *shape)))
    for what, value in WRONG.items():
        attempt(f"{name}.compute_output_shape({what})", lambda v=value: fresh().compute_output_shape(v))
        attempt(f"{name}.build({what})", lambda v=value: fresh().build(v))
        attempt(f"{name}.forward({what})", lambda v=value: fresh().forward(v))
        attempt(f"{name}.backward({what})", lambda v=value: ready.backward(v))
    assert np.isfinite(y).all()


@pytest.mark.parametrize("what", WRONG)
def test_the_loss_of_the_grid(what):
    loss, right, value = cnn.GridDetectionLoss(1), np.zeros((1, 2, 2, 8)), WRONG[what]
    attempt(f"loss(y_true={what})", lambda: loss(value, right))
    attempt(f"loss(y_pred={what})", lambda: loss(right, value))
    attempt(f"loss.gradient(y_true={what})", lambda: loss.gradient(value, right))
