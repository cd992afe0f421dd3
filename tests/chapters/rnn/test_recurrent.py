"""Lo que prometen todas las capas recurrentes: máscaras, estados, orden, monedas, y lo mismo que Keras."""

import json
from pathlib import Path

import numpy as np
import pytest

from chapters import rnn
from chapters.mlp import SGD, Dense, Input, Sequential
from dlbook.gradcheck import check_gradients
from tests.reference import make_recurrent_reference as maker

PATH = Path(__file__).resolve().parents[2] / "reference" / "recurrent.json"
REFERENCE = json.loads(PATH.read_text(encoding="utf-8"))
every = pytest.mark.parametrize("name", list(maker.CLASSES))


def made(name, units=3, shape=(None, 2), **options):
    layer = getattr(rnn, name)(units, **{"dtype": "float64", "seed": 0} | options)
    layer.build(shape)
    rng = np.random.default_rng(5)
    for weight in layer.weights:
        weight += 0.3 * rng.normal(size=weight.shape)
    return layer


def states_of(name, n, units=3, seed=7):
    return list(np.random.default_rng(seed).normal(size=(maker.CLASSES[name][0], n, units)))


def sample(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("key", list(REFERENCE))
def test_it_does_what_keras_does_with_masks_states_and_options(key):
    case = REFERENCE[key]
    layer = getattr(rnn, key.split()[0])(**case["arguments"], dtype="float64")
    x = np.array(case["x"])
    layer.build(x.shape[1:])
    layer.set_weights(case["weights"])
    found = layer.forward(x, mask=case["mask"], initial_state=case["initial_state"])
    alone = not case["arguments"]["return_state"]
    for one, other in zip([found] if alone else found, case["y"], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9)
    dx = layer.backward(np.array(case["dy"][0]) if alone else [np.array(dy) for dy in case["dy"]])
    initial = layer.state_gradients if case["initial_state"] is not None else []
    for one, other in zip([dx, *initial, *layer.gradients], case["gradients"], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-9)


def test_the_stored_cases_are_those_of_the_script():
    for name in maker.CLASSES:
        for k in range(maker.PER_CLASS):
            case = maker.drawn(name, k)
            assert {part: REFERENCE[f"{name} {k}"][part] for part in case} == case


@every
@pytest.mark.parametrize("options", [{}, {"return_sequences": True}, {"activation": "softplus", "go_backwards": True}])
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_through_time_are_the_measured_ones(name, options, masked):
    layer = made(name, **options, return_state=True)
    x, initial = sample(3, 4, 2), states_of(name, 3)
    mask = np.array([[True, False, True, True], [False, False, True, False], [False] * 4]) if masked else None
    shares = [sample(*y.shape, seed=k) for k, y in enumerate(layer.forward(x, mask=mask, initial_state=initial))]

    def loss():
        ys = layer.forward(x, mask=mask, initial_state=initial)
        return sum((y * share).sum() for y, share in zip(ys, shares, strict=True))

    loss()
    dx = layer.backward(shares)
    values = {"x": x} | {f"h{k}": s for k, s in enumerate(initial)} | {f"w{k}": w for k, w in enumerate(layer.weights)}
    slopes = [dx, *layer.state_gradients, *layer.gradients]
    slopes = {key: g.copy() for key, g in zip(values, slopes, strict=True)}
    report = check_gradients(loss, values, slopes, rtol=1e-5, atol=1e-8)
    assert report.ok, str(report)


@every
def test_the_state_gradients_include_what_the_recurrent_coins_let_pass(name):
    layer = made(name, recurrent_dropout=0.4, dropout=0.3, return_sequences=True)
    x, initial = sample(2, 3, 2), states_of(name, 2)
    start = layer.generator.bit_generator.state
    share = sample(2, 3, 3, seed=3)

    def loss():
        layer.generator.bit_generator.state = start
        return (layer.forward(x, training=True, initial_state=initial) * share).sum()

    loss()
    dx = layer.backward(share)
    values = {"x": x} | {f"h{k}": s for k, s in enumerate(initial)} | {f"w{k}": w for k, w in enumerate(layer.weights)}
    slopes = [g.copy() for g in (dx, *layer.state_gradients, *layer.gradients)]
    report = check_gradients(loss, values, dict(zip(values, slopes, strict=True)), rtol=1e-5, atol=1e-8)
    assert report.ok, str(report)


@every
@pytest.mark.parametrize("padding", ["left", "right"])
def test_padding_under_a_mask_changes_nothing(name, padding):
    layer = made(name)
    x, extra = sample(2, 3, 2), np.full((2, 4, 2), 9.0)
    parts, real = (
        ([extra, x], [False] * 4 + [True] * 3) if padding == "left" else ([x, extra], [True] * 3 + [False] * 4)
    )
    padded = np.concatenate(parts, axis=1)
    short = layer.forward(x).copy()
    dx = layer.backward(np.ones((2, 3))).copy()
    slopes = [g.copy() for g in layer.gradients]
    np.testing.assert_array_equal(layer.forward(padded, mask=[real, real]), short)
    dpadded = layer.backward(np.ones((2, 3)))
    np.testing.assert_allclose(dpadded[:, real], dx, rtol=1e-14)
    assert not dpadded[:, np.logical_not(real)].any()
    for one, other in zip(layer.gradients, slopes, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


@every
def test_a_mask_that_hides_everything_gives_zeros_and_no_gradient(name):
    layer = made(name, return_state=True)
    initial = states_of(name, 2)
    y, *states = layer.forward(sample(2, 4, 2), mask=np.zeros((2, 4), bool), initial_state=initial)
    assert not y.any()
    for one, other in zip(states, initial, strict=True):
        np.testing.assert_array_equal(one, other)
    dx = layer.backward([np.ones_like(y), *map(np.ones_like, states)])
    assert not dx.any()
    assert not any(g.any() for g in layer.gradients)
    assert all((g == 1).all() for g in layer.state_gradients)


@every
def test_reading_by_chunks_is_reading_whole(name):
    whole, chunks = made(name, return_sequences=True), made(name, return_sequences=True, stateful=True)
    x = sample(3, 12, 2)
    expected = whole.forward(x)
    found = [chunks.forward(x[:, k : k + 4]) for k in range(0, 12, 4)]
    np.testing.assert_allclose(np.concatenate(found, axis=1), expected, rtol=1e-12)
    assert not np.allclose(chunks.forward(x[:, :4]), expected[:, :4])
    chunks.reset_state()
    np.testing.assert_allclose(chunks.forward(x[:, :4]), expected[:, :4], rtol=1e-12)


@every
def test_a_stateful_layer_remembers_inside_a_model_and_refuses_another_batch(name):
    layer = getattr(rnn, name)(3, stateful=True)
    model = Sequential([Input((4, 2)), layer, Dense(1)], seed=0)
    model.compile(SGD(0.0), "mse")
    x = sample(6, 4, 2).astype("float32")
    model.fit(x, np.zeros((6, 1)), batch_size=3, epochs=1, shuffle=False, verbose=0)
    alone = getattr(rnn, name)(3)
    alone.build((4, 2))
    alone.set_weights(layer.get_weights())
    first = alone.forward(x[:3]).copy()
    kept = layer.memory["states"]
    again = alone.forward(x[3:], initial_state=first) if maker.CLASSES[name][0] == 1 else None
    if again is not None:
        np.testing.assert_allclose(kept[0], again, rtol=1e-5)
    with pytest.raises(ValueError, match="se esperaban 3 secuencias, las de la llamada anterior, pero llegaron 2"):
        layer.forward(x[:2])


@every
def test_the_coins_are_the_same_in_every_step(name):
    layer = made(name, dropout=0.5, shape=(None, 20))
    layer.forward(np.ones((4, 6, 20)), training=True)
    assert {*np.unique(layer.xs)} == {0.0, 2.0}
    assert (layer.xs == layer.xs[:1]).all()
    assert layer.xs.std(axis=(0, 1)).any()
    layer.forward(np.ones((4, 6, 20)))
    assert (layer.xs == 1).all()


@every
def test_each_gate_has_its_own_recurrent_coins(name):
    layer = made(name, units=50, recurrent_dropout=0.5)
    layer.forward(sample(4, 3, 2), training=True)
    assert layer.drop.shape == (4, layer.gates, 50)
    assert layer.drop.mean() == pytest.approx(1, abs=0.25)
    assert all((layer.drop[:, 0] != layer.drop[:, g]).any() for g in range(1, layer.gates))


@every
def test_the_weights_do_not_depend_on_the_length(name):
    layer = made(name)
    count = layer.count_params()
    for steps in (1, 2, 7):
        assert layer.forward(sample(2, steps, 2)).shape == (2, 3)
    assert layer.count_params() == count


@every
def test_whoever_reads_backwards_reads_the_reverse(name):
    back, forward = (made(name, return_sequences=True, go_backwards=b) for b in (True, False))
    x = sample(2, 5, 2)
    np.testing.assert_array_equal(back.forward(x), forward.forward(x[:, ::-1]))


@every
def test_a_layer_forgets_its_state_in_a_copy_and_keeps_its_arguments(name):
    layer = made(name, stateful=True, return_state=True, go_backwards=True, recurrent_dropout=0.2)
    again = type(layer)(**{k: getattr(layer, k) for k in ("units", "stateful", "return_state", "recurrent_dropout")})
    assert again.random
    assert again.alone
    layer.recurrent_dropout = 0.0
    layer.dropout = 0.5
    assert layer.random


@every
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda layer, x: layer.forward(x, initial_state=np.zeros((3, 4))), r"initial_state.*: se esperaba.*"),
        (
            lambda layer, x: layer.forward(x, initial_state=[np.zeros((2, 3))] * 5),
            "initial_state: se esperaban . estados",
        ),
        (lambda layer, x: layer.forward(x, initial_state=3.0), "initial_state"),
        (lambda layer, x: layer.forward(x, initial_state=[[[1.0, 2.0], [3.0]]]), "initial_state.*: se esperaba"),
        (lambda layer, x: layer.forward(x, initial_state="hola"), "initial_state"),
        (lambda layer, x: layer.forward(x, mask=np.ones((2, 5), bool)), r"mask: se esperaba la forma \(2, 4\)"),
        (lambda layer, x: layer.forward(x, mask="sí"), "mask: se esperaban"),
        (lambda layer, x: layer.forward(x[:, :0]), "x: se esperaba"),
        (lambda layer, x: layer.compute_output_shape((8,)), r"de secuencias de vectores, pero llegó \(n, 8\)"),
    ],
)
def test_what_does_not_fit_gets_one_spanish_sentence(name, call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(made(name), sample(2, 4, 2))


@pytest.mark.parametrize("bad", [None, np.zeros(3), "hola", np.zeros((2, 4))])
def test_a_bad_state_among_several_is_named(bad):
    with pytest.raises((TypeError, ValueError), match=r"^initial_state\[1\]: se esperaba"):
        made("LSTM").forward(sample(2, 4, 2), initial_state=[np.zeros((2, 3)), bad])


@every
def test_the_mask_goes_on_if_there_is_one_output_per_step(name):
    mask = np.array([[True, True, False], [True, False, False]])
    assert made(name, return_sequences=True).compute_mask(None, mask) is mask
    assert made(name).compute_mask(None, mask) is None
    assert made(name, return_state=True).compute_mask(None, mask) == [None] * (1 + maker.CLASSES[name][0])


@every
def test_a_rate_of_one_turns_everything_off(name):
    x = sample(2, 4, 2)
    blind = made(name, dropout=1.0)
    np.testing.assert_array_equal(blind.forward(x, training=True), blind.forward(np.zeros_like(x)))
    forgetful, plain = made(name, recurrent_dropout=1.0), made(name)
    plain.recurrent_kernel[...] = 0
    np.testing.assert_allclose(forgetful.forward(x, training=True), plain.forward(x), rtol=1e-12)


@every
@pytest.mark.parametrize("value", [0.5, -1, np.nan])
def test_a_mask_of_neither_ones_nor_zeros_is_refused(name, value):
    x = sample(1, 2, 2)
    with pytest.raises(ValueError, match="mask: se esperaban unos y ceros"):
        made(name).forward(x, mask=[[1, value]])
    np.testing.assert_array_equal(made(name).forward(x, mask=[[1, 0]]), made(name).forward(x, mask=[[True, False]]))


@every
def test_each_output_has_its_own_gradient_of_the_activity(name):
    # La salida y el último estado tienen la misma forma: al entrenar, la memoria de uno no es la del otro.
    x, found = np.random.default_rng(0).normal(size=(2, 3, 2)), []
    for reuse in (False, True):
        layer = made(name, return_state=True, activity_regularizer="l2")
        layer.reuse = reuse
        ys = layer.forward(x, training=True)
        found.append(layer.backward([np.full_like(y, k) for k, y in enumerate(ys)]).copy())
    np.testing.assert_allclose(*found)
