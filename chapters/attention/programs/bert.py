r"""BERT: un codificador que adivina palabras tapadas mirando a los dos lados."""

from chapters.attention.blocks.layer_normalization import LayerNormalization
from chapters.attention.blocks.transformer_encoder import TransformerEncoder
from chapters.attention.positions.learned import PositionEmbedding
from chapters.attention.programs.gpt import _block_sizes
from chapters.attention.programs.reversible_embedding import ReversibleEmbedding
from chapters.mlp import Add, Dense, Dropout, Input, Model
from chapters.mlp.activations import GELU
from chapters.mlp.initializers import RandomNormal
from dlbook import check


def bert(
    vocabulary,
    length,
    width=128,
    heads=4,
    blocks=2,
    dropout=0.1,
    seed=None,
    dtype="float32",
):
    r"""Arma un BERT (*bidirectional encoder representations from transformers*) :cite:p:`devlin2019`.

    Entra una frase con huecos y salen, por posición, los puntajes de todas las palabras. Cada posición mira **todas**,
    las de antes y las de después:

    .. math::
       :label: ec-att-bert

       \begin{aligned}
       \mathbf X^{0}&=\operatorname{norma}(\mathbf E_{t}+\mathbf P),\\
       \mathbf X^{l}&=\operatorname{bloque}_l(\mathbf X^{l-1}),\qquad l=1,\dots,L,\\
       \mathbf H&=\operatorname{norma}\bigl(\operatorname{GELU}(\mathbf X^{L}\mathbf W+\mathbf b)\bigr),\\
       \mathbf Z&=\mathbf H\,\mathbf E^\top .
       \end{aligned}

    Los bloques son :class:`TransformerEncoder` con la norma **después**, como en 2018. Las dos últimas líneas son
    la cabeza que adivina: solo sirve para preentrenar, y se tira. Lo que se reutiliza es :math:`\mathbf X^{L}`.
    Por eso salen dos modelos con las mismas capas, el entero y el codificador:

    >>> import numpy as np
    >>> whole, encoder = bert(20, 8, width=16, heads=2, blocks=2, seed=0)
    >>> ids = np.array([[5, 6, 7, 0]])
    >>> whole.predict(ids).shape, encoder.predict(ids).shape
    ((1, 4, 20), (1, 4, 16))

    **Mira a los dos lados.** Cambiar la última palabra mueve el vector de la primera:

    >>> y = encoder.predict(np.array([[5, 6, 7], [5, 6, 8]]))
    >>> bool(np.allclose(y[0, 0], y[1, 0]))
    False

    **El relleno no se mira.** El 0 es relleno, y cuánto haya da igual:

    >>> short = encoder.predict(np.array([[5, 6, 7]]))
    >>> longer = encoder.predict(np.array([[5, 6, 7, 0, 0, 0]]))[:, :3]
    >>> bool(np.allclose(longer, short, atol=1e-6))
    True

    **El de verdad.** Con el vocabulario y los tamaños publicados, sin reservar memoria. Al BERT base le faltan aquí una
    tabla de 2 filas, que dice de qué frase es cada palabra, y una capa densa al final:

    >>> from chapters.mlp import shapes_only
    >>> with shapes_only():
    ...     encoder = bert(30_522, 512, 768, heads=12, blocks=12)[1]
    >>> encoder.count_params() + 2 * 768 + (768 * 768 + 768)
    109482240

    Parameters
    ----------
    vocabulary : int
        Cuántos índices hay, contando el 0 del relleno y el del hueco.
    length : int
        Lo más larga que puede ser una frase.
    width : int
        El ancho, :math:`d`; un múltiplo de ``heads``.
    heads : int
        Cuántas cabezas tiene cada bloque.
    blocks : int
        Cuántos bloques, :math:`L`.
    dropout : float
        La fracción que se apaga al entrenar.
    seed : int, optional
        Origen de los pesos y del azar.
    dtype : str
        El tipo de los pesos: ``"float32"`` o ``"float64"``.

    Returns
    -------
    whole, encoder : Model
        El que adivina, de enteros (n, T) a puntajes (n, T, V); y el codificador, de enteros (n, T) a vectores
        (n, T, d).

    Raises
    ------
    TypeError, ValueError
        Si algún tamaño no sirve.

        >>> bert(20, 8, width=16, heads=3)
        Traceback (most recent call last):
            ...
        ValueError: width: se esperaba un múltiplo de las 3 cabezas, pero llegó 16
    """
    vocabulary, length = check.integer(vocabulary, "vocabulary", 1), check.integer(length, "length", 1)
    width, heads, blocks = _block_sizes(width, heads, blocks)
    dropout = check.number(dropout, "dropout", 0, 1, open_high=True)
    return plain_bert(vocabulary, length, width, heads, blocks, dropout, check.generator(seed), dtype)


def plain_bert(
    vocabulary, length, width, heads, blocks, dropout, seed, dtype
):  # fmt: skip
    r"""Las tablas, los bloques y la cabeza que adivina."""
    start, gelu = RandomNormal(stddev=0.02), GELU()
    ids = Input((None,))
    options = {"embeddings_initializer": start, "mask_zero": True}
    table = ReversibleEmbedding(vocabulary, width, **options)
    x = table(ids)
    x = Add()([x, PositionEmbedding(length, start)(x)])
    x = LayerNormalization(epsilon=1e-12)(x)
    x = Dropout(dropout)(x) if dropout else x
    options = {"activation": gelu, "kernel_initializer": start}
    for _ in range(blocks):
        x = TransformerEncoder(4 * width, heads, dropout, **options)(x)
    guess = Dense(width, gelu, kernel_initializer=start)(x)
    guess = LayerNormalization(epsilon=1e-12)(guess)
    logits = table(guess, reverse=True)  # [ec-att-bert]
    whole = Model(ids, logits, seed=seed, dtype=dtype)
    return whole, Model(ids, x)
