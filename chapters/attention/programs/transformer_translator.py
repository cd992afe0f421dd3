r"""Un transformer entero: un codificador que lee y un decodificador que escribe."""

import math

import numpy as np

from chapters.attention.blocks.layer_normalization import LayerNormalization
from chapters.attention.blocks.transformer_decoder import TransformerDecoder
from chapters.attention.blocks.transformer_encoder import TransformerEncoder
from chapters.attention.positions.sinusoidal import SinePositionEncoding
from chapters.attention.programs.reversible_embedding import ReversibleEmbedding
from chapters.mlp import Add, Dropout, Input, Model, Rescaling
from chapters.mlp.initializers import RandomNormal
from chapters.rnn.programs.encoder_decoder import _asked, _greedy
from dlbook import check


def transformer_translator(
    tokens,
    width=128,
    heads=4,
    blocks=2,
    intermediate=512,
    dropout=0.0,
    seed=None,
    dtype="float32",
):
    r"""Arma un transformer que lee una secuencia y escribe otra, con un solo vocabulario.

    Es el de :cite:t:`vaswani2017`, con la normalización antes de cada subcapa. Sea :math:`\mathbf E` la tabla, de
    :math:`d` números por token, y :math:`\mathbf P` las posiciones, :eq:`ec-att-seno`. Lo que entra a los bloques es
    :math:`\operatorname{entra}(t)=\sqrt d\,\mathbf E_t+\mathbf P`. Con :math:`x` lo que se lee y :math:`y` lo que se ha
    escrito,

    .. math::
       :label: ed-att-traductor

       \begin{aligned}
       \mathbf M&=\operatorname{LN}\bigl(\operatorname{Codificador}^L(\operatorname{entra}(x))\bigr),\\
       \mathbf H&=\operatorname{LN}\bigl(\operatorname{Decodificador}^L(\operatorname{entra}(y),\mathbf M)\bigr),\\
       \mathbf Z&=\mathbf H\,\mathbf E^\top .
       \end{aligned}

    **La misma tabla, tres veces**: al leer, al escribir y al puntuar. **Por qué** :math:`\sqrt d`. Las filas
    empiezan con varianza :math:`1/d`, para que los puntajes, que son productos de :math:`d` sumandos con un
    :math:`\mathbf h` de varianza 1, salgan de varianza 1. Pero así cada número de un *embedding* mide alrededor de
    :math:`1/\sqrt d`, y las posiciones, hasta 1. La raíz los pone a la par.

    Son tres modelos con las mismas capas. El que se entrena recibe ``[lo leído, lo escrito]`` y da los puntajes de
    todas las posiciones de una vez, porque la máscara causal impide mirar adelante. Los otros dos sirven para
    escribir: se lee una vez y se escribe un token por vuelta.

    >>> whole, encoder, decoder = transformer_translator(9, 8, 2, 1, 16, seed=0)
    >>> source, written = np.array([[3, 4, 5, 0]]), np.array([[1, 6, 7]])
    >>> z = whole.predict([source, written])
    >>> z.shape
    (1, 3, 9)
    >>> memory = encoder.predict(source)
    >>> again = decoder([written, memory], mask=[written != 0, source != 0])
    >>> np.allclose(again, z, atol=1e-5)
    True
    >>> twice = encoder.count_params() + decoder.count_params()
    >>> twice - whole.count_params() == 9 * 8          # la tabla, en los dos
    True

    El token 0 es relleno en las dos secuencias. Su máscara sale de la tabla y llega sola a las atenciones, también a
    la cruzada.

    Parameters
    ----------
    tokens : int
        Cuántos tokens distintos hay, contando el 0 del relleno; al menos 2.
    width, heads, blocks, intermediate : int
        El ancho :math:`d`, las cabezas, los bloques de cada lado :math:`L` y las neuronas de la red de en medio.
    dropout : float
        La fracción que se apaga al entrenar, en los bloques y a su entrada.
    seed : int, optional
        Origen de los pesos y del azar.
    dtype : str
        El tipo de los pesos: ``"float32"`` o ``"float64"``.

    Returns
    -------
    whole, encoder, decoder : Model
        El que se entrena, ``[fuente, escrito] → puntajes``; el que lee, ``fuente → memoria``; y el que escribe,
        ``[escrito, memoria] → puntajes``, al que la máscara de la memoria se le da al llamarlo.

    Raises
    ------
    TypeError, ValueError
        Si algún tamaño no es un entero de los que se piden.
    """
    tokens, width = check.integer(tokens, "tokens", 2), check.integer(width, "width", 1)
    heads, blocks = check.integer(heads, "heads", 1, width), check.integer(blocks, "blocks", 1, 1000)
    intermediate = check.integer(intermediate, "intermediate", 1)
    dropout, seed = check.number(dropout, "dropout", 0, 1), check.generator(seed)
    paths = _paths(tokens, width, heads, blocks, intermediate, dropout)
    seeds = np.random.default_rng(seed).spawn(3)
    return tuple(Model(*path, seed=one, dtype=dtype) for path, one in zip(paths, seeds, strict=True))


def _paths(tokens, width, *sizes):
    # Por dónde pasa lo que se lee, lo que se escribe, y los dos seguidos.
    table, enter, read, write = _pieces(tokens, width, *sizes)

    def writing(y, memory):
        h = _through(write, enter(y), memory)
        return table(h, reverse=True)

    source, written = Input((None,)), Input((None,))
    given = Input((None, width))
    memory = _through(read, enter(source))
    whole = [source, written], writing(written, memory)
    decoder = [written, given], writing(written, given)
    return whole, (source, memory), decoder


def _pieces(tokens, width, heads, blocks, intermediate, dropout):
    # La tabla, lo que hace de unas palabras la entrada de los bloques, y los bloques de cada lado con su norma final.
    # Todos con la misma varianza, que x·W conserva, como en ``gpt``. Glorot, sobre el cubo (d, H, k) de la atención,
    # contaría d·H entradas y d·k salidas: consultas, claves y valores empezarían varias veces más pequeños.
    start = RandomNormal(0.0, width**-0.5)
    table = ReversibleEmbedding(tokens, width, embeddings_initializer=start, mask_zero=True)
    scale, places = Rescaling(math.sqrt(width)), SinePositionEncoding()

    def enter(words):
        x = scale(table(words))
        x = Add()([x, places(x)])
        return Dropout(dropout)(x) if dropout else x

    sides = []
    for kind in (TransformerEncoder, TransformerDecoder):
        options = {"dropout": dropout, "kernel_initializer": start, "normalize_first": True}
        side = [kind(intermediate, heads, **options) for _ in range(blocks)]
        sides.append([*side, LayerNormalization(epsilon=1e-5)])
    return table, enter, *sides


def _through(layers, x, *others):
    *blocks, norm = layers
    for block in blocks:
        x = block(x, *others)
    return norm(x)


def translate(encoder, decoder, source, start, end, max_length=50):
    r"""Escribe con los dos modelos de :func:`transformer_translator`, quedándose cada vez con el token más probable.

    Es la búsqueda voraz de :eq:`ec-rnn-voraz`. Se lee una vez, y en cada vuelta el decodificador recibe **todo** lo
    escrito: un transformer no tiene estado que recordar.

    >>> _, encoder, decoder = transformer_translator(9, 8, 2, 1, 16, seed=0)
    >>> translate(encoder, decoder, [[3, 4, 0], [5, 6, 7]], 1, 2, 4).shape
    (2, 4)

    Parameters
    ----------
    encoder, decoder : Model
        Los dos últimos de :func:`transformer_translator`.
    source : array_like of int, shape (n, T)
        Lo que hay que leer, con 0 detrás de las cortas.
    start, end : int
        Los tokens de inicio y de fin.
    max_length : int
        Cuántos tokens se escriben, a lo sumo.

    Returns
    -------
    ndarray of int64, shape (n, L)
        Lo escrito, sin el inicio ni el fin, y con 0 detrás; :math:`L` es lo más largo que se escribió.

    Raises
    ------
    TypeError, ValueError
        Si ``source`` no es una tabla de enteros que tenga algo que leer en cada fila, si los modelos no son los de
        un traductor o si los demás no son enteros válidos.

        >>> translate(encoder, decoder, [[0, 0]], 1, 2)
        Traceback (most recent call last):
            ...
        ValueError: source: se esperaba algo que leer en cada fila, pero la 0 es puro relleno
    """
    encoder, decoder = check.model(encoder, "encoder"), check.model(decoder, "decoder")
    if not decoder.several or isinstance(decoder.output, list):
        raise ValueError(
            "decoder: se esperaba el tercero de transformer_translator, que recibe lo escrito y la memoria"
        )
    last = decoder.output.shape[-1] - 1
    source, start, end, max_length = _asked(source, start, end, max_length, last)
    empty = np.flatnonzero(~source.any(axis=1))
    if empty.size:
        raise ValueError(f"source: se esperaba algo que leer en cada fila, pero la {empty[0]} es puro relleno")
    return plain_translate(encoder, decoder, source, start, end, max_length)


def plain_translate(encoder, decoder, source, start, end, max_length):
    r"""Se lee una vez; en cada vuelta se da todo lo escrito, y cuenta la respuesta del último lugar."""
    memory, read = encoder(source), source != 0

    def step(written):
        z = decoder([written, memory], mask=[written != 0, read])
        return z[:, -1]  # [ec-rnn-voraz]

    return _greedy(step, len(source), start, end, max_length)
