r"""Números al azar, como en ``keras.random``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    homes=["dlbook.numeric.random"],
)
