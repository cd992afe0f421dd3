r"""Las métricas, como en ``keras.metrics``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    kind="metric",
    homes=["chapters.mlp.losses"],
    get=None,
    serialize="dlbook.saving:serialize",
    deserialize="dlbook.saving:deserialize",
)
