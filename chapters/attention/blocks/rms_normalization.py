r"""Normalización por la raíz de la media de los cuadrados: a escala, sin centrar."""

import numpy as np

from chapters.attention.blocks.layer_normalization import BLOCK
from chapters.attention.blocks.over_axes import OverAxes
from dlbook import check
from dlbook.numeric.elementwise import copy
from dlbook.numeric.kernel import kernel


def rms_norm_forward(x, scale, epsilon=1e-6):
    r"""Normalización RMS (*root mean square*), hacia delante.

    La normalización por capa hace dos cosas: centra y escala. Esta :cite:p:`zhang2019b` hace una sola, y con eso le
    sobran la media y los :math:`\beta_j`. Divide cada vector entre la raíz de la media de los cuadrados de sus números:

    .. math::
       :label: ec-att-rms-raiz

       r=\sqrt{\frac1d\sum_{j=1}^{d}x_j^2+\varepsilon} ,

    .. math::
       :label: ec-att-rms-salida

       \hat x_j=\frac{x_j}{r},
       \qquad
       y_j=\gamma_j\,\hat x_j .

    **A mano.** De :math:`(7,1,1,7)` los cuadrados suman 100; su media es 25 y su raíz, 5:

    >>> x, scale = [[7.0, 1.0, 1.0, 7.0]], [1.0, 1.0, 1.0, 10.0]
    >>> rms_norm_forward(x, scale, 1e-12)[0]
    array([[ 1.4,  0.2,  0.2, 14. ]])

    Parameters
    ----------
    x : array_like, shape (..., d)
        Un vector por posición, en el último eje.
    scale : array_like, shape (d,)
        La escala :math:`\gamma_j` de cada componente.
    epsilon : float
        El número :math:`\varepsilon`, mayor que 0.

    Returns
    -------
    y : ndarray, shape (..., d)
        La salida.
    root : ndarray, shape (...)
        Entre cuánto se dividió cada vector, :math:`r`.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan o si hay NaN o infinitos.
    """
    sizes = {}
    x = check.floats(x, "x", "... d", sizes)
    scale = check.floats(scale, "scale", "d", sizes).astype(x.dtype)
    epsilon = check.number(epsilon, "epsilon", 0, open_low=True)
    y, root = np.empty_like(x), np.empty(x.shape[:-1], x.dtype)
    rows = x.reshape(-1, x.shape[-1])
    _rms_norm_forward(rows, scale, epsilon, root.reshape(-1), y.reshape(rows.shape))
    return y, root


def plain_rms_norm_forward(x, scale, epsilon=1e-6):
    r"""Cada vector, entre la raíz de la media de sus cuadrados."""
    root = np.sqrt((x**2).mean(axis=-1) + epsilon)  # [ec-att-rms-raiz]
    y = scale * x / root[..., None]  # [ec-att-rms-salida]
    return y, root


@kernel(fastmath={"reassoc", "contract"})
def _rms_norm_forward(x, scale, epsilon, root, y):
    n, d = x.shape
    for i in range(n):
        squares = x.dtype.type(0)
        for j in range(d):
            squares += x[i, j] * x[i, j]
        root[i] = np.sqrt(squares / x.dtype.type(d) + x.dtype.type(epsilon))  # [ec-att-rms-raiz]
        inverse = x.dtype.type(1) / root[i]
        for j in range(d):
            y[i, j] = scale[j] * (x[i, j] * inverse)  # [ec-att-rms-salida]


def rms_norm_backward(x, scale, root, dy):
    r"""Normalización RMS, hacia atrás.

    **Derivación.** Es la de :func:`layer_norm_backward` con un camino menos, porque no hay media. A :math:`\hat x_j` le
    llega :math:`h_j=\gamma_jg_j`, y a :math:`\gamma_j`, la suma de :math:`g_{ij}\hat x_{ij}` sobre las posiciones:

    .. math::
       :label: ec-att-rms-parametros

       \frac{\partial\mathcal L}{\partial\gamma_j}=\sum_ig_{ij}\,\hat x_{ij} .

    De la raíz, :math:`\partial r/\partial x_k=\frac1{2r}\cdot\frac{2x_k}d=\hat x_k/d`. Con ella, la regla del cociente
    da

    .. math::
       :label: ed-att-rms-jacobiano

       \frac{\partial\hat x_j}{\partial x_k}
       =\frac{[j=k]}r-\frac{x_j}{r^2}\cdot\frac{\hat x_k}d
       =\frac1r\Bigl([j=k]-\frac{\hat x_j\hat x_k}d\Bigr) ,

    y al sumar sobre los :math:`d` caminos,

    .. math::
       :label: ec-att-rms-entrada

       \frac{\partial\mathcal L}{\partial x_k}
       =\sum_jh_j\,\frac{\partial\hat x_j}{\partial x_k}
       =\frac1r\Bigl(h_k-\hat x_k\,\overline{h\hat x}\Bigr) .

    **A mano.** De :math:`(7,1,1,7)`, :math:`r=5` y :math:`\hat{\mathbf x}=(1.4,0.2,0.2,1.4)`. Con escala 1 llega
    :math:`\mathbf g=(10,0,0,0)`: el promedio :math:`\overline{h\hat x}` es :math:`14/4=3.5`, y al primero le toca
    :math:`\frac15(10-1.4\cdot3.5)=1.02`:

    >>> x, g = [[7.0, 1.0, 1.0, 7.0]], [[10.0, 0.0, 0.0, 0.0]]
    >>> dscale, dx = rms_norm_backward(x, [1.0] * 4, [5.0], g)
    >>> dx
    array([[ 1.02, -0.14, -0.14, -0.98]])
    >>> dscale
    array([14.,  0.,  0.,  0.])

    Parameters
    ----------
    x : array_like, shape (..., d)
        Lo que entró a :func:`rms_norm_forward`.
    scale : array_like, shape (d,)
        La escala de cada componente.
    root : array_like, shape (...)
        Las raíces que devolvió.
    dy : array_like, shape (..., d)
        El gradiente de la salida.

    Returns
    -------
    dscale : ndarray, shape (d,)
        El gradiente de la escala.
    dx : ndarray, shape (..., d)
        El de la entrada.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan, si hay NaN o infinitos o si alguna raíz no es mayor que 0.
    """
    sizes = {}
    x = check.floats(x, "x", "... d", sizes)
    scale = check.floats(scale, "scale", "d", sizes).astype(x.dtype)
    root, dy = (check.floats(a, name).astype(x.dtype, copy=False) for a, name in ((root, "root"), (dy, "dy")))
    if dy.shape != x.shape or root.shape != x.shape[:-1]:
        raise ValueError(f"se esperaban root {x.shape[:-1]} y dy {x.shape}, pero llegaron {root.shape} y {dy.shape}")
    if root.min() <= 0:
        raise ValueError(f"root: se esperaban números mayores que 0, pero hay un {root.min()}")
    rows, dscale, dx = x.reshape(-1, x.shape[-1]), np.empty(x.shape[-1]), np.empty_like(x)
    _rms_norm_backward(rows, scale, root.reshape(-1), dy.reshape(rows.shape), dscale, dx.reshape(rows.shape))
    return dscale.astype(x.dtype), dx


def plain_rms_norm_backward(x, scale, root, dy):
    r"""Dos caminos: el directo y el de la raíz."""
    hat = x / root[..., None]  # [ec-att-rms-salida]
    others = tuple(range(x.ndim - 1))
    dscale = (dy * hat).sum(axis=others)  # [ec-att-rms-parametros]
    h = scale * dy
    along = hat * (h * hat).mean(axis=-1, keepdims=True)
    dx = (h - along) / root[..., None]  # [ec-att-rms-entrada]
    return dscale, dx


@kernel(fastmath={"reassoc", "contract"})
def _rms_norm_backward(x, scale, root, dy, dscale, dx):
    # dscale, en float64.
    n, d = x.shape
    dscale[:] = 0
    part = np.empty(d, x.dtype)
    for start in range(0, n, BLOCK):
        part[:] = 0
        for i in range(start, min(start + BLOCK, n)):
            inverse = x.dtype.type(1) / root[i]
            along = x.dtype.type(0)
            for j in range(d):
                hat = x[i, j] * inverse
                along += scale[j] * dy[i, j] * hat
                part[j] += dy[i, j] * hat  # [ec-att-rms-parametros]
            along /= x.dtype.type(d)
            for j in range(d):
                hat = x[i, j] * inverse
                dx[i, j] = (scale[j] * dy[i, j] - hat * along) * inverse  # [ec-att-rms-entrada]
        for j in range(d):
            dscale[j] += part[j]


class RMSNormalization(OverAxes):
    r"""Capa de normalización RMS, con los argumentos de Keras: :func:`rms_norm_forward` y :func:`rms_norm_backward`.

    >>> layer = RMSNormalization(dtype="float64")
    >>> layer.forward([[7.0, 1.0, 1.0, 7.0]]).round(6)
    array([[1.4, 0.2, 0.2, 1.4]])
    >>> layer.count_params()
    4

    Parameters
    ----------
    axis : int or list of int
        Los ejes que se promedian juntos, contando el de las observaciones, que no puede ser; casi siempre el último.
    epsilon : float
        El número :math:`\varepsilon`, mayor que 0.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    scale : ndarray
        La escala :math:`\boldsymbol\gamma`, con un número por lugar de los ejes.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del intervalo que se espera.
    """

    def __init__(self, axis=-1, epsilon=1e-6, **options):
        super().__init__(axis, epsilon, **options)
        self.scale = None

    def build(self, input_shape):
        r"""Crea la escala, una por componente."""
        super().build(input_shape)
        self.scale = self.add_weight(self._width, "ones")

    def forward(self, x, training=False):
        r"""Divide cada vector entre la raíz de la media de sus cuadrados."""
        self.x = x = self.ready(x)
        self.rows = rows = self._rows(x, "x")
        self.root, y = self.buffer("root", rows.shape[:1]), self.buffer("y", rows.shape)
        _rms_norm_forward(rows, self.scale.reshape(-1), self.epsilon, self.root, y)
        self.y = self._back(y, "out")
        return self.y

    def backward(self, dy):
        r"""Llena el gradiente de la escala y devuelve el de la entrada."""
        dy = self._rows(self.output_gradient(dy), "dy")
        dscale, dx = self.buffer("dscale", dy.shape[1:], np.float64), self.buffer("dx", dy.shape)
        _rms_norm_backward(self.rows, self.scale.reshape(-1), self.root, dy, dscale, dx)
        if self.trainable:
            copy(dscale, self.gradients[0].reshape(-1))
        return self._back(dx, "din") if self.input_gradient else None
