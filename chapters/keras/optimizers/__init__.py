r"""Los optimizadores, como en ``keras.optimizers``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    kind="optimizer",
    homes=["chapters.mlp.optimizers"],
    schedules="chapters.keras.optimizers.schedules:",
    serialize="dlbook.saving:serialize",
    deserialize="dlbook.saving:deserialize",
)
