r"""El dibujo de una red de imágenes, sacado de la red misma."""

from chapters.mlp.sequential import Sequential
from dlbook import plot
from dlbook.plot.arguments import axes

# Cambian la forma y no los números.
HIDDEN = ("Flatten", "ZeroPadding2D")
COLORS = {"Conv2D": 0, "PartialConv2D": 0, "Dense": 2, "Residual": 3, "Branches": 3, "RadialBasis": 2}


def _label(layer, kind):
    if kind in ("Conv2D", "PartialConv2D"):
        size = layer.kernel_size if isinstance(layer.kernel_size, tuple) else (layer.kernel_size,) * 2
        strides = getattr(layer, "strides", (1, 1))[0]
        groups = getattr(layer, "groups", 1)
        text = "conv {}×{}".format(*size)
        text += f", paso {strides}" if strides > 1 else ""
        text += f", {groups} grupos" if groups > 1 else ""
        return text + (", parcial" if kind == "PartialConv2D" else "")
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        name = "máximo" if kind == "MaxPooling2D" else "promedio"
        text = "{} {}×{}".format(name, *layer.pool_size)
        return text if layer.strides == layer.pool_size else f"{text}, paso {layer.strides[0]}"
    names = {
        "Branches": "inception",
        "Dense": "densa",
        "GlobalAveragePooling2D": "promedio global",
        "RadialBasis": "base radial",
        "Residual": "bloque residual",
        "Subsampling2D": "submuestreo",
    }
    return names.get(kind, layer.name)


def draw_architecture(model, ax=None):
    r"""Dibuja una red ya construida como una torre, capa por capa.

    Es ``dlbook.plot.tower`` con las líneas que salen de la propia red. Las capas iguales seguidas comparten una,
    con un «×» y cuántas son; activaciones, normalizaciones y rellenos no se dibujan.

    >>> from chapters.cnn.architectures.vgg import vgg16
    >>> from chapters.mlp.layer import shapes_only
    >>> with shapes_only():
    ...     model = vgg16()
    >>> ax = draw_architecture(model)
    >>> for text in ax.texts[:4]:
    ...     print(text.get_text())
    imagen
    224 × 224 × 3
    conv 3×3, ×2
    224 × 224 × 64

    Parameters
    ----------
    model : Sequential
        La red; basta que se haya construido con :func:`chapters.mlp.shapes_only`.
    ax : matplotlib.axes.Axes, optional
        Dónde dibujar; sin él se abre una figura.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        Si no es una fila de capas o no está construida.
    """
    if not isinstance(model, Sequential):
        raise TypeError(f"model: se esperaba un Sequential, pero llegó {model!r}")
    if not model.built:
        raise ValueError(f"{model.name}: aún no está construida; pon un Input al principio o dale unos datos")
    if ax is not None:
        ax = axes(ax)
    rows = [["imagen" if len(model.input_shape) == 3 else "entrada", model.input_shape, plot.GRAY, 1]]
    shape = model.input_shape
    for layer in model.layers:
        before, shape = shape, layer.compute_output_shape(shape)
        kind = type(layer).__name__
        # Una activación o una normalización no llevan línea: ni cambian la forma ni mezclan lo que les llega.
        mixes = layer.layers or hasattr(layer, "kernel")
        if kind in HIDDEN or (shape == before and not mixes):
            continue
        row = [_label(layer, kind), shape, plot.COLORS[COLORS.get(kind, 1)], 1]
        if rows[-1][:3] == row[:3]:
            rows[-1][3] += 1
        else:
            rows.append(row)
    return plot.tower([(f"{label}, ×{n}" if n > 1 else label, shape, color) for label, shape, color, n in rows], ax)
