"""Las métricas: ven lo correcto como se dio, con sus nombres de Keras, y ninguna se pierde."""

import numpy as np
import pytest

from chapters.cnn import SparseTopKCategoricalAccuracy
from chapters.mlp import metrics
from chapters.mlp.dense import Dense
from chapters.mlp.losses import BinaryCrossentropy, CategoricalCrossentropy
from chapters.mlp.metrics import (
    BinaryAccuracy,
    CategoricalAccuracy,
    MeanAbsoluteError,
    MeanSquaredError,
    Metric,
    SparseCategoricalAccuracy,
)
from chapters.mlp.sequential import Input, Sequential

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(30, 4)), RNG.integers(0, 3, 30)


def classifier(*, loss="sparse_categorical_crossentropy", units=3, activation="softmax", **options):
    model = Sequential([Input((4,)), Dense(units, activation)], dtype="float64", seed=0)
    model.compile("sgd", loss, **options)
    return model


# --- Lo correcto, como se dio ---


def neuron(bias, loss):
    model = Sequential([Input((1,)), Dense(1, "sigmoid", kernel_initializer="zeros")], dtype="float64")
    model.layers[0].bias[:] = bias
    model.compile("sgd", loss, metrics=["mae"])
    return model


def test_metrics_do_not_see_the_smoothing_of_the_loss():
    model = neuron(5.0, BinaryCrossentropy(label_smoothing=0.5))
    loss, mae = model.evaluate([[0.0]], [[1.0]])
    p = 1 / (1 + np.exp(-5))
    assert mae == pytest.approx(0.00669, abs=5e-6)
    assert loss == pytest.approx(-(0.75 * np.log(p) + 0.25 * np.log(1 - p)))
    history = model.fit([[0.0]], [[1.0]], verbose=0)
    assert history.history["mae"][0] == pytest.approx(0.00669, abs=5e-6)

    rows = np.eye(3)[Y]
    smooth, plain = (
        classifier(loss=CategoricalCrossentropy(label_smoothing=s), metrics=["mae", "accuracy"]) for s in (0.3, 0.0)
    )
    assert smooth.evaluate(X, rows)[1:] == plain.evaluate(X, rows)[1:]
    assert smooth.evaluate(X, rows)[0] > 0


@pytest.mark.parametrize("labels", [[0.0, 1.0], [0.1, 0.9], [False, True]])
@pytest.mark.parametrize("smoothing", [0.0, 0.5])
def test_class_weights_do_not_see_the_smoothing_and_round(labels, smoothing):
    model = neuron(0.0, BinaryCrossentropy(label_smoothing=smoothing))
    history = model.fit([[0.0], [0.0]], labels, class_weight={0: 1, 1: 3}, verbose=0)
    assert history.history["loss"][0] == pytest.approx(1.386, abs=5e-4)


def test_class_weights_of_smoothed_rows():
    rows = np.eye(3)[Y]
    thetas = []
    for options in ({"class_weight": {2: 5.0}}, {"sample_weight": np.where(Y == 2, 5.0, 1.0)}):
        model = classifier(loss=CategoricalCrossentropy(label_smoothing=0.9))
        model.fit(X, rows, verbose=0, **options)
        thetas.append(model.theta)
    assert np.array_equal(*thetas)


# --- Nombres ---


def test_two_metrics_of_the_same_name_are_both_there():
    top = [SparseTopKCategoricalAccuracy(1), SparseTopKCategoricalAccuracy(3)]
    model = classifier(metrics=top)
    values = model.evaluate(X, Y)
    assert len(values) == 3
    assert values[2] == 1
    assert values[1] == model.evaluate(X, Y, return_dict=True)["sparse_top_k_categorical_accuracy"] < 1
    history = model.fit(X, Y, validation_split=0.2, verbose=0)
    names = ["loss", "sparse_top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy_1"]
    assert list(history.history) == names + [f"val_{name}" for name in names]
    named = classifier(metrics=[SparseTopKCategoricalAccuracy(k, name=f"top{k}") for k in (1, 2)])
    assert list(named.evaluate(X, Y, return_dict=True)) == ["loss", "top1", "top2"]
    same = classifier(metrics=["accuracy", "accuracy", SparseCategoricalAccuracy(name="loss")])
    assert list(same.evaluate(X, Y, return_dict=True)) == ["loss", "accuracy", "accuracy_1", "loss_1"]


@pytest.mark.parametrize(
    ("names", "cls"),
    [
        (("mse", "MSE", "mean_squared_error", "MeanSquaredError", MeanSquaredError), MeanSquaredError),
        (("mae", "MAE", "mean_absolute_error", "MeanAbsoluteError"), MeanAbsoluteError),
        (("accuracy", "acc", "Accuracy", "ACC", "binary_accuracy", "BinaryAccuracy"), BinaryAccuracy),
        (("categorical_accuracy", "CategoricalAccuracy"), CategoricalAccuracy),
    ],
)
def test_every_name_of_keras(names, cls):
    for name in names:
        assert type(metrics.get(name, np.zeros((2, 1)), np.zeros((2, 1)))) is cls


@pytest.mark.parametrize(
    ("names", "cls"),
    [
        (("accuracy", "sparse_categorical_accuracy", "SparseCategoricalAccuracy"), SparseCategoricalAccuracy),
        (
            ("sparse_top_k_categorical_accuracy", "SparseTopKCategoricalAccuracy", SparseTopKCategoricalAccuracy),
            SparseTopKCategoricalAccuracy,
        ),
    ],
)
def test_every_name_of_keras_for_labels(names, cls):
    for name in names:
        assert type(metrics.get(name, np.array([1, 0]), np.zeros((2, 3)))) is cls


# --- Formas ---


def test_one_number_per_observation_can_be_written_in_two_ways():
    assert BinaryAccuracy()([1, 1, 0, 0], [[0.98], [1], [0], [0.6]]) == 0.75
    flat, column = np.array([1.0, 0.0, 3.0]), np.array([[0.5], [0.0], [1.0]])
    for y, p in ((flat, column), (column, flat), (flat, column[:, 0]), (flat[:, None], column)):
        assert MeanAbsoluteError()(y, p) == pytest.approx(2.5 / 3)
        assert MeanSquaredError()(y, p) == pytest.approx(4.25 / 3)
    with pytest.raises(ValueError, match="y_true: se esperaba la forma"):
        MeanSquaredError()([1.0, 2.0], [[1.0, 2.0]])
    with pytest.raises(ValueError, match="y_true: se esperaba la forma"):
        MeanSquaredError()([[1.0]], [1.0, 2.0])


def test_sequences_have_one_class_per_instant():
    labels, scores = RNG.integers(0, 5, (4, 7)), RNG.normal(size=(4, 7, 5))
    expected = (scores.argmax(-1) == labels).mean()
    assert SparseCategoricalAccuracy()(labels, scores) == pytest.approx(expected)
    assert SparseCategoricalAccuracy()(labels[..., None], scores) == pytest.approx(expected)
    assert CategoricalAccuracy()(np.eye(5)[labels], scores) == pytest.approx(expected)
    assert SparseTopKCategoricalAccuracy(1)(labels, scores) == pytest.approx(expected)
    assert SparseTopKCategoricalAccuracy(5)(labels, scores) == 1
    model = Sequential([Input((7, 2)), Dense(5, "softmax")], dtype="float64", seed=0)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = RNG.normal(size=(4, 7, 2))
    loss, accuracy = model.evaluate(x, labels)
    predicted = model.predict(x)
    assert accuracy == pytest.approx((predicted.argmax(-1) == labels).mean())
    assert loss == pytest.approx(-np.log(np.take_along_axis(predicted, labels[..., None], -1)).mean())
    model.fit(x, labels, verbose=0)
    with pytest.raises(ValueError, match=r"y_true: se esperaba una clase por vector de y_pred, \(4, 7, 5\)"):
        SparseCategoricalAccuracy()(labels[:, :3], scores)


# --- Una propia ---


def test_the_error_of_ones_own_metric_is_its_own():
    class Broken(Metric):
        name = "rota"

        def shard(self, y_true, y_pred):
            raise RuntimeError("mi error")

    for run in (lambda m: m.fit(X, Y, verbose=0), lambda m: m.evaluate(X, Y)):
        with pytest.raises(RuntimeError, match="mi error") as caught:
            run(classifier(metrics=[Broken()]))
        assert caught.traceback[-1].name == "shard"


def test_ones_own_metric_reads_labels():
    class Zeros(Metric):
        def shard(self, y_true, y_pred):
            return float((y_true == 0).sum())

    assert classifier(metrics=[Zeros()]).evaluate(X, Y, return_dict=True)["Zeros"] == (Y == 0).mean()


def test_a_metric_that_cannot_read_the_labels_says_so():
    for metric, loss, y in (
        ("mse", "sparse_categorical_crossentropy", Y),
        (BinaryAccuracy(), "sparse_categorical_crossentropy", Y),
        ("sparse_categorical_accuracy", "categorical_crossentropy", np.eye(3)[Y]),
        (SparseTopKCategoricalAccuracy(2), "mse", np.eye(3)[Y]),
    ):
        with pytest.raises(ValueError, match=r"metrics: \w+ no sirve con lo correcto de forma \(n"):
            classifier(loss=loss, metrics=[metric]).evaluate(X, y)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BinaryAccuracy(0.1), "name: se esperaba un texto, pero llegó 0.1"),
        (lambda: BinaryAccuracy(dtype="float32"), "dtype: esta opción de Keras no existe aquí"),
        (lambda: BinaryAccuracy(threshold="medio"), "threshold: se esperaba un número real"),
        (lambda: SparseTopKCategoricalAccuracy(0), "k: se esperaba un entero de al menos 1"),
        (lambda: setattr(SparseTopKCategoricalAccuracy(), "k", 0), "k: se esperaba un entero de al menos 1"),
        (lambda: SparseTopKCategoricalAccuracy(from_sorted_ids=True), "from_sorted_ids: esta opción"),
        (lambda: SparseCategoricalAccuracy()([5], [[0.2, 0.8]]), "se esperaba un entero entre 0 y 1"),
    ],
)
def test_bad_arguments_get_a_spanish_sentence(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
