r"""Las piezas del paso del tiempo, para el código compilado: nada de esto comprueba sus argumentos."""

import numpy as np

from chapters.mlp.activations.exponential import exp, expm1
from dlbook import check
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul, matmul_transposed
from dlbook.numeric.vectors import BYTES

# De a cuántas filas se recorre lo que no cabe en la caché: las de un pedazo caben.
DEPTH = 128
# Sin máscara: un arreglo vacío, que el código compilado sabe reconocer.
NO_MASK = np.zeros((0, 0), bool)


def packed_shape(shape, itemsize):
    r"""Da la forma en que :func:`pack` deja una matriz, en franjas de dos vectores de ancho."""
    width = 2 * BYTES // itemsize
    return -(-shape[1] // width), shape[0], width


@kernel(error_model="numpy", fastmath={"contract"})
def sigmoid(a):
    r"""La sigmoide de un número, para código compilado."""
    one, small = type(a)(1), exp(-abs(a))
    return (one if a >= 0 else small) / (one + small)


@kernel(error_model="numpy", fastmath={"contract"})
def tanh(a):
    r"""La tangente hiperbólica de un número, para código compilado."""
    two = type(a)(2)
    small = expm1(-two * abs(a))
    value = small / (two + small)
    return -value if a > 0 else value


@kernel
def to_steps(x, factor, backwards, out):
    r"""Copia ``x``, de forma (n, T, d), como ``out``, (T, n, d), multiplicada por ``factor``, (n, d) o vacío."""
    n, steps, d = x.shape
    for t in range(steps):
        source = steps - 1 - t if backwards else t
        for i in range(n):
            if factor.shape[0]:
                for j in range(d):
                    out[t, i, j] = x[i, source, j] * factor[i, j]
            else:
                for j in range(d):
                    out[t, i, j] = x[i, source, j]


@kernel
def from_steps(dx, factor, backwards, out):
    r"""Deshace :func:`to_steps`: copia ``dx``, de forma (T, n, d), como ``out``, (n, T, d)."""
    steps, n, d = dx.shape
    for i in range(n):
        for t in range(steps):
            source = steps - 1 - t if backwards else t
            if factor.shape[0]:
                for j in range(d):
                    out[i, t, j] = dx[source, i, j] * factor[i, j]
            else:
                for j in range(d):
                    out[i, t, j] = dx[source, i, j]


@kernel
def pack(w, first, out):
    r"""Copia una matriz en franjas de columnas, a partir de la fila ``first``.

    Queda ``out[p, first + i, j] = w[i, p * ancho + j]``.
    """
    depth, m = w.shape
    width = out.shape[2]
    for p in range(out.shape[0]):
        count = min(width, m - p * width)
        for i in range(depth):
            for j in range(count):
                out[p, first + i, j] = w[i, p * width + j]


@kernel
def pack_transposed(w, first, out):
    r"""Copia la traspuesta de una matriz en franjas de columnas, a partir de la columna ``first``."""
    m, depth = w.shape
    width = out.shape[2]
    for row in range(0, m, width):
        # De a pocos: las líneas de la caché que se escriben son las mismas para todas las filas del grupo.
        for start in range(0, depth, DEPTH):
            for k in range(row, min(row + width, m)):
                p, j = divmod(first + k, width)
                for i in range(start, min(start + DEPTH, depth)):
                    out[p, i, j] = w[k, i]


def in_strips(w):
    r"""Da una matriz en franjas de columnas, como se lee en cada paso."""
    out = check.empty(packed_shape(w.shape, w.itemsize), "packed", w.dtype)
    pack(np.ascontiguousarray(w), 0, out)
    return out


@kernel
def matmul_packed(a, packed, out):
    r"""Escribe en ``out`` el producto de ``a`` por la matriz que :func:`pack` puso en franjas."""
    width = packed.shape[2]
    m = out.shape[1]
    for p in range(packed.shape[0]):
        j = p * width
        columns = min(width, m - j)
        matmul(a, packed[p, :, :columns], out[:, j : j + columns])


@kernel
def recur(h, u, packed, drop, dropped, out):
    r"""Escribe en ``out`` el producto ``h @ u``; con monedas ``drop``, (n, compuertas, unidades), las de cada una.

    Para un solo paso no conviene poner ``u`` en franjas: ``packed`` llega vacío.
    """
    if drop.shape[0] == 0 and packed.shape[0] == 0:
        matmul(h, u, out)
        return
    if drop.shape[0] == 0:
        matmul_packed(h, packed, out)
        return
    n, units = h.shape
    for g in range(drop.shape[1]):
        for i in range(n):
            for j in range(units):
                dropped[i, j] = h[i, j] * drop[i, g, j]
        columns = slice(g * units, (g + 1) * units)
        matmul(dropped, u[:, columns], out[:, columns])


@kernel
def drop_states(h, drop, g, out):
    r"""Escribe en ``out`` los estados ``h``, (T, n, u), con las monedas de la compuerta ``g``."""
    for t in range(h.shape[0]):
        for i in range(h.shape[1]):
            for j in range(h.shape[2]):
                out[t, i, j] = h[t, i, j] * drop[i, g, j]


@kernel
def recur_back(dr, u, packed, drop, dropped, dh):
    r"""Escribe en ``dh`` el gradiente de ``h`` en :func:`recur`; en ``packed`` está la traspuesta de ``u``."""
    if drop.shape[0] == 0:
        matmul_packed(dr, packed, dh)
        return
    n, units = dh.shape
    dh[:] = 0
    for g in range(drop.shape[1]):
        columns = slice(g * units, (g + 1) * units)
        matmul_transposed(dr[:, columns], u[:, columns], dropped)
        for i in range(n):
            for j in range(units):
                dh[i, j] += dropped[i, j] * drop[i, g, j]


@kernel
def carry(real, before, after):
    r"""Donde el paso está tapado, ``real[i]`` falso, el estado sigue como estaba."""
    for i in range(real.size):
        if not real[i]:
            after[i] = before[i]


@kernel
def states_to_outputs(h, mask, y):
    r"""Copia los estados ``h[1:]``, (T, n, u), como ``y``, (n, T, u); antes del primer paso real, ceros."""
    n, steps, units = y.shape
    for i in range(n):
        alive = mask.shape[0] == 0
        for t in range(steps):
            alive = alive or mask[t, i]
            for j in range(units):
                y[i, t, j] = h[t + 1, i, j] if alive else 0


@kernel
def outputs_to_steps(dy, mask, out):
    r"""Copia el gradiente de las salidas, (n, T, u), como (T, n, u); antes del primer paso real, ceros."""
    n, steps, units = dy.shape
    for i in range(n):
        alive = mask.shape[0] == 0
        for t in range(steps):
            alive = alive or mask[t, i]
            for j in range(units):
                out[t, i, j] = dy[i, t, j] if alive else 0


@kernel
def some_real(mask, i):
    r"""Dice si la secuencia ``i`` tiene algún paso real; sin máscara, sí."""
    found = mask.shape[0] == 0
    for t in range(mask.shape[0]):
        found = found or mask[t, i]
    return found


@kernel
def last_output(h, mask, y):
    r"""Copia el último estado, ``h[-1]``, como ``y``, (n, u); de la secuencia sin un solo paso real, ceros."""
    for i in range(y.shape[0]):
        alive = some_real(mask, i)
        for j in range(y.shape[1]):
            y[i, j] = h[-1, i, j] if alive else 0


@kernel
def add_last_output(dy, mask, dh):
    r"""Suma en ``dh`` el gradiente de :func:`last_output`."""
    for i in range(dy.shape[0]):
        if some_real(mask, i):
            for j in range(dy.shape[1]):
                dh[i, j] += dy[i, j]
