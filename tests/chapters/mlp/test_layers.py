"""Lo que solo dicen las capas densas, las filas y las capas hechas a mano; lo de todas, en ``tests/contract``."""

import copy
import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chapters.mlp import (
    Activation,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Maxout,
    Permute,
    RepeatVector,
    load_model,
)
from chapters.mlp.dense import HUGE, LONG, MANY, Dense, dense_backward, dense_forward
from chapters.mlp.dropout import Dropout
from chapters.mlp.layer import Layer
from chapters.mlp.regularizers import L1L2, L2
from chapters.mlp.reshape import Reshape
from chapters.mlp.sequential import Input, Sequential
from dlbook.saving import objects
from tests.contract.measure import check_layer, sample


# Pocas filas y muchas: las muchas las multiplica una biblioteca.
@given(
    st.integers(1, 9) | st.integers(MANY - 1, MANY + 1) | st.integers(LONG - 1, LONG + 2),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from([np.float32, np.float64]),
)
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


def test_the_gradient_that_crosses_enormous_weights_agrees_with_numpy():
    rng = np.random.default_rng(0)
    x, w, dz = (rng.normal(size=s) for s in ((MANY, HUGE // 512), (HUGE // 512, 512), (MANY, 512)))
    assert np.allclose(dense_backward(x, w, dz)[2], dz @ w.T, rtol=1e-12, atol=1e-10)


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
        (lambda: Dense(3, otro=1), "Dense: el libro no tiene el argumento 'otro'"),
        (lambda: Sequential().build((3,)), "el modelo está vacío"),
        (lambda: Sequential().forward([[1.0]]), "el modelo está vacío"),
        (lambda: Sequential([Input((3,)), Input((3,)), Dense(2)]), "un solo Input, pero hay dos"),
        (lambda: Sequential([Dense(2, name="a"), Dense(2, name="a")]), "nombres distintos, pero hay dos capas 'a'"),
        (lambda: Sequential([Dense(2), Dense(2, name="dense")]), "nombres distintos, pero hay dos capas 'dense'"),
        (lambda: Dense(2**40).build((2**20,)), "dense, peso: harían falta 1.38e.10 GB de memoria"),
        (lambda: Dense(3, use_bias="no"), "use_bias: se esperaba True o False"),
        (lambda: Dropout(True), "rate: se esperaba un número real"),
        (lambda: Sequential([Dense(2)]).compile("sgd", "mse", ["mae"]), "loss_weights: se esperaba un número"),
        (lambda: Dense(3).set_weights([np.zeros((2, 3)), np.zeros(3)]), "aún no está construida"),
        (lambda: Dropout(1.1), "rate: se esperaba un número de al menos 0 y de a lo sumo 1"),
        (lambda: Dropout("mucho"), "rate: se esperaba un número real"),
        (lambda: Dropout(0.5, (1, 3)), "noise_shape: se esperaba None en el primer eje"),
        (lambda: Dropout(0.5, (None, 0)), r"noise_shape\[1\]: se esperaba un entero de al menos 1"),
        (lambda: Dropout(0.5, (None, 2)).forward([[1.0, 2.0, 3.0]]), "noise_shape: se esperaba None, 1 o lo que mide"),
        (lambda: Dropout(0.5, (None, 1, 3)).build((3,)), "noise_shape: se esperaba None, 1 o lo que mide"),
        (lambda: GaussianNoise(1.5), "stddev: se esperaba un número de al menos 0 y de a lo sumo 1"),
        (lambda: GaussianDropout(1), "rate: se esperaba un número de al menos 0 y menor que 1"),
        (lambda: Permute((1, 1)), "dims: se esperaban los ejes del 1 al 2"),
        (lambda: Permute(()), "dims: se esperaban los ejes"),
        (lambda: Permute(2), "dims: se esperaba una tupla"),
        (lambda: Permute((2, 1)).forward(np.zeros((2, 3, 4, 5))), "se esperaban observaciones de 2 ejes"),
        (lambda: RepeatVector(0), "n: se esperaba un entero de al menos 1"),
        (lambda: RepeatVector(2).forward(np.zeros((1, 2, 3))), "x: se esperaban vectores"),
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
        x = self.ready(x)
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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("width", [1, 7, 8])
def test_gaussian_noise_is_normal_and_independent(dtype, width):
    layer = GaussianNoise(1.0, seed=1, dtype=dtype)
    noise = layer.forward(np.zeros((200_000 // width, width), dtype), training=True).astype(float)
    z = noise.ravel()
    # Los cuatro momentos, la mediana de su tamaño y una cola.
    assert np.allclose([z.mean(), z.std(), (z**3).mean(), (z**4).mean()], [0, 1, 0, 3], atol=0.06)
    assert np.isclose(np.median(np.abs(z)), 0.6745, atol=0.01)
    assert np.isclose((np.abs(z) > 2).mean(), 0.0455, atol=0.003)
    if width > 1:
        # Las dos que salen de una pareja tampoco se parecen, ni en tamaño.
        assert np.allclose(np.corrcoef(noise.T), np.eye(width), atol=0.03)
        assert np.allclose(np.corrcoef(noise.T**2), np.eye(width), atol=0.03)


def test_the_extremes_of_the_draw_give_finite_noise():
    class Extreme(GaussianNoise):
        def uniform(self, out):
            out[...] = self.value
            return out

    for dtype in (np.float32, np.float64):
        for value in (dtype(0), np.nextafter(dtype(1), dtype(0))):
            layer = Extreme(1.0, dtype=np.dtype(dtype).name)
            layer.value = value
            assert np.isfinite(layer.forward(np.zeros((2, 5)), training=True)).all()


def test_gaussian_dropout_has_the_mean_and_the_deviation_of_dropout():
    x = np.full((400, 500), 3.0)
    for rate in (0.1, 0.5, 0.8):
        gaussian, coins = (
            layer(rate, seed=0, dtype="float64").forward(x, training=True) for layer in (GaussianDropout, Dropout)
        )
        assert np.isclose(gaussian.mean(), coins.mean(), atol=0.06)
        assert np.isclose(gaussian.std(), coins.std(), rtol=0.02)
        assert gaussian.min() < 0 or rate == 0.1


def test_where_noise_shape_says_one_the_coin_is_shared():
    y = Dropout(0.5, noise_shape=(None, 1, None), seed=0).forward(np.ones((50, 6, 8)), training=True)
    assert set(np.unique(y)) == {0, 2}
    assert (y == y[:, :1]).all()
    assert 0.4 < (y[:, 0] == 0).mean() < 0.6
    assert len(np.unique(y[:, 0], axis=0)) > 40


def test_a_layer_that_only_moves_numbers_takes_other_sizes_alone_and_says_no_in_a_network():
    flat = Flatten()
    assert [flat(np.zeros((2, *size, 3))).shape for size in ((4, 5), (6, 7), (4, 5))] == [(2, 60), (2, 126), (2, 60)]
    model = Sequential([Input((4, 5, 3)), flat, Dense(2)])
    with pytest.raises(ValueError, match=r"x: se esperaba la forma \(n, 4, 5, 3\), pero llegó \(2, 6, 7, 3\)"):
        model(np.zeros((2, 6, 7, 3)))
    # Lo que conserva el último eje sí deja pasar otros tamaños.
    model = Sequential([Input((4, 5, 3)), Permute((2, 1, 3)), Dense(2)])
    assert model(np.zeros((2, 6, 7, 3))).shape == (2, 7, 6, 2)


def test_dropout_keeps_the_mean_and_is_off_at_inference():
    layer = Dropout(0.3, seed=0)
    x = np.ones((2000, 50), np.float32)
    y = layer.forward(x, training=True)
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert (y == 0).mean() == pytest.approx(0.3, abs=0.01)
    assert layer.forward(x) is x
    assert Dropout(0.0, seed=0).forward(x, training=True) is x


# --- Lo que Keras admite ---


def test_dropout_may_switch_everything_off():
    layer = Dropout(1.0, seed=0)
    x = np.ones((3, 4), np.float32)
    assert not layer.forward(x, training=True).any()
    assert not layer.backward(x).any()
    assert np.array_equal(layer.forward(x), x)


def test_numpys_booleans_and_integers_are_as_good_as_pythons():
    layer = Dense(np.int8(3), use_bias=np.False_, trainable=np.True_, dtype="FLOAT64")
    layer.build((np.uint8(200),))
    assert layer.input_shape == (200,)
    assert type(layer.input_shape[0]) is int
    assert layer.compute_output_shape((np.int8(100), np.int8(100))) == (100, 3)
    assert layer.use_bias is False
    layer.trainable = np.False_
    assert layer.trainable is False
    model = Sequential([Dense(3), Reshape((np.int8(3), np.int64(-1)))])
    assert model.compute_output_shape((np.int8(127),)) == (3, 1)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: Sequential([Dense(2)]), 5),
        (lambda: Flatten(), None),
        (lambda: Reshape((2,)), {2}),
        (lambda: Layer(), 3.0),
    ],
)
def test_shapes_that_are_no_tuple_are_refused_everywhere(make, shape):
    for call in (lambda: make().build(shape), lambda: make().compute_output_shape(shape)):
        with pytest.raises(TypeError, match="input_shape: se esperaba una tupla de enteros"):
            call()


def test_sizes_beyond_sixty_three_bits_are_refused():
    for make in (lambda: Dense(2), lambda: Flatten(), lambda: Sequential([Dense(2)])):
        for shape in ((2**64,), (2**40, 2**40)):
            with pytest.raises(ValueError, match="input_shape: se esperaba una forma que quepa en un arreglo"):
                make().build(shape)


def test_a_column_may_come_as_a_vector():
    model = Sequential([Input((1,)), Dense(3, "tanh"), Dense(1)], seed=0)
    model.compile("sgd", "mse")
    x, y = np.linspace(-1, 1, 20), np.linspace(0, 1, 20).reshape(-1, 1)
    assert np.array_equal(model.predict(x), model.predict(x.reshape(-1, 1)))
    assert np.array_equal(model.forward(x), model(x.reshape(-1, 1)))
    assert model.evaluate(x, y) == model.evaluate(x.reshape(-1, 1), y)
    assert len(model.fit(x, y, validation_data=(x, y), verbose=0).history["val_loss"]) == 1
    images = Sequential([Input((4, 4, 1)), Flatten(), Dense(2)])
    assert images.predict(np.ones((3, 4, 4))).shape == (3, 2)
    with pytest.raises(ValueError, match=r"x: se esperaba la forma \(n, 1\), pero llegó \(20, 2\)"):
        model.predict(np.ones((20, 2)))
    with pytest.raises(ValueError, match=r"x: se esperaba la forma \(n, 3\), pero llegó \(3,\)"):
        Sequential([Input((3,)), Dense(1)]).predict(np.ones(3))


def test_an_empty_model_says_so():
    model = Sequential(seed=0)
    model.compile("sgd", "mse")
    x = np.ones((4, 2))
    for call in (lambda: model.fit(x, x), lambda: model.predict(x), lambda: model.evaluate(x, x), lambda: model(x)):
        with pytest.raises(ValueError, match="sequential: se esperaba al menos una capa, pero el modelo está vacío"):
            call()
    model = Sequential([Input((2,)), Dense(2)])
    model.pop()
    with pytest.raises(ValueError, match="el modelo está vacío"):
        model(x)


def test_the_summary_of_what_is_not_built_says_what_is_known(capsys):
    known = Dense(3)
    known.build((2,))
    Sequential([known, Dense(4), Dropout(0.5)]).summary()
    assert capsys.readouterr().out == (
        "Sequential\n"
        "capa           forma de salida      parámetros\n"
        "dense          (n, 3)                        9\n"
        "dense_1        ?                             ?\n"
        "dropout        ?                             ?\n"
        "Sin construir: pon un Input al principio o dale unos datos, y se sabrá lo demás\n"
    )


def test_flatten_takes_the_layout_that_keras_takes():
    assert Flatten("channels_last").compute_output_shape((2, 3)) == (6,)
    with pytest.raises(ValueError, match="data_format: se esperaba 'channels_last'"):
        Flatten("channels_first")


# --- Formas que se saben con los datos ---


def test_sizes_that_only_the_data_know(capsys, tmp_path):
    layers = [Dense(4, "relu"), Activation("tanh"), Dropout(0.2), Dense(3), Maxout(2), Flatten(), Reshape((-1, 2))]
    model = Sequential([Input((None, 5)), *layers], seed=0, dtype="float64")
    model.summary()
    assert "(n, ?, 4)" in capsys.readouterr().out
    assert model.input_shape == (None, 5)
    assert model.compute_output_shape((None, 5)) == (None, 2)
    x = {size: sample((size, 5)) for size in (3, 7, 2)}
    for size in (3, 7, 3, 2):
        assert model.compute_output_shape((size, 5)) == (size, 2)
        y = model(x[size])
        assert y.shape == (3, size, 2)
        assert model.current_shape == (size, 5)
        assert model.work() > 0
        # Uno por uno, y lo mismo que un modelo hecho para ese tamaño.
        fixed = Sequential([Input((size, 5)), *map(remake, layers)], dtype="float64")
        fixed.set_weights(model.get_weights())
        assert np.allclose(y, fixed(x[size]))
        assert np.allclose(model.predict(x[size]), y)
        assert np.allclose(model.backward(np.ones_like(y)), fixed.backward(np.ones_like(y)))
    model.compile("sgd", "mse")
    for size in (3, 7):
        model.fit(x[size], np.ones((3, size, 2)), epochs=2, verbose=0)
    model.save(tmp_path / "red.safetensors")
    other = load_model(tmp_path / "red.safetensors")
    assert other.input_shape == (None, 5)
    assert np.array_equal(other.predict(x[7]), model.predict(x[7]))
    with pytest.raises(ValueError, match=r"x: se esperaba la forma \(n, \?, 5\), pero llegó \(3, 4, 6\)"):
        model(sample((4, 6)))


def remake(layer):
    return objects.rebuild(objects.describe(layer))


def test_threads_with_inputs_of_different_sizes_do_not_mix():
    model = Sequential([Input((None, 3)), Dense(4, "tanh"), Reshape((-1, 2)), Flatten(), Reshape((-1, 1))], seed=0)
    wrong = []

    def work(size):
        x = sample((size, 3), 5).astype(np.float32)
        expected = model.predict(x)
        for _ in range(50):
            y = model(x)
            wrong.append(y.shape != expected.shape or not np.allclose(y, expected))

    threads = [threading.Thread(target=work, args=(size,)) for size in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(wrong) == 300
    assert not any(wrong)


def test_what_needs_a_size_says_which():
    for layers in ([Dense(2)], [Maxout(2)]):
        with pytest.raises(ValueError, match="se supiera el último eje"):
            Sequential([Input((3, None)), *layers])
    with pytest.raises(ValueError, match=r"se supiera el último eje.*\(n, \?\)"):
        Sequential([Input((None, 3)), Flatten(), Dense(2)])


@pytest.mark.parametrize("rate", [7, -0.5, np.nan])
def test_the_rate_of_dropout_is_checked_when_it_is_assigned_later(rate):
    layer = Dropout(0.5)
    with pytest.raises(ValueError, match="rate: se esperaba"):
        layer.rate = rate
    assert layer.rate == 0.5


# --- Capas dentro de capas dentro de capas ---


def inside_out(levels):
    model = Dense(2)
    for _ in range(levels - 1):
        model = Sequential([model])
    return model


def outside_in(levels):
    top = model = Sequential()
    for _ in range(levels - 2):
        inner = Sequential()
        model.add(inner)
        model = inner
    model.add(Dense(2))
    return top


@pytest.mark.parametrize("nest", [inside_out, outside_in])
def test_thirty_levels_do_everything(nest, tmp_path):
    model, x = nest(30), sample((3,))
    model.compile("sgd", "mse")
    model.fit(x, sample((2,)), verbose=0)
    expected = model.predict(x)
    model.save(tmp_path / "red")
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), load_model(tmp_path / "red")):
        np.testing.assert_array_equal(other.predict(x), expected)
    model.summary(expand_nested=True)
    assert model.count_params() == 8


@pytest.mark.parametrize("levels", [31, 900, 5000])
def test_more_levels_are_refused_where_they_are_stacked(levels):
    with pytest.raises(ValueError, match="está anidada demasiado hondo; se admiten 30 niveles"):
        inside_out(levels)
    model = inside_out(30)
    with pytest.raises(ValueError, match="está anidada demasiado hondo"):
        Sequential().add(model)
    assert model(sample((3,))).shape == (3, 2)


@pytest.mark.parametrize(
    "use",
    [
        lambda model: model.predict(np.ones((1, 3))),
        lambda model: model(np.ones((1, 3))),
        lambda model: model.build((3,)),
        lambda model: model.compile("sgd", "mse") or model.fit(np.ones((1, 3)), np.ones((1, 2)), verbose=0),
        lambda model: model.count_params(),
        lambda model: model.summary(expand_nested=True),
        lambda model: setattr(model, "trainable", False),
        lambda model: Sequential([model]),
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
    ],
)
@pytest.mark.parametrize("levels", [31, 900, 5000])
def test_more_levels_put_in_from_outside_are_noticed_at_the_first_use(levels, use):
    # Cada una se puso cuando la de afuera ya estaba dentro de otra, que no lo sabe.
    with pytest.raises(ValueError, match="está anidada demasiado hondo"):
        use(outside_in(levels))
