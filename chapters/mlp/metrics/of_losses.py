r"""Las pérdidas, como métricas: para mirar una mientras se entrena con otra."""

import numpy as np

from chapters.mlp import losses
from chapters.mlp.metrics.base import Metric, _same_shape, _useless
from dlbook import check
from dlbook.attributes import Absent, Checked


class _LossMetric(Metric):
    r"""La media de una pérdida."""

    rising = False
    # Qué pérdida: una clase, o un método que la crea.
    _measured = None

    def accept(self, y_true, output_shape):
        r"""Acepta lo correcto si la pérdida lo acepta, tal como está."""
        _same_shape(self, y_true, output_shape)
        self._measured().prepare(y_true, output_shape, "float64")

    def shard(self, y_true, y_pred, weight=None):
        r"""Suma la pérdida de unas observaciones."""
        if weight is None:
            weight = np.ones(len(y_pred), y_pred.dtype)
        gradient = np.empty_like(y_pred)
        return self._measured().shard(y_true, y_pred, weight, gradient)

    def _prepare(self, y_true, y_pred):
        loss, shape = self._measured(), y_pred.shape[1:]
        y_true = loss.prepare(y_true, shape, y_pred.dtype)
        if len(y_true) != len(y_pred):
            raise ValueError(f"y_true: se esperaban {len(y_pred)} observaciones, pero llegaron {len(y_true)}")
        return y_true


class MeanAbsolutePercentageError(_LossMetric):
    r"""El promedio del error en por ciento (:class:`chapters.mlp.losses.MeanAbsolutePercentageError`).

    >>> MeanAbsolutePercentageError()([10.0, 100.0], [9.0, 150.0])
    30.0
    """

    name = "mean_absolute_percentage_error"
    _measured = losses.MeanAbsolutePercentageError


class MeanSquaredLogarithmicError(_LossMetric):
    r"""El promedio del cuadrado de los logaritmos (:class:`chapters.mlp.losses.MeanSquaredLogarithmicError`).

    >>> round(MeanSquaredLogarithmicError()([99.0, 4.0], [199.0, 9.0]), 6)
    0.480453
    """

    name = "mean_squared_logarithmic_error"
    _measured = losses.MeanSquaredLogarithmicError


class LogCoshError(_LossMetric):
    r"""El promedio del logaritmo del coseno hiperbólico del error (:class:`chapters.mlp.losses.LogCosh`).

    >>> round(LogCoshError()([0.0, 0.0], [1.0, 0.0]), 6)  # 0.433781 / 2
    0.21689
    """

    name = "logcosh"
    _measured = losses.LogCosh


class CosineSimilarity(_LossMetric):
    r"""El promedio de la similitud coseno; aquí, sin el signo menos de :class:`chapters.mlp.losses.CosineSimilarity`.

    >>> y_true, y_pred = [[1.0, 0.0], [0.0, 1.0]], [[3.0, 4.0], [0.0, 2.0]]
    >>> round(CosineSimilarity()(y_true, y_pred), 6)  # (0.6 + 1) / 2
    0.8

    Parameters
    ----------
    name, dtype
        Como en :class:`Metric`.
    axis : -1
        No admite otro valor.
    """

    name = "cosine_similarity"
    rising = True
    axis = Absent(-1)
    _measured = losses.CosineSimilarity

    def __init__(self, name=None, dtype=None, axis=-1):
        super().__init__(name, dtype)
        self.axis = axis

    def shard(self, y_true, y_pred, weight=None):
        r"""Suma los cosenos."""
        return -super().shard(y_true, y_pred, weight)


class Hinge(_LossMetric):
    r"""El promedio de la bisagra (:class:`chapters.mlp.losses.Hinge`).

    >>> Hinge()([1, 1, -1], [2.5, 0.25, 0.5])
    0.75
    """

    name = "hinge"
    _measured = losses.Hinge


class SquaredHinge(_LossMetric):
    r"""El promedio de la bisagra al cuadrado (:class:`chapters.mlp.losses.SquaredHinge`).

    >>> SquaredHinge()([1, 1, -1], [2.5, 0.25, 0.5])  # (0 + 0.5625 + 2.25) / 3
    0.9375
    """

    name = "squared_hinge"
    _measured = losses.SquaredHinge


class CategoricalHinge(_LossMetric):
    r"""El promedio de la bisagra con varias clases (:class:`chapters.mlp.losses.CategoricalHinge`).

    >>> CategoricalHinge()([[1, 0, 0]], [[2.0, 1.5, 0.0]])
    0.5
    """

    name = "categorical_hinge"
    _measured = losses.CategoricalHinge


class KLDivergence(_LossMetric):
    r"""El promedio de la divergencia (:class:`chapters.mlp.losses.KLDivergence`).

    >>> round(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]]), 6)
    0.143841
    """

    name = "kl_divergence"
    _measured = losses.KLDivergence


class Poisson(_LossMetric):
    r"""El promedio de la pérdida de Poisson (:class:`chapters.mlp.losses.Poisson`).

    >>> round(Poisson()([3.0], [2.0]), 4)
    -0.0794
    """

    name = "poisson"
    _measured = losses.Poisson


class BinaryCrossentropy(_LossMetric):
    r"""El promedio de la entropía cruzada binaria (:class:`chapters.mlp.losses.BinaryCrossentropy`).

    >>> round(BinaryCrossentropy()([1, 0, 1], [0.9, 0.2, 0.6]), 6)
    0.279777

    Parameters
    ----------
    name, dtype
        Como en :class:`Metric`.
    from_logits, label_smoothing
        Como en la pérdida.
    """

    name = "binary_crossentropy"
    from_logits = Checked(check.boolean)
    label_smoothing = Checked(check.number, 0, 1)

    def __init__(
        self,
        name=None,
        dtype=None,
        from_logits=False,
        label_smoothing=0,
    ):
        super().__init__(name, dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing

    def _measured(self):
        options = self.from_logits, self.label_smoothing
        return losses.BinaryCrossentropy(*options)


class CategoricalCrossentropy(_LossMetric):
    r"""El promedio de la entropía cruzada categórica (:class:`chapters.mlp.losses.CategoricalCrossentropy`).

    >>> metric = CategoricalCrossentropy(from_logits=True)
    >>> round(metric([[1, 0, 0]], [[2.0, 1.0, 0.1]]), 4)
    0.417

    Parameters
    ----------
    name, dtype
        Como en :class:`Metric`.
    from_logits, label_smoothing, axis
        Como en la pérdida.
    """

    name = "categorical_crossentropy"
    from_logits = Checked(check.boolean)
    label_smoothing = Checked(check.number, 0, 1)
    axis = Absent(-1)

    def __init__(
        self,
        name=None,
        dtype=None,
        from_logits=False,
        label_smoothing=0,
        axis=-1,
    ):
        super().__init__(name, dtype)
        self.from_logits, self.axis = from_logits, axis
        self.label_smoothing = label_smoothing

    def _measured(self):
        options = self.from_logits, self.label_smoothing
        return losses.CategoricalCrossentropy(*options)


class SparseCategoricalCrossentropy(_LossMetric):
    r"""El promedio de la entropía cruzada con etiquetas (:class:`chapters.mlp.losses.SparseCategoricalCrossentropy`).

    >>> metric = SparseCategoricalCrossentropy(
    ...     from_logits=True, ignore_class=-1
    ... )
    >>> round(metric([0, -1], [[2.0, 1.0, 0.1], [9.0, 9.0, 9.0]]), 4)
    0.2085

    Como en Keras, lo que se ignora vale cero, y sin pesos sigue contando en el promedio: la primera cuesta 0.417, y
    sale la mitad. Con pesos no cuenta.

    Parameters
    ----------
    name, dtype
        Como en :class:`Metric`.
    from_logits, ignore_class, axis
        Como en la pérdida.
    """

    name = "sparse_categorical_crossentropy"
    from_logits = Checked(check.boolean)
    ignore_class = Checked(check.integer, -(2**31), 2**31, optional=True)
    axis = Absent(-1)

    def __init__(
        self,
        name=None,
        dtype=None,
        from_logits=False,
        ignore_class=None,
        axis=-1,
    ):
        super().__init__(name, dtype)
        self.from_logits, self.ignore_class, self.axis = from_logits, ignore_class, axis

    def _measured(self):
        return losses.SparseCategoricalCrossentropy(self.from_logits, self.ignore_class)

    def accept(self, y_true, output_shape):
        r"""Acepta una clase, que exista o que se ignore, por vector de la salida."""
        if y_true.dtype.kind not in "iu" or y_true.shape[1:] != output_shape[:-1]:
            raise _useless(self, y_true, output_shape)
        self._measured().prepare(y_true, output_shape, "float64")

    def accumulate(self, y_true, y_pred, weight, state):
        r"""Como :meth:`Metric.accumulate`."""
        if weight is not None and self.ignore_class is not None:
            wide = weight.reshape(weight.shape + (1,) * (y_true.ndim - weight.ndim))
            weight = wide * (y_true != self.ignore_class)
        super().accumulate(y_true, y_pred, weight, state)
