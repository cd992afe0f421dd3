r"""La capa Maxout: la activación que se aprende."""

import math

import numpy as np

from chapters.mlp import initializers, regularizers
from chapters.mlp.dense import _dense_backward_input, _dense_backward_weights, _dense_forward, _rows, last_axis
from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.numeric.kernel import kernel


@kernel
def _maxout_forward(z, y, winner):
    n, units = y.shape
    for i in range(n):
        for j in range(units):
            y[i, j] = z[i, j]
            winner[i, j] = 0
        for p in range(1, z.shape[1] // units):
            for j in range(units):
                value = z[i, p * units + j]
                # Un NaN gana siempre: que el error se vea.
                if value > y[i, j] or value != value:
                    y[i, j] = value  # [ec-mlp-maxout]
                    winner[i, j] = p


@kernel
def _maxout_backward(dy, winner, dz):
    n, units = dy.shape
    for i in range(n):
        for p in range(dz.shape[1] // units):
            for j in range(units):
                passes = winner[i, j] == p
                dz[i, p * units + j] = dy[i, j] if passes else dy.dtype.type(0)  # [ec-mlp-maxout-atras]


class Maxout(Layer):
    r"""Maxout: cada neurona calcula varias rectas y contesta con la mayor.

    Toda activación de este capítulo la escogió alguien. ¿Y si la escogieran los datos? Una neurona *maxout*
    :cite:p:`goodfellow2013` no tiene activación: tiene :math:`k` piezas lineales, cada una con sus pesos y su sesgo, y
    se queda con la mayor.

    .. math::
       :label: ec-mlp-maxout

       \begin{gathered}
       y_i = \max_{1\leq p\leq k} z_{pi},
       \\
       z_{pi} = \sum_{j} x_j\,w_{jpi} + b_{pi} .
       \end{gathered}

    **Qué puede dibujar.** El máximo de varias rectas es una línea quebrada que solo se dobla hacia arriba. Con dos
    piezas ya caben tres conocidas. Si una es cero, :math:`\max(z,0)` es la ReLU. Si una es la otra multiplicada por
    :math:`\alpha<1`, :math:`\max(z,\alpha z)` es la ReLU con fuga. Si una es la otra con el signo cambiado,
    :math:`\max(z,-z)` es el valor absoluto. Con más piezas se ciñe a cualquier curva convexa, y la resta de dos
    neuronas, a cualquier función continua en una región acotada y cerrada.

    **Derivada.** Cerca de un punto donde gana la pieza :math:`p^*`, y con ventaja, seguirá ganando aunque todo se mueva
    un poco. Ahí :math:`y_i` **es** :math:`z_{p^*i}`, y las demás no cuentan:

    .. math::
       :label: ec-mlp-maxout-atras

       \begin{gathered}
       \frac{\partial\mathcal L}{\partial z_{pi}} = [\,p=p^*_i\,]\;\frac{\partial\mathcal L}{\partial y_i},
       \\
       p^*_i = \operatorname{argmax}_p z_{pi} .
       \end{gathered}

    Todo el error pasa por la pieza ganadora, sin encogerse. De ahí en adelante cada pieza es una neurona de
    :func:`~chapters.mlp.dense_backward`. En un empate hay un pico, y por convenio gana la primera.

    **Dónde se satura.** En ninguna parte: siempre hay una pieza ganadora, con pendiente 1. Una pieza que no le gana a
    las demás con ningún ejemplo, eso sí, no se mueve. El precio es el tamaño, :math:`k` veces los parámetros de una
    capa densa.

    **A mano.** Una entrada, una neurona y dos piezas. Con pesos 1 y 0 sale la ReLU: :item:`MLP-10`

    >>> layer = Maxout(1, pieces=2, dtype="float64")
    >>> layer.build((1,))
    >>> layer.set_weights([[[1, 0]], [0, 0]])
    >>> layer.forward([[-2], [0], [3]])
    array([[0.],
           [0.],
           [3.]])

    Con pesos 1 y −1, el valor absoluto. La culpa de cada ejemplo va entera a la pieza que ganó, por su entrada: la
    primera solo ve el 3, y la segunda, el −2:

    >>> layer.set_weights([[[1, -1]], [0, 0]])
    >>> y = layer.forward([[-2], [3]])
    >>> y
    array([[2.],
           [3.]])
    >>> layer.backward([[1], [10]])
    array([[-1.],
           [10.]])
    >>> layer.gradients[0]
    array([[30., -2.]])
    >>> layer.gradients[1]
    array([10.,  1.])

    Parameters
    ----------
    units : int
        Cuántas neuronas, :math:`m`.
    pieces : int
        Cuántas piezas tiene cada una, :math:`k`.
    kernel_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los sesgos.
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (d, k m)
        Los pesos: las primeras :math:`m` columnas son la primera pieza de cada neurona; las siguientes, la segunda.
    bias : ndarray, shape (k m,)
        Los sesgos, en el mismo orden.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> Maxout(3, pieces=0)
        Traceback (most recent call last):
            ...
        ValueError: pieces: se esperaba un entero de al menos 1, pero llegó 0

    Notes
    -----
    Keras no trae esta capa. Con ``pieces=1`` es una :class:`~chapters.mlp.Dense` sin activación.
    """

    any_size = True
    supports_masking = True

    def __init__(
        self,
        units,
        pieces=2,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        **options,
    ):
        super().__init__(**options)
        self.units = check.integer(units, "units", 1)
        self.pieces = check.integer(pieces, "pieces", 1)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel = self.bias = self.winner = None

    def build(self, input_shape):
        r"""Crea los pesos y los sesgos de todas las piezas."""
        super().build(input_shape)
        d, columns = last_axis(self.input_shape), self.pieces * self.units
        self.kernel = self.add_weight((d, columns), self.kernel_initializer, regularizer=self.kernel_regularizer)
        self.bias = self.add_weight((columns,), self.bias_initializer, regularizer=self.bias_regularizer)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada con el último eje cambiado por las neuronas."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        last_axis(shape)
        return (*shape[:-1], self.units)

    def forward(self, x, training=False):
        r"""Calcula las piezas de cada neurona y se queda con la mayor."""
        self.x = x = self.ready(x)
        z = self.buffer("z", (*x.shape[:-1], self.pieces * self.units))
        self.y = self.buffer("y", (*x.shape[:-1], self.units))
        self.winner = self.buffer("winner", self.y.shape, np.int32)
        _dense_forward(_rows(x), self.kernel, self.bias, _rows(z))
        _maxout_forward(_rows(z), _rows(self.y), _rows(self.winner))
        return self.y

    def backward(self, dy):
        r"""Entrega el gradiente a las piezas ganadoras y devuelve el de la entrada."""
        dy = self.output_gradient(dy)
        dz = self.buffer("dz", (*dy.shape[:-1], self.pieces * self.units))
        _maxout_backward(_rows(dy), _rows(self.winner), _rows(dz))
        if self.trainable:
            _dense_backward_weights(_rows(self.x), _rows(dz), *self.gradients)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _dense_backward_input(_rows(dz), self.kernel, _rows(dx))
        return dx

    def work(self):
        r"""Cuenta un producto por peso, tantas veces como se usa la capa en cada observación."""
        return math.prod(self.current_shape or ()) * self.pieces * self.units


def plain_maxout(x, kernel, bias, dy):
    r"""La mayor de las piezas; de vuelta, todo para la que ganó."""
    z = (x @ kernel + bias).reshape(len(x), -1, dy.shape[1])
    y = z.max(axis=1)  # [ec-mlp-maxout]
    winner = z.argmax(axis=1)[:, np.newaxis]
    pieces = np.arange(z.shape[1])[:, np.newaxis]
    # [ec-mlp-maxout-atras]
    dz = np.where(pieces == winner, dy[:, np.newaxis], 0)
    dz = dz.reshape(len(x), -1)
    return y, x.T @ dz, dz.sum(axis=0), dz @ kernel.T
