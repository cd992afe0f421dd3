r"""Las funciones de activación, como en ``keras.activations``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    homes=["chapters.mlp.activations"],
    serialize="dlbook.saving:serialize",
    deserialize="dlbook.saving:deserialize",
)
