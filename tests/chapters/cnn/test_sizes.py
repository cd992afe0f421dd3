"""Imágenes de cualquier tamaño: la geometría sigue a lo que llega, y no a lo que llegó al construir."""

import numpy as np
import pytest

from chapters import cnn
from chapters.mlp import Dense, Input, Sequential, shapes_only
from dlbook import check

OPEN = (None, None, 3)
SIZES = ((7, 9, 3), (12, 5, 3), (7, 9, 3), (8, 8, 3))
LAYERS = {
    "conv2d": lambda: cnn.Conv2D(4, 3, 2, "SAME", activation="tanh"),
    "conv2d con grupos": lambda: cnn.Conv2D(6, 2, groups=3),
    "por canal": lambda: cnn.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
    "traspuesta": lambda: cnn.Conv2DTranspose(2, 4, 2, "same", output_padding=0),
    "parcial": lambda: cnn.PartialConv2D([(0,), (1, 2)], 3),
    "submuestreo": lambda: cnn.Subsampling2D(2),
    "relleno": lambda: cnn.ZeroPadding2D(((1, 0), (2, 3))),
    "máximo": lambda: cnn.MaxPooling2D(padding="same"),
    "máximo encimado": lambda: cnn.MaxPooling2D(3, 2),
    "mínimo": lambda: cnn.MinPooling2D((2, 1)),
    "promedio": lambda: cnn.AveragePooling2D(3, 2, "same"),
    "promedio global": lambda: cnn.GlobalAveragePooling2D(),
    "máximo global": lambda: cnn.GlobalMaxPooling2D(keepdims=True),
    "repetir": lambda: cnn.UpSampling2D((2, 3)),
    "bilineal": lambda: cnn.UpSampling2D(2, interpolation="bilinear"),
    "normalización": lambda: cnn.BatchNormalization(),
    "por respuesta local": lambda: cnn.LocalResponseNormalization(),
    "reflejar": lambda: cnn.RandomFlip(seed=0),
    "residual": lambda: cnn.Residual([cnn.Conv2D(3, 3, padding="same")], activation="relu"),
    "ramas": lambda: cnn.Branches([cnn.Conv2D(2, 1), [cnn.MaxPooling2D(3, 1, "same"), cnn.Conv2D(3, 1)]]),
}


every_layer = pytest.mark.parametrize("name", LAYERS)


@every_layer
def test_one_layer_serves_images_of_any_size(name):
    rng, layer = np.random.default_rng(0), LAYERS[name]()
    layer.build(OPEN)
    weights = [rng.normal(size=w.shape) ** 2 for w in layer.weights]
    layer.set_weights(weights)
    for shape in SIZES:
        x = rng.normal(size=(2, *shape)).astype(np.float32)
        fixed = LAYERS[name]()
        fixed.build(shape)
        fixed.set_weights(weights)
        y = layer.forward(x)
        assert np.array_equal(y, fixed.forward(x))
        assert y.shape[1:] == fixed.compute_output_shape(shape)
        promised = layer.compute_output_shape(OPEN)
        assert all(p in (None, s) for p, s in zip(promised, y.shape[1:], strict=True))
        dy = rng.normal(size=y.shape)
        assert np.array_equal(layer.backward(dy), fixed.backward(dy))
        assert all(np.array_equal(a, b) for a, b in zip(layer.gradients, fixed.gradients, strict=True))
    assert layer.work() > 0


@every_layer
def test_backward_is_that_of_the_last_size(name):
    layer = LAYERS[name]()
    layer.build(OPEN)
    small, large = (np.ones((1, *shape), np.float32) for shape in SIZES[:2])
    layer(small)
    y = layer(large)
    assert layer.backward(np.ones_like(y)).shape == large.shape


def test_a_series_of_any_length():
    layer = cnn.Conv1D(2, 3, padding="causal", dilation_rate=2)
    layer.build((None, 3))
    assert layer.compute_output_shape((None, 3)) == (None, 2)
    assert [layer.forward(np.ones((1, n, 3))).shape for n in (4, 9, 1)] == [(1, 4, 2), (1, 9, 2), (1, 1, 2)]


def test_a_network_of_any_size_predicts_and_trains_on_each():
    layers = [cnn.Conv2D(4, 3, padding="same", activation="relu"), cnn.MaxPooling2D(), cnn.GlobalAveragePooling2D()]
    model = Sequential([Input(OPEN), *layers, Dense(2)], seed=0)
    model.compile("adam", "mse")
    rng = np.random.default_rng(0)
    for side in (8, 13, 8):
        x, y = rng.normal(size=(20, side, side, 3)), rng.normal(size=(20, 2))
        before = model.evaluate(x, y, verbose=0)
        model.fit(x, y, epochs=10, verbose=0)
        assert model.evaluate(x, y, verbose=0) < before
        assert model.predict(x, verbose=0).shape == (20, 2)


def test_too_small_an_image_is_refused_in_one_sentence():
    layer = cnn.Conv2D(2, 5)
    layer.build(OPEN)
    with pytest.raises(ValueError, match="quepa en 3, pero ocupa 5"):
        layer.forward(np.ones((1, 3, 8, 3)))
    assert layer.forward(np.ones((1, 5, 8, 3))).shape == (1, 1, 4, 2)
    with pytest.raises(ValueError, match="se esperaba la forma"):
        cnn.Conv2D(2, 3).build((8, 8, None))
    with pytest.raises(ValueError, match="axis: se esperaba un eje que mida siempre lo mismo"):
        cnn.BatchNormalization(axis=1).build(OPEN)


# --- Todo tamaño se cuenta antes de pedir memoria ---

TOO_MUCH = r": harían falta .* GB de memoria, y esta máquina tiene"
GROWING = {
    "agrandar": lambda: cnn.UpSampling2D(8),
    "rellenar": lambda: cnn.ZeroPadding2D(10**6),
    "traspuesta": lambda: cnn.Conv2DTranspose(1, 3, strides=8),
}


@pytest.mark.parametrize("use", [lambda x: Input(x.shape[1:]), lambda x: Input((None, None, 1)), lambda x: None])
@pytest.mark.parametrize("name", GROWING)
def test_a_chain_that_grows_is_refused_before_anything_is_asked(name, use):
    x = np.ones((1, 8, 8, 1))
    first = use(x)
    layers = [cnn.Conv2D(1, 1), *(GROWING[name]() for _ in range(6))]

    def predict():
        return Sequential(layers if first is None else [first, *layers]).predict(x)

    with pytest.raises(ValueError, match=TOO_MUCH):
        predict()


def test_layers_that_fit_one_by_one_and_not_together(monkeypatch):
    monkeypatch.setattr(check, "total_memory", lambda: 10_000)
    small = [cnn.ZeroPadding2D(0) for _ in range(4)]
    Sequential([Input((20, 20, 1)), *small])
    with pytest.raises(ValueError, match=f"sequential, lo que sale de sus capas{TOO_MUCH}"):
        Sequential([Input((20, 20, 1)), *(cnn.ZeroPadding2D(0) for _ in range(9))])
    with shapes_only():
        Sequential([Input((20, 20, 1)), *(cnn.ZeroPadding2D(0) for _ in range(9))])


def test_what_comes_out_is_counted_before_drawing_the_weights(monkeypatch):
    monkeypatch.setattr(check, "total_memory", lambda: 100_000)
    layer = cnn.Conv2D(4000, 1)
    with pytest.raises(ValueError, match=f"conv2d, la salida{TOO_MUCH}"):
        layer(np.ones((1, 8, 8, 1)))
    assert not layer.built


@pytest.mark.parametrize(
    "call",
    [
        lambda x, k: cnn.conv2d_forward(x, np.ones((1, 1, 1, 10**6))),
        lambda x, k: cnn.depthwise_conv2d_forward(x, np.ones((1, 1, 1, 10**6))),
        lambda x, k: cnn.conv2d_transpose_forward(x, k, strides=1000),
        lambda x, k: cnn.im2col(x, (8, 8), padding="same", strides=1),
        lambda x, k: cnn.correlate2d(x[0, ..., 0], k[..., 0, 0], padding=10**5),
        lambda x, k: cnn.correlate2d(x[0, ..., 0], k[..., 0, 0], padding=2**31 - 1, stride=2**31 - 1),
    ],
)
def test_facades_count_too(monkeypatch, call):
    monkeypatch.setattr(check, "total_memory", lambda: 25_000)
    with pytest.raises(ValueError, match=TOO_MUCH):
        call(np.ones((1, 8, 8, 1)), np.ones((3, 3, 1, 1)))


def test_the_whole_answer_is_counted(monkeypatch):
    model = Sequential([Input((1,)), Dense(100)])
    monkeypatch.setattr(check, "total_memory", lambda: 100_000)
    assert model.predict(np.ones((200, 1))).shape == (200, 100)
    with pytest.raises(ValueError, match=f"sequential, la salida{TOO_MUCH}"):
        model.predict(np.ones((300, 1)))
