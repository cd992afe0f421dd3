"""La curva de umbrales contra la definición contada y contra scikit-learn."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import precision_recall_curve

from chapters.perceptron.threshold_curve import threshold_curve

examples = st.lists(st.tuples(st.integers(0, 1), st.integers(-4, 4)), min_size=1, max_size=30).filter(
    lambda rows: any(y for y, _ in rows)
)


@given(examples)
def test_every_point_is_what_counting_gives(rows):
    y, score = np.array(rows).T
    thresholds, precision, recall = threshold_curve(y, score / 3)
    assert thresholds.tolist() == sorted(set((score / 3).tolist()))
    for theta, p, r in zip(thresholds, precision, recall, strict=True):
        fired = score / 3 >= theta
        assert p == (fired & (y == 1)).sum() / fired.sum()
        assert r == (fired & (y == 1)).sum() / y.sum()


@given(examples)
def test_agrees_with_scikit_learn(rows):
    y, score = np.array(rows).T
    precision, recall, thresholds = precision_recall_curve(y, score)
    for got, expected in zip(threshold_curve(y, score), (thresholds, precision[:-1], recall[:-1]), strict=True):
        np.testing.assert_array_equal(got, expected)


@given(examples)
def test_recall_never_rises_with_the_threshold(rows):
    y, score = np.array(rows).T
    assert (np.diff(threshold_curve(y, score)[2]) <= 0).all()


def test_precision_and_layout_do_not_change_the_answer():
    rng = np.random.default_rng(0)
    y, score = rng.integers(0, 2, 50), rng.normal(size=50).astype(np.float32)
    expected = threshold_curve(y, score)
    for same in (score.astype(float), np.repeat(score, 3)[::3]):
        for a, b in zip(threshold_curve(y.astype(bool), same), expected, strict=True):
            np.testing.assert_array_equal(a, b)
