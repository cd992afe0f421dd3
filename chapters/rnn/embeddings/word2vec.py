r"""Word2vec: un vector para cada palabra, aprendido de las que la acompañan."""

from collections import Counter

import numpy as np

from chapters.rnn.embeddings.pairs import keep_probability, noise_distribution
from dlbook import check
from dlbook.numeric.kernel import kernel
from dlbook.numeric.parallel import Team, cut, get_threads

# La urna de donde salen las negativas tiene 2^18 papeletas.
URN_BITS = 18
# Cuántas palabras lee cada hilo antes de juntar lo aprendido.
ROUND = 8192
MULTIPLIER = np.uint64(6364136223846793005)
INCREMENT = np.uint64(1442695040888963407)


class Word2Vec:
    r"""Vectores de palabras con *skip-gram* y muestreo negativo, con los nombres de gensim.

    Recorre el texto muchas veces. En cada lugar tira las palabras frecuentes con :func:`keep_probability`; sortea una
    ventana, de 1 a ``window``, para que las más cercanas cuenten más; y por cada vecina sortea ``negative`` palabras
    con :func:`noise_distribution` y da un paso contra el gradiente de :func:`sgns_loss`. La tasa baja en línea recta,
    de ``alpha`` a ``min_alpha``.

    Cada hilo lee su parte del texto con su propia copia de los vectores, y cada tantas palabras se suma a los de todos
    lo que cambió cada copia, en un orden fijo. Con la misma semilla y el mismo número de hilos salen los mismos bits.

    **Un ejemplo.** Los animales nunca aparecen juntos, pero les pasan las mismas cosas:

    >>> animals, foods = ["gato", "perro", "pato"], ["pan", "queso", "arroz"]
    >>> alive = [[a, v] for a in animals for v in ("come", "duerme", "corre")]
    >>> eaten = [[f, v] for f in foods for v in ("sabe", "engorda", "cuesta")]
    >>> model = Word2Vec(8, min_count=1, sample=0, alpha=0.1, epochs=20, seed=0)
    >>> model = model.fit((alive + eaten) * 20)
    >>> sorted(word for word, _ in model.most_similar("gato", topn=2))
    ['pato', 'perro']
    >>> round(model.similarity("gato", "perro"), 1)
    1.0
    >>> round(model.similarity("gato", "pan"), 1)
    0.3

    Parameters
    ----------
    vector_size : int
        El largo de los vectores.
    window : int
        La ventana más ancha, a cada lado.
    min_count : int
        Las palabras que aparecen menos veces se ignoran.
    negative : int
        Cuántas negativas por vecina.
    sample : float
        El umbral para aligerar las frecuentes; con 0 se conservan todas.
    alpha, min_alpha : float
        La tasa, al empezar y al acabar.
    epochs : int
        Cuántas veces se recorre el texto.
    seed : int or numpy.random.Generator, optional
        La semilla.

    Attributes
    ----------
    words : list of str
        Las palabras, de la más a la menos frecuente; si empatan, en el orden en que aparecen.
    counts : ndarray, shape (V,)
        Cuántas veces aparece cada una.
    vectors, contexts : ndarray, shape (V, vector_size)
        El vector de cada palabra como centro, que es el que se usa, y como vecina.
    history : dict
        ``{"loss": [...]}``, la pérdida media por pareja en cada época.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no es del tipo o del intervalo pedido.
    """

    def __init__(
        self,
        vector_size=100,
        window=5,
        min_count=5,
        negative=5,
        sample=1e-3,
        alpha=0.025,
        min_alpha=1e-4,
        epochs=5,
        seed=None,
    ):
        self.vector_size = check.integer(vector_size, "vector_size", 1, 2**16)
        self.window = check.integer(window, "window", 1, 2**16)
        self.min_count = check.integer(min_count, "min_count", 1)
        self.negative = check.integer(negative, "negative", 1, 2**10)
        self.sample = check.number(sample, "sample", 0, 1)
        self.alpha = check.number(alpha, "alpha", 0, 1, open_low=True)
        self.min_alpha = check.number(min_alpha, "min_alpha", 0, self.alpha)
        self.epochs = check.integer(epochs, "epochs", 1, 2**20)
        check.generator(seed)
        self.seed = seed
        self.words, self.counts, self.vectors, self.contexts = [], None, None, None
        self.history = {"loss": []}

    def fit(self, sentences):
        r"""Aprende los vectores, desde cero.

        Parameters
        ----------
        sentences : iterable of list of str
            Las frases, ya partidas en palabras. Una ventana no sale de su frase.

        Returns
        -------
        Word2Vec
            El mismo objeto, ya entrenado.

        Raises
        ------
        TypeError, ValueError
            Si no son listas de textos, si no quedan al menos dos palabras distintas, si en ninguna frase queda una
            pareja, o si con esa tasa los números se desbordan.
        """
        sentences = [_checked(words) for words in check.sequence(sentences, "sentences")]
        text, starts = self._count(sentences)
        rng, size = check.generator(self.seed), len(self.words)
        # Un texto corto no da para repartir: lo que aprende un hilo tardaría en llegar a los demás.
        threads = max(1, min(get_threads(), len(text) // ROUND))
        check.memory(2 * size * self.vector_size * (threads + 1), "vector_size", 4)
        # Un juego de los dos vectores para todos, y el de cada hilo.
        shared = np.zeros((2, size, self.vector_size), np.float32)
        shared[0] = (rng.random(shared[0].shape, np.float32) - 0.5) / self.vector_size
        self.vectors, self.contexts = shared
        own = shared[np.newaxis] if threads == 1 else np.stack([shared] * threads)
        chances = np.cumsum(noise_distribution(self.counts))
        urn = np.searchsorted(chances, (np.arange(2**URN_BITS) + 0.5) / 2**URN_BITS)
        urn = np.minimum(urn, size - 1).astype(np.int32)
        keep = keep_probability(self.counts, self.sample)
        states = rng.integers(2**63, size=threads).astype(np.uint64)
        rounds = _rounds(starts, threads)
        settings = text, starts, keep, urn, self.window, self.negative
        losses, total = np.zeros((threads, 2)), self.epochs * len(text)
        self.history, fall = {"loss": []}, (self.alpha - self.min_alpha) / total
        with Team(threads) as team:
            for epoch in range(self.epochs):
                losses[:] = 0
                for parts in rounds:
                    # La tasa de cada frase la dice su lugar en el texto.
                    alpha = self.alpha - fall * epoch * len(text)

                    def read(k, parts=parts, alpha=alpha):
                        states[k] = _read(own[k], *settings, parts[k], alpha, fall, states[k], losses[k])

                    team.run(read, threads)
                    if threads > 1:
                        team.run(lambda k: _join(shared, own, *cut(size, threads)[k]), threads)
                loss, pairs = losses.sum(axis=0)
                if not pairs:
                    raise ValueError(
                        f"sample: se esperaba que quedaran palabras con vecinas, pero con {self.sample:g} se tiraron "
                        f"tantas que en la época {epoch + 1} no hay ninguna pareja"
                    )
                self.history["loss"].append(float(loss / pairs))
                if not np.isfinite(shared).all():
                    raise ValueError(
                        f"alpha: se esperaba una tasa con que los vectores no crecieran sin fin, pero con {self.alpha} "
                        f"se desbordan en la época {epoch + 1}"
                    )
        return self

    def _count(self, sentences):
        counts = Counter(word for words in sentences for word in words)
        found = [(word, n) for word, n in counts.most_common() if n >= self.min_count]
        if len(found) < 2:
            raise ValueError(
                f"sentences: se esperaban al menos dos palabras que aparezcan {self.min_count} veces, "
                f"pero llegaron {len(found)}"
            )
        known = {word for word, _ in found}
        if all(sum(word in known for word in words) < 2 for words in sentences):
            raise ValueError(
                "sentences: se esperaba alguna frase con al menos dos palabras del vocabulario, para hacer una "
                "pareja, pero no hay ninguna"
            )
        self.words, counts = [word for word, _ in found], [n for _, n in found]
        self.counts = np.array(counts)
        self._index = {word: i for i, word in enumerate(self.words)}
        lines = [[self._index[word] for word in words if word in self._index] for words in sentences]
        starts = np.cumsum([0] + [len(line) for line in lines])
        return np.array([i for line in lines for i in line], np.int32), starts

    def __contains__(self, word):
        r"""Dice si la palabra tiene vector."""
        return isinstance(word, str) and word in getattr(self, "_index", ())

    def __getitem__(self, word):
        r"""Da el vector de una palabra."""
        return self.vectors[self._place(word, "word")]

    def _place(self, word, name):
        word = check.text(word, name)
        if self.vectors is None:
            raise ValueError(f"{name}: se esperaba un modelo entrenado, pero aún no lo está; llama a fit")
        if word not in self._index:
            raise ValueError(f"{name}: se esperaba una palabra del vocabulario, pero llegó {word!r}")
        return self._index[word]

    def similarity(self, first, second):
        r"""Da el coseno del ángulo entre los vectores de dos palabras.

        Raises
        ------
        TypeError, ValueError
            Si alguna no está en el vocabulario.
        """
        a, b = self[first].astype(np.float64), self[second].astype(np.float64)
        return float(a @ b / np.sqrt((a @ a) * (b @ b)))

    def most_similar(self, word, topn=10):
        r"""Da las palabras cuyo vector apunta más hacia donde apunta el de una, con el coseno del ángulo.

        Parameters
        ----------
        word : str
            La palabra.
        topn : int
            Cuántas.

        Returns
        -------
        list of (str, float)
            De la más a la menos parecida, sin la misma palabra.

        Raises
        ------
        TypeError, ValueError
            Si no está en el vocabulario, o ``topn`` no es un entero positivo.

            >>> model = Word2Vec(2, min_count=1, sample=0, seed=0).fit([["sol", "luna"]])
            >>> model.most_similar("mar")
            Traceback (most recent call last):
                ...
            ValueError: word: se esperaba una palabra del vocabulario, pero llegó 'mar'
        """
        return self._nearest(self[word], [self._place(word, "word")], topn)

    def analogy(self, a, b, c, topn=10):
        r"""Contesta «:math:`a` es a :math:`b` como :math:`c` es a…».

        Busca las palabras más parecidas a :math:`\mathbf v_b-\mathbf v_a+\mathbf v_c`, con los tres a longitud 1, y no
        cuenta las tres de la pregunta.

        Parameters
        ----------
        a, b, c : str
            Las palabras.
        topn : int
            Cuántas respuestas.

        Returns
        -------
        list of (str, float)
            De la más a la menos parecida.

        Raises
        ------
        TypeError, ValueError
            Si alguna no está en el vocabulario, o ``topn`` no es un entero positivo.
        """
        places = [self._place(word, name) for word, name in zip((a, b, c), "abc", strict=True)]
        va, vb, vc = (_unit(self.vectors[place]) for place in places)
        return self._nearest(vb - va + vc, places, topn)

    def _nearest(self, vector, without, topn):
        topn = check.integer(topn, "topn", 1)
        cosines = _unit(self.vectors) @ _unit(vector)
        cosines[without] = -np.inf
        best = np.argsort(-cosines, kind="stable")[: min(topn, len(cosines) - len(set(without)))]
        return [(self.words[i], float(cosines[i])) for i in best]


def _unit(x):
    x = x.astype(np.float64)
    return x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), 1e-30)


def _checked(words):
    words = check.sequence(words, "sentences", empty=True)
    for word in words:
        check.text(word, "sentences")
    return words


def _rounds(starts, threads):
    # En cada ronda, de qué frase a qué frase lee cada hilo. Con uno solo no hay nada que juntar: una ronda.
    rounds = max(1, int(starts[-1]) // (ROUND * threads)) if threads > 1 else 1
    edges = np.arange(rounds * threads + 1) * int(starts[-1]) // (rounds * threads)
    edges = np.searchsorted(starts[:-1], edges)
    edges[-1] = len(starts) - 1
    return np.stack([edges[:-1], edges[1:]], axis=1).reshape(rounds, threads, 2)


@kernel(fastmath=True)
def _read(own, text, starts, keep, urn, window, k, part, alpha, fall, state, losses):
    vectors, contexts = own[0], own[1]
    line, chosen = np.empty(len(text), np.int32), np.empty(k + 1, np.int32)
    errors, dv = np.empty(k + 1, np.float32), np.empty(vectors.shape[1], np.float32)
    for s in range(part[0], part[1]):
        rate = np.float32(alpha - fall * starts[s])
        length = 0
        for t in range(starts[s], starts[s + 1]):
            state = state * MULTIPLIER + INCREMENT
            if (state >> np.uint64(11)) * 2.0**-53 <= keep[text[t]]:
                line[length] = text[t]
                length += 1
        for t in range(length):
            state = state * MULTIPLIER + INCREMENT
            width = 1 + (state >> np.uint64(33)) % np.uint64(window)
            first, last = max(0, t - np.int64(width)), min(length, t + np.int64(width) + 1)
            for j in range(first, last):
                if j == t:
                    continue
                chosen[0], n = line[j], 1
                for _ in range(k):
                    state = state * MULTIPLIER + INCREMENT
                    word = urn[state >> np.uint64(64 - URN_BITS)]
                    # La vecina verdadera no puede ser también mentira.
                    if word != line[j]:
                        chosen[n] = word
                        n += 1
                losses[0] += _step(vectors[line[t]], contexts, chosen[:n], rate, errors, dv)
                losses[1] += 1
    return state


# Si los vectores se desbordan, que lo diga fit, y no la división.
@kernel(fastmath=True, error_model="numpy")
def _step(v, contexts, chosen, rate, errors, dv):
    # Contra el gradiente de una pareja: chosen[0] es la vecina; las demás, negativas.
    right = 1.0
    for i in range(len(chosen)):
        u, score = contexts[chosen[i]], np.float32(0)
        for d in range(len(v)):
            score += v[d] * u[d]
        p = np.float32(1) / (np.float32(1) + np.exp(-score))
        errors[i] = p - np.float32(i == 0)
        right *= p if i == 0 else np.float32(1) - p
    dv[:] = 0
    for i in range(len(chosen)):
        u, error = contexts[chosen[i]], rate * errors[i]
        for d in range(len(v)):
            before = u[d]
            dv[d] += error * before
            u[d] = before - error * v[d]
    for d in range(len(v)):
        v[d] -= dv[d]
    return -np.log(max(right, 1e-300))


@kernel
def _join(shared, own, low, high):
    for side in range(2):
        for i in range(low, high):
            for d in range(shared.shape[2]):
                moved = np.float32(0)
                for k in range(len(own)):
                    moved += own[k, side, i, d] - shared[side, i, d]
                shared[side, i, d] += moved
                for k in range(len(own)):
                    own[k, side, i, d] = shared[side, i, d]
