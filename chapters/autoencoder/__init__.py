r"""Capítulo 4: autocodificadores y modelos generativos."""

from chapters.autoencoder.gan.adversarial_losses import discriminator_loss, generator_loss
from chapters.autoencoder.gan.coverage import mode_coverage
from chapters.autoencoder.gan.dcgan import dcgan
from chapters.autoencoder.gan.game import gan_value, optimal_discriminator
from chapters.autoencoder.gan.gan import GAN

__all__ = [
    "GAN",
    "dcgan",
    "discriminator_loss",
    "gan_value",
    "generator_loss",
    "mode_coverage",
    "optimal_discriminator",
]
