"""Detección: cajas, supresión, rejilla, pérdida y precisión media."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.cnn import (
    GridDetectionLoss,
    average_precision,
    grid_decode,
    grid_encode,
    grid_output_shape,
    iou,
    non_max_suppression,
)
from dlbook.data import shape_scenes
from dlbook.gradcheck import numeric_gradient

corner = st.integers(0, 9)
box = st.tuples(corner, corner, corner, corner).map(lambda b: [*np.minimum(b[:2], b[2:]), *np.maximum(b[:2], b[2:])])
boxes = st.lists(box, min_size=1, max_size=6)


def pixels(b):
    grid = np.zeros((10, 10), bool)
    grid[b[1] : b[3], b[0] : b[2]] = True
    return grid


@given(boxes, boxes)
def test_iou_counts_pixels(first, second):
    found = iou(first, second)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            union = (pixels(a) | pixels(b)).sum()
            assert found[i, j] == pytest.approx((pixels(a) & pixels(b)).sum() / union if union else 0)
    assert np.array_equal(found, iou(second, first).T)


@given(boxes, st.data(), st.floats(0, 1))
def test_what_survives_suppression_does_not_overlap_and_what_falls_has_a_reason(those, data, threshold):
    n = len(those)
    scores = np.array(data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)))
    classes = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    kept = non_max_suppression(those, scores, classes, threshold)
    overlap = iou(those, those)
    assert list(scores[kept]) == sorted(scores[kept], reverse=True)
    for i in range(n):
        rivals = [k for k in kept if k != i and classes[k] == classes[i] and overlap[i, k] > threshold]
        if i in kept:
            assert rivals == []
        else:
            assert any(scores[k] >= scores[i] for k in rivals)


def plain_suppression(those, scores, classes, threshold):
    """La definición, paso por paso: guarda la mejor, descarta las que se le superponen, repite."""
    left, kept, overlap = sorted(range(len(those)), key=lambda i: -scores[i]), [], iou(those, those)
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [i for i in left if classes[i] != classes[best] or overlap[best, i] <= threshold]
    return kept


@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_suppression_is_the_plain_one(seed, threshold):
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 20, (40, 2))
    those = np.hstack([corners, corners + rng.integers(0, 15, (40, 2))])
    scores, classes = rng.integers(0, 9, 40) / 8, rng.integers(0, 3, 40)
    expected = plain_suppression(those, scores, classes, threshold)
    assert non_max_suppression(those, scores, classes, threshold).tolist() == expected


def test_thousands_of_disjoint_boxes_take_milliseconds():
    side = np.arange(2000.0)
    those = np.stack([2 * side, 2 * side, 2 * side + 1, 2 * side + 1], axis=1)
    scores = np.random.default_rng(0).random(2000)
    non_max_suppression(those[:2], scores[:2]), iou(those[:2], those[:2])
    start = time.process_time()
    kept = non_max_suppression(those, scores)
    # Dos millones de pares: decenas de milisegundos; uno por uno, en Python, eran cuatro segundos. Los del procesador
    # no cuentan lo que hacen otros programas.
    assert time.process_time() - start < 0.5
    assert kept.tolist() == np.argsort(-scores).tolist()
    start = time.process_time()
    assert (iou(those, those) == np.eye(2000)).all()
    assert time.process_time() - start < 0.5


def test_suppression_without_boxes():
    assert non_max_suppression([], []).tolist() == []
    with pytest.raises(ValueError, match="scores"):
        non_max_suppression([], [0.5])


def test_scenes_have_tight_boxes_and_repeat_with_the_seed():
    x, where, kinds = shape_scenes(30, size=40, noise=0.0, seed=3)
    again = shape_scenes(30, size=40, noise=0.0, seed=3)
    assert np.array_equal(x, again[0])
    assert all(np.array_equal(a, b) for a, b in zip(where, again[1], strict=True))
    for image, those, classes in zip(x[..., 0], where, kinds, strict=True):
        assert 1 <= len(those) == len(classes) <= 3
        background = np.bincount((image * 1e6).astype(int).ravel()).argmax() / 1e6
        painted = np.abs(image - background) > 1e-3
        for x1, y1, x2, y2 in (40 * those).round().astype(int):
            inside = painted[y1:y2, x1:x2]
            # La figura llega hasta los lados de su caja, con un píxel de tolerancia por el redondeo.
            assert inside[:2].any()
            assert inside[-2:].any()
            assert inside[:, :2].any()
            assert inside[:, -2:].any()


def test_decoding_undoes_encoding():
    _, where, kinds = shape_scenes(20, seed=1)
    y = grid_encode(where, kinds, 12, 3)
    assert y.shape[1:] == grid_output_shape(12, 1, 3)
    for (found, scores, classes), those, names in zip(grid_decode(y, 3), where, kinds, strict=True):
        order = np.lexsort(found.T)
        true = np.lexsort(those.T)
        assert np.allclose(found[order], those[true])
        assert classes[order].tolist() == names[true].tolist()
        assert (scores == 1).all()


def test_two_centers_in_one_cell_keep_the_first():
    y = grid_encode([[[0.1, 0.1, 0.3, 0.3], [0.15, 0.1, 0.35, 0.4]]], [[0, 1]], 2, 2)
    assert y[..., 4].sum() == 1
    assert y[0, 0, 0, 5:].tolist() == [1, 0]


def test_a_center_on_the_far_edge_falls_in_the_last_cell():
    y = grid_encode([[[0.9999999999999999, 0.5, 1.0, 1.0]]], [[0]], 4, 1)
    assert y[0, 3, 3, 4] == 1
    assert y[0, 3, 3, 0] <= 1


@pytest.mark.parametrize("grid", [1, 3])
def test_the_gradient_of_the_loss(grid):
    rng = np.random.default_rng(0)
    loss = GridDetectionLoss(boxes=2)
    y_true = np.zeros((2, grid, grid, 8))
    y_true[..., :4] = rng.uniform(0.3, 0.7, (2, grid, grid, 4))
    y_true[..., 6] = 1
    y_true[..., 4] = rng.integers(0, 2, (2, grid, grid))
    y_true[0, 0, 0, 4] = 1
    y_pred = rng.uniform(0.3, 0.7, (2, grid, grid, 13))
    # La IoU es una meta fija: si la confianza ya la acierta, la derivada numérica no ve que la meta se mueve.
    for index in np.argwhere(y_true[..., 4] > 0):
        cell, truth = y_pred[tuple(index)], y_true[tuple(index)][:4]
        overlaps = [iou([corners(cell[5 * j : 5 * j + 4], grid)], [corners(truth, grid)])[0, 0] for j in (0, 1)]
        j = int(np.argmax(overlaps))
        cell[5 * j + 4] = overlaps[j]
    weight = np.array([0.5, 2.0])
    numeric = numeric_gradient(lambda y: loss(y_true, y.reshape(y_pred.shape), weight), y_pred.ravel().copy())
    assert np.allclose(loss.gradient(y_true, y_pred, weight).ravel(), numeric, atol=1e-7)
    assert loss(y_true, y_pred) == pytest.approx(loss.call(y_true, y_pred).mean())


def corners(b, grid):
    x, y = b[0] / grid + 1, b[1] / grid + 1
    return [x - b[2] ** 2 / 2, y - b[3] ** 2 / 2, x + b[2] ** 2 / 2, y + b[3] ** 2 / 2]


def test_a_perfect_answer_costs_nothing():
    _, where, kinds = shape_scenes(5, seed=2)
    y = grid_encode(where, kinds, 6, 3)
    assert GridDetectionLoss(boxes=1)(y, y) == pytest.approx(0, abs=1e-20)


def test_average_precision_of_the_perfect_and_of_the_blind():
    _, where, _ = shape_scenes(6, seed=4)
    assert average_precision([(b, np.ones(len(b))) for b in where], where) == 1
    assert average_precision([([], []) for _ in where], where) == 0
    assert np.isnan(average_precision([([[0, 0, 1, 1]], [1.0])], [[]]))
    twice = [(np.concatenate([b, b]), np.r_[np.full(len(b), 0.9), np.full(len(b), 0.8)]) for b in where]
    assert average_precision(twice, where) == 1  # los repetidos van al final y no bajan el área


def test_bad_input_says_what_was_expected():
    with pytest.raises(ValueError, match=r"boxes\[0\].*x1 <= x2"):
        iou([[1, 0, 0, 1]], [[0, 0, 1, 1]])
    with pytest.raises(ValueError, match="entre 0 y 1"):
        grid_encode([[[0, 0, 2, 2]]], [[0]], 4, 1)
    with pytest.raises(ValueError, match=r"classes\[0\]"):
        grid_encode([[[0, 0, 1, 1]]], [[3]], 4, 3)
    with pytest.raises(ValueError, match="5 B"):
        grid_decode(np.zeros((1, 2, 2, 9)), 3)
    with pytest.raises(ValueError, match="y_true"):
        GridDetectionLoss(boxes=1)(np.zeros((1, 2, 2, 7)), np.zeros((1, 2, 2, 8)))
    with pytest.raises(ValueError, match="rejilla"):
        GridDetectionLoss(boxes=1)(np.zeros((1, 6)), np.zeros((1, 6)))
    with pytest.raises(ValueError, match="size"):
        shape_scenes(2, size=3)
    with pytest.raises(ValueError, match="boxes"):
        grid_output_shape(7, 0, 20)
