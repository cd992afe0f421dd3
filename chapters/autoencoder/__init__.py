r"""Capítulo 4: autocodificadores y modelos generativos."""

from chapters.autoencoder.codes.anomaly import anomaly_score, anomaly_threshold
from chapters.autoencoder.images.convolutional import convolutional_autoencoder

__all__ = ["anomaly_score", "anomaly_threshold", "convolutional_autoencoder"]
