r"""Capítulo 3: redes convolucionales."""

from chapters.cnn.geometry import kernel_span, output_size, same_padding

__all__ = [
    "kernel_span",
    "output_size",
    "same_padding",
]
