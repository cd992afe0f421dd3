r"""Posiciones escritas con senos y cosenos: un reloj de muchas manecillas."""

import numpy as np

from chapters.mlp.layer import Layer, text_of_shape
from dlbook import check
from dlbook.numeric.elementwise import fill
from dlbook.numeric.kernel import kernel


def plain_sine_positions(positions, width, max_wavelength=10000):
    r"""Da el vector de cada posición, una fila por cada una."""
    j = np.arange(width)
    speeds = max_wavelength ** (-(j - j % 2) / width)  # [ec-att-seno-velocidades]
    angles = positions[:, None] * speeds  # (T, d)
    return np.where(j % 2, np.cos(angles), np.sin(angles))  # [ec-att-seno]


def sine_positions(positions, width, max_wavelength=10000):
    r"""Escribe cada posición como un vector de senos y cosenos (*sinusoidal position encoding*).

    Los :math:`d` números van en parejas. La pareja :math:`i` gira a su propia velocidad, :math:`\omega_i`: la
    primera, un radián por posición, y cada una de las siguientes, más despacio que la anterior, en la misma
    proporción :cite:p:`vaswani2017`. Con :math:`\lambda` = ``max_wavelength``,

    .. math::
       :label: ec-att-seno-velocidades

       \omega_i=\lambda^{-2i/d},\qquad i=0,1,\dots,\tfrac d2-1 ,

    y la posición :math:`p` es dónde están todas las manecillas en ese momento:

    .. math::
       :label: ec-att-seno

       \mathrm{PE}(p)_{2i}=\operatorname{sen}(p\,\omega_i),
       \qquad
       \mathrm{PE}(p)_{2i+1}=\cos(p\,\omega_i) .

    No hay nada que aprender, y hay vector para cualquier posición.

    **A mano.** Con :math:`d=4` hay dos manecillas, :math:`\omega_0=1` y :math:`\omega_1=10000^{-2/4}=0.01`. En la
    posición 1 la primera avanzó un radián y la segunda, una centésima:
    :math:`(\operatorname{sen}1,\cos1,\operatorname{sen}0.01, \cos0.01)`.

    >>> sine_positions([0, 1], 4).round(6)
    array([[0.      , 1.      , 0.      , 1.      ],
           [0.841471, 0.540302, 0.01    , 0.99995 ]])

    **Avanzar es girar.** ¿Qué cambia de la posición :math:`p` a la :math:`p+k`? Las fórmulas del seno y el coseno de
    una suma, con los ángulos :math:`p\,\omega` y :math:`k\,\omega`, contestan por cada pareja:

    .. math::
       :label: ed-att-seno-giro

       \begin{pmatrix}\operatorname{sen}((p+k)\,\omega)\\ \cos((p+k)\,\omega)\end{pmatrix}
       =\begin{pmatrix}\cos k\omega&\operatorname{sen}k\omega\\ -\operatorname{sen}k\omega&\cos k\omega\end{pmatrix}
       \begin{pmatrix}\operatorname{sen}p\,\omega\\ \cos p\,\omega\end{pmatrix} .

    La matriz no depende de :math:`p`: es un giro, siempre el mismo para el mismo :math:`k`. «Tres lugares a la
    izquierda» es una multiplicación que una capa lineal puede aprender una vez y usar en toda la frase.

    **Parecido y distancia.** El producto punto de dos posiciones junta, por pareja,
    :math:`\operatorname{sen}a\operatorname{sen}b+\cos a\cos b=\cos(a-b)`. Sumadas todas,

    .. math::
       :label: ed-att-seno-producto

       \mathrm{PE}(p)\cdot\mathrm{PE}(q)=\sum_{i}\cos\bigl((p-q)\,\omega_i\bigr) .

    Solo importa la distancia, y no de qué lado se mida, porque el coseno es par. De una posición consigo misma da
    :math:`d/2`, lo más que puede dar.

    >>> a, b, c, d = sine_positions([3, 8, 103, 108], 64)
    >>> print(f"{a @ b:.6f} {c @ d:.6f} {a @ a:.6f}")
    23.503971 23.503971 32.000000

    Parameters
    ----------
    positions : array_like, shape (T,)
        Las posiciones; casi siempre enteros, pero no hace falta.
    width : int
        Cuántos números por posición, :math:`d`. Si es impar, a la última manecilla le falta su coseno.
    max_wavelength : float
        :math:`\lambda`, de al menos 1. Una vuelta de la manecilla más lenta no llega a
        :math:`2\pi\lambda` posiciones.

    Returns
    -------
    ndarray of float64, shape (T, width)

    Raises
    ------
    TypeError, ValueError
        Si las posiciones no son una lista de números finitos, si no hay ninguno o si un tamaño no sirve.

        >>> sine_positions([[0, 1]], 4)
        Traceback (most recent call last):
            ...
        ValueError: positions: se esperaba la forma (T), pero llegó (1, 2)
    """
    positions = check.floats(positions, "positions", "T").astype(float)
    width = check.integer(width, "width", 1)
    max_wavelength = check.number(max_wavelength, "max_wavelength", 1)
    check.memory(4 * positions.size * width, "las posiciones", 8)
    return plain_sine_positions(positions, width, max_wavelength)


def sequence_shape(input_shape):
    r"""Comprueba que cada observación sea una secuencia de vectores, y da su forma.

    >>> sequence_shape((None, 8))
    (None, 8)

    Parameters
    ----------
    input_shape : tuple of int
        La forma de una observación, (..., T, d).

    Returns
    -------
    tuple of int
    """
    shape = check.shape(input_shape, "input_shape", unknown=True)
    if len(shape) < 2 or shape[-1] is None:
        raise ValueError(
            f"x: se esperaba la forma (n, …, T, d), un vector por posición, pero llegó {text_of_shape(shape)}"
        )
    return shape


@kernel
def _repeat(row, y):
    # La misma fila, tantas veces como quepa.
    for i in range(y.shape[0]):
        for j in range(row.size):
            y[i, j] = row[j]


class SinePositionEncoding(Layer):
    r"""Capa que da las posiciones de una secuencia, con senos y cosenos, como la de KerasHub.

    De lo que entra solo mira la forma: devuelve los vectores de :eq:`ec-att-seno`, los mismos para todas las
    observaciones. Se suman después, ``x + SinePositionEncoding()(x)``. Como no dependen de lo que entra, el gradiente
    de la entrada es cero.

    >>> layer = SinePositionEncoding(dtype="float64")
    >>> layer.forward(np.zeros((1, 2, 4))).round(4)
    array([[[0.    , 1.    , 0.    , 1.    ],
            [0.8415, 0.5403, 0.01  , 1.    ]]])

    Al escribir palabra por palabra, ``start_index`` dice cuál es la posición de la primera que llega:

    >>> layer.forward(np.zeros((1, 1, 4)), start_index=1).round(4)
    array([[[0.8415, 0.5403, 0.01  , 1.    ]]])

    Parameters
    ----------
    max_wavelength : float
        Como en :func:`sine_positions`.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si la longitud de onda es menor que 1, o si lo que entra no es una secuencia de vectores.
    """

    any_size = supports_masking = True

    def __init__(self, max_wavelength=10000, **options):
        super().__init__(**options)
        self.max_wavelength = check.number(max_wavelength, "max_wavelength", 1)
        self._known = None, None

    def build(self, input_shape):
        r"""Comprueba que sea una secuencia de vectores."""
        sequence_shape(input_shape)
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada."""
        return sequence_shape(input_shape)

    def forward(self, x, training=False, start_index=0):
        r"""Da el vector de cada posición, desde la ``start_index``."""
        x = self.ready(x)
        start = check.integer(start_index, "start_index", 0, 2**31 - 1)
        wanted = start, *x.shape[-2:], self.max_wavelength
        known, table = self._known
        if known != wanted:
            # Mientras no cambie el largo, son los mismos números.
            _, steps, width, _ = wanted
            table = sine_positions(np.arange(start, start + steps), width, self.max_wavelength)
            self._known = wanted, table.astype(self.dtype)
        self.y = y = self.buffer("y", x.shape)
        table = self._known[1]
        _repeat(table.reshape(-1), y.reshape(-1, table.size))
        return y

    def backward(self, dy):
        r"""Devuelve ceros: la salida no depende de los números que entraron."""
        dy = self.output_gradient(dy)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", dy.shape)
        fill(dx, 0)
        return dx
