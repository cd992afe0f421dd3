"""Las pérdidas: valen lo que las de Keras, su gradiente es el de verdad y repartir el lote no cambia la suma."""

import inspect
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp import losses
from chapters.mlp.activations import sigmoid, softmax
from chapters.mlp.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanAbsoluteError,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from dlbook.gradcheck import check_gradients

REFERENCE = json.loads((Path(__file__).resolve().parents[2] / "reference" / "mlp.json").read_text(encoding="utf-8"))
EVERY = [
    MeanSquaredError(),
    MeanAbsoluteError(),
    BinaryCrossentropy(),
    BinaryCrossentropy(from_logits=True),
    BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
    CategoricalCrossentropy(),
    CategoricalCrossentropy(from_logits=True),
    CategoricalCrossentropy(label_smoothing=0.2),
    SparseCategoricalCrossentropy(),
    SparseCategoricalCrossentropy(from_logits=True),
]
LOGITS = [loss for loss in EVERY if getattr(loss, "from_logits", True)]

# La salida: observaciones, a veces un eje más, y al menos dos números al final.
shapes = st.tuples(st.integers(1, 4), st.integers(2, 5)) | st.tuples(*[st.integers(1, 3)] * 2, st.integers(2, 4))


def example(loss, shape, seed=0, dtype="float64"):
    """Lo correcto, las predicciones y unos pesos que valen para esa pérdida."""
    generator = np.random.default_rng(seed)
    name = type(loss).__name__
    p = generator.random(shape) + 0.05
    p /= p.sum(axis=-1, keepdims=True)
    y_pred = p if getattr(loss, "from_logits", True) is False else 3 * generator.normal(size=shape)
    if name.startswith("Mean"):
        y_true = generator.normal(size=shape)
    elif name.startswith("Binary"):
        y_true = generator.random(shape)
    elif name.startswith("Sparse"):
        return generator.integers(0, shape[-1], shape[:-1]), y_pred.astype(dtype), generator.random(shape[:1])
    else:
        y_true = generator.dirichlet(np.ones(shape[-1]), shape[:-1])
    return y_true.astype(dtype), y_pred.astype(dtype), generator.random(shape[:1])


@pytest.mark.parametrize("k", range(len(REFERENCE["losses"])))
def test_value_and_gradient_are_those_of_keras(k):
    case = REFERENCE["losses"][k]
    loss = getattr(losses, case["name"])(**case["arguments"])
    arguments = [case["y_true"], case["y_pred"], case["sample_weight"]]
    assert loss(*arguments) == pytest.approx(case["value"], rel=1e-13)
    np.testing.assert_allclose(loss.gradient(*arguments), case["gradient"], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("loss", EVERY, ids=repr)
def test_they_agree_with_keras_here_and_now(loss):
    pytest.importorskip("keras")
    from tests.reference import oracle

    arguments = vars(loss)
    for dtype, tolerance in (("float64", 1e-12), ("float32", 2e-5)):
        for seed, shape in enumerate([(1, 2), (7, 3), (64, 10), (2, 3, 4)]):
            y_true, y_pred, weight = example(loss, shape, seed, dtype)
            weights = [None, weight] if len(shape) == 2 else [None, np.random.default_rng(seed).random(shape[:-1])]
            for w in weights:
                value, gradient = oracle.loss(type(loss).__name__, arguments, y_true, y_pred, w)
                assert loss(y_true, y_pred, w) == pytest.approx(value, rel=tolerance)
                np.testing.assert_allclose(
                    loss.gradient(y_true, y_pred, w), gradient, rtol=tolerance, atol=tolerance / 10
                )


@pytest.mark.parametrize("loss", EVERY, ids=repr)
@given(shapes, st.integers(0, 1000), st.booleans())
@settings(max_examples=25)
def test_the_gradient_is_the_measured_one(loss, shape, seed, weighted):
    y_true, y_pred, weight = example(loss, shape, seed)
    if not weighted:
        weight = None
    # Todas las probabilidades a la vez: que la que no suma 1 también tenga su gradiente.
    gradient = loss.gradient(y_true, y_pred, weight)
    report = check_gradients(lambda: loss(y_true, y_pred, weight), {"y": y_pred}, {"y": gradient})
    assert report.ok, str(report)


@pytest.mark.parametrize("loss", EVERY, ids=repr)
@given(shapes, st.integers(0, 1000), st.data())
@settings(max_examples=25)
def test_the_shards_of_a_batch_add_up_to_the_batch(loss, shape, seed, data):
    y_true, y_pred, weight = example(loss, shape, seed)
    n = len(y_pred)
    cuts = [0, *sorted(data.draw(st.lists(st.integers(0, n), max_size=2))), n]
    target = loss.prepare(y_true, shape[1:], y_pred.dtype)
    gradient = np.full_like(y_pred, np.nan)
    total = 0.0
    for a, b in itertools.pairwise(cuts):
        if a < b:
            total += loss.shard(target[a:b], y_pred[a:b], weight[a:b] / n, gradient[a:b])
    assert isinstance(total, float)
    assert total == pytest.approx(loss(y_true, y_pred, weight), rel=1e-13)
    np.testing.assert_allclose(gradient, loss.gradient(y_true, y_pred, weight), rtol=1e-12)


@pytest.mark.parametrize("loss", EVERY, ids=repr)
@given(shapes, st.integers(0, 1000))
@settings(max_examples=25)
def test_the_mean_is_the_mean_of_each_observation(loss, shape, seed):
    y_true, y_pred, weight = example(loss, shape, seed)
    each = loss.call(y_true, y_pred)
    assert each.shape == shape[:-1]
    assert each.mean() == pytest.approx(loss(y_true, y_pred), rel=1e-12)
    by_observation = each.reshape(shape[0], -1).mean(axis=1)
    assert (weight * by_observation).mean() == pytest.approx(loss(y_true, y_pred, weight), rel=1e-12)
    if len(shape) == 3:
        weights = np.random.default_rng(seed).random(shape[:-1])
        assert (weights * each).mean() == pytest.approx(loss(y_true, y_pred, weights), rel=1e-12)


@pytest.mark.parametrize("loss", EVERY, ids=repr)
def test_float32_stays_float32_and_is_close_to_float64(loss):
    y_true, y_pred, weight = example(loss, (64, 10), 3)
    single = loss.gradient(y_true, y_pred.astype(np.float32), weight)
    assert single.dtype == loss.call(y_true, y_pred.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(single, loss.gradient(y_true, y_pred, weight), rtol=1e-4, atol=1e-7)
    assert loss(y_true, y_pred.astype(np.float32), weight) == pytest.approx(loss(y_true, y_pred, weight), rel=1e-5)


@pytest.mark.parametrize("loss", EVERY, ids=repr)
def test_any_array_will_do_and_none_is_modified(loss):
    y_true, y_pred, weight = example(loss, (6, 4))
    expected = loss(y_true, y_pred, weight), loss.gradient(y_true, y_pred, weight)
    spaced = np.zeros((12, 8))
    spaced[::2, ::2] = y_pred
    for array in (spaced[::2, ::2], np.asfortranarray(y_pred), y_pred.tolist()):
        before = np.array(array)
        assert loss(np.asfortranarray(y_true), array, weight.tolist()) == expected[0]
        np.testing.assert_array_equal(loss.gradient(y_true, array, weight), expected[1])
        np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize("loss", EVERY, ids=repr)
def test_a_target_that_is_ready_is_not_copied(loss):
    y_true, y_pred, _ = example(loss, (6, 4))
    ready = loss.prepare(y_true, (4,), "float64")
    assert ready.flags.c_contiguous
    if not isinstance(loss, SparseCategoricalCrossentropy):
        assert np.shares_memory(ready, y_true)
    loss.shard(ready, y_pred, np.full(6, 1 / 6), np.empty_like(y_pred))


def test_one_number_per_observation_can_be_written_in_two_ways():
    y, p = np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.2, 0.6])
    for loss, value in ((MeanSquaredError(), 0.07), (BinaryCrossentropy(), 0.279777)):
        for target in (y, y[:, None]):
            for predicted in (p, p[:, None]):
                assert loss(target, predicted) == pytest.approx(value, abs=5e-7)
                assert loss.gradient(target, predicted).shape == predicted.shape
    labels = SparseCategoricalCrossentropy()
    assert labels([[1], [0]], [[0.5, 0.5]] * 2) == labels([1, 0], [[0.5, 0.5]] * 2)


@given(st.integers(2, 6), st.integers(0, 1000), st.booleans())
def test_a_label_is_a_one_hot_row(classes, seed, from_logits):
    labels, y_pred, weight = example(SparseCategoricalCrossentropy(from_logits), (5, classes), seed)
    sparse, full = SparseCategoricalCrossentropy(from_logits), CategoricalCrossentropy(from_logits)
    rows = np.eye(classes)[labels]
    assert sparse(labels, y_pred, weight) == pytest.approx(full(rows, y_pred, weight), rel=1e-12)
    np.testing.assert_allclose(sparse.gradient(labels, y_pred), full.gradient(rows, y_pred), rtol=1e-10, atol=1e-14)


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=5), st.integers(0, 100))
def test_logits_and_probabilities_are_the_same_loss(z, seed):
    z = np.array(z)
    y = np.random.default_rng(seed).random(len(z))
    by_logits = BinaryCrossentropy(from_logits=True)(y, z)
    inside = np.abs(z) < 15
    if inside.all():
        assert BinaryCrossentropy()(y, sigmoid(z)) == pytest.approx(by_logits, rel=1e-8)
    # Con dos clases, el puntaje de la segunda menos el de la primera es el logit.
    two = np.stack([np.zeros_like(z), z], axis=1)
    assert CategoricalCrossentropy(from_logits=True)(np.stack([1 - y, y], axis=1), two) == pytest.approx(by_logits)
    if inside.all():
        assert SparseCategoricalCrossentropy()(np.ones(len(z)), softmax(two)) == pytest.approx(
            BinaryCrossentropy(from_logits=True)(np.ones(len(z)), z), rel=1e-8
        )


def test_the_gradient_with_logits_is_predicted_minus_wanted():
    generator = np.random.default_rng(0)
    z, y = generator.normal(size=(4, 3)), generator.dirichlet(np.ones(3), 4)
    np.testing.assert_allclose(4 * CategoricalCrossentropy(True).gradient(y, z), softmax(z) - y, rtol=1e-12)
    np.testing.assert_allclose(12 * BinaryCrossentropy(True).gradient(y, z), sigmoid(z) - y, rtol=1e-12)
    np.testing.assert_allclose(6 * MeanSquaredError().gradient(y, z), z - y, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.filterwarnings("error")
def test_large_logits_neither_overflow_nor_warn(dtype):
    z = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype)
    y = np.array([[1, 0], [1, 0]], dtype)
    for loss in (BinaryCrossentropy(True), CategoricalCrossentropy(True)):
        assert loss.call(y, z).tolist() == [0, 20_000 if isinstance(loss, CategoricalCrossentropy) else 10_000]
        assert np.isfinite(loss.gradient(y, z)).all()
    assert SparseCategoricalCrossentropy(True).call([0, 0], z).tolist() == [0, 20_000]
    # Muy seguro y con razón: lo que falta para cero no se pierde.
    assert BinaryCrossentropy(True)([1.0], np.array([30], dtype)) == pytest.approx(np.exp(-30), rel=1e-6)


@pytest.mark.parametrize("loss", [BinaryCrossentropy(), CategoricalCrossentropy(), SparseCategoricalCrossentropy()])
def test_a_certain_mistake_is_clipped_as_in_keras(loss):
    y_true, y_pred = ([1], [[1.0, 0.0]]) if "Sparse" in repr(loss) else ([[0.0, 1.0]], [[1.0, 0.0]])
    assert loss(y_true, y_pred) == pytest.approx(-np.log(1e-7), rel=1e-6)
    assert (loss.gradient(y_true, y_pred) == 0).all()


@pytest.mark.parametrize("loss", EVERY, ids=repr)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_nan_shows_instead_of_hiding(loss, dtype):
    y_true, y_pred, _ = example(loss, (2, 3), dtype=dtype)
    target = loss.prepare(y_true, (3,), dtype)
    for k in range(3):
        broken = y_pred.copy()
        broken[1, k] = np.nan
        total = loss.shard(target, broken, np.ones(2, dtype), np.empty_like(broken))
        assert np.isnan(total) or (isinstance(loss, SparseCategoricalCrossentropy) and target[1] != k)


def test_the_functions_of_keras_give_one_loss_per_observation():
    np.testing.assert_allclose(losses.MSE([[1], [0], [1]], [[0.5], [0], [2]]), [0.25, 0, 1])
    np.testing.assert_allclose(losses.mae([[1, 2], [0, 0]], [[0, 0], [0, 1]]), [1.5, 0.5])
    np.testing.assert_allclose(losses.binary_crossentropy([[1], [0]], [[0.5], [0.5]]), np.log([2, 2]))
    np.testing.assert_allclose(losses.categorical_crossentropy([[1, 0]], [[0.25, 0.75]]), np.log([4]))
    np.testing.assert_allclose(losses.sparse_categorical_crossentropy([1, 1], [[0.5, 0.5]] * 2), np.log([2, 2]))


def test_get():
    for name, cls in losses.NAMES.items():
        assert type(losses.get(name)) is cls
    loss = CategoricalCrossentropy(True)
    assert losses.get(loss) is loss
    assert repr(loss) == "CategoricalCrossentropy(from_logits=True, label_smoothing=0.0)"
    assert type(losses.get(MeanSquaredError)) is MeanSquaredError
    for nonsense in ("mes", 3, None, [], list):
        with pytest.raises(ValueError, match="loss: se esperaba 'mean_squared_error'"):
            losses.get(nonsense)


@pytest.mark.parametrize("cls", losses.CLASSES)
def test_names_and_defaults_are_those_of_keras(cls):
    keras = pytest.importorskip("keras")
    theirs = inspect.signature(getattr(keras.losses, cls.__name__)).parameters
    ours = inspect.signature(cls).parameters
    assert list(ours) == list(theirs)
    assert all(ours[n].default == theirs[n].default for n in ours if n != "name")
    for short, name in (("mse", "MSE"), ("mae", "MAE"), ("bce", "BCE")):
        assert type(losses.get(short)) is type(losses.get(name))


def test_what_keras_has_and_we_do_not_is_refused():
    whole = {"reduction": "sum_over_batch_size", "axis": -1, "dtype": None, "name": "mía"}
    loss = BinaryCrossentropy(**whole)
    assert (loss.name, loss.reduction, loss.axis) == ("mía", "sum_over_batch_size", -1)
    assert repr(eval(repr(loss))) == repr(loss)
    for call, name in (
        (lambda: MeanSquaredError("sum"), "reduction"),
        (lambda: BinaryCrossentropy(False, 0.1, 1), "axis"),
        (lambda: SparseCategoricalCrossentropy(False, 255), "ignore_class"),
        (lambda: CategoricalCrossentropy(dtype="float16"), "dtype"),
    ):
        with pytest.raises(ValueError, match=f"{name}: esta opción de Keras no existe aquí"):
            call()


@pytest.mark.parametrize("loss", EVERY, ids=repr)
def test_the_weights_can_be_a_column(loss):
    y_true, y_pred, weight = example(loss, (6, 4))
    assert loss(y_true, y_pred, weight[:, None]) == loss(y_true, y_pred, weight)
    y_true, y_pred, weight = example(loss, (3, 1, 4))
    assert loss(y_true, y_pred, weight[:, None]) == pytest.approx(loss(y_true, y_pred, weight))
    y_true, y_pred, _ = example(loss, (3, 2, 4))
    weight = np.random.default_rng(0).random((3, 2))
    assert loss(y_true, y_pred, weight[..., None]) == loss(y_true, y_pred, weight)


def test_a_label_of_a_sequence_can_have_an_axis_of_its_own():
    loss = SparseCategoricalCrossentropy()
    y_true, y_pred, _ = example(loss, (3, 2, 4))
    assert loss(y_true[..., None], y_pred) == loss(y_true, y_pred)


P = np.full((2, 3), 1 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MeanSquaredError()(np.ones((2, 2)), P), r"y_true: se esperaba la forma \(n, 3\).*\(2, 2\)"),
        (lambda: MeanSquaredError()(np.ones((3, 3)), P), "y_true: se esperaban 2 observaciones, pero llegaron 3"),
        (lambda: MeanSquaredError()(np.ones((2, 1)), P), r"y_true: se esperaba la forma \(n, 3\)"),
        (lambda: MeanSquaredError()(1.0, P), r"y_true: se esperaba la forma \(n, 3\)"),
        (lambda: MeanSquaredError()(P, 1.0), "una predicción por observación"),
        (lambda: MeanSquaredError()(P[:0], P[:0]), "al menos un elemento"),
        (lambda: MeanSquaredError()(P, P * np.nan), "y_pred: se esperaban números finitos"),
        (lambda: MeanSquaredError()(P * np.inf, P), "y_true: se esperaban números finitos"),
        (lambda: MeanSquaredError()("no", P), "y_true: se esperaban números reales"),
        (lambda: MeanSquaredError()(P * 1e300, P.astype(np.float32)), "que no caben en float32"),
        (lambda: MeanSquaredError()(P, P, [1, 2, 3]), r"sample_weight: se esperaba la forma \(2,\)"),
        (lambda: MeanSquaredError()(P, P, P), "sample_weight: se esperaba la forma"),
        (lambda: MeanSquaredError()(P, P, 1.0), "sample_weight: se esperaba la forma"),
        (lambda: MeanSquaredError()(P, P, [1, -2]), "sample_weight: se esperaban pesos de al menos 0"),
        (lambda: BinaryCrossentropy()(P + 1, P), "y_true: se esperaba un número entre 0 y 1, pero hay un 1.33"),
        (lambda: BinaryCrossentropy(label_smoothing=2), "label_smoothing: .*de a lo sumo 1"),
        (lambda: BinaryCrossentropy(from_logits=2), "from_logits: se esperaba True o False"),
        (lambda: CategoricalCrossentropy()(P / 2, P), "que cada renglón sumara 1, pero el .0,. suma 0.5"),
        (lambda: CategoricalCrossentropy()([1, 0], P), r"y_true: se esperaba la forma \(n, 3\)"),
        (lambda: CategoricalCrossentropy()([[1], [1]], [[0.3], [0.2]]), "al menos 2 clases.*binary_crossentropy"),
        (lambda: CategoricalCrossentropy()([1, 1], [0.3, 0.2]), "al menos 2 clases"),
        (lambda: SparseCategoricalCrossentropy()([0, 3], P), "y_true: se esperaba un entero entre 0 y 2.*hay un 3"),
        (lambda: SparseCategoricalCrossentropy()([0, -1], P), "hay un -1"),
        (lambda: SparseCategoricalCrossentropy()([0, 0.5], P), "hay un 0.5"),
        (lambda: SparseCategoricalCrossentropy()(P, P), "y_true: se esperaba un entero"),
        (lambda: SparseCategoricalCrossentropy()(np.zeros((2, 3)), P), r"y_true: se esperaba la forma \(n\)"),
        (lambda: SparseCategoricalCrossentropy()([0, 1, 2], P), "se esperaban 2 observaciones, pero llegaron 3"),
        (lambda: SparseCategoricalCrossentropy()([[0]], [[0.3]]), "al menos 2 clases"),
    ],
)
def test_bad_input_gets_a_spanish_sentence(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
