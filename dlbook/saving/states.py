r"""El estado de un entrenamiento, sin la red, en un archivo."""

import json

from dlbook.saving import _flatten, _gather, files


def write(path, state):
    r"""Escribe lo que dio ``model.get_state``.

    Parameters
    ----------
    path : str or pathlib.Path
        Dónde.
    state : dict
        El estado: arreglos, números, textos, listas y diccionarios.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write(f"{folder}/estado", {"epoch": 3, "weights": [np.ones(2)]})
    ...     read(f"{folder}/estado")
    {'epoch': 3, 'weights': [array([1., 1.])]}
    """
    tensors = {}
    text = json.dumps(_flatten(state, "state", tensors), allow_nan=False)
    files.write(path, tensors, {"state": text})


def read(path):
    r"""Lee lo que escribió :func:`write`.

    Parameters
    ----------
    path : str or pathlib.Path
        Cuál.

    Returns
    -------
    dict

    Raises
    ------
    FileNotFoundError
        Si no existe.
    ValueError
        Si está dañado o no es un estado.
    """
    tensors, metadata = files.read(path)
    state = _gather(files.parse(metadata.get("state", "null")), tensors)
    if not isinstance(state, dict):
        raise ValueError(f"{path}: se esperaba el estado de un entrenamiento")
    return state
