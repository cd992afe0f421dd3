r"""Tomar filas de donde diga la memoria: de qué arreglo y cuáles puede cambiar de un paso a otro.

Un paso grabado (:mod:`dlbook.numeric.recording`) repite siempre lo mismo, con los mismos argumentos. Lo que cambia de
un paso a otro, que son los datos, no puede ser un argumento: se apunta en una tabla, y el núcleo la lee.
"""

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from dlbook.numeric.kernel import kernel
from dlbook.numeric.replay import word

# Los lugares de la tabla: desde qué fila, en qué orden van (dónde está ese arreglo; 0, si van como están) y, de cada
# columna, dónde empieza y cuántos bytes hay de una fila a la siguiente.
START, ORDER, COLUMNS = 0, 1, 2


@intrinsic
def _bring(typing, source, out, i, size):
    # Copia ``size`` bytes desde una dirección a la fila ``i`` de un arreglo de bytes. Un ciclo tardaría el doble.
    def write(context, builder, signature, arguments):
        source, out, i, size = arguments
        row = builder.gep(context.make_array(signature.args[1])(context, builder, out).data, [builder.mul(i, size)])
        cgutils.raw_memcpy(builder, row, builder.inttoptr(source, row.type), size, 1)
        return context.get_dummy_value()

    return types.void(types.uint64, out, types.intp, types.intp), write


@kernel
def _gather(table, column, first, out):
    rows, size = out.shape
    source, stride = table[COLUMNS + 2 * column], table[COLUMNS + 2 * column + 1]
    start, order = table[START] + np.uint64(first), table[ORDER]
    for i in range(rows):
        row = start + np.uint64(i)
        if order != 0:
            row = word(order, row)
        _bring(source + row * stride, out, i, size)


class Table:
    r"""De dónde se toman las filas en un paso.

    >>> x = np.arange(10.0).reshape(5, 2)
    >>> table, out = Table(1), np.empty((2, 2))
    >>> table.point(0, x)
    >>> table.place(1)
    >>> table.gather(0, 0, out)
    >>> out
    array([[2., 3.],
           [4., 5.]])

    Con otro orden, y empezando una fila después:

    >>> order = np.array([4, 3, 2, 1, 0])
    >>> table.place(1, order)
    >>> table.gather(0, 1, out)
    >>> out
    array([[4., 5.],
           [2., 3.]])

    **Nada se comprueba**: las filas tienen que existir, y los arreglos, vivir mientras se usen.

    Parameters
    ----------
    columns : int
        De cuántos arreglos.
    """

    def __init__(self, columns):
        self.words = np.zeros(COLUMNS + 2 * columns, np.uint64)
        self.order = None

    def point(self, column, array):
        r"""Apunta de qué arreglo es una columna; los números de cada fila tienen que ir seguidos."""
        self.words[COLUMNS + 2 * column :][:2] = array.ctypes.data, array.strides[0] % 2**64

    def place(self, start, order=None):
        r"""Dice desde qué fila va el paso.

        Parameters
        ----------
        start : int
            La primera, en ese orden.
        order : ndarray of int64, optional
            En qué orden van las filas; sin él, como están.
        """
        self.words[START] = start
        if order is not self.order:
            self.words[ORDER] = 0 if order is None else order.ctypes.data
            self.order = order

    def forget(self):
        r"""Olvida el orden, que era de unos datos."""
        self.place(0)

    def gather(self, column, first, out):
        r"""Copia a ``out`` las filas de una columna.

        Parameters
        ----------
        column : int
            Cuál.
        first : int
            Cuántas filas después de la primera del paso.
        out : ndarray, shape (m, ...)
            Del tipo de la columna, contiguo.
        """
        _gather(self.words, column, first, out.reshape(len(out), -1).view(np.uint8))
