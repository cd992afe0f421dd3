r"""El dibujo de un modelo: una caja por llamada, y una flecha por cada valor que va de una a otra."""

from chapters.mlp.graph import Graph
from chapters.mlp.layer import text_of_shape
from dlbook import check, paths, plot
from dlbook.attributes import only

FORMATS = ("png", "svg", "pdf")


def _box(layer, name, shapes, dtype, shown, call="", thick=False):
    # Un signo de pesos en un nombre no empieza una fórmula.
    kind = "InputLayer" if layer is None else type(layer).__name__
    title = f"{name} ({kind})" if shown["names"] else kind
    lines = [title.replace("$", r"\$")]
    if shown["shapes"]:
        lines.append(", ".join(map(text_of_shape, shapes)))
    if shown["dtype"]:
        lines.append(dtype.name)
    color = plot.GRAY if layer is None else plot.COLORS[3 if layer.layers else 0 if layer.weights else 1]
    return plot.Box(lines + [call] * bool(call), color, dashed=bool(call), thick=thick)


def plot_model(
    model,
    to_file="model.png",
    show_shapes=False,
    show_dtype=False,
    show_layer_names=False,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
):
    r"""Dibuja un modelo y guarda el dibujo. Los argumentos son los de Keras.

    Cada caja es una llamada a una capa: azul si la capa tiene pesos, naranja si no, morada si está hecha de otras
    capas, gris si es una entrada. El borde es grueso donde sale algo del modelo, y cortado en las capas compartidas, a
    las que se llama más de una vez.

    >>> from chapters.mlp import Add, Dense, Input, Model
    >>> x = Input(shape=(2,))
    >>> model = Model(x, Add()([x, Dense(2)(x)]))
    >>> ax = plot_model(model, to_file=None, show_shapes=True)
    >>> [text.get_text() for text in ax.texts]
    ['InputLayer', '(n, 2)', 'Dense', '(n, 2)', 'Add', '(n, 2)']

    Parameters
    ----------
    model : Sequential or Functional
        El modelo, ya construido.
    to_file : str or None
        Dónde se guarda: un archivo ``.png``, ``.svg`` o ``.pdf``. Con ``None``, en ninguno.
    show_shapes, show_dtype : bool
        Si cada caja dice la forma y el tipo de lo que sale de ella.
    show_layer_names : bool
        Si dice también el nombre de la capa.
    rankdir : {"TB", "LR"}
        De arriba abajo, o de izquierda a derecha.
    dpi : int
        Puntos por pulgada de un archivo ``.png``.
    expand_nested, show_layer_activations, show_trainable, splines
        No existen aquí: solo se admiten como Keras los deja si no se dice nada.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        Si no es una fila ni un grafo de capas, si no está construido o si el archivo no es de ninguno de esos tipos.
    """
    only(expand_nested, "expand_nested", False)
    only(show_layer_activations, "show_layer_activations", False)
    only(show_trainable, "show_trainable", False)
    only(splines, "splines", "ortho")
    if not isinstance(model, Graph):
        raise TypeError(f"model: se esperaba un Sequential o un Model(inputs, outputs), pero llegó {model!r:.80}")
    if not model.built:
        raise ValueError(f"{model.name}: aún no está construido; pon un Input al principio o dale unos datos")
    shown = {
        "shapes": check.boolean(show_shapes, "show_shapes"),
        "dtype": check.boolean(show_dtype, "show_dtype"),
        "names": check.boolean(show_layer_names, "show_layer_names"),
    }
    dpi = check.integer(dpi, "dpi", 1)
    if to_file is not None:
        suffix = paths.checked(to_file, "to_file").suffix.lower().lstrip(".")
        check.choice(suffix, "to_file", FORMATS)
    shapes, names, dtypes = model._traced(model.input_shape), model.input_names, model.input_dtypes
    # De quién es el valor de cada lugar: primero las entradas, y después las llamadas, en su orden.
    times = [call.layer for call in model.calls]
    boxes, owners, arrows, exits = [], [], [], set(model._exits)
    for k, (name, dtype) in enumerate(zip(names, dtypes, strict=True)):
        boxes.append(_box(None, name, [shapes[k]], dtype, shown, thick=k in exits))
        owners.append(k)
    for k, call in enumerate(model.calls):
        layer = model.layers[call.layer]
        arrows += [(owners[slot], len(boxes)) for slot in call.sources]
        owners += [len(boxes)] * len(call.targets)
        sizes, total = [shapes[slot] for slot in call.targets], times.count(call.layer)
        which = f"llamada {times[:k].count(call.layer) + 1} de {total}" if total > 1 else ""
        boxes.append(_box(layer, layer.name, sizes, layer.dtype, shown, which, bool(exits & set(call.targets))))
    ax = plot.flow(boxes, arrows, rankdir=rankdir)
    if to_file is not None:
        with paths.replacing(to_file, "to_file") as file:
            ax.figure.savefig(file, format=suffix, dpi=dpi)
    return ax
