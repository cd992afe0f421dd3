r"""De objetos a JSON y de regreso: qué capas tiene un modelo y con qué argumentos se crearon.

Una capa se describe con el nombre de su clase y los argumentos de su constructor, como en Keras. El nombre se busca
entre las clases registradas, con :mod:`dlbook.registry`: este paquete no depende de ningún capítulo. Un archivo no
puede pedir ninguna otra cosa; las clases de quien lee hay que pasarlas a mano.
"""

import functools
import inspect
import math
import numbers

import numpy as np

from dlbook import registry
from dlbook.attributes import Configured

# Una observación de más números, un gigabyte, no es para una red de este libro.
MOST_NUMBERS = 1 << 28
# Lo que se sabe describir, además de números, textos, listas y diccionarios.
KINDS = ("layer", "activation", "initializer", "regularizer", "constraint", "loss", "metric", "optimizer", "schedule")


def describe(value, where="config"):
    r"""Describe un objeto con lo que cabe en un JSON.

    Parameters
    ----------
    value : object
        Una capa, una activación, un optimizador…; o números, textos, listas y diccionarios de ellos.
    where : str
        De quién es, para el mensaje.

    Returns
    -------
    object

    Raises
    ------
    TypeError
        Si hay algo que no se sabe describir, como una función, o una clase ajena que usurpa el nombre de una del libro.

    Examples
    --------
    >>> from chapters.mlp.activations import LeakyReLU
    >>> describe([LeakyReLU(0.1), np.float32(2), None])
    [{'activation': 'LeakyReLU', 'config': {'negative_slope': 0.1}}, 2.0, None]
    >>> describe(len)
    Traceback (most recent call last):
        ...
    TypeError: config: no se sabe guardar <built-in function len>
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return float(value)
    if isinstance(value, np.dtype):
        return value.name
    if isinstance(value, np.random.Generator):
        # Una semilla que ya se gastó: lo que importa es el estado, que se guarda aparte.
        return None
    if isinstance(value, (list, tuple)):
        return [describe(v, f"{where}[{k}]") for k, v in enumerate(value)]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: describe(v, f"{where}[{key!r}]") for key, v in value.items()}
    kind = next((kind for kind in _kinds() if isinstance(value, registry.base(kind))), None)
    if kind is None:
        raise TypeError(f"{where}: no se sabe guardar {value!r}")
    name = type(value).__name__
    if is_namesake(kind, type(value)):
        raise TypeError(f"{where}: {name} es una clase tuya que se llama como otra del libro; ponle otro nombre")
    return {kind: name, "config": config(value)}


def _kinds():
    return [kind for kind in KINDS if kind in registry.kinds()]


# Buscar recorre todas las clases, y una red tiene las mismas pocas muchas veces.
@functools.lru_cache
def is_namesake(kind, cls):
    r"""Dice si una clase se llama como otra del libro sin ser ella."""
    return registry.find(kind, cls.__name__) not in (None, cls)


def config(value):
    r"""Da los argumentos con que se crea una copia de un objeto: los de ``get_config``, o los de su constructor.

    >>> from chapters.mlp.reshape import Reshape
    >>> config(Reshape((2, -1), name="cuadro"))
    {'target_shape': [2, -1], 'dtype': 'float32', 'name': 'cuadro', 'trainable': True, 'activity_regularizer': None}

    Parameters
    ----------
    value : object
        El objeto; cada argumento debe estar en un atributo del mismo nombre, quizá con un guion bajo delante.

    Returns
    -------
    dict
    """
    where = type(value).__name__
    if own(type(value), "get_config"):
        return describe(value.get_config(), where)
    return {name: describe(v, f"{where}, {name}") for name, v in arguments(value, type(value)).items()}


def own(cls, method):
    r"""Dice si una clase define por su cuenta un método que :class:`dlbook.attributes.Configured` ya tiene."""
    return next((base for base in cls.__mro__ if method in vars(base)), Configured) is not Configured


def arguments(value, cls):
    r"""Da los argumentos de un objeto, tal como los guarda, que conoce el constructor de una clase.

    >>> from chapters.mlp.reshape import Reshape
    >>> arguments(Reshape((2, -1)), Reshape)["target_shape"]
    (2, -1)

    Parameters
    ----------
    value : object
        El objeto.
    cls : type
        Su clase, o una de sus bases.

    Returns
    -------
    dict
    """
    found = {}
    for name in parameters(cls):
        attribute = next((a for a in (f"_{name}", name) if a in vars(value)), None)
        if attribute is not None:
            found[name] = vars(value)[attribute]
        elif name != "seed" and not hasattr(cls, name):
            # Lo que no está en el objeto, pero sí en su clase, vale lo de siempre.
            raise TypeError(
                f"{cls.__name__}: para guardarla hace falta un atributo que se llame como su argumento {name!r}"
            )
    return found


def parameters(cls):
    r"""Da los nombres de los argumentos de una clase, con los de la base de su especie si acepta ``**options``.

    >>> from chapters.mlp.reshape import Reshape
    >>> parameters(Reshape)
    ['target_shape', 'dtype', 'seed', 'name', 'trainable', 'activity_regularizer']

    Parameters
    ----------
    cls : type
        La clase.

    Returns
    -------
    list of str
    """
    names = []
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            parent = next((b for b in map(registry.base, _kinds()) if issubclass(cls, b) and cls is not b), None)
            names += parameters(parent) if parent is not None else []
        elif parameter.kind is not parameter.VAR_POSITIONAL:
            names.append(parameter.name)
    return names


def rebuild(description, custom_objects=None):
    r"""Crea lo que :func:`describe` describió.

    Parameters
    ----------
    description : object
        La descripción.
    custom_objects : dict, optional
        Clases propias, por su nombre.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        Si pide una clase que no se conoce o un argumento que esa clase no tiene, o si falta uno que necesita.

    Examples
    --------
    >>> rebuild({"activation": "LeakyReLU", "config": {"negative_slope": 0.1}})
    LeakyReLU(negative_slope=0.1)
    >>> rebuild({"activation": "system", "config": {}})
    Traceback (most recent call last):
        ...
    ValueError: no se conoce la clase 'system'; si es tuya, pásala en custom_objects={'system': system}
    """
    if isinstance(description, list):
        return [rebuild(d, custom_objects) for d in description]
    if not isinstance(description, dict):
        return description
    kind = next((kind for kind in KINDS if set(description) == {kind, "config"}), None)
    if kind is None and "class_name" in description:
        # Está escrito como en Keras: lo lee el from_config de la clase que lo escribió.
        return description
    if kind is None:
        return {name: rebuild(d, custom_objects) for name, d in description.items()}
    cls = _class(kind, description[kind], custom_objects or {})
    arguments = description["config"]
    if not isinstance(arguments, dict):
        raise ValueError(f"{cls.__name__}: se esperaban sus argumentos, pero hay {arguments!r:.60}")
    arguments = {name: rebuild(d, custom_objects) for name, d in arguments.items()}
    if own(cls, "from_config") or own(cls, "get_config"):
        from dlbook.saving.config import create

        return create(cls, arguments, custom_objects)
    unknown = [name for name in arguments if name not in parameters(cls)]
    if unknown:
        raise ValueError(f"{cls.__name__}: no se conoce su argumento {unknown[0][:60]!r}")
    missing = [name for name in required(cls) if name not in arguments]
    if missing:
        raise ValueError(f"{cls.__name__}: le falta su argumento {missing[0]!r}")
    return cls(**arguments)


def required(cls):
    r"""Da los argumentos que una clase no puede suponer."""
    every = inspect.signature(cls).parameters.values()
    return [p.name for p in every if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def kind_of(cls, name):
    r"""Dice de qué especie es una clase propia, que llegó con un nombre."""
    kind = next((k for k in _kinds() if isinstance(cls, type) and issubclass(cls, registry.base(k))), None)
    if kind is None:
        raise ValueError(f"custom_objects[{name!r}]: se esperaba una clase del libro o que herede de una")
    return kind


def _class(kind, name, custom_objects):
    if isinstance(name, str) and name in custom_objects:
        cls = custom_objects[name]
        if not (isinstance(cls, type) and issubclass(cls, registry.base(kind))):
            raise ValueError(
                f"custom_objects[{name!r}]: se esperaba una clase que herede de {registry.base(kind).__name__}"
            )
        return cls
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 60:
        raise ValueError(f"{kind}: {repr(name)[:60]} no es el nombre de una clase")
    cls = registry.find(kind, name)
    if cls is None:
        raise ValueError(f"no se conoce la clase {name!r}; si es tuya, pásala en custom_objects={{{name!r}: {name}}}")
    return cls
