"""El puente con Keras: mismas redes, mismos pesos, mismas respuestas."""

import builtins
import os
import sys
import types

import numpy as np
import pytest

from chapters.mlp import activation_layers, activations, initializers, regularizers
from chapters.mlp.activation import Activation
from chapters.mlp.dense import Dense
from chapters.mlp.dropout import Dropout
from chapters.mlp.flatten import Flatten
from chapters.mlp.layer import Layer
from chapters.mlp.maxout import Maxout
from chapters.mlp.reshape import Reshape
from chapters.mlp.sequential import Input, Sequential
from dlbook.bridge import from_keras, to_keras
from dlbook.saving import config, objects

RNG = np.random.default_rng(0)


def test_without_keras_it_says_what_is_missing(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "keras":
            raise ModuleNotFoundError("No module named 'keras'")
        return real(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match="hace falta Keras"):
        to_keras(Sequential([Input(shape=(2,)), Dense(1)]))
    with pytest.raises(ImportError, match="hace falta Keras"):
        from_keras(None)


@pytest.fixture(scope="module")
def keras():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return pytest.importorskip("keras")


def every_layer(dtype):
    model = Sequential(
        [
            Input(shape=(2, 6)),
            Flatten(),
            Dense(
                8,
                activation="gelu",
                kernel_initializer=initializers.VarianceScaling(2.0, "fan_in", "uniform", seed=3),
                kernel_regularizer=regularizers.L2(0.01),
                bias_regularizer=regularizers.L1L2(0.1, 0.2),
            ),
            Dense(8, activation=activations.LeakyReLU(0.1)),
            Dense(8, activation=activations.ELU(0.5), use_bias=False),
            Dense(8, activation="elu", bias_initializer=initializers.RandomNormal(stddev=0.3)),
            Dense(8, activation="leaky_relu", kernel_initializer=initializers.Orthogonal(2.0)),
            Reshape((-1, 2)),
            Sequential([Dense(3), Activation("softmax"), Dropout(0.25)], name="interior"),
            Activation("softplus"),
            Flatten(name="otra"),
            Dense(5, activation="relu"),
            Dense(5, activation="sigmoid"),
            Dense(4, activation="tanh"),
        ],
        dtype=dtype,
        seed=1,
        name="todo",
    )
    model.set_weights([RNG.normal(size=w.shape) for w in model.get_weights()])
    return model


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-6), ("float32", 1e-4)])
def test_round_trip_with_every_layer(keras, dtype, tolerance):
    model = every_layer(dtype)
    theirs = to_keras(model)
    x = RNG.normal(size=(9, 2, 6)).astype(dtype)
    # predict pasaría los datos a float32; TensorFlow lleva siempre en float32 la pendiente de LeakyReLU.
    y = keras.ops.convert_to_numpy(theirs(x))
    np.testing.assert_allclose(y, model.forward(x), rtol=0, atol=tolerance)
    assert y.dtype == dtype
    assert theirs.count_params() == model.count_params()
    assert [w.shape for w in theirs.get_weights()] == [w.shape for w in model.get_weights()]
    back = from_keras(theirs)
    np.testing.assert_array_equal(back.theta, model.theta)
    np.testing.assert_array_equal(back.forward(x), model.forward(x))
    assert objects.describe(back) == objects.describe(model)
    assert back.name == "todo"


def test_weights_alone_move_with_get_and_set(keras):
    ours = Sequential([Input(shape=(5,)), Dense(4, activation="tanh"), Dropout(0.5), Dense(3, activation="softmax")])
    theirs = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(4, activation="tanh"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    x = RNG.normal(size=(6, 5)).astype("float32")
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(ours.forward(x), theirs.predict(x, verbose=0), atol=1e-6)
    ours.set_weights([RNG.normal(size=w.shape) for w in ours.get_weights()])
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours.forward(x), theirs.predict(x, verbose=0), atol=1e-6)


def test_activation_layers_of_keras_arrive_as_layers_or_as_activations(keras):
    layers = keras.layers
    theirs = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4, activation=keras.activations.relu),
            layers.LeakyReLU(),
            layers.Dense(4, activation=layers.LeakyReLU(negative_slope=0.4)),
            layers.ELU(alpha=0.7),
            layers.ReLU(max_value=6.0),
            layers.Dense(3, activation="selu", kernel_constraint=keras.constraints.MaxNorm(1.5, axis=[0])),
            layers.PReLU("ones", alpha_constraint="non_neg"),
            layers.Dense(2, kernel_initializer=keras.initializers.HeNormal(seed=1), kernel_regularizer="l2"),
            layers.Softmax(),
        ]
    )
    ours = from_keras(theirs)
    x = RNG.normal(size=(6, 3)).astype("float32")
    np.testing.assert_allclose(ours.forward(x), theirs.predict(x, verbose=0), atol=1e-6)
    assert type(ours.layers[1]) is activation_layers.LeakyReLU
    assert ours.layers[1].negative_slope == pytest.approx(0.3)
    assert repr(ours.layers[2].activation) == "LeakyReLU(negative_slope=0.4)"
    assert repr(ours.layers[5].kernel_constraint) == "MaxNorm(max_value=1.5, axis=(0,))"
    assert ours.layers[7].kernel_regularizer.l2 == 0.01
    back = to_keras(ours)
    np.testing.assert_allclose(back.predict(x, verbose=0), theirs.predict(x, verbose=0), atol=1e-6)
    assert [type(one) for one in back.layers] == [type(one) for one in theirs.layers]
    assert back.layers[5].kernel_constraint.max_value == 1.5


def test_what_keras_does_not_have(keras):
    def red(layer):
        return Sequential([Input(shape=(4,)), layer])

    with pytest.raises(ValueError, match="maxout: Keras no tiene Maxout"):
        to_keras(red(Maxout(2)))
    with pytest.raises(ValueError, match="Keras no tiene Step"):
        to_keras(red(Activation("step")))
    with pytest.raises(ValueError, match="Keras no tiene GELU"):
        to_keras(red(Dense(2, activation=activations.GELU(approximate=True))))
    with pytest.raises(ValueError, match="aún no está construido"):
        to_keras(Sequential([Dense(2)]))
    with pytest.raises(ValueError, match="se esperaba un Sequential de este libro"):
        to_keras(Dense(2))


def test_what_this_book_does_not_have(keras):
    layers = keras.layers

    def red(*inner):
        return keras.Sequential([keras.Input((4,)), *inner])

    for model, text in [
        (red(layers.LayerNormalization()), "el libro no tiene la clase LayerNormalization"),
        (red(layers.BatchNormalization(renorm=True)), "renorm"),
        (red(layers.Dense(2, activation="glu")), "glu"),
        (red(layers.Dense(2, dtype="float16")), "dtype"),
        (keras.Sequential([layers.Dense(2)]), "ponle un keras.Input"),
        (layers.Dense(2), "un modelo de Keras"),
        (Sequential([Dense(2)]), "un modelo de Keras"),
    ]:
        with pytest.raises(ValueError, match=text):
            from_keras(model)


def test_inputs_of_any_size_cross_in_both_directions(keras):
    theirs = keras.Sequential([keras.Input((None, 4)), keras.layers.Dense(2)])
    ours = from_keras(theirs)
    assert ours.input_shape == (None, 4)
    assert to_keras(ours).input_shape == (None, None, 4)


@pytest.mark.parametrize(
    "options", [{}, {"kernel_constraint": "unit_norm", "bias_constraint": "non_neg"}], ids=["free", "constrained"]
)
def test_both_train_alike_from_the_same_weights(keras, options):
    ours = Sequential([Input(shape=(3,)), Dense(6, activation="tanh", **options), Dense(1)], dtype="float64", seed=0)
    theirs = to_keras(ours)
    x = RNG.normal(size=(32, 3))
    y = x[:, :1] ** 2
    for model in (ours, theirs):
        model.compile(optimizer="adam", loss="mse")
        model.fit(x, y, batch_size=32, epochs=20, shuffle=False, verbose=0)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


# --- Lo que se llama igual y es otra cosa ---


def described(name="Dense", module="keras.layers", **arguments):
    """Una capa como la describe Keras, para cuando Keras no está."""
    return {"module": module, "class_name": name, "config": {"units": 3, **arguments}, "registered_name": None}


def test_only_the_classes_of_keras_itself_are_brought():
    assert config.deserialize(described(activation="relu")).units == 3
    with pytest.raises(ValueError, match="Dense no es de Keras ni del libro"):
        config.deserialize(described(module="__main__"))
    function = {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}
    with pytest.raises(ValueError, match="usa una función de quien la escribió, 'relu'"):
        config.deserialize(described(activation=function))


def relu(x):
    return x


def test_namesakes_of_keras_classes_are_refused(keras):
    layers = keras.layers

    def red(*inner):
        return keras.Sequential([keras.Input((4,)), *inner])

    twice = type("Dense", (layers.Dense,), {"call": lambda self, x: 2 * layers.Dense.call(self, x)})
    constant = type("HeNormal", (keras.initializers.HeNormal,), {})
    penalty = type("L2", (keras.regularizers.L2,), {"__call__": lambda self, x: 0.0})
    leaky = type("LeakyReLU", (layers.LeakyReLU,), {"call": lambda self, x: -x})
    for model, text in [
        (red(twice(2)), "Dense no es de Keras ni del libro"),
        (red(leaky()), "LeakyReLU no es de Keras ni del libro"),
        (red(layers.Dense(2, activation=leaky())), "LeakyReLU"),
        (red(layers.Dense(2, activation=relu)), "se llama relu, pero no es de Keras"),
        (red(layers.Activation(relu)), "se llama relu, pero no es de Keras"),
        (red(layers.Dense(2, kernel_initializer=constant())), "HeNormal"),
        (red(layers.Dense(2, kernel_regularizer=penalty(0.1))), "L2"),
        (red(keras.Sequential([layers.Dense(2), twice(2)])), "Dense no es de Keras ni del libro"),
        (
            type("Sequential", (keras.Sequential,), {})([keras.Input((4,)), layers.Dense(2)]),
            "Sequential no es de Keras",
        ),
    ]:
        with pytest.raises(ValueError, match=text):
            from_keras(model)


def test_namesakes_of_our_own_are_refused_too(monkeypatch):
    # Lo mismo en el otro sentido: aquí una capa tuya que se llama como una de Keras, o como una del libro.
    monkeypatch.setitem(sys.modules, "keras", pretender())
    layer = type("GroupNormalization", (Layer,), {"forward": lambda self, x, training=False: self.ready(x)})
    with pytest.raises(ValueError, match="Keras no tiene GroupNormalization"):
        to_keras(Sequential([Input((2,)), layer()]))
    dense = type("Dense", (Dense,), {"__init__": Dense.__init__})
    with pytest.raises(TypeError, match="Dense es una clase tuya que se llama como otra del libro"):
        to_keras(Sequential([Input((2,)), dense(3)]))
    with pytest.raises(ValueError, match="se esperaba un Sequential de este libro"):
        to_keras(type("Sequential", (Sequential,), {})([Input((2,)), Dense(3)]))


def pretender():
    module = types.ModuleType("keras")
    module.config = types.SimpleNamespace(dtype_policy=lambda: "float32", set_dtype_policy=lambda name: None)
    module.Input, module.Sequential = (lambda *a, **o: None), (lambda *a: None)
    module.layers = types.SimpleNamespace(LayerNormalization=dict, Dense=dict)
    module.Model = type("Model", (), {})
    return module


@pytest.mark.parametrize("bad", [None, [], [Dense(2)], "red", 3, Dense])
def test_what_is_no_model_is_said_so(monkeypatch, bad):
    monkeypatch.setitem(sys.modules, "keras", pretender())
    with pytest.raises(ValueError, match=r"model: se esperaba un Sequential de este libro, pero llegó"):
        to_keras(bad)
    with pytest.raises(ValueError, match=r"model: se esperaba un modelo de Keras, pero llegó"):
        from_keras(bad)
