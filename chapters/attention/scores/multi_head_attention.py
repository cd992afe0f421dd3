r"""Varias cabezas: la misma secuencia, mirada de varias maneras a la vez."""

import math

import numpy as np

from chapters.attention.scores.scaled_dot_product import (
    APART,
    NO_MASK,
    NO_SEEN,
    PANEL,
    _attend,
    _attend_back,
    scaled_dot_product_attention,
)
from chapters.mlp import constraints, initializers, regularizers
from chapters.mlp.dense import _dense_backward_input, _dense_backward_weights, _dense_forward, _rows
from chapters.mlp.dropout import _toss
from chapters.mlp.layer import Layer, text_of_shape
from dlbook import check
from dlbook.numeric.elementwise import add, copy
from dlbook.numeric.kernel import kernel
from dlbook.numeric.recording import perform


def plain_multi_head_attention(query, value, weights, mask=None):
    r"""Proyectar, mirar con cada cabeza, y juntar lo que vieron."""
    wq, bq, wk, bk, wv, bv, wo, bo = weights
    # Con un eje para la cabeza: (n, H, T, k).
    q = np.einsum("ntd,dhk->nhtk", query, wq)
    k = np.einsum("nsd,dhk->nhsk", value, wk)
    v = np.einsum("nsd,dhm->nhsm", value, wv)
    heads = q + bq[:, None], k + bk[:, None], v + bv[:, None]  # [ec-att-proyecciones]
    z, _ = scaled_dot_product_attention(*heads, mask)  # [ec-att-cabeza]
    return np.einsum("nhtm,hmo->nto", z, wo) + bo  # [ec-att-cabezas]


@kernel
def _put_together(a, b, c, out):
    # Tres matrices, lado a lado.
    width = a.shape[1]
    for i in range(out.shape[0]):
        for j in range(width):
            out[i, j] = a[i, j]
        for j in range(width):
            out[i, width + j] = b[i, j]
        for j in range(width):
            out[i, 2 * width + j] = c[i, j]


@kernel
def _where_both(one, other, seen):
    for i in range(seen.shape[0]):
        for s in range(seen.shape[1]):
            seen[i, s] = one[i, s] and other[i, s]


# De a cuántas filas, contando las posiciones de todas las observaciones, conviene hacer los productos.
ROWS = 512


class MultiHeadAttention(Layer):
    r"""Atención de varias cabezas (*multi-head attention*) :cite:p:`vaswani2017`.

    Cada cabeza :math:`h` hace su propia pregunta. De quien mira, :math:`\mathbf X`, de :math:`T\times d`, saca las
    consultas, y de lo mirado, :math:`\mathbf Y`, de :math:`S\times d'`, las claves y los valores, cada cosa con una
    capa densa: :item:`ATT-06, ATT-11`

    .. math::
       :label: ec-att-proyecciones

       \begin{gathered}
       \mathbf Q_h=\mathbf X\mathbf W^{Q}_h+\mathbf b^{Q}_h,\\
       \mathbf K_h=\mathbf Y\mathbf W^{K}_h+\mathbf b^{K}_h,
       \qquad
       \mathbf V_h=\mathbf Y\mathbf W^{V}_h+\mathbf b^{V}_h .
       \end{gathered}

    Con las suyas, cada cabeza hace la atención de :eq:`ed-att-atencion`, sin saber de las otras:

    .. math::
       :label: ec-att-cabeza

       \mathbf Z_h=\operatorname{softmax}\!\left(\frac{\mathbf Q_h\mathbf K_h^\top}{\sqrt{d_k}}\right)\mathbf V_h .

    Lo que vieron se pone lado a lado y pasa por otra capa densa. Multiplicar :math:`[\mathbf Z_1\ \mathbf Z_2\ \dots]`
    por una matriz es multiplicar cada :math:`\mathbf Z_h` por sus filas y sumar:

    .. math::
       :label: ec-att-cabezas

       \mathbf O=[\mathbf Z_1\ \mathbf Z_2\ \dots\ \mathbf Z_H]\,\mathbf W^{O}+\mathbf b^{O}
       =\sum_{h=1}^{H}\mathbf Z_h\mathbf W^{O}_h+\mathbf b^{O} .

    Si :math:`\mathbf Y=\mathbf X`, la secuencia se mira a sí misma: es **autoatención** (*self-attention*). Si son dos
    secuencias, es atención cruzada (*cross-attention*).

    **Hacia atrás.** Todo son capas densas y una atención por cabeza. Si a la salida llega :math:`\mathbf G`, a la
    cabeza :math:`h` le toca :math:`\mathbf G(\mathbf W^{O}_h)^\top`; con eso,
    :func:`scaled_dot_product_attention_backward` da los gradientes de sus consultas, claves y valores, y las densas los
    llevan a las entradas. De :math:`\mathbf X` salen las consultas de todas las cabezas, y sus gradientes se suman:

    .. math::
       :label: ed-att-cabezas-atras

       \frac{\partial\mathcal L}{\partial\mathbf X}
       =\sum_{h=1}^{H}\frac{\partial\mathcal L}{\partial\mathbf Q_h}(\mathbf W^{Q}_h)^\top,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf Y}
       =\sum_{h=1}^{H}\left(\frac{\partial\mathcal L}{\partial\mathbf K_h}(\mathbf W^{K}_h)^\top
       +\frac{\partial\mathcal L}{\partial\mathbf V_h}(\mathbf W^{V}_h)^\top\right) .

    La capa da un gradiente por entrada que recibió. En autoatención los dos son de la misma secuencia: quien la llamó
    los suma.

    **A mano.** Una cabeza cuyas matrices son todas la identidad es la atención sola. Con tres vectores de un número,
    que no se dividen porque :math:`d_k=1`, las consultas, las claves y los valores son :math:`0`, :math:`0` y
    :math:`\ln 2`. La tercera consulta da puntajes :math:`0`, :math:`0` y :math:`(\ln2)^2`:

    >>> layer = MultiHeadAttention(1, 1, use_bias=False, dtype="float64")
    >>> x = [[[0.0], [0.0], [np.log(2)]]]
    >>> layer.build([(3, 1), (3, 1)])
    >>> layer.set_weights([np.ones(w.shape) for w in layer.weights])
    >>> y, weights = layer.forward(x, x, return_attention_scores=True)
    >>> weights[0, 0].round(3)
    array([[0.333, 0.333, 0.333],
           [0.333, 0.333, 0.333],
           [0.276, 0.276, 0.447]])
    >>> y[0].ravel().round(3)
    array([0.231, 0.231, 0.31 ])

    Con la máscara causal, la primera posición solo se puede mirar a sí misma:

    >>> layer.forward(x, x, use_causal_mask=True)[0].ravel().round(3)
    array([0.  , 0.  , 0.31])

    **Las máscaras** viajan como en Keras: la de un :class:`~chapters.rnn.Embedding` con ``mask_zero=True`` llega sola.
    Una posición tapada no se mira, y la que no es real no mira: sus pesos son ceros. Keras hace eso mismo cuando da los
    pesos o hay *dropout*; si no, a quien nada puede mirar le da el promedio de todos. Esos vectores son relleno, y
    nadie debe usarlos.

    Parameters
    ----------
    num_heads : int
        Cuántas cabezas, :math:`H`.
    key_dim : int
        De cuántos números son la consulta y la clave de cada cabeza, :math:`d_k`.
    value_dim : int, optional
        De cuántos es el valor; sin él, de ``key_dim``.
    dropout : float
        La fracción de los pesos que se apaga al entrenar.
    use_bias : bool
        Si las proyecciones tienen sesgo.
    output_shape : int, optional
        De cuántos números es cada vector que sale; sin él, de los que tiene el que consulta.
    kernel_initializer, bias_initializer : str or Initializer
        Con qué valores empiezan los pesos y los sesgos de las cuatro proyecciones.
    kernel_regularizer, bias_regularizer : str or Regularizer, optional
        Penalización que se suma a la pérdida.
    kernel_constraint, bias_constraint : str, Constraint or callable, optional
        Restricción que se les impone después de cada paso.
    **options
        ``dtype``, ``seed``, ``name`` y ``trainable``, como en :class:`chapters.mlp.Layer`.

    Attributes
    ----------
    query_kernel, key_kernel : ndarray, shape (d, H, key_dim)
        Los pesos de las consultas y de las claves; sus sesgos, ``query_bias`` y ``key_bias``, son de (H, key_dim).
        En la atención cruzada, el primer eje de las claves y de los valores mide lo que los vectores mirados.
    value_kernel : ndarray, shape (d, H, value_dim)
        Los de los valores, y ``value_bias``.
    attention_output_kernel : ndarray, shape (H, value_dim, d)
        Los de la salida, y ``attention_output_bias``.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del conjunto que se espera.

        >>> MultiHeadAttention(0, 8)
        Traceback (most recent call last):
            ...
        ValueError: num_heads: se esperaba un entero de al menos 1, pero llegó 0
    """

    several = apart = any_size = supports_masking = True
    mask_names = "query_mask", "value_mask", "key_mask"
    weight_folders = (
        ("query", "query_dense"),
        ("key", "key_dense"),
        ("value", "value_dense"),
        ("attention_output", "output_dense"),
    )

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        *,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **options,
    ):
        super().__init__(**options)
        self.num_heads = check.integer(num_heads, "num_heads", 1)
        self.key_dim = check.integer(key_dim, "key_dim", 1)
        self.value_dim = self.key_dim if value_dim is None else check.integer(value_dim, "value_dim", 1)
        self.dropout = check.number(dropout, "dropout", 0, 1)
        self.use_bias = check.boolean(use_bias, "use_bias")
        if isinstance(output_shape, (list, tuple)) and len(output_shape) == 1:
            (output_shape,) = output_shape
        self.output_shape = None if output_shape is None else check.integer(output_shape, "output_shape", 1)
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.random = self.dropout > 0
        self.query_kernel = self.key_kernel = self.value_kernel = self.attention_output_kernel = None
        self.query_bias = self.key_bias = self.value_bias = self.attention_output_bias = None

    def configured(self, name, value):
        r"""Da lo que se guarda al asignar un argumento; con monedas, la capa sortea."""
        value = super().configured(name, value)
        if name == "dropout" and value:
            self.random = True
        return value

    # --- Las formas ---

    def checked_shape(self, input_shape):
        r"""Comprueba las formas de lo que consulta, de los valores y de las claves; sin estas, son las de los valores.

        Parameters
        ----------
        input_shape : list of tuple
            Dos o tres formas, (T, d), (S, d') y (S, d'').

        Returns
        -------
        list of tuple
            Tres.
        """
        shapes = super().checked_shape(input_shape)
        if len(shapes) not in (2, 3):
            raise ValueError(
                f"{self.name}: se esperaban dos o tres entradas, query, value y key, pero llegaron {len(shapes)}"
            )
        shapes += shapes[1:2] if len(shapes) == 2 else []
        for shape, name in zip(shapes, ("query", "value", "key"), strict=True):
            if len(shape) != 2 or shape[-1] is None:
                raise ValueError(
                    f"{name}: se esperaba la forma (n, T, d), de secuencias de vectores, pero llegó "
                    f"{text_of_shape(shape)}"
                )
        values, keys = shapes[1][0], shapes[2][0]
        if None not in (values, keys) and values != keys:
            raise ValueError(f"{self.name}: se esperaba una clave por valor, pero hay {values} valores y {keys} claves")
        return shapes

    def build(self, input_shape):
        r"""Crea los pesos de las cuatro proyecciones."""
        shapes = self.checked_shape(input_shape)
        super().build(input_shape)
        (_, query), (_, value), (_, key) = shapes
        heads = self.num_heads
        self.query_kernel = self._kernel("query", (query, heads, self.key_dim))
        self.query_bias = self._bias("query", (heads, self.key_dim))
        self.key_kernel = self._kernel("key", (key, heads, self.key_dim))
        self.key_bias = self._bias("key", (heads, self.key_dim))
        self.value_kernel = self._kernel("value", (value, heads, self.value_dim))
        self.value_bias = self._bias("value", (heads, self.value_dim))
        width = self.output_shape or query
        self.attention_output_kernel = self._kernel("attention_output", (heads, self.value_dim, width))
        self.attention_output_bias = self._bias("attention_output", (width,))

    def _kernel(self, name, shape):
        own = {"regularizer": self.kernel_regularizer, "constraint": self.kernel_constraint}
        return self.add_weight(shape, self.kernel_initializer, name=f"{name}/kernel", **own)

    def _bias(self, name, shape):
        if not self.use_bias:
            return None
        own = {"regularizer": self.bias_regularizer, "constraint": self.bias_constraint}
        return self.add_weight(shape, self.bias_initializer, name=f"{name}/bias", **own)

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de lo que sale, (T, d)."""
        steps, width = self.checked_shape(input_shape)[0]
        return steps, self.output_shape or width

    def shapes_after(self, input_shape, options):
        r"""Da la forma de lo que sale de una llamada: con ``return_attention_scores``, también la de los pesos."""
        shapes = self.checked_shape(input_shape)
        y = self.compute_output_shape(shapes)
        if not options.get("return_attention_scores"):
            return y
        return [y, (self.num_heads, shapes[0][0], shapes[1][0])]

    def adjust_to(self, shape):
        r"""Deja la capa lista para unas formas."""
        super().adjust_to(self.checked_shape(shape))

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da la máscara de lo que sale, que es la de quien consulta."""
        return previous_mask[0] if isinstance(previous_mask, (list, tuple)) else previous_mask

    @property
    def fewest(self):
        r"""De a cuántas observaciones conviene llevarla, para que sean unos cientos de filas."""
        return max(1, ROWS // ((self.current_shape or [(1,)])[0][0] or 1))

    def work(self):
        r"""Cuenta un producto por peso y por posición, y dos por par de posiciones."""
        (steps, _), (sources, _), _ = [(one[0] or 1, one[1]) for one in self.current_shape or [(1, 1)] * 3]
        pairs = steps * sources * self.num_heads * (self.key_dim + self.value_dim)
        return self.count_params() * max(steps, sources) + pairs

    # --- Ir y volver ---

    def forward(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=False,
        use_causal_mask=False,
    ):
        r"""Calcula la atención de todas las cabezas.

        Parameters
        ----------
        query : array_like, shape (n, T, d)
            Quién mira.
        value : array_like, shape (n, S, d')
            Lo que se mezcla.
        key : array_like, shape (n, S, d''), optional
            Con qué se compara; sin ella, ``value``.
        query_mask : array_like of bool, shape (n, T), optional
            Qué posiciones de ``query`` son reales. Las demás no miran nada: sus pesos son ceros.
        value_mask, key_mask : array_like of bool, shape (n, S), optional
            Qué posiciones se pueden mirar.
        attention_mask : array_like of bool, shape (n, T, S), optional
            Quién puede mirar a quién. Sus primeros ejes pueden faltar o medir 1, y puede tener uno más, (n, H, T, S).
        return_attention_scores : bool
            Si además se dan los pesos.
        training : bool
            Si se está entrenando.
        use_causal_mask : bool
            Si cada posición mira solo las anteriores y a sí misma.

        Returns
        -------
        ndarray, shape (n, T, d), or list
            Con ``return_attention_scores``, la lista con ella y los pesos, (n, H, T, S).
        """
        self.given = 2 if key is None else 3
        itself, key_alone, keyless = value is query, key is None, key is None or key is value
        query, value, key = self.ready([query, value, value if keyless else key])
        value = query if itself else value
        key = value if keyless else key
        self.x = query, value, key
        n, steps, sources = len(query), query.shape[1], value.shape[1]
        heads, d, m = self.num_heads, self.key_dim, self.value_dim
        # Si todo sale de lo mismo, las tres proyecciones son un producto, y sus cabezas van una detrás de otra.
        self.together = itself and key_alone and d == m
        self.at = (0, heads, 2 * heads) if self.together else APART
        if self.together:
            self.q = self.k = self.v = self.buffer("qkv", (n, steps, 3 * heads, d))
            self.joined, bias = self._joined(query.shape[-1])
            _dense_forward(_rows(query), self.joined, bias, self.q.reshape(n * steps, -1))
        else:
            self.q = self._project(query, "query", (n, steps, heads, d))
            self.k = self._project(key, "key", (n, sources, heads, d))
            self.v = self._project(value, "value", (n, sources, heads, m))
        queries = self._checked_mask("query_mask", query_mask, (n, steps))
        keys = self._checked_mask("value_mask", value_mask, (n, sources))
        other = self._checked_mask("key_mask", key_mask, (n, sources))
        keys = (self._both(keys, other) if keys.size else other) if other.size else keys
        mask = self._mask(attention_mask, (n, heads, steps, sources))
        # Al revés que en la fórmula, una consulta por columna: así los prefiere el código compilado.
        pairs = n, heads, sources, steps
        self.a = self.buffer("a", pairs)
        self.coins = perform(self._coins, pairs, training)
        self.dropped = self.buffer("dropped", pairs) if self.coins.size else self.a
        self.z = self.buffer("z", (n, steps, heads, m))
        self.scale = self.dtype.type(1 / math.sqrt(d))
        self.causal = check.boolean(use_causal_mask, "use_causal_mask")
        room = self._room(max(d, m))
        _attend(
            *(self.q, self.k, self.v, self.at, self.scale, queries, keys, mask, self.causal),
            *(self.coins, self.a, self.dropped, self.z, *room),
        )
        y = self.buffer("y", (n, steps, self.attention_output_kernel.shape[-1]))
        _dense_forward(self.z.reshape(n * steps, -1), *self._matrix("attention_output", heads * m), _rows(y))
        self.y = y
        if check.boolean(return_attention_scores, "return_attention_scores"):
            self.y = [y, self.buffer("weights", (n, heads, steps, sources))]
            copy(self.a.swapaxes(2, 3), self.y[1])
        return self.y

    def _room(self, depth):
        # Un rincón para el código compilado: una traspuesta, y dos números por consulta.
        return self.buffer("turned", (depth, PANEL)), self.buffer("peak", (PANEL,)), self.buffer("total", (PANEL,))

    def _matrix(self, name, rows):
        # Los pesos de una proyección, como una matriz, y sus sesgos; sin ellos, un vector vacío.
        kernel, bias = getattr(self, f"{name}_kernel").reshape(rows, -1), getattr(self, f"{name}_bias")
        return kernel, kernel[0, :0] if bias is None else bias.reshape(-1)

    def _joined(self, rows):
        # Las tres proyecciones, lado a lado.
        parts = [self._matrix(name, rows) for name in ("query", "key", "value")]
        kernel = self.buffer("joined", (rows, sum(part.shape[1] for part, _ in parts)))
        bias = self.buffer("joined bias", (kernel.shape[1] * self.use_bias,))
        _put_together(*(part for part, _ in parts), kernel)
        _put_together(*(part.reshape(1, -1) for _, part in parts), bias.reshape(1, -1))
        return kernel, bias

    def _project(self, x, name, shape):
        out = self.buffer(name, shape)
        _dense_forward(_rows(x), *self._matrix(name, x.shape[-1]), out.reshape(shape[0] * shape[1], -1))
        return out

    def _checked_mask(self, name, mask, shape):
        return NO_SEEN if mask is None else check.mask(mask, name, shape)

    def _both(self, one, other):
        seen = self.buffer("seen", one.shape, bool)
        _where_both(one, other, seen)
        return seen

    def _mask(self, mask, shape):
        # Con sus cuatro ejes, los dos primeros quizá de 1, y las consultas en el último.
        if mask is None:
            return NO_MASK
        mask = check.mask(mask, "attention_mask")
        whole = mask.reshape(len(mask), 1, *mask.shape[1:]) if mask.ndim == 3 else mask
        whole = whole.reshape((1,) * (4 - whole.ndim) + whole.shape) if whole.ndim < 4 else whole
        if mask.ndim < 2 or whole.ndim > 4 or any(a not in (1, b) for a, b in zip(whole.shape, shape, strict=True)):
            wanted = (shape[0], *shape[2:])
            raise ValueError(f"attention_mask: se esperaba la forma {wanted}, pero llegó {mask.shape}")
        whole = np.broadcast_to(whole, (*whole.shape[:2], *shape[2:]))
        return np.ascontiguousarray(whole.swapaxes(2, 3))

    def _coins(self, shape, training):
        if not training or not self.dropout:
            return self.buffer("no coins", (0, 0, 0, 0))
        coins = self.uniform(self.buffer("coins", shape))
        _toss(coins.reshape(-1), self.dropout)
        return coins

    def backward(self, dy):
        r"""Llena los gradientes de los pesos, y devuelve el de cada entrada que se dio, en una lista."""
        slopes = self._heads_back(dy)
        return self._input_gradients(*slopes) if self.input_gradient else [None] * self.given

    def backward_to_itself(self, dy):
        r"""Como :meth:`backward`, si la secuencia se mira a sí misma: da la suma de los gradientes de las dos entradas.

        Si las proyecciones van juntas, es un solo producto.
        """
        dq, dk, dv = self._heads_back(dy)
        if not self.together:
            dquery, dvalue = self._input_gradients(dq, dk, dv)
            add(dquery, dvalue, dquery)
            return dquery
        dx = self.buffer(("gradient", 0), self.x[0].shape)
        _dense_backward_input(dq.reshape(-1, self.joined.shape[1]), self.joined, _rows(dx))  # [ed-att-cabezas-atras]
        return dx

    def _heads_back(self, dy):
        # Hasta las consultas, las claves y los valores; de paso, los gradientes de los pesos.
        dweights = self.buffer("no dweights", (0, 0, 0, 0))
        if isinstance(self.y, list):
            dy, turned = self.output_gradients(dy)
            dweights = self.buffer("dweights", self.a.shape)
            copy(turned.swapaxes(2, 3), dweights)
        else:
            dy = self.output_gradient(dy)
        n, steps, heads, m = self.z.shape
        sources = self.x[1].shape[1]
        dz = self.buffer("dz", self.z.shape)
        output = self._matrix("attention_output", heads * m)[0]
        _dense_backward_input(_rows(dy), output, dz.reshape(n * steps, -1))
        if self.together:
            dq = dk = dv = self.buffer("dqkv", self.q.shape)
        else:
            dq, dk, dv = (self.buffer(name, x.shape) for name, x in (("dq", self.q), ("dk", self.k), ("dv", self.v)))
        _attend_back(
            *(self.q, self.k, self.v, self.at, self.scale, self.causal, self.coins, self.a, self.dropped, dz, dweights),
            *(self.buffer("da", (sources, steps)), dq, dk, dv, *self._room(max(self.key_dim, m))[:2]),
        )
        if self._trainable:
            self._weight_gradients(dq, dk, dv, _rows(dy))
        return dq, dk, dv

    def _weight_gradients(self, dq, dk, dv, dy):
        # Los de las cuatro proyecciones, cada uno con un producto. Si van juntas, a cada una le toca un tercio.
        query, value, key = map(_rows, self.x)
        slopes = [one.reshape(len(x), -1) for x, one in ((query, dq), (key, dk), (value, dv))]
        if self.together:
            width = self.num_heads * self.key_dim
            slopes = [one[:, k * width : (k + 1) * width] for k, one in enumerate(slopes)]
        gradients, step = self.gradients, 1 + self.use_bias
        biases = gradients[1::2] if self.use_bias else [self.query_kernel[0, 0, :0]] * 4
        inputs = query, key, value, self.z.reshape(len(dy), -1)
        for x, dx, own, bias in zip(inputs, [*slopes, dy], gradients[::step], biases, strict=True):
            _dense_backward_weights(x, dx, own.reshape(x.shape[1], -1), bias.reshape(-1))

    def _input_gradients(self, dq, dk, dv):
        # Uno por entrada; sin claves aparte, el de los valores es la suma de los dos.
        found = [self.buffer(("gradient", k), x.shape) for k, x in enumerate(self.x)][: 2 if self.together else 3]
        if self.together:
            slopes, width = dq.reshape(-1, self.joined.shape[1]), self.joined.shape[1] // 3
            for part, out in zip((slice(width), slice(width, None)), found, strict=True):
                _dense_backward_input(slopes[:, part], self.joined[:, part], _rows(out))
            return found
        for name, dx, out in zip(("query", "value", "key"), (dq, dv, dk), found, strict=True):
            kernel, _ = self._matrix(name, out.shape[-1])
            _dense_backward_input(dx.reshape(-1, kernel.shape[1]), kernel, _rows(out))
        if self.given == 2:
            add(found[1], found.pop(), found[1])
        return found
