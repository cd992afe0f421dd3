"""Los callbacks: cuándo se llaman, qué hacen y qué dicen cuando algo no cuadra."""

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chapters.mlp.dense import Dense
from chapters.mlp.optimizers import SGD, Adam
from chapters.mlp.schedules import ExponentialDecay
from chapters.mlp.sequential import Input, Sequential
from dlbook.callbacks import Callback, CSVLogger, EarlyStopping, History, LearningRateScheduler, ModelCheckpoint

ROOT = Path(__file__).resolve().parents[3]
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 6)), RNG.normal(size=(50, 2))


def network(optimizer=None, **options):
    model = Sequential([Input((6,)), Dense(8, "tanh"), Dense(2)], dtype="float64", seed=0)
    model.compile(optimizer or Adam(0.01), "mse", **options)
    return model


def fit(model, **options):
    return model.fit(X, Y, **({"epochs": 3, "batch_size": 20, "verbose": 0} | options))


def test_a_callback_can_stop_in_the_middle_of_an_epoch():
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = network()
    history = fit(model, callbacks=[Stop()])
    assert model.optimizer.iterations == 2
    assert history.epoch == [0]


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


NAN, INF = float("nan"), float("inf")


# Lo que no es un número finito no mejora a nada, ni al principio ni después.
@pytest.mark.parametrize(
    ("options", "values", "stopped", "best", "kept"),
    [
        ({"patience": 1}, [NAN, 3, 2, 4], 3, 2, 3),
        ({"patience": 2}, [3, NAN, 2, 4], 0, 2, 3),
        ({"patience": 2}, [3, NAN, NAN, 1], 2, 0, 2),
        ({"patience": 1, "restore_best_weights": True}, [NAN, 3, 2, NAN], 3, 2, 2),
        ({"patience": 1, "restore_best_weights": True}, [NAN, NAN, NAN], 1, 0, 1),
        ({"mode": "max", "patience": 1}, [INF, 1, 2, 1], 3, 2, 3),
        ({"patience": 1}, [-INF, 3, 2, 4], 3, 2, 3),
        ({"patience": 0}, [NAN, 3], 0, 1, 1),
    ],
)
def test_a_nan_is_never_the_best(options, values, stopped, best, kept):
    stopper = EarlyStopping(**options)
    model = run(stopper, values)
    assert (stopper.stopped_epoch, stopper.best_epoch, model.weights) == (stopped, best, kept)
    assert stopper.best is None or np.isfinite(stopper.best)


@pytest.mark.parametrize(
    ("mode", "values", "kept"),
    [("min", [NAN, 3.0, NAN, 2.0, 4.0], [1, 3]), ("max", [NAN, INF, 3.0, NAN, 2.0, 4.0], [2, 5]), ("min", [NAN], [])],
)
def test_a_nan_is_never_saved_as_the_best(mode, values, kept):
    keeper, saved = ModelCheckpoint("{epoch}", save_best_only=True, mode=mode), []
    model = network()
    model.save = saved.append
    keeper.set_model(model)
    for epoch, value in enumerate(values):
        keeper.on_epoch_end(epoch, {"val_loss": value})
    assert saved == [str(epoch + 1) for epoch in kept]


def test_a_loss_that_overflows_is_an_end_too():
    class Explode(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                self.model.optimizer.learning_rate = 1e200

    model, good, ended = network(SGD(0.01)), [], []

    class Keep(Callback):
        def on_epoch_end(self, epoch, logs=None):
            good.append((logs["val_loss"], self.model.get_weights()))

        def on_train_end(self, logs=None):
            ended.append(True)

    stopper = EarlyStopping(patience=50, restore_best_weights=True)
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="en la época 4"):
        fit(model, epochs=10, validation_split=0.3, callbacks=[Explode(), Keep(), stopper])
    best = min(good, key=lambda pair: pair[0])[1]
    assert all(map(np.array_equal, model.get_weights(), best))
    assert ended
    assert model.evaluate(X, Y) > 0


def test_the_metric_says_whether_more_is_better():
    from chapters.mlp.metrics import BinaryAccuracy, MeanSquaredError

    stopper = EarlyStopping("val_aciertos")
    for metrics, name, rising in (
        ([BinaryAccuracy(name="aciertos")], "val_aciertos", True),
        ([MeanSquaredError(name="accuracy")], "val_accuracy", False),
        (["accuracy", "accuracy"], "accuracy_1", True),
        ([], "val_loss", False),
    ):
        stopper.set_model(network(metrics=metrics))
        stopper.monitor = name
        assert stopper.rising == rising


# --- Lo que recuerdan ---


class Fixed(Callback):
    """Pone en la pérdida de validación lo que se le diga, para saber cuál es la mejor época."""

    values = (5.0, 2.0, 4.0, 3.0, 2.5, 6.0, 7.0)

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.values[epoch]


HERE = """
import sys
import numpy as np
from chapters.mlp import load_model
from dlbook.callbacks import EarlyStopping, ModelCheckpoint
from tests.dlbook.training.test_callbacks import X, Y, Fixed

folder = sys.argv[1]
model = load_model(f"{folder}/last.safetensors")
assert model.epoch == 3
stop = EarlyStopping(patience=4, restore_best_weights=True)
keep = [ModelCheckpoint(f"{folder}/best.safetensors", save_best_only=True)]
keep += [ModelCheckpoint(f"{folder}/last.safetensors")]
model.fit(X, Y, epochs=7, batch_size=20, verbose=0, initial_epoch=model.epoch, callbacks=[Fixed(), *keep, stop])
print(stop.stopped_epoch, stop.best_epoch, stop.best, keep[0].best)
np.save(f"{folder}/theta.npy", model.theta)
"""


def test_what_callbacks_remember_goes_on_in_another_process(tmp_path):
    pytest.importorskip("safetensors")
    from chapters.mlp import load_model

    def callbacks(folder):
        folder.mkdir(exist_ok=True)
        keep = [ModelCheckpoint(folder / "last.safetensors")]
        keep += [ModelCheckpoint(folder / "best.safetensors", save_best_only=True)]
        return [Fixed(), *keep, EarlyStopping(patience=4, restore_best_weights=True)]

    whole = network(Adam(0.01))
    straight = callbacks(tmp_path / "whole")
    fit(whole, epochs=7, callbacks=straight)
    half = tmp_path / "half"
    fit(network(Adam(0.01)), epochs=3, callbacks=callbacks(half))
    command = [sys.executable, "-c", HERE, half]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    stop = straight[-1]
    assert (stop.stopped_epoch, stop.best_epoch, stop.best) == (5, 1, 2.0)
    assert out.split() == ["5", "1", "2.0", "2.0"]
    assert np.array_equal(np.load(half / "theta.npy"), whole.theta)
    for name in ("best", "last"):
        one, other = (load_model(tmp_path / run / f"{name}.safetensors") for run in ("whole", "half"))
        assert one.epoch == other.epoch
        assert np.array_equal(one.theta, other.theta)
    assert load_model(half / "best.safetensors").epoch == 2


def test_a_fit_that_starts_over_forgets_and_one_that_goes_on_does_not():
    stop = EarlyStopping(patience=4)
    model = network()
    fit(model, epochs=3, callbacks=[Fixed(), stop])
    assert (stop.wait, stop.best) == (1, 2.0)
    fit(model, epochs=4, initial_epoch=model.epoch, callbacks=[Fixed(), stop])
    assert (stop.wait, stop.best) == (2, 2.0)
    other = EarlyStopping("loss", patience=4)
    fit(model, epochs=5, initial_epoch=model.epoch, callbacks=[Fixed(), other])
    assert other.best_epoch == 4
    fit(model, epochs=1, callbacks=[Fixed(), stop])
    assert (stop.wait, stop.best) == (0, 5.0)


def test_ones_own_callback_remembers_too(tmp_path):
    pytest.importorskip("safetensors")
    from chapters.mlp import load_model

    class Count(Callback):
        seen = 0

        def on_epoch_end(self, epoch, logs=None):
            self.seen += 1

        def get_state(self):
            return {"seen": self.seen, "where": [np.ones(2), "aquí"]}

        def set_state(self, state):
            self.seen = state["seen"]
            assert state["where"][1] == "aquí"
            assert np.array_equal(state["where"][0], np.ones(2))

    path = tmp_path / "red.safetensors"
    fit(network(), epochs=2, callbacks=[ModelCheckpoint(path), Count()])
    model = load_model(path)
    counts = Count(), Count()
    fit(model, epochs=3, initial_epoch=model.epoch, callbacks=list(counts))
    assert [c.seen for c in counts] == [3, 1]
    state = model.get_state()
    assert [c["state"]["seen"] for c in state["callbacks"]] == [3, 1]
    for nonsense in (3, [3], [{"callback": "Count"}], [{"callback": 3, "state": {}}]):
        with pytest.raises(ValueError, match="callbacks"):
            model.set_state({**state, "callbacks": nonsense})
    model.set_state({**state, "callbacks": [{"callback": "EarlyStopping", "state": {"monitor": "loss"}}]})
    with pytest.raises(ValueError, match="a lo que recordaba EarlyStopping le falta 'best'"):
        fit(model, epochs=4, initial_epoch=model.epoch, callbacks=[EarlyStopping("loss")])
    # Los archivos de antes no traen callbacks.
    model.set_state({name: value for name, value in state.items() if name != "callbacks"})


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


def test_the_schedule_can_ask_only_for_the_epoch():
    for schedule in (
        lambda epoch: 0.1 / (1 + epoch),
        lambda epoch, *_: 0.1 / (1 + epoch),
        ExponentialDecay(0.1, 1, 0.5),
    ):
        history = fit(network(), epochs=2, callbacks=[LearningRateScheduler(schedule)])
        assert history.history["learning_rate"] == pytest.approx([0.1, 0.05])
    # El error de la función es el suyo.
    with pytest.raises(TypeError, match="mi error"):
        fit(network(), callbacks=[LearningRateScheduler(fails)])


def fails(epoch, rate):
    raise TypeError("mi error")


def test_two_schedules_at_once_are_refused():
    model = network(SGD(ExponentialDecay(0.1, 10, 0.5)))
    before = model.theta.copy()
    with pytest.raises(ValueError, match=r"learning_rate: se esperaba un número, .* ExponentialDecay"):
        fit(model, callbacks=[LearningRateScheduler(lambda epoch: 0.1)])
    assert np.array_equal(model.theta, before)


def test_the_checkpoint_takes_the_arguments_of_keras_in_its_order():
    keeper = ModelCheckpoint("a", "loss", 0, True, False, "min", "epoch", 2.5)
    saved, model = [], network()
    model.save = saved.append
    keeper.set_model(model)
    for epoch, loss in enumerate([3.0, 2.0]):
        keeper.on_epoch_end(epoch, {"loss": loss})
    assert (keeper.monitor, keeper.mode, keeper.best, saved) == ("loss", "min", 2.0, ["a"])
    for options in ({"save_weights_only": True}, {"save_freq": 10}):
        with pytest.raises(ValueError, match="esta opción de Keras no existe aquí"):
            ModelCheckpoint("a", **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LearningRateScheduler(lambda: 0.1), "schedule: se esperaba una función de la época y la tasa"),
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
