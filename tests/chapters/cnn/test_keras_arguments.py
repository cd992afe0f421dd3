"""Los argumentos de Keras 3: los mismos nombres en el mismo orden, y lo que aquí no existe, dicho con una frase."""

import inspect

import numpy as np
import pytest

from chapters import cnn

CONVOLUTION = "filters kernel_size strides padding data_format dilation_rate groups activation use_bias"
BOTH = "kernel_initializer bias_initializer kernel_regularizer bias_regularizer"
ORDER = {
    "AveragePooling2D": "pool_size strides padding data_format",
    "BatchNormalization": "axis momentum epsilon center scale beta_initializer gamma_initializer "
    "moving_mean_initializer moving_variance_initializer beta_regularizer gamma_regularizer beta_constraint "
    "gamma_constraint",
    "Conv1D": f"{CONVOLUTION} {BOTH}",
    "Conv2D": f"{CONVOLUTION} {BOTH}",
    "Conv2DTranspose": "filters kernel_size strides padding output_padding data_format dilation_rate activation "
    f"use_bias {BOTH}",
    "DepthwiseConv2D": "kernel_size strides padding depth_multiplier data_format dilation_rate activation use_bias "
    "depthwise_initializer bias_initializer depthwise_regularizer bias_regularizer",
    "GlobalAveragePooling2D": "data_format keepdims",
    "GlobalMaxPooling2D": "data_format keepdims",
    "MaxPooling2D": "pool_size strides padding data_format",
    "RandomFlip": "mode seed data_format",
    "RandomRotation": "factor fill_mode interpolation seed fill_value data_format",
    "RandomTranslation": "height_factor width_factor fill_mode interpolation seed fill_value data_format",
    "UpSampling2D": "size data_format interpolation",
    "ZeroPadding2D": "padding data_format",
}
NEEDED = {
    "Conv1D": (2, 3),
    "Conv2D": (2, 3),
    "Conv2DTranspose": (2, 3),
    "DepthwiseConv2D": (3,),
    "RandomRotation": (0.1,),
    "RandomTranslation": (0.1, 0.1),
}
WITH_FORMAT = [name for name, arguments in ORDER.items() if "data_format" in arguments.split()]
WITH_PADDING = ["AveragePooling2D", "Conv1D", "Conv2D", "Conv2DTranspose", "DepthwiseConv2D", "MaxPooling2D"]


@pytest.mark.parametrize("name", ORDER)
def test_the_arguments_are_in_the_order_of_keras(name):
    parameters = inspect.signature(getattr(cnn, name)).parameters.values()
    # Lo que solo se da con nombre no tiene lugar.
    assert [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD] == ORDER[name].split()


@pytest.mark.parametrize("name", ORDER)
def test_the_order_here_is_that_of_the_keras_installed_here(name):
    keras = pytest.importorskip("keras")
    theirs = [p for p in inspect.signature(getattr(keras.layers, name)).parameters if p not in ("kwargs", "name")]
    assert theirs[: len(ORDER[name].split())] == ORDER[name].split()


@pytest.mark.parametrize("name", WITH_FORMAT)
def test_channels_go_last(name):
    cls, needed = getattr(cnn, name), NEEDED.get(name, ())
    for accepted in (None, "channels_last"):
        assert cls(*needed, data_format=accepted).data_format == "channels_last"
    with pytest.raises(ValueError, match=r"data_format: se esperaba 'channels_last'.*llegó 'channels_first'"):
        cls(*needed, data_format="channels_first")


@pytest.mark.parametrize("name", WITH_PADDING)
def test_padding_in_capitals(name):
    cls, needed = getattr(cnn, name), NEEDED.get(name, ())
    for written in ("SAME", "Valid"):
        assert cls(*needed, padding=written).padding == written.lower()


def test_padding_in_capitals_of_the_functions():
    x, kernel = np.ones((1, 5, 5, 2)), np.ones((3, 3, 2, 2))
    assert cnn.conv2d_forward(x, kernel, padding="SAME").shape == (1, 5, 5, 2)
    assert cnn.depthwise_conv2d_forward(x, kernel, padding="SAME").shape == (1, 5, 5, 4)
    assert cnn.conv2d_transpose_forward(x, kernel, padding="SAME").shape == (1, 5, 5, 2)
    assert cnn.max_pooling_forward(x, padding="SAME").shape == (1, 3, 3, 2)
    assert len(cnn.im2col(x, 3, padding="SAME")) == 25
    assert cnn.output_size(5, 3, padding="SAME") == 5
    assert cnn.correlate2d(x[0, :, :, 0], kernel[:, :, 0, 0], padding="SAME").shape == (5, 5)


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda **o: cnn.BatchNormalization(**o), "renorm_clipping"),
    ],
)
def test_what_does_not_exist_here_is_taken_only_if_it_asks_for_nothing(make, argument):
    make(**{argument: None})
    with pytest.raises(ValueError, match=f"{argument}: esta opción de Keras no existe aquí"):
        make(**{argument: "l2"})
