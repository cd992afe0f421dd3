r"""Las pérdidas de bisagra: basta con acertar por un margen."""

import numpy as np

from chapters.mlp.losses.categorical import _classes, _distributions
from chapters.mlp.losses.rows import RowLoss


class Hinge(RowLoss):
    r"""La pérdida de bisagra (*hinge*): basta con acertar por un margen.

    Es la de las máquinas de vectores de soporte. La respuesta se escribe :math:`y=\pm1` y la red da un puntaje; cuando
    su signo es el correcto y mide al menos 1, no hay nada que corregir:

    .. math::
       :label: ec-mlp-hinge

       \mathcal L = \frac1K\sum_{j=1}^{K}\max(0,\ 1-y_j\hat y_j),

    .. math::
       :label: ec-mlp-hinge-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_j} = -\frac{y_j}K\,\bigl[\,y_j\hat y_j\leq1\,\bigr] .

    En la esquina se usa la pendiente de la izquierda, como en Keras.

    **A mano.** Una respuesta holgada, una que acierta por poco y una equivocada. Da igual escribir «no» con −1 o con 0:

    >>> loss = Hinge()
    >>> loss.call([[1], [1], [-1]], [[2.5], [0.25], [0.5]])
    array([0.  , 0.75, 1.5 ])
    >>> slopes = loss.gradient([[1], [1], [0]], [[2.5], [0.25], [0.5]])
    >>> slopes.round(4).ravel().tolist()
    [-0.0, -0.3333, 0.3333]

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "hinge"

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`Loss.prepare`; además exige −1 y 1, o 0 y 1."""
        return _two_signs(super().prepare(y_true, output_shape, dtype))

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        sign = np.where(y_true == 0, -1, y_true)
        short = np.maximum(1 - sign * y_pred, 0)
        losses = short.mean(axis=1)  # [ec-mlp-hinge]
        return losses, -sign * (sign * y_pred <= 1) / y_pred.shape[1]  # [ec-mlp-hinge-gradiente]


def _two_signs(y_true):
    found = set(np.unique(y_true).tolist())
    if not (found <= {-1, 1} or found <= {0, 1}):
        raise ValueError(f"y_true: se esperaba −1 y 1, o 0 y 1, pero hay {sorted(found)[:3]}")
    return y_true


class SquaredHinge(RowLoss):
    r"""La bisagra al cuadrado: sin esquina, y quien se equivoca por mucho recibe más corrección.

    .. math::
       :label: ec-mlp-squared-hinge

       \mathcal L = \frac1K\sum_{j=1}^{K}\max(0,\ 1-y_j\hat y_j)^2,

    .. math::
       :label: ec-mlp-squared-hinge-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_j} = -\frac{2y_j}K\max(0,\ 1-y_j\hat y_j) .

    **A mano.** Como en :class:`Hinge`, con :math:`0.75^2` y :math:`1.5^2`:

    >>> SquaredHinge().call([[1], [1], [-1]], [[2.5], [0.25], [0.5]])
    array([0.    , 0.5625, 2.25  ])

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "squared_hinge"

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`Hinge.prepare`."""
        return _two_signs(super().prepare(y_true, output_shape, dtype))

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        sign = np.where(y_true == 0, -1, y_true)
        short = np.maximum(1 - sign * y_pred, 0)
        losses = (short * short).mean(axis=1)  # [ec-mlp-squared-hinge]
        return losses, -2 / y_pred.shape[1] * sign * short  # [ec-mlp-squared-hinge-gradiente]


class CategoricalHinge(RowLoss):
    r"""La bisagra con varias clases: la correcta debe ganarle por 1 a la mejor de las otras.

    .. math::
       :label: ec-mlp-categorical-hinge

       \mathcal L = \max\Bigl(0,\ 1+\max_k\,(1-y_k)\,\hat y_k-\sum_k y_k\hat y_k\Bigr) .

    El máximo de dentro es el puntaje de la rival, o 0 si todas están por debajo, y la suma, el de la correcta. Mientras
    no le gane por 1, el gradiente baja a la rival :math:`r` y sube a la correcta; si empatan varias rivales, se lo
    reparten:

    .. math::
       :label: ec-mlp-categorical-hinge-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_k} = [k=r]\,(1-y_k)-y_k .

    **A mano.** La correcta es la primera, y le falta medio punto:

    >>> loss = CategoricalHinge()
    >>> (
    ...     loss([[1, 0, 0]], [[2.0, 1.5, 0.0]]),
    ...     loss.gradient([[1, 0, 0]], [[2.0, 1.5, 0.0]]),
    ... )
    (0.5, array([[-1.,  1.,  0.]]))

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "categorical_hinge"

    def prepare(self, y_true, output_shape, dtype):
        r"""Como :meth:`Loss.prepare`; además exige que cada fila sume 1."""
        _classes(output_shape)
        return _distributions(super().prepare(y_true, output_shape, dtype))

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        others = (1 - y_true) * y_pred
        best = others.max(axis=1, keepdims=True)
        gap = 1 + best[:, 0] - (y_true * y_pred).sum(axis=1)
        rival = others == best
        losses = np.maximum(gap, 0)  # [ec-mlp-categorical-hinge]
        share = rival / rival.sum(axis=1, keepdims=True)
        slopes = share * (1 - y_true) - y_true  # [ec-mlp-categorical-hinge-gradiente]
        return losses, np.where(gap >= 0, slopes.T, 0).T
