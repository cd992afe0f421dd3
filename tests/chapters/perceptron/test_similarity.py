"""Parecido entre vectores y producto de matrices."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.perceptron import cosine_similarity, dot_product, euclidean_distance, matrix_product, neuron, sigmoid

X = [0.5, 0.3, 0.7]
CANDIDATES = {"A": [0.3, 0.3, 0.3], "B": [0.6, 0.2, 0.6], "C": [-0.5, -0.3, -0.7]}
COORDINATES = st.floats(-1e3, 1e3).filter(lambda v: v == 0 or abs(v) > 1e-3)
PAIRS = st.integers(1, 6).flatmap(
    lambda d: st.tuples(*[st.lists(COORDINATES, min_size=d, max_size=d).filter(any) for _ in range(2)])
)


def test_which_vector_looks_like_x():
    dot = {k: dot_product(X, v) for k, v in CANDIDATES.items()}
    cosine = {k: cosine_similarity(X, v) for k, v in CANDIDATES.items()}
    distance = {k: euclidean_distance(X, v) for k, v in CANDIDATES.items()}
    assert list(dot.values()) == pytest.approx([0.45, 0.78, -0.83])
    assert list(cosine.values()) == pytest.approx([0.9505864, 0.9820843, -1], abs=1e-7)
    assert list(distance.values()) == pytest.approx([math.sqrt(0.2), math.sqrt(0.03), 2 * math.sqrt(0.83)])
    assert max(dot, key=dot.get) == max(cosine, key=cosine.get) == min(distance, key=distance.get) == "B"


@given(PAIRS)
def test_law_of_cosines(pair):
    x, y = pair
    scale = dot_product(x, x) + dot_product(y, y)
    assert euclidean_distance(x, y) ** 2 == pytest.approx(scale - 2 * dot_product(x, y), abs=1e-12 * scale)
    lengths = math.sqrt(dot_product(x, x) * dot_product(y, y))
    assert cosine_similarity(x, y) * lengths == pytest.approx(dot_product(x, y), abs=1e-12 * scale)


@given(PAIRS, st.sampled_from([1e-300, 1e-5, 3.0, 1e300]))
def test_cosine_ignores_length_and_is_a_cosine(pair, factor):
    x, y = pair
    cosine = cosine_similarity(x, y)
    assert -1 <= cosine <= 1
    assert cosine_similarity(np.array(x) * factor / 1e3, y) == pytest.approx(cosine, abs=1e-12)
    assert cosine_similarity(x, x) == pytest.approx(1, abs=1e-12)
    assert cosine_similarity(x, np.negative(x)) == pytest.approx(-1, abs=1e-12)


def test_huge_vectors_do_not_overflow():
    assert cosine_similarity([1e308, 1e308], [1e308, 0]) == pytest.approx(math.sqrt(0.5))
    assert euclidean_distance([3e200, 0], [0, 4e200]) == pytest.approx(5e200)


def test_unit_vectors_are_ranked_alike_by_the_three_measures():
    rng = np.random.default_rng(0)
    v = rng.standard_normal((50, 4))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    by_dot = np.argsort([dot_product(v[0], u) for u in v])
    by_cosine = np.argsort([cosine_similarity(v[0], u) for u in v])
    by_distance = np.argsort([-euclidean_distance(v[0], u) for u in v])
    assert (by_dot == by_cosine).all()
    assert (by_dot == by_distance).all()


def test_corner_of_the_course_product_is_negative():
    a, b = [[2, 5, 2], [1, 0, -2], [3, 1, 1]], [[-2, 1, 0], [-2, 2, 1], [0, 0, 3]]
    assert matrix_product(a, b).tolist() == [[-14, 12, 11], [-2, 1, -6], [-8, 5, 4]]
    assert 2 * -2 + 5 * -2 + 2 * 0 == -14


@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 8), st.sampled_from(["float32", "float64"]))
def test_matrix_product_agrees_with_numpy(m, p, n, dtype):
    rng = np.random.default_rng(m + 10 * p + 100 * n)
    a, b = rng.standard_normal((m, p)).astype(dtype), np.asfortranarray(rng.standard_normal((p, n))).astype(dtype)
    c = matrix_product(a, b)
    assert c.dtype == dtype
    np.testing.assert_allclose(c, a @ b, rtol=1e-4 if dtype == "float32" else 1e-12, atol=1e-6)


def test_each_row_of_a_layer_is_a_neuron_and_linear_layers_collapse():
    rng = np.random.default_rng(0)
    W, bias, x = rng.standard_normal((4, 3)), rng.standard_normal(4), rng.standard_normal(3)
    layer = sigmoid(matrix_product(W, x[:, np.newaxis])[:, 0] + bias)
    np.testing.assert_allclose(layer, [neuron(x, W[i], bias[i]) for i in range(4)], rtol=1e-13)
    V, other = rng.standard_normal((2, 4)), rng.standard_normal(2)
    twice = V @ (W @ x + bias) + other
    once = matrix_product(V, W) @ x + (V @ bias + other)
    np.testing.assert_allclose(twice, once, rtol=1e-12)
