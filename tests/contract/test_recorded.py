"""El contrato del paso grabado: con él y sin él salen los mismos bits, y nadie más que los apuntados se aparta."""

import numpy as np
import pytest

from chapters.mlp import SGD, Activation, Dense, Flatten, Input, Model, Sequential
from dlbook.numeric import recording
from dlbook.numeric.parallel import set_threads
from dlbook.several import each
from dlbook.training import engine
from tests.contract import cases
from tests.contract.measure import sample, stir
from tests.contract.test_integer_layers import tokens

ROWS, BATCH, EPOCHS = 48, 4, 2


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
    assert states
    print(case, states)
    assert all(state == "repetible" for state, _ in states), states
