r"""El puente: una capa del libro, con su vuelta escrita a mano, es para la cinta una sola operación."""

import contextlib
import contextvars

import numpy as np

from chapters.mlp.tape.ops import reshape
from chapters.mlp.tape.tensor import Tensor, _each, _node, _plain, _tapes, is_recording, record
from dlbook.several import each
from dlbook.training import walk

# Si lo que se está llamando se llama para entrenar: lo hereda, como en Keras, quien no dice otra cosa. Si nadie
# llama, es ``None``.
training_now = contextvars.ContextVar("training_now", default=None)


@contextlib.contextmanager
def paused():
    r"""Lo que se calcule adentro no se apunta."""
    token = _tapes.set(())
    try:
        yield
    finally:
        _tapes.reset(token)


def _flat(inputs):
    # Las entradas, una por una, estén sueltas o en listas.
    found = []
    _each(list(inputs), found.append)
    return found


def _packed(arrays):
    # Varias salidas, en un solo vector: así la operación es una y sus gradientes se suman solos.
    vector = np.concatenate([one.ravel() for one in arrays])
    ends = np.cumsum([one.size for one in arrays])
    return vector, [(end - one.size, end, one.shape) for one, end in zip(arrays, ends, strict=True)]


def through(layer, inputs, options):
    r"""Llama a una capa y apunta la llamada como una operación, con el ``backward`` de la capa.

    Cada llamada tiene su copia de la capa, con los mismos pesos y su propia memoria: una capa que se usa varias veces
    va hacia atrás con lo de cada vez.

    >>> from chapters.mlp import Dense, GradientTape, ops
    >>> layer = Dense(
    ...     1, use_bias=False, kernel_initializer="ones", dtype="float64"
    ... )
    >>> x = np.array([[2.0, 3.0]])
    >>> with GradientTape() as tape:
    ...     y = ops.square(layer(x)) + layer(ops.multiply(2, x))
    >>> tape.gradient(y, [x, *layer.trainable_weights])
    [array([[12., 12.]]), array([[24.],
           [36.]])]

    Parameters
    ----------
    layer : Layer
        La capa; si hace falta, se construye.
    inputs : tuple
        Sus argumentos de posición: arreglos, tensores o listas de ellos.
    options : dict
        Los demás.

    Returns
    -------
    Tensor or list of Tensor
    """
    if options.get("training") is None:
        options = options | {"training": bool(training_now.get())}
    if getattr(layer, "taped", False):
        return layer.run(inputs, options)
    values, options = _plain(tuple(inputs)), {name: _plain(value) for name, value in options.items()}
    mask = _mask_of(layer, inputs)
    if mask is not None:
        options = layer.masks_for(each(mask) if layer.several else [mask]) | options
    with paused():
        if not layer.built:
            layer.forward(*values)
        use = layer.replica()
        y = use.forward(*values, **options)
        given = [*values] if layer.apart else values[0]
        after = use.compute_mask(given, mask) if layer.masks or mask is not None else None
    several, weights, given = isinstance(y, list), layer.trainable_weights, _flat(inputs)
    outputs = each(y)
    if use.adds_loss:
        # Lo que la capa le suma a la pérdida es una salida más.
        rows = len(outputs[0])
        outputs = [*outputs, np.array(use.added_loss(rows) / rows, outputs[0].dtype)]
    for mine, theirs in zip(walk(layer), walk(use), strict=True):
        vars(mine).update(y=theirs.y, added=theirs.added)
    value, places = (y, []) if len(outputs) == 1 else _packed(outputs)
    last = {}

    def back(dy):
        # El mismo gradiente se pide una vez por cada cosa que se usó: se calcula una sola.
        if last.get("dy") is not dy:
            last.update(dy=dy, all=_returned(use, bool(weights), dy, places, several))
        return last["all"]

    def pull(k):
        def link(dy):
            found = back(dy)[k]
            return np.zeros(()) if found is None else found

        return link

    whole = record(value, *((x, pull(k)) for k, x in enumerate((*given, *weights))))
    if not places:
        return _marked(whole, after)
    parts = [reshape(whole[a:b], shape) for a, b, shape in places]
    if use.adds_loss:
        vars(layer)["extra"] = parts.pop()
    if not several:
        return _marked(parts[0], after)
    after = after if isinstance(after, (list, tuple)) else [after] * len(parts)
    return [_marked(part, one) for part, one in zip(parts, after, strict=True)]


def _mask_of(layer, inputs):
    # La máscara con que llegan las entradas; en una lista, si son varias.
    found = [getattr(one, "mask", None) for one in _flat(inputs)]
    if all(one is None for one in found):
        return None
    return found if layer.several else found[0]


def _marked(y, mask):
    # Lo que sale, con su máscara: qué instantes cuentan.
    if mask is not None:
        y = y if isinstance(y, Tensor) else _node(np.asarray(y), (), _tapes.get()[0].mark)
        y.mask = mask
    return y


def _returned(use, learns, dy, places, several):
    # Los gradientes de las entradas y de los pesos, con el de cada salida.
    def once(slopes):
        dx = use.backward(slopes if several else slopes[0])
        dx = list(dx) if isinstance(dx, (list, tuple)) else [dx]
        return [None if d is None else np.array(d) for d in (*dx, *(use.gradients if learns else ()))]

    if not places:
        return once([dy])
    slopes = _unpacked(dy, places)
    share = float(slopes.pop()) if use.adds_loss else 1.0
    found = once(slopes)
    if share != 1:
        # ``backward`` cuenta lo que la capa sumó como si contara uno.
        alone = once([np.zeros_like(slope) for slope in slopes])
        found = [None if f is None else f + (share - 1) * a for f, a in zip(found, alone, strict=True)]
    return found


def _unpacked(dy, places):
    return [np.ascontiguousarray(dy[a:b]).reshape(shape) for a, b, shape in places]


def through_loss(loss, y_true, y_pred, sample_weight=None, mask=None):
    r"""Mide con una pérdida del libro unas predicciones que la cinta apuntó; su gradiente es el de la pérdida.

    >>> from chapters.mlp import GradientTape, MeanSquaredError
    >>> y_pred = np.array([[3.0], [1.0]])
    >>> with GradientTape() as tape:
    ...     t = tape.watch(y_pred)
    ...     value = MeanSquaredError()([[1.0], [1.0]], 2 * t)
    >>> float(value), tape.gradient(value, t)
    (13.0, array([[10.],
           [ 2.]]))

    Parameters
    ----------
    loss : Loss
        La pérdida.
    y_true, sample_weight, mask
        Como los recibe ella.
    y_pred : Tensor
        Las predicciones.

    Returns
    -------
    Tensor
        Un número.
    """
    y_true, weight, y = _plain(y_true), _plain(sample_weight), y_pred.value
    # Como en Keras, las predicciones traen su máscara.
    mask = y_pred.mask if mask is None else mask
    others = [weight] if mask is None else [weight, mask]
    with paused():
        value = np.asarray(loss(y_true, y, *others), y.dtype)

    def pull(dy):
        # Sin reducir hay una pérdida por observación, y su gradiente va en sus filas.
        return loss.gradient(y_true, y, *others) * np.reshape(dy, dy.shape + (1,) * (y.ndim - dy.ndim))

    return record(value, (y_pred, pull))


def through_each(loss, y_true, y_pred):
    r"""Da la pérdida de cada observación, sin promediar, como ``loss.call``, y apunta de dónde salió.

    Parameters
    ----------
    loss : Loss
        La pérdida.
    y_true : array_like
        Lo correcto.
    y_pred : Tensor
        Las predicciones.

    Returns
    -------
    Tensor
    """
    y_true, y = _plain(y_true), y_pred.value
    with paused():
        losses = np.asarray(loss.call(y_true, y), y.dtype)

    def pull(dy):
        # Cada pérdida cuenta lo que diga su gradiente.
        slope = np.empty_like(y_pred.value, order="C")
        loss.shard(*loss._arguments(y_true, y, None)[:2], np.ascontiguousarray(dy, y.dtype), slope)
        return slope

    return record(losses, (y_pred, pull))


def through_activation(activation, z):
    r"""Aplica una activación del libro a un tensor, y apunta su ``backward``.

    Parameters
    ----------
    activation : ActivationFunction
        La función.
    z : Tensor
        Las preactivaciones.

    Returns
    -------
    Tensor
    """
    values = np.ascontiguousarray(z.value)
    y = np.empty_like(values)
    activation.forward(values, y)

    def pull(dy):
        dz = np.empty_like(values)
        activation.backward(values, y, np.ascontiguousarray(dy), dz)
        return dz

    return record(y, (z, pull))


def is_taped(*values):
    r"""Dice si alguien apunta y entre unos valores hay un tensor."""
    return is_recording() and any(isinstance(value, Tensor) for value in values)


def through_penalty(layer):
    r"""Da lo que suman las penalizaciones de los pesos de una capa, y apunta sus gradientes.

    Es lo que ``model.penalty()`` para quien escribe su propio ciclo:

    >>> from chapters.mlp import L2, Dense, GradientTape
    >>> layer = Dense(
    ...     1, use_bias=False, kernel_initializer="ones",
    ...     kernel_regularizer=L2(0.5), dtype="float64",
    ... )
    >>> layer.build((2,))
    >>> with GradientTape() as tape:
    ...     penalty = through_penalty(layer)
    >>> float(penalty), tape.gradient(penalty, layer.trainable_weights)
    (1.0, [array([[1.],
           [1.]])])

    Parameters
    ----------
    layer : Layer
        La capa o el modelo, ya construido.

    Returns
    -------
    Tensor or ndarray
    """
    use, weights = layer.replica(), layer.trainable_weights
    for gradient in use.gradients if weights else []:
        gradient[...] = 0
    value = np.asarray(use.penalty(add_gradient=True), layer.dtype)
    slopes = use.gradients if weights else []
    return record(value, *((w, lambda dy, slope=slope: dy * slope) for w, slope in zip(weights, slopes, strict=True)))


def through_losses(layer):
    r"""Da lo que una capa le suma a la pérdida, apuntado: las penalizaciones y lo que sumó la última vez que se llamó.

    Parameters
    ----------
    layer : Layer
        La capa o el modelo.

    Returns
    -------
    list of Tensor
    """
    penalty = (
        [through_penalty(layer)] if any(layer._weights[name].regularizer for layer, name in layer.learned()) else []
    )
    return penalty + extras(layer)


def extras(layer):
    r"""Da los tensores de lo que una capa, y las que contiene, sumaron a la pérdida en la cinta que está puesta."""
    mark = _tapes.get()[0].mark
    own = vars(layer).get("extra")
    if own is not None and own.mark is mark:
        return [own]
    found = [loss for loss in layer.added if isinstance(loss, Tensor) and loss.mark is mark]
    found = [loss.mean() if loss.ndim else loss for loss in found]
    for inner in layer.layers:
        found += extras(inner)
    return found
