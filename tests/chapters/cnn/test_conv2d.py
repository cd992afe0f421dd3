"""La convolución frente a la fórmula, a Keras, a la definición de derivada y a quien la usa mal."""

import time
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chapters.cnn.convolution.conv2d import Conv2D, conv2d_backward, conv2d_forward
from chapters.cnn.convolution.geometry import same_padding
from chapters.cnn.convolution.im2col import col2im, im2col
from chapters.mlp.activations import LeakyReLU, ReLU
from chapters.mlp.dense import Dense
from chapters.mlp.flatten import Flatten
from chapters.mlp.sequential import Input, Sequential
from dlbook.numeric.parallel import set_threads

geometries = st.fixed_dictionaries(
    {
        "n": st.integers(1, 3),
        "size": st.tuples(st.integers(1, 9), st.integers(1, 9)),
        "kernel_size": st.tuples(st.integers(1, 4), st.integers(1, 4)),
        "strides": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "dilation_rate": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "padding": st.sampled_from(["valid", "same"]),
        "groups": st.integers(1, 3),
        "channels": st.integers(1, 3),
        "filters": st.integers(1, 19),
    }
)


def formula(x, kernel, bias, strides, padding, dilation_rate, groups):
    """La suma, con ciclos, sobre la imagen rellenada."""
    axes = zip(x.shape[1:3], kernel.shape[:2], strides, dilation_rate, strict=True)
    zeros = [same_padding(d, k, s, r) if padding == "same" else (0, 0) for d, k, s, r in axes]
    x = np.pad(x, [(0, 0), *zeros, (0, 0)])
    spans = [(k - 1) * r + 1 for k, r in zip(kernel.shape[:2], dilation_rate, strict=True)]
    out = [(d - span) // s + 1 for d, span, s in zip(x.shape[1:3], spans, strides, strict=True)]
    z = np.zeros((len(x), *out, kernel.shape[-1]))
    channels, filters = kernel.shape[2], kernel.shape[3] // groups
    for u, v in product(*map(range, out)):
        window = x[:, u * strides[0] :, v * strides[1] :][
            :, : spans[0] : dilation_rate[0], : spans[1] : dilation_rate[1]
        ]
        for g in range(groups):
            own, mine = slice(g * channels, (g + 1) * channels), slice(g * filters, (g + 1) * filters)
            z[:, u, v, mine] = np.einsum("nijc,ijcf->nf", window[..., own], kernel[..., mine])
    return z + bias


def draw(given, seed, dtype="float64"):
    strides, dilation = given["strides"], given["dilation_rate"]
    assume(max(strides) == 1 or max(dilation) == 1)
    spans = [(k - 1) * r + 1 for k, r in zip(given["kernel_size"], dilation, strict=True)]
    assume(given["padding"] == "same" or all(s <= d for s, d in zip(spans, given["size"], strict=True)))
    rng = np.random.default_rng(seed)
    groups, channels = given["groups"], given["channels"]
    x = rng.normal(size=(given["n"], *given["size"], channels * groups)).astype(dtype)
    kernel = rng.normal(size=(*given["kernel_size"], channels, given["filters"] * groups)).astype(dtype)
    bias = rng.normal(size=given["filters"] * groups).astype(dtype)
    return x, kernel, bias, (strides, given["padding"], dilation, groups)


@given(geometries, st.integers(0, 2**32 - 1), st.sampled_from(["float32", "float64"]))
def test_forward_is_the_formula(given, seed, dtype):
    x, kernel, bias, options = draw(given, seed, dtype)
    z = conv2d_forward(x, kernel, bias, *options)
    assert z.dtype == dtype
    np.testing.assert_allclose(
        z, formula(x, kernel, bias, *options), rtol=1e-4, atol=1e-4 if dtype == "float32" else 1e-10
    )


@given(geometries, st.integers(0, 2**32 - 1))
def test_backward_is_the_transpose(given, seed):
    # La convolución es lineal en la imagen y en los filtros: <conv(x, w), dz> = <x, dx> = <w, dw>.
    x, kernel, _, options = draw(given, seed)
    z = conv2d_forward(x, kernel, None, *options)
    dz = np.random.default_rng(seed + 1).normal(size=z.shape)
    dkernel, dbias, dx = conv2d_backward(x, kernel, dz, *options)
    total = (z * dz).sum()
    assert np.isclose((x * dx).sum(), total, atol=1e-9)
    assert np.isclose((kernel * dkernel).sum(), total, atol=1e-9)
    np.testing.assert_allclose(dbias, dz.sum(axis=(0, 1, 2)), atol=1e-10)
    # Y contra otra imagen y otros filtros, que son las demás derivadas.
    other = np.random.default_rng(seed + 2)
    x2, kernel2 = other.normal(size=x.shape), other.normal(size=kernel.shape)
    assert np.isclose((conv2d_forward(x2, kernel, None, *options) * dz).sum(), (x2 * dx).sum(), atol=1e-9)
    assert np.isclose((conv2d_forward(x, kernel2, None, *options) * dz).sum(), (kernel2 * dkernel).sum(), atol=1e-9)


def test_the_fused_relu_is_the_relu():
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(3, 6, 6, 2)), rng.normal(size=(3, 4, 4, 5))
    # Una fuga de cero es la misma función por el camino largo.
    fused, apart = Conv2D(5, 3, activation=ReLU(), seed=0), Conv2D(5, 3, activation=LeakyReLU(0.0), seed=0)
    assert (fused.forward(x) == apart.forward(x)).all()
    assert (fused.backward(dy) == apart.backward(dy)).all()
    assert all((a == b).all() for a, b in zip(fused.gradients, apart.gradients, strict=True))


def test_a_nan_in_the_weights_is_seen():
    layer = Conv2D(3, 2, activation="relu", seed=0)
    layer.build((4, 4, 1))
    layer.kernel[0, 0, 0, 1] = np.nan
    assert np.isnan(layer.forward(np.ones((1, 4, 4, 1)))[..., 1]).all()


def test_training_does_not_depend_on_the_threads_nor_on_the_pieces():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(96, 12, 12, 3)).astype(np.float32), rng.integers(0, 4, 96)
    weights = []
    for threads in (1, 2, 2):
        set_threads(threads)
        layers = [Conv2D(7, 3, activation="relu"), Conv2D(9, 3, strides=2), Flatten(), Dense(4)]
        model = Sequential([Input((12, 12, 3)), *layers], seed=0)
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=48, epochs=2, verbose=0)
        weights.append(model.theta.copy())
    set_threads(None)
    np.testing.assert_allclose(weights[0], weights[1], atol=1e-4)
    assert (weights[1] == weights[2]).all()


def test_images_of_bytes_and_views_with_gaps_give_the_right_answer():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (2, 12, 10, 3), dtype=np.uint8)
    kernel = rng.normal(size=(3, 3, 3, 2))
    right = conv2d_forward(image.astype(float), kernel)
    assert (conv2d_forward(image, kernel) == right).all()
    view = np.asfortranarray(image.astype(float))[:, ::2, ::-1]
    assert (conv2d_forward(view, kernel) == conv2d_forward(view.copy(), kernel)).all()
    layer = Conv2D(2, 3, dtype="float64", seed=0)
    assert (layer.forward(image[:, ::2]) == layer.forward(np.ascontiguousarray(image[:, ::2]))).all()


@given(geometries, st.integers(0, 2**32 - 1))
def test_im2col_and_col2im_are_transposes(given, seed):
    x, _, _, (strides, padding, dilation, _) = draw(given, seed)
    columns = im2col(x, given["kernel_size"], strides, padding, dilation)
    c = np.random.default_rng(seed).normal(size=columns.shape)
    back = col2im(c, x.shape, given["kernel_size"], strides, padding, dilation)
    assert np.isclose((columns * c).sum(), (x * back).sum())


def test_work_and_parameters():
    layer = Conv2D(6, 5, groups=1)
    layer.build((32, 32, 3))
    assert (layer.count_params(), layer.work()) == (456, 352_800)
    grouped = Conv2D(6, 5, groups=3, use_bias=False)
    grouped.build((32, 32, 3))
    assert (grouped.count_params(), grouped.work()) == (150, 117_600)


IMAGES, KERNEL = np.zeros((1, 5, 5, 2)), np.zeros((3, 3, 2, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: conv2d_forward(IMAGES, np.zeros((6, 3, 2, 4))), ValueError, "quepa en 5, pero ocupa 6"),
        (lambda: conv2d_forward(IMAGES, KERNEL, strides=0), ValueError, "strides"),
        (lambda: conv2d_forward(IMAGES, KERNEL, strides=(1, 2, 3)), ValueError, "strides"),
        (lambda: conv2d_forward(IMAGES, KERNEL, strides=1.5), TypeError, "strides"),
        (lambda: conv2d_forward(IMAGES, KERNEL, padding="full"), ValueError, "padding"),
        (lambda: conv2d_forward(IMAGES, KERNEL, padding=1), ValueError, "padding"),
        (lambda: conv2d_forward(IMAGES, KERNEL, strides=2, dilation_rate=2), ValueError, "dilation_rate"),
        (lambda: conv2d_forward(IMAGES, np.zeros((3, 3, 3, 4))), ValueError, "2 canales"),
        (lambda: conv2d_forward(IMAGES, KERNEL, groups=3), ValueError, "múltiplo de los 3 grupos"),
        (lambda: conv2d_forward(IMAGES, KERNEL, np.zeros(3)), ValueError, "bias"),
        (lambda: conv2d_forward(IMAGES[0], KERNEL), ValueError, "x: se esperaba la forma"),
        (lambda: conv2d_forward(IMAGES * np.nan, KERNEL), ValueError, "finitos"),
        (lambda: conv2d_forward("foto", KERNEL), TypeError, "números reales"),
        (lambda: conv2d_backward(IMAGES, KERNEL, np.zeros((1, 5, 5, 4))), ValueError, r"\(1, 3, 3, 4\)"),
        (lambda: im2col(IMAGES, 3, padding=0), ValueError, "padding"),
        (lambda: col2im(np.zeros((9, 17)), (1, 5, 5, 2), 3), ValueError, r"\(9, 18\)"),
        (lambda: col2im(np.zeros((9, 18)), (5, 5, 2), 3), ValueError, "input_shape"),
        (lambda: Conv2D(0, 3), ValueError, "filters"),
        (lambda: Conv2D(3, 0), ValueError, "kernel_size"),
        (lambda: Conv2D(3, 3, groups=2), ValueError, "filters"),
        (lambda: Conv2D(4, 3, groups=2).build((5, 5, 3)), ValueError, "canales"),
        (lambda: Conv2D(4, 3).build((5, 5)), ValueError, "alto, ancho, canales"),
        (lambda: Conv2D(4, 7).build((5, 5, 1)), ValueError, "kernel_size"),
        (lambda: Conv2D(4, 3).backward(np.zeros((1, 3, 3, 4))), ValueError, "forward"),
    ],
)
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_failed_build_can_be_repeated():
    layer = Conv2D(2, 7)
    with pytest.raises(ValueError, match="kernel_size"):
        layer.build((5, 5, 1))
    layer.build((7, 7, 1))
    assert layer.kernel.shape == (7, 7, 1, 2)


def test_what_was_in_the_memory_before_costs_nothing():
    # Lo que sobra de las filas también se multiplica, y los números diminutos son cien veces más lentos.
    layer = Conv2D(6, 5, padding="same", seed=0)
    layer.build((28, 28, 1))
    layer = layer.replica()
    x = np.random.default_rng(0).normal(size=(8, 28, 28, 1)).astype(np.float32)
    expected, times = layer.forward(x).copy(), {}
    for garbage in (0.0, 1e-41, np.nan):
        for _ in range(20):
            for array in layer.buffers.values():
                array.fill(garbage)
            start = time.perf_counter()
            y = layer.forward(x)
            times[garbage] = min(times.get(garbage, np.inf), time.perf_counter() - start)
        assert (y == expected).all()
    assert times[1e-41] < 5 * times[0.0]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, (2, 1), 2])
@pytest.mark.parametrize("filters", [1, 2, 3])
def test_a_layer_of_few_filters_gives_the_same_as_the_function(padding, strides, filters):
    # La capa calcula varias ventanas vecinas de una vez; la función, una por una.
    rng = np.random.default_rng(0)
    layer = Conv2D(filters, 3, strides, padding, dtype="float64")
    x = rng.normal(size=(3, 10, 14, 5))
    y = layer(x)
    dy = rng.normal(size=y.shape)
    options = {"strides": strides, "padding": padding}
    assert np.array_equal(y, conv2d_forward(x, layer.kernel, layer.bias, **options))
    dkernel, dbias, dx = conv2d_backward(x, layer.kernel, dy, **options)
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(layer.gradients[0], dkernel, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(layer.gradients[1], dbias, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("dtype", "channels"), [("float64", 16), ("float32", 32)])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kernel_size", [1, 5, (4, 3), (2, 5)])
@pytest.mark.parametrize("filters", [1, 5, 16])
def test_gathering_the_gradient_gives_the_same_as_spreading_it(dtype, channels, padding, kernel_size, filters):
    # Con paso 1 y vectores de canales enteros, la capa junta la culpa de cada píxel; la función la reparte.
    rng = np.random.default_rng(0)
    layer = Conv2D(filters, kernel_size, padding=padding, dtype=dtype)
    x = rng.normal(size=(2, 7, 6, channels)).astype(dtype)
    dy = rng.normal(size=layer(x).shape).astype(dtype)
    assert layer.at(x.shape[1:]).gather is not None
    _, _, dx = conv2d_backward(x, layer.kernel, dy, padding=padding)
    tolerance = 1e3 * np.finfo(dtype).eps
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=tolerance, atol=tolerance)
