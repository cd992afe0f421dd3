r"""Las penalizaciones, como en ``keras.regularizers``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    kind="regularizer",
    homes=["chapters.mlp.regularizers"],
    serialize="dlbook.saving:serialize",
    deserialize="dlbook.saving:deserialize",
)
