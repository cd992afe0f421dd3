r"""Dos redes recurrentes seguidas: una lee y la otra escribe."""

import numpy as np

from chapters.mlp import Dense, Input, Model
from chapters.rnn.embeddings.embedding import Embedding
from chapters.rnn.recurrent.lstm import LSTM
from chapters.rnn.recurrent.recurrent import Recurrent
from dlbook import check
from dlbook.training import walk

MOST = 100_000


def encoder_decoder(
    source_tokens,
    target_tokens,
    units=64,
    seed=None,
    dtype="float32",
):
    r"""Arma una red que lee una secuencia y escribe otra (*encoder–decoder*, *sequence to sequence*).

    El **codificador** lee :math:`x_1,\dots,x_T` y de todo lo leído solo conserva su último estado,
    :math:`(\mathbf h_T,\mathbf c_T)`. El **decodificador** es otra LSTM que empieza en ese estado. Cada vez recibe el
    token anterior y dice con qué probabilidad sigue cada uno :cite:p:`sutskever2014`:

    .. math::
       :label: ec-rnn-codificador-decodificador

       \begin{aligned}
       (\mathbf h_0',\mathbf c_0')&=(\mathbf h_T,\mathbf c_T),\\
       (\mathbf h_t',\mathbf c_t')
       &=\operatorname{LSTM}\bigl(\mathbf e(y_{t-1}),\mathbf h_{t-1}',\mathbf c_{t-1}'\bigr),\\
       P(y_t\mid y_1,\dots,y_{t-1},x)&=\operatorname{softmax}(\mathbf h_t'\mathbf W+\mathbf b)_{y_t} .
       \end{aligned}

    Son tres modelos con las mismas capas. El que se entrena recibe ``[lo leído, lo escrito hasta ahora]`` y da todas
    las probabilidades de una vez; los otros dos sirven para escribir, un token cada vez.

    >>> whole, encoder, decoder = encoder_decoder(12, 7, units=5, seed=0)
    >>> whole.predict([np.ones((2, 4)), np.ones((2, 3))]).shape
    (2, 3, 7)
    >>> state = encoder.predict(np.ones((2, 4)))
    >>> p, *state = decoder.predict([np.ones((2, 1)), *state])
    >>> p.shape, [s.shape for s in state]
    ((2, 1, 7), [(2, 5), (2, 5)])
    >>> whole.count_params() == encoder.count_params() + decoder.count_params()
    True

    El token 0 es relleno en las dos secuencias: la máscara lo quita de la lectura y de la pérdida.

    Parameters
    ----------
    source_tokens, target_tokens : int
        Cuántos tokens distintos hay en cada idioma, contando el 0 del relleno; al menos 2.
    units : int
        Cuántos números tienen :math:`\mathbf h`, :math:`\mathbf c` y el vector de un token.
    seed : int, optional
        Origen de los pesos y del azar.
    dtype : str
        El tipo de los pesos: ``"float32"`` o ``"float64"``.

    Returns
    -------
    whole, encoder, decoder : Model
        El que se entrena, ``[fuente, escrito] → probabilidades``; el codificador, ``fuente → [h, c]``; y el
        decodificador, ``[escrito, h, c] → [probabilidades, h, c]``.

    Raises
    ------
    TypeError, ValueError
        Si algún tamaño no es un entero de los que se piden.
    """
    counts = {"source_tokens": source_tokens, "target_tokens": target_tokens}
    source_tokens, target_tokens = (check.integer(n, name, 2) for name, n in counts.items())
    units = check.integer(units, "units", 1)
    return plain_encoder_decoder(source_tokens, target_tokens, units, check.generator(seed), dtype)


def plain_encoder_decoder(source_tokens, target_tokens, units, seed, dtype):
    r"""Primero el codificador, luego el decodificador, y al final los dos juntos."""
    first, second, third = np.random.default_rng(seed).spawn(3)
    source, written = Input((None,)), Input((None,))
    read = Embedding(source_tokens, units, mask_zero=True)(source)
    _, *state = LSTM(units, return_state=True)(read)
    encoder = Model(source, state, seed=first, dtype=dtype)
    before = [Input((units,)), Input((units,))]
    read = Embedding(target_tokens, units, mask_zero=True)(written)
    lstm = LSTM(units, return_sequences=True, return_state=True)
    h, *after = lstm(read, initial_state=before)  # [ec-rnn-codificador-decodificador]
    p = Dense(target_tokens, "softmax")(h)
    given = [written, *before]
    decoder = Model(given, [p, *after], seed=second, dtype=dtype)
    p, *_ = decoder([written, *encoder(source)])
    whole = Model([source, written], p, seed=third, dtype=dtype)
    return whole, encoder, decoder


def _tried(encoder, decoder, source, start):
    # Un token con la primera secuencia: si cada modelo da lo que el otro espera, y entre cuántos tokens se escoge.
    state = _answer(encoder, source[:1], "encoder", "una secuencia")
    if not isinstance(state, list) or any(s.ndim != 2 for s in state):
        raise ValueError(f"encoder: se esperaba que diera una lista de estados, como [h, c], pero da {_came(state)}")
    for token, name in ((0, "decoder"), (start, "start")):
        given = f"el token {token} y los estados que da encoder, de forma {_came(state)}"
        found = _answer(decoder, [np.array([[token]]), *state], name, given)
    shapes = [s.shape for s in state]
    if not isinstance(found, list) or found[0].shape[:-1] != (1, 1) or [y.shape for y in found[1:]] != shapes:
        raise ValueError(f"decoder: se esperaba que diera [(1, 1, V), {str(shapes)[1:]}, pero da {_came(found)}")
    strange = found[0][~np.isfinite(found[0])]
    if strange.size:
        raise ValueError(f"decoder: se esperaban probabilidades finitas, pero dio un {strange[0]}")
    return found[0].shape[-1]


def _answer(model, x, name, given):
    try:
        return model.predict(x, verbose=0)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: se esperaba que {model.name} admitiera {given}, pero dice: {error}") from error


def _came(found):
    return [y.shape for y in found] if isinstance(found, list) else f"un solo arreglo de forma {found.shape}"


def _asked(source, start, end, max_length, last=None, axis="T"):
    # Lo que se le pide a quien escribe; ``last`` es el mayor de los tokens, si ya se sabe.
    source = check.whole(source, "source")
    if source.ndim != 2 or not source.size:
        raise ValueError(f"source: se esperaba la forma (n, {axis}), pero llegó {source.shape}")
    start, end = check.integer(start, "start", 0, last), check.integer(end, "end", 0, last)
    return source, start, end, check.integer(max_length, "max_length", 1, MOST)


def _greedy(step, n, start, end, max_length):
    # ``step`` recibe lo escrito, una fila por secuencia, y da los puntajes del token que sigue a cada una, (n, V).
    written = np.full((n, 1), start, np.int64)
    going = np.ones(n, bool)
    for _ in range(max_length):
        token = step(written).argmax(axis=-1)  # [ec-rnn-voraz]
        going &= token != end
        if not going.any():
            break
        # Quien terminó escribe relleno.
        written = np.column_stack([written, np.where(going, token, 0)])
    return written[:, 1:]


def greedy_decode(encoder, decoder, source, start, end, max_length=50):
    r"""Escribe con el decodificador, quedándose cada vez con el token más probable (*greedy decoding*).

    .. math::
       :label: ec-rnn-voraz

       \hat y_t=\operatorname*{arg\,max}_{k}P(k\mid\hat y_1,\dots,\hat y_{t-1},x),\qquad \hat y_0=\text{inicio},

    y se detiene al escribir el token de fin. No es la secuencia más probable: un primer token algo peor puede llevar
    a un final mucho mejor, y aquí no se vuelve atrás.

    >>> _, encoder, decoder = encoder_decoder(12, 7, units=5, seed=0)
    >>> source = np.ones((2, 4))
    >>> greedy_decode(encoder, decoder, source, 1, 2, max_length=3).shape
    (2, 3)

    Parameters
    ----------
    encoder, decoder : Model
        Los de :func:`encoder_decoder`, o los que den y reciban lo mismo. Antes se prueban con un token.
    source : array_like of int, shape (n, T)
        Lo que hay que leer.
    start, end : int
        Los tokens de inicio y de fin.
    max_length : int
        Cuántos tokens se escriben, a lo sumo.

    Returns
    -------
    ndarray of int64, shape (n, L)
        Lo escrito, sin el inicio ni el fin, y con 0 detrás; :math:`L` es lo más largo que se escribió.

    Raises
    ------
    TypeError, ValueError
        Si ``source`` no es una tabla de enteros, si los modelos no encajan uno con otro o si los demás no son enteros
        válidos.

        >>> greedy_decode(encoder, decoder, source, 1, 7)
        Traceback (most recent call last):
            ...
        ValueError: end: se esperaba un entero entre 0 y 6, pero llegó 7
    """
    encoder, decoder = check.model(encoder, "encoder"), check.model(decoder, "decoder")
    source, start, end, max_length = _asked(source, start, end, max_length)
    recurrent = [r for model in (encoder, decoder) for r in walk(model) if isinstance(r, Recurrent)]
    kept = [dict(layer.memory) for layer in recurrent]
    try:
        end = check.integer(end, "end", 0, _tried(encoder, decoder, source, start) - 1)
    finally:
        # Lo que las capas recordaban entre llamadas queda como estaba.
        for layer, memory in zip(recurrent, kept, strict=True):
            layer.memory.clear()
            layer.memory.update(memory)
    return plain_greedy_decode(encoder, decoder, source, start, end, max_length)


def plain_greedy_decode(encoder, decoder, source, start, end, max_length):
    r"""El más probable, cada vez; de lo escrito basta el último token, y lo demás está en el estado."""
    state = encoder.predict(source, verbose=0)

    def step(written):
        nonlocal state
        given = [written[:, -1:], *state]
        p, *state = decoder.predict(given, verbose=0)
        return p[:, 0]  # [ec-rnn-voraz]

    return _greedy(step, len(source), start, end, max_length)
