r"""La convolución por canal: cada filtro mira un solo canal."""

import math

import numpy as np

from chapters.cnn.arguments import check_dilation, pair
from chapters.cnn.convolution.base import Convolution
from chapters.cnn.convolution.im2col import find_windows
from chapters.cnn.convolution.padding import clear, crop, flat, padded
from chapters.mlp import constraints, initializers, regularizers
from dlbook import check
from dlbook.numeric.elementwise import fill
from dlbook.numeric.kernel import kernel


def _checked(x, kernel, strides, padding, dilation_rate):
    sizes = {}
    x = check.floats(x, "x", "n h w c", sizes)
    kernel = check.floats(kernel, "kernel", "kh kw c r", sizes)
    strides, dilation_rate = pair(strides, "strides"), pair(dilation_rate, "dilation_rate")
    check_dilation(strides, dilation_rate)
    dtype = np.result_type(x, kernel)
    # Con tantos grupos como canales, la primera fila de taps son las casillas de la ventana en el canal 0.
    windows = find_windows(x.shape[1:], kernel.shape[:2], strides, padding, dilation_rate, x.shape[-1])
    return x.astype(dtype, copy=False), kernel.astype(dtype, copy=False), windows


def by_tap(kernel):
    r"""Ve los filtros como una tabla, con una casilla de la ventana por fila: da igual si es de uno o dos ejes.

    >>> by_tap(np.zeros((3, 2, 5, 1))).shape, by_tap(np.zeros((3, 5, 1))).shape
    ((6, 5, 1), (3, 5, 1))
    """
    return kernel.reshape(-1, *kernel.shape[-2:])


def depthwise_conv2d_forward(x, kernel, bias=None, strides=1, padding="valid", dilation_rate=1):
    r"""Los mapas de una convolución que no mezcla canales (*depthwise convolution*).

    Una convolución común hace dos cosas a la vez: mira alrededor y mezcla canales. Cada filtro suma sobre la ventana
    **y** sobre toda la profundidad. Si de la suma de :eq:`ec-cnn-conv2d` se quita la que recorre los canales, queda una
    que solo mira alrededor. Cada canal :math:`c` tiene sus propios :math:`R` filtros y produce sus propios :math:`R`
    mapas. Con paso :math:`s`, dilatación :math:`d` y :math:`p` ceros de relleno arriba y a la izquierda,

    .. math::
       :label: ec-cnn-por-canal

       \begin{aligned}
       z_{uvf} &= b_f + \sum_{i,j} x_{us+i\,d-p,\ vs+j\,d-p,\ c}\ w_{ijcr} ,\\
       f&=cR+r .
       \end{aligned}

    De :math:`C` canales salen :math:`CR` mapas: primero los :math:`R` del canal 0, luego los del 1, y así. Tiene
    :math:`k_hk_wCR` pesos, y cada uno se usa una vez por casilla de salida. Es una convolución con tantos grupos como
    canales, pero hecha así ahorra la matriz de ventanas: con cada número hay poco que multiplicar.

    **A mano.** Dos canales de :math:`2\times2` y un filtro para cada uno. El del primero suma; el del segundo le resta
    a la primera fila la segunda. En una convolución común, las dos respuestas se habrían sumado:

    >>> x = np.array([1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 50.0])
    >>> kernel = np.array([1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0])
    >>> x, kernel = x.reshape(1, 2, 2, 2), kernel.reshape(2, 2, 2, 1)
    >>> depthwise_conv2d_forward(x, kernel)[0, 0, 0]  # 1+2+3+4 y 10+20−30−50
    array([ 10., -50.])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Las imágenes.
    kernel : array_like, shape (kh, kw, c, r)
        Los filtros: :math:`r` por canal.
    bias : array_like, shape (c · r,), optional
        Un sesgo por mapa.
    strides, padding, dilation_rate
        Como en :func:`~chapters.cnn.conv2d_forward`.

    Returns
    -------
    ndarray, shape (n, h', w', c · r)

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan, el filtro no cabe o hay NaN o infinitos.

        >>> depthwise_conv2d_forward(x[..., :1], kernel)
        Traceback (most recent call last):
            ...
        ValueError: kernel: se esperaba la forma (kh, kw, c=1, r), pero llegó (2, 2, 2, 1)
    """
    x, kernel, windows = _checked(x, kernel, strides, padding, dilation_rate)
    maps = kernel.shape[2] * kernel.shape[3]
    bias = np.zeros(maps, x.dtype) if bias is None else check.floats(bias, "bias", "f", {"f": maps})
    dtype = np.result_type(x, bias)
    x, kernel, bias = (a.astype(dtype, copy=False) for a in (x, kernel, bias))
    z, run = check.empty((len(x), *windows.output, maps), "z", dtype), pixels_together(windows, x.shape[-1])
    _depthwise_forward(flat(x), by_tap(kernel), bias, flat(z), windows, run, windows.scratch(dtype))
    return z


def plain_depthwise_conv2d_forward(x, kernel, bias, strides=1):
    r"""Cada ventana, por los filtros de su canal."""
    kh, kw, channels, multiplier = kernel.shape
    n, h, w, _ = x.shape
    rows, columns = (h - kh) // strides + 1, (w - kw) // strides + 1
    z = np.empty((n, rows, columns, channels, multiplier))
    for u in range(rows):
        for v in range(columns):
            a, b = u * strides, v * strides  # la esquina
            window = x[:, a : a + kh, b : b + kw, :, np.newaxis]
            z[:, u, v] = (window * kernel).sum(axis=(1, 2))
    return z.reshape(n, rows, columns, -1) + bias  # [ec-cnn-por-canal]


# Cuántos números se multiplican juntos, si se puede: caben holgados en la caché más cercana.
SPAN = 512


def pixels_together(windows, channels):
    r"""Dice cuántas casillas de una fila de la salida se calculan juntas.

    Con paso 1, los píxeles que les tocan están seguidos en la imagen: en vez de multiplicar unos pocos canales muchas
    veces, se multiplica una fila pocas veces.

    >>> [
    ...     pixels_together(find_windows((5, 6, 2), 3, strides, groups=2), 2)
    ...     for strides in (1, 2)
    ... ]
    [4, 1]
    """
    width, pixels = windows.output[1], windows.pixels
    if width == 1 or pixels[1] - pixels[0] != channels:
        return 1
    return max(run for run in range(1, width + 1) if width % run == 0 and (run == 1 or run * channels <= SPAN))


@kernel
def _by_map(kernel, run):
    # Los pesos del filtro m de todos los canales, seguidos y repetidos para cada una de las casillas que van juntas.
    taps, channels, multiplier = kernel.shape
    weights = np.empty((multiplier, taps, run * channels), kernel.dtype)
    for k in range(taps):
        for c in range(run * channels):
            for m in range(multiplier):
                weights[m, k, c] = kernel[k, c % channels, m]
    return weights


@kernel
def _pixels(image, start, span):
    return image[start : start + span]


@kernel
def _add_products(a, b, total):
    for c in range(total.size):
        total[c] += a[c] * b[c]  # [ec-cnn-por-canal]


@kernel
def _depthwise_forward(x, kernel, bias, z, windows, run, scratch):
    taps = windows.taps[0]
    _, channels, multiplier = kernel.shape
    span, rows = run * channels, windows.pixels.size // run
    weights = _by_map(kernel, run)
    clear(scratch)
    biases = _by_map(bias.reshape(1, channels, multiplier), run)
    total = np.empty(span, x.dtype)
    for n in range(x.shape[0]):
        image = padded(x[n], scratch, windows.margin)
        maps = z[n].reshape(rows, span, multiplier)
        for p in range(rows):
            corner = windows.pixels[p * run]
            for m in range(multiplier):
                total[:] = biases[m, 0]
                for k in range(taps.size):
                    pixels = _pixels(image, corner + taps[k], span)
                    _add_products(pixels, weights[m, k], total)
                for c in range(span):
                    maps[p, c, m] = total[c]


def depthwise_conv2d_backward(x, kernel, dy, strides=1, padding="valid", dilation_rate=1):
    r"""Los tres gradientes de la convolución por canal.

    Las mismas preguntas que en :func:`~chapters.cnn.conv2d_backward`, con menos sumas. Sea :math:`f=cR+r` el mapa del
    filtro :math:`r` del canal :math:`c`, y :math:`\delta_{uvf}` la culpa de sus casillas. Con paso 1, sin relleno ni
    dilatación:

    .. math::
       :label: ec-cnn-por-canal-atras

       \begin{aligned}
       \frac{\partial\mathcal L}{\partial w_{ijcr}} &= \sum_{u,v} x_{u+i,\ v+j,\ c}\ \delta_{uvf} ,\\
       \frac{\partial\mathcal L}{\partial x_{abc}} &= \sum_{r}\sum_{i,j} \delta_{a-i,\ b-j,\ f}\ w_{ijcr} ,
       \end{aligned}

    y el de cada sesgo es la suma de la culpa de su mapa, :eq:`ec-cnn-conv2d-sesgo`. La única suma sobre mapas que queda
    recorre los :math:`R` de un mismo canal: tampoco hacia atrás se mezclan los canales.

    **A mano.** Los datos de :func:`depthwise_conv2d_forward`, con culpa 1 en el primer mapa y 2 en el segundo:

    >>> x = np.array([1.0, 10.0, 2.0, 20.0, 3.0, 30.0, 4.0, 50.0])
    >>> kernel = np.array([1.0, 1.0, 1.0, 1.0, 1.0, -1.0, 1.0, -1.0])
    >>> x, kernel = x.reshape(1, 2, 2, 2), kernel.reshape(2, 2, 2, 1)
    >>> dy = np.array([1.0, 2.0]).reshape(1, 1, 1, 2)
    >>> dkernel, dbias, dx = depthwise_conv2d_backward(x, kernel, dy)
    >>> dkernel[:, :, 1, 0]
    array([[ 20.,  40.],
           [ 60., 100.]])
    >>> dbias
    array([1., 2.])
    >>> dx[0, :, :, 1]
    array([[ 2.,  2.],
           [-2., -2.]])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Lo que entró a :func:`depthwise_conv2d_forward`.
    kernel : array_like, shape (kh, kw, c, r)
        Los filtros.
    dy : array_like, shape (n, h', w', c · r)
        El gradiente de los mapas.
    strides, padding, dilation_rate
        Como en :func:`~chapters.cnn.conv2d_forward`.

    Returns
    -------
    dkernel : ndarray, shape (kh, kw, c, r)
        El gradiente de los filtros.
    dbias : ndarray, shape (c · r,)
        El de los sesgos.
    dx : ndarray, shape (n, h, w, c)
        El de las imágenes.

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, el filtro no cabe o hay NaN o infinitos.
    """
    x, kernel, windows = _checked(x, kernel, strides, padding, dilation_rate)
    dy = check.floats(dy, "dy")
    maps = kernel.shape[2] * kernel.shape[3]
    expected = (len(x), *windows.output, maps)
    if dy.shape != expected:
        raise ValueError(f"dy: se esperaba la forma {expected} de la salida, pero llegó {dy.shape}")
    dtype = np.result_type(x, dy)
    x, kernel, dy = (a.astype(dtype, copy=False) for a in (x, kernel, dy))
    dkernel, dbias, dx = np.empty_like(kernel), np.empty(maps, dtype), np.empty_like(x)
    memory = windows.scratch(dtype), np.empty(math.prod(windows.padded_shape), dtype)
    kernels = by_tap(kernel), flat(dy), by_tap(dkernel)
    run = pixels_together(windows, x.shape[-1])
    _depthwise_backward(flat(x), *kernels, dbias, flat(dx), True, windows, run, *memory)
    return dkernel, dbias, dx


def plain_depthwise_conv2d_backward(x, kernel, dy, strides=1):
    r"""La culpa de cada casilla, por su ventana y por su filtro."""
    kh, kw, channels, multiplier = kernel.shape
    dkernel, dx = np.zeros(kernel.shape), np.zeros(x.shape)
    for u, v in np.ndindex(dy.shape[1:3]):
        a, b = u * strides, v * strides
        window = x[:, a : a + kh, b : b + kw, :, np.newaxis]
        blame = dy[:, u, v].reshape(-1, 1, 1, channels, multiplier)
        dkernel += (window * blame).sum(axis=0)  # [ec-cnn-por-canal-atras]
        share = (kernel * blame).sum(axis=-1)
        dx[:, a : a + kh, b : b + kw] += share  # [ec-cnn-por-canal-atras]
    return dkernel, dy.sum(axis=(0, 1, 2)), dx


@kernel
def _depthwise_backward(x, kernel, dz, dkernel, dbias, dx, input_gradient, windows, run, scratch, blame):
    taps = windows.taps[0]
    _, channels, multiplier = kernel.shape
    span, rows = run * channels, windows.pixels.size // run
    weights = _by_map(kernel, run)
    gradient = np.zeros_like(weights)
    clear(scratch)
    delta = np.empty(span, x.dtype)
    dbias[:] = 0
    biases = dbias.reshape(channels, multiplier)
    for n in range(x.shape[0]):
        image = padded(x[n], scratch, windows.margin)
        blame[:] = 0
        maps = dz[n].reshape(rows, span, multiplier)
        for p in range(rows):
            corner = windows.pixels[p * run]
            for m in range(multiplier):
                for c in range(span):
                    delta[c] = maps[p, c, m]
                for r in range(run):
                    for c in range(channels):
                        biases[c, m] += delta[r * channels + c]
                for k in range(taps.size):
                    pixels = _pixels(image, corner + taps[k], span)
                    _add_products(pixels, delta, gradient[m, k])  # [ec-cnn-por-canal-atras]
                    if input_gradient:
                        own = _pixels(blame, corner + taps[k], span)
                        _add_products(delta, weights[m, k], own)
        if input_gradient:
            crop(blame, windows.margin, dx[n])
    dkernel[:] = 0
    for m in range(multiplier):
        for k in range(taps.size):
            for c in range(span):
                dkernel[k, c % channels, m] += gradient[m, k, c]


class DepthwiseConv2D(Convolution):
    r"""Capa de convolución por canal, con los argumentos de Keras.

    Hacia delante hace :func:`depthwise_conv2d_forward` y luego la activación; hacia atrás,
    :func:`depthwise_conv2d_backward`.

    **Separable por profundidad.** Seguida de una convolución de :math:`1\times1`, que solo mezcla canales, hace en dos
    pasos lo que una convolución común hace en uno (*depthwise separable convolution*, :cite:p:`howard2017`). Con
    :math:`F` filtros, por cada casilla de salida la común hace :math:`k^2CF` productos, y las dos juntas,
    :math:`k^2C+CF`. El cociente es

    .. math::
       :label: ed-cnn-separable

       \frac{k^2C+CF}{k^2CF} = \frac1F+\frac1{k^2} :

    con filtros de :math:`3\times3`, y :math:`F` de cien o más, entre ocho y nueve veces menos. No sale gratis: es una
    convolución cuyos filtros son todos combinaciones de :math:`C` filtros planos, y eso no lo cumple cualquiera.

    >>> depthwise = DepthwiseConv2D(3, padding="same", use_bias=False)
    >>> depthwise.build((28, 28, 32))
    >>> depthwise.count_params(), depthwise.work()
    (288, 225792)
    >>> doubled = DepthwiseConv2D(3, depth_multiplier=2)
    >>> doubled.compute_output_shape((28, 28, 32))
    (26, 26, 64)

    Parameters
    ----------
    kernel_size : int or (int, int)
        Alto y ancho de cada filtro.
    strides : int or (int, int)
        El paso.
    padding : {"valid", "same"}
        El relleno.
    depth_multiplier : int
        Cuántos filtros tiene cada canal, :math:`R`.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    dilation_rate : int or (int, int)
        La dilatación; mayor que 1, solo con paso 1.
    activation : str or ActivationFunction, optional
        La activación.
    use_bias : bool
        Si hay sesgo.
    depthwise_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los sesgos.
    depthwise_regularizer, bias_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    depthwise_constraint, bias_constraint : str, Constraint or callable, optional
        Restricción que se les impone después de cada paso.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (kh, kw, c, r)
        Los filtros.
    bias : ndarray, shape (c · r,), or None
        Los sesgos.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> DepthwiseConv2D(3, depth_multiplier=0)
        Traceback (most recent call last):
            ...
        ValueError: depth_multiplier: se esperaba un entero de al menos 1, pero llegó 0
    """

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        *,
        depthwise_constraint=None,
        bias_constraint=None,
        **options,
    ):
        super().__init__(
            *(kernel_size, strides, padding, data_format, dilation_rate),
            *(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint),
            **options,
        )
        self.depth_multiplier = check.integer(depth_multiplier, "depth_multiplier", 1)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.kernel = None

    def build(self, input_shape):
        r"""Crea los filtros y los sesgos para imágenes de una forma."""
        super().build(input_shape)
        channels = self.input_shape[-1]
        shape = (*self.kernel_size, channels, self.depth_multiplier)
        own = {"regularizer": self.depthwise_regularizer, "constraint": self.depthwise_constraint}
        self.kernel = self.add_weight(shape, self.depthwise_initializer, **own)
        self._add_bias(channels * self.depth_multiplier)

    def compute_output_shape(self, input_shape):
        r"""Devuelve en cuántas posiciones cabe la ventana a lo largo de cada eje, y cuántos mapas salen."""
        sizes, channels = self.sizes(input_shape)
        return (*self._positions(sizes), channels * self.depth_multiplier)

    def forward(self, x, training=False):
        r"""Calcula los mapas de cada canal."""
        self.x = x = self.ready(x)
        (windows, run), maps = self.at(x.shape[1:]), x.shape[-1] * self.depth_multiplier
        bias = self.bias
        if not self.use_bias:
            bias = self.buffer("bias", maps)
            fill(bias, 0)
        z = self.buffer("z", (len(x), *windows.output[-self.rank :], maps))
        memory = self.buffer("scratch", windows.scratch_size)
        _depthwise_forward(flat(x), by_tap(self.kernel), bias, flat(z), windows, run, memory)
        self.z, self.y = z, self._activated(z)
        return self.y

    def backward(self, dy):
        r"""Llena los gradientes de los filtros y los sesgos y devuelve el de las imágenes."""
        dz = self._before_activation(self.output_gradient(dy))
        (windows, run), wanted = self.at(self.x.shape[1:]), self.input_gradient
        dkernel, *dbias = self.gradients
        dbias = dbias[0] if self.use_bias else self.buffer("dbias", dz.shape[-1])
        dx = self.buffer("dx", self.x.shape)
        memory = self.buffer("scratch", windows.scratch_size), self.buffer("blame", math.prod(windows.padded_shape))
        kernels = by_tap(self.kernel), flat(dz), by_tap(dkernel)
        _depthwise_backward(flat(self.x), *kernels, dbias, flat(dx), wanted, windows, run, *memory)
        return dx if wanted else None

    def place(self, shape):
        r"""Encuentra las ventanas, con un grupo por canal, y cuántas casillas se calculan juntas."""
        windows = self._windows(shape, shape[-1])
        return windows, pixels_together(windows, shape[-1])
