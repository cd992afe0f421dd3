r"""Los inicializadores, como en ``keras.initializers``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    kind="initializer",
    homes=["chapters.mlp.initializers"],
    IdentityInitializer="chapters.mlp.initializers:Identity",
    OrthogonalInitializer="chapters.mlp.initializers:Orthogonal",
    serialize="dlbook.saving:serialize",
    deserialize="dlbook.saving:deserialize",
)
