r"""De un texto a parejas: cada palabra con sus vecinas, y unas cuantas que no lo son."""

import numpy as np

from dlbook import check


def skipgrams(
    sequence,
    vocabulary_size,
    window_size=4,
    negative_samples=1.0,
    shuffle=True,
    categorical=False,
    sampling_table=None,
    seed=None,
):
    r"""Forma parejas de palabra y vecina (*skip-grams*), con los nombres de Keras 2.

    Sea :math:`w_1,\dots,w_T` la secuencia, y :math:`m` el ancho de la **ventana** (*window*). Las parejas verdaderas
    son las de cada palabra con las que están, a lo sumo, a :math:`m` lugares:

    .. math::
       :label: ed-rnn-ventana

       \{(w_t, w_j) : 0<|t-j|\le m\} .

    Llevan la etiqueta 1. Las **negativas** (*negative samples*) toman una palabra de esas y le ponen al lado otra
    cualquiera del vocabulario; llevan la etiqueta 0. El índice 0 se reserva para el relleno: ni tiene vecinas ni es
    vecina de nadie.

    **A mano.** Con ventana 1, la del medio tiene dos vecinas, y las de las orillas, una. El relleno no
    cuenta:

    >>> couples, labels = skipgrams([1, 2, 3], 4, 1, 0, shuffle=False)
    >>> couples
    [[1, 2], [2, 1], [2, 3], [3, 2]]
    >>> words = ["", "el", "perro", "ladra", "fuerte"]
    >>> couples, _ = skipgrams([0, 1, 2, 3, 4], 5, 1, 0, shuffle=False)
    >>> [f"{words[i]} {words[j]}" for i, j in couples[:3]]
    ['el perro', 'perro el', 'perro ladra']

    Con una negativa por cada verdadera, la mitad de las etiquetas son 0:

    >>> couples, labels = skipgrams([1, 2, 3], 4, 1, 1, seed=0)
    >>> len(couples), sum(labels)
    (8, 4)

    Parameters
    ----------
    sequence : array_like of int, shape (T,)
        Los índices de las palabras, de 0 a ``vocabulary_size - 1``.
    vocabulary_size : int
        Cuántos índices hay, contando el 0.
    window_size : int
        El ancho :math:`m`, a cada lado.
    negative_samples : float
        Cuántas negativas por cada verdadera; con 0, ninguna.
    shuffle : bool
        Si las parejas se barajan; si no, primero van las verdaderas, en el orden del texto.
    categorical : bool
        Si la etiqueta es ``[0, 1]`` o ``[1, 0]`` en lugar de 1 o 0.
    sampling_table : array_like, shape (vocabulary_size,), optional
        Con qué probabilidad se conserva cada palabra como centro; véase :func:`keep_probability`.
    seed : int or numpy.random.Generator, optional
        La semilla.

    Returns
    -------
    couples : list of [int, int]
        Las parejas.
    labels : list
        Sus etiquetas.

    Raises
    ------
    TypeError, ValueError
        Si algún argumento no es del tipo o del intervalo pedido.

        >>> skipgrams([1, 7], 4)
        Traceback (most recent call last):
            ...
        ValueError: sequence: se esperaba un entero entre 0 y 3, pero hay un 7 en la posición (1,)
    """
    size = check.integer(vocabulary_size, "vocabulary_size", 2, 2**31)
    words = check.labels(sequence, "sequence", size, "T")
    window = min(check.integer(window_size, "window_size", 0), len(words))
    share = check.number(negative_samples, "negative_samples", 0)
    shuffle, categorical = check.boolean(shuffle, "shuffle"), check.boolean(categorical, "categorical")
    rng = check.generator(seed)
    centers = words != 0
    if sampling_table is not None:
        kept = check.floats(sampling_table, "sampling_table", "v", {"v": size})
        if kept.min() < 0 or kept.max() > 1:
            wrong = kept[(kept < 0) | (kept > 1)][0]
            raise ValueError(f"sampling_table: se esperaban probabilidades, de 0 a 1, pero hay un {wrong:g}")
        centers &= kept[words] >= rng.random(len(words))
    check.memory(2 * len(words) * window, f"sequence, de {len(words)} palabras, con window_size={window}", 8)
    couples = _window_pairs(words, centers, window)
    check.memory(2 * len(couples) * (1 + share), "negative_samples", 8)
    # A todas las parejas les tocan las mismas negativas, una más o una menos.
    turns = np.arange(int(len(couples) * share)) % max(1, len(couples))
    chosen = rng.permutation(couples[:, 0])[turns]
    negatives = np.stack([chosen, rng.integers(1, size, len(chosen))], axis=1)
    labels = np.repeat([1, 0], [len(couples), len(negatives)])
    couples = np.concatenate([couples, negatives])
    if shuffle:
        order = rng.permutation(len(couples))
        couples, labels = couples[order], labels[order]
    if categorical:
        labels = np.stack([1 - labels, labels], axis=1)
    return couples.tolist(), labels.tolist()


def _window_pairs(words, centers, window):
    # Cada fila, una palabra; cada columna, un lugar de su ventana.
    steps = np.array([s for s in range(-window, window + 1) if s], np.int64)
    places = np.arange(len(words))[:, np.newaxis] + steps
    inside = (places >= 0) & (places < len(words))
    near = words[np.where(inside, places, 0)]
    t, s = np.nonzero(inside & centers[:, np.newaxis] & (near != 0))
    return np.stack([words[t], near[t, s]], axis=1)


def keep_probability(counts, sample=1e-3):
    r"""Con qué probabilidad se conserva cada palabra al aligerar las frecuentes (*subsampling*).

    «De» aparece junto a todo, y verla otra vez enseña poco. Las palabras así se tiran a menudo, antes de formar las
    ventanas.

    **Derivación.** Sea :math:`f` la fracción del texto que es la palabra, y :math:`t` un umbral. Si se conservara con
    probabilidad :math:`\sqrt{t/f}`, de :math:`f` quedaría

    .. math::
       :label: ed-rnn-aligerar

       f\sqrt{t/f}=\sqrt{t\,f} :

    el orden es el mismo, pero la que era cien veces más frecuente lo es solo diez. Por debajo de :math:`t` la raíz pasa
    de 1 y no se tira ninguna. El programa original le suma :math:`t/f`, que casi no cuenta en las muy frecuentes y
    en las demás sube el umbral: no se tira ninguna hasta :math:`f\approx2.6\,t`. Así se hace aquí:

    .. math::
       :label: ec-rnn-conservar

       p=\min\left(1,\ \sqrt{\frac tf}+\frac tf\right) .

    **A mano.** Con :math:`t=0.01`, una palabra con el 64 % del texto se conserva
    :math:`\tfrac18+\tfrac1{64}\approx0.141`; una con el 36 %, :math:`\tfrac16+\tfrac1{36}\approx0.194`:

    >>> keep_probability([64, 36], sample=0.01).round(3)
    array([0.141, 0.194])
    >>> keep_probability([990, 9, 1], sample=0.01).round(3)
    array([0.111, 1.   , 1.   ])

    Parameters
    ----------
    counts : array_like, shape (V,)
        Cuántas veces aparece cada palabra.
    sample : float
        El umbral :math:`t`; con 0 se conservan todas.

    Returns
    -------
    ndarray, shape (V,)
        Las probabilidades.

    Raises
    ------
    TypeError, ValueError
        Si alguna cuenta no es mayor que 0, o el umbral no está entre 0 y 1.
    """
    counts = _counts(counts)
    sample = check.number(sample, "sample", 0, 1)
    if not sample:
        return np.ones(len(counts))
    ratio = sample / (counts / counts.sum())
    return np.minimum(1, np.sqrt(ratio) + ratio)  # [ec-rnn-conservar]


def _counts(counts):
    counts = check.floats(counts, "counts", "V").astype(np.float64)
    # Entre la mayor, para que la suma no se desborde.
    counts = counts / max(counts.max(), np.finfo(float).tiny)
    if not counts.min() > 0:
        message = "se esperaban cuentas mayores que 0, pero hay una que no"
        raise ValueError(f"counts: {message}")
    return counts


def noise_distribution(counts, power=0.75):
    r"""Reparte la probabilidad con que cada palabra sale de negativa.

    .. math::
       :label: ec-rnn-ruido

       P_n(w)=\frac{\#(w)^{\,a}}{\sum_{w'}\#(w')^{\,a}} ,

    donde :math:`\#(w)` son las veces que aparece. Con :math:`a=1` son las frecuencias del texto, y las raras casi nunca
    salen; con :math:`a=0` todas salen igual, y las frecuentes, que son las que hay que aprender a despegar, casi no.
    El :math:`\tfrac34` es un punto medio, y no se deduce de nada: se eligió por sus resultados.

    **A mano.** Tres palabras que aparecen 81, 16 y 1 veces. Elevadas a :math:`\tfrac34` son 27, 8 y 1:

    >>> noise_distribution([81, 16, 1]).round(3)
    array([0.75 , 0.222, 0.028])
    >>> noise_distribution([81, 16, 1], power=1).round(3)
    array([0.827, 0.163, 0.01 ])

    Parameters
    ----------
    counts : array_like, shape (V,)
        Cuántas veces aparece cada palabra.
    power : float
        El exponente :math:`a`, de 0 a 1.

    Returns
    -------
    ndarray, shape (V,)
        Las probabilidades; suman 1.

    Raises
    ------
    TypeError, ValueError
        Si alguna cuenta no es mayor que 0, o el exponente no está entre 0 y 1.
    """
    weights = _counts(counts) ** check.number(power, "power", 0, 1)
    return weights / weights.sum()  # [ec-rnn-ruido]
