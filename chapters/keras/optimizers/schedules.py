r"""Los programas de la tasa, como en ``keras.optimizers.schedules``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    kind="schedule",
    serialize="dlbook.saving:serialize",
    deserialize="dlbook.saving:deserialize",
)
