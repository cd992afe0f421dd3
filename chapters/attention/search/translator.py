r"""El codificador–decodificador, con permiso de volver a mirar la frase."""

import numpy as np

from chapters.attention.search.attention import AdditiveAttention
from chapters.mlp import Concatenate, Dense, Input, Model
from chapters.rnn import LSTM, Embedding
from chapters.rnn.programs.encoder_decoder import _asked, _greedy
from dlbook import check


def bahdanau_translator(source_tokens, target_tokens, units=64, seed=None, dtype="float32"):
    r"""Arma un codificador–decodificador cuyo decodificador vuelve a mirar la frase en cada paso.

    Es :func:`chapters.rnn.encoder_decoder` con una pieza más. El codificador conserva **todos** sus estados,
    :math:`\mathbf h_1,\dots,\mathbf h_S`, y no solo el último. Cuando el decodificador está en :math:`\mathbf h_t'`,
    se comparan con él, y con lo que se parezcan se promedian:

    .. math::
       :label: ec-att-traductor

       \begin{aligned}
       e_{ts}&=\mathbf v^\top\tanh(\mathbf W_q\mathbf h_t'+\mathbf W_k\mathbf h_s),\\
       \mathbf z_t&=\sum_s a_{ts}\,\mathbf h_s,
       \qquad a_{ts}=\operatorname{softmax}_s(e_{ts}),\\
       P(y_t\mid y_1,\dots,y_{t-1},x)
       &=\operatorname{softmax}\bigl(\mathbf W\,[\mathbf z_t;\mathbf h_t']+\mathbf b\bigr)_{y_t} .
       \end{aligned}

    El token 0 es relleno: no se mira ni cuenta en la pérdida.

    >>> whole = bahdanau_translator(12, 7, units=5, seed=0)
    >>> whole.predict([np.ones((2, 4)), np.ones((2, 3))], verbose=0).shape
    (2, 3, 7)

    Los pesos de la última ida quedan en su capa ``"attention"``; cada fila suma 1:

    >>> _ = whole.forward([np.ones((2, 4)), np.ones((2, 3))])
    >>> weights = whole.get_layer("attention").attention
    >>> weights.shape, bool(np.allclose(weights.sum(axis=-1), 1))
    ((2, 3, 4), True)

    Parameters
    ----------
    source_tokens, target_tokens : int
        Cuántos tokens distintos hay en cada idioma, contando el 0 del relleno; al menos 2.
    units : int
        Cuántos números tienen los estados, las proyecciones y el vector de un token.
    seed : int, optional
        Origen de los pesos y del azar.
    dtype : str
        El tipo de los pesos: ``"float32"`` o ``"float64"``.

    Returns
    -------
    Model
        Recibe ``[lo leído, lo escrito]`` y da, en cada paso, la probabilidad de cada token.

    Raises
    ------
    TypeError, ValueError
        Si algún tamaño no es un entero de los que se piden.

        >>> bahdanau_translator(12, 1)
        Traceback (most recent call last):
            ...
        ValueError: target_tokens: se esperaba un entero de al menos 2, pero llegó 1
    """
    counts = {"source_tokens": source_tokens, "target_tokens": target_tokens}
    source_tokens, target_tokens = (check.integer(n, name, 2) for name, n in counts.items())
    units = check.integer(units, "units", 1)
    return plain_bahdanau_translator(source_tokens, target_tokens, units, check.generator(seed), dtype)


def plain_bahdanau_translator(
    source_tokens,
    target_tokens,
    units,
    seed,
    dtype,
):
    r"""Leer, escribir, atender y, con las dos cosas juntas, contestar."""
    source, written = Input((None,)), Input((None,))
    read = Embedding(source_tokens, units, mask_zero=True)(source)
    encoder = LSTM(units, return_sequences=True, return_state=True)
    memory, *state = encoder(read)
    read = Embedding(target_tokens, units, mask_zero=True)(written)
    decoder = LSTM(units, return_sequences=True)
    h = decoder(read, initial_state=state)
    query, key = Dense(units)(h), Dense(units, use_bias=False)(memory)
    attention = AdditiveAttention(name="attention")
    z = attention([query, memory, key])  # [ec-att-traductor]
    answer = Dense(target_tokens, "softmax")
    p = answer(Concatenate()([z, h]))  # [ec-att-traductor]
    return Model([source, written], p, seed=seed, dtype=dtype)


def reread_decode(model, source, start, end, max_length=50):
    r"""Escribe con un modelo que recibe lo leído y lo escrito: el token más probable, y a leer todo otra vez.

    En cada paso el modelo recibe la frase y lo que lleva escrito, y de lo que contesta solo se usa el último lugar:

    .. math::
       :label: ec-att-voraz

       \hat y_t=\operatorname*{arg\,max}_{k}P(k\mid\hat y_1,\dots,\hat y_{t-1},x) .

    Repite cuentas: en el paso :math:`t` recorre otra vez los :math:`t-1` anteriores. A cambio sirve con cualquier
    modelo de esa forma, con atención o sin ella.

    >>> whole = bahdanau_translator(12, 7, units=5, seed=0)
    >>> reread_decode(whole, np.ones((2, 4)), 1, 2, max_length=3).shape
    (2, 3)

    Parameters
    ----------
    model : Model
        El que recibe ``[lo leído, lo escrito]`` y da las probabilidades de cada paso.
    source : array_like of int, shape (n, S)
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
        Si ``source`` no es una tabla de enteros, si el modelo no da lo que se espera o si los demás no son enteros
        válidos.

        >>> reread_decode(whole, np.ones((2, 4)), 1, 7)
        Traceback (most recent call last):
            ...
        ValueError: end: se esperaba un entero entre 0 y 6, pero llegó 7
    """
    model = check.model(model)
    source, start, end, max_length = _asked(source, start, end, max_length, axis="S")
    try:
        p = model.predict([source[:1], np.array([[start]])], verbose=0)
    except (TypeError, ValueError) as error:
        raise ValueError(f"model: se esperaba uno que admitiera [lo leído, lo escrito], pero dice: {error}") from error
    if not isinstance(p, np.ndarray) or p.ndim != 3 or p.shape[:2] != (1, 1):
        came = p.shape if isinstance(p, np.ndarray) else f"{len(p)} salidas"
        raise ValueError(f"model: se esperaban probabilidades de forma (1, 1, V), pero da {came}")
    end = check.integer(end, "end", 0, p.shape[2] - 1)
    return plain_reread_decode(model, source, start, end, max_length)


def plain_reread_decode(model, source, start, end, max_length):
    r"""Un token por vuelta, con todo lo escrito como entrada."""

    def step(written):
        p = model.predict([source, written], verbose=0)
        return p[:, -1]  # [ec-att-voraz]

    return _greedy(step, len(source), start, end, max_length)
