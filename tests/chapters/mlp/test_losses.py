"""Lo que distingue a cada pérdida de las demás; lo que todas cumplen está en ``tests/contract``."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp import losses
from chapters.mlp.activations import sigmoid, softmax
from chapters.mlp.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)


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
    rng = np.random.default_rng(seed)
    labels, y_pred, weight = rng.integers(0, classes, 5), softmax(rng.normal(size=(5, classes))), rng.random(5)
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


def test_a_label_of_a_sequence_can_have_an_axis_of_its_own():
    loss = SparseCategoricalCrossentropy()
    y_true = np.array([[0, 3], [1, 1], [2, 0]])
    y_pred = softmax(np.random.default_rng(0).normal(size=(3, 2, 4)))
    assert loss(y_true[..., None], y_pred) == loss(y_true, y_pred)


P = np.full((2, 3), 1 / 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MeanSquaredError()(np.ones((2, 2)), P), r"y_true: se esperaba la forma \(n, 3\).*\(2, 2\)"),
        (lambda: MeanSquaredError()(np.ones((3, 3)), P), "y_true: se esperaban 2 observaciones, pero llegaron 3"),
        (lambda: MeanSquaredError()(np.ones((2, 1)), P), r"y_true: se esperaba la forma \(n, 3\)"),
        (lambda: MeanSquaredError()(P * 1e300, P.astype(np.float32)), r"que no caben? en float32"),
        (lambda: MeanSquaredError()(P, P, P), "sample_weight: se esperaba la forma"),
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
