r"""Las capas, como en ``keras.layers``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(
    __name__,
    kind="layer",
    homes=["chapters.mlp", "chapters.cnn", "chapters.cnn.aliases", "chapters.mlp.merging"],
    # En Keras es una capa; aquí, una función con memoria.
    TextVectorization="chapters.rnn:TextVectorization",
    serialize="dlbook.saving:serialize",
    deserialize="dlbook.saving:deserialize",
)
