"""Lo que se escribe en una consola pobre, o en ninguna."""

import io
import sys

import numpy as np
import pytest

from chapters.mlp.dense import Dense
from chapters.mlp.sequential import Input, Sequential
from dlbook import console
from dlbook.callbacks import EarlyStopping, LearningRateScheduler

X = np.arange(6.0).reshape(6, 1)


def train(verbose):
    model = Sequential([Input((1,)), Dense(1)], seed=0)
    model.compile("sgd", "mse")
    loud = [EarlyStopping("loss", verbose=1, mode="max"), LearningRateScheduler(lambda epoch: 0.01, verbose=1)]
    return model.fit(X, X, epochs=3, verbose=verbose, callbacks=loud)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437", "utf-8"])
@pytest.mark.parametrize("verbose", [1, 2])
def test_a_console_without_accents_does_not_stop_the_training(monkeypatch, encoding, verbose):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding, errors="strict"))
    history = train(verbose)
    sys.stdout.flush()
    text = written.getvalue().decode(encoding)
    assert len(history.epoch) == 2
    assert "poca 1/3" in text
    assert "Parada temprana" in text
    assert ("Época" in text) == (encoding != "ascii" and "É" in "É".encode(encoding, "ignore").decode(encoding))


@pytest.mark.parametrize("verbose", ["auto", 0, 1, 2])
def test_without_a_console_nothing_is_written(monkeypatch, verbose):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert len(train(verbose).epoch) == 2


def test_the_summary_can_be_read_anywhere(monkeypatch):
    written = io.BytesIO()
    model = Sequential([Input((1,)), Dense(1)])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    model.summary()
    sys.stdout.flush()
    assert b"Total: 2 parametros" in written.getvalue()
    monkeypatch.setattr(sys, "stdout", None)
    model.summary()


def test_printable_keeps_what_it_can(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert console.printable("Época ñandú") == "Epoca nandu"


class Broken(io.StringIO):
    """Una consola que dejó de estar: el otro extremo se cerró, o el disco al que iba está lleno."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def write(self, text=""):
        raise self.error

    flush = write


@pytest.mark.parametrize("verbose", [1, 2])
@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(28, "No space left on device"), OSError(9, "closed")])
def test_a_console_that_fails_does_not_stop_the_training(monkeypatch, verbose, error):
    monkeypatch.setattr(sys, "stdout", Broken(error))
    assert len(train(verbose).epoch) == 2


@pytest.mark.parametrize("verbose", [1, 2])
def test_a_closed_console_does_not_stop_the_training(monkeypatch, verbose):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    assert len(train(verbose).epoch) == 2
