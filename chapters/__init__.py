r"""Los capítulos del libro, en el orden en que se leen."""

# Importar dlbook fija la caché de numba antes de que nadie compile.
from dlbook import registry

registry.provide(__name__)
