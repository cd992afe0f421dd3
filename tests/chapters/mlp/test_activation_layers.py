"""Las activaciones como capas: con los argumentos de Keras, dentro de una lista y como activación de otra."""

import warnings

import numpy as np
import pytest

from chapters.mlp import Activation, Dense, Input, Layer, Sequential, activations, load_model
from chapters.mlp.activation_layers import ELU, LeakyReLU, ReLU, Softmax

X = np.random.default_rng(0).normal(size=(6, 4)) * 3
EVERY = [
    (ReLU(max_value=2, negative_slope=0.1), activations.ReLU(0.1, 2)),
    (ReLU(6.0), activations.relu6),
    (LeakyReLU(), activations.LeakyReLU(0.3)),
    (LeakyReLU(alpha=0.1), activations.LeakyReLU(0.1)),
    (ELU(0.5), activations.ELU(0.5)),
    (Softmax(), activations.softmax),
]


@pytest.mark.parametrize(("layer", "activation"), EVERY, ids=lambda value: repr(value))
def test_a_layer_does_what_its_activation_does_and_may_be_the_activation_of_another(layer, activation):
    assert isinstance(layer, Layer)
    alone = type(layer)(**{name: getattr(layer, name) for name in type(layer).configurable if name in vars(layer)})
    np.testing.assert_array_equal(alone.forward(X.astype("float32")), activation(X.astype("float32")))
    inside = Dense(3, activation=layer, dtype="float64", seed=0)
    assert repr(inside.activation) == repr(activation)
    assert repr(Activation(layer).activation) == repr(activation)


def test_they_are_saved_named_and_listed_as_layers(tmp_path):
    layers = [Input((4,)), Dense(3), ReLU(), Dense(3), LeakyReLU(name="fuga"), ELU(), Dense(3), Softmax()]
    model = Sequential(layers, dtype="float64", seed=0)
    names = [layer.name for layer in model.layers]
    assert names == ["dense", "re_lu", "dense_1", "fuga", "elu", "dense_2", "softmax"]
    model.save(tmp_path / "red.safetensors")
    again = load_model(tmp_path / "red.safetensors")
    assert [type(layer) for layer in again.layers] == [type(layer) for layer in model.layers]
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


def test_an_activation_in_a_list_of_layers_becomes_a_layer():
    model = Sequential([Dense(3), activations.LeakyReLU(0.1), Dense(2), activations.softmax], dtype="float64", seed=0)
    model.add(activations.Tanh())
    same = Sequential(
        [Dense(3, activation=activations.LeakyReLU(0.1)), Dense(2, "softmax"), Activation("tanh")],
        dtype="float64",
        seed=0,
    )
    model.build((4,))
    same.build((4,))
    model.set_weights(same.get_weights())
    np.testing.assert_array_equal(model.forward(X), same.forward(X))
    assert all(isinstance(layer, Layer) for layer in model.layers)


def test_what_is_assigned_later_counts():
    layer = LeakyReLU(dtype="float64")
    layer.forward(X)
    layer.negative_slope = 0.5
    np.testing.assert_array_equal(layer.forward(X), activations.LeakyReLU(0.5)(X))
    with pytest.raises(ValueError, match="negative_slope: se esperaba un número de al menos 0"):
        layer.negative_slope = -1


def test_a_softmax_over_the_observations_is_refused():
    for axis, shape in ((0, (3,)), (-2, (3,)), (2, (3,)), (-4, (3, 2))):
        with pytest.raises(ValueError, match="axis: se esperaba un"):
            Softmax(axis=axis).build(shape)
        with pytest.raises(ValueError, match="axis: se esperaba un"):
            Dense(3, activation=activations.Softmax(axis=axis)).forward(np.ones((2, *shape)))


def test_a_plain_relu_is_fused_in_a_convolution_and_one_with_a_ceiling_is_not():
    from chapters.cnn import Conv2D

    x = np.random.default_rng(0).normal(size=(1, 5, 5, 1)) * 5
    one, other = (Conv2D(2, 3, activation=f, dtype="float64", seed=0) for f in (activations.relu6, None))
    np.testing.assert_allclose(one.forward(x), activations.relu6(other.forward(x)), rtol=1e-12)
    assert one.y.max() == 6


def test_large_numbers_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isinf(activations.exponential(1e4))
