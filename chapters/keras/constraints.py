r"""Los límites de los pesos, como en ``keras.constraints``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    kind="constraint",
    homes=["chapters.mlp.constraints"],
    serialize="dlbook.saving:serialize",
    deserialize="dlbook.saving:deserialize",
)
