r"""Los capítulos del libro, en el orden en que se leen."""

import dlbook  # noqa: F401  (fija la caché de numba antes de que nadie compile)
