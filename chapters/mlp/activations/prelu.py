r"""La PReLU: una ReLU con fuga cuya pendiente se aprende."""

import numpy as np

from chapters.mlp import constraints, initializers, regularizers
from chapters.mlp.layer import Layer
from chapters.mlp.places import give_back, repeated, take
from dlbook import check
from dlbook.numeric.elementwise import copy
from dlbook.numeric.kernel import kernel


def _slopes(x, alpha):
    # La pendiente de cada posición; las compartidas, repetidas.
    alpha = check.floats(alpha, "alpha").astype(x.dtype)
    shape = x.shape[1:]
    if alpha.ndim != len(shape) or any(a not in (1, s) for a, s in zip(alpha.shape, shape, strict=True)):
        raise ValueError(f"alpha: se esperaba la forma {shape}, o 1 donde se comparte, pero llegó {alpha.shape}")
    return alpha, np.broadcast_to(alpha, shape).reshape(-1)


def prelu_forward(x, alpha):
    r"""Deja pasar lo positivo y multiplica lo negativo por una pendiente aprendida (*parametric ReLU*).

    La ReLU con fuga deja una rendija para que las neuronas apagadas no mueran: lo negativo pasa, multiplicado por una
    pendiente pequeña que alguien escogió. ¿Y si la escoge la red? La pendiente es un peso más :cite:p:`he2015`.

    **Definición.** Cada posición :math:`j` de una observación tiene su pendiente :math:`\alpha_j`:

    .. math::
       :label: ec-mlp-prelu

       y_{ij}=\begin{cases}x_{ij},&x_{ij}>0,\\ \alpha_j\,x_{ij},&x_{ij}\le0.\end{cases}

    Con :math:`\alpha_j=0` es la ReLU; con :math:`\alpha_j=1`, no hace nada. En una imagen no conviene tener una por
    píxel y por canal: son demasiadas, y lo que se aprende en una esquina no tiene por qué servir en la otra. Se
    **comparte** una por canal, y entonces :math:`\alpha` mide 1 en los ejes de la altura y la anchura.

    **A mano.** Dos posiciones con pendientes 0.5 y 0.1. De :math:`(-2,-2)` quedan :math:`-1` y :math:`-0.2`:

    >>> prelu_forward([[-2.0, -2.0], [3.0, 0.0]], [0.5, 0.1])
    array([[-1. , -0.2],
           [ 3. ,  0. ]])

    Y con una sola para las dos, :math:`0.5`:

    >>> prelu_forward([[-2.0, -2.0], [3.0, 0.0]], [0.5])
    array([[-1., -1.],
           [ 3.,  0.]])

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Las observaciones.
    alpha : array_like, shape (...)
        Las pendientes :math:`\alpha`, con 1 en los ejes que se comparten.

    Returns
    -------
    ndarray, shape (n, ...)
        La salida.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos o si las formas no encajan.

        >>> prelu_forward([[-2.0, 1.0, 3.0]], [0.5, 0.1])
        Traceback (most recent call last):
            ...
        ValueError: alpha: se esperaba la forma (3,), o 1 donde se comparte, pero llegó (2,)
    """
    x = check.floats(x, "x", "... d")
    _, slopes = _slopes(x, alpha)
    y = np.empty_like(x)
    _prelu_forward(x.reshape(len(x), -1), slopes, y.reshape(len(x), -1))
    return y


def plain_prelu_forward(x, alpha):
    r"""Lo negativo, por su pendiente."""
    return np.where(x > 0, x, alpha * x)  # [ec-mlp-prelu]


@kernel
def _prelu_forward(x, slopes, y):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] = x[i, j] if x[i, j] > 0 else slopes[j] * x[i, j]  # [ec-mlp-prelu]


def _shared(shape, sizes):
    # Los ejes de un arreglo en los que hay un número para todas las posiciones.
    return tuple(k for k, (size, whole) in enumerate(zip(shape, sizes, strict=True)) if size != whole)


def prelu_backward(x, alpha, dy):
    r"""Lleva hacia atrás una ReLU de pendiente aprendida.

    **Derivación.** Sea :math:`g_{ij}` el gradiente que llega. De :eq:`ec-mlp-prelu`, lo positivo pasa intacto y lo
    negativo se multiplica por la pendiente:

    .. math::
       :label: ec-mlp-prelu-entrada

       \frac{\partial\mathcal L}{\partial x_{ij}}
       =g_{ij}\cdot\begin{cases}1,&x_{ij}>0,\\ \alpha_j,&x_{ij}\le0.\end{cases}

    Y :math:`\alpha_j` solo aparece donde :math:`x_{ij}\le0`, con factor :math:`x_{ij}`. Los caminos se suman, uno por
    observación:

    .. math::
       :label: ec-mlp-prelu-pendiente

       \frac{\partial\mathcal L}{\partial\alpha_j}=\sum_{i\,:\,x_{ij}\le0}g_{ij}\,x_{ij} .

    Si la comparten varias posiciones, hay un camino por cada una, y se suman también:

    .. math::
       :label: ed-mlp-prelu-compartida

       \frac{\partial\mathcal L}{\partial\alpha}
       =\sum_j\frac{\partial\mathcal L}{\partial\alpha_j} .

    **A mano.** Con pendientes 0.5 y 0.1 y gradiente 1 en todas partes, la primera columna suma :math:`-2`, y la
    segunda, :math:`-2+0`:

    >>> dalpha, dx = prelu_backward(
    ...     [[-2.0, -2.0], [3.0, 0.0]], [0.5, 0.1], np.ones((2, 2))
    ... )
    >>> dalpha, dx
    (array([-2., -2.]), array([[0.5, 0.1],
           [1. , 0.1]]))

    Compartida, las dos sumas son una:

    >>> prelu_backward([[-2.0, -2.0], [3.0, 0.0]], [0.5], np.ones((2, 2)))[0]
    array([-4.])

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Lo que entró a :func:`prelu_forward`.
    alpha : array_like, shape (...)
        Las pendientes.
    dy : array_like, shape (n, ...)
        El gradiente de la salida.

    Returns
    -------
    dalpha : ndarray, shape (...)
        El gradiente de las pendientes, con la forma de ``alpha``.
    dx : ndarray, shape (n, ...)
        El de la entrada.

    Raises
    ------
    TypeError, ValueError
        Si no son números reales y finitos o si las formas no encajan.
    """
    x = check.floats(x, "x", "... d")
    alpha, slopes = _slopes(x, alpha)
    dy = check.floats(dy, "dy").astype(x.dtype)
    if dy.shape != x.shape:
        raise ValueError(f"dy: se esperaba la forma {x.shape}, pero llegó {dy.shape}")
    dx, rows = np.empty_like(x), x.reshape(len(x), -1)
    sums = np.empty(slopes.size)
    _prelu_slopes(rows, dy.reshape(rows.shape), sums)
    _prelu_backward(rows, slopes, dy.reshape(rows.shape), dx.reshape(rows.shape))
    sums = sums.reshape(x.shape[1:])
    return sums.sum(axis=_shared(alpha.shape, sums.shape), keepdims=True).astype(x.dtype), dx


def plain_prelu_backward(x, alpha, dy):
    r"""El gradiente de las pendientes y el de la entrada."""
    dx = np.where(x > 0, dy, alpha * dy)  # [ec-mlp-prelu-entrada]
    # [ec-mlp-prelu-pendiente]
    dalpha = np.where(x > 0, 0, dy * x).sum(axis=0)
    shared = tuple(k for k, size in enumerate(alpha.shape) if size == 1)
    return dalpha.sum(axis=shared, keepdims=True), dx


@kernel
def _prelu_slopes(x, dy, sums):
    sums[:] = 0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if not x[i, j] > 0:
                sums[j] += dy[i, j] * x[i, j]  # [ec-mlp-prelu-pendiente]


@kernel
def _prelu_backward(x, slopes, dy, dx):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            dx[i, j] = dy[i, j] if x[i, j] > 0 else slopes[j] * dy[i, j]  # [ec-mlp-prelu-entrada]


class PReLU(Layer):
    r"""Capa que aprende la pendiente de lo negativo (*parametric rectified linear unit*).

    Calcula :eq:`ec-mlp-prelu` y aprende :math:`\alpha` con :eq:`ec-mlp-prelu-pendiente`. Sin ``shared_axes`` hay una
    pendiente por posición; con ``shared_axes=(1, 2)``, en una imagen, una por canal:

    >>> layer = PReLU(alpha_initializer="ones", shared_axes=(1, 2))
    >>> layer.build((28, 28, 3))
    >>> layer.alpha
    array([[[1., 1., 1.]]], dtype=float32)

    **A mano.** Una capa densa de dos neuronas, con las pendientes de :func:`prelu_forward`, ahora como pesos:

    >>> layer = PReLU(dtype="float64")
    >>> layer.build((2,))
    >>> layer.alpha = [0.5, 0.1]
    >>> layer.forward([[-2.0, -2.0], [3.0, 0.0]])
    array([[-1. , -0.2],
           [ 3. ,  0. ]])
    >>> layer.backward(np.ones((2, 2)))
    array([[0.5, 0.1],
           [1. , 0.1]])
    >>> layer.gradients[0]
    array([-2., -2.])

    Parameters
    ----------
    alpha_initializer : str or Initializer
        Con qué pendientes empieza. En Keras y aquí, ceros: nace como una ReLU.
    alpha_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida. Cuidado: empuja a la fuga hacia la ReLU.
    alpha_constraint : str or Constraint, optional
        Restricción que se les impone después de cada paso.
    shared_axes : int or sequence of int, optional
        Los ejes en que se comparte la pendiente, contando el de las observaciones, que es el 0: desde 1.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    alpha : ndarray
        Las pendientes, con la forma de una observación y 1 en los ejes compartidos.

    Raises
    ------
    TypeError, ValueError
        Si un eje no es un entero, no lo hay en la entrada o, sin compartirse, no mide siempre lo mismo.

        >>> PReLU(shared_axes=0)
        Traceback (most recent call last):
            ...
        ValueError: shared_axes[0]: se esperaba un entero entre 1 y 64, pero llegó 0
        >>> PReLU(shared_axes=2).build((5,))
        Traceback (most recent call last):
            ...
        ValueError: shared_axes: se esperaban ejes de 1 a 1, los de la entrada, pero llegó (2,)
        >>> PReLU(shared_axes=1).build((None, None, 3))
        Traceback (most recent call last):
            ...
        ValueError: shared_axes: se esperaba que el eje 2 midiera siempre lo mismo, o que se compartiera
    """

    supports_masking = True

    def __init__(
        self, alpha_initializer="Zeros", alpha_regularizer=None, alpha_constraint=None, shared_axes=None, **options
    ):
        super().__init__(**options)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        self.shared_axes = None
        if shared_axes is not None:
            # Keras lee un eje negativo de otro modo en esta capa; aquí se cuentan desde 1.
            axes = shared_axes if isinstance(shared_axes, (tuple, list)) else (shared_axes,)
            self.shared_axes = tuple(check.integer(a, f"shared_axes[{k}]", 1, 64) for k, a in enumerate(axes))
        self.alpha = None

    @property
    def any_size(self):
        r"""Si admite otros tamaños, por compartir la pendiente en todos los ejes menos el último."""
        return self.built and set(range(1, len(self.input_shape))) <= set(self.shared_axes or ())

    def build(self, input_shape):
        r"""Crea las pendientes."""
        shape = self._alpha_shape(input_shape)
        super().build(input_shape)
        self.alpha = self.add_weight(
            shape, self.alpha_initializer, regularizer=self.alpha_regularizer, constraint=self.alpha_constraint
        )

    def compute_output_shape(self, input_shape):
        r"""Devuelve la misma forma de la entrada."""
        self._alpha_shape(input_shape)
        return super().compute_output_shape(input_shape)

    def _alpha_shape(self, input_shape):
        sizes = check.shape(input_shape, "input_shape", unknown=True)
        axes = self.shared_axes or ()
        if axes and max(axes) > len(sizes):
            raise ValueError(
                f"shared_axes: se esperaban ejes de 1 a {len(sizes)}, los de la entrada, pero llegó {axes}"
            )
        shape = tuple(1 if axis in axes else size for axis, size in enumerate(sizes, 1))
        if None in shape:
            axis = shape.index(None) + 1
            raise ValueError(
                f"shared_axes: se esperaba que el eje {axis} midiera siempre lo mismo, o que se compartiera"
            )
        return shape

    def forward(self, x, training=False):
        r"""Deja pasar lo positivo y multiplica lo negativo por su pendiente."""
        self.x = x = self.ready(x)
        self.slopes = self.buffer("slopes", x.shape[1:])
        take(self.alpha[np.newaxis], self._places(), self.slopes[np.newaxis])
        self.y = self.buffer("y", x.shape)
        n = len(x)
        _prelu_forward(x.reshape(n, -1), self.slopes.reshape(-1), self.y.reshape(n, -1))
        return self.y

    def backward(self, dy):
        r"""Llena el gradiente de las pendientes y devuelve el de la entrada."""
        dy = self.output_gradient(dy)
        rows = self.x.reshape(len(dy), -1)
        if self._trainable:
            sums = self.buffer("sums", dy.shape[1:], np.float64)
            _prelu_slopes(rows, dy.reshape(rows.shape), sums.reshape(-1))
            # Las de las posiciones que comparten pendiente se suman antes de redondear.
            own = self.buffer("own", self.alpha.shape, np.float64)
            give_back(sums[np.newaxis], self._places(), own[np.newaxis])
            copy(own, self.gradients[0])
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", dy.shape)
        _prelu_backward(rows, self.slopes.reshape(-1), dy.reshape(rows.shape), dx.reshape(rows.shape))
        return dx

    def _places(self):
        return repeated(self.alpha.shape, self.x.shape[1:])
