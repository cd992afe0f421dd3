r"""Buscar la secuencia más probable sin mirarlas todas: el haz de las mejores."""

import numpy as np

from dlbook import check

MOST = 100_000


def _log_softmax(z):
    z = z - z.max(axis=-1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=-1, keepdims=True))


def beam_search(
    step,
    prompt,
    end=None,
    width=4,
    max_length=50,
    length_penalty=0.0,
):
    r"""Escribe conservando en cada paso las :math:`B` secuencias más probables (*beam search*).

    **El problema.** La probabilidad de una secuencia es un producto, y su logaritmo, una suma:

    .. math::
       :label: ec-att-haz-suma

       s(y_1\dots y_t)=\sum_{i=1}^{t}\ln p(y_i\mid y_1\dots y_{i-1})
       =s(y_1\dots y_{t-1})+\ln p(y_t\mid y_1\dots y_{t-1}) .

    Escoger en cada paso lo más probable no da la secuencia más probable: un primer paso algo peor puede llevar a un
    final mucho mejor. Mirarlas todas sí la da, pero son :math:`K^T`. El **haz** (*beam*) queda en medio: de cada paso
    sobreviven :math:`B`, el **ancho**. Cada una se alarga con los :math:`K` tokens, y de esas :math:`BK` quedan otra
    vez las :math:`B` mejores. Cuesta :math:`B` veces lo que escribir una.

    **Los extremos.** Con :math:`B=1` es la búsqueda voraz, :eq:`ec-rnn-voraz`. Si :math:`B` llega a ser el número de
    secuencias que siguen abiertas, no se descarta ninguna, y la búsqueda es exhaustiva.

    **El largo.** Cada token suma un logaritmo de a lo más 0: alargar nunca sube :math:`s`, y la suma favorece a las
    cortas. Para compararlas se divide entre el largo, elevado a :math:`\alpha` :cite:p:`wu2016`:

    .. math::
       :label: ec-att-haz-largo

       \operatorname{puntaje}(y_1\dots y_t)=\frac{s(y_1\dots y_t)}{t^{\alpha}} .

    Con :math:`\alpha=0` es la suma; con :math:`\alpha=1`, el promedio por token. El token del fin también cuenta.

    **Cuándo parar.** Las terminadas se apartan. Una abierta con suma :math:`s` no puede acabar en más de
    :math:`s/T^\alpha`, donde :math:`T` es el largo máximo: su suma ya no sube, y :math:`T` es el mayor divisor. Si
    con eso ninguna alcanza a las :math:`B` terminadas mejores, seguir no cambia nada.

    **A mano.** Tres tokens: 0 es el fin, y 1 y 2 son palabras. Al principio 1 tiene 0.6 y 2 tiene 0.4. Pero tras el 1
    la duda es grande, y tras el 2 casi seguro se termina:

    >>> tree = {
    ...     (): [0.0, 0.6, 0.4],
    ...     (1,): [0.4, 0.3, 0.3],
    ...     (2,): [0.9, 0.05, 0.05],
    ... }
    >>> def step(written):
    ...     rows = [tree.get(tuple(row[1:]), [1, 0, 0]) for row in written]
    ...     with np.errstate(divide="ignore"):
    ...         return np.log(rows)
    >>> (greedy,), s = beam_search(step, [0], end=0, width=1)
    >>> greedy, np.exp(s).round(2)                 # 0.6 · 0.4
    (array([1]), array([0.24]))
    >>> (best, second), s = beam_search(step, [0], end=0, width=2)
    >>> best, second, np.exp(s).round(2)           # 0.4 · 0.9
    (array([2]), array([1]), array([0.36, 0.24]))

    Parameters
    ----------
    step : callable
        Recibe un arreglo de enteros (b, t) con las secuencias abiertas, el principio incluido, y da los puntajes del
        token que sigue a cada una, (b, K): logaritmos de probabilidades, o lo que un *softmax* convierte en ellas. Uno
        puede ser :math:`-\infty`.
    prompt : array_like of int, shape (T_0,)
        El principio. No se repite en lo que se devuelve.
    end : int, optional
        El token del fin; sin él, todas miden ``max_length``.
    width : int
        El ancho del haz, :math:`B`.
    max_length : int
        Cuántos tokens se escriben, a lo más; el del fin cuenta.
    length_penalty : float
        El exponente :math:`\alpha`, de 0 a 10.

    Returns
    -------
    sequences : list of ndarray of int64
        Hasta :math:`B` secuencias, la mejor primero, sin el principio ni el fin.
    scores : ndarray of float64
        Sus puntajes.

    Raises
    ------
    TypeError, ValueError
        Si un argumento no sirve, o si ``step`` no da una fila de puntajes por secuencia.

        >>> beam_search(step, [0], end=0, width=0)
        Traceback (most recent call last):
            ...
        ValueError: width: se esperaba un entero entre 1 y 100000, pero llegó 0
    """
    check.function(step, "step", 1)
    prompt = check.whole(prompt, "prompt")
    if prompt.ndim != 1:
        raise ValueError(f"prompt: se esperaba la forma (T), pero llegó {prompt.shape}")
    end = None if end is None else check.integer(end, "end", 0)
    width, longest = check.integer(width, "width", 1, MOST), check.integer(max_length, "max_length", 1, MOST)
    alpha = check.number(length_penalty, "length_penalty", 0, 10)
    return plain_beam_search(lambda rows: _checked_step(step, rows, end), prompt, end, width, longest, alpha)


def _checked_step(step, rows, end):
    z = check.numbers_of(step(rows), "step").astype(np.float64)
    if z.ndim != 2 or len(z) != len(rows) or not z.size:
        raise ValueError(f"step: se esperaba que diera la forma ({len(rows)}, K), pero dio {z.shape}")
    if not np.isfinite(z.max(axis=1)).all():
        raise ValueError("step: se esperaba al menos un puntaje finito por secuencia, y ningún NaN")
    if end is not None:
        check.integer(end, "end", 0, z.shape[1] - 1)
    return z


def plain_beam_search(step, prompt, end, width, max_length, length_penalty):
    r"""Alargar todas, quedarse con las mejores, apartar las que terminan."""
    rows, sums, done = prompt[np.newaxis], np.zeros(1), []
    for t in range(1, max_length + 1):
        total = sums[:, np.newaxis] + _log_softmax(step(rows))  # [ec-att-haz-suma]
        best = np.argsort(-total, axis=None, kind="stable")[:width]
        best = best[np.isfinite(total.ravel()[best])]
        parents, tokens = np.divmod(best, total.shape[1])
        rows, sums = np.c_[rows[parents], tokens], total.ravel()[best]
        ended = (tokens == end) | (t == max_length)
        for row, s in zip(rows[ended], sums[ended], strict=True):
            text = row[len(prompt) : -1 if row[-1] == end else None]
            done.append((s / t**length_penalty, text))  # [ec-att-haz-largo]
        done = sorted(done, key=lambda pair: -pair[0])[:width]
        rows, sums = rows[~ended], sums[~ended]
        hope = sums.max(initial=-np.inf) / max_length**length_penalty
        if not len(rows) or (len(done) == width and hope <= done[-1][0]):
            break
    return [text for _, text in done], np.array([s for s, _ in done])
