"""Los callbacks: cuándo se llaman, qué hacen y qué dicen cuando algo no cuadra."""

import csv

import numpy as np
import pytest

from chapters.mlp.dense import Dense
from chapters.mlp.optimizers import SGD, Adam
from chapters.mlp.sequential import Input, Sequential
from dlbook.callbacks import Callback, CSVLogger, EarlyStopping, History, LearningRateScheduler, ModelCheckpoint

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 6)), RNG.normal(size=(50, 2))


def network(optimizer=None, **options):
    model = Sequential([Input((6,)), Dense(8, "tanh"), Dense(2)], dtype="float64", seed=0)
    model.compile(optimizer or Adam(0.01), "mse", **options)
    return model


def fit(model, **options):
    return model.fit(X, Y, **({"epochs": 3, "batch_size": 20, "verbose": 0} | options))


class Notebook(Callback):
    def __init__(self):
        self.notes = []

    def on_train_begin(self, logs=None):
        self.notes.append("empieza")

    def on_train_end(self, logs=None):
        self.notes.append("acaba")

    def on_epoch_begin(self, epoch, logs=None):
        self.notes.append(f"({epoch}")

    def on_epoch_end(self, epoch, logs=None):
        self.notes.append(f"{epoch})")

    def on_train_batch_begin(self, batch, logs=None):
        self.notes.append(f"<{batch}")

    def on_train_batch_end(self, batch, logs=None):
        self.notes.append(f"{batch}>")
        assert logs["loss"] > 0


def test_every_moment_in_its_order():
    notebook, model = Notebook(), network()
    fit(model, callbacks=notebook, epochs=2)
    batches = ["<0", "0>", "<1", "1>", "<2", "2>"]
    assert notebook.notes == ["empieza", "(0", *batches, "0)", "(1", *batches, "1)", "acaba"]
    assert notebook.model is model
    assert notebook.params == {"epochs": 2, "steps": 3, "verbose": 0}


def test_a_callback_can_stop_in_the_middle_of_an_epoch():
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = network()
    history = fit(model, callbacks=[Stop()])
    assert model.optimizer.iterations == 2
    assert history.epoch == [0]


def test_what_a_callback_writes_in_logs_is_kept():
    class Norm(Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["norma"] = float(np.linalg.norm(self.model.theta))

    history = fit(network(), callbacks=[Norm()])
    assert len(history.history["norma"]) == 3


# --- History ---


def test_history_is_drawn():
    history = fit(network(metrics=["mae"]), validation_split=0.2)
    assert [line.get_label() for line in history.plot().lines] == ["loss", "val_loss"]
    ax = history.plot("mae")
    assert [line.get_label() for line in ax.lines] == ["mae", "val_mae"]
    assert list(ax.lines[0].get_xdata()) == [1, 2, 3]
    with pytest.raises(ValueError, match="names: se esperaba 'loss' o 'mae'"):
        history.plot("accuracy")


def test_history_continues_the_numbers_of_the_epochs():
    history = fit(network(), initial_epoch=1)
    assert history.epoch == [1, 2]
    assert list(history.plot().lines[0].get_xdata()) == [2, 3]


def test_history_without_epochs():
    history = fit(network(), initial_epoch=3)
    assert history.history == {}


# --- EarlyStopping ---


def run(stopper, values, name="val_loss"):
    class Model:
        stop_training = False
        weights = -1

        def get_weights(self):
            return [self.weights]

        def set_weights(self, weights):
            self.weights = weights[0]

    model = Model()
    stopper.set_model(model)
    stopper.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        stopper.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    stopper.on_train_end()
    return model


# Como keras.callbacks.EarlyStopping 3.15 con los mismos números.
@pytest.mark.parametrize(
    ("options", "values", "stopped", "best", "kept"),
    [
        ({}, [3, 2, 2, 1], 2, 1, 2),
        ({"patience": 1}, [3, 2, 2, 1], 2, 1, 2),
        ({"patience": 2}, [3, 2, 2, 1, 1, 1, 0], 5, 3, 5),
        ({"patience": 2, "restore_best_weights": True}, [3, 2, 2, 1, 1, 1, 0], 5, 3, 3),
        ({"patience": 5, "restore_best_weights": True}, [3, 2, 4], 0, 1, 1),
        ({"min_delta": 0.5, "patience": 2}, [3, 2.8, 2.6, 2.4], 2, 0, 2),
        ({"baseline": 1.0, "patience": 2}, [3, 2.5, 2.2, 2.1], 0, 3, 3),
        ({"baseline": 1.0, "patience": 2}, [3, 2.5, 2.6, 2.1], 2, 1, 2),
        ({"start_from_epoch": 2}, [1, 2, 3, 4], 3, 2, 3),
        ({"mode": "max"}, [1, 2, 1], 2, 1, 2),
        ({"monitor": "val_accuracy"}, [0.1, 0.5, 0.4], 2, 1, 2),
        ({"monitor": "accuracy", "mode": "min"}, [0.1, 0.5], 1, 0, 1),
    ],
)
def test_early_stopping(options, values, stopped, best, kept):
    stopper = EarlyStopping(**options)
    model = run(stopper, values, options.get("monitor", "val_loss"))
    assert (stopper.stopped_epoch, stopper.best_epoch, model.weights) == (stopped, best, kept)
    assert model.stop_training == bool(stopped)


def test_early_stopping_with_a_real_model():
    stopper = EarlyStopping(patience=2, restore_best_weights=True)
    model = network(SGD(0.9, momentum=0.9))
    history = fit(model, epochs=100, validation_split=0.3, callbacks=[stopper])
    assert len(history.epoch) < 100
    assert min(history.history["val_loss"]) == model.evaluate(X[35:], Y[35:])
    again = fit(model, epochs=1, validation_split=0.3, callbacks=[stopper])
    assert again.epoch == [0]


def test_watching_what_there_is_not_says_so():
    with pytest.raises(
        ValueError, match="monitor: se esperaba 'loss', pero llegó 'val_loss'; para vigilar la validación"
    ):
        fit(network(), callbacks=[EarlyStopping()])


# --- Los demás ---


def test_the_learning_rate_follows_the_schedule(capsys):
    model = network(SGD(0.8))
    history = fit(model, callbacks=[LearningRateScheduler(lambda epoch, rate: rate / 2, verbose=1)])
    assert history.history["learning_rate"] == [0.4, 0.2, 0.1]
    assert model.optimizer.learning_rate == 0.1
    assert capsys.readouterr().out.splitlines()[0] == "Época 1: tasa de aprendizaje 0.4"
    with pytest.raises(TypeError, match=r"schedule\(\): se esperaba un número real"):
        fit(network(), callbacks=[LearningRateScheduler(lambda epoch, rate: "poco")])


def test_the_csv_has_one_row_per_epoch_and_can_be_continued(tmp_path):
    path = tmp_path / "historia.csv"
    model = network(metrics=["mae"])
    first = fit(model, epochs=2, callbacks=[CSVLogger(path)])
    second = fit(model, epochs=3, initial_epoch=2, callbacks=[CSVLogger(path, append=True)])
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert rows[0] == ["epoch", "loss", "mae"]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2"]
    assert [float(row[1]) for row in rows[1:]] == first.history["loss"] + second.history["loss"]
    fit(model, epochs=1, callbacks=[CSVLogger(path, separator=";")])
    assert path.read_text(encoding="utf-8").splitlines()[0] == "epoch;loss;mae"


def test_the_model_is_saved_every_epoch_or_only_when_it_gets_better(tmp_path):
    model, saved = network(), []
    model.save = saved.append
    fit(model, callbacks=[ModelCheckpoint(tmp_path / "{epoch:02d}-{loss:.1f}.safetensors")])
    assert [path.rsplit("/", 1)[1][:3] for path in saved] == ["01-", "02-", "03-"]
    saved.clear()
    keeper = ModelCheckpoint("m", monitor="loss", save_best_only=True)
    keeper.set_model(model)
    for epoch, loss in enumerate([3.0, 4.0, 2.0, 2.0]):
        keeper.on_epoch_end(epoch, {"loss": loss})
    assert saved == ["m", "m"]
    with pytest.raises(ValueError, match="filepath: se esperaba epoch o loss entre llaves"):
        fit(model, callbacks=[ModelCheckpoint("{exactitud}")])


def test_a_checkpoint_goes_on_with_the_same_bits(tmp_path):
    pytest.importorskip("safetensors")
    from dlbook import saving

    whole, half = network(), network()
    fit(whole, epochs=4)
    fit(half, epochs=2, callbacks=[ModelCheckpoint(tmp_path / "{epoch}.safetensors")])
    again = saving.load(tmp_path / "2.safetensors")
    fit(again, epochs=4, initial_epoch=again.epoch)
    assert np.array_equal(whole.theta, again.theta)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: EarlyStopping(patience=-1), "patience: se esperaba un entero de al menos 0"),
        (lambda: EarlyStopping(patience="mucha"), "patience: se esperaba un entero"),
        (lambda: EarlyStopping(min_delta=-1), "min_delta: se esperaba un número de al menos 0"),
        (lambda: EarlyStopping(mode="mayor"), "mode: se esperaba 'auto' o 'min' o 'max'"),
        (lambda: EarlyStopping(monitor=3), "monitor: se esperaba el nombre"),
        (lambda: LearningRateScheduler(0.1), "schedule: se esperaba una función"),
        (lambda: CSVLogger("a", separator=""), "separator: se esperaba un solo carácter"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


# --- Lo que se ve ---


def test_silence_a_line_and_a_bar(capsys):
    fit(network(), verbose=0)
    assert capsys.readouterr() == ("", "")
    fit(network(), verbose=2, validation_split=0.2)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("Época 1/3 · ")
    assert "val_loss=" in lines[0]
    fit(network(), verbose=1)
    out, err = capsys.readouterr()
    assert "Época 3/3: 100%" in out
    assert "loss=" in out
    assert err == ""


def test_history_is_a_callback_too():
    history = History()
    fit(network(), callbacks=[history])
    assert len(history.history["loss"]) == 3
