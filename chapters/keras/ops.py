r"""Las operaciones con arreglos, como en ``keras.ops``."""

from chapters.mlp.tape.ops import *  # noqa: F403
from chapters.mlp.tape.ops import __all__ as __all__
