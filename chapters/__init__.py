r"""Los capítulos del libro, en el orden en que se leen."""

from dlbook import registry
from dlbook.cache import use_numba_cache

# Antes de que nadie compile.
use_numba_cache()
registry.provide(__name__)
