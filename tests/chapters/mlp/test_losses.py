"""Lo que distingue a cada pérdida de las demás; lo que todas cumplen está en ``tests/contract``."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp import losses
from chapters.mlp.activations import sigmoid, softmax
from chapters.mlp.dense import Dense
from chapters.mlp.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    Poisson,
    SparseCategoricalCrossentropy,
)
from chapters.mlp.sequential import Input, Sequential


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
    for function, cls in losses.FUNCTIONS.items():
        assert type(losses.get(function)) is cls
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
        (lambda: BinaryCrossentropy(False, 0.1, 1), "axis"),
        (lambda: CosineSimilarity(0), "axis"),
        (lambda: CategoricalCrossentropy(dtype="float16"), "dtype"),
    ):
        with pytest.raises(ValueError, match=f"{name}: esta opción de Keras no existe aquí"):
            call()


def test_without_reduction_there_is_a_loss_for_each_observation_and_no_training():
    y_true, y_pred = np.array([[1.0, 0.0], [0.0, 2.0]]), np.zeros((2, 2))
    for reduction in (None, "none"):
        loss = MeanSquaredError(reduction=reduction)
        assert repr(eval(repr(loss))) == repr(loss) == f"MeanSquaredError(reduction={reduction!r})"
        assert loss(y_true, y_pred).tolist() == [0.5, 2.0]
        assert loss(y_true, y_pred, [2.0, 0.5]).tolist() == [1.0, 1.0]
        assert loss(y_true[None], y_pred[None], [2.0]).tolist() == [[1.0, 4.0]]
        np.testing.assert_array_equal(loss.gradient(y_true, y_pred), MeanSquaredError("sum").gradient(y_true, y_pred))
        model = Sequential([Input((2,)), Dense(2)])
        with pytest.raises(ValueError, match="reduction: para entrenar se esperaba una pérdida que dé un solo número"):
            model.compile("sgd", loss)
    with pytest.raises(ValueError, match=r"reduction: se esperaba 'sum_over_batch_size' o .* pero llegó 'media'"):
        MeanSquaredError(reduction="media")


def test_what_is_ignored_is_as_if_it_were_not_there():
    rng = np.random.default_rng(0)
    labels, y_pred, weight = np.array([2, -1, 0, -1, 1]), rng.normal(size=(5, 3)), rng.random(5)
    kept = labels >= 0
    for from_logits, p in ((True, y_pred), (False, softmax(y_pred))):
        loss = SparseCategoricalCrossentropy(from_logits, ignore_class=-1)
        plain = SparseCategoricalCrossentropy(from_logits)
        assert loss(labels, p) == pytest.approx(plain(labels[kept], p[kept]), rel=1e-12)
        assert loss(labels, p, weight) == pytest.approx(plain(labels[kept], p[kept], weight[kept]), rel=1e-12)
        gradient = loss.gradient(labels, p)
        assert not gradient[~kept].any()
        np.testing.assert_allclose(gradient[kept], plain.gradient(labels[kept], p[kept]), rtol=1e-12)
        assert loss([-1, -1], p[:2]) == 0
        assert loss.prepare(labels, (3,), "float64").tolist() == labels.tolist()
    with pytest.raises(ValueError, match="y_true: se esperaba un entero entre 0 y 2, pero hay un 3"):
        loss([3, -1], p[:2])
    with pytest.raises(TypeError, match=r"ignore_class: se esperaba un entero, pero llegó 0\.5"):
        SparseCategoricalCrossentropy(ignore_class=0.5)


def test_functions_take_the_arguments_of_keras():
    assert losses.huber([[0.0]], [[3.0]], 2.0).tolist() == [4.0]
    assert losses.huber([[0.0]], [[3.0]], delta=2.0).tolist() == [4.0]
    np.testing.assert_allclose(losses.binary_crossentropy([[1]], [[0.0]], from_logits=True), np.log([2]))
    assert losses.binary_crossentropy.__name__ == "binary_crossentropy"
    assert losses.kld([[0.5, 0.5]], [[0.5, 0.5]]).tolist() == [0.0]


def test_hinge_accepts_both_ways_of_writing_no():
    y_pred = np.random.default_rng(0).normal(size=(6, 1))
    y = np.array([1, 0, 0, 1, 1, 0])
    assert Hinge()(y, y_pred) == Hinge()(2 * y - 1, y_pred)
    for nonsense in ([0, -1], [2, 1], [0.5, 1]):
        with pytest.raises(ValueError, match="y_true: se esperaba −1 y 1, o 0 y 1, pero hay"):
            Hinge()(nonsense, y_pred[:2])


EXTREMES = [
    (losses.BinaryFocalCrossentropy(), [[0.0, 1.0, 1.0, 0.0]], [[0.0, 1.0, 0.0, 1.0]]),
    (losses.BinaryFocalCrossentropy(from_logits=True), [[0.0, 1.0]], [[1e4, -1e4]]),
    (CategoricalFocalCrossentropy(), [[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]),
    (CategoricalFocalCrossentropy(from_logits=True), [[0.0, 1.0]], [[1e4, -1e4]]),
    (losses.CategoricalHinge(), [[1.0, 0.0, 0.0]], [[0.0, 0.0, 0.0]]),
    (CosineSimilarity(), [[0.0, 0.0], [1.0, 2.0]], [[1.0, 2.0], [1e-9, 0.0]]),
    (Hinge(), [[1.0, -1.0]], [[1.0, 1e30]]),
    (Huber(), [[0.0, 0.0]], [[1.0, -1e30]]),
    (KLDivergence(), [[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]]),
    (losses.LogCosh(), [[0.0, 0.0]], [[1e4, -1e4]]),
    (MeanAbsolutePercentageError(), [[0.0, 1.0]], [[1.0, 1.0]]),
    (losses.MeanSquaredLogarithmicError(), [[0.0, 5.0]], [[-3.0, 0.0]]),
    (Poisson(), [[0.0, 3.0]], [[0.0, 0.0]]),
    (losses.SquaredHinge(), [[1.0, -1.0]], [[1.0, 1e10]]),
]


@pytest.mark.parametrize(("loss", "y_true", "y_pred"), EXTREMES, ids=lambda value: type(value).__name__)
@pytest.mark.filterwarnings("error")
def test_extremes_are_finite_and_do_not_warn(loss, y_true, y_pred):
    y_true, y_pred = np.array(y_true), np.array(y_pred)
    value, gradient = loss(y_true, y_pred), loss.gradient(y_true, y_pred)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize(("loss", "y_true", "y_pred"), EXTREMES, ids=lambda value: type(value).__name__)
def test_extremes_are_those_of_the_keras_installed_here(loss, y_true, y_pred):
    pytest.importorskip("keras")
    from tests.reference import oracle

    arguments = {"from_logits": True} if getattr(loss, "from_logits", False) else {}
    value, gradient = oracle.loss(type(loss).__name__, arguments, np.array(y_true), np.array(y_pred))
    assert loss(y_true, y_pred) == pytest.approx(value, rel=1e-6, abs=1e-7)
    np.testing.assert_allclose(loss.gradient(y_true, y_pred), gradient, rtol=1e-6, atol=1e-7)


def test_a_zero_vector_has_no_direction():
    loss = CosineSimilarity()
    assert loss([[1.0, 2.0]], [[0.0, 0.0]]) == 0
    assert np.isfinite(loss.gradient([[1.0, 2.0]], [[0.0, 0.0]])).all()


def test_each_class_can_have_its_own_weight():
    rows, p = np.eye(2), np.full((2, 2), 0.5)
    each = CategoricalFocalCrossentropy(alpha=[0.5, 1.0]).call(rows, p)
    np.testing.assert_allclose(each, CategoricalFocalCrossentropy(alpha=1.0).call(rows, p) * [0.5, 1.0])
    with pytest.raises(ValueError, match="alpha: se esperaban 2 elementos, pero llegaron 3"):
        CategoricalFocalCrossentropy(alpha=[1, 2, 3])(rows, p)


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
        (lambda: CategoricalCrossentropy()(P / 2, P), "que cada fila sumara 1, pero la .0,. suma 0.5"),
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
