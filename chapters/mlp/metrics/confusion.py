r"""De la matriz de confusión: cuántos encontró y cuántos de los que dijo lo eran, con uno o varios umbrales."""

import functools

import numpy as np

from chapters.mlp.metrics.base import Metric, _ratio, _same_shape, _useless
from dlbook import check
from dlbook.attributes import Checked

# Lo que no está entre las mejores, con ``top_k``, queda por debajo de cualquier umbral.
LOWEST = -1e10


def _thresholds(value, name):
    if isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0):
        return [check.number(v, name, 0, 1) for v in check.sequence(value, name)]
    return check.number(value, name, 0, 1)


@functools.lru_cache
def _ordered(limits):
    # Los umbrales en orden, en qué lugar estaba cada uno, y si van de 0 a 1 a pasos iguales.
    order = np.argsort(limits, kind="stable")
    even = len(limits) > 2 and np.allclose(limits, np.linspace(0, 1, len(limits)), atol=1e-7)
    return np.array(limits)[order], np.argsort(order, kind="stable"), even


def _confusion(y_true, y_pred, weight, limits, even=None, least=0):
    # De cada umbral, los pesos de: sí y era sí, sí y era no, no y era no, no y era sí.
    ordered, places, evenly = _ordered(limits)
    if evenly if even is None else even:
        # Como Keras: el número del último umbral que se pasa sale de una cuenta, en el tipo de lo predicho.
        passed = np.ceil(np.clip(y_pred, 0, 1) * (len(limits) - 1)).astype(np.int64)
    else:
        passed = np.searchsorted(ordered.astype(y_pred.dtype), y_pred, side="left")
    passed = np.maximum(passed, least).reshape(-1)
    counts = []
    for kind in (y_true != 0, y_true == 0):
        of_each = np.bincount(passed, (kind * weight).reshape(-1), len(limits) + 1)
        over = of_each[::-1].cumsum()[::-1]
        counts.append((over[1:][places], over[0] - over[1:][places]))
    (tp, fn), (fp, tn) = counts
    return np.array([tp, fp, tn, fn])


class _Thresholds(Metric):
    r"""Lo que se cuenta con uno o varios umbrales.

    Parameters
    ----------
    thresholds : float or list of float, optional
        De 0 a 1: es un «sí» lo que lo pasa. Si no se dice, 0.5; con una lista, hay un resultado por umbral.
    """

    rising = True
    top_k = class_id = None
    thresholds = Checked(_thresholds, optional=True)

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(name, dtype)
        self.thresholds = thresholds

    def accept(self, y_true, output_shape):
        r"""Acepta lo correcto si tiene la forma de la salida, y la salida, bastantes clases."""
        classes = output_shape[-1] if output_shape else 1
        if (self.top_k or 1) > classes or (self.class_id or 0) >= classes:
            raise _useless(self, y_true, output_shape)
        _same_shape(self, y_true, output_shape)

    def _prepare(self, y_true, y_pred):
        y_true = super()._prepare(y_true, y_pred)
        self.accept(y_true, y_pred.shape[1:])
        return y_true

    def _limits(self):
        if self.thresholds is None:
            return (0.5 if self.top_k is None else LOWEST,)
        return tuple(np.atleast_1d(self.thresholds).tolist())

    def size(self, output_shape):
        r"""Las cuatro cuentas, de cada umbral."""
        return 4 * len(self._limits())

    def accumulate(self, y_true, y_pred, weight, state):
        r"""Suma las cuatro cuentas."""
        weight = _wide(weight, y_pred)
        if self.top_k is not None:
            best = np.argsort(-y_pred, axis=-1, kind="stable")[..., : self.top_k]
            kept = np.full_like(y_pred, LOWEST)
            np.put_along_axis(kept, best, np.take_along_axis(y_pred, best, -1), -1)
            y_pred = kept
        if self.class_id is not None:
            y_true, y_pred, weight = (a[..., self.class_id] for a in (y_true, y_pred, weight))
        state.reshape(4, -1)[:] += _confusion(y_true, y_pred, weight, self._limits())

    def value(self, state):
        r"""Da la métrica; con varios umbrales, un arreglo."""
        found = self._value(*state.reshape(4, -1))
        return float(found[0]) if found.size == 1 else found


def _wide(weight, y_pred):
    if weight is None:
        return np.ones(y_pred.shape)
    return np.broadcast_to(weight.reshape(weight.shape + (1,) * (y_pred.ndim - weight.ndim)), y_pred.shape)


class TruePositives(_Thresholds):
    r"""Cuántos «sí» acertó: los positivos verdaderos.

    >>> TruePositives()([1, 1, 1, 0], [0.9, 0.8, 0.3, 0.7])
    2.0

    Parameters
    ----------
    thresholds : float or list of float, optional
        De 0 a 1: es un «sí» lo que lo pasa. Si no se dice, 0.5; con una lista, hay un resultado por umbral.
    name, dtype
        Como en :class:`Metric`.
    """

    name = "true_positives"

    def _value(self, tp, fp, tn, fn):
        return tp


class FalsePositives(_Thresholds):
    r"""Cuántos «sí» no lo eran: las falsas alarmas.

    >>> FalsePositives()([1, 1, 1, 0], [0.9, 0.8, 0.3, 0.7])
    1.0

    Parameters
    ----------
    thresholds, name, dtype
        Como en :class:`TruePositives`.
    """

    name = "false_positives"
    rising = False

    def _value(self, tp, fp, tn, fn):
        return fp


class TrueNegatives(_Thresholds):
    r"""Cuántos «no» acertó: los negativos verdaderos.

    >>> TrueNegatives(thresholds=[0.5, 0.75])(
    ...     [1, 1, 1, 0], [0.9, 0.8, 0.3, 0.7]
    ... )
    array([0., 1.])

    Parameters
    ----------
    thresholds, name, dtype
        Como en :class:`TruePositives`.
    """

    name = "true_negatives"

    def _value(self, tp, fp, tn, fn):
        return tn


class FalseNegatives(_Thresholds):
    r"""Cuántos «no» eran «sí»: los que se le pasaron.

    >>> FalseNegatives()([1, 1, 1, 0], [0.9, 0.8, 0.3, 0.7])
    1.0

    Parameters
    ----------
    thresholds, name, dtype
        Como en :class:`TruePositives`.
    """

    name = "false_negatives"
    rising = False

    def _value(self, tp, fp, tn, fn):
        return fn


class Precision(_Thresholds):
    r"""Precisión: de los que dijo que sí, cuántos lo eran.

    .. math::
       :label: ec-mlp-precision

       \text{precisión} = \frac{VP}{VP+FP},

    donde :math:`VP` son los positivos verdaderos y :math:`FP`, los falsos. Si no dijo que sí a ninguno, 0.

    **A mano.** Dijo que sí a tres y acertó en dos:

    >>> round(Precision()([1, 1, 1, 0], [0.9, 0.8, 0.3, 0.7]), 4)
    0.6667

    Parameters
    ----------
    thresholds : float or list of float, optional
        Como en :class:`TruePositives`.
    top_k : int, optional
        Entonces solo son «sí» las :math:`k` salidas mayores de cada vector y, sin ``thresholds``, todas ellas.
    class_id : int, optional
        Entonces solo cuenta esa salida.
    name, dtype
        Como en :class:`Metric`.
    """

    name = "precision"
    top_k = Checked(check.integer, 1, optional=True)
    class_id = Checked(check.integer, 0, optional=True)

    def __init__(
        self,
        thresholds=None,
        top_k=None,
        class_id=None,
        name=None,
        dtype=None,
    ):
        super().__init__(thresholds, name, dtype)
        self.top_k, self.class_id = top_k, class_id

    def _value(self, tp, fp, tn, fn):
        return _ratio(tp, tp + fp)  # [ec-mlp-precision]


class Recall(_Thresholds):
    r"""Exhaustividad (*recall*): de los que eran, cuántos encontró.

    .. math::
       :label: ec-mlp-exhaustividad

       \text{exhaustividad} = \frac{VP}{VP+FN},

    donde :math:`FN` son los que se le pasaron. Si no había ninguno, 0.

    **A mano.** Había tres y encontró dos; con un umbral más bajo los encuentra todos:

    >>> recall = Recall(thresholds=[0.5, 0.25])
    >>> recall([1, 1, 1, 0], [0.9, 0.8, 0.3, 0.7]).round(4)
    array([0.6667, 1.    ])

    Parameters
    ----------
    thresholds, top_k, class_id
        Como en :class:`Precision`.
    name, dtype
        Como en :class:`Metric`.
    """

    name = "recall"
    top_k = Checked(check.integer, 1, optional=True)
    class_id = Checked(check.integer, 0, optional=True)

    def __init__(
        self,
        thresholds=None,
        top_k=None,
        class_id=None,
        name=None,
        dtype=None,
    ):
        super().__init__(thresholds, name, dtype)
        self.top_k, self.class_id = top_k, class_id

    def _value(self, tp, fp, tn, fn):
        return _ratio(tp, tp + fn)  # [ec-mlp-exhaustividad]
