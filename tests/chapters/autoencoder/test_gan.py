"""Las GAN: el juego, las pérdidas, los turnos, la cobertura y la DCGAN."""

import numpy as np
import pytest

from chapters.autoencoder import (
    GAN,
    dcgan,
    discriminator_loss,
    gan_value,
    generator_loss,
    mode_coverage,
    optimal_discriminator,
)
from chapters.mlp import Adam, BinaryCrossentropy, Dense, Input, Sequential
from dlbook.data import gaussian_ring
from dlbook.gradcheck import numeric_gradient


def small(seed=0):
    generator = Sequential([Input((2,)), Dense(8, "relu"), Dense(2)], seed=seed)
    return GAN(generator, Sequential([Input((2,)), Dense(8, "relu"), Dense(1)], seed=seed + 1), seed=seed)


def compiled(seed=0):
    gan = small(seed)
    gan.compile(Adam(1e-2, beta_1=0.5), Adam(1e-2, beta_1=0.5))
    return gan


def distributions(n=20):
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.ones(6), n), rng.dirichlet(np.ones(6), n)


def test_no_discriminator_beats_the_optimal_one():
    rng = np.random.default_rng(1)
    for p, q in zip(*distributions(), strict=True):
        best = gan_value(p, q)
        assert all(gan_value(p, q, d) <= best + 1e-12 for d in rng.random((50, 6)))
        assert np.isclose(gan_value(p, q, optimal_discriminator(p, q)), best)


def test_value_is_twice_jensen_shannon_minus_log_4():
    for p, q in zip(*distributions(), strict=True):
        m = (p + q) / 2
        jsd = (p @ np.log(p / m) + q @ np.log(q / m)) / 2
        assert np.isclose(gan_value(p, q), 2 * jsd - np.log(4))
        assert -np.log(4) < gan_value(p, q) < 0
        assert np.isclose(gan_value(p, p), -np.log(4))
        assert np.allclose(optimal_discriminator(p, p), 0.5)


def test_distributions_that_do_not_touch():
    assert gan_value([1, 0, 0], [0, 0.5, 0.5]) == 0
    assert optimal_discriminator([1, 0, 0], [0, 1, 0]).tolist() == [1, 0, 0.5]
    assert gan_value([1, 0], [0, 1], d=[0, 0]) == -np.inf


@pytest.mark.parametrize("saturating", [False, True])
def test_generator_gradient(saturating):
    fake = np.random.default_rng(2).normal(0, 3, 7)
    _, gradient = generator_loss(fake, saturating)
    assert np.allclose(gradient, numeric_gradient(lambda f: generator_loss(f, saturating)[0], fake), atol=1e-8)


def test_discriminator_gradients_with_different_counts():
    rng = np.random.default_rng(3)
    real, fake = rng.normal(1, 2, 5), rng.normal(-1, 2, 3)
    _, dreal, dfake = discriminator_loss(real, fake)
    assert np.allclose(dreal, numeric_gradient(lambda r: discriminator_loss(r, fake)[0], real), atol=1e-8)
    assert np.allclose(dfake, numeric_gradient(lambda f: discriminator_loss(real, f)[0], fake), atol=1e-8)


def test_losses_do_not_overflow():
    far = np.array([-800.0, 800.0])
    for value in (*discriminator_loss(far, far), *generator_loss(far), *generator_loss(far, True)):
        assert np.isfinite(value).all()


def test_losses_are_binary_crossentropy():
    rng = np.random.default_rng(4)
    real, fake = rng.normal(size=6), rng.normal(size=6)
    bce = BinaryCrossentropy(from_logits=True)
    answers = np.r_[np.ones(6), np.zeros(6)][:, None]
    assert np.isclose(discriminator_loss(real, fake)[0], bce(answers, np.r_[real, fake][:, None]))
    assert np.isclose(generator_loss(fake)[0], bce(np.ones((6, 1)), fake[:, None]))


def test_each_turn_moves_only_its_network():
    gan, (x, _) = compiled(), gaussian_ring(32)
    networks = gan.generator, gan.discriminator
    for turn, moves in ((lambda: gan.train_generator(32), 0), (lambda: gan.train_discriminator(x), 1)):
        before = [network.get_weights() for network in networks]
        turn()
        for k, (network, old) in enumerate(zip(networks, before, strict=True)):
            changed = any((a != b).any() for a, b in zip(network.get_weights(), old, strict=True))
            assert changed == (k == moves)


def test_turn_losses_are_those_of_the_formulas():
    gan, twin = compiled(), compiled()
    logits = twin.discriminator.predict(twin.sample(16), verbose=0)[:, 0]
    assert np.isclose(gan.train_generator(16), generator_loss(logits)[0], atol=1e-5)
    gan, twin, (x, _) = compiled(), compiled(), gaussian_ring(16)
    fake = twin.discriminator.predict(twin.sample(16), verbose=0)[:, 0]
    real = twin.discriminator.predict(x.astype("float32"), verbose=0)[:, 0]
    assert np.isclose(gan.train_discriminator(x), discriminator_loss(real, fake)[0], atol=1e-5)


def test_same_seed_same_samples():
    runs = []
    for _ in range(2):
        gan = compiled()
        gan.fit(gaussian_ring(64)[0], 16, 2)
        runs.append(gan.sample(5))
    assert np.array_equal(*runs)


def test_networks_that_do_not_fit():
    generator = Sequential([Input((2,)), Dense(3)])
    with pytest.raises(ValueError, match="se esperaba un discriminador"):
        GAN(generator, Sequential([Input((2,)), Dense(1)]))
    with pytest.raises(ValueError, match="se esperaba un discriminador"):
        GAN(generator, Sequential([Input((3,)), Dense(2)]))


def test_generator_takes_a_vector():
    unbuilt, image = Sequential([Dense(3)]), dcgan((8, 8, 1), 4, 2)[1]
    for generator in (unbuilt, image):
        with pytest.raises(ValueError, match="generator: se esperaba construido"):
            GAN(generator, Sequential([Input((1,)), Dense(1)]))


@pytest.mark.parametrize("x", [3.0, [], [[1.0, 2.0, 3.0]], [1.0, 2.0]])
@pytest.mark.parametrize("turn", ["fit", "train_on_batch", "train_discriminator"])
def test_data_of_another_shape(x, turn):
    with pytest.raises(ValueError, match="x: se esperaba"):
        getattr(compiled(), turn)(x)


def test_noise_that_does_not_fit_in_memory():
    with pytest.raises(ValueError, match="ruido: harían falta"):
        small().sample(10**13)


def test_each_player_has_its_optimizer():
    optimizer = Adam()
    with pytest.raises(ValueError, match="g_optimizer: se esperaba otro"):
        small().compile(optimizer, optimizer)


def test_coverage_counts_what_it_says():
    x, y = gaussian_ring(4000, noise=0.03)
    centers = np.array([x[y == k].mean(axis=0) for k in range(8)])
    good, covered = mode_coverage(x, centers, 0.2)
    assert good > 0.99
    assert covered.all()
    good, covered = mode_coverage(x[y < 3], centers, 0.2)
    assert good > 0.99
    assert covered.tolist() == [True] * 3 + [False] * 5


@pytest.mark.parametrize("shape", [(8, 8, 1), (12, 8, 3)])
def test_dcgan_shapes(shape):
    generator, discriminator = dcgan(shape, latent=5, filters=4)
    images = generator.predict(np.zeros((3, 5), "float32"), verbose=0)
    assert images.shape == (3, *shape)
    assert 0 <= images.min() <= images.max() <= 1
    assert discriminator.predict(images, verbose=0).shape == (3, 1)


def test_dcgan_sides_are_multiples_of_four():
    with pytest.raises(ValueError, match="múltiplos de 4"):
        dcgan((10, 8, 1))


def test_dcgan_learns_with_its_discriminator_frozen():
    gan = GAN(*dcgan((8, 8, 1), latent=4, filters=4), seed=0)
    gan.compile(Adam(1e-3, beta_1=0.5), Adam(1e-3, beta_1=0.5))
    before = gan.discriminator.get_weights()
    losses = [gan.train_generator(32) for _ in range(30)]
    assert losses[-1] < losses[0]
    assert all((a == b).all() for a, b in zip(gan.discriminator.get_weights(), before, strict=True))
