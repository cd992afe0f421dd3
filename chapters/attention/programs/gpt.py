r"""GPT: un decodificador solo, que lee lo que va y reparte probabilidad entre lo que sigue."""

from chapters.attention.blocks.layer_normalization import LayerNormalization
from chapters.attention.blocks.transformer_decoder import TransformerDecoder
from chapters.attention.positions.learned import PositionEmbedding
from chapters.attention.programs.reversible_embedding import ReversibleEmbedding
from chapters.mlp import Add, Dropout, Input, Model
from chapters.mlp.activations import GELU
from chapters.mlp.initializers import RandomNormal
from dlbook import check

# Muchos más de los que tiene ninguno.
MOST_BLOCKS = 1000


def gpt(
    vocabulary,
    length,
    width=128,
    heads=4,
    blocks=4,
    dropout=0.0,
    tied=True,
    seed=None,
    dtype="float32",
):
    r"""Arma un GPT (*generative pre-trained transformer*), con las piezas de GPT-2.

    Entra una secuencia :math:`v_1,\dots,v_T` y salen :math:`T` juegos de puntajes. El de la posición :math:`t` solo
    ve :math:`v_1,\dots,v_t`, y con él se predice :math:`v_{t+1}` :cite:p:`radford2019`:

    .. math::
       :label: ec-att-gpt

       \begin{aligned}
       \mathbf X^{0}&=\mathbf E_{v}+\mathbf P,\\
       \mathbf X^{l}&=\operatorname{bloque}_l(\mathbf X^{l-1}),\qquad l=1,\dots,L,\\
       \mathbf Z&=\operatorname{norma}(\mathbf X^{L})\,\mathbf E^\top .
       \end{aligned}

    :math:`\mathbf E` es la tabla de los tokens, :math:`\mathbf P` la de los lugares, y cada bloque es un
    :class:`TransformerDecoder` sin nada que consultar afuera: atención causal y una red densa cuatro veces más ancha,
    las dos con su norma **antes** y su suma después. Por eso hace falta una norma más, al final.

    **Cuántos parámetros.** En un bloque de ancho :math:`d`, las cuatro proyecciones de la atención tienen
    :math:`4d^2` pesos y :math:`4d` sesgos; la red densa, :math:`2\cdot4d^2` pesos y :math:`4d+d` sesgos; y las dos
    normas, :math:`4d`. En total,

    .. math::
       :label: ed-att-gpt-cuenta

       \underbrace{|V|d+Td}_{\text{tablas}}+L\,(12d^2+13d)+\underbrace{2d}_{\text{norma}} .

    >>> model = gpt(10, 8, width=16, heads=2, blocks=3, seed=0)
    >>> model.count_params()
    10160
    >>> (10 + 8) * 16 + 3 * (12 * 16**2 + 13 * 16) + 2 * 16
    10160

    **Con qué pesos empieza.** Las tablas, con desviación 0.02, como en GPT-2: los primeros puntajes son casi iguales.
    Las matrices de los bloques, con :math:`1/\sqrt d`: así :math:`\mathbf x\mathbf W`, con las :math:`d` coordenadas de
    :math:`\mathbf x` de varianza 1, la conserva. GPT-2 usa 0.02 también en ellas, que con :math:`d=768` es del mismo
    orden.

    **Solo el pasado.** Cambiar la última letra no mueve los puntajes de las anteriores:

    >>> import numpy as np
    >>> y = model.predict(np.array([[1, 2, 3, 4], [1, 2, 3, 9]]))
    >>> y.shape, np.isclose(y[0], y[1]).all(axis=1)
    ((2, 4, 10), array([ True,  True,  True, False]))

    Parameters
    ----------
    vocabulary : int
        Cuántos tokens hay, :math:`|V|`.
    length : int
        Cuántos lugares tiene la tabla de posiciones: lo más larga que puede ser una secuencia.
    width : int
        El ancho, :math:`d`; un múltiplo de ``heads``.
    heads : int
        Cuántas cabezas tiene cada bloque.
    blocks : int
        Cuántos bloques, :math:`L`.
    dropout : float
        La fracción que se apaga al entrenar: de lo que entra, de los pesos de atención y de lo que suma cada mitad.
    tied : bool
        Si los puntajes salen de la misma tabla de la entrada, :math:`\mathbf E`. Si no, de otra.
    seed : int, optional
        Origen de los pesos y del azar.
    dtype : str
        El tipo de los pesos: ``"float32"`` o ``"float64"``.

    Returns
    -------
    Model
        De enteros (n, T) a puntajes (n, T, :math:`|V|`).

    Raises
    ------
    TypeError, ValueError
        Si algún tamaño no sirve.

        >>> gpt(10, 8, width=16, heads=3)
        Traceback (most recent call last):
            ...
        ValueError: width: se esperaba un múltiplo de las 3 cabezas, pero llegó 16
    """
    vocabulary = check.integer(vocabulary, "vocabulary", 1)
    length = check.integer(length, "length", 1)
    width, heads, blocks = _block_sizes(width, heads, blocks)
    dropout = check.number(dropout, "dropout", 0, 1, open_high=True)
    tied = check.boolean(tied, "tied")
    ids, logits = plain_gpt(vocabulary, length, width, heads, blocks, dropout, tied)
    return Model(ids, logits, seed=seed, dtype=dtype)


def _block_sizes(width, heads, blocks):
    width, heads = check.integer(width, "width", 1), check.integer(heads, "heads", 1)
    blocks = check.integer(blocks, "blocks", 1, MOST_BLOCKS)
    if width % heads:
        raise ValueError(f"width: se esperaba un múltiplo de las {heads} cabezas, pero llegó {width}")
    return width, heads, blocks


def plain_gpt(vocabulary, length, width, heads, blocks, dropout, tied):
    r"""Las tablas, los bloques y la última norma; la tabla se usa dos veces."""
    start, gelu = RandomNormal(stddev=0.02), GELU(approximate=True)
    ids = Input((None,))
    table = ReversibleEmbedding(vocabulary, width, tied, start)
    x = table(ids)
    x = Add()([x, PositionEmbedding(length, start)(x)])
    x = Dropout(dropout)(x) if dropout else x
    inner = RandomNormal(stddev=width**-0.5)
    options = {"kernel_initializer": inner, "normalize_first": True}
    for _ in range(blocks):
        sizes = 4 * width, heads
        x = TransformerDecoder(*sizes, dropout, gelu, **options)(x)
    x = LayerNormalization(epsilon=1e-5)(x)
    return ids, table(x, reverse=True)  # [ec-att-gpt]
