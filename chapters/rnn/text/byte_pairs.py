r"""Subpalabras: un vocabulario que se aprende juntando el par más frecuente, una y otra vez."""

import heapq
import re
from collections import Counter, defaultdict
from itertools import pairwise

from chapters.rnn.text.normal_forms import counted, string
from dlbook import check

# Las letras, las cifras y los signos van aparte, cada uno con el espacio de antes; los demás espacios, juntos.
PIECES = re.compile(r" ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")
# Un dibujo por byte, como en GPT-2: el suyo si se ve, y si no, una letra de más allá.
_VISIBLE = {*range(33, 127), *range(161, 173), *range(174, 256)}
_HIDDEN = [byte for byte in range(256) if byte not in _VISIBLE]
_DRAWN = {byte: byte for byte in _VISIBLE} | {byte: 256 + k for k, byte in enumerate(_HIDDEN)}
_BYTE = {letter: byte for byte, letter in _DRAWN.items()}
ALPHABET = [chr(letter) for letter in sorted(_BYTE)]


def _joined(word, pair):
    # Junta un par en todos los lugares en que está, de izquierda a derecha.
    done, k = [], 0
    while k < len(word):
        step = 2 if word[k : k + 2] == pair else 1
        done.append("".join(word[k : k + step]))
        k += step
    return tuple(done)


def plain_learn_merges(words, tokens):
    r"""Lo mismo que :func:`learn_merges`, contando todo otra vez en cada vuelta."""
    words = {tuple(word): n for word, n in words.items()}
    symbols = sorted({s for word in words for s in word})
    order = {s: k for k, s in enumerate(symbols)}
    size, learned = len(order) + tokens, []
    while len(order) < size:
        pairs = Counter()
        for word, n in words.items():
            for pair in pairwise(word):
                pairs[pair] += n  # [ec-rnn-bpe-pares]
        if not pairs:
            break
        best = min(  # [ec-rnn-bpe-mejor]
            pairs, key=lambda p: (-pairs[p], order[p[0]], order[p[1]])
        )
        learned.append(best)
        order.setdefault("".join(best), len(order))
        words = {_joined(word, best): n for word, n in words.items()}
    return learned


def learn_merges(words, tokens, min_frequency=0):
    r"""Aprende qué pares de fichas juntar (*byte-pair encoding*, BPE).

    Al empezar, cada letra es una ficha (*token*). Sea :math:`n_p` cuántas veces está la palabra :math:`p`; el par
    :math:`(u,v)` está

    .. math::
       :label: ec-rnn-bpe-pares

       n_{uv}=\sum_p n_p\,\bigl|\{\,k:\ p_k=u,\ p_{k+1}=v\,\}\bigr|

    veces. Se junta el que está más, en una ficha nueva que es una letra como las demás, y se vuelve a contar:

    .. math::
       :label: ec-rnn-bpe-mejor

       (u^\ast,v^\ast)=\operatorname*{arg\,max}_{(u,v)}\ n_{uv} .

    Si hay empate gana el par cuyas fichas son más viejas: primero se compara la de la izquierda; las letras del
    principio, por su orden en Unicode.

    **Es una regla voraz** (*greedy*). Juntar :math:`(u,v)`, con :math:`u\ne v`, quita del texto una ficha por cada vez
    que está, y ningún otro par quita más **en ese paso**; que la lista entera sea la mejor, nadie lo asegura. Con
    :math:`u=v` puede quitar menos: en ``aaa`` el par está dos veces, una encima de otra, y solo se junta una. Nunca se
    cruza el borde de una palabra, y por eso basta contar cada palabra distinta una vez, con su peso.

    **A mano.** Cuatro palabras, una vez cada una. «a» y «t» están juntas cuatro veces, y «g» y «a» también: gana
    «at», porque la «a» va antes que la «g». Después «g» y «at», cuatro; y luego ``gat`` y «o», dos, empatada con
    ``gat`` y «a»:

    >>> words = {"gato": 1, "gata": 1, "gatos": 1, "gatas": 1}
    >>> learn_merges(words, 4)
    [('a', 't'), ('g', 'at'), ('gat', 'a'), ('gat', 'o')]

    **Para no contar todo cada vez**, se guarda en qué palabras está cada par: juntar uno solo cambia las suyas. El
    mayor se saca de un montículo (*heap*), y lo que en él quedó viejo se corrige al salir.

    Parameters
    ----------
    words : dict of str to int
        Cuántas veces está cada palabra.
    tokens : int
        Cuántas fichas nuevas.
    min_frequency : int
        Un par que está menos veces no se junta.

    Returns
    -------
    list of (str, str)
        Los pares, en el orden en que se aprendieron; menos, si se acaban.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve.

        >>> learn_merges({"gato": 0}, 1)
        Traceback (most recent call last):
            ...
        ValueError: words: se esperaba un entero de al menos 1, pero llegó 0
    """
    words = counted(words, "words")
    tokens = check.integer(tokens, "tokens", 0)
    return _learn_merges(words, tokens, check.integer(min_frequency, "min_frequency", 0))


def _learn_merges(words, tokens, min_frequency, alphabet=()):
    parts, times = [tuple(word) for word in words], list(words.values())
    order = {s: k for k, s in enumerate(sorted({*alphabet, *(s for word in parts for s in word)}))}
    size, learned = len(order) + tokens, []
    counts, places = Counter(), defaultdict(set)
    for w, word in enumerate(parts):
        for pair in pairwise(word):
            counts[pair] += times[w]
            places[pair].add(w)
    heap = [(-n, order[a], order[b], (a, b)) for (a, b), n in counts.items()]
    heapq.heapify(heap)
    while heap and len(order) < size:
        n, a, b, best = heapq.heappop(heap)
        if -n != counts[best]:
            if counts[best] > 0:
                heapq.heappush(heap, (-counts[best], a, b, best))
            continue
        if -n < min_frequency:
            break
        learned.append(best)
        new = "".join(best)
        order.setdefault(new, len(order))
        touched = set()
        for w in places.pop(best):
            before, after = parts[w], _joined(parts[w], best)
            if after != before:
                for pair in pairwise(before):
                    counts[pair] -= times[w]
                for pair in pairwise(after):
                    counts[pair] += times[w]
                    if new in pair:
                        places[pair].add(w)
                        touched.add(pair)
                parts[w] = after
        for a, b in touched:
            heapq.heappush(heap, (-counts[a, b], order[a], order[b], (a, b)))
    return learned


class BytePairEncoding:
    r"""Parte textos en subpalabras aprendidas de otros, sobre bytes: ningún texto queda fuera.

    Las letras del principio son los 256 bytes, así que todo texto se puede escribir, con emojis, con chino o con un
    error de dedo. Antes de contar, el texto se parte en palabras, con su espacio delante; dentro de cada una se
    juntan los pares de :func:`learn_merges`. Para escribir un texto nuevo se repite lo mismo: **se juntan los pares
    en el orden en que se aprendieron**, hasta que no queda ninguno.

    >>> text = "el gato y la gata, los gatos y las gatas"
    >>> bpe = BytePairEncoding(vocab_size=264)
    >>> bpe.train(text)
    >>> bpe.tokens("las regatas")
    ['l', 'as', ' ', 'r', 'e', 'gat', 'as']
    >>> ids = bpe.encode("¿ñandú? 🙂")
    >>> bpe.decode(ids)
    '¿ñandú? 🙂'

    Parameters
    ----------
    vocab_size : int
        Cuántas fichas tendrá el vocabulario, contados los 256 bytes.
    min_frequency : int
        Un par que está menos veces no se junta.
    merges : sequence of (str, str)
        Los pares, si ya se aprendieron.

    Attributes
    ----------
    merges : list of (str, str)
        Los pares, en orden. Los bytes están escritos con los dibujos de GPT-2; el del espacio es «Ġ».
    vocabulary : list of str
        Las fichas, en el orden de sus índices.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, o si al descifrar llega un índice que no es de ninguna ficha.

        >>> bpe.decode([12, 300])
        Traceback (most recent call last):
            ...
        ValueError: ids: se esperaba un índice entre 0 y 263, pero llegó 300 en la posición 1
    """

    def __init__(self, vocab_size=1024, min_frequency=0, merges=()):
        self.vocab_size = check.integer(vocab_size, "vocab_size", len(ALPHABET))
        self.min_frequency = check.integer(min_frequency, "min_frequency", 0)
        self._learned([_pair(pair, k) for k, pair in enumerate(check.sequence(merges, "merges", empty=True))])

    def train(self, texts):
        r"""Olvida lo que supiera y aprende los pares de unos textos.

        Parameters
        ----------
        texts : str or sequence of str
            Los textos.
        """
        texts = [texts] if isinstance(texts, str) else check.sequence(texts, "texts", empty=True)
        words = Counter(piece for text in texts for piece in PIECES.findall(string(text, "texts")))
        words = {_drawn(word): n for word, n in words.items()}
        self._learned(_learn_merges(words, self.vocab_size - len(ALPHABET), self.min_frequency, ALPHABET))

    def _learned(self, merges):
        self.merges = merges
        # Dos pares distintos pueden dar la misma ficha.
        self.vocabulary = list(dict.fromkeys([*ALPHABET, *(a + b for a, b in merges)]))
        self._ids = {token: i for i, token in enumerate(self.vocabulary)}
        self._rank = {pair: k for k, pair in enumerate(merges)}
        self._known = {}

    def _tokens(self, piece):
        if piece not in self._known:
            word = tuple(_drawn(piece))
            while pairs := [p for p in pairwise(word) if p in self._rank]:
                word = _joined(word, min(pairs, key=self._rank.get))
            self._known[piece] = [self._ids[token] for token in word]
        return self._known[piece]

    def encode(self, text):
        r"""Da los índices de las fichas de un texto.

        Parameters
        ----------
        text : str
            El texto.

        Returns
        -------
        list of int
        """
        return [i for piece in PIECES.findall(string(text, "text")) for i in self._tokens(piece)]

    def decode(self, ids):
        r"""Escribe el texto de unos índices.

        Parameters
        ----------
        ids : sequence of int
            Los índices.

        Returns
        -------
        str
            Si los bytes no forman un texto, «�» donde no.
        """
        last = len(self.vocabulary) - 1
        ids = [check.integer(i, "ids") for i in check.sequence(ids, "ids", empty=True)]
        for k, i in enumerate(ids):
            if not 0 <= i <= last:
                raise ValueError(f"ids: se esperaba un índice entre 0 y {last}, pero llegó {i} en la posición {k}")
        content = bytes(_BYTE[ord(letter)] for i in ids for letter in self.vocabulary[i])
        try:
            return content.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return content.decode("utf-8", "replace")

    def tokens(self, text):
        r"""Da las fichas de un texto, para mirarlas; la que no es un carácter completo se ve «�».

        Parameters
        ----------
        text : str
            El texto.

        Returns
        -------
        list of str
        """
        return [self.decode([i]) for i in self.encode(text)]


def _drawn(piece):
    return piece.encode("utf-8", "surrogatepass").decode("latin-1").translate(_DRAWN)


def _pair(pair, k):
    a, b = (check.text(part, f"merges[{k}]") for part in check.sequence(pair, f"merges[{k}]", 2))
    for letter in a + b:
        check.choice(letter, f"merges[{k}]", ALPHABET, exact=True)
    return a, b
