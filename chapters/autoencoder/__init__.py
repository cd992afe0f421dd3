r"""Capítulo 4: autocodificadores y modelos generativos."""

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
