"""Lo que solo dicen las capas de series, la separable, el recorte y el *dropout* de canales."""

import numpy as np
import pytest

from chapters import cnn
from chapters.cnn import (
    Conv1D,
    Conv2D,
    Cropping1D,
    Cropping2D,
    DepthwiseConv1D,
    DepthwiseConv2D,
    MaxPooling1D,
    SeparableConv1D,
    SeparableConv2D,
    SpatialDropout1D,
    SpatialDropout2D,
    UpSampling1D,
    ZeroPadding1D,
    ZeroPadding2D,
    aliases,
)
from tests.contract.measure import sample

# Cada capa de series, con los argumentos que tienen un número por eje.
SERIES = [
    ("AveragePooling", {"pool_size": 3, "strides": 2}, {"padding": "same"}),
    ("Conv", {"kernel_size": 3, "strides": 2}, {"filters": 4, "padding": "same", "activation": "tanh"}),
    ("DepthwiseConv", {"kernel_size": 3}, {"depth_multiplier": 2}),
    ("GlobalAveragePooling", {}, {}),
    ("GlobalMaxPooling", {}, {}),
    ("MaxPooling", {"pool_size": 2}, {}),
    ("SeparableConv", {"kernel_size": 2, "dilation_rate": 2}, {"filters": 4, "padding": "same"}),
    ("UpSampling", {"size": 3}, {}),
]


def transposed(rank):
    return getattr(cnn, "Conv1DTranspose" if rank == 1 else "Conv2DTranspose")


@pytest.mark.parametrize(("name", "by_axis", "others"), [*SERIES, ("Transpose", {"kernel_size": 3}, {"filters": 4})])
def test_a_series_is_an_image_of_height_one(name, by_axis, others):
    make = transposed if name == "Transpose" else lambda rank: getattr(cnn, f"{name}{rank}D")
    one = make(1)(**by_axis, **others, dtype="float64", seed=0)
    two = make(2)(**{k: (1, v) for k, v in by_axis.items()}, **others, dtype="float64")
    x = sample((7, 2), 5)
    one.build((7, 2))
    two.build((1, 7, 2))
    two.set_weights([w.reshape(v.shape) for w, v in zip(one.weights, two.weights, strict=True)])
    y, image = one.forward(x), two.forward(x[:, np.newaxis])
    close = {"rtol": 1e-12, "atol": 1e-14}
    np.testing.assert_allclose(y.ravel(), image.ravel(), **close)
    dy = sample(y.shape[1:], 5, seed=2)
    np.testing.assert_allclose(one.backward(dy).ravel(), two.backward(dy.reshape(image.shape)).ravel(), **close)
    for a, b in zip(one.gradients, two.gradients, strict=True):
        np.testing.assert_allclose(a.ravel(), b.ravel(), **close)
    assert one.work() == two.work()


@pytest.mark.parametrize("arguments", [{}, {"strides": 2, "padding": "same"}, {"dilation_rate": 2, "padding": "same"}])
def test_a_separable_convolution_is_its_two_halves(arguments):
    whole = SeparableConv2D(3, 3, depth_multiplier=2, **arguments, activation="tanh", dtype="float64", seed=0)
    whole.build((6, 7, 4))
    looks = DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, **arguments, dtype="float64")
    mixes = Conv2D(3, 1, activation="tanh", dtype="float64")
    looks.build((6, 7, 4))
    mixes.build(looks.compute_output_shape((6, 7, 4)))
    depthwise, pointwise, bias = whole.get_weights()
    looks.set_weights([depthwise])
    mixes.set_weights([pointwise, bias + 0.5])
    whole.bias = bias + 0.5
    x = sample((6, 7, 4))
    y = whole.forward(x)
    np.testing.assert_allclose(y, mixes.forward(looks.forward(x)), rtol=1e-12)
    dy = sample(y.shape[1:], seed=2)
    np.testing.assert_allclose(whole.backward(dy), looks.backward(mixes.backward(dy)), rtol=1e-10, atol=1e-12)
    for a, b in zip(whole.gradients, [*looks.gradients, *mixes.gradients], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    assert whole.work() == looks.work() + mixes.work()


# Una fila entera, medio y un solo píxel a la vez.
@pytest.mark.parametrize(("channels", "width"), [(3, 8), (100, 8), (600, 4), (2, 1)])
@pytest.mark.parametrize("strides", [1, 2])
def test_by_channel_is_a_convolution_with_a_group_per_channel(channels, width, strides):
    by_channel = DepthwiseConv2D(3, strides, "same", depth_multiplier=2, dtype="float64", seed=0)
    grouped = Conv2D(2 * channels, 3, strides, "same", groups=channels, dtype="float64")
    for layer in (by_channel, grouped):
        layer.build((4, width, channels))
    grouped.set_weights([by_channel.kernel.reshape(3, 3, 1, -1), by_channel.bias])
    x = sample((4, width, channels), 2)
    y = by_channel.forward(x)
    np.testing.assert_allclose(y, grouped.forward(x), rtol=1e-10, atol=1e-12)
    dy = sample(y.shape[1:], 2, seed=2)
    np.testing.assert_allclose(by_channel.backward(dy), grouped.backward(dy), rtol=1e-10, atol=1e-12)
    for a, b in zip(by_channel.gradients, grouped.gradients, strict=True):
        np.testing.assert_allclose(a.ravel(), b.ravel(), rtol=1e-9, atol=1e-11)


def test_cropping_undoes_padding_and_goes_back_as_padding_goes_forward():
    frame = (1, 2), (0, 3)
    x = sample((4, 5, 2))
    padding, cropping = ZeroPadding2D(frame, dtype="float64"), Cropping2D(frame, dtype="float64")
    np.testing.assert_array_equal(cropping.forward(padding.forward(x)), x)
    np.testing.assert_array_equal(cropping.backward(x), padding.forward(x))


def test_padding_the_past_makes_a_valid_convolution_causal():
    causal = Conv1D(3, 4, padding="causal", dtype="float64", seed=0)
    valid = Conv1D(3, 4, dtype="float64")
    x = sample((9, 2))
    y = causal.forward(x)
    valid.build((12, 2))
    valid.set_weights(causal.get_weights())
    np.testing.assert_allclose(valid.forward(ZeroPadding1D((3, 0), dtype="float64").forward(x)), y, rtol=1e-12)


@pytest.mark.parametrize(("layer", "shape"), [(SpatialDropout1D, (6, 20)), (SpatialDropout2D, (3, 4, 20))])
def test_a_channel_lives_or_dies_whole_and_each_observation_has_its_own_coins(layer, shape):
    dropout = layer(0.5, seed=0)
    y = dropout.forward(np.ones((40, *shape)), training=True).reshape(40, -1, 20)
    assert set(np.unique(y)) == {0, 2}
    assert (y == y[:, :1]).all()
    assert len(np.unique(y[:, 0], axis=0)) == 40
    assert 0.4 < (y == 0).mean() < 0.6
    np.testing.assert_array_equal(dropout.backward(np.ones((40, *shape))).reshape(y.shape), y)


def test_the_other_names_are_the_same_classes():
    for name in aliases.__all__:
        cls = getattr(aliases, name)
        assert getattr(cnn, cls.__name__) is cls
        assert cls.__name__ != name
    assert aliases.MaxPool2D is cnn.MaxPooling2D
    assert aliases.Convolution1D is Conv1D


def test_an_argument_assigned_later_has_the_axes_of_its_layer():
    layer = Conv1D(2, 3)
    layer.kernel_size, layer.strides = 5, [2]
    assert (layer.kernel_size, layer.strides) == ((5,), (2,))
    with pytest.raises(TypeError, match="kernel_size: se esperaba un entero"):
        layer.kernel_size = (3, 3)
    pooling = MaxPooling1D()
    pooling.pool_size = 4
    assert pooling.pool_size == (4,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MaxPooling1D((2, 2)), "pool_size: se esperaba un entero"),
        (lambda: MaxPooling1D(2).forward(np.zeros((1, 4, 4, 1))), r"se esperaba la forma \(n, instantes, canales\)"),
        (lambda: Cropping1D(2).forward(np.zeros((1, 4, 1))), "cropping: se esperaba quitar menos de los 4"),
        (lambda: Cropping1D((1, 2, 3)), "cropping: se esperaba un entero o dos, pero llegó"),
        (lambda: Cropping2D(-1), "cropping: se esperaba un entero"),
        (lambda: ZeroPadding1D(((1, 1), (1, 1))), "padding: se esperaba un entero"),
        (lambda: UpSampling1D((2,)), "size: se esperaba un entero"),
        (lambda: cnn.Conv1DTranspose(2, 3, 2, output_padding=(1, 1)), "output_padding: se esperaba un entero"),
        (lambda: DepthwiseConv1D(3, padding="causal"), "padding: se esperaba 'valid' o 'same'"),
        (lambda: SeparableConv1D(2, 3, strides=2, dilation_rate=2), "dilation_rate: se esperaba 1"),
        (lambda: SeparableConv2D(2, 5).build((4, 4, 1)), "kernel_size: se esperaba un filtro que quepa en 4"),
        (
            lambda: SpatialDropout2D(0.5).forward(np.zeros((1, 4, 4))),
            r"se esperaba la forma \(n, alto, ancho, canales\)",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
