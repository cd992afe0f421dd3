r"""La medida F: precisión y exhaustividad en un solo número."""

import numpy as np

from chapters.mlp.metrics.base import Metric
from chapters.mlp.metrics.error import _columns, _vector
from dlbook import check
from dlbook.attributes import Checked

# Lo que Keras suma a los denominadores.
EPSILON = 1e-7


class FBetaScore(Metric):
    r"""La medida :math:`F_\beta`: precisión y exhaustividad en un solo número, que cae si cae cualquiera de las dos.

    Es una media armónica, el inverso de la media de los inversos. Con :math:`P` la precisión y :math:`R` la
    exhaustividad,

    .. math::
       :label: ec-mlp-fbeta

       F_\beta = (1+\beta^2)\,\frac{P\,R}{\beta^2P+R} :

    con :math:`\beta>1` importa más la exhaustividad, y con :math:`\beta<1`, la precisión. Como en Keras, a cada
    denominador se le suma :math:`10^{-7}`.

    **A mano.** :math:`P=\tfrac23` y :math:`R=\tfrac23` en la primera salida; en la segunda, :math:`P=1` y
    :math:`R=\tfrac12`, y :math:`5\cdot\tfrac12/(4+\tfrac12)`:

    >>> y_true = [[1, 1], [1, 0], [1, 0], [0, 1]]
    >>> y_pred = [[0.9, 0.7], [0.8, 0.1], [0.3, 0.2], [0.6, 0.4]]
    >>> FBetaScore(beta=2.0, threshold=0.5)(y_true, y_pred).round(4)
    array([0.6667, 0.5556])

    Parameters
    ----------
    average : {"micro", "macro", "weighted"} or None
        Con ``None``, una por salida; si no, se cuentan todas juntas, se promedian por igual o según cuántos positivos
        tenga cada una.
    beta : float
        Mayor que 0.
    threshold : float, optional
        Entre 0 y 1: es un «sí» la salida que lo pasa. Si no se dice, lo es la mayor de cada observación.
    name, dtype
        Como en :class:`Metric`.
    """

    name = "fbeta_score"
    rising = True
    average = Checked(check.choice, [None, "micro", "macro", "weighted"], exact=True)
    beta = Checked(check.number, 0, open_low=True)
    threshold = Checked(check.number, 0, 1, open_low=True, optional=True)

    def __init__(self, average=None, beta=1.0, threshold=None, name=None, dtype=None):
        super().__init__(name, dtype)
        self.average, self.beta, self.threshold = average, beta, threshold

    def accept(self, y_true, output_shape):
        r"""Acepta un vector por observación, con la forma de la salida."""
        _vector(self, y_true, output_shape)

    def size(self, output_shape):
        r"""De cada salida, los positivos verdaderos, los falsos, los que se pasaron y los que había."""
        return 4 * (1 if self.average == "micro" else output_shape[-1])

    def accumulate(self, y_true, y_pred, weight, state):
        r"""Suma las cuatro cuentas."""
        if self.threshold is None:
            said = (y_pred >= y_pred.max(axis=-1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
        else:
            said = y_pred > y_pred.dtype.type(self.threshold)
        y = y_true.astype(np.float64)
        s = np.ones((len(y), 1)) if weight is None else weight.reshape(-1, 1)
        sums = np.array([(s * part).sum(axis=0) for part in (said * y, said * (1 - y), (1 - said) * y, y)])
        state += (sums.sum(axis=1) if self.average == "micro" else sums).reshape(-1)

    def value(self, state):
        r"""Da la medida: un arreglo, o un número si se promedia."""
        tp, fp, fn, there = state.reshape(4, -1)
        precision, recall, beta = tp / (tp + fp + EPSILON), tp / (tp + fn + EPSILON), self.beta**2
        f = (1 + beta) * (precision * recall) / (beta * precision + recall + EPSILON)  # [ec-mlp-fbeta]
        if self.average is None:
            return f
        if self.average == "weighted":
            return float((f * there).sum() / (there.sum() + EPSILON))
        return float(f.mean())

    def _prepare(self, y_true, y_pred):
        return _columns(super()._prepare(y_true, y_pred), "y_true")


def plain_fbeta_score(y_true, y_pred, beta, threshold):
    r"""Una por salida, de sus positivos verdaderos y falsos."""
    said = y_pred > threshold
    found = (said & (y_true == 1)).sum(axis=0)
    precision = found / (said.sum(axis=0) + EPSILON)
    recall = found / (y_true.sum(axis=0) + EPSILON)
    both = beta**2 * precision + recall + EPSILON
    return (1 + beta**2) * precision * recall / both  # [ec-mlp-fbeta]


class F1Score(FBetaScore):
    r"""La medida :math:`F_1`: la media armónica de la precisión y la exhaustividad, :math:`2PR/(P+R)`.

    >>> metric = F1Score(threshold=0.5)
    >>> metric([[1], [1], [1], [0]], [[0.9], [0.8], [0.3], [0.7]]).round(4)
    array([0.6667])

    Parameters
    ----------
    average, threshold, name, dtype
        Como en :class:`FBetaScore`.
    """

    name = "f1_score"
    beta = 1.0

    def __init__(self, average=None, threshold=None, name=None, dtype=None):
        Metric.__init__(self, name, dtype)
        self.average, self.threshold = average, threshold
