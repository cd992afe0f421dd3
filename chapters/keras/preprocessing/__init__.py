r"""Preparar datos, como en ``keras.preprocessing``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    homes=["chapters.keras.utils"],
    image="chapters.keras.preprocessing.image:",
    sequence="chapters.keras.preprocessing.sequence:",
)
