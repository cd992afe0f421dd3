"""Las capas que preparan los datos dentro de la red, y lo que las rodea."""

import numpy as np
import pytest

from chapters.mlp import (
    Dense,
    Input,
    Normalization,
    Rescaling,
    Sequential,
    load_model,
    normalize,
    one_hot,
    pad_sequences,
    to_categorical,
)
from chapters.mlp.preprocessing import normalization
from dlbook.bridge import from_keras, to_keras
from tests.reference import oracle

RNG = np.random.default_rng(0)
DATA = RNG.normal(5, 3, size=(200, 4, 3))


def adapted(data, **arguments):
    layer = Normalization(dtype="float64", **arguments)
    layer.adapt(data)
    return layer


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), None])
def test_what_it_gives_has_mean_zero_and_variance_one_along_the_other_axes(axis):
    y = adapted(DATA, axis=axis).forward(DATA)
    own = [] if axis is None else [a % 3 for a in np.atleast_1d(axis)]
    others = tuple(a for a in range(3) if a not in own)
    np.testing.assert_allclose(y.mean(others), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(others), 1)
    np.testing.assert_allclose(adapted(DATA, axis=axis, invert=True).forward(y), DATA)


def test_pieces_batches_and_a_file_give_the_same(monkeypatch, tmp_path):
    whole = adapted(DATA)
    monkeypatch.setattr(normalization, "CHUNK", 100)
    file = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float64, DATA.shape)
    file[:] = DATA

    class Batches:
        def __len__(self):
            return 4

        def __getitem__(self, k):
            return DATA[50 * k : 50 * k + 50], np.zeros(50)

    for data in (DATA, DATA.tolist(), [DATA[:30], DATA[30:]], iter([DATA[:7], DATA[7:]]), file, Batches()):
        other = adapted(data)
        np.testing.assert_allclose(other.mean, whole.mean, rtol=1e-12)
        np.testing.assert_allclose(other.variance, whole.variance, rtol=1e-12)


def test_far_from_zero_the_variance_keeps_its_figures(monkeypatch):
    monkeypatch.setattr(normalization, "CHUNK", 60)
    np.testing.assert_allclose(adapted(DATA + 1e8).variance, adapted(DATA).variance, rtol=1e-6)


def test_what_does_not_vary_does_not_divide_by_zero():
    assert adapted(np.full((5, 2), 3.0)).forward([[3.0, 3.0]]).tolist() == [[0, 0]]


def test_one_column_may_be_written_as_a_vector():
    layer = Normalization(axis=None)
    layer.adapt(np.array([1.0, 1.0, 5.0, 5.0]))
    assert layer.forward([[5.0]]).tolist() == [[1.0]]


def test_in_a_network_it_is_not_learned_and_travels_with_the_file(tmp_path):
    layer = Normalization()
    layer.adapt(DATA[:, 0])
    model = Sequential([Input((3,)), layer, Dense(1)], seed=0)
    model.compile("sgd", "mse")
    before = layer.mean.copy()
    model.fit(DATA[:, 0], DATA[:, 0, :1], epochs=2, verbose=0)
    np.testing.assert_array_equal(layer.mean, before)
    assert len(layer.weights) == 3
    assert not layer.trainable_weights
    model.save(tmp_path / "red.safetensors")
    again = load_model(tmp_path / "red.safetensors")
    np.testing.assert_array_equal(again.predict(DATA[:, 0]), model.predict(DATA[:, 0]))
    # La capa dentro del modelo también se puede adaptar, y él lo nota.
    model.layers[0].adapt(2 * DATA[:, 0])
    assert not np.array_equal(again.predict(DATA[:, 0]), model.predict(DATA[:, 0]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Normalization(mean=1.0, variance=-1.0), "variance: se esperaban números de al menos 0"),
        (lambda: Normalization(mean=[1.0, 2.0], variance=1.0), "variance: se esperaba de forma"),
        (lambda: Normalization(axis=(1, 1)), "axis: se esperaban ejes distintos"),
        (lambda: Normalization(axis=0).build((3,)), "axis: se esperaba un eje que no sea el de las observaciones"),
        (lambda: Normalization(axis=1).build((None, 3)), "axis: se esperaba un eje que mida siempre lo mismo"),
        (lambda: Normalization(mean=[1.0, 2.0], variance=[1.0, 1.0]).build((3,)), "mean: se esperaba un número por"),
        (lambda: Normalization(mean=1.0, variance=1.0).adapt(DATA), "se esperaba una capa sin mean ni variance"),
        (lambda: Normalization().adapt([]), "data: se esperaba al menos una"),
        (lambda: Normalization().adapt(iter([])), "data: se esperaba al menos un lote"),
        (lambda: Normalization().adapt(None), "data: se esperaban números reales"),
        (lambda: Normalization().adapt("datos"), "data: se esperaban números reales"),
        (lambda: Normalization().adapt([[1.0, np.nan]]), "data: se esperaban números finitos"),
        (lambda: adapted(DATA).adapt(DATA[..., :2]), "data: se esperaba la forma"),
        (lambda: setattr(Normalization(), "mean", 3), "mean: solo se puede dar al crear"),
        (lambda: Rescaling([[1.0]]), "scale: se esperaba la forma"),
        (lambda: Rescaling("x"), "scale: se esperaba un número real"),
    ],
)
def test_nonsense_is_refused(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_classes_as_vectors_are_those_of_one_hot_with_any_shape():
    classes = RNG.integers(0, 5, (3, 4))
    vectors = to_categorical(classes, 6)
    assert vectors.shape == (3, 4, 6)
    np.testing.assert_array_equal(vectors.reshape(12, 6), one_hot(classes.reshape(-1), 6))
    np.testing.assert_array_equal(to_categorical(np.uint8([[4], [0]])), one_hot([4, 0]))
    assert to_categorical(2).tolist() == [0, 0, 1]


@pytest.mark.parametrize("x", [[-1], [0.5], [3], "a", None, [], [1e300], [np.nan]])
def test_what_is_not_a_class_is_refused(x):
    with pytest.raises((TypeError, ValueError), match=r"x: .*se esperab"):
        to_categorical(x, 3)


@pytest.mark.parametrize("order", [1, 2, 3.5, np.inf])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_normalized_vectors_measure_one(order, axis):
    x = RNG.normal(size=(4, 5))
    y = normalize(1e200 * x, axis, order)
    np.testing.assert_allclose(np.linalg.norm(y, order, axis), 1)
    np.testing.assert_allclose(y, normalize(1e-200 * x, axis, order))


def test_padding_agrees_with_its_definition():
    sequences = [[1, 2, 3, 4], [], [5, 6]]
    for padding in ("pre", "post"):
        for truncating in ("pre", "post"):
            table = pad_sequences(sequences, 3, "float32", padding, truncating, value=-1)
            for row, s in zip(table, sequences, strict=True):
                kept = s[-3:] if truncating == "pre" else s[:3]
                fill = [-1] * (3 - len(kept))
                assert row.tolist() == (fill + kept if padding == "pre" else kept + fill)
    assert pad_sequences([[], []]).shape == (2, 0)
    assert pad_sequences([["a"], ["b", "c"]], dtype=object, value="").tolist() == [["", "a"], ["b", "c"]]
    assert pad_sequences([np.ones((2, 3)), np.ones((1, 3))]).shape == (2, 2, 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2],), r"sequences\[0\]: se esperaba una lista"),
        (([],), "sequences: se esperaba al menos un elemento"),
        (([["a"]],), "sequences: se esperaban elementos y relleno que quepan en int32"),
        (([[2**40]],), "sequences: se esperaban elementos y relleno que quepan en int32"),
        (([[1]], 0), "maxlen: se esperaba un entero de al menos 1"),
        (([[1]], 2**62), "harían falta"),
        (([[1]], 2, "int32", "atrás"), "padding: se esperaba"),
        (([np.ones((1, 2)), np.ones((1, 3))],), r"sequences: se esperaban elementos de forma \(2,\)"),
        (([[1]], 2, "int32", "pre", "pre", [1, 2]), "value: se esperaba un solo valor"),
    ],
)
def test_padding_refuses_nonsense(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        pad_sequences(*arguments)


def test_utils_agree_with_keras():
    keras = pytest.importorskip("keras", reason="Keras no está instalado")
    x = RNG.integers(0, 5, (6, 1))
    np.testing.assert_array_equal(to_categorical(x), keras.utils.to_categorical(x))
    np.testing.assert_array_equal(to_categorical(x, 7), keras.utils.to_categorical(x, 7))
    v = RNG.normal(size=(4, 3))
    for order in (1, 2, 3):
        np.testing.assert_allclose(normalize(v, order=order), keras.utils.normalize(v, order=order))
    sequences = [[1, 2, 3, 4], [5], [6, 7]]
    for options in ({}, {"maxlen": 2}, {"maxlen": 3, "padding": "post", "truncating": "post", "value": 9}):
        np.testing.assert_array_equal(
            pad_sequences(sequences, **options), keras.utils.pad_sequences(sequences, **options)
        )


def test_the_layers_go_to_keras_and_back():
    pytest.importorskip("keras", reason="Keras no está instalado")
    layer = Normalization()
    layer.adapt(DATA)
    model = Sequential([Input((4, 3)), layer, Rescaling([1.0, 2.0, 3.0], 0.5), Dense(2)], seed=0)
    theirs = to_keras(model)
    np.testing.assert_allclose(theirs.predict(DATA, verbose=0), model.predict(DATA), atol=1e-4)
    np.testing.assert_array_equal(from_keras(theirs).predict(DATA), model.predict(DATA))
    again = oracle.keras("float32").layers.Normalization(axis=-1)
    again.adapt(DATA.astype(np.float32))
    np.testing.assert_allclose(np.ravel(again.mean), np.ravel(layer.mean), rtol=1e-5)
    np.testing.assert_allclose(np.ravel(again.variance), np.ravel(layer.variance), rtol=1e-4)
