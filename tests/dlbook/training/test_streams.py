"""Datos que llegan por lotes: generadores, objetos con len y getitem, archivos que no caben en la memoria."""

import threading
import time

import numpy as np
import pytest

from chapters.mlp import SGD, Dense, Input, Model, Sequential
from dlbook.callbacks import Callback

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 3)).astype("float32"), RNG.normal(size=(40, 2)).astype("float32")


def network(built=True):
    first = [Input((3,))] if built else []
    model = Sequential([*first, Dense(4, "tanh"), Dense(2)], seed=0)
    model.compile(SGD(0.1), "mse", metrics=["mae"])
    return model


def pieces(size=8):
    return [(X[k : k + size], Y[k : k + size]) for k in range(0, len(X), size)]


class Batches:
    """Lo que Keras llama PyDataset: cuántos lotes hay, y cada uno por su número."""

    def __init__(self, found):
        self.found, self.asked, self.begun, self.epochs, self.threads = found, [], 0, 0, set()

    def __len__(self):
        return len(self.found)

    def __getitem__(self, k):
        self.asked.append(k)
        self.threads.add(threading.get_ident())
        return self.found[k]

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.epochs += 1


def forever(found):
    while True:
        yield from found


class Again:
    """Algo que se puede recorrer las veces que se quiera, como un tf.data.Dataset."""

    def __iter__(self):
        return iter(pieces())


def expected(epochs=2):
    model = network()
    return model.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0).history, model


SOURCES = {
    "object": (lambda: Batches(pieces()), {}),
    "generator": (lambda: forever(pieces()), {"steps_per_epoch": 5}),
    "iterable": (Again, {}),
    "iterable with steps": (Again, {"steps_per_epoch": 5}),
}


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("name", SOURCES)
def test_batches_already_made_train_like_the_arrays(name, built):
    make, options = SOURCES[name]
    history, model = expected()
    other = network(built)
    found = other.fit(make(), epochs=2, shuffle=False, verbose=0, **options).history
    for key, values in history.items():
        np.testing.assert_allclose(found[key], values, rtol=1e-6)
    np.testing.assert_allclose(other.theta, model.theta, rtol=1e-5, atol=1e-7)


def test_an_object_is_shuffled_by_batches_and_told_of_each_epoch():
    source, model = Batches(pieces()), network()
    model.fit(source, epochs=3, verbose=0)
    epochs = [source.asked[k : k + 5] for k in range(len(source.asked) - 15, len(source.asked), 5)]
    assert all(sorted(asked) == [0, 1, 2, 3, 4] for asked in epochs)
    assert len({tuple(asked) for asked in epochs}) > 1
    assert source.begun == source.epochs == 3


def test_the_next_batch_is_asked_for_while_this_one_trains():
    source = Batches(pieces())
    network().fit(source, verbose=0)
    assert threading.get_ident() in source.threads  # el primero, para saber cómo son
    assert len(source.threads) == 2
    assert not [t for t in threading.enumerate() if t.name == "dlbook-datos"]


def test_stopping_early_leaves_no_thread_waiting():
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = True

    network().fit(forever(pieces()), steps_per_epoch=100, verbose=0, callbacks=[Stop()])
    time.sleep(0.05)
    assert not [t for t in threading.enumerate() if t.name == "dlbook-datos"]


def test_what_the_source_raises_arrives():
    def broken():
        yield pieces()[0]
        raise OSError("se acabó el disco")

    with pytest.raises(OSError, match="se acabó el disco"):
        network().fit(broken(), steps_per_epoch=3, verbose=0)


def test_evaluate_and_predict_take_them_too():
    model = network()
    by_arrays = model.evaluate(X, Y)
    np.testing.assert_allclose(model.evaluate(Batches(pieces())), by_arrays, rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(forever(pieces()), steps=5), by_arrays, rtol=1e-6)
    np.testing.assert_allclose(model.predict(Batches([(x,) for x, _ in pieces()])), model.predict(X), rtol=1e-6)
    np.testing.assert_allclose(model.predict(Batches(pieces())), model.predict(X), rtol=1e-6)
    assert model.predict(forever(pieces()), steps=2).shape == (16, 2)


def test_validation_may_come_in_batches():
    model = network()
    history = model.fit(X, Y, epochs=4, validation_data=Batches(pieces()), validation_freq=2, verbose=0).history
    assert len(history["val_loss"]) == 2
    np.testing.assert_allclose(model.evaluate(X, Y)[0], history["val_loss"][-1], rtol=1e-5)


def test_weights_come_with_the_batch():
    weight = RNG.random(40)
    whole, parts = network(), network()
    whole.fit(X, Y, batch_size=8, shuffle=False, sample_weight=weight, verbose=0)
    made = [(X[k : k + 8], Y[k : k + 8], weight[k : k + 8]) for k in range(0, 40, 8)]
    parts.fit(Batches(made), shuffle=False, verbose=0)
    np.testing.assert_allclose(parts.theta, whole.theta, rtol=1e-5, atol=1e-7)


def test_several_inputs_come_in_batches():
    a, b = Input(shape=(3,)), Input(shape=(3,))
    model = Model([a, b], [Dense(2)(a), Dense(1)(b)], seed=0)
    model.compile("sgd", "mse")
    made = [((x, 2 * x), (y, y[:, :1])) for x, y in pieces()]
    first = model.evaluate(Batches(made))
    model.fit(Batches(made), epochs=3, verbose=0)
    assert model.evaluate(Batches(made))[0] < first[0]


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        (lambda: iter([]), {}, "x: se esperaba al menos un lote"),
        (lambda: Batches([]), {}, "x: se esperaba al menos un lote"),
        (lambda: iter(pieces()[:2]), {"steps_per_epoch": 5}, "se acabó en la época 1; da uno que no se acabe"),
        (lambda: iter(pieces()), {"epochs": 2}, "se acabó en la época 2"),
        (lambda: Batches([(X,)]), {}, "x: se esperaban lotes"),
        (lambda: Batches([(X, Y, Y, Y)]), {}, "x: se esperaban lotes"),
        (lambda: Batches([(X[:, :2], Y)]), {}, "x, x: se esperaba la forma"),
        (lambda: Batches([(X, Y[:3])]), {}, "y: se esperaban 40 observaciones"),
        (lambda: Batches(pieces()), {"y": Y}, "si x da los lotes"),
        (
            lambda: Batches(pieces()),
            {"validation_split": 0.5},
            "validation_split: solo se puede apartar",
        ),
    ],
)
def test_what_cannot_be_used_is_a_sentence(source, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        network().fit(source(), **{"verbose": 0} | options)


def test_a_file_larger_than_the_batch_is_read_a_batch_at_a_time(tmp_path):
    pixels = np.memmap(tmp_path / "fotos.bin", np.uint8, "w+", shape=(40, 3))
    pixels[:] = RNG.integers(0, 255, (40, 3))
    model, other = network(), network()
    model.fit(pixels, Y, epochs=2, shuffle=False, verbose=0)
    other.fit(np.array(pixels, np.float32), Y, epochs=2, shuffle=False, verbose=0)
    assert np.array_equal(model.theta, other.theta)


# --- De a un lote ---


def test_steps_of_one_batch_are_those_of_fit():
    model, other = network(), network()
    model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    for x, y in pieces() * 2:
        other.train_on_batch(x, y)
    np.testing.assert_allclose(other.theta, model.theta, rtol=1e-6)


def test_train_on_batch_says_what_that_batch_lost():
    model = network()
    for x, y in pieces()[:2]:
        before = model.test_on_batch(x, y, return_dict=True)
        assert model.train_on_batch(x, y, return_dict=True) == pytest.approx(before)
        model.reset_metrics()
    np.testing.assert_array_equal(model.predict_on_batch(x), model.predict(x))


@pytest.mark.parametrize("how", ["fit", "evaluate", "train_on_batch"])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        # Más etiquetas que filas: el núcleo leería fuera del arreglo.
        (np.zeros((8, 500), int), "(espera que|no sirve con) lo correcto"),
        (np.full((8, 3), 0.5), "no sirve con lo correcto"),
        (np.full(8, np.nan), "y: se esperaban números finitos"),
    ],
)
def test_what_only_the_metrics_read_is_checked_in_every_batch(how, wrong, message):
    a = Input(shape=(3,))
    model = Model(a, [Dense(2, name="uno")(a), Dense(3, name="dos")(a)], seed=0)
    model.compile("sgd", ["mse", None], metrics=[[], ["sparse_categorical_accuracy"]])
    good = [(x, (y, np.zeros(len(x), int))) for x, y in pieces()]
    x, y = pieces()[0]
    model.train_on_batch(*good[0])
    source = Batches([good[0], (x, (y, wrong))])
    arguments = (x, [y, wrong]) if how == "train_on_batch" else (source,)
    with pytest.raises(ValueError, match=message):
        getattr(model, how)(*arguments)


@pytest.mark.parametrize(
    ("length", "message"),
    [
        (-1, r"x, __len__\(\): se esperaba un entero de al menos 0, pero llegó -1"),
        (2.5, r"x, __len__\(\): se esperaba un entero, pero llegó 2.5"),
        (None, r"x, __len__\(\): se esperaba un entero, pero llegó None"),
    ],
)
def test_how_many_batches_there_are_is_a_whole_number(length, message):
    class Odd(Batches):
        def __len__(self):
            return length

    with pytest.raises((TypeError, ValueError), match=message):
        network().fit(Odd(pieces()), verbose=0)
