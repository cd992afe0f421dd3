"""El puente con Keras para las capas de imágenes, en los dos sentidos, y las capas congeladas."""

import os

import numpy as np
import pytest

from chapters.cnn.blocks.residual import Residual
from chapters.cnn.convolution.conv1d import Conv1D
from chapters.cnn.convolution.conv2d import Conv2D
from chapters.cnn.convolution.conv2d_transpose import Conv2DTranspose
from chapters.cnn.convolution.depthwise import DepthwiseConv2D
from chapters.cnn.convolution.zero_padding import ZeroPadding2D
from chapters.cnn.normalization.batch_normalization import BatchNormalization
from chapters.cnn.normalization.local_response import LocalResponseNormalization
from chapters.cnn.pooling.average_pooling import AveragePooling2D
from chapters.cnn.pooling.global_pooling import GlobalAveragePooling2D, GlobalMaxPooling2D
from chapters.cnn.pooling.max_pooling import MaxPooling2D
from chapters.cnn.pooling.min_pooling import MinPooling2D
from chapters.cnn.pooling.upsampling import UpSampling2D
from chapters.mlp import initializers, regularizers
from chapters.mlp.activation import Activation
from chapters.mlp.dense import Dense
from chapters.mlp.flatten import Flatten
from chapters.mlp.reshape import Reshape
from chapters.mlp.sequential import Input, Sequential
from dlbook.bridge import from_keras, to_keras
from dlbook.saving import objects
from dlbook.training import walk

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return pytest.importorskip("keras")


def image_network(dtype="float64"):
    model = Sequential(
        [
            Input(shape=(12, 10, 3)),
            ZeroPadding2D(((1, 0), (2, 1))),
            Conv2D(6, (3, 2), strides=(2, 1), padding="same", kernel_initializer=initializers.HeNormal(seed=1)),
            BatchNormalization(momentum=0.9, gamma_regularizer=regularizers.L2(0.1)),
            Activation("relu"),
            MaxPooling2D(2, 1, "same"),
            Conv2D(6, 3, padding="same", dilation_rate=2, groups=3, use_bias=False, activation="tanh"),
            DepthwiseConv2D(3, depth_multiplier=2, depthwise_regularizer="l2"),
            BatchNormalization(axis=1, center=False, epsilon=0.01, moving_mean_initializer="ones"),
            BatchNormalization(scale=False, trainable=False),
            AveragePooling2D((2, 3), strides=(1, 2), padding="same"),
            Conv2DTranspose(4, 3, strides=2, padding="same", activation="elu"),
            UpSampling2D((1, 2)),
            Sequential([Conv2D(5, 1, trainable=False), Activation("softplus")], name="interior"),
            MaxPooling2D((2, 2)),
            Flatten(),
            Dense(12),
            Reshape((6, 2)),
            Conv1D(3, 3, strides=2, padding="same"),
            Flatten(name="otra"),
            Dense(4),
        ],
        dtype=dtype,
        seed=1,
        name="imagenes",
    )
    model.set_weights([0.5 + RNG.random(size=w.shape) / 2 for w in model.get_weights()])
    return model


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-8), ("float32", 1e-3)])
def test_round_trip_with_the_layers_of_images(keras, dtype, tolerance):
    model = image_network(dtype)
    theirs = to_keras(model)
    x = RNG.normal(size=(3, 12, 10, 3)).astype(dtype)
    y = model.forward(x)
    theirs_y = keras.ops.convert_to_numpy(theirs(x))
    np.testing.assert_allclose(theirs_y / np.abs(y).max(), y / np.abs(y).max(), rtol=0, atol=tolerance)
    assert theirs.count_params() == model.count_params()
    assert sum(int(np.prod(w.shape)) for w in theirs.trainable_weights) == model.theta.size
    back = from_keras(theirs)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), back.get_weights(), strict=True))
    np.testing.assert_array_equal(back.forward(x), y)
    assert objects.describe(back) == objects.describe(model)
    assert [layer.trainable for layer in walk(back)] == [layer.trainable for layer in walk(model)]


@pytest.mark.parametrize("layer", [GlobalAveragePooling2D(), GlobalMaxPooling2D(keepdims=True)], ids=lambda x: x.name)
def test_global_poolings(keras, layer):
    model = Sequential([Input((4, 5, 2)), Conv2D(3, 1), layer], seed=0)
    x = RNG.normal(size=(2, 4, 5, 2)).astype("float32")
    np.testing.assert_allclose(keras.ops.convert_to_numpy(to_keras(model)(x)), model.forward(x), atol=1e-5)
    assert objects.describe(from_keras(to_keras(model))) == objects.describe(model)


def test_frozen_networks_cross_in_both_directions(keras):
    layers = keras.layers
    theirs = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(3, [3, 3], kernel_initializer="he_uniform", trainable=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPool2D(pool_size=[2, 2]),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    theirs.layers[1].trainable = False
    ours = from_keras(theirs)
    assert [layer.trainable for layer in ours.layers] == [False, False, True, True, True, True]
    assert ours.theta.size == 2 * 2 * 3 * 2 + 2
    x = RNG.normal(size=(4, 6, 6, 1)).astype("float32")
    for training in (False, True):
        expected = keras.ops.convert_to_numpy(theirs(x, training=training))
        np.testing.assert_allclose(ours.forward(x, training), expected, atol=1e-5)
    back = to_keras(ours)
    assert [layer.trainable for layer in back.layers] == [False, False, True, True, True, True]
    ours.trainable = False
    assert not to_keras(ours).trainable


def test_both_normalize_alike_while_they_train(keras):
    layers = [Conv2D(4, 3, use_bias=False), BatchNormalization(momentum=0.7), Activation("relu"), Flatten(), Dense(2)]
    ours = Sequential([Input((6, 6, 1)), *layers], dtype="float64", seed=0)
    theirs = to_keras(ours)
    x, y = RNG.normal(size=(32, 6, 6, 1)), RNG.normal(size=(32, 2))
    for model in (ours, theirs):
        model.compile(optimizer="sgd", loss="mse")
        model.fit(x, y, batch_size=16, epochs=5, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_what_only_this_book_has(keras):
    for layer in (MinPooling2D(), LocalResponseNormalization(), Residual(Dense(1))):
        with pytest.raises(ValueError, match="Keras no tiene"):
            to_keras(Sequential([Input((4, 4, 1)), layer]))
