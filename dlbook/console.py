r"""Escribir en la consola sin que eso detenga nada."""

import contextlib
import sys
import unicodedata
import warnings

# Una consola puede no estar, dejar de estar a la mitad o ir a un disco lleno.
FAILURES = (OSError, ValueError)


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
    r"""Escribe una línea, si hay dónde.

    >>> say("Época 1")
    Época 1

    Parameters
    ----------
    text : str
        La línea.
    """
    # Un programa de ventanas puede no tener consola.
    if sys.stdout is not None:
        with contextlib.suppress(*FAILURES):
            print(printable(text))


class Bar:
    r"""Una barra de progreso que nunca detiene lo que mide; donde no se puede dibujar, no se dibuja.

    Parameters
    ----------
    total : int
        Hasta dónde llega.
    title : str
        Lo que va delante.
    stream : file or None
        La consola.
    **options
        Los demás argumentos de ``tqdm``.
    """

    def __init__(self, total, title, stream, **options):
        self.bar = None
        if stream is None:
            return
        with warnings.catch_warnings(), contextlib.suppress(*FAILURES):
            # Sin ipywidgets, en un cuaderno, la barra es de texto y basta.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm

            # Si la consola ya no sirve, se sabe aquí.
            stream.flush()
            self.bar = tqdm(total=total, desc=printable(title), file=stream, **options)

    def advance(self, done, text=""):
        r"""Avanza hasta donde se va, y escribe un texto detrás.

        Parameters
        ----------
        done : int
            Por dónde se va.
        text : str
            El texto.
        """
        if self.bar is not None:
            with contextlib.suppress(*FAILURES):
                self.bar.set_postfix_str(printable(text), refresh=False)
                self.bar.update(done - self.bar.n)

    def close(self):
        r"""La deja como quedó."""
        if self.bar is not None:
            with contextlib.suppress(*FAILURES):
                self.bar.close()
