r"""Dos pérdidas que miden el error en proporción, y no en unidades."""

import numpy as np

from chapters.mlp.losses.binary import EPSILON
from chapters.mlp.losses.rows import RowLoss


class MeanAbsolutePercentageError(RowLoss):
    r"""El error absoluto en por ciento de lo correcto (*mean absolute percentage error*, MAPE).

    Fallar por uno en diez es lo mismo que fallar por diez en cien. Con :math:`m_j=\max(|y_j|,10^{-7})`, para no
    dividir entre cero,

    .. math::
       :label: ec-mlp-mape

       \mathcal L = \frac{100}K\sum_{j=1}^{K}\frac{|\hat y_j-y_j|}{m_j},

    .. math::
       :label: ec-mlp-mape-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_j} = \frac{100}K\,\frac{\operatorname{signo}(\hat y_j-y_j)}{m_j} .

    Si lo correcto puede ser cero, escoge otra: un cero pesa diez millones de veces más que un uno.

    **A mano.** Errores del 10 % y del 50 %:

    >>> loss = MeanAbsolutePercentageError()
    >>> (
    ...     loss([[10.0, 100.0]], [[9.0, 150.0]]),
    ...     loss.gradient([[10.0, 100.0]], [[9.0, 150.0]]),
    ... )
    (30.0, array([[-5. ,  0.5]]))

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "mean_absolute_percentage_error"

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        error, size = y_pred - y_true, np.maximum(np.abs(y_true), EPSILON)
        losses = 100 * (np.abs(error) / size).mean(axis=1)  # [ec-mlp-mape]
        return losses, 100 / error.shape[1] * np.sign(error) / size  # [ec-mlp-mape-gradiente]


class MeanSquaredLogarithmicError(RowLoss):
    r"""El error cuadrático de los logaritmos (*mean squared logarithmic error*, MSLE).

    Para cantidades que no son negativas y van de unidades a millones, como precios o poblaciones: predecir el doble
    cuesta casi lo mismo con cientos que con millones. Con :math:`\hat v_j=\max(\hat y_j,10^{-7})` y
    :math:`v_j=\max(y_j,10^{-7})`,

    .. math::
       :label: ec-mlp-msle

       \mathcal L = \frac1K\sum_{j=1}^{K}\bigl[\ln(1+\hat v_j)-\ln(1+v_j)\bigr]^2,

    .. math::
       :label: ec-mlp-msle-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_j} = \frac2K\,\frac{\ln(1+\hat v_j)-\ln(1+v_j)}{1+\hat v_j},

    y cero si :math:`\hat y_j<10^{-7}`: una predicción negativa no recibe corrección.

    **A mano.** Predecir 199 donde era 99 es un error de :math:`\ln 2`, y 9 donde era 4, también:

    >>> loss = MeanSquaredLogarithmicError()
    >>> (
    ...     loss.call([[99.0], [4.0]], [[199.0], [9.0]]).round(6),
    ...     round(float(np.log(2) ** 2), 6),
    ... )
    (array([0.480453, 0.480453]), 0.480453)

    Parameters
    ----------
    reduction, name, dtype
        Como en :class:`Loss`.
    """

    name = "mean_squared_logarithmic_error"

    def rows(self, y_true, y_pred):
        r"""Como :meth:`RowLoss.rows`."""
        predicted = np.maximum(y_pred, EPSILON)
        true = np.maximum(y_true, EPSILON)
        error = np.log(1 + predicted) - np.log(1 + true)
        losses = (error * error).mean(axis=1)  # [ec-mlp-msle]
        slopes = 2 / error.shape[1] * error / (1 + predicted)  # [ec-mlp-msle-gradiente]
        return losses, np.where(y_pred < EPSILON, 0, slopes)
