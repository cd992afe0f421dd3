"""El contrato de los callbacks: cuándo se les llama, que no estorban y que sirven otra vez."""

import copy
import sys
import types

import numpy as np
import pytest

from chapters.mlp import Adam, Dense, Dropout, Input, Sequential
from dlbook.callbacks import Callback
from tests.contract import cases
from tests.contract.measure import sample

X, Y = sample((3,), 20), sample((2,), 20, seed=2)


class Events:
    """Lo que TensorBoard escribiría, guardado en la memoria, con los nombres de sus partes."""

    written = ()

    def __init__(self, folder):
        self.folder = folder

    def add_event(self, event):
        for value in event.summary.value:
            type(self).written += ((self.folder, value.tag, event.step, value),)

    def flush(self):
        pass

    def close(self):
        self.folder = None


@pytest.fixture(autouse=True)
def tensorboard(monkeypatch):
    """Un paquete ``tensorboard`` de mentira: el de verdad no hace falta para probar qué se le pide."""

    def message(**fields):
        return types.SimpleNamespace(**fields)

    message.Value = message
    parts = {
        "tensorboard.summary.writer.event_file_writer": {"EventFileWriter": Events},
        "tensorboard.compat.proto.event_pb2": {"Event": message},
        "tensorboard.compat.proto.summary_pb2": {"Summary": message, "HistogramProto": message},
    }
    for name, contents in parts.items():
        module = types.ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
        for k in range(1, name.count(".") + 1):
            parent = name.rsplit(".", k)[0]
            monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
    monkeypatch.setattr(Events, "written", ())
    return Events


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """Los que escriben archivos los escriben aquí."""
    monkeypatch.chdir(tmp_path)


def train(*callbacks, epochs=3, model=None, **options):
    if model is None:
        model = Sequential([Input((3,)), Dense(5, "tanh"), Dropout(0.2), Dense(2)], dtype="float64", seed=0)
        model.compile(Adam(0.05), "mse", metrics=["mae"])
    history = model.fit(
        X, Y, batch_size=8, epochs=epochs, verbose=0, callbacks=list(callbacks), validation_split=0.2, **options
    )
    return model, history.history


def measured(history):
    return {name: values for name, values in history.items() if name != "learning_rate"}


@cases.every("callback")
def test_looking_does_not_change_what_is_learned(case):
    plain, expected = train()
    model, history = train(case.make())
    np.testing.assert_array_equal(model.theta, plain.theta)
    assert measured(history) == expected


@cases.every("callback")
def test_the_same_one_serves_for_another_training(case):
    callback = case.make()
    first, _ = train(callback)
    again, history = train(callback)
    np.testing.assert_array_equal(first.theta, again.theta)
    assert len(history["loss"]) == 3
    assert callback.model is again


@cases.every("callback")
def test_a_training_in_two_halves_is_one_training(case):
    whole, _ = train(case.make(), epochs=4)
    callback = case.make()
    half, _ = train(callback, epochs=2)
    train(callback, epochs=4, model=half, initial_epoch=2)
    np.testing.assert_array_equal(half.theta, whole.theta)


@cases.every("callback")
def test_every_method_can_be_called_and_says_nothing(case, capsys):
    model, _ = train()
    callback, logs = case.make(), {"loss": 1.0, "val_loss": 2.0}
    callback.set_model(model)
    callback.set_params({"epochs": 1, "steps": 1, "verbose": 0})
    assert isinstance(callback, Callback)
    for method, arguments in (
        ("on_train_begin", ()),
        ("on_epoch_begin", (0,)),
        ("on_train_batch_begin", (0,)),
        ("on_train_batch_end", (0,)),
        ("on_batch_begin", (0,)),
        ("on_batch_end", (0,)),
        ("on_test_begin", ()),
        ("on_test_batch_begin", (0,)),
        ("on_test_batch_end", (0,)),
        ("on_test_end", ()),
        ("on_predict_begin", ()),
        ("on_predict_batch_begin", (0,)),
        ("on_predict_batch_end", (0,)),
        ("on_predict_end", ()),
        ("on_epoch_end", (0,)),
        ("on_train_end", ()),
    ):
        assert getattr(callback, method)(*arguments, dict(logs)) is None
    assert capsys.readouterr() == ("", "")
    assert type(copy.copy(callback)) is type(callback)


def test_they_are_called_in_order_and_what_one_adds_the_next_one_sees():
    calls = []
    moments = [name for name in vars(Callback) if name.startswith("on_")]

    def spy(name):
        def noted(method):
            def call(self, *arguments, **keywords):
                calls.append((name, method, arguments[0] if len(arguments) > 1 else None))
                if method == "on_epoch_end":
                    arguments[-1][name] = 1.0

            return call

        return type("Spy", (Callback,), {method: noted(method) for method in moments})()

    first = spy("primero")
    model, history = train(first, spy("segundo"), epochs=1)
    assert first.model is model
    assert first.params == {"epochs": 1, "steps": 2, "verbose": 0}
    assert calls[::2] == [("primero", *call[1:]) for call in calls[1::2]]
    assert [call[1:] for call in calls[::2]] == [
        ("on_train_begin", None),
        ("on_epoch_begin", 0),
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0),
        ("on_train_batch_begin", 1),
        ("on_train_batch_end", 1),
        ("on_test_begin", None),
        ("on_test_batch_begin", 0),
        ("on_test_batch_end", 0),
        ("on_test_end", None),
        ("on_epoch_end", 0),
        ("on_train_end", None),
    ]
    assert history["primero"] == history["segundo"] == [1.0]


def test_what_tensorboard_is_told(tensorboard):
    board = cases.made(cases.of("callback", "TensorBoard", histogram_freq=2, update_freq=2))
    model, history = train(board)
    places = {(folder, tag, step) for folder, tag, step, _ in tensorboard.written}
    assert {
        (f"logs/{part}", f"epoch_{name}", step)
        for part in ("train", "validation")
        for name in ("loss", "mae")
        for step in range(3)
    } <= places
    assert {step for folder, tag, step in places if tag == "batch_loss"} == {2, 4, 6}
    assert {(step, tag) for _, tag, step in places if tag.endswith("/histogram")} == {
        (step, f"{name}/histogram")
        for step in (0, 2)
        for name in ("dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias")
    }
    losses = [
        value.simple_value
        for folder, tag, _, value in tensorboard.written
        if (folder, tag) == ("logs/validation", "epoch_loss")
    ]
    assert losses == history["val_loss"]
    kernel = next(v.histo for _, tag, step, v in tensorboard.written if tag == "dense_1/kernel/histogram" and step == 2)
    weight = model.layers[-1].kernel
    assert (kernel.num, sum(kernel.bucket)) == (weight.size, weight.size)
    assert (kernel.min, kernel.max, kernel.sum) == (weight.min(), weight.max(), weight.sum())
    board.on_test_end({"loss": 2.0})
    assert tensorboard.written[-1][:3] == ("logs/validation", "evaluation_loss_vs_iterations", 6)


def test_without_tensorboard_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    with pytest.raises(ImportError, match="TensorBoard: hace falta el paquete 'tensorboard'"):
        train(cases.made(cases.of("callback", "TensorBoard")))
