r"""Una tabla que se aprende: de cada palabra, una fila."""

import math
from contextlib import suppress

import numpy as np

from chapters.mlp import constraints, initializers, regularizers
from chapters.mlp.layer import Layer
from dlbook import check
from dlbook.attributes import Absent
from dlbook.numeric.kernel import kernel


def plain_embedding_forward(tokens, table):
    r"""Toma de la tabla la fila de cada palabra."""
    return table[tokens]  # [ec-rnn-emb-salida]


def embedding_forward(tokens, table):
    r"""Cambia cada palabra por su fila de una tabla (*embedding*).

    Cada palabra del vocabulario tiene un número, su índice, de :math:`0` a :math:`V-1`, y en la tabla
    :math:`\mathbf E` de :math:`V\times d`, una fila. Si la palabra de la posición :math:`i` es la :math:`t_i`,

    .. math::
       :label: ec-rnn-emb-salida

       \mathbf y_i = \mathbf E_{t_i} .

    **Es un producto que no se hace.** El vector *one-hot* :math:`\mathbf x_i` tiene un 1 en el lugar :math:`t_i` y
    ceros en los demás. Multiplicado por la tabla,

    .. math::
       :label: ed-rnn-emb-producto

       \mathbf x_i\mathbf E
       = \sum_{v=0}^{V-1} x_{iv}\,\mathbf E_v
       = \mathbf E_{t_i} ,

    porque de la suma sobrevive una sola fila. La capa es, pues, una densa sin sesgo ni activación cuya entrada es
    *one-hot*: se ahorra :math:`V` productos por cada número que sale. :item:`RNN-40`

    **A mano.** Cuatro palabras, dos números cada una; se leen la 2, la 0 y otra vez la 2:

    >>> table = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0], [6.0, 7.0]])
    >>> embedding_forward([2, 0, 2], table)
    array([[4., 5.],
           [0., 1.],
           [4., 5.]])
    >>> from chapters.mlp import one_hot
    >>> one_hot([2, 0, 2], 4) @ table
    array([[4., 5.],
           [0., 1.],
           [4., 5.]])

    Parameters
    ----------
    tokens : array_like of int, shape (n, ...)
        Las palabras, por su índice.
    table : array_like, shape (V, d)
        Una fila por palabra.

    Returns
    -------
    ndarray, shape (n, ..., d)
        La fila de cada una.

    Raises
    ------
    TypeError, ValueError
        Si algo no son números, o si un índice no tiene fila.

        >>> embedding_forward([[1, 2], [4, 0]], table)
        Traceback (most recent call last):
            ...
        ValueError: tokens: se esperaba un entero entre 0 y 3, pero hay un 4 en la posición (1, 0)
    """
    tokens, table = _checked(tokens, table)
    y = check.empty((*tokens.shape, table.shape[1]), "y", table.dtype)
    _embedding_forward(tokens.reshape(-1), table, y.reshape(-1, table.shape[1]))
    return y


def _checked(tokens, table):
    table = check.floats(table, "table", "V d")
    tokens = check.labels(tokens, "tokens", len(table), "...")
    if not tokens.ndim:
        raise ValueError("tokens: se esperaba al menos una palabra, en una lista, pero llegó un solo número")
    return np.ascontiguousarray(tokens), np.ascontiguousarray(table)


@kernel
def _embedding_forward(tokens, table, y):
    for i in range(tokens.size):
        t = tokens[i]
        if t < 0 or t >= table.shape[0]:
            raise IndexError("hay un índice sin fila")
        for j in range(table.shape[1]):
            y[i, j] = table[t, j]  # [ec-rnn-emb-salida]


def plain_embedding_backward(tokens, table, dy):
    r"""Suma en cada fila los gradientes de los lugares en que salió."""
    dtable = np.zeros_like(table)  # (V, d)
    rows = dy.reshape(-1, table.shape[1])
    for t, slope in zip(tokens.reshape(-1), rows, strict=True):
        dtable[t] += slope  # [ec-rnn-emb-gradiente]
    return dtable


def embedding_backward(tokens, table, dy):
    r"""Da el gradiente de la tabla, que se reparte por filas.

    **Derivación.** Mover la fila :math:`\mathbf E_v` mueve solo las salidas en que se leyó la palabra :math:`v`, y
    las mueve exactamente lo mismo. Con el corchete que vale 1 si lo de adentro es cierto y 0 si no,
    :math:`\partial y_{ij}/\partial E_{vj}=[t_i=v]`. La regla de la cadena suma sobre todas las salidas:

    .. math::
       :label: ec-rnn-emb-gradiente

       \frac{\partial\mathcal L}{\partial\mathbf E_v}
       = \sum_i [\,t_i=v\,]\,\frac{\partial\mathcal L}{\partial\mathbf y_i} .

    Tres cosas que se leen ahí. La palabra que no salió en el lote tiene gradiente cero: no aprende. La que salió
    varias veces junta el de todas. Y un índice es un entero: no se puede mover un poco, así que la entrada no tiene
    gradiente.

    Es lo mismo que daría la capa densa: con los *one-hot* en las filas de :math:`\mathbf X`,
    :eq:`ec-mlp-densa-pesos` dice :math:`\mathbf X^\top\,\partial\mathcal L/\partial\mathbf Y`, y su fila :math:`v`
    es esa suma.

    **A mano.** La palabra 2 salió dos veces, y sus gradientes se suman: :math:`(1,10)+(3,30)=(4,40)`. La 1 y la 3 no
    salieron.

    >>> dy = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    >>> embedding_backward([2, 0, 2], np.zeros((4, 2)), dy)
    array([[ 2., 20.],
           [ 0.,  0.],
           [ 4., 40.],
           [ 0.,  0.]])

    Parameters
    ----------
    tokens, table
        Como en :func:`embedding_forward`; de la tabla solo importa su tamaño.
    dy : array_like, shape (n, ..., d)
        El gradiente de la salida.

    Returns
    -------
    ndarray, shape (V, d)
        El de la tabla.

    Raises
    ------
    TypeError, ValueError
        Si algo no son números, si un índice no tiene fila o si las formas no encajan.
    """
    tokens, table = _checked(tokens, table)
    dy = check.floats(dy, "dy").astype(table.dtype)
    shape = (*tokens.shape, table.shape[1])
    if dy.shape != shape:
        raise ValueError(f"dy: se esperaba la forma {shape} de la salida, pero llegó {dy.shape}")
    dtable = np.empty_like(table)
    _embedding_backward(tokens.reshape(-1), np.ascontiguousarray(dy).reshape(-1, table.shape[1]), dtable)
    return dtable


@kernel
def _embedding_backward(tokens, dy, dtable):
    dtable[:] = 0
    for i in range(tokens.size):
        t = tokens[i]
        for j in range(dtable.shape[1]):
            dtable[t, j] += dy[i, j]  # [ec-rnn-emb-gradiente]


@kernel
def _not_zero(tokens, real):
    for i in range(tokens.size):
        real[i] = tokens[i] != 0


class Embedding(Layer):
    r"""Capa que cambia cada entero por su fila de una tabla que se aprende, con los argumentos de Keras.

    Calcula :eq:`ec-rnn-emb-salida` y aprende la tabla con :eq:`ec-rnn-emb-gradiente`. Va al principio: lo que recibe
    son índices, y un índice no tiene gradiente.

    >>> table = [[0, 1], [2, 3], [4, 5], [6, 7]]
    >>> layer = Embedding(4, 2, dtype="float64", weights=table)
    >>> layer.forward([[2, 0, 2]])
    array([[[4., 5.],
            [0., 1.],
            [4., 5.]]])
    >>> layer.backward([[[1, 10], [2, 20], [3, 30]]])
    >>> layer.gradients[0][2]
    array([ 4., 40.])

    **El cero, para el relleno.** Con ``mask_zero=True`` el índice 0 no es una palabra, sino el hueco que se deja para
    que todas las frases midan lo mismo. La capa crea entonces la máscara, que dice qué posiciones cuentan:

    >>> Embedding(4, 2, mask_zero=True).compute_mask(np.array([[0, 0, 3, 1]]))
    array([[False, False,  True,  True]])

    Parameters
    ----------
    input_dim : int
        Cuántos índices hay, :math:`V`: de 0 a ``input_dim - 1``. Si el 0 es el relleno, las palabras y uno más.
    output_dim : int
        Cuántos números por palabra, :math:`d`.
    embeddings_initializer : str or Initializer
        Con qué números empieza la tabla; ``"uniform"``, entre −0.05 y 0.05.
    embeddings_regularizer : str or Regularizer, optional
        La penalización de la tabla.
    embeddings_constraint : str, Constraint or callable, optional
        La restricción que se le impone después de cada paso.
    mask_zero : bool
        Si el índice 0 es relleno.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`. Además ``weights``, la
        tabla con que se empieza, si ya se tiene.

    Attributes
    ----------
    embeddings : ndarray, shape (input_dim, output_dim)
        La tabla.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, o si llega un índice que no tiene fila.

        >>> layer.forward([[1, 4]])
        Traceback (most recent call last):
            ...
        ValueError: x: se esperaba un entero entre 0 y 3, pero hay un 4 en la posición (0, 1)
    """

    integers = True
    any_size = True
    lora_rank = Absent(None)
    lora_alpha = Absent(None)
    quantization_config = Absent(None)

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        **options,
    ):
        start = options.pop("weights", None)
        # De cuánto son las frases lo dicen los datos.
        options.pop("input_length", None)
        super().__init__(**options)
        self.input_dim = check.integer(input_dim, "input_dim", 1, 2**31 - 1)
        self.output_dim = check.integer(output_dim, "output_dim", 1)
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = check.boolean(mask_zero, "mask_zero")
        self.embeddings = None
        if start is not None:
            # En Keras puede venir en una lista, como la de get_weights.
            inside = isinstance(start, list) and len(start) == 1
            start = check.numbers_of(start[0] if inside else start, "weights")
            start = start[np.newaxis] if inside and start.ndim == 1 else start
            start = check.floats(start, "weights", "V d", {"V": self.input_dim, "d": self.output_dim})
        self._start = start

    @property
    def masks(self):
        r"""Si crea una máscara."""
        return self.mask_zero

    def build(self, input_shape):
        r"""Crea la tabla."""
        super().build(input_shape)
        own = {"regularizer": self.embeddings_regularizer, "constraint": self.embeddings_constraint}
        start = self._start
        initializer = self.embeddings_initializer if start is None else lambda shape, dtype=None, seed=None: start
        self.embeddings = self.add_weight((self.input_dim, self.output_dim), initializer, **own)
        self._start = None

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada, con un vector donde había un índice."""
        return (*check.shape(input_shape, "input_shape", unknown=True), self.output_dim)

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da qué posiciones no son relleno; sin ``mask_zero``, nada."""
        if not self.mask_zero:
            return None
        inputs = check.numbers_of(inputs, "inputs")
        real = self.buffer("real", inputs.shape, bool)
        _not_zero(inputs.reshape(-1), real.reshape(-1))
        return real

    def forward(self, x, training=False):
        r"""Toma la fila de cada palabra."""
        self.x = x = self.ready(x)
        self.y = y = self.buffer("y", (*x.shape, self.output_dim))
        with suppress(IndexError):
            _embedding_forward(x.reshape(-1), self.embeddings, y.reshape(-1, self.output_dim))
            return y
        # El núcleo solo sabe que hay un índice sin fila: cuál es se dice aquí.
        return check.labels(x, "x", self.input_dim, "...")

    def backward(self, dy):
        r"""Suma en la tabla los gradientes de cada palabra; no devuelve nada, porque un entero no tiene gradiente."""
        dy = self.output_gradient(dy)
        if self._trainable:
            _embedding_backward(self.x.reshape(-1), dy.reshape(-1, self.output_dim), self.gradients[0])

    def work(self):
        r"""Cuenta un producto por número que se copia: la tabla entera no se toca."""
        return math.prod(self.current_shape or ()) * self.output_dim
