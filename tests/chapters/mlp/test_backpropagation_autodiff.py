"""El grafo de números confirma cada derivación hecha a mano."""

import math
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chapters.mlp.autodiff import Value
from chapters.mlp.dense import Dense
from chapters.mlp.graph_drawing import draw_graph
from chapters.mlp.neuron_chain import neuron_chain_gradient
from chapters.mlp.one_layer import one_layer_gradient
from chapters.mlp.two_layers import two_layer_gradient
from dlbook.gradcheck import numeric_gradient

seeds = st.integers(0, 10_000)
sizes = st.integers(1, 4)


def values(array):
    array = np.asarray(array, float)
    return np.array([Value(v) for v in array.ravel()], dtype=object).reshape(array.shape)


def gradients(array):
    return np.array([v.gradient for v in array.ravel()]).reshape(array.shape)


OPERATIONS = [
    lambda m, a, b: a + b,
    lambda m, a, b: a - b,
    lambda m, a, b: m.tanh(a) * b,
    lambda m, a, b: m.tanh(a) / (2 + m.tanh(b)),
    lambda m, a, b: m.tanh(a) ** 3,
    lambda m, a, b: m.exp(m.tanh(a)) - 1,
    lambda m, a, b: m.log(2 + m.tanh(b)),
    lambda m, a, b: 1 - (-a) * 0.5,
]


def random_expression(seed, inputs, module):
    """Una cuenta al azar que reutiliza resultados; con ``math`` son números y con ``Value``, nodos."""
    rng, pool = np.random.default_rng(seed), list(inputs)
    for choice in rng.integers(0, len(OPERATIONS), 12):
        a, b = (pool[k] for k in rng.integers(0, len(pool), 2))
        pool.append(OPERATIONS[choice](module, a, b))
    return pool[-1]


@given(seeds)
def test_reverse_mode_forward_mode_and_differences_agree(seed):
    x = np.random.default_rng(seed).normal(size=3)
    inputs = [Value(v) for v in x]
    result = random_expression(seed, inputs, Value)
    plain = lambda t: float(random_expression(seed, t.tolist(), math))  # noqa: E731
    result.backward()
    reverse = [v.gradient for v in inputs]
    assert result.value == pytest.approx(plain(x))
    np.testing.assert_allclose(reverse, [result.derivative(v) for v in inputs], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(reverse, numeric_gradient(plain, x), rtol=1e-5, atol=1e-7)


@given(seeds, st.integers(1, 8))
def test_it_confirms_the_chain_of_neurons(seed, depth):
    x, y, *w = np.random.default_rng(seed).normal(size=depth + 2)
    weights, a = values(w), x
    for k, v in enumerate(weights):
        a = v * a if k == depth - 1 else (v * a).tanh()
    loss = (y - a) ** 2
    loss.backward()
    expected, gradient = neuron_chain_gradient(x, y, w)
    assert loss.value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradients(weights), gradient, rtol=1e-10, atol=1e-13)


@given(seeds, sizes, sizes)
def test_it_confirms_one_layer(seed, d, m):
    rng = np.random.default_rng(seed)
    x, y, W, b = (rng.normal(size=s) for s in (d, m, (d, m), m))
    kinds = rng.choice(["linear", "tanh"], m)
    W_, b_ = values(W), values(b)
    outputs = [z.tanh() if kind == "tanh" else z for z, kind in zip(x @ W_ + b_, kinds, strict=True)]
    loss = ((y - np.array(outputs)) ** 2).sum()
    loss.backward()
    expected, dW, db = one_layer_gradient(x, y, W, b, kinds)
    assert loss.value == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(gradients(W_), dW, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(gradients(b_), db, rtol=1e-10, atol=1e-13)


@given(seeds, sizes, sizes, sizes)
def test_it_confirms_two_layers(seed, d, h, m):
    rng = np.random.default_rng(seed)
    x, y, *theta = (rng.normal(size=s) for s in (d, m, (d, h), h, (h, m), m))
    W1, b1, W2, b2 = parts = [values(t) for t in theta]
    loss = ((y - (np.tanh(x @ W1 + b1) @ W2 + b2)) ** 2).sum()
    loss.backward()
    expected, *derived = two_layer_gradient(x, y, *theta)
    assert loss.value == pytest.approx(expected, rel=1e-12)
    for part, gradient in zip(parts, derived, strict=True):
        np.testing.assert_allclose(gradients(part), gradient, rtol=1e-10, atol=1e-13)


@given(seeds, sizes, sizes, st.sampled_from(["tanh", "relu", None]))
def test_it_confirms_dense_in_weights_and_input(seed, n, d, activation):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(n, 2))
    layers = [Dense(3, activation, dtype="float64", seed=seed), Dense(2, dtype="float64", seed=seed + 1)]
    output = layers[1](layers[0](x))
    dx = layers[0].backward(layers[1].backward(2 * (output - y) / n))

    X, parts = values(x), [values(w) for layer in layers for w in layer.weights]
    hidden = X @ parts[0] + parts[1]
    if activation is not None:
        hidden = np.frompyfunc(operator.methodcaller(activation), 1, 1)(hidden)
    loss = ((hidden @ parts[2] + parts[3] - y) ** 2).sum() / n
    loss.backward()
    np.testing.assert_allclose(gradients(X), dx, rtol=1e-9, atol=1e-12)
    for part, gradient in zip(parts, [g for layer in layers for g in layer.gradients], strict=True):
        np.testing.assert_allclose(gradients(part), gradient, rtol=1e-9, atol=1e-12)


def test_a_number_used_twice_receives_both_shares():
    a, b = Value(3), Value(2)
    p = a * b
    r = (p + a) * p
    r.backward()
    assert (r.value, p.gradient, a.gradient, b.gradient) == (54, 15, 36, 45)
    x = Value(5)
    (x * x).backward()
    assert x.gradient == 10


def test_backward_starts_from_zero_each_time():
    x = Value(2)
    y = x**3
    y.backward()
    y.backward()
    assert x.gradient == 12
    (y + x).backward()
    assert x.gradient == 13


def test_every_operation_has_its_derivative():
    x = 0.7
    for f, derivative in [
        (lambda v: 3 + v, 1), (lambda v: v - 2, 1), (lambda v: 2 - v, -1), (lambda v: v * 4, 4), (lambda v: -v, -1),
        (lambda v: v / 2, 0.5), (lambda v: 2 / v, -2 / x**2), (lambda v: v**3, 3 * x**2), (lambda v: v**-1, -(x**-2)),
        (lambda v: v**0.5, 0.5 * x**-0.5), (lambda v: v.exp(), math.exp(x)), (lambda v: v.log(), 1 / x),
        (lambda v: v.tanh(), 1 - math.tanh(x) ** 2), (lambda v: v.relu(), 1), (lambda v: (-v).relu(), 0),
    ]:  # fmt: skip
        v = Value(x)
        f(v).backward()
        assert v.gradient == pytest.approx(derivative, rel=1e-14)
    corner, power = Value(0), Value(0)
    corner.relu().backward()
    (power**0).backward()
    assert corner.gradient == power.gradient == 0


def test_a_very_deep_graph_needs_no_recursion():
    x = Value(1)
    total = x
    for _ in range(5000):
        total = total + x
    total.backward()
    assert x.gradient == total.derivative(x) == 5001


def test_numpy_scalars_and_arrays_mix_with_values():
    a = Value(3)
    assert (np.float64(2) * a).value == (a * np.float64(2)).value == 6
    assert [v.value for v in np.array([1.0, 2.0]) * a] == [v.value for v in a * np.array([1.0, 2.0])] == [3, 6]
    assert Value(1).derivative(Value(1)) == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Value("3"), TypeError, "value"),
        (lambda: Value(math.nan), ValueError, "value"),
        (lambda: Value(1) ** Value(2), TypeError, "exponente"),
        (lambda: Value(1) + "1", TypeError, "unsupported"),
        (lambda: Value(0).log(), ValueError, "log"),
        (lambda: Value(-1) ** 0.5, ValueError, "nan"),
        (lambda: Value(0) ** 0.5, ValueError, "con derivada"),
        (lambda: 1 / Value(0), ValueError, "÷"),
        (lambda: Value(1000).exp(), ValueError, "exp"),
        (lambda: Value(1e200) * Value(1e200), ValueError, "×"),
        (lambda: Value(1).derivative(1), TypeError, "variable"),
        (lambda: draw_graph(3), TypeError, "Value"),
        (lambda: draw_graph(sum((Value(k) for k in range(40)), Value(0))), ValueError, "60"),
    ],
)
def test_nonsense_gets_a_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_the_drawing_shows_value_gradient_and_local_derivative():
    x, w1, w2 = Value(0.5, "x"), Value(0.4, "w1"), Value(-0.3, "w2")
    loss = (1 - w2 * (w1 * x).tanh()) ** 2
    loss.backward()
    texts = [t.get_text().replace("\N{MINUS SIGN}", "-") for t in draw_graph(loss).texts]
    for expected in ("x", "w1", "w2", "tanh", "0.3054", "-0.4181", "0.1974", "0.961", "1.122"):
        assert expected in texts
    # Un dato que se usa en dos columnas va antes que las dos; usado dos veces por un nodo, lleva sus dos derivadas.
    a = Value(3, "a")
    texts = [t.get_text() for t in draw_graph((a * a).tanh() + a).texts]
    assert "3 + 3" in texts


def test_no_arrow_goes_backwards():
    a, b = Value(1, "a"), Value(2, "b")
    late = ((b * b).tanh()).tanh() + a
    result = (late * a) + (a * b)
    ax = draw_graph(result)
    arrows = [t for t in ax.texts if getattr(t, "arrow_patch", None) is not None]
    assert arrows
    assert all(t.xyann[0] < t.xy[0] for t in arrows)
