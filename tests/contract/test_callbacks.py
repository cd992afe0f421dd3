"""El contrato de los callbacks: cuándo se les llama, que no estorban y que sirven otra vez."""

import copy

import numpy as np
import pytest

from chapters.mlp import Adam, Dense, Dropout, Input, Sequential
from dlbook.callbacks import Callback
from tests.contract import cases
from tests.contract.measure import sample

X, Y = sample((3,), 20), sample((2,), 20, seed=2)


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
        ("on_epoch_end", 0),
        ("on_train_end", None),
    ]
    assert history["primero"] == history["segundo"] == [1.0]
