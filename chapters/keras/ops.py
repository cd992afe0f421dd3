r"""Las operaciones con arreglos, como en ``keras.ops``."""

from chapters.keras.shelf import shelf

__getattr__, __dir__ = shelf(__name__, homes=["chapters.mlp.tape.ops"])
