r"""La exactitud: en cuántos casos acierta."""

import numpy as np

from chapters.mlp.metrics.base import Averaged, _same_shape, _useless, add_mean
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class BinaryAccuracy(Averaged):
    r"""Exactitud con una sola salida: la clase predicha es 1 si la salida pasa de un umbral.

    >>> BinaryAccuracy()([1, 0, 1, 1], [0.9, 0.2, 0.4, 0.6])
    0.75
    >>> BinaryAccuracy()([1, 1, 0, 0], [[0.98], [1], [0], [0.6]])
    0.75

    Con *logits* en vez de probabilidades, el umbral que corresponde a 0.5 es 0. Si le pides ``"accuracy"`` a un modelo
    cuya pérdida dice ``from_logits=True``, es el que se usa; Keras, en cambio, sigue con 0.5.

    Parameters
    ----------
    name, dtype
        Como en :class:`Metric`.
    threshold : float
        El umbral.
    """

    name = "binary_accuracy"
    rising = True
    threshold = Checked(check.number)
    accept = _same_shape

    def __init__(self, name=None, dtype=None, threshold=0.5):
        super().__init__(name, dtype)
        self.threshold = threshold

    def add(self, y_true, y_pred, weight, n, state):
        r"""Cuenta los aciertos; con varias salidas por observación, la fracción de ellas."""
        shape = weight.size, -1
        _binary_matches(y_true.reshape(shape), y_pred.reshape(shape), weight, self.threshold, n, state)


@kernel
def _binary_matches(y_true, y_pred, weight, threshold, n, state):
    # Como en Keras, el umbral se redondea al tipo de lo predicho.
    limit = y_pred.dtype.type(threshold)
    total = 0.0
    for i in range(weight.size):
        matches = 0
        for j in range(y_pred.shape[1]):
            matches += (y_true[i, j] > 0.5) == (y_pred[i, j] > limit)  # [ec-mlp-exactitud]
        total += weight[i] * matches
    add_mean(total, y_pred.size, weight, n, state)


def plain_binary_accuracy(y_true, y_pred, threshold):
    r"""Fracción de las respuestas que caen del lado correcto."""
    return np.mean((y_true > 0.5) == (y_pred > threshold))  # [ec-mlp-exactitud]


class SparseCategoricalAccuracy(Averaged):
    r"""Exactitud con una salida por clase y las clases correctas como enteros.

    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.2, 0.7], [0.3, 0.6, 0.1]])
    1.0

    En una secuencia hay una clase por instante, y se promedia sobre todos:

    >>> SparseCategoricalAccuracy()([[0, 1]], [[[0.9, 0.1], [0.8, 0.2]]])
    0.5

    Si la pérdida deja fuera alguna etiqueta, con ``ignore_class``, aquí cuenta como un desacierto, igual que en Keras.
    """

    name = "sparse_categorical_accuracy"
    rising = True

    def accept(self, y_true, output_shape):
        r"""Acepta una etiqueta por vector de la salida."""
        if y_true.dtype.kind not in "iu" or y_true.shape[1:] != output_shape[:-1]:
            raise _useless(self, y_true, output_shape)

    def add(self, y_true, y_pred, weight, n, state):
        r"""Cuenta los aciertos."""
        shape = weight.size, -1
        self._matches(y_true.reshape(shape), y_pred.reshape(*shape, y_pred.shape[-1]), weight, n, state)

    def _matches(self, labels, y_pred, weight, n, state):
        _class_matches(labels, y_pred, weight, n, state)

    def _prepare(self, y_true, y_pred):
        y_true = check.labels(y_true, "y_true", y_pred.shape[-1], "...")
        shape = y_pred.shape[:-1]
        if not shape or y_true.shape not in (shape, (*shape, 1)):
            raise ValueError(
                f"y_true: se esperaba una clase por vector de y_pred, {y_pred.shape}, pero llegó {y_true.shape}"
            )
        return y_true.reshape(shape)


# El de NumPy, con sus mismos empates y un NaN como el mayor; compilar aquel tarda tanto como todo lo demás.
@kernel(inline="always")
def _argmax(row):
    best = 0
    for k in range(1, row.size):
        if row[k] > row[best] or (row[k] != row[k] and row[best] == row[best]):
            best = k
    return best


@kernel
def _class_matches(labels, y_pred, weight, n, state):
    total = 0.0
    for i in range(weight.size):
        matches = 0
        for j in range(labels.shape[1]):
            matches += _argmax(y_pred[i, j]) == labels[i, j]  # [ec-mlp-exactitud]
        total += weight[i] * matches
    add_mean(total, labels.size, weight, n, state)


def plain_sparse_categorical_accuracy(y_true, y_pred):
    r"""Fracción en que la mayor salida es la de la clase."""
    return np.mean(y_pred.argmax(axis=-1) == y_true)  # [ec-mlp-exactitud]


class CategoricalAccuracy(Averaged):
    r"""Exactitud con una salida por clase y las clases correctas en *one-hot*.

    >>> CategoricalAccuracy()(
    ...     [[0, 0, 1], [1, 0, 0]], [[0.1, 0.2, 0.7], [0.3, 0.6, 0.1]]
    ... )
    0.5
    """

    name = "categorical_accuracy"
    rising = True
    accept = _same_shape

    def add(self, y_true, y_pred, weight, n, state):
        r"""Cuenta los aciertos."""
        shape = weight.size, -1, y_pred.shape[-1]
        self._matches(y_true.reshape(shape), y_pred.reshape(shape), weight, n, state)

    def _matches(self, y_true, y_pred, weight, n, state):
        _one_hot_matches(y_true, y_pred, weight, n, state)


@kernel
def _one_hot_matches(y_true, y_pred, weight, n, state):
    total = 0.0
    for i in range(weight.size):
        matches = 0
        for j in range(y_pred.shape[1]):
            matches += _argmax(y_pred[i, j]) == _argmax(y_true[i, j])  # [ec-mlp-exactitud]
        total += weight[i] * matches
    add_mean(total, weight.size * y_pred.shape[1], weight, n, state)


def plain_categorical_accuracy(y_true, y_pred):
    r"""Fracción en que la mayor salida es la que vale 1."""
    said, right = y_pred.argmax(axis=-1), y_true.argmax(axis=-1)
    return np.mean(said == right)  # [ec-mlp-exactitud]


@kernel
def _equal(y_true, y_pred, weight, n, state):
    total = 0.0
    for i in range(weight.size):
        matches = 0
        for j in range(y_pred.shape[1]):
            matches += y_true[i, j] == y_pred[i, j]  # [ec-mlp-exactitud]
        total += weight[i] * matches
    add_mean(total, y_pred.size, weight, n, state)


class Accuracy(Averaged):
    r"""En qué fracción de los números lo predicho es exactamente lo correcto: sirve si se predicen ya las clases.

    Es la clase de Keras. El nombre ``"accuracy"`` en :func:`get` pide otra cosa: la exactitud que toque.

    >>> Accuracy()([1, 2, 3, 4], [0, 2, 3, 4])
    0.75
    """

    name = "accuracy"
    rising = True
    accept = _same_shape

    def add(self, y_true, y_pred, weight, n, state):
        r"""Cuenta los aciertos."""
        y, p = (a.reshape(weight.size, -1) for a in (y_true, y_pred))
        _equal(y, p, weight, n, state)


def plain_accuracy(y_true, y_pred):
    r"""Fracción en que lo predicho es lo correcto."""
    return np.mean(y_pred == y_true)  # [ec-mlp-exactitud]
