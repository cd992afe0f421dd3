r"""Categorías numeradas que la propia red convierte en vectores de ceros y unos."""

import numpy as np

from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.attributes import Absent


class CategoryEncoding(Layer):
    r"""Capa que recibe categorías numeradas y da un vector con un lugar por categoría.

    Es :func:`one_hot` dentro del modelo. Recibe enteros, y va al principio: un entero no tiene gradiente.
    Con las :math:`L` categorías :math:`c_1,\dots,c_L` de una observación, el lugar :math:`k` de lo que sale es

    .. math::
       :label: ec-mlp-categorias

       y_k = \sum_{j=1}^{L} [\,c_j=k\,]
       \quad\text{o}\quad
       y_k = \max_{j}\; [\,c_j=k\,] :

    cuántas veces está, con ``"count"``, o si está, con ``"multi_hot"``. Con ``"one_hot"`` cada categoría da su propio
    vector.

    **A mano.** Una receta con los ingredientes 0 y 2, y otra con el 1 dos veces, de cuatro que hay:

    >>> recipes = [[0, 2], [1, 1]]
    >>> CategoryEncoding(4).forward(recipes)
    array([[1., 0., 1., 0.],
           [0., 1., 0., 0.]], dtype=float32)
    >>> CategoryEncoding(4, output_mode="count").forward(recipes)
    array([[1., 0., 1., 0.],
           [0., 2., 0., 0.]], dtype=float32)
    >>> CategoryEncoding(3, output_mode="one_hot").forward([2, 0])
    array([[0., 0., 1.],
           [1., 0., 0.]], dtype=float32)

    Parameters
    ----------
    num_tokens : int
        Cuántas categorías hay; se numeran desde 0.
    output_mode : {"multi_hot", "one_hot", "count"}
        Qué se escribe.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, o si llega algo que no es una de las categorías.

        >>> CategoryEncoding(4).forward([[0, 4]])
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba un entero entre 0 y 3, pero hay un 4 en la posición (0, 1)
    """

    integers = True
    sparse = Absent(False)

    def __init__(self, num_tokens=None, output_mode="multi_hot", **options):
        super().__init__(**options)
        self.num_tokens = check.integer(num_tokens, "num_tokens", 1, 2**31 - 1)
        self.output_mode = check.choice(output_mode, "output_mode", ["multi_hot", "one_hot", "count"])

    def build(self, input_shape):
        r"""Comprueba la forma."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve un vector por observación; con ``"one_hot"``, uno por categoría, y si hay una sola, sin su eje."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        if self.output_mode == "one_hot":
            return (*(shape[:-1] if shape[-1:] == (1,) else shape), self.num_tokens)
        if not shape:
            raise ValueError("x: se esperaba la forma (n, largo), pero llegó (n)")
        return (*shape[:-1], self.num_tokens)

    def forward(self, x, training=False):
        r"""Cuenta, o marca, las categorías de cada observación."""
        self.x = x = check.labels(self.ready(x), "x", self.num_tokens, "...")
        self.y = y = self.buffer("y", (len(x), *self.compute_output_shape(x.shape[1:])))
        y[...] = 0
        rows = y.reshape(-1, self.num_tokens)
        tokens = x.reshape(len(rows), -1)
        for column in tokens.T:
            # Dentro de una columna ninguna fila se repite.
            if self.output_mode == "count":
                rows[np.arange(len(rows)), column] += 1  # [ec-mlp-categorias]
            else:
                rows[np.arange(len(rows)), column] = 1  # [ec-mlp-categorias]
        return y

    def backward(self, dy):
        r"""No devuelve nada: un entero no tiene gradiente."""
        self.output_gradient(dy)


def plain_category_encoding(x, num_tokens, output_mode):
    r"""Una fila por observación: cuántas veces está cada categoría, o si está."""
    y = np.zeros((len(x), num_tokens))
    for i, categories in enumerate(x):
        for c in categories:
            if output_mode == "count":
                y[i, c] += 1  # [ec-mlp-categorias]
            else:
                y[i, c] = 1  # [ec-mlp-categorias]
    return y
