r"""La capa densa: cada salida mira todas las entradas."""

import math

import numpy as np

from chapters.mlp import activations, constraints, initializers, regularizers
from chapters.mlp.layer import Layer, text_of_shape
from dlbook import check
from dlbook.numeric.elementwise import sum_rows
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul, matmul_large, matmul_transposed
from dlbook.numeric.vectors import BYTES

# Con más filas, como las de todos los pasos de muchas secuencias, los gradientes los multiplica mejor una biblioteca.
# Si los pesos son muchos, le basta la mitad.
LONG, LARGE = 512, 1 << 16
# Y desde tantos pesos, también el de la entrada: trasponerlos costaría más que el producto.
HUGE = 1 << 19
# De a cuántas filas va un producto.
MANY = 64
# Desde cuántas conviene trasponer los pesos al volver; con menos neuronas que estas, desde tantas como neuronas.
TURNED = 256


def _same_type(*arrays):
    dtype = np.result_type(*arrays)
    return [a.astype(dtype, copy=False) for a in arrays]


def dense_forward(x, w, b):
    r"""Preactivaciones de toda una capa para todo un lote, de un solo golpe.

    La neurona :math:`j` multiplica cada entrada por su peso, suma y agrega su sesgo. Para la observación :math:`i`:

    .. math::
       :label: ed-mlp-densa-celda

       z_{ij} = \sum_{k=1}^{d} x_{ik}\,w_{kj} + b_j .

    Una neurona por columna de :math:`\mathbf W`, de :math:`d\times m`, y una observación por fila de :math:`\mathbf X`,
    de :math:`n\times d`. Entonces la suma es la celda :math:`(i,j)` de un producto de matrices, y las :math:`nm` sumas
    son un solo producto. Como todas las entradas se conectan con todas las salidas, la capa se llama **densa**
    (*dense*):

    .. math::
       :label: ec-mlp-densa

       \mathbf Z = \mathbf X\mathbf W + \mathbf 1\,\mathbf b^{\top} .

    El vector :math:`\mathbf 1`, de :math:`n` unos, repite el sesgo en cada fila. :item:`MLP-76`

    **A mano.** Dos observaciones de tres números y una capa de dos neuronas. La primera celda es
    :math:`1\cdot1+2\cdot0+3\cdot(-1)+10=8`:

    >>> X = [[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]]
    >>> W = [[1.0, 2.0], [0.0, 1.0], [-1.0, 0.0]]
    >>> b = [10.0, 20.0]
    >>> dense_forward(X, W, b)
    array([[ 8., 24.],
           [11., 21.]])

    Parameters
    ----------
    x : array_like, shape (n, d)
        Una observación por fila.
    w : array_like, shape (d, m)
        Una neurona por columna.
    b : array_like, shape (m,)
        Los sesgos.

    Returns
    -------
    ndarray, shape (n, m)
        Las preactivaciones; ``float32`` solo si las tres entradas lo son.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan o si hay NaN o infinitos.

        >>> dense_forward(X, W, [1.0])
        Traceback (most recent call last):
            ...
        ValueError: b: se esperaba la forma (m=2), pero llegó (1,)
    """
    sizes = {}
    x = check.floats(x, "x", "n d", sizes)
    w = check.floats(w, "w", "d m", sizes)
    b = check.floats(b, "b", "m", sizes)
    x, w, b = _same_type(x, w, b)
    z = np.empty((len(x), len(b)), x.dtype)
    _dense_forward(x, w, b, z)
    return z


def plain_dense_forward(x, w, b):
    r"""Todas las neuronas de la capa, con todas las observaciones."""
    return x @ w + b  # [ec-mlp-densa]


@kernel
def _dense_forward(x, w, b, z):
    # De a tantas filas, para sumar el sesgo mientras siguen en la caché.
    for start in range(0, z.shape[0], MANY):
        rows = z[start : start + MANY]
        matmul(x[start : start + MANY], w, rows)
        for i in range(rows.shape[0] if b.size else 0):
            row = rows[i]
            for j in range(b.size):
                row[j] += b[j]  # [ec-mlp-densa]


def dense_backward(x, w, dy):
    r"""Los tres gradientes de la capa densa, en forma matricial.

    Llega :math:`\delta_{ij}=\partial\mathcal L/\partial z_{ij}`, la culpa de la neurona :math:`j` en la observación
    :math:`i`; juntas forman :math:`\boldsymbol\Delta`, de :math:`n\times m`. Hay que repartirla entre los pesos, los
    sesgos y las entradas. Partimos de la celda

    .. math::

       z_{ij} = \sum_{k} x_{ik}\,w_{kj} + b_j

    y preguntamos, para cada letra, en qué celdas aparece y con qué factor.

    **Los pesos.** :math:`w_{kj}` está en la columna :math:`j`, en *todas* las filas, y en la fila :math:`i` lo
    multiplica :math:`x_{ik}`. Cada celda donde aparece es un camino hacia la pérdida, y los caminos se suman
    :eq:`ed-mlp-varios-caminos`:

    .. math::

       \frac{\partial\mathcal L}{\partial w_{kj}}
       = \sum_{i} \frac{\partial\mathcal L}{\partial z_{ij}}\,\frac{\partial z_{ij}}{\partial w_{kj}}
       = \sum_{i} x_{ik}\,\delta_{ij} .

    Eso es recorrer a la vez dos columnas, la :math:`k` de :math:`\mathbf X` y la :math:`j` de
    :math:`\boldsymbol\Delta`. Para que un producto de matrices lo haga, la primera tiene que ser fila:

    .. math::
       :label: ec-mlp-densa-pesos

       \frac{\partial\mathcal L}{\partial\mathbf W} = \mathbf X^{\top}\boldsymbol\Delta .

    **Los sesgos.** :math:`b_j` aparece en las mismas celdas con factor 1, así que se suma la columna:

    .. math::
       :label: ec-mlp-densa-sesgo

       \frac{\partial\mathcal L}{\partial b_j} = \sum_{i} \delta_{ij} .

    **Las entradas.** :math:`x_{ik}` está en toda la fila :math:`i`, porque alimenta a todas las neuronas; en la
    columna :math:`j` lo multiplica :math:`w_{kj}`:

    .. math::

       \frac{\partial\mathcal L}{\partial x_{ik}} = \sum_{j} \delta_{ij}\,w_{kj} .

    Ahora se recorren a la vez dos filas, la :math:`i` de :math:`\boldsymbol\Delta` y la :math:`k` de
    :math:`\mathbf W`, y la segunda tiene que ser columna:

    .. math::
       :label: ec-mlp-densa-entrada

       \frac{\partial\mathcal L}{\partial\mathbf X} = \boldsymbol\Delta\,\mathbf W^{\top} .

    **Para no olvidarlas, mira las formas.** El gradiente de algo tiene la forma de ese algo. De
    :math:`\mathbf X` :math:`(n\times d)` y :math:`\boldsymbol\Delta` :math:`(n\times m)` solo hay una manera de obtener
    :math:`d\times m` con un producto; y lo mismo con :math:`n\times d`. Al ir se hizo un producto, y volver cuesta dos,
    cada uno con :math:`ndm` multiplicaciones, como aquel: un paso de entrenamiento hace unas tres veces las de una
    predicción.

    **A mano.** Con los datos de :func:`dense_forward` y una culpa por celda. El primer peso multiplica la primera
    columna de :math:`\mathbf X`, y su gradiente es :math:`1\cdot1+0\cdot2=1`; el primer sesgo recoge :math:`1+2=3`; y a
    la primera entrada le toca :math:`1\cdot1+(-1)\cdot2=-1`:

    >>> X = [[1.0, 2.0, 3.0], [0.0, 1.0, -1.0]]
    >>> W = [[1.0, 2.0], [0.0, 1.0], [-1.0, 0.0]]
    >>> delta = [[1.0, -1.0], [2.0, 0.0]]
    >>> dw, db, dx = dense_backward(X, W, delta)
    >>> dw
    array([[ 1., -1.],
           [ 4., -2.],
           [ 1., -3.]])
    >>> db
    array([ 3., -1.])
    >>> dx
    array([[-1., -1., -1.],
           [ 2.,  0., -2.]])

    Parameters
    ----------
    x : array_like, shape (n, d)
        Lo que entró a :func:`dense_forward`.
    w : array_like, shape (d, m)
        Los pesos.
    dy : array_like, shape (n, m)
        El gradiente de lo que salió de ella, :math:`\boldsymbol\Delta`.

    Returns
    -------
    dw : ndarray, shape (d, m)
        El gradiente de los pesos.
    db : ndarray, shape (m,)
        El de los sesgos.
    dx : ndarray, shape (n, d)
        El de las entradas, que es el ``dy`` de la capa anterior.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si las formas no encajan o si hay NaN o infinitos.
    """
    sizes = {}
    x = check.floats(x, "x", "n d", sizes)
    w = check.floats(w, "w", "d m", sizes)
    dy = check.floats(dy, "dy", "n m", sizes)
    x, w, dy = _same_type(x, w, dy)
    dw, db, dx = np.empty_like(w), np.empty(w.shape[1], w.dtype), np.empty_like(x)
    _dense_backward_weights(x, dy, dw, db)
    _dense_backward_input(dy, w, dx)
    return dw, db, dx


def plain_dense_backward(x, w, dy):
    r"""La culpa, hacia los pesos, hacia los sesgos y hacia la entrada."""
    dw = x.T @ dy  # [ec-mlp-densa-pesos]
    db = dy.sum(axis=0)  # [ec-mlp-densa-sesgo]
    dx = dy @ w.T  # [ec-mlp-densa-entrada]
    return dw, db, dx


def _dense_backward_weights(x, dz, dw, db):
    if len(x) > (LONG if dw.size <= LARGE else LONG // 2):
        matmul_large(x.T, dz, dw)  # [ec-mlp-densa-pesos]
    else:
        matmul(x.T, dz, dw)  # [ec-mlp-densa-pesos]
    sum_rows(dz, db)  # [ec-mlp-densa-sesgo]


def _dense_backward_input(dz, w, dx):
    if len(dz) < min(TURNED, w.shape[1]):
        matmul_transposed(dz, w, dx)  # [ec-mlp-densa-entrada]
    elif w.size < HUGE:
        _product_by_transposed(dz, w, dx)  # [ec-mlp-densa-entrada]
    else:
        matmul_large(dz, w.T, dx)  # [ec-mlp-densa-entrada]


# Con muchas filas, trasponer antes los pesos cuesta poco y el producto sale más rápido. Va de a una franja, la que usa
# un mosaico: cabe en la caché más cercana, y empieza donde empieza un vector.
@kernel
def _product_by_transposed(dz, w, dx):
    depth, width = w.shape[1], 2 * BYTES // w.itemsize
    room = np.empty((depth + 1) * width, w.dtype)
    start = np.intp(-room.ctypes.data // room.itemsize % width)
    strip = room[start : start + depth * width].reshape(depth, width)
    for first in range(0, w.shape[0], width):
        last = min(first + width, w.shape[0])
        for j in range(depth):
            for k in range(first, last):
                strip[j, k - first] = w[k, j]
        matmul(dz, strip[:, : last - first], dx[:, first:last])


def _rows(x):
    return x if x.ndim == 2 else x.reshape(-1, x.shape[-1])


def last_axis(input_shape):
    r"""Da el tamaño del último eje, que es de las entradas y hay que saber.

    >>> last_axis((None, 3))
    3
    >>> last_axis((3, None))
    Traceback (most recent call last):
        ...
    ValueError: x: se esperaba que se supiera el último eje, el de las entradas, pero llegó la forma (n, 3, ?)

    Parameters
    ----------
    input_shape : tuple of int
        La forma de una observación.

    Returns
    -------
    int
    """
    if not input_shape:
        raise ValueError("x: se esperaba la forma (n, …, d), con un eje para las entradas, pero llegó (n,)")
    if input_shape[-1] is None:
        raise ValueError(
            f"x: se esperaba que se supiera el último eje, el de las entradas, pero llegó la forma "
            f"{text_of_shape(input_shape)}"
        )
    return input_shape[-1]


class Dense(Layer):
    r"""Capa densa :math:`\mathbf Y=\varphi(\mathbf X\mathbf W+\mathbf b)`, con los argumentos de Keras.

    Hacia delante hace :func:`dense_forward` y luego la activación. Hacia atrás va al revés: la activación convierte el
    gradiente de :math:`\mathbf Y` en el de :math:`\mathbf Z`, y :func:`dense_backward` lo reparte. Si la entrada tiene
    más ejes, la capa actúa sobre el último y los demás son observaciones. :item:`MLP-78`

    **A mano.** Una capa de dos neuronas ReLU con pesos puestos por nosotros. La primera suma da :math:`8` y pasa; la
    segunda da :math:`-1` y se apaga:

    >>> layer = Dense(2, activation="relu", dtype="float64")
    >>> layer.build((3,))
    >>> layer.set_weights([[[1, 2], [0, 1], [-1, 0]], [10, -5]])
    >>> layer.forward([[1, 2, 3]])
    array([[8., 0.]])

    A la apagada no le toca culpa: sus pesos y su sesgo tienen gradiente cero, y a la entrada solo le llega la de la
    primera:

    >>> layer.backward([[1, 1]])
    array([[ 1.,  0., -1.]])
    >>> layer.gradients[0]
    array([[1., 0.],
           [2., 0.],
           [3., 0.]])
    >>> layer.gradients[1]
    array([1., 0.])

    Una capa de :math:`m` neuronas y :math:`d` entradas tiene :math:`(d+1)m` parámetros:

    >>> hidden = Dense(128)
    >>> hidden.build((784,))
    >>> hidden.count_params() == (784 + 1) * 128
    True

    Parameters
    ----------
    units : int
        Cuántas neuronas.
    activation : str or ActivationFunction, optional
        La activación :math:`\varphi`; sin ella, la capa es lineal.
    use_bias : bool
        Si hay sesgo.
    kernel_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los sesgos.
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    kernel_constraint, bias_constraint : str, Constraint or callable, optional
        Restricción que se les impone después de cada paso.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`Layer`.

    Attributes
    ----------
    kernel : ndarray, shape (d, m)
        Los pesos :math:`\mathbf W`.
    bias : ndarray, shape (m,), or None
        Los sesgos :math:`\mathbf b`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> Dense(0)
        Traceback (most recent call last):
            ...
        ValueError: units: se esperaba un entero de al menos 1, pero llegó 0
    """

    any_size = True
    supports_masking = True

    def __init__(
        self,
        units,
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
        super().__init__(**options)
        self.units = check.integer(units, "units", 1)
        self.activation = activations.get(activation)
        self.use_bias = check.boolean(use_bias, "use_bias")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel = self.bias = None

    def build(self, input_shape):
        r"""Crea los pesos y los sesgos para entradas de una forma."""
        super().build(input_shape)
        d = last_axis(self.input_shape)
        own = {"regularizer": self.kernel_regularizer, "constraint": self.kernel_constraint}
        self.kernel = self.add_weight((d, self.units), self.kernel_initializer, **own)
        if self.use_bias:
            own = {"regularizer": self.bias_regularizer, "constraint": self.bias_constraint}
            self.bias = self.add_weight((self.units,), self.bias_initializer, **own)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada con el último eje cambiado por las neuronas."""
        shape = check.shape(input_shape, "input_shape", unknown=True)
        last_axis(shape)
        return (*shape[:-1], self.units)

    def forward(self, x, training=False):
        r"""Calcula la salida de la capa para cada observación."""
        self.x = x = self.ready(x)
        z = self.buffer("z", (*x.shape[:-1], self.units))
        _dense_forward(_rows(x), self.kernel, self.bias if self.use_bias else self.kernel[0, :0], _rows(z))
        y = z
        if self.activation is not None:
            y = self.buffer("y", z.shape)
            self.activation.forward(z, y)
        self.z, self.y = z, y
        return y

    def backward(self, dy):
        r"""Llena los gradientes de los pesos y los sesgos y devuelve el de la entrada."""
        dz = dy = self.output_gradient(dy)
        if self.activation is not None:
            dz = self.buffer("dz", dy.shape)
            self.activation.backward(self.z, self.y, dy, dz)
        if self._trainable:
            # Sin sesgo, un vector vacío: el ciclo que lo suma no da ninguna vuelta.
            dkernel, dbias = self.gradients if self.use_bias else (*self.gradients, self.kernel[0, :0])
            _dense_backward_weights(_rows(self.x), _rows(dz), dkernel, dbias)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        _dense_backward_input(_rows(dz), self.kernel, _rows(dx))
        return dx

    def work(self):
        r"""Cuenta un producto por peso, tantas veces como se usa la capa en cada observación."""
        return math.prod(self.current_shape or ()) * self.units
