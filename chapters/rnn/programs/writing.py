r"""Un modelo de letras que escribe, y cuánto le sorprende un texto."""

import contextlib

import numpy as np

from chapters.mlp import Activation, Dense, Dropout, Sequential
from chapters.rnn.embeddings.embedding import Embedding
from chapters.rnn.programs.alphabet import Alphabet
from chapters.rnn.programs.sampling import plain_sample_logits, plain_temper
from chapters.rnn.recurrent.recurrent import Recurrent
from chapters.rnn.recurrent.steps import NO_MASK
from dlbook import check

# Las que tratan cada paso por separado; las recurrentes llevan además un estado de un paso al que sigue.
STEP_BY_STEP = Embedding, Dense, Dropout, Activation
# De a cuántos pasos se lee un texto largo.
CHUNK = 2048


def _reader(model):
    # Las capas de un modelo que lee letra por letra y da, en cada paso, los puntajes de la siguiente.
    layers = check.model(model).layers
    if not isinstance(model, Sequential) or not model.built or not layers or not isinstance(layers[0], Embedding):
        raise ValueError("model: se esperaba un Sequential ya construido, y que empezara con un Embedding")
    if layers[0].mask_zero:
        raise ValueError("model: se esperaba un Embedding con mask_zero=False, porque la letra 0 no es relleno")
    for layer in layers:
        recurrent = isinstance(layer, Recurrent)
        if not recurrent and not isinstance(layer, STEP_BY_STEP):
            raise ValueError(
                f"model: se esperaban capas que leen paso a paso, pero llegó {layer.name}, una {type(layer).__name__}"
            )
        if recurrent and (not layer.return_sequences or layer.return_state or layer.go_backwards):
            raise ValueError(
                f"model: de {layer.name} se esperaba return_sequences=True, return_state=False y go_backwards=False"
            )
    last = layers[-1]
    if not isinstance(last, Dense) or getattr(last.activation, "name", "linear") != "linear":
        raise ValueError(
            f"model: se esperaba al final una Dense sin activación, que dé puntajes, pero está {last.name}"
        )
    return layers


@contextlib.contextmanager
def _blank_states(layers):
    # Los estados, en cero. Lo que las capas recordaban queda como estaba.
    recurrent = [layer for layer in layers if isinstance(layer, Recurrent)]
    kept = [dict(layer.memory) for layer in recurrent]
    try:
        yield {r: [np.zeros((1, 1, r.units), r.dtype) for _ in range(r.state_count)] for r in recurrent}
    finally:
        for layer, memory in zip(recurrent, kept, strict=True):
            layer.memory.clear()
            layer.memory.update(memory)


def _read(layers, states, ids):
    # Lee unas letras desde donde iba, y da los puntajes de la que sigue a cada una.
    x = ids[np.newaxis]
    for layer in layers:
        if layer in states:
            x = layer.forward(x, initial_state=[state[0] for state in states[layer]])
            for kept, state in zip(states[layer], layer.states, strict=True):
                kept[0] = state[-1]
        else:
            x = layer.forward(x)
    return np.float64(x[0])


def _read_one(layers, states, letter):
    # Lo mismo con una sola, después de otra leída sola: sin comprobar lo que ya se sabe, tarda la mitad.
    x = np.array([[letter]])
    for layer in layers:
        if layer in states:
            layer.xs[0] = x[0]
            layer.project(layer.xs, layer.z)
            # Los de la capa tienen lugar para el de antes y el de después.
            for kept, state in zip(states[layer], layer.states, strict=True):
                state[0] = kept[0]
            layer.run(layer.z, layer.states, NO_MASK)
            for kept, state in zip(states[layer], layer.states, strict=True):
                kept[0] = state[1]
            x = states[layer][0]
        else:
            x = layer.forward(x)
    return np.float64(x[0, 0])


def write(model, alphabet, prompt, length, temperature=1.0, top_k=None, seed=None):
    r"""Escribe: sortea una letra, la lee, sortea la siguiente, y así hasta que le digan.

    Un modelo de letras solo sabe hacer una cosa: dado lo que va, repartir probabilidad entre las letras que podrían
    seguir. Por la regla de la cadena, con eso basta para repartirla entre **textos** enteros:

    .. math::
       :label: ed-rnn-cadena

       p(c_1\dots c_N)=\prod_{t=1}^{N}p(c_t\mid c_1\dots c_{t-1}).

    Sortear las letras de izquierda a derecha, cada una según lo ya sorteado, es sortear un texto de esa distribución.

    **Sin volver a leer.** Lo que va no se lee otra vez con cada letra nueva: todo lo que la red sabe de ello está en
    su estado. Escribir una letra cuesta lo mismo al principio que después de mil.

    >>> from chapters.rnn import LSTM
    >>> alphabet = Alphabet("abc ")
    >>> layers = [Embedding(4, 3), LSTM(5, return_sequences=True), Dense(4)]
    >>> model = Sequential(layers, seed=0)
    >>> model.build((None,))
    >>> text = write(model, alphabet, "a", 8, seed=0)
    >>> len(text), set(text) <= set("abc ")
    (8, True)

    Parameters
    ----------
    model : Sequential
        Un :class:`Embedding` sin máscara, una o más capas recurrentes con ``return_sequences=True``, y al final una
        :class:`~chapters.mlp.Dense` sin activación, con tantas salidas como letras.
    alphabet : Alphabet
        Las letras.
    prompt : str
        Con qué empieza; una letra, al menos. Se lee, pero no se repite en lo que se devuelve.
    length : int
        Cuántas letras escribe.
    temperature : float
        La de :func:`temper`.
    top_k : int, optional
        De cuántas letras se sortea, como en :func:`top_k`.
    seed : int or numpy.random.Generator, optional
        Origen del azar.

    Returns
    -------
    str
        Lo que escribió.

    Raises
    ------
    TypeError, ValueError
        Si el modelo no es de esos o no da un puntaje finito por letra, o si algún argumento no sirve.
    """
    layers = _reader(model)
    if not isinstance(alphabet, Alphabet):
        raise TypeError(f"alphabet: se esperaba un Alphabet, pero llegó un {type(alphabet).__name__}")
    if layers[-1].units != len(alphabet) or layers[0].input_dim < len(alphabet):
        raise ValueError(
            f"alphabet: se esperaban tantas letras como entradas y salidas tiene el modelo, {layers[0].input_dim} y "
            f"{layers[-1].units}, pero llegaron {len(alphabet)}"
        )
    ids = alphabet.encode(check.text(prompt, "prompt"))
    length = check.integer(length, "length", 0)
    temperature = check.number(temperature, "temperature", 0)
    if top_k is not None:
        top_k = check.integer(top_k, "top_k", 1, len(alphabet))
    written = check.empty((length,), "length", np.int64)
    rng = check.generator(seed)
    with _blank_states(layers) as states:
        for part in np.split(ids, [len(ids) - 1]):
            logits = _read(layers, states, part)[-1] if part.size else None
        for t in range(length):
            strange = logits[~np.isfinite(logits)]
            if strange.size:
                raise ValueError(f"model: se esperaban puntajes finitos, pero dio un {strange[0]}")
            written[t] = plain_sample_logits(logits, temperature, top_k, rng)
            logits = _read_one(layers, states, written[t])
    return alphabet.decode(written)


def bits_per_character(model, ids):
    r"""Mide cuánto le sorprende un texto a un modelo: bits por carácter.

    La sorpresa de una letra es el logaritmo de su probabilidad con el signo cambiado. En base 2 se mide en bits, y se
    promedia:

    .. math::
       :label: ec-rnn-bits

       B=-\frac1{N-1}\sum_{t=2}^{N}\log_2p(c_t\mid c_1\dots c_{t-1}).

    De la primera no se dice nada: no hay de dónde predecirla.

    **De nats a bits.** La entropía cruzada con que se entrena usa el logaritmo natural. Como
    :math:`\log_2a=\ln a/\ln2`, basta con dividir entre :math:`\ln2\approx0.693`.

    **A mano.** Quien reparte por igual entre cuatro letras le da :math:`\tfrac14` a cada una: 2 bits, sea cual sea el
    texto. Un modelo con los pesos en cero hace eso:

    >>> from chapters.rnn import LSTM
    >>> layers = [Embedding(4, 3), LSTM(5, return_sequences=True), Dense(4)]
    >>> model = Sequential(layers, seed=0)
    >>> model.build((None,))
    >>> model.set_weights([0 * w for w in model.get_weights()])
    >>> bits_per_character(model, [0, 3, 1, 1, 2])
    2.0

    El texto se lee de corrido, con el estado siempre a cuestas: cada letra se predice con **todo** lo anterior, y no
    solo con los pasos con que se entrenó.

    Parameters
    ----------
    model : Sequential
        Como el de :func:`write`.
    ids : array_like of int, shape (N,)
        El texto, en números; dos al menos.

    Returns
    -------
    float
        Los bits por carácter, :math:`B`. La perplejidad es :math:`2^B`.

    Raises
    ------
    TypeError, ValueError
        Si el modelo no es de esos, o si los números no son letras suyas.
    """
    layers = _reader(model)
    ids = check.labels(ids, "ids", min(layers[0].input_dim, layers[-1].units), "N")
    if len(ids) < 2:
        raise ValueError("ids: se esperaban al menos dos letras, pero llegó una")
    return _bits(layers, ids)


def plain_bits_per_character(model, ids):
    r"""Lo mismo, con el texto leído de una vez."""
    logits = model.predict(ids[np.newaxis, :-1], verbose=0)[0]
    p = plain_temper(np.float64(logits))
    chosen = p[np.arange(len(ids) - 1), ids[1:]]
    return -np.log2(chosen).mean()  # [ec-rnn-bits]


def _bits(layers, ids):
    # Por pedazos: la memoria que usa no crece con el texto.
    surprise = 0.0
    with _blank_states(layers) as states:
        for start in range(0, len(ids) - 1, CHUNK):
            y = ids[start + 1 : start + CHUNK + 1]
            z = _read(layers, states, ids[start : start + len(y)])
            z -= z.max(axis=-1, keepdims=True)
            # El logaritmo, antes de que una probabilidad ínfima se redondee a cero.
            surprise += (np.log(np.exp(z).sum(axis=-1)) - z[np.arange(len(y)), y]).sum()
    return float(surprise / np.log(2) / (len(ids) - 1))
