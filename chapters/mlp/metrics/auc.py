r"""El área bajo la curva: qué tan bien ordena, con cualquier umbral."""

import numpy as np

from chapters.mlp.activations import sigmoid
from chapters.mlp.metrics.base import Metric, _ratio, _same_shape, _useless
from chapters.mlp.metrics.confusion import _confusion, _ordered, _wide
from dlbook import check
from dlbook.attributes import Checked


def _inner_thresholds(value, name):
    return [check.number(v, name, 0, 1) for v in check.sequence(value, name)]


def _label_weights(value, name):
    return [check.number(v, name, 0) for v in check.sequence(value, name)]


class AUC(Metric):
    r"""El área bajo la curva (*area under the curve*): qué tan bien ordena, con cualquier umbral.

    Conforme baja el umbral, la red dice que sí a más, a los que eran y a los que no. La curva ROC dibuja la fracción de
    los que eran (la exhaustividad) contra la de los que no. Su área es la probabilidad de que un positivo al azar tenga
    mayor puntaje que un negativo al azar: 0.5 es echar una moneda; 1, separarlos por completo. Con :math:`n_+`
    positivos y :math:`n_-` negativos sin empates, la curva sube :math:`1/n_+` en cada positivo y avanza :math:`1/n_-`
    en cada negativo, a la altura de los positivos que ya pasaron; el área es, entonces, la fracción de los
    :math:`n_+n_-` pares que están en orden. La curva «PR» dibuja la precisión contra la exhaustividad, y dice más
    cuando los positivos son pocos.

    Keras, y este libro, no ordenan todos los puntajes: cuentan con unos umbrales fijos, :math:`t_0<\dots<t_{m-1}`, a
    pasos iguales, y suman trapecios. Con el punto :math:`(x_k,y_k)` de cada umbral,

    .. math::
       :label: ec-mlp-auc

       \text{área} = \sum_{k=0}^{m-2}(x_k-x_{k+1})\,\frac{y_k+y_{k+1}}2 .

    Para «PR» los trapecios son optimistas, porque entre dos puntos de esa curva la precisión no va en línea recta.
    Lo que sí va en línea recta son las cuentas: con :math:`P_k` positivos predichos, de los que :math:`V_k` lo eran, y
    :math:`a=(V_k-V_{k+1})/(P_k-P_{k+1})`, la integral exacta de cada tramo es

    .. math::
       :label: ec-mlp-auc-pr

       \frac{a\,\Bigl[V_k-V_{k+1}+(V_{k+1}-a\,P_{k+1})\ln\frac{P_k}{P_{k+1}}\Bigr]}{VP+FN} .

    **A mano.** De los cuatro pares de un positivo y un negativo, tres están en orden:

    >>> AUC()([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75

    Parameters
    ----------
    num_thresholds : int
        Cuántos umbrales, al menos 2.
    curve : {"ROC", "PR", "PRGAIN"}
        La última es la de precisión y exhaustividad, medidas por lo que ganan a decir siempre que sí.
    summation_method : {"interpolation", "minoring", "majoring"}
        De los trapecios: la altura media, la menor o la mayor.
    name, dtype
        Como en :class:`Metric`.
    thresholds : list of float, optional
        Los umbrales, entre 0 y 1, en vez de ``num_thresholds``.
    multi_label : bool
        Si se calcula una por salida, y después la media.
    num_labels : int, optional
        Con ``multi_label``, cuántas salidas hay.
    label_weights : list of float, optional
        El peso de cada salida.
    from_logits : bool
        Si hay que pasar antes lo predicho por la sigmoide.
    """

    name = "auc"
    rising = True
    num_thresholds = Checked(check.integer, 2, 1_000_000)
    curve = Checked(check.choice, ["ROC", "PR", "PRGAIN"])
    summation_method = Checked(check.choice, ["interpolation", "minoring", "majoring"])
    thresholds = Checked(_inner_thresholds, optional=True)
    multi_label = Checked(check.boolean)
    num_labels = Checked(check.integer, 1, optional=True)
    label_weights = Checked(_label_weights, optional=True)
    from_logits = Checked(check.boolean)

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        super().__init__(name, dtype)
        self.num_thresholds, self.curve, self.summation_method = num_thresholds, curve, summation_method
        self.thresholds, self.multi_label, self.num_labels = thresholds, multi_label, num_labels
        self.label_weights, self.from_logits = label_weights, from_logits
        if self.num_labels is not None and not self.multi_label:
            raise ValueError("num_labels: se esperaba None, porque no se pidió multi_label")

    def _inner(self):
        if self.thresholds is not None:
            return sorted(self.thresholds)
        return [(i + 1) / (self.num_thresholds - 1) for i in range(self.num_thresholds - 2)]

    def accept(self, y_true, output_shape):
        r"""Acepta lo correcto si tiene la forma de la salida; con ``multi_label``, un vector por observación."""
        labels = output_shape[-1] if output_shape else 1
        wanted = {labels, self.num_labels or labels, len(self.label_weights or [0] * labels)}
        if len(wanted) > 1 or (self.multi_label and len(output_shape) != 1):
            raise _useless(self, y_true, output_shape)
        _same_shape(self, y_true, output_shape)

    def size(self, output_shape):
        r"""Las cuatro cuentas, de cada umbral; con ``multi_label``, de cada salida."""
        return 4 * (len(self._inner()) + 2) * (output_shape[-1] if self.multi_label else 1)

    def accumulate(self, y_true, y_pred, weight, state):
        r"""Suma las cuatro cuentas."""
        weight = _wide(weight, y_pred)
        if self.from_logits:
            y_pred, logits = np.empty_like(y_pred), y_pred
            sigmoid.forward(logits, y_pred)
        if self.label_weights is not None and not self.multi_label:
            weight = weight * np.array(self.label_weights)
        # El primero lo pasa todo; el último, nada.
        inner = self._inner()
        limits, even = (-1e-7, *inner, 1 + 1e-7), _ordered((0.0, *inner, 1.0))[2]
        # Con ``num_thresholds`` van siempre a pasos iguales, aunque sean dos.
        even = even or self.thresholds is None
        columns = range(y_pred.shape[-1]) if self.multi_label else [...]
        sums = state.reshape(len(columns), 4, -1)
        for label, k in enumerate(columns):
            taken = (a if k is ... else a[:, k] for a in (y_true, y_pred, weight))
            sums[label] += _confusion(*taken, limits, even, least=int(even))

    def value(self, state):
        r"""Da el área."""
        counts = state.reshape(-1, 4, len(self._inner()) + 2)
        areas = np.array([self._area(*of_label) for of_label in counts])
        weights = np.ones(len(areas)) if self.label_weights is None or not self.multi_label else self.label_weights
        return float(_ratio(np.dot(areas, weights), np.sum(weights)))

    def _area(self, tp, fp, tn, fn):
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _area_of_counts(tp, tp + fp, tp + fn)
        x, y = _ratio(tp, tp + fn), _ratio(tp, tp + fp)
        if self.curve == "ROC":
            x, y = _ratio(fp, fp + tn), x
        elif self.curve == "PRGAIN":
            odds = _ratio(tp + fn, tn + fp)
            x = np.maximum(np.where(tp == 0, 0, 1 - odds * _ratio(fn, tp)), 0)
            y = np.where(tp == 0, 1, 1 - odds * _ratio(fp, tp))
        pick = {"minoring": np.minimum, "majoring": np.maximum, "interpolation": lambda a, b: (a + b) / 2}
        return ((x[:-1] - x[1:]) * pick[self.summation_method](y[:-1], y[1:])).sum()  # [ec-mlp-auc]

    def _prepare(self, y_true, y_pred):
        y_true = super()._prepare(y_true, y_pred)
        self.accept(y_true, y_pred.shape[1:])
        return y_true


def plain_auc(y_true, y_pred, num_thresholds, curve):
    r"""De cada umbral, cuántos «sí» y cuántos lo eran; y el área."""
    limits = np.linspace(0, 1, num_thresholds)
    limits[[0, -1]] = -1e-7, 1 + 1e-7
    said = y_pred > limits[:, None]
    P, V = said.sum(axis=1), (said & (y_true == 1)).sum(axis=1)
    positives = y_true.sum()
    if curve == "ROC":
        x, y = (P - V) / (len(y_true) - positives), V / positives
        return ((x[:-1] - x[1:]) * (y[:-1] + y[1:]) / 2).sum()  # [ec-mlp-auc]
    area = 0.0
    for v, w, p, q in zip(V[:-1], V[1:], P[:-1], P[1:], strict=True):
        a = (v - w) / max(p - q, 1)
        log = np.log(p / q) if q else 0
        area += a * (v - w + (w - a * q) * log) / positives  # [ec-mlp-auc-pr]
    return area


def _area_of_counts(true, predicted, positives):
    rise, run = true[:-1] - true[1:], predicted[:-1] - predicted[1:]
    slope = _ratio(rise, np.maximum(run, 0))
    start = true[1:] - slope * predicted[1:]
    both = (predicted[:-1] > 0) & (predicted[1:] > 0)
    times = np.where(both, _ratio(predicted[:-1], predicted[1:]), 1)
    return _ratio(slope * (rise + start * np.log(times)), positives[1:]).sum()  # [ec-mlp-auc-pr]
