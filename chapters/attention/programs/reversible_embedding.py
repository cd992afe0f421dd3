r"""Una tabla para leer y para escribir: de la palabra a su vector, y del vector a los puntajes."""

import math

import numpy as np

from chapters.mlp.dense import LONG, _dense_backward_input, _dense_backward_weights, _rows
from chapters.mlp.layer import text_of_shape
from chapters.rnn.embeddings.embedding import Embedding
from chapters.rnn.recurrent.steps import tanh
from dlbook import check
from dlbook.attributes import Absent, Checked
from dlbook.numeric.elementwise import fill
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul, matmul_large
from dlbook.numeric.recording import ARRAYS


def tied_logits(x, table):
    r"""Compara un vector con cada fila de una tabla: un puntaje por palabra (*weight tying*).

    Un *embedding* va de la palabra :math:`v` a su fila :math:`\mathbf E_v`. Al final de un modelo de lenguaje hay
    que ir al revés: de un vector :math:`\mathbf x` a un puntaje por palabra. Lo usual es una capa densa, con una
    columna de pesos por palabra. Pero esa columna también es un vector de :math:`d` números que dice cómo es la
    palabra, y ya teníamos uno. :cite:t:`press2017` usan el mismo: el puntaje es el producto punto con su fila,

    .. math::
       :label: ec-att-atada-salida

       z_{iv}=\mathbf x_i\cdot\mathbf E_v,
       \qquad
       \mathbf Z=\mathbf X\mathbf E^\top .

    **A mano.** Tres palabras, de dos números:

    >>> table = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> tied_logits([[2.0, 3.0]], table)
    array([[2., 3., 5.]])

    Parameters
    ----------
    x : array_like, shape (..., d)
        Los vectores.
    table : array_like, shape (V, d)
        Una fila por palabra.

    Returns
    -------
    ndarray, shape (..., V)
        Un puntaje por palabra.

    Raises
    ------
    TypeError, ValueError
        Si algo no son números o si las formas no encajan.

        >>> tied_logits([[2.0, 3.0, 4.0]], table)
        Traceback (most recent call last):
            ...
        ValueError: table: se esperaba la forma (V, d=3), pero llegó (3, 2)
    """
    x, table = _vectors(x, table)
    return x @ table.T  # [ec-att-atada-salida]


def _vectors(x, table):
    sizes = {}
    x = check.floats(x, "x", "... d", sizes)
    table = check.floats(table, "table", "V d", sizes)
    return x, table.astype(x.dtype, copy=False)


def tied_logits_backward(x, table, dy):
    r"""Reparte la culpa de los puntajes entre la tabla y los vectores.

    **Derivación.** Llega :math:`g_{iv}=\partial\mathcal L/\partial z_{iv}`, y el puntaje es una suma de productos,
    :math:`z_{iv}=\sum_j x_{ij}E_{vj}`. El número :math:`E_{vj}` está en el puntaje de la palabra :math:`v` de
    **todos** los vectores, y en el :math:`i` lo multiplica :math:`x_{ij}`. El número :math:`x_{ij}` está en los
    puntajes de todas las palabras, y en el de :math:`v` lo multiplica :math:`E_{vj}`. Se suman los caminos:

    .. math::
       :label: ec-att-atada-gradiente

       \frac{\partial\mathcal L}{\partial\mathbf E_v}=\sum_i g_{iv}\,\mathbf x_i,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf x_i}=\sum_v g_{iv}\,\mathbf E_v .

    Compáralo con el gradiente de leer, :eq:`ec-rnn-emb-gradiente`: ahí solo se mueve la fila de la palabra que
    salió. Aquí se mueven **todas**, también las de las palabras que no salieron, a las que se les baja el puntaje.

    **A mano.** Sube el puntaje de la primera palabra, baja el de la tercera:

    >>> table = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> dtable, dx = tied_logits_backward([[2.0, 3.0]], table, [[-1, 0, 1]])
    >>> dtable
    array([[-2., -3.],
           [ 0.,  0.],
           [ 2.,  3.]])
    >>> dx
    array([[0., 1.]])

    Parameters
    ----------
    x, table
        Como en :func:`tied_logits`.
    dy : array_like, shape (..., V)
        El gradiente de los puntajes.

    Returns
    -------
    dtable : ndarray, shape (V, d)
        El de la tabla.
    dx : ndarray, shape (..., d)
        El de los vectores.

    Raises
    ------
    TypeError, ValueError
        Si algo no son números o si las formas no encajan.
    """
    x, table = _vectors(x, table)
    dy = check.floats(dy, "dy").astype(x.dtype)
    shape = *x.shape[:-1], len(table)
    if dy.shape != shape:
        raise ValueError(f"dy: se esperaba {shape}, pero llegó {dy.shape}")
    rows = dy.reshape(-1, len(table))
    dtable = rows.T @ x.reshape(-1, x.shape[-1])  # [ec-att-atada-gradiente]
    return dtable, dy @ table  # [ec-att-atada-gradiente]


@kernel(error_model="numpy")
def _cap(z, cap):
    for i in range(z.size):
        z[i] = cap * tanh(z[i] / cap)


@kernel(error_model="numpy")
def _cap_back(y, dy, cap, dz):
    one = y.dtype.type(1)
    for i in range(y.size):
        part = y[i] / cap
        dz[i] = (one - part * part) * dy[i]


def _product(a, b, out):
    if len(a) > LONG:
        matmul_large(a, b, out)
    else:
        matmul(a, b, out)


class _Reversed:
    # La misma capa, leída al revés: recibe vectores y da puntajes.
    integers = masks = False

    def __init__(self, layer):
        self.layer = layer

    def admits(self, shape):
        return True

    def build_inside(self, shape):
        self.layer.build_inside(shape[:-1])

    def shapes_after(self, input_shape, options):
        return self.layer.compute_output_shape(input_shape, reverse=True)

    def compute_mask(self, inputs, previous_mask=None):
        return previous_mask


class ReversibleEmbedding(Embedding):
    r"""Capa con una tabla que se lee en los dos sentidos, con los argumentos de Keras.

    Llamada con palabras, da sus filas, :eq:`ec-rnn-emb-salida`. Con ``reverse=True`` recibe vectores y da un
    puntaje por palabra, :eq:`ec-att-atada-salida`. En un modelo se la llama dos veces, al principio y al final:

    >>> from chapters.mlp import Dense, Input, Model
    >>> words = Input((None,))
    >>> table = ReversibleEmbedding(10, 4)
    >>> h = Dense(4, "tanh")(table(words))
    >>> model = Model(words, table(h, reverse=True), seed=0)
    >>> model.predict(np.array([[1, 2, 3]])).shape
    (1, 3, 10)
    >>> model.count_params()                  # 10·4, una sola vez, y 4·4 + 4
    60

    **Su gradiente es una suma.** La pérdida depende de la tabla por dos caminos: las palabras que entraron y los
    puntajes que salieron. Por :eq:`ec-mlp-grafo-compartida`, los de los dos usos se suman:

    .. math::
       :label: ed-att-atada-suma

       \frac{\partial\mathcal L}{\partial\mathbf E_v}
       =\underbrace{\sum_i[\,t_i=v\,]\,\frac{\partial\mathcal L}{\partial\mathbf y_i}}_{\text{al leer}}
       +\underbrace{\sum_i g_{iv}\,\mathbf x_i}_{\text{al escribir}} .

    **A mano.** Sin nada en medio: se lee la palabra 1 y se puntúan las tres. Su fila es :math:`(0,1)`. Si la culpa
    de los puntajes es :math:`(1,0,0)`, al escribir la fila 0 recibe :math:`1\cdot(0,1)`; y al leer, la fila 1
    recibe lo que llega al vector, :math:`1\cdot\mathbf E_0=(1,0)`:

    >>> words = Input((1,))
    >>> table = ReversibleEmbedding(3, 2, weights=[[1, 0], [0, 1], [1, 1]])
    >>> model = Model(words, table(table(words), reverse=True))
    >>> model.forward([[1]])
    array([[[0., 1., 1.]]], dtype=float32)
    >>> _ = model.backward([[[1, 0, 0]]])
    >>> model.gradients[0]
    array([[0., 1.],
           [1., 0.],
           [0., 0.]], dtype=float32)

    **El tope.** Con ``logit_soft_cap=c`` los puntajes no pasan de :math:`c`: salen :math:`c\tanh(z/c)`, que cerca de
    cero es :math:`z`. Por la derivada de la tangente hiperbólica, la culpa que llega se multiplica por
    :math:`1-(y/c)^2`:

    .. math::
       :label: ed-att-atada-tope

       y=c\tanh\frac zc,
       \qquad
       \frac{\partial\mathcal L}{\partial z}=\Bigl(1-\frac{y^2}{c^2}\Bigr)\frac{\partial\mathcal L}{\partial y} .

    Parameters
    ----------
    input_dim, output_dim
        Cuántas palabras hay y cuántos números tiene cada una, como en :class:`~chapters.rnn.Embedding`.
    tie_weights : bool
        Si es la misma tabla en los dos sentidos; con ``False``, para el segundo hay otra, ``reverse_embeddings``.
    embeddings_initializer, embeddings_regularizer, embeddings_constraint, mask_zero
        Como en :class:`~chapters.rnn.Embedding`. La máscara se crea al leer; al revés, pasa la que venga.
    logit_soft_cap : float, optional
        El tope :math:`c` de los puntajes.
    **options
        ``dtype``, ``seed``, ``name``, ``trainable`` y ``weights``, como en :class:`~chapters.rnn.Embedding`.

    Attributes
    ----------
    embeddings : ndarray, shape (input_dim, output_dim)
        La tabla.
    reverse_embeddings : ndarray, shape (output_dim, input_dim), or None
        La del segundo sentido, si no es la misma.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, si llega un índice que no tiene fila o un vector de otro tamaño.

        >>> table(np.zeros((1, 5)), reverse=True)
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba la forma (n, ..., 2), pero llegó (1, 5)
    """

    logit_soft_cap = Checked(check.number, 0, open_low=True, optional=True)
    reverse_dtype = Absent(None)
    reverse_embeddings = None

    def __init__(
        self,
        input_dim,
        output_dim,
        tie_weights=True,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        *,
        logit_soft_cap=None,
        **options,
    ):
        super().__init__(
            input_dim,
            output_dim,
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
            mask_zero,
            **options,
        )
        self.tie_weights = check.boolean(tie_weights, "tie_weights")
        self.logit_soft_cap = logit_soft_cap
        # Si la última vez se llamó al revés.
        self.reversed = False

    def build(self, input_shape):
        r"""Crea la tabla, o las dos."""
        super().build(input_shape)
        if not self.tie_weights:
            shape = self.output_dim, self.input_dim
            self.reverse_embeddings = self.add_weight(shape, self.embeddings_initializer)

    def called(self, options):
        r"""Con ``reverse=True``, recibe y da otra cosa."""
        return _Reversed(self) if options.get("reverse") else self

    def compute_output_shape(self, input_shape, reverse=False):
        r"""Devuelve la forma de la entrada, con un vector donde había un índice o, al revés, con los puntajes."""
        if not reverse:
            return super().compute_output_shape(input_shape)
        shape = check.shape(input_shape, "input_shape", unknown=True)
        if shape[-1:] != (self.output_dim,):
            text = f"(n, ..., {self.output_dim})"
            raise ValueError(f"x: se esperaba la forma {text}, pero llegó {text_of_shape(shape)}")
        return (*shape[:-1], self.input_dim)

    def forward(self, x, training=False, reverse=False):
        r"""Toma la fila de cada palabra o, con ``reverse=True``, puntúa todas las palabras con cada vector."""
        self.reversed = check.boolean(reverse, "reverse")
        if not self.reversed:
            return super().forward(x, training)
        self.x = x = self._vectors(x)
        z = self.buffer("z", (*x.shape[:-1], self.input_dim))
        if self.tie_weights:
            # Con la tabla de matriz, es lo que en una densa lleva la culpa a la entrada.
            _dense_backward_input(_rows(x), self.embeddings, _rows(z))
        else:
            _product(_rows(x), self.reverse_embeddings, _rows(z))
        if self.logit_soft_cap is not None:
            _cap(z.reshape(-1), self.dtype.type(self.logit_soft_cap))
        self.y = z
        return z

    def _vectors(self, x):
        ready = type(x) in ARRAYS and x.dtype == self.dtype and x.flags.carray
        x = x if ready else np.require(check.cast(check.floats(x, "x"), "x", self.dtype), requirements=["C", "A", "W"])
        if x.ndim < 2 or not x.size or x.shape[-1] != self.output_dim:
            raise ValueError(f"x: se esperaba la forma (n, ..., {self.output_dim}), pero llegó {x.shape}")
        if not self.built:
            self.build_inside(x.shape[1:-1])
        self.refuse_outline()
        return x

    def backward(self, dy):
        r"""Llena el gradiente de la tabla de ese uso y, si eran vectores, devuelve el suyo."""
        if not self.reversed:
            if self._trainable and not self.tie_weights:
                fill(self.gradients[1], 0)
            return super().backward(dy)
        dz, none = self.output_gradient(dy), self.embeddings[0, :0]
        if self.logit_soft_cap is not None:
            slope = self.buffer("dz", dz.shape)
            cap = self.dtype.type(self.logit_soft_cap)
            _cap_back(self.y.reshape(-1), dz.reshape(-1), cap, slope.reshape(-1))
            dz = slope
        if self._trainable and self.tie_weights:
            (dtable,) = self.gradients
            _dense_backward_weights(_rows(dz), _rows(self.x), dtable, none)
        elif self._trainable:
            dtable, dreverse = self.gradients
            fill(dtable, 0)
            _dense_backward_weights(_rows(self.x), _rows(dz), dreverse, none)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", self.x.shape)
        if self.tie_weights:
            _product(_rows(dz), self.embeddings, _rows(dx))
        else:
            _dense_backward_input(_rows(dz), self.reverse_embeddings, _rows(dx))
        return dx

    def work(self):
        r"""Cuenta un producto por número de la tabla y por palabra: lo que cuesta al revés."""
        return math.prod(self.current_shape or ()) * self.input_dim * self.output_dim
