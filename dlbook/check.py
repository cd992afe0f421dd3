r"""Comprobación de argumentos: todo lo que entra al libro pasa por aquí antes de llegar al código compilado.

Numba no revisa los límites de los arreglos: una forma equivocada o una etiqueta fuera de rango que llegue a un núcleo
corrompe la memoria. Cada función devuelve el argumento listo para calcular o lanza un error de una frase que dice qué
se esperaba y qué llegó.
"""

import numbers

import numpy as np


def floats(value, name, shape=None, sizes=None):
    r"""Convierte en un arreglo contiguo de números reales finitos, con la forma pedida.

    Parameters
    ----------
    value : array_like
        Números reales: ``float32`` y ``float64`` se conservan; enteros y booleanos pasan a ``float64``.
    name : str
        Nombre del argumento, para el mensaje.
    shape : str, optional
        Una palabra por eje: un número lo fija, una letra lo nombra, ``...`` admite los ejes que sean al principio.
    sizes : dict, optional
        Tamaños ya conocidos de los ejes con nombre; se completa con los de este arreglo, de modo que dos argumentos
        que comparten letra tienen que concordar.

    Returns
    -------
    ndarray
        Contiguo en memoria (orden C). Puede compartir memoria con ``value``.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si la forma no es la pedida, si está vacío o si hay NaN o infinitos.

    Examples
    --------
    >>> sizes = {}
    >>> x = floats([[1, 2], [3, 4]], "x", "n d", sizes)
    >>> floats([1, 2, 3], "w", "d", sizes)
    Traceback (most recent call last):
        ...
    ValueError: w: se esperaba la forma (d=2), pero llegó (3,)
    >>> floats([1, float("nan")], "x", "d")
    Traceback (most recent call last):
        ...
    ValueError: x: se esperaban números finitos, pero hay un nan en la posición (1,)
    """
    array = _array(value, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: se esperaban números reales, pero llegó {_describe(value, array)}")
    if array.dtype not in (np.float32, np.float64):
        with np.errstate(over="ignore"):  # lo que no quepa en float64 se rechaza abajo, por infinito
            array = array.astype(np.float32 if array.dtype == np.float16 else np.float64)
    if shape is not None:
        _fit(array, name, shape, {} if sizes is None else sizes)
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name}: se esperaban números finitos, pero hay un {array[where]} en la posición {where}")
    return np.ascontiguousarray(array) if array.ndim else array


def labels(value, name, classes, shape="n", sizes=None):
    r"""Convierte en un arreglo de enteros que pertenecen todos al conjunto dado.

    Parameters
    ----------
    value : array_like
        Etiquetas; admite booleanos y números reales sin parte fraccionaria.
    name : str
        Nombre del argumento, para el mensaje.
    classes : int or sequence of int
        Un entero K admite 0, …, K − 1; una secuencia, solo sus valores.
    shape, sizes
        Como en :func:`floats`.

    Returns
    -------
    ndarray of int64
        Contiguo en memoria.

    Raises
    ------
    TypeError
        Si no son números.
    ValueError
        Si la forma no es la pedida o alguna etiqueta queda fuera del conjunto.

    Examples
    --------
    >>> labels([0, 1, 1], "y", 2)
    array([0, 1, 1])
    >>> labels([0, 3], "y", 3)
    Traceback (most recent call last):
        ...
    ValueError: y: se esperaba un entero entre 0 y 2, pero hay un 3 en la posición (1,)
    >>> labels([1, 0], "y", (-1, 1))
    Traceback (most recent call last):
        ...
    ValueError: y: se esperaba uno de -1, 1, pero hay un 0 en la posición (1,)
    """
    array = floats(value, name, shape, sizes)
    if isinstance(classes, numbers.Integral):
        outside = (array != np.floor(array)) | (array < 0) | (array >= classes)
        expected = f"un entero entre 0 y {classes - 1}"
    else:
        outside = ~np.isin(array, classes)
        expected = "uno de " + ", ".join(str(c) for c in classes)
    if outside.any():
        where = tuple(int(i) for i in np.argwhere(outside)[0])
        raise ValueError(f"{name}: se esperaba {expected}, pero hay un {array[where]:g} en la posición {where}")
    return array.astype(np.int64)


def number(value, name, low=-np.inf, high=np.inf, *, open_low=False, open_high=False):
    r"""Devuelve un número real finito que está en el intervalo pedido.

    Parameters
    ----------
    value : float
        Número, o arreglo de un solo elemento sin ejes.
    name : str
        Nombre del argumento, para el mensaje.
    low, high : float
        Extremos del intervalo.
    open_low, open_high : bool
        Si el extremo queda fuera.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        Si no es un número real.
    ValueError
        Si es NaN, infinito o queda fuera del intervalo.

    Examples
    --------
    >>> number(0.1, "learning_rate", 0, open_low=True)
    0.1
    >>> number(-1, "learning_rate", 0, open_low=True)
    Traceback (most recent call last):
        ...
    ValueError: learning_rate: se esperaba un número mayor que 0, pero llegó -1
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, numbers.Real) or isinstance(value, np.timedelta64):
        raise TypeError(f"{name}: se esperaba un número real, pero llegó {_describe(value)}")
    try:
        real = float(value)
    except OverflowError:  # un entero que no cabe en float64
        real = np.inf
    if not np.isfinite(real):
        raise ValueError(f"{name}: se esperaba un número finito, pero llegó {_describe(value)}")
    if real < low or real > high or (open_low and real == low) or (open_high and real == high):
        bounds = []
        if low > -np.inf:
            bounds.append(f"mayor que {low}" if open_low else f"de al menos {low}")
        if high < np.inf:
            bounds.append(f"menor que {high}" if open_high else f"de a lo sumo {high}")
        raise ValueError(f"{name}: se esperaba un número {' y '.join(bounds)}, pero llegó {_describe(value)}")
    return real


def integer(value, name, low=None, high=None):
    r"""Devuelve un entero que está entre ``low`` y ``high``, incluidos los dos.

    Raises
    ------
    TypeError
        Si no es un entero (un booleano tampoco lo es).
    ValueError
        Si queda fuera.

    Examples
    --------
    >>> integer(3, "epochs", 1)
    3
    >>> integer(2.5, "epochs", 1)
    Traceback (most recent call last):
        ...
    TypeError: epochs: se esperaba un entero, pero llegó 2.5
    """
    if not isinstance(value, numbers.Integral) or isinstance(value, (bool, np.bool_, np.timedelta64)):
        raise TypeError(f"{name}: se esperaba un entero, pero llegó {_describe(value)}")
    if (low is not None and value < low) or (high is not None and value > high):
        expected = f"de al menos {low}" if high is None else f"entre {low} y {high}"
        raise ValueError(f"{name}: se esperaba un entero {expected}, pero llegó {_describe(value)}")
    return int(value)


def choice(value, name, options):
    r"""Devuelve ``value`` si es una de las opciones.

    Raises
    ------
    ValueError
        Si no lo es.

    Examples
    --------
    >>> choice("sigmoide", "activation", ["step", "sigmoid"])
    Traceback (most recent call last):
        ...
    ValueError: activation: se esperaba 'step' o 'sigmoid', pero llegó 'sigmoide'
    """
    if not any(value is option or (isinstance(value, str) and value == option) for option in options):
        expected = " o ".join(repr(option) for option in options)
        raise ValueError(f"{name}: se esperaba {expected}, pero llegó {_describe(value)}")
    return value


def generator(seed, name="seed"):
    r"""Devuelve un ``numpy.random.Generator`` a partir de una semilla entera o de otro generador.

    Raises
    ------
    TypeError
        Si no es un entero, un generador ni ``None``.
    ValueError
        Si es un entero negativo.

    Examples
    --------
    >>> int(generator(0).integers(100))
    85
    """
    if seed is None or isinstance(seed, np.random.Generator):
        return np.random.default_rng(seed)
    return np.random.default_rng(integer(seed, name, 0))


def _array(value, name):
    if np.ma.is_masked(value):
        raise ValueError(f"{name}: se esperaba un arreglo completo, pero llegó uno con valores enmascarados")
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"{name}: se esperaba un arreglo, pero llegaron filas de distinto largo") from None


def _fit(array, name, shape, sizes):
    axes = shape.split()
    free = axes[:1] == ["..."]
    axes = axes[1:] if free else axes
    dims = array.shape[array.ndim - len(axes) :] if free else array.shape
    known = [int(a) if a.isdigit() else sizes.get(a) for a in axes]
    if len(dims) != len(axes) or any(k not in (None, d) for k, d in zip(known, dims, strict=True)):
        wanted = [f"{a}={k}" if k is not None and not a.isdigit() else a for a, k in zip(axes, known, strict=True)]
        wanted = ", ".join(["…"] * free + wanted)
        raise ValueError(f"{name}: se esperaba la forma ({wanted}), pero llegó {array.shape}")
    if array.size == 0:
        raise ValueError(f"{name}: se esperaba al menos un elemento, pero llegó la forma {array.shape}")
    sizes.update((a, d) for a, d in zip(axes, dims, strict=True) if not a.isdigit())


def _describe(value, array=None):
    if isinstance(value, str) or not hasattr(value, "__len__"):
        text = repr(value)
        return text if len(text) <= 60 else text[:57] + "..."
    array = np.asarray(value, dtype=object) if array is None else array
    return f"un arreglo de tipo {array.dtype} y forma {array.shape}"
