"""El contrato de toda capa: formas, tipos, gradientes, memoria, copias, archivos, hilos y mensajes."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp import SGD, Input, Model, Sequential, load_model
from dlbook import check
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine, walk
from tests.contract import cases
from tests.contract.fed import Fed
from tests.contract.measure import assert_gradients, built, check_layer, network, rewound, sample

N = 3
both_modes = pytest.mark.parametrize("training", [False, True])


def same(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# --- Formas, tipos y memoria ---


@cases.every("layer")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shapes_are_the_promised_ones_and_the_type_is_kept(case, dtype):
    layer = built(case, dtype=dtype)
    promised = case.fed().compute_output_shape(case.shape)
    assert layer.compute_output_shape(case.shape) == promised
    for n in (N, 1, 5, N):
        y = layer.forward(sample(case.shape, n), training=True)
        dx = layer.backward(np.ones(y.shape))
        assert y.shape == (n, *promised)
        assert dx.shape == (n, *case.shape)
        assert all(array.dtype == dtype for array in (y, dx, *layer.weights, *layer.gradients))
        assert [g.shape for g in layer.gradients] == [w.shape for w in layer.trainable_weights]
    assert layer.count_params() == sum(w.size for w in layer.weights)
    assert layer.work() > 0


@cases.every("layer")
@given(data=st.data())
@settings(max_examples=8)
def test_any_other_size_keeps_its_promise_or_is_refused(case, data):
    shape = data.draw(st.tuples(*[st.integers(1, 6)] * len(case.shape)))
    layer = case.fed(seed=0)
    try:
        promised = layer.compute_output_shape(shape)
    except ValueError:
        with pytest.raises(ValueError, match=r"se esperab|han de ser"):
            layer.build(shape)
        assert not layer.built
        return
    try:
        layer.build(shape)
    except ValueError as error:
        pytest.fail(f"build rechaza {shape} y compute_output_shape no: han de rechazar lo mismo ({error})")
    y = layer.forward(sample(shape, 2), training=True)
    assert y.shape == (2, *promised)
    assert layer.backward(np.ones(y.shape)).shape == (2, *shape)


def longer(shape):
    return (*(size + 3 for size in shape[:-1]), shape[-1])


def depends_on_the_last_axis_only(case):
    """Si con imágenes de otro tamaño tiene los mismos pesos y da tantos números por vector; sin pesos, los que dé."""
    one, other = case.fed(), case.fed()
    try:
        one.build(case.shape)
        other.build(longer(case.shape))
    except ValueError:
        return False
    same_weights = [w.shape for w in one.weights] == [w.shape for w in other.weights]
    outputs = one.compute_output_shape(case.shape), other.compute_output_shape(longer(case.shape))
    return len(case.shape) > 1 and same_weights and (not one.weights or outputs[0][-1] == outputs[1][-1])


@cases.every("layer", depends_on_the_last_axis_only)
def test_after_building_it_takes_other_sizes(case):
    layer = built(case)
    assert layer.any_size, f"{case.name} depende solo del último eje: declara any_size = True"
    for shape in (longer(case.shape), case.shape, longer(longer(case.shape))):
        fresh = case.fed(dtype="float64", seed=0)
        fresh.build(shape)
        fresh.set_weights(layer.get_weights())
        x = sample(shape)
        for one in (layer, fresh):
            one.forward(x, training=False)
        np.testing.assert_array_equal(layer.y, fresh.y)
        assert layer.y.shape == (N, *layer.compute_output_shape(shape))
        dy = sample(fresh.y.shape[1:], seed=3)
        np.testing.assert_array_equal(layer.backward(dy), fresh.backward(dy))
        assert same(layer.gradients, fresh.gradients)
        if not cases.random(case):
            np.testing.assert_array_equal(layer(x), fresh(x))
    with pytest.raises(ValueError, match="x: se esperaba la forma"):
        layer.forward(sample((*case.shape, 2)))


@cases.every("layer", lambda case: not depends_on_the_last_axis_only(case) and len(case.shape) > 1)
def test_after_building_it_refuses_the_sizes_on_which_it_depends(case):
    with pytest.raises(ValueError, match="x: se esperaba la forma"):
        built(case).forward(sample(longer(case.shape)))


@cases.every("layer")
def test_the_company_does_not_matter_at_inference(case):
    layer = built(case)
    x = sample(case.shape, 7)
    together = layer.forward(x).copy()
    alone = [layer.forward(x[k : k + 1])[0] for k in range(7)]
    np.testing.assert_allclose(alone, together, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(layer.forward(x), together)
    # Las de aumento, llamadas sueltas, transforman: como en Keras.
    if not case.name.startswith("Random"):
        np.testing.assert_array_equal(layer(x), together)


@cases.every("layer")
def test_any_memory_and_any_numbers_give_the_same(case):
    layer = built(case)
    wide = sample((*case.shape[:-1], 2 * case.shape[-1]), 2 * N).round(2)
    view = wide[::2, ..., ::2]
    frozen = view.copy()
    frozen.flags.writeable = False
    expected = layer.forward(view.copy())
    for other in (view, np.asfortranarray(view), frozen, view.astype(">f8"), view.tolist()):
        np.testing.assert_array_equal(layer.forward(other), expected)
    dy = sample(expected.shape[1:], 2 * N)[::2]
    np.testing.assert_array_equal(layer.backward(dy), layer.backward(np.asfortranarray(dy)))
    np.testing.assert_array_equal(layer.backward(dy), layer.backward(dy.tolist()))
    pixels = np.random.default_rng(0).integers(0, 256, (2, *case.shape), dtype=np.uint8)
    expected = layer.forward(pixels.astype(float))
    for dtype in ("uint8", "int64", "float32"):
        np.testing.assert_array_equal(layer.forward(pixels.astype(dtype)), expected)
    np.testing.assert_array_equal(layer.forward(pixels > 9), layer.forward((pixels > 9).astype(float)))


@cases.every("layer")
def test_what_comes_in_and_what_goes_out_is_not_overwritten(case):
    layer = built(case)
    x = sample(case.shape)
    y = layer.forward(x, training=True)
    dy = sample(y.shape[1:], seed=2)
    dx = layer.backward(dy)
    kept = [array.copy() for array in (x, y, dy, dx)]
    layer.backward(3 * layer.forward(2 * x + 1, training=True))
    assert same((x, y, dy, dx), kept)


@cases.every("layer")
def test_what_comes_out_is_counted_before_asking_for_memory(case, monkeypatch):
    layer = built(case, dtype="float32")
    x = sample(case.shape, 2000).astype(np.float32)
    y = layer.forward(x)
    layer.y = None
    monkeypatch.setattr(check, "total_memory", lambda: y.nbytes - 1)
    if np.shares_memory(layer.forward(x[:1]), x):
        return  # una vista no pide nada
    with pytest.raises(ValueError, match=r": harían falta .* GB de memoria, y esta máquina tiene"):
        layer.forward(x)


# --- Gradientes ---


@cases.every("layer")
@both_modes
def test_gradients_are_the_measured_ones(case, training):
    check_layer(built(case), sample(case.shape), training)


@cases.every("layer")
@both_modes
def test_gradients_one_layer_deeper(case, training):
    model = network(case)
    model.compile(loss="mse")
    x, y = sample(case.shape), sample((2,), seed=5)
    rewind = rewound(model)

    def measured():
        rewind()
        return model.loss_and_gradient(x, y, training=training)

    assert_gradients(lambda: measured()[0], {"theta": model.theta}, {"theta": measured()[1]})


@cases.every("layer", lambda case: case.parts == 1 and not issubclass(case.cls, Model))
def test_what_its_output_adds_to_the_loss_has_its_gradient(case):
    model = network(case, activity_regularizer="l2")
    model.compile(loss="mse")
    x, y = sample(case.shape), sample((2,), seed=5)
    rewind = rewound(model)

    def measured():
        rewind()
        return model.loss_and_gradient(x, y)

    assert_gradients(lambda: measured()[0], {"theta": model.theta}, {"theta": measured()[1]})
    layer, before = model.layers[1], measured()[0]
    rewind()
    assert before - model.loss(y, model.forward(x)) - model.penalty() == pytest.approx(0.01 * (layer.y**2).sum() / N)


@cases.every("layer", lambda case: issubclass(case.cls, Model))
def test_a_model_has_no_output_penalty_as_in_keras(case):
    with pytest.raises(ValueError, match="activity_regularizer"):
        case.make(activity_regularizer="l2")


@cases.every("layer")
def test_the_weights_get_their_gradient_when_nobody_wants_that_of_the_input(case):
    layer = built(case)
    x = sample(case.shape)
    rewind = rewound(layer)
    found = []
    for _ in range(2):
        rewind()
        y = layer.forward(x, training=True)
        layer.backward(np.cos(y))
        found.append([g.copy() for g in layer.gradients])
        layer.without_input_gradient()
    assert same(*found)


# --- Copias y archivos ---


@cases.every("layer")
def test_copies_answer_the_same_and_have_their_own_memory(case):
    layer = built(case)
    x = sample(case.shape)
    copies = copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))
    expected = layer.forward(x, training=True)
    before = layer.get_weights()
    for other in copies:
        np.testing.assert_array_equal(other.forward(x, training=True), expected)
        other.backward(np.ones_like(expected))
        for weight in other.weights:
            weight += 1
    assert same(layer.get_weights(), before)
    after = layer.forward(x)
    for other in copies:
        other.set_weights(before)
        np.testing.assert_array_equal(other.forward(x), after)


@cases.every("layer")
def test_a_replica_shares_the_weights_and_nothing_else(case):
    layer = built(case)
    replica = layer.replica()
    y = replica.forward(sample(case.shape))
    np.testing.assert_array_equal(layer.forward(sample(case.shape)), y)
    replica.backward(np.cos(y))
    assert all(np.shares_memory(w, v) for w, v in zip(layer.weights, replica.weights, strict=True))
    assert not any(g.any() for g in layer.gradients)
    assert any(g.any() for g in replica.gradients) or not layer.trainable_weights


@cases.every("layer")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_comes_back_from_disk(case, dtype, tmp_path):
    model = Sequential([Input(case.shape), built(case, dtype=dtype)], dtype=dtype)
    model.save(tmp_path / "red.safetensors")
    again = load_model(tmp_path / "red.safetensors", {"Fed": Fed})
    x = sample(case.shape)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert same(again.get_weights(), model.get_weights())
    assert [layer.name for layer in walk(again)] == [layer.name for layer in walk(model)]


# --- Entrenar ---


@pytest.fixture
def threads(monkeypatch):
    """Hace que hasta un lote diminuto se reparta entre tantos hilos y en trozos."""
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)

    def change(count, cache=1 << 20):
        monkeypatch.setattr(engine, "CACHE", cache)
        set_threads(count)

    yield change
    set_threads(None)


# Once observaciones en lotes de cuatro: el último, de tres.
ROWS, BATCH = 11, 4


def trained(case, **options):
    model = network(case, **options)
    model.compile(SGD(0.1), "mse")
    x, y = sample(case.shape, ROWS), sample((2,), ROWS, seed=5)
    loss = model.fit(x, y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0).history["loss"]
    return [np.array(loss), model.predict(x, verbose=0), *model.get_weights()]


@cases.every("layer")
def test_threads_and_chunks_only_change_the_rounding(case, threads):
    threads(1)
    alone = trained(case)
    for count, cache in ((1, 1), (2, 1 << 20), (3, 1)):
        threads(count, cache)
        for one, other in zip(trained(case), alone, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-10)
    assert same(trained(case), trained(case))


@cases.every("layer")
def test_what_is_kept_between_calls_does_not_show(case, threads):
    def journey(keeps):
        threads(2, 1)
        model = network(case)
        model.compile(SGD(0.05), "mse", metrics=["mae"])
        x, y = sample(case.shape, ROWS), sample((2,), ROWS, seed=5)
        found, replicas = [], []

        def note(result):
            found.append([np.array(result), *model.get_weights()])
            replicas.extend(model.kept.replicas[:1] if model.kept else ())
            if not keeps:
                model.kept = None

        for size in (BATCH, 3):
            note(model.predict(x))
            note(model.fit(x, y, batch_size=size, epochs=2, verbose=0).history["loss"])
            note(model.evaluate(x[:size], y[:size]))
            note(model(x[:2]))
            note(model.train_on_batch(x[:size], y[:size]))
            note(model.train_on_batch(x[size:], y[size:]))
            note(model.fit(x, y, batch_size=size, validation_split=0.3, verbose=0).history["val_mae"])
        model.layers[1].trainable = False
        note(model.fit(x, y, batch_size=BATCH, verbose=0).history["loss"])
        note(model.predict(x[:1]))
        return found, replicas

    kept, replicas = journey(True)
    for one, other in zip(kept, journey(False)[0], strict=True):
        assert same(one, other)
    # Y de verdad se guardó: hay menos réplicas que llamadas.
    assert len({id(replica) for replica in replicas}) < len(replicas) / 2


@cases.every("layer", lambda case: not cases.random(case))
def test_fit_is_one_gradient_step_after_another(case):
    model = network(case)
    model.compile(SGD(0.1), "mse")
    x, y = sample(case.shape, ROWS), sample((2,), ROWS, seed=5)
    for start in [*range(0, ROWS, BATCH)] * 2:
        rows = slice(start, start + BATCH)
        model.theta -= 0.1 * model.loss_and_gradient(x[rows], y[rows], training=True)[1]
        model.constrain()
    for one, other in zip(model.get_weights(), trained(case)[2:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


@cases.every("layer")
def test_frozen_it_does_not_move_and_the_one_below_gets_the_right_gradient(case):
    model = network(case, trainable=False)
    layer = model.layers[1]
    assert layer.trainable_weights == []
    assert model.theta.size == model.count_params() - layer.count_params()
    model.compile(SGD(0.1), "mse")
    x, y = sample(case.shape), sample((2,), seed=5)
    rewind = rewound(model)

    def measured():
        rewind()
        return model.loss_and_gradient(x, y, training=True)

    assert_gradients(lambda: measured()[0], {"theta": model.theta}, {"theta": measured()[1]})
    before, moved = layer.get_weights(), model.theta.copy()
    model.fit(x, y, epochs=2, verbose=0)
    assert same(layer.get_weights(), before)
    assert not np.array_equal(model.theta, moved)


# --- Disparates ---


@cases.every("layer")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda layer, x: layer.forward(np.concatenate([x, x], axis=-1)), "x: se esperaba la forma"),
        (lambda layer, x: layer.forward(x[0]), "x: se esperaba la forma"),
        (lambda layer, x: layer.forward(x[:0]), "x: se esperaba"),
        (lambda layer, x: layer.forward(3.0), "x: se esperaba la forma"),
        (lambda layer, x: layer.forward(None), "x: se esperaban números reales"),
        (lambda layer, x: layer.forward("hola"), "x: se esperaban números reales"),
        (lambda layer, x: layer.forward(x * 1j), "x: se esperaban números reales"),
        (lambda layer, x: layer.forward(x.astype(object)), "x: se esperaban números reales"),
        (lambda layer, x: layer.forward([[1.0], [1.0, 2.0]]), "x: "),
        (lambda layer, x: layer.forward((x * np.nan).tolist()), "x: se esperaban números finitos"),
        (lambda layer, x: layer.forward((x + np.inf).astype(np.float32)), "x: se esperaban números finitos"),
        (lambda layer, x: layer.backward(layer.forward(x)[:1]), "dy: se esperaba la forma"),
        (lambda layer, x: layer.backward(np.repeat(layer.forward(x), 2, axis=-1)), "dy: se esperaba la forma"),
        (lambda layer, x: (layer.forward(x), layer.backward("no")), "dy: se esperaban números reales"),
        (lambda layer, x: layer.backward((layer.forward(x) * np.nan).tolist()), "dy: se esperaban números finitos"),
        (lambda layer, x: layer.build(x.shape[1:]), "ya está construida"),
        (lambda layer, x: layer.set_weights([x] * 17), "weights: se esperaba una lista de"),
        (lambda layer, x: layer.set_weights(None), "weights: se esperaba una lista de"),
    ],
)
def test_bad_input_gets_one_spanish_sentence(case, call, message):
    layer = built(case)
    before = layer.get_weights()
    with pytest.raises((TypeError, ValueError), match=message):
        call(layer, sample(case.shape))
    assert same(layer.get_weights(), before)


@cases.every("layer")
def test_going_back_before_going_forward_says_so(case):
    layer = case.fed()
    layer.build(case.shape)
    with pytest.raises(ValueError, match="ir antes hacia delante"):
        layer.backward(sample(case.shape))


def assert_refused(case, shape):
    layer = case.fed()
    with pytest.raises((TypeError, ValueError), match=r"se esperab|han de ser"):
        layer.build(shape)
    assert not layer.built
    assert layer.weights == []
    layer.build(case.shape)
    assert layer.forward(sample(case.shape)).shape == (N, *layer.compute_output_shape(case.shape))


@cases.every("layer")
@pytest.mark.parametrize("shape", [(0,), (-1,), (2.5,), ("a",), 4, None, "34"])
def test_a_wrong_shape_is_refused_and_nothing_is_built(case, shape):
    # Lo que falta se toma de la forma buena: así solo está mal el principio.
    assert_refused(case, (*shape, *case.shape[len(shape) :]) if isinstance(shape, tuple) else shape)


@cases.every("layer")
def test_a_size_that_does_not_exist_is_refused(case):
    assert_refused(case, (2**70, *case.shape[1:]))


@cases.every("layer", lambda case: built(case).weights)
def test_weights_are_set_all_or_none(case):
    layer = built(case)
    before = layer.get_weights()
    for k in range(len(before)):
        for bad in (np.zeros((*before[k].shape, 2)), np.full(before[k].shape, np.nan), "no"):
            wrong = [np.zeros_like(w) for w in before]
            wrong[k] = bad
            with pytest.raises((TypeError, ValueError), match=rf"weights\[{k}\]: se esperab"):
                layer.set_weights(wrong)
            assert same(layer.get_weights(), before)
    wanted = [w + 1 for w in before]
    layer.set_weights(wanted)
    assert same(layer.get_weights(), wanted)
