r"""Tapar palabras de una frase, para que la red las adivine."""

import numpy as np

from dlbook import check


def plain_mask_words(
    ids, vocabulary, mask, first=0, rate=0.15, seed=None
):  # fmt: skip
    r"""Escoge posiciones, y de cada diez tapa ocho y cambia una."""
    rng = np.random.default_rng(seed)
    chosen = (rng.random(ids.shape) < rate) & (ids >= first)
    y = np.where(chosen, ids, -1)  # [ec-att-bert-tapar]
    fate = rng.random(ids.shape)
    x = np.where(chosen & (fate < 0.8), mask, ids)  # [ec-att-bert-tapar]
    others = rng.integers(first, vocabulary, ids.shape)
    x = np.where(chosen & (fate >= 0.9), others, x)  # [ec-att-bert-tapar]
    return x, y


def mask_words(ids, vocabulary, mask, first=0, rate=0.15, seed=None):
    r"""Prepara frases para adivinar palabras tapadas (*masked language model*) :cite:p:`devlin2019`.

    Cada posición se escoge con probabilidad 0.15, y en las escogidas se pregunta cuál es la palabra. A la entrada, de
    cada diez escogidas, ocho se tapan, una se cambia por otra cualquiera y una se deja como está. Con un número al
    azar :math:`r` entre 0 y 1 y :math:`v` una palabra sorteada,

    .. math::
       :label: ec-att-bert-tapar

       x_t=\begin{cases}
       \text{hueco} & r<0.8,\\
       t_t & 0.8\le r<0.9,\\
       v & 0.9\le r,
       \end{cases}
       \qquad
       y_t=t_t
       \qquad(\text{en las demás, } x_t=t_t\text{ y no se pregunta}).

    **¿Por qué no taparlas todas?** Porque después, al usar la red, no habrá ningún hueco. Si solo se preguntara en los
    huecos, a la red le daría igual qué vector pone en una palabra que **se ve**, que es lo que vamos a usar.

    **Derivación.** Supón que en una posición escogida se ve la palabra :math:`w`. O se dejó, y es la correcta, o se
    sorteó. Si según el contexto la correcta es :math:`u` con probabilidad :math:`p_u`, y hay :math:`V` palabras,

    .. math::
       :label: ed-att-bert-bayes

       P(\text{correcta}=w\mid\text{se ve }w)
       =\frac{0.1\,p_w+0.1\,\frac{p_w}V}{0.1\,p_w+0.1\,\frac1V}
       \approx\frac{p_w}{p_w+\frac1V} .

    Arriba están haberla dejado y que el sorteo atinara, que es :math:`V` veces más raro y se puede olvidar. Abajo,
    haberla dejado y haberla sorteado, que le toca a :math:`w` con probabilidad :math:`1/V` sea cual sea la
    correcta. La mejor respuesta **se fía de lo que ve si le va al contexto**, y si no, duda. Para darla, el vector
    de una palabra visible tiene que llevar las dos cosas: cuál es, y qué dicen las demás. Si todas las visibles se
    dejaran bien, bastaría copiar lo que se ve; si todas se sortearan, bastaría ignorarlo.

    Con mil palabras, una que el contexto espera con probabilidad 0.1 merece confianza; una que espera con 0.0001, no:

    >>> [round(p / (p + 1 / 1000), 3) for p in (0.1, 0.001, 0.0001)]
    [0.99, 0.5, 0.091]

    **A mano.** El hueco es el 1 y las palabras van del 2 en adelante; el 0 es relleno, y no se toca. El −1 dice que ahí
    no se pregunta:

    >>> ids = np.array([[2, 3, 4, 5, 6, 7, 0, 0], [7, 6, 5, 4, 3, 2, 8, 9]])
    >>> x, y = mask_words(ids, 10, mask=1, first=2, rate=0.4, seed=10)
    >>> x
    array([[2, 1, 4, 6, 6, 7, 0, 0],
           [7, 6, 5, 1, 3, 2, 8, 9]])
    >>> y
    array([[-1,  3, -1,  5, -1,  7, -1, -1],
           [-1, -1, -1,  4, -1, -1, -1, -1]])

    Parameters
    ----------
    ids : array_like of int, shape (n, T)
        Las palabras, por su índice.
    vocabulary : int
        Cuántos índices hay.
    mask : int
        El del hueco.
    first : int
        El de la primera palabra de verdad. Los menores, como el relleno, ni se tapan ni se sortean.
    rate : float
        Con qué probabilidad se pregunta por una palabra, de 0 a 1.
    seed : int, optional
        Origen del azar.

    Returns
    -------
    x : ndarray of int64, shape (n, T)
        Lo que la red lee.
    y : ndarray of int64, shape (n, T)
        La palabra correcta donde se pregunta, y −1 donde no. Para la pérdida es ``ignore_class=-1``.

    Raises
    ------
    TypeError, ValueError
        Si un índice no está en el vocabulario, o si ``rate`` no está entre 0 y 1.
    """
    vocabulary = check.integer(vocabulary, "vocabulary", 1, 2**31 - 1)
    mask = check.integer(mask, "mask", 0, vocabulary - 1)
    first = check.integer(first, "first", 0, vocabulary - 1)
    ids = check.labels(ids, "ids", vocabulary, "n T")
    rate = check.number(rate, "rate", 0, 1)
    return plain_mask_words(ids, vocabulary, mask, first, rate, check.generator(seed))
