r"""Comprobación de argumentos: todo lo que entra al libro pasa por aquí antes de llegar al código compilado.

Numba no revisa los límites de los arreglos: una forma equivocada o una etiqueta fuera de rango que llegue a un núcleo
corrompe la memoria. Cada función devuelve el argumento listo para calcular o lanza un error de una frase que dice qué
se esperaba y qué llegó.
"""

import functools
import inspect
import math
import numbers
import os
import random
import threading
from collections.abc import Iterable, Mapping, Set

import numpy as np

from dlbook import registry
from dlbook.now import now

# El mayor arreglo que existe: sus números se cuentan con un entero de 64 bits con signo.
LARGEST = 2**63 - 1
# Cuántos bytes tiene una línea de la caché, y cuántos una página grande de la memoria.
LINE, PAGE = 64, 2 << 20
# Cuántos bytes tiene una página corriente, y cuántos separan los lugares de ella donde puede empezar un arreglo.
SMALL_PAGE, STEP = 4096, 256
# De a cuántos bytes se pide la memoria que va a durar.
BLOCK = 8 << 20
# De a cuántos números se revisa un arreglo grande.
CHUNK = 1 << 16
# Lo que queda del bloque de donde sale la memoria que va a durar, y su candado.
_rest = {"bytes": np.empty(0, np.uint8), "lock": threading.Lock()}
if hasattr(os, "register_at_fork"):
    # En un proceso recién nacido, quien tuviera el candado ya no está.
    os.register_at_fork(after_in_child=lambda: _rest.update(lock=threading.Lock()))
# De dónde nacen las semillas de lo que no tiene la suya, si alguien la fijó.
_seeds, _seeds_lock = [], threading.Lock()


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
    array = numbers_of(value, name, shape, sizes)
    if array.dtype not in (np.float32, np.float64):
        with np.errstate(over="ignore"):  # lo que no quepa en float64 se rechaza abajo, por infinito
            array = array.astype(np.float32 if array.dtype == np.float16 else np.float64)
    finite(array, name)
    return array


def numbers_of(value, name, shape=None, sizes=None):
    r"""Convierte en un arreglo contiguo de números reales, sin cambiarles el tipo ni revisar si son finitos.

    >>> numbers_of([[1, 2], [3, 4]], "x").dtype.kind
    'i'

    De una tabla de pandas se toman las columnas: todas han de ser de números, sin que falte ninguno. Lo que está en un
    archivo, ``np.memmap``, ahí se queda.

    Parameters
    ----------
    value : array_like
        Números reales, enteros o booleanos.
    name : str
        Nombre del argumento, para el mensaje.
    shape, sizes
        Como en :func:`floats`.

    Returns
    -------
    ndarray
        Contiguo en memoria. Puede compartir memoria con ``value``.

    Raises
    ------
    TypeError
        Si no son números reales.
    ValueError
        Si la forma no es la pedida, o si a una columna le faltan valores.
    """
    array = _from_table(value, name) if hasattr(value, "to_numpy") and hasattr(value, "isna") else _array(value, name)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name}: se esperaban números reales, pero llegó {_describe(value, array)}")
    array = np.require(array, requirements=["C", "A"]) if array.ndim else array
    if shape is not None:
        _fit(array, name, shape, {} if sizes is None else sizes)
    return array


def cast(array, name, dtype):
    r"""Da los mismos números en otro tipo, contiguos, si son finitos y caben; copia a lo sumo una vez.

    >>> cast(np.array([1, 2], np.uint8), "y", "float32")
    array([1., 2.], dtype=float32)

    Parameters
    ----------
    array : ndarray
        Números reales, contiguos.
    name : str
        Nombre del argumento, para el mensaje.
    dtype : str or numpy.dtype
        El tipo.

    Returns
    -------
    ndarray
        Puede ser el mismo.

    Raises
    ------
    ValueError
        Como en :func:`finite`.
    """
    finite(array, name, np.dtype(dtype))
    return np.asarray(array, dtype, order="C")


def finite(array, name, dtype=None):
    r"""Comprueba que un arreglo no tenga NaN ni infinitos, ni números que no quepan en otro tipo.

    Va por pedazos: la memoria que usa de paso no crece con el arreglo.

    Parameters
    ----------
    array : ndarray
        Números reales, contiguos.
    name : str
        Nombre del argumento, para el mensaje.
    dtype : numpy.dtype, optional
        El tipo al que se van a convertir; sin él, se quedan como están.

    Raises
    ------
    ValueError
        Si hay alguno, con su posición.

        >>> finite(np.array([1.0, -1e300]), "x", np.dtype("float32"))
        Traceback (most recent call last):
            ...
        ValueError: x: hay un -1e+300 en la posición (1,), que no cabe en float32
    """
    if array.dtype.kind != "f":
        return
    flat = array.reshape(-1)
    for start in range(0, flat.size, CHUNK):
        part = flat[start : start + CHUNK]
        if dtype is not None and dtype != part.dtype:
            with np.errstate(over="ignore"):
                part = part.astype(dtype)
        good = np.isfinite(part)
        if not good.all():
            k = start + int(good.argmin())
            value, where = flat[k], tuple(int(i) for i in np.unravel_index(k, array.shape))
            if np.isfinite(value):
                raise ValueError(f"{name}: hay un {value:g} en la posición {where}, que no cabe en {dtype}")
            raise ValueError(f"{name}: se esperaban números finitos, pero hay un {value} en la posición {where}")


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
    array = numbers_of(value, name, shape, sizes)
    finite(array, name)
    # Se revisa la copia que se devuelve: si alguien cambia el original entretanto, ya no importa.
    with np.errstate(invalid="ignore"):
        labels = array.astype(np.int64)
    if isinstance(classes, numbers.Integral):
        outside = (labels < 0) | (labels >= classes)
        expected = f"un entero entre 0 y {classes - 1}"
    else:
        outside = ~np.isin(labels, classes)
        expected = "uno de " + ", ".join(str(c) for c in classes)
    if array.dtype.kind == "f":
        outside |= array != labels
    if outside.any():
        where = tuple(int(i) for i in np.argwhere(outside)[0])
        # Un entero, con todas sus cifras.
        came = f"{float(array[where]):g}" if array.dtype.kind == "f" else array[where].item()
        raise ValueError(f"{name}: se esperaba {expected}, pero hay un {came} en la posición {where}")
    return labels


def whole(value, name):
    r"""Convierte en un arreglo de enteros, del tamaño y con los valores que sean.

    >>> whole([[1.0, -2.0]], "x")
    array([[ 1, -2]])
    >>> whole([0.5], "x")
    Traceback (most recent call last):
        ...
    ValueError: x: se esperaba un entero, pero hay un 0.5 en la posición (0,)

    Parameters
    ----------
    value : array_like
        Números sin parte fraccionaria, de cualquier tipo.
    name : str
        Nombre del argumento, para el mensaje.

    Returns
    -------
    ndarray of int64
        Contiguo en memoria.
    """
    array = numbers_of(value, name)
    if array.dtype.kind == "f":
        finite(array, name)
        outside = array != np.rint(array)
        if outside.any():
            where = tuple(int(i) for i in np.argwhere(outside)[0])
            raise ValueError(f"{name}: se esperaba un entero, pero hay un {array[where]:g} en la posición {where}")
    # El mayor que cabe es 2**63 - 1, que como real se redondea a 2**63.
    largest = max(abs(int(array.min())), abs(int(array.max()))) if array.size else 0
    if largest >= 2**63:
        raise ValueError(f"{name}: se esperaban enteros menores que 2**63, pero hay uno de {largest:.3g}")
    return np.ascontiguousarray(array, np.int64)


def mask(value, name, shape=None):
    r"""Convierte en un arreglo de booleanos lo que dice qué cuenta y qué no: ciertos y falsos, o unos y ceros.

    >>> mask([[1, 0]], "mask")
    array([[ True, False]])
    >>> mask([[1.0, float("nan")]], "mask")
    Traceback (most recent call last):
        ...
    ValueError: mask: se esperaban unos y ceros, pero hay un nan

    Parameters
    ----------
    value : array_like of bool
        La máscara.
    name : str
        Nombre del argumento, para el mensaje.
    shape : tuple of int, optional
        La forma que ha de tener.

    Returns
    -------
    ndarray of bool
        Contiguo en memoria.

    Raises
    ------
    TypeError, ValueError
        Si no son números, si no son unos y ceros o si la forma es otra.
    """
    array = numbers_of(value, name)
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name}: se esperaba la forma {shape}, pero llegó {array.shape}")
    if array.dtype != bool:
        other = (array != 0) & (array != 1)
        if other.any():
            raise ValueError(f"{name}: se esperaban unos y ceros, pero hay un {array[other][0]:g}")
    return array if array.dtype == bool else array.astype(bool)


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
        Si no es un número real (un booleano tampoco lo es).
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
    # Un booleano donde se espera un número es casi siempre un argumento en el lugar de otro.
    if not isinstance(value, numbers.Real) or isinstance(value, (bool, np.bool_, np.timedelta64)):
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


def returned(value, source):
    r"""Comprueba que lo que devolvió el código de quien lee sea un número, y lo da tal cual.

    >>> returned(0.5, "Mine.shard")
    0.5
    >>> returned(None, "Mine.shard")
    Traceback (most recent call last):
        ...
    TypeError: Mine.shard: se esperaba que devolviera un número, pero devolvió None

    Parameters
    ----------
    value : float
        Lo que devolvió.
    source : str
        Quién, para el mensaje.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        Si no es un número.
    """
    if type(value) is not float and not isinstance(value, numbers.Real):
        raise TypeError(f"{source}: se esperaba que devolviera un número, pero devolvió {_describe(value)}")
    return value


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


def boolean(value, name):
    r"""Devuelve un booleano: de Python, de NumPy o escrito como 0 o 1.

    Raises
    ------
    ValueError
        Si es otra cosa.

    Examples
    --------
    >>> boolean(np.True_, "use_bias"), boolean(0, "shuffle")
    (True, False)
    >>> boolean("no", "use_bias")
    Traceback (most recent call last):
        ...
    ValueError: use_bias: se esperaba True o False, pero llegó 'no'
    """
    if isinstance(value, (bool, np.bool_)) or (isinstance(value, numbers.Integral) and value in (0, 1)):
        return bool(value)
    raise ValueError(f"{name}: se esperaba True o False, pero llegó {_describe(value)}")


def choice(value, name, options, *, exact=False):
    r"""Devuelve la opción que es ``value``, como está escrita entre las opciones.

    Parameters
    ----------
    value : object
        Lo que llegó.
    name : str
        Nombre del argumento, para el mensaje.
    options : iterable
        Las opciones.
    exact : bool
        Si las mayúsculas cuentan. Sin decirlo no cuentan, como en Keras, y hay que usar lo que se devuelve.

    Raises
    ------
    ValueError
        Si no es ninguna.

    Examples
    --------
    >>> choice("SAME", "padding", ["valid", "same"])
    'same'
    >>> choice("sigmoide", "activation", ["step", "sigmoid"])
    Traceback (most recent call last):
        ...
    ValueError: activation: se esperaba 'step' o 'sigmoid', pero llegó 'sigmoide'
    """
    fold = str if exact else str.lower
    for option in options:
        if value is option or (isinstance(value, str) and isinstance(option, str) and fold(value) == fold(option)):
            return option
    expected = " o ".join(repr(option) for option in options)
    raise ValueError(f"{name}: se esperaba {expected}, pero llegó {_describe(value)}")


def shape(value, name, *, unknown=False):
    r"""Devuelve una forma como tupla de enteros positivos, de los de Python: los de NumPy se desbordan al multiplicar.

    Parameters
    ----------
    value : sequence of int
        Un tamaño por eje.
    name : str
        Nombre del argumento, para el mensaje.
    unknown : bool
        Si un tamaño puede ser ``None``: el que traigan los datos.

    Returns
    -------
    tuple of int

    Raises
    ------
    TypeError
        Si no es una sucesión o algún tamaño no es entero.
    ValueError
        Si algún tamaño no es positivo, o no hay arreglo tan grande.

    Examples
    --------
    >>> shape([np.int8(28), 28], "input_shape")
    (28, 28)
    >>> shape((None, 3), "input_shape", unknown=True)
    (None, 3)
    >>> shape((28, -1), "input_shape")
    Traceback (most recent call last):
        ...
    ValueError: input_shape[1]: se esperaba un entero de al menos 1, pero llegó -1
    """
    if not isinstance(value, (tuple, list)) and not (isinstance(value, np.ndarray) and value.ndim == 1):
        raise TypeError(f"{name}: se esperaba una tupla de enteros, pero llegó {_describe(value)}")
    sizes = tuple(
        None if unknown and size is None else integer(size, f"{name}[{k}]", 1) for k, size in enumerate(value)
    )
    total = math.prod(size for size in sizes if size is not None)
    if total > LARGEST:
        raise ValueError(f"{name}: se esperaba una forma que quepa en un arreglo, pero llegó {_describe(str(sizes))}")
    return sizes


def memory(numbers, what, itemsize=4):
    r"""Comprueba que lo que se va a pedir quepa en la memoria de esta máquina, antes de pedirlo.

    Pedir de más no siempre falla enseguida: hay sistemas que prometen memoria que no tienen, y entonces la máquina se
    ahoga o mata al programa mucho después, lejos de la línea que lo causó.

    Parameters
    ----------
    numbers : int
        Cuántos números.
    what : str
        Para qué son, para el mensaje.
    itemsize : int
        Cuántos bytes ocupa cada uno.

    Raises
    ------
    ValueError
        Si no caben.

    Examples
    --------
    >>> memory(1000, "kernel")
    >>> memory(2**60, "kernel")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: kernel: harían falta 4.61e+09 GB de memoria, y esta máquina tiene ...
    """
    needed, available = numbers * itemsize, total_memory()
    if needed > available:
        # Un entero de mil cifras no se puede dividir entre 1e9.
        needed = min(needed, 10**30) / 1e9
        raise ValueError(f"{what}: harían falta {needed:.3g} GB de memoria, y esta máquina tiene {available / 1e9:.3g}")


def empty(shape, what, dtype=np.float64, place=None):
    r"""Pide memoria para un arreglo, sin llenarla, después de contar que quepa.

    Empieza donde empieza una línea de la caché, de :data:`LINE` bytes. Lo que el procesador lee de una vez es así una
    línea, y no dos mitades; en un producto de matrices pequeñas se nota.

    >>> z = empty((2, 3), "z", np.float32)
    >>> z.shape, z.ctypes.data % LINE
    ((2, 3), 0)

    **Los que se recorren a la vez** van más aprisa si cada uno empieza en otro lugar de una página de 4096 *bytes*: con
    los últimos 12 bits de la dirección iguales, leer ``b[i]`` después de escribir ``a[i]`` parece leer lo recién
    escrito, y el procesador espera. :doc:`/mlp/costo-optimizador` lo cuenta y lo mide. Con ``place`` se le da a cada
    uno su lugar:

    >>> a, b = (empty(1000, name, np.float32, place=k) for k, name in enumerate("ab"))
    >>> a.ctypes.data % SMALL_PAGE, b.ctypes.data % SMALL_PAGE
    (0, 256)

    >>> empty((2**30, 2**30), "z")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: z: harían falta 9.22e+09 GB de memoria, y esta máquina tiene ...

    Parameters
    ----------
    shape : tuple of int or int
        La forma.
    what : str
        Para qué es, para el mensaje.
    dtype : dtype
        El tipo de sus números.
    place : int, optional
        En qué lugar de una página empieza: hay 16, cada :data:`STEP` *bytes*, y después del último vuelve el primero.
        Si no se da, en el que toque.

    Returns
    -------
    ndarray, shape ``shape``

    Raises
    ------
    ValueError
        Si no cabe.
    """
    size, dtype = _size(shape, what, dtype)
    extra = 0 if place is None else place * STEP % SMALL_PAGE
    # El que ocupa páginas grandes enteras empieza donde empieza una; qué se gana con eso, en la función que sigue.
    step = PAGE if size >= PAGE else LINE if place is None else SMALL_PAGE
    return _aligned(size + extra, step)[extra:].view(dtype).reshape(shape)


def lasting(shape, what, dtype=np.float64):
    r"""Pide memoria como :func:`empty`, para lo que va a durar: lo que escribe una y otra vez quien entrena.

    El procesador no sabe dónde está cada número: lo busca por páginas, y recuerda dónde están las últimas que usó. Con
    páginas de 4 kB, las de un paso no caben en esa lista y hay que buscarlas una y otra vez. Hay páginas de 2 MB, pero
    solo le tocan a quien pide mucha memoria junta. Por eso se piden de a :data:`BLOCK` *bytes*, y de ahí sale un
    arreglo tras otro. El bloque se devuelve cuando nadie usa ninguno de los suyos.

    >>> x, y = (lasting((3, 1000), name, np.float32) for name in "xy")
    >>> x.ctypes.data % LINE, np.shares_memory(x, y)
    (0, False)
    >>> lasting((2**30, 2**30), "z")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: z: harían falta 9.22e+09 GB de memoria, y esta máquina tiene ...

    Parameters
    ----------
    shape, what, dtype
        Como en :func:`empty`.

    Returns
    -------
    ndarray, shape ``shape``

    Raises
    ------
    ValueError
        Si no cabe.
    """
    size, dtype = _size(shape, what, dtype)
    # Con una línea de más: dos arreglos que empezaran en el mismo lugar de sus páginas se estorbarían en la caché.
    lines = -(-size // LINE) * LINE + LINE
    with _rest["lock"]:
        if lines > _rest["bytes"].size:
            _rest["bytes"] = _aligned(max(BLOCK, lines), PAGE)
        block = _rest["bytes"]
        _rest["bytes"] = block[lines:]
    return block[:size].view(dtype).reshape(shape)


def _size(shape, what, dtype):
    dtype = np.dtype(dtype)
    count = math.prod(shape) if isinstance(shape, tuple) else shape
    memory(count, what, dtype.itemsize)
    return count * dtype.itemsize, dtype


def _aligned(size, step):
    # Tantos bytes, desde una dirección que es múltiplo de step; con lo que sobra de la última página, que también toca.
    raw = np.empty(-(-size // step) * step + step, np.uint8)
    start = -raw.__array_interface__["data"][0] % step
    return raw[start : start + size]


@functools.cache
def total_memory():
    r"""Da cuánta memoria tiene esta máquina, en bytes.

    >>> total_memory() > 2**20
    True

    Returns
    -------
    int
        Donde no se puede preguntar, el mayor arreglo que existe; ahí es el sistema quien se niega.
    """
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return LARGEST


def layer(value, name):
    r"""Devuelve ``value`` si es una capa; un modelo también lo es.

    Raises
    ------
    TypeError
        Si no lo es.

    Examples
    --------
    >>> from chapters.mlp import Dense
    >>> layer(Dense(3), "shortcut")
    <Dense 'dense'>
    >>> layer([Dense(3)], "shortcut")
    Traceback (most recent call last):
        ...
    TypeError: shortcut: se esperaba una capa, pero llegó [<Dense 'dense'>]
    """
    if not isinstance(value, registry.base("layer")):
        raise TypeError(f"{name}: se esperaba una capa, pero llegó {_shorten(repr(value))}")
    return value


def model(value, name="model"):
    r"""Devuelve ``value`` si es un modelo: una capa que sabe entrenarse.

    Raises
    ------
    TypeError
        Si no lo es.

    Examples
    --------
    >>> model("lenet.safetensors")
    Traceback (most recent call last):
        ...
    TypeError: model: se esperaba un modelo, pero llegó 'lenet.safetensors'
    """
    if not isinstance(value, registry.base("layer")) or not hasattr(value, "fit"):
        raise TypeError(f"{name}: se esperaba un modelo, pero llegó {_shorten(repr(value))}")
    return value


def text(value, name):
    r"""Devuelve ``value`` si es un texto que no está vacío.

    Raises
    ------
    TypeError
        Si no lo es.

    Examples
    --------
    >>> text("red", "name")
    'red'
    >>> text(3, "name")
    Traceback (most recent call last):
        ...
    TypeError: name: se esperaba un texto, pero llegó 3
    """
    if not isinstance(value, str) or not value:
        raise TypeError(f"{name}: se esperaba un texto, pero llegó {_describe(value)}")
    return value


def sequence(value, name, n=None, *, empty=False):
    r"""Devuelve como lista algo que se puede recorrer en orden, de largo ``n`` si se dice; vacío, solo con ``empty``.

    Raises
    ------
    TypeError
        Si no se puede recorrer, o es un texto, un diccionario o un conjunto.
    ValueError
        Si está vacío o es de otro largo.

    Examples
    --------
    >>> sequence((1, 2), "sizes")
    [1, 2]
    >>> sequence("relu", "activations")
    Traceback (most recent call last):
        ...
    TypeError: activations: se esperaba una lista, pero llegó 'relu'
    """
    listed = isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping, Set))
    if not listed or (isinstance(value, np.ndarray) and not value.ndim):
        raise TypeError(f"{name}: se esperaba una lista, pero llegó {_describe(value)}")
    value = list(value)
    if n is not None and len(value) != n:
        raise ValueError(f"{name}: se esperaban {n} elementos, pero llegaron {len(value)}")
    if not (value or empty):
        raise ValueError(f"{name}: se esperaba al menos un elemento, pero no llegó ninguno")
    return value


def function(value, name, arguments=0):
    r"""Devuelve ``value`` si es una función a la que se le pueden dar tantos argumentos, y nada más.

    Raises
    ------
    TypeError
        Si no lo es.

    Examples
    --------
    >>> function(np.sin, "f", 1)
    <ufunc 'sin'>
    >>> function(lambda x, y: x, "f", 1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    TypeError: f: se esperaba una función de un argumento, pero llegó <function <lambda> at ...
    """
    if not callable(value):
        raise TypeError(f"{name}: se esperaba una función, pero llegó {_describe(value)}")
    try:
        parameters = inspect.signature(value)
    except (TypeError, ValueError):  # de las que no están escritas en Python no siempre se sabe
        return value
    try:
        parameters.bind(*range(arguments))
    except TypeError:
        wanted = {0: "sin argumentos", 1: "de un argumento"}.get(arguments, f"de {arguments} argumentos")
        raise TypeError(f"{name}: se esperaba una función {wanted}, pero llegó {_shorten(repr(value))}") from None
    return value


def set_random_seed(seed):
    r"""Fija el azar de todo el programa: ejecutado otra vez, da los mismos números.

    Lo que se cree después sin semilla propia, sea capa o modelo, la toma de esta, en el orden en que se cree.
    También siembra los generadores de Python y de NumPy, como Keras.

    >>> from chapters.mlp import Dense
    >>> def kernel():
    ...     layer = Dense(1)
    ...     layer.build((2,))
    ...     return layer.kernel.tolist()
    >>> set_random_seed(7)
    >>> first, second = kernel(), kernel()
    >>> set_random_seed(7)
    >>> first == kernel(), first == second
    (True, False)

    Parameters
    ----------
    seed : int
        La semilla, de 0 a :math:`2^{32}-1`.

    Raises
    ------
    TypeError, ValueError
        Si no es un entero de esos.
    """
    seed = integer(seed, "seed", 0, 2**32 - 1)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (es justo el que hay que sembrar)
    with _seeds_lock:
        _seeds[:] = [np.random.SeedSequence(seed)]


def generator(seed, name="seed"):
    r"""Devuelve un ``numpy.random.Generator`` a partir de una semilla entera o de otro generador.

    Sin semilla, ``None``, sale de la de :func:`set_random_seed`; si nadie la fijó, es distinto cada vez.

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
    if seed is None:
        with _seeds_lock:
            return np.random.default_rng(_seeds[0].spawn(1)[0] if _seeds else None)
    if isinstance(seed, np.random.Generator):
        return seed
    return np.random.default_rng(integer(seed, name, 0))


def _array(value, name):
    if np.ma.is_masked(value):
        raise ValueError(f"{name}: se esperaba un arreglo completo, pero llegó uno con valores enmascarados")
    try:
        # Mientras se graba un paso, el arreglo vigilado lo sigue siendo.
        return np.asarray(value) if now.tape is None else np.asanyarray(value)
    except ValueError:
        raise ValueError(f"{name}: se esperaba un arreglo, pero llegaron filas de distinto largo") from None


def _from_table(value, name):
    # Una tabla o una columna de pandas, que no hace falta tener: se reconoce por lo que sabe hacer. Una columna que
    # admite huecos llega como objetos, aunque no los tenga.
    whole = hasattr(value, "columns")
    columns = list(value.items()) if whole else [(getattr(value, "name", None), value)]
    for label, column in columns:
        where = name if label is None else f"{name}, columna {label!r}"
        if getattr(column.dtype, "kind", "O") not in "biuf":
            raise TypeError(f"{where}: se esperaban números, pero es de tipo {column.dtype}; conviértelos antes")
        if not isinstance(column.dtype, np.dtype) and (missing := int(column.isna().sum())):
            raise ValueError(f"{where}: se esperaba un número por fila, pero faltan {missing}")
    types = {column.dtype for _, column in columns}
    if not columns or (len(types) == 1 and isinstance(next(iter(types)), np.dtype)):
        return np.asarray(value)
    # Del tipo de NumPy que hay debajo: el de una columna con huecos, o el de una que solo guarda lo que no es cero.
    kinds = [getattr(t, "numpy_dtype", getattr(t, "subtype", t)) for t in (column.dtype for _, column in columns)]
    arrays = [column.to_numpy(kind) for (_, column), kind in zip(columns, kinds, strict=True)]
    return np.column_stack(arrays) if whole else arrays[0]


def _shorten(text):
    return text if len(text) <= 60 else text[:57] + "..."


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
    if isinstance(value, dict):
        return "un diccionario"
    if isinstance(value, (set, frozenset)):
        return "un conjunto"
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__"):
        return _shorten(repr(value))
    if array is None:
        try:
            array = value if isinstance(value, np.ndarray) else np.asarray(value, dtype=object)
        except ValueError:  # filas de distinto largo
            return f"{type(value).__name__} de {len(value)} elementos"
    return f"un arreglo de tipo {array.dtype} y forma {array.shape}"
