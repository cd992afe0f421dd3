"""El autocodificador variacional: su capa, su cota y lo que el libro afirma de ella."""

import numpy as np
import pytest

from chapters.autoencoder import Sampling, elbo, gaussian_kl, gaussian_kl_backward, vae
from dlbook.gradcheck import check_gradients
from dlbook.numeric.parallel import set_threads
from dlbook.training import engine

RNG = np.random.default_rng(0)
X = RNG.random((12, 6))


def fixed_noise(model, n, latent):
    noise = np.random.default_rng(1).normal(size=(n, latent))
    layer = next(layer for layer in model.layers if isinstance(layer, Sampling))
    layer.normal = lambda x: noise
    return model


def small(beta=1.0):
    model, encoder, decoder = vae(6, 5, 2, beta, "tanh", seed=0, dtype="float64")
    model.compile("sgd", "binary_crossentropy", loss_weights=[6])
    return model, encoder, decoder


def test_the_divergence_and_its_gradient():
    mean, log_var, g = (RNG.normal(size=s) for s in ((5, 3), (5, 3), 5))
    dmean, dlog_var = gaussian_kl_backward(mean, log_var, g)
    report = check_gradients(
        lambda: g @ gaussian_kl(mean, log_var),
        {"mean": mean, "log_var": log_var},
        {"mean": dmean, "log_var": dlog_var},
    )
    assert report.ok, str(report)


def test_the_divergence_is_the_mean_of_the_difference_of_logarithms():
    mean, std = np.array([0.5, -1.0]), np.array([0.7, 1.5])
    z = mean + std * RNG.normal(size=(400_000, 2))
    log_q = -np.log(std) - ((z - mean) / std) ** 2 / 2
    difference = (log_q + z**2 / 2).sum(axis=1)
    exact = gaussian_kl(mean[None], 2 * np.log(std)[None])[0]
    assert abs(difference.mean() - exact) < 4 * difference.std() / np.sqrt(len(z))


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.5])
def test_the_gradient_of_the_layer(beta):
    layer = Sampling(beta, dtype="float64")
    noise = RNG.normal(size=(4, 3))
    layer.normal = lambda x: noise
    mean, log_var, dy = RNG.normal(size=(3, 4, 3))

    def loss():
        z = layer.forward([mean, log_var], training=True)
        return (z * dy).sum() + layer.added[-1].mean()

    layer.forward([mean, log_var], training=True)
    dmean, dlog_var = layer.backward(dy)
    gradients = {"mean": dmean, "log_var": dlog_var}
    report = check_gradients(loss, {"mean": mean, "log_var": log_var}, gradients)
    assert report.ok, str(report)


def test_the_gradient_of_the_whole_model():
    model, *_ = small(1.5)
    fixed_noise(model, len(X), 2)
    _, gradient = model.loss_and_gradient(X, X, training=True)
    report = check_gradients(
        lambda: model.loss_and_gradient(X, X, training=True)[0], {"theta": model.theta}, {"theta": gradient}
    )
    assert report.ok, str(report)


def test_the_loss_is_the_bound_with_its_sign_changed():
    model, encoder, decoder = small()
    # Sin azar, la pérdida de entrenar es la de la media: con varianza casi cero las dos coinciden.
    weights = encoder.get_weights()
    weights[-2][:], weights[-1][:] = 0, -40
    encoder.set_weights(weights)
    loss, _ = model.loss_and_gradient(X, X, training=True)
    reconstruction, kl = elbo(encoder, decoder, X)
    assert loss == pytest.approx(float((kl - reconstruction).mean()), rel=1e-5)


def test_the_draw_does_not_depend_on_the_threads(monkeypatch):
    monkeypatch.setattr(engine, "WORK_PER_THREAD", 1)

    def trained(threads):
        set_threads(threads)
        model, *_ = vae(6, 5, 2, seed=3)
        model.compile("adam", "binary_crossentropy", loss_weights=[6])
        model.fit(X, X, 6, 3, verbose=0)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    try:
        assert np.allclose(trained(1), trained(3), atol=1e-5)
    finally:
        set_threads(None)


def test_more_samples_only_narrow_the_estimate():
    _, encoder, decoder = vae(6, 5, 2, seed=0)
    few = [elbo(encoder, decoder, X, 2, seed)[0].mean() for seed in range(20)]
    many = [elbo(encoder, decoder, X, 32, seed)[0].mean() for seed in range(20)]
    assert np.std(many) < np.std(few) / 2
    assert np.mean(many) == pytest.approx(np.mean(few), abs=4 * np.std(few) / np.sqrt(20))


def test_predicting_gives_the_mean():
    layer = Sampling()
    assert np.array_equal(layer.forward([[[1.0, 2.0]], [[0.0, 3.0]]]), [[1, 2]])


def test_data_out_of_range_is_refused():
    _, encoder, decoder = vae(2, 3, 1)
    with pytest.raises(ValueError, match="entre 0 y 1"):
        elbo(encoder, decoder, [[0.0, 2.0]])
