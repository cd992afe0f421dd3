"""La LSTM."""

import numpy as np
import pytest

from chapters.rnn import LSTM, SimpleRNN, lstm_backward, lstm_forward
from dlbook.gradcheck import check_gradients


def drawn(n=3, steps=4, d=2, units=5, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"x": (n, steps, d), "kernel": (d, 4 * units), "recurrent_kernel": (units, 4 * units)}
    given = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    given["bias"] = rng.normal(size=4 * units)
    given["initial_state"] = list(rng.normal(size=(2, n, units)))
    given["mask"] = rng.random((n, steps)) < 0.7
    return given


def test_the_gradients_through_time_are_the_measured_ones():
    given = drawn()
    share, last = np.random.default_rng(3).normal(size=(3, 4, 5)), np.random.default_rng(4).normal(size=(3, 5))

    def loss():
        h, c, _ = lstm_forward(**given)
        return (h * share).sum() + (c[:, -1] * last).sum()

    h, c, gates = lstm_forward(**given)
    rest = {name: given[name] for name in ("x", "kernel", "recurrent_kernel", "initial_state", "mask")}
    found = lstm_backward(**rest, h=h, c=c, gates=gates, dy=share, dc=last)
    values = {name: given[name] for name in ("kernel", "recurrent_kernel", "bias")}
    values |= dict(zip(("h", "c"), given["initial_state"], strict=True)) | {"x": given["x"]}
    report = check_gradients(loss, values, dict(zip(values, found, strict=True)))
    assert report.ok, str(report)


def test_the_numbers_of_the_course():
    w = [[0.5, 1.0, 0.5, 0.0]]
    h, c, gates = lstm_forward([[[1.0]]], w, [[0.0] * 4], [0.0] * 4, [[[0.0]], [[0.8]]])
    np.testing.assert_allclose(gates.ravel(), [0.622459, 0.731059, 0.462117, 0.5], atol=5e-7)
    np.testing.assert_allclose([c.item(), h.item()], [0.872496, 0.351320], atol=5e-7)


def test_a_masked_step_changes_neither_state():
    given = drawn()
    given["mask"] = np.array([[True, False, True, False]] * 3)
    h, c, _ = lstm_forward(**given)
    for states in (h, c):
        np.testing.assert_array_equal(states[:, 1], states[:, 0])
        np.testing.assert_array_equal(states[:, 3], states[:, 2])


def test_the_kernel_and_the_loop_in_python_do_the_same():
    class Slow(LSTM):
        usual = False

    fast, slow = (
        cls(4, return_sequences=True, return_state=True, recurrent_dropout=0.3, dtype="float64", seed=1)
        for cls in (LSTM, Slow)
    )
    x, mask = np.random.default_rng(2).normal(size=(3, 5, 2)), np.random.default_rng(4).random((3, 5)) < 0.7
    ys = [layer.forward(x, training=True, mask=mask) for layer in (fast, slow)]
    dxs = [layer.backward([np.cos(y) for y in ys[0]]) for layer in (fast, slow)]
    for one, other in zip([*ys[0], dxs[0], *fast.gradients], [*ys[1], dxs[1], *slow.gradients], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("units", [1, 7, 8, 9, 16, 17, 33])
def test_any_number_of_units_fits_in_the_strips(units):
    layer = LSTM(units, return_sequences=True, seed=0)
    x = np.random.default_rng(0).normal(size=(9, 3, 2)).astype("float32")
    expected = lstm_forward(np.float64(x), layer_weights(layer, x), layer.recurrent_kernel, layer.bias)[0]
    np.testing.assert_allclose(layer.forward(x), expected, atol=1e-6)


def layer_weights(layer, x):
    layer.build(x.shape[1:])
    return layer.kernel


def test_only_the_forget_bias_starts_at_one():
    for forget, expected in ((True, [0, 0, 1, 1, 0, 0, 0, 0]), (False, [0] * 8)):
        layer = LSTM(2, unit_forget_bias=forget)
        layer.build((None, 3))
        np.testing.assert_array_equal(layer.bias, expected)
    layer = LSTM(2, bias_initializer="ones", recurrent_initializer="orthogonal")
    layer.build((None, 3))
    np.testing.assert_array_equal(layer.bias, 1)
    np.testing.assert_allclose(layer.recurrent_kernel @ layer.recurrent_kernel.T, np.eye(2), atol=1e-6)


def test_with_the_forget_gate_open_the_memory_carries_its_gradient_whole():
    for forget, expected in ((1e3, 1.0), (-1e3, 0.0)):
        given = drawn(n=1, steps=50, units=1) | {"kernel": np.zeros((2, 4)), "recurrent_kernel": np.zeros((1, 4))}
        given |= {"bias": [0.0, forget, 0.0, 0.0], "mask": None}
        h, c, gates = lstm_forward(**given)
        rest = {name: given[name] for name in ("x", "kernel", "recurrent_kernel", "initial_state")}
        *_, dc, _ = lstm_backward(**rest, h=h, c=c, gates=gates, dy=np.zeros_like(h), dc=[[1.0]])
        assert dc.item() == pytest.approx(expected)


def test_it_has_four_times_the_parameters_of_the_simple_one():
    counts = []
    for cls in (SimpleRNN, LSTM):
        layer = cls(128)
        layer.build((None, 64))
        counts.append(layer.count_params())
    assert counts == [24_704, 98_816]


def test_huge_preactivations_do_not_overflow():
    for dtype in ("float32", "float64"):
        layer = LSTM(3, dtype=dtype, seed=0)
        layer.build((4, 2))
        layer.set_weights([1e6 * w for w in layer.get_weights()])
        y = layer.forward(np.random.default_rng(0).normal(size=(2, 4, 2)))
        assert np.isfinite(y).all()
        assert np.isfinite(layer.backward(np.ones_like(y))).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recurrent_kernel": np.zeros((5, 19))}, r"recurrent_kernel: se esperaba la forma \(u, 4u\)"),
        ({"kernel": np.zeros((2, 19))}, "kernel: se esperaba la forma"),
        ({"bias": np.zeros(5)}, "bias: se esperaba la forma"),
        ({"initial_state": np.zeros((3, 5))}, "initial_state: se esperaban 2 estados"),
        ({"initial_state": [np.zeros((3, 5)), np.zeros((3, 4))]}, r"initial_state\[1\]: se esperaba la forma"),
        ({"mask": np.ones((3, 5), bool)}, "mask: se esperaba la forma"),
    ],
)
def test_what_does_not_fit_gets_one_spanish_sentence(change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        lstm_forward(**drawn() | change)
