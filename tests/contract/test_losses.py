"""El contrato de toda pérdida: la media, su gradiente, el lote repartido y quien la usa mal."""

import itertools

import numpy as np
import pytest

from tests.contract import cases
from tests.contract.measure import assert_gradients

# La meta de la confianza es la IoU de lo que se predice, que se toma como constante: sin objetos no hay meta.
FIXED_TARGETS = ["GridDetectionLoss"]


def each_shape(case, dtype="float64"):
    """La pérdida y los datos, en cada forma con que se prueba."""
    return [(case.make(), *cases.example(case, shape, seed, dtype)) for seed, shape in enumerate(cases.shapes(case))]


@cases.every("loss")
def test_the_value_is_the_mean_of_each_observation(case):
    for loss, y_true, y_pred, weight in each_shape(case):
        each = loss.call(y_true, y_pred)
        if loss.alone:
            # Una sola para todo el lote: los pesos solo la hacen contar más o menos.
            assert each.shape == ()
            assert loss(y_true, y_pred) == pytest.approx(float(each), rel=1e-12)
            assert loss(y_true, y_pred, weight) == pytest.approx(float(each * weight.mean()), rel=1e-12)
            continue
        assert each.shape[0] == len(y_pred)
        if not loss.divides_by_rows:
            continue
        by_observation = each.reshape(len(y_pred), -1).mean(axis=1)
        assert loss(y_true, y_pred) == pytest.approx(by_observation.mean(), rel=1e-12)
        assert loss(y_true, y_pred, weight) == pytest.approx((weight * by_observation).mean(), rel=1e-12)
        if each.ndim == 2:
            weights = np.random.default_rng(0).random(each.shape)
            assert loss(y_true, y_pred, weights) == pytest.approx((weights * each).mean(), rel=1e-12)


@cases.every("loss")
def test_any_reduction_comes_from_the_loss_of_each_observation(case):
    for loss, y_true, y_pred, weight in each_shape(case):
        if loss.alone:
            continue
        each = loss.call(y_true, y_pred)
        counted = np.ones_like(each)
        if getattr(loss, "ignore_class", None) is not None:
            counted = (y_true != loss.ignore_class).astype(float)
            assert not each[counted == 0].any()
        for w in (None, weight, np.random.default_rng(0).random(each.shape)):
            wide = np.ones_like(each)
            if w is not None:
                wide = wide * w.reshape(w.shape + (1,) * (each.ndim - w.ndim))
            divisors = {
                "sum": 1,
                "mean_with_sample_weight": (wide * counted).sum(),
                "mean": counted.sum(),
                "sum_over_batch_size": counted.sum(),
            }
            total, n = (wide * each).sum(), max(divisors[loss.reduction], 1e-300)
            assert loss(y_true, y_pred, w) == pytest.approx(total / n, rel=1e-11)


@cases.every("loss")
def test_the_weights_can_be_a_column(case):
    for loss, y_true, y_pred, weight in each_shape(case):
        assert loss(y_true, y_pred, weight[:, None]) == pytest.approx(loss(y_true, y_pred, weight))


@cases.every("loss")
def test_the_gradient_is_the_measured_one(case):
    for loss, y_true, y_pred, weight in each_shape(case):
        if case.name in FIXED_TARGETS:
            y_true = 0 * y_true
        for w in (None, weight):
            slope = loss.gradient(y_true, y_pred, w)
            assert_gradients(lambda: loss(y_true, y_pred, w), {"y": y_pred}, {"y": slope})  # noqa: B023


@cases.every("loss")
def test_the_shards_of_a_batch_add_up_to_the_batch(case):
    for loss, y_true, y_pred, weight in each_shape(case):
        n = len(y_pred)
        target = loss.prepare(y_true, y_pred.shape[1:], y_pred.dtype)
        divided = weight / loss.divisor(target, weight)
        assert not loss.divides_by_rows or loss.divisor(target, weight) == loss.divisor(target, None) == n
        # La que mira el lote entero no se parte.
        for middle in [0] if loss.alone else range(n + 1):
            gradient, total = np.full_like(y_pred, np.nan), 0.0
            for a, b in itertools.pairwise([0, middle, n]):
                if a < b:
                    total += loss.shard(target[a:b], y_pred[a:b], divided[a:b], gradient[a:b])
            assert isinstance(total, float)
            assert total == pytest.approx(loss(y_true, y_pred, weight), rel=1e-12)
            np.testing.assert_allclose(gradient, loss.gradient(y_true, y_pred, weight), rtol=1e-12)


@cases.every("loss")
def test_float32_stays_float32_and_is_close_to_float64(case):
    for loss, y_true, y_pred, weight in each_shape(case):
        single = loss.gradient(y_true, y_pred.astype(np.float32), weight)
        assert single.dtype == loss.call(y_true, y_pred.astype(np.float32)).dtype == np.float32
        np.testing.assert_allclose(single, loss.gradient(y_true, y_pred, weight), rtol=1e-4, atol=1e-6)
        assert loss(y_true, y_pred.astype(np.float32), weight) == pytest.approx(loss(y_true, y_pred, weight), rel=1e-5)


@cases.every("loss")
def test_any_memory_will_do_and_nothing_is_modified(case):
    for loss, y_true, y_pred, weight in each_shape(case):
        given = y_true, y_pred, weight
        kept = [array.copy() for array in given]
        value, gradient = loss(*given), loss.gradient(*given)
        spaced = np.zeros([2 * size for size in y_pred.shape])
        spaced[(slice(None, None, 2),) * y_pred.ndim] = y_pred
        for array in (spaced[(slice(None, None, 2),) * y_pred.ndim], np.asfortranarray(y_pred), y_pred.tolist()):
            assert loss(np.asfortranarray(y_true), array, weight.tolist()) == value
            np.testing.assert_array_equal(loss.gradient(y_true.tolist(), array, weight), gradient)
        assert all(np.array_equal(a, b) for a, b in zip(given, kept, strict=True))


@cases.every("loss")
def test_a_nan_shows_instead_of_hiding(case):
    # Quien reparte el lote ya no comprueba: si la red se rompe, que la pérdida lo diga.
    for loss, y_true, y_pred, _ in each_shape(case):
        target = loss.prepare(y_true, y_pred.shape[1:], "float64")
        totals = []
        for k in range(y_pred[0].size):
            broken = y_pred.copy()
            broken[0].reshape(-1)[k] = np.nan
            totals.append(loss.shard(target, broken, np.ones(len(y_pred)), np.empty_like(broken)))
        # Con etiquetas o celdas vacías hay números de los que no depende.
        assert np.isnan(totals).all() or (np.isnan(totals).any() and case.name in (*FIXED_TARGETS, *ONE_OF_MANY))


ONE_OF_MANY = ["SparseCategoricalCrossentropy"]


@cases.every("loss")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda loss, y, p: loss(y[:-1], p), "y_true: se esperaban .* observaciones"),
        (lambda loss, y, p: loss(y, p[..., 0]), "y_(true|pred): se esperab"),
        (lambda loss, y, p: loss(np.stack([y, y, y], axis=1), p), "y_true: se esperaba la forma"),
        (lambda loss, y, p: loss(1.0, p), "y_true: se esperaba la forma"),
        (lambda loss, y, p: loss(y, 1.0), "y_pred: se esperaba una predicción por observación"),
        (lambda loss, y, p: loss(y[:0], p[:0]), "al menos un elemento"),
        (lambda loss, y, p: loss(y, p * np.nan), "y_pred: se esperaban números finitos"),
        (lambda loss, y, p: loss(y + np.nan, p), "y_true: se esperaban números finitos"),
        (lambda loss, y, p: loss("no", p), "y_true: se esperaban números reales"),
        (lambda loss, y, p: loss(None, p), "y_true: se esperaban números reales"),
        (lambda loss, y, p: loss(y, None), "y_pred: se esperaban números reales"),
        (lambda loss, y, p: loss(y, p, np.ones(len(p) + 1)), "sample_weight: se esperaba la forma"),
        (lambda loss, y, p: loss(y, p, 1.0), "sample_weight: se esperaba la forma"),
        (lambda loss, y, p: loss(y, p, -np.ones(len(p))), "sample_weight: se esperaban pesos de al menos 0"),
        (lambda loss, y, p: loss(y, p, "no"), "sample_weight: se esperaban números reales"),
        (lambda loss, y, p: loss(y, p, np.full(len(p), np.nan)), "sample_weight: se esperaban números finitos"),
        (lambda loss, y, p: loss.prepare(y, (99,), "float64"), "y_(true|pred): se esperab"),
    ],
)
def test_bad_input_gets_a_spanish_sentence(case, call, message):
    y_true, y_pred, _ = cases.example(case, cases.shapes(case)[-1])
    with pytest.raises((TypeError, ValueError), match=message):
        call(case.make(), y_true, y_pred)
