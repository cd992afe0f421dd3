"""Todo número que se comprueba al crear un objeto se comprueba también al asignarlo."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import chapters.cnn  # noqa: F401 (registra sus pérdidas y sus métricas)
from chapters.attention import TransformerSchedule
from chapters.mlp import Dense, losses, metrics, optimizers, schedules
from chapters.mlp.tape.functions import FunctionMetric
from dlbook import callbacks, registry
from dlbook.attributes import Absent, Checked, Configured


def abs_error(y_true, y_pred):
    return abs(y_true - y_pred)


MADE = {
    "ExponentialDecay": lambda: schedules.ExponentialDecay(0.1, 10, 0.5),
    "InverseTimeDecay": lambda: schedules.InverseTimeDecay(0.1, 10, 0.5),
    "PolynomialDecay": lambda: schedules.PolynomialDecay(0.1, 10),
    "PiecewiseConstantDecay": lambda: schedules.PiecewiseConstantDecay([1], [0.1, 0.2]),
    "CosineDecay": lambda: schedules.CosineDecay(0.1, 10),
    "CosineDecayRestarts": lambda: schedules.CosineDecayRestarts(0.1, 10),
    "TransformerSchedule": lambda: TransformerSchedule(8, 10),
    "EarlyStopping": callbacks.EarlyStopping,
    "ModelCheckpoint": lambda: callbacks.ModelCheckpoint("a"),
    "IoU": lambda: metrics.IoU(2, [0]),
    "MeanIoU": lambda: metrics.MeanIoU(2),
    "FunctionLoss": lambda: losses.get(abs_error),
    "FunctionMetric": lambda: FunctionMetric(abs_error),
}


def every():
    for kind in ("optimizer", "schedule", "loss", "metric"):
        for name, cls in registry.classes(kind).items():
            if cls is not registry.base(kind):
                yield pytest.param(MADE.get(name, cls), id=f"{kind} {name}")
    for name in ("EarlyStopping", "ModelCheckpoint"):
        yield pytest.param(MADE[name], id=name)


def declared(instance, kind):
    return [n for n in dir(type(instance)) if isinstance(inspect.getattr_static(type(instance), n), kind)]


@pytest.mark.parametrize("make", [*every()])
def test_nonsense_assigned_later_is_refused_and_changes_nothing(make):
    thing = make()
    for name in declared(thing, Checked):
        before = getattr(thing, name)
        for nonsense in (object(), np.nan, -np.inf, [[1], [2, 3]]):
            with pytest.raises((TypeError, ValueError), match=f"^{name}: se esperaba"):
                setattr(thing, name, nonsense)
        assert getattr(thing, name) is before
        setattr(thing, name, before)
    for name in declared(thing, Absent):
        default = getattr(thing, name)
        setattr(thing, name, default)
        for other in ("otra cosa", 17, [1], np.ones(2)):
            with pytest.raises(ValueError, match=f"^{name}: esta opción de Keras no existe aquí"):
                setattr(thing, name, other)
        assert getattr(thing, name) == default


@pytest.mark.parametrize("make", [*every()])
def test_a_copy_keeps_them(make):
    thing = make()
    for other in (copy.copy(thing), copy.deepcopy(thing), pickle.loads(pickle.dumps(thing))):
        assert {n: getattr(other, n) for n in declared(thing, Checked)} == {
            n: getattr(thing, n) for n in declared(thing, Checked)
        }


@pytest.mark.parametrize(
    ("thing", "name", "value"),
    [
        (optimizers.Adam(), "beta_1", 2),
        (optimizers.Adam(), "epsilon", 0),
        (optimizers.AdamW(), "weight_decay", None),
        (optimizers.RMSprop(), "rho", 1.0),
        (optimizers.SGD(), "clipvalue", -1),
        (schedules.ExponentialDecay(0.1, 10, 0.5), "decay_steps", 0),
        (losses.BinaryCrossentropy(), "label_smoothing", 1.5),
        (callbacks.EarlyStopping(), "patience", -1),
    ],
)
def test_the_interval_is_the_same_as_in_the_constructor(thing, name, value):
    with pytest.raises((TypeError, ValueError), match=f"^{name}: se esperaba"):
        setattr(thing, name, value)
    assert getattr(thing, name) != value


def test_a_hyperparameter_changed_halfway_keeps_working():
    theta, gradient = np.ones(3), np.ones(3)
    for optimizer in (optimizers.SGD(0.1), optimizers.RMSprop(0.1)):
        optimizer.step(theta, gradient)
        optimizer.momentum = 0.9
        optimizer.step(theta, gradient)
        optimizer.momentum = 0
        optimizer.step(theta, gradient)
        fresh = type(optimizer)(0.1)
        fresh.set_state(optimizer.get_state())
    optimizer.clipvalue = 1.0
    with pytest.raises(ValueError, match="a lo sumo uno de los tres"):
        optimizer.global_clipnorm = 1.0
    optimizer.step(theta, gradient)


class Brake(Configured):
    """De quien lee: su constructor no se repite."""

    made = 0

    def __init__(self, strength):
        type(self).made += 1
        self.strength = strength
        self.strength += 1


def test_the_constructor_of_a_reader_is_not_called_again():
    brake = Brake(1)
    brake.strength = "mucha"
    assert (Brake.made, brake.strength) == (1, "mucha")


def test_a_class_of_a_reader_inherits_what_the_book_already_checked():
    class Narrow(Dense):
        def __init__(self, width=1, **options):
            super().__init__(units=2, **options)
            self.width, self.units = width, width

    layer = Narrow(3, activation="relu")
    layer.width = -7
    assert (layer.units, layer.width) == (3, -7)
    for value in (0, "x", 2.5):
        with pytest.raises((TypeError, ValueError), match="units: se esperaba"):
            layer.units = value
    assert layer.forward(np.ones((1, 2))).shape == (1, 3)
    for name, value in (("units", 4), ("use_bias", False), ("dtype", "float64"), ("kernel_regularizer", "l2")):
        with pytest.raises(ValueError, match=f"{name}: la capa ya está construida con"):
            setattr(layer, name, value)
    layer.units, layer.activation, layer.name = 3, "tanh", "otra"
    assert layer.forward(np.ones((1, 2))).max() < 1
