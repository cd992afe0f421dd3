r"""De frases a listas de números: una palabra, un índice."""

from collections import Counter

from chapters.rnn.text.normal_forms import counted, string
from dlbook import check
from dlbook.attributes import Checked

# Los signos que Keras quita, y con ellos los del español.
FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
SPANISH_FILTERS = FILTERS + "¡¿«»“”‘’–—…"


def index_words(counts, first=()):
    r"""Le da un índice a cada palabra: el 1 a la más frecuente, el 2 a la que sigue…

    Sea :math:`n(p)` cuántas veces está la palabra :math:`p`. Su índice es el lugar que ocupa al ordenarlas de la más
    frecuente a la menos; de dos que empatan, va antes la que apareció primero:

    .. math::
       :label: ec-rnn-indice

       i(p)=1+\bigl|\{\,q:\ n(q)>n(p),\ \text{ o }\ n(q)=n(p)\text{ y }q\text{ va antes}\,\}\bigr| .

    El 0 queda libre: es el del relleno.

    >>> index_words({"una": 1, "y": 3, "dos": 1})
    {'y': 1, 'una': 2, 'dos': 3}

    Parameters
    ----------
    counts : dict of str to int
        Cuántas veces está cada palabra, en el orden en que aparecieron.
    first : sequence of str
        Las que van antes de todas, como la de las desconocidas.

    Returns
    -------
    dict of str to int

    Raises
    ------
    TypeError, ValueError
        Si no son palabras con sus cuentas, o si una de ``first`` se repite.

        >>> index_words(["una", "y"])
        Traceback (most recent call last):
            ...
        TypeError: counts: se esperaba un diccionario de palabras y cuentas, pero llegó list
    """
    counts = counted(counts, "counts")
    first = check.sequence(first, "first", empty=True)
    first = [string(w, "first") for w in first]
    if len(set(first)) < len(first):
        wanted = "se esperaban palabras distintas"
        raise ValueError(f"first: {wanted}, pero llegó {first}")
    # sorted no cambia el orden de los que empatan.
    rest = [w for w in counts if w not in first]
    ordered = [*first, *sorted(rest, key=lambda w: -counts[w])]
    return {w: i for i, w in enumerate(ordered, 1)}  # [ec-rnn-indice]


class Tokenizer:
    r"""Numera las palabras de unos textos, y convierte textos en listas de esos números.

    El vocabulario sale de los textos, con los índices de :func:`index_words`. Al convertir, cada texto se parte igual
    que al contar y cada palabra se cambia por el suyo.

    **A mano.** Las tres frases del curso. «today» e «is» aparecen tres veces; «a», «sunny» y «day», dos: :item:`EMB-05`
    :item:`EMB-06` :worked:`WE-19`

    >>> sentences = [
    ...     "Today is a sunny day", "Today is a rainy day", "Is it sunny today?"
    ... ]
    >>> tokenizer = Tokenizer()
    >>> tokenizer.fit_on_texts(sentences)
    >>> tokenizer.word_index
    {'today': 1, 'is': 2, 'a': 3, 'sunny': 4, 'day': 5, 'rainy': 6, 'it': 7}
    >>> tokenizer.texts_to_sequences(sentences)
    [[1, 2, 3, 4, 5], [1, 2, 3, 6, 5], [2, 7, 4, 1]]
    >>> tokenizer.sequences_to_texts([[2, 7, 4, 1]])
    ['is it sunny today']

    Una palabra que no estaba en los textos desaparece sin avisar. Con ``oov_token`` se le guarda un índice, el 1, y las
    demás se corren un lugar:

    >>> tokenizer.texts_to_sequences(["Is it cold today?"])
    [[2, 7, 1]]
    >>> tokenizer = Tokenizer(oov_token="<OOV>")
    >>> tokenizer.fit_on_texts(sentences)
    >>> tokenizer.texts_to_sequences(["Is it cold today?"])
    [[3, 8, 1, 2]]

    Parameters
    ----------
    num_words : int, optional
        Se usan los índices menores que este, así que quedan las ``num_words - 1`` palabras más frecuentes.
    filters : str
        Los caracteres que se cambian por ``split`` antes de partir. Los de Keras no incluyen los del español; para
        quitarlos también está ``SPANISH_FILTERS``.
    lower : bool
        Si se pasa a minúsculas.
    split : str
        Por dónde se parte.
    char_level : bool
        Si cada carácter es una palabra.
    oov_token : str, optional
        El nombre de las palabras que no están en el vocabulario (*out of vocabulary*).

    Attributes
    ----------
    word_index : dict of str to int
        El índice de cada palabra, desde 1; también las que ``num_words`` deja fuera.
    index_word : dict of int to str
        Lo mismo, al revés.
    word_counts : dict of str to int
        Cuántas veces aparece cada una.
    document_count : int
        Cuántos textos se han leído.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, o si llega un índice que no es de ninguna palabra.

        >>> tokenizer.sequences_to_texts([[3, 12]])
        Traceback (most recent call last):
            ...
        ValueError: sequences[0]: se esperaba un índice entre 0 y 8, pero llegó 12

    Notes
    -----
    Es la de Keras 2. Keras deja pasar un índice desconocido; aquí es un error, salvo el 0, que es relleno y no se
    escribe.
    """

    num_words = Checked(check.integer, 1, optional=True)
    filters = Checked(string)
    lower = Checked(check.boolean)
    split = Checked(check.text)
    char_level = Checked(check.boolean)
    oov_token = Checked(check.text, optional=True)

    def __init__(self, num_words=None, filters=FILTERS, lower=True, split=" ", char_level=False, oov_token=None):
        self.num_words, self.filters, self.lower, self.split = num_words, filters, lower, split
        self.char_level, self.oov_token = char_level, oov_token
        self.word_index, self.index_word, self.word_counts, self.document_count = {}, {}, Counter(), 0

    def words(self, text):
        r"""Parte un texto; uno que ya es una lista de palabras se queda como está, salvo las mayúsculas.

        >>> Tokenizer().words("Hola, mundo.")
        ['hola', 'mundo']
        >>> Tokenizer(filters=SPANISH_FILTERS).words("¿Qué? ¡Nada!")
        ['qué', 'nada']
        """
        if not isinstance(text, str):
            text = [string(word, "texts") for word in check.sequence(text, "texts", empty=True)]
            return [word.lower() for word in text] if self.lower else text
        text = text.lower() if self.lower else text
        if self.char_level:
            return list(text)
        clean = text.translate({ord(c): self.split for c in self.filters})
        return [word for word in clean.split(self.split) if word]

    def fit_on_texts(self, texts):
        r"""Cuenta las palabras de unos textos, junto con las que ya había contado, y las numera.

        Parameters
        ----------
        texts : sequence of str
            Los textos, o listas de palabras.
        """
        texts = _listed(texts)
        for text in texts:
            self.word_counts.update(self.words(text))
        self.document_count += len(texts)
        self.word_index = index_words(self.word_counts, [self.oov_token] if self.oov_token else [])
        self.index_word = {i: word for word, i in self.word_index.items()}

    def texts_to_sequences(self, texts):
        r"""Convierte cada texto en la lista de los índices de sus palabras.

        Parameters
        ----------
        texts : sequence of str
            Los textos, o listas de palabras.

        Returns
        -------
        list of list of int
        """
        limit, unknown = self.num_words or len(self.word_index) + 1, self.word_index.get(self.oov_token)
        found = [[self.word_index.get(word) for word in self.words(text)] for text in _listed(texts)]
        kept = [[i if i is not None and i < limit else unknown for i in row] for row in found]
        return [[i for i in row if i is not None] for row in kept]

    def sequences_to_texts(self, sequences):
        r"""Escribe las palabras de cada lista de índices, separadas por un espacio; el 0, que es relleno, no.

        Parameters
        ----------
        sequences : sequence of sequence of int
            Los índices.

        Returns
        -------
        list of str
        """
        texts, last = [], len(self.word_index)
        for k, row in enumerate(check.sequence(sequences, "sequences", empty=True)):
            words = []
            for i in check.sequence(row, f"sequences[{k}]", empty=True):
                i = check.integer(i, f"sequences[{k}]")
                if not 0 <= i <= last:
                    raise ValueError(f"sequences[{k}]: se esperaba un índice entre 0 y {last}, pero llegó {i}")
                if self.num_words and i >= self.num_words:
                    i = self.word_index.get(self.oov_token, 0)
                words += [self.index_word[i]] if i else []
            texts.append(" ".join(words))
        return texts


def _listed(texts):
    return check.sequence(texts, "texts", empty=True)
