r"""Las letras de un texto, numeradas, y las filas con que se entrena a quien las predice."""

import unicodedata

import numpy as np

from dlbook import check


def _composed(text):
    text = text if isinstance(text, str) and not text else check.text(text, "text")
    return unicodedata.normalize("NFC", text)


def _points(text):
    # Los números de Unicode de un texto. Un medio carácter suelto («surrogate») también tiene el suyo.
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


class Alphabet:
    r"""El alfabeto de un texto: cada carácter distinto, con su número.

    Quien lee letra por letra no se topa con palabras desconocidas: basta con numerar los caracteres que aparecen, en
    el orden de Unicode. Todo cuenta: el espacio, el salto de línea, los signos y las mayúsculas.

    >>> alphabet = Alphabet("¿Qué? ¡No sé!")
    >>> len(alphabet), alphabet.characters
    (11, ' !?NQosu¡¿é')

    >>> alphabet.encode("¡sé!")
    array([ 8,  6, 10,  1])
    >>> alphabet.decode([8, 6, 10, 1])
    '¡sé!'

    Parameters
    ----------
    text : str
        El texto de donde salen las letras. Antes se compone (forma NFC de Unicode): la *é* es un carácter, aunque
        venga escrita como una *e* y una tilde.

    Raises
    ------
    TypeError
        Si no es un texto, o si está vacío.

    Attributes
    ----------
    characters : str
        Las letras; la que está en el lugar :math:`i` tiene el número :math:`i`.
    """

    def __init__(self, text):
        self._points = np.unique(_points(_composed(check.text(text, "text"))))
        self.characters = "".join(map(chr, self._points))

    def __len__(self):
        r"""Cuántas letras tiene."""
        return len(self.characters)

    def __repr__(self):
        r"""Cuántas letras tiene, en palabras."""
        return f"<Alphabet de {len(self)} letras>"

    def encode(self, text):
        r"""Cambia cada letra por su número.

        Parameters
        ----------
        text : str
            Un texto con letras del alfabeto, o sin ninguna.

        Returns
        -------
        ndarray of int64
            Un número por letra.

        Raises
        ------
        TypeError, ValueError
            Si no es un texto, o si trae una letra que el alfabeto no tiene.

            >>> Alphabet("abc").encode("cab!")
            Traceback (most recent call last):
                ...
            ValueError: text: se esperaban letras del alfabeto, pero llegó '!' en el lugar 3
        """
        text = _composed(text)
        points = _points(text)
        places = np.minimum(np.searchsorted(self._points, points), len(self) - 1)
        strange = np.flatnonzero(self._points[places] != points)
        if strange.size:
            k = int(strange[0])
            raise ValueError(f"text: se esperaban letras del alfabeto, pero llegó {text[k]!r} en el lugar {k}")
        return places

    def decode(self, ids):
        r"""Cambia cada número por su letra.

        Parameters
        ----------
        ids : array_like of int, shape (N,)
            Los números, de 0 al último del alfabeto.

        Returns
        -------
        str
            El texto.

        Raises
        ------
        TypeError, ValueError
            Si no son enteros de ese intervalo.
        """
        ids = check.numbers_of(ids, "ids")
        if not ids.size:
            return ""
        return "".join(self.characters[i] for i in check.labels(ids, "ids", len(self), "N"))


def shifted_windows(ids, length, streams=1):
    r"""Parte una sucesión en filas del mismo largo, cada una con su respuesta: lo mismo, corrido un lugar.

    Lo que se ve hasta el lugar :math:`t` debe predecir el :math:`t+1`. Así que el propio texto trae las respuestas:

    .. math::
       :label: ec-rnn-corrida

       x_{it}=c_{a_i+t},\qquad y_{it}=c_{a_i+t+1},

    donde :math:`a_i` es dónde empieza la fila :math:`i`. Las filas no comparten entradas, y la cola que no llena
    una se tira.

    >>> x, y = shifted_windows([10, 11, 12, 13, 14, 15, 16], 3)
    >>> x
    array([[10, 11, 12],
           [13, 14, 15]])
    >>> y
    array([[11, 12, 13],
           [14, 15, 16]])

    **En corrientes.** Una red con memoria entre lotes (``stateful=True``) supone que la fila :math:`j` de un lote
    sigue donde acabó la fila :math:`j` del anterior. Con ``streams=b`` el texto se corta en :math:`b` pedazos, y
    cada lote de :math:`b` lleva una fila de cada pedazo:

    >>> x, _ = shifted_windows(range(13), 3, streams=2)
    >>> x.reshape(2, 2, 3)
    array([[[ 0,  1,  2],
            [ 6,  7,  8]],
    <BLANKLINE>
           [[ 3,  4,  5],
            [ 9, 10, 11]]])

    Parameters
    ----------
    ids : array_like of int, shape (N,)
        La sucesión.
    length : int
        Cuántos pasos tiene cada fila.
    streams : int
        Cuántas corrientes.

    Returns
    -------
    x, y : ndarray of int64, shape (n, length)
        Las entradas y las respuestas.

    Raises
    ------
    TypeError, ValueError
        Si no son enteros, o si no alcanzan para una fila de cada corriente.

        >>> shifted_windows([1, 2, 3], 3)
        Traceback (most recent call last):
            ...
        ValueError: ids: para 1 fila de 3 pasos se esperaban al menos 4 números, pero llegaron 3
    """
    ids = check.whole(ids, "ids")
    if ids.ndim != 1:
        raise ValueError(f"ids: se esperaba la forma (N), pero llegó {ids.shape}")
    length, streams = check.integer(length, "length", 1), check.integer(streams, "streams", 1)
    if len(ids) <= length * streams:
        lines = "1 fila" if streams == 1 else f"{streams} filas"
        steps = "1 paso" if length == 1 else f"{length} pasos"
        least = length * streams + 1
        raise ValueError(
            f"ids: para {lines} de {steps} se esperaban al menos {least} números, pero llegaron {len(ids)}"
        )
    return plain_shifted_windows(ids, length, streams)


def plain_shifted_windows(ids, length, streams=1):
    r"""Cortar, formar en corrientes y repartir por lotes."""
    lines = (len(ids) - 1) // (length * streams)
    used = lines * length * streams

    def cut(part):
        rows = part.reshape(streams, lines, length)
        return rows.swapaxes(0, 1).reshape(-1, length)

    return cut(ids[:used]), cut(ids[1 : used + 1])  # [ec-rnn-corrida]
