r"""Posiciones como giros: cada consulta y cada clave, un ángulo según su lugar."""

import math

import numpy as np

from chapters.mlp.layer import Layer, text_of_shape
from dlbook import check
from dlbook.numeric.elementwise import copy
from dlbook.numeric.kernel import kernel


def plain_rotate(x, positions, max_wavelength=10000, scaling_factor=1.0):
    r"""Gira cada pareja según la posición de su vector."""
    half = x.shape[-1] // 2
    speeds = max_wavelength ** (-np.arange(half) / half)  # (d/2,)
    angles = np.outer(positions / scaling_factor, speeds)  # [ec-att-giro-angulo]
    c, s = np.cos(angles), np.sin(angles)  # (T, d/2)
    a, b = x[..., :half], x[..., half:]
    return np.concatenate(
        [
            a * c - b * s,  # [ec-att-giro]
            a * s + b * c,  # [ec-att-giro]
        ],
        axis=-1,
    )


def rotate(x, positions, max_wavelength=10000, scaling_factor=1.0):
    r"""Gira cada vector según su posición (*rotary position embedding*, RoPE).

    Los :math:`d` números de un vector se toman como :math:`d/2` puntos del plano. El punto :math:`i` tiene por
    coordenadas los números :math:`i` e :math:`i+d/2`: uno de cada mitad, como en KerasHub. El que está en la posición
    :math:`m` gira un ángulo proporcional a :math:`m`, cada pareja a su velocidad :cite:p:`su2021`:

    .. math::
       :label: ec-att-giro-angulo

       \theta_{mi}=\frac{m}{\kappa}\,\lambda^{-2i/d},
       \qquad i=0,\dots,\tfrac d2-1 ,

    .. math::
       :label: ec-att-giro

       \begin{pmatrix}y_{i}\\ y_{i+d/2}\end{pmatrix}
       =\begin{pmatrix}\cos\theta_{mi}&-\operatorname{sen}\theta_{mi}\\
       \operatorname{sen}\theta_{mi}&\cos\theta_{mi}\end{pmatrix}
       \begin{pmatrix}x_{i}\\ x_{i+d/2}\end{pmatrix} .

    Las velocidades son las de :eq:`ec-att-seno-velocidades`; :math:`\kappa` = ``scaling_factor`` las frena a todas, y
    vale 1 si no se dice otra cosa.

    **Por qué girar.** Llamemos :math:`\mathbf R_m` a la matriz que gira todas las parejas. Girar :math:`-m` deshace
    girar :math:`m`, y eso es también trasponer: :math:`\mathbf R_m^\top=\mathbf R_{-m}`. Y girar :math:`n` después de
    :math:`-m` es girar :math:`n-m`. El producto punto de una consulta en :math:`m` y una clave en :math:`n`, ya
    giradas, es

    .. math::
       :label: ed-att-giro-relativo

       (\mathbf R_m\mathbf q)\cdot(\mathbf R_n\mathbf k)
       =\mathbf q^\top\mathbf R_m^\top\mathbf R_n\mathbf k
       =\mathbf q^\top\mathbf R_{n-m}\,\mathbf k .

    Las posiciones desaparecieron: queda la distancia, con su signo.

    **A mano.** En el plano, :math:`d=2`, hay una sola pareja y gira un radián por posición. :math:`\mathbf q=(1,0)`
    en la posición 1 y :math:`\mathbf k=(0,1)` en la 3:

    >>> q = rotate([[1.0, 0.0]], [1])
    >>> k = rotate([[0.0, 1.0]], [3])
    >>> q.round(4), k.round(4)
    (array([[0.5403, 0.8415]]), array([[-0.1411, -0.99  ]]))

    Su producto es :math:`0.5403\cdot(-0.1411)+0.8415\cdot(-0.99)`, y el mismo si las dos avanzan diez lugares:

    >>> print(f"{(q * k).sum():.4f}")
    -0.9093
    >>> later = rotate([[1.0, 0.0]], [11]) * rotate([[0.0, 1.0]], [13])
    >>> print(f"{later.sum():.4f}")
    -0.9093

    Según :eq:`ed-att-giro-relativo` es :math:`\mathbf q^\top\mathbf R_{2}\mathbf k`, el número de la esquina de la
    matriz, :math:`-\operatorname{sen}2`:

    >>> print(f"{-np.sin(2):.4f}")
    -0.9093

    Parameters
    ----------
    x : array_like, shape (..., T, d)
        Los vectores, con :math:`d` par.
    positions : array_like, shape (T,)
        Qué posición tiene cada uno.
    max_wavelength : float
        :math:`\lambda`, de al menos 1.
    scaling_factor : float
        :math:`\kappa`, entre cuánto se dividen las posiciones; mayor que 0.

    Returns
    -------
    ndarray, shape (..., T, d)

    Raises
    ------
    TypeError, ValueError
        Si algo no son números, si :math:`d` es impar o si las posiciones no son tantas como los vectores.

        >>> rotate([[1.0, 2.0, 3.0]], [0])
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba un número par en el último eje, que se toma por parejas, pero mide 3
    """
    return _rotated(x, "x", positions, max_wavelength, scaling_factor, False)


def _rotated(x, name, positions, max_wavelength, scaling_factor, back):
    sizes = {}
    x = check.floats(x, name, "... T d", sizes)
    if sizes["d"] % 2:
        raise ValueError(
            f"{name}: se esperaba un número par en el último eje, que se toma por parejas, pero mide {sizes['d']}"
        )
    positions = check.floats(positions, "positions", "T", sizes).astype(float)
    turns = _turns(positions, sizes["d"] // 2, _wavelength(max_wavelength), _scaling(scaling_factor), x.dtype)
    y = check.empty(x.shape, "y", x.dtype)
    shape = -1, sizes["T"], 1, sizes["d"]
    _rotate(x.reshape(shape), *turns, back, y.reshape(shape))
    return y


def _wavelength(value):
    return check.number(value, "max_wavelength", 1)


def _scaling(value):
    return check.number(value, "scaling_factor", 1e-6)


def _turns(positions, half, max_wavelength, scaling_factor, dtype):
    # El coseno y el seno de cada ángulo; se calculan en float64, porque los ángulos pueden ser grandes.
    speeds = max_wavelength ** (-np.arange(half) / half)
    angles = np.outer(positions / scaling_factor, speeds)  # [ec-att-giro-angulo]
    return np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)


@kernel
def _rotate(x, cosines, sines, back, y):
    # x, y: (n, T, lo de en medio, d); hacia atrás se gira al revés.
    half = cosines.shape[1]
    sign = x.dtype.type(-1 if back else 1)
    for i in range(x.shape[0]):
        for t in range(x.shape[1]):
            for h in range(x.shape[2]):
                for j in range(half):
                    c, s = cosines[t, j], sign * sines[t, j]
                    a, b = x[i, t, h, j], x[i, t, h, j + half]
                    y[i, t, h, j] = a * c - b * s  # [ec-att-giro]
                    y[i, t, h, j + half] = a * s + b * c  # [ec-att-giro]


def plain_rotate_backward(positions, dy, max_wavelength=10000):
    r"""Gira el gradiente al revés."""
    back = -positions  # [ec-att-giro-gradiente]
    return plain_rotate(dy, back, max_wavelength)


def rotate_backward(positions, dy, max_wavelength=10000, scaling_factor=1.0):
    r"""Gira hacia atrás: el gradiente da la vuelta en sentido contrario.

    **Derivación.** Cada vector se multiplica por una matriz, :math:`\mathbf y=\mathbf R_m\mathbf x`, y hacia atrás
    toca la traspuesta, que gira lo mismo al revés:

    .. math::
       :label: ec-att-giro-gradiente

       \frac{\partial\mathcal L}{\partial\mathbf x}
       =\mathbf R_m^\top\,\frac{\partial\mathcal L}{\partial\mathbf y}
       =\mathbf R_{-m}\,\frac{\partial\mathcal L}{\partial\mathbf y} .

    Un giro no alarga ni acorta: el gradiente que sale mide lo que el que llegó. Y no hay nada que aprender.

    **A mano.** Un cuarto de vuelta, con :math:`m=\pi/2`, lleva :math:`(1,0)` a :math:`(0,1)`. El gradiente
    :math:`(0,1)` regresa a :math:`(1,0)`:

    >>> print(rotate([[1.0, 0.0]], [np.pi / 2]).round(4))
    [[0. 1.]]
    >>> print(rotate_backward([np.pi / 2], [[0.0, 1.0]]).round(4))
    [[1. 0.]]

    Parameters
    ----------
    positions, max_wavelength, scaling_factor
        Como en :func:`rotate`.
    dy : array_like, shape (..., T, d)
        El gradiente de la salida.

    Returns
    -------
    ndarray, shape (..., T, d)
        El de la entrada.

    Raises
    ------
    TypeError, ValueError
        Como :func:`rotate`.
    """
    return _rotated(dy, "dy", positions, max_wavelength, scaling_factor, True)


class RotaryEmbedding(Layer):
    r"""Capa que gira cada vector según su lugar en la secuencia, como la de KerasHub.

    Calcula :eq:`ec-att-giro` y vuelve con :eq:`ec-att-giro-gradiente`. Se les aplica a las consultas y a las claves, ya
    separadas en cabezas o no; a los valores, no.

    >>> layer = RotaryEmbedding(dtype="float64")
    >>> x = np.ones((1, 3, 2))
    >>> layer.forward(x).round(4)
    array([[[ 1.    ,  1.    ],
            [-0.3012,  1.3818],
            [-1.3254,  0.4932]]])

    Al escribir palabra por palabra llega solo la última, y ``start_index`` dice en qué lugar va:

    >>> layer.forward(x[:, :1], start_index=2).round(4)
    array([[[-1.3254,  0.4932]]])

    Con cabezas, (n, H, T, d), la secuencia está en el eje 2:

    >>> RotaryEmbedding(sequence_axis=2).forward(np.ones((1, 4, 3, 2))).shape
    (1, 4, 3, 2)

    Parameters
    ----------
    max_wavelength, scaling_factor : float
        Como en :func:`rotate`.
    sequence_axis : int
        El eje de la secuencia; el 0 es el de las observaciones.
    feature_axis : int
        El de los números de cada vector.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si los ejes no existen o son el mismo, o si los vectores no tienen un número par de números.

        >>> RotaryEmbedding().forward(np.ones((1, 2, 3)))
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba la forma de unas parejas, con un número par en el eje -1, pero llegó (n, 2, 3)
    """

    any_size = supports_masking = True

    def __init__(self, max_wavelength=10000, scaling_factor=1.0, sequence_axis=1, feature_axis=-1, **options):
        super().__init__(**options)
        self.max_wavelength = _wavelength(max_wavelength)
        self.scaling_factor = _scaling(scaling_factor)
        self.sequence_axis = check.integer(sequence_axis, "sequence_axis", -64, 64)
        self.feature_axis = check.integer(feature_axis, "feature_axis", -64, 64)
        self._known = None, None

    def build(self, input_shape):
        r"""Comprueba que los ejes existan."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        _, features = self._axes(shape)
        width = shape[features - 1]
        if width is not None and width % 2:
            raise ValueError(
                f"x: se esperaba la forma de unas parejas, con un número par en el eje {self.feature_axis}, "
                f"pero llegó {text_of_shape(shape)}"
            )
        return shape

    def _axes(self, shape):
        # Contados con el de las observaciones, que es el 0.
        rank = len(shape) + 1
        axes = [axis + rank if axis < 0 else axis for axis in (self.sequence_axis, self.feature_axis)]
        if axes[0] == axes[1] or not all(1 <= axis < rank for axis in axes):
            raise ValueError(
                f"x: se esperaban un eje {self.sequence_axis} para la secuencia y otro {self.feature_axis} para los "
                f"vectores, y ninguno el de las observaciones, pero llegó {text_of_shape(shape)}"
            )
        return axes

    def adjust_to(self, shape):
        r"""Comprueba que las parejas estén completas."""
        self.compute_output_shape(shape)
        super().adjust_to(shape)

    def forward(self, x, training=False, start_index=0):
        r"""Gira los vectores; el primero está en la posición ``start_index``."""
        x = self.ready(x)
        start = check.integer(start_index, "start_index", 0, 2**31 - 1)
        sequence, features = self._axes(x.shape[1:])
        wanted = start, x.shape[sequence], x.shape[features], self.max_wavelength, self.scaling_factor
        if self._known[0] != wanted:
            # Mientras no cambie el largo, son los mismos ángulos.
            positions = np.arange(start, start + wanted[1], dtype=float)
            self._known = wanted, _turns(positions, wanted[2] // 2, *wanted[3:], self.dtype)
        self.y = self._turned("y", x, False)
        return self.y

    def backward(self, dy):
        r"""Gira el gradiente al revés."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        return self._turned("dx", dy, True)

    def _turned(self, name, x, back):
        sequence, features = self._axes(x.shape[1:])
        last = x.ndim - 1
        order = [*(k for k in range(x.ndim) if k != features), features]
        if features != last:
            # Los números de cada vector, al final; los de la secuencia siguen en su lugar o se recorren uno.
            moved = self.buffer(f"{name} moved", tuple(x.shape[k] for k in order))
            copy(x.transpose(order), moved)
            sequence -= features < sequence
        else:
            moved = x
        shape = math.prod(moved.shape[:sequence]), moved.shape[sequence], -1, moved.shape[last]
        y = self.buffer(name, moved.shape)
        _rotate(moved.reshape(shape), *self._known[1], back, y.reshape(shape))
        if features == last:
            return y
        found = self.buffer(f"{name} back", x.shape)
        copy(y, found.transpose(order))
        return found
