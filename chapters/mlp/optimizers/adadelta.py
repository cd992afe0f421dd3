r"""Pasos en las unidades de los pesos."""

import numpy as np

from chapters.mlp.optimizers.base import Optimizer
from dlbook import check
from dlbook.attributes import Checked
from dlbook.numeric.kernel import kernel


class Adadelta(Optimizer):
    r"""Adadelta: un paso que se mide en las unidades de los pesos.

    La idea es de :cite:t:`zeiler2012` :erratum:`E-17`. :item:`OPT-20, OPT-29`

    **Las unidades no cuadran.** Supón que un peso se mide en metros y que la pérdida es un número sin unidades. Su
    gradiente, pérdida entre peso, se mide en :math:`1/\text m`. En el descenso simple restamos :math:`\eta\,\mathbf g`,
    que son :math:`1/\text m`, de algo en metros. En RMSprop el cociente :math:`g/\sqrt{v}` no tiene unidades. En ningún
    caso salen metros, y :math:`\eta` carga con la diferencia: por eso hay que buscarla a mano en cada problema.

    El método de Newton, que divide entre la segunda derivada, sí cuadra: su paso es :math:`g/f''`, y
    :math:`\frac{1/\text m}{1/\text m^2}=\text m`. Adadelta imita sus unidades sin calcularla. A la mano hay algo que
    se mide en metros: los pasos anteriores. Multipliquemos por su tamaño típico:

    .. math::
       :label: ec-mlp-adadelta

       \begin{gathered}
       a_i \leftarrow \rho\,a_i + (1-\rho)\,g_i^2,
       \\
       \Delta_i = -\frac{\sqrt{d_i+\epsilon}}{\sqrt{a_i+\epsilon}}\,g_i,
       \end{gathered}

    .. math::
       :label: ec-mlp-adadelta-memoria

       \begin{gathered}
       d_i \leftarrow \rho\,d_i + (1-\rho)\,\Delta_i^2,
       \\
       \theta_i \leftarrow \theta_i + \eta\,\Delta_i .
       \end{gathered}

    En el artículo no hay :math:`\eta`: vale 1. Keras la conserva y toma 0.001.

    **El arranque.** Al principio :math:`d=0` y :math:`\sqrt\epsilon` es lo único que pone algo en movimiento: el primer
    paso mide cerca de :math:`\eta\sqrt{\epsilon}/\sqrt{1-\rho}`, muy poco. Mientras el gradiente se repita, los pasos
    crecen solos.

    **A mano.** Con :math:`\rho=0.95`, :math:`\epsilon=10^{-6}` y :math:`\eta=1`, y un gradiente de 2,
    :math:`a=0.05\cdot4=0.2`:

    >>> import numpy as np
    >>> from chapters.mlp.optimizers import Adadelta
    >>> theta = np.array([0.0])
    >>> optimizer = Adadelta(learning_rate=1.0, rho=0.95, epsilon=1e-6)
    >>> optimizer.step(theta, np.array([2.0]))
    >>> theta.round(7), round(-2 * (1e-6 / (0.2 + 1e-6)) ** 0.5, 7)
    (array([-0.0044721]), -0.0044721)

    En el segundo ya cuenta el paso anterior: :math:`d=0.05\cdot0.0044721^2=10^{-6}` y :math:`a=0.95\cdot0.2+0.2=0.39`.

    >>> optimizer.step(theta, np.array([2.0]))
    >>> theta.round(7), round(-0.0044721 - 2 * (2e-6 / 0.39) ** 0.5, 7)
    (array([-0.0090012]), -0.0090012)

    Parameters
    ----------
    learning_rate : float or LearningRateSchedule
        La tasa :math:`\eta`.
    rho : float
        La fracción :math:`\rho` que se conserva, de 0 a menos de 1.
    epsilon : float
        El número :math:`\epsilon`, positivo.
    weight_decay, clipnorm, clipvalue, global_clipnorm, **options
        Como en :class:`Optimizer`.
    """

    rho = Checked(check.number, 0, 1, open_high=True)
    epsilon = Checked(check.number, 0, open_low=True)

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.95,
        epsilon=1e-7,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        **options,
    ):
        super().__init__(learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, **options)
        self.rho, self.epsilon = rho, epsilon

    def _slots(self):
        return {"accumulated_grad": 0.0, "accumulated_delta_var": 0.0}

    def _update(self, theta, gradient, state, rate):
        a, d = state["accumulated_grad"], state["accumulated_delta_var"]
        _adadelta(theta, gradient, a, d, rate, self.rho, self.epsilon)


def plain_adadelta(theta, gradient, a, d, learning_rate, rho, epsilon):
    r"""Un paso; da los pesos y las dos medias."""
    a = rho * a + (1 - rho) * gradient**2  # [ec-mlp-adadelta]
    delta = -np.sqrt(d + epsilon) / np.sqrt(a + epsilon) * gradient  # [ec-mlp-adadelta]
    d = rho * d + (1 - rho) * delta**2  # [ec-mlp-adadelta-memoria]
    return theta + learning_rate * delta, a, d  # [ec-mlp-adadelta-memoria]


@kernel(error_model="numpy")
def _adadelta(theta, gradient, a, d, rate, rho, epsilon):
    real = theta.dtype.type
    eta, keep, take, eps = real(rate), real(rho), real(1 - rho), real(epsilon)
    for i in range(theta.size):
        g = gradient[i]
        a[i] = keep * a[i] + take * g * g
        delta = -np.sqrt(d[i] + eps) / np.sqrt(a[i] + eps) * g  # [ec-mlp-adadelta]
        d[i] = keep * d[i] + take * delta * delta  # [ec-mlp-adadelta-memoria]
        theta[i] += eta * delta
