"""El contrato del paso grabado: con él y sin él salen los mismos bits, y nadie más que los apuntados se aparta."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.attention import LayerNormalization
from chapters.autoencoder import Sampling
from chapters.cnn import BatchNormalization, Residual
from chapters.mlp import (
    SGD,
    Activation,
    Adam,
    Dense,
    Dropout,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Input,
    Layer,
    Model,
    Sequential,
    SparseCategoricalCrossentropy,
)
from dlbook.callbacks import Callback
from dlbook.numeric import recording
from dlbook.numeric.kernel import kernel
from dlbook.numeric.parallel import set_threads
from dlbook.numeric.replay import Call, Replay
from dlbook.several import each
from dlbook.training import engine
from tests.contract import cases
from tests.contract.measure import sample, stir
from tests.contract.test_integer_layers import tokens

ROWS, BATCH, EPOCHS = 48, 4, 2
# Lo que se aparta en cualquier capa.
ANYWHERE = ("espera a las otras réplicas",)
# Lo que se aparta por otra razón.
APART = {
    "_library_product": "un producto que hace BLAS",
    "CategoryEncoding": "comprueba en cada paso sus enteros con NumPy",
    "KLSparsity": "suma algo a la pérdida",
    "Recurrent": "con activaciones que su núcleo no conoce, va paso a paso",
    "AppliedActivation": "una softmax a lo largo de otro eje",
}


@pytest.fixture(autouse=True)
def several_threads(monkeypatch):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)
    yield
    set_threads(None)


def around(case):
    """La capa con otras debajo y encima."""
    if case in cases.INTEGER_LAYERS:
        model = Sequential([Input(case.shape), case.make(), Flatten(), Dense(2, "tanh")], dtype="float64", seed=3)
    else:
        x = Input(case.shape)
        below = Dense(case.shape[-1], "tanh")(x)
        paths = [below, Activation("softplus")(below), *[Activation("tanh")(below)] * 2][: case.parts]
        layer = case.make()
        y = layer(*paths) if layer.apart or case.parts == 1 else layer(paths)
        y = each(y)[0]
        model = Model(x, Dense(2, "tanh")(Flatten()(y) if len(y.shape) > 2 else y), dtype="float64", seed=3)
    stir(model)
    return model


def trained(monkeypatch, make, x, y, recorded, threads, optimizer=None, **options):
    """Entrena y da todo lo que salió, y cómo quedó cada trabajo."""
    works = []
    run = recording.Recorder.run

    def watch(self, key, work):
        works.append((self, key))
        return run(self, key, work) if recorded else work()

    with monkeypatch.context() as patch:
        patch.setattr(recording.Recorder, "run", watch)
        set_threads(threads)
        model = make()
        model.compile(optimizer or SGD(0.05), **({"loss": "mse"} | options))
        history = model.fit(x, y, batch_size=BATCH, epochs=EPOCHS, verbose=0).history
    states = {(id(one), key): (one.state(key), one.why(key)) for one, key in works if recorded and key in one.works}
    return [*model.get_weights(), *map(np.array, history.values())], list(states.values())


def assert_same_bits(monkeypatch, make, x, y, **options):
    found = []
    for threads in (1, 2):
        plain, _ = trained(monkeypatch, make, x, y, False, threads, **options)
        recorded, states = trained(monkeypatch, make, x, y, True, threads, **options)
        for k, (one, other) in enumerate(zip(recorded, plain, strict=True)):
            np.testing.assert_array_equal(one, other, f"{k} con {threads} hilos; {states}")
        found += states
    return found


@cases.over(cases.LAYERS + cases.INTEGER_LAYERS)
def test_a_recorded_layer_gives_the_same_bits(case, monkeypatch):
    x = tokens(case, ROWS) if case in cases.INTEGER_LAYERS else sample(case.shape, ROWS)
    states = assert_same_bits(monkeypatch, lambda: around(case), x, sample((2,), ROWS, seed=5))
    assert all(state == "repetible" for state, _ in states), states
    reasons = [one.split(": ") for _, why in states for one in why]
    apart = {method.partition(".")[0] for method, reason in reasons if reason not in ANYWHERE}
    assert apart <= APART.keys()


def compared(case, monkeypatch, **options):
    shape = cases.shapes(case)[0]
    y_true, y_pred, _ = cases.example(case, (ROWS, *shape[1:]))
    ends = "softmax" if case.name in cases.POSITIVE or not getattr(case.make(), "from_logits", True) else None

    def make():
        return Sequential([Input(shape[1:]), Dense(shape[-1], ends)], dtype="float64", seed=0)

    states = assert_same_bits(monkeypatch, make, y_pred, y_true, **options)
    assert all(state == "repetible" for state, _ in states), states


@cases.every("loss")
def test_a_recorded_loss_gives_the_same_bits(case, monkeypatch):
    compared(case, monkeypatch, loss=case.make())


@cases.every("metric", keep=lambda case: case.name not in cases.ALONE)
def test_a_recorded_metric_gives_the_same_bits(case, monkeypatch):
    shape = cases.shapes(case)[0]
    labels = cases.example(case, (ROWS, *shape[1:]))[0].ndim < len(shape)
    loss = "sparse_categorical_crossentropy" if labels else "mse"
    compared(case, monkeypatch, loss=loss, metrics=[case.make()])


@cases.every("activation")
def test_a_recorded_activation_gives_the_same_bits(case, monkeypatch):
    def make():
        return Sequential([Input((3,)), Dense(4, case.make()), Dense(2, case.make())], dtype="float64", seed=0)

    x, y = 0.3 * sample((3,), ROWS), sample((2,), ROWS, seed=5)
    states = assert_same_bits(monkeypatch, make, x, y, optimizer=SGD(0.001))
    assert states
    assert all(state == "repetible" for state, _ in states), states


# --- Redes al azar ---

PIECES = {
    "densa": lambda: Dense(5, "tanh"),
    "relu": lambda: Dense(4, "relu"),
    "pocas": lambda: Dropout(0.3),
    "norma": lambda: BatchNormalization(),
    "capas": lambda: LayerNormalization(),
    "rama": lambda: Residual([Dense(6, "tanh"), Dense(3)], Dense(3)),
    "ruido": lambda: GaussianNoise(0.1),
}


@given(names=st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=5), threads=st.integers(1, 3))
@settings(max_examples=12, deadline=None)
def test_a_recorded_network_gives_the_same_bits(names, threads):
    def make():
        return Sequential([Input((3,)), *(PIECES[name]() for name in names), Dense(2)], dtype="float64", seed=1)

    x, y = sample((3,), ROWS), sample((2,), ROWS, seed=5)
    with pytest.MonkeyPatch.context() as patch:
        plain, _ = trained(patch, make, x, y, False, threads, Adam(0.01))
        recorded, states = trained(patch, make, x, y, True, threads, Adam(0.01))
    for one, other in zip(recorded, plain, strict=True):
        np.testing.assert_array_equal(one, other, str(states))


# --- Lo que cambia ---


def test_an_argument_changed_by_a_callback_is_not_the_recorded_one(monkeypatch):
    class Slower(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.layers[1].epsilon = 0.1 * (epoch + 1)

    def run(recorded):
        with monkeypatch.context() as patch:
            if not recorded:
                patch.setattr(recording.Recorder, "run", lambda self, key, work: work())
            model = Sequential([Input((3,)), Dense(4), LayerNormalization(), Dense(2)], dtype="float64", seed=0)
            model.compile(SGD(0.05), "mse")
            model.fit(sample((3,), ROWS), sample((2,), ROWS), batch_size=4, epochs=3, verbose=0, callbacks=[Slower()])
        return model.theta

    np.testing.assert_array_equal(run(True), run(False))


def test_the_last_batch_and_other_types_have_their_own_recording(monkeypatch):
    def batches():
        for k in range(30):
            n, kind = (4, 3)[k % 2], ("int32", "int64")[k // 2 % 2]
            yield sample((3,), n, seed=k), np.random.default_rng(k).integers(0, 2, n).astype(kind)

    def run(recorded):
        with monkeypatch.context() as patch:
            if not recorded:
                patch.setattr(recording.Recorder, "run", lambda self, key, work: work())
            model = Sequential([Input((3,)), Dropout(0.2), Dense(4, "tanh"), Dense(2)], dtype="float64", seed=0)
            model.compile(SGD(0.05), SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
            history = model.fit(batches(), epochs=1, verbose=0).history
        return model.theta, history

    one, other = run(True), run(False)
    np.testing.assert_array_equal(one[0], other[0])
    assert one[1] == other[1]


def test_what_is_drawn_and_added_to_the_loss_is_that_of_each_step_in_any_call_and_size(monkeypatch):
    def make():
        x = Input((3,))
        paths = Dense(4)(x), Dense(4, "tanh")(x)
        z = Sampling(0.5)([Dropout(0.2)(paths[0]), paths[1]])
        model = Model(x, Dense(2)(GaussianDropout(0.1)(z)), dtype="float64", seed=0)
        model.compile(SGD(0.05), "mse")
        return model

    def run(recorded, threads):
        set_threads(threads)
        with monkeypatch.context() as patch:
            if not recorded:
                patch.setattr(recording.Recorder, "run", lambda self, key, work: work())
            model, found = make(), []
            # Con lotes de dos tamaños, y varias llamadas, que se quedan con las mismas réplicas.
            for call in range(3):
                for rows in (46, 47):
                    x, y = sample((3,), rows, seed=call), sample((2,), rows, seed=5)
                    found += model.fit(x, y, batch_size=4, epochs=2, verbose=0).history["loss"]
                    found.append(model.train_on_batch(x[:4], y[:4]))
                    found.append(model.train_on_batch(x[:3], y[:3]))
        return model.theta, found

    for threads in (1, 2):
        plain, recorded = run(False, threads), run(True, threads)
        np.testing.assert_array_equal(plain[0], recorded[0])
        assert plain[1] == recorded[1]
        assert len(set(plain[1])) == len(plain[1])


class Mine(Layer):
    """Una capa de quien lee, que hace sus cuentas con NumPy y sin que se note."""

    def forward(self, x, training=False):
        self.x = np.asarray(self.ready(x)).view(np.ndarray)
        self.y = np.sin(self.x)
        return self.y

    def backward(self, dy):
        return np.asarray(self.output_gradient(dy)) * np.cos(self.x)


@pytest.mark.parametrize("make", [Mine, lambda: Residual([Dense(4), Mine()], Dense(4)), lambda: Dense(4, np.tanh)])
def test_what_is_not_from_the_book_is_set_aside_and_nothing_changes(make, monkeypatch):
    def network():
        return Sequential([Input((3,)), Dense(4), make(), Dense(2)], dtype="float64", seed=0)

    try:
        network()
    except (TypeError, ValueError):
        pytest.skip("no se admite")
    states = assert_same_bits(monkeypatch, network, sample((3,), ROWS), sample((2,), ROWS, seed=5))
    assert all(state == "repetible" for state, _ in states)
    assert all(len(why) == 2 for _, why in states), states


# --- Errores ---


@kernel
def refuse(x):
    if x[0] < 0:
        raise ValueError("negativo")


def test_an_error_inside_a_recording_is_the_same_error():
    x = np.ones(1)
    refuse(x)
    replay = Replay([Call(refuse, (x,), None)] * 2)
    replay.run()
    x[0] = -1
    with pytest.raises(ValueError, match="negativo"):
        replay.run()


def test_after_an_error_it_goes_on(monkeypatch):
    model = Sequential([Input((3,)), Dense(4, "relu"), Dense(1)], dtype="float64", seed=0)
    model.compile(SGD(0.05), "mse")
    x, y = sample((3,), ROWS), sample((1,), ROWS, seed=5)
    model.fit(x, y, batch_size=4, verbose=0)
    good = model.theta.copy()
    with pytest.raises(FloatingPointError, match="la pérdida es"):
        model.fit(x, np.full_like(y, 1e308), batch_size=4, verbose=0)
    model.theta = good
    model.fit(x, y, batch_size=4, verbose=0)
    assert np.isfinite(model.theta).all()
