r"""La convolución separable: primero mirar alrededor, canal por canal, y luego mezclar."""

import math

from chapters.cnn.convolution.base import Convolution
from chapters.cnn.convolution.depthwise import _depthwise_backward, _depthwise_forward, by_tap, pixels_together
from chapters.cnn.convolution.padding import flat
from chapters.mlp import constraints, initializers, regularizers
from chapters.mlp.dense import _dense_backward_input, _dense_backward_weights, _dense_forward
from dlbook import check
from dlbook.numeric.elementwise import fill


def _rows(maps):
    return maps.reshape(-1, maps.shape[-1])


class SeparableConv2D(Convolution):
    r"""Capa de convolución separable por profundidad (*depthwise separable*), con los argumentos de Keras.

    Hace en dos pasos lo que :class:`~chapters.cnn.Conv2D` hace en uno. Primero **mira**: cada canal pasa por sus
    :math:`R` filtros, :math:`\mathbf U`, sin mezclarse con los demás. Luego **mezcla**: en cada posición, una capa
    densa, :math:`\mathbf V`, junta los :math:`CR` números en :math:`F`. Entre los dos no hay sesgo ni activación. Con
    paso :math:`s`, dilatación :math:`d` y relleno :math:`p`,

    .. math::
       :label: ed-cnn-separable-ida

       \begin{aligned}
       h_{uv,\,cR+r} &= \sum_{i,j} x_{us+i\,d-p,\ vs+j\,d-p,\ c}\ U_{ijcr} ,
       \\
       z_{uvf} &= b_f + \sum_{m} h_{uvm}\,V_{mf} .
       \end{aligned}

    Sustituye la primera en la segunda: es una convolución común con los filtros
    :math:`w_{ijcf}=\sum_r U_{ijcr}V_{cR+r,\,f}`. Con :math:`R=1` el filtro :math:`f` solo puede tener, en cada canal,
    **la misma** ventana :math:`U` a distinta escala: ese es el precio de tener :math:`k^2C+CF` pesos y no
    :math:`k^2CF`, la cuenta de :eq:`ed-cnn-separable`.

    **Hacia atrás** se deshacen en orden inverso. La mezcla es la capa densa de :eq:`ec-mlp-densa`, con una observación
    por posición: :math:`\mathbf H` tiene sus :math:`h` y :math:`\boldsymbol\Delta`, la culpa de sus :math:`z`. Lo que
    devuelve es la culpa que recibe la convolución por canal, :eq:`ec-cnn-por-canal-atras`:

    .. math::
       :label: ed-cnn-separable-atras

       \begin{gathered}
       \frac{\partial\mathcal L}{\partial\mathbf V} = \mathbf H^\top\boldsymbol\Delta ,
       \\
       \frac{\partial\mathcal L}{\partial\mathbf H} = \boldsymbol\Delta\,\mathbf V^\top ,
       \\
       \frac{\partial\mathcal L}{\partial U_{ijcr}}
       = \sum_{u,v} x_{us+i\,d-p,\ vs+j\,d-p,\ c}\ \frac{\partial\mathcal L}{\partial h_{uv,\,cR+r}} .
       \end{gathered}

    **A mano.** Dos canales de :math:`1\times2`. El primero se suma, :math:`1+2=3`; al segundo se le resta,
    :math:`30-10=20`. La mezcla los junta, :math:`3\cdot10+20\cdot1=50`:

    >>> layer = SeparableConv2D(1, (1, 2), dtype="float64")
    >>> layer.build((1, 2, 2))
    >>> import numpy as np
    >>> depthwise = np.array([[1.0, -1.0], [1.0, 1.0]]).reshape(1, 2, 2, 1)
    >>> layer.set_weights([depthwise, np.reshape([10, 1], (1, 1, 2, 1)), [0]])
    >>> x = np.reshape([1, 10, 2, 30], (1, 1, 2, 2))
    >>> layer.forward(x).ravel()
    array([50.])

    Con culpa 1, la mezcla recibe lo que miró, :math:`(3, 20)`, y reparte :math:`(10, 1)`; el primer canal lo
    multiplica por sus píxeles, 1 y 2, y el segundo por los suyos, 10 y 30:

    >>> layer.backward(np.ones((1, 1, 1, 1)))[0, 0]
    array([[10., -1.],
           [10.,  1.]])
    >>> layer.gradients[0][0, :, :, 0], layer.gradients[1].ravel()
    (array([[10., 10.],
           [20., 30.]]), array([ 3., 20.]))

    Parameters
    ----------
    filters : int
        Cuántos mapas salen, :math:`F`.
    kernel_size : int or (int, int)
        Alto y ancho de los filtros de cada canal.
    strides : int or (int, int)
        El paso.
    padding : {"valid", "same"}
        El relleno.
    data_format : {"channels_last"}, optional
        Dónde van los canales; aquí, siempre al final.
    dilation_rate : int or (int, int)
        La dilatación; mayor que 1, solo con paso 1.
    depth_multiplier : int
        Cuántos filtros tiene cada canal, :math:`R`.
    activation : str or ActivationFunction, optional
        La activación.
    use_bias : bool
        Si hay sesgo.
    depthwise_initializer, pointwise_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los filtros, la mezcla y los sesgos.
    depthwise_regularizer, pointwise_regularizer, bias_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    depthwise_constraint, pointwise_constraint, bias_constraint : str, Constraint or callable, optional
        Restricción que se les impone después de cada paso.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    depthwise_kernel : ndarray, shape (kh, kw, c, r)
        Los filtros de cada canal, :math:`\mathbf U`.
    pointwise_kernel : ndarray, shape (1, 1, c · r, f)
        La mezcla, :math:`\mathbf V`.
    bias : ndarray, shape (f,), or None
        Los sesgos.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> SeparableConv2D(8, 3, padding="causal")
        Traceback (most recent call last):
            ...
        ValueError: padding: se esperaba 'valid' o 'same', pero llegó 'causal'
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        *,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **options,
    ):
        super().__init__(
            *(kernel_size, strides, padding, data_format, dilation_rate),
            *(activation, use_bias, bias_initializer, bias_regularizer, bias_constraint),
            **options,
        )
        self.filters = check.integer(filters, "filters", 1)
        self.depth_multiplier = check.integer(depth_multiplier, "depth_multiplier", 1)
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.pointwise_constraint = constraints.get(pointwise_constraint)
        self.depthwise_kernel = self.pointwise_kernel = self.h = None

    def build(self, input_shape):
        r"""Crea los filtros de cada canal, la mezcla y los sesgos."""
        super().build(input_shape)
        channels, r = self.input_shape[-1], self.depth_multiplier
        depthwise, pointwise = (*self.kernel_size, channels, r), (*(1,) * self.rank, channels * r, self.filters)
        own = {"regularizer": self.depthwise_regularizer, "constraint": self.depthwise_constraint}
        self.depthwise_kernel = self.add_weight(depthwise, self.depthwise_initializer, **own)
        own = {"regularizer": self.pointwise_regularizer, "constraint": self.pointwise_constraint}
        self.pointwise_kernel = self.add_weight(pointwise, self.pointwise_initializer, **own)
        self._add_bias(self.filters)

    def compute_output_shape(self, input_shape):
        r"""Devuelve en cuántas posiciones cabe la ventana a lo largo de cada eje, y cuántos mapas salen."""
        sizes, _ = self.sizes(input_shape)
        return (*self._positions(sizes), self.filters)

    def forward(self, x, training=False):
        r"""Mira cada canal por separado y luego los mezcla."""
        self.x = x = self.ready(x)
        windows, run = self.at(x.shape[1:])
        kernel, maps = by_tap(self.depthwise_kernel), x.shape[-1] * self.depth_multiplier
        positions = len(x), *windows.output[-self.rank :]
        self.h = h = self.buffer("h", (*positions, maps))
        zeros, scratch = self.buffer("zeros", maps), self.buffer("scratch", windows.scratch_size)
        fill(zeros, 0)
        _depthwise_forward(flat(x), kernel, zeros, flat(h), windows, run, scratch)
        mix, z = _rows(self.pointwise_kernel), self.buffer("z", (*positions, self.filters))
        _dense_forward(_rows(h), mix, self.bias if self.use_bias else mix[0, :0], _rows(z))
        self.z, self.y = z, self._activated(z)
        return self.y

    def backward(self, dy):
        r"""Deshace la mezcla y luego la mirada; llena los gradientes y devuelve el de la entrada."""
        dz = self._before_activation(self.output_gradient(dy))
        windows, run = self.at(self.x.shape[1:])
        kernel, mix = by_tap(self.depthwise_kernel), _rows(self.pointwise_kernel)
        dkernel, dmix, *dbias = self.gradients
        _dense_backward_weights(_rows(self.h), _rows(dz), _rows(dmix), dbias[0] if self.use_bias else mix[0, :0])
        dh = self.buffer("dh", self.h.shape)
        _dense_backward_input(_rows(dz), mix, _rows(dh))
        # La convolución por canal no tiene sesgo: su gradiente va a un borrador.
        draft, wanted = self.buffer("draft", mix.shape[0]), self.input_gradient
        memory = self.buffer("scratch", windows.scratch_size), self.buffer("blame", math.prod(windows.padded_shape))
        images, dx = flat(self.x), self.buffer("dx", self.x.shape)
        gradients = by_tap(dkernel), draft, flat(dx)
        _depthwise_backward(images, kernel, flat(dh), *gradients, wanted, windows, run, *memory)
        return dx if wanted else None

    def place(self, shape):
        r"""Encuentra las ventanas, con un grupo por canal, y cuántas casillas se calculan juntas."""
        windows = self._windows(shape, shape[-1])
        return windows, pixels_together(windows, shape[-1])


class SeparableConv1D(SeparableConv2D):
    r"""Capa de convolución separable en una serie, con los argumentos de Keras.

    Es :eq:`ed-cnn-separable-ida` con alto 1. Los pesos son ``(k, c, r)``, ``(1, c · r, f)`` y ``(f,)``:

    >>> layer = SeparableConv1D(1, 2, dtype="float64")
    >>> layer.build((2, 2))
    >>> import numpy as np
    >>> look = np.reshape([1, -1, 1, 1], (2, 2, 1))
    >>> mix = np.reshape([10, 1], (1, 2, 1))
    >>> layer.set_weights([look, mix, [0]])
    >>> layer.forward([[[1, 10], [2, 30]]]).ravel()
    array([50.])

    Parameters
    ----------
    filters : int
        Cuántos mapas salen.
    kernel_size, strides, dilation_rate : int
        Cuántos instantes abarca cada filtro, el paso y la dilatación.
    padding, data_format, depth_multiplier, activation, use_bias
        Como en :class:`~chapters.cnn.SeparableConv2D`.
    depthwise_initializer, pointwise_initializer, bias_initializer
        También.
    depthwise_regularizer, pointwise_regularizer, bias_regularizer
        También.
    depthwise_constraint, pointwise_constraint, bias_constraint
        También.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.
    """

    rank = 1
