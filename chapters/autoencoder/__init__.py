r"""Capítulo 4: autocodificadores y modelos generativos."""

from chapters.autoencoder.unet.elastic import elastic_deformation, elastic_field
from chapters.autoencoder.unet.overlap import Dice, IoULoss, OverlapLoss, Tversky
from chapters.autoencoder.unet.unet import unet, unet_shapes

__all__ = [
    "Dice",
    "IoULoss",
    "OverlapLoss",
    "Tversky",
    "elastic_deformation",
    "elastic_field",
    "unet",
    "unet_shapes",
]
