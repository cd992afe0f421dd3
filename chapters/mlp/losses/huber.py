r"""Dos pérdidas que son un cuadrado de cerca y una recta de lejos: la de Huber y la del coseno hiperbólico."""

import math

import numpy as np

from chapters.mlp.losses.rows import RowLoss
from dlbook import check
from dlbook.attributes import Checked


class Huber(RowLoss):
    r"""La pérdida de Huber: un cuadrado de cerca y una recta de lejos.

    Cerca del cero es suave, como el error cuadrático; un dato raro, en cambio, tira con fuerza :math:`\delta` y no más,
    como en el error absoluto. Con el error :math:`e_j=\hat y_j-y_j`,

    .. math::
       :label: ec-mlp-huber

       \mathcal L = \frac1K\sum_{j=1}^{K}
       \begin{cases}
       \tfrac12 e_j^2 & \text{si } |e_j|\leq\delta,\\
       \delta\,|e_j|-\tfrac12\delta^2 & \text{si no},
       \end{cases}

    y las dos mitades se juntan sin esquina, porque su derivada es el error recortado:

    .. math::
       :label: ec-mlp-huber-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_j} = \frac1K\max\bigl(-\delta,\ \min(e_j,\delta)\bigr) .

    **A mano.** Con errores 0.5 y 3, :math:`(\tfrac12\,0.25+3-\tfrac12)/2`:

    >>> loss = Huber()
    >>> (
    ...     loss([[0.0, 0.0]], [[0.5, 3.0]]),
    ...     loss.gradient([[0.0, 0.0]], [[0.5, 3.0]]),
    ... )
    (1.3125, array([[0.25, 0.5 ]]))

    Parameters
    ----------
    delta : float
        Desde qué error es una recta; mayor que 0.
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "huber"
    delta = Checked(check.number, 0, open_low=True)

    def __init__(
        self,
        delta=1.0,
        reduction="sum_over_batch_size",
        name=None,
        dtype=None,
    ):
        super().__init__(reduction, name, dtype)
        self.delta = delta

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        error = y_pred - y_true
        pull = np.clip(error, -self.delta, self.delta)
        # Sin recorte, pull es el error: queda la mitad de su cuadrado.
        losses = (pull * (error - pull / 2)).mean(axis=1)  # [ec-mlp-huber]
        return losses, pull / error.shape[1]  # [ec-mlp-huber-gradiente]


class LogCosh(RowLoss):
    r"""El logaritmo del coseno hiperbólico: como la de Huber, pero de una sola pieza.

    Cerca del cero vale :math:`e^2/2`, y lejos, :math:`|e|-\ln 2`. Con :math:`e_j=\hat y_j-y_j`,

    .. math::
       :label: ec-mlp-logcosh

       \begin{aligned}
       \mathcal L &= \frac1K\sum_{j=1}^{K}\ln\cosh e_j\\
       &= \frac1K\sum_{j=1}^{K}\bigl[\,|e_j|+\ln(1+e^{-2|e_j|})-\ln 2\,\bigr] ,
       \end{aligned}

    donde la segunda forma, que no se desborda, sale de sacar :math:`e^{|e_j|}/2` como factor del coseno. La derivada
    es :math:`\operatorname{senh}/\cosh`:

    .. math::
       :label: ec-mlp-logcosh-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_j} = \frac1K\tanh e_j .

    **A mano.** Un error de 1000 no desborda nada:

    >>> loss = LogCosh()
    >>> round(loss([[0.0]], [[1.0]]), 6), round(math.log(math.cosh(1)), 6)
    (0.433781, 0.433781)
    >>> round(loss([[0.0]], [[1000.0]]), 4), loss.gradient([[0.0]], [[1000.0]])
    (999.3069, array([[1.]]))

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "log_cosh"

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        error = y_pred - y_true
        far = np.abs(error)
        each = far + np.log1p(np.exp(-2 * far)) - math.log(2)
        losses = each.mean(axis=1)  # [ec-mlp-logcosh]
        return losses, np.tanh(error) / error.shape[1]  # [ec-mlp-logcosh-gradiente]
