"""Cada derivación a mano, contra el movimiento de cada número y contra los ejemplos de los cursos."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp.chain_rule import chain_rule
from chapters.mlp.neuron_chain import neuron_chain_gradient
from chapters.mlp.one_layer import one_layer_gradient
from chapters.mlp.two_layers import two_layer_gradient
from chapters.mlp.vector_chain_rule import vector_chain_rule
from dlbook.gradcheck import check_gradients, numeric_gradient

seeds = st.integers(0, 10_000)
sizes = st.integers(1, 5)
WE13 = np.array([0.1, 0.7]), np.array([0.2, 1.0]), np.array([[-0.2, 0.4], [0.3, -0.6]]), np.array([0.1, 0.5])
WE14 = WE13[0], np.array([0.5]), WE13[2], WE13[3], np.array([[0.3], [-0.4]]), np.array([0.2])
NAMES = ("W1", "b1", "W2", "b2")


def random_two_layers(seed, d, h, m):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=s) for s in (d, m, (d, h), h, (h, m), m)]


@given(st.lists(st.sampled_from(["tanh", "sin", "square", "affine"]), min_size=1, max_size=6), st.floats(-2, 2))
def test_chain_rule_is_the_derivative_of_the_composition(names, x):
    known = {
        "tanh": (math.tanh, lambda u: 1 - math.tanh(u) ** 2),
        "sin": (math.sin, math.cos),
        "square": (lambda u: math.tanh(u) ** 2, lambda u: 2 * math.tanh(u) * (1 - math.tanh(u) ** 2)),
        "affine": (lambda u: 1 - 0.7 * u, lambda u: -0.7),
    }
    functions, derivatives = zip(*(known[n] for n in names), strict=True)

    def composed(theta):
        u = float(theta[0])
        for f in functions:
            u = f(u)
        return u

    value, derivative = chain_rule(functions, derivatives, x)
    assert value == composed([x])
    np.testing.assert_allclose(derivative, numeric_gradient(composed, np.array([x]))[0], rtol=1e-6, atol=1e-9)


@given(seeds, sizes, sizes, sizes)
def test_vector_chain_rule_is_the_gradient_of_the_composition(seed, d, h, m):
    x, dy, W1, b1, W2, b2 = random_two_layers(seed, d, h, m)
    functions = [lambda x: x @ W1 + b1, np.tanh, lambda u: u @ W2 + b2]
    jacobians = [lambda x: W1.T, lambda z: np.diag(1 - np.tanh(z) ** 2), lambda u: W2.T]
    y, dx = vector_chain_rule(functions, jacobians, x, dy)
    np.testing.assert_allclose(y, np.tanh(x @ W1 + b1) @ W2 + b2)
    measured = numeric_gradient(lambda x: float(dy @ (np.tanh(x @ W1 + b1) @ W2 + b2)), x)
    np.testing.assert_allclose(dx, measured, rtol=1e-6, atol=1e-8)


@given(seeds, st.integers(1, 8), st.floats(-2, 2), st.floats(-2, 2))
def test_neuron_chain_gradient(seed, depth, x, y):
    w = np.random.default_rng(seed).normal(size=depth)
    loss, gradient = neuron_chain_gradient(x, y, w)
    assert check_gradients(lambda: neuron_chain_gradient(x, y, w)[0], {"w": w}, {"w": gradient}).ok
    a = x
    for weight in w[:-1]:
        a = math.tanh(weight * a)
    assert loss == pytest.approx((y - w[-1] * a) ** 2)


@given(seeds, sizes, sizes)
def test_one_layer_gradient(seed, d, m):
    rng = np.random.default_rng(seed)
    x, y, W, b = (rng.normal(size=s) for s in (d, m, (d, m), m))
    kinds = rng.choice(["linear", "tanh"], m)
    _, dW, db = one_layer_gradient(x, y, W, b, kinds)
    report = check_gradients(lambda: one_layer_gradient(x, y, W, b, kinds)[0], {"W": W, "b": b}, {"W": dW, "b": db})
    assert report.ok, str(report)


@given(seeds, sizes, sizes, sizes)
def test_two_layer_gradient(seed, d, h, m):
    x, y, *theta = random_two_layers(seed, d, h, m)
    _, *gradients = two_layer_gradient(x, y, *theta)
    parameters, derived = dict(zip(NAMES, theta, strict=True)), dict(zip(NAMES, gradients, strict=True))
    report = check_gradients(lambda: two_layer_gradient(x, y, *theta)[0], parameters, derived)
    assert report.ok, str(report)


@given(seeds, sizes, sizes, sizes)
def test_the_last_layer_of_two_is_one_layer_fed_by_the_hidden_one(seed, d, h, m):
    x, y, W1, b1, W2, b2 = random_two_layers(seed, d, h, m)
    loss, _, _, dW2, db2 = two_layer_gradient(x, y, W1, b1, W2, b2)
    alone = one_layer_gradient(np.tanh(x @ W1 + b1), y, W2, b2, ["linear"] * m)
    assert loss == alone[0]
    np.testing.assert_array_equal(dW2, alone[1])
    np.testing.assert_array_equal(db2, alone[2])


def test_worked_example_7():
    loss, gradient = neuron_chain_gradient(0.5, 1, [0.4, -0.3])
    assert gradient.round(6).tolist() == [0.305385, -0.418125]
    assert loss == pytest.approx((1 + 0.3 * math.tanh(0.2)) ** 2)


def test_worked_example_12():
    f = lambda p: p[0] ** 2 + p[1] ** 2  # noqa: E731
    np.testing.assert_allclose(numeric_gradient(f, np.array([1.0, 2.0])), [2, 4], rtol=1e-8)
    angle = np.linspace(0, 2 * np.pi, 3601)
    h = 1e-6 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    point = np.array([1.0, 2.0])
    growth = np.array([f(point + s) - f(point - s) for s in h]) / 2e-6
    assert angle[growth.argmax()] == pytest.approx(np.arctan(2), abs=angle[1])
    assert growth.max() == pytest.approx(np.sqrt(20), rel=1e-6)


def test_worked_example_13_the_six_updates():
    x, y, W, b = WE13
    loss, dW, db = one_layer_gradient(x, y, W, b, ["linear", "tanh"])
    np.testing.assert_allclose(x @ W + b, [0.29, 0.12])
    # La delta del curso es la nuestra entre -2.
    np.testing.assert_allclose(-db / 2, [-0.09, 0.8680132], atol=5e-8)
    W, b = W - 0.1 * dW, b - 0.1 * db
    np.testing.assert_allclose(b, [0.082, 0.6736026], atol=5e-8)
    np.testing.assert_allclose(W.T, [[-0.2018, 0.2874], [0.4173603, -0.4784782]], atol=5e-8)
    assert (round(loss, 6), round(one_layer_gradient(x, y, W, b, ["linear", "tanh"])[0], 6)) == (0.783508, 0.409664)


def test_erratum_10_the_printed_weight_is_neither_the_rounded_nor_the_exact_one():
    x, y, W, b = WE13
    exact = W[1, 1] - 0.1 * one_layer_gradient(x, y, W, b, ["linear", "tanh"])[1][1, 1]
    assert round(-0.6 + 2 * 0.1 * 0.7 * 0.87, 4) == -0.4782
    assert round(exact, 4) == -0.4785


def test_worked_example_14():
    x, y, *theta = WE14
    loss, dW1, db1, dW2, db2 = two_layer_gradient(x, y, *theta)
    np.testing.assert_allclose(-db2 / 2, [0.263130], atol=5e-7)
    np.testing.assert_allclose(-db1 / 2, [0.072656, -0.103751], atol=5e-7)
    W1, b1, W2, b2 = new = [p - 0.1 * g for p, g in zip(theta, (dW1, db1, dW2, db2), strict=True)]
    np.testing.assert_allclose([b2[0], *W2[:, 0]], [0.252626, 0.314848, -0.393715], atol=5e-7)
    np.testing.assert_allclose(b1, [0.114531, 0.479250], atol=5e-7)
    np.testing.assert_allclose(W1.T, [[-0.198547, 0.310172], [0.397925, -0.614525]], atol=5e-7)
    assert (round(loss, 6), round(two_layer_gradient(x, y, *new)[0], 6)) == (0.069238, 0.035032)


def test_erratum_8_updating_first_gives_something_that_is_not_the_gradient():
    x, y, W1, b1, W2, b2 = WE14
    _, _, db1, dW2, db2 = two_layer_gradient(x, y, W1, b1, W2, b2)
    trap = ((W2 - 0.1 * dW2) @ db2) * (1 - np.tanh(x @ W1 + b1) ** 2)
    measured = numeric_gradient(lambda b: two_layer_gradient(x, y, W1, b, W2, b2)[0], b1.copy())
    np.testing.assert_allclose(db1, measured, rtol=1e-8)
    assert np.abs(trap - measured).max() > 1e-3
    np.testing.assert_allclose(-trap / 2, [0.076251, -0.102121], atol=5e-7)


def test_erratum_36_a_hidden_delta_adds_those_it_feeds():
    y, u, V = np.array([1.0, -0.5]), np.array([0.5, -0.2]), np.array([[0.3, 0.2], [-0.4, 0.1]])
    # Con x = 1, W1 = u y sin sesgos, las preactivaciones ocultas son u.
    _, _, db1, _, _ = two_layer_gradient([1.0], y, u[np.newaxis], np.zeros(2), V, np.zeros(2))
    np.testing.assert_allclose(-db1 / 2, [0.094521, -0.355811], atol=5e-7)


@given(seeds)
def test_arguments_are_left_alone_and_results_are_new(seed):
    arguments = random_two_layers(seed, 2, 3, 2)
    copies = [a.copy() for a in arguments]
    first = two_layer_gradient(*arguments)
    second = two_layer_gradient(*arguments)
    for a, c in zip(arguments, copies, strict=True):
        np.testing.assert_array_equal(a, c)
    for f, s in zip(first[1:], second[1:], strict=True):
        np.testing.assert_array_equal(f, s)
        assert not np.shares_memory(f, s)


def test_float32_and_integers_are_accepted():
    x, y, W, b = (a.astype(np.float32) for a in WE13)
    loss, dW, _ = one_layer_gradient(x, y, W, b, ["linear", "tanh"])
    assert dW.dtype == np.float32
    assert loss == pytest.approx(0.783508, abs=1e-6)
    assert two_layer_gradient([1], [1], [[1]], [0], [[1]], [0])[0] == pytest.approx((1 - math.tanh(1)) ** 2)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: chain_rule([], [], 1), ValueError, "functions: se esperaba al menos un elemento"),
        (lambda: chain_rule([abs], [abs, abs], 1), ValueError, "una derivada por función"),
        (lambda: chain_rule([lambda u: math.inf], [lambda u: 1.0], 1), ValueError, r"functions\[0\]"),
        (lambda: chain_rule([abs], [lambda u: "dos"], 1), TypeError, r"derivatives\[0\]"),
        (lambda: vector_chain_rule([np.sin], [], [1], [1]), ValueError, "jacobians"),
        (lambda: vector_chain_rule([np.sin], [np.diag] * 2, [1], [1]), ValueError, "una jacobiana por función"),
        (lambda: vector_chain_rule([np.sin], [np.cos], [1], [1]), ValueError, r"jacobians\[0\]"),
        (lambda: vector_chain_rule([np.sum], [np.diag], [1], [1]), ValueError, r"functions\[0\]"),
        (lambda: vector_chain_rule([np.sin], [np.diag], [1], [1, 2]), ValueError, "dy"),
        (lambda: neuron_chain_gradient(0.5, 1, []), ValueError, "w"),
        (lambda: neuron_chain_gradient(0.5, math.nan, [1.0]), ValueError, "y"),
        (lambda: neuron_chain_gradient("x", 1, [1.0]), TypeError, "x"),
        (lambda: neuron_chain_gradient(1, 1, [1e200, 1e200]), ValueError, "gradiente"),
        (lambda: one_layer_gradient([1, 2], [1], [[1], [1]], [0], ["relu"]), ValueError, "'linear' o 'tanh'"),
        (
            lambda: one_layer_gradient([1, 2], [1], [[1], [1]], [0], []),
            ValueError,
            "activations: se esperaba al menos un elemento",
        ),
        (lambda: one_layer_gradient([1, 2], [1], [[1], [1]], [0], ["linear"] * 2), ValueError, "una por neurona"),
        (lambda: one_layer_gradient([1, 2], [1], [[1, 1]], [0], ["tanh"]), ValueError, "W"),
        (lambda: one_layer_gradient([1], [1e200], [[1]], [0], ["tanh"]), ValueError, "pérdida"),
        (lambda: two_layer_gradient([1], [1], [[1]], [0, 0], [[1]], [0]), ValueError, "b1"),
        (lambda: two_layer_gradient([1], [1], [[1]], [0], [[np.inf]], [0]), ValueError, "W2"),
        (lambda: two_layer_gradient([], [1], [[1]], [0], [[1]], [0]), ValueError, "x"),
        (lambda: two_layer_gradient([1], [None], [[1]], [0], [[1]], [0]), TypeError, "y"),
    ],
)
def test_nonsense_gets_a_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
