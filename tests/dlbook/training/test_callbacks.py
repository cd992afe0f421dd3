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
from dlbook.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
    called,
)

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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"nombre,edad\n", "se esperaba que empezara con 'epoch', no con 'nombre'"),
        (b"\n", "se esperaba que empezara con 'epoch', no con ''"),
        (b"\xff\xfe\x00\n", "se esperaba texto en UTF-8, pero hay otra cosa"),
        (b"epoch,loss\n0,1\n", "se esperaba una columna 'mae', pero tiene \\['loss'\\]"),
    ],
)
def test_the_csv_does_not_go_on_where_its_numbers_do_not_fit(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        fit(network(metrics=["mae"]), callbacks=[CSVLogger(path, append=True)])
    assert path.read_bytes() == content


def test_the_csv_goes_on_below_a_row_that_was_cut(tmp_path):
    (tmp_path / "a.csv").write_text("epoch,loss\n0,0.1")
    fit(network(), epochs=2, initial_epoch=1, callbacks=[CSVLogger(tmp_path / "a.csv", append=True)])
    rows = (tmp_path / "a.csv").read_text().splitlines()
    assert rows[:2] == ["epoch,loss", "0,0.1"]
    assert rows[2].startswith("1,")


@pytest.mark.parametrize("keeper", [CSVLogger, BackupAndRestore])
@pytest.mark.parametrize("place", ["carpeta/a", "archivo/a", "archivo"])
def test_where_nothing_can_be_written_is_said(tmp_path, keeper, place):
    (tmp_path / "archivo").write_text("hola")
    if (keeper, place) in ((CSVLogger, "archivo"), (BackupAndRestore, "carpeta/a")):
        fit(network(), callbacks=[keeper(tmp_path / place)])
        return
    with pytest.raises(OSError, match=r"no existe la carpeta|no se pudo crear la carpeta"):
        fit(network(), callbacks=[keeper(tmp_path / place)])


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


def every_other_epoch(callback, **options):
    return fit(network(), epochs=5, validation_data=(X, Y), validation_freq=2, callbacks=[callback], **options)


def test_an_epoch_without_validation_does_not_count_for_who_watches_it(tmp_path):
    stop = EarlyStopping(min_delta=1e9, patience=1)
    assert len(every_other_epoch(stop).epoch) == 4
    rates = every_other_epoch(ReduceLROnPlateau(min_delta=1e9, patience=1, factor=0.5)).history["learning_rate"]
    assert rates == [0.01] * 4 + [0.005]
    every_other_epoch(ModelCheckpoint(tmp_path / "{epoch}.safetensors", save_best_only=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.safetensors", "4.safetensors"]


def test_what_is_never_measured_is_still_refused_when_not_every_epoch_is_validated(tmp_path):
    with pytest.raises(ValueError, match="monitor: se esperaba 'loss' o 'val_loss', pero llegó 'val_mae'"):
        every_other_epoch(EarlyStopping("val_mae"))
    with pytest.raises(ValueError, match="monitor: se esperaba 'loss', pero llegó 'val_loss'"):
        every_other_epoch(ModelCheckpoint(tmp_path / "a.safetensors", save_best_only=True, save_freq=1))


@pytest.mark.parametrize("braces", ["{}", "{0}", "{epoch", "{epoch:zz}", "{epoch.zz}", "{epoch[0]}"])
def test_braces_that_say_nothing_are_shown_as_they_came(tmp_path, braces):
    with pytest.raises(ValueError, match=r"se esperaba epoch o loss entre llaves, pero llegó '.*\{"):
        fit(network(), callbacks=[ModelCheckpoint(tmp_path / f"{braces}.safetensors")])


def test_the_csv_leaves_a_hole_where_there_was_no_validation(tmp_path):
    history = every_other_epoch(CSVLogger(tmp_path / "a.csv")).history
    with open(tmp_path / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["val_loss"] for row in rows] == ["", str(history["val_loss"][0]), "", str(history["val_loss"][1]), ""]


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
    with pytest.raises(ValueError, match="save_freq: se esperaba 'epoch' o un entero de al menos 1, pero llegó 'lote'"):
        ModelCheckpoint("a", save_freq="lote")


def test_the_checkpoint_can_keep_only_the_weights():
    model, whole, weights = network(), [], []
    model.save = whole.append
    model.save_weights = weights.append
    fit(model, epochs=2, callbacks=[ModelCheckpoint("{epoch}", save_weights_only=True)])
    assert (whole, weights) == ([], ["1", "2"])


def test_the_checkpoint_can_save_every_so_many_steps():
    model, saved = network(), []
    model.save = saved.append
    # Tres pasos por época: la cuenta sigue de una a otra.
    fit(model, epochs=3, callbacks=[ModelCheckpoint("{epoch}-{batch}-{loss:.0f}", save_freq=4)])
    assert [name.rsplit("-", 1)[0] for name in saved] == ["2-1", "3-2"]
    saved.clear()
    fit(model, epochs=3, callbacks=[ModelCheckpoint("{epoch}", "loss", save_best_only=True, save_freq=1)])
    assert saved[0] == "1"
    with pytest.raises(ValueError, match="monitor: se esperaba 'loss', pero llegó 'val_loss'"):
        fit(model, callbacks=[ModelCheckpoint("m", save_best_only=True, save_freq=1)], validation_split=0.2)


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
        (lambda: ReduceLROnPlateau(factor=1), "factor: se esperaba un número .* menor que 1"),
        (lambda: BackupAndRestore(""), "backup_dir: se esperaba la ruta"),
        (lambda: BackupAndRestore("a", save_freq=False), "save_freq: se esperaba 'epoch' o un entero"),
        (lambda: LambdaCallback(on_epoch_end=3), "on_epoch_end: se esperaba una función, pero llegó 3"),
        (lambda: LambdaCallback(lr=3), "LambdaCallback: el libro no tiene el argumento 'lr'"),
        (lambda: TerminateOnNaN("sí"), "raise_error: se esperaba True o False"),
        (lambda: TensorBoard(update_freq="step"), "update_freq: se esperaba 'epoch' o 'batch' o un entero"),
        (lambda: TensorBoard(write_images=True), "write_images: esta opción de Keras no existe aquí"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


# --- ReduceLROnPlateau ---


# Como keras.callbacks.ReduceLROnPlateau 3.15 con los mismos números, desde una tasa de 0.1.
@pytest.mark.parametrize(
    ("options", "values", "rates"),
    [
        ({"patience": 2}, [3, 2, 2, 2, 2, 2], [0.1, 0.1, 0.1, 0.01, 0.01, 0.001]),
        ({"patience": 1, "factor": 0.5}, [3, 3, 3, 2, 2, 2], [0.1, 0.05, 0.025, 0.025, 0.0125, 0.00625]),
        (
            {"patience": 1, "factor": 0.5, "cooldown": 2},
            [3, 3, 3, 3, 3, 3, 3, 3],
            [0.1, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.00625],
        ),
        ({"patience": 0, "factor": 0.5, "cooldown": 1}, [3, 3, 3, 3, 3], [0.1, 0.05, 0.025, 0.0125, 0.00625]),
        ({"patience": 1, "factor": 0.1, "min_lr": 0.004}, [3, 3, 3, 3, 3], [0.1, 0.01, 0.004, 0.004, 0.004]),
        ({"patience": 1, "factor": 0.5, "min_delta": 0.5}, [3, 2.8, 2.6, 2.4, 1], [0.1, 0.05, 0.025, 0.025, 0.025]),
        ({"patience": 1, "factor": 0.5, "mode": "max"}, [1, 2, 1, 1, 3], [0.1, 0.1, 0.05, 0.025, 0.025]),
        (
            {"patience": 2, "factor": 0.5, "cooldown": 1},
            [3, 3, 3, 1, 3, 3, 3, 3],
            [0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.0125],
        ),
        ({"patience": 1, "factor": 0.5}, [NAN, 3, NAN, 2], [0.05, 0.05, 0.025, 0.025]),
    ],
)
def test_the_rate_goes_down_when_nothing_gets_better(options, values, rates):
    model, plateau, logs = network(SGD(0.1)), ReduceLROnPlateau(**options), []
    plateau.set_model(model)
    plateau.on_train_begin()
    found = []
    for epoch, value in enumerate(values):
        logs.append({"val_loss": value})
        plateau.on_epoch_end(epoch, logs[-1])
        found.append(model.optimizer.learning_rate)
    assert found == pytest.approx(rates)
    # Se anota la tasa con que se entrenó la época.
    assert [log["learning_rate"] for log in logs] == pytest.approx([0.1, *rates[:-1]])


def test_a_plateau_in_two_halves_is_one(tmp_path, capsys):
    def plateau():
        return ReduceLROnPlateau("val_loss", factor=0.5, patience=2, cooldown=1, verbose=1)

    whole, half = network(SGD(0.1)), network(SGD(0.1))
    rates = fit(whole, epochs=7, callbacks=[Fixed(), plateau()]).history["learning_rate"]
    assert "la tasa de aprendizaje baja a 0.05" in capsys.readouterr().out
    first = fit(half, epochs=3, callbacks=[Fixed(), plateau()]).history["learning_rate"]
    half.save(tmp_path / "mitad.safetensors")
    from chapters.mlp import load_model

    again = load_model(tmp_path / "mitad.safetensors")
    again = fit(again, epochs=7, initial_epoch=3, callbacks=[Fixed(), plateau()]).history["learning_rate"]
    assert first + again == rates
    assert rates[-1] < rates[0]


def test_a_plateau_and_a_schedule_at_once_are_refused():
    with pytest.raises(ValueError, match=r"learning_rate: se esperaba un número, .* ExponentialDecay"):
        fit(network(SGD(ExponentialDecay(0.1, 10, 0.5))), callbacks=[ReduceLROnPlateau("loss")])


# --- Los que acaban antes o vuelven a empezar ---


def broken(**options):
    with np.errstate(all="ignore"):
        return fit(network(SGD(1e200)), **options)


def test_a_loss_that_breaks_ends_the_training_without_an_error(capsys):
    ended = []
    others = [TerminateOnNaN(), LambdaCallback(on_train_end=lambda logs: ended.append(logs))]
    history = broken(callbacks=others)
    assert history.epoch == []
    assert np.isfinite(history.model.theta).all()
    assert len(ended) == 1
    assert "en la época 1, lote 2 de 3" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="en la época 1, lote 2 de 3"):
        broken(callbacks=[TerminateOnNaN(raise_error=True), others[1]])
    assert len(ended) == 1


def test_by_hand_the_loss_of_a_step_is_watched_too(capsys):
    watcher, model = TerminateOnNaN(), network()
    watcher.set_model(model)
    for loss, stops in ((1.0, False), (NAN, True)):
        watcher.on_train_batch_end(4, {"loss": loss})
        assert model.stop_training == stops
    assert capsys.readouterr().out == "la pérdida es nan en el lote 5\n"


class Outage(Callback):
    """Corta el entrenamiento en un paso de una época."""

    def __init__(self, epoch, step=0):
        self.when, self.now = (epoch, step), 0

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.now, batch) == self.when:
            raise OSError("se fue la luz")


@pytest.mark.parametrize("same_process", [False, True])
def test_what_was_cut_goes_on_by_itself_with_the_same_bits(tmp_path, same_process):
    whole = network()
    stop = EarlyStopping("loss", patience=50)
    expected = fit(whole, epochs=5, callbacks=[stop])
    cut = network()
    backup = BackupAndRestore(tmp_path / "a" / "b")
    with pytest.raises(OSError, match="luz"):
        fit(cut, epochs=5, callbacks=[backup, Outage(2, 1)])
    assert backup.restored is None
    again, backup = (cut, backup) if same_process else (network(), BackupAndRestore(tmp_path / "a" / "b"))
    other = EarlyStopping("loss", patience=50)
    history = fit(again, epochs=5, callbacks=[backup, other])
    assert (backup.restored, history.epoch) == (2, [2, 3, 4])
    assert history.history["loss"] == expected.history["loss"][2:]
    assert np.array_equal(again.theta, whole.theta)
    assert not (tmp_path / "a" / "b").exists()


def test_a_backup_every_so_many_steps_repeats_the_epoch(tmp_path):
    cut, backup = network(), BackupAndRestore(tmp_path, save_freq=2, delete_checkpoint=False)
    with pytest.raises(OSError, match="luz"):
        fit(cut, callbacks=[backup, Outage(1, 2)])
    again = network()
    assert fit(again, callbacks=[backup]).epoch == [1, 2]
    # Cuatro pasos guardados y dos épocas de tres.
    assert again.optimizer.iterations == 4 + 6
    assert (tmp_path / "latest.safetensors").exists()
    assert fit(network(), callbacks=[BackupAndRestore(tmp_path)]).epoch == [2]


def test_a_damaged_backup_is_said_and_the_one_before_is_used(tmp_path, capsys):
    def cut(double):
        with pytest.raises(OSError, match="luz"):
            fit(network(), callbacks=[BackupAndRestore(tmp_path, double_checkpoint=double), Outage(2)])
        (tmp_path / "latest.safetensors").write_bytes(b"roto")

    cut(False)
    with pytest.raises(ValueError, match="el archivo está dañado"):
        fit(network(), callbacks=[BackupAndRestore(tmp_path)])
    (tmp_path / "latest.safetensors").unlink()
    cut(True)
    assert fit(network(), callbacks=[BackupAndRestore(tmp_path)]).epoch == [1, 2]
    assert "se usa el anterior" in capsys.readouterr().out


def test_a_backup_of_another_network_is_refused(tmp_path):
    with pytest.raises(OSError, match="luz"):
        fit(network(), callbacks=[BackupAndRestore(tmp_path), Outage(1)])
    other = Sequential([Dense(2)], dtype="float64", seed=0)
    other.compile("adam", "mse")
    with pytest.raises(ValueError, match="se esperaban"):
        fit(other, callbacks=[BackupAndRestore(tmp_path)])


def test_only_its_own_files_are_deleted(tmp_path):
    (tmp_path / "mío.txt").write_text("no se toca")
    fit(network(), callbacks=[BackupAndRestore(tmp_path)])
    assert [path.name for path in tmp_path.iterdir()] == ["mío.txt"]


# --- Los avisos ---


def test_a_misspelt_hook_is_refused_and_the_closest_is_named():
    with pytest.raises(TypeError, match=r"Typo: .* on_epoch_ended, porque no existe; .* on_epoch_end$"):
        type("Typo", (Callback,), {"on_epoch_ended": lambda self, epoch, logs=None: None})
    mixin = type("Mixin", (), {"on_train_batch_stop": lambda self, batch, logs=None: None})
    with pytest.raises(TypeError, match=r"Mixed: .* on_train_batch_stop, .* on_train_batch_"):
        type("Mixed", (mixin, Callback), {})
    # Un atributo que no se llama no molesta.
    type("Fine", (Callback,), {"on_disk": "sí", "one": lambda self: None})


def test_the_other_name_of_a_step_is_called_once_and_only_if_the_first_is_not_there():
    calls = []

    class Old(Callback):
        def on_batch_end(self, batch, logs=None):
            calls.append(("viejo", batch))

    class Both(Old):
        def on_train_batch_end(self, batch, logs=None):
            calls.append(("nuevo", batch))

    fit(network(), epochs=1, callbacks=[Old(), Both()])
    assert calls == [(name, batch) for batch in range(3) for name in ("viejo", "nuevo")]
    Callback.on_train_batch_end(Old(), 7)
    assert calls[-1] == ("viejo", 7)
    assert called([Callback(), History(), LambdaCallback()], "on_train_batch_end") == []


def test_loose_functions_are_called_like_methods():
    seen = []
    moments = ["on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_epoch_end"]
    tell = LambdaCallback(**{name: lambda *arguments, name=name: seen.append(name) for name in moments})
    fit(network(), epochs=1, batch_size=50, callbacks=[tell])
    assert seen == moments
    assert called([LambdaCallback(on_test_end=len)], "on_test_end") == [len]


def test_the_history_knows_how_it_was_trained():
    assert fit(network()).params == {"epochs": 3, "steps": 3, "verbose": 0}


def test_after_fit_the_weights_are_the_average():
    plain, averaged = network(SGD(0.1)), network(SGD(0.1, use_ema=True, ema_momentum=0.5))
    seen = [plain.theta * 0]
    step = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(plain.theta.copy()))
    fit(plain, epochs=2, callbacks=[step])
    ended = []
    last = LambdaCallback(on_train_end=lambda logs: ended.append(averaged.theta.copy()))
    fit(averaged, epochs=2, callbacks=[last])
    average = seen[1]
    for theta in seen[2:]:
        average = 0.5 * average + 0.5 * theta
    np.testing.assert_allclose(averaged.theta, average, rtol=1e-12)
    # Los callbacks ya ven, al terminar, los pesos que quedan.
    np.testing.assert_array_equal(ended[0], averaged.theta)


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
