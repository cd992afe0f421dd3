r"""Las pérdidas, como en ``keras.losses``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    kind="loss",
    homes=["chapters.mlp.losses"],
    serialize="dlbook.saving:serialize",
    deserialize="dlbook.saving:deserialize",
)
