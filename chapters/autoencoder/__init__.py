r"""Capítulo 4: autocodificadores y modelos generativos."""

from chapters.autoencoder.codes.anomaly import anomaly_threshold
from chapters.autoencoder.codes.autoencoder import autoencoder, compression_rate, reconstruction_error
from chapters.autoencoder.codes.sparsity import KLSparsity, kl_sparsity
from chapters.autoencoder.codes.tied import TiedAutoencoder
from chapters.autoencoder.diffusion.process import (
    cosine_schedule,
    diffuse,
    implicit_step,
    linear_schedule,
    posterior,
    reverse_step,
    sample,
)
from chapters.autoencoder.gan.adversarial_losses import discriminator_loss, generator_loss
from chapters.autoencoder.gan.coverage import mode_coverage
from chapters.autoencoder.gan.dcgan import dcgan
from chapters.autoencoder.gan.game import gan_value, optimal_discriminator
from chapters.autoencoder.gan.gan import GAN
from chapters.autoencoder.images.convolutional import convolutional_autoencoder
from chapters.autoencoder.images.denoiser import optimal_denoiser
from chapters.autoencoder.images.denoising import NoisyPairs
from chapters.autoencoder.images.noise import gaussian_noise, masking_noise, salt_and_pepper_noise
from chapters.autoencoder.images.psnr import psnr
from chapters.autoencoder.images.ssim import ssim, ssim_map
from chapters.autoencoder.unet.elastic import elastic_deformation, elastic_field
from chapters.autoencoder.unet.overlap import Dice, IoULoss, OverlapLoss, Tversky
from chapters.autoencoder.unet.unet import unet, unet_shapes
from chapters.autoencoder.vae.autoencoder import elbo, vae
from chapters.autoencoder.vae.gaussian_kl import gaussian_kl, gaussian_kl_backward
from chapters.autoencoder.vae.sampling import Sampling

__all__ = [
    "GAN",
    "Dice",
    "IoULoss",
    "KLSparsity",
    "NoisyPairs",
    "OverlapLoss",
    "Sampling",
    "TiedAutoencoder",
    "Tversky",
    "anomaly_threshold",
    "autoencoder",
    "compression_rate",
    "convolutional_autoencoder",
    "cosine_schedule",
    "dcgan",
    "diffuse",
    "discriminator_loss",
    "elastic_deformation",
    "elastic_field",
    "elbo",
    "gan_value",
    "gaussian_kl",
    "gaussian_kl_backward",
    "gaussian_noise",
    "generator_loss",
    "implicit_step",
    "kl_sparsity",
    "linear_schedule",
    "masking_noise",
    "mode_coverage",
    "optimal_denoiser",
    "optimal_discriminator",
    "posterior",
    "psnr",
    "reconstruction_error",
    "reverse_step",
    "salt_and_pepper_noise",
    "sample",
    "ssim",
    "ssim_map",
    "unet",
    "unet_shapes",
    "vae",
]
