r"""El error cuadrático medio."""

from chapters.mlp.activations.exponential import _add
from chapters.mlp.losses.base import Loss
from dlbook.numeric.kernel import kernel


class MeanSquaredError(Loss):
    r"""Error cuadrático medio (*mean squared error*, MSE): la pérdida de la regresión.

    Con :math:`K` salidas por observación: :item:`MLP-24`

    .. math::
       :label: ec-mlp-mse

       \mathcal L = \frac1K\sum_{j=1}^{K}\bigl(\hat y_j-y_j\bigr)^2 .

    **De dónde sale.** Supón que lo observado es lo predicho más un ruido que nadie controla, y que ese ruido es normal:
    :math:`y=\hat y+\varepsilon` con :math:`\varepsilon\sim\mathcal N(0,\sigma^2)`. Entonces

    .. math::

       -\ln p(y\mid\hat y)
       = -\ln\frac{e^{-(y-\hat y)^2/2\sigma^2}}{\sqrt{2\pi\sigma^2}}
       = \frac{(y-\hat y)^2}{2\sigma^2} + \tfrac12\ln(2\pi\sigma^2) .

    El segundo sumando no depende de los pesos, y el factor :math:`1/2\sigma^2` no cambia dónde está el mínimo. Queda el
    cuadrado.

    **Gradiente.** De toda la suma, :math:`\hat y_j` solo está en un término:

    .. math::
       :label: ec-mlp-mse-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_j} = \frac2K\bigl(\hat y_j-y_j\bigr) .

    Lo predicho menos lo deseado, y el doble de error pide el doble de corrección. Un dato descabellado tira entonces
    con una fuerza descabellada; para eso está :class:`MeanAbsoluteError`.

    **A mano.** Con :math:`y=(1,0,1)` y :math:`\hat y=(0.9, 0.2, 0.6)`, :math:`(0.01+0.04+0.16)/3`: :worked:`WE-08`

    >>> import numpy as np
    >>> from chapters.mlp.losses import MeanSquaredError, mean_squared_error
    >>> y = np.array([[1.0], [0.0], [1.0]])
    >>> predicted = np.array([[0.9], [0.2], [0.6]])
    >>> round(MeanSquaredError()(y, predicted), 12)
    0.07

    **Dos que no son la misma.** La función devuelve una pérdida **por observación**, y hay que promediarla; la clase ya
    promedia. :item:`MLP-84` :erratum:`E-42`

    >>> predicted = np.array([[0.5], [0.0], [2.0]])
    >>> mean_squared_error(y, predicted)
    array([0.25, 0.  , 1.  ])
    >>> (
    ...     round(float(np.mean(np.square(y - predicted))), 4),
    ...     round(MeanSquaredError()(y, predicted), 4),
    ... )
    (0.4167, 0.4167)

    **Otra escritura.** Hay textos que suman sobre las salidas en vez de promediar,
    :math:`\varepsilon^2=\lVert\mathbf y-\tilde{\mathbf y}\rVert^2`, y llaman :math:`F_o` a la media sobre los pares. Es
    :math:`K` veces la nuestra, con el mínimo en el mismo sitio; como es una media de cuadrados, nunca baja de cero. Un
    superíndice :math:`k`, ahí, cuenta pares y no es una potencia. :item:`MLP-41, MLP-42` :erratum:`E-37`
    """

    name = "mean_squared_error"

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Como :meth:`Loss.shard`."""
        shape = weight.size, -1
        return _mean_squared_error(
            y_true.reshape(shape), y_pred.reshape(shape), weight.reshape(-1), gradient.reshape(shape)
        )


def plain_mean_squared_error(y_true, y_pred):
    r"""La pérdida de cada observación y su gradiente."""
    error = y_pred - y_true
    losses = (error**2).mean(axis=1)  # [ec-mlp-mse]
    return losses, 2 * error / error.shape[1]  # [ec-mlp-mse-gradiente]


@kernel(error_model="numpy")
def _mean_squared_error(y_true, y_pred, weight, gradient):
    n, outputs = y_pred.shape
    real = y_pred.dtype.type
    loss = 0.0
    for i in range(n):
        share = weight[i] / real(outputs)
        slope = real(2) * share
        total = real(0)
        for j in range(outputs):
            error = y_pred[i, j] - y_true[i, j]
            total = _add(total, error * error)
            gradient[i, j] = slope * error  # [ec-mlp-mse-gradiente]
        loss += share * total  # [ec-mlp-mse]
    return loss
