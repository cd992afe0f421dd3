"""El contrato de las capas que reciben enteros: formas, tipos, memoria, archivos, hilos y mensajes."""

import numpy as np
import pytest

from chapters.mlp import SGD, Dense, Flatten, Input, Sequential, load_model
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine
from tests.contract import cases
from tests.contract.measure import stir

every = cases.over(cases.INTEGER_LAYERS)


def tokens(case, n=7):
    made = case.make()
    count = next(getattr(made, name) for name in ("num_tokens", "input_dim", "vocabulary_size") if hasattr(made, name))
    return np.random.default_rng(0).integers(0, count, (n, *case.shape))


@every
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_integers_of_any_type_give_the_promised_shape_and_type(case, dtype):
    layer, x = case.make(dtype=dtype), tokens(case)
    expected = layer.forward(x)
    assert expected.dtype == dtype
    assert expected.shape == (7, *case.make().compute_output_shape(case.shape))
    for other in (x.astype(np.uint8), x.astype(np.int32), x.astype(float), x.tolist(), np.asfortranarray(x)):
        np.testing.assert_array_equal(layer.forward(other), expected)
    for k in range(7):
        np.testing.assert_array_equal(layer.forward(x[k : k + 1])[0], expected[k])
    assert layer.backward(np.ones_like(layer.y)) is None


@every
def test_what_goes_out_is_not_overwritten(case):
    layer, x = case.make(), tokens(case)
    y = layer.forward(x)
    kept = y.copy()
    layer.forward(x[::-1])
    np.testing.assert_array_equal(y, kept)


def network(case):
    model = Sequential([Input(case.shape), case.make(), Flatten(), Dense(2, "tanh")], dtype="float64", seed=3)
    stir(model)
    return model


@every
def test_at_the_head_of_a_network_it_trains_the_same_with_any_threads_and_comes_back_from_disk(
    case, tmp_path, monkeypatch
):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)
    x, y, found = tokens(case, 11), np.random.default_rng(1).normal(size=(11, 2)), []
    for threads in (1, 3):
        set_threads(threads)
        model = network(case)
        model.compile(SGD(0.1), "mse")
        model.fit(x, y, batch_size=4, epochs=2, verbose=0)
        found.append(model.theta.copy())
    set_threads(None)
    np.testing.assert_allclose(*found, rtol=1e-9)
    assert not np.array_equal(found[0], network(case).theta)
    model.save(tmp_path / "red.safetensors")
    np.testing.assert_array_equal(load_model(tmp_path / "red.safetensors").predict(x), model.predict(x))


@every
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: x - 9, "x: se esperaba un entero entre 0 y"),
        (lambda x: x + 9, "x: se esperaba un entero entre 0 y"),
        (lambda x: x + 0.5, "x: se esperaba un entero, pero hay un"),
        (lambda x: x * np.nan, "x: se esperaban números finitos"),
        (lambda x: x[:0], "x: se esperaba al menos una observación"),
        (lambda x: x.astype(str), "x: se esperaban números reales"),
        (lambda x: None, "x: se esperaban números reales"),
        (lambda x: np.concatenate([x, x], axis=1), "x: se esperaba la forma"),
    ],
)
def test_what_is_not_one_of_the_categories_gets_one_spanish_sentence(case, spoil, message):
    layer = case.make()
    layer.build(case.shape)
    spoiled = spoil(tokens(case))
    if layer.any_size and message.endswith("forma"):
        # La que da un vector por entero admite secuencias de cualquier largo.
        assert layer.forward(spoiled).shape[1] == 2 * case.shape[0]
        return
    with pytest.raises((TypeError, ValueError), match=message):
        layer.forward(spoiled)
