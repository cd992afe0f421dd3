"""Las redes con nombre: sus cuentas exactas, sus formas, una imagen por cada una, y las capas que las componen."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.cnn import (
    AveragePooling2D,
    BatchNormalization,
    Branches,
    Conv2D,
    GlobalAveragePooling2D,
    MaxPooling2D,
    PartialConv2D,
    RadialBasis,
    Residual,
    ScaledTanh,
    SparseTopKCategoricalAccuracy,
    Subsampling2D,
    alexnet,
    conv2d_forward,
    conv_bn,
    digit_bitmaps,
    draw_architecture,
    googlenet,
    inception_block,
    inception_v3,
    lenet5,
    lenet5_1998,
    residual_block,
    resnet,
    vgg16,
)
from chapters.cnn.architectures.partial_conv2d import C3_TABLE
from chapters.introduction import historical_layers, layer_parameters
from chapters.mlp import (
    Activation,
    Adam,
    Dense,
    Input,
    Layer,
    Sequential,
    SparseCategoricalCrossentropy,
    load_model,
    shapes_only,
)
from dlbook.data import load_digits
from dlbook.gradcheck import check_gradients
from dlbook.saving import objects
from dlbook.training import walk


def outline(build, *arguments, **options):
    with shapes_only():
        return build(*arguments, **options)


def trainable(model):
    return sum(w.size for w in model.trainable_weights)


def products(model):
    return sum(layer.work() for layer in walk(model) if isinstance(layer, (Conv2D, PartialConv2D, Dense)))


# --- Cuentas ---

# Los que se entrenan, los que se publicaron, y las multiplicaciones en miles de millones.
PUBLISHED = {
    "LeNet-5": (lenet5_1998, 60_000, 60_000, 0.0),
    "LeNet-5 de hoy": (lenet5, 61_706, 61_706, 0.0),
    "AlexNet": (alexnet, 60_965_224, 60_965_224, 0.7),
    "VGG16": (vgg16, 138_357_544, 138_357_544, 15.5),
    "GoogLeNet": (googlenet, 6_998_552, 6_998_552, 1.6),
    "Inception v3": (inception_v3, 23_817_352, 23_851_784, 5.7),
    "ResNet-18": (lambda: resnet(18), 11_689_512, None, 1.8),
    "ResNet-34": (lambda: resnet(34), 21_797_672, None, 3.7),
    "ResNet-50": (lambda: resnet(50), 25_557_032, None, 3.9),
    "ResNet-101": (lambda: resnet(101), 44_549_160, None, 7.6),
    "ResNet-152": (lambda: resnet(152), 60_192_808, None, 11.3),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_and_work_are_the_published_ones(name):
    build, learned, total, work = PUBLISHED[name]
    model = outline(build)
    assert trainable(model) == learned
    assert total is None or model.count_params() == total
    assert round(products(model) / 1e9, 1) == work


@pytest.mark.parametrize("name", ["LeNet-5", "AlexNet", "VGG16", "GoogLeNet", "ResNet-152"])
def test_parameters_agree_with_the_table_of_the_introduction(name):
    assert trainable(outline(PUBLISHED[name][0])) == sum(layer_parameters(*row[1:]) for row in historical_layers(name))


def test_the_paper_gives_the_parameters_of_each_layer_of_lenet():
    counts = {layer.name: layer.count_params() for layer in lenet5_1998().layers if layer.count_params()}
    assert counts == {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164}


def test_the_paper_gives_the_connections_of_each_layer_of_lenet():
    # Cada neurona cuenta sus entradas y su sesgo.
    model = lenet5_1998()
    sizes = {layer.name: layer.compute_output_shape(layer.input_shape) for layer in model.layers}
    assert sizes["c1"] == (28, 28, 6)
    assert 28 * 28 * 6 * 26 == 122_304
    assert sizes["s2"] == (14, 14, 6)
    assert 14 * 14 * 6 * 5 == 5_880
    assert sizes["c3"] == (10, 10, 16)
    assert model.layers[4].count_params() * 100 == 151_600
    assert sizes["c5"] == (1, 1, 120)


def side_by_block(model):
    return [layer.compute_output_shape(layer.input_shape) for layer in model.layers if isinstance(layer, Branches)]


def test_shapes_of_the_blocks_are_the_published_ones():
    model = outline(googlenet)
    assert side_by_block(model) == [
        *((28, 28, c) for c in (256, 480)),
        *((14, 14, c) for c in (512, 512, 512, 528, 832)),
        *((7, 7, c) for c in (832, 1024)),
    ]
    model = outline(inception_v3)
    assert side_by_block(model) == [
        *((35, 35, c) for c in (256, 288, 288)),
        *((17, 17, 768),) * 5,
        *((8, 8, c) for c in (1280, 2048, 2048)),
    ]
    blocks = [layer for layer in outline(resnet, 50).layers if isinstance(layer, Residual)]
    shapes = [layer.compute_output_shape(layer.input_shape) for layer in blocks]
    assert shapes == [(56, 56, 256)] * 3 + [(28, 28, 512)] * 4 + [(14, 14, 1024)] * 6 + [(7, 7, 2048)] * 3


def test_only_shapes_costs_no_memory_and_cannot_be_used():
    model = outline(vgg16)
    assert sum(w.base.nbytes if w.base is not None else w.nbytes for w in model.weights) < 1000
    with pytest.raises(ValueError, match="shapes_only"):
        model.forward(np.zeros((1, 224, 224, 3)))
    uses = [
        lambda: model.compile(loss="mse"),
        lambda: model.theta,
        lambda: model.predict(np.zeros((1, 224, 224, 3))),
        lambda: model.layers[0].set_weights([np.zeros((3, 3, 3, 64)), np.zeros(64)]),
        lambda: model.save("red.safetensors"),
    ]
    for use in uses:
        with pytest.raises(ValueError, match="shapes_only"):
            use()
    # Al salir, todo vuelve a ser de verdad.
    assert Sequential([Input((3,)), Dense(2)]).forward(np.ones((1, 3))).shape == (1, 2)


def test_only_shapes_ends_even_if_building_fails():
    layer = Dense(2)
    with pytest.raises(ValueError, match="dos distintas"), shapes_only():
        Sequential([layer, layer])
    assert Sequential([Input((3,)), Dense(2)]).layers[0].kernel.flags.writeable


# --- Como las de Keras ---

KERAS = json.loads(
    (Path(__file__).resolve().parents[2] / "reference" / "cnn_architectures.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", KERAS)
def test_the_answer_is_the_one_of_keras_with_the_same_weights(name):
    from tests.reference.make_cnn_architectures_reference import NETWORKS, fill

    build, _ = NETWORKS[name]
    model = build(dtype="float64")
    x = fill(model)
    for layer in walk(model):
        if name == "ResNet50" and isinstance(layer, BatchNormalization):
            layer.epsilon = 1.001e-5
    assert np.allclose(model.forward(x), KERAS[name]["y"], rtol=1e-7, atol=1e-9)


def test_parameters_are_those_of_keras():
    total, learned = KERAS["InceptionV3"]["parameters"]
    assert [outline(inception_v3).count_params(), trainable(outline(inception_v3))] == [total, learned]
    assert outline(vgg16).count_params() == KERAS["VGG16"]["parameters"][0]
    # La ResNet de Keras tiene además un sesgo por canal en cada convolución, y en el total, lo que recuerda cada canal.
    model = outline(resnet, 50)
    channels = sum(layer.filters for layer in walk(model) if isinstance(layer, Conv2D))
    assert trainable(model) + channels == KERAS["ResNet50"]["parameters"][1]
    assert model.count_params() + channels == KERAS["ResNet50"]["parameters"][0]


# --- Una imagen por cada red ---


@pytest.mark.parametrize(
    ("build", "size"),
    [
        (lenet5_1998, (32, 32, 1)),
        (lenet5, (28, 28, 1)),
        (googlenet, (224, 224, 3)),
        (inception_v3, (299, 299, 3)),
        (lambda **o: resnet(18, **o), (224, 224, 3)),
    ],
    ids=["lenet5_1998", "lenet5", "googlenet", "inception_v3", "resnet18"],
)
def test_an_image_goes_through(build, size):
    model = build(seed=0)
    p = model.forward(np.random.default_rng(0).random((1, *size), dtype="float32"))
    assert np.isfinite(p).all()
    if size[-1] == 3:
        assert p.shape == (1, 1000)
        assert np.isclose(p.sum(), 1, atol=1e-4)
    else:
        assert p.shape == (1, 10)


@pytest.mark.parametrize("build", [alexnet, vgg16], ids=["alexnet", "vgg16"])
def test_an_image_goes_through_the_heavy_ones_layer_by_layer(build):
    # Capa por capa, de una en una: nunca están en memoria los cientos de millones de pesos a la vez.
    model = outline(build)
    x = np.random.default_rng(0).random((1, *model.input_shape), dtype="float32")
    for layer in model.layers:
        if isinstance(layer, Dense) and layer.input_shape[0] > 4096:
            # La única de cientos de megas: basta con unas cuantas de sus neuronas.
            x = np.tile(Dense(64, "relu", seed=0).forward(x), 64)
            continue
        # La misma capa, con pesos de verdad.
        fresh = objects.rebuild(objects.describe(layer))
        x = fresh.forward(x)
        assert x.shape[1:] == layer.compute_output_shape(layer.input_shape)
        assert np.isfinite(x).all()
    assert x.shape == (1, 1000)


def test_a_small_resnet_learns_the_digits():
    (x, y), (x_new, y_new) = load_digits()
    x, x_new = (a[..., np.newaxis] / np.float32(16) for a in (x, x_new))
    blocks = [residual_block(8), residual_block(16, strides=2, project=True)]
    model = Sequential([Input((8, 8, 1)), *conv_bn(8, 3), *blocks, GlobalAveragePooling2D(), Dense(10)], seed=0)
    model.compile(Adam(1e-2), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.fit(x, y, batch_size=32, epochs=6, verbose=0)
    assert model.evaluate(x_new, y_new, verbose=0)[1] > 0.9


def test_a_network_with_blocks_is_saved_and_loaded(tmp_path):
    layers = [*conv_bn(4, 3), residual_block(4), inception_block(2, 2, 2, 2, 2, 2), GlobalAveragePooling2D(), Dense(3)]
    model = Sequential([Input((6, 6, 2)), *layers], seed=0)
    x = np.random.default_rng(0).random((3, 6, 6, 2), dtype="float32")
    model.save(tmp_path / "red.safetensors")
    assert np.array_equal(load_model(tmp_path / "red.safetensors").forward(x), model.forward(x))
    old = lenet5_1998(seed=0)
    old.save(tmp_path / "lenet.safetensors")
    x = np.random.default_rng(0).random((1, 32, 32, 1), dtype="float32")
    assert np.array_equal(load_model(tmp_path / "lenet.safetensors").forward(x), old.forward(x))


def test_threads_do_not_change_what_a_residual_network_learns():
    from dlbook.numeric.parallel import get_threads, set_threads

    def learn():
        layers = [residual_block(2), Branches([Conv2D(2, 1), Conv2D(3, 1)]), GlobalAveragePooling2D(), Dense(3)]
        model = Sequential([Input((6, 6, 2)), *layers], dtype="float64", seed=0)
        model.compile(Adam(1e-2), SparseCategoricalCrossentropy(from_logits=True))
        rng = np.random.default_rng(0)
        model.fit(rng.normal(size=(64, 6, 6, 2)), rng.integers(3, size=64), batch_size=16, epochs=2, verbose=0)
        return model.theta.copy()

    before = get_threads()
    try:
        set_threads(1)
        one = learn()
        set_threads(2)
        assert np.allclose(learn(), one, rtol=1e-6, atol=1e-9)
    finally:
        set_threads(before)


# --- Gradientes ---

CASES = {
    "bloque de ResNet": (lambda: smooth(residual_block(3)), (5, 5, 3)),
    "bloque que cambia de etapa": (lambda: smooth(residual_block(4, strides=2, project=True)), (6, 6, 3)),
    "cuello de botella": (lambda: smooth(residual_block(2, bottleneck=True, project=True)), (4, 4, 3)),
    "inception": (lambda: smooth(inception_block(2, 2, 3, 2, 2, 2)), (5, 5, 3)),
}


def smooth(block):
    # Sin picos: cada ReLU se cambia por una tangente, y el máximo, por el promedio.
    for layer in walk(block):
        if getattr(layer, "activation", None) is not None:
            layer.activation = Activation("tanh").activation
        for k, inner in enumerate(layer.layers):
            if isinstance(inner, MaxPooling2D):
                layer.layers[k] = AveragePooling2D(3, strides=1, padding="same")
    return block


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("training", [False, True])
def test_the_gradient_is_the_measured_one_with_a_layer_behind(name, training):
    build, shape = CASES[name]
    behind = Conv2D(shape[-1], 1) if len(shape) == 3 else Dense(shape[-1])
    model = Sequential([Input(shape), behind, build()], dtype="float64", seed=0)
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, *shape))
    if not training:
        # Que la normalización tenga algo que recordar.
        model.forward(x, training=True)
    for w in model.trainable_weights:
        w += 0.3 * rng.normal(size=w.shape)
    state = [w.copy() for w in model.non_trainable_weights]
    dy = rng.normal(size=model.forward(x, training).shape)

    def loss():
        for w, before in zip(model.non_trainable_weights, state, strict=True):
            w[...] = before
        return float((model.forward(x, training) * dy).sum())

    loss()
    dx = model.backward(dy)
    parameters = {"x": x} | {f"w{k}": w for k, w in enumerate(model.trainable_weights)}
    gradients = {"x": dx} | {f"w{k}": g.copy() for k, g in enumerate(model.gradients)}
    report = check_gradients(loss, parameters, gradients, rtol=1e-5, atol=1e-7)
    assert report.ok, str(report)


# --- Piezas ---


def test_the_table_of_c3_is_the_papers():
    sizes = [len(row) for row in C3_TABLE]
    assert sizes == [3] * 6 + [4] * 9 + [6]
    assert len(set(C3_TABLE)) == 16
    # Cada mapa de S2 entra a diez de los dieciséis.
    assert [sum(c in row for row in C3_TABLE) for c in range(6)] == [10] * 6
    # Los seguidos lo son en círculo; los salteados son dos parejas.
    circle = {tuple(sorted((s + k) % 6 for k in range(n))) for n in (3, 4) for s in range(6)}
    assert set(C3_TABLE[:12]) == circle


def test_a_partial_convolution_is_a_full_one_with_holes():
    rng = np.random.default_rng(0)
    layer = PartialConv2D(C3_TABLE, 5, dtype="float64", seed=0)
    x = rng.normal(size=(2, 14, 14, 6))
    y = layer.forward(x)
    k = 0
    for f, row in enumerate(C3_TABLE):
        alone = conv2d_forward(x[..., list(row)], layer.kernel[:, :, np.newaxis, k : k + len(row)].swapaxes(2, 3))
        assert np.allclose(y[..., f], alone[..., 0])
        k += len(row)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9), st.integers(1, 3), st.integers(0, 99))
def test_subsampling_is_a_scaled_mean(k, height, width, channels, seed):
    x = np.random.default_rng(seed).normal(size=(2, height, width, channels))
    layer = Subsampling2D(k, dtype="float64")
    if min(height, width) < k:
        with pytest.raises(ValueError, match="al menos"):
            layer.forward(x)
        return
    layer.build(x.shape[1:])
    layer.set_weights([np.full(channels, 1 / k**2), np.zeros(channels)])
    assert np.allclose(layer.forward(x), AveragePooling2D(k, dtype="float64").forward(x))


def test_the_drawings_of_the_digits_are_all_different_and_binary():
    flat = digit_bitmaps().reshape(10, 84)
    assert set(np.unique(flat)) == {-1, 1}
    distances = ((flat[:, None] - flat) ** 2).sum(-1)
    assert distances[~np.eye(10, dtype=bool)].min() >= 4 * 4


def test_the_radial_output_prefers_the_closest_drawing():
    flat = digit_bitmaps().reshape(10, 84)
    layer = RadialBasis(flat)
    assert (layer.forward(0.6 * flat).argmax(1) == np.arange(10)).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 99))
def test_top_k_is_what_sorting_says(k, n, seed):
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(n, 7)), rng.integers(7, size=n)
    best = np.argsort(-scores, axis=1)[:, :k]
    expected = np.mean([label in row for label, row in zip(labels, best, strict=True)])
    assert np.isclose(SparseTopKCategoricalAccuracy(k)(labels, scores), expected)


def test_top_k_works_as_a_metric_of_a_model():
    model = Sequential([Input((4,)), Dense(7)], seed=0)
    model.compile(loss=SparseCategoricalCrossentropy(from_logits=True), metrics=[SparseTopKCategoricalAccuracy(7)])
    rng = np.random.default_rng(0)
    assert model.evaluate(rng.normal(size=(9, 4)), rng.integers(7, size=9))[1] == 1


def test_the_drawing_names_every_layer():
    ax = draw_architecture(outline(resnet, 152))
    texts = [text.get_text() for text in ax.texts]
    assert texts[2:4] == ["conv 7×7, paso 2", "112 × 112 × 64"]
    assert [t for t in texts if "residual" in t] == [
        *("bloque residual, ×3", "bloque residual, ×8", "bloque residual, ×36", "bloque residual, ×3"),
    ]
    with pytest.raises(TypeError, match="se esperaba un Sequential"):
        draw_architecture(3)
    with pytest.raises(ValueError, match="no está construida"):
        draw_architecture(Sequential([Dense(2)]))


# --- Disparates ---


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Residual("relu"), "main: se esperaba una capa"),
        (lambda: Residual(Dense(2), "identidad"), "shortcut: se esperaba una capa"),
        (lambda: Residual(Dense(3)).build((2,)), "han de ser iguales"),
        (lambda: Residual(Conv2D(2, 3)).build((5, 5, 2)), "han de ser iguales"),
        (lambda: Residual(Dense(3)).forward(np.ones((2, 4))), "han de ser iguales"),
        (lambda: Branches([(same := Dense(2)), [Dense(3), same]]), "repetida"),
        (lambda: Branches([Dense(2, name="a"), Dense(3, name="a")]), "hay dos capas 'a'"),
        (lambda: Branches([Dense(2), Dense(3, name="dense")]), "hay dos capas 'dense'"),
        (lambda: Residual(Dense(2, name="a"), Dense(2, name="a")), "hay dos capas 'a'"),
        (lambda: Branches([]), "al menos una rama"),
        (lambda: Branches(Dense(2)), "al menos una rama"),
        (lambda: Branches([Conv2D(2, 3), Conv2D(2, 1)]).build((5, 5, 1)), "último eje"),
        (lambda: PartialConv2D([], 3), "table"),
        (lambda: PartialConv2D([(0,), ()], 3), r"table\[1\]"),
        (lambda: PartialConv2D([(0, 0)], 3), "repetido"),
        (lambda: PartialConv2D([(0, -1)], 3), r"table\[0\]"),
        (lambda: PartialConv2D([(3,)], 3).build((5, 5, 2)), "entre 0 y 1"),
        (lambda: PartialConv2D([(0,)], 6).build((5, 5, 2)), "."),
        (lambda: PartialConv2D([(0,)], 2).build((5,)), "alto, ancho, canales"),
        (lambda: Subsampling2D(0), "pool_size"),
        (lambda: Subsampling2D(2).build((4, 4)), "canales"),
        (lambda: RadialBasis([1, 2]), "prototypes"),
        (lambda: RadialBasis([[1, float("nan")]]), "prototypes"),
        (lambda: RadialBasis([[1, 2]]).build((3,)), "como los modelos"),
        (lambda: ScaledTanh(scale=0), "scale"),
        (lambda: SparseTopKCategoricalAccuracy(0), "k"),
        (lambda: SparseTopKCategoricalAccuracy(2)([7], [[0.1, 0.9]]), "y_true"),
        (lambda: resnet(20), "depth"),
        (lambda: resnet(18.0), "depth"),
        (lambda: outline(vgg16, (20, 20, 3)), "."),
        (lambda: outline(alexnet, (3,)), "."),
    ],
)
def test_nonsense_gets_a_clear_error(build, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build()


def test_a_layer_of_ones_own_can_be_a_branch():
    class Twice(Layer):
        def forward(self, x, training=False):
            self.y = 2 * self.ready(x)
            return self.y

        def backward(self, dy):
            return 2 * self.output_gradient(dy)

    layer = Branches([Twice(), Residual(Twice())], dtype="float64")
    assert layer.forward([[1.0]]).tolist() == [[2.0, 3.0]]
    assert layer.backward([[1.0, 10.0]]).tolist() == [[32.0]]


def test_batch_normalization_inside_a_block_uses_its_own_statistics():
    block = residual_block(3)
    block.build((4, 4, 3))
    norms = [layer for layer in walk(block) if isinstance(layer, BatchNormalization)]
    before = [layer.moving_mean.copy() for layer in norms]
    block.forward(np.random.default_rng(0).random((8, 4, 4, 3)), training=True)
    assert all((layer.moving_mean != b).any() for layer, b in zip(norms, before, strict=True))
