"""La red recurrente sencilla."""

import numpy as np
import pytest

from chapters.rnn import SimpleRNN, simple_rnn_backward, simple_rnn_forward
from dlbook.gradcheck import check_gradients


def drawn(n=2, steps=4, d=3, units=5, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"x": (n, steps, d), "kernel": (d, units), "recurrent_kernel": (units, units), "bias": (units,)}
    return {name: rng.normal(size=shape) for name, shape in (shapes | {"initial_state": (n, units)}).items()}


def test_the_gradients_through_time_are_the_measured_ones():
    given = drawn()
    share = np.random.default_rng(3).normal(size=(2, 4, 5))
    y = simple_rnn_forward(**given)
    rest = {name: given[name] for name in ("x", "kernel", "recurrent_kernel", "initial_state")}
    found = simple_rnn_backward(**rest, y=y, dy=share)
    names = ["kernel", "recurrent_kernel", "bias", "initial_state", "x"]
    report = check_gradients(
        lambda: (simple_rnn_forward(**given) * share).sum(),
        {name: given[name] for name in names},
        dict(zip(names, found, strict=True)),
    )
    assert report.ok, str(report)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "linear"])
def test_the_kernel_and_the_loop_in_python_do_the_same(activation):
    class Slow(SimpleRNN):
        kind = None

    fast, slow = (
        cls(4, activation, return_sequences=True, recurrent_dropout=0.3, dtype="float64", seed=1)
        for cls in (SimpleRNN, Slow)
    )
    x, mask = np.random.default_rng(2).normal(size=(3, 5, 2)), np.random.default_rng(4).random((3, 5)) < 0.7
    ys = [layer.forward(x, training=True, mask=mask) for layer in (fast, slow)]
    np.testing.assert_allclose(*ys, rtol=1e-12, atol=1e-14)
    dy = np.cos(ys[0])
    np.testing.assert_allclose(fast.backward(dy), slow.backward(dy), rtol=1e-12, atol=1e-14)
    for one, other in zip(fast.gradients, slow.gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_float32_agrees_with_float64():
    given = drawn(n=3, steps=30, units=40)
    given["recurrent_kernel"] *= 0.1
    single = simple_rnn_forward(**{name: value.astype("float32") for name, value in given.items()})
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, simple_rnn_forward(**given), atol=2e-5)


@pytest.mark.parametrize("units", [1, 15, 16, 17, 31, 32, 33, 64, 65])
def test_any_number_of_units_fits_in_the_strips(units):
    layer = SimpleRNN(units, return_sequences=True, seed=0)
    x = np.random.default_rng(0).normal(size=(9, 3, 2)).astype("float32")
    y = layer.forward(x)
    h = np.zeros((9, units), "float32")
    for t in range(3):
        h = np.tanh(x[:, t] @ layer.kernel + h @ layer.recurrent_kernel + layer.bias)
        np.testing.assert_allclose(y[:, t], h, atol=1e-6)


def test_the_order_matters_and_the_initial_state_too():
    layer = SimpleRNN(4, dtype="float64", seed=0)
    x = np.random.default_rng(1).normal(size=(1, 5, 2))
    y = layer.forward(x)
    assert not np.allclose(y, layer.forward(x[:, ::-1]))
    assert not np.allclose(y, layer.forward(x, initial_state=np.ones((1, 4))))
    np.testing.assert_array_equal(y, layer.forward(x, initial_state=np.zeros((1, 4))))
