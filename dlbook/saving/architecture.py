r"""La arquitectura de un modelo, sin sus pesos: copiarla, escribirla en un texto y leerla."""

import json

import numpy as np

from dlbook import check, registry
from dlbook.attributes import only
from dlbook.saving import config, files
from dlbook.training import walk


def clone(model, input_tensors=None, clone_function=None):
    r"""Crea otro modelo con las mismas capas y pesos nuevos; en los capítulos, ``clone_model``, como en Keras.

    >>> from chapters.mlp import Dense, Input, Sequential
    >>> model = Sequential([Input((2,)), Dense(3)], seed=0)
    >>> other = clone(model)
    >>> other.count_params(), bool((other.theta == model.theta).all())
    (9, False)

    Parameters
    ----------
    model : Model
        El modelo.
    input_tensors, clone_function : None
        No existen aquí.

    Returns
    -------
    Model
    """
    only(input_tensors, "input_tensors", None)
    only(clone_function, "clone_function", None)
    check.model(model)
    kinds = map(type, walk(model))
    custom = {k.__name__: k for k in kinds if not registry.ours(k)}
    return config.deserialize(config.serialize(model), custom, "layer")


def to_json(model, **options):
    r"""Escribe la arquitectura de un modelo, sin sus pesos, como el ``to_json`` de Keras.

    >>> from chapters.mlp import Dense, Input, Sequential
    >>> from_json(Sequential([Input((2,)), Dense(3)]).to_json()).count_params()
    9

    Parameters
    ----------
    model : Model
        El modelo.
    **options
        Los de ``json.dumps``, como ``indent``.

    Returns
    -------
    str
    """
    own = {"allow_nan": False, "default": _plain_number}
    return json.dumps(config.serialize(model), **own | options)


def _plain_number(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    raise TypeError(f"no se sabe guardar {value!r:.60}")


def from_json(json_string, custom_objects=None):
    r"""Crea un modelo, con pesos nuevos, a partir de lo que dio ``to_json``, aquí o en Keras.

    En los capítulos se llama como en Keras, ``model_from_json``.

    Parameters
    ----------
    json_string : str
        El texto.
    custom_objects : dict, optional
        Clases propias, por su nombre.

    Returns
    -------
    Model

    Raises
    ------
    TypeError, ValueError
        Si no es un texto, no es JSON o pide algo que aquí no existe.
    """
    if not isinstance(custom_objects, (dict, type(None))):
        raise TypeError(f"custom_objects: se esperaba un diccionario de clases, pero llegó {custom_objects!r:.60}")
    text = check.text(json_string, "json_string")
    try:
        described = files.parse(text)
    except ValueError as error:
        raise ValueError(f"json_string: se esperaba lo que da to_json, pero {error}") from None
    model = config.deserialize(described, custom_objects, "layer")
    return check.model(model, "json_string")
