r"""Normalización por capa: cada posición, centrada y a escala con sus propios números."""

import numpy as np

from chapters.attention.blocks.over_axes import OverAxes
from chapters.mlp import constraints, initializers, regularizers
from dlbook import check
from dlbook.attributes import Absent
from dlbook.numeric.elementwise import copy
from dlbook.numeric.kernel import kernel

# De a cuántas filas se suma en el tipo de los datos antes de pasar a float64: pocas, para no perder cifras.
BLOCK = 64


def layer_norm_forward(x, gamma, beta, epsilon=1e-3):
    r"""Normalización por capa (*layer normalization*), hacia delante.

    Una frase de :math:`T` palabras llega como :math:`T` filas de :math:`d` números. La normalización por capa
    :cite:p:`ba2016` toma **una fila**, el vector de una posición, y lo centra y lo escala con sus propios :math:`d`
    números. No mira a las demás posiciones ni a las demás frases.

    **Definición.** Sea :math:`\mathbf x=(x_1,\dots,x_d)` el vector de una posición. Se calculan su media y su varianza,

    .. math::
       :label: ec-att-ln-media

       \mu=\frac1d\sum_{j=1}^{d}x_j,
       \qquad
       \sigma^2=\frac1d\sum_{j=1}^{d}(x_j-\mu)^2 ,

    se centra y se escala,

    .. math::
       :label: ec-att-ln-normaliza

       \hat x_j=\frac{x_j-\mu}{s},
       \qquad
       s=\sqrt{\sigma^2+\varepsilon} ,

    y cada componente recibe su escala y su desplazamiento, que se aprenden y son los mismos en todas las posiciones:

    .. math::
       :label: ec-att-ln-escala

       y_j=\gamma_j\,\hat x_j+\beta_j .

    El número pequeño :math:`\varepsilon` evita dividir entre cero cuando los :math:`d` números son iguales.

    **A mano.** De :math:`(7,1,1,7)` la media es 4 y la varianza 9; quedan :math:`\hat{\mathbf x}=(1,-1,-1,1)`. Con
    :math:`\boldsymbol\gamma=(10,1,1,2)` y :math:`\boldsymbol\beta=(0,0,5,0)` salen 10, −1, 4 y 2:

    >>> gamma, beta = [10.0, 1.0, 1.0, 2.0], [0.0, 0.0, 5.0, 0.0]
    >>> y, mean, variance = layer_norm_forward(
    ...     [[7.0, 1.0, 1.0, 7.0]], gamma, beta, 1e-12
    ... )
    >>> y.round(6)
    array([[10., -1.,  4.,  2.]])
    >>> mean, variance
    (array([4.]), array([9.]))

    Otra fila en el mismo lote no cambia nada de esta:

    >>> both = [[7.0, 1.0, 1.0, 7.0], [0.0, 50.0, 100.0, 0.0]]
    >>> layer_norm_forward(both, gamma, beta, 1e-12)[0][0].round(6)
    array([10., -1.,  4.,  2.])

    Parameters
    ----------
    x : array_like, shape (..., d)
        Un vector por posición, en el último eje.
    gamma, beta : array_like, shape (d,)
        La escala y el desplazamiento de cada componente.
    epsilon : float
        El número :math:`\varepsilon`, mayor que 0.

    Returns
    -------
    y : ndarray, shape (..., d)
        La salida.
    mean, variance : ndarray, shape (...)
        La media y la varianza de cada vector.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan o si hay NaN o infinitos.
    """
    sizes = {}
    x = check.floats(x, "x", "... d", sizes)
    gamma, beta = (check.floats(a, name, "d", sizes).astype(x.dtype) for a, name in ((gamma, "gamma"), (beta, "beta")))
    epsilon = check.number(epsilon, "epsilon", 0, open_low=True)
    y, mean, variance = np.empty_like(x), *(np.empty(x.shape[:-1], x.dtype) for _ in range(2))
    rows, moments = x.reshape(-1, x.shape[-1]), (mean.reshape(-1), variance.reshape(-1))
    _layer_norm_forward(rows, gamma, beta, epsilon, *moments, y.reshape(rows.shape))
    return y, mean, variance


def plain_layer_norm_forward(x, gamma, beta, epsilon=1e-3):
    r"""Cada vector, centrado y a escala."""
    mean = x.mean(axis=-1)  # [ec-att-ln-media]
    variance = x.var(axis=-1)  # [ec-att-ln-media]
    s = np.sqrt(variance + epsilon)
    hat = (x - mean[..., None]) / s[..., None]  # [ec-att-ln-normaliza]
    y = gamma * hat + beta  # [ec-att-ln-escala]
    return y, mean, variance


@kernel(fastmath={"reassoc", "contract"})
def _layer_norm_forward(x, gamma, beta, epsilon, mean, variance, y):
    n, d = x.shape
    one = x.dtype.type(1)
    for i in range(n):
        total = x.dtype.type(0)
        for j in range(d):
            total += x[i, j]
        mu = total / x.dtype.type(d)  # [ec-att-ln-media]
        squares = x.dtype.type(0)
        for j in range(d):
            squares += (x[i, j] - mu) * (x[i, j] - mu)
        sigma2 = squares / x.dtype.type(d)  # [ec-att-ln-media]
        inverse = one / np.sqrt(sigma2 + x.dtype.type(epsilon))
        for j in range(d):
            hat = (x[i, j] - mu) * inverse  # [ec-att-ln-normaliza]
            y[i, j] = gamma[j] * hat + beta[j]  # [ec-att-ln-escala]
        mean[i], variance[i] = mu, sigma2


def layer_norm_backward(x, gamma, dy, epsilon=1e-3):
    r"""Normalización por capa, hacia atrás.

    Mover un solo número, :math:`x_k`, mueve la media y la varianza de su posición, y con ellas los :math:`d` números
    que salen de ella. Los de las otras posiciones no se enteran.

    **Los parámetros.** Sea :math:`g_{ij}` el gradiente que llega al componente :math:`j` de la posición :math:`i`.
    :math:`\gamma_j` y :math:`\beta_j` tocan al componente :math:`j` de todas, con factores :math:`\hat x_{ij}` y 1, y
    los caminos se suman:

    .. math::
       :label: ec-att-ln-parametros

       \frac{\partial\mathcal L}{\partial\gamma_j}=\sum_i g_{ij}\,\hat x_{ij},
       \qquad
       \frac{\partial\mathcal L}{\partial\beta_j}=\sum_i g_{ij} .

    **La entrada.** Fijamos una posición y dejamos de escribir :math:`i`. Como :math:`y_j=\gamma_j\hat x_j+\beta_j`, a
    :math:`\hat x_j` le llega

    .. math::
       :label: ec-att-ln-interior

       h_j=\frac{\partial\mathcal L}{\partial\hat x_j}=\gamma_j\,g_j .

    Ahora, :math:`\hat x_j=(x_j-\mu)/s` depende de :math:`x_k` por tres caminos: el directo, si :math:`j=k`; la media; y
    la varianza, que está dentro de :math:`s`. Con :math:`[j=k]`, que vale 1 si :math:`j=k` y 0 si no, las derivadas de
    las piezas son

    .. math::
       :label: ed-att-ln-caminos

       \begin{aligned}
       \frac{\partial x_j}{\partial x_k}&=[j=k],
       \qquad
       \frac{\partial\mu}{\partial x_k}=\frac1d,
       \\
       \frac{\partial\sigma^2}{\partial x_k}
       &=\frac2d\sum_j(x_j-\mu)\Bigl([j=k]-\frac1d\Bigr)
       \\
       &=\frac2d(x_k-\mu)-\frac2{d^2}\underbrace{\textstyle\sum_j(x_j-\mu)}_{0}
       \\
       &=\frac2d(x_k-\mu) .
       \end{aligned}

    La suma de abajo es cero porque :math:`\sum_jx_j=d\mu`. De :math:`s=\sqrt{\sigma^2+\varepsilon}` sale

    .. math::
       :label: ed-att-ln-desviacion

       \frac{\partial s}{\partial x_k}
       =\frac1{2s}\cdot\frac2d(x_k-\mu)
       =\frac{\hat x_k}{d} .

    Se juntan con la regla del cociente, :math:`(u/s)'=u'/s-u\,s'/s^2`, donde :math:`u=x_j-\mu`:

    .. math::
       :label: ed-att-ln-jacobiano

       \begin{aligned}
       \frac{\partial\hat x_j}{\partial x_k}
       &=\frac{[j=k]-\frac1d}{s}-\frac{x_j-\mu}{s^2}\cdot\frac{\hat x_k}{d}
       \\
       &=\frac1s\Bigl(\underbrace{[j=k]}_{\text{directo}}
       -\underbrace{\tfrac1d}_{\text{media}}
       -\underbrace{\tfrac1d\,\hat x_j\hat x_k}_{\text{varianza}}\Bigr) .
       \end{aligned}

    Por último, :math:`x_k` llega a la pérdida por los :math:`d` componentes. De :math:`\sum_jh_j[j=k]` queda
    :math:`h_k`, y las otras dos sumas son promedios:

    .. math::
       :label: ec-att-ln-entrada

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial x_k}
       &=\sum_jh_j\,\frac{\partial\hat x_j}{\partial x_k}
       \\
       &=\frac1s\Bigl(h_k-\overline h-\hat x_k\,\overline{h\hat x}\Bigr),
       \end{aligned}

    con :math:`\overline h=\frac1d\sum_jh_j` y :math:`\overline{h\hat x}=\frac1d\sum_jh_j\hat x_j`.

    **A mano.** De :math:`(7,1,1,7)` teníamos :math:`s=3` y :math:`\hat{\mathbf x}=(1,-1,-1,1)`. Llega
    :math:`\mathbf g=(1.2,0,0,0)`, y con :math:`\gamma_1=10` queda :math:`\mathbf h=(12,0,0,0)`. Sus promedios son
    :math:`\overline h=3` y :math:`\overline{h\hat x}=3`. Al primero le toca :math:`\frac13(12-3-1\cdot3)=2`; al
    segundo y al tercero, :math:`\frac13(0-3+1\cdot3)=0`; al cuarto, :math:`\frac13(0-3-1\cdot3)=-2`:

    >>> dgamma, dbeta, dx = layer_norm_backward(
    ...     [[7.0, 1.0, 1.0, 7.0]],
    ...     [10.0, 1.0, 1.0, 2.0],
    ...     [[1.2, 0.0, 0.0, 0.0]],
    ...     1e-12,
    ... )
    >>> dx.round(6) + 0.0
    array([[ 2.,  0.,  0., -2.]])
    >>> dgamma.round(6) + 0.0, dbeta
    (array([1.2, 0. , 0. , 0. ]), array([1.2, 0. , 0. , 0. ]))

    Parameters
    ----------
    x : array_like, shape (..., d)
        Lo que entró a :func:`layer_norm_forward`.
    gamma : array_like, shape (d,)
        La escala de cada componente.
    dy : array_like, shape (..., d)
        El gradiente de la salida.
    epsilon : float
        El número :math:`\varepsilon`, mayor que 0.

    Returns
    -------
    dgamma, dbeta : ndarray, shape (d,)
        Los gradientes de la escala y el desplazamiento.
    dx : ndarray, shape (..., d)
        El de la entrada.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan o si hay NaN o infinitos.
    """
    sizes = {}
    x = check.floats(x, "x", "... d", sizes)
    gamma = check.floats(gamma, "gamma", "d", sizes).astype(x.dtype)
    dy = check.floats(dy, "dy").astype(x.dtype, copy=False)
    if dy.shape != x.shape:
        raise ValueError(f"dy: se esperaba la forma de x, {x.shape}, pero llegó {dy.shape}")
    epsilon = check.number(epsilon, "epsilon", 0, open_low=True)
    rows, dx, sums = x.reshape(-1, x.shape[-1]), np.empty_like(x), np.empty((2, x.shape[-1]))
    moments, dx_rows = np.empty((2, len(rows)), x.dtype), dx.reshape(rows.shape)
    # De la ida solo hacen falta la media y la varianza; lo que salió se escribe donde irá el gradiente.
    _layer_norm_forward(rows, gamma, gamma, epsilon, *moments, dx_rows)
    _layer_norm_backward(rows, gamma, dy.reshape(rows.shape), epsilon, *moments, sums, dx_rows)
    return sums[0].astype(x.dtype), sums[1].astype(x.dtype), dx


def plain_layer_norm_backward(x, gamma, dy, epsilon=1e-3):
    r"""Tres caminos: el directo, el de la media y el de la varianza."""
    s = np.sqrt(x.var(axis=-1, keepdims=True) + epsilon)
    hat = (x - x.mean(axis=-1, keepdims=True)) / s  # [ec-att-ln-normaliza]
    others = tuple(range(x.ndim - 1))
    dgamma = (dy * hat).sum(axis=others)  # [ec-att-ln-parametros]
    dbeta = dy.sum(axis=others)  # [ec-att-ln-parametros]
    h = gamma * dy  # [ec-att-ln-interior]
    direct, mean = h, h.mean(axis=-1, keepdims=True)
    variance = hat * (h * hat).mean(axis=-1, keepdims=True)
    dx = (direct - mean - variance) / s  # [ec-att-ln-entrada]
    return dgamma, dbeta, dx


@kernel(fastmath={"reassoc", "contract"})
def _layer_norm_backward(x, gamma, dy, epsilon, mean, variance, sums, dx):
    # sums = (gradiente de gamma, gradiente de beta), en float64.
    n, d = x.shape
    sums[:] = 0
    part = np.empty((2, d), x.dtype)
    share = x.dtype.type(1) / x.dtype.type(d)
    for start in range(0, n, BLOCK):
        part[:] = 0
        for i in range(start, min(start + BLOCK, n)):
            mu = mean[i]
            inverse = x.dtype.type(1) / np.sqrt(variance[i] + x.dtype.type(epsilon))
            along, total = x.dtype.type(0), x.dtype.type(0)
            for j in range(d):
                hat = (x[i, j] - mu) * inverse
                h = gamma[j] * dy[i, j]  # [ec-att-ln-interior]
                total += h
                along += h * hat
                part[0, j] += dy[i, j] * hat  # [ec-att-ln-parametros]
                part[1, j] += dy[i, j]  # [ec-att-ln-parametros]
            total, along = total * share, along * share
            for j in range(d):
                hat = (x[i, j] - mu) * inverse
                h = gamma[j] * dy[i, j]
                dx[i, j] = (h - total - hat * along) * inverse  # [ec-att-ln-entrada]
        for j in range(d):
            sums[0, j] += part[0, j]
            sums[1, j] += part[1, j]


class LayerNormalization(OverAxes):
    r"""Capa de normalización por capa, con los argumentos de Keras.

    Hace :func:`layer_norm_forward` y :func:`layer_norm_backward`. No tiene promedios móviles: cada vector se normaliza
    con sus propios números, así que al predecir hace lo mismo que al entrenar.

    >>> layer = LayerNormalization(epsilon=1e-12, dtype="float64")
    >>> x = [[[7.0, 1.0, 1.0, 7.0], [0.0, 0.0, 20.0, 20.0]]]
    >>> layer.forward(x).round(6)
    array([[[ 1., -1., -1.,  1.],
            [-1., -1.,  1.,  1.]]])
    >>> layer.count_params()
    8

    De una observación a otra no pasa nada: la primera sale igual si está sola que si la acompaña otra.

    >>> both = layer.forward([*x, [[1.0, 2.0, 3.0, 4.0]] * 2])
    >>> bool((both[0] == layer.forward(x)[0]).all())
    True

    Parameters
    ----------
    axis : int or list of int
        Los ejes que se promedian juntos, contando el de las observaciones, que no puede ser; casi siempre el último.
    epsilon : float
        El número :math:`\varepsilon`.
    center, scale : bool
        Si hay :math:`\boldsymbol\beta` y si hay :math:`\boldsymbol\gamma`.
    beta_initializer, gamma_initializer : str or Initializer
        Con qué valores empiezan.
    beta_regularizer, gamma_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    beta_constraint, gamma_constraint : str, Constraint or callable, optional
        Restricción que se les impone después de cada paso.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    gamma : ndarray, or None
        La escala :math:`\boldsymbol\gamma`, con un número por lugar de los ejes.
    beta : ndarray, or None
        El desplazamiento :math:`\boldsymbol\beta`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del intervalo que se espera.

        >>> LayerNormalization(epsilon=0)
        Traceback (most recent call last):
            ...
        ValueError: epsilon: se esperaba un número mayor que 0, pero llegó 0
    """

    rms_scaling = Absent(False)

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **options,
    ):
        super().__init__(axis, epsilon, **options)
        self.center, self.scale = check.boolean(center, "center"), check.boolean(scale, "scale")
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.gamma = self.beta = None

    def build(self, input_shape):
        r"""Crea la escala y el desplazamiento, uno por componente."""
        super().build(input_shape)
        if self.scale:
            own = {"regularizer": self.gamma_regularizer, "constraint": self.gamma_constraint}
            self.gamma = self.add_weight(self._width, self.gamma_initializer, **own)
        if self.center:
            own = {"regularizer": self.beta_regularizer, "constraint": self.beta_constraint}
            self.beta = self.add_weight(self._width, self.beta_initializer, **own)
        # Lo que hace las veces del peso que no hay.
        self._ones, self._zeros = np.ones(self._width, self.dtype), np.zeros(self._width, self.dtype)

    def forward(self, x, training=False):
        r"""Normaliza cada vector con sus propios números."""
        self.x = x = self.ready(x)
        self.rows = rows = self._rows(x, "x")
        self.mean, self.variance = self.buffer("mean", rows.shape[:1]), self.buffer("variance", rows.shape[:1])
        y, (gamma, beta) = self.buffer("y", rows.shape), self._gamma_and_beta()
        _layer_norm_forward(rows, gamma, beta, self.epsilon, self.mean, self.variance, y)
        self.y = self._back(y, "out")
        return self.y

    def backward(self, dy):
        r"""Llena los gradientes de la escala y el desplazamiento y devuelve el de la entrada."""
        dy = self._rows(self.output_gradient(dy), "dy")
        sums, dx = self.buffer("sums", (2, dy.shape[1]), np.float64), self.buffer("dx", dy.shape)
        gamma, _ = self._gamma_and_beta()
        _layer_norm_backward(self.rows, gamma, dy, self.epsilon, self.mean, self.variance, sums, dx)
        if self.trainable:
            kept = [own for own, there in zip(sums, (self.scale, self.center), strict=True) if there]
            for gradient, own in zip(self.gradients, kept, strict=True):
                copy(own, gradient.reshape(-1))
        return self._back(dx, "din") if self.input_gradient else None

    def _gamma_and_beta(self):
        gamma, beta = self.gamma if self.scale else self._ones, self.beta if self.center else self._zeros
        return gamma.reshape(-1), beta.reshape(-1)
