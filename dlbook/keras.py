r"""De este libro a Keras y de Keras a este libro.

Las capas se llaman igual, reciben lo mismo y guardan sus pesos en el mismo orden. Para mudar solo los números no hace
falta nada de este archivo: ``otra.set_weights(una.get_weights())``, en cualquiera de los dos sentidos.
"""

import inspect

from dlbook import registry
from dlbook.saving import objects

# En qué módulo de Keras está cada especie.
MODULES = {"layer": "layers", "activation": "layers", "initializer": "initializers", "regularizer": "regularizers"}
# Las activaciones que en Keras son además una capa.
ACTIVATION_LAYERS = ("ReLU", "LeakyReLU", "ELU", "Softmax")


def to_keras(model):
    r"""Construye en Keras la misma red, con los mismos pesos.

    .. code-block:: python

       keras_model = to_keras(model)
       keras_model.predict(x)            # lo mismo que model.predict(x)

    Cada capa se describe con los argumentos de su constructor, y con esos mismos argumentos se llama a la de Keras. La
    pérdida y el optimizador no viajan: llama a ``compile`` del otro lado.

    Parameters
    ----------
    model : Sequential
        La red, ya construida.

    Returns
    -------
    keras.Sequential

    Raises
    ------
    ImportError
        Si Keras no está instalado.
    ValueError
        Si no es un Sequential, si no está construida o si tiene algo que Keras no.
    """
    keras = _keras()
    if type(model) is not registry.find("layer", "Sequential"):
        raise ValueError(f"model: se esperaba un Sequential de este libro, pero llegó {model!r:.60}")
    if not model.built:
        raise ValueError("model: aún no está construido; pon un Input al principio o dale unos datos")
    # Un Sequential de Keras no recibe dtype: toma el general, y a él convierte sus entradas.
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(model.dtype.name)
    try:
        other = _there(keras, objects.describe(model), model.input_shape)
    finally:
        keras.config.set_dtype_policy(usual)
    other.set_weights(model.get_weights())
    _settle(other)
    return other


def from_keras(model):
    r"""Construye aquí la misma red que en Keras, con los mismos pesos.

    .. code-block:: python

       model = from_keras(keras_model)
       model.predict(x)                  # lo mismo que keras_model.predict(x)

    La pérdida y el optimizador no viajan: llama a ``compile`` de este lado.

    Parameters
    ----------
    model : keras.Sequential
        La red, ya construida.

    Returns
    -------
    Sequential

    Raises
    ------
    ImportError
        Si Keras no está instalado.
    ValueError
        Si la red no está construida, no es una fila de capas o tiene algo que aquí no existe o que no es de Keras,
        aunque se llame igual.
    """
    keras = _keras()
    if type(model) is not keras.Sequential:
        raise ValueError(f"model: se esperaba un keras.Sequential, pero llegó {type(model).__name__}")
    shape = model.input_shape[1:] if model.built and model.layers else None
    if shape is None or None in shape:
        raise ValueError("model: se esperaba una red construida para entradas de forma fija; ponle un keras.Input")
    ours = objects.rebuild(_here(keras, model))
    ours.build(shape)
    ours.set_weights(model.get_weights())
    return ours


def _settle(layer):
    # La que normaliza no usa sus pesos, sino lo que saca de ellos cuando se le pide.
    for inner in getattr(layer, "layers", ()):
        _settle(inner)
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()


def _keras():
    try:
        import keras
    except ImportError as error:
        raise ImportError(
            f"hace falta Keras con TensorFlow, PyTorch o JAX; instálalos y vuelve a probar ({error})"
        ) from None
    return keras


# --- De aquí para allá ---


def _there(keras, value, input_shape=None):
    if isinstance(value, list):
        return [_there(keras, v) for v in value]
    if not isinstance(value, dict):
        return value
    kind = next(kind for kind in objects.KINDS if kind in value)
    name, config = value[kind], value["config"]
    arguments = {key: _there(keras, v) for key, v in config.items()}
    if name == "Sequential":
        first = [] if input_shape is None else [keras.Input(input_shape, dtype=arguments["dtype"])]
        return keras.Sequential(first + arguments["layers"], arguments["trainable"], arguments["name"])
    if kind == "activation":
        return _activation_there(keras, name, arguments)
    module = getattr(keras, MODULES[kind])
    # Una clase tuya puede llamarse como una de Keras y hacer otra cosa.
    if registry.find(kind, name) is None or not hasattr(module, name):
        raise ValueError(f"{config.get('name', name)}: Keras no tiene {name}")
    return getattr(module, name)(**arguments)


def _activation_there(keras, name, arguments):
    cls = registry.find("activation", name)
    if cls is None:
        raise ValueError(f"activation: Keras no tiene {name}")
    if objects.describe(cls()) == objects.describe(cls(**arguments)) and hasattr(keras.activations, cls.name):
        return cls.name
    if name not in ACTIVATION_LAYERS:
        raise ValueError(f"activation: Keras no tiene {cls(**arguments)!r}")
    return getattr(keras.layers, name)(**arguments)


# --- De allá para aquí ---


def _here(keras, layer):
    name = type(layer).__name__
    common = {"name": layer.name, "dtype": _dtype(layer), "trainable": layer.trainable}
    if type(layer) is keras.Sequential:
        return {"layer": "Sequential", "config": {"layers": [_here(keras, one) for one in layer.layers], **common}}
    if name in ACTIVATION_LAYERS:
        own = {"activation": _described(keras, "activation", layer, layer.name)}
        return {"layer": "Activation", "config": {**own, **common}}
    described = _described(keras, "layer", layer, layer.name)
    described["config"] |= common
    return described


def _described(keras, kind, value, where):
    name = type(value).__name__
    ours, original = registry.find(kind, name), getattr(getattr(keras, MODULES[kind]), name, None)
    if ours is None:
        raise ValueError(f"{where}: aquí no hay {name}")
    if type(value) is not original:
        raise ValueError(f"{where}: se llama {name}, pero no es de Keras, y no se sabe qué hace")
    defaults = {p.name: p.default for p in inspect.signature(original).parameters.values()}
    known, arguments = objects.parameters(ours), {}
    for key, described in value.get_config().items():
        if key in ("name", "dtype", "trainable"):
            continue
        if key in known:
            arguments[key] = _value_here(keras, described, getattr(value, key, None), f"{where}, {key}")
        elif described not in (None, False, "channels_last") and described != defaults.get(key):
            raise ValueError(f"{where}: en Keras tiene {key}={described!r}, que aquí no existe")
    return {kind: name, "config": arguments}


# ``described`` es lo que dice la configuración; ``value``, el objeto que de verdad se usa.
def _value_here(keras, described, value, where):
    if isinstance(described, tuple):
        return list(described)
    if isinstance(described, str) and callable(value):
        if value is not keras.activations.get(described):
            raise ValueError(f"{where}: se llama {described}, pero no es de Keras, y no se sabe qué hace")
        return described
    if not isinstance(described, dict):
        return described
    kinds = {"keras.initializers": "initializer", "keras.regularizers": "regularizer", "keras.layers": "activation"}
    if described.get("module") not in kinds:
        raise ValueError(f"{where}: no se sabe traer {described.get('class_name', described)!r}")
    return _described(keras, kinds[described["module"]], value, where)


def _dtype(layer):
    return layer.dtype_policy.name
