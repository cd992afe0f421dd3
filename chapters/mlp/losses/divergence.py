r"""Dos pérdidas de distribuciones: la divergencia de Kullback y Leibler y la de Poisson."""

import numpy as np

from chapters.mlp.losses.binary import EPSILON
from chapters.mlp.losses.rows import RowLoss


class KLDivergence(RowLoss):
    r"""La divergencia de Kullback y Leibler: cuánto más sorprende el mundo a quien cree en otra distribución.

    Lo correcto, :math:`\mathbf y`, y lo predicho, :math:`\mathbf p`, son distribuciones. Es la entropía cruzada menos
    la entropía de :math:`\mathbf y`, que no depende de la red: el mismo gradiente, pero vale cero cuando son iguales.
    Como en Keras, las dos se recortan antes a :math:`[10^{-7},1]`:

    .. math::
       :label: ec-mlp-kl

       \mathcal L = \sum_{k=1}^{K} y_k\ln\frac{y_k}{p_k},

    .. math::
       :label: ec-mlp-kl-gradiente

       \frac{\partial\mathcal L}{\partial p_k} = -\frac{y_k}{p_k},

    y cero en las recortadas.

    **A mano.** El mundo es una moneda justa y la red cree en otra: :math:`\tfrac12\ln\tfrac{0.5}{0.25}
    +\tfrac12\ln\tfrac{0.5}{0.75}`.

    >>> loss = KLDivergence()
    >>> (
    ...     round(loss([[0.5, 0.5]], [[0.25, 0.75]]), 6),
    ...     loss([[0.5, 0.5]], [[0.5, 0.5]]),
    ... )
    (0.143841, 0.0)
    >>> loss.gradient([[0.5, 0.5]], [[0.25, 0.75]]).round(4)
    array([[-2.    , -0.6667]])

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "kl_divergence"

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        y, p = np.clip(y_true, EPSILON, 1), np.clip(y_pred, EPSILON, 1)
        losses = (y * np.log(y / p)).sum(axis=1)  # [ec-mlp-kl]
        clipped = (y_pred < EPSILON) | (y_pred > 1)
        return losses, np.where(clipped, 0, -y / p)  # [ec-mlp-kl-gradiente]


class Poisson(RowLoss):
    r"""La pérdida de Poisson: para contar cosas.

    Lo correcto es una cuenta, 0, 1, 2…, y la red da la media :math:`\hat y>0` de una distribución de Poisson,
    :math:`p(y\mid\hat y)=\hat y^{\,y}e^{-\hat y}/y!`. Menos su logaritmo, sin el término que no depende de la red, es

    .. math::
       :label: ec-mlp-poisson

       \mathcal L = \frac1K\sum_{j=1}^{K}\bigl[\hat y_j-y_j\ln(\hat y_j+\epsilon)\bigr],

    .. math::
       :label: ec-mlp-poisson-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_j} = \frac1K\Bigl(1-\frac{y_j}{\hat y_j+\epsilon}\Bigr),

    con :math:`\epsilon=10^{-7}`, para que :math:`\hat y=0` no sea un problema. Una predicción negativa sí lo es: no hay
    logaritmo y sale NaN. Al final de la red va una activación que no dé negativos, como ``softplus`` o ``exponential``.

    **A mano.** Se cuentan 3 y se predicen 2: :math:`2-3\ln2`, y la pendiente es :math:`1-\tfrac32`.

    >>> loss = Poisson()
    >>> (
    ...     round(loss([[3.0]], [[2.0]]), 4),
    ...     loss.gradient([[3.0]], [[2.0]]).round(4),
    ... )
    (-0.0794, array([[-0.5]]))

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "poisson"

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        rate = y_pred + EPSILON
        losses = (y_pred - y_true * np.log(rate)).mean(axis=1)  # [ec-mlp-poisson]
        return losses, (1 - y_true / rate) / y_pred.shape[1]  # [ec-mlp-poisson-gradiente]
