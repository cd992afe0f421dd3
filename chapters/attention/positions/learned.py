r"""Posiciones que se aprenden: una tabla con una fila por lugar."""

import numpy as np

from chapters.attention.positions.sinusoidal import _repeat, sequence_shape
from chapters.mlp import initializers
from chapters.mlp.layer import Layer
from chapters.rnn.embeddings.embedding import Embedding
from dlbook import check
from dlbook.numeric.elementwise import fill, sum_rows
from dlbook.numeric.kernel import kernel


class PositionEmbedding(Layer):
    r"""Capa que da las posiciones de una secuencia, con una tabla que se aprende, como la de KerasHub.

    Es un *embedding* de la posición en lugar de la palabra: la tabla :math:`\mathbf P` tiene una fila por lugar, y de
    una secuencia de :math:`T` salen las primeras :math:`T`, las mismas para todas las observaciones:

    .. math::
       :label: ec-att-tabla

       \mathbf y_{it}=\mathbf P_t .

    **Derivación.** La fila :math:`t` está en la posición :math:`t` de cada observación, y mueve esas salidas lo
    que ella se mueva. La regla de la cadena suma:

    .. math::
       :label: ec-att-tabla-gradiente

       \frac{\partial\mathcal L}{\partial\mathbf P_t}=\sum_i\frac{\partial\mathcal L}{\partial\mathbf y_{it}} .

    De lo que entra solo se mira la forma, así que su gradiente es cero.

    **A mano.** Una tabla de tres lugares, y dos secuencias de dos palabras. Si todo el gradiente es 1, los lugares
    usados reciben 2, uno por secuencia; el tercero, nada:

    >>> layer = PositionEmbedding(3, dtype="float64")
    >>> x = np.zeros((2, 2, 2))
    >>> layer.build((2, 2))
    >>> layer.position_embeddings = [[1, 2], [3, 4], [5, 6]]
    >>> layer.forward(x)[0]
    array([[1., 2.],
           [3., 4.]])
    >>> dx = layer.backward(np.ones((2, 2, 2)))
    >>> layer.gradients[0]
    array([[2., 2.],
           [2., 2.],
           [0., 0.]])

    **Donde se acaba la tabla.** Para la cuarta posición no hay fila:

    >>> layer.forward(np.zeros((1, 4, 2)))
    Traceback (most recent call last):
        ...
    ValueError: x: se esperaban posiciones de 0 a 2, pero hay una 3

    Parameters
    ----------
    sequence_length : int
        Cuántos lugares tiene la tabla: lo más larga que puede ser una secuencia.
    initializer : str or Initializer
        Con qué números empieza.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    position_embeddings : ndarray, shape (sequence_length, d)
        La tabla; en los archivos se llama ``embeddings``.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, si lo que entra no es una secuencia de vectores o si es más larga que la tabla.
    """

    any_size = supports_masking = True

    def __init__(self, sequence_length, initializer="glorot_uniform", **options):
        super().__init__(**options)
        self.sequence_length = check.integer(sequence_length, "sequence_length", 1, 2**31 - 1)
        self.initializer = initializers.get(initializer)
        self.position_embeddings = None

    def build(self, input_shape):
        r"""Crea la tabla."""
        *_, width = self.compute_output_shape(input_shape)
        super().build(input_shape)
        self.position_embeddings = self.add_weight((self.sequence_length, width), self.initializer, name="embeddings")

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada, que no puede ser más larga que la tabla."""
        shape = sequence_shape(input_shape)
        self.rows(0, shape[-2] or 1)
        return shape

    def rows(self, start_index, steps):
        r"""Da qué filas de la tabla tocan, si las hay.

        Parameters
        ----------
        start_index : int
            La posición de la primera.
        steps : int
            Cuántas son.

        Returns
        -------
        slice
        """
        start = check.integer(start_index, "start_index", 0, 2**31 - 1)
        if start + steps > self.sequence_length:
            raise ValueError(
                f"x: se esperaban posiciones de 0 a {self.sequence_length - 1}, pero hay una {start + steps - 1}"
            )
        return slice(start, start + steps)

    def forward(self, x, training=False, start_index=0):
        r"""Da la fila de cada posición, desde la ``start_index``."""
        x = self.ready(x)
        self.used = self.rows(start_index, x.shape[-2])
        self.y = y = self.buffer("y", x.shape)
        places = self.position_embeddings[self.used].reshape(-1)
        _repeat(places, y.reshape(-1, len(places)))  # [ec-att-tabla]
        return y

    def backward(self, dy):
        r"""Suma en cada fila los gradientes de su posición; a la entrada le tocan ceros."""
        dy = self.output_gradient(dy)
        if self._trainable:
            self.add_up(dy, self.used)
        if not self.input_gradient:
            return None
        dx = self.buffer("dx", dy.shape)
        fill(dx, 0)
        return dx

    def add_up(self, dy, used):
        r"""Pone en el gradiente de la tabla la suma de lo que llega a cada posición.

        Parameters
        ----------
        dy : ndarray, shape (n, ..., T, d)
            El gradiente de la salida.
        used : slice
            Las filas que se usaron.
        """
        (dtable,) = self.gradients
        fill(dtable, 0)
        places = dtable[used].reshape(-1)
        sum_rows(dy.reshape(-1, len(places)), places)  # [ec-att-tabla-gradiente]


def plain_position_embedding(table, dy):
    r"""La ida y la vuelta; de la entrada solo importaría la forma."""
    _, steps, _ = dy.shape  # (n, T, d)
    y = np.broadcast_to(table[:steps], dy.shape)  # [ec-att-tabla]
    dtable = np.zeros_like(table)
    dtable[:steps] = dy.sum(axis=0)  # [ec-att-tabla-gradiente]
    return y, dtable


@kernel
def _add_to_each_row(y, row):
    for i in range(y.shape[0]):
        for j in range(row.size):
            y[i, j] += row[j]


class TokenAndPositionEmbedding(Layer):
    r"""Capa que cambia cada palabra por su vector más el de su lugar, como la de KerasHub.

    Con la tabla de las palabras :math:`\mathbf E` y la de los lugares :math:`\mathbf P`, de la palabra :math:`v` en el
    lugar :math:`t` sale

    .. math::
       :label: ec-att-palabra-lugar

       \mathbf y_{t}=\mathbf E_{v_t}+\mathbf P_t .

    El gradiente de una suma les llega completo a los dos sumandos: la primera tabla lo reparte por palabras,
    :eq:`ec-rnn-emb-gradiente`, y la segunda, por lugares, :eq:`ec-att-tabla-gradiente`.

    **A mano.** La palabra 1 sale en los lugares 0 y 1. Su vector es el mismo, :math:`(10,20)`; lo que sale, no:

    >>> layer = TokenAndPositionEmbedding(2, 3, 2, dtype="float64")
    >>> layer.build((2,))
    >>> layer.set_weights([[[0, 0], [10, 20]], [[1, 2], [3, 4], [5, 6]]])
    >>> layer.forward([[1, 1]])
    array([[[11., 22.],
            [13., 24.]]])

    Parameters
    ----------
    vocabulary_size : int
        Cuántos índices hay, de 0 a ``vocabulary_size - 1``.
    sequence_length : int
        Lo más larga que puede ser una secuencia.
    embedding_dim : int
        Cuántos números por palabra, :math:`d`.
    tie_weights : bool
        Está por compatibilidad con KerasHub, y solo puede ser ``True``. Para contestar con la misma tabla hay una capa
        aparte, ``ReversibleEmbedding``.
    embeddings_initializer : str or Initializer
        Con qué números empiezan las dos tablas.
    mask_zero : bool
        Si el índice 0 es relleno; entonces crea la máscara.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    token_embedding : Embedding
        La capa de las palabras.
    position_embedding : PositionEmbedding
        La de los lugares.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, si un índice no tiene fila o si la secuencia es más larga que la tabla.
    """

    integers = any_size = True
    inner_folders = "token_embedding", "position_embedding"

    def __init__(
        self,
        vocabulary_size,
        sequence_length,
        embedding_dim,
        tie_weights=True,
        embeddings_initializer="uniform",
        mask_zero=False,
        **options,
    ):
        super().__init__(**options)
        self.vocabulary_size = check.integer(vocabulary_size, "vocabulary_size", 1, 2**31 - 1)
        self.sequence_length = check.integer(sequence_length, "sequence_length", 1, 2**31 - 1)
        self.embedding_dim = check.integer(embedding_dim, "embedding_dim", 1)
        self.tie_weights = check.choice(tie_weights, "tie_weights", [True])
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.mask_zero = check.boolean(mask_zero, "mask_zero")
        start = self.embeddings_initializer
        sizes = self.vocabulary_size, self.embedding_dim
        self.token_embedding = Embedding(*sizes, start, mask_zero=self.mask_zero, name="token_embedding")
        self.position_embedding = PositionEmbedding(self.sequence_length, start, name="position_embedding")
        self.layers = [self.token_embedding, self.position_embedding]

    @property
    def masks(self):
        r"""Si crea una máscara."""
        return self.mask_zero

    def build(self, input_shape):
        r"""Crea las dos tablas."""
        shape = self.compute_output_shape(input_shape)
        super().build(input_shape)
        for layer, size in zip(self.layers, (shape[:-1], shape), strict=True):
            layer.inherit(self)
            layer.build(size)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de la entrada, con un vector donde había un índice."""
        shape = (*check.shape(input_shape, "input_shape", unknown=True), self.embedding_dim)
        return self.position_embedding.compute_output_shape(shape)

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da qué posiciones no son relleno; sin ``mask_zero``, nada."""
        return self.token_embedding.compute_mask(inputs, previous_mask)

    def forward(self, x, training=False, start_index=0):
        r"""Suma el vector de cada palabra y el de su lugar; el de la primera es el ``start_index``."""
        x = self.ready(x)
        self.used = self.position_embedding.rows(start_index, x.shape[-1])
        self.y = y = self.token_embedding.forward(x)
        places = self.position_embedding.position_embeddings[self.used].reshape(-1)
        _add_to_each_row(y.reshape(-1, len(places)), places)  # [ec-att-palabra-lugar]
        return y

    def backward(self, dy):
        r"""Reparte el gradiente por palabras y por lugares; no devuelve nada, porque un entero no tiene gradiente."""
        dy = self.output_gradient(dy)
        self.token_embedding.backward(dy)
        if self.position_embedding.trainable:
            self.position_embedding.add_up(dy, self.used)

    def work(self):
        r"""Cuenta un producto por número que se copia y uno por cada suma."""
        return 2 * self.token_embedding.work()


def plain_token_and_position_embedding(tokens, words, places):
    r"""A cada palabra, la suma de dos filas."""
    steps = tokens.shape[-1]
    return words[tokens] + places[:steps]  # [ec-att-palabra-lugar]
