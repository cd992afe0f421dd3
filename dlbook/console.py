r"""Escribir en la consola sin que eso detenga nada."""

import sys
import unicodedata


def printable(text):
    r"""Cambia lo que la consola no sabe escribir por lo más parecido: sin acento, o nada.

    Una consola de Windows puede no tener la É, y sería absurdo perder por eso un entrenamiento.

    >>> printable("Época 1")
    'Época 1'

    Parameters
    ----------
    text : str
        El texto.

    Returns
    -------
    str
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
        return text
    except UnicodeEncodeError:
        return unicodedata.normalize("NFKD", text).encode(encoding, "ignore").decode(encoding)


def say(text):
    r"""Escribe un renglón, si hay dónde.

    >>> say("Época 1")
    Época 1

    Parameters
    ----------
    text : str
        El renglón.
    """
    # Un programa de ventanas puede no tener consola.
    if sys.stdout is not None:
        print(printable(text))
