r"""Adivinar lo que sigue mirando lo de antes: modelos de n-gramas."""

import numpy as np

from dlbook import check

# Los caracteres que puede haber en un str.
CHARACTERS = 0x110000


def plain_witten_bell(counts, shorter):
    r"""Lo mismo que :func:`witten_bell`, sin comprobaciones."""
    if not counts.any():
        return shorter
    kinds = np.count_nonzero(counts)
    mixed = counts + kinds * shorter
    return mixed / (counts.sum() + kinds)  # [ec-rnn-witten-bell]


def witten_bell(counts, shorter):
    r"""Mezcla lo que siguió a un contexto con lo que diría uno más corto (Witten–Bell, interpolado).

    Después de un contexto :math:`h` hemos visto :math:`N` símbolos, y el :math:`c`, :math:`n_c` veces. La frecuencia
    :math:`n_c/N` le da cero a lo que nunca vimos ahí, y un cero es la promesa de que no puede pasar.

    **Derivación.** ¿Cada cuánto sale algo nuevo en este contexto? Mira su historia: de :math:`N` símbolos, los que
    salieron por primera vez son tantos como los distintos, :math:`T`. Cuenta entonces esas :math:`T` novedades como un
    suceso más, «algo nuevo», junto a los :math:`N` que ya contaste. Su probabilidad, y la de seguir lo conocido, son

    .. math::
       :label: ed-rnn-novedad

       \lambda=\frac T{N+T},\qquad 1-\lambda=\frac N{N+T} .

    Si toca algo nuevo, de este contexto no sabemos más, y se pregunta al que tiene un símbolo menos, :math:`h'`:

    .. math::
       :label: ec-rnn-witten-bell

       p(c\mid h)=(1-\lambda)\frac{n_c}N+\lambda\,p(c\mid h')=\frac{n_c+T\,p(c\mid h')}{N+T} .

    Suma 1 si :math:`p(\cdot\mid h')` suma 1, porque :math:`\sum_c n_c=N`. Y es prudente donde hace falta: un contexto
    visto una sola vez tiene :math:`N=T=1` y se fía la mitad de él; uno visto mil veces, al que siempre siguió lo mismo,
    cede :math:`1/1001`. Si nunca se vio, :math:`N=T=0`, se queda lo que diga el corto.

    **A mano.** Tras «q» vimos tres veces «u» y ninguna otra letra; el contexto vacío dice que hay tres igual de
    probables. :math:`N=3` y :math:`T=1`: a la «u» le tocan :math:`(3+\frac13)/4`, y a las otras, :math:`\frac13/4`.

    >>> witten_bell([3, 0, 0], [1 / 3, 1 / 3, 1 / 3]).round(3)
    array([0.833, 0.083, 0.083])

    Parameters
    ----------
    counts : array_like, shape (V,)
        Cuántas veces siguió cada símbolo.
    shorter : array_like, shape (V,)
        Las probabilidades con el contexto más corto.

    Returns
    -------
    ndarray, shape (V,)

    Raises
    ------
    TypeError, ValueError
        Si no son números, si no hay tantos de unas como de otras, si alguno es negativo o si alguna probabilidad pasa
        de 1.

        >>> witten_bell([3, -1], [0.5, 0.5])
        Traceback (most recent call last):
            ...
        ValueError: counts: se esperaban números de al menos 0, pero hay un -1
    """
    sizes = {}
    counts, shorter = check.floats(counts, "counts", "V", sizes), check.floats(shorter, "shorter", "V", sizes)
    for name, values in (("counts", counts), ("shorter", shorter)):
        if values.min() < 0:
            raise ValueError(f"{name}: se esperaban números de al menos 0, pero hay un {values.min():g}")
    if shorter.max() > 1 + 1e-6:
        raise ValueError(f"shorter: se esperaban probabilidades, de 0 a 1, pero hay un {shorter.max():g}")
    return plain_witten_bell(counts, shorter)


class NGram:
    r"""Predice el símbolo que sigue por lo que siguió antes a los últimos ``order - 1``.

    Los símbolos son los caracteres de un texto o, si se le da una lista, sus elementos: palabras, por ejemplo. Se
    cuenta qué siguió a cada contexto, de los de ``order - 1`` símbolos al vacío, y se mezclan con
    :func:`witten_bell`, empezando por el más corto. Por debajo de todos están los símbolos que nunca se han visto:
    todos los que existen, igual de probables; de caracteres, los 1 114 112 que caben en Unicode.

    **A mano.** ¿Qué letra viene después de T-E-X-T? :item:`RNN-04`

    >>> model = NGram(4)
    >>> model.fit("un texto de contexto, pretexto de un contexto")
    >>> model.predict("text")
    'o'

    ¿Y qué palabra, después de VOY-A-VISITAR? Con palabras, y mirando una o dos hacia atrás: :item:`RNN-05`

    >>> corpus = "voy a visitar a mi tía . voy a comer . voy a visitar a Ana"
    >>> words = NGram(3)
    >>> words.fit(corpus.split())
    >>> words.predict(["voy", "a", "visitar"])
    'a'

    Parameters
    ----------
    order : int
        Cuántos símbolos se miran juntos: el que se predice y los ``order - 1`` de antes.

    Attributes
    ----------
    alphabet : list
        Los símbolos que se vieron, en orden.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, si no hay ningún símbolo o si aún no se ha ajustado.

        >>> NGram(2).predict("a")
        Traceback (most recent call last):
            ...
        ValueError: NGram: se esperaba un modelo ajustado; llama antes a fit
    """

    def __init__(self, order=5):
        self.order = check.integer(order, "order", 1, 64)
        self.alphabet, self._levels = None, []

    def fit(self, sequence):
        r"""Olvida lo que supiera y cuenta los contextos de un texto.

        Parameters
        ----------
        sequence : str or sequence
            El texto, o una lista de palabras.
        """
        sequence = _symbols(sequence, "sequence")
        if not sequence:
            raise ValueError("sequence: se esperaba al menos un símbolo, pero no llegó ninguno")
        try:
            self.alphabet = sorted(set(sequence))
        except TypeError:
            message = "se esperaban símbolos de una sola clase que se puedan ordenar, como palabras"
            raise TypeError(f"sequence: {message}") from None
        self._text = isinstance(sequence, str)
        self._base = 1 / (CHARACTERS if self._text else len(self.alphabet) + 1)
        self._index = {symbol: k for k, symbol in enumerate(self.alphabet)}
        codes, size = self._codes(sequence), len(self.alphabet)
        self._levels, context, contexts = [], np.zeros(len(codes), np.int64), 1
        for k in range(self.order):
            # Cada contexto junto con lo que le sigue es un número; y ese, el contexto del largo siguiente.
            keys, gram, counts = np.unique(context * size + codes[k:], return_inverse=True, return_counts=True)
            owner = keys // size
            total = np.bincount(owner, counts, contexts)
            self._levels.append((keys, counts, total, np.bincount(owner, minlength=contexts)))
            context, contexts = gram.reshape(-1)[:-1], len(keys)

    def _codes(self, symbols):
        return np.array([self._index.get(symbol, -1) for symbol in symbols], np.int64)

    def _ready(self):
        if self.alphabet is None:
            raise ValueError("NGram: se esperaba un modelo ajustado; llama antes a fit")

    def _given(self, context, name):
        self._ready()
        context = _symbols(context, name)
        if isinstance(context, str) != self._text:
            expected = "un texto" if self._text else "una lista, como la de fit"
            raise TypeError(f"{name}: se esperaba {expected}, pero llegó {type(context).__name__}")
        return context

    def probabilities(self, context=""):
        r"""Da la probabilidad de que siga cada símbolo del alfabeto; lo que falta para 1 es de los nunca vistos.

        Parameters
        ----------
        context : str or sequence
            Lo de antes; solo cuentan los últimos ``order - 1``.

        Returns
        -------
        ndarray, shape (V,)
        """
        context = self._given(context, "context")
        codes, size = self._codes(context[max(len(context) - self.order + 1, 0) :]), len(self.alphabet)
        p = np.full(size, self._base)
        for k, (keys, counts, _, _) in enumerate(self._levels[: len(codes) + 1]):
            # El contexto de los últimos k, buscado de uno en uno desde el vacío.
            row = self._find(codes[len(codes) - k :])
            if row < 0:
                break
            low, high = np.searchsorted(keys, [row * size, (row + 1) * size])
            followed = np.zeros(size)
            followed[keys[low:high] - row * size] = counts[low:high]
            p = witten_bell(followed, p)
        return p

    def _find(self, codes):
        row, size = 0, len(self.alphabet)
        for (keys, *_), code in zip(self._levels, codes, strict=False):
            at = np.searchsorted(keys, row * size + code)
            if code < 0 or at == len(keys) or keys[at] != row * size + code:
                return -1
            row = int(at)
        return row

    def predict(self, context):
        r"""Da el símbolo más probable después de un contexto; si empatan, el primero del alfabeto.

        Parameters
        ----------
        context : str or sequence
            Lo de antes.

        Returns
        -------
        str
        """
        return self.alphabet[int(self.probabilities(context).argmax())]

    def bits(self, sequence):
        r"""Mide la sorpresa de cada símbolo, :math:`-\log_2 p`, con los anteriores de la misma sucesión a la vista.

        Parameters
        ----------
        sequence : str or sequence
            Un texto, o una lista de palabras.

        Returns
        -------
        ndarray, shape (len(sequence),)
        """
        codes, size = self._codes(self._given(sequence, "sequence")), len(self.alphabet)
        p, context = np.full(len(codes), self._base), np.zeros(len(codes), np.int64)
        for keys, counts, total, kinds in self._levels:
            if not len(keys):
                break
            known = context >= 0
            row = np.where(known, context, 0)
            key = row * size + codes
            at = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
            found = known & (codes >= 0) & (keys[at] == key)
            seen = known & (total[row] > 0)
            p[seen] = ((found * counts[at] + kinds[row] * p) / np.maximum(total[row] + kinds[row], 1))[seen]
            context = np.concatenate([[-1], np.where(found, at, -1)[:-1]]) if len(codes) else context
        return -np.log2(p)

    def bits_per_character(self, sequence):
        r"""Mide cuántos bits cuesta, en promedio, cada símbolo de un texto.

        Parameters
        ----------
        sequence : str or sequence
            Un texto que no se usó para ajustar.

        Returns
        -------
        float
        """
        bits = self.bits(sequence)
        if not len(bits):
            raise ValueError("sequence: se esperaba al menos un símbolo, pero no llegó ninguno")
        return float(bits.mean())

    def generate(self, n, prompt="", seed=None):
        r"""Sigue un texto: sortea un símbolo, lo pone al final y vuelve a empezar.

        Parameters
        ----------
        n : int
            Cuántos símbolos.
        prompt : str or sequence
            Con qué empezar.
        seed : int or numpy.random.Generator, optional
            La semilla de los sorteos.

        Returns
        -------
        str or list
            Lo nuevo, sin el principio.
        """
        n, rng = check.integer(n, "n", 0), check.generator(seed)
        self._ready()
        if isinstance(prompt, str) and not prompt and not self._text:
            prompt = []
        symbols = list(self._given(prompt, "prompt"))
        start = len(symbols)
        for _ in range(n):
            context = symbols[max(len(symbols) - self.order + 1, 0) :]
            heap = np.cumsum(self.probabilities("".join(context) if self._text else context))
            symbols.append(self.alphabet[int(np.searchsorted(heap, rng.random() * heap[-1], side="right"))])
        return "".join(symbols[start:]) if self._text else symbols[start:]


def _symbols(sequence, name):
    if isinstance(sequence, str):
        return sequence
    sequence = check.sequence(sequence, name, empty=True)
    for symbol in sequence:
        try:
            hash(symbol)
        except TypeError:
            kind = type(symbol).__name__
            raise TypeError(f"{name}: se esperaban símbolos, como palabras, pero hay un {kind}") from None
        # Un NaN no es igual a sí mismo: cada uno sería un símbolo distinto.
        if symbol != symbol:
            raise ValueError(f"{name}: se esperaban símbolos iguales a sí mismos, pero hay un {symbol}")
    return sequence
