r"""Lo general, como en ``keras.backend``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    homes=["dlbook.settings"],
)
