r"""Preparar imágenes, como en ``keras.preprocessing.image``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    homes=["chapters.keras.utils"],
)
