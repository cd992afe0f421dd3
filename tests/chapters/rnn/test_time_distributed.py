"""La misma capa en cada paso."""

import numpy as np
import pytest

from chapters.cnn import Conv2D, MaxPooling2D
from chapters.mlp import Add, Dense, Dropout, Input, Sequential
from chapters.rnn import LSTM, TimeDistributed
from dlbook.gradcheck import check_gradients


def sample(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: Dense(3, "tanh"), (4, 2)),
        (lambda: Conv2D(2, 2), (2, 4, 3, 1)),
        (lambda: MaxPooling2D(2), (2, 4, 4, 1)),
        (lambda: LSTM(3, return_sequences=True), (2, 3, 2)),
    ],
)
def test_each_step_is_what_the_layer_gives(make, shape):
    layer = TimeDistributed(make(), dtype="float64", seed=0)
    x = sample(3, *shape)
    y = layer.forward(x).copy()
    assert y.shape == (3, *layer.compute_output_shape(shape))
    for t in range(shape[0]):
        np.testing.assert_allclose(y[:, t], layer.layer.forward(x[:, t]), rtol=1e-12)


def test_the_gradient_of_the_weights_adds_all_the_steps():
    layer = TimeDistributed(Dense(3, "tanh"), dtype="float64", seed=0)
    x, share = sample(2, 4, 2), sample(2, 4, 3, seed=2)
    layer.forward(x)
    found = [layer.backward(share).copy(), *(g.copy() for g in layer.gradients)]
    values = {"x": x} | {f"w{k}": w for k, w in enumerate(layer.weights)}
    report = check_gradients(lambda: (layer.forward(x) * share).sum(), values, dict(zip(values, found, strict=True)))
    assert report.ok, str(report)


def test_the_mask_passes_by_and_the_inner_part_arrives():
    layer = TimeDistributed(LSTM(2), dtype="float64", seed=0)
    x = sample(2, 3, 4, 2)
    steps = np.array([[True, True, False], [True, False, False]])
    assert layer.compute_mask(x, steps) is steps
    plain = layer.forward(x).copy()
    np.testing.assert_array_equal(layer.forward(x, mask=steps), plain)
    inner = np.random.default_rng(3).random((2, 3, 4)) < 0.6
    found = layer.forward(x, mask=inner).copy()
    np.testing.assert_allclose(found[:, 1], layer.layer.forward(x[:, 1], mask=inner[:, 1]), rtol=1e-12)


def test_what_an_inner_layer_adds_to_the_loss_is_an_average_over_the_sequences():
    x = sample(4, 3, 2)
    losses = []
    for layer in (TimeDistributed(Dense(5, activity_regularizer="l2")), Dense(5, activity_regularizer="l2")):
        model = Sequential([Input((3, 2)), layer], seed=0, dtype="float64")
        model.compile(loss="mse")
        loss, gradient = model.loss_and_gradient(x, np.zeros((4, 3, 5)))
        losses.append((loss, gradient.copy(), layer))
    losses[1][2].set_weights(losses[0][2].get_weights())
    loss, gradient = model.loss_and_gradient(x, np.zeros((4, 3, 5)))
    assert loss == pytest.approx(losses[0][0])
    np.testing.assert_allclose(gradient, losses[0][1], rtol=1e-10)


def test_each_step_has_its_own_coins():
    layer = TimeDistributed(Dropout(0.5), seed=0)
    y = layer.forward(np.ones((2, 3, 50)), training=True)
    assert {*np.unique(y)} == {0.0, 2.0}
    assert (y[:, 0] != y[:, 1]).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TimeDistributed("dense"), "layer: se esperaba una capa"),
        (lambda: TimeDistributed(Add()), "una sola entrada"),
        (lambda: TimeDistributed(LSTM(2, return_state=True)).forward(sample(1, 2, 3, 2)), "una sola salida"),
        (lambda: TimeDistributed(Dense(2)).forward(sample(3, 2)), "con un eje para los pasos"),
        (
            lambda: TimeDistributed(Dense(2)).forward(sample(3, 2, 2), mask=np.ones((3, 4))),
            "mask: se esperaba la forma",
        ),
    ],
)
def test_what_does_not_fit_gets_one_spanish_sentence(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()
