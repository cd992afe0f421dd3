"""El contrato de predecir y evaluar trozo por trozo sin Python: con ello y sin ello salen los mismos bits."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.cnn import BatchNormalization, Conv2D, MaxPooling2D
from chapters.mlp import (
    SGD,
    Concatenate,
    Dense,
    Flatten,
    Input,
    Model,
    Sequential,
    SparseCategoricalCrossentropy,
)
from chapters.mlp.metrics import BinaryAccuracy
from chapters.rnn import Embedding
from dlbook.callbacks import Callback
from dlbook.numeric import sweep
from dlbook.numeric.parallel import set_threads
from dlbook.numeric.sweep import Sweep
from dlbook.several import each
from dlbook.training import engine
from tests.contract import cases
from tests.contract.measure import sample
from tests.contract.test_integer_layers import tokens
from tests.contract.test_recorded import PIECES, Mine, around

# Cinco trozos completos y otro más corto; con dos hilos, a uno le tocan tres.
CHUNK, ROWS = 8, 43


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)
    monkeypatch.setattr(engine, "CHUNK", CHUNK)
    monkeypatch.setattr(sweep, "WORTH", 0)
    yield
    set_threads(None)


def by_hand(self, chunks, work, sources, results, together=None):
    for c in chunks:
        results[c] = [0.0 if one is None else one for one in work(c)]


def done(model, calls, swept, threads):
    """Hace unas llamadas y da lo que devolvieron; si se repite, también cómo quedó cada cosa."""
    sweeps = []
    run = Sweep.run

    def watch(self, *arguments):
        sweeps.append(self)
        (run if swept else by_hand)(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sweep, "run", watch)
        set_threads(threads)
        found = [each(call(model)) for call in calls]
    return found, {(one.state, one.why) for one in sweeps}


def assert_same_bits(make, *calls, threads=(1, 2), possible=True):
    """Las llamadas dan lo mismo hechas a mano y repetidas, con uno y con dos hilos."""
    found = None
    for count in threads:
        for swept in (False, True):
            again, states = done(make(), calls, swept, count)
            found = found or again
            for k, (one, other) in enumerate(zip(again, found, strict=True)):
                for a, b in zip(one, other, strict=True):
                    np.testing.assert_array_equal(a, b, f"llamada {k} con {count} hilos, {swept=}; {states}")
            if swept and possible is not None:
                assert ("repetible" in {state for state, _ in states}) == possible, states
    return states


def moved(model):
    weights = model.get_weights()
    model.set_weights([w + (1 + k) / 16 for k, w in enumerate(weights)])
    return []


def trained(x, y):
    def train(model):
        model.fit(x, y, batch_size=4, verbose=0)
        return []

    return train


# Lo que se predice desde Python, y por qué.
FROM_PYTHON = {
    "CategoryEncoding": "comprueba sus enteros con NumPy",
    "Sampling": "sortea también al predecir",
    "Recurrent": "con activaciones que su núcleo no conoce, va paso a paso",
    "AppliedActivation": "una softmax a lo largo de otro eje",
}
# Y lo que se mide: lo que su clase base hace con NumPy.
MEASURED_FROM_PYTHON = "Found", "RowLoss", "OverlapLoss"


def who(states):
    """De quién es lo que no se pudo grabar."""
    return {why.partition(".")[0] for state, why in states if state == "imposible"}


@cases.over(cases.LAYERS + cases.INTEGER_LAYERS)
def test_a_layer_predicts_and_is_measured_with_the_same_bits(case):
    integers = case in cases.INTEGER_LAYERS
    x = tokens(case, ROWS) if integers else sample(case.shape, ROWS)
    other = x[::-1].copy() if integers else sample(case.shape, ROWS, seed=2)
    y = sample((2,), ROWS, seed=5)

    def make():
        model = around(case)
        model.compile(SGD(0.001), "mse", metrics=["mae"])
        return model

    def predict(data):
        return lambda model: model.predict(data)

    def evaluate(data):
        return lambda model: model.evaluate(data, y)

    calls = [predict(x), predict(other), moved, predict(x), evaluate(x), evaluate(other)]
    # Con más hilos, al entrenar cambia la última cifra.
    assert_same_bits(make, *calls, possible=None)
    calls += [trained(x, y), predict(x), evaluate(x), moved, evaluate(other)]
    for count in (1, 2):
        states = assert_same_bits(make, *calls, threads=(count,), possible=None)
        assert who(states) <= FROM_PYTHON.keys(), states


def model_for(case, **options):
    shape = cases.shapes(case)[0]
    y_true, y_pred, _ = cases.example(case, (ROWS, *shape[1:]))
    other = cases.example(case, (ROWS, *shape[1:]), seed=3)
    ends = "softmax" if case.name in cases.POSITIVE or not getattr(case.make(), "from_logits", True) else None
    weight = np.abs(sample((), ROWS, seed=7)) if shape else None

    def make():
        model = Sequential([Input(shape[1:]), Dense(shape[-1], ends)], dtype="float64", seed=0)
        model.compile(SGD(0.01), **options)
        return model

    calls = [
        lambda model: model.evaluate(y_pred, y_true),
        lambda model: model.evaluate(y_pred, y_true, sample_weight=weight),
        lambda model: model.evaluate(other[1], other[0], sample_weight=weight),
        lambda model: model.evaluate(other[1], other[0]),
        lambda model: model.evaluate(other[1][:19], other[0][:19]),
    ]
    return make, calls


@cases.every("loss")
def test_a_loss_is_measured_with_the_same_bits(case):
    make, calls = model_for(case, loss=case.make())
    assert who(assert_same_bits(make, *calls, possible=None)) <= {*MEASURED_FROM_PYTHON}


@cases.every("metric", keep=lambda case: case.name not in cases.ALONE)
def test_a_metric_is_measured_with_the_same_bits(case):
    shape = cases.shapes(case)[0]
    labels = cases.example(case, (ROWS, *shape[1:]))[0].ndim < len(shape)
    loss = "sparse_categorical_crossentropy" if labels else "mse"
    make, calls = model_for(case, loss=loss, metrics=[case.make()], weighted_metrics=[case.make()])
    assert who(assert_same_bits(make, *calls, possible=None)) <= {*MEASURED_FROM_PYTHON}


@given(
    names=st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=5),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4),
)
@settings(max_examples=15, deadline=None)
def test_a_network_gives_the_same_bits(names, sizes):
    def make():
        layers = [Input((3,)), *(PIECES[name]() for name in names), Dense(2)]
        model = Sequential(layers, dtype="float64", seed=1)
        model.compile(SGD(0.01), "mse", metrics=["mae"])
        return model

    def both(n, seed):
        x, y = sample((3,), n, seed=seed), sample((2,), n, seed=seed + 1)
        return lambda model: model.predict(x), lambda model: model.evaluate(x, y)

    calls = [call for k, n in enumerate(sizes) for call in both(n, 10 * k)]
    assert_same_bits(make, *calls, moved, *calls, possible=None)


# --- Los datos ---


def small(**options):
    model = Sequential([Input((3,)), Dense(4, "tanh"), Dense(2)], **({"seed": 0} | options))
    model.compile(SGD(0.01), "mse", metrics=["mae"])
    return model


def predicting(x):
    return lambda model: model.predict(x)


@pytest.mark.parametrize("n", [1, CHUNK - 1, CHUNK, 2 * CHUNK, 3 * CHUNK + 1, 4 * CHUNK, 12 * CHUNK])
def test_any_number_of_rows(n):
    x, y = sample((3,), n, dtype="float32"), sample((2,), n, dtype="float32")
    calls = [predicting(x), lambda model: model.evaluate(x, y)]
    # Lo que se grabó en una llamada sirve en la siguiente.
    assert_same_bits(small, *calls * 3, threads=(1,))
    assert_same_bits(small, *calls * 3, threads=(2,), possible=None)


@pytest.mark.parametrize("products", [1, 300, 10_000])
def test_python_can_come_back_every_few_chunks(products, monkeypatch):
    monkeypatch.setattr(engine, "PRODUCTS", products)
    x, y = sample((3,), 12 * CHUNK + 1, dtype="float32"), sample((2,), 12 * CHUNK + 1, dtype="float32")
    assert_same_bits(small, predicting(x), lambda model: model.evaluate(x, y), predicting(-x))


def test_data_of_another_type_or_memory_do_not_use_what_was_recorded_for_others():
    x = sample((3,), ROWS, dtype="float32")
    fixed = x.copy()
    fixed.flags.writeable = False
    wide = np.repeat(x, 2, axis=1)[:, ::2]
    unaligned = np.frombuffer(b"0" + x.tobytes(), np.uint8)[1:].view("float32").reshape(x.shape)
    others = x.astype("float64"), (10 * x).astype("int32"), fixed, wide, unaligned, np.asfortranarray(x), x.tolist()
    calls = [predicting(one) for one in others]
    y = sample((2,), ROWS, dtype="float32")
    calls += [lambda model, one=one: model.evaluate(one, y) for one in (*others, x)]
    calls += [lambda model, one=one: model.evaluate(x, one) for one in (y.astype("float64"), y[::-1], y.tolist())]
    assert_same_bits(small, predicting(x), *calls, predicting(x))


def test_what_is_read_can_share_memory():
    both = sample((3,), ROWS + 1, dtype="float32")

    def make():
        model = Sequential([Input((3,)), Dense(3)], seed=0)
        model.compile(SGD(0.01), "mse")
        return model

    def evaluate(x, y):
        return lambda model: model.evaluate(x, y)

    x, y = both[:-1], both[1:]
    assert_same_bits(make, evaluate(x, y), evaluate(x, y), evaluate(x.copy(), y.copy()), evaluate(x, x), evaluate(y, x))
    # Un autocodificador, y después otra cosa con la misma forma.
    assert_same_bits(make, evaluate(x, x), evaluate(x, y), evaluate(x, x))


def test_the_weights_can_be_the_data():
    def make():
        return Sequential([Input((4,)), Dense(4), Dense(4)], seed=0)

    def own(model):
        return model.predict(model.layers[0].weights[0])

    def other(model):
        return model.predict(np.ones((4, 4), np.float32))

    assert_same_bits(make, own, own, own, own, other, own, possible=None)


def test_several_inputs_and_outputs():
    def make():
        first, second = Input((3,)), Input((4,))
        together = Dense(5, "tanh")(Concatenate()([first, second]))
        outputs = [Dense(2, name="a")(together), Dense(1, "sigmoid", name="b")(together)]
        model = Model([first, second], outputs, seed=0)
        model.compile(SGD(0.01), {"a": "mse", "b": "binary_crossentropy"}, loss_weights={"a": 1.0, "b": 0.3})
        return model

    def of(seed, dtype="float32"):
        xs = [sample((k,), ROWS, seed=seed + k, dtype=dtype) for k in (3, 4)]
        ys = [sample((2,), ROWS, seed=seed), (sample((1,), ROWS, seed=seed) > 0).astype(dtype)]
        weight = np.abs(sample((), ROWS, seed=seed))
        return (
            lambda model: model.predict(xs),
            lambda model: model.evaluate(xs, ys),
            lambda model: model.evaluate(xs, ys, sample_weight=weight),
            lambda model: model.evaluate(xs, ys, sample_weight=[None, weight]),
        )

    assert_same_bits(make, *of(0), *of(1), moved, *of(2), *of(3, "float64"), *of(0))


def test_an_output_nobody_measures():
    def make():
        x = Input((3,))
        model = Model(x, [Dense(2, name="a")(x), Dense(1, name="b")(x)], seed=0)
        model.compile(SGD(0.01), {"a": "mse"})
        return model

    x, y = sample((3,), ROWS, dtype="float32"), sample((2,), ROWS, dtype="float32")
    assert_same_bits(make, lambda model: model.evaluate(x, {"a": y}), lambda model: model.evaluate(x, {"a": y}))


def test_a_batch_can_weigh_one_output_and_the_next_another():
    def make():
        x = Input((3,))
        model = Model(x, [Dense(2, name="a")(x), Dense(2, name="b")(x)], seed=0)
        model.compile(SGD(0.01), "mse")
        return model

    def batches():
        for k in range(24):
            x, y, w = sample((3,), CHUNK, seed=k), sample((2,), CHUNK, seed=k), np.abs(sample((), CHUNK, seed=k))
            x, y = x.astype("float32"), y.astype("float32")
            yield x, [y, y + 1], [w, None] if k % 6 < 4 else [None, w]

    assert_same_bits(make, lambda model: model.evaluate(batches()))


def test_images_and_labels():
    def make():
        layers = [Conv2D(3, 3, activation="relu"), MaxPooling2D(2), BatchNormalization(), Flatten(), Dense(4)]
        model = Sequential([Input((6, 6, 1)), *layers], seed=0)
        model.compile(SGD(0.01), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        return model

    x = sample((6, 6, 1), ROWS, dtype="float32")
    y = np.arange(ROWS) % 4

    def evaluate(kind):
        return lambda model: model.evaluate(x, y.astype(kind))

    calls = [predicting(x), evaluate("int64"), evaluate("int32"), evaluate("uint8"), evaluate("int64")]
    assert_same_bits(make, *calls, trained(x, y), *calls, threads=(1,))
    assert_same_bits(make, *calls, trained(x, y), *calls, threads=(2,))


def test_the_data_of_a_call_are_not_kept():
    model = small()
    for _ in range(3):
        x, y = sample((3,), ROWS, dtype="float32"), sample((2,), ROWS, dtype="float32")
        # También lo de un trozo, que se graba en dos llamadas.
        found = [model.predict(x), model.predict(x[:CHUNK].copy())]
        model.evaluate(x, y)
        alive = [weakref.ref(one) for one in (x, y, found[0].base if found[0].base is not None else found[0])]
        del x, y, found
        gc.collect()
        assert not any(one() is not None for one in alive)


def test_few_chunks_are_not_worth_a_recording(monkeypatch):
    monkeypatch.setattr(sweep, "WORTH", 16)
    model, x = small(), sample((3,), ROWS, dtype="float32")
    states = [done(model, [predicting(x)], True, 1)[1] for _ in range(4)]
    assert states[0] == states[1] == {("hecho", None)}
    assert states[-1] == {("repetible", None)}


def test_what_came_out_is_not_written_again():
    model = small()
    x = sample((3,), ROWS, dtype="float32")
    first = model.predict(x)
    before = first.copy()
    model.predict(10 * x)
    np.testing.assert_array_equal(first, before)


# --- Lo que cambia ---


class Own(Sequential):
    """Un modelo de quien lee."""

    def forward(self, x, training=False, mask=None):
        x = np.asarray(x).view(np.ndarray)
        return super().forward(np.ascontiguousarray(x * (1 + x.mean())), training)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sequential([Input((3,)), Dense(4), Mine(), Dense(2)], seed=0),
        lambda: Own([Input((3,)), Dense(4), Dense(2)], seed=0),
    ],
)
def test_what_is_not_from_the_book_is_never_recorded(make):
    x = sample((3,), ROWS, dtype="float32")
    assert_same_bits(make, predicting(x), predicting(x[::-1].copy()), possible=False)


def test_an_argument_changed_between_calls_is_not_the_recorded_one():
    x = sample((3,), ROWS, dtype="float32")

    def make():
        return Sequential([Input((3,)), BatchNormalization(), Dense(2)], seed=0)

    def change(model):
        model.layers[0].epsilon = 0.5
        return []

    first, _, last = done(make(), [predicting(x), change, predicting(x)], True, 1)[0]
    assert not np.array_equal(first, last)
    assert_same_bits(make, predicting(x), change, predicting(x))


def test_another_loss_is_not_the_recorded_one():
    x, y = sample((3,), ROWS, dtype="float32"), sample((2,), ROWS, dtype="float32")

    def compiled(*arguments, **options):
        def compile_(model):
            model.compile(SGD(0.01), *arguments, **options)
            return []

        return compile_

    def evaluate(model):
        return model.evaluate(x, y)

    calls = [evaluate, compiled("mae"), evaluate, compiled("mse", loss_weights=[0.5]), evaluate]
    assert_same_bits(small, *calls, compiled("mse", metrics=["mse", "mae"]), evaluate)


def test_a_metric_changed_by_hand_is_not_the_recorded_one():
    x, y = sample((3,), ROWS, dtype="float32"), (sample((1,), ROWS) > 0).astype("float32")

    def make():
        model = Sequential([Input((3,)), Dense(1, "sigmoid")], seed=0)
        model.compile(SGD(0.01), "binary_crossentropy", metrics=[BinaryAccuracy(threshold=0.5)])
        return model

    def change(model):
        model.asked_metrics[0].threshold = 0.9
        return []

    def evaluate(model):
        return model.evaluate(x, y)

    first, _, last = done(make(), [evaluate, change, evaluate], True, 1)[0]
    assert first[1] != last[1]
    assert_same_bits(make, evaluate, change, evaluate)


def test_validation_while_it_trains():
    x, y = sample((3,), ROWS, dtype="float32"), sample((2,), ROWS, dtype="float32")

    def fit(model):
        history = model.fit(x, y, batch_size=8, epochs=4, verbose=0, validation_data=(x[::-1], y)).history
        return [*history.values(), *model.get_weights()]

    for count in (1, 2):
        assert_same_bits(small, fit, fit, threads=(count,))


def test_a_callback_sees_every_batch():
    x, y = sample((3,), ROWS, dtype="float32"), sample((2,), ROWS, dtype="float32")
    seen = []

    class Watch(Callback):
        def on_predict_batch_end(self, batch, logs=None):
            seen.append(np.array(logs["outputs"]))

        def on_test_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    def calls():
        def watched(call):
            def see(model):
                seen.clear()
                call(model)
                return list(seen)

            return see

        yield watched(lambda model: model.predict(x, batch_size=4, callbacks=[Watch()]))
        yield watched(lambda model: model.evaluate(x, y, batch_size=4, callbacks=[Watch()]))

    assert_same_bits(small, *calls(), *calls())


# --- Errores ---


@pytest.mark.parametrize("row", [0, 3 * CHUNK + 2, 4 * CHUNK + 5, ROWS - 1])
@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_not_finite_is_told_with_its_place(row, threads):
    set_threads(threads)
    model = small()
    x, y = sample((3,), ROWS, dtype="float32"), sample((2,), ROWS, dtype="float32")
    good = model.predict(x), model.evaluate(x, y)
    bad = x.copy()
    bad[row, 1] = np.nan
    message = rf"x: se esperaban números finitos, pero hay un nan en la posición \({row}, 1\)"
    for again in (model, small()):
        with pytest.raises(ValueError, match=message):
            again.predict(bad)
        with pytest.raises(ValueError, match=message):
            again.evaluate(bad, y)
        with pytest.raises(ValueError, match=message):
            again.evaluate(bad, y, steps=1)
    np.testing.assert_array_equal(model.predict(x), good[0])
    assert model.evaluate(x, y) == good[1]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_inside_is_the_same_error(threads):
    def make():
        return Sequential([Input((3,), dtype="int64"), Embedding(5, 2), Flatten(), Dense(2)], seed=0)

    x = np.arange(3 * ROWS).reshape(ROWS, 3) % 5
    bad = x.copy()
    bad[3 * CHUNK + 2, 1] = 7
    told = []
    for swept in (False, True):
        model = make()
        done(model, [predicting(x), predicting(x)], swept, threads)
        with pytest.raises(ValueError, match="7") as error:
            done(model, [predicting(bad)], swept, threads)
        told.append(str(error.value))
        assert np.isfinite(model.predict(x)).all()
    assert told[0] == told[1]
