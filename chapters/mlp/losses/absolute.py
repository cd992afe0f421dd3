r"""El error absoluto medio."""

import numpy as np

from chapters.mlp.activations.exponential import _add
from chapters.mlp.losses.base import Loss
from dlbook.numeric.kernel import kernel


class MeanAbsoluteError(Loss):
    r"""Error absoluto medio (*mean absolute error*, MAE): una regresión que no se asusta con los datos raros.

    .. math::
       :label: ec-mlp-mae

       \mathcal L = \frac1K\sum_{j=1}^{K}\bigl|\hat y_j-y_j\bigr| .

    **De dónde sale.** Cambia el ruido normal por uno de Laplace, que hace más probables los errores grandes:
    :math:`p(y\mid\hat y)=\frac1{2b}e^{-|y-\hat y|/b}`. Su logaritmo con signo menos es :math:`|y-\hat y|/b+\ln 2b`, y
    lo único que depende de los pesos es el valor absoluto.

    **Gradiente.** La pendiente de :math:`|e|` es el signo de :math:`e`; en el pico, :math:`e=0`, se usa 0, como en
    Keras:

    .. math::
       :label: ec-mlp-mae-gradiente

       \frac{\partial\mathcal L}{\partial\hat y_j} = \frac1K\operatorname{signo}\bigl(\hat y_j-y_j\bigr) .

    Todos los errores tiran con la misma fuerza, grandes o pequeños. El precio es que el gradiente no se hace pequeño
    cerca del mínimo, y hay que bajar la tasa de aprendizaje para no quedarse dando vueltas.

    **Media y mediana.** Si la red solo pudiera dar un número, ¿cuál daría? El que iguala las fuerzas. Con el cuadrado,
    la fuerza es la distancia, y el equilibrio es la media; con el valor absoluto cada dato tira igual, y el equilibrio
    está donde hay tantos a un lado como al otro: la mediana.

    **A mano.** Cinco salarios, uno de ellos disparatado. Busquemos la mejor respuesta única con cada pérdida:

    >>> import numpy as np
    >>> from chapters.mlp.losses import MeanAbsoluteError, MeanSquaredError
    >>> y = np.array([5.0, 6.0, 7.0, 8.0, 54.0])
    >>> answers = np.arange(0.0, 60.0, 0.5)
    >>> def best(loss):
    ...     return float(min(answers, key=lambda a: loss(y, np.full(5, a))))
    >>> best(MeanSquaredError()), float(np.mean(y))
    (16.0, 16.0)
    >>> best(MeanAbsoluteError()), float(np.median(y))
    (7.0, 7.0)
    """

    name = "mean_absolute_error"

    def shard(self, y_true, y_pred, weight, gradient):
        r"""Como :meth:`Loss.shard`."""
        shape = weight.size, -1
        return _mean_absolute_error(
            y_true.reshape(shape), y_pred.reshape(shape), weight.reshape(-1), gradient.reshape(shape)
        )


def plain_mean_absolute_error(y_true, y_pred):
    r"""La pérdida de cada observación y su gradiente."""
    error = y_pred - y_true
    losses = abs(error).mean(axis=1)  # [ec-mlp-mae]
    return losses, np.sign(error) / error.shape[1]  # [ec-mlp-mae-gradiente]


@kernel(error_model="numpy")
def _mean_absolute_error(y_true, y_pred, weight, gradient):
    n, outputs = y_pred.shape
    real = y_pred.dtype.type
    zero = real(0)
    loss = 0.0
    for i in range(n):
        share = weight[i] / real(outputs)
        total = zero
        for j in range(outputs):
            error = y_pred[i, j] - y_true[i, j]
            total = _add(total, abs(error))
            gradient[i, j] = share if error > 0 else (-share if error < 0 else zero)  # [ec-mlp-mae-gradiente]
        loss += share * total  # [ec-mlp-mae]
    return loss
