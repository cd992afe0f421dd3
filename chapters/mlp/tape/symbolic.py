r"""Una operación con valores simbólicos: una capa que la hará cuando lleguen los datos."""

import numbers

from chapters.mlp.symbol import Symbol, substituted, symbols_in

# Las que ya son una capa del libro, que se puede guardar.
LAYERS = {
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "maximum": "Maximum",
    "minimum": "Minimum",
}


def symbolic(operation, arguments, options):
    r"""Apunta una operación de valores simbólicos y da lo que sale, otro valor simbólico.

    Entre dos valores, las de todos los días son capas como :class:`~chapters.mlp.Add`; con un número, son
    :class:`~chapters.mlp.Rescaling`. Las demás son :class:`~chapters.mlp.Lambda`, que no se pueden guardar.

    >>> from chapters.mlp import Input, Model
    >>> x = Input(shape=(2,))
    >>> model = Model(x, (2 * x - 1) * x)
    >>> model.predict([[3.0, 4.0]])
    array([[15., 28.]], dtype=float32)
    >>> [type(layer).__name__ for layer in model.layers]
    ['InputLayer', 'Rescaling', 'Rescaling', 'Multiply']

    Parameters
    ----------
    operation : callable
        Una de ``ops``.
    arguments : tuple
        Los argumentos de posición.
    options : dict
        Los demás.

    Returns
    -------
    Symbol
    """
    from chapters import mlp

    name = operation.__name__
    if name in LAYERS and all(isinstance(one, Symbol) for one in arguments) and not options:
        return getattr(mlp, LAYERS[name])()(list(arguments))
    scaled = _scaled(name, arguments) if not options else None
    if scaled is not None:
        x, scale, offset = scaled
        return mlp.Rescaling(scale, offset)(x)
    inputs = list(symbols_in((*arguments, *options.values())))

    def call(values):
        pending = iter(values if len(inputs) > 1 else [values])
        given = substituted(arguments, lambda _: next(pending))
        return operation(*given, **substituted(options, lambda _: next(pending)))

    layer = mlp.Lambda(call)
    layer.name = name
    return layer(inputs if len(inputs) > 1 else inputs[0])


def _scaled(name, arguments):
    # Un valor por un número, más un número: qué valor, por cuánto y más cuánto.
    x = next((one for one in arguments if isinstance(one, Symbol)), None)
    if name == "negative" and len(arguments) == 1:
        return x, -1.0, 0.0
    if len(arguments) != 2 or name not in ("add", "subtract", "multiply", "divide"):
        return None
    first, second = arguments
    number = second if isinstance(first, Symbol) else first
    if not isinstance(number, numbers.Real) or isinstance(number, bool):
        return None
    number = float(number)
    if name == "add":
        return x, 1.0, number
    if name == "subtract":
        return (x, 1.0, -number) if isinstance(first, Symbol) else (x, -1.0, number)
    if name == "multiply":
        return x, number, 0.0
    return (x, 1 / number, 0.0) if isinstance(first, Symbol) and number else None
