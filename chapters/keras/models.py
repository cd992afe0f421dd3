r"""Los modelos, como en ``keras.models``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    homes=["chapters.mlp"],
)
