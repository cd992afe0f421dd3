r"""Lo que se llama mientras se entrena, como en ``keras.callbacks``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    kind="callback",
)
