"""Capas congeladas: qué se aprende, qué cuesta y qué se guarda."""

import copy

import numpy as np
import pytest

from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.layer import Layer
from chapters.mlp.optimizers import Adam
from chapters.mlp.sequential import Input, Sequential
from dlbook import saving
from dlbook.callbacks import Callback
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine as engines
from dlbook.training import walk
from tests.chapters.mlp.test_layers import Shortcut

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(50, 5)), RNG.normal(size=(50, 2))


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    monkeypatch.setattr(engines, "WORK_PER_THREAD", 1)
    set_threads(2)
    yield
    set_threads(None)


def network(dtype="float64", **options):
    layers = [Dense(6, "tanh"), Dense(7, "tanh", kernel_regularizer="l2"), Shortcut(4), Dense(2)]
    model = Sequential([Input((5,)), *layers], dtype=dtype, seed=0, **options)
    model.compile(Adam(0.01), "mse")
    return model


def fit(model, **options):
    return model.fit(X, Y, epochs=2, verbose=0, **options)


def same(a, b):
    return all(np.array_equal(v, w) for v, w in zip(a, b, strict=True))


@pytest.mark.parametrize("which", [[0], [1], [2], [3], [0, 1], [1, 3], [0, 1, 2]])
def test_what_is_frozen_does_not_move_and_the_rest_learns_its_gradient(which):
    model = network()
    for k in which:
        model.layers[k].trainable = False
    learned = [w for k, layer in enumerate(model.layers) if k not in which for w in layer.weights]
    assert [w.shape for w in model.trainable_weights] == [w.shape for w in learned]
    assert model.theta.size == model.gradient.size == sum(w.size for w in learned)
    assert len(model.non_trainable_weights) + len(model.trainable_weights) == len(model.weights)
    _, gradient = model.loss_and_gradient(X, Y)
    report = check_gradients(lambda: model.loss_and_gradient(X, Y)[0], {"theta": model.theta}, {"theta": gradient})
    assert report.ok, str(report)
    before = [layer.get_weights() for layer in model.layers]
    fit(model)
    for k, layer in enumerate(model.layers):
        assert same(before[k], layer.get_weights()) == (k in which)


def test_one_step_moves_what_is_free_as_it_would_move_it_all():
    # El gradiente de lo que queda libre es el mismo que tenía.
    free, partly = network(), network()
    partly.layers[1].trainable = False
    _, whole = free.loss_and_gradient(X, Y)
    _, part = partly.loss_and_gradient(X, Y)
    first = free.layers[0].count_params()
    second = first + free.layers[1].count_params()
    assert np.allclose(part, np.concatenate([whole[:first], whole[second:]]), rtol=1e-12)


class Spy(Layer):
    """Anota quién le pide el gradiente."""

    def __init__(self, **options):
        super().__init__(**options)
        self.calls = []

    def forward(self, x, training=False):
        self.y = self.ready(x)
        return self.y

    def backward(self, dy):
        self.calls.append(len(dy))
        return dy


def test_going_back_stops_at_the_first_layer_that_learns():
    spies = [Spy(), Spy(), Spy()]
    base = Sequential([Dense(6, "tanh"), spies[0], Dense(6)])
    model = Sequential([Input((5,)), base, spies[1], Dense(6), spies[2], Dense(2)], seed=0)
    base.trainable = False
    model.compile("adam", "mse")
    fit(model)
    assert [bool(spy.calls) for spy in spies] == [False, False, True]
    model.layers[2].trainable = False
    model.compile("adam", "mse")
    spies[2].calls.clear()
    fit(model)
    assert not any(spy.calls for spy in spies)


def test_freezing_reaches_the_layers_inside():
    model = network(trainable=False)
    assert not any(layer.trainable for layer in walk(model))
    assert model.theta.size == 0
    before = model.get_weights()
    fit(model)
    assert all(map(np.array_equal, before, model.get_weights()))
    model.trainable = True
    model.compile("adam", "mse")
    fit(model)
    block = model.layers[2]
    block.trainable = False
    assert not block.layers[0].trainable
    assert block.trainable_weights == []
    # Como en Keras: dentro de algo congelado nada se aprende.
    block.layers[0].trainable = True
    assert block.trainable_weights == []


def test_a_constructor_argument_and_an_attribute_are_the_same():
    a = Sequential([Input((5,)), Dense(3, trainable=False), Dense(2)], seed=0)
    b = Sequential([Input((5,)), Dense(3), Dense(2)], seed=0)
    b.layers[0].trainable = False
    for model in (a, b):
        model.compile("adam", "mse")
        fit(model)
    assert same(a.get_weights(), b.get_weights())
    with pytest.raises(ValueError, match="trainable: se esperaba"):
        Dense(3, trainable="quizá")
    with pytest.raises(ValueError, match="trainable: se esperaba"):
        a.layers[0].trainable = 3


def test_frozen_penalties_do_not_count():
    model = network()
    model.layers[1].trainable = False
    assert model.penalty() == 0
    assert network().penalty() > 0


def test_thawing_gives_everything_back():
    model, other = network(), network()
    model.layers[0].trainable = False
    assert model.theta.size < other.theta.size
    model.layers[0].trainable = True
    model.compile(Adam(0.01), "mse")
    fit(model)
    fit(other)
    assert same(model.get_weights(), other.get_weights())
    assert all(np.shares_memory(w, model.theta) for w in model.weights)
    assert all(np.shares_memory(g, model.gradient) for g in model.gradients)


def test_what_the_optimizer_remembers_goes_with_each_weight():
    model = network()
    fit(model)
    memory = model.optimizer.state["momentum"].copy()
    first = model.layers[0].count_params()
    model.layers[0].trainable = False
    assert model.theta.size == memory.size - first
    assert np.array_equal(model.optimizer.state["momentum"], memory[first:])
    fit(model)
    model.layers[0].trainable = True
    assert model.theta.size == memory.size
    # Lo de la que estuvo congelada la esperaba.
    assert np.array_equal(model.optimizer.state["momentum"][:first], memory[:first])
    fit(model)
    other = network()
    other.compile(model.optimizer, "mse")
    with pytest.raises(ValueError, match="optimizador"):
        fit(other)


def test_changing_it_in_the_middle_of_a_training_is_an_error():
    class Freezes(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.layers[0].trainable = False

    with pytest.raises(ValueError, match="se decide antes de fit"):
        fit(network(), callbacks=[Freezes()])


def test_it_is_saved_copied_and_resumed(tmp_path):
    model = network()
    model.layers[0].trainable = False
    # Una capa que otra creó por dentro.
    model.layers[2].layers[1].trainable = False
    model.compile(Adam(0.01), "mse")
    whole = copy.deepcopy(model)
    fit(model)
    path = tmp_path / "red.safetensors"
    model.save(path)
    loaded = saving.load(path, {"Shortcut": Shortcut})
    for other in (loaded, copy.deepcopy(model)):
        assert [a.trainable for a in walk(other)] == [a.trainable for a in walk(model)]
        assert other.theta.size == model.theta.size
        other.fit(X, Y, epochs=4, initial_epoch=2, verbose=0)
        whole_weights = copy.deepcopy(whole)
        whole_weights.fit(X, Y, epochs=4, verbose=0)
        assert same(other.get_weights(), whole_weights.get_weights())


def test_a_state_belongs_to_what_is_learned():
    model, other = network(), network()
    for one in (model, other):
        one.layers[0].trainable = False
        one.compile(Adam(0.01), "mse")
    fit(model)
    other.set_state(model.get_state())
    for one in (model, other):
        one.fit(X, Y, epochs=3, initial_epoch=2, verbose=0)
    assert same(model.get_weights(), other.get_weights())


def test_replicas_do_not_reserve_what_they_will_not_use():
    model = Sequential([Input((5,)), Dense(2000), Dropout(0.1), Dense(2000, trainable=False), Dense(2)], seed=0)
    replica = model.replica()
    assert replica.gradient.size == model.theta.size
    assert [weight.gradient for weight in replica.layers[2]._weights.values()] == [None, None]
    assert np.shares_memory(replica.layers[2].kernel, model.layers[2].kernel)


def test_summary_of_composite_layers(capsys):
    model = network()
    model.layers[2].name = "un_bloque_con_un_nombre_muy_largo"
    model.layers[0].trainable = False
    model.summary(expand_nested=True)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "capa                               forma de salida      parámetros"
    assert lines[4].startswith("un_bloque_con_un_nombre_muy_largo  (n, 7)")
    assert lines[5].startswith("  dense                            (n, 4)")
    assert lines[-1] == "Total: 168 parámetros, 132 de ellos entrenables"
    assert {len(line) for line in lines[1:-1]} == {66}
