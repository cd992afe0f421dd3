r"""Frases para un asistente, y qué quería quien las dijo: un corpus nuestro, que viene con el paquete."""

import functools
from importlib import resources

import numpy as np

# Qué puede querer quien habla, en el orden de las clases.
INTENT_NAMES = (
    "alarma",
    "chiste",
    "clima",
    "despedida",
    "fecha",
    "gracias",
    "hora",
    "música",
    "receta",
    "ruta",
    "saludo",
    "traducir",
)


def load_intents():
    r"""Frases que alguien le diría a un asistente, con su **intención**: pedir la hora, una receta, un chiste…

    Son 384, escritas para este libro: 32 por cada una de las doce intenciones de ``INTENT_NAMES``. Las 24 primeras son
    para entrenar y las otras 8 para la prueba, y el reparto no es al azar: las de prueba piden lo mismo **con otras
    palabras o con otro orden**, para que repetir de memoria no baste. Con un reparto al azar, «¿qué hora es?» podría
    caer en una parte y «¿sabes qué hora es?» en la otra.

    >>> (x_train, y_train), (x_test, y_test) = load_intents()
    >>> len(x_train), len(x_test)
    (288, 96)
    >>> first = int((y_train == INTENT_NAMES.index("hora")).argmax())
    >>> x_train[first], INTENT_NAMES[y_train[first]]
    ('¿Qué hora es?', 'hora')
    >>> np.bincount(y_test)
    array([8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8])

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        ``x`` : list of str, las frases, con sus signos y sus acentos. ``y`` : ndarray of int64, la intención de cada
        una, de 0 a 11.
    """
    return tuple((list(texts), np.array(labels)) for texts, labels in _parts())


@functools.cache
def _parts():
    train, test, intent = ([], []), ([], []), -1
    for line in resources.files("dlbook.data").joinpath("intents.txt").read_text("utf-8").splitlines():
        if line.startswith("= "):
            intent = INTENT_NAMES.index(line[2:])
            continue
        texts, labels = test if line.startswith("- ") else train
        texts.append(line.removeprefix("- "))
        labels.append(intent)
    return train, test
