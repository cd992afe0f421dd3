"""Las ventanas de una serie, como las de Keras; y los pronósticos sin red."""

import numpy as np
import pytest

from chapters.keras.utils import timeseries_dataset_from_array as of_keras
from chapters.mlp import Dense, Input, Sequential
from chapters.rnn import Autoregression, mase, seasonal_naive, timeseries_dataset_from_array

SERIES = np.sin(np.arange(40.0)) + 0.1 * np.arange(40.0)


def by_hand(data, targets, length, stride, rate, start, end):
    """Los índices de la documentación de Keras, contados uno por uno."""
    data = data[start:end]
    targets = None if targets is None else targets[start:end]
    x, y = [], []
    at = 0
    while at + (length - 1) * rate < len(data) and (targets is None or at < len(targets)):
        x.append([data[at + k * rate] for k in range(length)])
        y.append(None if targets is None else targets[at])
        at += stride
    return np.array(x), np.array(y)


@pytest.mark.parametrize("seed", range(20))
def test_windows_are_those_counted_by_hand(seed):
    rng = np.random.default_rng(seed)
    data = rng.normal(size=(30, 2))
    targets = None if seed % 3 == 0 else rng.normal(size=rng.integers(20, 31))
    length, stride, rate = int(rng.integers(1, 5)), int(rng.integers(1, 4)), int(rng.integers(1, 4))
    start, end = int(rng.integers(0, 5)), int(rng.integers(20, 30))
    made = timeseries_dataset_from_array(
        data, targets, length, stride, rate, batch_size=3, start_index=start, end_index=end
    )
    x, y = by_hand(data, targets, length, stride, rate, start, end)
    batches = list(made)
    assert len(made) == -(-len(x) // 3)
    if targets is None:
        np.testing.assert_array_equal(np.concatenate(batches), x)
    else:
        np.testing.assert_array_equal(np.concatenate([b[0] for b in batches]), x)
        np.testing.assert_array_equal(np.concatenate([b[1] for b in batches]), y)


def test_the_examples_of_the_documentation_of_keras():
    data = np.arange(100)
    windows = timeseries_dataset_from_array(data[:99], None, 10, sampling_rate=2, sequence_stride=3, batch_size=None)
    assert windows[0].tolist() == list(range(0, 20, 2))
    assert windows[-1].tolist() == list(range(78, 98, 2))
    given, following = timeseries_dataset_from_array(data[:-10], data[10:], 10)[0]
    assert given[0].tolist() == list(range(10))
    assert following[0] == 10


@pytest.mark.parametrize("seed", range(4))
def test_it_gives_what_keras_gives(seed):
    keras = pytest.importorskip("keras")
    pytest.importorskip("tensorflow")
    options = [
        {"sequence_length": 4},
        {"sequence_length": 3, "sequence_stride": 2, "sampling_rate": 3, "batch_size": 5},
        {"sequence_length": 5, "start_index": 3, "end_index": 31},
        {"sequence_length": 2, "batch_size": None},
    ][seed]
    theirs = keras.utils.timeseries_dataset_from_array(SERIES, SERIES[4:], **options)
    ours = timeseries_dataset_from_array(SERIES, SERIES[4:], **options)
    for (x, y), (u, v) in zip(theirs, ours, strict=True):
        np.testing.assert_array_equal(x, u)
        np.testing.assert_array_equal(y, v)


def test_shuffling_keeps_every_window_with_its_answer():
    plain = timeseries_dataset_from_array(SERIES, SERIES, 4, batch_size=5)
    mixed = timeseries_dataset_from_array(SERIES, SERIES, 4, batch_size=5, shuffle=True, seed=1)
    x, y = (np.concatenate(part) for part in zip(*mixed, strict=True))
    np.testing.assert_array_equal(x[:, 0], y)
    assert sorted(y) == sorted(np.concatenate([b[1] for b in plain]))
    assert not np.array_equal(y, np.concatenate([b[1] for b in plain]))


def test_it_is_given_to_fit_as_it_is():
    windows = timeseries_dataset_from_array(np.float32(SERIES[:-4]), np.float32(SERIES[4:]), 4, batch_size=6)
    model = Sequential([Input((4,)), Dense(1)], seed=0)
    model.compile("adam", "mse")
    losses = model.fit(windows, epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_keras_has_it_in_the_same_place():
    assert of_keras is timeseries_dataset_from_array


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sequence_length": 41}, "abarca 41 valores y hay 40"),
        ({"sequence_length": 4, "sampling_rate": 14}, "abarca 43 valores"),
        ({"sequence_length": 0}, "sequence_length"),
        ({"sequence_length": 3, "start_index": 40}, "start_index"),
        ({"sequence_length": 3, "start_index": 5, "end_index": 5}, "end_index"),
        ({"sequence_length": 3, "batch_size": 0}, "batch_size"),
        ({"sequence_length": 3, "targets": SERIES[:2], "start_index": 2}, "ninguna"),
        ({"sequence_length": 3, "data": 5.0}, "una serie"),
    ],
)
def test_what_does_not_fit_is_said(options, text):
    with pytest.raises((TypeError, ValueError), match=text):
        timeseries_dataset_from_array(**{"data": SERIES, "targets": None} | options)


def test_a_batch_that_does_not_exist():
    windows = timeseries_dataset_from_array(SERIES, None, 4, batch_size=10)
    np.testing.assert_array_equal(windows[-1], windows[len(windows) - 1])
    with pytest.raises(ValueError, match="k: se esperaba"):
        windows[len(windows)]


def test_a_periodic_series_is_guessed_by_the_naive():
    series = np.tile([3.0, 1.0, 4.0, 1.0], 5)
    np.testing.assert_array_equal(seasonal_naive(series, 10, 4), np.tile([3.0, 1.0, 4.0, 1.0], 3)[:10])


def test_the_naive_has_an_error_of_one_on_its_own_training():
    for period in (1, 3, 7):
        guess = SERIES[:-period]
        assert mase(SERIES[period:], guess, SERIES, period) == pytest.approx(1)


def test_mase_has_no_units():
    guess = SERIES[10:] + 0.3
    assert mase(SERIES[10:], guess, SERIES[:10]) == pytest.approx(
        mase(7 - 5 * SERIES[10:], 7 - 5 * guess, 7 - 5 * SERIES[:10])
    )


def test_an_autoregression_recovers_what_made_the_series():
    rng = np.random.default_rng(0)
    series = list(rng.normal(size=3))
    for _ in range(200):
        series.append(0.5 + 0.6 * series[-1] - 0.3 * series[-2] + 0.2 * series[-3])
    model = Autoregression(3).fit(series[:12])
    np.testing.assert_allclose(model.coefficients, [0.6, -0.3, 0.2], atol=1e-8)
    assert model.intercept == pytest.approx(0.5)
    np.testing.assert_allclose(model.forecast(series[:50], 60), series[50:110], atol=1e-7)


def test_it_is_the_least_squares_of_scipy():
    rng = np.random.default_rng(1)
    series = rng.normal(size=60).cumsum()
    model = Autoregression(4).fit(series)
    rows = np.array([[1, *series[t - 4 : t][::-1]] for t in range(4, 60)])
    expected = np.linalg.solve(rows.T @ rows, rows.T @ series[4:])
    np.testing.assert_allclose([model.intercept, *model.coefficients], expected, rtol=1e-8)
    windows = np.array([series[t - 4 : t] for t in range(4, 60)])
    np.testing.assert_allclose(model.predict(windows), rows @ expected)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Autoregression(0), "order"),
        (lambda: Autoregression(3).fit([1.0, 2.0, 3.0, 4.0]), "al menos 7 valores"),
        (lambda: Autoregression(2).predict([[1.0, 2.0]]), "primero a fit"),
        (lambda: Autoregression(2).forecast([1.0, 2.0], 1), "primero a fit"),
        (lambda: Autoregression(2).fit(SERIES).predict([[1.0, 2.0, 3.0]]), "x: se esperaba la forma"),
        (lambda: Autoregression(2).fit(SERIES).forecast([1.0]), "al menos 2 valores"),
        (lambda: Autoregression(2).fit([1.0, np.nan, 2.0, 3.0, 4.0]), "finitos"),
        (lambda: seasonal_naive([1.0, 2.0], 3, period=3), "period"),
        (lambda: mase([1.0], [1.0], [2.0]), "al menos 2"),
        (lambda: mase([1.0], [1.0, 2.0], [2.0, 3.0]), "y_pred"),
        (lambda: mase([1.0], [1.0], [2.0, 3.0], 2), "period"),
    ],
)
def test_a_bad_call_is_answered_in_a_sentence(call, text):
    with pytest.raises((TypeError, ValueError), match=text):
        call()


def test_a_forecast_that_explodes_says_so():
    model = Autoregression(1).fit([1, 10, 100, 1000, 10000])
    with pytest.raises(ValueError, match="steps: el pronóstico crece sin límite"):
        model.forecast([1.0], 400)
