r"""Métricas: lo que de verdad queremos saber de una red, aunque no se pueda derivar."""

from numba import njit

from dlbook import check, registry


@registry.register("metric")
class Metric:
    r"""Una cantidad que se mira durante el entrenamiento, pero que no lo guía.

    La pérdida está hecha para derivarse. Lo que nos interesa suele ser otra cosa, como en cuántos casos acierta la red:
    la **exactitud** (*accuracy*),

    .. math::
       :label: ec-mlp-exactitud

       \text{exactitud} = \frac1n\sum_{i=1}^{n}\bigl[\hat c^{(i)} = c^{(i)}\bigr],

    donde :math:`\hat c^{(i)}` es la clase que dijo la red, :math:`c^{(i)}` la correcta, y el corchete vale 1 si son la
    misma y 0 si no. Esa cuenta da saltos: su derivada es cero en casi todas partes, y
    ningún gradiente puede seguirla. Por eso se entrena con una y se juzga con la otra.

    **A mano.** Una métrica se llama como función. De dos observaciones, acierta la primera: 0.7 es la mayor y está en
    la clase 2.

    >>> accuracy = SparseCategoricalAccuracy()
    >>> accuracy([2, 0], [[0.1, 0.2, 0.7], [0.3, 0.6, 0.1]])
    0.5

    Attributes
    ----------
    name : str
        El nombre con que la conoce Keras.
    """

    name = None

    def __call__(self, y_true, y_pred):
        r"""Da la media de la métrica en unas observaciones."""
        y_pred = check.floats(y_pred, "y_pred")
        if y_pred.ndim == 0 or not y_pred.size:
            raise ValueError(f"y_pred: se esperaba al menos una predicción, pero llegó la forma {y_pred.shape}")
        y_true = self._prepare(y_true, y_pred)
        return self.shard(y_true, y_pred) / len(y_pred)

    def shard(self, y_true, y_pred):
        r"""Suma la métrica de unas observaciones, sin comprobar nada.

        Parameters
        ----------
        y_true : ndarray, shape (n, ...)
            Unos renglones de lo que preparó la pérdida.
        y_pred : ndarray, shape (n, ...)
            Las predicciones.

        Returns
        -------
        float
        """
        raise NotImplementedError

    def _prepare(self, y_true, y_pred):
        y_true = check.floats(y_true, "y_true")
        if y_true.shape != y_pred.shape:
            raise ValueError(f"y_true: se esperaba la forma {y_pred.shape} de y_pred, pero llegó {y_true.shape}")
        return y_true.astype(y_pred.dtype)

    def __repr__(self):
        r"""Escribe la llamada que la crea."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({arguments})"


class BinaryAccuracy(Metric):
    r"""Exactitud con una sola salida: la clase predicha es 1 si la salida pasa de un umbral.

    >>> BinaryAccuracy()([1, 0, 1, 1], [0.9, 0.2, 0.4, 0.6])
    0.75

    Con *logits* en vez de probabilidades, el umbral que corresponde a 0.5 es 0. Si le pides ``"accuracy"`` a un modelo
    cuya pérdida dice ``from_logits=True``, es el que se usa; Keras, en cambio, sigue con 0.5.

    Parameters
    ----------
    threshold : float
        El umbral.
    """

    name = "binary_accuracy"

    def __init__(self, threshold=0.5):
        self.threshold = check.number(threshold, "threshold")

    def shard(self, y_true, y_pred):
        r"""Cuenta los aciertos; con varias salidas por observación, la fracción de ellas."""
        shape = len(y_pred), -1
        return _binary_matches(y_true.reshape(shape), y_pred.reshape(shape), self.threshold)


@njit(cache=True, nogil=True)
def _binary_matches(y_true, y_pred, threshold):
    n, outputs = y_pred.shape
    matches = 0
    for i in range(n):
        for j in range(outputs):
            matches += (y_true[i, j] > 0.5) == (y_pred[i, j] > threshold)  # [ec-mlp-exactitud]
    return matches / outputs


class SparseCategoricalAccuracy(Metric):
    r"""Exactitud con una salida por clase y las clases correctas como enteros.

    >>> SparseCategoricalAccuracy()([2, 1], [[0.1, 0.2, 0.7], [0.3, 0.6, 0.1]])
    1.0
    """

    name = "sparse_categorical_accuracy"

    def shard(self, y_true, y_pred):
        r"""Cuenta los aciertos."""
        classes = y_pred.shape[-1]
        return _class_matches(y_true.reshape(-1), y_pred.reshape(-1, classes)) * len(y_pred) / y_true.size

    def _prepare(self, y_true, y_pred):
        y_true = check.labels(y_true, "y_true", y_pred.shape[-1])
        if y_pred.ndim != 2 or len(y_true) != len(y_pred):
            raise ValueError(f"y_true: se esperaba una clase por fila de y_pred, {y_pred.shape}; llegó {y_true.shape}")
        return y_true


@njit(cache=True, nogil=True)
def _class_matches(labels, y_pred):
    matches = 0
    for i in range(labels.size):
        matches += y_pred[i].argmax() == labels[i]  # [ec-mlp-exactitud]
    return matches


class CategoricalAccuracy(Metric):
    r"""Exactitud con una salida por clase y las clases correctas en *one-hot*.

    >>> CategoricalAccuracy()([[0, 0, 1], [1, 0, 0]], [[0.1, 0.2, 0.7], [0.3, 0.6, 0.1]])
    0.5
    """

    name = "categorical_accuracy"

    def shard(self, y_true, y_pred):
        r"""Cuenta los aciertos."""
        shape = -1, y_pred.shape[-1]
        rows = y_pred.size // y_pred.shape[-1]
        return _one_hot_matches(y_true.reshape(shape), y_pred.reshape(shape)) * len(y_pred) / rows


@njit(cache=True, nogil=True)
def _one_hot_matches(y_true, y_pred):
    matches = 0
    for i in range(y_true.shape[0]):
        matches += y_pred[i].argmax() == y_true[i].argmax()  # [ec-mlp-exactitud]
    return matches


class MeanSquaredError(Metric):
    r"""El promedio de los errores al cuadrado, para mirarlo cuando se entrena con otra pérdida.

    >>> MeanSquaredError()([1.0, 0.0], [0.0, 3.0])
    5.0
    """

    name = "mean_squared_error"

    def shard(self, y_true, y_pred):
        r"""Suma los cuadrados."""
        return _squares(y_true.reshape(-1), y_pred.reshape(-1)) * len(y_pred) / y_pred.size


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _squares(y_true, y_pred):
    total = 0.0
    for i in range(y_true.size):
        total += (y_true[i] - y_pred[i]) ** 2
    return total


class MeanAbsoluteError(Metric):
    r"""El promedio de los errores sin signo, en las unidades de lo que se predice.

    >>> MeanAbsoluteError()([1.0, 0.0], [0.0, 3.0])
    2.0
    """

    name = "mean_absolute_error"

    def shard(self, y_true, y_pred):
        r"""Suma los errores."""
        return _distances(y_true.reshape(-1), y_pred.reshape(-1)) * len(y_pred) / y_pred.size


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _distances(y_true, y_pred):
    total = 0.0
    for i in range(y_true.size):
        total += abs(y_true[i] - y_pred[i])
    return total


CLASSES = BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, MeanSquaredError, MeanAbsoluteError
NAMES = {c.name: c for c in CLASSES} | {"mse": MeanSquaredError, "mae": MeanAbsoluteError}


def get(metric, y_true, y_pred, from_logits=False):
    r"""Encuentra una métrica por su nombre.

    ``"accuracy"`` es una de tres, y cuál depende de las formas, como en Keras: con una sola salida, la binaria; con
    clases como enteros, :class:`SparseCategoricalAccuracy`; si no, :class:`CategoricalAccuracy`.

    >>> import numpy as np
    >>> get("accuracy", np.array([2, 0]), np.zeros((2, 3)))
    SparseCategoricalAccuracy()
    >>> get("accuracy", np.zeros((2, 1)), np.zeros((2, 1)))
    BinaryAccuracy(threshold=0.5)

    Parameters
    ----------
    metric : str or Metric
        El nombre de Keras, corto o largo, o el propio objeto.
    y_true, y_pred : ndarray
        Una muestra de lo correcto y de lo predicho.
    from_logits : bool
        Si la salida son *logits*.

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        Si el nombre no existe, o si la métrica no concuerda con la forma de lo correcto.
    """
    if metric in ("accuracy", "acc"):
        if y_pred.shape[-1] == 1:
            metric = BinaryAccuracy(0.0 if from_logits else 0.5)
        else:
            metric = CategoricalAccuracy() if y_true.shape == y_pred.shape else SparseCategoricalAccuracy()
    elif not isinstance(metric, Metric):
        if not isinstance(metric, str) or metric not in NAMES:
            check.choice(metric, "metrics", ["accuracy", *NAMES])
        metric = NAMES[metric]()
    if isinstance(metric, SparseCategoricalAccuracy) == (y_true.shape == y_pred.shape):
        raise ValueError(
            f"metrics: {metric.name} no sirve con lo correcto de forma {y_true.shape} y la salida de {y_pred.shape}"
        )
    return metric
