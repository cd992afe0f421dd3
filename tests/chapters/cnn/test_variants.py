"""Las variantes de la convolución y el agrupamiento: su definición, sus gradientes, Keras y quien las usa mal."""

import copy
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chapters import cnn
from chapters.mlp import Dense, Flatten, Input, Sequential
from dlbook.gradcheck import check_gradients

REFERENCE = json.loads(
    (Path(__file__).resolve().parents[2] / "reference" / "cnn_layers.json").read_text(encoding="utf-8")
)
seeds = st.integers(0, 2**32 - 1)
sides = st.integers(1, 7)
small = st.integers(1, 3)

# Cada capa, con la forma de una observación.
LAYERS = {
    "max": (lambda **o: cnn.MaxPooling2D(**o), (4, 6, 3)),
    "max impar": (lambda **o: cnn.MaxPooling2D(**o), (5, 3, 2)),
    "max encimado": (lambda **o: cnn.MaxPooling2D(3, strides=2, padding="same", **o), (5, 6, 2)),
    "min": (lambda **o: cnn.MinPooling2D((2, 1), **o), (4, 3, 2)),
    "promedio": (lambda **o: cnn.AveragePooling2D(3, strides=2, padding="same", **o), (5, 6, 2)),
    "promedio global": (lambda **o: cnn.GlobalAveragePooling2D(**o), (3, 4, 2)),
    "máximo global": (lambda **o: cnn.GlobalMaxPooling2D(keepdims=True, **o), (3, 4, 2)),
    "relleno": (lambda **o: cnn.ZeroPadding2D(((1, 0), 2), **o), (3, 2, 2)),
    "repetir": (lambda **o: cnn.UpSampling2D((2, 3), **o), (3, 2, 2)),
    "bilineal": (lambda **o: cnn.UpSampling2D((2, 3), interpolation="bilinear", **o), (3, 2, 2)),
    "serie": (lambda **o: cnn.Conv1D(3, 2, strides=2, activation="tanh", **o), (7, 2)),
    "serie causal": (lambda **o: cnn.Conv1D(3, 3, padding="causal", dilation_rate=2, use_bias=False, **o), (6, 2)),
    "por canal": (lambda **o: cnn.DepthwiseConv2D(2, padding="same", activation="tanh", **o), (4, 3, 3)),
    "por canal, dos mapas": (lambda **o: cnn.DepthwiseConv2D(3, depth_multiplier=2, dilation_rate=2, **o), (5, 6, 2)),
    "traspuesta": (lambda **o: cnn.Conv2DTranspose(2, 3, strides=2, padding="same", activation="tanh", **o), (2, 3, 3)),
    "traspuesta con huecos": (lambda **o: cnn.Conv2DTranspose(2, 2, strides=(3, 1), use_bias=False, **o), (2, 3, 2)),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def build(name, **options):
    make, shape = LAYERS[name]
    layer = make(**({"dtype": "float64", "seed": 0} | options))
    layer.build(shape)
    return layer, shape


def sample(shape, n=3, seed=1):
    return np.random.default_rng(seed).normal(size=(n, *shape))


def check_layer(layer, x):
    y = layer.forward(x)
    share = sample(y.shape[1:], len(x), seed=2)
    dx = layer.backward(share)
    gradients = {"x": dx} | {f"w{k}": g.copy() for k, g in enumerate(layer.gradients)}
    parameters = {"x": x} | {f"w{k}": w for k, w in enumerate(layer.weights)}
    report = check_gradients(lambda: float((layer.forward(x) * share).sum()), parameters, gradients)
    assert report.ok, str(report)


# --- El contrato de toda capa ---


@every_layer
def test_gradients_of_input_and_weights(name):
    layer, shape = build(name)
    for weight in layer.weights:
        weight[...] = sample(weight.shape, 1, seed=3)[0]
    check_layer(layer, sample(shape))


@every_layer
def test_gradients_one_layer_deeper(name):
    make, shape = LAYERS[name]
    before = (
        cnn.Conv1D(2, 2, padding="same", activation="tanh") if len(shape) == 2 else cnn.Conv2D(3, 2, padding="same")
    )
    model = Sequential([Input(shape), before, make(), Flatten(), Dense(2)], dtype="float64", seed=3)
    check_layer(model, sample(shape, 2))


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_types_and_shapes(name, dtype):
    layer, shape = build(name, dtype=dtype)
    y = layer.forward(sample(shape))
    dx = layer.backward(np.ones(y.shape))
    assert all(a.dtype == dtype for a in (y, dx, *layer.weights, *layer.gradients))
    assert y.shape == (3, *layer.compute_output_shape(shape))
    assert dx.shape == (3, *shape)
    assert layer.work() > 0
    assert LAYERS[name][0]().compute_output_shape(shape) == y.shape[1:]


@every_layer
def test_any_memory_layout_and_any_number_gives_the_same(name):
    layer, shape = build(name)
    wide = sample((*shape[:-1], 2 * shape[-1]), 6).round(2)
    view = wide[::2, ..., ::2]
    expected = layer.forward(view.copy())
    for other in (view, np.asfortranarray(view), view.astype(">f8"), view.tolist()):
        assert np.array_equal(layer.forward(other), expected)
    dy = sample(expected.shape[1:], 6)[::2]
    assert np.array_equal(layer.backward(dy), layer.backward(dy.copy()))
    pixels = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype=np.uint8)
    assert np.array_equal(layer.forward(pixels), layer.forward(pixels.astype(float)))


@every_layer
def test_what_the_user_gets_is_not_overwritten(name):
    layer, shape = build(name)
    x = sample(shape)
    y = layer.forward(x)
    dx = layer.backward(np.ones_like(y))
    kept = y.copy(), dx.copy(), x.copy()
    layer.forward(2 * x + 1)
    layer.backward(3 * np.ones_like(y))
    assert all(np.array_equal(a, b) for a, b in zip((y, dx, x), kept, strict=True))


@every_layer
def test_replicas_and_copies(name):
    layer, shape = build(name)
    x = sample(shape)
    expected = layer.forward(x)
    replica = layer.replica()
    assert np.array_equal(replica.forward(x), expected)
    assert replica.forward(x).base is replica.forward(2 * x).base
    replica.backward(np.ones_like(expected))
    for weight, other, gradient in zip(layer.weights, replica.weights, layer.gradients, strict=True):
        assert np.shares_memory(weight, other)
        assert not gradient.any()
    assert np.array_equal(layer.forward(x), expected)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        for weight in other.weights:
            weight += 1
        assert np.array_equal(layer.forward(x), expected)
        assert other.forward(x).shape == expected.shape


@every_layer
def test_no_gradient_when_nobody_wants_it(name):
    layer, shape = build(name)
    y = layer.forward(sample(shape))
    layer.backward(np.ones_like(y))
    expected = [g.copy() for g in layer.gradients]
    layer.without_input_gradient()
    layer.backward(np.ones_like(y))
    assert all(np.array_equal(a, b) for a, b in zip(layer.gradients, expected, strict=True))


@every_layer
def test_a_model_with_it_trains_on_several_threads_and_comes_back_from_disk(name, tmp_path):
    from chapters.mlp import load_model

    make, shape = LAYERS[name]
    model = Sequential([Input(shape), make(), Flatten(), Dense(1)], seed=0)
    model.compile(optimizer="adam", loss="mse")
    x = sample(shape, 40).astype(np.float32)
    before = model.evaluate(x, x.reshape(40, -1)[:, :1], verbose=0)
    model.fit(x, x.reshape(40, -1)[:, :1], epochs=30, batch_size=20, verbose=0)
    assert model.evaluate(x, x.reshape(40, -1)[:, :1], verbose=0) < before
    model.save(tmp_path / "red.safetensors")
    again = load_model(tmp_path / "red.safetensors")
    assert np.array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert [vars(a).get("padding") for a in again.layers] == [vars(a).get("padding") for a in model.layers]


@every_layer
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda layer, x: layer.backward(x), "ir antes hacia delante"),
        (lambda layer, x: layer.forward(x[..., :-1]), r"x: se esperaba la forma"),
        (lambda layer, x: layer.forward(x[0]), r"x: se esperaba la forma"),
        (lambda layer, x: layer.forward(x[:0]), r"x: se esperaba la forma"),
        (lambda layer, x: layer.forward("hola"), "números reales"),
        (lambda layer, x: layer.forward((x * np.nan).tolist()), "números finitos"),
        (lambda layer, x: (layer.forward(x), layer.backward(x[:1, :1]))[1], "dy: se esperaba la forma"),
        (lambda layer, x: layer.build(x.shape[1:]), "ya está construida"),
    ],
)
def test_nonsense_gets_one_spanish_sentence(name, call, message):
    layer, shape = build(name)
    with pytest.raises((ValueError, TypeError), match=message):
        call(layer, sample(shape))


@every_layer
@pytest.mark.parametrize("shape", [(), (4,), (4, 4, 4, 4), (0, 4, 1), (4, -1, 1), (2.5, 4, 1)])
def test_wrong_shapes_are_refused_before_anything_is_built(name, shape):
    layer = LAYERS[name][0]()
    with pytest.raises((ValueError, TypeError)):
        layer.build(shape)
    assert not layer.built
    assert layer.weights == []


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
    layer = cnn.Conv1D(4, size, stride, padding, dilation, groups, dtype="float64", seed=0)
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
    try:
        z = cnn.conv2d_transpose_forward(x, kernel, output_padding=output_padding, **options)
    except ValueError:
        # Con un filtro par, SAME y poco relleno, de la salida no se regresa a la entrada.
        assert options["padding"] == "same"
        assert output_padding is not None
        return
    A = matrix(lambda image: cnn.conv2d_forward(image, kernel, **options), z.shape[1:])
    np.testing.assert_allclose(z.ravel(), A.T @ x.ravel(), atol=1e-12)
    dz = rng.normal(size=z.shape)
    dx = cnn.conv2d_transpose_backward(x, kernel, dz, output_padding=output_padding, **options)[2]
    np.testing.assert_allclose(dx.ravel(), A @ dz.ravel(), atol=1e-12)


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


@pytest.mark.parametrize("case", REFERENCE["layers"], ids=lambda c: f"{c['name']}-{c['arguments']}")
def test_a_layer_agrees_with_keras(case):
    weights, values = ([np.array(v) for v in case[key]] for key in ("weights", "values"))
    agree(
        ours(case["name"], case["arguments"], weights, np.array(case["x"]), np.array(case["dy"])),
        values,
        case["arguments"],
    )


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
@pytest.mark.parametrize("kind", sorted({case["name"] for case in REFERENCE["layers"]}))
def test_a_layer_agrees_with_the_keras_installed_here(kind, seed):
    pytest.importorskip("keras")
    from tests.reference.make_engine_reference import layer as theirs

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
    from dlbook.keras import from_keras, to_keras

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
