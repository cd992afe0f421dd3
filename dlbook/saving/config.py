r"""La configuración de Keras: qué es un objeto y con qué argumentos se creó, escrito como lo escribe Keras 3.

Un objeto se describe con cuatro datos: su módulo, su clase, su configuración y, si no es de Keras, el nombre con que se
registró. Así viajan las redes a Keras, en memoria o en un archivo, y así vuelven. Como en :mod:`dlbook.saving.objects`,
un archivo solo puede nombrar clases del libro y las que le pases: nada de lo que diga se ejecuta.
"""

import contextlib
import functools
import inspect
import math
import tomllib
from pathlib import Path

from dlbook import registry
from dlbook.attributes import Absent
from dlbook.saving import objects

# En qué módulos de Keras está cada especie; el primero es donde se escribe.
MODULES = {
    "layer": ("keras.layers",),
    "activation": ("keras.layers", "keras.activations"),
    "initializer": ("keras.initializers",),
    "regularizer": ("keras.regularizers",),
    "constraint": ("keras.constraints",),
    "loss": ("keras.losses",),
    "metric": ("keras.metrics",),
    "optimizer": ("keras.optimizers",),
    "schedule": ("keras.optimizers.schedules",),
}
# Los tipos de una entrada de enteros.
WHOLE = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
# Lo que en Keras está a la vista, fuera de esos módulos.
MODELS = {"Sequential": "keras", "Functional": "keras.src.models.functional"}
# Un archivo viejo no dice el módulo: de qué especie es algo se sabe por el argumento en que está.
PLACES = {"layers": "layer", "activation": "activation", "learning_rate": "schedule", "optimizer": "optimizer"}
PLACES |= {"loss": "loss", "metrics": "metric", "weighted_metrics": "metric", "layer": "layer"}
# Con estos valores, un argumento que el libro no tiene no pide nada.
OFF = (None, False, "channels_last", "tf")
OFF_ALSO = {"renorm_momentum": 0.99, "threshold": 0.0, "implementation": 2, "axis": -1, "attention_axes": [1]}
# De Keras, las que no reciben trainable ni activity_regularizer, aunque los tengan.
WITHOUT_TRAINABLE = ("SpatialDropout1D", "SpatialDropout2D")
# Lo que quien lee registró para no tener que pasarlo cada vez.
REGISTERED = {}


@functools.cache
def keras_names():
    r"""Da los nombres públicos de Keras, por módulo; el módulo principal es ``""``.

    >>> "Dense" in keras_names()["layers"]
    True

    Returns
    -------
    dict of frozenset
    """
    text = Path(__file__).with_name("keras_names.toml").read_text(encoding="utf-8")
    return {module: frozenset(names.split()) for module, names in tomllib.loads(text).items()}


def register(package="Custom", name=None):
    r"""Decora una clase propia para que los archivos que la nombran la encuentren sin ``custom_objects``.

    Es ``keras.saving.register_keras_serializable``.

    >>> from chapters.mlp import Dense
    >>> @register("taller")
    ... class Doble(Dense):
    ...     pass
    >>> serialize(Doble(2))["registered_name"]
    'taller>Doble'
    >>> type(deserialize(serialize(Doble(2)))) is Doble
    True

    Parameters
    ----------
    package : str
        El apellido con que se registra.
    name : str, optional
        Otro nombre.

    Returns
    -------
    callable
        El decorador; devuelve la misma clase.
    """

    def decorate(cls):
        if not callable(cls):
            raise TypeError(f"register: se esperaba una clase o una función, pero llegó {cls!r:.60}")
        REGISTERED[f"{package}>{name or cls.__name__}"] = cls
        return cls

    return decorate


@contextlib.contextmanager
def custom_object_scope(custom_objects):
    r"""Da a conocer, por su nombre, unas clases y funciones propias a lo que se lea dentro del ``with``.

    >>> from chapters.mlp import Dense
    >>> class Otra(Dense):
    ...     pass
    >>> with custom_object_scope({"Otra": Otra}):
    ...     deserialize(serialize(Otra(2)))
    <Otra 'otra'>

    Parameters
    ----------
    custom_objects : dict
        Las clases y funciones.
    """
    if not isinstance(custom_objects, dict):
        raise TypeError(f"custom_objects: se esperaba un diccionario de clases, pero llegó {custom_objects!r:.60}")
    before = dict(REGISTERED)
    REGISTERED.update(custom_objects)
    try:
        yield
    finally:
        REGISTERED.clear()
        REGISTERED.update(before)


def get_custom_objects():
    r"""Da el diccionario de las clases y funciones propias que están registradas."""
    return REGISTERED


def _registered_name(cls):
    return next((name for name, found in REGISTERED.items() if found is cls), cls.__name__)


# --- Del objeto a su configuración ---


def serialize(value, where="config"):
    r"""Describe un objeto como lo hace Keras.

    >>> from chapters.mlp import Dense
    >>> from chapters.mlp.regularizers import L2
    >>> for key, value in serialize(L2(0.1)).items():
    ...     print(f"{key}: {value}")
    module: keras.regularizers
    class_name: L2
    config: {'l2': 0.1}
    registered_name: None
    >>> serialize(Dense(3, activation="relu"))["config"]["activation"]
    'relu'

    Parameters
    ----------
    value : object
        Una capa, una pérdida, un optimizador…; o números, textos, listas y diccionarios de ellos.
    where : str
        De quién es, para el mensaje.

    Returns
    -------
    object

    Raises
    ------
    TypeError
        Si hay algo que no se sabe describir, o una clase ajena que usurpa el nombre de una del libro.
    """
    if isinstance(value, (list, tuple)):
        return type(value)(serialize(v, where) for v in value)
    if isinstance(value, dict):
        return {key: serialize(v, where) for key, v in value.items()}
    kind = next((kind for kind in _kinds() if isinstance(value, registry.base(kind))), None)
    if kind is None:
        if inspect.isfunction(value):
            function = {"module": "builtins", "class_name": "function", "config": value.__name__}
            return function | {"registered_name": "function"}
        return objects.describe(value, where)
    cls = type(value)
    if objects.is_namesake(kind, cls):
        raise TypeError(
            f"{where}: {cls.__name__} es una clase tuya que se llama como otra del libro; ponle otro nombre"
        )
    if kind == "activation" and (name := _plain(value)):
        return name
    module, registered = _home(kind, cls)
    described = {"module": module, "class_name": cls.__name__, "config": value.get_config()}
    described["registered_name"] = registered
    return described


def _kinds():
    # Quien lee puede haber importado solo un capítulo.
    return [kind for kind in MODULES if kind in registry.kinds()]


def _home(kind, cls):
    name = cls.__name__
    if not registry.ours(cls):
        return cls.__module__, _registered_name(cls)
    if kind == "layer" and name in MODELS:
        return MODELS[name], "Functional" if name == "Functional" else None
    module = MODULES[kind][0]
    if name in keras_names()[module.removeprefix("keras.")]:
        return module, None
    return cls.__module__, f"dlbook>{name}"


def _plain(activation):
    # La que es como la crea su nombre se escribe con él, si también lo tiene Keras.
    cls = type(activation)
    if getattr(activation, "name", None) not in keras_names()["activations"]:
        return None
    return activation.name if activation.get_config() == cls().get_config() else None


def get_config(value):
    r"""Da los argumentos con que se crea una copia de un objeto, con los nombres de Keras.

    Es lo que devuelve el método ``get_config`` de las capas, las pérdidas, los optimizadores…

    >>> from chapters.mlp.losses import BinaryCrossentropy
    >>> BinaryCrossentropy(from_logits=True).get_config()["from_logits"]
    True

    Parameters
    ----------
    value : object
        El objeto.

    Returns
    -------
    dict
    """
    cls = type(value)
    if objects.own(cls, "get_config"):
        # Una clase propia pide a super() lo de su base: los argumentos suyos los agrega ella.
        cls = next(base for base in cls.__mro__ if registry.ours(base))
    found = objects.arguments(value, cls)
    if isinstance(value, registry.base("layer")):
        found = {name: found.pop(name) for name in ("name", "trainable", "dtype") if name in found} | found
    config = {name: serialize(v, f"{cls.__name__}, {name}") for name, v in found.items()}
    if isinstance(value, registry.base("layer")) and config.get("activation", 0) is None:
        config["activation"] = "linear"
    if cls.__name__ in WITHOUT_TRAINABLE:
        config = {name: v for name, v in config.items() if name not in ("trainable", "activity_regularizer")}
    accepted = objects.parameters(cls)
    config |= {name: default for name, default in _absent(cls).items() if name in accepted}
    if cls is registry.find("layer", "Sequential"):
        config |= _sequential(value)
    return config


@functools.cache
def _absent(cls):
    found = ((name, inspect.getattr_static(cls, name)) for name in dir(cls))
    return {name: option.default for name, option in found if isinstance(option, Absent)}


def _sequential(model):
    described = [serialize(layer, layer.name) for layer in model.layers]
    if not model.built:
        return {"layers": described}
    shape = (None, *model.input_shape)
    dtype = model.input_dtype if model.input_dtype and model.takes_integers(0) else model.dtype.name
    first = {"batch_shape": shape, "dtype": dtype, "sparse": False, "name": "input_layer"}
    first = {"module": "keras.layers", "class_name": "InputLayer", "config": first, "registered_name": None}
    return {"layers": [first, *described], "build_input_shape": shape}


# --- De la configuración al objeto ---


def deserialize(described, custom_objects=None, kind=None):
    r"""Crea lo que :func:`serialize`, o Keras, describió.

    >>> described = {"module": "keras.regularizers", "class_name": "L2"}
    >>> deserialize(described | {"config": {"l2": 0.1}})
    L2(l2=0.1)
    >>> described = {"module": "keras.layers", "class_name": "GRUCell"}
    >>> deserialize(described | {"config": {}})
    Traceback (most recent call last):
        ...
    ValueError: GRUCell: el libro no tiene la clase GRUCell de Keras

    Parameters
    ----------
    described : object
        La descripción.
    custom_objects : dict, optional
        Clases y funciones propias, por su nombre.
    kind : str, optional
        De qué especie ha de ser, si la descripción es de las que no dicen su módulo.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        Si pide una clase o un argumento que aquí no existen, o código.
    """
    custom_objects = REGISTERED | (custom_objects or {})
    if isinstance(described, list):
        return [deserialize(d, custom_objects, kind) for d in described]
    if isinstance(described, tuple):
        return tuple(deserialize(d, custom_objects, kind) for d in described)
    if not isinstance(described, dict):
        return custom_objects.get(described, described) if kind and isinstance(described, str) else described
    if "class_name" not in described:
        return {key: deserialize(d, custom_objects, kind) for key, d in described.items()}
    name, config = described["class_name"], described.get("config")
    if name == "__tuple__":
        return tuple(deserialize(d, custom_objects, kind) for d in described.get("items", ()))
    if not isinstance(name, str) or not name.isidentifier() or len(name) > 60:
        raise ValueError(f"{repr(name)[:60]} no es el nombre de una clase")
    if name == "DTypePolicy":
        return config["name"]
    if name == "SeedGenerator":
        return config.get("seed")
    if name == "function":
        if config in custom_objects:
            return custom_objects[config]
        raise ValueError(f"usa una función de quien la escribió, {config!r:.60}; pásala en custom_objects")
    if not isinstance(config, dict):
        raise ValueError(f"{name}: se esperaba su configuración, pero hay {config!r:.60}")
    found, cls = _find(described, custom_objects, kind)
    if found == "activation" and kind == "layer":
        # En Keras es una capa; aquí, la activación de una.
        common = {key: config[key] for key in ("name", "dtype", "trainable") if key in config}
        own = {key: v for key, v in config.items() if key not in common}
        described = {"activation": from_config(cls, own, custom_objects)} | common
        return from_config(registry.find("layer", "Activation"), described, custom_objects)
    return create(cls, config, custom_objects)


def create(cls, config, custom_objects=None):
    r"""Crea un objeto con su configuración, como lo haga su clase; como :func:`from_config`."""
    if not objects.own(cls, "from_config"):
        return from_config(cls, config, custom_objects)
    if not registry.ours(cls):
        # La de quien lee suele terminar en ``cls(**config)``.
        config = {key: deserialize(value, custom_objects, _place(key)) for key, value in config.items()}
    with custom_object_scope(custom_objects or {}):
        return cls.from_config(config)


def _find(described, custom_objects, kind):
    name, module, registered = described["class_name"], described.get("module"), described.get("registered_name")
    for one in (registered, name):
        if isinstance(one, str) and one in custom_objects:
            return objects.kind_of(custom_objects[one], one), custom_objects[one]
    ours = isinstance(registered, str) and registered.startswith("dlbook>")
    # Un archivo viejo no tiene módulo; el de una clase propia puede ser ``None``.
    theirs = "module" not in described or (isinstance(module, str) and f"{module}.".startswith("keras."))
    if not (ours or theirs):
        raise ValueError(
            f"{name} no es de Keras ni del libro, sino de quien la escribió; si es tuya, pásala en "
            f"custom_objects={{{name!r}: {name}}}"
        )
    # Un nombre puede ser de dos especies, como el de una pérdida y el de una métrica.
    kinds = [k for k, modules in MODULES.items() if ours or module in modules] or list(MODULES)
    if name in MODELS:
        kinds = ["layer"]
    for one in sorted(kinds, key=lambda k: k != kind):
        cls = registry.find(one, name) if one in registry.kinds() else None
        if cls is not None:
            return one, cls
    where = described["config"].get("name", name)
    raise ValueError(f"{str(where)[:60]}: el libro no tiene la clase {name} de Keras")


def from_config(cls, config, custom_objects=None):
    r"""Crea un objeto de una clase con la configuración que da ``get_config``, aquí o en Keras.

    >>> from chapters.mlp import Dense
    >>> Dense.from_config(Dense(3, name="salida").get_config())
    <Dense 'salida'>

    Parameters
    ----------
    cls : type
        La clase.
    config : dict
        Sus argumentos.
    custom_objects : dict, optional
        Clases y funciones propias, por su nombre.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        Si trae un argumento que la clase no tiene y que no está apagado.
    """
    if not isinstance(config, dict):
        raise ValueError(f"{cls.__name__}: se esperaba su configuración, pero hay {config!r:.60}")
    if cls is registry.find("layer", "Sequential"):
        return _sequential_from(cls, config, custom_objects)
    where, known, absent = config.get("name") or cls.__name__, objects.parameters(cls), _absent(cls)
    arguments = {}
    for key, value in config.items():
        if key in ("name", "dtype", "trainable") and not _is_layer(cls):
            # El nombre con que Keras numera las suyas; el tipo es el de lo que les llega.
            if key == "name" and key in known and key not in absent:
                arguments[key] = value
        elif key in absent:
            if value not in (absent[key], *OFF):
                raise ValueError(f"{where}: en Keras tiene {key}={value!r:.60}, que aquí no existe")
        elif key in known:
            arguments[key] = _dtype(value) if key == "dtype" else deserialize(value, custom_objects, _place(key))
        elif value not in OFF and value != OFF_ALSO.get(key) and key not in ("batch_input_shape", "batch_shape"):
            raise ValueError(f"{where}: en Keras tiene {key}={value!r:.60}, que aquí no existe")
    missing = [name for name in objects.required(cls) if name not in arguments]
    if missing:
        raise ValueError(f"{where}: le falta su argumento {missing[0]!r}")
    return cls(**arguments)


def _is_layer(cls):
    return issubclass(cls, registry.base("layer"))


def _place(key):
    return next((kind for kind in MODULES if key.endswith(f"_{kind}")), PLACES.get(key))


def _dtype(value):
    return deserialize(value) if isinstance(value, dict) else value


def _sequential_from(cls, config, custom_objects):
    described = config.get("layers")
    if not isinstance(described, list) or not all(isinstance(d, dict) for d in described):
        raise ValueError("Sequential: se esperaba la lista de sus capas")
    shape = config.get("build_input_shape")
    inputs = [d for d in described if d.get("class_name") == "InputLayer"]
    for first in (*described[:1], *inputs):
        # Los archivos de Keras 2 dicen la forma en la primera capa.
        own = first.get("config") if isinstance(first.get("config"), dict) else {}
        shape = own.get("batch_shape") or own.get("batch_input_shape") or shape
    layers = deserialize([d for d in described if d not in inputs], custom_objects, "layer")
    dtypes = {layer.dtype.name for layer in layers}
    dtype = dtypes.pop() if len(dtypes) == 1 else _dtype(config.get("dtype", "float32"))
    model = cls(layers, config.get("trainable", True), config.get("name"), dtype=dtype)
    if inputs and own.get("dtype") in WHOLE:
        model.input_dtype = own["dtype"]
    if shape is not None and not model.built:
        model.build_inside(input_shape(shape))
    return model


def input_shape(shape):
    r"""Quita de una forma de Keras el eje de las observaciones.

    >>> input_shape([None, 28, 28])
    (28, 28)
    """
    if not isinstance(shape, (list, tuple)) or not shape:
        raise ValueError(f"se esperaba una forma, pero hay {shape!r:.60}")
    sizes = [size for size in shape[1:] if size is not None]
    if not all(type(size) is int for size in sizes) or math.prod(sizes) > objects.MOST_NUMBERS:
        most = objects.MOST_NUMBERS
        raise ValueError(f"se esperaban observaciones de a lo sumo {most} números, y pide la forma {shape!r:.60}")
    return tuple(shape[1:])
