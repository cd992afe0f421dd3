r"""Escribir con un GPT: un token por vuelta, sin volver a leer lo leído."""

import math

import numpy as np

from chapters.attention.blocks.layer_normalization import LayerNormalization
from chapters.attention.blocks.transformer_decoder import TransformerDecoder
from chapters.attention.positions.learned import PositionEmbedding
from chapters.attention.programs.cached_attention import _cached_attention
from chapters.attention.programs.nucleus import plain_nucleus
from chapters.attention.programs.reversible_embedding import ReversibleEmbedding
from chapters.mlp import Add, Dropout, InputLayer
from chapters.mlp.activations import GELU
from chapters.mlp.activations.gelu import _gelu_tanh
from chapters.rnn.programs.sampling import plain_sample_logits, plain_top_k
from dlbook import check
from dlbook.numeric.kernel import kernel
from dlbook.numeric.matmul import matmul


def _parts(model):
    # Las piezas de un modelo de gpt: la tabla, los lugares, los bloques y la última norma.
    layers = [layer for layer in check.model(model).layers if type(layer) not in (InputLayer, Dropout)]
    if not model.built:
        raise ValueError("model: se esperaba un modelo ya construido")
    model.refuse_outline()
    middle = max(len(layers) - 4, 1) * [TransformerDecoder]
    if [type(layer) for layer in layers] != [ReversibleEmbedding, PositionEmbedding, Add, *middle, LayerNormalization]:
        raise ValueError("model: se esperaba uno de los que arma gpt, pero sus capas son otras")
    table, places, _, *blocks, norm = layers
    if table.logit_soft_cap is not None or table.mask_zero:
        raise ValueError("model: se esperaba una tabla sin tope ni relleno, como la de gpt")
    for block in blocks:
        gelu = block.activation
        if not block.normalize_first or type(gelu) is not GELU or not gelu.approximate:
            raise ValueError("model: se esperaban bloques con la norma antes y la GELU aproximada, como los de gpt")
    # Estos números se toman una vez para todos los bloques.
    alike = {(block.num_heads, block.intermediate_dim, block.layer_norm_epsilon) for block in blocks}
    heads, inside = blocks[0].num_heads, blocks[0].intermediate_dim
    if alike != {(heads, inside, norm.epsilon)} or table.output_dim % heads or norm.gamma is None or norm.beta is None:
        raise ValueError("model: se esperaban bloques y normas iguales, hasta en layer_norm_epsilon, como los de gpt")
    return table, places, blocks, norm


class CachedGPT:
    r"""Un GPT que recuerda: lee un token cada vez y da los puntajes del que sigue.

    Guarda las claves y los valores de lo leído, como :func:`cached_attention`, en todos los bloques. Son dos vectores
    de :math:`d` números por bloque y por token. Con la ventana llena, los números guardados son

    .. math::
       :label: ed-att-cache-memoria

       2\,L\,T\,d .

    >>> from chapters.attention import gpt
    >>> model = gpt(10, 8, width=16, heads=2, blocks=3, seed=0)
    >>> reader = CachedGPT(model)
    >>> for token in (1, 2, 3):
    ...     logits = reader.read(token)
    >>> whole = model.predict(np.array([[1, 2, 3]]))[0, -1]
    >>> bool(np.allclose(logits, whole, atol=1e-6))
    True
    >>> reader.memory, 2 * 3 * 8 * 16
    (768, 768)

    **Cuando se llena la ventana.** La tabla de posiciones tiene :math:`T` filas, y el token :math:`T+1` no cabe. No
    basta con tirar el primero y correr lo demás: la clave de un token se calculó con su lugar, y con lo que tenía
    antes; en otro lugar, con otro pasado, es otra. Hay que **volver a leer** lo que se conserve, desde el lugar 0. Si
    se conservaran :math:`T-1`, habría que releerlos con cada token. Aquí se conserva la mitad: así se relee
    :math:`T/2` cada :math:`T/2` tokens, y el promedio es una lectura más por token.

    Parameters
    ----------
    model : Model
        Uno de :func:`gpt`. Sus pesos se copian: si después cambian, hace falta otro lector.

    Attributes
    ----------
    position : int
        Cuántos tokens hay en la ventana.
    memory : int
        Cuántos números se guardan.

    Raises
    ------
    TypeError, ValueError
        Si el modelo no es de esos.

        >>> reader.read(10)
        Traceback (most recent call last):
            ...
        ValueError: token: se esperaba un entero entre 0 y 9, pero llegó 10
    """

    def __init__(self, model):
        table, places, blocks, norm = _parts(model)
        self.length, d = places.sequence_length, table.output_dim
        heads, dtype = blocks[0].num_heads, table.dtype
        self.words, self.places = table.embeddings.copy(), places.position_embeddings.copy()
        self.head = np.ascontiguousarray(table.embeddings.T if table.tie_weights else table.reverse_embeddings)
        self.last = np.stack([norm.gamma, norm.beta])
        self.epsilon = dtype.type(norm.epsilon)
        self.stacks = tuple(map(np.stack, zip(*map(_weights, blocks), strict=True)))
        check.memory(2 * len(blocks) * self.length * d, "model, las claves y los valores", dtype.itemsize)
        self.keys, self.values = np.zeros((2, len(blocks), self.length, heads, d // heads), dtype)
        hidden = self.stacks[5].shape[-1]
        sizes = d, d, 3 * d, d, hidden, hidden
        rows = tuple(np.zeros((self.length, size), dtype) for size in sizes)
        self.room = *rows, np.zeros(self.length, dtype), np.zeros(len(self.words), dtype)
        self.forget()

    @property
    def memory(self):
        r"""Cuántos números se guardan."""
        return self.keys.size + self.values.size

    def forget(self):
        r"""Vacía la ventana."""
        self.position, self.window = 0, []

    def read(self, token):
        r"""Lee un token y da los puntajes del que sigue.

        Parameters
        ----------
        token : int
            El token.

        Returns
        -------
        ndarray, shape (V,)
            Los puntajes. Es una copia.
        """
        return self._read([check.integer(token, "token", 0, len(self.words) - 1)])

    def _read(self, tokens):
        if self.position + len(tokens) > self.length:
            # No cabe: se relee media ventana y lo nuevo, de una vez.
            tokens = (self.window + tokens)[-(self.length // 2) - 1 :]
            self.forget()
        tables = self.words, self.places, self.last, self.head
        _read_tokens(
            np.array(tokens), self.position, tables, self.stacks, self.keys, self.values, self.epsilon, self.room
        )
        self.window += tokens
        self.position += len(tokens)
        return self.room[-1].copy()


def _weights(block):
    # Las tres proyecciones de entrada, lado a lado; los ejes de las cabezas, juntos.
    wq, bq, wk, bk, wv, bv, wo, bo, *rest = block.get_weights()
    d = len(wq)
    gamma_1, beta_1, up, up_bias, down, down_bias, gamma_2, beta_2 = rest
    qkv = np.concatenate([w.reshape(d, -1) for w in (wq, wk, wv)], axis=1)
    bias = np.concatenate([b.ravel() for b in (bq, bk, bv)])
    norms = np.stack([gamma_1, beta_1, gamma_2, beta_2])
    return norms, qkv, bias, wo.reshape(-1, d), bo, up, up_bias, down, down_bias


@kernel
def _read_tokens(ids, t, tables, stacks, keys, values, epsilon, room):
    # Los tokens ocupan los lugares desde t; quedan los puntajes del que sigue al último.
    words, places, last, head = tables
    norms, qkv, qkv_bias, out, out_bias, up, up_bias, down, down_bias = stacks
    n, (blocks, _, heads, size) = ids.size, keys.shape
    x, h, projected, part, hidden, active, scores, logits = room
    x, h, projected, part, hidden, active = x[:n], h[:n], projected[:n], part[:n], hidden[:n], active[:n]
    for i in range(n):
        for j in range(x.shape[1]):
            x[i, j] = words[ids[i], j] + places[t + i, j]
    for b in range(blocks):
        _normalize(x, norms[b, 0], norms[b, 1], epsilon, h)
        _affine(h, qkv[b], qkv_bias[b], projected)
        for i in range(n):
            q, k, v = projected[i].reshape(3, heads, size)
            _cached_attention(q, k, v, keys[b], values[b], t + i, scores, h[i].reshape(heads, size))
        _affine(h, out[b], out_bias[b], part)
        x += part
        _normalize(x, norms[b, 2], norms[b, 3], epsilon, h)
        _affine(h, up[b], up_bias[b], hidden)
        _gelu_tanh(hidden.reshape(-1), active.reshape(-1))
        _affine(active, down[b], down_bias[b], part)
        x += part
    _normalize(x[n - 1 :], last[0], last[1], epsilon, h[:1])
    _row_product(h[0], head, logits)


@kernel
def _affine(x, w, b, y):
    if x.shape[0] == 1:
        _row_product(x[0], w, y[0])
    else:
        matmul(x, w, y)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] += b[j]


@kernel(fastmath={"contract"})
def _row_product(x, w, y):
    # De a cuatro filas: así y se lee y se escribe una vez por cada cuatro.
    whole = x.size // 4 * 4
    y[:] = 0
    for i in range(0, whole, 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(y.size):
            y[j] += a * w[i, j] + b * w[i + 1, j] + c * w[i + 2, j] + d * w[i + 3, j]
    for i in range(whole, x.size):
        for j in range(y.size):
            y[j] += x[i] * w[i, j]


@kernel(error_model="numpy", fastmath={"contract", "reassoc"})
def _normalize(x, gamma, beta, epsilon, y):
    real, n = x.dtype.type, x.shape[1]
    for k in range(x.shape[0]):
        mean = variance = real(0)
        for i in range(n):
            mean += x[k, i]
        mean /= real(n)
        for i in range(n):
            variance += (x[k, i] - mean) * (x[k, i] - mean)
        scale = real(1) / np.sqrt(variance / real(n) + epsilon)
        for i in range(n):
            y[k, i] = (x[k, i] - mean) * scale * gamma[i] + beta[i]


def _pick(logits, temperature, top_k, top_p, rng):
    if top_k is not None:
        logits = plain_top_k(logits, top_k)
    if top_p is not None and temperature:
        # El núcleo es de las probabilidades con que se va a sortear. Con una temperatura ínfima se llega a −∞.
        with np.errstate(over="ignore"):
            logits = (logits - logits.max()) / temperature
        logits, temperature = plain_nucleus(logits, top_p), 1.0
    return plain_sample_logits(logits, temperature, None, rng)


def generate(
    model,
    prompt,
    length,
    temperature=1.0,
    top_k=None,
    top_p=None,
    seed=None,
):
    r"""Escribe con un GPT, sorteando un token por vuelta.

    Lee el principio y después repite: sortea el que sigue y lo lee. Lo leído no se lee otra vez: lo recuerda un
    :class:`CachedGPT`.

    **En qué orden se recorta.** Primero los ``top_k`` mayores; luego la temperatura; y de lo que queda, el núcleo de
    probabilidad ``top_p``, :func:`nucleus`. Al final se sortea, :eq:`ec-rnn-sorteo`.

    >>> from chapters.attention import gpt
    >>> model = gpt(10, 8, width=16, heads=2, blocks=3, seed=0)
    >>> generate(model, [1, 2, 3], 4, seed=0).shape
    (4,)

    Parameters
    ----------
    model : Model
        Uno de :func:`gpt`.
    prompt : array_like of int, shape (N,)
        Con qué empieza; al menos un token. Si no cabe en la ventana, se leen los últimos que quepan.
    length : int
        Cuántos tokens escribe.
    temperature : float
        La de :func:`~chapters.rnn.temper`; con 0, sale siempre el mayor.
    top_k : int, optional
        De cuántos se sortea, a lo más.
    top_p : float, optional
        Qué probabilidad juntan aquellos de los que se sortea.
    seed : int or numpy.random.Generator, optional
        Origen del azar.

    Returns
    -------
    ndarray of int64, shape (length,)
        Lo que escribió, sin el principio.

    Raises
    ------
    TypeError, ValueError
        Si el modelo no es de esos o no da puntajes finitos, o si algún argumento no sirve.

        >>> generate(model, [], 4)
        Traceback (most recent call last):
            ...
        ValueError: prompt: se esperaba al menos un token, pero no llegó ninguno
    """
    reader = CachedGPT(model)
    tokens = len(reader.words)
    prompt = check.numbers_of(prompt, "prompt")
    if not prompt.size:
        raise ValueError("prompt: se esperaba al menos un token, pero no llegó ninguno")
    prompt = check.labels(prompt, "prompt", tokens, "N")
    temperature = check.number(temperature, "temperature", 0)
    top_k = None if top_k is None else check.integer(top_k, "top_k", 1, tokens)
    top_p = None if top_p is None else check.number(top_p, "top_p", 0, 1, open_low=True)
    written = check.empty((check.integer(length, "length", 0),), "length", np.int64)
    rng = check.generator(seed)
    logits = reader._read(prompt[-reader.length :].tolist())
    for i in range(len(written)):
        logits = logits.astype(np.float64)
        if not math.isfinite(logits.sum()):
            raise ValueError("model: se esperaban puntajes finitos, pero hay alguno que no lo es")
        written[i] = _pick(logits, temperature, top_k, top_p, rng)
        if i + 1 < len(written):
            logits = reader._read([int(written[i])])
    return written
