"""Los códigos: las tres redes comparten capas, PCA es la lineal, la KL es la del lote entero."""

import numpy as np
import pytest
import scipy.linalg

from chapters.autoencoder import (
    KLSparsity,
    TiedAutoencoder,
    autoencoder,
    compression_rate,
    kl_sparsity,
    reconstruction_error,
)
from chapters.introduction import pca
from chapters.mlp import Adam, CosineDecay, Dense, Input, Model, Sequential
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import get_threads, set_threads


def test_the_three_models_share_their_weights():
    whole, encoder, decoder = autoencoder(6, [5, 4], 2, "tanh", seed=0, dtype="float64")
    x = np.random.default_rng(0).normal(size=(7, 6))
    whole.compile("sgd", "mse")
    before = encoder.predict(x)
    whole.fit(x, x, epochs=1, verbose=0)
    assert not np.allclose(encoder.predict(x), before)
    np.testing.assert_array_equal(decoder.predict(encoder.predict(x)), whole.predict(x))
    assert whole.count_params() == encoder.count_params() + decoder.count_params()


def test_seed_decides_every_weight():
    first, again, other = (autoencoder(6, [4], 2, seed=seed)[0].get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_one_network_learns_eight_words_with_three_numbers():
    x = np.eye(8, dtype="float32")
    ends = {"latent_activation": "sigmoid", "output_activation": "sigmoid"}
    whole, _, _ = autoencoder(8, [], 3, seed=0, **ends)
    whole.compile(Adam(0.05), "binary_crossentropy")
    whole.fit(x, x, batch_size=8, epochs=1200, verbose=0)
    assert (whole.predict(x).argmax(axis=1) == np.arange(8)).all()


def test_error_is_of_each_observation_whatever_its_shape():
    x = np.random.default_rng(0).normal(size=(5, 4, 3))
    error = reconstruction_error(x, np.zeros_like(x))
    np.testing.assert_allclose(error, (x**2).mean(axis=(1, 2)))
    assert compression_rate(10, 20) == 0.5


def test_no_linear_network_beats_pca_and_training_reaches_it():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 6)) * [5, 3, 2, 0.5, 0.4, 0.3] @ np.linalg.qr(rng.normal(size=(6, 6)))[0] + 1
    mean, v, _ = pca(x, 2)
    best = reconstruction_error(x, mean + (x - mean) @ v @ v.T).mean()
    for seed in range(20):
        random, _, _ = autoencoder(6, [], 2, seed=seed, dtype="float64")
        assert reconstruction_error(x, random.predict(x)).mean() > best
    whole, _, _ = autoencoder(6, [], 2, seed=0, dtype="float64")
    whole.compile(Adam(CosineDecay(0.05, 600)), "mse")
    whole.fit(x, x, 50, 150, verbose=0)
    assert best <= reconstruction_error(x, whole.predict(x)).mean() < 1.001 * best
    assert np.degrees(scipy.linalg.subspace_angles(v, whole.layers[-1].kernel.T)).max() < 2


def test_tied_is_the_untied_network_with_the_transpose():
    rng = np.random.default_rng(0)
    x, w, b, c = rng.normal(size=(9, 5)), rng.normal(size=(5, 3)), rng.normal(size=3), rng.normal(size=5)
    tied = TiedAutoencoder(3, activation="tanh", output_activation="sigmoid", dtype="float64")
    tied.build((5,))
    tied.set_weights([w, b, c])
    ends = {"latent_activation": "tanh", "output_activation": "sigmoid"}
    whole, encoder, _ = autoencoder(5, [], 3, dtype="float64", **ends)
    whole.set_weights([w, b, w.T, c])
    np.testing.assert_allclose(tied.forward(x), whole.predict(x))
    np.testing.assert_allclose(tied.encode(x), encoder.predict(x))
    dy = rng.normal(size=x.shape)
    tied.backward(dy)
    whole.forward(x)
    whole.backward(dy)
    first, second = whole.layers[1].gradients[0], whole.layers[-1].gradients[0]
    np.testing.assert_allclose(tied.gradients[0], first + second.T)


def test_kl_and_its_gradient():
    codes = np.random.default_rng(0).uniform(0.05, 0.95, size=(6, 4))
    _, gradient = kl_sparsity(codes, 0.1)
    assert check_gradients(lambda: kl_sparsity(codes, 0.1)[0], {"codes": codes}, {"codes": gradient}).ok
    value, gradient = kl_sparsity(np.full((3, 2), 0.25), 0.25)
    assert abs(value) < 1e-15
    assert np.abs(gradient).max() < 1e-15


@pytest.mark.parametrize("codes", [np.zeros((3, 2)), np.ones((3, 2))])
def test_kl_of_a_neuron_that_never_changes_is_finite(codes):
    value, gradient = kl_sparsity(codes, 0.1)
    assert np.isfinite(value)
    assert value > 0
    assert (gradient == 0).all()


def sparse_network():
    x = Input((12,))
    h = KLSparsity(0.1, 0.5)(Dense(9, "sigmoid")(x))
    model = Model(x, Dense(12)(h), dtype="float64", seed=0)
    model.compile("sgd", "mse")
    return model


def test_kl_layer_charges_the_whole_batch_with_any_number_of_threads(monkeypatch):
    monkeypatch.setattr("dlbook.training.engine.WORK_PER_THREAD", 1)
    x = np.random.default_rng(0).normal(size=(40, 12))
    found, threads = [], get_threads()
    try:
        for n in (1, 2, 3):
            set_threads(n)
            found.append(sparse_network().loss_and_gradient(x, x, training=True))
    finally:
        set_threads(threads)
    for loss, gradient in found[1:]:
        assert np.isclose(loss, found[0][0], rtol=1e-12)
        np.testing.assert_allclose(gradient, found[0][1], atol=1e-14)


def test_kl_layer_adds_the_function_and_only_while_training():
    model = sparse_network()
    x = np.random.default_rng(0).normal(size=(40, 12))
    training, _ = model.loss_and_gradient(x, x, training=True)
    predicting, _ = model.loss_and_gradient(x, x, training=False)
    codes = 1 / (1 + np.exp(-(x @ model.layers[1].kernel + model.layers[1].bias)))
    assert np.isclose(training - predicting, 0.5 * kl_sparsity(codes, 0.1)[0])
    assert np.isclose(predicting, ((model.predict(x) - x) ** 2).mean())


def test_kl_layer_in_sequential_makes_codes_rare():
    x = np.random.default_rng(0).uniform(size=(200, 10))
    mean = []
    for weight in (0, 1):
        layers = [Input((10,)), Dense(8, "sigmoid"), KLSparsity(0.05, weight), Dense(10)]
        model = Sequential(layers, seed=0)
        model.compile(Adam(0.01), "mse")
        model.fit(x, x, 50, 40, verbose=0)
        mean.append(Model(model.inputs, model.layers[0].output).predict(x).mean())
    assert mean[1] < 0.1 < mean[0]
