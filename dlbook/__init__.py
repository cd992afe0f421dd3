r"""El banco de trabajo del libro: datos, figuras, comprobaciones y herramientas de las páginas.

``chapters`` importa ``dlbook``; ``dlbook`` nunca importa un capítulo.
"""

from dlbook._cache import use_numba_cache

__version__ = "0.1.0"

use_numba_cache()
