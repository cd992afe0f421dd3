"""Aumento de datos: contra definiciones independientes, diferencias finitas y Keras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from chapters.cnn import (
    CenterCrop,
    RandomBrightness,
    RandomContrast,
    RandomCrop,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
    Resizing,
    UpSampling2D,
    affine_transform,
)
from chapters.mlp import Adam, Dense, Flatten, Input, Model, Sequential
from dlbook import saving
from tests.reference import oracle

MODES = {"constant": "grid-constant", "nearest": "nearest", "reflect": "reflect"}
IDENTITY = np.eye(2, 3)


@settings(deadline=None, max_examples=60)
@given(
    h=st.integers(1, 6),
    w=st.integers(1, 6),
    channels=st.integers(1, 3),
    mode=st.sampled_from(list(MODES)),
    seed=st.integers(0, 2**32),
)
def test_agrees_with_scipy(h, w, channels, mode, seed):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(2, h, w, channels))
    transform = rng.normal(size=(2, 2, 3)) * [1, 1, 4]
    y = affine_transform(images, transform, mode, fill_value=0.5)
    for k in range(2):
        # scipy cuenta primero la fila y después la columna.
        matrix, offset = transform[k, ::-1, :2][:, ::-1], transform[k, ::-1, 2]
        for c in range(channels):
            expected = ndimage.affine_transform(
                images[k, ..., c], matrix, offset, order=1, mode=MODES[mode], cval=0.5, prefilter=False
            )
            np.testing.assert_allclose(y[k, ..., c], expected, atol=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_the_identity_changes_nothing_and_an_average_stays_inside(mode):
    rng = np.random.default_rng(0)
    images = rng.uniform(size=(3, 5, 4, 2)).astype(np.float32)
    assert (affine_transform(images, IDENTITY, mode) == images).all()
    y = affine_transform(images, rng.normal(size=(3, 2, 3)), mode)
    assert y.dtype == np.float32
    assert 0 <= y.min() <= y.max() <= 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("huge", [1e300, -1e300, 1e18, 1.7e308])
def test_enormous_coordinates_never_leave_the_image(mode, huge):
    images = np.arange(1.0, 13.0).reshape(1, 3, 4, 1)
    for transform in ([[huge, -huge, huge], [-huge, huge, 0]], [[1, 0, huge], [0, 1, 0]]):
        y = affine_transform(images, transform, mode, fill_value=5)
        assert ((y >= 1) & (y <= 12)).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((4, 4)), IDENTITY), r"images: se esperaba la forma \(n, h, w, c\)"),
        ((np.full((1, 2, 2, 1), np.nan), IDENTITY), "images: se esperaban números finitos"),
        ((np.zeros((2, 3, 3, 1)), np.zeros((3, 2, 3))), r"transform: se esperaba la forma \(n=2, 2, 3\)"),
        ((np.zeros((1, 3, 3, 1)), np.full((2, 3), np.inf)), "transform: se esperaban números finitos"),
        ((np.zeros((1, 3, 3, 1)), IDENTITY, "wrap"), "fill_mode: se esperaba 'constant' o 'nearest' o 'reflect'"),
        ((np.zeros((1, 3, 3, 1)), IDENTITY, "constant", np.nan), "fill_value"),
    ],
)
def test_bad_input_is_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        affine_transform(*arguments)


LAYERS = {
    "translation": lambda **o: RandomTranslation(0.3, (-0.2, 0.4), **o),
    "translation, constant": lambda **o: RandomTranslation(0.3, 0.3, "constant", fill_value=0.7, **o),
    "rotation": lambda **o: RandomRotation(0.1, **o),
    "flip": lambda **o: RandomFlip(**o),
    "zoom": lambda **o: RandomZoom(0.3, **o),
    "brightness": lambda **o: RandomBrightness(0.3, (0, 1), **o),
    "contrast": lambda **o: RandomContrast(0.3, (0, 1), **o),
}


@pytest.mark.parametrize("name", LAYERS)
def test_only_acts_while_training_and_the_seed_decides(name):
    x = np.random.default_rng(0).uniform(size=(8, 6, 6, 1)).astype(np.float32)
    layer = LAYERS[name](seed=1)
    assert (layer.forward(x) == x).all()
    assert (layer.backward(x) == x).all()
    assert (layer(x, training=False) == x).all()
    first, second = layer(x, training=True), layer(x, training=True)
    assert not np.array_equal(first, second)
    # Suelta, transforma: es lo que hace Keras.
    assert np.array_equal(first, LAYERS[name](seed=1)(x))
    model = Sequential([LAYERS[name](seed=1), Flatten()])
    assert (model(x) == x.reshape(8, -1)).all()
    assert not np.array_equal(first, LAYERS[name](seed=2)(x, training=True))


def test_flips_are_fair_and_exact():
    x = np.random.default_rng(0).normal(size=(2000, 3, 4, 1)).astype(np.float32)
    y = RandomFlip(seed=0)(x, training=True)
    variants = [x, x[:, :, ::-1], x[:, ::-1], x[:, ::-1, ::-1]]
    counts = [int((y == v).all(axis=(1, 2, 3)).sum()) for v in variants]
    assert sum(counts) == 2000
    assert min(counts) > 430


def test_translations_cover_the_range():
    ramp = np.tile(np.arange(40.0), (2000, 1, 1))[..., None]
    layer = RandomTranslation(0, 0.1, "nearest", "bilinear", 0, dtype="float64")
    moved = 20 - layer(ramp, training=True)[:, 0, 20, 0]
    assert -4 <= moved.min() < -3.9
    assert 3.9 < moved.max() <= 4
    assert abs(moved.mean()) < 0.2


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RandomTranslation(2, 0), "height_factor: se esperaba un número de al menos -1 y de a lo sumo 1"),
        (lambda: RandomTranslation(0, (0.1, 0.2, 0.3)), "width_factor: se esperaba un número o un par"),
        (lambda: RandomRotation(np.nan), "factor: se esperaba un número finito"),
        (lambda: RandomFlip("diagonal"), "mode: se esperaba 'horizontal_and_vertical'"),
        (lambda: RandomFlip()(np.zeros((2, 3, 3))), r"x: se esperaba la forma \(n, alto, ancho, canales\)"),
    ],
)
def test_layers_reject_nonsense(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_inside_a_network_it_trains_is_saved_and_is_repeatable(tmp_path):
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(64, 6, 6, 1)), rng.integers(0, 3, 64)

    def trained():
        layers = [
            Input((6, 6, 1)),
            RandomTranslation(0.1, 0.1),
            RandomRotation(0.02),
            RandomFlip(),
            Flatten(),
            Dense(3),
        ]
        model = Sequential(layers, seed=0)
        model.compile(Adam(), "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=16, epochs=2, verbose=0)
        return model

    model = trained()
    assert (model.theta == trained().theta).all()
    model.save(tmp_path / "red.safetensors")
    copy = saving.load(tmp_path / "red.safetensors")
    assert (copy.predict(x) == model.predict(x)).all()
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]


def test_agrees_with_keras():
    pytest.importorskip("keras", reason="Keras no está instalado")
    keras = oracle.keras("float32")
    x = np.random.default_rng(0).uniform(size=(2, 7, 5, 3)).astype(np.float32)
    for mode in MODES:
        options = {"fill_mode": mode, "fill_value": 0.25}
        pairs = [
            (
                RandomTranslation((0.2, 0.2), (-0.3, -0.3), **options),
                keras.layers.RandomTranslation,
                ((0.2, 0.2), (-0.3, -0.3)),
            ),
            (RandomRotation((0.07, 0.07), **options), keras.layers.RandomRotation, ((0.07, 0.07),)),
        ]
        for ours, theirs, arguments in pairs:
            expected = np.asarray(theirs(*arguments, **options)(x, training=True))
            np.testing.assert_allclose(ours(x, training=True), expected, atol=1e-4)


def test_light_is_drawn_once_per_image_from_the_whole_interval():
    x = np.tile(np.array([[[[100.0], [110.0]]]], np.float32), (2000, 1, 1, 1))
    y = RandomBrightness((-0.1, 0.2), seed=0)(x)
    added = y[..., 0] - x[..., 0]
    np.testing.assert_allclose(added[..., 0], added[..., 1], atol=1e-4)
    assert -25.5 <= added.min() < -25
    assert 50.5 < added.max() <= 51
    z = RandomContrast(0.3, seed=0)(x)
    contrast = np.diff(z[..., 0], axis=-1) / 10
    np.testing.assert_allclose(z.mean(axis=(1, 2, 3)), 105, rtol=1e-5)
    assert 0.7 <= contrast.min() < 0.705
    assert 1.295 < contrast.max() <= 1.3


def test_no_pixel_leaves_its_range_and_the_clipped_ones_have_no_gradient():
    x = np.random.default_rng(0).uniform(size=(50, 3, 3, 2))
    for layer in (RandomBrightness(1.0, (0, 1), seed=0), RandomContrast(1.0, (1, 0), seed=0)):
        layer.build(x.shape[1:])
        y = layer.forward(x, training=True)
        assert y.min() == 0
        assert y.max() == 1
    layer = RandomBrightness(1.0, (0, 1), seed=0)
    y = layer(x)
    np.testing.assert_array_equal(layer.backward(np.ones(x.shape)) == 0, (y == 0) | (y == 1))


def test_zoom_without_a_width_does_not_deform():
    disc = np.hypot(*np.mgrid[-20:21, -20:21])[None, ..., None] < 10
    y = RandomZoom((-0.4, 0.4), seed=3, fill_mode="constant")(np.tile(disc, (20, 1, 1, 1)).astype(np.float32))
    areas = y.sum(axis=(1, 2, 3))
    assert areas.max() / areas.min() > 2
    np.testing.assert_allclose(y, y.swapaxes(1, 2), atol=1e-4)


def test_a_random_crop_is_a_window_and_all_of_them_come_out():
    x = np.arange(30.0).reshape(1, 5, 6, 1)
    layer = RandomCrop(3, 4, seed=0, dtype="float64")
    y = layer(np.tile(x, (500, 1, 1, 1)))
    corners = {(int(c[0, 0, 0]) // 6, int(c[0, 0, 0]) % 6) for c in y}
    assert corners == {(i, j) for i in range(3) for j in range(3)}
    for crop in y:
        i, j = divmod(int(crop[0, 0, 0]), 6)
        np.testing.assert_array_equal(crop, x[0, i : i + 3, j : j + 4])
    # Al predecir, la mayor ventana de las mismas proporciones, llevada al tamaño.
    np.testing.assert_array_equal(
        layer(x, training=False), Resizing(3, 4, crop_to_aspect_ratio=True, dtype="float64")(x)
    )
    # La que no cabe, también al entrenar.
    small = np.arange(4.0).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(layer(small), layer(small, training=False))


@pytest.mark.parametrize("aspect", [False, True])
def test_resizing_by_a_whole_number_is_upsampling_and_cropping_keeps_the_proportions(aspect):
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2))
    for interpolation in ("nearest", "bilinear"):
        ours = Resizing(6, 8, interpolation, aspect, dtype="float64")(x)
        np.testing.assert_allclose(ours, UpSampling2D(2, interpolation=interpolation, dtype="float64")(x))
    square = Resizing(3, 3, crop_to_aspect_ratio=True, dtype="float64")(x)
    np.testing.assert_array_equal(square, x[:, :, :3])
    np.testing.assert_array_equal(CenterCrop(1, 2, dtype="float64")(x), x[:, 1:2, 1:3])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: RandomZoom(1.5), "height_factor: se esperaba un número de al menos -1"),
        (lambda: RandomBrightness((0, 2)), "factor: se esperaba un número de al menos -1"),
        (lambda: RandomBrightness(0.1, (0,)), "value_range: se esperaban 2 elementos"),
        (lambda: RandomContrast(-0.1), "factor: se esperaba un número de al menos 0"),
        (lambda: RandomContrast((-0.9, 0.1)), r"factor: se esperaba un par \(a, b\)"),
        (lambda: RandomCrop(0, 3), "height: se esperaba un entero de al menos 1"),
        (lambda: Resizing(3, 3, "bicubic"), "interpolation: se esperaba 'bilinear' o 'nearest'"),
        (lambda: Resizing(3, 3, antialias=True), "antialias: esta opción de Keras no existe"),
        (lambda: CenterCrop(3, 3)(np.zeros((2, 3, 3))), r"x: se esperaba la forma \(n, alto, ancho, canales\)"),
    ],
)
def test_new_layers_reject_nonsense(build, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build()


def test_draws_have_the_distribution_of_keras():
    pytest.importorskip("keras", reason="Keras no está instalado")
    layers = oracle.keras("float32").layers
    x = np.random.default_rng(0).uniform(0, 255, size=(1, 4, 4, 1)).astype(np.float32)
    many = np.tile(x, (4000, 1, 1, 1))
    for ours, theirs in (
        (RandomBrightness((-0.1, 0.3), seed=0), layers.RandomBrightness((-0.1, 0.3), seed=0)),
        (RandomContrast((0.2, 0.4), seed=0), layers.RandomContrast((0.2, 0.4), seed=0)),
        (RandomZoom(0.3, seed=0), layers.RandomZoom(0.3, seed=0)),
        (RandomZoom((0.1, 0.4), (-0.4, 0), seed=0), layers.RandomZoom((0.1, 0.4), (-0.4, 0), seed=0)),
    ):
        one, other = ours(many), np.asarray(theirs(many, training=True))
        np.testing.assert_allclose(one.mean(axis=0), other.mean(axis=0), atol=3)
        np.testing.assert_allclose(one.std(axis=0), other.std(axis=0), atol=3)
        np.testing.assert_allclose(np.quantile(one, [0, 1]), np.quantile(other, [0, 1]), atol=3)


@pytest.mark.parametrize(
    "make",
    [RandomFlip, lambda: RandomRotation(0.3), lambda: RandomContrast(0.5), lambda: RandomCrop(4, 4)],
)
def test_inside_a_network_it_acts_only_when_the_network_trains(make):
    x = np.random.default_rng(0).random((6, 5, 5, 1), dtype="float32")

    class Own(Model):
        def __init__(self):
            super().__init__(seed=0)
            self.inner = make()

        def call(self, x):
            return self.inner(x)

    entry = Input((5, 5, 1))
    for model in Own(), Model(entry, make()(entry), seed=0):
        still = model.predict(x, verbose=0)
        np.testing.assert_array_equal(still, make()(x, training=False))
        np.testing.assert_array_equal(still, model(x))
        assert not np.array_equal(still, model(x, training=True))
    always = Model(entry, make()(entry, training=True), seed=0)
    assert not np.array_equal(still, always.predict(x, verbose=0))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda f: RandomTranslation(f, 0.0, seed=0), "height_factor"),
        (lambda f: RandomTranslation(0.0, f, seed=0), "width_factor"),
        (lambda f: RandomRotation(f, seed=0), "factor"),
        (lambda f: RandomZoom(f, seed=0), "height_factor"),
        (lambda f: RandomZoom(0.0, f, seed=0), "width_factor"),
        (lambda f: RandomBrightness(f, (0, 1), seed=0), "factor"),
        (lambda f: RandomContrast(f, (0, 1), seed=0), "factor"),
    ],
)
def test_another_factor_counts_from_then_on(make, name):
    x = np.random.default_rng(0).random((4, 8, 8, 1)).astype(np.float32)
    layer = make(0.0)
    assert np.allclose(layer(x, training=True), x, atol=1e-6)
    setattr(layer, name, 0.4)
    changed = layer(x, training=True)
    assert not np.allclose(changed, x, atol=1e-3)
    with pytest.raises(ValueError, match=f"{name}: se esperaba un número de al menos"):
        setattr(layer, name, 3.0)
    assert getattr(layer, name) == 0.4
    setattr(layer, name, [0.0, 0.2])
    assert getattr(layer, name) == (0.0, 0.2)
    setattr(layer, name, 0)
    assert np.allclose(layer(x, training=True), x, atol=1e-6)


def test_another_factor_counts_in_the_next_fit():
    def trained(*factors):
        model = Sequential([Input((8, 8, 1)), RandomTranslation(0.0, 0.0, seed=0), Flatten(), Dense(1)], seed=0)
        model.compile("adam", "mean_squared_error")
        rng = np.random.default_rng(0)
        x, y = rng.random((16, 8, 8, 1)).astype(np.float32), np.ones((16, 1), np.float32)
        for factor in factors:
            model.layers[0].height_factor = factor
            model.fit(x, y, batch_size=4, epochs=3, verbose=0)
        return model.get_weights()[0]

    still, moved = trained(0.0, 0.0), trained(0.0, (0.3, 0.3))
    assert not np.allclose(still, moved)
