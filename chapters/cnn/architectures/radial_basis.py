r"""La salida de LeNet-5: qué tan lejos queda cada dibujo."""

import numpy as np

from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.numeric.kernel import kernel

# Un dibujo de 7 × 12 por dígito, uno junto a otro.
# Los del artículo son otros; la idea, la misma.
_DRAWINGS = """
.#####....#....#####..#####.....##.#######.#####.#######.#####..#####.
##...##..##...##...####...##...###.##.....##...##.....####...####...##
##...##.###........##.....##..####.##.....##..........####...####...##
##...##..##........##.....##..#.##.##.....##.........##.##...####...##
##...##..##.......##......##.##.##.######.##.........##.##...####...##
##...##..##.......##...####..#..##......########....##...#####..######
##...##..##......##.......####..##......####...##...##..##...##.....##
##...##..##.....##........#########.....####...##..##...##...##.....##
##...##..##.....##........##....##......####...##..##...##...##.....##
##...##..##....##.........##....##......####...##.##....##...##.....##
##...##..##...##.....##...##....##.##...####...##.##....##...####...##
.#####..#####.#######.#####.....##..#####..#####..##.....#####..#####.
"""


def digit_bitmaps():
    r"""Diez dibujos de :math:`7\times12`, uno por dígito, con 1 en la tinta y −1 en el papel.

    >>> bitmaps = digit_bitmaps()
    >>> bitmaps.shape
    (10, 12, 7)
    >>> for row in bitmaps[7]:
    ...     print("".join("#" if ink > 0 else "." for ink in row))
    #######
    .....##
    .....##
    ....##.
    ....##.
    ...##..
    ...##..
    ..##...
    ..##...
    .##....
    .##....
    .##....

    Returns
    -------
    ndarray, shape (10, 12, 7)
    """
    ink = np.array([list(row) for row in _DRAWINGS.split()]) == "#"
    return np.stack(np.split(np.where(ink, 1.0, -1.0), 10, axis=1))


class RadialBasis(Layer):
    r"""Salida de base radial (*radial basis function*, RBF): por cada clase, qué tan cerca quedó de su modelo.

    La última capa de LeNet-5 :cite:p:`lecun1998` no tiene nada que aprender. Las 84 neuronas de la anterior se leen
    como un dibujo de :math:`7\times12`, y a cada dígito le corresponde uno fijo, :math:`\mathbf w_k`, con sus trazos en
    1 y su fondo en −1. La respuesta es el dibujo más parecido:

    .. math::
       :label: ec-cnn-rbf

       y_k = -\sum_{j} (x_j - w_{kj})^2 .

    El artículo no lleva el signo menos y escoge la **menor** distancia; aquí escogemos el **mayor** puntaje, como en
    el resto del libro. Con ese signo, además, la pérdida del artículo ya la conoces. Pide que la distancia correcta sea
    pequeña y las otras grandes, y es la entropía cruzada del *softmax* :eq:`ec-mlp-softmax` de estos puntajes, con una
    constante de más que aquí no ponemos: ``SparseCategoricalCrossentropy(from_logits=True)``.

    ¿Para qué tanto dibujo, si bastaría una neurona por clase? Porque con dibujos parecidos la confusión es parecida: si
    la red duda entre el cero y la letra O, lo que sale es un dibujo redondo, y quien lea la palabra entera decidirá.

    **Hacia atrás.** La derivada de :math:`-(x_j-w_{kj})^2` respecto a :math:`x_j` es :math:`-2(x_j-w_{kj})`, y cada
    :math:`x_j` está en todas las salidas:

    .. math::
       :label: ec-cnn-rbf-atras

       \frac{\partial\mathcal L}{\partial x_j} = -2\sum_{k}\frac{\partial\mathcal L}{\partial y_k}\,(x_j-w_{kj}) .

    **A mano.** Dos clases con modelos :math:`(1, 1)` y :math:`(1,-1)`. El punto :math:`(0, 1)` está a 1 del primero y a
    :math:`1+4` del segundo:

    >>> layer = RadialBasis([[1, 1], [1, -1]], dtype="float64")
    >>> layer.forward([[0, 1]])
    array([[-1., -5.]])

    Para subir el primer puntaje hay que moverse hacia su modelo:

    >>> layer.backward([[1, 0]])
    array([[2., 0.]])
    >>> layer.count_params()
    0

    Parameters
    ----------
    prototypes : array_like, shape (classes, d)
        El modelo de cada clase.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si los modelos no son una tabla de números, o si la entrada no tiene tantos números como cada uno.

        >>> layer.compute_output_shape((3,))
        Traceback (most recent call last):
            ...
        ValueError: radial_basis: se esperaban entradas de forma (2,), como los modelos, pero llegó (3,)
    """

    def __init__(self, prototypes, **options):
        super().__init__(**options)
        # Se guardan como listas: así caben en la cabecera de un archivo.
        self.prototypes = check.floats(prototypes, "prototypes", "classes d").tolist()
        self.centers = None

    def build(self, input_shape):
        r"""Comprueba que la entrada sea del tamaño de los modelos."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        self.centers = np.array(self.prototypes, self.dtype)

    def compute_output_shape(self, input_shape):
        r"""Devuelve un puntaje por clase."""
        input_shape = check.shape(input_shape, "input_shape", unknown=True)
        if input_shape != (len(self.prototypes[0]),):
            raise ValueError(
                f"{self.name}: se esperaban entradas de forma ({len(self.prototypes[0])},), como los modelos, "
                f"pero llegó {input_shape}"
            )
        return (len(self.prototypes),)

    def forward(self, x, training=False):
        r"""Mide la distancia a cada modelo."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (len(x), len(self.centers)))
        _radial_basis_forward(x, self.centers, y)
        return y

    def backward(self, dy):
        r"""Empuja la entrada hacia los modelos que deben subir."""
        dy = self.output_gradient(dy)
        dx = self.buffer("dx", self.x.shape)
        _radial_basis_backward(self.x, self.centers, dy, dx)
        return dx

    def work(self):
        r"""Cuenta un producto por cada número de cada modelo."""
        return len(self.prototypes) * len(self.prototypes[0])


def plain_radial_basis(x, prototypes, dy):
    r"""Las distancias y, hacia atrás, hacia dónde moverse."""
    gap = x[:, np.newaxis] - prototypes  # (n, clases, d)
    y = -(gap**2).sum(axis=2)  # [ec-cnn-rbf]
    pushed = dy[:, :, np.newaxis] * gap
    dx = -2 * pushed.sum(axis=1)  # [ec-cnn-rbf-atras]
    return y, dx


@kernel
def _radial_basis_forward(x, w, y):
    y[:] = 0
    for i in range(x.shape[0]):
        for k in range(w.shape[0]):
            for j in range(w.shape[1]):
                y[i, k] -= (x[i, j] - w[k, j]) ** 2  # [ec-cnn-rbf]


@kernel
def _radial_basis_backward(x, w, dy, dx):
    dx[:] = 0
    for i in range(x.shape[0]):
        for k in range(w.shape[0]):
            for j in range(w.shape[1]):
                dx[i, j] -= 2 * dy[i, k] * (x[i, j] - w[k, j])  # [ec-cnn-rbf-atras]
