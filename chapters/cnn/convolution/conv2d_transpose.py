r"""La convolución traspuesta: de un mapa pequeño a una imagen grande."""

import numpy as np

from chapters.cnn.arguments import check_dilation, known, on_image, pair, whole
from chapters.cnn.convolution.base import Convolution
from chapters.cnn.convolution.conv2d import Places, new_memory, sum_maps
from chapters.cnn.convolution.geometry import kernel_span
from chapters.cnn.convolution.im2col import place_windows
from chapters.mlp import activations, constraints, initializers, regularizers
from dlbook import check


def _output_padding(value, strides):
    if value is None:
        return None
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * len(strides)
    if len(values) != len(strides):
        wanted = "un entero o dos" if len(strides) == 2 else "un entero"
        raise ValueError(f"output_padding: se esperaba {wanted}, pero llegaron {len(values)}")
    values = tuple(whole(v, "output_padding", 0) for v in values)
    if any(extra >= stride for extra, stride in zip(values, strides, strict=True)):
        raise ValueError(f"output_padding: se esperaba menos que el paso {strides}, pero llegó {values}")
    return values


def _checked(x, kernel, strides, padding, output_padding, dilation_rate):
    sizes = {}
    x = check.floats(x, "x", "n h w c", sizes)
    kernel = check.floats(kernel, "kernel", "kh kw f c", sizes)
    strides, dilation_rate = pair(strides, "strides"), pair(dilation_rate, "dilation_rate")
    padding = check.choice(padding, "padding", ["valid", "same"])
    output_padding = _output_padding(output_padding, strides)
    check_dilation(strides, dilation_rate)
    geometry = kernel.shape[:2], strides, dilation_rate
    painted = _output_sizes(x.shape[1:3], padding, output_padding, *geometry)
    windows = _return_windows(x.shape[1:3], painted, kernel.shape[2], *geometry)
    dtype = np.result_type(x, kernel)
    return x.astype(dtype, copy=False), kernel.astype(dtype, copy=False), windows


def conv2d_transpose_forward(x, kernel, bias=None, strides=1, padding="valid", output_padding=None, dilation_rate=1):
    r"""La convolución al revés: cada píxel del mapa pinta un filtro en la imagen de salida.

    En una convolución, cada casilla de salida **junta** una ventana de la imagen. Aquí cada píxel de la entrada
    **reparte**: toma el filtro, lo multiplica por su valor y lo suma en la ventana que le toca. Con paso :math:`s`, las
    ventanas están separadas :math:`s` píxeles, así que la salida es unas :math:`s` veces más grande. Donde dos ventanas
    se superponen, se suman.

    **Por qué se llama traspuesta.** La convolución es lineal: con la imagen y el mapa puestos en columna,
    :math:`\mathbf y=\mathbf A\mathbf x`, donde cada fila de :math:`\mathbf A` tiene los pesos del filtro en las
    columnas de su ventana, y ceros en lo demás. Por :eq:`ec-mlp-densa-entrada`, la culpa de la imagen es
    :math:`\mathbf A^\top\boldsymbol\delta`. Pues bien, esta capa es **ese mismo producto, usado hacia delante**:

    .. math::
       :label: ed-cnn-traspuesta

       \mathbf z = \mathbf A^\top\mathbf x + \mathbf b
       \quad\Longrightarrow\quad
       \frac{\partial\mathcal L}{\partial\mathbf x} = \mathbf A\boldsymbol\delta .

    Su ida es la vuelta de :class:`~chapters.cnn.Conv2D`, y su vuelta es la ida. **No** es la inversa de la convolución:
    :math:`\mathbf A^\top\mathbf A` no es la identidad, y llamarla «deconvolución» confunde.

    **Con ventanas.** El píxel :math:`(u,v)` aporta :math:`\sum_c x_{uvc}\,w_{ijfc}` a la casilla :math:`(i,j)` de su
    ventana. Todas las aportaciones son un producto de matrices, y :func:`~chapters.cnn.col2im` suma cada una en su
    lugar:

    .. math::
       :label: ec-cnn-traspuesta

       \begin{gathered}
       \mathbf V = \mathbf X\,\mathbf W^\top ,\\
       z_{abf} = b_f + \sum_{\substack{us+i\,d-p=a\\ vs+j\,d-p=b}} \mathbf V_{(u,v),\,(i,j,f)} .
       \end{gathered}

    :math:`\mathbf W` tiene :math:`k_hk_wF` filas y :math:`C` columnas: por eso los pesos son
    :math:`(k_h,k_w,F,C)`, con los filtros **antes** que los canales. Son los de la convolución que va de regreso, de
    :math:`F` canales a :math:`C`.

    **Cuánto mide.** Es la pregunta de :eq:`ec-cnn-tamano`, al revés: ¿qué imagen da un mapa de este tamaño? Con paso
    mayor que 1 hay varias, y de ahí ``output_padding``. Si el filtro ocupa :math:`K` y la entrada mide :math:`D`,

    .. math::
       :label: ec-cnn-traspuesta-tamano

       M = \begin{cases}
       (D-1)\,s + K + q & \text{(VALID)}\\
       (D-1)\,s + (K\bmod 2) + q & \text{(SAME)}
       \end{cases}

    donde :math:`q` es ``output_padding``. Sin él, VALID toma :math:`q=\max(s-K,0)` y SAME, el :math:`q` que da
    :math:`M=Ds`. Las ventanas pintan :math:`(D-1)\,s+K` casillas; lo que sobra se recorta por mitades, y al principio
    le tocan

    .. math::
       :label: ec-cnn-traspuesta-recorte

       \left\lfloor\tfrac12\,\max\bigl((D-1)\,s + K - M,\ 0\bigr)\right\rfloor .

    Si no sobra, sino que falta, lo que se agrega al final son ceros.

    **A mano.** Dos píxeles, paso 2 y el filtro :math:`(1, 2, 3)`. El primero pinta 1, 2, 3; el segundo, con valor 10,
    pinta 10, 20, 30 dos lugares más adelante. En el lugar donde se superponen queda :math:`3+10=13`:

    >>> x = np.array([1.0, 10.0]).reshape(1, 1, 2, 1)
    >>> kernel = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    >>> conv2d_transpose_forward(x, kernel, strides=(1, 2)).ravel()
    array([ 1.,  2., 13., 20., 30.])

    Con la matriz, lo mismo: :math:`\mathbf A` es la de la convolución que lleva cinco números a dos.

    >>> A = np.array([[1, 2, 3, 0, 0], [0, 0, 1, 2, 3]])
    >>> A.T @ [1, 10]
    array([ 1,  2, 13, 20, 30])

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Los mapas.
    kernel : array_like, shape (kh, kw, f, c)
        Los filtros.
    bias : array_like, shape (f,), optional
        Un sesgo por canal de salida.
    strides, padding, dilation_rate
        Los de la convolución que va de regreso.
    output_padding : int or (int, int), optional
        Cuántas filas y columnas se agregan al final.

    Returns
    -------
    ndarray, shape (n, h', w', f)

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan, si la salida pedida no corresponde a la entrada o si hay NaN o infinitos.

        >>> conv2d_transpose_forward(x, kernel, strides=2, output_padding=2)
        Traceback (most recent call last):
            ...
        ValueError: output_padding: se esperaba menos que el paso (2, 2), pero llegó (2, 2)
    """
    x, kernel, windows = _checked(x, kernel, strides, padding, output_padding, dilation_rate)
    filters = kernel.shape[2]
    bias = np.zeros(filters, x.dtype) if bias is None else check.floats(bias, "bias", "f", {"f": filters})
    dtype = np.result_type(x, bias)
    x, kernel, bias = (a.astype(dtype, copy=False) for a in (x, kernel, bias))
    z = check.empty((len(x), *windows.input_shape), "z", dtype)
    # La vuelta de la convolución que va de regreso, con el sesgo en lugar de los ceros.
    Places(windows, kernel.shape[-1], dtype).input(x, kernel, z, new_memory(dtype), bias)
    return z


def plain_conv2d_transpose_forward(x, kernel, bias, strides=1):
    r"""Cada píxel pinta su filtro; lo que se superpone, se suma."""
    kh, kw, filters, _ = kernel.shape
    n, h, w, _ = x.shape
    rows, columns = (h - 1) * strides + kh, (w - 1) * strides + kw
    z = np.zeros((n, rows, columns, filters)) + bias
    for u in range(h):
        for v in range(w):
            a, b = u * strides, v * strides  # la esquina
            painted = np.tensordot(x[:, u, v], kernel, (1, 3))
            z[:, a : a + kh, b : b + kw] += painted  # [ec-cnn-traspuesta]
    return z


# Cuánto mide un eje de lo que se pinta, y cuánto se le recorta al principio para que mida lo pedido.
def _painted(size, span, stride, padding, extra):
    if size is None:
        return None, 0
    edge = span if padding == "valid" else span % 2
    if extra is None:
        extra = max(stride - span, 0) if padding == "valid" else stride - edge
    length, whole_length = (size - 1) * stride + edge + extra, (size - 1) * stride + span  # [ec-cnn-traspuesta-tamano]
    if length == 0:
        raise ValueError(
            f"output_padding: se esperaba uno que dejara algo, pero con {extra} de una entrada de {size} no sale nada"
        )
    return length, max(whole_length - length, 0) // 2  # [ec-cnn-traspuesta-recorte]


def _output_sizes(sizes, padding, output_padding, kernel_size, strides, dilation_rate):
    axes = zip(sizes, kernel_size, strides, output_padding or (None,) * len(sizes), dilation_rate, strict=True)
    return [_painted(d, kernel_span(k, r), s, padding, extra) for d, k, s, extra, r in axes]


# Las ventanas de la convolución de regreso: la que lleva la salida de esta capa a su entrada.
def _return_windows(sizes, painted, filters, kernel_size, strides, dilation_rate):
    lengths, before = zip(*painted, strict=True)
    # Una serie es una imagen de un píxel de alto, y arriba no se le recorta nada.
    above = before if len(before) == 2 else (0, *before)
    axes = map(on_image, (kernel_size, strides, dilation_rate))
    return place_windows((*on_image(lengths), filters), on_image(tuple(sizes)), above, *axes)


def conv2d_transpose_backward(x, kernel, dy, strides=1, padding="valid", output_padding=None, dilation_rate=1):
    r"""Los tres gradientes de la convolución traspuesta: su vuelta es una convolución.

    Por :eq:`ed-cnn-traspuesta`, la culpa de la entrada es :math:`\mathbf A\boldsymbol\delta`: pasar la convolución de
    regreso por la culpa. Sea :math:`\mathbf V_\delta` la matriz de ventanas :eq:`ec-cnn-im2col` de la culpa. De
    :math:`\mathbf V=\mathbf X\mathbf W^\top`, que es una capa densa sin sesgo,

    .. math::
       :label: ec-cnn-traspuesta-atras

       \begin{gathered}
       \frac{\partial\mathcal L}{\partial\mathbf X} = \mathbf V_\delta\,\mathbf W ,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf W} = \mathbf V_\delta^\top\,\mathbf X ,\\
       \frac{\partial\mathcal L}{\partial b_f} = \sum_{a,b}\delta_{abf} .
       \end{gathered}

    Compáralas con :eq:`ec-cnn-conv2d-atras`: la entrada y la culpa cambiaron de papel.

    **A mano.** Los datos de :func:`conv2d_transpose_forward`, con culpa 1 solo donde las dos ventanas se superponen.
    Ahí llegó el primer píxel con el peso 3 y el segundo con el peso 1: sus culpas son 3 y 1. Al revés, al tercer peso
    le toca el valor del primer píxel, y al primero, el del segundo:

    >>> x = np.array([1.0, 10.0]).reshape(1, 1, 2, 1)
    >>> kernel = np.array([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1)
    >>> delta = np.array([0.0, 0.0, 1.0, 0.0, 0.0]).reshape(1, 1, 5, 1)
    >>> dkernel, dbias, dx = conv2d_transpose_backward(
    ...     x, kernel, delta, strides=(1, 2)
    ... )
    >>> dx.ravel(), dkernel.ravel(), dbias
    (array([3., 1.]), array([10.,  0.,  1.]), array([1.]))

    Parameters
    ----------
    x : array_like, shape (n, h, w, c)
        Lo que entró a :func:`conv2d_transpose_forward`.
    kernel : array_like, shape (kh, kw, f, c)
        Los filtros.
    dy : array_like, shape (n, h', w', f)
        El gradiente de la salida.
    strides, padding, output_padding, dilation_rate
        Como en :func:`conv2d_transpose_forward`.

    Returns
    -------
    dkernel : ndarray, shape (kh, kw, f, c)
        El gradiente de los filtros.
    dbias : ndarray, shape (f,)
        El de los sesgos.
    dx : ndarray, shape (n, h, w, c)
        El de los mapas.

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan o hay NaN o infinitos.
    """
    x, kernel, windows = _checked(x, kernel, strides, padding, output_padding, dilation_rate)
    dy = check.floats(dy, "dy")
    expected = (len(x), *windows.input_shape)
    if dy.shape != expected:
        raise ValueError(f"dy: se esperaba la forma {expected} de la salida, pero llegó {dy.shape}")
    dtype = np.result_type(x, dy)
    x, kernel, dy = (a.astype(dtype, copy=False) for a in (x, kernel, dy))
    dkernel, dbias = np.empty_like(kernel), np.empty(kernel.shape[2], dtype)
    buffer, places = new_memory(dtype), Places(windows, kernel.shape[-1], dtype)
    places.weights(dy, places.with_slack(x, buffer), dkernel, buffer)
    sum_maps(dy.reshape(-1), dbias)
    return dkernel, dbias, places.forward(dy, kernel, None, -np.inf, buffer)


def plain_conv2d_transpose_backward(x, kernel, dy, strides=1):
    r"""Los tres gradientes: cada píxel mira la ventana que pintó."""
    kh, kw, _, _ = kernel.shape
    dkernel, dx = np.zeros(kernel.shape), np.empty(x.shape)
    dbias = dy.sum(axis=(0, 1, 2))
    for u in range(x.shape[1]):
        for v in range(x.shape[2]):
            a, b = u * strides, v * strides  # la esquina
            window = dy[:, a : a + kh, b : b + kw]  # (n, kh, kw, f)
            dx[:, u, v] = np.tensordot(window, kernel, 3)  # [ec-cnn-traspuesta-atras]
            dkernel += np.tensordot(window, x[:, u, v], (0, 0))
    return dkernel, dbias, dx


class Conv2DTranspose(Convolution):
    r"""Capa de convolución traspuesta, con los argumentos de Keras.

    Hacia delante hace :func:`conv2d_transpose_forward` y luego la activación; hacia atrás,
    :func:`conv2d_transpose_backward`. Con ella agrandan sus mapas las redes que contestan con una imagen.

    >>> layer = Conv2DTranspose(16, 3, strides=2, padding="same")
    >>> layer.compute_output_shape((7, 7, 32))
    (14, 14, 16)
    >>> options = {"strides": 2, "padding": "same", "output_padding": 0}
    >>> Conv2DTranspose(16, 3, **options).compute_output_shape((7, 7, 32))
    (13, 13, 16)
    >>> layer.build((7, 7, 32))
    >>> layer.kernel.shape
    (3, 3, 16, 32)

    Parameters
    ----------
    filters : int
        Cuántos canales salen, :math:`F`.
    kernel_size : int or (int, int)
        Alto y ancho de cada filtro.
    strides : int or (int, int)
        Cuántas veces se agranda.
    padding : {"valid", "same"}
        El relleno de la convolución que va de regreso; aquí, cuánto se recorta.
    output_padding : int or (int, int), optional
        Cuántas filas y columnas se agregan al final; menos que el paso.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    dilation_rate : int or (int, int)
        La dilatación; mayor que 1, solo con paso 1.
    activation : str or ActivationFunction, optional
        La activación.
    use_bias : bool
        Si hay sesgo.
    kernel_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los sesgos.
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    kernel_constraint, bias_constraint : str, Constraint or callable, optional
        Restricción que se les impone después de cada paso.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (kh, kw, f, c)
        Los filtros.
    bias : ndarray, shape (f,), or None
        Los sesgos.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> Conv2DTranspose(8, 3, strides=0)
        Traceback (most recent call last):
            ...
        ValueError: strides: se esperaba un entero de al menos 1, pero llegó 0
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        *,
        kernel_constraint=None,
        bias_constraint=None,
        **options,
    ):
        super().__init__(
            *(kernel_size, strides, padding, data_format, dilation_rate),
            *(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint),
            **options,
        )
        self.filters = check.integer(filters, "filters", 1)
        self.output_padding = _output_padding(output_padding, self.strides)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.kernel = None

    def build(self, input_shape):
        r"""Crea los filtros y los sesgos para mapas de una forma."""
        super().build(input_shape)
        shape = (*self.kernel_size, self.filters, self.input_shape[-1])
        own = {"regularizer": self.kernel_regularizer, "constraint": self.kernel_constraint}
        self.kernel = self.add_weight(shape, self.kernel_initializer, **own)
        self._add_bias(self.filters)

    def compute_output_shape(self, input_shape):
        r"""Devuelve los lados agrandados, y los canales que salen."""
        sizes, _ = self.sizes(input_shape)
        return (*(length for length, _ in self._painted(sizes)), self.filters)

    def forward(self, x, training=False):
        r"""Pinta un filtro por cada píxel de los mapas."""
        self.x = x = self.ready(x)
        # La ReLU no necesita una vuelta aparte: se aplica al recortar.
        fused = isinstance(self.activation, activations.ReLU) and self.activation.plain
        z = self.buffer("z", (len(x), *self.compute_output_shape(x.shape[1:])))
        bias, floor = self.bias if self.use_bias else None, 0 if fused else -np.inf
        self.at(x.shape[1:]).input(x, self.kernel, z, self.buffer, bias, floor)
        self.z, self.y = z, z if fused else self._activated(z)
        return self.y

    def backward(self, dy):
        r"""Llena los gradientes de los filtros y los sesgos y devuelve el de los mapas."""
        dz, places = self._before_activation(self.output_gradient(dy)), self.at(self.x.shape[1:])
        if self.trainable:
            places.weights(dz, places.with_slack(self.x, self.buffer), self.gradients[0], self.buffer)
            if self.use_bias:
                sum_maps(dz.reshape(-1), self.gradients[1])
        if not self.input_gradient:
            return None
        return places.forward(dz, self.kernel, None, -np.inf, self.buffer)

    def work(self):
        r"""Cuenta un producto por peso, tantas veces como píxeles tiene la entrada."""
        return known((self._placed[0] or self.input_shape)[:-1]) * self.kernel.size

    def place(self, shape):
        r"""Hace las tablas de los núcleos de la convolución de regreso."""
        windows = _return_windows(shape[:-1], self._painted(shape[:-1]), self.filters, *self._geometry())
        return Places(windows, shape[-1], self.dtype, shape)

    def _geometry(self):
        return self.kernel_size, self.strides, self.dilation_rate

    def _painted(self, sizes):
        return _output_sizes(sizes, self.padding, self.output_padding, *self._geometry())
