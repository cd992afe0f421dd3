r"""Capítulo 3: redes convolucionales."""

__all__ = []
