r"""Los pesos publicados de GPT-2: cómo se llama cada uno, qué forma tiene y a dónde va."""

import re

import numpy as np

from chapters.attention.programs.generate import _parts
from chapters.attention.programs.gpt import MOST_BLOCKS, gpt
from dlbook import check
from dlbook.saving import files

# Lo que un archivo puede traer y no es un peso: las máscaras causales de cada bloque.
IGNORED = re.compile(r"h\.\d+\.attn\.(bias|masked_bias)")


def gpt2_names(vocabulary=50257, length=1024, width=768, blocks=12):
    r"""Da el nombre y la forma de cada arreglo de un archivo de GPT-2, en orden.

    Los valores que vienen puestos son los del más pequeño :cite:p:`radford2019`. Los números suman lo que se publica:

    >>> import math
    >>> shapes = gpt2_names()
    >>> len(shapes), sum(math.prod(shape) for shape in shapes.values())
    (148, 124439808)
    >>> shapes["h.0.attn.c_attn.weight"]
    (768, 2304)

    ``wte`` es la tabla de los tokens y ``wpe`` la de los lugares (*word token* y *word position embedding*); ``h.0``,
    el primer bloque (*hidden*); ``ln`` es una norma; ``c_fc`` y ``c_proj``, las densas. La ``c`` recuerda que se
    escribieron como convoluciones de un solo lugar, y por eso sus matrices están al derecho, (entrada, salida).

    Parameters
    ----------
    vocabulary, length, width, blocks : int
        Los tamaños del modelo, como en :func:`gpt`.

    Returns
    -------
    dict of str to tuple of int
        La forma de cada uno.

    Raises
    ------
    TypeError, ValueError
        Si un tamaño no es un entero de al menos 1.

        >>> gpt2_names(blocks=0)
        Traceback (most recent call last):
            ...
        ValueError: blocks: se esperaba un entero entre 1 y 1000, pero llegó 0
    """
    counts = {"vocabulary": vocabulary, "length": length, "width": width}
    sizes = (check.integer(n, name, 1) for name, n in counts.items())
    vocabulary, length, d = sizes
    blocks = check.integer(blocks, "blocks", 1, MOST_BLOCKS)
    shapes = {"wte.weight": (vocabulary, d), "wpe.weight": (length, d)}
    parts = {
        "ln_1": (d,),
        "attn.c_attn": (d, 3 * d),
        "attn.c_proj": (d, d),
        "ln_2": (d,),
        "mlp.c_fc": (d, 4 * d),
        "mlp.c_proj": (4 * d, d),
    }
    for k in range(blocks):
        for name, shape in parts.items():
            shapes[f"h.{k}.{name}.weight"] = shape
            shapes[f"h.{k}.{name}.bias"] = shape[-1:]
    return shapes | {"ln_f.weight": (d,), "ln_f.bias": (d,)}


def split_heads(qkv, qkv_bias, output, output_bias, heads):
    r"""Reparte por cabezas los pesos de la atención de un bloque de GPT-2.

    En el archivo, las proyecciones de la consulta, la clave y el valor están en una sola matriz, una junto a otra. Y
    dentro de cada una, las cabezas también: la :math:`h` tiene las columnas de :math:`hk` a :math:`(h+1)k-1`, con
    :math:`k=d/H`. Partir y dar forma es todo:

    .. math::
       :label: ec-att-gpt2-partir

       [\mathbf W_Q\ \mathbf W_K\ \mathbf W_V]=\mathbf W_{\text{c\_attn}},
       \qquad
       (\mathbf W_Q)_{i,h,j}=(\mathbf W_Q)_{i,\,hk+j} .

    De :math:`\mathbf W_O`, que es ``attn.c_proj``, se reparten las **filas**: la :math:`hk+j` recibe el número
    :math:`j` de la cabeza :math:`h`.

    **A mano.** Ancho 4 y dos cabezas. De la fila 0, los números del 0 al 3 son de la consulta; de ellos, 2 y 3, de
    la segunda cabeza:

    >>> qkv = np.arange(48.0).reshape(4, 12)
    >>> found = split_heads(qkv, np.zeros(12), np.zeros((4, 4)), np.zeros(4), 2)
    >>> found[0].shape, found[0][0, 1]             # consulta
    ((4, 2, 2), array([2., 3.]))
    >>> found[2][0, 1]                             # clave
    array([6., 7.])
    >>> [part.shape for part in found[5:]]
    [(2, 2), (2, 2, 4), (4,)]

    Parameters
    ----------
    qkv : array_like, shape (d, 3d)
        ``attn.c_attn.weight``.
    qkv_bias : array_like, shape (3d,)
        ``attn.c_attn.bias``.
    output : array_like, shape (d, d)
        ``attn.c_proj.weight``.
    output_bias : array_like, shape (d,)
        ``attn.c_proj.bias``.
    heads : int
        Cuántas cabezas, :math:`H`; un divisor de :math:`d`.

    Returns
    -------
    tuple of ndarray
        Los ocho pesos de una :class:`MultiHeadAttention`, en su orden.

    Raises
    ------
    TypeError, ValueError
        Si las formas no encajan, o si las cabezas no son un divisor de :math:`d`.

        >>> split_heads(qkv, np.zeros(12), np.zeros((4, 4)), np.zeros(4), 3)
        Traceback (most recent call last):
            ...
        ValueError: heads: se esperaba un divisor del ancho, 4, pero llegó 3
    """
    sizes = {}
    output = check.floats(output, "output", "d d", sizes)
    d = len(output)
    if output.shape != (d, d):
        raise ValueError(f"output: se esperaba una matriz cuadrada, pero llegó {output.shape}")
    qkv = check.floats(qkv, "qkv", "d 3d", sizes | {"3d": 3 * d})
    qkv_bias = check.floats(qkv_bias, "qkv_bias", "3d", {"3d": 3 * d})
    output_bias = check.floats(output_bias, "output_bias", "d", sizes)
    heads = _divisor(heads, d)
    return plain_split_heads(qkv, qkv_bias, output, output_bias, heads)


def _divisor(heads, d):
    heads = check.integer(heads, "heads", 1)
    if d % heads:
        raise ValueError(f"heads: se esperaba un divisor del ancho, {d}, pero llegó {heads}")
    return heads


def plain_split_heads(qkv, qkv_bias, output, output_bias, heads):
    r"""Los ocho pesos de la atención, por cabezas, de los cuatro del archivo."""
    d = len(qkv)
    found, parts = [], (np.split(qkv, 3, 1), np.split(qkv_bias, 3))
    for w, b in zip(*parts, strict=True):
        found.append(w.reshape(d, heads, -1))  # [ec-att-gpt2-partir]
        found.append(b.reshape(heads, -1))
    return (*found, output.reshape(heads, -1, d), output_bias)


def load_gpt2(path, heads=12):
    r"""Lee un archivo de pesos de GPT-2, en formato safetensors, y arma el modelo.

    **Los tamaños** salen de las formas: :math:`|V|` y :math:`d` de ``wte``, :math:`T` de ``wpe``, y :math:`L` de
    cuántos bloques hay. Las cabezas no: ``c_attn`` es la misma matriz con doce cabezas de 64 que con seis de 128, así
    que se dicen aparte.

    Lo demás cambia de nombre y no de forma, salvo los pesos de la atención, que se reparten por cabezas con
    :func:`split_heads`.

    Parameters
    ----------
    path : str or pathlib.Path
        El archivo. Los nombres pueden llevar delante ``transformer.``; las máscaras que guardan algunos se ignoran.
    heads : int
        Cuántas cabezas: 12 en el más pequeño, y 16, 20 y 25 en los otros.

    Returns
    -------
    Model
        Uno de :func:`gpt`, con esos pesos.

    Raises
    ------
    FileNotFoundError
        Si no está.
    TypeError, ValueError
        Si no es un archivo safetensors, si le falta o le sobra un arreglo, o si alguno no tiene su forma.
    """
    tensors = _renamed(files.read(path)[0])
    for name in ("wte.weight", "wpe.weight"):
        if getattr(tensors.get(name), "ndim", 0) != 2:
            raise ValueError(f"path: se esperaba un archivo de GPT-2, con una tabla {name}")
    vocabulary, width = tensors["wte.weight"].shape
    found = [re.match(r"h\.(\d+)\.", name) for name in tensors]
    blocks = 1 + max((int(match[1]) for match in found if match), default=0)
    sizes = vocabulary, len(tensors["wpe.weight"]), width
    # Un archivo dañado podría decir que hay un millón de bloques.
    shapes = gpt2_names(*sizes, min(blocks, len(tensors)))
    for name in sorted(set(tensors) - set(shapes)):
        raise ValueError(f"path: {name!r} no es de un GPT-2 de {blocks} bloques")
    for name, shape in shapes.items():
        if name not in tensors:
            raise ValueError(f"path: falta {name!r}, de forma {shape}")
        if tensors[name].shape != shape:
            raise ValueError(f"{name}: se esperaba la forma {shape}, pero llegó {tensors[name].shape}")
        check.floats(tensors[name], name)
    heads = _divisor(heads, width)
    model = gpt(*sizes, heads, blocks)
    _fill(model, tensors, heads)
    return model


def _renamed(tensors):
    found = {name.removeprefix("transformer."): value for name, value in tensors.items()}
    if len(found) < len(tensors):
        twice = next(name for name in found if name in tensors and f"transformer.{name}" in tensors)
        raise ValueError(f"path: se esperaba una vez cada arreglo, pero están {twice!r} y 'transformer.{twice}'")
    tensors = found
    head = tensors.pop("lm_head.weight", None)
    if head is not None and not np.array_equal(head, tensors.get("wte.weight")):
        raise ValueError("path: se esperaba que lm_head.weight fuera la misma tabla que wte.weight, pero es otra")
    return {name: value for name, value in tensors.items() if not IGNORED.fullmatch(name)}


def _fill(model, tensors, heads):
    # Cada arreglo, a su lugar.
    table, places, blocks, norm = _parts(model)
    table.set_weights([tensors["wte.weight"]])
    places.set_weights([tensors["wpe.weight"]])
    for k, block in enumerate(blocks):
        names = "ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj"
        pairs = [[tensors[f"h.{k}.{name}.{kind}"] for kind in ("weight", "bias")] for name in names]
        norm_1, qkv, output, norm_2, up, down = pairs
        block.set_weights([*plain_split_heads(*qkv, *output, heads), *norm_1, *up, *down, *norm_2])
    norm.set_weights([tensors["ln_f.weight"], tensors["ln_f.bias"]])
