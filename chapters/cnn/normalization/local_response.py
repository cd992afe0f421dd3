r"""Normalización por respuesta local: la inhibición entre mapas vecinos de AlexNet."""

import numpy as np

from chapters.cnn.arguments import known
from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.numeric.kernel import kernel


def _rows(x):
    return x.reshape(-1, x.shape[-1])


def _arguments(depth_radius, bias, alpha, beta):
    return (
        check.integer(depth_radius, "depth_radius", 0),
        check.number(bias, "bias", 0, open_low=True),
        check.number(alpha, "alpha", 0),
        check.number(beta, "beta", 0),
    )


# Más allá del último canal no hay vecinos: un radio enorme es el de todos, y así el núcleo no cuenta de más.
def _within(arguments, rows):
    radius, *others = arguments
    return min(radius, rows.shape[1]), *others


def local_response_forward(x, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75):
    r"""Normalización por respuesta local (*local response normalization*, LRN), hacia delante.

    En la retina, una célula muy excitada calla a sus vecinas: es la inhibición lateral, y hace resaltar los contrastes.
    AlexNet la imita entre **mapas** :cite:p:`krizhevsky2012`. En cada píxel, la respuesta de un filtro se divide entre
    una medida de cuánto respondieron ahí los filtros de al lado. Si uno grita, los demás bajan la voz.

    **Definición.** Sea :math:`a_i` la respuesta del filtro :math:`i` en un píxel, y :math:`V(i)` sus vecinos: los
    filtros de :math:`i-r` a :math:`i+r`, sin salirse de los que hay. Entonces

    .. math::
       :label: ec-cnn-lrn

       b_i=\frac{a_i}{S_i^{\,\beta}},
       \qquad
       S_i=k+\alpha\sum_{j\in V(i)}a_j^2 .

    AlexNet usa :math:`n=2r+1=5` vecinos, :math:`k=2`, :math:`\alpha=10^{-4}` y :math:`\beta=0.75`. Ninguno se aprende.
    Con esos valores la vecindad pesa poco mientras las respuestas no pasen de unas decenas. Si todas valen cero se
    divide entre :math:`2^{0.75}\approx1.68`, y nunca entre cero.

    **A mano.** Tres filtros responden 1, 2 y 0; vecindad :math:`r=1`, con :math:`k=1`, :math:`\alpha=1` y
    :math:`\beta=\tfrac12`. Las sumas son :math:`S_1=1+1+4=6`, :math:`S_2=1+1+4+0=6` y :math:`S_3=1+4+0=5`:

    >>> arguments = {"depth_radius": 1, "bias": 1, "alpha": 1, "beta": 0.5}
    >>> local_response_forward([[1, 2, 0]], **arguments).round(4)
    array([[0.4082, 0.8165, 0.    ]])

    que son :math:`1/\sqrt6`, :math:`2/\sqrt6` y :math:`0`. Si el segundo sube a 20, el primero, que no ha cambiado,
    casi desaparece:

    >>> local_response_forward([[1, 20, 0]], **arguments).round(4)
    array([[0.0499, 0.9975, 0.    ]])

    Parameters
    ----------
    x : array_like, shape (..., d)
        El último eje son los canales.
    depth_radius : int
        El radio :math:`r` de la vecindad.
    bias, alpha, beta : float
        Los números :math:`k`, :math:`\alpha` y :math:`\beta`, con los nombres de TensorFlow: :math:`k` mayor que 0 y
        los otros al menos 0.

    Returns
    -------
    ndarray, shape (..., d)

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si la forma o un argumento no es lo que se espera.

    Notes
    -----
    Con :math:`\alpha` hay dos costumbres. El artículo y TensorFlow multiplican la **suma** de los cuadrados; Caffe y
    PyTorch, su **media** sobre los :math:`n` vecinos. El mismo :math:`\alpha=10^{-4}` es ahí cinco veces más débil.
    """
    x = check.floats(x, "x", "... d")
    arguments = _arguments(depth_radius, bias, alpha, beta)
    y = np.empty_like(x)
    rows = _rows(x)
    _local_response_forward(rows, *_within(arguments, rows), np.empty_like(rows), _rows(y))
    return y


def plain_local_response_forward(x, depth_radius, bias, alpha, beta):
    r"""Cada filtro, dividido entre lo que responden sus vecinos."""
    y = np.empty(x.shape)
    for i in range(x.shape[-1]):
        V = slice(max(0, i - depth_radius), i + depth_radius + 1)
        S = bias + alpha * (x[..., V] ** 2).sum(axis=-1)  # [ec-cnn-lrn]
        y[..., i] = x[..., i] / S**beta  # [ec-cnn-lrn]
    return y


@kernel
def _inverse_power(s, beta, out):
    # Con 3/4 bastan dos raíces, que se calculan de a varias; una potencia cualquiera cuesta diez veces más.
    if beta == 0.75:
        for c in range(s.size):
            root = np.sqrt(s[c])
            out[c] = 1 / (root * np.sqrt(root))
    else:
        for c in range(s.size):
            out[c] = s[c] ** -beta


@kernel
def _local_response_forward(x, radius, bias, alpha, beta, s, y):
    n, d = x.shape
    k, a = x.dtype.type(bias), x.dtype.type(alpha)
    for i in range(n):
        for c in range(d):
            s[i, c] = k
        for step in range(-radius, radius + 1):
            for c in range(max(0, -step), min(d, d - step)):
                s[i, c] += a * x[i, c + step] * x[i, c + step]  # [ec-cnn-lrn]
        _inverse_power(s[i], beta, y[i])
        for c in range(d):
            y[i, c] *= x[i, c]  # [ec-cnn-lrn]


def local_response_backward(x, dy, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75):
    r"""Normalización por respuesta local, hacia atrás.

    **Derivación.** La respuesta :math:`a_j` del filtro :math:`j` aparece en su propia salida y en el divisor de sus
    vecinos. De :eq:`ec-cnn-lrn`, :math:`\partial S_i/\partial a_j` es :math:`2\alpha a_j` si :math:`j\in V(i)` y cero
    si no. Escribimos :math:`[\cdot]` por el número que vale 1 si se cumple lo de adentro y 0 si no. Al derivar el
    producto :math:`b_i=a_i\,S_i^{-\beta}`,

    .. math::
       :label: ed-cnn-lrn-jacobiano

       \frac{\partial b_i}{\partial a_j}
       =[i=j]\,S_i^{-\beta}-\beta\,a_i S_i^{-\beta-1}\,2\alpha a_j\,[j\in V(i)].

    Ser vecino es mutuo: :math:`j\in V(i)` cuando :math:`i\in V(j)`. Sumando sobre :math:`i`, con :math:`g_i` el
    gradiente que llega a :math:`b_i`, y escribiendo :math:`a_iS_i^{-\beta}` como :math:`b_i`,

    .. math::
       :label: ec-cnn-lrn-atras

       \frac{\partial\mathcal L}{\partial a_j}
       =g_j S_j^{-\beta}-2\alpha\beta\,a_j\sum_{i\in V(j)}\frac{g_i\,b_i}{S_i}.

    Lo primero es el camino directo. Lo segundo es la inhibición: subir :math:`a_j` achica a sus vecinos y también a sí
    mismo, tanto más cuanto mayor sea.

    **A mano.** Con las respuestas 1, 2 y 0 de antes, :math:`S=(6,6,5)` y :math:`b=(1/\sqrt6,\,2/\sqrt6,\,0)`. Llega
    :math:`g=(1,0,0)`. Para :math:`j=1`, :math:`\frac1{\sqrt6}-1\cdot1\cdot\frac{1}{6\sqrt6}=\frac5{6\sqrt6}\approx
    0.3402`; para :math:`j=2`, solo la inhibición, :math:`-2\cdot\frac1{6\sqrt6}\approx-0.1361`; el tercero vale cero y
    no inhibe:

    >>> x, g = [[1, 2, 0]], [[1, 0, 0]]
    >>> local_response_backward(x, g, 1, 1, 1, 0.5).round(4) + 0.0
    array([[ 0.3402, -0.1361,  0.    ]])

    Parameters
    ----------
    x : array_like, shape (..., d)
        Lo que entró a :func:`local_response_forward`.
    dy : array_like, shape (..., d)
        El gradiente de la salida.
    depth_radius, bias, alpha, beta
        Como en :func:`local_response_forward`.

    Returns
    -------
    ndarray, shape (..., d)
        El gradiente de la entrada.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si la forma o un argumento no es lo que se espera.
    """
    x = check.floats(x, "x", "... d")
    dy = check.floats(dy, "dy").astype(x.dtype, copy=False)
    if dy.shape != x.shape:
        raise ValueError(f"dy: se esperaba la forma de x, {x.shape}, pero llegó {dy.shape}")
    arguments = _arguments(depth_radius, bias, alpha, beta)
    rows = _rows(x)
    s, y, dx = np.empty_like(rows), np.empty_like(rows), np.empty_like(x)
    arguments = _within(arguments, rows)
    _local_response_forward(rows, *arguments, s, y)
    _local_response_backward(rows, s, y, _rows(dy), *arguments, _rows(dx))
    return dx


def plain_local_response_backward(x, dy, depth_radius, bias, alpha, beta):
    r"""El camino directo, menos la inhibición de los vecinos."""
    filters, r = range(x.shape[-1]), depth_radius
    V = [slice(max(0, i - r), i + r + 1) for i in filters]
    S = [bias + alpha * (x[..., V[i]] ** 2).sum(axis=-1) for i in filters]
    S = np.stack(S, axis=-1)
    y = x / S**beta  # [ec-cnn-lrn]
    dx = np.empty(x.shape)
    for j in filters:
        inhibition = (dy * y / S)[..., V[j]].sum(axis=-1)
        direct = dy[..., j] / S[..., j] ** beta
        less = 2 * alpha * beta * x[..., j] * inhibition
        dx[..., j] = direct - less  # [ec-cnn-lrn-atras]
    return dx


@kernel
def _local_response_backward(x, s, y, dy, radius, bias, alpha, beta, dx):
    n, d = x.shape
    factor = x.dtype.type(2 * alpha * beta)
    share, total = np.empty(d, x.dtype), np.empty(d, x.dtype)
    for i in range(n):
        for c in range(d):
            share[c] = dy[i, c] * y[i, c] / s[i, c]
        total[:] = 0
        for step in range(-radius, radius + 1):
            for c in range(max(0, -step), min(d, d - step)):
                total[c] += share[c + step]
        _inverse_power(s[i], beta, dx[i])
        for c in range(d):
            dx[i, c] = dy[i, c] * dx[i, c] - factor * x[i, c] * total[c]  # [ec-cnn-lrn-atras]


class LocalResponseNormalization(Layer):
    r"""Capa de normalización por respuesta local, con los valores de AlexNet.

    Hacia delante hace :func:`local_response_forward` y hacia atrás :func:`local_response_backward`. No tiene pesos, y
    hace lo mismo al entrenar que al predecir: mira los canales de un píxel, nunca otras observaciones.

    >>> layer = LocalResponseNormalization(dtype="float64")
    >>> x = np.array([[0.0, 10.0, 100.0, 10.0, 0.0]])
    >>> layer.forward(x).round(2)
    array([[ 0.  ,  4.37, 43.65,  4.37,  0.  ]])

    Solas, las respuestas de 10 habrían quedado en :math:`10/2.01^{0.75}\approx5.92`; las apagó su vecina de 100.

    Keras no trae esta capa. Se dejó de usar: VGG midió que no ayudaba :cite:p:`simonyan2014`, y la normalización por
    lotes ocupó su lugar.

    Parameters
    ----------
    depth_radius : int
        El radio de la vecindad; AlexNet dice :math:`n=5`, que es radio 2.
    bias, alpha, beta : float
        Los números :math:`k`, :math:`\alpha` y :math:`\beta` de :eq:`ec-cnn-lrn`.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del intervalo que se espera.

        >>> LocalResponseNormalization(bias=0)
        Traceback (most recent call last):
            ...
        ValueError: bias: se esperaba un número mayor que 0, pero llegó 0
    """

    any_size = True

    def __init__(self, depth_radius=2, bias=2.0, alpha=1e-4, beta=0.75, **options):
        super().__init__(**options)
        self.depth_radius, self.bias, self.alpha, self.beta = _arguments(depth_radius, bias, alpha, beta)

    def build(self, input_shape):
        r"""Comprueba que haya un eje de canales."""
        if not check.shape(input_shape, "input_shape", unknown=True):
            raise ValueError("x: se esperaba la forma (n, …, d), con un eje para los canales, pero llegó (n,)")
        super().build(input_shape)

    def forward(self, x, training=False):
        r"""Divide cada respuesta entre la de su vecindad."""
        self.x = x = self.ready(x)
        self.s, self.y = s, y = self.buffer("s", x.shape), self.buffer("y", x.shape)
        rows = _rows(x)
        _local_response_forward(rows, *self._numbers(rows), _rows(s), _rows(y))
        return y

    def backward(self, dy):
        r"""Devuelve el gradiente de la entrada."""
        dy = self.output_gradient(dy)
        dx, rows = self.buffer("dx", dy.shape), _rows(self.x)
        _local_response_backward(rows, _rows(self.s), _rows(self.y), _rows(dy), *self._numbers(rows), _rows(dx))
        return dx

    def work(self):
        r"""Cuenta un producto por vecino."""
        return known(self.input_shape) * (2 * min(self.depth_radius, known(self.input_shape[-1:])) + 6)

    def _numbers(self, rows):
        return _within((self.depth_radius, self.bias, self.alpha, self.beta), rows)
