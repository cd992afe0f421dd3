"""La GRU."""

import numpy as np
import pytest

from chapters.rnn import GRU, gru_backward, gru_forward
from dlbook.gradcheck import check_gradients

both = pytest.mark.parametrize("reset_after", [True, False])


def drawn(reset_after, n=3, steps=4, d=2, units=5, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"x": (n, steps, d), "kernel": (d, 3 * units), "recurrent_kernel": (units, 3 * units)}
    shapes |= {"bias": (2, 3 * units) if reset_after else (3 * units,), "initial_state": (n, units)}
    given = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return given | {"mask": rng.random((n, steps)) < 0.7, "reset_after": reset_after}


@both
def test_the_gradients_through_time_are_the_measured_ones(reset_after):
    given = drawn(reset_after)
    share = np.random.default_rng(3).normal(size=(3, 4, 5))
    found = gru_forward(**given)
    values = {name: given[name] for name in ("kernel", "recurrent_kernel", "bias", "initial_state", "x")}
    rest = {name: value for name, value in given.items() if name != "bias"}
    back = gru_backward(**rest, **dict(zip(("h", "gates", "inner"), found, strict=True)), dy=share)
    report = check_gradients(
        lambda: (gru_forward(**given)[0] * share).sum(), values, dict(zip(values, back, strict=True))
    )
    assert report.ok, str(report)


@both
def test_it_is_the_formula(reset_after):
    given = drawn(reset_after)
    x, w, u, h = (given[name] for name in ("x", "kernel", "recurrent_kernel", "initial_state"))
    b, b2 = given["bias"] if reset_after else (given["bias"], 0 * given["bias"])
    y = gru_forward(**given | {"mask": None})[0]
    for t in range(4):
        a, q = np.split(x[:, t] @ w + b, 3, axis=1), np.split(h @ u + b2, 3, axis=1)
        z, r = (1 / (1 + np.exp(-a[k] - q[k])) for k in range(2))
        g = np.tanh(a[2] + (r * q[2] if reset_after else (r * h) @ u[:, 10:]))
        h = z * h + (1 - z) * g
        np.testing.assert_allclose(y[:, t], h, rtol=1e-12)


@both
def test_the_kernel_and_the_loop_in_python_do_the_same(reset_after):
    class Slow(GRU):
        usual = False

    own = {"return_sequences": True, "recurrent_dropout": 0.3, "reset_after": reset_after, "dtype": "float64"}
    fast, slow = (cls(4, seed=1, **own) for cls in (GRU, Slow))
    x, mask = np.random.default_rng(2).normal(size=(3, 5, 2)), np.random.default_rng(4).random((3, 5)) < 0.7
    ys = [layer.forward(x, training=True, mask=mask) for layer in (fast, slow)]
    dxs = [layer.backward(np.cos(ys[0])) for layer in (fast, slow)]
    for one, other in zip([ys[0], dxs[0], *fast.gradients], [ys[1], dxs[1], *slow.gradients], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("units", [1, 7, 8, 9, 16, 17, 33])
@both
def test_any_number_of_units_fits_in_the_strips(units, reset_after):
    layer = GRU(units, return_sequences=True, reset_after=reset_after, seed=0)
    x = np.random.default_rng(0).normal(size=(9, 3, 2)).astype("float32")
    layer.build(x.shape[1:])
    weights = map(np.float64, layer.get_weights())
    expected = gru_forward(np.float64(x), *weights, reset_after=reset_after)[0]
    np.testing.assert_allclose(layer.forward(x), expected, atol=1e-6)


def test_the_parameters_are_those_of_the_course_and_those_of_keras():
    for reset_after, expected in ((False, 74_112), (True, 74_496)):
        layer = GRU(128, reset_after=reset_after)
        layer.build((None, 64))
        assert layer.count_params() == expected


def test_the_update_gate_keeps_or_erases():
    for bias, expected in ((1e3, 0.8), (-1e3, 0.0)):
        b = np.array([[bias, 0.0, 0.0], [0.0] * 3])
        h = gru_forward(np.ones((1, 20, 1)), np.zeros((1, 3)), np.zeros((1, 3)), b, [[0.8]])[0]
        np.testing.assert_allclose(h[0, -1], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recurrent_kernel": np.zeros((5, 14))}, r"recurrent_kernel: se esperaba la forma \(u, 3u\)"),
        ({"bias": np.zeros(15)}, "bias: se esperaba la forma"),
        ({"initial_state": np.zeros((3, 4))}, r"initial_state\[0\]: se esperaba la forma"),
        ({"reset_after": "sí"}, "reset_after: se esperaba"),
        ({"mask": np.full((3, 4), 0.5)}, "mask: se esperaban unos y ceros"),
    ],
)
def test_what_does_not_fit_gets_one_spanish_sentence(change, message):
    with pytest.raises((TypeError, ValueError), match=message):
        gru_forward(**drawn(True) | change)
