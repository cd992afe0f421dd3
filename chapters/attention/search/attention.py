r"""La atención como capa: la del producto punto y la aditiva, con los argumentos de Keras."""

import numpy as np

from chapters.attention.search.additive import _additive_scores, _additive_scores_backward
from chapters.attention.search.attend import _attention_weights
from chapters.mlp.activations.softmax import _softmax_backward
from chapters.mlp.dropout import _dropout_backward, _dropout_forward
from chapters.mlp.layer import Layer, text_of_shape
from chapters.rnn.sequences.masking import zero_out
from dlbook import check
from dlbook.numeric.elementwise import add, copy, fill, sum_rows
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul, matmul_transposed
from dlbook.numeric.recording import perform

# Sin máscara: un arreglo vacío, que el código compilado sabe reconocer.
NO_MASK = np.zeros((0, 0), bool)


@kernel
def _look(keys, causal, seen):
    # Qué puede mirar cada consulta.
    for i in range(seen.shape[0]):
        for t in range(seen.shape[1]):
            for s in range(seen.shape[2]):
                seen[i, t, s] = (keys.size == 0 or keys[i, s]) and (s <= t or not causal)


@kernel
def _compare(a, b, out):
    # Cada fila de a con cada fila de b.
    for i in range(len(out)):
        matmul_transposed(a[i], b[i], out[i])


@kernel
def _mix(weights, value, out):
    for i in range(len(out)):
        matmul(weights[i], value[i], out[i])


@kernel
def _times(x, factor, out):
    for i in range(x.size):
        out[i] = x[i] * factor[0]


@kernel(fastmath={"reassoc", "contract"})
def _times_back(x, factor, dx, dfactor):
    # Llega el gradiente de x por el factor, y se queda el de x.
    total = x.dtype.type(0)
    for i in range(x.size):
        total += dx[i] * x[i]
        dx[i] *= factor[0]
    dfactor[0] += total


class Attention(Layer):
    r"""Capa de atención por producto punto: cada consulta promedia los valores según cuánto se parece a sus claves.

    Recibe una lista, ``[consultas, valores]`` o ``[consultas, valores, claves]``; sin claves, los valores hacen de
    claves. Los puntajes son :math:`e_{ts}=\mathbf q_t\cdot\mathbf k_s`, y lo que sale, :eq:`ec-att-contexto`
    :cite:p:`luong2015`. A diferencia de :func:`scaled_dot_product_attention`, no los divide entre :math:`\sqrt d`;
    con ``use_scale=True`` aprende por cuánto multiplicarlos.

    **A mano.** La consulta :math:`(1,0)` con las claves :math:`(0,1)` y :math:`(\ln3,1)`: los puntajes son 0 y
    :math:`\ln 3`, y los pesos, :math:`\tfrac14` y :math:`\tfrac34`. Las claves son también los valores:

    >>> layer = Attention(dtype="float64")
    >>> query, keys = [[[1, 0]]], [[[0, 1], [np.log(3), 1]]]
    >>> z, weights = layer.forward(
    ...     [query, keys], return_attention_scores=True
    ... )
    >>> weights.round(2)
    array([[[0.25, 0.75]]])
    >>> z.round(4)
    array([[[0.824, 1.   ]]])

    Con una máscara por entrada, ``mask=[la de las consultas, la de los valores]``, lo que no cuenta no se mira, y el
    contexto de una consulta que no cuenta es cero:

    >>> layer.forward([query, keys], mask=[None, [[True, False]]])
    array([[[0., 1.]]])

    **Hacia atrás**, los dos pasos en orden contrario: :func:`attend_backward` da el gradiente de los valores y el de
    los puntajes, :math:`g_{ts}`; y de :math:`e_{ts}=\alpha\,\mathbf q_t\cdot\mathbf k_s` salen

    .. math::
       :label: ed-att-capa-atras

       \frac{\partial\mathcal L}{\partial\mathbf q_t}=\alpha\sum_s g_{ts}\,\mathbf k_s,
       \qquad
       \frac{\partial\mathcal L}{\partial\mathbf k_s}=\alpha\sum_t g_{ts}\,\mathbf q_t,
       \qquad
       \frac{\partial\mathcal L}{\partial\alpha}=\sum_{t,s}g_{ts}\,\mathbf q_t\cdot\mathbf k_s .

    Si los valores hacen de claves, les llegan los dos gradientes, y se suman.

    Parameters
    ----------
    use_scale : bool
        Si se aprende un número :math:`\alpha` que multiplica los puntajes; empieza en 1.
    score_mode : {"dot", "concat"}
        El producto punto, o :math:`w\sum_j\tanh\bigl(\alpha\,(q_{tj}+k_{sj})\bigr)`, con un número :math:`w` que se
        aprende.
    dropout : float
        Qué fracción de los pesos se apaga al entrenar, de 0 a 1.
    seed : int or numpy.random.Generator, optional
        Origen de su azar.
    **options
        ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    attention : ndarray, shape (n, T, S)
        Los pesos de la última ida, sin el *dropout*.
    scale, concat_score_weight : ndarray, shape (), or None
        Los números :math:`\alpha` y :math:`w`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, si no llegan dos o tres entradas o si sus formas no encajan.

        >>> Attention().compute_output_shape([(4, 3), (5, 2)])
        Traceback (most recent call last):
            ...
        ValueError: attention: se esperaban consultas y claves del mismo tamaño, pero llegaron (n, 4, 3) y (n, 5, 2)
    """

    several = True
    any_size = True
    random = True
    supports_masking = True

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **options):
        super().__init__(seed=seed, **options)
        self.use_scale = check.boolean(use_scale, "use_scale")
        self.score_mode = check.choice(score_mode, "score_mode", ["dot", "concat"])
        self.dropout = check.number(dropout, "dropout", 0, 1)
        self.scale = self.concat_score_weight = None

    def build(self, input_shape):
        r"""Comprueba las formas y crea los números que se aprenden."""
        self.compute_output_shape(input_shape)
        super().build(input_shape)
        self._one = np.ones(1, self.dtype)
        if self.use_scale:
            self.scale = self.add_weight((), "ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight((), "ones")

    def compute_output_shape(self, input_shape):
        r"""Devuelve la forma de los contextos: tantos como consultas, del tamaño de los valores."""
        shapes = self.checked_shape(input_shape)
        texts = ", ".join(map(text_of_shape, shapes))
        if len(shapes) not in (2, 3) or any(len(shape) != 2 for shape in shapes):
            raise ValueError(
                f"{self.name}: se esperaban dos o tres entradas de forma (n, pasos, números), pero llegó {texts}"
            )
        query, value, key = (*shapes, shapes[1])[:3]
        if query[1] is None or query[1] != key[1]:
            raise ValueError(
                f"{self.name}: se esperaban consultas y claves del mismo tamaño, pero llegaron "
                f"{text_of_shape(query)} y {text_of_shape(key)}"
            )
        if None not in (value[0], key[0]) and value[0] != key[0]:
            raise ValueError(
                f"{self.name}: se esperaban tantos valores como claves, pero llegaron {value[0]} y {key[0]}"
            )
        return (query[0], value[1])

    def compute_mask(self, inputs, previous_mask=None):
        r"""Da la máscara de las consultas."""
        return None if previous_mask is None else self._masks(previous_mask, inputs)[0]

    def shapes_after(self, input_shape, options):
        r"""Da la forma de los contextos y, si se piden, la de los pesos."""
        y = self.compute_output_shape(input_shape)
        if not options.get("return_attention_scores"):
            return y
        return [y, (input_shape[0][0], input_shape[1][0])]

    def _masks(self, masks, xs):
        # Una por entrada, como en Keras; la de las claves es la de los valores.
        masks = check.sequence(masks, "mask")
        if len(masks) not in (2, 3):
            raise ValueError(f"mask: se esperaba una lista de 2 o 3 máscaras, pero llegó una de {len(masks)}")
        pairs = list(enumerate(zip(masks, xs, strict=False)))[:2]
        return [None if m is None else check.mask(m, f"mask[{k}]", x.shape[:2]) for k, (m, x) in pairs]

    def forward(self, x, training=False, mask=None, return_attention_scores=False, use_causal_mask=False):
        r"""Calcula los contextos.

        Parameters
        ----------
        x : list of array_like
            Las consultas, de forma (n, T, d); los valores, (n, S, m); y las claves, (n, S, d).
        training : bool
            Si se apaga una parte de los pesos.
        mask : list of array_like of bool, optional
            La de las consultas, (n, T), y la de los valores, (n, S); en lugar de una puede ir ``None``.
        return_attention_scores : bool
            Si además se quieren los pesos.
        use_causal_mask : bool
            Si la consulta :math:`t` solo puede mirar las claves hasta la :math:`t`.

        Returns
        -------
        ndarray, shape (n, T, m), or list
            Los contextos; con los pesos, una lista de los dos.
        """
        self.x = xs = self.ready(x)
        if len(xs) == 3 and xs[1].shape[1] != xs[2].shape[1]:
            # Con None en la forma no se sabía.
            self.compute_output_shape([one.shape[1:] for one in xs])
        query, value, key = (*xs, xs[1])[:3]
        shape = (len(query), query.shape[1], key.shape[1])
        query_mask, value_mask = [None, None] if mask is None else self._masks(mask, xs)
        seen = self.buffer("seen", shape, bool)
        causal = check.boolean(use_causal_mask, "use_causal_mask")
        _look(NO_MASK if value_mask is None else value_mask, causal, seen)
        scores = self.buffer("scores", shape)
        self.activated = self._score(query, key, scores)
        self.attention = self.buffer("attention", shape)
        _attention_weights(scores, seen, self.attention)
        self.kept, self.factor = self.attention, None
        if training and self.dropout:
            self.factor = perform(self.uniform, self.buffer("factor", shape))
            self.kept = self.buffer("kept", shape)
            flat = self.attention.reshape(-1), self.factor.reshape(-1), self.kept.reshape(-1)
            _dropout_forward(flat[0], self.dropout, *flat[1:])
        y = self.buffer("y", (*shape[:2], value.shape[2]))
        _mix(self.kept, value, y)
        self.real = query_mask
        if self.real is not None:
            zero_out(y, self.real, y)
        self.y = [y, self.kept] if check.boolean(return_attention_scores, "return_attention_scores") else y
        return self.y

    def backward(self, dy):
        r"""Reparte el gradiente entre las entradas, en su orden."""
        dy, *dweights = self.output_gradients(dy)
        query, value, key = (*self.x, self.x[1])[:3]
        if self.real is not None:
            arrived, dy = dy, self.buffer("counted", dy.shape)
            zero_out(arrived, self.real, dy)
        dvalue, b = self.buffer("dvalue", value.shape), self.buffer("b", self.attention.shape)
        _mix(self.kept.swapaxes(1, 2), dy, dvalue)
        _compare(dy, value, b)
        if dweights:
            add(b, dweights[0], b)
        if self.factor is not None:
            _dropout_backward(b.reshape(-1), self.factor.reshape(-1), b.reshape(-1))
        rows = b.reshape(-1, b.shape[-1])
        _softmax_backward(self.attention.reshape(rows.shape), rows, rows)
        dquery, dkey = self.buffer("dquery", query.shape), self.buffer("dkey", key.shape)
        self._score_backward(query, key, b, dquery, dkey)
        if len(self.x) == 3:
            return [dquery, dvalue, dkey]
        add(dvalue, dkey, dvalue)
        return [dquery, dvalue]

    def _factors(self):
        # Los dos números que se aprenden, como vectores de uno; si no los hay, un 1.
        return [self._one if a is None else a.reshape(1) for a in (self.scale, self.concat_score_weight)]

    def _score(self, query, key, scores):
        scale, weight = self._factors()
        if self.score_mode == "dot":
            _compare(query, key, scores)
            _times(scores.reshape(-1), scale, scores.reshape(-1))
            return None
        width = query.shape[2:]
        same, ones = self.buffer("same", width), self.buffer("ones", width)
        fill(ones, 1)
        _times(ones, weight, same)
        activated = self.buffer("activated", (*scores.shape, *width))
        scaled = self.buffer("scaled_query", query.shape), self.buffer("scaled_key", key.shape)
        for x, out in zip((query, key), scaled, strict=True):
            _times(x.reshape(-1), scale, out.reshape(-1))
        _additive_scores(*scaled, same, activated, scores)
        return activated

    def _score_backward(self, query, key, g, dquery, dkey):
        scale, _ = self._factors()
        # El gradiente de los dos números, y el que solo se suma para no hacerlo aparte.
        dscale, dweight, other = (self.buffer(name, (1,)) for name in ("dscale", "dweight", "other"))
        fill(dscale, 0)
        if self.score_mode == "dot":
            _mix(g, key, dquery)
            _mix(g.swapaxes(1, 2), query, dkey)
        else:
            same, dsame = self.buffer("same", query.shape[2:]), self.buffer("dsame", query.shape[2:])
            _additive_scores_backward(dquery, dkey, same, self.activated, g, dsame)
            sum_rows(dsame.reshape(-1, 1), dweight)
            other = dscale
        _times_back(query.reshape(-1), scale, dquery.reshape(-1), dscale)
        _times_back(key.reshape(-1), scale, dkey.reshape(-1), other)
        if self._trainable:
            found = [d for d, w in ((dscale, self.scale), (dweight, self.concat_score_weight)) if w is not None]
            for slot, one in zip(self.gradients, found, strict=True):
                copy(one, slot.reshape(1))

    def work(self):
        r"""Cuenta los productos de los puntajes y los de los contextos."""
        if not self.current_shape:
            return 0
        query, value, *_ = self.current_shape
        return query[0] * value[0] * (query[1] + value[1])


class AdditiveAttention(Attention):
    r"""Capa de atención aditiva: los puntajes son los de :func:`additive_scores`, y lo demás, de :class:`Attention`.

    No proyecta: las matrices :math:`\mathbf W_q` y :math:`\mathbf W_k` van antes, en dos ``Dense``. Los pesos
    :math:`\mathbf v` son los suyos, y se llaman ``scale``.

    >>> layer = AdditiveAttention(dtype="float64")
    >>> inputs = [[[[1.0, 0.0]]], [[[5.0], [9.0]]], [[[-1.0, 1.0], [1.0, 0.0]]]]
    >>> layer.build([(1, 2), (2, 1), (2, 2)])
    >>> layer.scale = [2.0, -1.0]
    >>> z, weights = layer.forward(inputs, return_attention_scores=True)
    >>> weights.round(4)
    array([[[0.0636, 0.9364]]])
    >>> z.round(4)
    array([[[8.7457]]])

    Parameters
    ----------
    use_scale : bool
        Si hay pesos :math:`\mathbf v`; sin ellos, todos valen 1.
    dropout : float
        Qué fracción de los pesos se apaga al entrenar, de 0 a 1.
    **options
        ``seed``, ``dtype``, ``name`` y ``trainable``, como en :class:`~chapters.mlp.Layer`.

    Attributes
    ----------
    scale : ndarray, shape (d,), or None
        Los pesos :math:`\mathbf v`.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, si no llegan dos o tres entradas o si sus formas no encajan.
    """

    def __init__(self, use_scale=True, dropout=0.0, **options):
        super().__init__(use_scale=use_scale, dropout=dropout, **options)

    def build(self, input_shape):
        r"""Comprueba las formas y crea los pesos."""
        self.compute_output_shape(input_shape)
        Layer.build(self, input_shape)
        if self.use_scale:
            self.scale = self.add_weight((self.input_shape[0][-1],), "glorot_uniform")

    def _score(self, query, key, scores):
        activated = self.buffer("activated", (*scores.shape, query.shape[2]))
        _additive_scores(query, key, self._vector(query), activated, scores)
        return activated

    def _vector(self, query):
        if self.scale is not None:
            return self.scale
        ones = self.buffer("ones", query.shape[2:])
        fill(ones, 1)
        return ones

    def _score_backward(self, query, key, g, dquery, dkey):
        learned = self._trainable and self.scale is not None
        dscale = self.gradients[0] if learned else self.buffer("dscale", query.shape[2:])
        _additive_scores_backward(dquery, dkey, self._vector(query), self.activated, g, dscale)

    def work(self):
        r"""Cuenta una tangente por número de cada pareja como diez productos."""
        if not self.current_shape:
            return 0
        query, value, *_ = self.current_shape
        return query[0] * value[0] * (10 * query[1] + value[1])
