"""El contrato de predecir y evaluar trozo por trozo sin Python: con ello y sin ello salen los mismos bits."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.cnn import BatchNormalization, Conv2D, MaxPooling2D
from chapters.mlp import (
    SGD,
    Activation,
    Concatenate,
    Dense,
    Dropout,
    Flatten,
    Input,
    Layer,
    Model,
    Sequential,
    SparseCategoricalCrossentropy,
)
from chapters.rnn import Embedding
from dlbook import check
from dlbook.callbacks import Callback
from dlbook.numeric.parallel import set_threads
from dlbook.numeric.sweep import Sweep
from dlbook.several import each
from dlbook.training import engine
from tests.contract import cases
from tests.contract.measure import sample, stir
from tests.contract.test_integer_layers import tokens
from tests.contract.test_recorded import PIECES, around

# Cinco trozos completos y otro más corto; con dos hilos, a uno le tocan tres.
CHUNK, ROWS = 8, 43


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)
    monkeypatch.setattr(engine, "CHUNK", CHUNK)
    yield
    set_threads(None)


def by_hand(self, chunks, work, sources, results, together=None):
    for c in chunks:
        results[c] = [0.0 if one is None else one for one in work(c)]


def done(model, calls, swept, threads):
    """Hace unas llamadas y da lo que devolvieron; si se repite, también cómo quedó cada cosa."""
    sweeps = []
    run = Sweep.run

    def watch(self, *arguments):
        sweeps.append(self)
        (run if swept else by_hand)(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sweep, "run", watch)
        set_threads(threads)
        found = [each(call(model)) for call in calls]
    return found, {(one.state, one.why) for one in sweeps}


def assert_same_bits(make, *calls, threads=(1, 2), possible=True):
    """Las llamadas dan lo mismo hechas a mano y repetidas, con uno y con dos hilos."""
    found = None
    for count in threads:
        for swept in (False, True):
            again, states = done(make(), calls, swept, count)
            found = found or again
            for k, (one, other) in enumerate(zip(again, found, strict=True)):
                for a, b in zip(one, other, strict=True):
                    np.testing.assert_array_equal(a, b, f"llamada {k} con {count} hilos, {swept=}; {states}")
            if swept and possible is not None:
                assert ("repetible" in {state for state, _ in states}) == possible, states
    return states


def moved(model):
    weights = model.get_weights()
    model.set_weights([w + (1 + k) / 16 for k, w in enumerate(weights)])
    return []


def trained(x, y):
    def train(model):
        model.fit(x, y, batch_size=4, verbose=0)
        return []

    return train


# Lo que predice desde Python, y por qué.
FROM_PYTHON = {
    "_library_product": "un producto que hace BLAS",
    "CategoryEncoding": "comprueba en cada paso sus enteros con NumPy",
    "KLSparsity": "suma algo a la pérdida",
    "Masking": "su máscara se sabe al ir",
    "Recurrent": "con activaciones que su núcleo no conoce, va paso a paso",
    "AppliedActivation": "una softmax a lo largo de otro eje",
}


@cases.over(cases.LAYERS + cases.INTEGER_LAYERS)
def test_a_layer_predicts_and_is_measured_with_the_same_bits(case):
    integers = case in cases.INTEGER_LAYERS
    x = tokens(case, ROWS) if integers else sample(case.shape, ROWS)
    other = x[::-1].copy() if integers else sample(case.shape, ROWS, seed=2)
    y = sample((2,), ROWS, seed=5)

    def make():
        model = around(case)
        model.compile(SGD(0.001), "mse", metrics=["mae"])
        return model

    def predict(data):
        return lambda model: model.predict(data)

    def evaluate(data):
        return lambda model: model.evaluate(data, y)

    calls = [predict(x), predict(other), moved, predict(x), evaluate(x), evaluate(other)]
    # Con más hilos, al entrenar cambia la última cifra.
    assert_same_bits(make, *calls, possible=None)
    calls += [trained(x, y), predict(x), evaluate(x), moved, evaluate(other)]
    states = {*assert_same_bits(make, *calls, threads=(1,), possible=None)}
    states |= {*assert_same_bits(make, *calls, threads=(2,), possible=None)}
    reasons = {why.partition(".")[0].partition(":")[0] for state, why in states if state == "imposible"}
    print(case, states)


def model_for(case, **options):
    shape = cases.shapes(case)[0]
    y_true, y_pred, _ = cases.example(case, (ROWS, *shape[1:]))
    other = cases.example(case, (ROWS, *shape[1:]), seed=3)
    ends = "softmax" if case.name in cases.POSITIVE or not getattr(case.make(), "from_logits", True) else None
    weight = np.abs(sample((), ROWS, seed=7)) if shape else None

    def make():
        model = Sequential([Input(shape[1:]), Dense(shape[-1], ends)], dtype="float64", seed=0)
        model.compile(SGD(0.01), **options)
        return model

    calls = [
        lambda model: model.evaluate(y_pred, y_true),
        lambda model: model.evaluate(y_pred, y_true, sample_weight=weight),
        lambda model: model.evaluate(other[1], other[0], sample_weight=weight),
        lambda model: model.evaluate(other[1], other[0]),
        lambda model: model.evaluate(other[1][:19], other[0][:19]),
    ]
    return make, calls


@cases.every("loss")
def test_a_loss_is_measured_with_the_same_bits(case):
    make, calls = model_for(case, loss=case.make())
    print(case, assert_same_bits(make, *calls, possible=None))


@cases.every("metric", keep=lambda case: case.name not in cases.ALONE)
def test_a_metric_is_measured_with_the_same_bits(case):
    shape = cases.shapes(case)[0]
    labels = cases.example(case, (ROWS, *shape[1:]))[0].ndim < len(shape)
    loss = "sparse_categorical_crossentropy" if labels else "mse"
    make, calls = model_for(case, loss=loss, metrics=[case.make()], weighted_metrics=[case.make()])
    print(case, assert_same_bits(make, *calls, possible=None))
