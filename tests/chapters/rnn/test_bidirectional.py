"""Leer en los dos sentidos."""

import numpy as np
import pytest

from chapters.mlp import Dense
from chapters.rnn import GRU, LSTM, Bidirectional, SimpleRNN
from dlbook.gradcheck import check_gradients

MODES = ["concat", "sum", "mul", "ave", None]


def sample(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def made(merge_mode="concat", cls=LSTM, **options):
    layer = Bidirectional(cls(3, **options), merge_mode, dtype="float64", seed=0)
    layer.build((None, 2))
    return layer


def arrays(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("merge_mode", MODES)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_it_is_the_two_readings_put_together(merge_mode, return_sequences):
    layer = made(merge_mode, return_sequences=return_sequences)
    x = sample(2, 5, 2)
    one = layer.layer.forward(x).copy()
    other = layer.backward_layer.forward(x).copy()
    other = other[:, ::-1] if return_sequences else other
    expected = {
        "concat": lambda: np.concatenate([one, other], axis=-1),
        "sum": lambda: one + other,
        "mul": lambda: one * other,
        "ave": lambda: (one + other) / 2,
        None: lambda: [one, other],
    }[merge_mode]()
    for found, wanted in zip(arrays(layer.forward(x)), arrays(expected), strict=True):
        np.testing.assert_array_equal(found, wanted)
    shapes = arrays(layer.compute_output_shape((5, 2)))
    assert [(2, *shape) for shape in shapes] == [y.shape for y in arrays(layer.y)]


@pytest.mark.parametrize("merge_mode", MODES)
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("return_state", [False, True])
def test_the_gradients_are_the_measured_ones(merge_mode, return_sequences, return_state):
    layer = made(merge_mode, return_sequences=return_sequences, return_state=return_state)
    x, states = sample(2, 3, 2), list(sample(4, 2, 3, seed=5))
    mask = np.array([[True, True, False], [False, True, True]])
    run = lambda: arrays(layer.forward(x, mask=mask, initial_state=states))  # noqa: E731
    shares = [sample(*y.shape, seed=k) for k, y in enumerate(run())]
    dx = layer.backward(shares if len(shares) > 1 else shares[0])
    values = {"x": x} | {f"h{k}": s for k, s in enumerate(states)} | {f"w{k}": w for k, w in enumerate(layer.weights)}
    slopes = [g.copy() for g in (dx, *layer.state_gradients, *layer.gradients)]
    report = check_gradients(
        lambda: sum((y * share).sum() for y, share in zip(run(), shares, strict=True)),
        values,
        dict(zip(values, slopes, strict=True)),
        rtol=1e-5,
        atol=1e-8,
    )
    assert report.ok, str(report)


def test_masked_steps_give_zeros_and_padding_changes_nothing():
    layer = made(cls=GRU, return_sequences=True)
    x = sample(1, 3, 2)
    padded, mask = np.concatenate([np.full((1, 2, 2), 9.0), x], axis=1), [[False, False, True, True, True]]
    y = layer.forward(x).copy()
    found = layer.forward(padded, mask=mask)
    np.testing.assert_allclose(found[:, 2:], y, rtol=1e-12)
    assert not found[:, :2].any()


def test_the_mask_goes_on_once_per_output():
    mask = np.ones((2, 3), bool)
    assert made(return_sequences=True).compute_mask(None, mask) is mask
    assert made().compute_mask(None, mask) is None
    assert made(None, return_sequences=True).compute_mask(None, mask) == [mask, mask]
    assert made(return_state=True).compute_mask(None, mask) == [None] * 5


def test_the_weights_go_first_one_way_and_then_the_other():
    layer = made(cls=GRU)
    assert [w.shape for w in layer.get_weights()] == [(2, 9), (3, 9), (2, 9)] * 2
    assert not np.array_equal(*layer.get_weights()[::3])


def test_a_stateful_one_forgets_when_told():
    layer = made(stateful=True)
    x = sample(2, 3, 2)
    first = layer.forward(x).copy()
    assert not np.allclose(layer.forward(x), first)
    layer.reset_state()
    np.testing.assert_array_equal(layer.forward(x), first)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bidirectional(Dense(2)), "layer: se esperaba una capa recurrente"),
        (lambda: Bidirectional(LSTM(2), "media"), "merge_mode: se esperaba"),
        (lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2)), "en el sentido contrario"),
        (
            lambda: Bidirectional(LSTM(2), backward_layer=LSTM(2, return_sequences=True, go_backwards=True)),
            "se esperaba return_sequences=False, como en la otra, pero es True",
        ),
        (lambda: Bidirectional(LSTM(2), "sum", backward_layer=GRU(3, go_backwards=True)), "las mismas unidades"),
        (lambda: made().forward(sample(2, 3, 2), initial_state=[np.zeros((2, 3))] * 2), "una lista de 4 estados"),
        (lambda: made().forward(sample(2, 3, 2), initial_state=[np.zeros((2, 2))] * 4), "se esperaba la forma"),
        (lambda: made().forward(sample(2, 3, 2), mask=np.ones((2, 4), bool)), "mask: se esperaba la forma"),
    ],
)
def test_what_does_not_fit_gets_one_spanish_sentence(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_any_recurrent_layer_will_do():
    layer = Bidirectional(SimpleRNN(4), backward_layer=GRU(2, go_backwards=True))
    assert layer.forward(sample(2, 3, 5)).shape == (2, 6)
