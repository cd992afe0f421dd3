r"""Ramas en paralelo: varias capas miran lo mismo y sus respuestas se apilan."""

import numpy as np

from chapters.cnn.blocks.residual import as_layer, build_paths, check_distinct
from chapters.mlp.layer import Layer, every_one_of_any_size
from chapters.mlp.merging import place_columns, take_columns
from dlbook import check
from dlbook.numeric.elementwise import add, copy
from dlbook.numeric.recording import perform


def _rows(x):
    return x.reshape(-1, x.shape[-1])


class Branches(Layer):
    r"""Ramas en paralelo (*branches*): la misma entrada por varios caminos, y las salidas una junto a otra.

    ¿De qué tamaño debe ser el filtro, de :math:`3\times3` o de :math:`5\times5`? Depende de qué tan grande salga en la
    foto lo que buscas, y eso no se sabe. La respuesta del bloque *inception* :cite:p:`szegedy2015` es no escoger: que
    cada rama use el suyo y que la capa siguiente decida a cuáles hacer caso. Las salidas se apilan a lo largo del
    último eje, el de los canales:

    .. math::
       :label: ec-cnn-ramas

       \mathbf y = \bigl[\,f_1(\mathbf x)\;\big|\;f_2(\mathbf x)\;\big|\;\cdots\;\big|\;f_B(\mathbf x)\,\bigr] .

    **Hacia atrás.** Apilar no hace cuentas: cada número de :math:`\mathbf y` es un número de una sola rama. El
    gradiente se **corta** por los mismos lugares, y cada rama se queda con su trozo,
    :math:`\partial\mathcal L/\partial\mathbf y_b`. En cambio :math:`\mathbf x` se usó :math:`B` veces, y por cada una
    influye en la pérdida; lo que vuelve de las ramas se suma:

    .. math::
       :label: ec-cnn-ramas-atras

       \frac{\partial\mathcal L}{\partial\mathbf x}
       = \sum_{b=1}^{B}\mathbf J_b^{\top}\,\frac{\partial\mathcal L}{\partial\mathbf y_b},

    con :math:`\mathbf J_b` la matriz jacobiana de :math:`f_b`. Copiar hacia delante es sumar hacia atrás; lo volverás a
    ver en el bloque residual, :eq:`ec-cnn-residual-atras`.

    **A mano.** Dos ramas: una dobla la entrada y la otra suma sus dos números. De :math:`(3, 1)` salen dos números de
    la primera y uno de la segunda:

    >>> from chapters.mlp.dense import Dense
    >>> layer = Branches(
    ...     [Dense(2, use_bias=False), Dense(1, use_bias=False)],
    ...     dtype="float64",
    ... )
    >>> layer.build((2,))
    >>> layer.set_weights([[[2, 0], [0, 2]], [[1], [1]]])
    >>> layer.forward([[3, 1]])
    array([[6., 2., 4.]])

    Llega el gradiente :math:`(1, 10, 100)`. A la primera rama le tocan los dos primeros y devuelve :math:`(2, 20)`; a
    la segunda, el tercero, y devuelve :math:`(100, 100)`:

    >>> layer.backward([[1, 10, 100]])
    array([[102., 120.]])

    Parameters
    ----------
    branches : list
        Las ramas, al menos una. Cada una es una capa o una lista de capas en fila.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si algo no es una capa, o si las salidas difieren en algo más que los canales.

        >>> from chapters.mlp.reshape import Reshape
        >>> Branches([Dense(3), Reshape((2, 1))]).build((2,))
        Traceback (most recent call last):
            ...
        ValueError: branches: las ramas dan (3,) y (2, 1); solo puede cambiar el último eje
    """

    def __init__(self, branches, **options):
        super().__init__(**options)
        if not isinstance(branches, (list, tuple)) or not branches:
            raise ValueError(f"branches: se esperaba una lista con al menos una rama, pero llegó {branches!r}")
        self.branches = [as_layer(branch, f"branches[{k}]") for k, branch in enumerate(branches)]
        self.layers = self.branches
        check_distinct(self)

    def build(self, input_shape):
        r"""Construye todas las ramas para la misma entrada."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        build_paths(self)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de las salidas apiladas: los canales se suman."""
        input_shape = check.shape(input_shape, "input_shape", unknown=True)
        shapes = [tuple(layer.compute_output_shape(input_shape)) for layer in self.layers]
        for shape in shapes:
            if not shape or shape[-1] is None:
                raise ValueError(f"{self.name}: se esperaban ramas con canales en el último eje, pero una da {shape}")
            if len(shape) != len(shapes[0]) or shape[:-1] != shapes[0][:-1]:
                raise ValueError(f"{self.name}: las ramas dan {shapes[0]} y {shape}; solo puede cambiar el último eje")
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))

    any_size = property(every_one_of_any_size)

    def forward(self, x, training=False):
        r"""Pasa la entrada por todas las ramas y apila lo que sale."""
        self.x = x = self.ready(x)
        parts = [perform(layer.forward, x, training) for layer in self.layers]
        shape = (*parts[0].shape[:-1], sum(part.shape[-1] for part in parts))
        self.y, start = self.buffer("y", shape), 0
        for part in parts:
            place_columns(_rows(part), start, _rows(self.y))  # [ec-cnn-ramas]
            start += part.shape[-1]
        return self.y

    def backward(self, dy):
        r"""Corta el gradiente, le da a cada rama su parte y suma lo que vuelve."""
        dy = self.output_gradient(dy)
        dx, start = None, 0
        for k, layer in enumerate(self.layers):
            part = self.buffer(f"dy {k}", layer.y.shape)
            take_columns(_rows(dy), start, _rows(part))
            returned = perform(layer.backward, part)
            start += part.shape[-1]
            if not self.input_gradient:
                continue
            if dx is None:
                dx = self.buffer("dx", self.x.shape)
                copy(returned, dx)
            else:
                add(dx, returned, dx)  # [ec-cnn-ramas-atras]
        return dx

    def without_input_gradient(self):
        r"""Avisa también a todas las ramas."""
        super().without_input_gradient()
        for layer in self.layers:
            layer.without_input_gradient()

    def work(self):
        r"""Suma el trabajo de las ramas."""
        return sum(layer.work() for layer in self.layers)


def plain_branches(x, branches, dy):
    r"""Apilar a la ida; cortar y sumar a la vuelta."""
    parts = [branch.forward(x) for branch in branches]
    y = np.concatenate(parts, axis=-1)  # [ec-cnn-ramas]
    stops = np.cumsum([part.shape[-1] for part in parts])[:-1]
    pieces = np.split(dy, stops, axis=-1)
    dx = np.zeros_like(x)
    for branch, piece in zip(branches, pieces, strict=True):
        dx += branch.backward(piece)  # [ec-cnn-ramas-atras]
    return y, dx
