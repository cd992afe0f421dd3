r"""De textos a una tabla de números, lista para la red."""

import string as ascii_text
from collections import Counter

import numpy as np

from chapters.mlp import pad_sequences
from chapters.rnn.text.normal_forms import string
from dlbook import check
from dlbook.attributes import Absent

PADDING, UNKNOWN = "", "[UNK]"
_STANDARDIZE = ["lower_and_strip_punctuation", "lower", "strip_punctuation"]
_NO_PUNCTUATION = str.maketrans("", "", ascii_text.punctuation)


def inverse_document_frequency(documents, total):
    r"""Cuánto pesa una palabra según en cuántos textos está: la que está en todos dice poco.

    De :math:`N` textos, la palabra está en :math:`d`. Si está en una fracción :math:`f` de ellos, encontrarla en uno
    más sorprende :math:`-\ln f=\ln(N/d)`. Con un 1 abajo, para no dividir entre cero, y otro dentro del logaritmo,
    para que nada pese cero ni menos:

    .. math::
       :label: ec-rnn-idf

       w=\ln\left(1+\frac N{1+d}\right) .

    Con tres textos, una palabra que está en todos pesa 0.56, y una que está en uno solo, 0.92:

    >>> inverse_document_frequency([3, 1], 3).round(2)
    array([0.56, 0.92])

    Parameters
    ----------
    documents : array_like of int, shape (...)
        En cuántos textos está cada palabra.
    total : int
        Cuántos textos hay.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    TypeError, ValueError
        Si no son cuentas, o una palabra está en más textos de los que hay.

        >>> inverse_document_frequency([4], 3)
        Traceback (most recent call last):
            ...
        ValueError: documents: se esperaba un entero entre 0 y 3, pero hay un 4 en la posición (0,)
    """
    total = check.integer(total, "total", 1, 2**63 - 1)
    documents = check.labels(documents, "documents", total + 1, "...")
    return np.log(1 + total / (1 + documents))  # [ec-rnn-idf]


class TextVectorization:
    r"""Parte textos en palabras y los entrega como una tabla: de índices, o de cuentas.

    Hace de una vez lo que :class:`Tokenizer` y :func:`~chapters.mlp.preprocessing.pad_sequences` hacen en dos pasos.
    El índice 0 es el relleno, aquí **detrás**, y el 1, las palabras que no están en el vocabulario. A igual
    frecuencia, va antes la que el alfabeto pone después, como en Keras, que las ordena e invierte la lista.

    >>> layer = TextVectorization()
    >>> layer.adapt(["la paz del campo", "la paz", "el campo"])
    >>> layer.get_vocabulary()
    ['', '[UNK]', 'paz', 'la', 'campo', 'el', 'del']
    >>> layer(["La paz, la guerra", "El campo"])
    array([[3, 2, 3, 1],
           [5, 4, 0, 0]])

    Las cuentas pierden el orden: es una **bolsa de palabras** (*bag of words*). La primera columna es la de las
    desconocidas; no hay una de relleno:

    >>> layer = TextVectorization(output_mode="count", vocabulary=["la", "paz"])
    >>> layer(["La paz, la guerra", "la guerra, la paz"])
    array([[1, 2, 1],
           [1, 2, 1]])

    Con ``"multi_hot"`` solo se marca si está, y con ``"tf_idf"`` cada cuenta se multiplica por el peso de
    :func:`inverse_document_frequency`; el de las desconocidas es el promedio.

    Parameters
    ----------
    max_tokens : int, optional
        Tamaño máximo del vocabulario, contados el relleno y las desconocidas.
    standardize : {"lower_and_strip_punctuation", "lower", "strip_punctuation"}, callable or None
        Qué se le hace antes a cada texto. Los signos que se quitan son los del inglés: los que abren una pregunta o una
        exclamación se quedan pegados a su palabra.
    split : {"whitespace", "character"}, callable or None
        Por dónde se parte.
    ngrams : int or tuple of int, optional
        Se añaden las combinaciones de hasta tantas palabras seguidas, o las de esos largos.
    output_mode : {"int", "multi_hot", "count", "tf_idf"}
        Qué se entrega.
    output_sequence_length : int, optional
        Con ``"int"``, el largo: se recorta o se rellena por detrás. Sin él, el del texto más largo del lote.
    pad_to_max_tokens : bool
        Si las cuentas tienen ``max_tokens`` columnas, aunque el vocabulario sea menor.
    vocabulary : sequence of str, optional
        El vocabulario, en lugar de :meth:`adapt`.
    idf_weights : sequence of float, optional
        Sus pesos, con ``"tf_idf"``.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, o si aún no tiene vocabulario.

        >>> TextVectorization()(["hola"])
        Traceback (most recent call last):
            ...
        ValueError: TextVectorization: se esperaba un vocabulario; dáselo con adapt o con set_vocabulary

    Notes
    -----
    En Keras es una capa; aquí es una función con memoria, que se aplica a los textos antes de entregarlos a la red.
    """

    sparse, ragged, encoding = Absent(False), Absent(False), Absent("utf-8")

    def __init__(
        self,
        max_tokens=None,
        standardize="lower_and_strip_punctuation",
        split="whitespace",
        ngrams=None,
        output_mode="int",
        output_sequence_length=None,
        pad_to_max_tokens=False,
        vocabulary=None,
        idf_weights=None,
        *,
        sparse=False,
        ragged=False,
        encoding="utf-8",
    ):
        self.sparse, self.ragged, self.encoding = sparse, ragged, encoding
        self.output_mode = check.choice(output_mode, "output_mode", ["int", "multi_hot", "count", "tf_idf"])
        # El relleno, que solo tienen los índices, y las desconocidas.
        self._special = [PADDING, UNKNOWN] if output_mode == "int" else [UNKNOWN]
        least = len(self._special) + 1
        self.max_tokens = None if max_tokens is None else check.integer(max_tokens, "max_tokens", least)
        self.standardize = _own_or(standardize, "standardize", _STANDARDIZE)
        self.split = _own_or(split, "split", ["whitespace", "character"])
        self.ngrams = ngrams
        self._lengths = [1] if ngrams is None else _lengths(ngrams)
        self.output_sequence_length = output_sequence_length
        if output_sequence_length is not None:
            if output_mode != "int":
                raise ValueError(
                    f"output_sequence_length: solo sirve con output_mode='int', pero llegó {output_mode!r}"
                )
            self.output_sequence_length = check.integer(output_sequence_length, "output_sequence_length", 1)
        self.pad_to_max_tokens = check.boolean(pad_to_max_tokens, "pad_to_max_tokens")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError("pad_to_max_tokens: se esperaba junto con max_tokens, pero llegó solo")
        self.idf_weights, self._index = None, {}
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
        elif idf_weights is not None:
            raise ValueError("idf_weights: se esperaba junto con vocabulary, pero llegó solo")

    def tokens(self, text):
        r"""Limpia y parte un texto.

        >>> TextVectorization(ngrams=2).tokens("No, no quiero.")
        ['no', 'no', 'quiero', 'no no', 'no quiero']
        """
        text = string(text, "texts")
        if callable(self.standardize):
            text = string(self.standardize(text), "standardize")
        elif self.standardize is not None:
            text = text.lower() if "lower" in self.standardize else text
            text = text.translate(_NO_PUNCTUATION) if "strip" in self.standardize else text
        if callable(self.split):
            words = [string(word, "split") for word in check.sequence(self.split(text), "split", empty=True)]
        else:
            words = text.split() if self.split == "whitespace" else list(text) if self.split else [text]
        return [" ".join(words[i : i + n]) for n in self._lengths for i in range(len(words) - n + 1)]

    def adapt(self, data):
        r"""Olvida el vocabulario que tuviera y saca uno de unos textos.

        Parameters
        ----------
        data : sequence of str
            Los textos.
        """
        rows = [self.tokens(text) for text in _texts(data, "data")]
        counts, documents = Counter(), Counter()
        for row in rows:
            counts.update(row)
            documents.update(set(row))
        words = sorted(set(counts) - {PADDING, UNKNOWN}, key=lambda w: (counts[w], _bytes(w)), reverse=True)
        words = words[: self.max_tokens and self.max_tokens - len(self._special)]
        if not words:
            raise ValueError("data: se esperaba al menos una palabra, pero no hay ninguna")
        weights = None
        if self.output_mode == "tf_idf":
            weights = inverse_document_frequency([documents[w] for w in words], len(rows))
        self.set_vocabulary(words, weights)

    def set_vocabulary(self, vocabulary, idf_weights=None):
        r"""Fija el vocabulario, con el relleno y las desconocidas al principio o sin ellos.

        Parameters
        ----------
        vocabulary : sequence of str
            Las palabras, en el orden de sus índices.
        idf_weights : sequence of float, optional
            Un peso por palabra; hacen falta con ``"tf_idf"``, y solo con él.
        """
        given = [string(word, "vocabulary") for word in check.sequence(vocabulary, "vocabulary")]
        words = given[len(self._special) :] if given[: len(self._special)] == self._special else given
        wrong = [w for w in words if w in (PADDING, UNKNOWN)] or [w for w, n in Counter(words).items() if n > 1]
        if wrong:
            raise ValueError(f"vocabulary: se esperaban palabras distintas, pero {wrong[0]!r} está de más")
        if (idf_weights is None) == (self.output_mode == "tf_idf"):
            raise ValueError("idf_weights: se esperaban con output_mode='tf_idf', y solo con él")
        most = self.max_tokens and self.max_tokens - len(self._special)
        if most and len(words) > most:
            raise ValueError(f"vocabulary: se esperaba un largo de a lo sumo {most}, pero hay {len(words)} palabras")
        if idf_weights is not None:
            weights = check.floats(idf_weights, "idf_weights", str(len(given)))
            first = [] if len(given) > len(words) else [weights.mean()]
            self.idf_weights = np.concatenate([first, weights]).astype(np.float32)
        self._index = {w: i for i, w in enumerate(self._special + words)}

    def get_vocabulary(self, include_special_tokens=True):
        r"""Da las palabras en el orden de sus índices, con el relleno y las desconocidas o sin ellos.

        Parameters
        ----------
        include_special_tokens : bool
            Si también esos.

        Returns
        -------
        list of str
        """
        start = 0 if check.boolean(include_special_tokens, "include_special_tokens") else len(self._special)
        return list(self._index or self._special)[start:]

    def vocabulary_size(self):
        r"""Cuántas palabras hay, contados el relleno y las desconocidas."""
        return len(self.get_vocabulary())

    def __call__(self, texts):
        r"""Convierte textos en una tabla; un solo texto, en una sola fila."""
        if not self._index:
            raise ValueError("TextVectorization: se esperaba un vocabulario; dáselo con adapt o con set_vocabulary")
        unknown = self._index[UNKNOWN]
        rows = [[self._index.get(w, unknown) for w in self.tokens(text)] for text in _texts(texts, "texts")]
        table = self._padded(rows) if self.output_mode == "int" else self._counted(rows)
        return table[0] if isinstance(texts, str) else table

    def _padded(self, rows):
        if not rows:
            return np.zeros((0, self.output_sequence_length or 0), np.int64)
        return pad_sequences(rows, self.output_sequence_length, "int64", "post", "post")

    def _counted(self, rows):
        columns = self.max_tokens if self.pad_to_max_tokens else len(self._index)
        check.memory(len(rows) * columns, "texts, una columna por palabra")
        table = np.zeros((len(rows), columns), np.float32 if self.output_mode == "tf_idf" else np.int64)
        for counts, row in zip(table, rows, strict=True):
            np.add.at(counts, row, 1)
        if self.output_mode == "multi_hot":
            return np.minimum(table, 1)
        if self.output_mode == "tf_idf":
            table[:, : len(self._index)] *= self.idf_weights
        return table


def _own_or(value, name, options):
    if callable(value):
        return check.function(value, name, 1)
    return value if value is None else check.choice(value, name, options)


def _bytes(word):
    # Un medio carácter suelto («surrogate») también tiene los suyos.
    return word.encode("utf-8", "surrogatepass")


def _lengths(ngrams):
    if isinstance(ngrams, (list, tuple)):
        return [check.integer(n, "ngrams", 1, 64) for n in check.sequence(ngrams, "ngrams")]
    return list(range(1, check.integer(ngrams, "ngrams", 1, 64) + 1))


def _texts(texts, name):
    if isinstance(texts, str):
        return [texts]
    texts = check.sequence(texts, name, empty=True)
    # Una columna de textos, como la que sale de una tabla.
    columns = [isinstance(t, list) or (isinstance(t, np.ndarray) and t.ndim > 0) for t in texts]
    return [t[0] if column and len(t) == 1 else t for t, column in zip(texts, columns, strict=True)]
