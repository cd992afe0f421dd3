r"""Métricas de la regresión: cuánto se equivoca, de varias maneras."""

import math

import numpy as np

from chapters.mlp.metrics.base import Averaged, Metric, _distances, _same_shape, _squares, _useless
from dlbook import check
from dlbook.attributes import Checked


class MeanSquaredError(Averaged):
    r"""El promedio de los errores al cuadrado, para mirarlo cuando se entrena con otra pérdida.

    >>> MeanSquaredError()([1.0, 0.0], [0.0, 3.0])
    5.0
    """

    name = "mean_squared_error"
    rising = False
    accept = _same_shape

    def add(self, y_true, y_pred, weight, n, state):
        r"""Suma los cuadrados."""
        y, p = (a.reshape(weight.size, -1) for a in (y_true, y_pred))
        _squares(y, p, weight, n, state)


class MeanAbsoluteError(Averaged):
    r"""El promedio de los errores sin signo, en las unidades de lo que se predice.

    >>> MeanAbsoluteError()([1.0, 0.0], [0.0, 3.0])
    2.0
    """

    name = "mean_absolute_error"
    rising = False
    accept = _same_shape

    def add(self, y_true, y_pred, weight, n, state):
        r"""Suma los errores."""
        y, p = (a.reshape(weight.size, -1) for a in (y_true, y_pred))
        _distances(y, p, weight, n, state)


class RootMeanSquaredError(MeanSquaredError):
    r"""La raíz del error cuadrático medio (RMSE): otra vez en las unidades de lo que se predice.

    La raíz se saca al final, de la media de todos. No es la media de las raíces de los lotes, y por eso no es una
    pérdida.

    >>> rmse = RootMeanSquaredError()
    >>> rmse([0.0], [1.0]), rmse([0.0], [7.0])  # raíz de (1 + 49) / 2
    (1.0, 5.0)

    Parameters
    ----------
    name, dtype
        Como en :class:`Metric`.
    """

    name = "root_mean_squared_error"

    def value(self, state):
        r"""Da la raíz de la media."""
        return math.sqrt(super().value(state))


class R2Score(Metric):
    r"""Qué parte de la variación explica la red (*coefficient of determination*, :math:`R^2`).

    Se compara con quien contesta siempre la media, :math:`\bar y`: 1 es perfecto, 0 es como él, y menos de 0, peor.

    .. math::
       :label: ec-mlp-r2

       R^2 = 1-\frac{\sum_i s_i\,(y_i-\hat y_i)^2}{\sum_i s_i\,(y_i-\bar y)^2} .

    El denominador se calcula como :math:`\sum_i s_iy_i^2-\bar y\sum_i s_iy_i`, que se suma por partes; :math:`s_i` es
    el peso de la observación, 1 si no se dan. Con varias salidas hay una por salida.

    **A mano.** La media es 2; la red falla por 0.5 en dos de tres, y la media, por 1 en dos: :math:`1-0.5/2`.

    >>> R2Score()([[1.0], [2.0], [3.0]], [[1.5], [2.0], [2.5]])
    0.75

    Parameters
    ----------
    class_aggregation : {"uniform_average", "variance_weighted_average"} or None
        Si se promedian las de las salidas, por igual o según lo que varíe cada una; con ``None`` se dan todas.
    num_regressors : int
        Cuántas entradas tiene el modelo, para el :math:`R^2` ajustado, :math:`1-(1-R^2)\frac{n-1}{n-p-1}`; con 0, sin
        ajustar. Como en Keras, :math:`n` cuenta los números de lo correcto, y si no alcanzan no se ajusta.
    name, dtype
        Como en :class:`Metric`.
    """

    name = "r2_score"
    rising = True
    class_aggregation = Checked(check.choice, ["uniform_average", "variance_weighted_average", None], exact=True)
    num_regressors = Checked(check.integer, 0)

    def __init__(self, class_aggregation="uniform_average", num_regressors=0, name=None, dtype=None):
        super().__init__(name, dtype)
        self.class_aggregation, self.num_regressors = class_aggregation, num_regressors

    def accept(self, y_true, output_shape):
        r"""Acepta un vector de números por observación."""
        _vector(self, y_true, output_shape)

    def size(self, output_shape):
        r"""De cada salida, la suma, la de los cuadrados, la de los errores y la de los pesos; y cuántos números van."""
        return 4 * output_shape[-1] + 1

    def accumulate(self, y_true, y_pred, weight, state):
        r"""Suma todo eso."""
        y, p = y_true.astype(np.float64), y_pred.astype(np.float64)
        s = np.ones((len(y), 1)) if weight is None else weight.reshape(-1, 1)
        sums = state[:-1].reshape(4, -1)
        for part, values in zip(sums, (s * y, s * y * y, s * (y - p) ** 2, s * np.ones_like(y)), strict=True):
            part += values.sum(axis=0)
        state[-1] += y.size

    def value(self, state):
        r"""Da el cociente."""
        total, squares, errors, weights = state[:-1].reshape(4, -1)
        with np.errstate(all="ignore"):
            spread = squares - total * (total / weights)
            scores = 1 - errors / spread  # [ec-mlp-r2]
            scores = np.where(np.isinf(scores), 0.0, scores)
            if self.class_aggregation is None:
                score = scores
            elif self.class_aggregation == "uniform_average":
                score = scores.mean()
            else:
                score = (spread * scores).sum() / spread.sum()
            n, p = state[-1], self.num_regressors
            if 0 < p < n - 1:
                score = 1 - (1 - score) * (n - 1) / (n - p - 1)
        return score if np.ndim(score) else float(score)

    def _prepare(self, y_true, y_pred):
        return _columns(super()._prepare(y_true, y_pred), "y_true")


def plain_r2score(y_true, y_pred):
    r"""Una por salida, y la media."""
    errors = ((y_true - y_pred) ** 2).sum(axis=0)
    spread = ((y_true - y_true.mean(axis=0)) ** 2).sum(axis=0)
    return np.mean(1 - errors / spread)  # [ec-mlp-r2]


def _vector(metric, y_true, output_shape):
    if len(output_shape) != 1:
        raise _useless(metric, y_true, output_shape)
    _same_shape(metric, y_true, output_shape)


def _columns(y_true, name):
    if y_true.ndim != 2:
        raise ValueError(f"{name}: se esperaba la forma (n, K), pero llegó {y_true.shape}")
    return y_true
