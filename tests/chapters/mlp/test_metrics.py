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


def test_every_metric_has_the_names_of_keras_and_an_unknown_one_is_refused_at_once():
    y, p = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.9, 0.2], [0.4, 0.6]])
    for name, cls in {
        "auc": metrics.AUC,
        "AUC": metrics.AUC,
        "precision": metrics.Precision,
        "Recall": metrics.Recall,
        "f1_score": metrics.F1Score,
        "F1Score": metrics.F1Score,
        "r2_score": metrics.R2Score,
        "mape": metrics.MeanAbsolutePercentageError,
        "MSLE": metrics.MeanSquaredLogarithmicError,
        "bce": metrics.BinaryCrossentropy,
        "hinge": metrics.Hinge,
    }.items():
        metrics.check_name(name)
        assert type(metrics.get(name, y, p)) is cls
    assert type(metrics.get("log_cosh_error", y, p)) is type(metrics.get("logcosh", y, p)) is metrics.LogCoshError
    assert repr(metrics.get("crossentropy", np.array([1, 0]), p)) == "SparseCategoricalCrossentropy(" + (
        "from_logits=False, ignore_class=None)"
    )
    assert metrics.get("ce", y[:, :1], p[:, :1], from_logits=True).from_logits
    for name in ("accuracy", "acc", "ce", Metric, metrics.AUC(), None):
        metrics.check_name(name)
    # Piden argumentos o no comparan nada: no basta su nombre.
    for name in ("exactitud", "io_u", "IoU", "mean", "Sum", "", "metric"):
        with pytest.raises(ValueError, match="metrics: se esperaba 'accuracy' o 'auc' o "):
            metrics.check_name(name)
    with pytest.raises(ValueError, match="metrics: se esperaba una que compare lo predicho con lo correcto"):
        metrics.get(metrics.Mean(), y, p)


# --- Con pesos, por lotes y en los extremos ---


def test_a_metric_of_ones_own_can_be_weighted_with_or_without_help():
    class Zeros(Metric):
        def shard(self, y_true, y_pred):
            return float((y_true == 0).sum())

    class Fast(Metric):
        def shard(self, y_true, y_pred, weight=None):
            return float(((y_true == 0)[:, 0] * (1 if weight is None else weight)).sum())

    class HalfError(MeanAbsoluteError):
        def shard(self, y_true, y_pred):
            return super().shard(y_true, y_pred) / 2

    y, p, w = [[0.0], [1.0], [0.0]], [[1.0], [3.0], [0.0]], [3.0, 1.0, 0.0]
    for cls in (Zeros, Fast):
        assert cls()(y, p) == pytest.approx(2 / 3)
        assert cls()(y, p, w) == pytest.approx(3 / 4)
    assert HalfError()(y, p, w) == pytest.approx(5 / 8)
    assert HalfError()(y, p) == pytest.approx(0.5)


def test_what_was_seen_before_decides_the_shape():
    metric = metrics.F1Score()
    metric.update_state([[1.0, 0.0]], [[0.9, 0.1]])
    with pytest.raises(ValueError, match=r"y_pred: la forma \(1, 3\) no concuerda con lo que se esperaba"):
        metric.update_state([[1.0, 0.0, 0.0]], [[0.9, 0.1, 0.0]])
    assert metric.result().round(4).tolist() == [1.0, 0.0]


def test_the_winner_is_the_one_numpy_says_with_ties_and_without_numbers():
    rng = np.random.default_rng(0)
    y = rng.integers(-1, 2, (300, 1, 5)).astype("float32")
    y[rng.uniform(size=y.shape) < 0.1] = np.nan
    y[rng.uniform(size=y.shape) < 0.1] = np.inf
    one, alone = np.ones(1), SparseCategoricalAccuracy()
    for row in y:
        found = [k for k in range(5) if alone.shard(np.array([k]), row, one)]
        assert found == [row[0].argmax()]


def test_the_root_is_taken_at_the_end():
    rng = np.random.default_rng(0)
    y, p = rng.normal(size=(9, 2)), rng.normal(size=(9, 2))
    metric = metrics.RootMeanSquaredError()
    for k in range(0, 9, 2):
        metric.update_state(y[k : k + 2], p[k : k + 2])
    assert metric.result() == pytest.approx(np.sqrt(((y - p) ** 2).mean()))


@pytest.mark.parametrize("n", [10, 300])
def test_the_area_is_the_fraction_of_pairs_in_order(n):
    rng = np.random.default_rng(n)
    y = np.arange(n) % 2
    # Con puntajes que caen en los umbrales no hay empates entre ellos.
    p = rng.permutation(n) / n + 0.5 / n
    in_order = (p[y == 1][:, None] > p[y == 0][None, :]).mean()
    assert metrics.AUC(num_thresholds=n + 1)(y, p) == pytest.approx(in_order, abs=1e-12)
    assert metrics.AUC()(y, p) == pytest.approx(in_order, abs=0.02)
    assert metrics.AUC(from_logits=True)(y, np.log(p / (1 - p))) == pytest.approx(metrics.AUC()(y, p))
    assert metrics.AUC()(y, y) == metrics.AUC(curve="PR")(y, y) == 1


def test_the_counts_agree_with_scikit_learn():
    from sklearn.metrics import f1_score, precision_score, r2_score, recall_score

    rng = np.random.default_rng(3)
    y, p, w = rng.integers(0, 2, (40, 3)), rng.random((40, 3)), rng.random(40)
    said = p > 0.5
    for k in range(3):
        one = {"sample_weight": w}
        assert metrics.Precision(class_id=k)(y, p, w) == pytest.approx(precision_score(y[:, k], said[:, k], **one))
        assert metrics.Recall(class_id=k)(y, p, w) == pytest.approx(recall_score(y[:, k], said[:, k], **one))
    for average in (None, "micro", "macro", "weighted"):
        theirs = f1_score(y, said, average=average, sample_weight=w)
        assert metrics.F1Score(average, 0.5)(y, p, w) == pytest.approx(theirs, rel=1e-6)
    for average, name in ((None, "raw_values"), ("uniform_average",) * 2):
        assert metrics.R2Score(average)(y, p, w) == pytest.approx(r2_score(y, p, multioutput=name, sample_weight=w))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("y", [[0.0, 0.0], [1.0, 1.0]])
@pytest.mark.parametrize("p", [[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.5, 0.5]])
def test_one_class_only_and_extreme_probabilities_give_finite_numbers(y, p):
    made = [metrics.AUC(), metrics.AUC(curve="PR"), metrics.AUC(curve="PRGAIN"), metrics.Precision(), metrics.Recall()]
    made += [metrics.Precision(thresholds=[0.0, 0.5, 1.0]), metrics.BinaryIoU(), metrics.BinaryCrossentropy()]
    made += [metrics.KLDivergence(), metrics.Poisson()]
    values = [metric(y, p) for metric in made]
    assert all(np.isfinite(value).all() for value in values)


def test_a_threshold_is_rounded_as_what_it_is_compared_with():
    # Como en Keras: un 0.1 de float32 no pasa de 0.1, aunque mida un poco más.
    p = np.array([0.1], np.float32)
    assert BinaryAccuracy(threshold=0.1)([0], p) == 1
    assert metrics.Precision(thresholds=0.1)([1], p) == metrics.TruePositives(0.1)([1], p) == 0
    assert metrics.TruePositives(0.1)([1], p.astype(float)) == 1


def test_an_ignored_label_is_a_miss_and_harms_nothing():
    labels, p = np.array([0, -1, 255]), np.eye(3)
    state = np.zeros(2)
    for metric in (SparseCategoricalAccuracy(), SparseTopKCategoricalAccuracy(3)):
        metric.accept(labels, (3,))
        state[:] = 0
        metric.accumulate(labels, p, None, state)
        assert state.tolist() == [1, 3]


def test_mean_and_sum_of_numbers():
    mean, total = metrics.Mean(), metrics.Sum()
    assert mean.result() == total.result() == 0
    for metric in (mean, total):
        metric.update_state([[1.0, 3.0], [5.0, 7.0]], sample_weight=[1.0, 3.0])
        metric.update_state(10.0)
    assert mean.result() == pytest.approx((2 + 3 * 6 + 10) / 5)
    assert total.result() == 4 + 3 * 12 + 10
    for metric in (mean, total):
        with pytest.raises(ValueError, match="sample_weight: se esperaba la forma"):
            metric.update_state([1.0, 2.0], sample_weight=[1.0, 2.0, 3.0])
        with pytest.raises(TypeError, match="values: se esperaban números reales"):
            metric.update_state("no")
        metric.reset_state()
        assert metric.result() == 0


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
        (lambda: metrics.AUC(1), "num_thresholds: se esperaba un entero"),
        (lambda: metrics.AUC(curve="roc curve"), "curve: se esperaba 'ROC' o 'PR' o 'PRGAIN'"),
        (lambda: metrics.AUC(num_labels=2), "num_labels: se esperaba None"),
        (lambda: metrics.AUC(label_weights=[1, 2])([[1]], [[0.5]]), "metrics: auc no sirve con"),
        (lambda: metrics.Precision(1.5), "thresholds: se esperaba un número de al menos 0 y de a lo sumo 1"),
        (lambda: metrics.Recall(top_k=3)([[1, 0]], [[0.5, 0.1]]), "metrics: recall no sirve con"),
        (lambda: metrics.Recall(class_id=2)([[1, 0]], [[0.5, 0.1]]), "metrics: recall no sirve con"),
        (lambda: metrics.F1Score("media"), "average: se esperaba None o 'micro'"),
        (lambda: metrics.F1Score()([1], [0.5]), r"y_true: se esperaba la forma \(n, K\)"),
        (lambda: metrics.FBetaScore(beta=0), "beta: se esperaba un número mayor que 0"),
        (lambda: metrics.IoU(2, [2]), "target_class_ids: se esperaba un entero entre 0 y 1, pero llegó 2"),
        (lambda: metrics.MeanIoU(2)([[0, 1]], [[[0, 1]]]), "metrics: mean_io_u no sirve con"),
        (lambda: metrics.MeanIoU(2, sparse_y_pred=False)([0, 1], [0, 1]), "metrics: mean_io_u no sirve con"),
        (lambda: metrics.IoU(2, [0], sparse_y_true=False)([0, 1], [0, 1]), "metrics: io_u no sirve con"),
        (lambda: metrics.Hinge()([2], [1.0]), "y_true: se esperaba −1 y 1, o 0 y 1"),
        (lambda: SparseCategoricalAccuracy()([5], [[0.2, 0.8]]), "se esperaba un entero entre 0 y 1"),
    ],
)
def test_bad_arguments_get_a_spanish_sentence(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()
