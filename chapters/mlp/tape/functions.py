r"""Una función corriente donde se espera una pérdida, una métrica o una activación."""

import numpy as np

from chapters.mlp.activations.base import ActivationFunction
from chapters.mlp.losses.base import Loss
from chapters.mlp.metrics import Metric
from chapters.mlp.tape.tensor import GradientTape, Tensor
from chapters.mlp.tape.through import paused
from dlbook import check


def _named(function):
    name = getattr(function, "__name__", type(function).__name__)
    return name if name.isidentifier() else type(function).__name__


class FunctionLoss(Loss):
    r"""Una pérdida escrita como una función de lo correcto y lo predicho.

    Es lo que se hace con ``compile(loss=función)``. La función puede dar una pérdida por observación, que se promedian,
    o un solo número. Su gradiente lo da la cinta, si está escrita con ``ops``, con operadores o
    con las funciones de NumPy que la cinta conoce:

    >>> def squared(y_true, y_pred):
    ...     return np.mean(np.square(y_pred - y_true), axis=-1)
    >>> loss = FunctionLoss(squared)
    >>> loss([[1.0], [2.0]], [[3.0], [2.0]])
    2.0
    >>> loss.gradient([[1.0], [2.0]], [[3.0], [2.0]])
    array([[2.],
           [0.]])

    Si no, el gradiente tiene que venir con ella, en un atributo ``gradient``, otra función de lo mismo:

    >>> def upper(y_true, y_pred):
    ...     return np.partition(np.asarray(y_pred), -1)[..., -1]
    >>> try:
    ...     FunctionLoss(upper).gradient([[1.0, 0.0]], [[3.0, 2.0]])
    ... except ValueError as error:
    ...     print(str(error).split(";")[0])
    upper: se esperaba que la cinta supiera derivarla
    >>> upper.gradient = lambda y_true, y_pred: (
    ...     y_pred == y_pred.max(axis=-1, keepdims=True)
    ... )
    >>> FunctionLoss(upper).gradient([[1.0, 0.0]], [[3.0, 2.0]])
    array([[1., 0.]])

    Parameters
    ----------
    function : callable
        Recibe lo correcto y lo predicho.

    Raises
    ------
    TypeError, ValueError
        Si no es una función de dos argumentos; al usarla, si no se sabe derivar.
    """

    def __init__(self, function):
        check.function(function, "loss", 2)
        super().__init__()
        self.function, self.name = function, _named(function)

    def call(self, y_true, y_pred):
        r"""Da lo que da la función."""
        return self.function(y_true, y_pred)


class FunctionMetric(Metric):
    r"""Una métrica escrita como una función de lo correcto y lo predicho; se llama como ella.

    >>> def far(y_true, y_pred):
    ...     return np.abs(y_true - y_pred) > 1
    >>> metric = FunctionMetric(far)
    >>> metric.name, metric([[1.0], [2.0]], [[3.0], [2.0]])
    ('far', 0.5)

    Parameters
    ----------
    function : callable
        Da un número por observación, o uno solo.
    """

    def __init__(self, function):
        check.function(function, "metrics", 2)
        super().__init__(_named(function))
        self.function = function

    # Si da un solo número, no se sabe si el de un lote es la media de los de sus partes: lo ve entero.
    alone = True

    def accept(self, y_true, output_shape):
        r"""Averigua, con dos observaciones, si la función da un número por cada una: entonces el lote se reparte."""
        rows = y_true[:2]
        try:
            with paused(), np.errstate(all="ignore"):
                guess = np.zeros((len(rows), *output_shape), np.float32)
                found = np.shape(self.function(rows, guess))
        except Exception:
            found = ()
        self.alone = len(rows) < 2 or found[:1] != (2,)

    def shard(self, y_true, y_pred):
        r"""Suma lo que da la función."""
        with paused():
            found = np.asarray(self.function(y_true, y_pred), np.float64)
        return float(found.mean() * len(y_pred))


class FunctionActivation(ActivationFunction):
    r"""Una activación escrita como una función; la pendiente la da la cinta.

    >>> from chapters.mlp import Dense, ops
    >>> layer = Dense(2, activation=lambda x: x * ops.sigmoid(2 * x))
    >>> layer(np.zeros((1, 3)))
    array([[0., 0.]], dtype=float32)

    Parameters
    ----------
    function : callable
        Recibe un tensor y da otro de la misma forma.
    """

    def __init__(self, function):
        check.function(function, "activation", 1)
        self.function, self.name = function, _named(function)

    def forward(self, z, y):
        r"""Como :meth:`chapters.mlp.activations.ActivationFunction.forward`."""
        with paused():
            y[...] = self._shaped(self.function(Tensor(z)), z)

    def backward(self, z, y, dy, dz):
        r"""Como :meth:`chapters.mlp.activations.ActivationFunction.backward`."""
        with paused(), GradientTape() as tape:
            t = tape.node(z)
            found = self._shaped(self.function(t), z)
        if found is t:
            dz[...] = dy
            return
        slope = tape.gradient(found, t, dy.astype(found.dtype)) if isinstance(found, Tensor) else None
        dz[...] = 0 if slope is None else slope

    def _shaped(self, found, z):
        if not isinstance(found, (Tensor, np.ndarray)) or found.shape != z.shape:
            came = getattr(found, "shape", type(found).__name__)
            raise ValueError(f"{self.name}: de la activación se esperaba la forma {z.shape}, pero salió {came}")
        return found
