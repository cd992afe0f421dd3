r"""Uno o varios: lo que recibe o da un modelo puede ser una cosa, o una lista de ellas."""


def each(value):
    r"""Da una lista de lo que puede ser uno o varios: los varios vienen en una lista.

    >>> each((3, 2)), each([(3,), (2,)])
    ([(3, 2)], [(3,), (2,)])

    Parameters
    ----------
    value : object or list
        Uno, o una lista de varios. Una tupla, que puede ser una forma, cuenta como uno.

    Returns
    -------
    list
    """
    return value if isinstance(value, list) else [value]


def distribute(value, names, where, default=None):
    r"""Reparte entre las salidas de un modelo lo que se dijo para todas.

    >>> distribute("mse", ["a", "b"], "loss")
    ['mse', 'mse']
    >>> distribute(["mse", "mae"], ["a", "b"], "loss")
    ['mse', 'mae']
    >>> distribute({"b": "mae"}, ["a", "b"], "loss")
    [None, 'mae']

    Parameters
    ----------
    value : object, list or dict
        Lo mismo para todas; una lista, en el orden de las salidas; o un diccionario, por su nombre.
    names : list of str
        Los nombres de las salidas.
    where : str
        Nombre del argumento, para el mensaje.
    default : object
        Lo que les toca a las que falten en el diccionario.

    Returns
    -------
    list
        Uno por salida.

    Raises
    ------
    ValueError
        Si la lista no tiene tantos como salidas, o si el diccionario nombra una que no existe.

        >>> distribute({"c": "mae"}, ["a", "b"], "loss")
        Traceback (most recent call last):
            ...
        ValueError: loss: no hay una salida 'c'; las del modelo son ['a', 'b']
    """
    if isinstance(value, dict):
        unknown = [key for key in value if key not in names]
        if unknown:
            raise ValueError(f"{where}: no hay una salida {unknown[0]!r}; las del modelo son {names}")
        return [value.get(name, default) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ValueError(f"{where}: se esperaba uno por salida, {len(names)}, pero llegaron {len(value)}")
        return list(value)
    return [value] * len(names)
