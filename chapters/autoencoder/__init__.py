r"""Capítulo 4: autocodificadores y modelos generativos."""

from chapters.autoencoder.vae.autoencoder import elbo, vae
from chapters.autoencoder.vae.gaussian_kl import gaussian_kl, gaussian_kl_backward
from chapters.autoencoder.vae.sampling import Sampling

__all__ = ["Sampling", "elbo", "gaussian_kl", "gaussian_kl_backward", "vae"]
