r"""Capítulo 4: autocodificadores y modelos generativos."""

from chapters.autoencoder.codes.autoencoder import autoencoder, compression_rate, reconstruction_error
from chapters.autoencoder.codes.sparsity import KLSparsity, kl_sparsity
from chapters.autoencoder.codes.tied import TiedAutoencoder

__all__ = [
    "KLSparsity",
    "TiedAutoencoder",
    "autoencoder",
    "compression_rate",
    "kl_sparsity",
    "reconstruction_error",
]
from chapters.autoencoder.codes.anomaly import anomaly_score, anomaly_threshold
from chapters.autoencoder.images.convolutional import convolutional_autoencoder

__all__ = ["anomaly_score", "anomaly_threshold", "convolutional_autoencoder"]
from chapters.autoencoder.diffusion.process import (
    cosine_schedule,
    diffuse,
    implicit_step,
    linear_schedule,
    posterior,
    reverse_step,
    sample,
)

__all__ = [
    "cosine_schedule",
    "diffuse",
    "implicit_step",
    "linear_schedule",
    "posterior",
    "reverse_step",
    "sample",
]
