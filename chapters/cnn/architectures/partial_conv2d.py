r"""La convolución de LeNet-5 en la que cada mapa ve solo algunos de los anteriores."""

import numpy as np

from chapters.cnn.arguments import image_shape, known, whole
from chapters.cnn.convolution.conv2d import Places, conv2d_backward, conv2d_forward, sum_maps
from chapters.cnn.convolution.geometry import output_sizes
from chapters.cnn.convolution.im2col import find_windows
from chapters.cnn.spatial import Spatial
from chapters.mlp import initializers
from chapters.mlp.places import give_back, take

# La tabla 1 de LeCun y otros (1998): qué mapas de S2 ve cada uno de los 16 de C3.
C3_TABLE = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)


class PartialConv2D(Spatial):
    r"""Convolución con tabla de conexiones: cada mapa de salida ve solo los canales que le tocan.

    En LeNet-5 :cite:p:`lecun1998` los 16 mapas de la capa C3 no ven todos los 6 de S2. Seis ven tres seguidos; seis,
    cuatro seguidos; tres, cuatro salteados, y solo el último los ve todos. Hay dos motivos. Son menos cuentas, que en
    1998 importaba. Y dos mapas que ven cosas distintas no pueden aprender lo mismo: es otra manera de romper la
    simetría.

    Con :math:`T_f` los canales que ve el mapa :math:`f`, es una convolución a la que le faltan sumandos o, lo que es lo
    mismo, una completa con ceros en los pesos que no existen:

    .. math::
       :label: ec-cnn-parcial

       \begin{aligned}
       \mathbf Z_f &= b_f + \sum_{c\in T_f}\mathbf X_c \star \mathbf W_{cf}
       \\
       &= b_f + \sum_{c}\mathbf X_c\star\mathbf U_{cf},
       \end{aligned}

    donde :math:`\star` es la correlación y :math:`\mathbf U_{cf}` es :math:`\mathbf W_{cf}` si
    :math:`c\in T_f`, y cero si no.

    **Hacia atrás.** :math:`\mathbf U` es una copia de :math:`\mathbf W` con huecos, y copiar no cambia
    derivadas: el gradiente de cada peso es el del lugar donde está en la completa. Los de los huecos se tiran, porque
    ahí no hay nada que corregir. Para cada :math:`c\in T_f`,

    .. math::
       :label: ec-cnn-parcial-atras

       \frac{\partial\mathcal L}{\partial\mathbf W_{cf}}
       = \frac{\partial\mathcal L}{\partial\mathbf U_{cf}} .

    **A mano.** La tabla de LeNet-5 tiene 60 conexiones de :math:`5\times5`, y 16 sesgos:

    >>> layer = PartialConv2D(C3_TABLE, 5)
    >>> layer.build((14, 14, 6))
    >>> layer.kernel.shape, layer.count_params()
    ((5, 5, 60), 1516)

    Con dos canales y dos mapas, de los que el primero ve solo el canal 0 y el segundo los dos:

    >>> layer = PartialConv2D([(0,), (0, 1)], 1, dtype="float64")
    >>> layer.build((1, 1, 2))
    >>> layer.set_weights([np.reshape([2, 3, 4], (1, 1, 3)), [0, 0]])
    >>> x, dy = np.reshape([1, 10, 1, 100], (2, 1, 1, 1, 2))
    >>> layer.forward(x).ravel()  # 2·1, y 3·1 + 4·10
    array([ 2., 43.])
    >>> layer.backward(dy).ravel()  # 2·1 + 3·100, y 4·100
    array([302., 400.])
    >>> layer.gradients[0].ravel()
    array([   1.,  100., 1000.])

    Parameters
    ----------
    table : sequence of sequence of int
        Por cada mapa de salida, los canales que ve.
    kernel_size : int
        El lado del filtro.
    kernel_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los sesgos.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (k, k, conexiones)
        Los filtros, en el orden de la tabla.
    bias : ndarray, shape (mapas,)
        Los sesgos.

    Raises
    ------
    TypeError, ValueError
        Si la tabla está vacía, repite un canal o pide uno que la entrada no tiene.

        >>> PartialConv2D([(0, 2)], 3).compute_output_shape((5, 5, 2))
        Traceback (most recent call last):
            ...
        ValueError: table: se esperaban canales entre 0 y 1, pero hay un 2
    """

    def __init__(self, table, kernel_size, kernel_initializer="glorot_uniform", bias_initializer="zeros", **options):
        super().__init__(**options)
        if not isinstance(table, (list, tuple)) or not table:
            raise ValueError(f"table: se esperaba una lista de canales por cada mapa de salida, pero llegó {table!r}")
        if not all(isinstance(row, (list, tuple)) for row in table):
            raise TypeError(f"table: se esperaba una lista de canales por cada mapa de salida, pero llegó {table!r}")
        self.table = [[whole(c, f"table[{f}]", 0) for c in row] for f, row in enumerate(table)]
        for f, row in enumerate(self.table):
            if not row or len(set(row)) < len(row):
                raise ValueError(f"table[{f}]: se esperaba al menos un canal y ninguno repetido, pero llegó {row}")
        self.kernel_size = whole(kernel_size, "kernel_size")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel = self.bias = self.full = None

    def build(self, input_shape):
        r"""Crea un filtro por conexión y un sesgo por mapa."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        connections = sum(len(row) for row in self.table)
        self.kernel = self.add_weight((self.kernel_size, self.kernel_size, connections), self.kernel_initializer)
        self.bias = self.add_weight((len(self.table),), self.bias_initializer)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de los mapas."""
        *sizes, channels = image_shape(input_shape)
        largest = max(c for row in self.table for c in row)
        if largest >= channels:
            raise ValueError(f"table: se esperaban canales entre 0 y {channels - 1}, pero hay un {largest}")
        return (*output_sizes(sizes, (self.kernel_size,) * 2, (1, 1), "valid"), len(self.table))

    def forward(self, x, training=False):
        r"""Pone cada filtro en su lugar y hace una convolución completa."""
        self.x = x = self.ready(x)
        places, connections = self.at(x.shape[1:])
        self.full = self.buffer("full", (self.kernel_size, self.kernel_size, x.shape[-1], len(self.table)))
        give_back(_by_tap(self.kernel), connections, _by_tap(self.full))  # [ec-cnn-parcial]
        self.y = y = places.forward(x, self.full, self.bias, -np.inf, self.buffer)
        return y

    def backward(self, dy):
        r"""Hace hacia atrás la convolución completa y recoge los gradientes de los pesos que existen."""
        dy = self.output_gradient(dy)
        places, connections = self.at(self.x.shape[1:])
        if self.trainable:
            dfull = self.buffer("dfull", self.full.shape)
            places.weights(self.x, places.with_slack(dy, self.buffer), dfull, self.buffer)
            take(_by_tap(dfull), connections, _by_tap(self.gradients[0]))  # [ec-cnn-parcial-atras]
            sum_maps(dy.reshape(-1), self.gradients[1])
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        places.input(dy, self.full, dx, self.buffer)
        return dx

    def work(self):
        r"""Cuenta un producto por peso, tantas veces como posiciones tiene la ventana."""
        return known(self.compute_output_shape(self.input_shape)[:2]) * self.kernel.size

    def place(self, shape):
        r"""Coloca las ventanas, y busca el canal y el mapa de cada conexión en la convolución entera."""
        windows, maps = find_windows(shape, self.kernel_size), len(self.table)
        connections = np.array([c * maps + f for f, row in enumerate(self.table) for c in row])
        return Places(windows, maps, self.dtype), connections


def _by_tap(kernel):
    return kernel.reshape(kernel.shape[0] * kernel.shape[1], -1)


def plain_partial_conv2d(x, table, kernel, bias, dy):
    r"""Una convolución completa, con ceros donde no hay conexión."""
    size = len(kernel)
    pairs = [(c, f) for f, row in enumerate(table) for c in row]
    c, f = np.array(pairs).T
    full = np.zeros((size, size, x.shape[-1], len(table)))
    full[:, :, c, f] = kernel  # [ec-cnn-parcial]
    y = conv2d_forward(x, full, bias)  # [ec-cnn-parcial]
    dfull, db, dx = conv2d_backward(x, full, dy)
    dkernel = dfull[:, :, c, f]  # [ec-cnn-parcial-atras]
    return y, dkernel, db, dx
