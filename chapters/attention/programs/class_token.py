r"""Un vector aprendido al principio de una secuencia, para que junte lo de todas."""

import numpy as np

from chapters.mlp import initializers
from chapters.mlp.layer import Layer, text_of_shape
from dlbook import check
from dlbook.numeric.elementwise import sum_rows
from dlbook.numeric.kernel import kernel


def plain_class_token(x, token, dy):
    r"""Pone el vector delante; de vuelta, suma lo que le toca."""
    first = np.broadcast_to(token, (len(x), 1, token.size))
    y = np.concatenate([first, x], axis=1)  # [ec-att-vit-clase]
    # [ec-att-vit-clase-gradiente]
    dtoken = dy[:, :1].sum(axis=0, keepdims=True)
    return y, dtoken, dy[:, 1:]


@kernel
def _put_first(token, x, y):
    n, length, d = x.shape
    for i in range(n):
        for j in range(d):
            y[i, 0, j] = token[j]  # [ec-att-vit-clase]
        for t in range(length):
            for j in range(d):
                y[i, t + 1, j] = x[i, t, j]  # [ec-att-vit-clase]


@kernel
def _all_but_first(dy, dx):
    n, length, d = dx.shape
    for i in range(n):
        for t in range(length):
            for j in range(d):
                dx[i, t, j] = dy[i, t + 1, j]  # [ec-att-vit-clase-gradiente]


class ClassToken(Layer):
    r"""Capa que pone delante de cada secuencia un vector que se aprende (*class token*).

    Un codificador da un vector por posición, y para clasificar hace falta **uno**. En lugar de promediarlos se
    añade una posición que no dice nada de la entrada, :math:`\mathbf c`, igual para todas las observaciones. En
    cada bloque ella también pregunta y mira a las demás; al final, su vector es lo que decidió juntar:

    .. math::
       :label: ec-att-vit-clase

       \mathbf Y=\begin{pmatrix}\mathbf c\\ \mathbf X\end{pmatrix}\in\mathbb R^{(T+1)\times d} .

    **Derivación.** La primera fila de la salida es :math:`\mathbf c` en las :math:`n` observaciones, y mover
    :math:`\mathbf c` las mueve todas a la vez; las demás filas son la entrada, corrida un lugar:

    .. math::
       :label: ec-att-vit-clase-gradiente

       \frac{\partial\mathcal L}{\partial\mathbf c}=\sum_{s=1}^{n}\frac{\partial\mathcal L}{\partial\mathbf Y_{s,0}},
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf X_{s,t}}=\frac{\partial\mathcal L}{\partial\mathbf Y_{s,t+1}} .

    **A mano.** Dos observaciones de una sola posición:

    >>> layer = ClassToken(initializer="ones", dtype="float64")
    >>> layer.forward([[[5, 6]], [[7, 8]]])
    array([[[1., 1.],
            [5., 6.]],
    <BLANKLINE>
           [[1., 1.],
            [7., 8.]]])
    >>> layer.backward([[[1, 2], [3, 4]], [[10, 20], [30, 40]]])
    array([[[ 3.,  4.]],
    <BLANKLINE>
           [[30., 40.]]])
    >>> layer.gradients[0]
    array([[[11., 22.]]])

    Parameters
    ----------
    initializer : str or Initializer
        Con qué números empieza el vector.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    token : ndarray, shape (1, 1, d)
        El vector.

    Raises
    ------
    TypeError, ValueError
        Si lo que llega no son secuencias de vectores.

        >>> ClassToken().forward([[5, 6]])
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba la forma (n, T, d), pero llegó (n, 2)
    """

    any_size = True

    def __init__(self, initializer="zeros", **options):
        super().__init__(**options)
        self.initializer = initializers.get(initializer)
        self.token = None

    def build(self, input_shape):
        r"""Crea el vector, del tamaño de los demás."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        self.token = self.add_weight((1, 1, self.input_shape[-1]), self.initializer)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada, con una posición más."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        if len(shape) != 2 or shape[1] is None:
            raise ValueError(f"x: se esperaba la forma (n, T, d), pero llegó {text_of_shape(shape)}")
        return (None if shape[0] is None else shape[0] + 1, shape[1])

    def forward(self, x, training=False):
        r"""Pone el vector delante."""
        self.x = x = self.ready(x)
        n, length, d = x.shape
        self.y = y = self.buffer("y", (n, length + 1, d))
        _put_first(self.token[0, 0], x, y)
        return y

    def backward(self, dy):
        r"""Suma el gradiente del vector y devuelve el de la entrada."""
        dy = self.output_gradient(dy)
        if self._trainable:
            sum_rows(dy[:, 0], self.gradients[0][0, 0])  # [ec-att-vit-clase-gradiente]
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _all_but_first(dy, dx)
        return dx
