"""Las variantes de la convolución y el agrupamiento: su definición, sus gradientes, Keras y quien las usa mal."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chapters import cnn
from chapters.mlp import Input, Sequential

seeds = st.integers(0, 2**32 - 1)
sides = st.integers(1, 7)
small = st.integers(1, 3)


def sample(shape, n=3, seed=1):
    return np.random.default_rng(seed).normal(size=(n, *shape))


# --- El contrato de toda capa ---


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: cnn.Conv1D(2, 3, padding="izquierda"), ValueError, "padding: se esperaba"),
        (lambda: cnn.Conv1D(0, 3), ValueError, "filters"),
        (lambda: cnn.Conv1D(2, (3, 3)), TypeError, "kernel_size"),
        (lambda: cnn.Conv1D(2, 3, strides=0), ValueError, "strides"),
        (lambda: cnn.Conv1D(2, 3, strides=2, dilation_rate=2), ValueError, "dilation_rate"),
        (lambda: cnn.Conv1D(2, 5).build((4, 1)), ValueError, "quepa en 4"),
        (lambda: cnn.Conv1D(2, 3, groups=2).build((4, 3)), ValueError, "grupos"),
        (lambda: cnn.DepthwiseConv2D(3, depth_multiplier=1.5), TypeError, "depth_multiplier"),
        (lambda: cnn.DepthwiseConv2D(3, strides=2, dilation_rate=2), ValueError, "dilation_rate"),
        (lambda: cnn.DepthwiseConv2D(5).build((4, 8, 1)), ValueError, "quepa en 4"),
        (lambda: cnn.DepthwiseConv2D(0), ValueError, "kernel_size"),
        (lambda: cnn.Conv2DTranspose(2, 3, strides=2, output_padding=2), ValueError, "menos que el paso"),
        (lambda: cnn.Conv2DTranspose(2, 3, strides=2, output_padding=(0, 0, 0)), ValueError, "un entero o dos"),
        (lambda: cnn.Conv2DTranspose(2, 3, strides=2, output_padding=-1), ValueError, "output_padding"),
        (lambda: cnn.Conv2DTranspose(2, 3, padding="causal"), ValueError, "padding"),
        (
            lambda: cnn.Conv2DTranspose(2, 2, strides=2, padding="same", output_padding=0).build((1, 1, 1)),
            ValueError,
            "output_padding",
        ),
        (lambda: cnn.UpSampling2D(0), ValueError, "size"),
        (lambda: cnn.UpSampling2D((2, 2, 2)), ValueError, "size"),
        (lambda: cnn.UpSampling2D(interpolation="lanczos3"), ValueError, "interpolation"),
        (lambda: cnn.ZeroPadding2D(-1), ValueError, "padding"),
        (lambda: cnn.ZeroPadding2D((1, 2, 3)), ValueError, "padding"),
        (lambda: cnn.ZeroPadding2D(1.5), TypeError, "padding"),
    ],
)
def test_bad_arguments(make, error, message):
    with pytest.raises(error, match=message):
        make()


# --- La definición, escrita despacio ---


@given(seed=seeds, length=st.integers(1, 9), size=small, stride=small, dilation=small, groups=st.sampled_from([1, 2]))
def test_conv1d_is_a_sum_over_time(seed, length, size, stride, dilation, groups):
    rng = np.random.default_rng(seed)
    padding = ("valid", "same", "causal")[seed % 3]
    stride = 1 if dilation > 1 else stride
    span = dilation * (size - 1) + 1
    assume(padding != "valid" or span <= length)
    layer = cnn.Conv1D(4, size, stride, padding, None, dilation, groups, dtype="float64", seed=0)
    x = rng.normal(size=(2, length, 2))
    y = layer.forward(x)
    before = span - 1 if padding == "causal" else 0
    if padding == "same":
        before = max((-(-length // stride) - 1) * stride + span - length, 0) // 2
    extended = np.concatenate([np.zeros((2, before, 2)), x, np.zeros((2, span + stride, 2))], axis=1)
    for t in range(y.shape[1]):
        window = extended[:, t * stride : t * stride + span : dilation]
        for f in range(4):
            own = slice(None) if groups == 1 else slice(f // 2, f // 2 + 1)
            expected = (window[..., own] * layer.kernel[..., f]).sum(axis=(1, 2))
            np.testing.assert_allclose(y[:, t, f], expected, atol=1e-12)


def test_causal_never_sees_the_future():
    layer = cnn.Conv1D(3, 3, padding="causal", dilation_rate=2, dtype="float64", seed=0)
    x = sample((10, 2), 1)
    y = layer.forward(x)
    for t in range(10):
        changed = x.copy()
        changed[:, t + 1 :] += 5
        assert np.array_equal(layer.forward(changed)[:, : t + 1], y[:, : t + 1])


@given(seed=seeds, height=sides, width=sides, channels=small, multiplier=small, stride=small, dilation=small)
def test_depthwise_is_a_convolution_with_as_many_groups_as_channels(
    seed, height, width, channels, multiplier, stride, dilation
):
    rng = np.random.default_rng(seed)
    stride = 1 if dilation > 1 else stride
    options = {"strides": stride, "padding": ("valid", "same")[seed % 2], "dilation_rate": dilation}
    size = 2
    assume(options["padding"] == "same" or dilation + 1 <= min(height, width))
    x = rng.normal(size=(2, height, width, channels))
    kernel = rng.normal(size=(size, size, channels, multiplier))
    bias = rng.normal(size=channels * multiplier)
    grouped = kernel.reshape(size, size, 1, channels * multiplier)
    y = cnn.depthwise_conv2d_forward(x, kernel, bias, **options)
    np.testing.assert_allclose(y, cnn.conv2d_forward(x, grouped, bias, **options, groups=channels), atol=1e-12)
    dz = rng.normal(size=y.shape)
    ours = cnn.depthwise_conv2d_backward(x, kernel, dz, **options)
    theirs = cnn.conv2d_backward(x, grouped, dz, **options, groups=channels)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.ravel(), b.ravel(), atol=1e-12)


def matrix(f, shape):
    """La matriz de una función lineal, columna por columna."""
    basis = np.eye(int(np.prod(shape))).reshape(-1, *shape)
    return np.stack([f(one[np.newaxis]).ravel() for one in basis], axis=1)


@given(
    seed=seeds,
    height=small,
    width=small,
    size=st.integers(1, 4),
    stride=small,
    dilation=small,
    extra=st.integers(-1, 2),
)
def test_the_transpose_is_the_transpose(seed, height, width, size, stride, dilation, extra):
    rng = np.random.default_rng(seed)
    stride = 1 if dilation > 1 else stride
    options = {"strides": stride, "padding": ("valid", "same")[seed % 2], "dilation_rate": dilation}
    output_padding = None if extra < 0 else min(extra, stride - 1)
    kernel = rng.normal(size=(size, size, 2, 3))
    x = rng.normal(size=(1, height, width, 3))
    # La fórmula de Keras: cuánto mide la salida, y cuánto se le quita al principio a lo que pintan las ventanas.
    span = dilation * (size - 1) + 1
    edge = span if options["padding"] == "valid" else span % 2
    extra = output_padding
    if extra is None:
        extra = max(stride - span, 0) if options["padding"] == "valid" else stride - edge
    lengths = [(d - 1) * stride + edge + extra for d in (height, width)]
    if min(lengths) == 0:
        with pytest.raises(ValueError, match="no sale nada"):
            cnn.conv2d_transpose_forward(x, kernel, output_padding=output_padding, **options)
        return
    z = cnn.conv2d_transpose_forward(x, kernel, output_padding=output_padding, **options)
    assert z.shape == (1, *lengths, 2)
    before = max(span - edge - extra, 0) // 2

    def back(image):
        margins = [
            (before, max((d - 1) * stride + span - before - m, 0))
            for d, m in zip((height, width), lengths, strict=True)
        ]
        image = np.pad(image, [(0, 0), *margins, (0, 0)])
        return cnn.conv2d_forward(image, kernel, strides=stride, dilation_rate=dilation)[:, :height, :width]

    A = matrix(back, z.shape[1:])
    np.testing.assert_allclose(z.ravel(), A.T @ x.ravel(), atol=1e-12)
    dz = rng.normal(size=z.shape)
    dx = cnn.conv2d_transpose_backward(x, kernel, dz, output_padding=output_padding, **options)[2]
    np.testing.assert_allclose(dx.ravel(), A @ dz.ravel(), atol=1e-12)


def test_a_transpose_that_keras_takes_and_whose_way_back_is_neither_valid_nor_same():
    layer = cnn.Conv2DTranspose(2, 4, strides=2, padding="same", output_padding=0)
    assert layer.forward(np.ones((1, 6, 6, 3))).shape == (1, 10, 10, 2)
    assert layer.compute_output_shape((6, 6, 3)) == (10, 10, 2)
    # En un solo eje y con dos impulsos, a la vista: de las 14 casillas pintadas sobran cuatro, dos de cada lado.
    layer = cnn.Conv2DTranspose(1, (1, 4), (1, 2), "same", (0, 0), dtype="float64", use_bias=False)
    x = np.array([1.0, 0, 0, 0, 0, 100]).reshape(1, 1, 6, 1)
    layer.build(x.shape[1:])
    layer.set_weights([np.arange(1.0, 5.0).reshape(1, 4, 1, 1)])
    assert layer.forward(x).ravel().tolist() == [3, 4, 0, 0, 0, 0, 0, 0, 100, 200]


@given(seed=seeds, height=small, width=small, vertical=small, horizontal=small)
def test_bilinear_is_linear_exact_on_ramps_and_keeps_constants(seed, height, width, vertical, horizontal):
    layer = cnn.UpSampling2D((vertical, horizontal), interpolation="bilinear", dtype="float64")
    assert np.allclose(layer.forward(np.full((1, height, width, 1), 3.0)), 3.0)
    # Lejos de la orilla, una rampa sigue siendo una rampa.
    ramp = np.arange(width, dtype=float) * np.ones((height, 1))
    y = layer.forward(ramp[np.newaxis, :, :, np.newaxis])[0, 0, :, 0]
    center = (np.arange(width * horizontal) + 0.5) / horizontal - 0.5
    np.testing.assert_allclose(y, np.clip(center, 0, width - 1), atol=1e-12)
    # La culpa que entra es la que sale: los coeficientes de cada píxel nuevo suman 1.
    dy = np.random.default_rng(seed).normal(size=layer.y.shape)
    assert np.isclose(layer.backward(dy).sum(), dy.sum())


def test_averaging_undoes_repeating():
    x = sample((3, 4, 2))
    assert np.allclose(
        cnn.AveragePooling2D((2, 3), dtype="float64").forward(cnn.UpSampling2D((2, 3), dtype="float64").forward(x)), x
    )


def test_the_functions_refuse_what_does_not_fit():
    x, kernel = np.ones((1, 4, 4, 2)), np.ones((3, 3, 2, 2))
    for call in (
        lambda: cnn.depthwise_conv2d_forward(x, np.ones((3, 3, 3, 1))),
        lambda: cnn.depthwise_conv2d_forward(x, kernel, bias=[1.0]),
        lambda: cnn.depthwise_conv2d_forward(x, np.ones((5, 5, 2, 1))),
        lambda: cnn.depthwise_conv2d_backward(x, kernel, np.ones((1, 4, 4, 4))),
        lambda: cnn.depthwise_conv2d_forward(x, kernel, padding="causal"),
        lambda: cnn.conv2d_transpose_forward(x, np.ones((3, 3, 2, 5))),
        lambda: cnn.conv2d_transpose_forward(x, kernel, bias=[1.0, 2.0, 3.0]),
        lambda: cnn.conv2d_transpose_backward(x, kernel, np.ones((1, 5, 6, 2))),
        lambda: cnn.conv2d_transpose_forward(x * np.inf, kernel),
    ):
        with pytest.raises(ValueError, match=r"se esperaba|se esperaban"):
            call()


# --- Keras ---


def ours(name, arguments, weights, x, dy):
    layer = getattr(cnn, name)(**arguments, dtype="float64")
    layer.build(x.shape[1:])
    layer.set_weights(weights)
    y = layer.forward(x)
    dx = layer.backward(dy)
    return [y, dx, *layer.gradients]


def agree(a, b, arguments):
    # TensorFlow interpola siempre en float32.
    tolerance = 1e-5 if arguments.get("interpolation") == "bilinear" else 1e-7
    for mine, theirs in zip(a, b, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


def random_case(kind, rng):
    """Una capa con argumentos al azar, y la forma de una observación."""

    def pick(low, high):
        return int(rng.integers(low, high + 1))

    height, width, channels = pick(4, 9), pick(4, 9), pick(1, 4)
    padding = ["valid", "same"][pick(0, 1)]
    stride = pick(1, 3)
    dilation = pick(1, 2) if stride == 1 else 1
    image = (height, width, channels)
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        strides = [None, stride, [stride, pick(1, 3)]][pick(0, 2)]
        return {"pool_size": [pick(1, 4), pick(1, 4)], "strides": strides, "padding": padding}, image
    if kind.startswith("Global"):
        return {"keepdims": bool(pick(0, 1))}, image
    if kind == "ZeroPadding2D":
        return {"padding": [[pick(0, 2), pick(0, 2)], [pick(0, 2), pick(0, 2)]]}, image
    if kind == "UpSampling2D":
        return {"size": [pick(1, 3), pick(1, 3)], "interpolation": ["nearest", "bilinear"][pick(0, 1)]}, image
    common = {"kernel_size": pick(1, 3), "strides": stride, "dilation_rate": dilation, "padding": padding}
    if kind == "Conv1D":
        groups = pick(1, 2)
        padding = [padding, "causal"][pick(0, 1)]
        return common | {"filters": 4, "groups": groups, "padding": padding}, (pick(5, 9), 2 * channels)
    if kind == "DepthwiseConv2D":
        return common | {"depth_multiplier": pick(1, 3)}, image
    # TensorFlow no sabe dilatar una convolución traspuesta en el procesador.
    size = [pick(1, 4), pick(1, 4)]
    if padding == "same":
        extra = None if min(size) % 2 == 0 or max(size) % 2 == 0 else pick(0, stride - 1)
    else:
        extra = [None, pick(0, stride - 1)][pick(0, 1)]
    arguments = common | {"filters": pick(1, 3), "kernel_size": size, "output_padding": extra, "dilation_rate": 1}
    return arguments, (pick(1, 4), pick(1, 4), channels)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "kind",
    [
        "AveragePooling2D",
        "Conv1D",
        "Conv2DTranspose",
        "DepthwiseConv2D",
        "GlobalAveragePooling2D",
        "GlobalMaxPooling2D",
        "MaxPooling2D",
        "UpSampling2D",
        "ZeroPadding2D",
    ],
)
def test_a_layer_agrees_with_the_keras_installed_here(kind, seed):
    pytest.importorskip("keras")
    from tests.reference.oracle import layer as theirs

    rng = np.random.default_rng([seed, *kind.encode()])
    arguments, shape = random_case(kind, rng)
    mine = getattr(cnn, kind)(**arguments, dtype="float64")
    mine.build(shape)
    x = rng.normal(size=(2, *shape))
    weights = [rng.normal(size=w.shape) for w in mine.weights]
    dy = rng.normal(size=(2, *mine.compute_output_shape(shape)))
    agree(ours(kind, arguments, weights, x, dy), theirs(kind, arguments, weights, x, dy), arguments)


def test_the_bridge_carries_every_layer():
    keras = pytest.importorskip("keras")
    from dlbook.bridge import from_keras, to_keras

    model = Sequential(
        [
            Input((9, 8, 2)),
            cnn.ZeroPadding2D(((1, 0), (0, 2))),
            cnn.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"),
            cnn.MaxPooling2D(3, strides=1, padding="same"),
            cnn.Conv2DTranspose(3, 3, strides=2, padding="same", output_padding=1),
            cnn.AveragePooling2D(2),
            cnn.UpSampling2D(interpolation="bilinear"),
            cnn.GlobalAveragePooling2D(keepdims=True),
            cnn.GlobalMaxPooling2D(),
        ],
        seed=0,
    )
    x = sample((9, 8, 2)).astype(np.float32)
    there = to_keras(model)
    np.testing.assert_allclose(there.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)
    np.testing.assert_allclose(from_keras(there).predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-5)
    series = Sequential([Input((9, 2)), cnn.Conv1D(3, 2, padding="causal", dilation_rate=2, activation="tanh")], seed=0)
    x = sample((9, 2)).astype(np.float32)
    there = to_keras(series)
    assert isinstance(there.layers[0], keras.layers.Conv1D)
    np.testing.assert_allclose(there.predict(x, verbose=0), series.predict(x, verbose=0), atol=1e-5)
    np.testing.assert_allclose(from_keras(there).predict(x, verbose=0), series.predict(x, verbose=0), atol=1e-5)
