r"""Métricas: lo que de verdad queremos saber de una red, aunque no se pueda derivar."""

from numba import njit

from dlbook import check, registry
from dlbook.attributes import Absent, Checked, Configured


@registry.register("metric")
class Metric(Configured):
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

    **Una tuya** hereda de esta y define ``shard``. Si dos métricas se llaman igual, la segunda se anota con ``_1``.

    Parameters
    ----------
    name : str, optional
        El nombre con que se anota, si no es el de siempre.
    dtype : None
        Como en Keras, pero no admite otro valor: el tipo es el de las predicciones.

    Attributes
    ----------
    name : str
        El nombre con que la conoce Keras.
    rising : bool
        Si más es mejor; ``None`` si no se sabe.
    """

    name = rising = None
    dtype = Absent(None)

    def __init__(self, name=None, dtype=None):
        self.dtype = dtype
        if name is not None:
            self.name = check.text(name, "name")

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

    def accept(self, y_true, output_shape):
        r"""Comprueba, una vez, que :meth:`shard` puede leer lo correcto.

        La tuya acepta lo que sea mientras no diga otra cosa aquí.

        Parameters
        ----------
        y_true : ndarray, shape (n, ...)
            Todo lo que preparó la pérdida.
        output_shape : tuple of int
            La forma de la salida, sin el eje de las observaciones.

        Raises
        ------
        ValueError
            Si no puede.
        """

    def _prepare(self, y_true, y_pred):
        y_true = check.floats(y_true, "y_true")
        # Un solo número por observación se puede escribir (n,) o (n, 1).
        if _core(y_true.shape) != _core(y_pred.shape):
            raise ValueError(f"y_true: se esperaba la forma {y_pred.shape} de y_pred, pero llegó {y_true.shape}")
        return y_true.reshape(y_pred.shape).astype(y_pred.dtype)

    def __repr__(self):
        r"""Escribe la llamada que la crea."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({arguments})"


def _core(shape):
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape


def _same_shape(metric, y_true, output_shape):
    r"""Acepta lo correcto si tiene la forma de la salida."""
    if y_true.shape[1:] != output_shape:
        raise _useless(metric, y_true, output_shape)


def _useless(metric, y_true, output_shape):
    came = f"lo correcto de forma {('n', *y_true.shape[1:])} y la salida de {('n', *output_shape)}"
    return ValueError(f"metrics: {metric.name} no sirve con {came}".replace("'n'", "n"))


class BinaryAccuracy(Metric):
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

    En una secuencia hay una clase por instante, y se promedia sobre todos:

    >>> SparseCategoricalAccuracy()([[0, 1]], [[[0.9, 0.1], [0.8, 0.2]]])
    0.5
    """

    name = "sparse_categorical_accuracy"
    rising = True

    def accept(self, y_true, output_shape):
        r"""Acepta una clase, que exista, por vector de la salida."""
        if y_true.dtype.kind not in "iu" or y_true.shape[1:] != output_shape[:-1]:
            raise _useless(self, y_true, output_shape)
        check.labels(y_true, "y_true", output_shape[-1], "...")

    def shard(self, y_true, y_pred):
        r"""Cuenta los aciertos."""
        classes = y_pred.shape[-1]
        return _class_matches(y_true.reshape(-1), y_pred.reshape(-1, classes)) * len(y_pred) / y_true.size

    def _prepare(self, y_true, y_pred):
        y_true = check.labels(y_true, "y_true", y_pred.shape[-1], "...")
        shape = y_pred.shape[:-1]
        if not shape or y_true.shape not in (shape, (*shape, 1)):
            raise ValueError(
                f"y_true: se esperaba una clase por vector de y_pred, {y_pred.shape}, pero llegó {y_true.shape}"
            )
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
    rising = True
    accept = _same_shape

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
    rising = False
    accept = _same_shape

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
    rising = False
    accept = _same_shape

    def shard(self, y_true, y_pred):
        r"""Suma los errores."""
        return _distances(y_true.reshape(-1), y_pred.reshape(-1)) * len(y_pred) / y_pred.size


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _distances(y_true, y_pred):
    total = 0.0
    for i in range(y_true.size):
        total += abs(y_true[i] - y_pred[i])
    return total


SHORT = {"mse": MeanSquaredError, "mae": MeanAbsoluteError}


def _names():
    # Las de los capítulos que se hayan importado, con el nombre de Keras y con el de la clase.
    classes = [c for c in registry.classes("metric").values() if c.name]
    return (
        {c.name: c for c in classes} | {c.__name__: c for c in classes} | SHORT | {n.upper(): SHORT[n] for n in SHORT}
    )


def get(metric, y_true, y_pred, from_logits=False):
    r"""Encuentra una métrica por su nombre.

    ``"accuracy"`` es una de tres, y cuál depende de las formas, como en Keras: con una sola salida, la binaria; con
    clases como enteros, :class:`SparseCategoricalAccuracy`; si no, :class:`CategoricalAccuracy`.

    >>> import numpy as np
    >>> get("accuracy", np.array([2, 0]), np.zeros((2, 3)))
    SparseCategoricalAccuracy()
    >>> get("accuracy", np.zeros((2, 1)), np.zeros((2, 1)))
    BinaryAccuracy(threshold=0.5)
    >>> get("MAE", np.zeros((2, 1)), np.zeros((2, 1)))
    MeanAbsoluteError()

    Parameters
    ----------
    metric : str, Metric or type
        El nombre de Keras, corto, largo o el de la clase; la clase, o el propio objeto.
    y_true, y_pred : ndarray
        Lo correcto, y algo de la forma de lo predicho.
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
    if isinstance(metric, str) and metric.lower() in ("accuracy", "acc"):
        if y_pred.shape[-1] == 1:
            metric = BinaryAccuracy(threshold=0.0 if from_logits else 0.5)
        else:
            metric = CategoricalAccuracy() if y_true.shape == y_pred.shape else SparseCategoricalAccuracy()
    elif isinstance(metric, type) and issubclass(metric, Metric):
        metric = metric()
    elif callable(metric) and not isinstance(metric, (type, Metric)):
        from chapters.mlp.tape.functions import FunctionMetric

        metric = FunctionMetric(metric)
    elif not isinstance(metric, Metric):
        names = _names()
        if not isinstance(metric, str) or metric not in names:
            check.choice(metric, "metrics", ["accuracy", *sorted({c.name for c in names.values()})], exact=True)
        metric = names[metric]()
    metric.accept(y_true, y_pred.shape[1:])
    return metric
