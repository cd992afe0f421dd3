"""Los pesos por su nombre: de dónde salen, cómo se cambian, adónde se mudan y qué pasa cuando algo falla."""

import copy
import pickle
import threading

import numpy as np
import pytest

from chapters.cnn import BatchNormalization, Branches, Conv2D, Residual
from chapters.mlp import initializers, regularizers
from chapters.mlp.activation import Activation
from chapters.mlp.activations import ActivationFunction
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.layer import Layer
from chapters.mlp.maxout import Maxout
from chapters.mlp.regularizers import L1L2, L2
from chapters.mlp.reshape import Reshape
from chapters.mlp.sequential import Input, Sequential
from dlbook import check
from dlbook.saving import load, save, weight_names

RNG = np.random.default_rng(0)


class Scale(Layer):
    """La capa de Keras más sencilla, con los argumentos de add_weight en su orden y por su nombre."""

    def build(self, input_shape):
        super().build(input_shape)
        self.w = self.add_weight(shape=input_shape, initializer="ones", trainable=True, name="w")
        self._offset = self.add_weight(input_shape, "zeros", "float32", True, regularizer=L2(0.1))
        self.count = self.add_weight((), initializer="zeros", trainable=False)

    def forward(self, x, training=False):
        self.x = self.ready(x)
        self.y = self.x * self.w + self._offset
        return self.y

    def backward(self, dy):
        dy = self.output_gradient(dy)
        self.gradients[0][:] = (dy * self.x).sum(axis=0)
        self.gradients[1][:] = dy.sum(axis=0)
        return dy * self.w


def network(**options):
    return Sequential([Input((3,)), Dense(4, "tanh"), Scale(), Dense(2)], seed=0, **options)


# --- Nombres ---


def test_a_weight_is_named_after_its_attribute_or_as_it_says():
    layer = Scale()
    layer.build((2,))
    assert layer.weight_names == ["w", "offset", "count"]
    assert weight_names(network())[2:5] == ["scale/w", "scale/offset", "scale/count"]
    assert [w.shape for w in layer.weights] == [(2,), (2,), ()]
    assert len(layer.trainable_weights) == len(layer.gradients) == 2
    assert layer.penalty() == 0.0


def test_assigning_to_a_weight_copies_into_it():
    model = network()
    layer = model.layers[0]
    kernel, mine = layer.kernel, np.arange(12).reshape(3, 4)
    layer.kernel = mine
    assert layer.kernel is kernel is layer.weights[0]
    assert np.shares_memory(kernel, model.theta)
    assert np.array_equal(model.theta[:12], np.arange(12))
    mine[:] = 0
    assert kernel[2, 3] == 11
    layer.kernel *= 2
    assert layer.kernel is kernel
    assert model.theta[11] == 22


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((4, 3)), r"kernel: se esperaba la forma \(3, 4\), pero llegó \(4, 3\)"),
        (np.full((3, 4), np.nan), "kernel: se esperaban números finitos"),
        (np.full((3, 4), 1e300), "kernel: hay números de hasta 1e.300, que no caben en float32"),
        (np.ones((3, 4)) * 1j, "kernel: se esperaban números reales"),
        (None, "kernel: se esperaban números reales"),
        ("glorot", "kernel: se esperaban números reales"),
        ([[1, 2], [3]], "kernel: se esperaba un arreglo"),
    ],
)
def test_what_is_no_weight_is_not_assigned(value, message):
    layer = network().layers[0]
    before = layer.kernel.copy()
    with pytest.raises((TypeError, ValueError), match=message):
        layer.kernel = value
    assert np.array_equal(layer.kernel, before)


def test_two_attributes_of_one_weight_move_with_it():
    class Twice(Scale):
        def build(self, input_shape):
            super().build(input_shape)
            self.same = self.w

    model = Sequential([Input((3,)), Twice()])
    model.theta[:] = 7
    layer = model.layers[0]
    assert layer.same is layer.w
    assert layer.same.tolist() == [7, 7, 7]


class InAList(Layer):
    def build(self, input_shape):
        super().build(input_shape)
        self.ws = []
        self.ws.append(self.add_weight(input_shape, name="w0"))


class InAListAtOnce(Layer):
    def build(self, input_shape):
        super().build(input_shape)
        self.ws = [self.add_weight(input_shape)]


class Nowhere(Layer):
    def build(self, input_shape):
        super().build(input_shape)
        self.add_weight(input_shape)


class View(Layer):
    def build(self, input_shape):
        super().build(input_shape)
        self.w = self.add_weight(input_shape)
        self.first = self.w[:1]


class SameName(Layer):
    def build(self, input_shape):
        super().build(input_shape)
        self.a = self.add_weight(input_shape, name="w")
        self.b = self.add_weight(input_shape, name="w")


class OtherType(Layer):
    def build(self, input_shape):
        super().build(input_shape)
        self.a = self.add_weight(input_shape, dtype="float64")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (InAList, "no quedó en ningún atributo; guarda cada uno en el suyo"),
        (InAListAtOnce, "no quedó en ningún atributo"),
        (Nowhere, "no quedó en ningún atributo"),
        (View, "view, first: es una vista de un peso"),
        (SameName, "un nombre que no se repita, pero llegó 'w'"),
        (OtherType, "se esperaba dtype='float32', el de la capa"),
    ],
)
def test_a_weight_that_would_be_left_behind_is_an_error_that_repeats(kind, message):
    layer = kind()
    for _ in range(2):
        with pytest.raises(ValueError, match=message):
            layer.build((2,))
    assert not layer.built
    assert layer.weights == []


def test_weights_made_in_the_constructor_work_too():
    class Fixed(Layer):
        def __init__(self, **options):
            super().__init__(**options)
            self.w = self.add_weight((3,), "ones")

        def forward(self, x, training=False):
            self.x = self.ready(x)
            self.y = self.x * self.w
            return self.y

    model = Sequential([Input((3,)), Fixed()])
    model.theta[:] = [1, 2, 3]
    assert model([[1, 1, 1]]).tolist() == [[1, 2, 3]]


# --- Inicializadores, penalizaciones y activaciones de quien lee ---


class Given(initializers.Initializer):
    def __init__(self, values):
        self.values = values

    def __call__(self, shape, dtype="float32", seed=None):
        return self.values


def test_the_values_of_an_initializer_are_made_ready_for_compiled_code():
    w = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    layer = Dense(2, kernel_initializer=Given(w.T))
    layer.build((3,))
    assert layer.kernel[0].tolist() == [1, 4]
    assert layer.kernel.dtype == np.float32
    assert layer.kernel.flags.carray
    assert layer.forward([[1, 0, 0]]).tolist() == [[1, 4]]


@pytest.mark.parametrize("order", ["C", "F"])
def test_two_layers_do_not_share_what_an_initializer_gives_twice(order):
    given = Given(np.ones((3, 2), np.float32, order=order))
    a, b = Dense(2, kernel_initializer=given), Dense(2, kernel_initializer=given)
    a.build((3,))
    b.build((3,))
    a.kernel[:] = 5
    assert b.kernel.max() == given.values.max() == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3)), r"dense, peso, inicializador Given: se esperaba la forma \(3, 2\), pero llegó \(2, 3\)"),
        (np.zeros(6), "inicializador Given: se esperaba la forma"),
        (3.0, "inicializador Given: se esperaba la forma"),
        (None, "inicializador Given: se esperaban números reales"),
        ("unos", "inicializador Given: se esperaban números reales"),
        (np.full((3, 2), np.inf), "inicializador Given: se esperaban números finitos"),
        (np.full((3, 2), 1e300), "inicializador Given: hay números de hasta 1e.300, que no caben en float32"),
    ],
)
def test_an_initializer_that_gives_something_else_is_named(values, message):
    layer = Dense(2, kernel_initializer=Given(values))
    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match=message):
            layer.build((3,))


def test_keras_short_names_of_initializers():
    names = {"normal": "RandomNormal", "uniform": "RandomUniform", "zero": "Zeros", "one": "Ones"}
    for name, cls in names.items():
        assert type(initializers.get(name)).__name__ == cls
    assert initializers.VarianceScaling(distribution="normal").distribution == "truncated_normal"
    assert type(initializers.get("HE_NORMAL")).__name__ == "HeNormal"


class Returns(ActivationFunction):
    def forward(self, z, y):
        return z * 2

    def backward(self, z, y, dy, dz):
        dz[:] = 2 * dy


class Half(Returns):
    def forward(self, z, y):
        y[:, :1] = z[:, :1]


class NoBack(Returns):
    def forward(self, z, y):
        y[:] = 2 * z

    def backward(self, z, y, dy, dz):
        return 2 * dy


class Double(NoBack):
    def backward(self, z, y, dy, dz):
        dz[:] = 2 * dy


@pytest.mark.parametrize("kind", [Dense, Activation])
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (Returns(), "Returns.forward: se esperaba que escribiera en y"),
        (Half(), "Half.forward: se esperaba que escribiera en y"),
        (NoBack(), "NoBack.backward: se esperaba que escribiera en dz"),
    ],
)
def test_an_activation_that_does_not_write_is_named(kind, function, message):
    with pytest.raises(ValueError, match=message):
        kind(2, activation=function) if kind is Dense else kind(function)


def test_an_activation_of_the_reader_that_writes_works():
    layer = Activation(Double())
    assert layer([[1, 2]]).tolist() == [[2, 4]]
    assert layer.backward([[1, 1]]).tolist() == [[2, 2]]


class OnlyCalled(L1L2):
    def __call__(self, w):
        return 1.0


class OnlyValue(L1L2):
    def value(self, w):
        return 1.0


class Vector(L1L2):
    def value(self, w):
        return abs(w)

    def add_gradient(self, w, gradient):
        gradient += np.sign(w)


class Lasso(Vector):
    def value(self, w):
        return abs(w).sum(dtype=np.float32)


def test_a_regularizer_that_layers_would_not_use_is_refused():
    for kind, name in ((OnlyCalled, "__call__"), (OnlyValue, "value")):
        with pytest.raises(
            TypeError, match=f"{kind.__name__}: se esperaba que definiera value y add_gradient.* {name}"
        ):
            Dense(2, kernel_regularizer=kind())


def test_a_regularizer_whose_value_is_no_number_is_named():
    with pytest.raises(TypeError, match=r"Vector\.value: se esperaba que devolviera un número"):
        Dense(2, kernel_regularizer=Vector())


def test_a_regularizer_of_the_reader_adds_its_gradient():
    layer = Dense(2, kernel_regularizer=Lasso(), kernel_initializer="ones")
    layer.build((3,))
    assert layer.penalty(add_gradient=True) == 6.0
    assert layer.gradients[0].tolist() == [[1, 1]] * 3


# --- Una construcción es entera o no es ---


class Fails(Layer):
    """Crea la mitad de lo suyo y falla, las veces que se le diga."""

    def __init__(self, times=1, **options):
        super().__init__(**options)
        self.times = [None] * times
        self.inner = Dense(4)
        self.layers = [self.inner]

    def build(self, input_shape):
        super().build(input_shape)
        self.inner.inherit(self)
        self.inner.build(input_shape)
        self.w = self.add_weight(input_shape)
        self.layers.append(Dense(3))
        if fails:
            raise RuntimeError("a medias")

    def forward(self, x, training=False):
        self.y = self.inner.forward(self.ready(x))
        return self.y


fails = True


def snapshot(layer):
    return pickle.dumps({name: value for name, value in vars(layer).items() if name != "inner"})


def test_a_build_that_fails_leaves_everything_as_it_was():
    global fails
    fails = True
    model = Sequential([Dense(4), Fails(), Dense(2)], seed=0)
    before = [snapshot(layer) for layer in (model, *model.layers, model.layers[1].inner)]
    for _ in range(2):
        with pytest.raises(RuntimeError, match="a medias"):
            model.forward([[1.0, 2.0]])
        assert [snapshot(layer) for layer in (model, *model.layers, model.layers[1].inner)] == before
    fails = False
    fresh = Sequential([Dense(4), Fails(), Dense(2)], seed=0)
    assert np.array_equal(model.forward([[1.0, 2.0]]), fresh.forward([[1.0, 2.0]]))


def test_adding_what_does_not_fit_leaves_the_model_as_it_was():
    global fails
    fails = True
    model = Sequential([Input((3,)), Dense(4)], seed=0)
    before, extra = model.get_weights(), Fails()
    with pytest.raises(RuntimeError):
        model.add(extra)
    assert len(model.layers) == 1
    assert not extra.built
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    model.add(Dense(2))
    assert model([[1, 2, 3]]).shape == (1, 2)


def test_a_layer_that_does_not_fit_works_afterwards_where_it_does():
    for layer, wrong, right in [(Dense(2), (), (3,)), (Maxout(2), (3, None), (3,)), (Sequential([Dense(2)]), (), (3,))]:
        with pytest.raises(ValueError, match="x: se esperaba"):
            layer.build(wrong)
        layer.build(right)
        assert layer.forward(np.ones((1, 3))).shape == (1, 2)


def test_blocks_and_images_too_fail_whole():
    inner = Dense(3)
    for layer, wrong in [
        (Residual(inner), (2,)),
        (Branches([inner, Sequential([Dense(2), Reshape((3, 1))])]), (2,)),
        (Conv2D(2, 5), (3, 3, 1)),
        (BatchNormalization(axis=3), (2,)),
        (Sequential([Dense(4), Residual([Dense(4), Conv2D(1, 1)])]), (2,)),
    ]:
        messages = []
        before = pickle.dumps(layer)
        for _ in range(2):
            with pytest.raises(ValueError, match=":") as error:
                layer.build(wrong)
            messages.append(str(error.value))
            assert pickle.dumps(layer) == before
        assert messages[0] == messages[1]
        assert not inner.built


def test_parameters_that_do_not_fit_in_memory_are_a_sentence(monkeypatch):
    monkeypatch.setattr(check, "total_memory", lambda: 2400)
    with pytest.raises(ValueError, match=r"dense, peso: harían falta .* GB de memoria, y esta máquina tiene"):
        Dense(100).build((10,))
    with pytest.raises(ValueError, match="sequential, los parámetros y su gradiente: harían falta"):
        Sequential([Input((10,)), Dense(15), Dense(10)])
    with pytest.raises(ValueError, match="shape: harían falta"):
        initializers.HeNormal()((100, 100))


# --- Copias ---


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_training_a_copy_does_not_move_the_original(how):
    model = network()
    model.compile("adam", "mse")
    before = model.get_weights()
    other = how(model)
    other.fit(RNG.normal(size=(8, 3)), RNG.normal(size=(8, 2)), verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(before[:2], other.get_weights()[:2], strict=True))
    assert np.shares_memory(model.layers[0].kernel, model.theta)


def test_a_copy_does_not_carry_the_data_of_the_last_call():
    model = Sequential([Input((50,)), Dense(4, "relu"), Dropout(0.5), Maxout(3), Activation("tanh"), Dense(2)], seed=0)
    model.compile("adam", "mse")
    small = len(pickle.dumps(model))
    x = RNG.normal(size=(20_000, 50))
    model.forward(x, training=True)
    model.backward(np.ones((20_000, 2)))
    model(x)
    model.loss_and_gradient(x, np.ones((20_000, 2)))
    assert len(pickle.dumps(model)) < small + 10_000
    again = pickle.loads(pickle.dumps(model))
    assert np.array_equal(again(x[:5]), model(x[:5]))
    assert copy.deepcopy(model).layers[0].x is None


def test_what_a_reader_keeps_in_an_attribute_stays_in_the_copies():
    layer = Scale()
    layer.build((2,))
    layer.labels = np.array(["a", "b"])
    layer.forward([[1, 2]])
    assert pickle.loads(pickle.dumps(layer)).labels.tolist() == ["a", "b"]


# --- Varios hilos ---


@pytest.mark.parametrize("built", [True, False])
def test_calls_from_several_threads_do_not_mix(built):
    layers = [Dense(16, "relu"), Sequential([Dense(16, "tanh"), Maxout(8)]), Scale(), Dense(1)]
    model = Sequential([Input((4,)), *layers] if built else layers, seed=0)
    wrong = []

    def work(k):
        x = np.full((200 + k, 4), k / 10, np.float32)
        expected = None
        for _ in range(60):
            y = model(x)
            expected = y if expected is None else expected
            wrong.append(y.shape != (200 + k, 1) or not np.array_equal(y, expected) or (y != y[0]).any())

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(wrong) == 0
    assert len(wrong) == 360
    for k in range(6):
        assert np.allclose(model.forward(np.full((1, 4), k / 10)), model(np.full((3, 4), k / 10))[0])


def test_calling_and_going_back_is_the_same_as_forward_and_back():
    a, b = network(), network()
    x, dy = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 2))
    assert np.array_equal(a(x, training=True), b.forward(x, training=True))
    assert np.array_equal(a.backward(dy), b.backward(dy))
    assert np.array_equal(a.gradient, b.gradient)


# --- Archivos ---


def test_a_file_of_before_still_loads(tmp_path):
    # Los nombres de siempre: los de los atributos.
    model = network()
    assert weight_names(model) == [
        "dense/kernel", "dense/bias", "scale/w", "scale/offset", "scale/count", "dense_1/kernel", "dense_1/bias",
    ]  # fmt: skip
    save(model, tmp_path / "red")
    other = load(tmp_path / "red", custom_objects={"Scale": Scale})
    assert all(np.array_equal(a, b) for a, b in zip(model.weights, other.weights, strict=True))


def test_penalties_have_the_names_of_the_functions_of_keras():
    assert repr(regularizers.l1(0.1)) == "L1(l1=0.1)"
    assert repr(regularizers.l2()) == "L2(l2=0.01)"
    assert repr(regularizers.l1_l2(l1=0.1, l2=0.2)) == "L1L2(l1=0.1, l2=0.2)"
    assert repr(regularizers.get(regularizers.l2)) == "L2(l2=0.01)"


def test_a_column_of_zeros_looks_like_no_other():
    penalty = regularizers.OrthogonalRegularizer(mode="columns")
    w = np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    assert penalty(w) == pytest.approx(0.01 * np.sqrt(0.5) / 3)
    assert np.isfinite(penalty.gradient(w)).all()
    assert penalty(np.ones((3, 1))) == 0
    assert not penalty.gradient(np.ones((3, 1))).any()


def test_a_penalty_that_says_nothing_is_refused():
    nothing = type("Nothing", (regularizers.Regularizer,), {"__module__": "__main__"})
    with pytest.raises(TypeError, match="Nothing: se esperaba que definiera value y add_gradient, pero define ninguno"):
        regularizers.get(nothing())
