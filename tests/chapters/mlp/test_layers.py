"""El contrato que toda capa cumple: gradientes, formas, memoria y mensajes."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp.activation import Activation
from chapters.mlp.dense import Dense, dense_backward, dense_forward
from chapters.mlp.dropout import Dropout
from chapters.mlp.flatten import Flatten
from chapters.mlp.layer import Layer
from chapters.mlp.maxout import Maxout
from chapters.mlp.regularizers import L1, L1L2, L2
from chapters.mlp.reshape import Reshape
from chapters.mlp.sequential import Input, Sequential
from dlbook.gradcheck import check_gradients

# Cada capa, con la forma de una observación.
LAYERS = {
    "dense": (lambda **o: Dense(4, activation="tanh", **o), (3,)),
    "dense sin sesgo": (lambda **o: Dense(4, activation="sigmoid", use_bias=False, **o), (3,)),
    "dense de tres ejes": (lambda **o: Dense(5, activation="softplus", **o), (2, 3)),
    "dense ancha": (lambda **o: Dense(37, activation="gelu", **o), (21,)),
    "activation": (lambda **o: Activation("softmax", **o), (5,)),
    "activation lineal": (lambda **o: Activation("linear", **o), (5,)),
    "flatten": (lambda **o: Flatten(**o), (2, 3)),
    "reshape": (lambda **o: Reshape((3, -1), **o), (2, 6)),
    "dropout": (lambda **o: Dropout(0.4, **o), (6,)),
    "maxout": (lambda **o: Maxout(3, pieces=2, **o), (4,)),
    "sequential": (lambda **o: Sequential([Flatten(), Dense(4, "tanh"), Dense(2)], **o), (2, 3)),
    "sequential anidada": (lambda **o: Sequential([Sequential([Dense(4, "tanh")]), Dropout(0.3), Dense(2)], **o), (3,)),
}
every_layer = pytest.mark.parametrize("name", LAYERS)


def build(name, dtype="float64", seed=0):
    make, shape = LAYERS[name]
    layer = make(dtype=dtype, seed=seed)
    layer.build(shape)
    return layer, shape


def sample(shape, n=3, dtype=np.float64, seed=1):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype(dtype)


def random_state(layer):
    return copy.deepcopy([inner.generator.bit_generator.state for inner in (layer, *layer.layers)])


def check_layer(layer, x, training):
    # La pérdida es una suma de las salidas con pesos fijos; el azar se rebobina para que siempre sea el mismo.
    generators = [inner.generator for inner in (layer, *layer.layers)]
    states = random_state(layer)

    def forward():
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state
        return layer.forward(x, training=training)

    share = sample(forward().shape[1:], len(x), seed=2)
    forward()
    gradients = {"x": layer.backward(share)} | {f"w{k}": g for k, g in enumerate(layer.gradients)}
    parameters = {"x": x} | {f"w{k}": w for k, w in enumerate(layer.weights)}
    report = check_gradients(lambda: float((forward() * share).sum()), parameters, gradients)
    assert report.ok, str(report)


@every_layer
@pytest.mark.parametrize("training", [False, True])
def test_gradients_in_input_and_weights(name, training):
    layer, shape = build(name)
    check_layer(layer, sample(shape), training)


@every_layer
def test_gradients_one_layer_deeper(name):
    # Con una densa detrás y otra delante, el gradiente que devuelve la capa tiene que servirle a la de atrás.
    make, shape = LAYERS[name]
    size = int(np.prod(shape))
    model = Sequential(
        [Dense(size, "tanh"), Reshape(shape), make(), Flatten(), Dense(2)],
        dtype="float64",
        seed=3,
    )
    model.build((4,))
    check_layer(model, sample((4,)), False)


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_type_is_kept_throughout(name, dtype):
    layer, shape = build(name, dtype)
    x = sample(shape)
    y = layer.forward(x, training=True)
    dx = layer.backward(np.ones(y.shape))
    for array in (y, dx, *layer.weights, *layer.gradients):
        assert array.dtype == dtype
    assert y.shape == (3, *layer.compute_output_shape(shape))
    assert dx.shape == x.shape


@every_layer
def test_a_batch_of_one_and_an_empty_one(name):
    layer, shape = build(name)
    assert len(layer.forward(sample(shape, 1))) == 1
    with pytest.raises(ValueError, match=r"x: se esperaba"):
        layer.forward(np.zeros((0, *shape)))


@every_layer
def test_views_and_other_types_give_the_same_as_a_clean_copy(name):
    layer, shape = build(name)
    wide = sample((*shape[:-1], 2 * shape[-1]), 6).round(2)
    view = wide[::2, ..., ::2]
    clean = view.copy()
    assert not view.flags.c_contiguous
    expected = layer.forward(clean)
    fortran = np.asfortranarray(clean)
    frozen = clean.copy()
    frozen.flags.writeable = False
    swapped = clean.astype(">f8")
    for other in (view, fortran, frozen, swapped, clean.tolist()):
        assert np.array_equal(layer.forward(other), expected)
    dy = sample(expected.shape[1:], 6)[::2]
    layer.forward(clean)
    dx = layer.backward(dy.copy())
    layer.forward(clean)
    assert np.array_equal(layer.backward(dy), dx)


@every_layer
def test_what_the_user_gets_is_not_overwritten_by_the_next_step(name):
    layer, shape = build(name)
    x = sample(shape)
    y = layer.forward(x, training=True)
    dx = layer.backward(np.ones_like(y))
    before = y.copy(), dx.copy()
    other = layer.forward(2 * x + 1, training=True)
    layer.backward(3 * np.ones_like(other))
    assert np.array_equal(y, before[0])
    assert np.array_equal(dx, before[1])


@every_layer
def test_a_replica_shares_weights_and_nothing_else(name):
    layer, shape = build(name)
    replica = layer.replica()
    for a, b, g, h in zip(layer.weights, replica.weights, layer.gradients, replica.gradients, strict=True):
        assert np.shares_memory(a, b)
        assert not np.shares_memory(g, h)
    x = sample(shape)
    assert np.array_equal(replica.forward(x), layer.forward(x))
    again = replica.forward(x)
    if layer.weights:
        assert replica.forward(x + 1) is not None
        # La réplica sí reutiliza su memoria; por eso no sale nunca de dlbook.
        assert np.array_equal(again, replica.forward(x + 1))


@every_layer
def test_copies_are_independent(name):
    layer, shape = build(name)
    x = sample(shape)
    expected = layer.forward(x)
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert np.array_equal(other.forward(x), expected)
        for w, v in zip(layer.weights, other.weights, strict=True):
            assert not np.shares_memory(w, v)
        if isinstance(other, Sequential):
            other.theta[:] = 0
            assert all((w == 0).all() for w in other.weights)
    assert np.array_equal(layer.forward(x), expected)


@every_layer
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda layer, x: layer.backward(x), "ir antes hacia delante"),
        (lambda layer, x: layer.forward(x[..., :-1]), r"x: se esperaba la forma \(n, .* con n de al menos 1"),
        (lambda layer, x: layer.forward(x[0]), r"x: se esperaba la forma"),
        (lambda layer, x: layer.forward(3.0), r"x: se esperaba la forma"),
        (lambda layer, x: layer.forward(None), "x: se esperaban números reales"),
        (lambda layer, x: layer.forward("hola"), "x: se esperaban números reales"),
        (lambda layer, x: layer.forward(x * 1j), "x: se esperaban números reales"),
        (lambda layer, x: layer.forward((x * np.nan).tolist()), "x: se esperaban números finitos"),
        (lambda layer, x: (layer.forward(x), layer.backward(x[:-1, ..., :1]))[1], "dy: se esperaba la forma"),
        (lambda layer, x: (layer.forward(x), layer.backward("no"))[1], "dy: se esperaban números reales"),
        (lambda layer, x: layer.build(x.shape[1:]), "ya está construida"),
        (lambda layer, x: layer.set_weights([x] * 17), "weights: se esperaba una lista de"),
        (lambda layer, x: layer.set_weights(None), "weights: se esperaba una lista de"),
    ],
)
def test_nonsense_gets_one_spanish_sentence(name, call, message):
    layer, shape = build(name)
    with pytest.raises((TypeError, ValueError), match=message):
        call(layer, sample(shape))


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
        (lambda: Dense(3).build((None, 3)), r"input_shape\[0\]: se esperaba un entero"),
        (lambda: Dense(3).set_weights([np.zeros((2, 3)), np.zeros(3)]), "aún no está construida"),
        (lambda: Dropout(1.0), "rate: se esperaba un número de al menos 0 y menor que 1"),
        (lambda: Dropout("mucho"), "rate: se esperaba un número real"),
        (lambda: Reshape((2, -1, -1)), "a lo sumo un -1"),
        (lambda: Reshape((2, 0)), "entero de al menos 1"),
        (lambda: Reshape("23"), "target_shape.*: se esperaba un"),
        (lambda: Reshape(6), "target_shape: se esperaba una tupla"),
        (lambda: Reshape((2, 2)).forward(np.zeros((1, 3))), "se esperaba una forma con 3 números"),
        (lambda: L2(-1), "l2: se esperaba un número de al menos 0"),
        (lambda: L1L2(l1="x"), "l1: se esperaba un número real"),
        (lambda: dense_forward([[1.0]], [[1.0]], [np.inf]), "b: se esperaban números finitos"),
        (lambda: dense_backward([[1.0]], [[1.0]], [[1.0], [2.0]]), r"dz: se esperaba la forma \(n=1, m=1\)"),
        (lambda: Sequential(3), "layers: se esperaba una lista"),
        (lambda: Sequential([3]), "layers: se esperaba una capa"),
        (lambda: Sequential([Dense]), "layers: se esperaba una capa"),
        (lambda: Sequential([Dense(2), Input((3,))]), "Input va al principio"),
        (lambda: Sequential([layer := Dense(2), layer]), "está repetida"),
        (lambda: Sequential([Input((3,)), Dense(2, dtype="float64")]), "se esperaba dtype='float32'"),
        (lambda: Sequential().pop(), "el modelo está vacío"),
        (lambda: Sequential([Dense(2)]).summary(), "aún no está construido"),
        (lambda: Input(3), "shape: se esperaba una tupla"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_nothing_changes_if_some_weight_does_not_fit():
    layer, _ = build("dense")
    before = layer.get_weights()
    with pytest.raises(ValueError, match=r"weights\[1\]: se esperaba la forma \(4,\)"):
        layer.set_weights([np.zeros((3, 4)), np.zeros(5)])
    with pytest.raises(ValueError, match=r"weights\[1\]: se esperaban números finitos"):
        layer.set_weights([np.zeros((3, 4)), np.full(4, np.nan)])
    assert all(np.array_equal(a, b) for a, b in zip(before, layer.get_weights(), strict=True))


def test_attributes_follow_the_weights_when_they_move():
    layer = Dense(2)
    layer.build((3,))
    model = Sequential([Input((3,)), layer], seed=0)
    model.theta[:] = np.arange(8)
    assert np.array_equal(layer.kernel, [[0, 1], [2, 3], [4, 5]])
    assert layer.kernel is layer.weights[0]
    assert np.array_equal(layer.bias, [6, 7])


class Residual(Layer):
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
    model = Sequential([Dense(5), Residual(7), Residual(3), Dense(2)], dtype="float64", seed=0)
    model.build((4,))
    check_layer(model, sample((4,)), False)
    assert (
        model.theta.size == model.count_params() == 4 * 5 + 5 + (5 * 7 + 7 + 7 * 5 + 5) + (5 * 3 + 3 + 3 * 5 + 5) + 12
    )
    assert all(np.shares_memory(w, model.theta) for w in model.weights)
    replica = model.replica()
    assert replica.layers[1].branch["salida"] is replica.layers[1].layers[1]
    assert replica.layers[1].branch["salida"] is not model.layers[1].branch["salida"]


@pytest.mark.parametrize("regularizer", [L1(0.3), L2(0.2), L1L2(0.1, 0.4)])
def test_penalties_have_the_right_gradient(regularizer):
    w = sample((4,))
    report = check_gradients(lambda: regularizer(w), {"w": w}, {"w": regularizer.gradient(w)})
    assert report.ok, str(report)


def test_dropout_keeps_the_mean_and_is_off_at_inference():
    layer = Dropout(0.3, seed=0)
    x = np.ones((2000, 50), np.float32)
    y = layer.forward(x, training=True)
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert layer.forward(x) is x
    assert Dropout(0.0, seed=0).forward(x, training=True) is x
