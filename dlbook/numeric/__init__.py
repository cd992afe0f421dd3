r"""Lo que hace cuentas: hilos, productos de matrices y vectores."""

from dlbook.cache import use_numba_cache

# Antes de que nadie compile.
use_numba_cache()
