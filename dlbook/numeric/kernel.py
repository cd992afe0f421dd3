r"""Un núcleo: una función que numba compila, que suelta el candado de Python y que se puede grabar.

Todos los núcleos del libro se decoran con :func:`kernel`. Quien los llama no nota nada. Pero mientras un paso se graba
(:mod:`dlbook.numeric.recording`), cada llamada además se apunta.
"""

import functools
import inspect
import os

from numba import njit
from numba.core.registry import CPUDispatcher

from dlbook.now import now

# Cómo llama numba a una función compilada.
_run = CPUDispatcher.__call__


class Kernel(CPUDispatcher):
    r"""Una función compilada que, si su hilo está grabando, apunta con qué la llamaron."""

    def __call__(self, *arguments, **named):
        r"""Hace la cuenta; si se está grabando, la hace la grabación, que así la apunta."""
        tape = now.tape
        return _run(self, *arguments, **named) if tape is None else tape.call(self, self.in_order(arguments, named))

    def in_order(self, arguments, named):
        r"""Da los argumentos que llegaron, todos por su posición."""
        return tuple(self.__signature__.bind(*arguments, **named).args) if named else arguments

    @functools.cached_property
    def __signature__(self):
        r"""La firma de la función; se calcula si hace falta, y una vez."""
        return inspect.signature(self.py_func)


def kernel(function=None, **options):
    r"""Decora una función que numba compila, con los argumentos de ``numba.njit``.

    Lo compilado se guarda entre un proceso y otro, y suelta el candado de Python mientras trabaja.

    >>> import numpy as np
    >>> @kernel
    ... def double(x, y):
    ...     for i in range(x.size):
    ...         y[i] = 2 * x[i]
    >>> y = np.empty(3)
    >>> double(np.array([1.0, 2.0, 3.0]), y)
    >>> y
    array([2., 4., 6.])

    Parameters
    ----------
    function : callable
        La función. **No se comprueban los límites** de los arreglos que recibe.
    **options
        Las de numba, como ``fastmath``.

    Returns
    -------
    Kernel
        La función compilada; sin compilador (``NUMBA_DISABLE_JIT=1``), la misma función.
    """
    if function is None:
        return lambda function: kernel(function, **options)
    # Lo que se escribe en un intérprete no está en ningún archivo: no hay dónde guardar lo compilado.
    in_file = os.path.isfile(function.__code__.co_filename)
    compiled = njit(cache=in_file, nogil=True, **options)(function)
    if isinstance(compiled, CPUDispatcher):
        # Es la misma función compilada, con otra manera de llamarla: ``njit`` las hace siempre de la suya.
        compiled.__class__ = Kernel
    return compiled
