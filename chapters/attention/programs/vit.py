r"""ViT: una imagen leída como una frase de trozos."""

from chapters.attention.blocks.layer_normalization import LayerNormalization
from chapters.attention.blocks.transformer_encoder import TransformerEncoder
from chapters.attention.positions.learned import PositionEmbedding
from chapters.attention.programs.class_token import ClassToken
from chapters.attention.programs.gpt import _block_sizes
from chapters.attention.programs.patches import Patches, _refuse_odd
from chapters.mlp import Add, Dense, Dropout, Input, Model
from chapters.mlp.activations import GELU
from dlbook import check


def vit(
    input_shape,
    classes,
    patch_size,
    width=64,
    heads=4,
    blocks=4,
    intermediate=None,
    dropout=0.0,
    seed=None,
    dtype="float32",
):
    r"""Arma un transformer de imágenes (*vision transformer*, ViT) :cite:p:`dosovitskiy2021`.

    Los trozos pasan por una capa densa, delante va la ficha de clase y a cada uno se le suma su posición. Siguen
    bloques de codificador, y se clasifica con el vector de la ficha:

    .. math::
       :label: ec-att-vit

       \begin{aligned}
       \mathbf X^{0}&=\begin{pmatrix}\mathbf c\\ \mathbf T\,\mathbf W\end{pmatrix}+\mathbf P,\\
       \mathbf X^{l}&=\operatorname{bloque}_l(\mathbf X^{l-1}),\qquad l=1,\dots,L,\\
       \mathbf z&=\operatorname{norma}(\mathbf X^{L})_0\,\mathbf W'+\mathbf b' .
       \end{aligned}

    :math:`\mathbf T` son los trozos en fila, :eq:`ec-att-vit-trozos`. Los bloques llevan la norma **antes**, y por eso
    hay otra al final.

    >>> import numpy as np
    >>> model = vit((8, 8, 1), 10, 2, width=16, heads=2, blocks=2, seed=0)
    >>> model.predict(np.zeros((3, 8, 8, 1))).shape
    (3, 10)

    **El de verdad.** El ViT-B/16 tiene 12 bloques de ancho 768 y 12 cabezas, y trozos de 16:

    >>> from chapters.mlp import shapes_only
    >>> with shapes_only():
    ...     model = vit((224, 224, 3), 1000, 16, 768, 12, 12)
    >>> model.count_params()
    86567656

    Parameters
    ----------
    input_shape : (int, int, int)
        Alto, ancho y canales de una imagen.
    classes : int
        Cuántas clases.
    patch_size : int
        El lado de un trozo; divide al alto y al ancho.
    width : int
        El ancho, :math:`d`; un múltiplo de ``heads``.
    heads : int
        Cuántas cabezas tiene cada bloque.
    blocks : int
        Cuántos bloques, :math:`L`.
    intermediate : int, optional
        El ancho de en medio de las capas densas; si no se dice, :math:`4d`.
    dropout : float
        La fracción que se apaga al entrenar.
    seed : int, optional
        Origen de los pesos y del azar.
    dtype : str
        El tipo de los pesos: ``"float32"`` o ``"float64"``.

    Returns
    -------
    Model
        De imágenes (n, H, W, C) a puntajes (n, ``classes``).

    Raises
    ------
    TypeError, ValueError
        Si algún tamaño no sirve.

        >>> vit((8, 8, 1), 10, 2, width=10)
        Traceback (most recent call last):
            ...
        ValueError: width: se esperaba un múltiplo de las 4 cabezas, pero llegó 10
    """
    classes, patch_size = check.integer(classes, "classes", 1), check.integer(patch_size, "patch_size", 1)
    width, heads, blocks = _block_sizes(width, heads, blocks)
    input_shape = check.shape(input_shape, "input_shape")
    _refuse_odd(input_shape, patch_size, "input_shape")
    intermediate = 4 * width if intermediate is None else check.integer(intermediate, "intermediate", 1)
    dropout = check.number(dropout, "dropout", 0, 1, open_high=True)
    options = {"intermediate": intermediate, "dropout": dropout, "seed": check.generator(seed), "dtype": dtype}
    return plain_vit(input_shape, classes, patch_size, width, heads, blocks, **options)


def plain_vit(
    input_shape, classes, patch_size, width, heads, blocks,
    intermediate, dropout, seed, dtype,
):  # fmt: skip
    r"""Los trozos, la ficha, las posiciones, los bloques y la última capa."""
    images = Input(input_shape)
    x = Dense(width)(Patches(patch_size)(images))
    x = ClassToken()(x)
    places = PositionEmbedding(x.shape[1], "random_normal")
    x = Add()([x, places(x)])
    x = Dropout(dropout)(x) if dropout else x
    options = {"activation": GELU(), "normalize_first": True}
    for _ in range(blocks):
        x = TransformerEncoder(intermediate, heads, dropout, **options)(x)
    x = LayerNormalization(epsilon=1e-6)(x)
    scores = Dense(classes)(x[:, 0])  # [ec-att-vit]
    return Model(images, scores, seed=seed, dtype=dtype)
