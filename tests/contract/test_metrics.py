"""El contrato de toda métrica: por partes da lo mismo que entera, y quien la usa mal."""

import numpy as np
import pytest

from chapters.mlp import SGD, Dense, Input, Sequential
from tests.contract import cases


@cases.every("metric")
def test_the_parts_add_up_to_the_whole(case):
    metric = case.make()
    for seed, shape in enumerate(cases.shapes(case)):
        y_true, y_pred, _ = cases.example(case, shape, seed)
        whole = metric(y_true, y_pred)
        assert isinstance(whole, float)
        for middle in range(1, shape[0]):
            total = sum(metric.shard(y_true[rows], y_pred[rows]) for rows in (slice(0, middle), slice(middle, None)))
            assert total / shape[0] == pytest.approx(whole, rel=1e-12)
        each = [metric(y_true[k : k + 1], y_pred[k : k + 1]) for k in range(shape[0])]
        assert np.mean(each) == pytest.approx(whole, rel=1e-12)


@cases.every("metric")
def test_any_memory_will_do_and_nothing_is_modified(case):
    y_true, y_pred, _ = cases.example(case, cases.shapes(case)[-1])
    kept = y_true.copy(), y_pred.copy()
    metric = case.make()
    value = metric(y_true, y_pred)
    assert metric(np.asfortranarray(y_true), np.asfortranarray(y_pred)) == value
    assert metric(y_true.tolist(), y_pred.tolist()) == value
    assert metric(y_true, y_pred.astype(np.float32)) == pytest.approx(value, rel=1e-6)
    assert np.array_equal(kept[0], y_true)
    assert np.array_equal(kept[1], y_pred)


@cases.every("metric")
def test_a_model_measures_what_the_metric_says(case):
    x = np.random.default_rng(0).normal(size=(50, 4))
    y, _, _ = cases.example(case, (50, 3))
    model = Sequential([Input((4,)), Dense(3, "softmax")], dtype="float64", seed=0)
    loss = "sparse_categorical_crossentropy" if y.dtype.kind == "i" else "mse"
    model.compile(SGD(0.0), loss, metrics=[case.make()])
    expected = case.make()(y, model.predict(x, verbose=0))
    assert model.evaluate(x, y, verbose=0)[1] == pytest.approx(expected, rel=1e-12)
    history = model.fit(x, y, batch_size=16, validation_data=(x, y), verbose=0).history
    measured = [values[0] for name, values in history.items() if "loss" not in name]
    assert measured == pytest.approx([expected] * 2, rel=1e-12)


@cases.every("metric")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda metric, y, p: metric(y[:-1], p), "y_true: se esperab"),
        (lambda metric, y, p: metric(y, p * np.nan), "y_pred: se esperaban números finitos"),
        (lambda metric, y, p: metric(y + np.nan, p), "y_true: se esperaban números finitos"),
        (lambda metric, y, p: metric(y[:0], p[:0]), "y_(true|pred): se esperaba al menos"),
        (lambda metric, y, p: metric("no", p), "y_true: se esperaban números reales"),
        (lambda metric, y, p: metric(y, None), "y_pred: se esperaban números reales"),
        (lambda metric, y, p: metric(y, 3.0), "y_(true|pred): se esperab"),
        (lambda metric, y, p: metric(np.stack([y, y], axis=1), p), "y_true: se esperab"),
    ],
)
def test_bad_input_gets_a_spanish_sentence(case, call, message):
    y_true, y_pred, _ = cases.example(case, (5, 3))
    with pytest.raises((TypeError, ValueError), match=message):
        call(case.make(), y_true, y_pred)
