"""Lo que se cambia entre una llamada y otra, o entre una época y otra, se nota aunque el paso esté grabado."""

import subprocess
import sys

import numpy as np
import pytest

from chapters.attention import MultiHeadAttention
from chapters.mlp import SGD, Add, Dense, Dropout, Input, Model, Sequential
from chapters.mlp.activations import ELU, LeakyReLU, ReLU
from chapters.mlp.losses import MeanSquaredError, SparseCategoricalCrossentropy
from chapters.mlp.metrics import Precision
from chapters.mlp.optimizers import Adam
from chapters.mlp.schedules import LearningRateSchedule
from chapters.rnn import GRU, LSTM, SimpleRNN
from dlbook.callbacks import Callback

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(200, 6)), RNG.normal(size=(200, 2))


class SecondEpoch(Callback):
    """Hace algo con el modelo al empezar la segunda época."""

    def __init__(self, act):
        self.act = act

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.act(self.model)


class Look(Callback):
    """Mira cada lote, y así no hay tramos."""

    def on_train_batch_end(self, batch, logs=None):
        pass


def line(activation=None):
    model = Sequential([Input((1,)), Dense(1, activation, use_bias=False, kernel_initializer="ones")])
    model.compile(SGD(0.0), "mse")
    return model


def losses(model, x, y, act=lambda model: None, epochs=2):
    return model.fit(x, y, batch_size=4, epochs=epochs, verbose=0, callbacks=[SecondEpoch(act)]).history["loss"]


ONES = np.ones((64, 1), np.float32)


@pytest.mark.parametrize("metric", ["sparse_categorical_crossentropy", "crossentropy", "accuracy"])
@pytest.mark.parametrize("call", ["fit", "train_on_batch", "test_on_batch", "evaluate"])
def test_the_metrics_look_at_the_targets_of_every_call(metric, call):
    # Una métrica que no puede leer una etiqueta se quejaba solo la primera vez; después leía fuera de su sitio.
    x, clean = np.ones((8, 2), np.float32), np.zeros(8, int)
    void = clean.copy()
    void[-1] = 255
    found = []
    for before in ([], [clean, clean]):
        model = Sequential([Input((2,)), Dense(3)], seed=0)
        model.compile(SGD(0.0), SparseCategoricalCrossentropy(from_logits=True, ignore_class=255), metrics=[metric])
        for y in before:
            model.fit(x, y, verbose=0)
            model.train_on_batch(x, y)
        try:
            getattr(model, call)(x, void, **({} if call.endswith("batch") else {"verbose": 0}))
            found.append(None)
        except ValueError as error:
            found.append(str(error))
    assert found[0] == found[1]
    assert metric == "accuracy" or "255" in found[0]


@pytest.mark.parametrize(
    ("options", "change"),
    [
        ({}, {"clipnorm": 0.01}),
        ({}, {"global_clipnorm": 0.01}),
        ({}, {"clipvalue": 0.001}),
        ({}, {"gradient_accumulation_steps": 2}),
        ({}, {"learning_rate": 0.001}),
        ({}, {"weight_decay": 0.1}),
        ({"use_ema": True, "ema_momentum": 0.9}, {"ema_overwrite_frequency": 7}),
        ({"clipnorm": 0.01}, {"clipnorm": None}),
        ({"momentum": 0.9}, {"momentum": 0.5}),
        ({}, {"optimizer": "adam"}),
    ],
    ids=str,
)
def test_an_optimizer_may_change_between_epochs(options, change):
    def act(model):
        for name, value in change.items():
            if name == "optimizer":
                model.optimizer = Adam(0.01)
            else:
                setattr(model.optimizer, name, value)

    thetas = []
    for more in ([], [Look()]):
        model = Sequential([Input((6,)), Dense(8, "tanh"), Dense(2)], seed=0, dtype="float64")
        model.compile(SGD(0.05, **options), "mse")
        model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[SecondEpoch(act), *more])
        thetas.append(model.theta.copy())
    assert np.array_equal(*thetas)


def test_compiling_again_in_the_middle_counts_from_that_epoch():
    model = line()
    assert losses(model, ONES, 3 * ONES, lambda model: model.compile(SGD(0.0), "mae")) == [4, 2]
    assert losses(model, ONES, 3 * ONES, epochs=3) == [2, 2, 2]
    assert model.evaluate(ONES, 3 * ONES, verbose=0) == 2


def test_an_argument_of_the_loss_may_change_between_epochs():
    model, loss = line(), MeanSquaredError()
    model.compile(SGD(0.0), loss)

    def act(_):
        loss.reduction = "sum"

    mean, total = losses(model, ONES, 3 * ONES, act)
    assert (mean, total) == (4, 16)


def test_a_loss_that_changes_between_two_batches_counts_from_the_next():
    x, y = np.ones((64, 2), np.float32), np.zeros(64, int)
    y[5] = 10**9
    loss = SparseCategoricalCrossentropy(from_logits=True, ignore_class=10**9)
    model = Sequential([Input((2,)), Dense(3)], seed=0)
    model.compile(SGD(0.0), loss)

    class Change(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                loss.ignore_class = None

    with pytest.raises(ValueError, match="hay un 1000000000 en la posición"):
        model.fit(x, y, batch_size=8, verbose=0, callbacks=[Change()])


def test_batches_of_other_lengths_do_not_begin_the_count_again():
    # Una media de todas las observaciones, con quien mira cada lote y sin nadie.
    def batches():
        for k in range(8):
            x = np.full((4, 2 + k % 3, 1), k, np.float32)
            yield x, 3 * x

    found = []
    for more in ([], [Look()]):
        model = Sequential([Input((None, 1)), Dense(1, use_bias=False, kernel_initializer="ones")])
        model.compile(SGD(0.0), "mse", metrics=["mae"])
        history = model.fit(batches(), steps_per_epoch=4, epochs=2, verbose=0, callbacks=more).history
        found.append((history["loss"], history["mae"]))
    assert found[0] == found[1]
    assert found[0][1] == pytest.approx([3, 11])


def test_a_generator_may_use_its_array_again():
    def batches():
        x = np.empty((8, 1), np.float32)
        for k in range(100):
            x[:] = k
            yield x, np.full((8, 1), k, np.float32)

    model = line()
    assert model.fit(batches(), steps_per_epoch=30, epochs=3, verbose=0).history["loss"] == [0, 0, 0]


@pytest.mark.parametrize("where", ["x", "validation_data"])
def test_targets_are_prepared_again_for_a_loss_that_changes_in_the_middle(where):
    # Lo que la pérdida de antes admitía, la de ahora quizá no: no puede llegar a un núcleo sin revisar.
    x, y = np.ones((64, 2), np.float32), np.zeros(64, int)
    void = y.copy()
    void[5] = 10**9
    loss = SparseCategoricalCrossentropy(from_logits=True, ignore_class=10**9)
    model = Sequential([Input((2,)), Dense(3)], seed=0)
    model.compile(SGD(0.0), loss)

    def act(_):
        loss.ignore_class = None

    more = {"validation_data": (x, void)} if where == "validation_data" else {}
    train = y if more else void
    with pytest.raises(ValueError, match=r"se esperaba un entero entre 0 y 2, pero hay un 1000000000 en la posición"):
        model.fit(x, train, batch_size=8, epochs=3, verbose=0, callbacks=[SecondEpoch(act)], **more)


def test_compiling_in_the_middle_with_a_loss_of_other_targets():
    x, y = np.ones((64, 2), np.float32), np.zeros(64, int)
    model = Sequential([Input((2,)), Dense(3)], seed=0)
    model.compile(SGD(0.0), SparseCategoricalCrossentropy(from_logits=True))
    change = SecondEpoch(lambda model: model.compile(SGD(0.0), "mse"))
    with pytest.raises(ValueError, match="y"):
        model.fit(x, y, batch_size=8, epochs=3, verbose=0, callbacks=[change])


def test_a_list_of_a_metric_may_change_between_calls():
    metric = Precision(thresholds=[0.3, 0.5])
    model = Sequential([Input((1,)), Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy", metrics=[metric])
    assert len(model.fit(ONES, ONES, verbose=0).history["precision"][0]) == 2
    metric.thresholds = [0.2, 0.5, 0.8]
    assert len(model.fit(ONES, ONES, verbose=0).history["precision"][0]) == 3


@pytest.mark.parametrize(
    ("activation", "name", "value"),
    [(LeakyReLU(0.5), "negative_slope", 1.0), (ELU(0.5), "alpha", 1.0), (ReLU(), "negative_slope", 0.5)],
    ids=["LeakyReLU", "ELU", "ReLU"],
)
def test_an_argument_of_an_activation_may_change(activation, name, value):
    model, before = line(activation), getattr(activation, name)
    first = losses(model, -ONES, 0 * ONES)[0]

    def act(_):
        setattr(activation, name, value)

    # Entre una llamada y otra, y entre una época y otra.
    act(model)
    second = losses(model, -ONES, 0 * ONES)
    assert second[0] == second[1] == model.evaluate(-ONES, 0 * ONES, verbose=0) != first
    setattr(activation, name, before)
    assert losses(model, -ONES, 0 * ONES, act) == [first, second[0]]


def test_an_array_of_an_activation_of_the_reader_may_be_another():
    class Scaled(LeakyReLU):
        def __init__(self, scale):
            super().__init__(0.5)
            self.scale = scale

    activation = Scaled(np.ones(3))
    model = line(activation)
    losses(model, ONES, ONES)
    activation.scale = np.zeros(3)
    assert losses(model, ONES, ONES) == [0, 0]


def test_a_layer_called_twice_may_change_between_epochs():
    shared, a, b = Dense(1, use_bias=False, kernel_initializer="ones"), Input((1,)), Input((1,))
    model = Model([a, b], Add()([shared(a), shared(b)]))
    model.compile(SGD(0.0), "mse")

    def act(_):
        shared.activation = "relu"

    assert losses(model, [-ONES, -ONES], 0 * ONES, act) == [4, 0]


def test_a_dropout_called_twice_may_change_between_epochs():
    shared, a, b = Dropout(0.0, seed=0), Input((1,)), Input((1,))
    model = Model([a, b], Add()([shared(a), shared(b)]))
    model.compile(SGD(0.0), "mse")

    def act(_):
        shared.rate = 0.5

    first, second = losses(model, [ONES, ONES], 0 * ONES, act)
    # Con la mitad apagada, cada una da 0 o 2: el cuadrado medio de la suma pasa de 4 a 6.
    assert first == 4
    assert 4.5 < second < 7.5


@pytest.mark.parametrize("layer", [SimpleRNN, GRU, LSTM])
def test_a_layer_may_begin_to_draw_between_epochs(layer):
    model = Sequential([Input((5, 2)), layer(4, kernel_initializer="ones"), Dense(1)], seed=0)
    model.compile(SGD(0.0), "mse")

    def act(model):
        model.layers[0].dropout = 0.5

    first, second = losses(model, np.ones((32, 5, 2)), np.ones((32, 1)), act)
    assert first != second


def test_attention_may_begin_to_draw_between_epochs():
    x = Input((5, 4))
    attention = MultiHeadAttention(2, 2)
    model = Model(x, attention(x, x))
    model.compile(SGD(0.0), "mse")

    def act(_):
        attention.dropout = 0.5

    first, second = losses(model, RNG.normal(size=(32, 5, 4)), np.ones((32, 5, 4)), act)
    assert first != second


class Breaks(LearningRateSchedule):
    """Falla al llegar a cierto paso."""

    def __call__(self, step):
        if step >= 30:
            raise RuntimeError("basta")
        return 0.01


def test_a_schedule_that_fails_leaves_the_steps_before_it():
    found = []
    for more in ([], [Look()]):
        model = Sequential([Input((6,)), Dense(2)], seed=0)
        model.compile(SGD(Breaks()), "mse")
        with pytest.raises(RuntimeError, match="basta"):
            model.fit(X, Y, batch_size=4, verbose=0, callbacks=more)
        found.append((model.optimizer.iterations, model.theta.copy()))
    assert found[0][0] == found[1][0] == 30
    assert np.array_equal(found[0][1], found[1][1])


def test_rows_that_nobody_looked_at_are_looked_at():
    # Lo que se grabó con datos ya revisados no revisa.
    x = np.ones((4096, 1), np.float32)
    bad = x.copy()
    bad[2500] = np.nan
    model = line()
    model.fit(x[:64], x[:64], verbose=0, validation_data=(x, x.copy()))
    model.predict(x, verbose=0, callbacks=[Callback()])
    for call in (lambda: model.evaluate(bad, x.copy(), verbose=0), lambda: model.predict(bad, verbose=0)):
        with pytest.raises(ValueError, match=r"x: .* nan en la posición \(2500, 0\)"):
            call()


TWICE = """
import signal
import time
import numpy as np
from chapters.mlp import Dense, Input, Sequential
from dlbook.numeric.parallel import Team, set_threads
from dlbook.training import engine

engine.WORK_PER_THREAD = 1
set_threads(2)
own, foresee, armed = Team._own, engine.Engine._foresee, []

def late(self, work, k):
    if armed and k == 0:
        armed.clear()
        # El otro hilo ya empezó.
        time.sleep(0.1)
        # La primera espera a que acabe el paso; la segunda ya no esperaría.
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    own(self, work, k)

def arm(self, *arguments):
    # Lo que sigue es un tramo.
    armed.append(True)
    return foresee(self, *arguments)

Team._own, engine.Engine._foresee = late, arm
model = Sequential([Input((6,)), Dense(16, "tanh"), Dense(2)])
model.compile("adam", "mse")
try:
    model.fit(np.ones((400, 6)), np.ones((400, 2)), batch_size=4, verbose=0)
except KeyboardInterrupt:
    print("interrumpido", np.isfinite(model.theta).all())
"""


def test_two_interruptions_as_a_stretch_begins_do_not_leave_a_thread_waiting():
    result = subprocess.run([sys.executable, "-c", TWICE], capture_output=True, text=True, timeout=200, check=False)
    assert result.stdout.strip() == "interrumpido True", result.stderr
