r"""BLEU: cuánto se parece una traducción a las que hicieron otros."""

import math
from collections import Counter

from dlbook import check


def _grams(words, n):
    return Counter(zip(*(words[k:] for k in range(n)), strict=False))


def bleu(translations, references, longest=4):
    r"""Mide unas traducciones contra otras hechas por personas (*bilingual evaluation understudy*, BLEU).

    Una frase tiene muchas traducciones buenas, y nadie va a leer las miles de un modelo. :cite:t:`papineni2002` cuentan
    **pedazos**: cuántas secuencias de :math:`n` palabras (*n-gramas*) de la traducción están también en alguna
    referencia.

    **La precisión.** De cada frase :math:`i` se cuentan los n-gramas de lo traducido, :math:`c_i(g)`. Cada uno acierta,
    a lo más, tantas veces como esté en la referencia que más lo tenga, :math:`r_i(g)`; si no, quien solo
    escribe «the» acertaría siempre. Se suma sobre todas las frases **y después** se divide:

    .. math::
       :label: ec-att-bleu-precision

       p_n=\frac{\sum_i\sum_g\min\bigl(c_i(g),\,r_i(g)\bigr)}{\sum_i\sum_g c_i(g)} .

    Con :math:`n=1` mide si las palabras son las que debían; con :math:`n=4`, si además van en orden.

    **La brevedad.** Con escribir poco y seguro la precisión sube. Sea :math:`c` lo que miden todas las traducciones, en
    palabras, y :math:`r` lo que miden las referencias, la de largo más parecido de cada frase. Si :math:`c<r`, se
    castiga:

    .. math::
       :label: ec-att-bleu-brevedad

       b=\min\bigl(1,\ e^{\,1-r/c}\bigr) .

    **Todo junto.** Las precisiones se promedian multiplicándolas, con una media geométrica, porque cada una es varias
    veces menor que la anterior y en una media común las grandes taparían a las pequeñas:

    .. math::
       :label: ec-att-bleu

       \mathrm{BLEU}=100\;b\;\Bigl(\prod_{n=1}^{N}p_n\Bigr)^{1/N},\qquad N=4 .

    **A mano.** Se tradujo «the cat is on the mat» y la referencia era «the cat sat on the mat». Palabras: 5 de 6.
    Parejas: «the cat», «on the» y «the mat», 3 de 5. Ternas: «on the mat», 1 de 4. De cuatro en cuatro, ninguna. Hasta
    las ternas, y con :math:`b=1` porque miden lo mismo, :math:`\sqrt[3]{\tfrac56\cdot\tfrac35\cdot\tfrac14}=\tfrac12`:

    >>> mine, theirs = ["the cat is on the mat"], [["the cat sat on the mat"]]
    >>> score, precisions, brevity = bleu(mine, theirs, longest=3)
    >>> [round(p, 4) for p in precisions], brevity
    ([0.8333, 0.6, 0.25], 1.0)
    >>> round(score, 4)
    50.0
    >>> bleu(mine, theirs)[0]
    0.0

    Con cuatro sale cero: un solo factor nulo anula el producto. BLEU es para muchas frases, no para una.

    Parameters
    ----------
    translations : sequence of str
        Lo traducido, con las palabras separadas por espacios; también los signos, si han de contar.
    references : sequence of sequence of str
        De cada una, una o más traducciones buenas.
    longest : int
        De cuántas palabras son los pedazos más largos, :math:`N`.

    Returns
    -------
    score : float
        El BLEU, de 0 a 100.
    precisions : list of float
        Las precisiones :math:`p_1,\dots,p_N`.
    brevity : float
        El castigo :math:`b`.

    Raises
    ------
    TypeError, ValueError
        Si no son textos, o si no hay una lista de referencias por traducción.

        >>> bleu(["the cat"], [])
        Traceback (most recent call last):
            ...
        ValueError: references: se esperaba una lista de referencias por traducción, 1, pero llegaron 0
    """
    translations = check.sequence(translations, "translations")
    references = check.sequence(references, "references", empty=True)
    if len(references) != len(translations):
        raise ValueError(
            f"references: se esperaba una lista de referencias por traducción, {len(translations)}, "
            f"pero llegaron {len(references)}"
        )
    written = [_words(text, f"translations[{i}]") for i, text in enumerate(translations)]
    theirs = [check.sequence(several, f"references[{i}]") for i, several in enumerate(references)]
    theirs = [[_words(text, f"references[{i}]") for text in several] for i, several in enumerate(theirs)]
    return plain_bleu(written, theirs, check.integer(longest, "longest", 1, 100))


def _words(text, name):
    if not isinstance(text, str):
        raise TypeError(f"{name}: se esperaba un texto, pero llegó un {type(text).__name__}")
    return text.split()


def plain_bleu(translations, references, longest):
    r"""Precisiones, castigo y media geométrica, con las palabras ya separadas."""
    precisions = []
    for n in range(1, longest + 1):
        right = total = 0
        for words, several in zip(translations, references, strict=True):
            counts, best = _grams(words, n), Counter()
            for other in several:
                best |= _grams(other, n)
            right += (counts & best).total()
            total += counts.total()
        precisions.append(right / max(total, 1))  # [ec-att-bleu-precision]
    c, r = sum(map(len, translations)), 0
    for words, several in zip(translations, references, strict=True):
        gap = [(abs(len(o) - len(words)), len(o)) for o in several]
        r += min(gap)[1]
    b = min(1.0, math.exp(1 - r / c)) if c else 0.0  # [ec-att-bleu-brevedad]
    mean = math.prod(precisions) ** (1 / longest)
    return 100 * b * mean, precisions, b  # [ec-att-bleu]
