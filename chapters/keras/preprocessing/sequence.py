r"""Preparar secuencias, como en ``keras.preprocessing.sequence``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    homes=["chapters.keras.utils"],
)
