r"""De este libro a Keras y de Keras a este libro, con Keras instalado.

Las capas se llaman igual, reciben lo mismo y guardan sus pesos en el mismo orden. Para mudar solo los números no hace
falta nada de este archivo: ``otra.set_weights(una.get_weights())``, en cualquiera de los dos sentidos.
"""

from dlbook import check, registry
from dlbook.saving import config


def to_keras(model):
    r"""Construye en Keras la misma red, con los mismos pesos.

    .. code-block:: python

       keras_model = to_keras(model)
       keras_model.predict(x)            # lo mismo que model.predict(x)

    La red se describe con la configuración de Keras, :func:`dlbook.saving.serialize`, y Keras la arma. La pérdida y el
    optimizador no viajan: llama a ``compile`` del otro lado.

    Parameters
    ----------
    model : Model
        La red, ya construida: un ``Sequential`` o un grafo.

    Returns
    -------
    keras.Model

    Raises
    ------
    ImportError
        Si Keras no está instalado.
    ValueError
        Si no es un modelo de este libro, si no está construido o si tiene algo que Keras no.
    """
    keras = _keras()
    if type(model) not in [registry.find("layer", name) for name in config.MODELS]:
        raise ValueError(f"model: se esperaba un Sequential de este libro, pero llegó {model!r:.60}")
    if not model.built:
        raise ValueError("model: aún no está construido; pon un Input al principio o dale unos datos")
    described = config.serialize(model)
    _only_of_keras(described)
    # Un Sequential de Keras no recibe dtype: toma el general, y a él convierte sus entradas.
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(model.dtype.name)
    try:
        other = keras.saving.deserialize_keras_object(described)
    finally:
        keras.config.set_dtype_policy(usual)
    for layer in model.layers:
        other.get_layer(layer.name).set_weights(layer.get_weights())
    _freeze(model, other)
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
    model : keras.Model
        La red, ya construida: un ``keras.Sequential`` o un grafo.

    Returns
    -------
    Model

    Raises
    ------
    ImportError
        Si Keras no está instalado.
    ValueError
        Si la red no está construida, o tiene algo que aquí no existe o que no es de Keras, aunque se llame igual.
    """
    keras = _keras()
    if not isinstance(model, keras.Model):
        raise ValueError(f"model: se esperaba un modelo de Keras, pero llegó {type(model).__name__}")
    _only_its_functions(keras, model)
    described = keras.saving.serialize_keras_object(model)
    ours = config.deserialize(described, kind="layer")
    if not ours.built:
        raise ValueError("model: se esperaba una red construida; ponle un keras.Input")
    check.model(ours)
    for layer in ours.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
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


def _only_its_functions(keras, layer):
    # Keras describe una activación por su nombre, aunque sea de otro.
    for inner in getattr(layer, "layers", ()):
        _only_its_functions(keras, inner)
        name = inner.get_config().get("activation")
        own = inner.activation
        if isinstance(name, str) and own is not keras.activations.get(name):
            raise ValueError(f"{inner.name}: su activación se llama {name}, pero no es de Keras, y no se sabe qué hace")


def _freeze(ours, theirs):
    # Un modelo de Keras no recuerda que lo estaba: solo sus capas.
    if not ours.trainable:
        theirs.trainable = False
    for layer in getattr(ours, "layers", ()):
        _freeze(layer, theirs.get_layer(layer.name))


def _only_of_keras(described, where="model"):
    # Una clase tuya puede llamarse como una de Keras y hacer otra cosa.
    if isinstance(described, (list, tuple)):
        for one in described:
            _only_of_keras(one, where)
    elif isinstance(described, dict):
        own = described.get("config")
        if "class_name" in described and isinstance(own, dict):
            where = own.get("name", where)
            if described.get("module") and not f"{described['module']}.".startswith("keras."):
                raise ValueError(f"{where}: Keras no tiene {described['class_name']}")
        for one in described.values():
            _only_of_keras(one, where)
