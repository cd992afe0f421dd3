r"""Capítulo 4: autocodificadores y modelos generativos."""

from chapters.autoencoder.images.denoiser import optimal_denoiser
from chapters.autoencoder.images.denoising import NoisyPairs
from chapters.autoencoder.images.noise import gaussian_noise, masking_noise, salt_and_pepper_noise
from chapters.autoencoder.images.psnr import psnr
from chapters.autoencoder.images.ssim import ssim, ssim_map

__all__ = [
    "NoisyPairs",
    "gaussian_noise",
    "masking_noise",
    "optimal_denoiser",
    "psnr",
    "salt_and_pepper_noise",
    "ssim",
    "ssim_map",
]
