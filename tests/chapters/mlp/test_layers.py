"""Lo que solo dicen las capas densas, las filas y las capas hechas a mano; lo de todas, en ``tests/contract``."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp.dense import Dense, dense_backward, dense_forward
from chapters.mlp.dropout import Dropout
from chapters.mlp.layer import Layer
from chapters.mlp.regularizers import L1L2, L2
from chapters.mlp.reshape import Reshape
from chapters.mlp.sequential import Input, Sequential
from tests.contract.measure import check_layer, sample


@given(st.integers(1, 9), st.integers(1, 40), st.integers(1, 40), st.sampled_from([np.float32, np.float64]))
def test_the_dense_facades_agree_with_numpy(n, d, m, dtype):
    rng = np.random.default_rng(0)
    x, w, b, dz = (rng.normal(size=s).astype(dtype) for s in ((n, d), (d, m), m, (n, m)))
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    z = dense_forward(x, w, b)
    assert z.dtype == dtype
    assert np.allclose(z, x @ w + b, rtol=tolerance, atol=tolerance)
    for ours, expected in zip(dense_backward(x, w, dz), (x.T @ dz, dz.sum(axis=0), dz @ w.T), strict=True):
        assert ours.dtype == dtype
        assert np.allclose(ours, expected, rtol=tolerance, atol=tolerance)


@given(st.integers(1, 5), st.lists(st.integers(1, 4), min_size=1, max_size=3), st.integers(1, 9))
@settings(max_examples=25)
def test_dense_acts_on_the_last_axis(n, shape, units):
    layer = Dense(units, dtype="float64", seed=0)
    x = sample(shape, n)
    assert np.allclose(layer.forward(x), x @ layer.kernel + layer.bias)
    assert layer.work() == np.prod(shape) * units


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Dense(0), "units: se esperaba un entero de al menos 1"),
        (lambda: Dense("3"), "units: se esperaba un entero"),
        (lambda: Dense(3, "relú"), "activation: se esperaba"),
        (lambda: Dense(3, kernel_initializer="otro"), "se esperaba"),
        (lambda: Dense(3, kernel_regularizer="l3"), "regularizer: se esperaba 'l1' o 'l2'"),
        (lambda: Dense(3, dtype="int8"), "dtype: se esperaba 'float32' o 'float64'"),
        (lambda: Dense(3, dtype=np.float64), "dtype: se esperaba"),
        (lambda: Dense(3, seed=-1), "seed: se esperaba un entero de al menos 0"),
        (lambda: Dense(3, seed="uno"), "seed: se esperaba un entero"),
        (lambda: Dense(3, name=4), "name: se esperaba un texto"),
        (lambda: Dense(3).forward([1.0, 2.0]), r"x: se esperaba la forma \(n, …, d\)"),
        (lambda: Dense(3).build((0,)), r"input_shape\[0\]: se esperaba un entero de al menos 1"),
        (lambda: Dense(3).build(4), "input_shape: se esperaba una tupla"),
        (lambda: Dense(3).build((3, None)), r"se supiera el último eje.*\(n, 3, \?\)"),
        (lambda: Dense(3, otro=1), "Dense: no se conoce el argumento 'otro'"),
        (lambda: Sequential().build((3,)), "el modelo está vacío"),
        (lambda: Sequential().forward([[1.0]]), "el modelo está vacío"),
        (lambda: Sequential([Input((3,)), Input((3,)), Dense(2)]), "un solo Input, pero hay dos"),
        (lambda: Sequential([Dense(2, name="a"), Dense(2, name="a")]), "nombres distintos, pero hay dos capas 'a'"),
        (lambda: Sequential([Dense(2), Dense(2, name="dense")]), "nombres distintos, pero hay dos capas 'dense'"),
        (lambda: Dense(2**40).build((2**20,)), "dense, peso: harían falta 4.61e.09 GB de memoria"),
        (lambda: Dense(3, use_bias="no"), "use_bias: se esperaba True o False"),
        (lambda: Dropout(True), "rate: se esperaba un número real"),
        (lambda: Sequential([Dense(2)]).compile("sgd", "mse", ["mae"]), "loss_weights: esta opción de Keras"),
        (lambda: Dense(3).set_weights([np.zeros((2, 3)), np.zeros(3)]), "aún no está construida"),
        (lambda: Dropout(1.1), "rate: se esperaba un número de al menos 0 y de a lo sumo 1"),
        (lambda: Dropout("mucho"), "rate: se esperaba un número real"),
        (lambda: Reshape((2, -1, -1)), "a lo sumo un -1"),
        (lambda: Reshape((2, 0)), "entero de al menos 1"),
        (lambda: Reshape("23"), "target_shape.*: se esperaba un"),
        (lambda: Reshape(6), "target_shape: se esperaba una tupla"),
        (lambda: Reshape((2, 2)).forward(np.zeros((1, 3))), "se esperaba una forma con 3 números"),
        (lambda: L2(-1), "l2: se esperaba un número de al menos 0"),
        (lambda: L1L2(l1="x"), "l1: se esperaba un número real"),
        (lambda: dense_forward([[1.0]], [[1.0]], [np.inf]), "b: se esperaban números finitos"),
        (lambda: dense_backward([[1.0]], [[1.0]], [[1.0], [2.0]]), r"dy: se esperaba la forma \(n=1, m=1\)"),
        (lambda: Sequential(3), "layers: se esperaba una lista"),
        (lambda: Sequential([3]), "layers: se esperaba una capa"),
        (lambda: Sequential([Dense]), "layers: se esperaba una capa"),
        (lambda: Sequential([Dense(2), Input((3,))]), "Input va al principio"),
        (lambda: Sequential([layer := Dense(2), layer]), "está repetida"),
        (lambda: Sequential([Input((3,)), Dense(2, dtype="float64")]), "se esperaba dtype='float32'"),
        (lambda: Sequential().pop(), "el modelo está vacío"),
        (lambda: Input(3), "shape: se esperaba una tupla"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_attributes_follow_the_weights_when_they_move():
    layer = Dense(2)
    layer.build((3,))
    model = Sequential([Input((3,)), layer], seed=0)
    model.theta[:] = np.arange(8)
    assert np.array_equal(layer.kernel, [[0, 1], [2, 3], [4, 5]])
    assert layer.kernel is layer.weights[0]
    assert np.array_equal(layer.bias, [6, 7])


class Shortcut(Layer):
    """Una capa hecha de capas, como las de los capítulos que siguen: x más lo que le hace una rama."""

    def __init__(self, units, **options):
        super().__init__(**options)
        self.units = units
        self.branch = {"oculta": Dense(units, "tanh"), "salida": None}
        self.layers = [self.branch["oculta"]]

    def build(self, input_shape):
        super().build(input_shape)
        self.branch["salida"] = Dense(input_shape[-1])
        self.layers.append(self.branch["salida"])
        for layer in self.layers:
            layer.inherit(self)
        self.branch["oculta"].build(input_shape)
        self.branch["salida"].build((self.branch["oculta"].units,))

    def forward(self, x, training=False):
        x = self.input(x)
        self.y = x + self.branch["salida"].forward(self.branch["oculta"].forward(x, training), training)
        return self.y

    def backward(self, dy):
        dy = self.output_gradient(dy)
        return dy + self.branch["oculta"].backward(self.branch["salida"].backward(dy))


def test_a_layer_made_of_layers_needs_only_its_three_methods():
    model = Sequential([Dense(5), Shortcut(7), Shortcut(3), Dense(2)], dtype="float64", seed=0)
    model.build((4,))
    check_layer(model, sample((4,)), False)
    assert (
        model.theta.size == model.count_params() == 4 * 5 + 5 + (5 * 7 + 7 + 7 * 5 + 5) + (5 * 3 + 3 + 3 * 5 + 5) + 12
    )
    assert all(np.shares_memory(w, model.theta) for w in model.weights)
    replica = model.replica()
    assert replica.layers[1].branch["salida"] is replica.layers[1].layers[1]
    assert replica.layers[1].branch["salida"] is not model.layers[1].branch["salida"]


def test_dropout_keeps_the_mean_and_is_off_at_inference():
    layer = Dropout(0.3, seed=0)
    x = np.ones((2000, 50), np.float32)
    y = layer.forward(x, training=True)
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert layer.forward(x) is x
    assert Dropout(0.0, seed=0).forward(x, training=True) is x
