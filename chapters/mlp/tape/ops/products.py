r"""Productos que suman: de matrices, de tensores y con la notación de Einstein."""

import numpy as np

from chapters.mlp.tape.operation import axes_of, operation, pair
from chapters.mlp.tape.ops.arithmetic import multiply
from chapters.mlp.tape.ops.shapes import reshape, transpose
from chapters.mlp.tape.tensor import numbers_in, record
from dlbook import check


@operation(np.matmul)
def matmul(x1, x2):
    r"""Producto de matrices, :math:`\mathbf Y=\mathbf A\mathbf B`; con más ejes, de las que forman los dos últimos.

    **Derivación.** De :math:`y_{ij}=\sum_ka_{ik}b_{kj}`, mover :math:`a_{ik}` mueve la fila :math:`i` de
    :math:`\mathbf Y`, cada :math:`y_{ij}` en proporción a :math:`b_{kj}`. Sumados,
    :math:`\bar a_{ik}=\sum_j\bar y_{ij}b_{kj}`, que otra vez es un producto de matrices; y lo mismo con
    :math:`b_{kj}`, que mueve una columna:

    .. math::
       :label: ec-mlp-cinta-matmul

       \bar{\mathbf A}=\bar{\mathbf Y}\,\mathbf B^\top,
       \qquad
       \bar{\mathbf B}=\mathbf A^\top\,\bar{\mathbf Y} .

    Son :eq:`ec-mlp-densa-entrada` y :eq:`ec-mlp-densa-pesos`, y las formas no dejan escribirlas de otra manera.

    >>> from chapters.mlp import GradientTape
    >>> a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])
    >>> with GradientTape() as tape:
    ...     y = matmul(a, b)
    >>> tape.gradient(y, [a, b], output_gradients=[np.array([[1.0, 10.0]])])
    [array([[43., 65.]]), array([[ 1., 10.],
           [ 2., 20.]])]
    """
    a, b = pair(x1, x2)
    y = np.matmul(a, b)
    # Un vector es una matriz de una fila, a la izquierda, o de una columna, a la derecha.
    row, column = a if a.ndim > 1 else a[np.newaxis], b if b.ndim > 1 else b[:, np.newaxis]

    def full(dy):
        dy = dy if a.ndim > 1 else np.expand_dims(dy, -1 if b.ndim == 1 else -2)
        return dy if b.ndim > 1 else np.expand_dims(dy, -1)

    def pull_a(dy):
        da = full(dy) @ np.swapaxes(column, -1, -2)  # [ec-mlp-cinta-matmul]
        return da if a.ndim > 1 else da[..., 0, :]

    def pull_b(dy):
        db = np.swapaxes(row, -1, -2) @ full(dy)  # [ec-mlp-cinta-matmul]
        return db if b.ndim > 1 else db[..., 0]

    return record(y, (x1, pull_a), (x2, pull_b))


def plain_matmul(x1, x2, dy):
    r"""Dos matrices, y sus dos gradientes."""
    y = x1 @ x2
    dx1 = dy @ x2.T  # [ec-mlp-cinta-matmul]
    dx2 = x1.T @ dy  # [ec-mlp-cinta-matmul]
    return y, dx1, dx2


@operation(np.dot)
def dot(x1, x2):
    r"""Como ``np.dot``: un producto de números, de vectores o de matrices; se deriva como :func:`matmul`."""
    a, b = pair(x1, x2)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return multiply(x1, x2)
    if b.ndim < 3:
        return matmul(x1, x2)
    return tensordot(x1, x2, [[a.ndim - 1], [b.ndim - 2]])


@operation(np.tensordot)
def tensordot(x1, x2, axes=2):
    r"""Suma sobre ejes elegidos de los dos: reordena, multiplica como matrices y se deriva por partes."""
    a, b = numbers_in(x1), numbers_in(x2)
    if isinstance(axes, (int, np.integer)):
        count = check.integer(axes, "axes", 0, np.minimum(a.ndim, b.ndim))
        first, second = tuple(range(a.ndim - count, a.ndim)), tuple(range(count))
    else:
        first, second = (axes_of(one, part.ndim, "axes") for one, part in zip(axes, (a, b), strict=True))
    kept_a = [k for k in range(a.ndim) if k not in first]
    kept_b = [k for k in range(b.ndim) if k not in second]
    rows, columns = [a.shape[k] for k in kept_a], [b.shape[k] for k in kept_b]
    inner = int(np.prod([a.shape[k] for k in first]))
    if [a.shape[k] for k in first] != [b.shape[k] for k in second]:
        raise ValueError(f"axes: se esperaban ejes del mismo tamaño, pero llegaron {a.shape} y {b.shape} con {axes}")
    left = reshape(transpose(x1, [*kept_a, *first]), (int(np.prod(rows)), inner))
    right = reshape(transpose(x2, [*second, *kept_b]), (inner, int(np.prod(columns))))
    return reshape(matmul(left, right), (*rows, *columns))


@operation(np.outer)
def outer(x1, x2):
    r"""Todos los productos de uno y otro: :math:`\bar{\mathbf a}=\bar{\mathbf Y}\mathbf b`."""
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


def _letters(subscripts, operands):
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    inputs = inputs.split(",")
    if len(inputs) != len(operands):
        raise ValueError(f"subscripts: se esperaban {len(operands)} grupos de letras, pero llegó {subscripts!r}")
    if not arrow:
        every = "".join(inputs).replace(".", "")
        output = "..." * ("..." in text) + "".join(sorted(c for c in set(every) if every.count(c) == 1))
    for one in (*inputs, output):
        if len(set(one.replace(".", ""))) < len(one.replace(".", "")):
            raise ValueError(f"subscripts: se esperaban letras distintas en cada grupo, pero llegó {one!r}")
    return inputs, output


@operation(np.einsum)
def einsum(subscripts, *operands, optimize=True):
    r"""Suma de productos, con letras: hacia atrás es otra, con :math:`\bar{\mathbf y}` en lugar del operando."""
    if not isinstance(subscripts, str) or not operands:
        raise TypeError(f"subscripts: se esperaba un texto y al menos un arreglo, pero llegó {subscripts!r:.40}")
    inputs, output = _letters(subscripts, operands)
    values = [np.asarray(numbers_in(one)) for one in operands]
    text = f"{','.join(inputs)}->{output}"

    def pull(k):
        others = [j for j in range(len(values)) if j != k]
        known = set("".join([output, *(inputs[j] for j in others)]))
        # Una letra que solo está en este operando se sumó sola: hacia atrás se repite.
        kept = "".join(c for c in inputs[k] if c in known)
        # Los ejes de los puntos suspensivos pueden haberse repetido: se suman después.
        dots = "..." if "..." in output and "..." not in kept else ""
        back = f"{','.join([output, *(inputs[j] for j in others)])}->{dots}{kept}"

        def link(dy):
            dx = np.einsum(back, dy, *(values[j] for j in others), optimize=optimize)
            letters = inputs[k].replace("...", "")
            first = dx.ndim - len(kept.replace("...", ""))
            for place, letter in enumerate(letters):
                if letter not in known:
                    dx = np.expand_dims(dx, first + place)
            return dx

        return link

    y = np.einsum(text, *values, optimize=optimize)
    return record(np.asarray(y), *((one, pull(k)) for k, one in enumerate(operands)))
