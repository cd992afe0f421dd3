"""El contrato de toda métrica: por partes da lo mismo que entera, con pesos o sin ellos, y quien la usa mal."""

import numpy as np
import pytest

from chapters.mlp import SGD, Dense, Input, Sequential
from tests.contract import cases


def compares(case):
    """Si compara lo predicho con lo correcto."""
    return case.name not in cases.ALONE


def each_shape(case):
    """La métrica y los datos, en cada forma con que se prueba."""
    return [(case.make(), *cases.example(case, shape, seed)) for seed, shape in enumerate(cases.shapes(case))]


@cases.every("metric", compares)
def test_the_parts_add_up_to_the_whole(case):
    for metric, y_true, y_pred, weight in each_shape(case):
        n, size = len(y_pred), metric.size(y_pred.shape[1:])
        metric.accept(y_true, y_pred.shape[1:])
        for w in (None, weight):
            whole = case.make()(y_true, y_pred, w)
            assert isinstance(whole, float) or whole.dtype == np.float64
            for middle in range(n + 1):
                state = np.zeros(size)
                for rows in (slice(0, middle), slice(middle, None)):
                    if len(y_pred[rows]):
                        metric.accumulate(y_true[rows], y_pred[rows], None if w is None else w[rows], state)
                assert metric.value(state) == pytest.approx(whole, rel=1e-11, abs=1e-12)
                assert type(metric.value(state)) is type(whole)


@cases.every("metric", compares)
def test_it_remembers_until_it_is_told_to_forget(case):
    for metric, y_true, y_pred, weight in each_shape(case):
        before = case.make().result()
        assert np.isfinite(before).all() or case.name == "R2Score"
        for w in (None, weight):
            for k in range(len(y_pred)):
                metric.update_state(y_true[k : k + 1], y_pred[k : k + 1], None if w is None else w[k : k + 1])
            whole = case.make()(y_true, y_pred, w)
            assert metric.result() == pytest.approx(whole, rel=1e-11, abs=1e-12)
            assert repr(metric) == repr(case.make())
            metric.reset_state()
            np.testing.assert_equal(metric.result(), before)


@cases.every("metric", compares)
def test_a_weight_of_zero_is_as_if_it_were_not_there_and_of_two_as_if_it_were_twice(case):
    # Con una salida por vector, Keras promedia también lo que se ignora, si no hay pesos.
    ignoring = case.name == "SparseCategoricalCrossentropy" and case.make().ignore_class is not None
    for _, y_true, y_pred, _ in each_shape(case)[1:]:
        times = np.arange(len(y_pred)) % 3
        rows = np.repeat(np.arange(len(y_pred)), times)
        weighted = case.make()(y_true, y_pred, times)
        ones = np.ones(len(rows)) if ignoring else None
        repeated = case.make()(y_true[rows], y_pred[rows], ones)
        if not case.arguments.get("num_regressors"):
            assert weighted == pytest.approx(repeated, rel=1e-9, abs=1e-12)
        assert case.make()(y_true, y_pred, times[:, None]) == pytest.approx(weighted, rel=1e-12)


@cases.every("metric", compares)
def test_any_memory_will_do_and_nothing_is_modified(case):
    y_true, y_pred, weight = cases.example(case, cases.shapes(case)[-1])
    kept = y_true.copy(), y_pred.copy(), weight.copy()
    value = case.make()(y_true, y_pred, weight)
    np.testing.assert_equal(case.make()(np.asfortranarray(y_true), np.asfortranarray(y_pred), weight), value)
    np.testing.assert_equal(case.make()(y_true.tolist(), y_pred.tolist(), weight.tolist()), value)
    assert case.make()(y_true, y_pred.astype(np.float32), weight) == pytest.approx(value, rel=1e-4, abs=1e-6)
    assert all(np.array_equal(a, b) for a, b in zip(kept, (y_true, y_pred, weight), strict=True))


@cases.every("metric", compares)
def test_a_model_measures_what_the_metric_says(case):
    x = np.random.default_rng(0).normal(size=(50, 4))
    y, _, _ = cases.example(case, (50, 3))
    model = Sequential([Input((4,)), Dense(3, "softmax")], dtype="float64", seed=0)
    loss = "sparse_categorical_crossentropy" if y.dtype.kind == "i" else "mse"
    model.compile(SGD(0.0), loss, metrics=[case.make()])
    expected = case.make()(y, model.predict(x, verbose=0))
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0)[1], expected, rtol=1e-12)
    history = model.fit(x, y, batch_size=16, validation_data=(x, y), verbose=0).history
    measured = [values[0] for name, values in history.items() if "loss" not in name]
    assert len(measured) == 2
    for one in measured:
        np.testing.assert_allclose(one, expected, rtol=1e-12)


@cases.every("metric", compares)
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
        (lambda metric, y, p: metric(np.stack([y, y], axis=1), p), "y_true: se esperab|no sirve con"),
        (lambda metric, y, p: metric(y, p, np.ones(len(p) + 1)), "sample_weight: se esperaba la forma"),
        (lambda metric, y, p: metric(y, p, -np.ones(len(p))), "sample_weight: se esperaban pesos de al menos 0"),
        (lambda metric, y, p: metric(y, p, "no"), "sample_weight: se esperaban números reales"),
        (lambda metric, y, p: metric(y, p, np.full(len(p), np.nan)), "sample_weight: se esperaban números finitos"),
    ],
)
def test_bad_input_gets_a_spanish_sentence(case, call, message):
    y_true, y_pred, _ = cases.example(case, (5, 3))
    with pytest.raises((TypeError, ValueError), match=message):
        call(case.make(), y_true, y_pred)
